//! `pve_network_apply` where its change is final at once, where there is nothing to do, and what it refuses. A change that
//! waits to be confirmed is `provisional.rs`'s.

use anyhow::Result;
use lab::Lab;
use lab::link::{MEMBERS, Task};
use lab::plain_nic::{NODE, OLD, staged};
use serde_json::json;

#[test]
fn two_addresses_of_one_network_move_to_an_intport_each() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let two = OLD.replace("\taddress 192.0.2.10/24\n", "\taddress 192.0.2.10/24\n\taddress 192.0.2.11/24\n");
    lab.write(NODE, "/etc/network/interfaces", &two)?;
    lab.exec(NODE, &["ifreload", "-a"])?;
    let second = json!({"name": "second", "bridge": "vmbr0", "cidr": "192.0.2.11/24", "apply": false});
    let staged: Vec<Task> = staged().into_iter().chain([("pve_ovs_intport", second)]).collect();
    lab.run(NODE, &staged)?;
    let told = lab.network_apply(&json!({"confirm_within": 300}))?;
    assert!(told.changed()?);
    assert!(told.result["commands"].to_string().contains("-batch"), "{:#}", told.result["commands"]);
    let of = |link: &str| lab.exec(NODE, &["ip", "-4", "-oneline", "address", "show", "dev", link]);
    assert!(of("mgmt")?.contains("192.0.2.10/24") && of("second")?.contains("192.0.2.11/24"));
    assert_eq!(of("ens20f0np0")?, "");
    assert!(lab.network_apply(&json!({"state": "discarded"}))?.changed()?);
    assert!(of("ens20f0np0")?.contains("192.0.2.10/24") && of("ens20f0np0")?.contains("192.0.2.11/24"));
    lab.peer_is_answered()
}

#[test]
fn what_is_staged_goes_live_for_good_in_one_task() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let apply = [("pve_network_apply", json!({}))];
    let before = lab.snapshot(NODE)?;
    for arguments in [json!({}), json!({"confirm_within": 60}), json!({"state": "discarded"})] {
        assert!(!lab.check(NODE, "pve_network_apply", &arguments)?.changed()?, "{arguments}");
        assert!(!lab.network_apply(&arguments)?.changed()?, "{arguments}");
    }
    let told = lab.network_apply(&json!({"state": "confirmed"}))?;
    assert_eq!(told.failure()?, ("not_provisional", "unchanged"));
    assert!(told.message().contains("nothing is known of an earlier one"), "{}", told.message());
    assert_eq!(without_locks(&lab.snapshot(NODE)?), without_locks(&before));

    let text = lab.stage()?;
    assert_eq!(lab.run_as_predicted(NODE, &apply)?, [true]);
    assert_eq!(lab.interfaces_files()?, (text, None));
    assert_eq!(lab.vsctl(NODE, &["get", "Port", "bond0", "lacp"])?, "active");
    lab.wait_for_lacp(NODE, &MEMBERS)?;
    lab.peer_is_answered()?;
    assert_eq!(lab.run_as_predicted(NODE, &apply)?, [false]);
    // Nor is anything left to do for the tasks that staged it.
    assert_eq!(lab.run_as_predicted(NODE, &staged())?, [false; 3]);
    let told = lab.network_apply(&json!({"require_lacp": ["all"]}))?;
    assert!(!told.changed()?, "{:#}", told.result);
    lab.wait_for_guards(NODE)?;
    assert_eq!(lab.checkpoints(NODE)?, Vec::<String>::new());
    Ok(())
}

/// The lock's file is made by the first run.
fn without_locks(snapshot: &str) -> Vec<&str> {
    snapshot.lines().filter(|line| !line.starts_with("/run/bothends")).collect()
}

#[test]
fn what_is_staged_is_dropped_and_bad_arguments_touch_nothing() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let text = lab.stage()?;
    let discarded = json!({"state": "discarded"});
    for (arguments, code) in [
        (json!({"confirm_within": 5}), "invalid_number"),
        (json!({"confirm_within": 3601}), "invalid_number"),
        (json!({"confirm_within": 60, "wait_for_lacp": 60, "require_lacp": ["all"]}), "invalid_combination"),
        (json!({"require_reachable": ["router"]}), "invalid_address"),
        (json!({"state": "live"}), "wrong_choice"),
    ] {
        let told = lab.network_apply(&arguments)?;
        assert_eq!(told.failure()?, (code, "unchanged"), "{arguments}: {}", told.message());
    }
    let predicted = lab.check(NODE, "pve_network_apply", &discarded)?;
    assert!(predicted.changed()?);
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), Some(text)));

    let told = lab.network_apply(&discarded)?;
    assert!(told.changed()?);
    assert_eq!(told.result.get("changes"), predicted.result.get("changes"));
    assert_eq!(lab.configuration(NODE)?, before);
    assert!(!lab.network_apply(&discarded)?.changed()?);
    Ok(())
}

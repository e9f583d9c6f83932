//! A change by `pve_network_apply` that waits to be confirmed: confirmed, refused, discarded, and undone by the node itself
//! with nobody there. What kills its processes is `provisional_killed.rs`'s.

use anyhow::{Context, Result};
use lab::link::MEMBERS;
use lab::plain_nic::{NODE, OLD, ROUTER, STAGED, staged};
use lab::{Lab, answer};
use serde_json::{Value, json};

const CONFIRMED: &str = "confirmed";
const DISCARDED: &str = "discarded";

fn state(state: &str) -> Value {
    json!({ "state": state })
}

/// Applies what is staged for so many seconds; when it goes back, as it says.
fn apply_for(lab: &Lab, seconds: u64) -> Result<String> {
    let told = lab.network_apply(&json!({"confirm_within": seconds}))?;
    assert!(told.changed()?);
    let waits = told.result.get("provisional").context("nothing waits")?;
    let left = waits.get("seconds_left").and_then(Value::as_u64).context("no seconds")?;
    assert!(left <= seconds, "{:#}", told.result);
    Ok(waits.get("reverts_at").and_then(Value::as_str).context("no deadline")?.to_owned())
}

#[test]
fn it_is_live_and_not_in_the_file_and_keeps_everybody_else_out_until_it_is_confirmed() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let text = lab.stage()?;
    let predicted = lab.check(NODE, "pve_network_apply", &json!({"confirm_within": 300}))?;
    assert!(predicted.changed()?);
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), Some(text.clone())));

    let reverts_at = apply_for(&lab, 300)?;
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), None));
    assert_eq!(lab.vsctl(NODE, &["list-ports", "vmbr0"])?, "bond0\nmgmt");
    assert_eq!(lab.vsctl(NODE, &["get", "Port", "bond0", "lacp"])?, "passive");
    lab.peer_is_answered()?;
    let told = lab.module(NODE, "pve_ovs_info", &json!({}))?.result;
    assert_eq!(told["provisional"]["reverts_at"], *reverts_at, "{told:#}");

    let before = lab.snapshot(NODE)?;
    let applied = staged().map(|(module, mut arguments)| {
        arguments["apply"] = true.into();
        (module, arguments)
    });
    let again = [json!({}), json!({"confirm_within": 300})].map(|it| ("pve_network_apply", it));
    for (module, arguments) in staged().into_iter().chain(applied).chain(again) {
        for told in [lab.module(NODE, module, &arguments)?, lab.check(NODE, module, &arguments)?] {
            assert_eq!(told.failure()?, ("provisional_change", "unchanged"), "{module} {arguments}");
            assert!(told.message().contains(&reverts_at), "{}", told.message());
        }
    }
    for ended in [CONFIRMED, DISCARDED] {
        assert!(lab.check(NODE, "pve_network_apply", &state(ended))?.changed()?, "{ended}");
    }
    // But for the lock, which every run writes its name into.
    let without_lock = |text: String| -> Vec<String> {
        text.lines().filter(|line| !line.contains("node.lock")).map(str::to_owned).collect()
    };
    assert_eq!(without_lock(lab.snapshot(NODE)?), without_lock(before));

    let confirmed = json!({"state": "confirmed", "require_lacp": ["all"], "require_reachable": [ROUTER]});
    // Whoever lost the answer asks again, maybe while the first one is at it.
    let other = lab.start_module(NODE, &[], "pve_network_apply", &confirmed)?;
    let told = lab.network_apply(&confirmed)?;
    let other = answer(&other.wait_with_output()?)?;
    assert_ne!(told.changed()?, other.changed()?);
    assert_eq!(told.result["provisional"], Value::Null, "{:#}", told.result);
    assert_eq!(lab.interfaces_files()?, (text, None));
    assert_eq!(lab.read(NODE, "/var/lib/bothends/previous/interfaces")?, OLD);
    assert_eq!(lab.vsctl(NODE, &["get", "Port", "bond0", "lacp"])?, "active");
    lab.wait_for_guards(NODE)?;
    assert_eq!(lab.checkpoints(NODE)?, Vec::<String>::new());
    lab.wait_for_lacp(NODE, &MEMBERS)?;
    lab.peer_is_answered()?;

    assert!(!lab.check(NODE, "pve_network_apply", &confirmed)?.changed()?);
    assert!(!lab.network_apply(&confirmed)?.changed()?);
    assert_eq!(lab.run(NODE, &staged())?, [false; 3]);
    let told = lab.module(NODE, "pve_ovs_info", &json!({}))?.result;
    assert_eq!((&told["provisional"], &told["drift"]), (&Value::Null, &json!([])), "{told:#}");
    assert_eq!(told["last_change"]["fate"], CONFIRMED, "{told:#}");

    // The next one can't begin to wait, and is not taken for the one that was confirmed.
    let more = format!("{}# more\n", lab.read(NODE, "/etc/network/interfaces")?);
    lab.write(NODE, STAGED, &more)?;
    let only_the_lock =
        "mount -t tmpfs -o nr_inodes=2,mode=700 none /run/bothends; touch /run/bothends/node.lock";
    lab.sh(NODE, only_the_lock)?;
    let told = lab.network_apply(&json!({"confirm_within": 300}))?;
    assert_eq!(told.failure()?, ("checkpoint_failed", "unchanged"), "{}", told.message());
    assert_eq!(lab.network_apply(&state(CONFIRMED))?.failure()?, ("not_provisional", "unchanged"));
    lab.sh(NODE, "umount /run/bothends")?;
    assert_eq!(lab.read(NODE, STAGED)?, more);
    Ok(())
}

#[test]
fn it_is_undone_when_its_time_is_over_or_it_is_discarded() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let text = lab.stage()?;
    apply_for(&lab, 20)?;
    assert_ne!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()?;
    lab.wait_until_undone(NODE)?;
    // From now on nobody but the node has said anything.
    assert_eq!(lab.known_to_peer()?, lab.read(NODE, "/sys/class/net/ens20f0np0/address")?.trim());
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()?;
    assert_eq!(lab.read(NODE, "/var/lib/bothends/undone/interfaces")?, text);
    let told = lab.network_apply(&state(CONFIRMED))?;
    assert_eq!(told.failure()?, ("not_provisional", "unchanged"));
    assert!(told.message().contains("not confirmed within 20 s"), "{}", told.message());
    assert!(!lab.network_apply(&state(DISCARDED))?.changed()?);

    assert_eq!(lab.stage()?, text);
    apply_for(&lab, 300)?;
    let theirs = format!("{OLD}# theirs\n");
    lab.write(NODE, STAGED, &theirs)?;
    let told = lab.network_apply(&state(DISCARDED))?;
    assert!(told.changed()?);
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), Some(theirs.clone())));
    lab.peer_is_answered()?;
    lab.wait_until_undone(NODE)?;
    assert!(lab.network_apply(&state(DISCARDED))?.changed()?);
    assert_eq!(lab.configuration(NODE)?, before);
    assert_eq!(lab.read(NODE, "/var/lib/bothends/undone/interfaces")?, theirs);
    let told = lab.network_apply(&state(CONFIRMED))?;
    assert_eq!(told.failure()?, ("not_provisional", "unchanged"));
    assert!(told.message().contains(DISCARDED), "{}", told.message());
    assert!(!lab.check(NODE, "pve_network_apply", &state(DISCARDED))?.changed()?);
    assert!(!lab.network_apply(&state(DISCARDED))?.changed()?);
    Ok(())
}

/// Nothing of theirs is overwritten, neither by whoever confirms nor by who goes back.
#[test]
fn what_others_do_meanwhile_is_not_confirmed_and_stays() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    lab.stage()?;
    apply_for(&lab, 30)?;
    let confirm = || lab.network_apply(&state(CONFIRMED));

    lab.exec(NODE, &["ifreload", "-a"])?;
    let told = confirm()?;
    assert_eq!(told.failure()?.0, "not_as_applied", "{}", told.message());
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), None));

    let theirs = format!("{OLD}# theirs\n");
    lab.write(NODE, STAGED, &theirs)?;
    let told = confirm()?;
    assert_eq!(told.failure()?.0, "file_changed", "{}", told.message());
    assert!(told.message().contains(STAGED), "{}", told.message());
    lab.write(NODE, "/etc/network/interfaces", &theirs)?;
    let told = confirm()?;
    assert_eq!(told.failure()?.0, "file_changed", "{}", told.message());
    assert_eq!(lab.checkpoints(NODE)?.len(), 1, "the window was too short for this test");

    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.interfaces_files()?, (theirs.clone(), Some(theirs)));
    lab.sh(NODE, &format!("rm {STAGED}"))?;
    lab.write(NODE, "/etc/network/interfaces", OLD)?;
    // It went back to what theirs says, which is nothing of whether the second NIC is up.
    lab.sh(NODE, "ip link set ens20f1np1 down")?;
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()
}

#[test]
fn without_lacp_it_is_not_applied_and_not_confirmed() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let text = lab.stage()?;
    lab.exec("node2", &["ovs-vsctl", "set", "Port", "bond0", "lacp=off", "bond_mode=active-backup"])?;
    let waiting = json!({"confirm_within": 60, "require_lacp": ["bond0"], "wait_for_lacp": 2});
    let told = lab.network_apply(&waiting)?;
    assert_eq!(told.failure()?, ("lacp_not_negotiated", "rolled_back"), "{}", told.message());
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()?;

    lab.write(NODE, STAGED, &text)?;
    apply_for(&lab, 30)?;
    let told =
        lab.network_apply(&json!({"state": "confirmed", "require_lacp": ["all"], "wait_for_lacp": 2}))?;
    assert_eq!(told.failure()?, ("lacp_not_negotiated", "pending_revert"), "{}", told.message());
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), None));
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()
}

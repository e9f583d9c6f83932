//! Somebody edits or stages while a change goes live. Theirs stays, a good change is none the worse for it, and going back
//! brings the node's addresses back whatever becomes of the files.

use anyhow::Result;
use lab::Lab;
use lab::plain_nic::{NODE, OLD, STAGED};
use serde_json::{Value, json};

const RUNNING: &str = "/etc/network/interfaces";
const UNDONE: &str = "/var/lib/bothends/undone/interfaces";
const OWN_IFRELOAD: [&str; 2] = ["BOTHENDS_IFRELOAD=sh /root/ifreload", "BOTHENDS_LIMIT_SETTLE=4"];
const STAGES: &str = "echo '# theirs' | cat /etc/network/interfaces - >/etc/network/interfaces.new";
const EDITS: &str = "echo '# theirs' >>/etc/network/interfaces";
const FAILS: &str = "echo 'error: broken' >&2; exit 1";

/// An `ifreload` that works, after which somebody does this, once. The others only count.
fn reload_then(lab: &Lab, deed: &str) -> Result<()> {
    let script = format!(
        "echo >>/tmp/reloads; /sbin/ifreload -a
         [ ! -e /tmp/once ] || exit 0
         touch /tmp/once
         {deed}"
    );
    lab.write(NODE, "/root/ifreload", &script)?;
    lab.sh(NODE, "rm -f /tmp/once /tmp/reloads").map(drop)
}

fn reloads(lab: &Lab) -> Result<usize> {
    Ok(lab.read(NODE, "/tmp/reloads")?.lines().count())
}

#[test]
fn what_is_staged_meanwhile_stays_and_says_nothing_of_the_change() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let text = lab.stage()?;
    reload_then(&lab, &format!("{STAGES}; {FAILS}"))?;
    let failed = lab.module_with(NODE, &OWN_IFRELOAD, "pve_network_apply", &json!({}))?;
    assert_eq!(failed.failure()?, ("reload_failed", "rolled_back"), "{}", failed.message());
    let (running, theirs) = lab.interfaces_files()?;
    assert_eq!((running.as_str(), theirs), (OLD, Some(format!("{text}# theirs\n"))));
    assert_eq!(lab.read(NODE, UNDONE)?, text);
    assert!(failed.result["warnings"].to_string().contains(UNDONE), "{:#}", failed.result);
    lab.peer_is_answered()?;

    lab.write(NODE, STAGED, &text)?;
    reload_then(&lab, STAGES)?;
    let told = lab.module_with(NODE, &OWN_IFRELOAD, "pve_network_apply", &json!({}))?;
    assert!(told.changed()?);
    assert_eq!(lab.interfaces_files()?, (text.clone(), Some(format!("{text}# theirs\n"))));
    lab.peer_is_answered()
}

#[test]
fn a_file_that_somebody_edited_keeps_no_node_from_getting_its_addresses_back() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let text = lab.stage()?;
    let edited = format!("{text}# theirs\n");
    reload_then(&lab, &format!("{EDITS}; {FAILS}"))?;
    let failed = lab.module_with(NODE, &OWN_IFRELOAD, "pve_network_apply", &json!({}))?;
    assert_eq!(failed.failure()?, ("reload_failed", "needs_attention"), "{}", failed.message());
    assert!(failed.message().contains("somebody else changed it"), "{}", failed.message());
    lab.peer_is_answered()?;
    assert_eq!(lab.read(NODE, RUNNING)?, edited);
    // What they wrote goes live by their hand.
    assert_eq!(reloads(&lab)?, 1);
    assert!(lab.exec(NODE, &["ip", "-oneline", "route", "show", "default"])?.contains("dev ens20f0np0"));

    lab.write(NODE, RUNNING, OLD)?;
    // Its guard tries for a minute.
    lab.wait_for_guards(NODE)?;
    assert_eq!(lab.checkpoints(NODE)?, Vec::<String>::new());

    // And so does the guard, when its maker is killed.
    lab.stage()?;
    reload_then(&lab, &format!("{EDITS}; {}", lab::guard::KILL_RUN))?;
    assert!(!lab.start_module(NODE, &OWN_IFRELOAD, "pve_network_apply", &json!({}))?.wait()?.success());
    let back = "timeout 30 sh -c 'until ip -oneline address show dev ens20f0np0 | grep 192.0.2.10/24; do sleep 0.1; done'";
    lab.sh(NODE, back)?;
    lab.peer_is_answered()?;
    assert_eq!(lab.read(NODE, RUNNING)?, edited);
    Ok(())
}

/// Whoever finds a change that was killed goes back from that, and from nothing else.
#[test]
fn what_is_staged_beside_a_killed_change_is_not_taken_for_it() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let theirs = format!("{OLD}# theirs\n");
    let discarded = ("pve_network_apply", json!({"state": "discarded"}));
    let staging = ("pve_ovs_bridge", json!({"name": "vmbr7", "datapath_type": "netdev", "apply": false}));
    for (module, arguments) in [discarded, staging] {
        killed(&lab, &json!({"name": "vmbr9", "datapath_type": "netdev"}))?;
        lab.write(NODE, STAGED, &theirs)?;
        let told = lab.module(NODE, module, &arguments)?;
        if module == "pve_network_apply" {
            assert!(told.changed()?);
        } else {
            assert_eq!(told.failure()?, ("interrupted_run", "rolled_back"), "{}", told.message());
        }
        assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), Some(theirs.clone())), "{module}");
        lab.sh(NODE, &format!("rm {STAGED}"))?;
        assert_eq!(lab.configuration(NODE)?, before, "{module}");
    }
    Ok(())
}

/// A final change whose module and guard were killed when it was live.
fn killed(lab: &Lab, arguments: &Value) -> Result<()> {
    reload_then(lab, &format!("{}{}", lab::guard::KILL_GUARDS, lab::guard::KILL_RUN))?;
    assert!(!lab.start_module(NODE, &OWN_IFRELOAD, "pve_ovs_bridge", arguments)?.wait()?.success());
    assert_eq!(lab.checkpoints(NODE)?.len(), 1);
    Ok(())
}

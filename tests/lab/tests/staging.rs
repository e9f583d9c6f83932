//! Changes that wait in `interfaces.new`: staged by tasks as Proxmox's web interface stages its own, made live by one
//! that is asked to, or by a reboot.

use std::time::Duration;

use anyhow::Result;
use lab::link::{Task, node_end};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const NODE: &str = "node1";
const STAGED: &str = "/etc/network/interfaces.new";

/// The same task, staged only.
fn staged((module, arguments): Task) -> Task {
    (module, with(arguments, "apply", false.into()))
}

fn with(mut arguments: Value, option: &str, value: Value) -> Value {
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.insert(option.to_owned(), value);
    }
    arguments
}

/// What is live, and the file that says so, down to its inode: two are equal only if nothing was touched.
fn live(lab: &Lab) -> Result<String> {
    lab.sh(
        NODE,
        "stat -c '%i %Y %a %U' /etc/network/interfaces; cat /etc/network/interfaces
         ovs-vsctl show
         ovs-vsctl --columns=next_cfg list Open_vSwitch
         ip -oneline link show up | cut -d : -f 2 | sort; ip -4 -oneline address; ip -4 route",
    )
}

fn files(lab: &Lab) -> Result<String> {
    lab.sh(NODE, "ls -A /etc/network")
}

#[test]
fn staged_tasks_stack_and_touch_nothing_that_is_live() -> Result<()> {
    let lab = Lab::up()?;
    let [bridge, bond, intport] = node_end(NODE);
    assert_eq!(lab.run(NODE, std::slice::from_ref(&bridge))?, [true]);
    let (before, listed) = (live(&lab)?, files(&lab)?);

    let predicted = lab.check(NODE, bond.0, &staged(bond.clone()).1)?;
    assert!(predicted.changed()?);
    assert_eq!(files(&lab)?, listed, "check mode stages nothing");
    let objects: Vec<String> = predicted
        .result
        .get("diff")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|object| object.get("prepared")?.as_str()?.lines().next().map(str::to_owned))
        .collect();
    let named = ["bond0 in the", "ens20f0np0 in the", "ens20f1np1 in the", "ovs_ports of vmbr0 in the"];
    assert_eq!(objects, named.map(|object| format!("--- before: {object} staged interfaces file")));

    let tasks = [bond, intport].map(staged);
    assert_eq!(lab.run_as_predicted(NODE, &tasks)?, [true, true]);
    assert_eq!(lab.sh(NODE, &format!("stat -c '%U %G %a' {STAGED}"))?.trim(), "root root 644");
    let others = files(&lab)?.replace("interfaces.new\n", "");
    assert_eq!(others, listed, "no temporary file stays");
    let text = lab.read(NODE, STAGED)?;
    assert!(text.contains("\tovs_ports bond0 mgmt\n") && text.contains("\taddress 10.10.0.2/24\n"), "{text}");
    assert_eq!(lab.run_as_predicted(NODE, &tasks)?, [false, false]);
    assert_eq!(lab.read(NODE, STAGED)?, text);
    assert_eq!(live(&lab)?, before);

    let refused = lab.module(NODE, bridge.0, &bridge.1)?;
    assert_eq!(refused.failure()?, ("pending_changes", "unchanged"));
    assert!(refused.message().contains("+iface bond0 inet manual"), "{}", refused.message());
    assert_eq!((live(&lab)?, lab.read(NODE, STAGED)?), (before, text));
    Ok(())
}

#[test]
fn staged_changes_go_live_or_are_dropped_by_the_task_that_is_told_so() -> Result<()> {
    let lab = Lab::up()?;
    let [bridge, bond, intport] = node_end(NODE);
    assert_eq!(lab.run(NODE, std::slice::from_ref(&bridge))?, [true]);
    let (before, listed) = (live(&lab)?, files(&lab)?);
    let bridge = |pending: &str| (bridge.0, with(bridge.1.clone(), "pending", pending.into()));
    for pending in ["discard", "apply"] {
        assert_eq!(lab.run(NODE, &[bond.clone(), intport.clone()].map(staged))?, [true, true]);
        // What the task itself asks for is so already.
        assert_eq!(lab.run_as_predicted(NODE, &[bridge(pending)])?, [true], "{pending}");
        assert_eq!(files(&lab)?, listed, "{pending}");
        assert_eq!(live(&lab)? == before, pending == "discard", "{pending}");
    }
    assert_eq!(lab.run(NODE, &[bridge("apply"), bridge("discard"), bond, intport])?, [false; 4]);
    Ok(())
}

#[test]
fn staged_changes_go_live_with_a_reboot() -> Result<()> {
    let lab = Lab::up()?;
    let tasks = node_end(NODE);
    assert_eq!(lab.run(NODE, &tasks.clone().map(staged))?, [true; 3]);
    lab.lab("reboot", &[NODE])?;
    assert_eq!(lab.run(NODE, &tasks)?, [false; 3]);
    assert_eq!(lab.vsctl(NODE, &["list-ports", "vmbr0"])?, "bond0\nmgmt");
    assert!(lab.exec(NODE, &["ip", "-4", "route"])?.starts_with("default via 10.10.0.1 dev mgmt"));
    Ok(())
}

#[test]
fn tasks_are_staged_while_open_vswitch_does_not_run() -> Result<()> {
    let lab = Lab::up_with(&["--no-ovs"])?;
    let [bridge, bond, _] = node_end(NODE).map(staged);
    assert_eq!(lab.run(NODE, &[bridge, bond])?, [true, true]);
    let told: Value = lab.module(NODE, "pve_ovs_bond", &json!({"name": "bond0", "apply": false}))?.result;
    assert_eq!(told.get("changed"), Some(&false.into()), "{told:#}");
    Ok(())
}

/// Killed between its last two steps. What it staged is whole; it is undone by the next run, unless it went elsewhere since.
#[test]
fn a_staging_task_that_was_killed_is_undone_where_what_it_staged_still_waits() -> Result<()> {
    let lab = Lab::up()?;
    let tasks = node_end(NODE).map(staged);
    assert_eq!(lab.run(NODE, &tasks[..1])?, [true]);
    let waiting = lab.read(NODE, STAGED)?;
    for is_dropped in [true, false] {
        lab.sh(NODE, "flock --close /etc/network/.pve-interfaces.lock sleep 600 >/dev/null 2>&1 </dev/null & echo $! >/tmp/holder")?;
        let mut run = lab.start_module(NODE, &["BOTHENDS_LIMIT_PROXMOX_LOCK=60"], tasks[1].0, &tasks[1].1)?;
        let checkpoint =
            wait_until("the checkpoint", Duration::from_secs(30), || Ok(lab.checkpoints(NODE)?.pop()))?;
        // As it is on disk once the file is written.
        let forge = format!(
            "cp -a {checkpoint} /root/checkpoint; kill $(cat /tmp/holder)
             sed -i 's/\"file_touched\":false/\"file_touched\":true/' /root/checkpoint/checkpoint.json"
        );
        lab.sh(NODE, &forge)?;
        run.wait()?;
        assert_ne!(lab.read(NODE, STAGED)?, waiting);
        lab.sh(NODE, &format!("mv /root/checkpoint {checkpoint}"))?;

        if is_dropped {
            lab.sh(NODE, &format!("rm {STAGED}"))?;
            assert_eq!(lab.run(NODE, &tasks[..1])?, [true]);
        } else {
            let told = lab.module(NODE, "pve_ovs_bridge", &json!({"name": "vmbr9"}))?;
            assert_eq!(told.failure()?, ("interrupted_run", "rolled_back"), "{}", told.message());
        }
        assert_eq!(lab.read(NODE, STAGED)?, waiting);
        assert_eq!(lab.checkpoints(NODE)?, Vec::<String>::new());
    }
    Ok(())
}

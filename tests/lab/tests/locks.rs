//! Two locks: ours for a whole change, Proxmox's only while a file is written. What somebody else writes meanwhile, as
//! Proxmox's web interface does, is never overwritten.

use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};
use lab::bond::{bond, bridge};
use lab::{Answer, Lab, answer, wait_until};
use serde_json::{Value, json};

const NODE: &str = "node1";
const STAGED: &str = "/etc/network/interfaces.new";
const LONG: Duration = Duration::from_secs(60);
const MEMBERS: [&str; 2] = ["ens20f0np0", "ens20f1np1"];

/// Somebody's change in the web interface: it waits for `/tmp/go` with the lock held, then writes as Proxmox does.
const UI: &str = "
    exec flock --close /etc/network/.pve-interfaces.lock sh -ec '
        touch /tmp/held
        while [ ! -e /tmp/go ]; do sleep 0.05; done
        [ -z \"$1\" ] || {
            { cat /etc/network/interfaces; echo; echo \"iface $1 inet manual\"; } >/etc/network/interfaces.new.tmp.$$
            mv /etc/network/interfaces.new.tmp.$$ /etc/network/interfaces.new
        }' sh \"$1\"";

/// A `ifreload` that begins when `/tmp/go` is there.
const SLOW: [&str; 1] = ["BOTHENDS_IFRELOAD=sh /root/ifreload"];
const SLOW_SCRIPT: &str =
    "touch /tmp/reached; while [ ! -e /tmp/go ]; do sleep 0.05; done; exec /sbin/ifreload -a";

/// The web interface holding its lock, to write a stanza for `interface`, or nothing where that is empty.
fn web_interface(lab: &Lab, interface: &str) -> Result<Child> {
    lab.write(NODE, "/root/ui", UI)?;
    lab.sh(NODE, "rm -f /tmp/held /tmp/go")?;
    let child = lab.exec_command(NODE, &["sh", "/root/ui", interface]).spawn()?;
    wait_for(lab, "[ -e /tmp/held ]")?;
    Ok(child)
}

fn go(lab: &Lab, mut web_interface: Child) -> Result<()> {
    lab.sh(NODE, "touch /tmp/go")?;
    assert!(web_interface.wait()?.success());
    Ok(())
}

fn wait_for(lab: &Lab, condition: &str) -> Result<()> {
    let script = format!("{condition} || echo no");
    wait_until(condition, LONG, || Ok(lab.sh(NODE, &script)?.is_empty().then_some(())))
}

/// A run that waits for Proxmox's lock.
fn waiting(lab: &Lab, arguments: &Value) -> Result<Child> {
    let child = lab.start_module(NODE, &["BOTHENDS_LIMIT_PROXMOX_LOCK=60"], "pve_ovs_bond", arguments)?;
    wait_for(lab, "grep -qs '\"step\":\"write the interfaces file\"' /var/lib/bothends/*/checkpoint.json")?;
    Ok(child)
}

fn ended(child: Child) -> Result<Answer> {
    answer(&child.wait_with_output()?)
}

fn staged(mut arguments: Value) -> Value {
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.insert("apply".to_owned(), false.into());
    }
    arguments
}

#[test]
fn what_the_web_interface_stages_while_a_run_waits_for_its_lock_stays() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let running = lab.read(NODE, "/etc/network/interfaces")?;
    // To go live; to be staged; to be staged on top of what was staged before.
    for (arguments, is_first) in
        [(bond(&MEMBERS), true), (staged(bond(&MEMBERS)), true), (staged(bond(&MEMBERS)), false)]
    {
        if is_first {
            lab.sh(NODE, &format!("rm -f {STAGED}"))?;
        }
        let name = if is_first { "first" } else { "second" };
        let web_interface = web_interface(&lab, name)?;
        let run = waiting(&lab, &arguments)?;
        go(&lab, web_interface)?;
        let run = ended(run)?;
        assert_eq!(run.failure()?, ("file_changed", "unchanged"), "{}", run.message());
        assert!(run.message().contains(STAGED), "{}", run.message());
        let text = lab.read(NODE, STAGED)?;
        assert_eq!(text, format!("{running}\niface {name} inet manual\n"));
        assert_eq!(lab.read(NODE, "/etc/network/interfaces")?, running);
        assert_eq!(lab.sh(NODE, "ls /var/lib/bothends")?, "");
    }
    // Looked at and told to, the next one stages on top of it.
    assert!(lab.module(NODE, "pve_ovs_bond", &staged(bond(&MEMBERS)))?.changed()?);
    assert!(lab.read(NODE, STAGED)?.contains("iface second inet manual\n"));
    Ok(())
}

#[test]
fn a_lock_that_the_web_interface_holds_for_a_while_is_waited_for() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let web_interface = web_interface(&lab, "")?;
    let before = lab.snapshot(NODE)?;
    let short = ["BOTHENDS_LIMIT_PROXMOX_LOCK=1"];
    for arguments in [bond(&MEMBERS), staged(bond(&MEMBERS))] {
        let refused = lab.module_with(NODE, &short, "pve_ovs_bond", &arguments)?;
        assert_eq!(refused.failure()?, ("locked", "unchanged"), "{}", refused.message());
        let told = refused.message();
        assert!(told.contains(".pve-interfaces.lock") && told.contains("web interface"), "{told}");
    }
    // Looking takes no lock.
    assert!(lab.check(NODE, "pve_ovs_bond", &bond(&MEMBERS))?.changed()?);
    assert!(!lab.module(NODE, "pve_ovs_bridge", &bridge())?.changed()?);
    let times_aside =
        |text: String| text.lines().filter(|line| !line.contains("bothends")).collect::<Vec<_>>().join("\n");
    assert_eq!(times_aside(lab.snapshot(NODE)?), times_aside(before));

    // With the limit that it has by itself.
    let run = lab.start_module(NODE, &[], "pve_ovs_bond", &bond(&MEMBERS))?;
    lab.sh(NODE, "sleep 3")?;
    assert_eq!(lab.read(NODE, "/etc/network/interfaces")?.matches("bond0").count(), 0);
    go(&lab, web_interface)?;
    assert!(ended(run)?.changed()?);
    Ok(())
}

#[test]
fn while_a_change_goes_live_others_queue_and_the_web_interface_does_not() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    lab.write(NODE, "/root/ifreload", SLOW_SCRIPT)?;
    let first = lab.start_module(NODE, &SLOW, "pve_ovs_bond", &bond(&MEMBERS))?;
    wait_for(&lab, "[ -e /tmp/reached ]")?;
    let mut second =
        lab.start_module(NODE, &[], "pve_ovs_intport", &staged(json!({"name": "mgmt", "bridge": "vmbr0"})))?;
    let refused = lab.module_with(NODE, &["BOTHENDS_LIMIT_NODE_LOCK=1"], "pve_ovs_bridge", &bridge())?;
    assert_eq!(refused.failure()?, ("locked", "unchanged"), "{}", refused.message());
    assert!(refused.message().contains("pve_ovs_bond"), "it names the holder: {}", refused.message());
    // The web interface stages something; the change that goes live is none of its business.
    lab.sh(
        NODE,
        "flock --nonblock /etc/network/.pve-interfaces.lock sh -ec '
        { cat /etc/network/interfaces; echo \"iface other inet manual\"; } >/etc/network/interfaces.new.tmp.$$
        mv /etc/network/interfaces.new.tmp.$$ /etc/network/interfaces.new'",
    )?;
    assert!(second.try_wait()?.is_none());
    lab.sh(NODE, "touch /tmp/go")?;
    assert!(ended(first)?.changed()?);
    assert!(ended(second)?.changed()?);
    let text = lab.read(NODE, STAGED)?;
    assert!(text.contains("iface other inet manual\n") && text.contains("ovs_ports bond0 mgmt\n"), "{text}");
    Ok(())
}

#[test]
fn what_the_web_interface_stages_does_not_keep_a_change_from_being_undone() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let before = lab.configuration(NODE)?;
    let fails = "[ -e /tmp/reached ] && exec /sbin/ifreload -a
         cp /etc/network/interfaces /etc/network/interfaces.new; touch /tmp/reached; echo 'error: broken' >&2; exit 1";
    lab.write(NODE, "/root/ifreload", fails)?;
    let failed = lab.module_with(NODE, &SLOW, "pve_ovs_bond", &bond(&MEMBERS))?;
    assert_eq!(failed.failure()?.1, "rolled_back", "{}", failed.message());
    assert!(lab.read(NODE, STAGED)?.contains("iface bond0"));
    lab.sh(NODE, &format!("rm {STAGED}"))?;
    assert_eq!(lab.configuration(NODE)?, before);
    Ok(())
}

#[test]
fn eight_runs_at_once_all_succeed() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let names: Vec<String> = (1..=8).map(|number| format!("port{number}")).collect();
    let runs: Vec<Child> = names
        .iter()
        .zip(11..)
        .map(|(name, tag)| {
            let arguments =
                json!({"name": name, "bridge": "vmbr0", "tag": tag, "cidr": format!("10.{tag}.0.2/24")});
            lab.start_module(NODE, &[], "pve_ovs_intport", &arguments).context(tag)
        })
        .collect::<Result<_>>()?;
    for run in runs {
        assert!(ended(run)?.changed()?);
    }
    assert_eq!(lab.vsctl(NODE, &["list-ports", "vmbr0"])?, names.join("\n"));
    let text = lab.read(NODE, "/etc/network/interfaces")?;
    for (name, tag) in names.iter().zip(11..) {
        assert!(
            text.contains(&format!("\nauto {name}\niface {name} inet static\n\taddress 10.{tag}.0.2/24\n")),
            "{text}"
        );
        assert!(
            lab.exec(NODE, &["ip", "-4", "address", "show", name])?.contains(&format!("10.{tag}.0.2/24"))
        );
        let arguments =
            json!({"name": name, "bridge": "vmbr0", "tag": tag, "cidr": format!("10.{tag}.0.2/24")});
        assert!(!lab.module(NODE, "pve_ovs_intport", &arguments)?.changed()?);
    }
    Ok(())
}

//! `ifreload -a` is global: what is not a task's stays as it is in a reload – guests and their traffic, tunnels, mirrors,
//! notes of other programs – and what else the reload would change is told before, and refused unless it is asked for.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use lab::Lab;
use lab::link::node_end;
use serde_json::{Value, json};

const NODE: &str = "node1";
/// What the datapath of the lab makes ifupdown2 say of a bond is no failure.
const RELOAD: &str = "ifreload -a 2>/tmp/said || grep -q 'not present in cache' /tmp/said";
/// Everything that others have in Open vSwitch and a reload wipes or unplugs.
const OTHERS: &str = "
    ovs-vsctl --timeout=10 add-port vmbr0 vx0 -- set Interface vx0 type=vxlan options:remote_ip=127.0.0.9 options:key=7 \
      -- add-port vmbr0 span0 -- set Interface span0 type=internal \
      -- set Bridge vmbr0 external_ids:owner=somebody other_config:mac-aging-time=600 protocols=OpenFlow13 flood_vlans=5 \
      -- set-controller vmbr0 tcp:127.0.0.1:6653 -- set-fail-mode vmbr0 standalone \
      -- --id=@sflow create sFlow agent=lo sampling=64 targets='\"127.0.0.1:6343\"' -- set Bridge vmbr0 sflow=@sflow \
      -- --id=@netflow create NetFlow targets='\"127.0.0.1:2055\"' -- set Bridge vmbr0 netflow=@netflow \
      -- --id=@qos create QoS type=linux-htb other_config:max-rate=1000000 -- set Port mgmt qos=@qos \
      -- set Port mgmt external_ids:a=1 -- set Port bond0 external_ids:b=2 \
      -- set Interface mgmt external_ids:iface-id=x -- set Interface vmbr0 external_ids:c=3
    ovs-vsctl --timeout=10 -- --id=@seen get Port mgmt -- --id=@out get Port span0 \
      -- --id=@mirror create Mirror name=m0 select_src_port=@seen select_dst_port=@seen output_port=@out \
      -- set Bridge vmbr0 mirrors=@mirror";
const LOOK: &str = "
    list() { ovs-vsctl --timeout=10 --format=csv --data=bare --no-headings --columns=\"$2\" list \"$1\" | sort; }
    ovs-vsctl --timeout=10 list-ports vmbr0
    list Bridge name,external_ids,other_config,protocols,flood_vlans,fail_mode
    list Port name,external_ids,qos
    list Interface name,type,external_ids,options
    list Mirror name,select_src_port,select_dst_port,output_port
    list sFlow agent,sampling,targets
    list NetFlow targets
    list Controller target";

#[test]
fn guests_lose_no_packet_by_a_change_nor_by_anybodys_reload_after_it() -> Result<()> {
    let lab = made()?;
    for (id, address) in [("100", "192.0.2.1/24"), ("101", "192.0.2.2/24")] {
        lab.lab("guest", &[NODE, id, "20", address])?;
    }
    lab.exec("guest100", &["ping", "-c", "2", "-W", "5", "192.0.2.2"])?;
    assert!(!lab.read(NODE, "/etc/network/interfaces")?.contains("condone"));

    let traffic = "echo $$; exec ping -q -i 0.05 192.0.2.2";
    let mut ping = lab.exec_command("guest100", &["sh", "-ec", traffic]).stdout(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(ping.stdout.take().context("ping has no output")?);
    let mut pid = String::new();
    said.read_line(&mut pid)?;

    let slow = lab.module(NODE, "pve_ovs_bond", &json!({"name": "bond0", "lacp_time": "slow"}))?;
    assert!(slow.changed()?);
    let file = lab.read(NODE, "/etc/network/interfaces")?;
    assert!(
        file.contains("\tovs-ports-condone-regex ^(tap|veth|fwln)\n") && !file.contains("tap100i0"),
        "{file}"
    );
    for _ in 0..2 {
        lab.sh(NODE, RELOAD)?;
    }

    lab.exec("guest100", &["kill", "-INT", pid.trim()])?;
    let mut summary = String::new();
    said.read_to_string(&mut summary)?;
    ping.wait()?;
    assert!(summary.contains(" 0% packet loss"), "{summary}");
    Ok(())
}

#[test]
fn what_others_have_in_open_vswitch_survives_a_change_and_one_that_is_undone() -> Result<()> {
    let lab = made()?;
    lab.sh(NODE, OTHERS)?;
    let before = lab.sh(NODE, LOOK)?;
    let slow = json!({"name": "bond0", "lacp_time": "slow"});

    lab.write(NODE, "/tmp/ifreload", "/sbin/ifreload -a; echo 'error: bond0: too late' >&2; exit 1")?;
    let undone = lab.module_with(NODE, &["BOTHENDS_IFRELOAD=sh /tmp/ifreload"], "pve_ovs_bond", &slow)?;
    // The way back is by the same stand-in, which does its work and says otherwise.
    assert_eq!(undone.failure()?, ("reload_failed", "rolled_back"), "{}", undone.message());
    assert_eq!(lab.sh(NODE, LOOK)?, before);

    assert!(lab.module(NODE, "pve_ovs_bond", &slow)?.changed()?);
    assert_eq!(lab.sh(NODE, LOOK)?, before);

    // The witness: a plain reload takes all of it away.
    lab.sh(NODE, RELOAD)?;
    let after = lab.sh(NODE, LOOK)?;
    for word in ["vx0", "span0", "somebody", "m0", "6653", "6343", "iface-id"] {
        assert!(before.contains(word) && !after.contains(word), "{word}: {after}");
    }
    Ok(())
}

#[test]
fn somebodys_edit_that_nobody_applied_is_refused_or_told() -> Result<()> {
    let lab = made()?;
    let storage = json!({"name": "storage", "bridge": "vmbr0", "tag": 30, "cidr": "10.30.0.2/24"});
    assert!(lab.module(NODE, "pve_ovs_intport", &storage)?.changed()?);
    lab.sh(
        NODE,
        "sed -i s/10.30.0.2/10.30.0.3/ /etc/network/interfaces; ip address add 10.10.0.77/24 dev mgmt",
    )?;
    let told = [
        "kernel: link mgmt: take away 10.10.0.77/24, which no stanza declares",
        "kernel: change link storage (address: 10.30.0.3/24)",
        "kernel: link storage: take away 10.30.0.2/24, which no stanza declares",
    ];

    // Nothing of it is needed for what `ifreload -a` is not: an idle task, and one in Open vSwitch alone.
    let [(_, bridge), (_, bond), _] = node_end(NODE);
    assert!(!lab.module(NODE, "pve_ovs_bridge", &bridge)?.changed()?);
    lab.vsctl(NODE, &["set", "Port", "bond0", "bond_updelay=500"])?;
    assert!(lab.module(NODE, "pve_ovs_bond", &bond)?.changed()?);

    let untouched = lab.snapshot(NODE)?;
    let mut slow = json!({"name": "bond0", "lacp_time": "slow"});
    for answer in [lab.check(NODE, "pve_ovs_bond", &slow)?, lab.module(NODE, "pve_ovs_bond", &slow)?] {
        assert_eq!(answer.failure()?, ("foreign_changes", "unchanged"));
        for sentence in told {
            assert!(answer.message().contains(sentence), "{}", answer.message());
        }
    }
    let files = |snapshot: &str| snapshot.lines().filter(|line| !line.contains("bothends")).count();
    assert_eq!(files(&lab.snapshot(NODE)?), files(&untouched));

    slow["foreign_changes"] = "apply".into();
    let predicted = lab.check(NODE, "pve_ovs_bond", &slow)?;
    is_told(&predicted.result, &told)?;

    // What went live with a change does not go back with it, and that is said.
    lab.write(NODE, "/tmp/ifreload", "/sbin/ifreload -a; echo 'error: bond0: too late' >&2; exit 1")?;
    let undone = lab.module_with(NODE, &["BOTHENDS_IFRELOAD=sh /tmp/ifreload"], "pve_ovs_bond", &slow)?;
    assert_eq!(undone.failure()?, ("reload_failed", "rolled_back"), "{}", undone.message());
    let warnings = undone.result["warnings"].to_string();
    assert!(warnings.contains("is not undone") && warnings.contains(told[1]), "{warnings}");
    assert!(lab.exec(NODE, &["ip", "address", "show", "storage"])?.contains("10.30.0.3/24"));

    let again = lab.module(NODE, "pve_ovs_bond", &slow)?;
    assert!(again.changed()?);
    assert_eq!(again.result["also_affected"], Value::Null);
    assert!(lab.exec(NODE, &["ip", "address", "show", "storage"])?.contains("10.30.0.3/24"));
    assert!(!lab.exec(NODE, &["ip", "address", "show", "mgmt"])?.contains("10.10.0.77"));
    Ok(())
}

/// The node end of a link.
fn made() -> Result<Lab> {
    let lab = Lab::up()?;
    assert_eq!(lab.run(NODE, &node_end(NODE))?, [true; 3]);
    Ok(lab)
}

fn is_told(result: &Value, sentences: &[&str]) -> Result<()> {
    let told = result["also_affected"].as_array().with_context(|| format!("{result:#}"))?;
    ensure!(told.len() == sentences.len(), "{told:?}");
    for sentence in sentences {
        ensure!(
            told.iter().any(|told| told.as_str().is_some_and(|told| told.contains(sentence))),
            "{told:?}"
        );
    }
    Ok(())
}

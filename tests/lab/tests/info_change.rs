//! What `pve_ovs_info` tells of changes: made by hand, staged, and those of a run that is at work or was killed.

use std::time::Duration;

use anyhow::{Context, Result};
use lab::bond::{bond, bridge};
use lab::link::{MEMBERS, also, node_end};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const NODE: &str = "node1";

fn info(lab: &Lab) -> Result<Value> {
    Ok(lab.module(NODE, "pve_ovs_info", &json!({}))?.result)
}

/// What somebody does by hand, how he takes it back, and what is said of it where.
struct Deed {
    done: &'static str,
    undone: &'static str,
    at: [&'static str; 2],
    told: &'static str,
}

const DEEDS: [Deed; 13] = [
    Deed {
        done: "ovs-vsctl set Port mgmt tag=20",
        undone: "ovs-vsctl set Port mgmt tag=10",
        at: ["intports", "mgmt"],
        told: "Open vSwitch: change port mgmt (tag: 20 → 10)",
    },
    Deed {
        done: "ovs-vsctl set Port mgmt vlan_mode=native-untagged",
        undone: "ovs-vsctl clear Port mgmt vlan_mode",
        at: ["intports", "mgmt"],
        told: "Open vSwitch: change port mgmt (vlan_mode: native-untagged → none)",
    },
    Deed {
        done: "ovs-vsctl set Port bond0 trunks=10,20",
        undone: "ovs-vsctl clear Port bond0 trunks",
        at: ["bonds", "bond0"],
        told: "Open vSwitch: change port bond0 (trunks: 10,20 → none)",
    },
    Deed {
        done: "ovs-vsctl set Port bond0 bond_mode=balance-slb",
        undone: "ovs-vsctl set Port bond0 bond_mode=balance-tcp",
        at: ["bonds", "bond0"],
        told: "Open vSwitch: change port bond0 (bond_mode: balance-slb → balance-tcp)",
    },
    Deed {
        done: "ovs-vsctl set Port bond0 lacp=passive",
        undone: "ovs-vsctl set Port bond0 lacp=active",
        at: ["bonds", "bond0"],
        told: "Open vSwitch: change port bond0 (lacp: passive → active)",
    },
    Deed {
        done: "ovs-vsctl remove Port bond0 other_config lacp-time",
        undone: "ovs-vsctl set Port bond0 other_config:lacp-time=fast",
        at: ["bonds", "bond0"],
        told: "Open vSwitch: change port bond0 (other_config: lacp-fallback-ab=true → lacp-fallback-ab=true lacp-time=fast)",
    },
    Deed {
        done: "ovs-vsctl set Port bond0 bond_updelay=500",
        undone: "ovs-vsctl set Port bond0 bond_updelay=0",
        at: ["bonds", "bond0"],
        told: "Open vSwitch: change port bond0 (bond_updelay: 500 → 0)",
    },
    Deed {
        done: "ovs-vsctl del-bond-iface bond0 ens20f1np1",
        undone: "ovs-vsctl add-bond-iface bond0 ens20f1np1",
        at: ["bonds", "bond0"],
        told: "Open vSwitch: change port bond0 (interfaces: ens20f0np0 → ens20f0np0 ens20f1np1)",
    },
    Deed {
        done: "ip link set ens20f1np1 down",
        undone: "ip link set ens20f1np1 up",
        at: ["bonds", "bond0"],
        told: "kernel: change link ens20f1np1 (state: down → up)",
    },
    Deed {
        done: "ip route del default",
        undone: "ip route add default via 10.10.0.1 dev mgmt",
        at: ["intports", "mgmt"],
        told: "kernel: change link mgmt (default route via: 10.10.0.1)",
    },
    Deed {
        done: "ip address del 10.10.0.2/24 dev mgmt",
        undone: "ip address add 10.10.0.2/24 dev mgmt; ip route add default via 10.10.0.1 dev mgmt",
        at: ["intports", "mgmt"],
        told: "kernel: change link mgmt (address: 10.10.0.2/24, default route via: 10.10.0.1)",
    },
    Deed {
        done: "ip link set mgmt down",
        undone: "ip link set mgmt up; ip route add default via 10.10.0.1 dev mgmt",
        at: ["intports", "mgmt"],
        told: "kernel: change link mgmt (state: down → up, default route via: 10.10.0.1)",
    },
    Deed {
        done: "ip link set vmbr0 down",
        undone: "ip link set vmbr0 up",
        at: ["bridges", "vmbr0"],
        told: "kernel: change link vmbr0 (state: down → up)",
    },
];

#[test]
fn what_was_changed_by_hand_is_told_in_a_sentence_each() -> Result<()> {
    let lab = Lab::up()?;
    lab.run(NODE, &node_end(NODE))?;
    // Others' things are no drift.
    lab.sh(
        NODE,
        "ip address add 10.10.0.77/24 dev mgmt; ovs-vsctl set Port bond0 external_ids:owner=somebody",
    )?;
    for Deed { done, undone, at: [objects, name], told } in &DEEDS {
        assert_eq!(info(&lab)?["drift"], json!([]), "before `{done}`");
        lab.sh(NODE, done)?;
        let result = info(&lab)?;
        assert_eq!(result["drift"], json!([told]), "after `{done}`");
        assert_eq!(result[objects][name]["drift"], json!([told]), "after `{done}`");
        let warning = format!("not as the interfaces file says: `{name}`;");
        assert!(result["warnings"].to_string().contains(&warning), "{:#}", result["warnings"]);
        lab.sh(NODE, undone)?;
    }

    // Several at once, told apart; the tasks that declare them repair what is told.
    for Deed { done, .. } in DEEDS.iter().take(9) {
        lab.sh(NODE, done)?;
    }
    lab.sh(NODE, "ovs-vsctl del-port mgmt")?;
    let drift = info(&lab)?["drift"].take();
    let drift: Vec<&str> = drift.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for start in [
        "Open vSwitch: change port bond0 (interfaces: ens20f0np0 → ens20f0np0 ens20f1np1, bond_mode: balance-slb → ",
        "kernel: change link ens20f1np1 (state: down → up)",
        "Open vSwitch: add port mgmt (bridge: vmbr0, type: internal, ",
        "kernel: change link mgmt (state: up, address: 10.10.0.2/24, default route via: 10.10.0.1)",
    ] {
        assert!(drift.iter().any(|told| told.starts_with(start)), "no {start} in {drift:#?}");
    }
    assert_eq!(drift.len(), 4, "{drift:#?}");
    // The reload that repairs one repairs the other too, which has to be asked for.
    lab.run(NODE, &node_end(NODE).map(|task| also(task, json!({"foreign_changes": "apply"}))))?;
    let result = info(&lab)?;
    assert_eq!((&result["drift"], &result["warnings"]), (&json!([]), &json!([])));
    Ok(())
}

#[test]
fn what_is_staged_is_told_at_its_object_before_it_is_there() -> Result<()> {
    let lab = Lab::up()?;
    let [bridge, bond, mgmt] = node_end(NODE);
    lab.run(NODE, &[bridge, bond, mgmt])?;
    for (module, arguments) in [
        ("pve_ovs_intport", json!({"name": "mgmt", "tag": 20, "apply": false})),
        (
            "pve_ovs_intport",
            json!({"name": "storage", "bridge": "vmbr0", "cidr": "10.30.0.2/24", "apply": false}),
        ),
        ("pve_ovs_bond", json!({"name": "bond0", "state": "absent", "apply": false})),
    ] {
        assert!(lab.module(NODE, module, &arguments)?.changed()?);
    }
    let before = lab.snapshot(NODE)?;
    let result = info(&lab)?;
    assert_eq!(lab.snapshot(NODE)?, before, "reading left a trace");
    assert_eq!((&result["pending"], &result["drift"]), (&json!(true), &json!([])));
    let diff =
        lab.sh(NODE, "cd /etc/network; diff -u interfaces interfaces.new | grep '^[-+][^-+]' || true")?;
    let told = result["pending_diff"].as_str().context("no diff")?;
    let changed =
        |line: &&str| line.starts_with(['-', '+']) && !line.starts_with("---") && !line.starts_with("+++");
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        (told.lines().filter(changed).filter(|line| line.len() > 1).collect(), diff.lines().collect());
    assert_eq!(ours, theirs);

    let staged = |objects: &str, name: &str| result[objects][name]["staged"].clone();
    assert_eq!(
        staged("intports", "mgmt"),
        json!({"change": "changed",
               "changes": ["staged interfaces file: change mgmt (ovs_options: tag=10 → tag=20)"]})
    );
    assert_eq!(
        staged("bonds", "bond0"),
        json!({"change": "removed", "changes": ["staged interfaces file: remove bond0",
               "staged interfaces file: take bond0 out of ovs_ports of vmbr0"]})
    );
    let storage = &result["intports"]["storage"];
    assert_eq!((&storage["live"], &storage["configured"]), (&json!(false), &json!(false)));
    assert_eq!(storage["staged"]["change"], "added");
    assert_eq!(staged("bridges", "vmbr0"), Value::Null);
    assert_eq!(result["intports"]["mgmt"]["tag"], 10);
    Ok(())
}

#[test]
fn a_run_is_told_while_it_is_at_work_and_after_it_was_killed() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    assert_eq!(info(&lab)?["change"], Value::Null);
    lab.write(NODE, "/root/ifreload", "echo $$ >/tmp/reload; while [ ! -e /tmp/go ]; do sleep 0.05; done")?;
    let environment = ["BOTHENDS_IFRELOAD=sh /root/ifreload"];
    let mut child = lab.start_module(NODE, &environment, "pve_ovs_bond", &bond(&MEMBERS))?;
    wait_until("the run to reload", Duration::from_secs(60), || {
        Ok((lab.sh(NODE, "[ -s /tmp/reload ] || echo no")?.is_empty()).then_some(()))
    })?;
    let result = info(&lab)?;
    let change = &result["change"];
    assert_eq!(
        (&change["module"], &change["step"], &change["running"]),
        (&json!("pve_ovs_bond"), &json!("reload"), &json!(true)),
        "{change:#}"
    );
    let lock = lab.read(NODE, "/run/bothends/node.lock")?;
    assert!(lock.starts_with(&format!("pid {}, ", change["pid"])), "{lock} {change:#}");
    let folder = change["folder"].as_str().context("no folder")?;
    let seconds = |words: &str| -> Result<i64> { Ok(lab.sh(NODE, words)?.trim().parse()?) };
    assert_eq!(
        seconds(&format!("date --date={} +%s", change["since"].as_str().context("no time")?))?,
        seconds(&format!("stat --format=%Y {folder}/checkpoint.json"))?
    );
    assert!(!result["warnings"].to_string().contains("interrupted"), "{:#}", result["warnings"]);

    lab.kill_run_and_guard(NODE)?;
    child.wait()?;
    lab.sh(NODE, "kill -KILL $(cat /tmp/reload)")?;
    let before = lab.snapshot(NODE)?;
    let result = info(&lab)?;
    assert_eq!(lab.snapshot(NODE)?, before, "reading left a trace");
    assert_eq!(result["change"]["running"], false, "{:#}", result["change"]);
    let remedy = format!("`pve_ovs_bond --rollback {folder}` goes back from it");
    assert!(result["warnings"].to_string().contains(&remedy), "{:#}", result["warnings"]);

    let next = lab.module(NODE, "pve_ovs_bridge", &bridge())?;
    assert_eq!(next.failure()?, ("interrupted_run", "rolled_back"), "{}", next.message());
    assert_eq!(info(&lab)?["change"], Value::Null);
    Ok(())
}

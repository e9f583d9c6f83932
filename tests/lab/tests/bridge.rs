//! What a bridge is set to beyond its ports: it comes, stays over somebody else's reload, is repaired and goes, though
//! ifupdown2 resets none of it; what ifupdown2 drops without a word fails.

use std::slice::from_ref;

use anyhow::Result;
use lab::Lab;
use serde_json::{Value, json};

const NODE: &str = "node1";
const SETTINGS: [&str; 3] = ["stp_enable", "rstp_enable", "mcast_snooping_enable"];

#[test]
fn settings_of_a_bridge_come_stay_and_go() -> Result<()> {
    let lab = Lab::up()?;
    let bridge = |more: Value| {
        let mut arguments = json!({"name": "vmbr0", "datapath_type": "netdev"});
        for (key, value) in more.as_object().into_iter().flatten() {
            arguments[key] = value.clone();
        }
        ("pve_ovs_bridge", arguments)
    };
    for (arguments, columns) in [
        (json!({"stp": true}), ["true", "false", "false"]),
        (json!({"stp": false, "rstp": true, "mcast_snooping": true}), ["false", "true", "true"]),
        (json!({"comments": "what is not given stays"}), ["false", "true", "true"]),
        (json!({"mcast_snooping": false}), ["false", "true", "false"]),
        (json!({"rstp": false}), ["false", "false", "false"]),
    ] {
        let task = bridge(arguments);
        assert_eq!(lab.run_as_predicted(NODE, &[task.clone(), task])?, [true, false]);
        lab.exec(NODE, &["ifreload", "-a"])?;
        assert_eq!(settings(&lab)?, columns);
    }
    let file = lab.read(NODE, "/etc/network/interfaces")?;
    assert_eq!(file.matches("ovs_extra").count(), 1, "{file}");
    Ok(())
}

#[test]
fn settings_changed_by_hand_are_repaired() -> Result<()> {
    let lab = Lab::up()?;
    let task = (
        "pve_ovs_bridge",
        json!({"name": "vmbr0", "datapath_type": "netdev", "rstp": true,
        "ovs_extra": ["set bridge vmbr0 other_config:mac-aging-time=600", "br-set-external-id vmbr0 owner bothends"]}),
    );
    assert_eq!(lab.run_as_predicted(NODE, from_ref(&task))?, [true]);
    let declared = lab.configuration(NODE)?;
    for by_hand in [
        "rstp_enable=false",
        "stp_enable=true rstp_enable=false",
        "mcast_snooping_enable=true",
        "other_config:mac-aging-time=601",
        "external_ids:owner=somebody",
    ] {
        let words = ["set", "Bridge", "vmbr0"].into_iter().chain(by_hand.split(' '));
        lab.vsctl(NODE, &words.collect::<Vec<_>>())?;
        assert_eq!(lab.run_as_predicted(NODE, &[task.clone(), task.clone()])?, [true, false], "{by_hand}");
        assert_eq!(lab.configuration(NODE)?, declared, "{by_hand}");
    }
    // A line that goes takes with it what it set.
    let without = ("pve_ovs_bridge", json!({"name": "vmbr0", "ovs_extra": []}));
    assert_eq!(lab.run_as_predicted(NODE, &[without.clone(), without])?, [true, false]);
    assert_eq!(lab.vsctl(NODE, &["get", "Bridge", "vmbr0", "other_config"])?, "{}");
    assert_eq!(settings(&lab)?, ["false", "true", "false"]);
    Ok(())
}

/// ovs-vsctl refuses it, and ifupdown2 drops the bridge's whole transaction and says nothing.
#[test]
fn a_line_that_open_vswitch_refuses_fails_and_is_undone() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let before = lab.configuration(NODE)?;
    for line in ["set bridge vmbr0 no_such_column=1", "set bridge vmbr0 fail_mode=sometimes"] {
        let arguments = json!({"name": "vmbr0", "ovs_extra": [line]});
        let answer = lab.module_with(NODE, &["BOTHENDS_LIMIT_SETTLE=2"], "pve_ovs_bridge", &arguments)?;
        assert_eq!(answer.failure()?, ("not_settled", "rolled_back"), "{line}: {}", answer.message());
        assert_eq!(lab.configuration(NODE)?, before, "{line}");
    }
    let unseen = lab.module(
        NODE,
        "pve_ovs_bridge",
        &json!({"name": "vmbr0", "ovs_extra": ["set port vmbr0 external_ids:a=b"]}),
    )?;
    assert!(unseen.changed()?);
    let warnings = unseen.result["warnings"].to_string();
    assert!(
        warnings.contains("`set port vmbr0 external_ids:a=b`") && warnings.contains("not read back"),
        "{warnings}"
    );
    Ok(())
}

#[test]
fn a_bridge_that_a_guest_names_stays() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    lab.sh(
        NODE,
        "mkdir -p /root/pve/qemu-server /root/pve/sdn
        echo 'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=10' >/root/pve/qemu-server/103.conf
        printf 'vlan: campus\\n\\tbridge vmbr0\\n' >/root/pve/sdn/zones.cfg",
    )?;
    let absent = json!({"name": "vmbr0", "state": "absent"});
    let environment = ["BOTHENDS_PVE_CONFIG=/root/pve"];
    let answer = lab.module_with(NODE, &environment, "pve_ovs_bridge", &absent)?;
    assert_eq!(answer.failure()?, ("bridge_in_use", "unchanged"));
    for user in ["guest 103 (`net0`)", "SDN zone `campus`"] {
        assert!(answer.message().contains(user), "{}", answer.message());
    }
    lab.sh(NODE, "rm -r /root/pve")?;
    assert!(lab.module_with(NODE, &environment, "pve_ovs_bridge", &absent)?.changed()?);
    Ok(())
}

fn settings(lab: &Lab) -> Result<[String; 3]> {
    let get = |column| lab.vsctl(NODE, &["get", "Bridge", "vmbr0", column]);
    let [stp, rstp, mcast_snooping] = SETTINGS;
    Ok([get(stp)?, get(rstp)?, get(mcast_snooping)?])
}

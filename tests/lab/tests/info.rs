//! What `pve_ovs_info` tells of a node, against what `ovs-vsctl`, `ip` and the other node say.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::link::{MEMBERS, node_end};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const NODES: [&str; 2] = ["node1", "node2"];

/// The result of the module, in check mode and in a run: both are the same, and touch nothing.
fn info(lab: &Lab, node: &str) -> Result<Value> {
    let answer = lab.module(node, "pve_ovs_info", &json!({}))?;
    ensure!(!answer.changed()?, "it says that it changed something");
    Ok(answer.result)
}

fn warnings(result: &Value) -> Vec<&str> {
    result["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Both nodes with their end of the link, negotiated.
fn negotiated() -> Result<Lab> {
    let lab = Lab::up()?;
    for node in NODES {
        lab.run(node, &node_end(node))?;
    }
    for node in NODES {
        lab.wait_for_lacp(node, &MEMBERS)?;
    }
    Ok(lab)
}

#[test]
fn both_ends_of_a_link_see_each_other_crosswise() -> Result<()> {
    let lab = negotiated()?;
    let before = lab.snapshot("node1")?;
    // A partner's state is that of its last frame: at first, of one from before it heard us.
    let (one, two) =
        wait_until("each end to have heard the other's last state", Duration::from_secs(30), || {
            let (one, two) = (info(&lab, "node1")?, info(&lab, "node2")?);
            let states = |result: &Value, end: &str| {
                MEMBERS.map(|member| result["bonds"]["bond0"]["members"][member][end]["state"].clone())
            };
            let is_settled = states(&one, "partner") == states(&two, "actor")
                && states(&two, "partner") == states(&one, "actor");
            Ok(is_settled.then_some((one, two)))
        })?;
    assert_eq!(lab.snapshot("node1")?, before, "reading left a trace");
    let mut predicted = lab.check("node1", "pve_ovs_info", &json!({}))?.result;
    let mut done = one.clone();
    for result in [&mut predicted, &mut done] {
        result.as_object_mut().context("no object")?.remove("invocation");
    }
    assert_eq!(predicted, done);

    for (result, other) in [(&one, &two), (&two, &one)] {
        assert_eq!(warnings(result), Vec::<&str>::new());
        let bond = &result["bonds"]["bond0"];
        assert_eq!(bond["negotiated"], true, "{bond:#}");
        for (key, value) in [
            ("bridge", json!("vmbr0")),
            ("mode", json!("lacp-balance-tcp")),
            ("lacp", json!("active")),
            ("lacp_time", json!("fast")),
            ("lacp_fallback", json!(true)),
            ("tag", Value::Null),
            ("trunks", json!([])),
            ("vlan_mode", Value::Null),
            ("configured", json!(true)),
        ] {
            assert_eq!(bond[key], value, "{key}");
        }
        assert!(MEMBERS.iter().any(|member| bond["active_member"] == *member), "{bond:#}");
        assert_eq!(bond["members"].as_object().map(serde_json::Map::len), Some(MEMBERS.len()));
        for member in MEMBERS {
            let (here, there) = (&bond["members"][member], &other["bonds"]["bond0"]["members"][member]);
            for key in ["link", "enabled", "current", "attached"] {
                assert_eq!(here[key], true, "{member} {key}: {here:#}");
            }
            // The cables run from each NIC to the one of the same name: `system_id`, `key`, `port_id`, `state` and all.
            assert_eq!(here["partner"], there["actor"], "{member}");
            assert!(here["actor"]["system_id"].is_string(), "{here:#}");
            assert_ne!(here["actor"]["system_id"], here["partner"]["system_id"]);
        }
    }
    assert_eq!(
        one["bonds"]["bond0"]["members"][MEMBERS[0]]["actor"]["system_id"],
        one["bridges"]["vmbr0"]["mac"]
    );
    Ok(())
}

#[test]
fn every_value_is_the_one_that_the_node_shows_otherwise() -> Result<()> {
    let lab = negotiated()?;
    lab.exec("node1", &["ip", "link", "set", "mgmt", "mtu", "1400"])?;
    lab.vsctl("node1", &["set", "Port", "bond0", "trunks=10,20", "vlan_mode=trunk", "tag=5"])?;
    let result = info(&lab, "node1")?;
    let file = |path: &str| Ok::<_, anyhow::Error>(lab.read("node1", path)?.trim().to_owned());
    for member in MEMBERS {
        let told = &result["bonds"]["bond0"]["members"][member];
        assert_eq!(told["mac"], file(&format!("/sys/class/net/{member}/address"))?);
        assert_eq!(told["mtu"].to_string(), file(&format!("/sys/class/net/{member}/mtu"))?);
    }
    let bond = &result["bonds"]["bond0"];
    assert_eq!(
        (&bond["trunks"], &bond["vlan_mode"], &bond["tag"]),
        (&json!([10, 20]), &json!("trunk"), &json!(5))
    );
    let told = |object: &Value, wanted: &Value| {
        for (key, value) in wanted.as_object().into_iter().flatten() {
            assert_eq!(object[key], *value, "{key} of {object:#}");
        }
    };
    told(
        &result["bridges"]["vmbr0"],
        &json!({"live": true, "configured": true, "datapath_type": "netdev", "stp": false, "rstp": false,
                "mcast_snooping": false, "mac": file("/sys/class/net/vmbr0/address")?, "ports": [],
                "other_ports": ["bond0", "mgmt"], "up": true, "cidr": null}),
    );
    told(
        &result["intports"]["mgmt"],
        &json!({"live": true, "configured": true, "bridge": "vmbr0", "tag": 10, "mtu": 1400, "up": true,
                "mac": file("/sys/class/net/mgmt/address")?, "addresses": ["10.10.0.2/24"],
                "cidr": "10.10.0.2/24", "gateway": "10.10.0.1", "cidr6": null, "gateway6": null}),
    );
    assert_eq!(result["change"], Value::Null);
    assert_eq!((&result["pending"], &result["pending_diff"]), (&json!(false), &Value::Null));
    Ok(())
}

#[test]
fn what_is_told_can_be_given_back_and_changes_nothing() -> Result<()> {
    let lab = Lab::up()?;
    lab.run("node1", &node_end("node1"))?;
    let result = info(&lab, "node1")?;
    for (objects, name, module, options) in [
        (
            "bridges",
            "vmbr0",
            "pve_ovs_bridge",
            &["cidr", "gateway", "datapath_type", "comments", "ports"][..],
        ),
        (
            "bonds",
            "bond0",
            "pve_ovs_bond",
            &["bridge", "mode", "lacp_time", "lacp_fallback", "tag", "trunks", "vlan_mode", "comments"][..],
        ),
        ("intports", "mgmt", "pve_ovs_intport", &["bridge", "tag", "cidr", "gateway", "comments"][..]),
    ] {
        let mut arguments = json!({"name": name});
        for option in options {
            arguments[*option] = result[objects][name][*option].clone();
        }
        let answer = lab.module("node1", module, &arguments)?;
        assert!(!answer.changed()?, "{arguments:#}: {:#}", answer.result["changes"]);
    }
    Ok(())
}

#[test]
fn a_cut_cable_shows_at_its_member_and_at_the_bond() -> Result<()> {
    let lab = negotiated()?;
    let [cut, whole] = MEMBERS;
    lab.exec("node2", &["ip", "link", "set", cut, "down"])?;
    let bond = wait_until("node1 to forget who was there", Duration::from_secs(30), || {
        let bond = info(&lab, "node1")?["bonds"]["bond0"].take();
        Ok(bond["members"][cut]["partner"].is_null().then_some(bond))
    })?;
    assert_eq!((&bond["negotiated"], &bond["active_member"]), (&json!(false), &json!(whole)));
    let about = &bond["members"][cut];
    for key in ["link", "enabled", "current"] {
        assert_eq!(about[key], false, "{key}: {about:#}");
        assert_eq!(bond["members"][whole][key], true, "{key}: {bond:#}");
    }
    assert!(about["actor"]["port_id"].is_u64(), "{about:#}");

    // Who waits for it is told whom in vain, and all the rest.
    let vain = lab.module("node1", "pve_ovs_info", &json!({"wait_for_lacp": 2}))?;
    assert_eq!(vain.failure()?, ("lacp_not_negotiated", "unchanged"));
    let partners = format!("not negotiated on {cut} of `bond0`;");
    assert!(vain.message().contains(&partners), "{}", vain.message());
    assert_eq!(vain.result["bonds"]["bond0"]["members"][whole]["current"], true, "{:#}", vain.result);

    lab.exec("node2", &["ip", "link", "set", cut, "up"])?;
    let in_time = lab.module("node1", "pve_ovs_info", &json!({"wait_for_lacp": 60}))?;
    assert!(!in_time.changed()?);
    assert_eq!(in_time.result["bonds"]["bond0"]["negotiated"], true);
    Ok(())
}

/// Open vSwitch adds up what passed and tells it whenever it looks whether to spread it otherwise, every 10 s.
#[test]
fn what_a_member_carries_is_what_open_vswitch_shows() -> Result<()> {
    let lab = negotiated()?;
    let shown = || lab.exec("node1", &["ovs-appctl", "bond/show", "bond0"]);
    wait_until("traffic to be counted", Duration::from_secs(60), || {
        lab.exec("node1", &["ping", "-q", "-c", "100", "-i", "0.01", "-s", "1400", "10.10.0.3"])?;
        let before = shown()?;
        let bond = info(&lab, "node1")?["bonds"]["bond0"].take();
        let loads = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.contains("kB load")).map(|line| line.trim().to_owned()).collect()
        };
        let (loads, after) = (loads(&before), loads(&shown()?));
        // Asked in the moment between them, it may have told either.
        if loads != after {
            return Ok(None);
        }
        if loads.is_empty() {
            return Ok(None);
        }
        let mut carried = 0;
        for line in &loads {
            carried += line.split(' ').nth(2).context("no load")?.parse::<u64>()?;
        }
        let told = |key: &str| {
            MEMBERS.iter().filter_map(|member| bond["members"][member]["load"][key].as_u64()).sum::<u64>()
        };
        assert_eq!((told("hashes"), told("kb")), (loads.len() as u64, carried), "{bond:#} {before}");
        Ok(Some(()))
    })?;
    lab.module("node1", "pve_ovs_bond", &json!({"name": "bond0", "mode": "active-backup"}))?.changed()?;
    let bond = info(&lab, "node1")?["bonds"]["bond0"].take();
    assert_eq!(bond["members"][MEMBERS[0]]["load"], Value::Null, "it spreads nothing: {bond:#}");
    // Nor is there LACP to wait for.
    lab.module("node1", "pve_ovs_info", &json!({"wait_for_lacp": 1}))?.changed().map(drop)
}

#[test]
fn a_bond_nobody_answers_and_one_without_lacp_are_told() -> Result<()> {
    let lab = Lab::up()?;
    // A far end with a carrier, and nobody there.
    for member in MEMBERS {
        lab.exec("node2", &["ip", "link", "set", member, "up"])?;
    }
    lab.run("node1", &node_end("node1"))?;
    let bond = wait_until("the fallback to enable a member", Duration::from_secs(30), || {
        let bond = info(&lab, "node1")?["bonds"]["bond0"].take();
        Ok(bond["active_member"].is_string().then_some(bond))
    })?;
    assert_eq!(bond["negotiated"], false);
    for member in MEMBERS {
        let member = &bond["members"][member];
        assert_eq!((&member["link"], &member["current"]), (&json!(true), &json!(false)), "{member:#}");
        assert!(member["partner"].is_null() && member["actor"]["system_id"].is_string(), "{member:#}");
    }
    let active = bond["active_member"].as_str().unwrap_or_default();
    assert_eq!(bond["members"][active]["enabled"], true, "{bond:#}");

    lab.module("node1", "pve_ovs_bond", &json!({"name": "bond0", "mode": "active-backup"}))?.changed()?;
    let bond = info(&lab, "node1")?["bonds"]["bond0"].take();
    assert_eq!(
        (&bond["mode"], &bond["lacp"], &bond["negotiated"]),
        (&json!("active-backup"), &json!("off"), &json!(false))
    );
    assert_eq!(bond["members"][MEMBERS[0]]["actor"], Value::Null);
    Ok(())
}

#[test]
fn what_the_file_and_open_vswitch_do_not_share_is_told() -> Result<()> {
    let lab = Lab::up()?;
    lab.run("node1", &node_end("node1"))?;
    lab.sh(
        "node1",
        "ovs-vsctl --timeout=10 del-port bond0 -- add-bond vmbr0 bond7 ens20f0np0 ens99 -- set Port bond7 lacp=active",
    )?;
    let result = info(&lab, "node1")?;
    let bond = &result["bonds"]["bond0"];
    assert_eq!(
        (&bond["live"], &bond["configured"], &bond["mode"]),
        (&json!(false), &json!(true), &Value::Null)
    );
    let bond = &result["bonds"]["bond7"];
    assert_eq!((&bond["configured"], &bond["mode"]), (&json!(false), &json!("active-backup")));
    let missing = &bond["members"]["ens99"];
    assert_eq!(
        (&missing["link"], &missing["mtu"], &missing["mac"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    let [file, nic] = warnings(&result)[..] else { anyhow::bail!("{:#}", result["warnings"]) };
    assert!(file.starts_with("not as the interfaces file says: `bond0`; hint: "), "{file}");
    let drift = result["drift"].to_string();
    assert!(drift.contains("Open vSwitch: add port bond0 (bridge: vmbr0, "), "{drift}");
    assert!(nic.starts_with("Open vSwitch cannot use `ens99` of `bond7`: could not open"), "{nic}");
    Ok(())
}

#[test]
fn a_node_with_nothing_has_nothing_to_tell() -> Result<()> {
    let lab = Lab::up()?;
    let nothing = |result: &Value| {
        for key in ["bridges", "bonds", "intports"] {
            assert_eq!(result[key], json!({}), "{key}");
        }
    };
    let result = info(&lab, "node1")?;
    nothing(&result);
    assert_eq!(warnings(&result), Vec::<&str>::new());

    lab.run("node1", &node_end("node1"))?;
    lab.lab("stop-ovs", &["node1"])?;
    let result = info(&lab, "node1")?;
    for (objects, name) in [("bridges", "vmbr0"), ("bonds", "bond0"), ("intports", "mgmt")] {
        let object = &result[objects][name];
        assert_eq!((&object["live"], &object["configured"]), (&json!(false), &json!(true)), "{name}");
    }
    let [warning] = warnings(&result)[..] else { anyhow::bail!("{:#}", result["warnings"]) };
    assert!(warning.starts_with("Open vSwitch does not run"), "{warning}");
    Ok(())
}

#[test]
fn a_daemon_that_cannot_be_asked_is_an_error_and_no_bad_news_of_the_bond() -> Result<()> {
    let lab = Lab::up()?;
    lab.run("node1", &node_end("node1"))?;
    let answer = lab.module_with("node1", &["BOTHENDS_OVS_RUN=/nonexistent"], "pve_ovs_info", &json!({}))?;
    assert_eq!(answer.failure()?, ("ovs_failed", "unchanged"));
    assert!(answer.message().contains("ovs-vswitchd"), "{}", answer.message());
    Ok(())
}

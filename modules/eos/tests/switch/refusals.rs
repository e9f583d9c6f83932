//! A switch on which the task cannot be done, and odd ones on which it can.

use std::fmt::Write as _;

use serde_json::json;

use crate::scenario::scenario;
use crate::sim::{OTHERS_SECRET, STARTUP, Sim};
use crate::untouched::{Node, stores, with};

/// The switch of the scenario with another Port-Channel, of Ethernet9/1 and without LACP.
fn with_another_channel() -> String {
    STARTUP
        .replace(
            "interface Ethernet1/1\n",
            "interface Port-Channel5\n   description theirs\n!\ninterface Ethernet1/1\n",
        )
        .replace("interface Ethernet9/1\n", "interface Ethernet9/1\n   channel-group 5 mode on\n")
}

#[test]
fn what_the_switch_does_not_have_or_others_use_is_told_and_left_alone() {
    let sim = Sim::start_with(&with_another_channel(), &[]);
    let node = Node::of(&sim);
    let before = stores(&sim);
    let member = |name: &str| json!([{"interface": "Ethernet7/1"}, {"interface": name}]);
    let mixed = json!([{"interface": "Ethernet7/1", "lacp_mode": "on"}, {"interface": "Ethernet8/1"}]);
    let joining = json!([{"interface": "Ethernet9/1"}, {"interface": "Ethernet8/1", "lacp_mode": "active"}]);
    for (more, code, says) in [
        (
            json!({"members": member("Ethernet9/1")}),
            "member_in_use",
            ["Ethernet9/1 is a member of Port-Channel5", "take it out"],
        ),
        (
            json!({"members": member("et40/1")}),
            "interface_not_found",
            ["no Ethernet40/1", "`show interfaces status`"],
        ),
        (
            json!({"members": mixed}),
            "mixed_lacp_modes",
            ["Ethernet8/1 would speak LACP and Ethernet7/1", "`lacp_mode`"],
        ),
        (json!({"name": 5, "members": joining}), "mixed_lacp_modes", ["Port-Channel5", "`lacp_mode`"]),
    ] {
        let arguments = with(scenario(), &more);
        node.refused(&arguments, code, &says);
        let check = with(arguments, &json!({"_ansible_check_mode": true, "_ansible_diff": true}));
        let predicted = node.refused(&check, code, &says);
        assert_eq!(predicted.result["before"], json!(null));
    }
    for (more, missing) in [
        (json!({"trunk_vlans": "10,20,30-31"}), "30-31"),
        (json!({"native_vlan": 666}), "666"),
        (json!({"mode": "access", "access_vlan": 11}), "11"),
    ] {
        let says = [
            &*format!("Port-Channel1001: the switch does not have the VLAN {missing}"),
            &format!("`vlan {missing}`"),
        ];
        node.refused(&with(scenario(), &more), "vlan_not_found", &says);
        let predicted = sim.check(&with(scenario(), &more));
        assert!(predicted.changed());
        let warning = format!(
            "planning Port-Channel1001: the switch does not have the VLAN {missing}; assumed to come from an earlier task"
        );
        assert_eq!(predicted.result["warnings"][0], warning);
    }
    assert_eq!(stores(&sim), before);
}

#[test]
fn a_line_that_the_switch_refuses_leaves_nothing_behind() {
    let sim = Sim::start();
    let before = stores(&sim);
    for (rule, code) in [
        ("refuse channel-group with Cannot change mode; remove all members and try again.", "line_refused"),
        ("refuse description with Invalid input", "line_refused"),
        (
            "refuse interface Port-Channel with Authorization denied for command 'interface'",
            "privilege_refused",
        ),
    ] {
        sim.control(rule);
        for answer in [sim.run(&scenario()), sim.check(&scenario())] {
            assert_eq!(answer.failure(), (code, "unchanged"), "{:#}", answer.result);
            let told = answer.result["msg"].as_str().unwrap();
            assert!(told.contains(rule.split_once(" with ").unwrap().1), "{told}");
        }
        sim.control("clear");
        assert_eq!(stores(&sim), before);
    }
}

#[test]
fn a_change_that_others_did_not_save_is_not_saved_with_ours_but_told() {
    let sim = Sim::start();
    sim.edit(&["interface Ethernet12/1", "description in the making"]);
    let answer = sim.run(&scenario());
    assert!(answer.changed());
    let warnings = answer.result["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|text| text.as_str().unwrap().contains("is not saved")), "{warnings:?}");
    let startup = sim.show("show startup-config");
    assert!(!startup.contains("in the making") && !startup.contains("PVE-N1"), "{startup}");
    assert!(sim.running().contains("in the making") && sim.running().contains("PVE-N1"));
}

#[test]
fn hosts_with_odd_names_and_texts_that_look_like_prompts_are_understood() {
    let talk = "core#\ncore>\n --More-- \nPassword: \nProceed with reload? [confirm]\n% Invalid input\n\n";
    let banner = "banner motd\ninterface Port-Channel1001\n   description not this one\ncore#\nend\n!\nvlan 30\nEOF\n!\n";
    for name in
        ["vla-1x3(s1)", "core.example.net", "a-very-long-name-of-a-switch-that-nobody-would-ever-type-twice"]
    {
        let startup = STARTUP
            .replace("hostname core\n", &format!("hostname {name}\n"))
            .replace("vlan 10,20\n", &format!("{banner}vlan 10,20\n"));
        let talk = talk.replace("core", name);
        let folder = tempfile::tempdir().unwrap();
        let motd = folder.path().join("motd");
        std::fs::write(&motd, &talk).unwrap();
        let sim = Sim::start_with(&startup, &["--banner", &talk, "--motd", motd.to_str().unwrap()]);
        assert!(
            sim.show("show running-config").starts_with("! Command")
                && sim.running().contains("not this one")
        );
        let node = Node::of(&sim);
        assert!(node.run(&scenario()).changed(), "{name}");
        assert!(!node.run(&scenario()).changed(), "{name}");
        node.refused(&with(scenario(), &json!({"native_vlan": 30})), "vlan_not_found", &["30"]);
        assert_eq!(
            sim.interface("Port-Channel1001"),
            ["interface Port-Channel1001", "   description PVE-N1-LACP", "   switchport mode trunk"]
        );
        assert!(node.run(&json!({"name": 1001, "state": "absent"})).changed());
        assert!(sim.running().contains("not this one"));
    }
}

/// A switch whose running-config has more than 5000 lines.
fn with_long_lists() -> Sim {
    let mut lists = String::new();
    for list in 0..50 {
        writeln!(lists, "ip access-list list{list}").unwrap();
        for line in 1..=100 {
            writeln!(lists, "   {} permit ip host 10.{list}.{line}.1 any", line * 10).unwrap();
        }
        lists.push_str("!\n");
    }
    let sim = Sim::start_with(&STARTUP.replace("!\nend\n", &format!("!\n{lists}end\n")), &[]);
    assert!(sim.running().lines().count() > 5000);
    sim
}

#[test]
fn a_long_running_config_is_read_to_its_end() {
    let sim = with_long_lists();
    let done = sim.run(&with(scenario(), &json!({"_ansible_diff": true})));
    assert!(done.changed());
    assert!(!done.text.contains("access-list") && !done.text.contains(OTHERS_SECRET));
    assert!(!sim.run(&scenario()).changed());
    assert!(sim.running().contains("list49"));
}

#[test]
fn where_pages_may_not_be_switched_off_they_are_turned() {
    let sim = with_long_lists();
    sim.control("refuse terminal with Authorization denied for command 'terminal'");
    assert!(sim.run(&scenario()).changed() && !sim.run(&scenario()).changed());
    assert!(sim.running().contains("list49"));
}

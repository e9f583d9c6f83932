//! Several Port-Channels in one task, and VLANs that are made with them: one session and one commit, whole or not at
//! all.

use serde_json::{Value, json};

use crate::sim::{STARTUP, Sim};

fn two() -> Value {
    json!({"config": [
        {"name": 1001, "mode": "trunk", "members": [{"interface": "et7/1"}, {"interface": "et8/1"}]},
        {"name": 1002, "access_vlan": 10, "members": [{"interface": "et9/1"}, {"interface": "et10/1"}]},
    ]})
}

fn commits(sim: &Sim) -> usize {
    sim.typed().iter().filter(|line| line.contains(" commit timer ")).count()
}

#[test]
fn they_are_made_in_one_session_and_one_commit() {
    let sim = Sim::start();
    let predicted = sim.check(&two());
    assert!(predicted.changed());
    let done = sim.run(&json!({"config": two()["config"], "_ansible_diff": true}));
    for key in ["changed", "changes", "commands", "diff", "before", "after", "warnings"] {
        assert_eq!(predicted.result[key], done.result[key], "{key}");
    }
    assert_eq!(commits(&sim), 1);
    assert_eq!(
        sim.interface("Ethernet10/1")[1..],
        ["   switchport access vlan 10", "   channel-group 1002 mode active"]
    );
    assert!(sim.is_saved() && sim.open_sessions().is_empty());
    assert!(!sim.run(&two()).changed());
}

#[test]
fn what_the_switch_refuses_of_one_leaves_all_of_them() {
    let sim = Sim::start();
    let before = sim.running();
    sim.control("refuse channel-group 1002 with % Not this one");
    assert_eq!(sim.run(&two()).failure(), ("line_refused", "unchanged"));
    assert_eq!((sim.running(), sim.open_sessions()), (before, Vec::new()));
}

#[test]
fn vlans_are_made_among_those_of_others_in_the_same_commit() {
    let sim =
        Sim::start_with(&STARTUP.replace("vlan 10,20\n", "vlan 10,20\n!\nvlan 30\n   name theirs\n"), &[]);
    let task = json!({"name": 7, "mode": "trunk", "trunk_vlans": "9-11,30-31", "create_vlans": true});
    let predicted = sim.check(&task);
    assert_eq!((predicted.changed(), sim.open_sessions()), (true, Vec::new()));
    let done = sim.run(&json!({
        "name": 7, "mode": "trunk", "trunk_vlans": "9-11,30-31", "create_vlans": true, "_ansible_diff": true,
    }));
    for key in ["changed", "changes", "commands", "diff", "before", "after", "warnings"] {
        assert_eq!(predicted.result[key], done.result[key], "{key}");
    }
    assert_eq!(done.result["changes"][0], "running-config: add VLAN 9,11,31");
    assert_eq!(
        (&done.result["before"]["vlans"], &done.result["after"]["vlans"]),
        (&json!("10,30"), &json!("9-11,30-31"))
    );
    assert_eq!(commits(&sim), 1);
    let running = sim.running();
    assert!(running.contains("\nvlan 9-11,20\n!\nvlan 30\n   name theirs\n!\nvlan 31\n"), "{running}");
    assert!(sim.is_saved());
    assert!(!sim.run(&task).changed());
    // Somebody's change of the VLANs is still theirs.
    sim.edit(&["no vlan 31"]);
    assert_eq!(sim.run(&task).result["changes"][0], "running-config: add VLAN 31");
    assert!(sim.running().contains("\nvlan 31\n"));
}

#[test]
fn vlans_that_were_made_go_again_where_the_change_has_to_be_undone() {
    let sim = Sim::start();
    let before = sim.running();
    sim.control("ignore channel-group 7");
    let answer = sim.run(&json!({
        "name": 7, "access_vlan": 44, "create_vlans": true, "members": [{"interface": "et7/1"}], "confirm_within": 0,
    }));
    assert_eq!(answer.failure(), ("not_settled", "rolled_back"), "{}", answer.told());
    assert_eq!((sim.running(), sim.open_sessions()), (before, Vec::new()));
}

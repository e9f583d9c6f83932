//! A Port-Channel with its two members: from nothing, again, in check mode, and away.

use serde_json::{Value, json};

use crate::sim::{OTHERS_SECRET, Sim};

pub fn scenario() -> Value {
    json!({
        "name": 1001, "description": "PVE-N1-LACP", "mode": "trunk",
        "members": [
            {"interface": "Ethernet7/1", "description": "PVE-N1-P0(R)"},
            {"interface": "Ethernet8/1", "description": "PVE-N1-P1(L)"},
        ],
    })
}

#[test]
fn the_running_config_shows_exactly_these_lines_and_a_second_run_is_idle() {
    let sim = Sim::start();
    let before = sim.running();
    let predicted = sim.check(&scenario());
    assert_eq!((sim.running(), sim.open_sessions()), (before.clone(), vec![]));

    let mut arguments = scenario();
    arguments["_ansible_diff"] = true.into();
    let done = sim.run(&arguments);
    assert!(predicted.changed() && done.changed());
    for key in ["changed", "changes", "commands", "diff", "before", "after", "warnings"] {
        assert_eq!(predicted.result[key], done.result[key], "{key}");
    }
    let diff = done.result["diff"][0]["prepared"].as_str().unwrap();
    assert!(
        diff.contains(
            "\n+interface Port-Channel1001\n+   description PVE-N1-LACP\n+   switchport mode trunk\n"
        ),
        "{diff}"
    );
    assert!(!done.text.contains(OTHERS_SECRET) && !predicted.text.contains(OTHERS_SECRET), "{diff}");

    let after = before
        .replace("interface Ethernet1/1\n", "interface Port-Channel1001\n   description PVE-N1-LACP\n   switchport mode trunk\n!\ninterface Ethernet1/1\n")
        .replace("interface Ethernet7/1\n", "interface Ethernet7/1\n   description PVE-N1-P0(R)\n   switchport mode trunk\n   channel-group 1001 mode active\n")
        .replace("interface Ethernet8/1\n", "interface Ethernet8/1\n   description PVE-N1-P1(L)\n   switchport mode trunk\n   channel-group 1001 mode active\n");
    assert_eq!(sim.running(), after);
    assert!(sim.is_saved());
    assert_eq!(sim.open_sessions(), Vec::<String>::new());

    let typed = sim.typed().len();
    assert!(!sim.run(&scenario()).changed() && !sim.check(&scenario()).changed());
    let idle = sim.typed().split_off(typed);
    assert!(!idle.iter().any(|line| line.contains("configure")), "{idle:?}");
    assert_eq!(sim.running(), after);
}

#[test]
fn absent_takes_it_away_and_leaves_the_members_their_texts() {
    let sim = Sim::start();
    assert!(sim.run(&scenario()).changed());
    let absent = json!({"name": "po1001", "state": "absent"});
    assert!(sim.check(&absent).changed());
    assert!(sim.run(&absent).changed());
    assert_eq!(sim.interface("Port-Channel1001"), Vec::<String>::new());
    assert_eq!(
        sim.interface("Ethernet7/1"),
        ["interface Ethernet7/1", "   description PVE-N1-P0(R)", "   switchport mode trunk"]
    );
    assert!(!sim.run(&absent).changed());
}

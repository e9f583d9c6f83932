//! What is made of an answer that is not what it should be, and of what a killed run left.

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::Sim;

/// The scenario, with less patience than people have.
fn hasty() -> Value {
    let mut arguments = scenario();
    arguments["timeout"] = 5.into();
    arguments["confirm_within"] = 10.into();
    arguments
}

#[test]
fn a_startup_config_that_may_not_be_read_is_not_taken_for_an_empty_one() {
    let sim = Sim::start();
    sim.control("refuse show startup-config with Authorization denied for command 'show startup-config'");
    assert_eq!(sim.run(&hasty()).failure(), ("privilege_refused", "unchanged"));
}

#[test]
fn sessions_are_read_as_a_table_where_the_json_is_an_excuse() {
    let sim = Sim::start();
    let excuse = "{\"errors\": [\"This is an unconverted command\"]}";
    sim.control(&format!("refuse show configuration sessions detail | json with {excuse}"));
    assert!(sim.run(&hasty()).changed());
}

#[test]
fn what_a_killed_run_left_is_confirmed_by_its_own_task_alone() {
    let sim = Sim::start();
    let other = json!({"name": 1002, "members": [{"interface": "Ethernet9/1"}]});
    assert!(sim.run(&other).changed());
    // `enable` and five more to read, ten lines in a session between entering it and three looks, `commit timer`.
    sim.control("hang-after 21");
    let killed = sim.begin(&scenario());
    sim.wait(|| sim.typed().last()?.contains("commit timer").then_some(()));
    killed.kill();

    let checked = sim.check(&other);
    let elsewhere = sim.run(&other);
    for answer in [checked, elsewhere] {
        assert!(!answer.changed());
        assert!(answer.result["warnings"][0].as_str().unwrap().contains("Port-Channel1001 was waiting"));
    }
    assert_eq!(sim.open_sessions().len(), 1);
    assert!(sim.run(&scenario()).changed());
    assert_eq!(sim.open_sessions(), Vec::<String>::new());
    assert!(sim.show("show startup-config").contains("channel-group 1001"));
    assert!(!sim.run(&scenario()).changed());
}

#[test]
fn what_a_killed_run_left_of_more_than_is_declared_is_not_told_as_being_there() {
    let sim = Sim::start();
    let both = json!({"config": [
        {"name": 1001, "members": [{"interface": "Ethernet7/1"}]},
        {"name": 1002, "members": [{"interface": "Ethernet9/1"}]},
    ]});
    let killed = sim.begin(&both);
    sim.control("delay 300");
    sim.wait(|| sim.typed().last()?.contains("commit timer").then_some(()));
    killed.kill();
    sim.control("clear");
    let one = json!({"name": 1001, "members": [{"interface": "Ethernet7/1"}]});
    for answer in [sim.check(&one), sim.run(&one)] {
        assert_eq!(answer.failure(), ("unconfirmed_change", "unchanged"), "{}", answer.told());
        assert!(answer.told().contains("of Port-Channel1001, Port-Channel1002"), "{}", answer.told());
    }
    // One that declares something else for it undoes it first.
    assert!(sim.run(&json!({"name": 1001, "description": "x"})).changed());
    assert_eq!((sim.interface("Port-Channel1002"), sim.open_sessions()), (Vec::new(), Vec::new()));
    assert!(sim.run(&both).changed());
}

#[test]
fn a_line_that_is_taken_and_has_no_effect_is_undone_and_only_that_is_told() {
    let sim = Sim::start();
    sim.control("ignore channel-group");
    let failed = sim.run(&hasty());
    assert_eq!(failed.failure(), ("not_settled", "rolled_back"));
    let message = failed.result["msg"].as_str().unwrap();
    assert!(message.contains("channel-group: 1001 mode active") && !message.contains("startup"), "{message}");
    assert_eq!(sim.interface("Port-Channel1001"), Vec::<String>::new());
}

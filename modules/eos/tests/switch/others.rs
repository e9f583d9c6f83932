//! Somebody else is at work on the switch: what is theirs is waited for, and never touched.

use serde_json::{Value, json};

use crate::cut::task;
use crate::sim::Sim;

/// Sessions of others; one has a name like ours, but not our id.
const THEIRS: [&str; 5] = ["ansible_1", "bothends-somebody-1", "night", "noon", "sess-7"];

fn impatient() -> Value {
    let mut task = task(60, 30);
    task["lock_timeout"] = json!(1);
    task
}

/// Ethernet9/1 as somebody else sets it.
const THEIR_PORT: [&str; 2] = ["interface Ethernet9/1", "   description theirs"];

#[test]
fn where_they_have_all_sessions_it_waits_for_one() {
    let sim = Sim::start();
    for name in THEIRS {
        sim.admin(&[&format!("configure session {name}"), "exit"]);
    }
    let before = sim.running();
    let given_up = sim.run(&impatient());
    assert_eq!(given_up.failure(), ("session_limit", "unchanged"), "{}", given_up.told());
    assert_eq!((sim.running(), sim.open_sessions()), (before, THEIRS.map(str::to_owned).to_vec()));

    let waiting = sim.begin(&task(60, 30));
    let tries = || sim.typed().iter().filter(|line| line.contains("configure session bothends")).count();
    let so_far = tries();
    sim.wait(|| (tries() > so_far).then_some(()));
    sim.admin(&["configure session noon abort"]);
    assert!(waiting.finish().changed());
    assert_eq!(sim.open_sessions(), ["ansible_1", "bothends-somebody-1", "night", "sess-7"]);
}

#[test]
fn their_change_that_waits_to_be_confirmed_is_waited_for() {
    let sim = Sim::start();
    sim.admin(&["configure session night", THEIR_PORT[0], THEIR_PORT[1], "commit timer 00:05:00"]);
    let given_up = sim.run(&impatient());
    assert_eq!(given_up.failure(), ("commit_timer_pending", "unchanged"), "{}", given_up.told());
    // What does not touch the switch need not wait.
    let idle = sim.run(&json!({"name": 1001, "state": "absent"}));
    assert!(!idle.changed() && idle.result["warnings"].to_string().contains("night"), "{}", idle.told());
    assert_eq!(sim.timer().as_deref(), Some("night"));

    let waiting = sim.begin(&task(60, 30));
    sim.wait_for_lines(sim.typed().len() + 8);
    sim.admin(&["configure session night commit"]);
    let done = waiting.finish();
    assert!(done.changed(), "{}", done.told());
    assert_eq!(sim.interface("Ethernet9/1"), THEIR_PORT);
    assert!(!sim.typed().iter().any(|line| line.contains("night abort")));
    assert_eq!(sim.open_sessions(), Vec::<String>::new());
}

#[test]
fn what_they_change_while_it_is_being_prepared_stays_and_the_change_is_planned_anew() {
    let sim = Sim::start();
    sim.control("delay connection=1 80");
    let running = sim.begin(&task(60, 30));
    sim.session();
    sim.edit(&[THEIR_PORT[0], THEIR_PORT[1]]);
    let done = running.finish();
    assert!(done.changed(), "{}", done.told());
    assert_eq!(sim.interface("Ethernet9/1"), THEIR_PORT);
    assert!(!sim.interface("Port-Channel1001").is_empty());
    assert_eq!(sim.open_sessions(), Vec::<String>::new());
    // They did not save it, so neither do we.
    assert!(!sim.is_saved() && done.result["warnings"].to_string().contains("not saved"), "{}", done.told());
}

#[test]
fn who_does_not_wait_for_them_leaves_the_switch_alone() {
    let sim = Sim::start();
    sim.control("delay connection=1 80");
    let mut task = task(60, 30);
    task["lock_timeout"] = json!(0);
    let running = sim.begin(&task);
    sim.session();
    sim.edit(&[THEIR_PORT[0], THEIR_PORT[1]]);
    let given_up = running.finish();
    assert_eq!(given_up.failure(), ("configuration_moves", "unchanged"), "{}", given_up.told());
    assert_eq!(sim.interface("Ethernet9/1"), THEIR_PORT);
    assert!(sim.interface("Port-Channel1001").is_empty() && sim.open_sessions().is_empty());
}

//! How a task wants it done: at once or provisionally, saved or not, asked of the switch in check mode or not.

use serde_json::{Value, json};

use crate::cut::dialog;
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::Sim;

fn with(more: &Value) -> Value {
    let mut task = scenario();
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

fn at_once() -> Value {
    with(&json!({"confirm_within": 0, "timeout": 30}))
}

#[test]
fn without_a_window_it_is_committed_at_once_and_read_back_over_a_new_connection() {
    let sim = Sim::start();
    let answer = sim.run(&at_once());
    assert_eq!(sim.control("connections"), "2\n");
    let typed = sim.typed();
    assert!(
        typed.contains(&"1 commit".to_owned()) && !typed.iter().any(|line| line.contains("timer")),
        "{typed:#?}"
    );
    Ends::of(&scenario()).judge(&sim, &answer, &answer.told());
}

#[test]
fn without_a_window_what_was_not_done_is_undone_by_lines_of_its_own() {
    let ends = Ends::of(&scenario());
    each(vec!["description PVE-N1-P0(R)", "switchport mode trunk", "channel-group"], |line| {
        let sim = Sim::start();
        sim.control(&format!("ignore {line}"));
        let answer = sim.run(&at_once());
        assert_eq!(answer.failure(), ("not_settled", "rolled_back"), "{}", answer.told());
        ends.judge(&sim, &answer, line);
    });
}

#[test]
fn without_a_window_a_cut_after_the_lines_ends_before_or_after() {
    let [first, second] = dialog();
    let commit = first.len();
    let ends = Ends::of(&scenario());
    let mut cases = vec![(format!("drop-before connection=1 {commit}"), "rolled_back")];
    cases.push((format!("drop-after connection=1 {commit}"), "changed"));
    // Neither the confirmation, nor the look at the sessions and the running-config after it.
    for line in 1..=second.len() - 3 {
        cases.extend(
            ["drop-before", "drop-after"].map(|rule| (format!("{rule} connection=2 {line}"), "changed")),
        );
    }
    each(cases, |(rule, expected)| {
        let sim = Sim::start();
        sim.control(&rule);
        let answer = sim.run(&at_once());
        let what = format!("{rule}: {}", answer.told());
        assert_eq!(answer.result["outcome"].as_str().unwrap_or("changed"), expected, "{what}");
        ends.judge(&sim, &answer, &what);
    });
}

#[test]
fn without_a_window_a_run_that_is_asked_to_stop_goes_back_too() {
    let ends = Ends::of(&scenario());
    let sim = Sim::start();
    sim.control("delay connection=2 100");
    let running = sim.begin(&at_once());
    sim.wait_for(|line| line == "commit");
    running.signal("TERM");
    let answer = running.finish();
    assert_eq!(answer.failure(), ("interrupted", "rolled_back"), "{}", answer.told());
    ends.judge(&sim, &answer, &answer.told());
}

#[test]
fn what_is_saved_is_what_was_asked_for() {
    // What is asked, whether others left something unsaved, whether all is saved in the end, whether that is told.
    let cases = vec![
        ("never", false, false, false),
        ("never", true, false, false),
        ("changed", false, true, false),
        ("changed", true, false, true),
        ("modified", false, true, false),
        ("modified", true, false, true),
        ("always", false, true, false),
        ("always", true, true, false),
    ];
    each(cases, |(save_when, has_others, is_saved, is_told)| {
        let sim = Sim::start();
        if has_others {
            sim.edit(&["interface Ethernet9/1", "description theirs"]);
        }
        let task = with(&json!({"save_when": save_when}));
        let (predicted, done) = (sim.check(&task), sim.run(&task));
        let what = format!("{save_when}, others: {has_others}: {}", done.told());
        assert!(done.changed(), "{what}");
        for key in ["changed", "changes", "commands", "warnings"] {
            assert_eq!(predicted.result[key], done.result[key], "{what}");
        }
        assert_eq!(sim.is_saved(), is_saved, "{what}");
        assert_eq!(done.result["warnings"].to_string().contains("is not saved"), is_told, "{what}");
        let again = sim.run(&task);
        assert!(!again.changed(), "{what}: {}", again.told());
        if !is_saved && !has_others {
            assert!(sim.run(&scenario()).changed() && sim.is_saved(), "{what}");
        }
    });
}

#[test]
fn what_is_modified_is_saved_where_nothing_else_is_to_be_done() {
    let sim = Sim::start();
    assert!(sim.run(&with(&json!({"save_when": "never"}))).changed());
    let typed = sim.typed().len();
    assert!(sim.run(&with(&json!({"save_when": "modified"}))).changed() && sim.is_saved());
    let typed = sim.typed().split_off(typed);
    assert!(!typed.iter().any(|line| line.contains("configure")), "{typed:#?}");
}

#[test]
fn check_mode_that_does_not_ask_the_switch_types_nothing_and_shows_the_same() {
    let sim = Sim::start();
    let asked = sim.check(&scenario());
    let typed = sim.typed().len();
    let unasked = sim.check(&with(&json!({"check_on_box": false})));
    let typed = sim.typed().split_off(typed);
    assert!(typed.iter().all(|line| !line.contains("configure")), "{typed:#?}");
    for key in ["changed", "changes", "commands", "before", "after", "warnings"] {
        assert_eq!(asked.result[key], unasked.result[key], "{key}");
    }
    // The differences are then its own, by object.
    assert!(unasked.result["diff"].to_string().contains("Port-Channel1001"), "{}", unasked.result["diff"]);
}

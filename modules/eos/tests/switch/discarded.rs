//! `state: discarded`: a change of ours that waits is undone at once, and nobody else's.

use std::process::Command;

use serde_json::{Value, json};

use crate::judge::each;
use crate::later::later;
use crate::sim::{Answer, Sim};

fn discard(sim: &Sim, more: &Value) -> Answer {
    let mut task = json!({"state": "discarded"});
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    sim.run(&task)
}

#[test]
fn what_waits_is_undone_at_once_and_read_back_over_a_new_connection() {
    let names =
        vec![json!({}), json!({"name": 1001}), json!({"name": "po1001", "description": "of no meaning"})];
    each(names, |more| {
        let sim = Sim::start();
        let before = sim.look();
        assert!(sim.run(&later()).changed());
        let session = sim.timer().unwrap();
        let mut check = more.clone();
        check["_ansible_check_mode"] = json!(true);
        let predicted = discard(&sim, &check);
        assert!(predicted.changed() && sim.timer().is_some());
        let from = sim.typed().len();
        let answer = discard(&sim, &more);
        assert!(answer.changed(), "{}", answer.told());
        for key in ["changes", "commands", "before", "after", "warnings"] {
            assert_eq!(predicted.result[key], answer.result[key], "{key}");
        }
        assert_eq!(answer.result["commands"], json!([format!("configure session {session} abort")]));
        assert!(answer.result["changes"].to_string().contains("remove Port-Channel1001"));
        let typed = sim.typed().split_off(from);
        let connection = |what: &str| {
            let line = typed.iter().rfind(|line| line.contains(what)).unwrap();
            line.split(' ').next().unwrap().parse::<u32>().unwrap()
        };
        assert!(connection("show running-config") > connection("abort"), "{typed:#?}");
        assert!(connection("show configuration sessions") > connection("abort"), "{typed:#?}");
        assert_eq!(sim.look(), before);
        assert!(!discard(&sim, &more).changed());
        assert!(sim.run(&later()).changed());
    });
}

#[test]
fn vlans_that_came_with_it_go_with_it() {
    let sim = Sim::start();
    let before = sim.look();
    let mut task = later();
    (task["trunk_vlans"], task["create_vlans"]) = (json!("10,30-31"), json!(true));
    assert!(sim.run(&task).changed());
    let answer = discard(&sim, &json!({}));
    assert!(answer.changed() && answer.result["changes"].to_string().contains("remove VLAN 30-31"));
    assert_eq!(sim.look(), before);
}

#[test]
fn where_nothing_of_ours_waits_nothing_is_changed() {
    let sim = Sim::start();
    sim.control("stop-clock");
    let before = sim.look();
    assert!(!discard(&sim, &json!({})).changed());
    // One whose time is over.
    assert!(sim.run(&later()).changed());
    sim.control("advance 301");
    let answer = discard(&sim, &json!({"name": 1001}));
    assert!(!answer.changed() && answer.result["warnings"] == json!([]), "{}", answer.told());
    assert_eq!(sim.look(), before);
}

#[test]
fn what_others_left_waiting_is_told_and_stays() {
    let sim = Sim::start();
    sim.admin(&["configure session night", "interface Port-Channel7", "commit timer 00:10:00"]);
    let before = sim.look();
    let answer = discard(&sim, &json!({}));
    assert!(!answer.changed());
    assert_eq!(
        answer.result["warnings"],
        json!(["somebody else's change waits to be confirmed in session night: it is left alone"])
    );
    assert_eq!(sim.look(), before);

    // Another control node's, and another Port-Channel's of this one.
    let sim = Sim::start();
    assert!(sim.run(&later()).changed());
    let before = sim.look();
    let node = [("XDG_STATE_HOME", sim.path("another-node"))];
    let mut module = Command::new(env!("CARGO_BIN_EXE_eos_port_channel"));
    let elsewhere = sim.begin_as(&mut module, &node, &json!({"state": "discarded"})).finish();
    let of_another = discard(&sim, &json!({"name": 1002}));
    for (answer, whose) in
        [(elsewhere, "somebody else's change"), (of_another, "a change of Port-Channel1001")]
    {
        assert!(!answer.changed());
        let warnings = answer.result["warnings"].to_string();
        assert!(warnings.contains(whose) && warnings.contains("is left alone"), "{warnings}");
    }
    assert_eq!(sim.look(), before);
}

#[test]
fn what_a_killed_run_left_is_undone_too() {
    for is_committed in [true, false] {
        let sim = Sim::start();
        let before = sim.look();
        sim.control("delay connection=1 60");
        sim.control("delay connection=2 1000");
        let mut task = later();
        task["confirm"] = json!("now");
        let running = sim.begin(&task);
        if is_committed {
            sim.wait_for(|line| line.starts_with("commit timer"));
            sim.wait(|| (!sim.control("timer").is_empty()).then_some(()));
        } else {
            sim.wait_for(|line| line.starts_with("interface "));
        }
        running.kill();
        sim.control("clear");
        assert_eq!(discard(&sim, &json!({})).changed(), is_committed);
        assert_eq!(sim.look(), before);
    }
}

#[test]
fn an_answer_that_is_lost_makes_no_difference() {
    let sim = Sim::start();
    sim.run(&later()).changed();
    let from = sim.typed().len();
    discard(&sim, &json!({})).changed();
    let lines = sim.typed().split_off(from);
    let at = lines.iter().position(|line| line.ends_with("abort")).unwrap();
    let first = lines[0].split(' ').next().unwrap().to_owned();
    // The connections of the discarding run alone are counted.
    let of_first = lines.iter().filter(|line| line.split(' ').next() == Some(first.as_str())).count();
    let of_second = lines.len() - of_first;
    let mut cases: Vec<(u8, usize)> = (at..=of_first).map(|line| (1, line)).collect();
    cases.extend((1..=of_second).map(|line| (2, line)));
    let cases = cases.into_iter().flat_map(|(connection, line)| {
        ["drop-before", "drop-after"].map(|rule| format!("{rule} connection={connection} {line}"))
    });
    each(cases.collect(), |rule| {
        let sim = Sim::start();
        let before = sim.look();
        assert!(sim.run(&later()).changed());
        sim.control(&rule);
        let answer = discard(&sim, &json!({}));
        assert!(answer.changed(), "{rule}: {}", answer.told());
        sim.control("clear");
        assert_eq!(sim.look(), before, "{rule}");
    });
}

#[test]
fn what_the_switch_does_not_undo_is_told_and_goes_by_itself() {
    let sim = Sim::start();
    sim.control("stop-clock");
    let before = sim.look();
    assert!(sim.run(&later()).changed());
    let session = sim.timer().unwrap();
    let abort = format!("configure session {session} abort");
    for (rule, code) in [("ignore", "session_left"), ("refuse", "line_refused")] {
        sim.control(&format!("{rule} {abort}"));
        let answer = discard(&sim, &json!({}));
        assert_eq!(answer.failure(), (code, "unchanged"), "{}", answer.told());
        assert!(answer.told().contains("the switch undoes it by itself at 2"), "{}", answer.told());
        sim.control("clear");
        assert_eq!(sim.timer(), Some(session.clone()));
    }
    sim.control("advance 301");
    assert_eq!(sim.look(), before);
}

#[test]
fn a_switch_that_is_away_after_it_was_told_goes_back_all_the_same() {
    let sim = Sim::start();
    let before = sim.look();
    let mut task = later();
    task["confirm_within"] = json!(10);
    assert!(sim.run(&task).changed());
    sim.control("refuse-connections connection=2");
    let answer = discard(&sim, &json!({"timeout": 2}));
    let (code, outcome) = answer.failure();
    assert_eq!((code, outcome), ("handshake_failed", "pending_revert"), "{}", answer.told());
    sim.control("clear");
    assert_eq!(sim.look(), before);
}

#[test]
fn it_says_of_no_port_channel_of_a_list_that_it_is_discarded() {
    let sim = Sim::start();
    let answer = discard(&sim, &json!({"config": [{"name": 1001}]}));
    assert_eq!(answer.failure(), ("mutually_exclusive", "unchanged"));
    let answer = sim.run(&json!({"config": [{"name": 1001, "state": "discarded"}]}));
    assert_eq!(answer.failure(), ("wrong_choice", "unchanged"));
    let answer = sim.run(&json!({"confirm": "later"}));
    assert_eq!(answer.failure(), ("required_if", "unchanged"));
    assert_eq!(sim.connections(), 0);
}

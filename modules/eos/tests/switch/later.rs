//! `confirm: later`: the change is left waiting, and what becomes of it is a later run's, or the switch's own.

use std::fs;

use serde_json::{Value, json};

use crate::cut::task;
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::{Answer, STARTUP, Sim};

/// The scenario's task, left to be confirmed within five minutes.
pub fn later() -> Value {
    let mut task = task(300, 30);
    task["confirm"] = json!("later");
    task
}

/// A switch on which that was run.
fn left() -> (Sim, Answer) {
    let sim = Sim::start();
    let answer = sim.run(&later());
    assert!(answer.changed(), "{}", answer.told());
    (sim, answer)
}

/// The files that runs keep of their sessions.
fn notes(sim: &Sim) -> Vec<String> {
    let folder = fs::read_dir(sim.path(".local/state/bothends")).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("bothends-")).collect()
}

/// What is typed from here on, by `run`.
fn typed_by(sim: &Sim, run: impl FnOnce()) -> Vec<String> {
    let from = sim.typed().len();
    run();
    sim.typed().split_off(from)
}

#[test]
fn the_change_is_live_read_back_over_a_new_connection_and_neither_confirmed_nor_saved() {
    for release in ["4.28.3M", "4.35.1F"] {
        let sim = Sim::start_with(&STARTUP.replace("4.28.3M", release), &[]);
        let predicted = sim.check(&later());
        let answer = sim.run(&later());
        assert!(predicted.changed() && answer.changed(), "{}", answer.told());
        for key in ["changes", "commands", "warnings", "before", "after"] {
            assert_eq!(predicted.result[key], answer.result[key], "{key}");
        }
        assert!(!answer.result["commands"].to_string().contains("copy"), "{}", answer.result["commands"]);
        let found = sim.look();
        assert!(found.running.contains("interface Port-Channel1001\n") && !found.is_saved);
        assert_eq!(found.open_sessions, Vec::from_iter(found.timer));
        let provisional = &answer.result["provisional"];
        let left = provisional["seconds_left"].as_u64().unwrap();
        assert!((120..=300).contains(&left), "{provisional}");
        assert!(humantime::parse_rfc3339(provisional["reverts_at"].as_str().unwrap()).is_ok());
        let typed = sim.typed();
        let (read, _) = typed.iter().rev().find_map(|line| line.split_once(" show running-config")).unwrap();
        assert!(typed.contains(&"2 show running-config".to_owned()) && read != "1", "{typed:#?}");
        assert!(predicted.result.get("provisional").is_none());
    }
}

#[test]
fn it_is_confirmed_and_saved_by_a_later_run_that_may_be_in_another_hurry_and_wait_for_lacp() {
    let now = |more: &Value| {
        let mut task = scenario();
        for (name, value) in more.as_object().unwrap() {
            task[name] = value.clone();
        }
        task
    };
    each(
        vec![
            json!({}),
            json!({"confirm_within": 17}),
            json!({"confirm_within": 0}),
            json!({"wait_for_lacp": 30}),
        ],
        |more| {
            let (sim, _) = left();
            let session = sim.timer().unwrap();
            let check = sim.check(&now(&more));
            assert!(check.changed() && check.result.get("provisional").is_none(), "{}", check.told());
            let mut answer = None;
            let typed = typed_by(&sim, || answer = Some(sim.run(&now(&more))));
            let answer = answer.unwrap();
            assert!(answer.changed(), "{more}: {}", answer.told());
            assert_eq!(answer.result["warnings"], json!([]), "{more}");
            assert_eq!(
                answer.result["changes"],
                json!(["what an earlier run of this task changed is made final"])
            );
            let has = |text: &str| typed.iter().any(|line| line.contains(text));
            assert!(
                has(&format!("configure session {session} commit")) && !has("commit timer"),
                "{typed:#?}"
            );
            assert_eq!(notes(&sim), Vec::<String>::new());
            assert!(!Ends::of(&scenario()).heals(&sim, "confirmed"));
        },
    );
}

#[test]
fn several_of_one_list_are_left_and_confirmed_together() {
    let list = |confirm: &str| {
        json!({"confirm": confirm, "config": [
            {"name": 1001, "members": [{"interface": "et7/1"}]}, {"name": 1002, "members": [{"interface": "et8/1"}]},
        ]})
    };
    let sim = Sim::start();
    assert!(sim.run(&list("later")).changed() && sim.timer().is_some());
    assert!(sim.run(&list("now")).changed() && sim.timer().is_none() && sim.is_saved());
    assert!(!sim.run(&list("later")).changed() && !sim.interface("Port-Channel1002").is_empty());
}

#[test]
fn a_second_run_that_leaves_it_tells_the_same_time_and_changes_nothing() {
    let (sim, first) = left();
    let before = sim.look();
    let typed = typed_by(&sim, || {
        for again in [sim.run(&later()), sim.check(&later())] {
            assert!(!again.changed(), "{}", again.told());
            let left = |answer: &Answer| answer.result["provisional"]["seconds_left"].as_u64().unwrap();
            assert!(left(&again) <= left(&first), "{}", again.result);
            assert!(again.result["provisional"]["reverts_at"].is_string());
            assert_eq!(again.result["warnings"], json!([]));
        }
    });
    assert!(!typed.iter().any(|line| line.contains("configure")), "{typed:#?}");
    assert_eq!(sim.look(), before);
    assert_eq!(notes(&sim), Vec::from_iter(before.timer));
}

#[test]
fn one_that_declares_something_else_of_it_replaces_it() {
    let (sim, _) = left();
    let session = sim.timer().unwrap();
    let mut other = later();
    other["description"] = json!("another");
    let answer = sim.run(&other);
    assert!(answer.changed() && answer.result["provisional"].is_object(), "{}", answer.told());
    assert!(sim.timer().is_some_and(|timer| timer != session));
    assert!(sim.interface("Port-Channel1001").contains(&"   description another".to_owned()));
}

#[test]
fn with_nobody_left_the_switch_undoes_it_and_nothing_remains_after_the_next_run() {
    let sim = Sim::start();
    let before = sim.look();
    sim.control("stop-clock");
    assert!(sim.run(&later()).changed());
    sim.control("advance 301");
    assert_eq!(sim.look(), before);
    // It holds no lock: another task has its turn at once.
    assert!(!sim.run(&json!({"name": 1002, "state": "absent", "lock_timeout": 0})).changed());
    assert_eq!((sim.look(), notes(&sim)), (before, vec![]));
}

#[test]
fn a_confirming_run_that_comes_too_late_makes_it_anew_and_says_so() {
    let sim = Sim::start();
    sim.control("stop-clock");
    assert!(sim.run(&later()).changed());
    sim.control("advance 301");
    let (predicted, answer) = (sim.check(&scenario()), sim.run(&scenario()));
    for answer in [&predicted, &answer] {
        assert!(answer.changed(), "{}", answer.told());
        let warnings = answer.result["warnings"].to_string();
        assert!(warnings.contains("was not confirmed in time, or undone: it is made anew"), "{warnings}");
    }
    assert!(!Ends::of(&scenario()).heals(&sim, "made anew"));
    assert_eq!(notes(&sim), Vec::<String>::new());
}

#[test]
fn the_switch_that_is_not_reached_after_the_commit_goes_back_and_nothing_is_left() {
    let ends = Ends::of(&scenario());
    let cases = vec![
        ("refuse-connections connection=2", "handshake_failed"),
        // The look whether its timer runs comes after the running-config.
        ("refuse-login connection=2", "authentication_failed"),
    ];
    each(cases, |(rule, code)| {
        let sim = Sim::start();
        sim.control(rule);
        let mut task = later();
        (task["confirm_within"], task["timeout"]) = (json!(10), json!(2));
        let answer = sim.run(&task);
        assert_eq!(answer.failure(), (code, "pending_revert"), "{}", answer.told());
        ends.judge(&sim, &answer, rule);
        assert_eq!(notes(&sim), Vec::<String>::new());
    });
}

#[test]
fn one_that_could_not_be_looked_at_is_taken_up_by_the_next_run_where_it_still_waits() {
    for confirm in ["later", "now"] {
        let sim = Sim::start();
        // The first run gives up long before the switch does.
        sim.control("refuse-login connection=2");
        let failed = sim.run(&later());
        assert_eq!(failed.failure(), ("authentication_failed", "pending_revert"), "{}", failed.told());
        sim.control("clear");
        let session = sim.timer().unwrap();
        let mut task = later();
        task["confirm"] = json!(confirm);
        let answer = sim.run(&task);
        assert_eq!(answer.changed(), confirm == "now", "{}", answer.told());
        assert_eq!(answer.result.get("provisional").is_some(), confirm == "later");
        assert_eq!(sim.timer(), Some(session).filter(|_| confirm == "later"));
        assert!(sim.run(&json!({"state": "discarded"})).changed() == (confirm == "later"));
        assert_eq!((sim.interface("Port-Channel1001").is_empty(), notes(&sim)), (confirm == "later", vec![]));
    }
}

#[test]
fn a_line_that_is_lost_with_the_connection_leaves_it_waiting_or_undone() {
    let lines = {
        let sim = Sim::start();
        sim.run(&later()).changed();
        sim.typed().iter().filter(|line| line.starts_with("2 ")).count()
    };
    let ends = Ends::of(&scenario());
    let cases = (1..=lines).flat_map(|line| ["drop-before", "drop-after"].map(|rule| (rule, line)));
    each(cases.collect(), |(rule, line)| {
        let sim = Sim::start();
        sim.control(&format!("{rule} connection=2 {line}"));
        let answer = sim.run(&later());
        assert!(answer.changed() && sim.timer().is_some(), "{rule} {line}: {}", answer.told());
        assert!(ends.heals(&sim, rule));
    });
}

#[test]
fn without_lacp_it_is_not_left_but_undone() {
    let channel = "interface Port-Channel1001\n   port-channel min-links 3\n!\ninterface Ethernet1/1\n";
    let sim = Sim::start_with(&STARTUP.replace("interface Ethernet1/1\n", channel), &[]);
    let before = sim.look();
    let mut task = later();
    task["wait_for_lacp"] = json!(2);
    assert_eq!(sim.run(&task).failure(), ("lacp_not_up", "rolled_back"));
    assert_eq!((sim.look(), notes(&sim)), (before, vec![]));
}

#[test]
fn a_commit_whose_timer_the_switch_does_not_keep_is_not_told_as_one_that_waits() {
    let sim = Sim::start();
    sim.control("stop-clock");
    let mut task = later();
    task["wait_for_lacp"] = json!(100);
    sim.control("partner Ethernet7/1 silent");
    let running = sim.begin(&task);
    sim.wait_for(|line| line.starts_with("show lacp interface"));
    let session = sim.timer().unwrap();
    // Somebody confirms it while it is being proved.
    sim.admin(&[&format!("configure session {session} commit")]);
    sim.control("partner Ethernet7/1 up");
    let answer = running.finish();
    assert_eq!(answer.failure(), ("confirm_failed", "needs_attention"), "{}", answer.told());
}

#[test]
fn tasks_of_other_port_channels_wait_for_it_and_never_undo_it() {
    let (sim, _) = left();
    let before = sim.look();
    let other = json!({"name": 1002, "members": [{"interface": "et9/1"}], "lock_timeout": 1});
    let answer = sim.run(&other);
    assert_eq!(answer.failure(), ("commit_timer_pending", "unchanged"), "{}", answer.told());
    assert!(
        answer.told().contains("a change of Port-Channel1001, which another task confirms"),
        "{}",
        answer.told()
    );
    let check = sim.check(&other);
    assert!(check.changed() && check.told().contains("of Port-Channel1001"), "{}", check.told());
    assert_eq!(sim.look(), before);
    // One that has a part of it would be undone behind its back.
    let part = json!({"config": [{"name": 1001}, {"name": 1003, "state": "absent"}]});
    assert_eq!(sim.run(&part).failure(), ("unconfirmed_change", "unchanged"));
    assert_eq!(sim.look(), before);
    let waiting =
        sim.begin(&json!({"name": 1002, "members": [{"interface": "et9/1"}], "save_when": "never"}));
    let typed = sim.typed().len();
    sim.wait_for_lines(typed + 10);
    assert!(sim.run(&scenario()).changed() && waiting.finish().changed());
    assert!(!sim.interface("Port-Channel1001").is_empty() && !sim.interface("Port-Channel1002").is_empty());
}

#[test]
fn without_a_time_to_confirm_it_in_it_is_refused() {
    let sim = Sim::start();
    let mut task = later();
    task["confirm_within"] = json!(0);
    let answer = sim.run(&task);
    assert_eq!(answer.failure(), ("invalid_combination", "unchanged"));
    for option in ["`confirm: later`", "`confirm_within: 0`"] {
        assert!(answer.told().contains(option), "{}", answer.told());
    }
    assert_eq!(sim.connections(), 0);
}

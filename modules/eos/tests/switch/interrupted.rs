//! The module is killed, or asked to stop, at each line of the dialog in turn: the next run cleans up after it, and never
//! after somebody who is still at work.

use serde_json::json;

use crate::cut::{dialog, task};
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::{Running, STARTUP, Sim};

/// Stops a run after each of its lines in turn.
fn after_each_line(stop: impl Fn(&Sim, Running, usize) + Sync) {
    let [first, second] = dialog();
    each((1..=first.len() + second.len()).collect(), |count| {
        let sim = Sim::start();
        // Long enough to be in time with a signal.
        sim.control("delay 60");
        let running = sim.begin(&task(60, 30));
        sim.wait_for_lines(count);
        stop(&sim, running, count);
    });
}

#[test]
fn killed_after_any_line_it_leaves_nothing_that_the_next_run_does_not_see_to() {
    let ends = Ends::of(&scenario());
    after_each_line(|sim, running, count| {
        running.kill();
        sim.control("clear");
        let what = format!("killed after line {count}: {:?}", sim.typed().last());
        ends.heals(sim, &what);
    });
}

#[test]
fn asked_to_stop_after_any_line_it_says_what_became_of_the_switch() {
    let ends = Ends::of(&scenario());
    after_each_line(|sim, running, count| {
        running.signal("TERM");
        let answer = running.finish();
        let what = format!("stopped after line {count}: {}", answer.told());
        if answer.status != 0 {
            assert_eq!(answer.failure().0, "interrupted", "{what}");
        }
        sim.control("clear");
        assert_eq!(sim.open_sessions(), Vec::<String>::new(), "{what}");
        ends.judge(sim, &answer, &what);
    });
}

#[test]
fn its_change_that_waits_to_be_confirmed_is_taken_over_where_it_is_what_is_declared() {
    // From 4.32 on, EOS tells otherwise which session waits.
    each(vec!["4.28.3M", "4.35.1F"], |release| {
        let sim = Sim::start_with(&STARTUP.replace("4.28.3M", release), &[]);
        let session = killed_after_the_commit(&sim, 60);
        let typed = sim.typed().len();
        // Check mode predicts it and leaves it alone.
        assert!(sim.check(&task(60, 30)).changed());
        assert_eq!(sim.timer(), Some(session.clone()));
        let next = sim.run(&task(60, 30));
        assert!(next.changed() && next.result["warnings"].to_string().contains(&session), "{}", next.told());
        let typed = sim.typed().split_off(typed);
        let has = |text: &str| typed.iter().any(|line| line.contains(text));
        assert!(has(&format!("configure session {session} commit")) && !has("commit timer"), "{typed:#?}");
        assert!(!Ends::of(&scenario()).heals(&sim, release));
    });
}

#[test]
fn its_change_that_waits_to_be_confirmed_is_undone_where_something_else_is_declared() {
    let sim = Sim::start();
    let before = sim.running();
    let session = killed_after_the_commit(&sim, 60);
    let other = json!({"name": 1002, "members": [{"interface": "et9/1"}]});
    let next = sim.run(&other);
    assert!(next.changed(), "{}", next.told());
    let abort = format!("configure session {session} abort");
    assert!(sim.typed().iter().any(|line| line.ends_with(&abort)), "{:#?}", sim.typed());
    assert_eq!(sim.open_sessions(), Vec::<String>::new());
    assert_eq!(sim.interface("Port-Channel1001"), Vec::<String>::new());
    assert!(sim.run(&json!({"name": 1002, "state": "absent"})).changed());
    assert_eq!(sim.running(), before);
}

#[test]
fn a_change_of_its_own_that_the_switch_does_not_undo_ends_the_run() {
    let sim = Sim::start();
    let session = killed_after_the_commit(&sim, 60);
    sim.control(&format!("ignore configure session {session} abort"));
    let next = sim.run(&json!({"name": 1002}));
    assert_eq!(next.failure(), ("session_left", "unchanged"), "{}", next.told());
    assert_eq!(sim.timer(), Some(session));
}

/// The name of the session whose timer runs, for so many seconds.
fn killed_after_the_commit(sim: &Sim, window: u64) -> String {
    sim.control("delay connection=2 1000");
    let running = sim.begin(&task(window, 30));
    sim.wait_for(|line| line.starts_with("commit timer"));
    // The next line is one of the second connection.
    sim.wait_for_lines(sim.typed().len() + 1);
    running.kill();
    sim.control("clear");
    sim.timer().unwrap()
}

#[test]
fn a_takeover_that_the_switch_does_not_answer_is_not_told_as_nothing_done() {
    let ends = Ends::of(&scenario());
    each(vec!["drop-before", "drop-after"], |rule| {
        let sim = Sim::start();
        killed_after_the_commit(&sim, 25);
        // `enable`, `terminal length 0`, sessions, `show version` for when it ends, two configurations, the confirmation.
        sim.control(&format!("{rule} connection=1 7"));
        sim.control("refuse-connections connection=2");
        let next = sim.run(&task(60, 2));
        let what = format!("{rule}: {}", next.told());
        assert_eq!(next.failure(), ("confirm_unanswered", "needs_attention"), "{what}");
        sim.control("clear");
        // It tried to learn what became of it until the switch had decided.
        let is_there = !sim.interface("Port-Channel1001").is_empty();
        assert_eq!((sim.timer(), is_there), (None, rule == "drop-after"), "{what}");
        assert!(ends.heals(&sim, &what));
    });
}

#[test]
fn a_session_that_somebody_is_at_work_in_is_left_alone() {
    let sim = Sim::start();
    sim.control("delay connection=1 150");
    let mut check = task(60, 30);
    check["_ansible_check_mode"] = json!(true);
    // Check mode takes no lock.
    let at_work = sim.begin(&check);
    let session = sim.session();
    let done = sim.run(&json!({"name": 1002, "confirm_within": 0}));
    assert!(done.changed(), "{}", done.told());
    let at_work = at_work.finish();
    assert!(at_work.changed(), "{}", at_work.told());
    let typed = sim.typed();
    let aborts: Vec<_> = typed.iter().filter(|line| line.ends_with(&format!("{session} abort"))).collect();
    assert!(aborts.len() == 1 && aborts[0].starts_with("1 "), "{typed:#?}");
}

#[test]
fn a_timer_of_somebody_who_is_at_work_is_waited_for() {
    let sim = Sim::start();
    sim.control("delay connection=2 300");
    let mut task = task(60, 30);
    // Neither saves what the other has not saved yet.
    task["save_when"] = json!("never");
    let at_work = sim.begin(&task);
    sim.wait_for(|line| line.starts_with("commit timer"));
    // The same switch by another name has another queue.
    let other = json!({"name": 1002, "host": "localhost", "host_key_checking": false, "save_when": "never"});
    let second = sim.run(&other);
    let first = at_work.finish();
    assert!(first.changed() && second.changed(), "{}\n{}", first.told(), second.told());
    assert!(!sim.interface("Port-Channel1001").is_empty() && !sim.interface("Port-Channel1002").is_empty());
    assert_eq!(sim.open_sessions(), Vec::<String>::new());
}

//! The switch refuses a line, or takes it and does nothing: the change is whole or not there, and the answer says so.

use serde_json::{Value, json};

use crate::cut::{dialog, task};
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::{Answer, Running, Sim};

/// The lines that are typed in the session.
fn lines() -> Vec<String> {
    let [first, _] = dialog();
    let begin = first.iter().position(|line| line.starts_with("interface ")).unwrap();
    let mut lines: Vec<String> =
        first[begin..].iter().take_while(|line| !line.starts_with("show ")).cloned().collect();
    lines.dedup();
    assert!(lines.len() > 10, "{first:#?}");
    lines
}

/// Runs the task, with a rule that needs the name of the session, which is given before the commit.
fn run_with(sim: &Sim, task: &Value, rule: impl Fn(&str) -> Vec<String>) -> Answer {
    sim.control("delay connection=1 100");
    let running: Running = sim.begin(task);
    for rule in rule(&sim.session()) {
        sim.control(&rule);
    }
    running.finish()
}

#[test]
fn any_line_leaves_the_switch_as_it_was_and_no_session() {
    let ends = Ends::of(&scenario());
    let mut cases: Vec<(String, &str)> = lines().into_iter().map(|line| (line, "line_refused")).collect();
    cases.push(("enable".to_owned(), "privilege_refused"));
    cases.push(("show running-config".to_owned(), "line_refused"));
    cases.push(("show session-config diffs".to_owned(), "line_refused"));
    cases.push(("show configuration sessions".to_owned(), "line_refused"));
    cases.push(("configure session bothends".to_owned(), "line_refused"));
    cases.push(("commit timer".to_owned(), "commit_refused"));
    each(cases, |(line, code)| {
        let sim = Sim::start();
        sim.control(&format!("refuse {line} with Not today"));
        let answer = sim.run(&task(60, 30));
        let what = format!("{line}: {}", answer.told());
        assert_eq!(answer.failure(), (code, "unchanged"), "{what}");
        assert!(answer.result["msg"].as_str().unwrap().contains("Not today"), "{what}");
        sim.control("clear");
        assert_eq!(sim.open_sessions(), Vec::<String>::new(), "{what}");
        ends.judge(&sim, &answer, &what);
    });
}

#[test]
fn what_the_switch_takes_and_does_not_do_is_found_and_undone() {
    let ends = Ends::of(&scenario());
    let mut cases: Vec<(String, (&str, &str))> = lines()
        .into_iter()
        .map(|line| match line.as_str() {
            // What follows is not for a Port-Channel, or for nothing.
            "interface Port-Channel1001" | "interface Ethernet7/1" => (line, ("line_refused", "unchanged")),
            _ => (line, ("not_settled", "rolled_back")),
        })
        .collect();
    cases.push(("commit timer".to_owned(), ("commit_refused", "unchanged")));
    cases.push(("configure session".to_owned(), ("unexpected_answer", "unchanged")));
    cases.push(("show running-config".to_owned(), ("unexpected_answer", "unchanged")));
    cases.push(("connection=2 show running-config".to_owned(), ("unexpected_answer", "rolled_back")));
    each(cases, |(line, expected)| {
        let sim = Sim::start();
        sim.control(&format!("ignore {line}"));
        let answer = sim.run(&task(60, 30));
        let what = format!("{line}: {}", answer.told());
        if line.starts_with("connection=2") {
            // It cannot be read back that it is as before: somebody has to look, and sees that it is.
            assert_eq!(answer.failure(), (expected.0, "needs_attention"), "{what}");
            sim.control("clear");
            assert_eq!(sim.interface("Port-Channel1001"), Vec::<String>::new(), "{what}");
            assert!(ends.heals(&sim, &what));
            return;
        }
        assert_eq!(answer.failure(), expected, "{what}");
        sim.control("clear");
        assert_eq!(sim.open_sessions(), Vec::<String>::new(), "{what}");
        ends.judge(&sim, &answer, &what);
    });
}

#[test]
fn the_sessions_are_read_as_a_table_where_there_is_no_json() {
    let sim = Sim::start();
    sim.control("refuse show configuration sessions detail | json with This is an unconverted command");
    assert!(sim.run(&task(60, 30)).changed());
    sim.control("clear");
    assert!(!Ends::of(&scenario()).heals(&sim, "text"));
}

#[test]
fn a_confirmation_that_is_refused_or_not_done_undoes_the_change() {
    let ends = Ends::of(&scenario());
    each(vec!["refuse", "ignore"], |rule| {
        let sim = Sim::start();
        let answer = run_with(&sim, &task(60, 30), |session| {
            vec![format!("{rule} configure session {session} commit")]
        });
        assert_eq!(answer.failure(), ("confirm_refused", "rolled_back"), "{}", answer.told());
        ends.judge(&sim, &answer, rule);
    });
}

#[test]
fn where_the_way_back_is_refused_too_the_switch_goes_it_by_itself() {
    let ends = Ends::of(&scenario());
    each(vec!["refuse", "ignore"], |rule| {
        let sim = Sim::start();
        let answer = run_with(&sim, &task(20, 30), |session| {
            vec![
                format!("refuse configure session {session} commit"),
                format!("{rule} configure session {session} abort"),
            ]
        });
        assert_eq!(answer.failure(), ("confirm_refused", "pending_revert"), "{}", answer.told());
        assert_eq!(answer.result["changed"], true);
        ends.judge(&sim, &answer, rule);
    });
}

#[test]
fn a_session_that_cannot_be_aborted_is_told_and_the_next_run_aborts_it() {
    let ends = Ends::of(&scenario());
    let mut check = task(60, 30);
    check["_ansible_check_mode"] = json!(true);
    each(vec!["refuse", "ignore"], |rule| {
        let sim = Sim::start();
        let answer =
            run_with(&sim, &check, |session| vec![format!("{rule} configure session {session} abort")]);
        assert!(answer.changed());
        let left = sim.open_sessions();
        assert_eq!(left.len(), 1, "{}", answer.told());
        assert!(answer.result["warnings"].to_string().contains(&left[0]), "{}", answer.told());
        // While it still does not go, it keeps nobody from the switch.
        let second = sim.run(&json!({"name": 7, "confirm_within": 10, "save_when": "never"}));
        assert!(
            second.changed() && second.result["warnings"].to_string().contains(&left[0]),
            "{}",
            second.told()
        );
        sim.control("clear");
        assert!(sim.run(&json!({"name": 7, "state": "absent", "confirm_within": 10})).changed());
        assert_eq!(sim.open_sessions(), Vec::<String>::new());
        ends.heals(&sim, rule);
    });
}

#[test]
fn a_change_that_is_final_and_not_saved_wants_attention_and_the_next_run_saves_it() {
    let ends = Ends::of(&scenario());
    each(vec!["refuse", "ignore"], |rule| {
        let sim = Sim::start();
        sim.control(&format!("{rule} copy running-config"));
        let answer = sim.run(&task(60, 30));
        assert_eq!(answer.failure(), ("not_saved", "needs_attention"), "{}", answer.told());
        assert!(sim.timer().is_none() && !sim.is_saved());
        let again = sim.run(&task(60, 30));
        assert_eq!(again.failure(), ("not_saved", "needs_attention"), "{}", again.told());
        sim.control("clear");
        assert!(ends.heals(&sim, rule) && !ends.heals(&sim, rule));
    });
}

//! The connection is cut, or falls silent, at each line of the dialog in turn: the switch ends as before or completely
//! changed and confirmed, the answer says which, and the next run leaves nothing of ours behind.

use serde_json::{Value, json};

use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::Sim;

/// The scenario's task, with how long the switch waits to be confirmed and each step may take.
pub fn task(confirm_within: u64, timeout: u64) -> Value {
    let mut task = scenario();
    task["confirm_within"] = json!(confirm_within);
    task["timeout"] = json!(timeout);
    task
}

/// The lines of an undisturbed run, for each of its connections.
pub fn dialog() -> [Vec<String>; 2] {
    dialog_of(&task(60, 30))
}

/// The same of another task.
pub fn dialog_of(task: &Value) -> [Vec<String>; 2] {
    let sim = Sim::start();
    assert!(sim.run(task).changed());
    let mut lines = [Vec::new(), Vec::new()];
    for typed in sim.typed() {
        let (connection, line) = typed.split_once(' ').unwrap();
        lines[connection.parse::<usize>().unwrap() - 1].push(line.to_owned());
    }
    lines
}

/// What is to be expected of `rule` at a line, for every line of both connections.
fn at_each_line(rule: &str, timeout: u64, expected: impl Fn(&str) -> &'static str + Sync) {
    let dialog = dialog();
    assert!(dialog[0].len() > 15 && dialog[1].len() > 6, "{dialog:#?}");
    let ends = Ends::of(&scenario());
    let cases = (1..=2).flat_map(|connection| {
        let lines = dialog[connection - 1].iter().enumerate();
        lines.map(move |(at, line)| (format!("{rule} connection={connection} {}", at + 1), line))
    });
    each(cases.collect(), |(rule, line)| {
        let sim = Sim::start();
        sim.control(&rule);
        let answer = sim.run(&task(60, timeout));
        let told = answer.result["outcome"].as_str().unwrap_or("changed");
        let what = format!("{rule}: {line}: {}", answer.told());
        let is_first = rule.contains("connection=1");
        let expected = if is_first { expected(line) } else { "changed" };
        assert_eq!(told, expected, "{what}");
        ends.judge(&sim, &answer, &what);
    });
}

#[test]
fn a_line_that_is_lost_with_the_connection() {
    at_each_line(
        "drop-before",
        30,
        |line| if line.starts_with("commit") { "rolled_back" } else { "unchanged" },
    );
}

#[test]
fn a_line_whose_answer_is_lost_with_the_connection() {
    at_each_line("drop-after", 30, |line| if line.starts_with("commit") { "changed" } else { "unchanged" });
}

#[test]
fn a_line_after_which_nothing_more_is_heard() {
    at_each_line("hang-after", 5, |line| if line.starts_with("commit") { "changed" } else { "unchanged" });
}

//! Two tasks for one switch: one is stopped after each of its lines in turn, while the other one runs from its beginning to its
//! end. They share a lock, or they come from control nodes that know of each other only by what the switch shows.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::cut::{dialog_of, task};
use crate::judge::each;
use crate::sim::{Answer, Running, Sim};

/// Which lines of the first one are tried.
#[derive(Debug, Clone, Copy)]
enum Moments {
    /// Every fourth, and the two around the commit.
    Some,
    Every,
}

/// Where the other one runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    ThisNode,
    AnotherNode,
}

/// A module that is stopped, and never left so.
struct Stopped(Option<Running>);

impl Stopped {
    /// Begins a task and stops it after so many lines.
    fn after(sim: &Sim, task: &Value, count: usize) -> Self {
        // Long enough to be in time with a signal.
        sim.control("delay 80");
        let running = sim.begin(task);
        sim.wait_for_lines(count);
        running.signal("STOP");
        sim.control("clear");
        Self(Some(running))
    }

    fn go_on(mut self) -> Answer {
        let running = self.0.take().unwrap();
        running.signal("CONT");
        running.finish()
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            running.kill();
        }
    }
}

/// The task of the first one. What is saved, and what not because of others, is `manner.rs`'s.
fn first() -> Value {
    let mut task = task(60, 30);
    task["save_when"] = json!("never");
    task
}

/// The same for another Port-Channel.
fn of_another_channel() -> Value {
    json!({
        "name": 1002, "description": "PVE-N2-LACP", "mode": "trunk", "save_when": "never",
        "members": [{"interface": "Ethernet9/1"}, {"interface": "Ethernet10/1"}],
    })
}

/// The same for the same Port-Channel, of which it wants something else.
fn of_the_same_channel() -> Value {
    let mut task = first();
    task["description"] = json!("PVE-N1 as its other owner calls it");
    task
}

fn begin(sim: &Sim, from: From, task: &Value, lock_timeout: u64) -> Running {
    let mut task = task.clone();
    task["lock_timeout"] = json!(lock_timeout);
    let state = sim.path("another-node");
    let variables = match from {
        From::ThisNode => vec![],
        From::AnotherNode => vec![("XDG_STATE_HOME", state)],
    };
    sim.begin_as(&mut Command::new(env!("CARGO_BIN_EXE_eos_port_channel")), &variables, &task)
}

fn at(moments: Moments) -> Vec<usize> {
    let [lines, more] = dialog_of(&first());
    let commit = lines.iter().position(|line| line.starts_with("commit")).unwrap() + 1;
    let all = 1..=lines.len() + more.len();
    match moments {
        Moments::Every => all.collect(),
        Moments::Some => {
            all.step_by(4).chain([commit - 1, commit]).collect::<BTreeSet<_>>().into_iter().collect()
        }
    }
}

/// What the switch runs after these tasks, one after the other.
fn after(tasks: &[Value]) -> String {
    let sim = Sim::start();
    for task in tasks {
        assert!(sim.run(task).changed());
    }
    sim.running()
}

/// The other one does not wait: it is done, or it says who keeps it from that, and has changed nothing.
fn who_does_not_wait(moments: Moments, from: From, second: &Value) {
    let is_same = second["name"] == first()["name"];
    let (ours, theirs) = (after(&[first()]), after(std::slice::from_ref(second)));
    let both = if is_same { theirs.clone() } else { after(&[first(), second.clone()]) };
    each(at(moments), |count| {
        let sim = Sim::start();
        let stopped = Stopped::after(&sim, &first(), count);
        let what = format!("stopped after line {count}: {:?}", sim.typed().last());
        let before = sim.running();
        let other = begin(&sim, from, second, 1).finish();
        let what = format!("{what}; the other one: {}", other.told());
        let is_done = other.status == 0;
        if !is_done {
            let (code, outcome) = other.failure();
            assert!(["another_run", "commit_timer_pending", "locked"].contains(&code), "{what}");
            assert_eq!((outcome, sim.running()), ("unchanged", before), "{what}");
        }
        let answer = stopped.go_on();
        let what = format!("{what}; the first one: {}", answer.told());
        let running = sim.running();
        if answer.status != 0 {
            // Theirs came after it was confirmed, and before that was looked at.
            assert!(
                is_same && is_done && answer.failure().1 == "needs_attention" && running == theirs,
                "{what}"
            );
        } else if !is_done {
            assert_eq!(running, ours, "{what}");
        } else if is_same {
            assert!(running == ours || running == theirs, "{what}: {running}");
        } else {
            assert_eq!(running, both, "{what}");
        }
        assert_eq!(sim.open_sessions(), Vec::<String>::new(), "{what}");
        begin(&sim, from, second, 60).finish().changed();
        assert_eq!((sim.running(), sim.open_sessions()), (both.clone(), vec![]), "{what}");
    });
}

/// The other one waits: both are done.
fn who_waits(moments: Moments, from: From) {
    let both = after(&[first(), of_another_channel()]);
    each(at(moments), |count| {
        let sim = Sim::start();
        let stopped = Stopped::after(&sim, &first(), count);
        let what = format!("stopped after line {count}: {:?}", sim.typed().last());
        let lines = sim.typed().len();
        let other = begin(&sim, from, &of_another_channel(), 120);
        if from == From::AnotherNode {
            // It has read the switch, and waits or is about to open a session.
            sim.wait_for_lines(lines + 5);
        }
        let (answer, other) = (stopped.go_on(), other.finish());
        assert!(answer.changed() && other.changed(), "{what}: {}\n{}", answer.told(), other.told());
        assert_eq!((sim.running(), sim.open_sessions()), (both.clone(), vec![]), "{what}");
    });
}

#[test]
fn another_node_that_does_not_wait_loses_nothing_and_overwrites_nothing() {
    who_does_not_wait(Moments::Some, From::AnotherNode, &of_another_channel());
}

#[test]
fn another_node_that_wants_the_same_port_channel_gets_it_whole_or_not_at_all() {
    who_does_not_wait(Moments::Some, From::AnotherNode, &of_the_same_channel());
}

#[test]
fn another_node_that_waits_has_its_turn() {
    who_waits(Moments::Some, From::AnotherNode);
}

#[test]
fn another_task_of_this_node_has_its_turn_or_is_told_that_it_has_not() {
    who_does_not_wait(Moments::Some, From::ThisNode, &of_another_channel());
    who_waits(Moments::Some, From::ThisNode);
}

#[test]
#[ignore = "minutes: make soak"]
fn at_every_moment_of_each_others_dialog() {
    for second in [of_another_channel(), of_the_same_channel()] {
        for from in [From::ThisNode, From::AnotherNode] {
            who_does_not_wait(Moments::Every, from, &second);
        }
    }
    for from in [From::ThisNode, From::AnotherNode] {
        who_waits(Moments::Every, from);
    }
}

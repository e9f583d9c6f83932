//! What a killed run left is cleaned up by the next one, and the connection of that one is cut too, at each of its lines in turn.

use crate::cut::task;
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::Sim;

/// Where the killed run was.
#[derive(Debug, Clone, Copy)]
enum Killed {
    /// In its session, with nothing live.
    InItsSession,
    /// With its change live, and its commit timer running.
    BeforeItConfirmed,
}

impl Killed {
    /// The switch of the scenario as that run left it.
    fn leave(self) -> Sim {
        let sim = Sim::start();
        let last = match self {
            Self::InItsSession => "channel-group",
            Self::BeforeItConfirmed => "commit timer",
        };
        sim.control("delay 100");
        let running = sim.begin(&task(120, 30));
        sim.wait_for(|line| line.starts_with(last));
        running.kill();
        sim.control("clear");
        sim.wait(|| (!sim.open_sessions().is_empty()).then_some(()));
        sim
    }

    /// How many lines the next run types over each of its connections.
    fn lines(self) -> [usize; 2] {
        let sim = self.leave();
        let before = sim.typed().len();
        assert!(sim.run(&task(120, 30)).changed());
        let typed = sim.typed().split_off(before);
        let number = |line: &String| line.split_once(' ').unwrap().0.parse::<usize>().unwrap();
        let first = number(&typed[0]);
        [first, first + 1].map(|connection| typed.iter().filter(|line| number(line) == connection).count())
    }
}

/// Every `step`th line, and the last.
fn cut_at_every(step: usize, killed: Killed) {
    let ends = Ends::of(&scenario());
    let lines = killed.lines();
    let mut cases = Vec::new();
    for rule in ["drop-before", "drop-after"] {
        for (connection, count) in (1..).zip(lines) {
            let lines = (1..=count).filter(|line| line % step == 0 || *line == count);
            cases.extend(lines.map(|line| format!("{rule} connection={connection} {line}")));
        }
    }
    assert!(cases.len() > 4, "{cases:?}");
    each(cases, |rule| {
        let sim = killed.leave();
        sim.control(&rule);
        let answer = sim.run(&task(120, 30));
        sim.control("clear");
        let what = format!("{killed:?}, then {rule}: {}", answer.told());
        if answer.status == 0 {
            assert!(
                sim.open_sessions().is_empty() && !sim.interface("Port-Channel1001").is_empty(),
                "{what}"
            );
        }
        ends.heals(&sim, &what);
    });
}

#[test]
fn a_session_of_a_killed_run_is_gone_in_the_end_wherever_the_next_one_is_cut() {
    cut_at_every(7, Killed::InItsSession);
}

#[test]
fn a_change_of_a_killed_run_is_final_or_undone_in_the_end_wherever_the_next_one_is_cut() {
    cut_at_every(3, Killed::BeforeItConfirmed);
}

#[test]
#[ignore = "minutes: make soak"]
fn wherever_the_next_one_is_cut() {
    for killed in [Killed::InItsSession, Killed::BeforeItConfirmed] {
        cut_at_every(1, killed);
    }
}

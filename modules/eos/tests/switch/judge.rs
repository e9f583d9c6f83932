//! Whether what a run answered is what became of the switch. What goes wrong on the way is each test's.

use std::fmt::Debug;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::look::Look;
use crate::sim::{Answer, Sim};

/// Most of a run is waiting.
const AT_ONCE: usize = 8;

/// The two ways in which a switch may end.
pub struct Ends {
    task: Value,
    before: String,
    after: String,
}

impl Ends {
    /// Of a task, from the switch of the scenario.
    pub fn of(task: &Value) -> Self {
        let sim = Sim::start();
        let before = sim.running();
        assert!(sim.run(task).changed());
        Self { task: task.clone(), before, after: sim.running() }
    }

    /// That the switch is as `answer` says, and as declared after one more run that nothing disturbs.
    #[track_caller]
    pub fn judge(&self, sim: &Sim, answer: &Answer, what: &str) {
        sim.control("clear");
        let outcome = answer.result["outcome"].as_str();
        if outcome == Some("pending_revert") {
            let until = answer.result["reverts_at"].as_str().unwrap();
            sleep_until(humantime::parse_rfc3339(until).unwrap());
        }
        let found = sim.look();
        let expected = match outcome {
            None => {
                assert!(answer.changed(), "{what}");
                assert_eq!(found.open_sessions, Vec::<String>::new(), "{what}");
                &self.after
            }
            Some("unchanged" | "rolled_back" | "pending_revert") => &self.before,
            Some(_) => panic!("somebody has to look: {what}"),
        };
        assert_eq!((&found.running, &found.timer), (expected, &None), "{what}");
        self.heals(sim, what);
    }

    /// That one more run leaves everything as declared, and nothing of ours; and that it says truly whether it changed
    /// anything, which is given.
    #[track_caller]
    pub fn heals(&self, sim: &Sim, what: &str) -> bool {
        let declared =
            Look { running: self.after.clone(), is_saved: true, open_sessions: Vec::new(), timer: None };
        let found = sim.look();
        let changed = sim.run(&self.task).changed();
        // A session that is pending is no difference.
        let is_declared = (&found.running, found.is_saved, &found.timer) == (&self.after, true, &None);
        assert_eq!(changed, !is_declared, "{what}");
        assert_eq!(sim.look(), declared, "{what}");
        changed
    }
}

/// Runs each case, several at once.
pub fn each<T: Send + Debug>(cases: Vec<T>, run: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases.into_iter());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = { cases.lock().unwrap().next() } {
                    run(case);
                }
            });
        }
    });
}

/// A moment longer, as the switch counts from its own clock.
fn sleep_until(time: SystemTime) {
    let left = time.duration_since(SystemTime::now()).unwrap_or_default();
    thread::sleep(left + Duration::from_secs(1));
}

//! A run of another module that is changing the node now, or was interrupted while it did: its checkpoint, seen from
//! outside. Going back from it is `node.rs`'s.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use ansible_module::checkpoint::{Glimpse, Maker, glimpse};
use ansible_module::fault::Fault;
use ansible_module::lock::holder;
use serde::Serialize;

use crate::paths::Paths;

/// A run with a checkpoint.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Run {
    /// Its checkpoint.
    folder: PathBuf,
    module: Option<String>,
    pid: Option<u32>,
    /// The last step that was begun.
    step: Option<String>,
    /// When that was: RFC 3339, UTC.
    since: String,
    /// Whether somebody is at work on it: whoever holds the lock.
    running: bool,
}

impl Run {
    /// The run that has a checkpoint, if there is one.
    pub(super) fn found(paths: &Paths) -> Result<Option<Self>, Fault> {
        let Some(seen) = glimpse(&paths.state)? else { return Ok(None) };
        let running = holder(&paths.node_lock, &paths.proc.join("locks")).is_some();
        // A run removes its checkpoint before it lets go of the lock: one that ended meanwhile is no interrupted one.
        let seen = if running { Some(seen) } else { glimpse(&paths.state)? };
        Ok(seen.map(|seen| Self::new(seen, running)))
    }

    fn new(Glimpse { folder, since, maker }: Glimpse, running: bool) -> Self {
        let (module, pid, step) = match maker {
            Some(Maker { module, pid, step, .. }) => (Some(module), Some(pid), Some(step)),
            None => (None, None, None),
        };
        Self { folder, module, pid, step, since: rfc3339(since), running }
    }

    /// What is to be done about a run that was interrupted.
    pub(super) fn warning(&self) -> Option<String> {
        let folder = self.folder.display();
        let told = match (&self.module, &self.step) {
            _ if self.running => return None,
            (Some(module), Some(step)) => format!(
                "a run of {module} was interrupted in the middle of a change, at `{step}`; \
                 hint: `{module} --rollback {folder}` goes back from it, and so does the next run of any module that changes this node"
            ),
            _ => format!(
                "a run was interrupted in the middle of a change, and its checkpoint `{folder}` cannot be read by this version; \
                 hint: go back with the version that made it, or remove it when the node is as it should be"
            ),
        };
        Some(told)
    }
}

/// `2026-03-01T12:30:00Z`.
fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's `civil_from_days`: years begin in March, so that a leap day is the last of one.
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * march + 2) / 5 + 1, if march < 10 { march + 3 } else { march - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use ansible_module::checkpoint::Checkpoint;
    use ansible_module::lock::Lock;

    use super::*;

    #[test]
    fn a_time_is_told_in_utc() {
        for (seconds, told) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn a_run_is_running_while_the_lock_is_held_and_interrupted_when_it_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        let paths = Paths {
            state: scratch.path().join("state"),
            node_lock: scratch.path().join("run/node.lock"),
            ..Paths::default()
        };
        assert_eq!(Run::found(&paths).unwrap(), None);
        let lock = Lock::acquire(&paths.node_lock, "pve_ovs_bond", Duration::ZERO, &|| false).unwrap();
        assert_eq!(Run::found(&paths).unwrap(), None, "nothing is changed yet");
        let mut made = Checkpoint::create(&paths.state, "pve_ovs_bond", vec![], ()).unwrap();
        made.step("reload", vec![]).unwrap();
        let run = Run::found(&paths).unwrap().unwrap();
        assert_eq!(
            (run.module.as_deref(), run.pid, run.step.as_deref(), run.running, run.warning()),
            (Some("pve_ovs_bond"), Some(std::process::id()), Some("reload"), true, None)
        );

        drop(lock);
        let warning = Run::found(&paths).unwrap().unwrap().warning().unwrap();
        let folder = made.folder().display();
        assert!(warning.contains(&format!("`pve_ovs_bond --rollback {folder}`")), "{warning}");
        fs::write(made.folder().join(Path::new("checkpoint.json")), "{").unwrap();
        let run = Run::found(&paths).unwrap().unwrap();
        assert_eq!((&run.module, run.pid, &run.step), (&None, None, &None));
        assert!(run.warning().unwrap().contains("cannot be read by this version"));
    }
}

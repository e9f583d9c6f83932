//! A run of another module that is changing the node now, or was interrupted while it did: its checkpoint, seen from
//! outside. Going back from it is `node.rs`'s.

use std::path::PathBuf;

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
        Self {
            folder,
            module,
            pid,
            step,
            since: humantime::format_rfc3339_seconds(since).to_string(),
            running,
        }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use ansible_module::checkpoint::Checkpoint;
    use ansible_module::lock::Lock;

    use super::*;

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

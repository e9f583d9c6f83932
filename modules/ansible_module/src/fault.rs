//! What went wrong, where in the flow, and under which stable code. What became of the device: `outcome.rs`.

use std::error::Error;
use std::fmt;

/// A failed step, as the device or the module tells it.
///
/// The message follows one form: what was tried on what, then the fact, then `hint:` with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Stable, documented code, such as `nic_not_found`.
    pub code: &'static str,
    /// One line for the person who reads it at two in the morning.
    pub message: String,
}

impl Fault {
    /// A fault with its code and message.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A fault that tells `error` and all that caused it, the whole chain in one line.
    pub fn from_error(code: &'static str, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self { code, message }
    }

    /// The same fault with `prefix: ` before its message.
    #[must_use]
    pub fn context(self, prefix: &str) -> Self {
        Self { message: format!("{prefix}: {}", self.message), ..self }
    }
}

/// The steps of a run, in their order; `error.step` of a failure names one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading what Ansible sent.
    Request,
    /// Checking the arguments, before any device is touched.
    Arguments,
    /// Waiting for the lock.
    Lock,
    /// Going back from what an interrupted earlier run left.
    Recover,
    /// Reading the device.
    Read,
    /// Working out the target and the changes.
    Plan,
    /// Noting down how to go back.
    Checkpoint,
    /// Changing the device.
    Apply,
    /// Reading back until nothing is left to change.
    Settle,
    /// Waiting for what was asked beyond configuration, such as LACP.
    Condition,
    /// Making the change final.
    Commit,
    /// Keeping the final state over a restart of the device.
    Persist,
    /// Going back.
    Rollback,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Arguments => "arguments",
            Self::Lock => "lock",
            Self::Recover => "recover",
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Checkpoint => "checkpoint",
            Self::Apply => "apply",
            Self::Settle => "settle",
            Self::Condition => "condition",
            Self::Commit => "commit",
            Self::Persist => "persist",
            Self::Rollback => "rollback",
        })
    }
}

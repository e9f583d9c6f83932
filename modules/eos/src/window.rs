//! The time within which a change has to be confirmed, or the switch undoes it. The switch's begins some time between
//! our typing of the commit and its answer.

use std::time::{Duration, SystemTime};

/// What logging in and confirming may take at the very end.
const MARGIN: Duration = Duration::from_secs(3);

/// A window that is open.
#[derive(Debug, Clone)]
pub struct Window {
    /// The earliest that it may end, of the run's clock.
    ends: Duration,
    /// The latest.
    has_ended: Duration,
    /// The same of the machine's clock.
    ends_at: SystemTime,
}

impl Window {
    /// One of this length. The commit was typed at the moment `typed` of the run's clock, and it is `now` that it was
    /// answered or will never be.
    pub fn new(length: Duration, typed: Duration, now: Duration) -> Self {
        Self { ends: typed + length, has_ended: now + length, ends_at: SystemTime::now() + length }
    }

    /// Until when it makes sense to begin to confirm.
    pub fn last_attempt(&self) -> Duration {
        self.ends.saturating_sub(MARGIN)
    }

    /// From when on the switch has surely undone the change.
    pub fn is_over_at(&self) -> Duration {
        self.has_ended + MARGIN
    }

    /// When the switch undoes the change, RFC 3339.
    pub fn reverts_at(&self) -> String {
        humantime::format_rfc3339_seconds(self.ends_at).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_may_end_as_early_as_the_commit_was_typed_and_as_late_as_it_was_answered() {
        let seconds = Duration::from_secs;
        let window = Window::new(seconds(10), seconds(100), seconds(108));
        assert!(window.last_attempt() < seconds(110) && window.is_over_at() > seconds(118));
        assert!(window.last_attempt() > seconds(100));
    }
}

//! The time within which a change has to be confirmed, or the switch undoes it. Ours begins before the switch's does.

use std::time::{Duration, SystemTime};

/// What logging in and confirming may take at the very end.
const MARGIN: Duration = Duration::from_secs(3);

/// A window that is open.
#[derive(Debug, Clone)]
pub struct Window {
    ends: Duration,
    ends_at: SystemTime,
}

impl Window {
    /// One of this length that opens at `now`, a moment of the run's clock.
    pub fn new(length: Duration, now: Duration) -> Self {
        Self { ends: now + length, ends_at: SystemTime::now() + length }
    }

    /// Until when it makes sense to begin to confirm.
    pub fn last_attempt(&self) -> Duration {
        self.ends.saturating_sub(MARGIN)
    }

    /// From when on the switch has surely undone the change.
    pub fn is_over_at(&self) -> Duration {
        self.ends + MARGIN
    }

    /// When the switch undoes the change, RFC 3339.
    pub fn reverts_at(&self) -> String {
        humantime::format_rfc3339_seconds(self.ends_at).to_string()
    }
}

//! The time within which a change has to be confirmed, or the switch undoes it. The switch's begins some time between
//! our typing of the commit and its answer.

use std::time::{Duration, SystemTime};

use ansible_module::fault::Fault;

/// What logging in and confirming may take at the very end.
const MARGIN: Duration = Duration::from_secs(3);

/// What logging in again and reading back may take before anything can be waited for, in seconds.
pub const SHORTEST: u64 = 10;

/// Whether there is time to wait for something within a window of this length.
pub fn has_room(length: Option<Duration>, wait: Duration) -> Result<(), Fault> {
    let Some(length) = length.map(|length| length.as_secs()) else { return Ok(()) };
    let wait = wait.as_secs();
    let least = wait + SHORTEST;
    if wait == 0 || least <= length {
        return Ok(());
    }
    Err(Fault::new(
        "invalid_combination",
        format!(
            "`wait_for_lacp`: {wait} seconds do not fit into the {length} of `confirm_within`, at whose end the switch \
             undoes the change; hint: at least {least} for `confirm_within`, or at most {} for `wait_for_lacp`",
            length.saturating_sub(SHORTEST)
        ),
    ))
}

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

    /// How long is surely left.
    pub fn left(&self, now: Duration) -> Duration {
        self.ends.saturating_sub(now)
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
    fn a_wait_that_leaves_no_time_to_confirm_is_refused_with_both_numbers() {
        let judge = |length, wait| {
            let length = Some(length).filter(|length| *length > 0).map(Duration::from_secs);
            has_room(length, Duration::from_secs(wait)).map_err(|fault| (fault.code, fault.message))
        };
        for (length, wait) in [(60, 50), (60, 0), (10, 0), (0, 3600)] {
            assert_eq!(judge(length, wait), Ok(()), "{length} {wait}");
        }
        let (code, message) = judge(60, 51).unwrap_err();
        assert_eq!(code, "invalid_combination");
        for number in ["51 seconds", "60 of", "at least 61", "at most 50"] {
            assert!(message.contains(number), "{message}");
        }
    }

    #[test]
    fn it_may_end_as_early_as_the_commit_was_typed_and_as_late_as_it_was_answered() {
        let seconds = Duration::from_secs;
        let window = Window::new(seconds(10), seconds(100), seconds(108));
        assert!(window.last_attempt() < seconds(110) && window.is_over_at() > seconds(118));
        assert!(window.last_attempt() > seconds(100));
        assert_eq!((window.left(seconds(104)), window.left(seconds(111))), (seconds(6), Duration::ZERO));
    }
}

//! The time in which a provisional change waits to be confirmed, on a clock that goes on while the node sleeps and begins
//! anew when it boots.

use std::time::{Duration, SystemTime};

use ansible_module::fault::Fault;
use ansible_module::outcome::Provisional;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A window that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// How long it is open, in seconds.
    pub seconds: u64,
    /// Its end, in milliseconds since the node booted.
    deadline: u64,
    /// Its end as people read it, RFC 3339.
    reverts_at: String,
}

impl Window {
    /// Opens a window.
    pub fn open(seconds: u64) -> Result<Self, Fault> {
        let length = Duration::from_secs(seconds);
        let ends = SystemTime::now() + length;
        Ok(Self {
            seconds,
            deadline: milliseconds(since_boot()? + length),
            reverts_at: humantime::format_rfc3339_seconds(ends).to_string(),
        })
    }

    /// What is left of it.
    pub fn left(&self) -> Result<Duration, Fault> {
        Ok(Duration::from_millis(self.deadline.saturating_sub(milliseconds(since_boot()?))))
    }

    /// Whether nothing is left of it. Where the clock can't be read, the change goes back rather than stays.
    pub fn is_over(&self) -> bool {
        !self.left().is_ok_and(|left| !left.is_zero())
    }

    /// When it ends, RFC 3339.
    pub fn reverts_at(&self) -> &str {
        &self.reverts_at
    }

    /// What a result tells of it.
    pub fn told(&self) -> Provisional {
        let seconds_left = self.left().unwrap_or_default().as_secs();
        Provisional { reverts_at: self.reverts_at.clone(), seconds_left }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn since_boot() -> Result<Duration, Fault> {
    let time = clock_gettime(ClockId::CLOCK_BOOTTIME).map_err(|error| {
        Fault::new("kernel_unreadable", format!("reading the time since boot failed: {error}"))
    })?;
    Ok(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_over_when_its_seconds_are() {
        let window = Window::open(3600).unwrap();
        assert!(!window.is_over());
        assert!((3590..=3600).contains(&window.told().seconds_left), "{window:?}");
        assert!(Window::open(0).unwrap().is_over());
    }

    #[test]
    fn another_process_reads_the_same_end() {
        let window = Window::open(60).unwrap();
        let text = serde_json::to_string(&window).unwrap();
        assert_eq!(serde_json::from_str::<Window>(&text).unwrap(), window);
    }
}

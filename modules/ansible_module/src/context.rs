//! What surrounds a run: the clock, the wish to stop, and the log. One place, so that tests can put in their own.

use std::cell::RefCell;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::secret::Secrets;

/// A monotonic clock that can be waited on.
pub trait Clock {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The machine's monotonic clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// What a run is given beside its arguments.
pub struct Context {
    /// Predict, touch nothing.
    pub check_mode: bool,
    /// The clock of every wait and deadline.
    pub clock: Box<dyn Clock>,
    /// Set by SIGTERM, SIGINT and SIGHUP; noticed between steps.
    pub interrupted: Arc<AtomicBool>,
    /// Where the steps are noted.
    pub log: Log,
}

impl Context {
    /// Ends a run that was asked to stop.
    pub fn stop_if_interrupted(&self) -> Result<(), Fault> {
        if self.is_interrupted() {
            return Err(Fault::new("interrupted", "the run was asked to stop by a signal"));
        }
        Ok(())
    }

    /// Whether the run was asked to stop.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// The log of one run: kept for the checkpoint, and sent to syslog where there is one.
#[derive(Debug, Default)]
pub struct Log {
    module: &'static str,
    syslog: Option<UnixDatagram>,
    secrets: Secrets,
    lines: RefCell<Vec<String>>,
}

impl Log {
    /// A log that also goes to the syslog socket at `socket` if one listens there.
    pub fn to_syslog(module: &'static str, socket: &Path, secrets: Secrets) -> Self {
        let syslog = UnixDatagram::unbound().ok().filter(|datagram| {
            // A full or dead socket must not hold up a change.
            datagram.set_nonblocking(true).is_ok() && datagram.connect(socket).is_ok()
        });
        Self { module, syslog, secrets, lines: RefCell::default() }
    }

    /// Notes a line. That it could not be sent is no reason to fail.
    pub fn line(&self, text: &str) {
        let text = self.secrets.mask_text(text);
        if let Some(syslog) = &self.syslog {
            // Facility user (1), severity notice (5): RFC 3164.
            let _ = syslog
                .send(format!("<13>bothends[{}]: {}: {text}", std::process::id(), self.module).as_bytes());
        }
        self.lines.borrow_mut().push(text);
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }
}

//! A clock for tests that passes only while somebody sleeps, so that none of them waits.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ansible_module::context::{Clock, Context, Log};

/// The clock. Whoever holds its time sees it pass.
pub struct StoppedClock(pub Rc<Cell<Duration>>);

impl Clock for StoppedClock {
    fn now(&self) -> Duration {
        self.0.get()
    }

    fn sleep(&self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

/// A run that goes by it and is asked nothing, and its time.
pub fn context() -> (Context, Rc<Cell<Duration>>) {
    let time = Rc::new(Cell::new(Duration::ZERO));
    let context = Context {
        check_mode: false,
        clock: Box::new(StoppedClock(Rc::clone(&time))),
        interrupted: Arc::new(AtomicBool::new(false)),
        log: Log::default(),
    };
    (context, time)
}

//! The simulated switch: the state that all its connections share. What is typed at it is `terminal.rs`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::dataplane::DataPlane;
use crate::terminal::Terminal;

/// What a switch begins with.
pub struct Setup {
    /// Its startup-config. Its Ethernet interfaces are those that this text names.
    pub startup: String,
    /// What its configuration is made real with.
    pub plane: Box<dyn DataPlane>,
    /// The password of `enable`. Without one, `enable` asks for none.
    pub enable_secret: Option<String>,
}

/// A running switch. Clones are the same switch.
#[derive(Clone)]
pub struct Switch {
    state: Arc<Mutex<State>>,
}

struct State {
    startup: String,
}

impl Switch {
    /// Boots: the startup-config becomes the running-config and is made real.
    pub fn new(setup: Setup) -> anyhow::Result<Self> {
        let state = State { startup: setup.startup };
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// A connection of `user`, who comes from the address `from`.
    pub fn terminal(&self, user: &str, privileged: bool, from: &str) -> Terminal {
        Terminal::new(self.clone(), user, privileged, from)
    }

    /// Lets time pass: commit timers that ran out are gone back from.
    pub fn tick(&self, _now: Instant) {}

    /// Its name.
    pub fn hostname(&self) -> String {
        "localhost".to_owned()
    }

    /// The startup-config as it is saved now.
    pub fn startup_text(&self) -> String {
        self.state().startup.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The simulated switch as a whole: it is booted, connected to, and time passes for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use crate::dataplane::DataPlane;
use crate::disobedience::Disobedience;
use crate::names::Name;
use crate::partner::Partner;
use crate::state::State;
use crate::terminal::Terminal;

/// What a switch begins with.
pub struct Setup {
    /// Its startup-config. Its Ethernet interfaces are those that this text names; its model and release are told by the
    /// line `! device: NAME (MODEL, EOS-RELEASE)`.
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

impl Switch {
    /// Boots: the startup-config becomes the running-config and is made real.
    pub fn new(setup: Setup) -> anyhow::Result<Self> {
        let state = State::boot(setup.startup, setup.plane, setup.enable_secret)?;
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// A connection of `user`, who comes from the address `from`.
    pub fn terminal(&self, user: &str, privileged: bool, from: &str) -> Terminal {
        Terminal::new(Arc::clone(&self.state), user, privileged, from)
    }

    /// What time it is there.
    pub fn now(&self) -> SystemTime {
        self.state().clock.now()
    }

    /// Does what it is time for, such as going back from a commit whose timer ran out.
    pub fn tick(&self) {
        self.state().tick();
    }

    /// Has time pass only by [`Switch::advance`] from now on.
    pub fn stop_clock(&self) {
        self.state().clock.stop();
    }

    /// Moves the clock forward, and does what it is time for then.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.clock.advance(by);
        state.tick();
    }

    /// Sets spanning tree's forward delay: how long an interface without portfast waits before it forwards. None at all
    /// is no spanning tree, which is how a switch begins.
    pub fn delay_forwarding(&self, delay: Duration) {
        self.state().delay_forwarding(delay);
    }

    /// Has the ports do otherwise than they are told, from now on.
    pub fn disobey(&self, disobedience: Disobedience) {
        self.state().disobey(disobedience);
    }

    /// Plugs the cables of two ports in at each other's place.
    ///
    /// # Errors
    /// The switch has no such port, or its cable is crossed with another one's.
    pub fn cross(&self, one: &str, other: &str) -> anyhow::Result<()> {
        let [one, other] =
            [one, other].map(|port| Name::parse(port).with_context(|| format!("`{port}` is no port")));
        self.state().cross(&one?, &other?)
    }

    /// Says who is at the other end of a port's cable.
    ///
    /// # Errors
    /// The switch has no such port, or its cable is real and can only be pulled.
    pub fn set_partner(&self, port: &str, partner: Partner) -> anyhow::Result<()> {
        let name = Name::parse(port).with_context(|| format!("`{port}` is no port"))?;
        self.state().set_partner(&name, partner)
    }

    /// Its name.
    pub fn hostname(&self) -> String {
        self.state().running.hostname().to_owned()
    }

    /// The startup-config as it is saved now.
    pub fn startup_text(&self) -> String {
        self.state().startup.clone()
    }

    /// The session whose commit waits to be confirmed.
    pub fn commit_timer(&self) -> Option<String> {
        self.state().sessions.timer().map(|timer| timer.session.clone())
    }

    /// What went wrong beneath the CLI since this was last asked, to be logged.
    pub fn troubles(&self) -> Vec<String> {
        std::mem::take(&mut self.state().troubles)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

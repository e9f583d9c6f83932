//! What all connections share: the configurations, the sessions, the ports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::clock::Clock;
use crate::config::Config;
use crate::crossing::Crossing;
use crate::dataplane::{DataPlane, Fallback, Intent, Status};
use crate::disobedience::Disobedience;
use crate::forwarding::{Forwarding, Verdict};
use crate::live::{Histories, Live};
use crate::names::Name;
use crate::partner::Partner;
use crate::platform::Platform;
use crate::session::{Connection, Sessions};

/// The number of the first terminal.
const FIRST_VTY: u32 = 2;

/// What is judged may be the cause of what is judged next: a fallback brings a Port-Channel up, which then waits for its
/// forward delay. There is no longer chain.
const ROUNDS: usize = 4;

/// The state of the switch.
pub struct State {
    /// Which switch it is.
    pub platform: Platform,
    /// The startup-config as it is saved.
    pub startup: String,
    /// Files in flash, without the startup-config.
    pub files: BTreeMap<String, String>,
    /// The running-config. Whoever changes it calls [`State::make_real`].
    pub running: Config,
    /// The configuration sessions.
    pub sessions: Sessions,
    /// The Ethernet interfaces that the switch has.
    pub ports: BTreeSet<Name>,
    /// The password of `enable`.
    pub enable_secret: Option<String>,
    /// The switch's clock.
    pub clock: Clock,
    /// When it was started.
    pub booted: SystemTime,
    /// What is to be logged.
    pub troubles: Vec<String>,
    /// Who is connected, by terminal.
    pub connections: BTreeMap<u32, Connection>,
    plane: Box<dyn DataPlane>,
    intent: Intent,
    disobedience: Disobedience,
    crossing: Crossing,
    forwarding: Forwarding,
    verdict: Verdict,
    histories: Histories,
}

impl State {
    /// Starts with a startup-config.
    ///
    /// # Errors
    /// What the data plane says to it.
    pub fn boot(
        startup: String,
        plane: Box<dyn DataPlane>,
        enable_secret: Option<String>,
    ) -> anyhow::Result<Self> {
        let clock = Clock::default();
        let platform = Platform::parse(&startup);
        let mut running = Config::parse(&startup);
        running.lacp_rate = platform.prints_lacp_rate();
        let ports = running.interfaces.keys().filter(|name| name.is_ethernet()).cloned().collect();
        let mut state = Self {
            platform,
            startup,
            files: BTreeMap::new(),
            running,
            sessions: Sessions::default(),
            ports,
            enable_secret,
            booted: clock.now(),
            clock,
            troubles: Vec::new(),
            connections: BTreeMap::new(),
            plane,
            intent: Intent::default(),
            disobedience: Disobedience::default(),
            crossing: Crossing::default(),
            forwarding: Forwarding::default(),
            verdict: Verdict::default(),
            histories: Histories::new(),
        };
        state.apply()?;
        Ok(state)
    }

    /// Gives a connection its terminal.
    pub fn connect(&mut self, user: &str, from: &str) -> Connection {
        let free = (FIRST_VTY..=u32::MAX).find(|vty| !self.connections.contains_key(vty));
        let who = Connection { user: user.to_owned(), from: from.to_owned(), vty: free.unwrap_or(FIRST_VTY) };
        self.connections.insert(who.vty, who.clone());
        who
    }

    /// Brings the ports to the running-config. What cannot be done is a trouble: a switch takes any configuration.
    pub fn make_real(&mut self) {
        if let Err(error) = self.apply() {
            self.troubles.push(format!("the configuration could not be made real: {error:#}"));
        }
    }

    fn apply(&mut self) -> anyhow::Result<()> {
        for _ in 0..ROUNDS {
            self.verdict = Verdict::default();
            if self.forwarding.concerns(&self.running) {
                let live = self.observe();
                self.verdict = self.forwarding.judge(&self.running, &live, self.clock.now());
            }
            let intent = self.running.intent(&self.ports, &self.verdict);
            if self.intent == intent {
                break;
            }
            let applied = self.plane.apply(&self.crossing.meant(self.disobedience.made_of(&intent)));
            self.intent = intent;
            applied?;
        }
        Ok(())
    }

    /// What the ports were last told.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// What a Port-Channel does because nobody answers LACP.
    pub fn fallback(&self, channel: u32) -> Option<&Fallback> {
        self.verdict.fallbacks.get(&channel)
    }

    /// Sets how long an interface without portfast waits before it forwards. Where none did so far, those
    /// that are up begin to.
    pub fn delay_forwarding(&mut self, delay: Duration) {
        self.forwarding.delay = delay;
        self.make_real();
    }

    /// Has the ports do otherwise than they are told, from now on.
    pub fn disobey(&mut self, disobedience: Disobedience) {
        self.disobedience = disobedience;
        self.forwarding.heeds_portfast = disobedience != Disobedience::Portfast;
        // What they were told is not what they do.
        self.intent = Intent::default();
        self.make_real();
    }

    /// Plugs the cables of two ports in at each other's place.
    ///
    /// # Errors
    /// The switch has no such port, or its cable is crossed with another one's.
    pub fn cross(&mut self, one: &Name, other: &Name) -> anyhow::Result<()> {
        for port in [one, other] {
            anyhow::ensure!(self.ports.contains(port), "the switch has no port {port}");
        }
        let (first, second) = (one.to_string(), other.to_string());
        anyhow::ensure!(
            self.crossing.swap(&first, &second),
            "the cable of {first} or {second} is crossed with another one's"
        );
        self.intent = Intent::default();
        self.make_real();
        Ok(())
    }

    /// Says who is at the other end of a port's cable.
    ///
    /// # Errors
    /// The switch has no such port, or its cables are real.
    pub fn set_partner(&mut self, port: &Name, partner: Partner) -> anyhow::Result<()> {
        anyhow::ensure!(self.ports.contains(port), "the switch has no port {port}");
        self.plane.set_partner(&port.to_string(), partner)?;
        // Who was told the same before may do it otherwise now.
        self.intent = Intent::default();
        self.make_real();
        Ok(())
    }

    /// What the ports are doing now.
    pub fn observe(&mut self) -> Live {
        let status = self.plane.status().unwrap_or_else(|error| {
            self.troubles.push(format!("the ports could not be read: {error:#}"));
            Status::default()
        });
        let status = self.crossing.seen(status);
        Live::new(&self.running, &self.ports, &status, &mut self.histories, self.clock.now())
    }

    /// Lets time pass.
    pub fn tick(&mut self) {
        self.sessions.tick(&mut self.running, self.clock.now());
        self.make_real();
    }

    /// The text of a configuration, as it is compared and saved.
    pub fn text(&self, config: &Config, all: bool) -> String {
        let Platform { model, release } = &self.platform;
        let name = self.running.hostname();
        format!("! device: {name} ({model}, EOS-{release})\n!\n{}", config.text(all))
    }

    /// What `rollback clean-config` puts in a session: nothing is configured, and the ports are there.
    pub fn clean_config(&self) -> Config {
        let mut config = Config {
            boot: self.running.boot.clone(),
            lacp_rate: self.running.lacp_rate,
            ..Config::default()
        };
        config.enter(&self.ports.iter().cloned().collect::<Vec<_>>());
        config
    }

    /// The running-config becomes the startup-config.
    pub fn save(&mut self) {
        self.startup = self.text(&self.running, false);
    }
}

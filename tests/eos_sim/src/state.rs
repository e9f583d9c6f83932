//! What all connections share: the configurations, the sessions, the ports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Instant, SystemTime};

use crate::config::Config;
use crate::dataplane::{DataPlane, Intent, Status};
use crate::live::{Histories, Live};
use crate::names::Name;
use crate::platform::Platform;
use crate::session::{Connection, Sessions};

/// The number of the first terminal.
const FIRST_VTY: u32 = 2;

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
    /// When it was started.
    pub booted: SystemTime,
    /// What is to be logged.
    pub troubles: Vec<String>,
    /// Who is connected, by terminal.
    pub connections: BTreeMap<u32, Connection>,
    plane: Box<dyn DataPlane>,
    intent: Intent,
    histories: Histories,
}

impl State {
    /// Starts with a startup-config.
    ///
    /// # Errors
    /// What the data plane says to it.
    pub fn boot(
        startup: String,
        mut plane: Box<dyn DataPlane>,
        enable_secret: Option<String>,
    ) -> anyhow::Result<Self> {
        let platform = Platform::parse(&startup);
        let mut running = Config::parse(&startup);
        running.lacp_rate = platform.prints_lacp_rate();
        let ports = running.interfaces.keys().filter(|name| name.is_ethernet()).cloned().collect();
        let intent = running.intent(&ports);
        plane.apply(&intent)?;
        Ok(Self {
            platform,
            startup,
            files: BTreeMap::new(),
            running,
            sessions: Sessions::default(),
            ports,
            enable_secret,
            booted: SystemTime::now(),
            troubles: Vec::new(),
            connections: BTreeMap::new(),
            plane,
            intent,
            histories: Histories::new(),
        })
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
        let intent = self.running.intent(&self.ports);
        if self.intent == intent {
            return;
        }
        if let Err(error) = self.plane.apply(&intent) {
            self.troubles.push(format!("the configuration could not be made real: {error:#}"));
        }
        self.intent = intent;
    }

    /// What the ports are doing now.
    pub fn observe(&mut self) -> Live {
        let status = self.plane.status().unwrap_or_else(|error| {
            self.troubles.push(format!("the ports could not be read: {error:#}"));
            Status::default()
        });
        Live::new(&self.running, &self.ports, &status, &mut self.histories)
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Instant) {
        self.sessions.tick(&mut self.running, now);
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

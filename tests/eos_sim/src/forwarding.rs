//! Which interfaces forward, where that is a matter of time or company: LACP fallback, `port-channel min-links`, and
//! spanning tree's forward delay. No bridge is ever heard, so that delay is all there is of spanning tree. What comes of
//! it on the wires is the data plane's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::clock;
use crate::config::Config;
use crate::dataplane::{Fallback, LacpMode};
use crate::live::Live;
use crate::names::Name;

/// What is remembered of the interfaces to judge them.
#[derive(Debug)]
pub struct Forwarding {
    /// How long an interface listens and learns before it forwards; none at all is no spanning tree.
    pub delay: Duration,
    /// Whether an interface with portfast need not.
    pub heeds_portfast: bool,
    /// Since when Port-Channels with a fallback were not answered.
    unanswered: BTreeMap<u32, SystemTime>,
    /// Since when interfaces that forward by themselves are up.
    up: BTreeMap<Name, SystemTime>,
}

impl Default for Forwarding {
    fn default() -> Self {
        Self { delay: Duration::ZERO, heeds_portfast: true, unanswered: BTreeMap::new(), up: BTreeMap::new() }
    }
}

/// What comes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Port-Channels that fell back.
    pub fallbacks: BTreeMap<u32, Fallback>,
    /// Interfaces that nothing passes but LACP.
    pub blocked: BTreeSet<Name>,
}

impl Forwarding {
    /// Whether anything in the configuration waits for a time or for company.
    pub fn concerns(&self, config: &Config) -> bool {
        let waits = config.interfaces.values().any(|one| one.fallback.is_some() || one.min_links > 1);
        waits || self.delays(config)
    }

    /// Judges the interfaces by what is seen of them now.
    pub fn judge(&mut self, config: &Config, live: &Live, now: SystemTime) -> Verdict {
        let mut verdict = Verdict::default();
        let mut unanswered = BTreeMap::new();
        for (number, channel) in &live.channels {
            let name = Name::port_channel(*number);
            let Some(interface) = config.interfaces.get(&name) else { continue };
            if interface.min_links > 1 && !channel.up {
                verdict.blocked.insert(name);
            }
            if let Some(kind) = &interface.fallback
                && !channel.shutdown
                && is_unanswered(config, live, *number)
            {
                let since = *self.unanswered.get(number).unwrap_or(&now);
                unanswered.insert(*number, since);
                let timeout = Duration::from_secs(interface.fallback_timeout.into());
                if clock::between(since, now) >= timeout {
                    let fallback = match kind.as_str() {
                        "individual" => Fallback::Individual,
                        _ => Fallback::Static(first_choice(config, live, *number)),
                    };
                    verdict.fallbacks.insert(*number, fallback);
                }
            }
        }
        self.unanswered = unanswered;
        if self.delays(config) {
            self.delay_those_that_came_up(config, live, now, &mut verdict);
        } else {
            self.up.clear();
        }
        verdict
    }

    fn delays(&self, config: &Config) -> bool {
        self.delay > Duration::ZERO
            && !config.before.iter().flatten().any(|line| line == "spanning-tree mode none")
    }

    /// What is down is blocked as well, so that nothing slips through before anybody sees that it came up. `portfast
    /// network` expects a bridge, which is not an edge; `auto` would wait for one.
    fn delay_those_that_came_up(
        &mut self,
        config: &Config,
        live: &Live,
        now: SystemTime,
        verdict: &mut Verdict,
    ) {
        let is_alone = |number: u32| verdict.fallbacks.get(&number) == Some(&Fallback::Individual);
        let ports =
            live.ports.iter().filter(|(_, port)| port.member.is_none_or(|(number, _)| is_alone(number)));
        let ports = ports.map(|(name, port)| (name.clone(), port.status.link));
        let channels = live.channels.iter().filter(|(number, _)| !is_alone(**number));
        let channels = channels.map(|(number, channel)| (Name::port_channel(*number), channel.up));
        let mut up = BTreeMap::new();
        let mut blocked = Vec::new();
        for (name, is_up) in ports.chain(channels) {
            let interface = config.interfaces.get(&name).cloned().unwrap_or_default();
            let since = is_up.then(|| *self.up.get(&name).unwrap_or(&now));
            if interface.is_switched(&name, config.defaults())
                && !(self.heeds_portfast && interface.portfast.as_deref() == Some("edge"))
                && since.is_none_or(|since| clock::between(since, now) < self.delay)
            {
                blocked.push(name.clone());
            }
            up.extend(since.map(|since| (name, since)));
        }
        self.up = up;
        verdict.blocked.extend(blocked);
    }
}

/// Whether LACP is spoken on a Port-Channel, and nobody answers on any member.
fn is_unanswered(config: &Config, live: &Live, channel: u32) -> bool {
    let mut members = config.members(channel).filter(|(.., mode)| *mode != LacpMode::On).peekable();
    let answered = |name: &Name| live.ports.get(name).is_some_and(|port| port.partner().is_some());
    members.peek().is_some() && !members.any(|(name, ..)| answered(name))
}

/// Of the members that have a link, the one of the lowest priority, and the lowest of these.
fn first_choice(config: &Config, live: &Live, channel: u32) -> Option<String> {
    let members = config.members(channel);
    let linked = members.filter(|(name, ..)| live.ports.get(name).is_some_and(|port| port.status.link));
    let first = linked.min_by_key(|(name, interface, _)| (interface.lacp_port_priority, (*name).clone()));
    first.map(|(name, ..)| name.to_string())
}

//! The members of a Port-Channel: as declared, as found, and what becomes of each. No I/O.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;
use serde::Deserialize;

use crate::config::Config;
use crate::membership::{LacpMode, LacpTimer, Membership, Speech};
use crate::names::Interface;
use crate::port::Port;
use crate::rules;

/// A member as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/eos_port_channel.yml, which decides what they are")]
pub struct Params {
    pub interface: String,
    pub description: Option<String>,
    pub lacp_mode: Option<LacpMode>,
    pub lacp_timer: Option<LacpTimer>,
    pub port_priority: Option<i64>,
}

/// A member as meant.
#[derive(Debug)]
pub struct Member {
    /// The interface.
    pub name: Interface,
    description: Option<String>,
    lacp_mode: Option<LacpMode>,
    lacp_timer: Option<LacpTimer>,
    port_priority: Option<u16>,
}

impl Member {
    /// Checks each, and that none is named twice.
    pub fn list(params: Vec<Params>) -> Result<Vec<Self>, Fault> {
        let mut members: Vec<Self> = Vec::new();
        for Params { interface, description, lacp_mode, lacp_timer, port_priority } in params {
            let name = Interface::ethernet("members", &interface)?;
            if members.iter().any(|member| member.name == name) {
                return Err(Fault::new(
                    "invalid_members",
                    format!("`members`: {name} is listed twice; hint: list each interface once"),
                ));
            }
            let description =
                description.map(|text| rules::description("members.description", &text)).transpose()?;
            let port_priority = port_priority
                .map(|number| rules::number("members.port_priority", number, 0, u16::MAX))
                .transpose()?
                .map(Speech::priority);
            members.push(Self { name, description, lacp_mode, lacp_timer, port_priority });
        }
        Ok(members)
    }

    /// What becomes of the interface, which had no `lacp_mode` where it was in no Port-Channel or another one.
    fn join(&self, channel: &Interface, found: Port, lacp_mode: Option<LacpMode>) -> Port {
        let Self { name: _, description, lacp_mode: given_mode, lacp_timer, port_priority } = self;
        let speech = found.speech.map(|speech| Speech {
            lacp_timer: lacp_timer.unwrap_or(speech.lacp_timer),
            port_priority: port_priority.unwrap_or(speech.port_priority),
        });
        Port {
            description: description.clone().unwrap_or(found.description),
            membership: Membership::of(channel, given_mode.or(lacp_mode).unwrap_or(LacpMode::Active)),
            speech,
            ..found
        }
    }
}

/// What becomes of the interfaces.
pub type Ports = BTreeMap<Interface, Option<Port>>;

/// Whether the members carry what the Port-Channel does, which holds where that is dissolved or falls back.
#[derive(Debug, Clone, Copy)]
pub struct Mirror<'a> {
    /// The Port-Channel as it is.
    pub from: &'a Port,
    /// As it shall be.
    pub to: &'a Port,
    /// Whether they shall; where it is not said, those that do go on doing so.
    pub wanted: Option<bool>,
}

/// The members of every Port-Channel.
pub type ByChannel = BTreeMap<Interface, BTreeMap<Interface, Port>>;

/// Those that there are.
pub fn by_channel(running: &Config) -> ByChannel {
    let mut found = ByChannel::new();
    for (name, _) in running.interfaces() {
        let Some(port) = running.port(name) else { continue };
        if let Some(membership) = &port.membership {
            found.entry(membership.channel()).or_default().insert(name.clone(), port);
        }
    }
    found
}

/// The members that a Port-Channel has, and the switch that they are on.
pub struct Members<'a> {
    /// The Port-Channel.
    pub channel: &'a Interface,
    /// Those that it has, without what another one of the task takes.
    pub found: BTreeMap<Interface, Port>,
    /// The switch.
    pub running: &'a Config,
    /// Whether another Port-Channel lets go of an interface, or has to.
    pub is_let_go: &'a dyn Fn(&Interface, &Interface) -> bool,
}

impl Members<'_> {
    /// All of them out.
    pub fn dissolved(self) -> Ports {
        self.found.into_iter().map(|(name, port)| (name, Some(left(port)))).collect()
    }

    /// Exactly those that are `declared`; where nothing is, those that there are.
    pub fn with(&self, declared: Option<&[Member]>, mirror: Mirror) -> Result<Ports, Fault> {
        let found = &self.found;
        let Mirror { from, to, wanted } = mirror;
        let mirrored = |name: &Interface, port: Port| {
            let is_wanted = |is_mirror: fn(&Port, &Port) -> bool| {
                let of_all = || found.values().all(|port| is_mirror(port, from));
                wanted.unwrap_or_else(|| found.get(name).map_or_else(of_all, |port| is_mirror(port, from)))
            };
            let switchport = is_wanted(|one, other| one.switchport == other.switchport);
            let portfast = is_wanted(|one, other| one.portfast == other.portfast);
            Port {
                switchport: if switchport { to.switchport.clone() } else { port.switchport },
                portfast: if portfast { to.portfast } else { port.portfast },
                ..port
            }
        };
        let mut ports = Ports::new();
        for (name, port) in found {
            let port = if declared.is_none() { mirrored(name, port.clone()) } else { left(port.clone()) };
            ports.insert(name.clone(), Some(port));
        }
        for member in declared.unwrap_or_default() {
            let here = found.get(&member.name);
            let port = here.cloned().map_or_else(|| self.free(&member.name), Ok)?;
            let lacp_mode = here.and_then(|port| port.membership.as_ref()).map(|found| found.lacp_mode);
            let port = mirrored(&member.name, member.join(self.channel, port, lacp_mode));
            ports.insert(member.name.clone(), Some(port));
        }
        self.are_of_one_kind(&ports)?;
        Ok(ports)
    }

    /// An interface that may become a member.
    fn free(&self, name: &Interface) -> Result<Port, Fault> {
        let port = self.running.port(name).ok_or_else(|| {
            Fault::new(
                "interface_not_found",
                format!("planning {}: the switch has no {name}; hint: `show interfaces status` lists those that it has", self.channel),
            )
        })?;
        match &port.membership {
            Some(other) if !(self.is_let_go)(&other.channel(), name) => Err(Fault::new(
                "member_in_use",
                format!(
                    "planning {}: {name} is a member of {}; hint: take it out there first, or `move_members: true`",
                    self.channel,
                    other.channel()
                ),
            )),
            _ => Ok(port),
        }
    }

    fn are_of_one_kind(&self, ports: &Ports) -> Result<(), Fault> {
        let kind = |is_lacp: bool| {
            ports.iter().find_map(|(name, port)| {
                let membership = port.as_ref()?.membership.as_ref()?;
                (membership.lacp_mode.is_lacp() == is_lacp).then_some(name)
            })
        };
        match (kind(true), kind(false)) {
            (Some(lacp), Some(on)) => Err(Fault::new(
                "mixed_lacp_modes",
                format!(
                    "planning {}: {lacp} would speak LACP and {on} would not, which EOS does not mix; hint: give `lacp_mode` for every member",
                    self.channel
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// One that is in no Port-Channel any more.
fn left(port: Port) -> Port {
    Port { membership: None, ..port }
}

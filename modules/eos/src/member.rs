//! The members of a Port-Channel: as declared, as found, and what becomes of each. No I/O.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;
use serde::Deserialize;

use crate::config::Config;
use crate::names::Interface;
use crate::port::{LacpMode, Membership, Port, Switchport};
use crate::rules;

/// A member as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/eos_port_channel.yml, which decides what they are")]
pub struct Params {
    pub interface: String,
    pub description: Option<String>,
    pub lacp_mode: Option<LacpMode>,
}

/// A member as meant.
#[derive(Debug)]
pub struct Member {
    name: Interface,
    description: Option<String>,
    lacp_mode: Option<LacpMode>,
}

impl Member {
    /// Checks each, and that none is named twice.
    pub fn list(params: Vec<Params>) -> Result<Vec<Self>, Fault> {
        let mut members: Vec<Self> = Vec::new();
        for Params { interface, description, lacp_mode } in params {
            let name = Interface::ethernet("members", &interface)?;
            if members.iter().any(|member| member.name == name) {
                return Err(Fault::new(
                    "invalid_members",
                    format!("`members`: {name} is listed twice; hint: list each interface once"),
                ));
            }
            let description =
                description.map(|text| rules::description("members.description", &text)).transpose()?;
            members.push(Self { name, description, lacp_mode });
        }
        Ok(members)
    }
}

/// The members that a Port-Channel has, and the switch that they are on.
#[derive(Debug)]
pub struct Members<'a> {
    channel: &'a Interface,
    running: &'a Config,
    found: BTreeMap<Interface, Port>,
}

/// What becomes of the interfaces.
pub type Ports = BTreeMap<Interface, Option<Port>>;

impl<'a> Members<'a> {
    /// Those that `channel` has in the running-config.
    pub fn of(channel: &'a Interface, running: &'a Config) -> Self {
        let is_switchport = running.is_switchport_by_default();
        let found = running
            .interfaces()
            .map(|(name, block)| (name, Port::parse(block, is_switchport)))
            .filter(|(_, port)| port.membership.as_ref().is_some_and(|found| found.channel() == *channel))
            .collect();
        Self { channel, running, found }
    }

    /// All of them out.
    pub fn dissolved(self) -> Ports {
        self.found.into_iter().map(|(name, port)| (name, Some(Port { membership: None, ..port }))).collect()
    }

    /// Exactly those that are `declared`; where nothing is, those that there are. `from` and `to` are what the
    /// Port-Channel carries, and `mirrored` whether the members carry the same, where that is said.
    pub fn with(
        self,
        declared: Option<&[Member]>,
        from: &Switchport,
        to: &Switchport,
        mirrored: Option<bool>,
    ) -> Result<Ports, Fault> {
        let is_mirror = |port: &Port| port.switchport == *from;
        let all_mirror = self.found.values().all(is_mirror);
        let switchport = |found: Option<&Port>, old: Switchport| {
            let mirrors = mirrored.unwrap_or_else(|| found.map_or(all_mirror, is_mirror));
            if mirrors { to.clone() } else { old }
        };
        let mut ports = Ports::new();
        for (name, port) in &self.found {
            let stays = declared.is_none_or(|members| members.iter().any(|member| member.name == *name));
            let port = if stays {
                Port { switchport: switchport(Some(port), port.switchport.clone()), ..port.clone() }
            } else {
                Port { membership: None, ..port.clone() }
            };
            ports.insert(name.clone(), Some(port));
        }
        for member in declared.unwrap_or_default() {
            let found = self.found.get(&member.name);
            let mut port = match ports.remove(&member.name).flatten() {
                Some(port) => port,
                None => self.free(&member.name)?,
            };
            if let Some(description) = &member.description {
                port.description.clone_from(description);
            }
            let lacp_mode = member
                .lacp_mode
                .or(port.membership.as_ref().map(|found| found.lacp_mode))
                .unwrap_or(LacpMode::Active);
            port.membership = Membership::of(self.channel, lacp_mode);
            port.switchport = switchport(found, port.switchport);
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
            None => Ok(port),
            Some(other) => Err(Fault::new(
                "member_in_use",
                format!(
                    "planning {}: {name} is a member of {}; hint: take it out there first",
                    self.channel,
                    other.channel()
                ),
            )),
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

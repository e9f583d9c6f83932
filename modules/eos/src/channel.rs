//! A declared Port-Channel: what its options mean, and what they make of it on a switch. No I/O. Several of them
//! together are `port_channel.rs`'s.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use ansible_module::presence::Presence;
use serde::Deserialize;
use vlan::{Native, VlanSet};

use crate::aggregation::{Aggregation, Fallback};
use crate::config::Config;
use crate::member::{self, Member, Members, Mirror, Ports};
use crate::names::Interface;
use crate::port::{Port, Portfast};
use crate::rules;
use crate::switchport::{Mode, Switchport};

/// The smallest and the largest MTU that any release takes; the switch has the last word.
const MTU: (u16, u16) = (68, 9236);
/// More links than a Port-Channel has on any switch.
const MOST_LINKS: u16 = 128;
/// The longest time-out of EOS, in seconds.
const LONGEST_FALLBACK: u16 = 300;
/// Beyond what any release takes as the id of an MLAG.
const LARGEST_MLAG: u16 = 9999;

/// A Port-Channel as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/eos_port_channel.yml, which decides what they are")]
pub struct Params {
    pub name: String,
    /// Of the only one it stands beside it, as there it may be something else too.
    #[serde(default = "present")]
    pub state: Presence,
    pub description: Option<String>,
    pub mode: Option<GivenMode>,
    pub access_vlan: Option<i64>,
    pub native_vlan: Option<String>,
    pub trunk_vlans: Option<Vec<String>>,
    pub trunk_groups: Option<Vec<String>>,
    pub create_vlans: bool,
    pub members: Option<Vec<member::Params>>,
    pub member_switchport: Option<bool>,
    pub move_members: bool,
    pub min_links: Option<i64>,
    pub lacp_fallback: Option<Fallback>,
    pub lacp_fallback_timeout: Option<i64>,
    pub mlag: Option<i64>,
    pub l2_mtu: Option<i64>,
    pub mtu: Option<i64>,
    pub shutdown: Option<bool>,
    pub portfast: Option<Portfast>,
}

fn present() -> Presence {
    Presence::Present
}

/// `mode` as given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GivenMode {
    /// No switchport.
    Routed,
    /// A switchport.
    #[serde(untagged)]
    Switched(Mode),
}

/// A Port-Channel as meant: each option valid by itself.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub name: Interface,
    /// Whether it is to be there.
    pub state: Presence,
    /// Whether VLANs that are missing are made.
    pub create_vlans: bool,
    /// Its members; none where nothing is said of them, or it is not to be there.
    pub members: Option<Vec<Member>>,
    /// Whether interfaces are taken out of other Port-Channels.
    pub move_members: bool,
    description: Option<String>,
    mode: Option<GivenMode>,
    access_vlan: Option<u16>,
    native_vlan: Option<Native>,
    trunk_vlans: Option<VlanSet>,
    trunk_groups: Option<BTreeSet<String>>,
    member_switchport: Option<bool>,
    min_links: Option<u32>,
    lacp_fallback: Option<Fallback>,
    lacp_fallback_timeout: Option<u16>,
    mlag: Option<u32>,
    l2_mtu: Option<u32>,
    mtu: Option<u32>,
    shutdown: Option<bool>,
    portfast: Option<Portfast>,
}

impl Channel {
    /// Checks the options; the switch is not looked at.
    pub fn new(params: Params) -> Result<Self, Fault> {
        let Params { name, state, description, mode, access_vlan, native_vlan, trunk_vlans, .. } = params;
        let number = |argument: &str, given: Option<i64>, least: u16, most: u16| {
            given.map(|number| rules::number(argument, number, least, most)).transpose()
        };
        let timeout = number("lacp_fallback_timeout", params.lacp_fallback_timeout, 0, LONGEST_FALLBACK)?;
        let mtu = |argument: &str, given: Option<i64>| match given {
            Some(0) => Ok(Some(0)),
            given => number(argument, given, MTU.0, MTU.1),
        };
        Ok(Self {
            name: Interface::port_channel("name", &name)?,
            state,
            create_vlans: params.create_vlans,
            members: params.members.map(Member::list).transpose()?.filter(|_| state == Presence::Present),
            move_members: params.move_members,
            description: description.map(|text| rules::description("description", &text)).transpose()?,
            mode,
            access_vlan: access_vlan.map(|vlan| rules::access_vlan("access_vlan", vlan)).transpose()?,
            native_vlan: native_vlan.map(|vlan| rules::native_vlan("native_vlan", &vlan)).transpose()?,
            trunk_vlans: trunk_vlans.map(|list| rules::trunk_vlans("trunk_vlans", &list)).transpose()?,
            trunk_groups: params.trunk_groups.map(|list| rules::words("trunk_groups", &list)).transpose()?,
            member_switchport: params.member_switchport,
            min_links: number("min_links", params.min_links, 0, MOST_LINKS)?.map(u32::from),
            lacp_fallback: params.lacp_fallback,
            lacp_fallback_timeout: timeout.map(Aggregation::fallback_timeout),
            mlag: number("mlag", params.mlag, 0, LARGEST_MLAG)?.map(u32::from),
            l2_mtu: mtu("l2_mtu", params.l2_mtu)?.map(u32::from),
            mtu: mtu("mtu", params.mtu)?.map(u32::from).map(Aggregation::mtu),
            shutdown: params.shutdown,
            portfast: params.portfast,
        })
    }

    /// Refuses to wait for LACP where nothing but its absence is asked for.
    pub fn may_come_up(&self) -> Result<(), Fault> {
        if self.shutdown != Some(true) {
            return Ok(());
        }
        Err(Fault::new(
            "invalid_combination",
            format!(
                "`wait_for_lacp`: {} is to be shut down, and never comes up then; hint: shut it down in a task of its own",
                self.name
            ),
        ))
    }

    /// What becomes of it and its members, with what is to be told of that.
    pub fn planned(&self, members: Members, running: &Config) -> Result<(Ports, Vec<String>), Fault> {
        if self.state == Presence::Absent {
            let mut ports = members.dissolved();
            ports.insert(self.name.clone(), None);
            return Ok((ports, Vec::new()));
        }
        let found = running.port(&self.name);
        let wanted = self.member_switchport.or(found.is_none().then_some(true));
        let from = found.unwrap_or_else(|| Port::default_of(&self.name, running.dialect()));
        let to = self.port(from.clone())?;
        let mirror = Mirror { from: &from, to: &to, wanted };
        let mut ports = members.with(self.members.as_deref(), mirror)?;
        let warnings = self.doubts(&to, &ports, running);
        ports.insert(self.name.clone(), Some(to));
        Ok((ports, warnings))
    }

    fn port(&self, found: Port) -> Result<Port, Fault> {
        let Port { description, switchport: old, portfast, aggregation, speech, membership } = found;
        let switchport = Switchport {
            enabled: self.mode.as_ref().map_or(old.enabled, |mode| *mode != GivenMode::Routed),
            mode: match &self.mode {
                Some(GivenMode::Switched(mode)) => mode.clone(),
                Some(GivenMode::Routed) | None => old.mode,
            },
            access_vlan: self.access_vlan.unwrap_or(old.access_vlan),
            native_vlan: self.native_vlan.unwrap_or(old.native_vlan),
            trunk_vlans: self.trunk_vlans.clone().unwrap_or(old.trunk_vlans),
            trunk_groups: self.trunk_groups.clone().unwrap_or(old.trunk_groups),
        };
        if let (true, Some(mtu @ 1..)) = (switchport.enabled, self.mtu) {
            return Err(Fault::new(
                "invalid_mtu",
                format!(
                    "planning {}: `mtu`: {mtu} is without effect on a switchport; hint: `l2_mtu`, or `mode: routed`",
                    self.name
                ),
            ));
        }
        Ok(Port {
            description: self.description.clone().unwrap_or(description),
            switchport,
            portfast: self.portfast.unwrap_or(portfast),
            aggregation: aggregation.map(|old| self.aggregation(&old)),
            speech,
            membership,
        })
    }

    fn aggregation(&self, old: &Aggregation) -> Aggregation {
        Aggregation {
            shutdown: self.shutdown.unwrap_or(old.shutdown),
            mtu: self.mtu.unwrap_or(old.mtu),
            l2_mtu: self.l2_mtu.unwrap_or(old.l2_mtu),
            min_links: self.min_links.unwrap_or(old.min_links),
            lacp_fallback: self.lacp_fallback.unwrap_or(old.lacp_fallback),
            lacp_fallback_timeout: self.lacp_fallback_timeout.unwrap_or(old.lacp_fallback_timeout),
            mlag: self.mlag.unwrap_or(old.mlag),
        }
    }

    /// What is as it was asked for, and hardly what was meant.
    fn doubts(&self, to: &Port, ports: &Ports, running: &Config) -> Vec<String> {
        let Some(aggregation) = to.aggregation.as_ref() else { return Vec::new() };
        let is_member = |port: &&Port| port.membership.is_some();
        let members: Vec<(&Interface, &Port)> =
            ports.iter().filter_map(|(name, port)| Some((name, port.as_ref().filter(is_member)?))).collect();
        let mut doubts = Vec::new();
        let links = u32::try_from(members.len()).unwrap_or(u32::MAX);
        if self.min_links.is_some() && aggregation.min_links > links && links > 0 && aggregation.mlag == 0 {
            doubts.push(format!(
                "{} stays down: it wants {} links, and has {links} members",
                self.name, aggregation.min_links
            ));
        }
        for (name, port) in members {
            if self.members.is_some() && !aggregation.shutdown && running.is_shut_down(name) {
                doubts.push(format!("{name} is shut down, so it brings nothing to {}", self.name));
            }
            let falls_back = self.lacp_fallback == Some(Fallback::Individual);
            if falls_back && port.switchport != to.switchport {
                doubts.push(format!(
                    "{name} carries other VLANs than {} when it falls back to being a port of its own; \
                     hint: `member_switchport: true`",
                    self.name
                ));
            }
        }
        doubts
    }

    /// The VLANs that it declares. All of them are none in particular.
    pub fn vlans(&self) -> VlanSet {
        if self.state == Presence::Absent {
            return VlanSet::default();
        }
        let mut vlans = self.trunk_vlans.clone().filter(|vlans| !vlans.is_all()).unwrap_or_default();
        vlans.extend(self.access_vlan);
        if let Some(Native::Vlan(vlan)) = self.native_vlan {
            vlans.extend([vlan]);
        }
        vlans
    }
}

//! What `eos_port_channel_info` says of a switch, as far as a link needs it. Keys that are not known here are passed
//! over.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;
use serde::Deserialize;
use serde_json::Value;
use vlan::{Native, VlanSet};

use crate::node_report::LacpPort;

/// A switch.
#[derive(Debug)]
pub struct SwitchReport {
    /// What it calls itself in LACP.
    pub system_id: String,
    /// The VLANs that it has.
    pub vlans: VlanSet,
    /// The change that it would undo.
    pub commit_timer: Option<CommitTimer>,
    /// The Port-Channels that were asked for, by name.
    pub port_channels: BTreeMap<String, PortChannel>,
}

/// The report as it comes.
#[derive(Debug, Deserialize)]
struct Raw {
    system_id: String,
    vlans: String,
    commit_timer: Option<CommitTimer>,
    port_channels: BTreeMap<String, RawPortChannel>,
}

/// A change of the switch that waits to be confirmed.
#[derive(Debug, Deserialize)]
pub struct CommitTimer {
    /// The configuration session that it was made in.
    pub session: String,
    /// When the switch undoes it, as far as it tells.
    pub reverts_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawPortChannel {
    description: Option<String>,
    mode: String,
    access_vlan: Option<u16>,
    native_vlan: Option<String>,
    trunk_vlans: Option<String>,
    shutdown: bool,
    mtu: Option<u32>,
    up: bool,
    saved: Option<bool>,
    members: BTreeMap<String, Member>,
}

/// A Port-Channel.
#[derive(Debug)]
pub struct PortChannel {
    /// Its description.
    pub description: Option<String>,
    /// `access`, `trunk`, `dot1q-tunnel` or `routed`.
    pub mode: String,
    /// Its VLAN where it is no trunk.
    pub access: u16,
    /// The VLAN of untagged frames on the trunk.
    pub native: Native,
    /// What the trunk lets through.
    pub allowed: VlanSet,
    /// Whether it is shut down.
    pub shutdown: bool,
    /// The largest frame that it passes, as EOS counts.
    pub mtu: Option<u32>,
    /// Whether any member carries.
    pub up: bool,
    /// Whether the startup-config has it and its interfaces like this, as far as that was read.
    pub saved: Option<bool>,
    /// Its interfaces by name.
    pub members: BTreeMap<String, Member>,
}

/// An interface in a Port-Channel.
#[derive(Debug, Deserialize)]
pub struct Member {
    /// Its description.
    pub description: Option<String>,
    /// `active`, `passive` or `on`.
    pub lacp_mode: String,
    /// Whether it is shut down.
    pub shutdown: bool,
    /// Whether it has a carrier.
    pub link: bool,
    /// Whether it carries traffic in the Port-Channel.
    pub bundled: bool,
    /// Why it is not, in the switch's words.
    pub reason: Option<String>,
    /// What the switch says over it.
    pub actor: Option<LacpPort>,
    partner: Option<LacpPort>,
}

impl Member {
    /// What the switch calls itself on it; MLAG and `lacp system-id` give a Port-Channel another id than the switch's.
    pub fn system_id<'a>(&'a self, report: &'a SwitchReport) -> &'a str {
        self.actor.as_ref().and_then(|actor| actor.system_id.as_deref()).unwrap_or(&report.system_id)
    }

    /// What it hears from the other end.
    pub fn hears(&self) -> Option<&LacpPort> {
        self.partner.as_ref().filter(|partner| partner.is_somebody())
    }
}

impl SwitchReport {
    /// The report of `name` from the option `switches`.
    pub fn new(switches: &Value, name: &str) -> Result<Self, Fault> {
        let malformed = |fact: String| {
            Fault::new(
                "malformed_report",
                format!(
                    "option `switches`: `{name}`: {fact}; hint: give what `eos_port_channel_info` of the same release \
                     returned for it, by `register`"
                ),
            )
        };
        let report =
            switches.get(name).ok_or_else(|| malformed("there is no report of this switch".to_owned()))?;
        let Raw { system_id, vlans, commit_timer, port_channels } =
            Raw::deserialize(report).map_err(|error| malformed(error.to_string()))?;
        let not_vlans = |text: &str| malformed(format!("`{text}` is no list of VLANs"));
        let vlans = VlanSet::parse(&vlans).ok_or_else(|| not_vlans(&vlans))?;
        let channel = |(name, raw): (String, RawPortChannel)| {
            PortChannel::new(raw).map(|channel| (name, channel)).map_err(|text| not_vlans(&text))
        };
        let port_channels = port_channels.into_iter().map(channel).collect::<Result<_, _>>()?;
        Ok(Self { system_id, vlans, commit_timer, port_channels })
    }

    /// The Port-Channel that has `interface` among its members, as far as it was asked for.
    pub fn channel_of(&self, interface: &str) -> Option<&str> {
        let has = |(_, channel): &(&String, &PortChannel)| channel.members.contains_key(interface);
        self.port_channels.iter().find(has).map(|(name, _)| name.as_str())
    }

    /// The interface with this LACP port id, as far as it was asked for.
    pub fn interface_of(&self, port_id: u32) -> Option<&str> {
        let members = self.port_channels.values().flat_map(|channel| &channel.members);
        let mut ids = members.filter_map(|(name, member)| Some((name, member.actor.as_ref()?.port_id?)));
        ids.find(|(_, id)| *id == port_id).map(|(name, _)| name.as_str())
    }
}

impl PortChannel {
    /// What is not told is what EOS does by default; what can't be read is the error.
    fn new(raw: RawPortChannel) -> Result<Self, String> {
        let RawPortChannel {
            description,
            mode,
            access_vlan,
            native_vlan,
            trunk_vlans,
            shutdown,
            mtu,
            up,
            saved,
            members,
        } = raw;
        let native = |text: String| Native::parse(&text).ok_or(text);
        let allowed = |text: String| VlanSet::parse(&text).ok_or(text);
        Ok(Self {
            description,
            mode,
            access: access_vlan.unwrap_or(1),
            native: native_vlan.map_or(Ok(Native::DEFAULT), native)?,
            allowed: trunk_vlans.map_or_else(|| Ok(VlanSet::all()), allowed)?,
            shutdown,
            mtu,
            up,
            saved,
            members,
        })
    }
}

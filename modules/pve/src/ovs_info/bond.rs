//! A bond as it is told: its settings from the database, its members from the kernel and from `ovs-vswitchd`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Shown;
use crate::interfaces::Kind;
use crate::kernel::Link;
use crate::live;
use crate::ovs_bond::Mode;
use crate::picture::Picture;
use crate::unixctl::{self, LacpPort};

/// A bond.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Bond {
    pub(super) configured: bool,
    bridge: String,
    mode: Mode,
    /// `active`, `passive` or `off`.
    lacp: String,
    /// `fast` or `slow`.
    lacp_time: &'static str,
    lacp_fallback: bool,
    tag: Option<u16>,
    trunks: BTreeSet<u16>,
    vlan_mode: Option<String>,
    /// Every member has a current partner and may carry traffic. What Open vSwitch calls so needs only one.
    pub(super) negotiated: bool,
    active_member: Option<String>,
    members: BTreeMap<String, Member>,
}

/// A member of a bond. LACP that does not run has no ends.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is read by itself, and told by itself")]
struct Member {
    link: bool,
    mtu: Option<u32>,
    mac: Option<String>,
    enabled: bool,
    current: bool,
    attached: bool,
    actor: Option<LacpPort>,
    partner: Option<LacpPort>,
}

impl Bond {
    pub(super) fn found(picture: &Picture, name: &str, shown: &Shown) -> Option<Self> {
        let live::Port { bridge, interfaces, bond_mode, lacp, tag, trunks, vlan_mode, other_config, .. } =
            live::Port::found(&picture.ovs, name)?;
        let is = |key: &str, value: &str| other_config.get(key).is_some_and(|found| found == value);
        let negotiated = interfaces.iter().all(|member| shown.lacp.is_negotiated(member));
        let members = interfaces.into_iter().map(|name| {
            let member = Member::found(picture.links.get(&name), &name, shown);
            (name, member)
        });
        Some(Self {
            configured: super::is_configured(picture, name, Kind::OvsBond),
            mode: Mode::found(&bond_mode, &lacp),
            bridge,
            lacp,
            lacp_time: if is("lacp-time", "fast") { "fast" } else { "slow" },
            lacp_fallback: is("lacp-fallback-ab", "true"),
            tag,
            trunks,
            vlan_mode,
            negotiated,
            active_member: shown.bond.active.clone(),
            members: members.collect(),
        })
    }
}

impl Member {
    fn found(link: Option<&Link>, name: &str, shown: &Shown) -> Self {
        let lacp = shown.lacp.members.get(name);
        let end = |end: fn(&unixctl::Member) -> &LacpPort| {
            lacp.map(end).filter(|end| end.system_id.is_some()).cloned()
        };
        Self {
            link: link.is_some_and(Link::has_carrier),
            mtu: link.map(|link| link.mtu),
            mac: link.map(|link| link.mac.clone()),
            enabled: shown.bond.enabled.contains(name),
            current: lacp.is_some_and(|lacp| lacp.is_current),
            attached: lacp.is_some_and(|lacp| lacp.is_attached),
            actor: end(|member| &member.actor),
            partner: end(|member| &member.partner),
        }
    }
}

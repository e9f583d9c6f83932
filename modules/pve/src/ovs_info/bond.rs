//! A bond as it is told: its settings from the database, its members from the kernel and from `ovs-vswitchd`.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::gather::Gather as _;
use serde::Serialize;

use super::Shown;
use super::declared::Declared;
use crate::kernel::Link;
use crate::live;
use crate::ovs_bond::Mode;
use crate::picture::Picture;
use crate::unixctl::{self, LacpPort};

/// A bond. Where it is not live, nothing is told but what the files say.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Bond {
    live: bool,
    #[serde(flatten)]
    pub(super) declared: Declared,
    bridge: Option<String>,
    mode: Option<Mode>,
    /// `active`, `passive` or `off`.
    lacp: Option<String>,
    /// `fast` or `slow`.
    lacp_time: Option<&'static str>,
    lacp_fallback: Option<bool>,
    tag: Option<u16>,
    trunks: BTreeSet<u16>,
    vlan_mode: Option<String>,
    updelay: Option<i64>,
    downdelay: Option<i64>,
    /// `None` also where Open vSwitch decides.
    rebalance_interval: Option<i64>,
    /// What all members have.
    mtu: Option<u32>,
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
    /// `None` where the mode spreads nothing.
    load: Option<unixctl::Load>,
    current: bool,
    attached: bool,
    actor: Option<LacpPort>,
    partner: Option<LacpPort>,
}

/// One that lost all but one member is still a bond: its port is not named after the NIC.
pub(super) fn port(picture: &Picture, name: &str) -> Option<live::Port> {
    let port = live::Port::found(&picture.ovs, name)?;
    port.interfaces.iter().any(|member| member != name).then_some(port)
}

impl Bond {
    pub(super) fn new(picture: &Picture, name: &str, shown: &Shown, declared: Declared) -> Self {
        let Some(port) = port(picture, name) else { return Self { declared, ..Self::default() } };
        let live::Port {
            bridge,
            internal: _,
            interfaces,
            bond_mode,
            lacp,
            tag,
            trunks,
            vlan_mode,
            bond_updelay,
            bond_downdelay,
            other_config,
            mtu_requests: _,
            mac: _,
        } = port;
        let is = |key: &str, value: &str| other_config.get(key).is_some_and(|found| found == value);
        let mtus: BTreeSet<Option<u32>> =
            interfaces.iter().map(|member| picture.links.get(member).map(|link| link.mtu)).gather();
        let negotiated = interfaces.iter().all(|member| shown.lacp.is_negotiated(member));
        let members = interfaces.into_iter().map(|name| {
            let member = Member::found(picture.links.get(&name), &name, shown);
            (name, member)
        });
        Self {
            live: true,
            declared,
            mode: Some(Mode::found(&bond_mode, &lacp)),
            bridge: Some(bridge),
            lacp: Some(lacp),
            lacp_time: Some(if is("lacp-time", "fast") { "fast" } else { "slow" }),
            lacp_fallback: Some(is("lacp-fallback-ab", "true")),
            tag,
            trunks,
            vlan_mode,
            updelay: Some(bond_updelay),
            downdelay: Some(bond_downdelay),
            rebalance_interval: other_config
                .get("bond-rebalance-interval")
                .and_then(|text| text.parse().ok()),
            mtu: mtus.first().copied().flatten().filter(|_| mtus.len() == 1),
            negotiated,
            active_member: shown.bond.active.clone(),
            members: members.gather(),
        }
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
            load: shown.bond.loads.get(name).copied(),
            current: lacp.is_some_and(|lacp| lacp.is_current),
            attached: lacp.is_some_and(|lacp| lacp.is_attached),
            actor: end(|member| &member.actor),
            partner: end(|member| &member.partner),
        }
    }
}

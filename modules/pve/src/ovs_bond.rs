//! `pve_ovs_bond`: what its arguments mean, and what they make of a node. No I/O.

use std::collections::BTreeSet;
use std::time::Duration;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;
use ansible_module::presence::Presence;
use ansible_module::spec::ArgumentSpec;
use serde::{Deserialize, Serialize};

use crate::apply_options::Aim;
use crate::bridge_mac::Planned;
use crate::draft::Draft;
use crate::interfaces::{Kind, OvsOptions, Stanza};
use crate::lacp_wait::Bonds;
use crate::nic::Remedies;
use crate::picture::Picture;
use crate::setting::Setting;
use crate::task::Task;
use crate::{attachment, bridge_mac, conflicts, lifeline, mtu_chain, nic, rules, specs, takeover};

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_ovs_bond.yml, which decides what they are")]
pub struct Params {
    pub name: String,
    pub state: Presence,
    pub bridge: Option<String>,
    pub members: Option<Vec<String>>,
    pub move_members: bool,
    pub member_addresses: MemberAddresses,
    pub mode: Option<Mode>,
    pub lacp_time: Option<String>,
    pub lacp_fallback: Option<bool>,
    pub tag: Option<i64>,
    pub trunks: Option<Vec<i64>>,
    pub vlan_mode: Option<String>,
    pub updelay: Option<i64>,
    pub downdelay: Option<i64>,
    pub rebalance_interval: Option<i64>,
    pub mtu: Option<i64>,
    pub comments: Option<String>,
    pub wait_for_lacp: i64,
}

/// What becomes of an address that a member has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberAddresses {
    /// It stays, and the task is refused.
    Refuse,
    /// It goes.
    Remove,
}

/// Bonding modes under their names in the Proxmox API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Mode {
    ActiveBackup,
    BalanceSlb,
    LacpBalanceSlb,
    LacpBalanceTcp,
}

impl Mode {
    /// The mode of a port with these columns, where what is unset stands as what it means. `balance-tcp` has this one
    /// name, with LACP or without.
    pub fn found(bond_mode: &str, lacp: &str) -> Self {
        match (bond_mode, lacp) {
            ("balance-tcp", _) => Self::LacpBalanceTcp,
            ("balance-slb", "off") => Self::BalanceSlb,
            ("balance-slb", _) => Self::LacpBalanceSlb,
            _ => Self::ActiveBackup,
        }
    }

    /// `bond_mode` and `lacp` of `ovs_options`; without LACP, `lacp` is not written.
    fn options(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::ActiveBackup => ("active-backup", None),
            Self::BalanceSlb => ("balance-slb", None),
            Self::LacpBalanceSlb => ("balance-slb", Some("active")),
            Self::LacpBalanceTcp => ("balance-tcp", Some("active")),
        }
    }
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct OvsBond {
    name: String,
    state: Presence,
    bridge: Option<String>,
    members: Option<BTreeSet<String>>,
    move_members: bool,
    member_addresses: MemberAddresses,
    mode: Option<Mode>,
    /// By the key that it has in `ovs_options`.
    options: Vec<(&'static str, Setting<String>)>,
    mtu: Setting<u32>,
    comments: Option<String>,
    wait_for_lacp: Option<Duration>,
}

impl Task for OvsBond {
    const SPEC: &'static ArgumentSpec = &specs::ovs_bond::SPEC;
    type Params = Params;

    fn new(params: Params) -> Result<Self, Fault> {
        let Params {
            name,
            state,
            bridge,
            members,
            move_members,
            member_addresses,
            mode,
            lacp_time,
            lacp_fallback,
            tag,
            trunks,
            vlan_mode,
            updelay,
            downdelay,
            rebalance_interval,
            mtu,
            comments,
            wait_for_lacp,
        } = params;
        rules::bond_name("name", &name)?;
        if let Some(bridge) = &bridge {
            rules::bridge_name("bridge", bridge)?;
        }
        let wait_for_lacp = rules::wait("wait_for_lacp", wait_for_lacp)?;
        if wait_for_lacp.is_some() && state == Presence::Absent {
            return Err(Fault::new(
                "invalid_combination",
                "option `wait_for_lacp`: a bond that shall be absent has no LACP partner; hint: leave the option out",
            ));
        }
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        let choice = |given: Option<String>| Setting::new(given, &"default".to_owned());
        let number =
            |number: Option<u32>| Setting::new(number.map(|number| number.to_string()), &"0".to_owned());
        let updelay = updelay.map(|time| rules::delay("updelay", time)).transpose()?;
        let downdelay = downdelay.map(|time| rules::delay("downdelay", time)).transpose()?;
        let rebalance_interval = rebalance_interval
            .map(|time| rules::rebalance_interval("rebalance_interval", time))
            .transpose()?;
        let tag = tag.map(|tag| rules::vlan("tag", tag, true)).transpose()?;
        let trunks = trunks.map(|trunks| vlan_list("trunks", trunks)).transpose()?;
        let options = vec![
            ("other_config:lacp-time", choice(lacp_time)),
            (
                "other_config:lacp-fallback-ab",
                Setting::new(lacp_fallback.map(|on| on.to_string()), &false.to_string()),
            ),
            ("tag", number(tag.map(u32::from))),
            ("trunks", Setting::new(trunks, &String::new())),
            ("vlan_mode", choice(vlan_mode)),
            ("bond_updelay", number(updelay)),
            ("bond_downdelay", number(downdelay)),
            ("other_config:bond-rebalance-interval", number(rebalance_interval)),
        ];
        Ok(Self {
            name,
            state,
            bridge,
            members: members.map(member_set).transpose()?,
            move_members,
            member_addresses,
            mode,
            options,
            mtu: Setting::new(mtu.map(|mtu| rules::mtu("mtu", mtu)).transpose()?, &0),
            comments,
            wait_for_lacp,
        })
    }

    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault> {
        conflicts::is_of_kind(draft, &self.name, Kind::OvsBond, "OVSBond")?;
        let found = draft.stanza(&self.name);
        let before = found.as_ref().map(members).unwrap_or_default();
        let old_mtu = found.and_then(|stanza| stanza.mtu());
        let mut stanza = match self.state {
            Presence::Absent => None,
            Presence::Present => Some(self.stanza(draft)?),
        };
        let planned = match &mut stanza {
            Some(stanza) => self.plan_members(draft, stanza)?,
            None => Planned::new(),
        };
        attachment::put(draft, &self.name, stanza.as_ref(), conflicts::PortKind::Bond)?;
        let after = stanza.as_ref().map(members).unwrap_or_default();
        for leaver in before.difference(&after) {
            leave_mtu(draft, leaver, old_mtu)?;
        }
        let Some(stanza) = stanza else { return Ok(()) };
        self.check_lacp(&stanza)?;
        for member in &after {
            let mut nic = member_stanza(draft, member);
            let is_given = self.mtu != Setting::Leave || !before.contains(member);
            match stanza.mtu() {
                Some(mtu) if is_given => nic.set_mtu(Some(mtu)),
                None if nic.mtu() == old_mtu => nic.set_mtu(None),
                _ => {}
            }
            self.take_member(draft, nic)?;
        }
        mtu_chain::is_in_order(draft, &self.name)?;
        draft.warn(conflicts::renegotiation(draft.picture, &planned));
        Ok(())
    }

    fn lacp(&self) -> Option<(Bonds, Duration)> {
        self.wait_for_lacp.map(|limit| (Bonds::Named(vec![self.name.clone()]), limit))
    }
}

impl OvsBond {
    /// LACP can be waited for only where it runs.
    fn check_lacp(&self, stanza: &Stanza) -> Result<(), Fault> {
        let is_off = OvsOptions::of(stanza).get("lacp").is_none_or(|lacp| lacp == "off");
        if self.wait_for_lacp.is_none() || !is_off {
            return Ok(());
        }
        Err(Fault::new(
            "lacp_is_off",
            format!(
                "option `wait_for_lacp`: `{}` does not speak LACP; hint: `mode: lacp-balance-tcp`",
                self.name
            ),
        ))
    }

    fn stanza(&self, draft: &Draft<'_>) -> Result<Stanza, Fault> {
        let found = draft.stanza(&self.name);
        let is_new = found.is_none();
        let mut stanza = attachment::stanza(found, &self.name, "OVSBond", self.bridge.as_deref())?;
        let links = &draft.picture.links;
        let declared = in_use(draft, stanza.list("ovs_bonds"));
        let members = self.members.as_ref().map(|members| in_use(draft, members));
        if let (Some(members), Some(given)) = (&members, &self.members)
            && members.len() < given.len()
        {
            return Err(Fault::new(
                "invalid_members",
                "option `members`: two of them are names of one NIC; hint: list each NIC once",
            ));
        }
        match &members {
            Some(members) if *members != declared => {
                // The file's order and spelling stay for those who stay.
                let kept = stanza
                    .list("ovs_bonds")
                    .into_iter()
                    .filter(|member| members.contains(links.in_use(member)))
                    .map(str::to_owned);
                let added = members.difference(&declared).map(|nic| draft.spelling(nic));
                let list = kept.chain(added).collect::<Vec<_>>().join(" ");
                stanza.set("ovs_bonds", Some(&list));
            }
            None if is_new => return Err(rules::required("members", &self.name, "[ens20f0np0, ens20f1np1]")),
            _ => {}
        }
        self.set_options(&mut stanza, is_new);
        self.mtu.apply(|mtu| stanza.set_mtu(mtu.copied()));
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }

    fn set_options(&self, stanza: &mut Stanza, is_new: bool) {
        let mut options = OvsOptions::of(stanza);
        if let Some(mode) = self.mode.or(is_new.then_some(Mode::LacpBalanceTcp)) {
            let (bond_mode, lacp) = mode.options();
            options.set("bond_mode", Some(bond_mode));
            options.set("lacp", lacp);
        }
        for (key, setting) in &self.options {
            setting.apply(|value| options.set(key, value.map(String::as_str)));
        }
        options.put_into(stanza);
    }

    /// Takes the members out of where they are, if they may be moved, and keeps LACP as it is on those that stay: here
    /// and in the bonds that members leave.
    fn plan_members(&self, draft: &mut Draft<'_>, stanza: &mut Stanza) -> Result<Planned, Fault> {
        let mut left = BTreeSet::new();
        let mut planned = Planned::from([planned(draft, stanza)]);
        if self.move_members {
            for member in stanza.list("ovs_bonds") {
                left.append(&mut takeover::take(draft, member, &self.name)?);
            }
        }
        let mut others: Vec<Stanza> = left.iter().filter_map(|bond| draft.stanza(bond)).collect();
        planned.extend(others.iter().map(|other| self::planned(draft, other)));
        pin_system_id(stanza, draft.picture, &planned);
        for other in &mut others {
            pin_system_id(other, draft.picture, &planned);
            draft.put(other)?;
        }
        Ok(planned)
    }

    /// Declares a member by its stanza, if it is free.
    fn take_member(&self, draft: &mut Draft<'_>, mut stanza: Stanza) -> Result<(), Fault> {
        let mut remedies = Remedies::default();
        if !self.move_members {
            remedies.in_use = "take it out there first, or let `move_members: true` do it";
        }
        match self.member_addresses {
            MemberAddresses::Refuse => {
                remedies.address = Some(
                    "move the address to an IntPort first, or in the same staged change with `member_addresses: remove`",
                );
            }
            MemberAddresses::Remove => {
                stanza.remove_addresses();
                remedies.address = None;
            }
        }
        draft.put(&stanza)?;
        if self.member_addresses == MemberAddresses::Remove && draft.picture.aim != Aim::Staged {
            lifeline::keeps_gateway(draft, &stanza.name)?;
        }
        nic::is_free_or(remedies, draft, "members", &stanza.name, &self.name)
    }
}

/// A bond with its bridge and members, as its stanza has them.
fn planned(draft: &Draft<'_>, stanza: &Stanza) -> (String, (String, BTreeSet<String>)) {
    let members = in_use(draft, stanza.list("ovs_bonds"));
    (stanza.name.clone(), (stanza.get("ovs_bridge").unwrap_or_default().to_owned(), members))
}

/// Where the bond speaks LACP and its members that stay would be renegotiated, pins what they know it by.
fn pin_system_id(stanza: &mut Stanza, picture: &Picture, planned: &Planned) {
    let mut options = OvsOptions::of(stanza);
    let pinned = format!("other_config:{}", bridge_mac::SYSTEM_ID);
    if options.get("lacp").is_none_or(|lacp| lacp == "off") || options.get(&pinned).is_some() {
        return;
    }
    if let Some(system_id) = bridge_mac::to_pin(picture, &stanza.name, planned) {
        options.set(&pinned, Some(&system_id));
        options.put_into(stanza);
    }
}

/// As the file spells them.
fn members(stanza: &Stanza) -> BTreeSet<String> {
    stanza.list("ovs_bonds").into_iter().map(str::to_owned).gather()
}

/// The names in use of NICs.
fn in_use<S: AsRef<str>>(draft: &Draft<'_>, nics: impl IntoIterator<Item = S>) -> BTreeSet<String> {
    nics.into_iter().map(|nic| draft.picture.links.in_use(nic.as_ref()).to_owned()).gather()
}

/// VLANs as `ovs_options` takes them: sorted, each once, with commas.
fn vlan_list(option: &str, vlans: Vec<i64>) -> Result<String, Fault> {
    let vlans =
        vlans.into_iter().map(|vlan| rules::vlan(option, vlan, false)).collect::<Result<Vec<u16>, _>>()?;
    let vlans: BTreeSet<u16> = vlans.into_iter().gather();
    Ok(vlans.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn member_set(members: Vec<String>) -> Result<BTreeSet<String>, Fault> {
    let mut set = BTreeSet::new();
    for member in members {
        rules::nic_name("members", &member)?;
        if let Some(member) = set.replace(member) {
            return Err(Fault::new(
                "invalid_members",
                format!("option `members`: `{member}` is listed twice; hint: list each NIC once"),
            ));
        }
    }
    if set.len() < 2 {
        return Err(Fault::new(
            "invalid_members",
            format!(
                "option `members`: an OVSBond needs at least 2 members, found {}; hint: attach a single NIC with `ports` of pve_ovs_bridge",
                set.len()
            ),
        ));
    }
    Ok(set)
}

/// A member's stanza: brought up at boot, and no port of its own any more.
fn member_stanza(draft: &Draft<'_>, nic: &str) -> Stanza {
    let mut stanza = draft.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
    stanza.auto = true;
    for key in ["ovs_type", "ovs_bridge", "ovs_options"] {
        stanza.set(key, None);
    }
    stanza
}

/// A NIC loses the MTU that the bond gave it, which is the one that equals the bond's: left behind, it would outlive what
/// it was for, and be larger than the next bond's. Any other is its own.
fn leave_mtu(draft: &mut Draft<'_>, nic: &str, bonds: Option<u32>) -> Result<(), Fault> {
    let Some(mut stanza) = draft.stanza(nic).filter(|stanza| bonds.is_some() && stanza.mtu() == bonds) else {
        return Ok(());
    };
    stanza.set_mtu(None);
    draft.put(&stanza)
}

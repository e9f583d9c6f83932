//! `pve_ovs_bridge`: what its arguments mean, and what they make of a node. No I/O.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;
use ansible_module::presence::Presence;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::address::{Address, FAMILIES};
use crate::bridge_mac::Planned;
use crate::draft::Draft;
use crate::interfaces::{Kind, Stanza};
use crate::linux_bridge::guest_of;
use crate::live::is_true;
use crate::setting::Setting;
use crate::task::Task;
use crate::{bridge_mac, conflicts, mtu_chain, nic, ovs_extra, replace, rules, specs};

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_ovs_bridge.yml, which decides what they are")]
pub struct Params {
    pub name: String,
    pub state: Presence,
    pub ports: Option<Vec<String>>,
    pub cidr: Option<String>,
    pub gateway: Option<String>,
    pub cidr6: Option<String>,
    pub gateway6: Option<String>,
    pub mtu: Option<i64>,
    pub datapath_type: Option<String>,
    pub stp: Option<bool>,
    pub rstp: Option<bool>,
    pub mcast_snooping: Option<bool>,
    pub ovs_extra: Option<Vec<String>>,
    pub replace_linux_bridge: bool,
    pub comments: Option<String>,
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct OvsBridge {
    name: String,
    state: Presence,
    ports: Option<BTreeSet<String>>,
    address: Address,
    mtu: Setting<u32>,
    /// By the column that it is in Open vSwitch.
    settings: [(&'static str, Setting<String>); 4],
    /// The lines beyond those of `settings`.
    ovs_extra: Option<Vec<String>>,
    replaces: bool,
    comments: Option<String>,
}

impl Task for OvsBridge {
    const SPEC: &'static ArgumentSpec = &specs::ovs_bridge::SPEC;
    type Params = Params;

    fn new(params: Params) -> Result<Self, Fault> {
        let Params {
            name,
            state,
            ports,
            cidr,
            gateway,
            cidr6,
            gateway6,
            mtu,
            datapath_type,
            stp,
            rstp,
            mcast_snooping,
            ovs_extra,
            replace_linux_bridge,
            comments,
        } = params;
        rules::bridge_name("name", &name)?;
        for port in ports.iter().flatten() {
            rules::nic_name("ports", port)?;
        }
        let check = |line: String| rules::ovs_extra("ovs_extra", &name, &line);
        let ovs_extra = ovs_extra.map(|lines| lines.into_iter().map(check).collect()).transpose()?;
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        Ok(Self {
            name,
            state,
            ports: ports.map(|ports| ports.into_iter().gather()),
            address: Address::new(cidr, gateway, cidr6, gateway6)?,
            mtu: Setting::new(mtu.map(|mtu| rules::mtu("mtu", mtu)).transpose()?, &0),
            settings: [
                ("datapath_type", Setting::new(datapath_type, &"default".to_owned())),
                ("stp_enable", on_or_off(stp)),
                ("rstp_enable", on_or_off(rstp)),
                ("mcast_snooping_enable", on_or_off(mcast_snooping)),
            ],
            ovs_extra,
            replaces: replace_linux_bridge && state == Presence::Present,
            comments,
        })
    }

    fn asks_who_names_it(&self) -> bool {
        self.state == Presence::Absent || self.replaces
    }

    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault> {
        let was_linux = self.is_linux(draft)?;
        let mut own = self.own_ports(draft);
        if was_linux {
            own.extend(replace::nics(draft.picture, draft.interfaces(), &self.name));
        }
        let wanted = match (self.state, &self.ports) {
            (Presence::Absent, _) => BTreeSet::new(),
            (Presence::Present, Some(ports)) => ports.iter().map(|nic| draft.spelling(nic)).gather(),
            (Presence::Present, None) => own.clone(),
        };
        match self.state {
            Presence::Absent => {
                self.nothing_else_on_it(draft, &own)?;
                draft.remove(&self.name);
            }
            Presence::Present => {
                let mut stanza = self.stanza(draft.stanza(&self.name))?;
                if was_linux {
                    keep_mac(draft, &mut stanza, &wanted);
                }
                let lines = self.ovs_extra.iter().flatten();
                let unseen = lines.flat_map(|line| ovs_extra::not_read_back(&self.name, line));
                draft.warn(unseen.map(|command| {
                    format!(
                        "option `ovs_extra`: whether `{command}` was done is not read back, and ifupdown2 says nothing where it was not; \
                         hint: what `set bridge {}` sets is read back",
                        self.name
                    )
                }));
                conflicts::address_is_free(draft, &stanza)?;
                draft.warn(Address::warnings(&stanza));
                draft.put(&stanza)?;
                if draft.replaces(&self.name) || was_linux {
                    replace::is_possible(draft, &self.name)?;
                }
            }
        }
        for nic in own.difference(&wanted) {
            detach(draft, nic)?;
        }
        for nic in &wanted {
            self.attach(draft, nic)?;
        }
        for nic in wanted.difference(&own) {
            let nic = draft.picture.links.in_use(nic).to_owned();
            let port = (self.name.clone(), [nic.clone()].into_iter().gather());
            draft.warn(conflicts::renegotiation(draft.picture, &Planned::from([(nic, port)])));
        }
        mtu_chain::is_in_order(draft, &self.name)
    }
}

impl OvsBridge {
    /// Whether a Linux bridge is to be replaced. One that the draft replaced already does not count.
    fn is_linux(&self, draft: &Draft<'_>) -> Result<bool, Fault> {
        let (name, interfaces) = (&self.name, draft.interfaces());
        let is_live = draft.picture.linux_bridges.contains_key(name);
        if self.replaces && interfaces.kind(name) == Kind::LinuxBridge {
            return conflicts::is_of_kind(draft, name, Kind::LinuxBridge, "Linux bridge").map(|()| true);
        }
        conflicts::is_of_kind(draft, name, Kind::OvsBridge, "OVSBridge")?;
        if self.replaces && is_live {
            return Ok(interfaces.stanza(name).is_none());
        }
        conflicts::name_is_free(draft, name, "OVSBridge").map(|()| false)
    }

    /// The NICs that are attached directly, in the file or in Open vSwitch.
    fn own_ports(&self, draft: &Draft<'_>) -> BTreeSet<String> {
        let (picture, interfaces) = (draft.picture, draft.interfaces());
        let listed = interfaces
            .get(&self.name)
            .into_iter()
            .flat_map(|stanza| stanza.list("ovs_ports"))
            .map(str::to_owned);
        let declared = listed.filter(|port| matches!(interfaces.kind(port), Kind::OvsPort | Kind::Eth));
        let live =
            picture.ovs.bridges.get(&self.name).into_iter().flat_map(|bridge| bridge.ports.iter().cloned());
        let is_nic = |port: &String| {
            let row = picture.ovs.ports.get(port);
            let is_single = row.is_some_and(|row| row.interfaces.iter().eq([port]));
            picture.links.is_nic(port)
                && is_single
                && !draft.frees(port, &self.name)
                && conflicts::attaching(picture, port).is_none()
        };
        declared.chain(live.filter(is_nic).map(|port| draft.spelling(&port))).gather()
    }

    fn attach(&self, draft: &mut Draft<'_>, nic: &str) -> Result<(), Fault> {
        let mut stanza = draft.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
        stanza.auto = true;
        stanza.set("ovs_type", Some("OVSPort"));
        stanza.set("ovs_bridge", Some(&self.name));
        draft.put(&stanza)?;
        nic::is_free(draft, "ports", nic, &self.name)?;
        draft.attach(nic, Some(&self.name))
    }

    fn nothing_else_on_it(&self, draft: &Draft<'_>, own: &BTreeSet<String>) -> Result<(), Fault> {
        let (picture, interfaces) = (draft.picture, draft.interfaces());
        let is_on_it = |stanza: &&Stanza| stanza.get("ovs_bridge") == Some(self.name.as_str());
        let named = interfaces.stanzas().filter(is_on_it).map(|stanza| stanza.name.clone());
        let listed = interfaces
            .get(&self.name)
            .into_iter()
            .flat_map(|stanza| stanza.list("ovs_ports"))
            .map(str::to_owned);
        let row = picture.ovs.bridges.get(&self.name);
        let live = row.into_iter().flat_map(|bridge| bridge.ports.iter().cloned());
        let live = live.filter(|port| !draft.frees(port, &self.name));
        let elsewhere = conflicts::ports_elsewhere(picture, &self.name);
        let ports: BTreeSet<String> = named
            .chain(listed)
            .chain(live)
            .chain(elsewhere.keys().cloned())
            .filter(|port| *port != self.name && !own.contains(port))
            .gather();
        let place = |port: &String| match elsewhere.get(port) {
            Some(path) => format!("{} (`{}`)", told(draft, port), path.display()),
            None => told(draft, port),
        };
        let mut users: Vec<String> = ports.iter().map(place).collect();
        users.extend(
            row.into_iter().flat_map(|row| &row.mirrors).map(|mirror| format!("the mirror `{mirror}`")),
        );
        if let Some(namer) = picture.namers.get(&self.name) {
            users.extend(namer.guests.iter().map(|guest| format!("the configuration of {guest}")));
            users.extend(namer.zones.iter().map(|zone| format!("the SDN zone `{zone}`")));
        }
        if users.is_empty() {
            return Ok(());
        }
        Err(Fault::new(
            "bridge_in_use",
            format!(
                "removing the bridge `{}` is refused: in use by {}; hint: remove or move these first",
                self.name,
                users.join(", ")
            ),
        ))
    }

    fn stanza(&self, found: Option<Stanza>) -> Result<Stanza, Fault> {
        let mut stanza = found.unwrap_or_else(|| Stanza::new(&self.name, "manual"));
        stanza.auto = true;
        stanza.set("ovs_type", Some("OVSBridge"));
        for family in &mut stanza.families {
            family.options.retain(|(key, _)| !key.starts_with("bridge_") && !key.starts_with("bridge-"));
        }
        self.address.put_into(&mut stanza)?;
        self.mtu.apply(|mtu| stanza.set_mtu(mtu.copied()));
        for (column, setting) in &self.settings {
            setting.apply(|value| ovs_extra::set(&mut stanza, column, value.map(String::as_str)));
        }
        let is_on = |column| ovs_extra::setting(&stanza, column).is_some_and(|value| is_true(&value));
        if is_on("stp_enable") && is_on("rstp_enable") {
            return Err(Fault::new(
                "invalid_combination",
                format!(
                    "options `stp` and `rstp`: `{}` would run both, and a bridge runs one of the two; hint: `stp: false` or `rstp: false`",
                    self.name
                ),
            ));
        }
        if let Some(lines) = &self.ovs_extra {
            ovs_extra::set_others(&mut stanza, lines);
        }
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }
}

/// A port of the bridge, as what it is.
fn told(draft: &Draft<'_>, port: &str) -> String {
    if let Some(guest) = guest_of(port) {
        return format!("guest {guest}'s `{port}`");
    }
    let kind = draft.interfaces().kind(port);
    if kind.is_ovs_port() {
        return format!("{kind} `{port}`");
    }
    let interface = draft.picture.ovs.interfaces.get(port);
    match interface.map(|interface| interface.kind.as_str()) {
        _ if port.starts_with("fwln") => format!("the port `{port}` of a guest's firewall"),
        _ if port.starts_with("ln_") => format!("the SDN port `{port}`"),
        Some("internal") => format!("the internal port `{port}`"),
        Some("patch") => format!("the patch port `{port}`"),
        Some("" | "system") | None => format!("the port `{port}`"),
        Some(_) => format!("the tunnel `{port}`"),
    }
}

/// Off is what the file does not say.
fn on_or_off(given: Option<bool>) -> Setting<String> {
    Setting::new(given.map(|is_on| is_on.to_string()), &false.to_string())
}

/// Whoever knows the address that stays by the Linux bridge's MAC goes on knowing it.
fn keep_mac(draft: &Draft<'_>, stanza: &mut Stanza, nics: &BTreeSet<String>) {
    let Some(found) = draft.picture.linux_bridges.get(&stanza.name) else { return };
    let has_address = FAMILIES.iter().any(|of| !stanza.addresses(of.family).is_empty());
    if has_address && bridge_mac::of_nics(draft.picture, nics).as_ref() != Some(&found.mac) {
        ovs_extra::set_mac(stanza, &found.mac);
    }
}

/// A NIC that is no port any more.
fn detach(draft: &mut Draft<'_>, nic: &str) -> Result<(), Fault> {
    let mut stanza = draft.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
    for key in ["ovs_type", "ovs_bridge", "ovs_options"] {
        stanza.set(key, None);
    }
    draft.put(&stanza)?;
    draft.attach(nic, None)
}

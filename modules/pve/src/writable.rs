//! What of an interfaces file Proxmox's web interface cannot save, and what it would lose by saving it. A pure look at
//! one file; whether a task may leave it so is decided by [`check`]. What stands in a single argument's way, with a
//! friendlier word for it, is in `conflicts.rs` and `nic.rs`.
//!
//! Taken from pve-common, `src/PVE/Network/Interfaces.pm`: its writer dies at the first of these, at every later change
//! of any interface. Options of Linux bridges and VXLANs that no module here writes are left out.

use std::collections::BTreeMap;
use std::fmt;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::draft::Draft;
use crate::interfaces::{Interfaces, Kind, OvsOptions, PORTS, Stanza};
use crate::picture::Picture;

/// The modes of an OVSBond that Proxmox's writer knows.
const BOND_MODES: [&str; 3] = ["active-backup", "balance-slb", "balance-tcp"];

/// What Proxmox takes for the MTU of an interface that says nothing of it.
const DEFAULT_MTU: u32 = 1500;

/// Keys that ifupdown2 takes with a dash too, and Proxmox with an underscore only.
const DASHED: [&str; 5] = ["ovs-type", "ovs-bridge", "ovs-ports", "ovs-bonds", "ovs-options"];

/// What becomes of it when somebody changes anything in the web interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The change fails, and so does every other one.
    Refused,
    /// It is written without something that stands there.
    Lost,
}

/// Something in a file that Proxmox's writer trips over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// What comes of it.
    pub effect: Effect,
    /// The interfaces that it is about.
    pub objects: Vec<String>,
    /// What is so.
    pub fact: String,
    /// What helps.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; hint: {}", self.fact, self.remedy)
    }
}

/// Refuses a draft that makes the file one that Proxmox cannot save, or that would lose what the task declares. What
/// was so before and is nobody's business here is a warning, also where the draft leaves the file as it is.
pub fn check(draft: &Draft<'_>) -> Result<Vec<String>, Fault> {
    let picture = draft.picture;
    let now = problems(draft.interfaces(), &is_physical(picture, draft.interfaces()));
    if now.is_empty() {
        return Ok(Vec::new());
    }
    let is_idle = draft.interfaces() == picture.written();
    let before = if is_idle {
        Vec::new()
    } else {
        problems(picture.written(), &is_physical(picture, picture.written()))
    };
    let mut warnings = Vec::new();
    let (mut refused, mut lost) = (Vec::new(), Vec::new());
    for problem in now {
        let is_own = |name: &String| draft.objects().contains(name);
        let is_new = !before.contains(&problem);
        let counts = is_new || (problem.effect == Effect::Refused && problem.objects.iter().any(is_own));
        let told = if problem.effect == Effect::Refused { &mut refused } else { &mut lost };
        if is_idle || !counts {
            told.push(problem.to_string());
        } else if draft.check_mode && !problem.objects.iter().all(is_own) {
            // What is not there at all was told as assumed already.
            if problem.objects.iter().all(|name| draft.interfaces().get(name).is_some()) {
                warnings.push(format!("{problem}: assumed to be put right by an earlier task"));
            }
        } else {
            return Err(refusal(&problem));
        }
    }
    for (problems, what) in [
        (refused, "the web interface can't save the interfaces file as it is"),
        (lost, "the web interface loses something the next time it saves the interfaces file"),
    ] {
        if !problems.is_empty() {
            warnings.push(format!("{what}: {}", problems.join("; ")));
        }
    }
    Ok(warnings)
}

/// A NIC that has a stanza under an alternative name is known to Proxmox by that alone.
fn is_physical<'a>(picture: &'a Picture, interfaces: &'a Interfaces) -> impl Fn(&str) -> bool + 'a {
    move |name| {
        let names = || picture.links.names(name).into_iter().skip(1);
        picture.links.is_nic(name) && !names().any(|other| interfaces.get(other).is_some())
    }
}

fn refusal(problem: &Problem) -> Fault {
    match problem.effect {
        Effect::Refused => Fault::new(
            "proxmox_refuses",
            format!(
                "writing the interfaces file is refused, as the web interface could not save it any more: {problem}"
            ),
        ),
        Effect::Lost => Fault::new(
            "proxmox_drops",
            format!(
                "writing the interfaces file is refused, as the web interface would not keep it: {problem}"
            ),
        ),
    }
}

/// Everything in the file that Proxmox's writer refuses or loses. `is_physical` says whether the node has a NIC of a name,
/// which counts as an interface of the file even where it has no stanza.
pub fn problems(interfaces: &Interfaces, is_physical: &dyn Fn(&str) -> bool) -> Vec<Problem> {
    let known = interfaces.stanzas().map(|stanza| {
        let name = stanza.name.as_str();
        (name, (stanza, interfaces.kind(name)))
    });
    let file = File { known: known.gather(), is_physical };
    let mut problems = Vec::new();
    let users = file.users(&mut problems);
    for (name, (stanza, kind)) in &file.known {
        match kind {
            Kind::OvsBridge => file.ovs_bridge(&mut problems, stanza),
            Kind::OvsBond => file.ovs_bond(&mut problems, stanza),
            Kind::LinuxBond => file.linux_bond(&mut problems, stanza),
            Kind::LinuxBridge => file.linux_bridge(&mut problems, stanza),
            Kind::Vlan => file.vlan(&mut problems, stanza),
            _ => {}
        }
        if kind.is_ovs_port() {
            file.unlisted(&mut problems, name, *kind, users.get(name).copied());
        }
        unseen(&mut problems, stanza);
        if let Some(line) = interfaces.detached(name).first() {
            let fact = format!("a blank line in the stanza of `{name}` cuts off `{}`", line.trim());
            problems.push(lost(&[name], fact, "remove that blank line"));
        }
    }
    problems
}

/// The file as Proxmox's writer has it before it begins.
struct File<'a> {
    known: BTreeMap<&'a str, (&'a Stanza, Kind)>,
    is_physical: &'a dyn Fn(&str) -> bool,
}

impl File<'_> {
    /// What Proxmox takes an interface for; `None` where it has none of this name.
    fn kind(&self, name: &str) -> Option<Kind> {
        let declared = self.known.get(name).map(|(_, kind)| *kind);
        declared.or_else(|| (self.is_physical)(name).then_some(Kind::Eth))
    }

    fn mtu(&self, name: &str) -> Option<u32> {
        self.known.get(name)?.0.get("mtu")?.parse().ok()
    }

    /// Who has each port: all keys that name ports are one namespace.
    fn users<'a>(&'a self, problems: &mut Vec<Problem>) -> BTreeMap<&'a str, &'a str> {
        let mut users: BTreeMap<&str, &str> = BTreeMap::new();
        for (user, (stanza, _)) in self.known.iter().filter(|(_, (stanza, _))| stanza.takes_ports()) {
            for key in PORTS {
                for port in stanza.list(key) {
                    let other = users.insert(port, user).filter(|other| other != user);
                    if let Some(other) = other {
                        let fact = format!("both `{other}` and `{user}` have `{port}` as their port");
                        problems.push(refused(&[port, other, user], fact, "take it out of one of them"));
                    }
                }
            }
        }
        users
    }

    fn ovs_bridge(&self, problems: &mut Vec<Problem>, stanza: &Stanza) {
        let bridge = stanza.name.as_str();
        for port in stanza.list("ovs_ports") {
            let listed = format!("`ovs_ports` of `{bridge}` names `{port}`");
            match self.kind(port) {
                Some(kind) if kind == Kind::Eth || kind.is_ovs_port() => {
                    self.mtu_order(problems, bridge, port);
                }
                Some(kind) => {
                    let remedy = match self.known.get(port).and_then(|(stanza, _)| stanza.get("ovs_type")) {
                        Some("OVSBond") => "name the bond `bond` and a number",
                        Some("OVSIntPort") => "choose a name that is not like a NIC's or a bond's",
                        _ => "only NICs, OVSBonds and OVSIntPorts can stand there",
                    };
                    let fact = format!("{listed}, which {}", taken_for(kind));
                    problems.push(refused(&[bridge, port], fact, remedy));
                }
                None => {
                    let fact = format!("{listed}, which has no stanza");
                    problems.push(refused(&[bridge, port], fact, "declare it, or take it out of that line"));
                }
            }
        }
    }

    fn ovs_bond(&self, problems: &mut Vec<Problem>, stanza: &Stanza) {
        let bond = stanza.name.as_str();
        for member in stanza.list("ovs_bonds") {
            self.member(problems, bond, member, &[Kind::Eth]);
        }
        let options = OvsOptions::of(stanza);
        let mode = options.get("bond_mode").unwrap_or("active-backup");
        let lacp = options.get("lacp");
        if !BOND_MODES.contains(&mode) {
            let fact = format!("`{bond}` has `bond_mode={mode}`, which Proxmox does not know");
            problems.push(refused(&[bond], fact, &format!("one of {}", BOND_MODES.join(", "))));
            return;
        }
        // It knows LACP only as a part of these three modes.
        let written = match (mode, lacp) {
            ("balance-tcp", _) | ("balance-slb", Some("active")) => Some("active"),
            _ => None,
        };
        let changed = match (lacp, written) {
            (Some(lacp), None) => Some(format!("`{bond}` loses its `lacp={lacp}`")),
            (Some(lacp), Some(written)) if lacp != written => {
                Some(format!("the `lacp={lacp}` of `{bond}` becomes `lacp={written}`"))
            }
            (None, Some(written)) => Some(format!("`{bond}` gets `lacp={written}`")),
            _ => None,
        };
        if let Some(fact) = changed {
            let fact = format!("{fact} with `bond_mode={mode}`");
            problems.push(lost(&[bond], fact, "let `mode` of pve_ovs_bond say what it shall be"));
        }
    }

    fn linux_bond(&self, problems: &mut Vec<Problem>, stanza: &Stanza) {
        for slave in stanza.list("slaves") {
            self.member(problems, &stanza.name, slave, &[Kind::Eth, Kind::LinuxBond]);
        }
    }

    fn member(&self, problems: &mut Vec<Problem>, bond: &str, member: &str, allowed: &[Kind]) {
        let kind = match self.kind(member) {
            Some(kind) if allowed.contains(&kind) => return self.mtu_order(problems, bond, member),
            Some(kind) => format!("which {}", taken_for(kind)),
            None => "which is no NIC of this node and has no stanza".to_owned(),
        };
        let fact = format!("`{bond}` has the member `{member}`, {kind}");
        problems.push(refused(&[bond, member], fact, "take it out, or put a NIC in its place"));
    }

    fn linux_bridge(&self, problems: &mut Vec<Problem>, stanza: &Stanza) {
        let bridge = stanza.name.as_str();
        for port in stanza.list("bridge_ports") {
            let is_vlan = port.rsplit_once('.').is_some_and(|(_, tag)| tag.parse::<u16>().is_ok());
            match self.kind(port) {
                // Its own MTU is then its device's.
                None if is_vlan => {}
                Some(kind) if !kind.is_ovs_port() => {
                    self.mtu_order(problems, port, bridge);
                    let addressed = self.known.get(port).is_some_and(|(stanza, _)| {
                        stanza.families.iter().any(|family| family.method == "static")
                    });
                    if addressed {
                        let fact =
                            format!("`{port}` has an address and is a port of the Linux bridge `{bridge}`");
                        problems.push(refused(&[bridge, port], fact, "move the address to the bridge"));
                    }
                }
                _ => {
                    let fact =
                        format!("the Linux bridge `{bridge}` has the port `{port}`, which it can't have");
                    problems.push(refused(&[bridge, port], fact, "take it out"));
                }
            }
        }
    }

    fn vlan(&self, problems: &mut Vec<Problem>, stanza: &Stanza) {
        let vlan = stanza.name.as_str();
        let device =
            vlan.rsplit_once('.').map(|(device, _)| device).or_else(|| stanza.get("vlan-raw-device"));
        let Some(device) = device else { return };
        let what = match self.kind(device) {
            Some(Kind::Eth | Kind::LinuxBridge | Kind::LinuxBond | Kind::Vlan) => {
                return self.mtu_order(problems, device, vlan);
            }
            Some(kind) => taken_for(kind),
            None => "the file does not have".to_owned(),
        };
        let remedy = "on Open vSwitch a VLAN is an IntPort with a tag: pve_ovs_intport";
        let fact = format!("`{vlan}` is a VLAN on `{device}`, which {what}");
        problems.push(refused(&[vlan, device], fact, remedy));
    }

    /// What carries has at least the MTU of what it carries. A Linux bond without one takes what its members have.
    fn mtu_order(&self, problems: &mut Vec<Problem>, upper: &str, lower: &str) {
        let Some(wanted) = self.mtu(lower) else { return };
        let is_free = self.kind(upper) == Some(Kind::LinuxBond);
        let own = self.mtu(upper);
        if own.is_none() && is_free || own.unwrap_or(DEFAULT_MTU) >= wanted {
            return;
        }
        let own = own
            .map_or_else(|| format!("no MTU, which counts as {DEFAULT_MTU}"), |mtu| format!("the MTU {mtu}"));
        let fact = format!("`{upper}` has {own}, and `{lower}` has {wanted}");
        let remedy = format!("raise that of `{upper}`, or lower that of `{lower}`");
        problems.push(refused(&[upper, lower], fact, &remedy));
    }

    /// A port of Open vSwitch is kept only where an OVSBridge lists it.
    fn unlisted(&self, problems: &mut Vec<Problem>, port: &str, kind: Kind, user: Option<&str>) {
        match user.map(|user| (user, self.kind(user))) {
            Some((_, Some(Kind::OvsBridge))) => {}
            Some((user, _)) => {
                let fact =
                    format!("`{port}` is {kind} and a port of `{user}`, which is no OVSBridge: it goes");
                problems.push(lost(&[port, user], fact, "take it out of one of them"));
            }
            None => {
                let bridge = self.known.get(port).and_then(|(stanza, _)| stanza.get("ovs_bridge"));
                let objects: Vec<&str> = [Some(port), bridge].into_iter().flatten().collect();
                let fact =
                    format!("no `ovs_ports` line names `{port}`: of {kind} nothing but the name is kept");
                problems.push(lost(&objects, fact, "list it in `ovs_ports` of its bridge"));
            }
        }
    }
}

/// What ifupdown2 understands in a stanza and Proxmox does not.
fn unseen(problems: &mut Vec<Problem>, stanza: &Stanza) {
    let name = stanza.name.as_str();
    let dashed = dashed(stanza);
    if !dashed.is_empty() {
        let fact = format!(
            "`{name}` has `{}`, which ifupdown2 understands and Proxmox does not",
            dashed.join("`, `")
        );
        problems.push(lost(&[name], fact, "write an underscore for the dash"));
    }
    let options = OvsOptions::of(stanza);
    if let Some(word) = options.opaque().into_iter().find(|word| !word.contains('=')) {
        let fact = format!("`ovs_options` of `{name}` has the word `{word}`, which sets nothing");
        problems.push(lost(&[name], fact, "take it out"));
    }
}

/// The keys of a stanza that only ifupdown2 sees.
pub fn dashed(stanza: &Stanza) -> Vec<&'static str> {
    let mut options = stanza.families.iter().flat_map(|family| &family.options);
    if !options.any(|(key, _)| key.starts_with("ovs-")) {
        return Vec::new();
    }
    DASHED.into_iter().filter(|key| stanza.get(key).is_some()).collect()
}

fn taken_for(kind: Kind) -> String {
    if kind == Kind::Unknown { "Proxmox can't place".to_owned() } else { format!("Proxmox takes for {kind}") }
}

fn refused(objects: &[&str], fact: String, remedy: &str) -> Problem {
    Problem { effect: Effect::Refused, objects: owned(objects), fact, remedy: remedy.to_owned() }
}

fn lost(objects: &[&str], fact: String, remedy: &str) -> Problem {
    Problem { effect: Effect::Lost, objects: owned(objects), fact, remedy: remedy.to_owned() }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests;

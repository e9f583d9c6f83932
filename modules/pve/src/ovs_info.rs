//! `pve_ovs_info`: what Open vSwitch, the kernel and the interfaces files say of bridges, bonds and `IntPort`s. Reads
//! only: it takes no lock, and what somebody else is changing at this moment is told as it is found.

mod bond;
mod bridge;
mod declared;
mod intport;
mod link;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::context::Context;
use ansible_module::diff;
use ansible_module::fault::{Fault, Step};
use ansible_module::gather::Gather as _;
use ansible_module::outcome::{Ended, Failure, Provisional, Report};
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::bond::Bond;
use self::bridge::Bridge;
use self::declared::{Declared, Reading};
use self::intport::IntPort;
use self::run::Run;
use crate::apply_options::Aim;
use crate::interfaces::Kind;
use crate::lacp_wait::{self, Waiting};
use crate::node::{self, database_deadline};
use crate::paths::Paths;
use crate::picture::{Picture, Text};
use crate::unixctl::{self, Daemon};
use crate::verdict::Verdict;
use crate::{confirmation, rules, specs};

/// The module.
pub struct OvsInfo;

impl Module for OvsInfo {
    const SPEC: &'static ArgumentSpec = &specs::ovs_info::SPEC;
    type Params = Params;

    fn run(Params { wait_for_lacp }: Params, context: &Context) -> Ended {
        let limit = rules::wait("wait_for_lacp", wait_for_lacp)
            .map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
        let paths = node::paths().map_err(|fault| Failure::untouched(Step::Read, fault))?;
        let mut told = None;
        let waited = lacp_wait::until_negotiated(context, limit.unwrap_or_default(), &mut || {
            told = None;
            let (found, waiting) = tell(&paths)?;
            told = Some(found);
            Ok(if limit.is_some() { waiting } else { Waiting::new() })
        });
        match (waited, told) {
            (Ok(()), told) => {
                let (facts, warnings) = told.unwrap_or_default();
                Ok(Report::facts(facts, warnings))
            }
            (Err(fault), Some((facts, warnings))) => {
                Err(Failure::with_facts(Step::Condition, fault, facts, warnings))
            }
            (Err(fault), None) => Err(Failure::untouched(Step::Read, fault)),
        }
    }
}

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_ovs_info.yml, which decides what they are")]
pub struct Params {
    pub wait_for_lacp: i64,
}

/// What is found, with its warnings.
type Found = (Map<String, Value>, Vec<String>);

/// What is told, and the members that wait for LACP.
fn tell(paths: &Paths) -> Result<(Found, Waiting), Fault> {
    // First, so that a run that changes what is read afterwards is not missing.
    let waiting_change = confirmation::waiting(paths)?;
    // One that waits to be confirmed is no interrupted one.
    let change = if waiting_change.is_none() { Run::found(paths)? } else { None };
    let picture = Picture::read(paths, Aim::Live)?;
    let shown = ask(paths, &bonds(&picture)).map_err(|error| Fault::from_error("ovs_failed", &error))?;
    let waiting = waiting(&picture, &shown);
    let info = Info {
        provisional: waiting_change.map(|(_, window)| window.told()),
        last_change: Verdict::read(&paths.state),
        ..Info::new(&picture, &shown, change)
    };
    let warnings = paths.notice().into_iter().chain(warnings(&picture, &info)).collect();
    match serde_json::to_value(info) {
        Ok(Value::Object(facts)) => Ok(((facts, warnings), waiting)),
        other => Err(Fault::new("internal", format!("showing what was found failed: {other:?}"))),
    }
}

/// What `ovs-vswitchd` says of a bond.
#[derive(Debug, Clone, Default)]
struct Shown {
    bond: unixctl::Bond,
    lacp: unixctl::Lacp,
}

/// Asks about every bond. Without one, nobody is asked.
fn ask(paths: &Paths, bonds: &[&str]) -> Result<BTreeMap<String, Shown>, unixctl::Error> {
    let mut shown = BTreeMap::new();
    if !bonds.is_empty() {
        let mut daemon = Daemon::open(paths, database_deadline(paths))?;
        for bond in bonds {
            shown.insert((*bond).to_owned(), Shown { bond: daemon.bond(bond)?, lacp: daemon.lacp(bond)? });
        }
    }
    Ok(shown)
}

/// The bonds that are live.
fn bonds(picture: &Picture) -> Vec<&str> {
    picture.ovs.ports.keys().map(String::as_str).filter(|name| bond::port(picture, name).is_some()).collect()
}

/// The members that wait, of every bond that speaks LACP.
fn waiting(picture: &Picture, shown: &BTreeMap<String, Shown>) -> Waiting {
    let ports = shown.iter().filter_map(|(name, shown)| Some((name, picture.ovs.ports.get(name)?, shown)));
    ports
        .filter(|(_, port, _)| lacp_wait::speaks(port))
        .map(|(name, port, shown)| (name.clone(), lacp_wait::members(port, &shown.lacp)))
        .filter(|(_, members)| !members.is_empty())
        .gather()
}

/// What is told, by name.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Info {
    bridges: BTreeMap<String, Bridge>,
    bonds: BTreeMap<String, Bond>,
    intports: BTreeMap<String, IntPort>,
    /// How what is live differs from the running file, all of it.
    drift: Vec<String>,
    /// Whether changes wait in the staged file.
    pending: bool,
    pending_diff: Option<String>,
    /// A run that is changing the node, or was interrupted while it did.
    change: Option<Run>,
    /// A change that waits to be confirmed.
    provisional: Option<Provisional>,
    /// What became of the last change that was provisional, or that its guard undid.
    last_change: Option<Verdict>,
}

impl Info {
    fn new(picture: &Picture, shown: &BTreeMap<String, Shown>, change: Option<Run>) -> Self {
        let reading = Reading::new(picture);
        let nothing = Shown::default();
        let shown = |name: &str| shown.get(name).unwrap_or(&nothing);
        let mut drift = Vec::new();
        let mut declared = |kind: Kind, name: &str| -> Declared {
            let declared = reading.declared(kind, name);
            let new: Vec<String> =
                declared.drift.iter().filter(|sentence| !drift.contains(*sentence)).cloned().collect();
            drift.extend(new);
            declared
        };
        let bridges = names(&reading, Kind::OvsBridge, picture.ovs.bridges.keys().map(String::as_str));
        let bridges = told(bridges, |name| Bridge::new(picture, name, declared(Kind::OvsBridge, name)));
        let bonds = names(&reading, Kind::OvsBond, bonds(picture).into_iter());
        let bonds = told(bonds, |name| Bond::new(picture, name, shown(name), declared(Kind::OvsBond, name)));
        let intports = names(&reading, Kind::OvsIntPort, intport::live(picture));
        let intports = told(intports, |name| IntPort::new(picture, name, declared(Kind::OvsIntPort, name)));
        let text =
            |file: &Text| String::from_utf8_lossy(file.bytes.as_deref().unwrap_or_default()).into_owned();
        let pending_diff = picture
            .staged
            .as_ref()
            .map(|staged| diff::unified("/etc/network/interfaces", &text(&picture.running), &text(staged)));
        Self {
            bridges,
            bonds,
            intports,
            drift,
            pending: pending_diff.is_some(),
            pending_diff,
            change,
            provisional: None,
            last_change: None,
        }
    }
}

/// What is of this kind, live or in one of the files.
fn names<'a>(reading: &Reading<'_>, kind: Kind, live: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    reading.names(kind).into_iter().chain(live.map(str::to_owned)).gather()
}

fn told<T>(names: BTreeSet<String>, mut found: impl FnMut(&str) -> T) -> BTreeMap<String, T> {
    names
        .into_iter()
        .map(|name| {
            let found = found(&name);
            (name, found)
        })
        .gather()
}

/// What somebody has to look at.
fn warnings(picture: &Picture, info: &Info) -> Vec<String> {
    let interrupted = info.change.as_ref().and_then(Run::warning);
    if !picture.ovs_runs {
        let stopped = "Open vSwitch does not run: nobody listens on the socket of its database; \
                       hint: install `openvswitch-switch`, or `systemctl start openvswitch-switch`";
        return interrupted.into_iter().chain([stopped.to_owned()]).collect();
    }
    let drifted: Vec<String> = info.drifted().iter().map(|name| format!("`{name}`")).collect();
    let drifted = (!drifted.is_empty()).then(|| {
        format!(
            "not as the interfaces file says: {}; hint: `drift` tells how; run the tasks that declare them",
            drifted.join(", ")
        )
    });
    let unusable = picture.ovs.interfaces.iter().filter_map(|(name, interface)| {
        let error = interface.error.as_deref()?;
        Some(format!("Open vSwitch cannot use `{name}` of `{}`: {error}", interface.port))
    });
    interrupted.into_iter().chain(drifted).chain(unusable).collect()
}

impl Info {
    /// The names of what differs.
    fn drifted(&self) -> Vec<&str> {
        let Self { bridges, bonds, intports, .. } = self;
        let bridges = bridges.iter().map(|(name, bridge)| (name, &bridge.declared));
        let bonds = bonds.iter().map(|(name, bond)| (name, &bond.declared));
        let intports = intports.iter().map(|(name, intport)| (name, &intport.declared));
        let all = bridges.chain(bonds).chain(intports);
        all.filter(|(_, declared)| !declared.drift.is_empty()).map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests;

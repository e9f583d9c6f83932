//! `pve_ovs_info`: what Open vSwitch, the kernel and the interfaces file say of bridges, bonds and `IntPort`s. Reads
//! only: it takes no lock, and what somebody else is changing at this moment is told as it is found.

mod bond;
mod bridge;
mod intport;

use std::collections::BTreeMap;

use ansible_module::context::Context;
use ansible_module::fault::{Fault, Step};
use ansible_module::outcome::{Ended, Failure, Report};
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::bond::Bond;
use self::bridge::Bridge;
use self::intport::IntPort;
use crate::apply_options::Aim;
use crate::interfaces::Kind;
use crate::node::{self, database_deadline};
use crate::ovsdb::{self, Ovs};
use crate::paths::Paths;
use crate::picture::Picture;
use crate::specs;
use crate::unixctl::{self, Daemon};

/// The module.
pub struct OvsInfo;

impl Module for OvsInfo {
    const SPEC: &'static ArgumentSpec = &specs::ovs_info::SPEC;
    type Params = Params;

    fn run(Params {}: Params, _: &Context) -> Ended {
        tell().map_err(|fault| Failure::untouched(Step::Read, fault))
    }
}

/// The arguments as given: there are none.
#[derive(Debug, Deserialize)]
pub struct Params {}

fn tell() -> Result<Report, Fault> {
    let paths = node::paths()?;
    let picture = Picture::read(&paths, Aim::Live)?;
    let shown = ask(&paths, &bonds(&picture)).map_err(|error| Fault::from_error("ovs_failed", &error))?;
    let info = Info::new(&picture, &shown);
    let warnings = paths.notice().into_iter().chain(warnings(&picture, &info)).collect();
    match serde_json::to_value(info) {
        Ok(Value::Object(facts)) => Ok(Report::facts(facts, warnings)),
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

/// A bond that lost all but one member is still one: its port is not named after the NIC.
fn bonds(picture: &Picture) -> Vec<&str> {
    let is_bond = |name: &String, port: &ovsdb::Port| port.interfaces.iter().any(|member| member != name);
    let ports = picture.ovs.ports.iter().filter(|(name, port)| is_bond(name, port));
    ports.map(|(name, _)| name.as_str()).collect()
}

/// What is told, by name.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Info {
    bridges: BTreeMap<String, Bridge>,
    bonds: BTreeMap<String, Bond>,
    intports: BTreeMap<String, IntPort>,
}

impl Info {
    fn new(picture: &Picture, shown: &BTreeMap<String, Shown>) -> Self {
        let Ovs { bridges, ports, interfaces: _ } = &picture.ovs;
        let nothing = Shown::default();
        let shown = |name: &str| shown.get(name).unwrap_or(&nothing);
        Self {
            bridges: told(bridges.keys().map(String::as_str), |name| Bridge::found(picture, name)),
            bonds: told(bonds(picture), |name| Bond::found(picture, name, shown(name))),
            intports: told(ports.keys().map(String::as_str), |name| IntPort::found(picture, name)),
        }
    }

    fn has(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::OvsBridge => self.bridges.contains_key(name),
            Kind::OvsBond => self.bonds.contains_key(name),
            Kind::OvsIntPort => self.intports.contains_key(name),
            _ => true,
        }
    }
}

fn told<'a, T>(
    names: impl IntoIterator<Item = &'a str>,
    found: impl Fn(&str) -> Option<T>,
) -> BTreeMap<String, T> {
    names.into_iter().filter_map(|name| Some((name.to_owned(), found(name)?))).collect()
}

/// Whether the interfaces file has `name` as such an interface.
fn is_configured(picture: &Picture, name: &str, kind: Kind) -> bool {
    picture.running.interfaces.stanza(name).is_some() && picture.running.interfaces.kind(name) == kind
}

/// What is not there although it should be.
fn warnings(picture: &Picture, info: &Info) -> Vec<String> {
    if !picture.ovs_runs {
        return vec![
            "Open vSwitch does not run: nobody listens on the socket of its database; \
             hint: install `openvswitch-switch`, or `systemctl start openvswitch-switch`"
                .to_owned(),
        ];
    }
    let missing = picture.running.interfaces.names().into_iter().filter_map(|name| {
        let kind = picture.running.interfaces.kind(&name);
        let is_started = picture.running.interfaces.stanza(&name)?.auto;
        (is_started && !info.has(kind, &name)).then(|| {
            format!(
                "`{name}` is {kind} in the interfaces file, and Open vSwitch does not have it; hint: `ifreload -a`"
            )
        })
    });
    let unusable = picture.ovs.interfaces.iter().filter_map(|(name, interface)| {
        let error = interface.error.as_deref()?;
        Some(format!("Open vSwitch cannot use `{name}` of `{}`: {error}", interface.port))
    });
    missing.chain(unusable).collect()
}

#[cfg(test)]
mod tests;

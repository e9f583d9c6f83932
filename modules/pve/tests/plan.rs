//! Every folder of `tests/plan` is a case: a node, tasks on it in turn, and what comes of them.
//!
//! - `interfaces`: the file before; without it there is none. `staged`: changes that wait in `interfaces.new`.
//! - `sourced`: a folder with the files of `/etc/network/interfaces.d`.
//! - `case.json`: `links` (by name: `{}` is a NIC; `bridge` names its Linux bridge, `bond` its Linux bond, `addresses` lists its
//!   own, `altnames` its other names, `up` says that it is; `kind` makes it a `bridge` or `bond` of Linux, a `tap` as Open vSwitch
//!   makes them, or a `virtual` one, a guest's or somebody's), `vlans` of the ports of a Linux bridge that is VLAN-aware, `ports`
//!   that Open vSwitch has already (by name: `bridge` and `type`, and `interfaces` where these are not the port itself; `mac` is
//!   what the database asks for), `mirrors` (name: bridge), `named_by` (by bridge: `guests` and `zones` of Proxmox's
//!   configuration), `default_routes` (link: gateway), `lacks_condone_default` (an ifupdown2 that is not Proxmox's),
//!   `lifelines` (address: what it is) and `tasks`, each `{MODULE: ARGUMENTS}`.
//! - `expected`: the file after all tasks; `expected_staged`: what waits then; `changes`: what they did, a line each;
//!   `warnings`: what they warned of, where they did; `also_affected`: what a task that says `foreign_changes` told besides.
//! - or `refused`: the code of the error that the tasks end with, and its message.
//!
//! On each task the laws of planning are checked too: the target of the target is itself, and a node that has become
//! as planned has nothing left to change.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here is the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ansible_module::converge::{State as _, Target};
use ansible_module::diff;
use ansible_module::fault::Fault;
use pve::apply_options::ApplyOptions;
use pve::change::{Change, changes};
use pve::file::Files;
use pve::interfaces::Interfaces;
use pve::kernel::{DefaultRoute, Kind, Link, Links, Master};
use pve::lifeline::Lifeline;
use pve::linux_bridge::LinuxBridge;
use pve::live;
use pve::ovs_bond::OvsBond;
use pve::ovs_bridge::OvsBridge;
use pve::ovs_intport::OvsIntport;
use pve::ovsdb;
use pve::picture::{Picture, Text};
use pve::proxmox::Namer;
use pve::sourced::Sourced;
use pve::state::State;
use pve::task::{Params, Task, plan as plan_task};
use serde_json::{Map, Value, json};

#[test]
fn every_case_comes_out_as_expected() {
    golden::every_case(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan"), check);
}

fn check(case: &Path) -> golden::Outcome {
    let described: Value = serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
    let read = |name| fs::read(case.join(name)).ok();
    let mut picture = picture(read("interfaces"), read("staged"), &described);
    picture.sourced = sourced(&case.join("sourced"));
    let (mut told, mut warned, mut affected) = (String::new(), String::new(), String::new());
    let mut refused = None;
    for task in described["tasks"].as_array().unwrap() {
        let (module, arguments) = task.as_object().unwrap().iter().next().unwrap();
        picture.aim = options(arguments).aim();
        match plan(module, arguments, &picture) {
            Ok(Target { after, also_affected, warnings }) => {
                for warning in warnings {
                    writeln!(warned, "{warning}").unwrap();
                }
                for sentence in also_affected.iter().filter(|_| arguments.get("foreign_changes").is_some()) {
                    writeln!(affected, "{sentence}").unwrap();
                }
                let before = State::found(&picture, &after);
                let planned = changes(&before, &after);
                for change in &planned {
                    writeln!(told, "{change}").unwrap();
                }
                assert_eq!(
                    planned.is_empty(),
                    diff::between(&before.describe(), &after.describe()).as_array().unwrap().is_empty(),
                    "changes and diff agree"
                );
                become_as_planned(&mut picture, &planned, &after);
                obeys_the_laws(case, module, arguments, &picture, &after);
            }
            Err(fault) => {
                refused = Some(format!("{}: {fault}\n", fault.code));
                break;
            }
        }
    }
    let text = |file: Text| String::from_utf8(file.bytes.unwrap()).unwrap();
    let staged = picture.staged.map(text);
    vec![
        ("expected", refused.is_none().then(|| text(picture.running))),
        ("expected_staged", staged.filter(|_| refused.is_none())),
        ("changes", refused.is_none().then_some(told)),
        ("warnings", (refused.is_none() && !warned.is_empty()).then_some(warned)),
        ("also_affected", Some(affected).filter(|text| refused.is_none() && !text.is_empty())),
        ("refused", refused),
    ]
}

fn obeys_the_laws(case: &Path, module: &str, arguments: &Value, picture: &Picture, after: &State) {
    let reached = State::found(picture, after);
    assert_eq!(changes(&reached, after), [], "{}: reached, and nothing left", case.display());
    let again = plan(module, arguments, picture).unwrap().after;
    assert_eq!(
        changes(&State::found(picture, &again), &again),
        [],
        "{}: a second run is idle",
        case.display()
    );
}

fn plan(module: &str, arguments: &Value, picture: &Picture) -> Result<Target<State>, Fault> {
    let arguments = arguments.as_object().unwrap().clone();
    match module {
        "pve_ovs_bridge" => planned::<OvsBridge>(arguments, picture),
        "pve_ovs_bond" => planned::<OvsBond>(arguments, picture),
        "pve_ovs_intport" => planned::<OvsIntport>(arguments, picture),
        _ => panic!("there is no {module}"),
    }
}

fn planned<T: Task>(mut arguments: Map<String, Value>, picture: &Picture) -> Result<Target<State>, Fault> {
    // A case's node seldom is all that its file says.
    arguments.entry("foreign_changes").or_insert("apply".into());
    let params = T::SPEC.validate(T::SPEC.module, arguments, false).unwrap().params;
    let Params { task, apply } = serde_json::from_value(params.into()).unwrap();
    plan_task(&T::new(task)?, &apply, picture, false)
}

/// Files beside the interfaces file.
fn sourced(folder: &Path) -> Vec<Sourced> {
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path()).collect();
    files.sort();
    let file = |file: &PathBuf| Sourced {
        path: Path::new("/etc/network/interfaces.d").join(file.file_name().unwrap()),
        interfaces: Interfaces::parse(&fs::read(file).unwrap()),
    };
    files.iter().map(file).collect()
}

/// Where a task's change goes; the same for all modules.
fn options(arguments: &Value) -> ApplyOptions {
    let mut options = json!({"apply": true, "pending": "fail", "foreign_changes": "apply"});
    for (name, value) in arguments.as_object().unwrap() {
        options[name] = value.clone();
    }
    serde_json::from_value(options).unwrap()
}

fn picture(file: Option<Vec<u8>>, staged: Option<Vec<u8>>, described: &Value) -> Picture {
    let links = described["links"].as_object().unwrap().iter().zip(1..).map(|((name, link), index)| {
        let addresses =
            link["addresses"].as_array().into_iter().flatten().map(|address| cidr(address.as_str().unwrap()));
        let is_bridge = link["kind"] == "bridge";
        let kind = match link["kind"].as_str() {
            None => Kind::Physical,
            Some("bridge") => Kind::Bridge,
            Some("tap") => Kind::Tap,
            Some("bond") => Kind::Bond,
            Some("virtual") => Kind::Virtual,
            Some(other) => panic!("there is no link of kind {other}"),
        };
        let link = Link {
            index,
            kind,
            mac: link["mac"].as_str().map_or_else(|| format!("3c:fd:fe:00:00:{index:02x}"), str::to_owned),
            mtu: 1500,
            is_up: link["up"].as_bool().unwrap_or(is_bridge),
            operstate: "down".to_owned(),
            master: link["bridge"]
                .as_str()
                .map(|bridge| Master::Bridge(bridge.to_owned()))
                .or_else(|| link["bond"].as_str().map(|bond| Master::Bond(bond.to_owned()))),
            addresses: addresses.collect(),
        };
        (name.clone(), link)
    });
    let links: Links = links.collect();
    let altnames = described["links"].as_object().unwrap().iter().flat_map(|(name, link)| {
        let others = link["altnames"].as_array().into_iter().flatten();
        others.map(|other| (other.as_str().unwrap().to_owned(), name.clone()))
    });
    let links = links.with_altnames(altnames);
    let running = Text::new(file, &links);
    let staged = staged.map(|bytes| Text::new(Some(bytes), &links));
    let linux_bridges = linux_bridges(&links, &described["vlans"]);
    let mut picture = Picture { running, staged, ovs_runs: true, links, linux_bridges, ..Picture::default() };
    for (name, port) in described["ports"].as_object().into_iter().flatten() {
        let bridge = port["bridge"].as_str().unwrap();
        picture.ovs.bridges.entry(bridge.to_owned()).or_default().ports.insert(name.clone());
        let interfaces = port["interfaces"].as_array().map_or_else(
            || BTreeSet::from([name.clone()]),
            |names| names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        );
        for member in &interfaces {
            interface(&mut picture, member, name, port["type"].as_str().unwrap());
            let row = picture.ovs.interfaces.get_mut(member).unwrap();
            row.mac = port["mac"].as_str().map(str::to_owned);
        }
        let row = ovsdb::Port { bridge: bridge.to_owned(), interfaces, ..ovsdb::Port::default() };
        picture.ovs.ports.insert(name.clone(), row);
    }
    for (address, what) in described["lifelines"].as_object().into_iter().flatten() {
        let (address, what) = (address.parse().unwrap(), what.as_str().unwrap().to_owned());
        picture.lifelines.push(Lifeline { address, what });
    }
    picture.lacks_condone_default = described["lacks_condone_default"] == true;
    for (mirror, bridge) in described["mirrors"].as_object().into_iter().flatten() {
        let bridge = bridge.as_str().unwrap().to_owned();
        picture.ovs.bridges.entry(bridge).or_default().mirrors.insert(mirror.clone());
    }
    for (bridge, namer) in described["named_by"].as_object().into_iter().flatten() {
        let those =
            |key: &str| -> Vec<String> { serde_json::from_value(namer[key].clone()).unwrap_or_default() };
        picture.namers.insert(bridge.clone(), Namer { guests: those("guests"), zones: those("zones") });
    }
    for (link, gateway) in described["default_routes"].as_object().into_iter().flatten() {
        let gateway = gateway.as_str().unwrap().parse().ok();
        picture.routes.push(DefaultRoute { gateway, link: link.clone(), metric: 0 });
    }
    picture
}

/// Those that are VLAN-aware have ports with `vlans`: by port, the untagged one and ranges of tagged ones.
fn linux_bridges(links: &Links, vlans: &Value) -> BTreeMap<String, LinuxBridge> {
    let mut bridges = BTreeMap::new();
    for (name, link) in links.iter().filter(|(_, link)| link.kind == Kind::Bridge) {
        let on_it = |link: &Link| link.master == Some(Master::Bridge(name.to_owned()));
        let ports = links
            .iter()
            .filter(|(_, link)| on_it(link))
            .map(|(port, _)| (port.to_owned(), serde_json::from_value(vlans[port].clone()).unwrap()));
        let bridge = LinuxBridge { mac: link.mac.clone(), ports: ports.collect(), ..LinuxBridge::default() };
        bridges.insert(name.to_owned(), bridge);
    }
    bridges
}

fn cidr(text: &str) -> pve::kernel::Cidr {
    let (address, prefix) = text.split_once('/').unwrap();
    pve::kernel::Cidr { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }
}

/// What a node would do that does exactly as it is told.
fn become_as_planned(picture: &mut Picture, planned: &[Change], after: &State) {
    let files = Files::edited(picture, planned).unwrap();
    let [running, staged] = files.after();
    picture.running = Text::new(running.map(<[u8]>::to_vec), &picture.links);
    picture.staged = staged.map(|bytes| Text::new(Some(bytes.to_vec()), &picture.links));
    for name in after.linux_bridges.keys() {
        picture.linux_bridges.remove(name);
        let links = std::mem::take(&mut picture.links);
        let freed = links.iter().filter(|(link, _)| link != name).map(|(link_name, link)| {
            let master = link.master.clone().filter(|master| *master != Master::Bridge(name.clone()));
            (link_name.to_owned(), Link { master, ..link.clone() })
        });
        picture.links = freed.collect();
    }
    for (name, bridge) in &after.ovsdb.bridges {
        picture.ovs.bridges.remove(name);
        picture.ovs.interfaces.remove(name);
        if let Some(bridge) = bridge {
            let row = ovsdb::Bridge {
                ports: [name.clone()].into(),
                // As ovs-vsctl leaves it.
                datapath_type: if bridge.datapath_type == "system" {
                    String::new()
                } else {
                    bridge.datapath_type.clone()
                },
                stp_enable: bridge.stp,
                rstp_enable: bridge.rstp,
                mcast_snooping_enable: bridge.mcast_snooping,
                columns: columns(&bridge.others),
                ..ovsdb::Bridge::default()
            };
            picture.ovs.bridges.insert(name.clone(), row);
            interface(picture, name, name, "internal");
            request(picture, name, bridge.mtu_request);
        }
    }
    for name in after.ovsdb.ports.keys() {
        if let Some(old) = picture.ovs.ports.remove(name) {
            old.interfaces.iter().for_each(|member| drop(picture.ovs.interfaces.remove(member)));
            // Where the bridge went, its ports went with it.
            if let Some(bridge) = picture.ovs.bridges.get_mut(&old.bridge) {
                bridge.ports.remove(name);
            }
        }
    }
    for (name, port) in &after.ovsdb.ports {
        if let Some(port) = port {
            make_port(picture, name, port);
        }
    }
    move_bridge_macs(picture);
    let mut links: Vec<(String, Link)> =
        picture.links.iter().map(|(name, link)| (name.to_owned(), link.clone())).collect();
    for (name, wanted) in &after.kernel {
        let found = links.iter().position(|(other, _)| other == name).map(|index| links.remove(index).1);
        picture.routes.retain(|route| route.link != *name);
        if !wanted.present {
            continue;
        }
        let mut link = found.unwrap_or(Link {
            index: 99,
            kind: Kind::Tap,
            mac: String::new(),
            mtu: 1500,
            is_up: true,
            operstate: "up".to_owned(),
            master: None,
            addresses: Vec::new(),
        });
        link.is_up = wanted.up.unwrap_or(link.is_up);
        link.mtu = wanted.mtu.unwrap_or(link.mtu);
        link.mac = wanted.mac.clone().unwrap_or(link.mac);
        if let Some(master) = &wanted.master {
            link.master = Some(Master::Bridge(master.clone())).filter(|_| !master.is_empty());
        }
        for (address, is_there) in &wanted.addresses {
            link.addresses.retain(|other| other.to_string() != *address);
            link.addresses.extend(is_there.then(|| cidr(address)));
        }
        let gateways = wanted.gateways.iter().filter(|(_, is_there)| **is_there);
        picture.routes.extend(gateways.map(|(gateway, _)| DefaultRoute {
            gateway: gateway.parse().ok(),
            link: name.clone(),
            metric: 0,
        }));
        links.push((name.clone(), link));
    }
    let altnames = picture.links.altnames();
    picture.links = links.into_iter().collect::<Links>().with_altnames(altnames);
}

fn make_port(picture: &mut Picture, name: &str, port: &live::Port) {
    for member in &port.interfaces {
        interface(picture, member, name, if port.internal { "internal" } else { "" });
        request(picture, member, port.mtu_requests.get(member).copied());
        if let Some(row) = picture.ovs.interfaces.get_mut(member) {
            row.mac.clone_from(&port.mac);
        }
    }
    let bridge = picture.ovs.bridges.get_mut(&port.bridge);
    bridge.unwrap_or_else(|| panic!("{name}: no bridge {}", port.bridge)).ports.insert(name.to_owned());
    let row = ovsdb::Port {
        bridge: port.bridge.clone(),
        interfaces: port.interfaces.clone(),
        bond_mode: Some(port.bond_mode.clone()).filter(|mode| mode != "active-backup"),
        lacp: Some(port.lacp.clone()).filter(|lacp| lacp != "off"),
        tag: port.tag,
        trunks: port.trunks.clone(),
        vlan_mode: port.vlan_mode.clone(),
        bond_updelay: port.bond_updelay,
        bond_downdelay: port.bond_downdelay,
        other_config: port.other_config.clone(),
        ..ovsdb::Port::default()
    };
    picture.ovs.ports.insert(name.to_owned(), row);
}

/// Columns, or `COLUMN:KEY`, with their values, as on the wire.
fn columns(others: &BTreeMap<String, String>) -> Value {
    let mut columns = json!({});
    for (path, value) in others {
        match path.split_once(':') {
            None => columns[path] = value.as_str().into(),
            Some((column, key)) => {
                let mut pairs = columns[column][1].as_array().cloned().unwrap_or_default();
                pairs.push(json!([key, value]));
                columns[column] = json!(["map", pairs]);
            }
        }
    }
    columns
}

fn interface(picture: &mut Picture, name: &str, port: &str, kind: &str) {
    let mac_in_use = picture.links.get(name).map(|link| link.mac.clone());
    let row = ovsdb::Interface {
        port: port.to_owned(),
        kind: kind.to_owned(),
        mac_in_use,
        ..ovsdb::Interface::default()
    };
    picture.ovs.interfaces.insert(name.to_owned(), row);
}

fn request(picture: &mut Picture, name: &str, mtu: Option<u32>) {
    picture.ovs.interfaces.get_mut(name).unwrap().mtu_request = mtu;
}

/// A bridge takes the lowest MAC of its NICs, which here are all of vendors.
fn move_bridge_macs(picture: &mut Picture) {
    for (name, bridge) in &picture.ovs.bridges {
        let firsts: BTreeSet<&String> =
            bridge.ports.iter().filter_map(|port| picture.ovs.ports.get(port)?.interfaces.first()).collect();
        let lowest = firsts
            .into_iter()
            .filter_map(|nic| Some(picture.links.get(nic)?.mac.clone()))
            .filter(|mac| !mac.is_empty())
            .min();
        if let Some(own) = picture.ovs.interfaces.get_mut(name) {
            own.mac_in_use = lowest;
        }
    }
}

//! What Proxmox makes consistent before it writes, and what it refuses to write. Of several faults the one of the first
//! interface by name is told.

use std::collections::BTreeMap;

use crate::Die;
use crate::kind::{Kind, numbered, parent};
use crate::model::{Family, Interface, Model};

type Interfaces = BTreeMap<String, Interface>;

/// Makes the model what will be written.
pub(crate) fn settle(model: &Model) -> Result<Model, Die> {
    let mut settled = model.clone();
    let Model { interfaces, lines: _ } = &mut settled;
    let users = users_of_ports(interfaces)?;
    drop_unlisted_ports(interfaces, &users);
    attach_ports(interfaces)?;
    for (kind, key) in [(Kind::OvsBond, "ovs_bonds"), (Kind::Bond, "slaves")] {
        members(interfaces, kind, key)?;
    }
    vlans(interfaces)?;
    bridge_ports(interfaces)?;
    Ok(settled)
}

fn die<T>(message: String) -> Result<T, Die> {
    Err(Die(message))
}

fn names_of(interfaces: &Interfaces, kind: Kind) -> Vec<String> {
    interfaces
        .iter()
        .filter(|(_, interface)| interface.kind == Some(kind))
        .map(|(name, _)| name.clone())
        .collect()
}

fn words(interfaces: &Interfaces, name: &str, key: &str) -> Vec<String> {
    interfaces.get(name).into_iter().flat_map(|found| found.words(key)).map(str::to_owned).collect()
}

fn kind_name(interfaces: &Interfaces, name: &str) -> &'static str {
    interfaces.get(name).and_then(|found| found.kind).map_or("", Kind::name)
}

/// All keys that name ports are one namespace.
fn users_of_ports(interfaces: &Interfaces) -> Result<BTreeMap<String, String>, Die> {
    let mut users: BTreeMap<String, String> = BTreeMap::new();
    for (name, interface) in interfaces {
        for key in ["bridge_ports", "ovs_ports", "slaves", "ovs_bonds"] {
            let value = interface.get(key).unwrap_or_default();
            let separated = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '\0');
            for port in value.split(separated).filter(|port| !port.is_empty()) {
                if let Some(user) = users.get(port).filter(|user| *user != name) {
                    return die(format!("port '{port}' is already used on interface '{user}'"));
                }
                users.insert(port.to_owned(), name.clone());
            }
        }
    }
    Ok(users)
}

/// A port that no bridge lists loses all that it is; one that something else has as its port goes.
fn drop_unlisted_ports(interfaces: &mut Interfaces, users: &BTreeMap<String, String>) {
    let kinds: BTreeMap<String, Option<Kind>> =
        interfaces.iter().map(|(name, interface)| (name.clone(), interface.kind)).collect();
    interfaces.retain(|name, interface| {
        if !interface.kind.is_some_and(Kind::is_ovs_port) {
            return true;
        }
        match users.get(name).and_then(|user| kinds.get(user)) {
            None => {
                let mut bare = Interface { kind: Some(Kind::Eth), ..Interface::default() };
                bare.families.push(Some(Family::Inet));
                bare.inet.method = Some("manual".to_owned());
                *interface = bare;
                true
            }
            Some(kind) => *kind == Some(Kind::OvsBridge),
        }
    });
}

fn attach_ports(interfaces: &mut Interfaces) -> Result<(), Die> {
    for bridge in names_of(interfaces, Kind::OvsBridge) {
        for port in words(interfaces, &bridge, "ovs_ports") {
            let Some(found) = interfaces.get_mut(&port) else {
                return die(format!("OVS bridge '{bridge}' - unable to find port '{port}'"));
            };
            match found.kind {
                Some(Kind::Eth) => found.kind = Some(Kind::OvsPort),
                Some(kind) if kind.is_ovs_port() => {}
                _ => return die(format!("interface '{port}' is not defined as OVS port/bond")),
            }
            found.autostart = false;
            found.set("ovs_bridge", &bridge);
            mtu(interfaces, &bridge, &port)?;
        }
    }
    Ok(())
}

fn members(interfaces: &mut Interfaces, kind: Kind, key: &str) -> Result<(), Die> {
    for bond in names_of(interfaces, kind) {
        for member in words(interfaces, &bond, key) {
            let found = kind_name(interfaces, &member);
            match kind {
                Kind::OvsBond if found != "eth" => {
                    return die(format!(
                        "OVS bond '{bond}' - wrong interface type on slave '{member}' ('{found}' != 'eth')"
                    ));
                }
                Kind::Bond if !matches!(found, "eth" | "bond") => {
                    return die(format!(
                        "bond '{bond}' - wrong interface type on slave '{member}' ('{found}' != 'eth or bond')"
                    ));
                }
                _ => {}
            }
            if let Some(member) = interfaces.get_mut(&member) {
                member.autostart = true;
            }
            mtu(interfaces, &bond, &member)?;
        }
    }
    Ok(())
}

fn vlans(interfaces: &mut Interfaces) -> Result<(), Die> {
    for name in names_of(interfaces, Kind::Vlan) {
        let Some(vlan) = interfaces.get_mut(&name) else { continue };
        if let Some(protocol) =
            vlan.get("vlan-protocol").filter(|known| !matches!(*known, "802.1ad" | "802.1q"))
        {
            return die(format!("{name}: wrong vlan-protocol {protocol}"));
        }
        let device = match parent(&name, '.') {
            Some((device, _)) => {
                vlan.settings.remove("vlan-raw-device");
                device.to_owned()
            }
            None => vlan.get("vlan-raw-device").unwrap_or_default().to_owned(),
        };
        let Some(id) = vlan.get("vlan-id").map(str::to_owned) else {
            return die("missing vlan-id option".to_owned());
        };
        if parent(&name, '.').is_some() || numbered(&name, "vlan").is_some() {
            vlan.settings.remove("vlan-id");
        }
        if id.parse::<u32>().map_or(true, |id| id > 4094) {
            return die(format!("vlan '{name}' - vlan-id {id} should be <= 4094"));
        }
        let found = kind_name(interfaces, &device);
        if !matches!(found, "eth" | "bridge" | "bond" | "vlan") {
            return die(format!(
                "vlan '{name}' - wrong interface type on parent '{device}' ('{found}' != 'eth|bond|bridge|vlan' )"
            ));
        }
        mtu(interfaces, &device, &name)?;
    }
    Ok(())
}

/// Ports of Linux bridges. `NIC.N` needs no stanza; it has its NIC's MTU then.
fn bridge_ports(interfaces: &Interfaces) -> Result<(), Die> {
    for bridge in names_of(interfaces, Kind::Bridge) {
        for port in words(interfaces, &bridge, "bridge_ports") {
            let above = match (interfaces.get(&port), parent(&port, '.')) {
                (Some(found), _) => found.clone(),
                (None, Some((device, _))) => {
                    let mut vlan = Interface::default();
                    if let Some(mtu) = interfaces.get(device).and_then(|device| device.get("mtu")) {
                        vlan.set("mtu", mtu);
                    }
                    vlan
                }
                (None, None) => {
                    return die(format!("bridge '{bridge}' - unable to find bridge port '{port}'"));
                }
            };
            let is_static = [(&above.inet, "0.0.0.0"), (&above.inet6, "::")].iter().any(|(own, none)| {
                own.method.as_deref() == Some("static") && own.address.as_deref() != Some(*none)
            });
            if is_static {
                return die(format!(
                    "iface {port} - ip address can't be set on interface if bridged in {bridge}"
                ));
            }
            if let Some(found) = interfaces.get(&bridge) {
                mtu_between((&port, &above), (&bridge, found))?;
            }
        }
    }
    Ok(())
}

fn mtu(interfaces: &Interfaces, parent: &str, child: &str) -> Result<(), Die> {
    match (interfaces.get(parent), interfaces.get(child)) {
        (Some(above), Some(below)) => mtu_between((parent, above), (child, below)),
        _ => Ok(()),
    }
}

fn mtu_between((parent, above): (&str, &Interface), (child, below): (&str, &Interface)) -> Result<(), Die> {
    let number = |interface: &Interface| interface.get("mtu").and_then(|mtu| mtu.parse::<u32>().ok());
    let Some(wanted) = number(below) else { return Ok(()) };
    let unset = if above.kind == Some(Kind::Bond) { wanted } else { 1500 };
    let has = number(above).unwrap_or(unset);
    if has < wanted {
        return die(format!("interface '{parent}' - mtu {has} is lower than '{child}' - mtu {wanted}"));
    }
    Ok(())
}

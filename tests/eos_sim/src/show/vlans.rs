//! `show vlan`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Shown;
use crate::dataplane::{Fallback, Port, Switchport};
use crate::names::Name;
use crate::state::State;
use crate::vlans::Vlans;

pub(super) fn show(state: &mut State, asked: Option<&str>) -> Result<Shown, String> {
    let live = state.observe();
    let intent = state.intent().clone();
    let asked = asked.and_then(Vlans::parse);
    if let Some(missing) = asked.iter().flat_map(|asked| &asked.0).find(|id| !intent.vlans.contains(id)) {
        return Err(format!("% VLAN {missing} not found in current VLAN database"));
    }
    // A port is listed where it forwards; a member does where it stands alone.
    let members = intent.channels.values().filter(|one| one.fallback == Some(Fallback::Individual));
    let members = members.flat_map(|one| one.members.iter().map(|(name, member)| (name, &member.port)));
    let channels =
        intent.channels.iter().filter(|(number, _)| live.channels.get(number).is_some_and(|one| one.up));
    let channels = channels.map(|(number, channel)| (Name::port_channel(*number), &channel.port));
    let ports =
        intent.ports.iter().chain(members).filter_map(|(name, port)| Some((Name::parse(name)?, port)));
    let ports = ports.filter(|(name, _)| live.ports.get(name).is_some_and(|port| port.status.link));
    let ports: BTreeMap<Name, &Port> = ports.collect();
    let forwarding = ports.into_iter().chain(channels).filter(|(_, port)| !port.blocked);
    let forwarding: Vec<(Name, &Port)> = forwarding.collect();

    let mut text = "VLAN  Name                             Status    Ports\n\
                    ----- -------------------------------- --------- -------------------------------\n"
        .to_owned();
    let mut vlans = Map::new();
    for id in intent.vlans.iter().filter(|id| asked.as_ref().is_none_or(|asked| asked.0.contains(id))) {
        let name = match state.running.vlans.get(id).and_then(|vlan| vlan.name.clone()) {
            Some(name) => name,
            None if *id == 1 => "default".to_owned(),
            None => format!("VLAN{id:04}"),
        };
        let members = forwarding.iter().filter(|(_, port)| carries(port, *id)).map(|(name, _)| name);
        let shorts = members.clone().map(Name::short).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "{}", format!("{id:<5} {name:<32} {:<9} {shorts}", "active").trim_end());
        let members = members.map(|name| (name.to_string(), json!({ "privatePromoted": false })));
        let members: Map<String, Value> = members.collect();
        let vlan = json!({ "status": "active", "name": name, "interfaces": members, "dynamic": false });
        vlans.insert(id.to_string(), vlan);
    }
    text.push('\n');
    Ok(Shown { text, json: Some(json!({ "sourceDetail": "", "vlans": vlans })) })
}

fn carries(port: &Port, id: u16) -> bool {
    match &port.switchport {
        Some(Switchport::Access(access)) => *access == id,
        Some(Switchport::Trunk { allowed, .. }) => allowed.contains(&id),
        None => false,
    }
}

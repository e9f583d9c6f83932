//! `show lacp neighbor`, `show lacp interface`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Shown;
use crate::dataplane::LacpEnd;
use crate::live::Port;
use crate::names::{Name, Names};
use crate::state::State;

const LEGEND: &str = "\
State: A = Active, P = Passive; S=ShortTimeout, L=LongTimeout;
       G = Aggregable, I = Individual; s+=InSync, s-=OutOfSync;
       C = Collecting, X = state machine expired,
       D = Distributing, d = default neighbor state
";
const TABLE: &str = " Port    Status  | Sys-id                    Port#   State     OperKey  PortPri
------ ----------|------------------------- ------- --------- --------- -------
";
const STATES: [&str; 8] = [
    "activity",
    "timeout",
    "aggregation",
    "synchronization",
    "collecting",
    "distributing",
    "defaulted",
    "expired",
];

pub(super) fn neighbor(state: &mut State) -> Shown {
    table(state, "Partner", None, |port| port.partner().cloned().unwrap_or_default())
}

pub(super) fn interface(state: &mut State, asked: Option<&str>) -> Shown {
    table(state, "Actor", asked, |port| {
        port.status.lacp.as_ref().map(|lacp| lacp.actor.clone()).unwrap_or_default()
    })
}

/// One end of the dialogs of each channel's members, of those that were asked for by their own or their channel's name.
fn table(state: &mut State, side: &str, asked: Option<&str>, end: impl Fn(&Port) -> LacpEnd) -> Shown {
    let live = state.observe();
    let asked = asked.and_then(Names::parse).map(|names| state.running.named(&names));
    let mut text = format!("{LEGEND}                 |{side:>31}\n{TABLE}");
    let mut channels = Map::new();
    for number in live.channels.keys() {
        let channel = Name::port_channel(*number);
        let is_asked = |member: &Name| {
            asked.as_ref().is_none_or(|asked| asked.contains(member) || asked.contains(&channel))
        };
        let is_shown = |member: &Name, port: &Port| {
            let is_member = port.member.is_some_and(|(group, _)| group == *number);
            is_member && port.status.lacp.is_some() && is_asked(member)
        };
        let members = live.ports.iter().filter(|(name, port)| is_shown(name, port));
        let members: Vec<(&Name, &Port)> = members.collect();
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(text, "Port Channel {channel}:");
        let mut interfaces = Map::new();
        for (member, port) in members {
            let end = end(port);
            let LacpEnd { port: number, port_priority, key, .. } = end;
            let _ = writeln!(
                text,
                " {:<7} {:<8}| {:<24} {number:>6}   {:<9} 0x{key:04x}    {port_priority:>5}",
                member.short(),
                title(status(port)),
                system_id(&end),
                letters(end.state),
            );
            interfaces.insert(member.to_string(), json(port));
        }
        channels.insert(channel.to_string(), json!({ "interfaces": interfaces }));
    }
    Shown { text, json: Some(json!({ "portChannels": channels, "orphanPorts": {} })) }
}

fn json(port: &Port) -> Value {
    let lacp = port.status.lacp.clone().unwrap_or_default();
    let mut json = Map::new();
    json.insert("actorPortStatus".to_owned(), json!(status(port)));
    for (side, end) in [("actor", lacp.actor), ("partner", lacp.partner.unwrap_or_default())] {
        let states = STATES
            .iter()
            .enumerate()
            .map(|(bit, name)| ((*name).to_owned(), json!(end.state >> bit & 1 == 1)));
        json.insert(format!("{side}PortState"), Value::Object(states.collect()));
        json.insert(format!("{side}SystemId"), json!(system_id(&end)));
        json.insert(format!("{side}PortId"), json!(end.port));
        json.insert(format!("{side}PortPriority"), json!(end.port_priority));
        json.insert(format!("{side}OperKey"), json!(format!("0x{:04x}", end.key)));
    }
    json.insert(
        "details".to_owned(),
        json!({ "partnerChurnState": "noChurn", "actorChurnState": "noChurn" }),
    );
    Value::Object(json)
}

fn status(port: &Port) -> &'static str {
    match port.partner() {
        // What a fallback put in, LACP did not bundle.
        Some(_) if port.status.bundled => "bundled",
        _ if !port.status.link => "down",
        Some(_) => "negotiation",
        None => "noAgg",
    }
}

fn title(status: &str) -> &'static str {
    match status {
        "bundled" => "Bundled",
        "down" => "Down",
        "negotiation" => "Negot.",
        _ => "No Agg",
    }
}

/// `8000,00-1c-73-00-00-02`.
fn system_id(end: &LacpEnd) -> String {
    let system = if end.system.is_empty() { "00:00:00:00:00:00" } else { &end.system };
    format!("{:04X},{}", end.system_priority, system.replace(':', "-"))
}

fn letters(state: u8) -> String {
    let pairs = [
        (0, "A", "P"),
        (1, "S", "L"),
        (2, "G", "I"),
        (3, "s+", "s-"),
        (7, "X", ""),
        (4, "C", ""),
        (5, "D", ""),
        (6, "d", ""),
    ];
    pairs.iter().map(|(bit, set, unset)| if state >> bit & 1 == 1 { *set } else { *unset }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_in_letters() {
        assert_eq!(letters(0b0011_1101), "ALGs+CD");
        assert_eq!(letters(0b0100_0110), "PSGs-d");
    }
}

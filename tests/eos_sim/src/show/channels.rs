//! `show port-channel`.

use std::fmt::Write as _;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::Shown;
use crate::clock;
use crate::dataplane::{Fallback, LacpMode};
use crate::live::{Channel, Live, Port};
use crate::names::Name;
use crate::state::State;

const LEGEND: &str = "                 Flags
-------------------------- ----------------------------- -------------------------
   a - LACP Active            p - LACP Passive           * - static fallback
   F - Fallback enabled       f - Fallback configured    ^ - individual fallback
   U - In Use                 D - Down
   + - In-Sync                - - Out-of-Sync            i - incompatible with agg
   P - bundled in Po          s - suspended              G - Aggregable
   I - Individual             S - ShortTimeout           w - wait for agg
";

pub(super) fn show(state: &mut State, asked: Option<&str>, detailed: bool) -> Result<Shown, String> {
    let live = state.observe();
    let asked = asked.and_then(|number| number.parse::<u32>().ok());
    if let Some(missing) = asked.filter(|number| !live.channels.contains_key(number)) {
        return Err(format!("% Port-Channel{missing} does not exist"));
    }
    let mut text = String::new();
    let mut channels = Map::new();
    for (number, channel) in
        live.channels.iter().filter(|(number, _)| asked.is_none_or(|asked| asked == **number))
    {
        let name = Name::port_channel(*number);
        if detailed {
            write_detailed(&mut text, state, &name, channel, &live);
        } else {
            write_brief(&mut text, &name, channel);
        }
        channels.insert(name.to_string(), json(state, &name, channel, &live));
    }
    Ok(Shown { text, json: Some(json!({ "portChannels": channels })) })
}

fn write_brief(text: &mut String, name: &Name, channel: &Channel) {
    let _ = writeln!(text, "Port Channel {name}:");
    if channel.active.is_empty() {
        text.push_str("  No Active Ports\n");
    } else {
        let active = channel.active.iter().fold(String::new(), |text, member| format!("{text}{member} "));
        let _ = writeln!(text, "  Active Ports: {active}");
    }
    if !channel.inactive.is_empty() {
        text.push_str("  Configured, but inactive ports:\n");
        text.push_str("       Port                Reason unconfigured\n");
        text.push_str("    ------------------- -----------------------------\n");
        for (member, reason) in &channel.inactive {
            let _ = writeln!(text, "       {:<19} {reason}", member.to_string());
        }
    }
}

fn write_detailed(text: &mut String, state: &State, name: &Name, channel: &Channel, live: &Live) {
    let is_new = state.platform.tells_member_states();
    let min_links = state.running.interfaces.get(name).map_or(0, |interface| interface.min_links);
    let min_links = if min_links == 0 { "unconfigured".to_owned() } else { min_links.to_string() };
    let _ = writeln!(text, "Port Channel {name} (Fallback State: {}):", title(fallback_state(state, name)));
    let _ = writeln!(text, "Minimum links: {min_links}");
    if is_new {
        text.push_str("Maximum links: unconfigured\n");
    }
    let _ =
        writeln!(text, "Minimum speed: unconfigured\nCurrent weight/Max weight: {}/16", channel.active.len());
    if channel.active.is_empty() {
        text.push_str("  No Active Ports\n");
    } else if is_new {
        text.push_str("  Active Ports:\n");
        text.push_str("     Port         Time Became Active     Protocol     Mode       Weight   State\n");
        text.push_str("    ------------ --------------------- ------------ ---------- ---------- -----\n");
    } else {
        text.push_str("  Active Ports:\n");
        text.push_str(
            "       Port                Time Became Active       Protocol       Mode      Weight\n",
        );
        text.push_str(
            "    ------------------- ------------------------ -------------- ------------ ------\n",
        );
    }
    for member in &channel.active {
        let (protocol, mode) = match live.ports.get(member).and_then(|port| port.member) {
            Some((_, LacpMode::On)) | None => ("Static", "On"),
            Some((_, LacpMode::Active)) => ("LACP", "Active"),
            Some((_, LacpMode::Passive)) => ("LACP", "Passive"),
        };
        let (member, since) = (member.to_string(), clock::time_of_day(since(live, member)));
        let _ = if is_new {
            writeln!(text, "     {member:<12} {since:<22} {protocol:<12} {mode:<12} {:<6} Rx,Tx", 1)
        } else {
            writeln!(text, "       {member:<19} {since:<24} {protocol:<14} {mode:<11} 1")
        };
    }
    if !channel.inactive.is_empty() {
        text.push_str("  Configured, but inactive ports:\n");
        text.push_str("       Port                Time Became Inactive     Reason unconfigured\n");
        text.push_str("    ------------------- ------------------------ -----------------------------\n");
        for (member, reason) in &channel.inactive {
            let (member, since) = (member.to_string(), clock::time_of_day(since(live, member)));
            let _ = writeln!(text, "       {member:<19} {since:<24} {reason}");
        }
    }
    text.push('\n');
}

fn json(state: &State, name: &Name, channel: &Channel, live: &Live) -> Value {
    let active = channel.active.iter().map(|member| {
        let mode = live.ports.get(member).and_then(|port| port.member).map(|(_, mode)| mode);
        let mut port = json!({
            "protocol": if mode == Some(LacpMode::On) { "static" } else { "lacp" },
            "weight": 1,
            "timeBecameActive": clock::seconds(since(live, member)),
        });
        let mode = match mode {
            Some(LacpMode::Active) => "active",
            Some(LacpMode::Passive) => "passive",
            Some(LacpMode::On) | None => "on",
        };
        if let Some(port) = port.as_object_mut() {
            port.insert("lacpMode".to_owned(), json!(mode));
        }
        (member.to_string(), port)
    });
    let inactive = channel.inactive.iter().map(|(member, reason)| {
        let port = json!({
            "reasonUnconfigured": reason,
            "timeBecameInactive": clock::seconds(since(live, member)),
        });
        (member.to_string(), port)
    });
    json!({
        "recircFeature": [],
        "fallbackState": fallback_state(state, name),
        "minSpeed": "0 gbps",
        "minLinks": state.running.interfaces.get(name).map_or(0, |interface| interface.min_links),
        "currWeight": channel.active.len(),
        "maxWeight": 16,
        "inactivePorts": inactive.collect::<Map<_, _>>(),
        "activePorts": active.collect::<Map<_, _>>(),
        "inactiveLag": false,
    })
}

pub(super) fn summary(state: &mut State) -> Shown {
    let live = state.observe();
    let in_use = live.channels.values().filter(|channel| channel.up).count();
    let mut text =
        format!("{LEGEND}\nNumber of channels in use: {in_use}\nNumber of aggregators: {in_use}\n\n");
    text.push_str("   Port-Channel       Protocol     Ports\n");
    text.push_str("------------------ --------------- --------------------------------\n");
    for (number, channel) in &live.channels {
        let name = Name::port_channel(*number);
        let of_channel = |port: &&Port| port.member.is_some_and(|(group, _)| group == *number);
        let mode = live.ports.values().find(of_channel).and_then(|port| port.member).map(|(_, mode)| mode);
        let enabled = state.fallback(*number);
        let configured = state.running.interfaces.get(&name).and_then(|one| one.fallback.as_deref());
        let fallback = match (configured, enabled) {
            (Some("individual"), None) => "f^",
            (Some("individual"), Some(_)) => "F^",
            (Some(_), None) => "f*",
            (Some(_), Some(_)) => "F*",
            (None, _) => "",
        };
        let protocol = match mode {
            Some(LacpMode::On) => "Static".to_owned(),
            Some(LacpMode::Passive) => format!("LACP(p{fallback})"),
            Some(LacpMode::Active) | None => format!("LACP(a{fallback})"),
        };
        let active = channel.active.iter().map(|member| {
            let flags = if live.ports.get(member).and_then(Port::partner).is_some() { "PG+" } else { "P" };
            format!("{}({flags})", member.short())
        });
        let inactive = channel.inactive.iter().map(|(member, _)| {
            let linked = live.ports.get(member).is_some_and(|port| port.status.link);
            let flag = if linked && enabled == Some(&Fallback::Individual) { "I" } else { "D" };
            format!("{}({flag})", member.short())
        });
        let members: Vec<String> = active.chain(inactive).collect();
        let name = format!("{}({})", name.short(), if channel.up { 'U' } else { 'D' });
        let mut rows = members.chunks(4).map(|row| row.join(" "));
        let first = rows.next().unwrap_or_default();
        let _ = writeln!(text, "   {name:<18} {protocol:<12} {first}");
        for row in rows {
            let _ = writeln!(text, "{:35}{row}", "");
        }
    }
    Shown::text(text)
}

fn since(live: &Live, member: &Name) -> SystemTime {
    live.ports.get(member).map_or(SystemTime::UNIX_EPOCH, |port| port.history.since)
}

/// `unconfigured` was recorded; the others are the words of the legend.
fn fallback_state(state: &State, name: &Name) -> &'static str {
    let configured = state.running.interfaces.get(name).is_some_and(|interface| interface.fallback.is_some());
    match name.channel().and_then(|number| state.fallback(number)) {
        Some(_) => "enabled",
        None if configured => "configured",
        None => "unconfigured",
    }
}

fn title(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

//! `show interfaces`, `show interfaces status`.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

use super::Shown;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::dataplane::Counters;
use crate::interface::{Interface, L2_MTU, MTU};
use crate::live::{Channel, History, Live, Port};
use crate::names::{Kind, Name, Names};
use crate::state::State;

/// What an interface does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Connected,
    NotConnect,
    Disabled,
}

/// An interface, from the configuration and from what is seen.
struct Seen<'a> {
    name: &'a Name,
    interface: &'a Interface,
    switched: bool,
    link: Link,
    is: Is<'a>,
}

enum Is<'a> {
    Port(&'a Port),
    Channel(&'a Channel),
    /// Nothing that has a cable: it is up unless it is shut down.
    Virtual,
}

pub(super) fn show(state: &mut State, asked: Option<&str>) -> Result<Shown, String> {
    let live = state.observe();
    let seen = find(&state.running, &live, asked)?;
    let text = seen.iter().map(|one| text(one, &live, state.clock)).collect();
    let interfaces: Map<String, Value> =
        seen.iter().map(|one| (one.name.to_string(), json(one, &live))).collect();
    Ok(Shown { text, json: Some(json!({ "interfaces": interfaces })) })
}

pub(super) fn status(state: &mut State, asked: Option<&str>) -> Result<Shown, String> {
    let live = state.observe();
    let seen = find(&state.running, &live, asked)?;
    let mut text =
        "Port       Name                  Status       Vlan        Duplex Speed  Type         Flags Encapsulation\n"
            .to_owned();
    let mut interfaces = Map::new();
    for one in seen.iter().filter(|one| !matches!(one.is, Is::Virtual)) {
        let description: String =
            one.interface.description.iter().flat_map(|text| text.chars()).take(20).collect();
        let link = one.link.status();
        let speed = one.speed();
        let rate = if speed == 0 { "unconf".to_owned() } else { rate(speed).replace("b/s", "") };
        let kind = if matches!(one.is, Is::Channel(_)) { "N/A" } else { "10GBASE-SR" };
        let vlan = one.vlan();
        let name = one.name.short();
        let row = format!("{name:<10} {description:<21} {link:<12} {vlan:<11} full   {rate:<6} {kind}");
        let _ = writeln!(text, "{}", row.trim_end());
        let info = json!({
            "description": one.interface.description.clone().unwrap_or_default(),
            "linkStatus": link,
            "vlanInformation": { "interfaceForwardingModel": one.model(), "vlanExplanation": vlan },
            "duplex": "duplexFull",
            "bandwidth": u64::from(speed) * 1_000_000,
            "interfaceType": kind,
        });
        interfaces.insert(one.name.to_string(), info);
    }
    Ok(Shown { text, json: Some(json!({ "interfaceStatuses": interfaces })) })
}

fn find<'a>(config: &'a Config, live: &'a Live, asked: Option<&str>) -> Result<Vec<Seen<'a>>, String> {
    let asked = asked.and_then(Names::parse).map(|names| config.named(&names));
    let asked: Option<std::collections::BTreeSet<Name>> = asked.map(|names| names.into_iter().collect());
    let defaults = config.defaults();
    let seen =
        config.interfaces.iter().filter(|(name, _)| asked.as_ref().is_none_or(|asked| asked.contains(name)));
    let seen: Vec<Seen<'a>> = seen
        .map(|(name, interface)| {
            let channel = name.channel().and_then(|number| live.channels.get(&number));
            let is = match (live.ports.get(name), channel) {
                (Some(port), _) => Is::Port(port),
                (_, Some(channel)) => Is::Channel(channel),
                _ => Is::Virtual,
            };
            let up = match &is {
                Is::Port(port) => port.status.link,
                Is::Channel(channel) => channel.up,
                Is::Virtual => name.kind != Kind::Ethernet,
            };
            let link = match (interface.is_shutdown(name, defaults), up) {
                (true, _) => Link::Disabled,
                (_, true) => Link::Connected,
                _ => Link::NotConnect,
            };
            Seen { name, interface, switched: interface.is_switched(name, defaults), link, is }
        })
        .collect();
    if asked.is_some_and(|asked| asked.len() > seen.len()) {
        return Err("% Interface does not exist".to_owned());
    }
    Ok(seen)
}

impl Link {
    fn status(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::NotConnect => "notconnect",
            Self::Disabled => "disabled",
        }
    }
}

impl Seen<'_> {
    fn speed(&self) -> u32 {
        match &self.is {
            Is::Port(port) => port.status.speed,
            Is::Channel(channel) => channel.speed,
            Is::Virtual => 0,
        }
    }

    fn group(&self) -> Option<u32> {
        self.interface.channel_group.map(|(number, _)| number)
    }

    /// The column `Vlan`.
    fn vlan(&self) -> String {
        match self.group() {
            Some(number) => format!("in Po{number}"),
            None if !self.switched => "routed".to_owned(),
            None if self.interface.mode.starts_with("trunk") => "trunk".to_owned(),
            None => self.interface.access_vlan.to_string(),
        }
    }

    fn model(&self) -> &'static str {
        match (self.group(), self.switched) {
            (Some(_), _) => "dataLink",
            (_, true) => "bridged",
            (_, false) => "routed",
        }
    }

    fn mtu(&self) -> u32 {
        let default = if self.switched || self.group().is_some() { L2_MTU } else { MTU };
        self.interface.mtu.unwrap_or(default)
    }

    fn mac(&self) -> &str {
        match &self.is {
            Is::Port(port) => &port.status.mac,
            Is::Channel(channel) => &channel.mac,
            Is::Virtual => "001c.7300.0000",
        }
    }

    fn protocol(&self) -> &'static str {
        match (self.link, &self.is) {
            (Link::Connected, _) => "up",
            (Link::NotConnect, Is::Channel(_)) => "lowerLayerDown",
            _ => "down",
        }
    }

    fn counters(&self) -> Counters {
        match &self.is {
            Is::Port(port) => port.status.counters,
            Is::Channel(channel) => channel.counters,
            Is::Virtual => Counters::default(),
        }
    }

    fn history(&self) -> Option<History> {
        match &self.is {
            Is::Port(port) => Some(port.history),
            Is::Channel(channel) => Some(channel.history),
            Is::Virtual => None,
        }
    }
}

fn text(one: &Seen<'_>, live: &Live, clock: Clock) -> String {
    let state = if one.link == Link::Disabled { "administratively down" } else { up_down(one.link) };
    let (protocol, status) = (one.protocol().to_lowercase(), one.link.status());
    let mut text = format!("{} is {state}, line protocol is {protocol} ({status})\n", one.name);
    let mac = one.mac();
    let _ = match &one.is {
        Is::Channel(_) => writeln!(text, "  Hardware is Port-Channel, address is {mac}"),
        Is::Port(_) => writeln!(text, "  Hardware is Ethernet, address is {mac} (bia {mac})"),
        Is::Virtual => writeln!(text, "  Hardware is {}, address is {mac}", one.name.kind.long()),
    };
    if let Some(description) = &one.interface.description {
        let _ = writeln!(text, "  Description: {description}");
    }
    if let Some(number) = one.group() {
        let _ = writeln!(text, "  Member of Port-Channel{number}");
    }
    let speed = one.speed();
    let mtu = if one.switched || one.group().is_some() { "Ethernet MTU" } else { "IP MTU" };
    let _ = write!(text, "  {mtu} {} bytes", one.mtu());
    if speed > 0 {
        let _ = write!(text, ", BW {} kbit", u64::from(speed) * 1000);
    }
    text.push('\n');
    match &one.is {
        Is::Channel(channel) => write_channel(&mut text, one, channel, live),
        Is::Port(_) => {
            let _ = writeln!(text, "  Full-duplex, {}, auto negotiation: off, uni-link: n/a", rate(speed));
        }
        Is::Virtual => {}
    }
    if let Some(history) = one.history() {
        let since = clock::between(history.since, clock.now());
        let word = if one.link == Link::Connected { "Up" } else { "Down" };
        let _ = writeln!(text, "  {word} {}", clock::span(since));
        if matches!(one.is, Is::Port(_)) {
            text.push_str("  Loopback Mode : None\n");
        }
        let _ = writeln!(text, "  {} link status changes since last clear", history.changes);
        write_counters(&mut text, one, speed);
    }
    text
}

fn write_channel(text: &mut String, one: &Seen<'_>, channel: &Channel, live: &Live) {
    let speed = if channel.speed > 0 { rate(channel.speed) } else { "Unconfigured".to_owned() };
    let _ = writeln!(text, "  Full-duplex, {speed}");
    let _ = writeln!(text, "  Active members in this channel: {}", channel.active.len());
    for member in &channel.active {
        let speed = live.ports.get(member).map_or(0, |port| port.status.speed);
        let _ = writeln!(text, "  ... {member} , Full-duplex, {}", rate(speed));
    }
    let _ = writeln!(text, "  Fallback mode is: {}", one.interface.fallback.as_deref().unwrap_or("off"));
}

fn write_counters(text: &mut String, one: &Seen<'_>, speed: u32) {
    let Counters { in_packets, in_bytes, out_packets, out_bytes } = one.counters();
    let framing = if speed > 0 { "0.0%" } else { "-" };
    text.push_str("  Last clearing of \"show interface\" counters never\n");
    for way in ["input", "output"] {
        let _ =
            writeln!(text, "  5 minutes {way} rate 0 bps ({framing} with framing overhead), 0 packets/sec");
    }
    let _ = writeln!(text, "     {in_packets} packets input, {in_bytes} bytes");
    text.push_str("     Received 0 broadcasts, 0 multicast\n");
    if matches!(one.is, Is::Port(_)) {
        text.push_str("     0 runts, 0 giants\n");
        text.push_str(
            "     0 input errors, 0 CRC, 0 alignment, 0 symbol, 0 input discards\n     0 PAUSE input\n",
        );
    } else {
        text.push_str("     0 input errors, 0 input discards\n");
    }
    let _ = writeln!(text, "     {out_packets} packets output, {out_bytes} bytes");
    text.push_str("     Sent 0 broadcasts, 0 multicast\n");
    if matches!(one.is, Is::Port(_)) {
        text.push_str("     0 output errors, 0 collisions\n");
        text.push_str("     0 late collision, 0 deferred, 0 output discards\n     0 PAUSE output\n");
    } else {
        text.push_str("     0 output errors, 0 output discards\n");
    }
}

fn json(one: &Seen<'_>, live: &Live) -> Value {
    let Counters { in_packets, in_bytes, out_packets, out_bytes } = one.counters();
    let hardware = match &one.is {
        Is::Channel(_) => "portChannel",
        Is::Port(_) => "ethernet",
        Is::Virtual => "virtual",
    };
    let mut json = json!({
        "name": one.name.to_string(),
        "interfaceStatus": one.link.status(),
        "lineProtocolStatus": one.protocol(),
        "forwardingModel": one.model(),
        "hardware": hardware,
        "mtu": one.mtu(),
        "bandwidth": u64::from(one.speed()) * 1_000_000,
        "description": one.interface.description.clone().unwrap_or_default(),
        "physicalAddress": colons(one.mac()),
        "burnedInAddress": colons(one.mac()),
        "interfaceAddress": [],
        "interfaceStatistics": {
            "inBitsRate": 0.0, "inPktsRate": 0.0, "outBitsRate": 0.0, "outPktsRate": 0.0, "updateInterval": 300.0,
        },
        "interfaceCounters": {
            "inOctets": in_bytes, "inUcastPkts": in_packets, "inMulticastPkts": 0, "inBroadcastPkts": 0,
            "inDiscards": 0, "totalInErrors": 0,
            "outOctets": out_bytes, "outUcastPkts": out_packets, "outMulticastPkts": 0, "outBroadcastPkts": 0,
            "outDiscards": 0, "totalOutErrors": 0,
            "linkStatusChanges": one.history().map_or(0, |history| history.changes),
        },
    });
    let Some(object) = json.as_object_mut() else { return json };
    if let Some(history) = one.history() {
        object.insert("lastStatusChangeTimestamp".to_owned(), json!(clock::seconds(history.since)));
    }
    match &one.is {
        Is::Channel(channel) => {
            let members = channel.active.iter().map(|member| {
                let speed = live.ports.get(member).map_or(0, |port| port.status.speed);
                let member_json =
                    json!({ "duplex": "duplexFull", "bandwidth": u64::from(speed) * 1_000_000 });
                (member.to_string(), member_json)
            });
            let kind = match one.interface.fallback.as_deref() {
                Some("individual") => "fallbackIndividual",
                Some(_) => "fallbackStatic",
                None => "fallbackNone",
            };
            object.insert("memberInterfaces".to_owned(), Value::Object(members.collect()));
            object.insert("fallbackEnabled".to_owned(), json!(one.interface.fallback.is_some()));
            object.insert("fallbackEnabledType".to_owned(), json!(kind));
        }
        Is::Port(_) => {
            object.insert("duplex".to_owned(), json!("duplexFull"));
            object.insert("autoNegotiate".to_owned(), json!("off"));
            object.insert("loopbackMode".to_owned(), json!("loopbackNone"));
            if let Some(number) = one.group() {
                object.insert(
                    "interfaceMembership".to_owned(),
                    json!(format!("Member of Port-Channel{number}")),
                );
            }
        }
        Is::Virtual => {}
    }
    json
}

fn up_down(link: Link) -> &'static str {
    if link == Link::Connected { "up" } else { "down" }
}

/// `10Gb/s`, of Mbit/s.
fn rate(speed: u32) -> String {
    if speed >= 1000 { format!("{}Gb/s", f64::from(speed) / 1000.0) } else { format!("{speed}Mb/s") }
}

/// `00:1c:73:00:00:01`, of `001c.7300.0001`.
fn colons(mac: &str) -> String {
    let digits: Vec<char> = mac.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}

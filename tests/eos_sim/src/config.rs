//! A configuration: VLANs and interfaces as they are meant, everything else as the lines it is made of, and the text of
//! all of it in EOS's order. Reading a text is `config_text.rs`; what the configuration means for the ports, `intent.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::commands::{self, Act, Keep, Setting};
use crate::dataplane::LacpMode;
use crate::grammar::{Matched, Rule};
use crate::interface::{Defaults, Interface};
use crate::names::{Kind, Name, Names};
use crate::setting::Form;
use crate::vlans::Vlans;

/// What EOS says to a mode that other members of the channel do not have.
const CANNOT_CHANGE_MODE: &str = "% Cannot change mode; remove all members and try again.";

/// A configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Comments of the header that tell how the switch booted, such as `! boot system flash:/EOS.swi`.
    pub boot: Vec<String>,
    /// The VLAN database, without VLAN 1.
    pub vlans: BTreeMap<u16, Vlan>,
    /// The interfaces.
    pub interfaces: BTreeMap<Name, Interface>,
    /// What stands before the VLANs.
    pub before: Vec<Paragraph>,
    /// What stands behind the interfaces.
    pub behind: Vec<Paragraph>,
    /// The release prints `lacp rate`.
    pub lacp_rate: bool,
}

/// Lines that stand together between two `!`.
pub type Paragraph = Vec<String>;

/// A VLAN.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vlan {
    /// Its name.
    pub name: Option<String>,
    /// Other lines.
    pub lines: Vec<String>,
}

impl Config {
    /// The switch's name.
    pub fn hostname(&self) -> &str {
        let lines = self.before.iter().flatten();
        lines.filter_map(|line| line.strip_prefix("hostname ")).next_back().unwrap_or("localhost")
    }

    /// How many sessions may be `pending`, or are remembered as `completed`.
    pub fn max_sessions(&self, stage: &str) -> Option<usize> {
        let key = format!("service configuration session max {stage} ");
        self.before.iter().flatten().find_map(|line| line.strip_prefix(&key)?.parse().ok())
    }

    /// What interfaces are where nothing is configured.
    pub fn defaults(&self) -> Defaults {
        let mut shutdown = self.before.iter().filter_map(|paragraph| paragraph.split_first());
        Defaults {
            routed: self.before.iter().flatten().any(|line| line == "switchport default mode routed"),
            ethernet_shutdown: shutdown.any(|(head, rest)| {
                let mut rest = rest.iter().map(|line| line.trim()).skip_while(|line| *line != "ethernet");
                head == "interface defaults" && rest.any(|line| line == "shutdown")
            }),
            lacp_rate: self.lacp_rate,
        }
    }

    /// The text without its first comments, ended by `end`.
    pub fn text(&self, all: bool) -> String {
        let mut blocks: Vec<Vec<String>> = self.before.clone();
        blocks.extend(self.vlan_blocks());
        blocks.extend(self.interfaces.keys().map(|name| self.interface_block(name, all)));
        blocks.extend(self.behind.iter().cloned());
        let mut text = String::new();
        for line in &self.boot {
            let _ = writeln!(text, "{line}\n!");
        }
        for block in blocks {
            for line in block {
                let _ = writeln!(text, "{line}");
            }
            text.push_str("!\n");
        }
        text.push_str("end\n");
        text
    }

    /// The block of an interface; nothing where it has none.
    pub fn interface_block(&self, name: &Name, all: bool) -> Vec<String> {
        let Some(interface) = self.interfaces.get(name) else { return Vec::new() };
        let lines = interface.text(name, self.defaults(), all);
        let lines = lines.into_iter().map(|line| format!("   {line}"));
        std::iter::once(format!("interface {name}")).chain(lines).collect()
    }

    /// Neighbouring VLANs of which nothing more is configured stand in one block.
    fn vlan_blocks(&self) -> Vec<Vec<String>> {
        let mut blocks: Vec<(Vlans, &Vlan)> = Vec::new();
        for (id, vlan) in &self.vlans {
            match blocks.last_mut() {
                Some((ids, last)) if *vlan == Vlan::default() && *last == vlan => {
                    ids.0.insert(*id);
                }
                _ => blocks.push((Vlans([*id].into()), vlan)),
            }
        }
        let block = |(ids, vlan): (Vlans, &Vlan)| {
            let name = vlan.name.iter().map(|name| format!("   name {name}"));
            let head = std::iter::once(format!("vlan {ids}"));
            head.chain(name).chain(vlan.lines.iter().cloned()).collect()
        };
        blocks.into_iter().map(block).collect()
    }

    /// The interfaces that `names` means, of these and beyond.
    pub fn named(&self, names: &Names) -> Vec<Name> {
        names.expand(&self.interfaces.keys().cloned().collect())
    }

    /// Makes sure that interfaces exist.
    pub fn enter(&mut self, names: &[Name]) {
        for name in names {
            self.interfaces.entry(name.clone()).or_default();
        }
    }

    /// `no interface` and `default interface`. A Port-Channel that goes takes its members' `channel-group` along: what
    /// a real switch does with them is not documented. A port of the switch only loses what is configured.
    pub fn reset(&mut self, names: &[Name], form: Form, is_port: impl Fn(&Name) -> bool) {
        for name in names {
            if form == Form::Default || is_port(name) {
                self.interfaces.entry(name.clone()).and_modify(|interface| *interface = Interface::default());
                continue;
            }
            self.interfaces.remove(name);
            if let Some(number) = name.channel() {
                for member in self.interfaces.values_mut() {
                    member.channel_group.take_if(|(group, _)| *group == number);
                }
            }
        }
    }

    /// Carries out a line of the mode of `names`. Returns the warnings.
    ///
    /// # Errors
    /// The error line, with nothing changed for the interface that it is about.
    pub fn set(
        &mut self,
        names: &[Name],
        setting: Setting,
        found: &Matched<Act>,
        form: Form,
    ) -> Result<Vec<String>, String> {
        self.enter(names);
        let mut warnings = Vec::new();
        for name in names {
            let mut interface = self.interfaces.get(name).cloned().unwrap_or_default();
            interface.set(setting, found, form);
            if setting == Setting::ChannelGroup && form == Form::Plain {
                self.join(name, interface.channel_group)?;
            }
            if form == Form::Plain {
                warnings.extend(self.warning(name, setting, found));
            }
            self.interfaces.insert(name.clone(), interface);
        }
        warnings.dedup();
        Ok(warnings)
    }

    /// Lets an interface into a channel, which is made where it is not there. All members speak LACP, or none.
    fn join(&mut self, name: &Name, group: Option<(u32, LacpMode)>) -> Result<(), String> {
        let Some((number, mode)) = group else { return Ok(()) };
        let mut others = self.interfaces.iter().filter(|(other, _)| *other != name);
        let differs = |other: &Interface| {
            other.channel_group.is_some_and(|(group, other)| {
                group == number && (other == LacpMode::On) != (mode == LacpMode::On)
            })
        };
        if others.any(|(_, other)| differs(other)) {
            return Err(CANNOT_CHANGE_MODE.to_owned());
        }
        self.enter(&[Name::port_channel(number)]);
        Ok(())
    }

    fn warning(&self, name: &Name, setting: Setting, found: &Matched<Act>) -> Option<String> {
        let interface = self.interfaces.get(name)?;
        match setting {
            Setting::PortfastEdge | Setting::Portfast if found.args.first().is_none_or(|kind| kind == "edge") => {
                Some(
                    "! portfast should only be enabled on ports connected to a single host. Connecting hubs, \
                     concentrators, switches, bridges, etc. to this interface when portfast is enabled can cause \
                     temporary bridging loops. Use with CAUTION."
                        .to_owned(),
                )
            }
            Setting::Line(..) if found.words.starts_with(&["ip", "address"]) => {
                interface.is_switched(name, self.defaults()).then(|| {
                    format!("! IP configuration will be ignored while interface {name} is not a routed port.")
                })
            }
            _ => None,
        }
    }

    /// Members of a channel, with how they speak LACP.
    pub fn members(&self, channel: u32) -> impl Iterator<Item = (&Name, &Interface, LacpMode)> {
        self.interfaces.iter().filter_map(move |(name, interface)| {
            let (group, mode) = interface.channel_group?;
            (group == channel && name.kind == Kind::Ethernet).then_some((name, interface, mode))
        })
    }

    /// Carries out a line that is kept as it is.
    pub fn set_global(&mut self, found: &Matched<Act>, keep: Keep, form: Form) {
        let key = found.words.join(" ");
        let text = match form {
            Form::Plain => Some(found.text.clone()),
            Form::No if keep == Keep::Switch => Some(format!("no {}", found.text)),
            Form::No | Form::Default => None,
        };
        let all = keep != Keep::Many || (form != Form::Plain && found.args.is_empty());
        let replaced = |line: &String| {
            let line = line.strip_prefix("no ").unwrap_or(line);
            if all {
                is_of(line, &key)
            } else {
                line == found.text || (form != Form::Plain && is_of(line, &found.text))
            }
        };
        let place = global_place(&found.text).unwrap_or_default();
        let (table, list) = if place < commands::BEFORE.len() {
            (0, &mut self.before)
        } else {
            (commands::BEFORE.len(), &mut self.behind)
        };
        for paragraph in list.iter_mut() {
            paragraph.retain(|line| !replaced(line));
        }
        list.retain(|paragraph| !paragraph.is_empty());
        let Some(text) = text else { return };
        let place_of = |paragraph: &Paragraph| paragraph.first().and_then(|line| global_place(line));
        if let Some(paragraph) = list.iter_mut().find(|paragraph| place_of(paragraph) == Some(place)) {
            paragraph.push(text);
            return;
        }
        let before = list
            .iter()
            .rposition(|paragraph| place_of(paragraph).is_some_and(|other| (table..=place).contains(&other)));
        list.insert(before.map_or(0, |before| before + 1), vec![text]);
    }
}

/// Where a line outside of interfaces and VLANs stands among those that are known.
pub fn global_place(line: &str) -> Option<usize> {
    let line = line.strip_prefix("no ").unwrap_or(line);
    let head = |rule: &Rule<Act>| {
        let words = rule
            .pattern
            .split(' ')
            .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        words.collect::<Vec<_>>().join(" ")
    };
    let heads = commands::BEFORE.iter().chain(commands::BEHIND).map(head).enumerate();
    heads.filter(|(_, head)| is_of(line, head)).max_by_key(|(_, head)| head.len()).map(|(place, _)| place)
}

fn is_of(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

//! Typed lines that change one interface by itself. What concerns several, such as `channel-group`, is `config.rs`.

use std::collections::BTreeSet;

use crate::commands::{Act, Keep, Place, Setting};
use crate::dataplane::LacpMode;
use crate::grammar::Matched;
use crate::interface::{FALLBACK_TIMEOUT, Interface, Line, PORT_PRIORITY};
use crate::vlans::Vlans;

/// Bytes; of a routed interface.
const DEFAULT_MTU: u32 = 1500;

/// How a command is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// With `no` before it.
    No,
    /// With `default` before it.
    Default,
}

impl Interface {
    /// Carries out a line that `found` is the meaning of.
    pub fn set(&mut self, setting: Setting, found: &Matched<Act>, form: Form) {
        if form == Form::Plain {
            self.give(setting, found);
        } else {
            self.take(setting, found, form);
        }
    }

    fn give(&mut self, setting: Setting, found: &Matched<Act>) {
        let word = found.args.first().cloned().unwrap_or_default();
        let number = word.parse::<u32>().ok();
        let vlan = word.parse::<u16>().ok();
        let vlans = Vlans::parse(&word).unwrap_or_default();
        match setting {
            Setting::Description => self.description = Some(word),
            Setting::Shutdown => self.shutdown = Some(true),
            Setting::LoadInterval => self.load_interval = number,
            // What is the default is not shown.
            Setting::Mtu => self.mtu = number.filter(|bytes| *bytes != DEFAULT_MTU),
            Setting::L2Mtu => self.l2_mtu = number,
            Setting::Switchport => self.switchport = Some(true),
            Setting::Mode => self.mode = word,
            Setting::ModeTrunkPhone => "trunk phone".clone_into(&mut self.mode),
            Setting::AccessVlan => self.access_vlan = vlan.unwrap_or(1),
            Setting::NativeVlan => self.native_vlan = vlan,
            Setting::Allowed if word == "all" => self.allowed = Vlans::all(),
            Setting::Allowed => self.allowed = vlans,
            Setting::AllowedAdd => self.allowed.0.extend(vlans.0),
            Setting::AllowedRemove => self.allowed.0.retain(|id| !vlans.0.contains(id)),
            Setting::AllowedExcept => {
                self.allowed = Vlans(Vlans::all().0.difference(&vlans.0).copied().collect());
            }
            Setting::TrunkGroup => {
                self.trunk_groups.insert(word);
            }
            Setting::MinLinks => self.min_links = number.unwrap_or_default(),
            Setting::Fallback => self.fallback = Some(word),
            Setting::FallbackTimeout => self.fallback_timeout = number.unwrap_or(FALLBACK_TIMEOUT),
            Setting::LacpSystemId => self.lacp_system_id = Some(word),
            Setting::Mlag => self.mlag = number,
            Setting::ChannelGroup => {
                let mode = match found.args.last().map(String::as_str) {
                    Some("on") => LacpMode::On,
                    Some("passive") => LacpMode::Passive,
                    _ => LacpMode::Active,
                };
                self.channel_group = number.map(|number| (number, mode));
            }
            Setting::LacpTimer => self.lacp_fast = word == "fast",
            Setting::LacpPortPriority => self.lacp_port_priority = vlan.unwrap_or(PORT_PRIORITY),
            Setting::Portfast => self.portfast = Some(word),
            Setting::PortfastEdge => self.portfast = Some("edge".to_owned()),
            Setting::Bpduguard => self.bpduguard = Some(word),
            Setting::Bpdufilter => self.bpdufilter = Some(word),
            Setting::Line(place, keep) => self.keep(place, keep, found, found.text.clone()),
        }
    }

    fn take(&mut self, setting: Setting, found: &Matched<Act>, form: Form) {
        match setting {
            Setting::Description => self.description = None,
            Setting::Shutdown => self.shutdown = (form == Form::No).then_some(false),
            Setting::LoadInterval => self.load_interval = None,
            Setting::Mtu => self.mtu = None,
            Setting::L2Mtu => self.l2_mtu = None,
            Setting::Switchport => self.switchport = (form == Form::No).then_some(false),
            Setting::Mode | Setting::ModeTrunkPhone => "access".clone_into(&mut self.mode),
            Setting::AccessVlan => self.access_vlan = 1,
            Setting::NativeVlan => self.native_vlan = Some(1),
            Setting::Allowed | Setting::AllowedAdd | Setting::AllowedRemove | Setting::AllowedExcept => {
                self.allowed = Vlans::all();
            }
            Setting::TrunkGroup => match found.args.first() {
                Some(group) => {
                    self.trunk_groups.remove(group);
                }
                None => self.trunk_groups = BTreeSet::new(),
            },
            Setting::MinLinks => self.min_links = 0,
            Setting::Fallback => self.fallback = None,
            Setting::FallbackTimeout => self.fallback_timeout = FALLBACK_TIMEOUT,
            Setting::LacpSystemId => self.lacp_system_id = None,
            Setting::Mlag => self.mlag = None,
            Setting::ChannelGroup => self.channel_group = None,
            Setting::LacpTimer => self.lacp_fast = false,
            Setting::LacpPortPriority => self.lacp_port_priority = PORT_PRIORITY,
            Setting::Portfast | Setting::PortfastEdge => self.portfast = None,
            Setting::Bpduguard => self.bpduguard = None,
            Setting::Bpdufilter => self.bpdufilter = None,
            Setting::Line(place, Keep::Switch) if form == Form::No => {
                self.keep(place, Keep::Switch, found, format!("no {}", found.text));
            }
            Setting::Line(..) => {
                let key = found.words.join(" ");
                self.lines.retain(|line| {
                    line.key != key || (!found.args.is_empty() && !line.text.starts_with(&found.text))
                });
            }
        }
    }

    fn keep(&mut self, place: Place, keep: Keep, found: &Matched<Act>, text: String) {
        let key = found.words.join(" ");
        self.lines.retain(|line| line.key != key || (keep == Keep::Many && line.text != text));
        self.lines.push(Line { place, key, text, below: Vec::new() });
    }
}

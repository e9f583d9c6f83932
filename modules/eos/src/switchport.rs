//! Which VLANs an interface carries: read from its lines, and the lines that change it.

use std::collections::BTreeSet;

use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize, Serializer};
use vlan::{Native, VlanSet, vlan};

/// The VLANs of an interface. What EOS hides because it is the default stands here as what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Switchport {
    /// Whether it is one; otherwise it is routed, and the rest without effect.
    pub enabled: bool,
    /// `switchport mode`.
    pub mode: Mode,
    /// `switchport access vlan`.
    pub access_vlan: u16,
    /// `switchport trunk native vlan`.
    pub native_vlan: Native,
    /// `switchport trunk allowed vlan`.
    pub trunk_vlans: VlanSet,
    /// `switchport trunk group`, by name.
    pub trunk_groups: BTreeSet<String>,
}

/// How an interface carries VLANs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One VLAN, untagged.
    Access,
    /// Many, tagged.
    Trunk,
    /// One, whatever tags the frames have.
    Dot1qTunnel,
    /// A mode that no task sets, in the words of EOS.
    #[serde(skip)]
    Other(String),
}

impl Mode {
    fn as_str(&self) -> &str {
        match self {
            Self::Access => "access",
            Self::Trunk => "trunk",
            Self::Dot1qTunnel => "dot1q-tunnel",
            Self::Other(words) => words,
        }
    }

    /// How it is told, of an interface that is a switchport or is not.
    pub fn word(&self, is_switchport: bool) -> &str {
        if is_switchport { self.as_str() } else { "routed" }
    }

    fn parse(words: &str) -> Self {
        match words {
            "access" => Self::Access,
            "trunk" => Self::Trunk,
            "dot1q-tunnel" => Self::Dot1qTunnel,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Switchport {
    /// What an interface has of which nothing is said.
    pub fn default_of(is_switchport: bool) -> Self {
        Self {
            enabled: is_switchport,
            mode: Mode::Access,
            access_vlan: 1,
            native_vlan: Native::DEFAULT,
            trunk_vlans: VlanSet::all(),
            trunk_groups: BTreeSet::new(),
        }
    }

    /// Whether `line` was one of these.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        let Self { enabled, mode, access_vlan, native_vlan, trunk_vlans, trunk_groups } = self;
        let Some(words) = line.strip_prefix("switchport ") else {
            *enabled = match line {
                "switchport" => true,
                "no switchport" => false,
                _ => return false,
            };
            return true;
        };
        if let Some(words) = words.strip_prefix("mode ") {
            *mode = Mode::parse(words);
        } else if let Some(number) = words.strip_prefix("access vlan ").and_then(vlan) {
            *access_vlan = number;
        } else if let Some(native) = words.strip_prefix("trunk native vlan ").and_then(Native::parse) {
            *native_vlan = native;
        } else if let Some(list) = words.strip_prefix("trunk allowed vlan ") {
            // A very long list goes on in lines of its own.
            let (list, more) = list.strip_prefix("add ").map_or((list, false), |list| (list, true));
            let Some(set) = VlanSet::parse(list) else { return false };
            if more {
                trunk_vlans.extend(set.iter());
            } else {
                *trunk_vlans = set;
            }
        } else if let Some(group) = words.strip_prefix("trunk group ") {
            trunk_groups.insert(group.to_owned());
        } else {
            return false;
        }
        true
    }

    /// Names and values, for people.
    pub(crate) fn properties(&self) -> Properties {
        let Self { enabled, mode, access_vlan, native_vlan, trunk_vlans, trunk_groups } = self;
        let groups: Vec<&str> = trunk_groups.iter().map(String::as_str).collect();
        [
            ("mode", mode.word(*enabled).to_owned()),
            ("access VLAN", access_vlan.to_string()),
            ("native VLAN", native_vlan.to_string()),
            ("trunk VLANs", trunk_vlans.to_string()),
            ("trunk groups", groups.join(",")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The lines that make `self` of `from`.
    pub(crate) fn lines(&self, from: &Self) -> Vec<String> {
        let Self { enabled, mode, access_vlan, native_vlan, trunk_vlans, trunk_groups } = self;
        let mut lines = Vec::new();
        let mut add = |differs: bool, line: String| {
            if differs {
                lines.push(line);
            }
        };
        let word = if *enabled { "switchport" } else { "no switchport" };
        add(*enabled != from.enabled, word.to_owned());
        add(*access_vlan != from.access_vlan, format!("switchport access vlan {access_vlan}"));
        add(*native_vlan != from.native_vlan, format!("switchport trunk native vlan {native_vlan}"));
        add(*trunk_vlans != from.trunk_vlans, format!("switchport trunk allowed vlan {trunk_vlans}"));
        add(*mode != from.mode, format!("switchport mode {}", mode.as_str()));
        let ended = from.trunk_groups.difference(trunk_groups);
        lines.extend(ended.map(|group| format!("no switchport trunk group {group}")));
        let begun = trunk_groups.difference(&from.trunk_groups);
        lines.extend(begun.map(|group| format!("switchport trunk group {group}")));
        lines
    }
}

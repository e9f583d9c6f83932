//! An Ethernet interface in a Port-Channel, and how it speaks LACP there: read from its lines, and the lines that
//! change it.

use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize};

use crate::names::Interface;

/// `lacp port-priority` where nothing is said.
const PRIORITY: u16 = 32_768;

/// `channel-group 1001 mode active`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The number of the Port-Channel.
    pub port_channel: u32,
    /// How the member speaks LACP.
    pub lacp_mode: LacpMode,
}

/// How a member speaks LACP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LacpMode {
    /// Begins the dialog.
    Active,
    /// Only answers.
    Passive,
    /// Does not speak it.
    On,
}

/// What an Ethernet interface brings to LACP in whatever Port-Channel it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Speech {
    /// `lacp timer`: how often it wants to hear of the other end.
    pub lacp_timer: LacpTimer,
    /// `lacp port-priority`; the lower is preferred.
    pub port_priority: u16,
}

/// How often LACP is to be heard of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LacpTimer {
    /// Every 30 seconds.
    #[default]
    Normal,
    /// Every second.
    Fast,
}

impl LacpMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::On => "on",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::On].into_iter().find(|mode| mode.as_str() == word)
    }

    /// Whether LACP is spoken at all. EOS does not mix the two kinds in one Port-Channel.
    pub fn is_lacp(self) -> bool {
        self != Self::On
    }
}

impl LacpTimer {
    fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Fast => "fast",
        }
    }
}

impl Membership {
    /// The line that ends one.
    pub const LEAVE: &'static str = "no channel-group";

    /// Of `channel`; none where it is no Port-Channel.
    pub fn of(channel: &Interface, lacp_mode: LacpMode) -> Option<Self> {
        match channel {
            Interface::PortChannel(port_channel) => Some(Self { port_channel: *port_channel, lacp_mode }),
            Interface::Ethernet(_) => None,
        }
    }

    /// The Port-Channel.
    pub fn channel(&self) -> Interface {
        Interface::PortChannel(self.port_channel)
    }

    /// `channel-group 1001 mode active`; none of another line.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (number, mode) = line.strip_prefix("channel-group ")?.split_once(" mode ")?;
        let channel = Interface::from_config(&format!("Port-Channel{number}"))?;
        Self::of(&channel, LacpMode::parse(mode)?)
    }

    /// `1001 mode active`.
    pub(crate) fn words(&self) -> String {
        format!("{} mode {}", self.port_channel, self.lacp_mode.as_str())
    }
}

impl Default for Speech {
    fn default() -> Self {
        Self { lacp_timer: LacpTimer::Normal, port_priority: PRIORITY }
    }
}

impl Speech {
    /// The priority that a given one stands for; 0 is the default.
    pub(crate) fn priority(given: u16) -> u16 {
        if given == 0 { PRIORITY } else { given }
    }

    /// Whether `line` was one of these. Releases before 4.22 say `rate` for `timer`.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        let Self { lacp_timer, port_priority } = self;
        if let Some(priority) = line.strip_prefix("lacp port-priority ").and_then(|text| text.parse().ok()) {
            *port_priority = priority;
            return true;
        }
        let timer = line.strip_prefix("lacp timer ").or_else(|| line.strip_prefix("lacp rate "));
        *lacp_timer = match timer {
            Some("fast") => LacpTimer::Fast,
            Some("normal") => LacpTimer::Normal,
            // Such as `lacp timer multiplier 5`.
            _ => return false,
        };
        true
    }

    /// Names and values, for people.
    pub(crate) fn properties(&self) -> Properties {
        let Self { lacp_timer, port_priority } = self;
        [("LACP timer", lacp_timer.as_str().to_owned()), ("LACP port priority", port_priority.to_string())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The lines that make `self` of `from`. `timer` is the release's word, `timer` or `rate`.
    pub(crate) fn lines(&self, from: &Self, timer: &str) -> Vec<String> {
        let Self { lacp_timer, port_priority } = self;
        let mut lines = Vec::new();
        if *lacp_timer != from.lacp_timer {
            lines.push(format!("lacp {timer} {}", lacp_timer.as_str()));
        }
        if *port_priority != from.port_priority {
            lines.push(format!("lacp port-priority {port_priority}"));
        }
        lines
    }
}

//! What a Port-Channel has beyond VLANs: read from its lines, and the lines that change it. Its members are
//! `membership.rs`'s.

use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize};

/// `port-channel lacp fallback timeout` where nothing is said, in seconds.
const FALLBACK_TIMEOUT: u16 = 90;
/// `mtu` where nothing is said, in bytes. Some releases spell it out.
const MTU: u32 = 1500;

/// A Port-Channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aggregation {
    /// `shutdown`.
    pub shutdown: bool,
    /// `mtu` in bytes, which counts where it is routed; 0 is the switch's default.
    pub mtu: u32,
    /// `l2 mtu` in bytes; 0 is the switch's default.
    pub l2_mtu: u32,
    /// `port-channel min-links`; 0 is without.
    pub min_links: u32,
    /// `port-channel lacp fallback`.
    pub lacp_fallback: Fallback,
    /// `port-channel lacp fallback timeout`, in seconds.
    pub lacp_fallback_timeout: u16,
    /// `mlag`; 0 is none.
    pub mlag: u32,
}

/// What members do that nobody answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// Nothing.
    #[default]
    None,
    /// One of them carries the Port-Channel's traffic.
    Static,
    /// Each is a port of its own.
    Individual,
}

impl Default for Aggregation {
    fn default() -> Self {
        Self {
            shutdown: false,
            mtu: 0,
            l2_mtu: 0,
            min_links: 0,
            lacp_fallback: Fallback::None,
            lacp_fallback_timeout: FALLBACK_TIMEOUT,
            mlag: 0,
        }
    }
}

impl Fallback {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Static => "static",
            Self::Individual => "individual",
        }
    }
}

impl Aggregation {
    /// The fallback time-out that a given one stands for; 0 is the default.
    pub(crate) fn fallback_timeout(given: u16) -> u16 {
        if given == 0 { FALLBACK_TIMEOUT } else { given }
    }

    /// The line that takes an MLAG's number away.
    pub(crate) const NO_MLAG: &str = "no mlag";

    /// Whether its MLAG's number becomes free for another one.
    pub(crate) fn gives_up_mlag(&self, to: &Self) -> bool {
        self.mlag != 0 && self.mlag != to.mlag
    }

    /// The MTU that a given one stands for; 0 is the default.
    pub(crate) fn mtu(given: u32) -> u32 {
        if given == MTU { 0 } else { given }
    }

    /// Whether `line` was one of these.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        let Self { shutdown, mtu, l2_mtu, min_links, lacp_fallback, lacp_fallback_timeout, mlag } = self;
        let number = |prefix: &str| line.strip_prefix(prefix).and_then(|text| text.parse::<u32>().ok());
        let seconds = |prefix: &str| line.strip_prefix(prefix).and_then(|text| text.parse::<u16>().ok());
        match line {
            "shutdown" => *shutdown = true,
            "no shutdown" => *shutdown = false,
            "port-channel lacp fallback static" | "port-channel lacp fallback" => {
                *lacp_fallback = Fallback::Static;
            }
            "port-channel lacp fallback individual" => *lacp_fallback = Fallback::Individual,
            _ => {
                if let Some(bytes) = number("mtu ") {
                    *mtu = Self::mtu(bytes);
                } else if let Some(bytes) = number("l2 mtu ") {
                    *l2_mtu = bytes;
                } else if let Some(links) = number("port-channel min-links ") {
                    *min_links = links;
                } else if let Some(id) = number("mlag ") {
                    *mlag = id;
                } else if let Some(time) = seconds("port-channel lacp fallback timeout ") {
                    *lacp_fallback_timeout = time;
                } else {
                    return false;
                }
            }
        }
        true
    }

    /// Names and values, for people.
    pub(crate) fn properties(&self) -> Properties {
        let Self { shutdown, mtu, l2_mtu, min_links, lacp_fallback, lacp_fallback_timeout, mlag } = self;
        let number = |number: &u32| if *number == 0 { String::new() } else { number.to_string() };
        [
            ("shutdown", if *shutdown { "yes" } else { "no" }.to_owned()),
            ("MTU", number(mtu)),
            ("min-links", min_links.to_string()),
            ("LACP fallback", lacp_fallback.as_str().to_owned()),
            ("LACP fallback timeout", format!("{lacp_fallback_timeout} s")),
            ("L2 MTU", number(l2_mtu)),
            ("MLAG", number(mlag)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The lines that make `self` of `from`. Shutting down or bringing up is the last.
    pub(crate) fn lines(&self, from: &Self) -> Vec<String> {
        let Self { shutdown, mtu, l2_mtu, min_links, lacp_fallback, lacp_fallback_timeout, mlag } = self;
        let mut lines = Vec::new();
        let mut number = |command: &str, to: u32, from: u32| {
            if to != from {
                lines.push(if to == 0 { format!("no {command}") } else { format!("{command} {to}") });
            }
        };
        number("mtu", *mtu, from.mtu);
        number("port-channel min-links", *min_links, from.min_links);
        number("l2 mtu", *l2_mtu, from.l2_mtu);
        number("mlag", *mlag, from.mlag);
        let time = |time: u16| if time == FALLBACK_TIMEOUT { 0 } else { u32::from(time) };
        let (to_time, from_time) = (time(*lacp_fallback_timeout), time(from.lacp_fallback_timeout));
        number("port-channel lacp fallback timeout", to_time, from_time);
        if *lacp_fallback != from.lacp_fallback {
            lines.push(match lacp_fallback {
                Fallback::None => "no port-channel lacp fallback".to_owned(),
                kind => format!("port-channel lacp fallback {}", kind.as_str()),
            });
        }
        if *shutdown != from.shutdown {
            lines.push(if *shutdown { "shutdown" } else { "no shutdown" }.to_owned());
        }
        lines
    }
}

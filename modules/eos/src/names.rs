//! Names of interfaces, as EOS writes them and as people type them. Which of them exist is the running-config's.

use std::fmt;

use ansible_module::fault::Fault;
use serde::{Serialize, Serializer};

use crate::rules;

/// Beyond what any release takes (2000 on older, 999999 on newer ones); the switch has the last word.
const LARGEST_CHANNEL: u32 = 999_999;
/// `Ethernet3/1/2` is the longest form: chassis, module, port.
const MOST_PARTS: usize = 3;

/// An interface that a Port-Channel is made of. In the order of the running-config.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interface {
    /// `Port-Channel1001`.
    PortChannel(u32),
    /// `Ethernet7/1`, by its numbers.
    Ethernet(Vec<u16>),
}

impl Interface {
    /// A Port-Channel from `1001`, `Port-Channel1001`, `po 1001` and the like.
    pub fn port_channel(argument: &str, text: &str) -> Result<Self, Fault> {
        let refused = || {
            Fault::new(
                "invalid_name",
                format!(
                    "`{argument}`: {} is no Port-Channel; hint: such as `1001` or `Port-Channel1001`",
                    rules::quoted(text)
                ),
            )
        };
        let trimmed = text.trim();
        let (word, number) = split(trimmed);
        if !word.is_empty() && (word.len() < 2 || !is_abbreviation(word, &["port-channel", "portchannel"])) {
            return Err(refused());
        }
        match number.parse() {
            Ok(number @ 1..=LARGEST_CHANNEL) if number.to_string() == split(trimmed).1 => {
                Ok(Self::PortChannel(number))
            }
            _ => Err(refused()),
        }
    }

    /// An Ethernet interface from `Ethernet7/1`, `et7/1`, `Eth 7/1` and the like.
    pub fn ethernet(argument: &str, text: &str) -> Result<Self, Fault> {
        let refused = || {
            Fault::new(
                "invalid_name",
                format!(
                    "`{argument}`: {} is no Ethernet interface; hint: such as `Ethernet7/1` or `et7/1`",
                    rules::quoted(text)
                ),
            )
        };
        let (word, numbers) = split(text.trim());
        if word.is_empty() || !is_abbreviation(word, &["ethernet"]) {
            return Err(refused());
        }
        let parts: Option<Vec<u16>> = numbers.split('/').map(number).collect();
        parts.filter(|parts| parts.len() <= MOST_PARTS).map(Self::Ethernet).ok_or_else(refused)
    }

    /// An interface from the head of its block in the running-config; `None` for any other kind.
    pub fn from_config(name: &str) -> Option<Self> {
        let (word, numbers) = split(name);
        match word {
            "Port-Channel" => number_of(numbers).map(Self::PortChannel),
            "Ethernet" => numbers.split('/').map(number).collect::<Option<_>>().map(Self::Ethernet),
            _ => None,
        }
    }
}

/// The word before the first digit, and the rest.
fn split(text: &str) -> (&str, &str) {
    let at = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (word, rest) = text.split_at(at);
    (word.trim_end(), rest)
}

fn is_abbreviation(word: &str, of: &[&str]) -> bool {
    let word = word.to_ascii_lowercase();
    of.iter().any(|full| full.starts_with(&word))
}

fn number(text: &str) -> Option<u16> {
    number_of(text)?.try_into().ok()
}

/// Digits alone, without leading zeros.
fn number_of(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortChannel(number) => write!(f, "Port-Channel{number}"),
            Self::Ethernet(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(f, "Ethernet{}", parts.join("/"))
            }
        }
    }
}

impl Serialize for Interface {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_channel_is_known_in_every_spelling() {
        for text in ["1001", "Port-Channel1001", "po1001", "Po1001", "port-channel 1001", " PORTCHANNEL1001 "]
        {
            assert_eq!(
                Interface::port_channel("name", text).unwrap(),
                Interface::PortChannel(1001),
                "{text}"
            );
        }
        for text in
            ["", "p1", "0", "01", "1000000", "Ethernet1", "po", "1001.1", "1 2", "-1", "po1001; x", "١"]
        {
            assert!(Interface::port_channel("name", text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_ethernet_interface_is_known_in_every_spelling() {
        for text in ["Ethernet7/1", "et7/1", "e7/1", "ETH 7/1"] {
            assert_eq!(Interface::ethernet("members", text).unwrap().to_string(), "Ethernet7/1", "{text}");
        }
        assert_eq!(Interface::ethernet("members", "et3/1/2").unwrap().to_string(), "Ethernet3/1/2");
        for text in [
            "",
            "7/1",
            "et",
            "et7/",
            "et/1",
            "et7//1",
            "et7/1.100",
            "et1/2/3/4",
            "et07",
            "Management1",
            "et7-8",
        ] {
            assert!(Interface::ethernet("members", text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_running_config() {
        let mut names = ["Ethernet10", "Ethernet9/1", "Port-Channel20", "Ethernet2", "Port-Channel3"]
            .map(|name| Interface::from_config(name).unwrap());
        names.sort();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Port-Channel3", "Port-Channel20", "Ethernet2", "Ethernet9/1", "Ethernet10"]);
        assert_eq!(Interface::from_config("Vlan10"), None);
        assert_eq!(Interface::from_config("Ethernet7/1.100"), None);
    }
}

//! The kernel's interfaces that are the switch's ports, as /sys/class/net shows them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::dataplane::Counters;

const FOLDER: &str = "/sys/class/net";
/// `IFF_UP` of the kernel's interface flags.
const UP: u32 = 1;

/// An interface with the name of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Such as `Et7_1`.
    pub name: String,
    folder: PathBuf,
}

impl Link {
    /// Every port that has a cable end.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        let mut links = Vec::new();
        for entry in fs::read_dir(FOLDER).with_context(|| format!("listing `{FOLDER}`"))? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && port_of(&name).is_some()
            {
                links.push(Self { name, folder: entry.path() });
            }
        }
        Ok(links)
    }

    /// Its port, such as `Ethernet7/1`.
    pub fn port(&self) -> String {
        port_of(&self.name).unwrap_or_default()
    }

    /// Whether the cable is in and the other end is up.
    pub fn carrier(&self) -> bool {
        self.read("carrier").as_deref() == Some("1")
    }

    /// Mbit/s, 0 where it is not known.
    pub fn speed(&self) -> u32 {
        self.number("speed")
    }

    /// Its address as Linux writes it.
    pub fn address(&self) -> String {
        self.read("address").unwrap_or_default()
    }

    /// Its address as EOS writes it, such as `001c.7300.0001`.
    pub fn mac(&self) -> String {
        let digits: Vec<char> = self.address().chars().filter(|digit| *digit != ':').collect();
        digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(".")
    }

    /// What went in and out.
    pub fn counters(&self) -> Counters {
        Counters {
            in_packets: self.number("statistics/rx_packets"),
            in_bytes: self.number("statistics/rx_bytes"),
            out_packets: self.number("statistics/tx_packets"),
            out_bytes: self.number("statistics/tx_bytes"),
        }
    }

    /// Whether it is set up, with or without a cable.
    fn is_up(&self) -> bool {
        let flags = self.read("flags").unwrap_or_default();
        u32::from_str_radix(flags.trim_start_matches("0x"), 16).is_ok_and(|flags| flags & UP != 0)
    }

    /// Sets it up or down, and how large a packet it carries, as far as it is not so.
    pub fn set(&self, up: bool, mtu: u32) -> anyhow::Result<()> {
        if self.number::<u32>("mtu") != mtu {
            self.ip(&["mtu", &mtu.to_string()])?;
        }
        if self.is_up() != up {
            self.ip(&[if up { "up" } else { "down" }])?;
        }
        Ok(())
    }

    fn ip(&self, words: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("ip")
            .args(["link", "set", "dev", &self.name])
            .args(words)
            .output()
            .context("running ip")?;
        anyhow::ensure!(
            output.status.success(),
            "setting `{}` {}: {}",
            self.name,
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(())
    }

    fn number<T: std::str::FromStr + Default>(&self, file: &str) -> T {
        self.read(file).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// None where the kernel has nothing to say, such as of the speed of an interface that is down.
    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok().map(|text| text.trim().to_owned())
    }
}

#[cfg(test)]
impl Link {
    /// An interface that the kernel knows nothing of.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), folder: PathBuf::new() }
    }
}

/// The interface of a port: a `/` cannot stand in the kernel's names.
pub fn name_of(port: &str) -> String {
    port.replacen("Ethernet", "Et", 1).replace('/', "_")
}

/// The port of an interface, if it is one.
fn port_of(name: &str) -> Option<String> {
    let numbers = name.strip_prefix("Et")?;
    numbers
        .split('_')
        .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("Ethernet{}", numbers.replace('_', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_interfaces_are_named_after_each_other() {
        for (port, name) in [("Ethernet1", "Et1"), ("Ethernet7/1", "Et7_1"), ("Ethernet3/1/2", "Et3_1_2")] {
            assert_eq!(name_of(port), name);
            assert_eq!(port_of(name).as_deref(), Some(port));
        }
        for name in ["eth0", "Et", "Et7_", "Et_1", "Et7_1x", "Ether1", "lo"] {
            assert_eq!(port_of(name), None, "{name}");
        }
    }
}

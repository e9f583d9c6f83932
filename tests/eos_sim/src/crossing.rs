//! Cables that are plugged in at the wrong ports: what one port is told, the other one's cable does, and what is seen on
//! it is seen there.

use std::collections::BTreeMap;

use crate::dataplane::{Intent, Status};

/// Which ports have each other's cable, by full name, each both ways.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crossing(BTreeMap<String, String>);

impl Crossing {
    /// Swaps the cables of two ports, or swaps them back. False where one of them is crossed with a third.
    pub fn swap(&mut self, one: &str, other: &str) -> bool {
        match (self.0.get(one).map(String::as_str), self.0.get(other).map(String::as_str)) {
            (None, None) => {
                self.0.extend([(one.to_owned(), other.to_owned()), (other.to_owned(), one.to_owned())]);
            }
            (Some(now), Some(_)) if now == other => {
                self.0.remove(one);
                self.0.remove(other);
            }
            _ => return false,
        }
        true
    }

    /// What the cables have to do for it.
    pub fn meant(&self, mut intent: Intent) -> Intent {
        intent.ports = self.renamed(intent.ports);
        for channel in intent.channels.values_mut() {
            channel.members = self.renamed(std::mem::take(&mut channel.members));
        }
        intent
    }

    /// What is seen of it at the ports.
    pub fn seen(&self, mut status: Status) -> Status {
        status.ports = self.renamed(status.ports);
        status
    }

    fn renamed<T>(&self, by_port: BTreeMap<String, T>) -> BTreeMap<String, T> {
        let renamed = |(port, value)| (self.0.get(&port).cloned().unwrap_or(port), value);
        by_port.into_iter().map(renamed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::PortStatus;

    #[test]
    fn what_is_seen_and_told_is_that_of_the_other_port_until_it_is_swapped_back() {
        let status = |up: &[&str]| {
            let port = |name: &&str| {
                (name.to_string(), PortStatus { link: up.contains(name), ..PortStatus::default() })
            };
            Status { ports: ["Et1", "Et2", "Et3"].iter().map(port).collect(), ..Status::default() }
        };
        let mut crossing = Crossing::default();
        assert!(crossing.swap("Et1", "Et2"));
        assert_eq!(crossing.seen(status(&["Et1", "Et3"])), status(&["Et2", "Et3"]));
        assert!(!crossing.swap("Et2", "Et3"));
        assert!(crossing.swap("Et2", "Et1"));
        assert_eq!(crossing.seen(status(&["Et1"])), status(&["Et1"]));
    }
}

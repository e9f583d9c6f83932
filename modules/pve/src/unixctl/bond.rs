//! `bond/show`: which members of a bond may carry traffic, and which one does. The text is written by `bond_print_details` in `ofproto/bond.c`.

use std::collections::BTreeSet;

/// One bond; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bond {
    /// The members that may carry traffic, by name.
    pub enabled: BTreeSet<String>,
    /// The member that carries what is not spread over all of them; of an active-backup bond, everything.
    pub active: Option<String>,
}

impl Bond {
    /// A line that is missing leaves its value out.
    pub(super) fn parse(text: &str) -> Self {
        let mut bond = Self::default();
        let mut current = None;
        for line in text.lines() {
            if let Some((name, state)) = super::member(line) {
                current = Some(name);
                if state == "enabled" {
                    bond.enabled.insert(name.to_owned());
                }
            } else if matches!(line.trim(), "active member" | "active slave") {
                bond.active = current.map(str::to_owned);
            }
        }
        bond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Open vSwitch 2.13: members are slaves.
    const OLD: &str = "\
---- bond0 ----
bond_mode: balance-tcp
bond may use recirculation: yes, Recirc-ID : 1
bond-hash-basis: 0
updelay: 0 ms
downdelay: 0 ms
next rebalance: 3120 ms
lacp_status: negotiated
lacp_fallback_ab: true
active slave mac: 3c:fd:fe:a1:01:20(ens20f0np0)

slave ens20f0np0: enabled
  active slave
  may_enable: true
  hash 17: 4 kB load

slave ens20f1np1: disabled
  may_enable: false

";
    /// Open vSwitch 2.15.
    const MIDDLE: &str = "\
---- bond0 ----
bond_mode: active-backup
bond may use recirculation: no, Recirc-ID : -1
bond-hash-basis: 0
updelay: 0 ms
downdelay: 0 ms
lacp_status: off
lacp_fallback_ab: false
active-backup primary: <none>
active member mac: 3c:fd:fe:a1:01:30(ens20f1np1)

member ens20f0np0: enabled
  may_enable: true

member ens20f1np1: enabled
  active member
  may_enable: true

";
    /// Open vSwitch 3.1 and 3.3, nobody answering.
    const NEW: &str = "\
---- bond0 ----
bond_mode: balance-tcp
bond may use recirculation: yes, Recirc-ID : 2
bond-hash-basis: 0
lb_output action: disabled, bond-id: -1
all members active: false
updelay: 0 ms
downdelay: 0 ms
next rebalance: 9120 ms
lacp_status: configured
lacp_fallback_ab: false
active-backup primary: <none>
active member mac: 00:00:00:00:00:00(none)

member ens20f0np0: disabled
  may_enable: false

member ens20f1np1: disabled
  may_enable: false

";

    #[test]
    fn enabled_members_and_the_active_one_are_read_in_every_release() {
        let read = |text: &str| {
            let Bond { enabled, active } = Bond::parse(text);
            (enabled.into_iter().collect::<Vec<_>>().join(" "), active.unwrap_or_default())
        };
        assert_eq!(read(OLD), ("ens20f0np0".to_owned(), "ens20f0np0".to_owned()));
        assert_eq!(read(MIDDLE), ("ens20f0np0 ens20f1np1".to_owned(), "ens20f1np1".to_owned()));
        assert_eq!(read(NEW), (String::new(), String::new()));
        assert_eq!(read("no such bond"), (String::new(), String::new()));
    }
}

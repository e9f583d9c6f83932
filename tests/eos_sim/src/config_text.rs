//! Reading a running-config or startup-config. What no command is known for is kept as it stands.

use crate::commands::{self, Act, Place};
use crate::config::{Config, Paragraph, Vlan, global_place};
use crate::grammar::{Extent, find};
use crate::interface::Line;
use crate::names::Name;
use crate::setting::Form;
use crate::vlans::Vlans;

impl Config {
    /// Reads a configuration. Any text is one.
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        let mut is_behind = false;
        for block in blocks(text) {
            match block.first().map(String::as_str) {
                Some(head) if head.starts_with('!') => config.boot.push(head.to_owned()),
                Some(head) => {
                    let vlans = head.strip_prefix("vlan ").and_then(Vlans::parse);
                    let name =
                        head.strip_prefix("interface ").and_then(|name| Name::parse(&name.replace(' ', "")));
                    is_behind |= vlans.is_some() || name.is_some();
                    match (vlans, name) {
                        (Some(vlans), _) => config.read_vlans(&vlans, &block),
                        (_, Some(name)) => config.read_interface(&name, &block),
                        _ => is_behind = config.read_other(block, is_behind),
                    }
                }
                None => {}
            }
        }
        config
    }

    fn read_vlans(&mut self, vlans: &Vlans, block: &[String]) {
        let mut vlan = Vlan::default();
        for line in block.iter().skip(1) {
            match line.trim().strip_prefix("name ") {
                Some(name) => vlan.name = Some(name.to_owned()),
                None => vlan.lines.push(line.clone()),
            }
        }
        self.vlans.extend(vlans.0.iter().filter(|id| **id != 1).map(|id| (*id, vlan.clone())));
    }

    fn read_interface(&mut self, name: &Name, block: &[String]) {
        self.enter(std::slice::from_ref(name));
        let depth = block.get(1).map_or(0, |line| indentation(line));
        let mut lines = block.iter().skip(1).filter(|line| line.trim() != "!").peekable();
        while let Some(line) = lines.next() {
            let mut below = Vec::new();
            while let Some(next) = lines.next_if(|next| indentation(next) > depth) {
                below.push(next.get(depth..).unwrap_or_default().to_owned());
            }
            self.read_interface_line(name, line.trim(), below);
        }
    }

    fn read_interface_line(&mut self, name: &Name, line: &str, below: Vec<String>) {
        let (form, extent, rest) = match line.strip_prefix("no ") {
            Some(rest) => (Form::No, Extent::Head, rest),
            None => (Form::Plain, Extent::Whole, line),
        };
        let found = find(rest, &commands::of_interface(name.kind), extent).ok().filter(|_| below.is_empty());
        let known = found.and_then(|found| match found.act {
            Act::Setting(setting) => self.set(std::slice::from_ref(name), setting, &found, form).ok(),
            _ => None,
        });
        if known.is_none() {
            let line = Line { place: Place::Last, key: String::new(), text: line.to_owned(), below };
            self.interfaces.entry(name.clone()).or_default().lines.push(line);
        }
    }

    /// Returns whether it stands behind the interfaces, as what follows then does too.
    fn read_other(&mut self, block: Paragraph, was_behind: bool) -> bool {
        let place = block.first().and_then(|line| global_place(line));
        let is_behind = place.map_or(was_behind, |place| place >= commands::BEFORE.len());
        let list = if is_behind { &mut self.behind } else { &mut self.before };
        list.push(block);
        was_behind || is_behind
    }
}

/// Cuts a text into the blocks between its `!`. A VLAN or an interface begins a block wherever it stands, and what
/// follows it unindented begins the next.
fn blocks(text: &str) -> Vec<Vec<String>> {
    let mut blocks: Vec<Vec<String>> = vec![Vec::new()];
    let mut banner = false;
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        let top = !line.starts_with(' ');
        let last_head = blocks.last().and_then(|block| block.first()).cloned().unwrap_or_default();
        if banner {
            banner = line != "EOF";
        } else if line == "end" {
            break;
        } else if line.starts_with("! boot ") {
            blocks.push(vec![line.to_owned()]);
            blocks.push(Vec::new());
            continue;
        } else if line.starts_with('!') || line.trim().is_empty() {
            blocks.push(Vec::new());
            continue;
        } else if top {
            banner = line.starts_with("banner ");
            let is_own = |line: &str| line.starts_with("interface ") || line.starts_with("vlan ");
            if is_own(line) || is_own(&last_head) {
                blocks.push(Vec::new());
            }
        }
        if let Some(block) = blocks.last_mut() {
            block.push(line.trim_end().to_owned());
        }
    }
    if let Some(block) = blocks.last_mut().filter(|_| banner) {
        block.push("EOF".to_owned());
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCH: &str = "\
! device: core (DCS-7050QX-32S, EOS-4.28.3M)
!
! boot system flash:/EOS.swi
!
switchport default mode access
!
hostname core
!
enable secret sha512 $6$x
no aaa root
!
interface defaults
   ethernet
      shutdown
!
vlan 10-11,20
!
vlan 30
   name storage
!
interface Port-Channel1001
   description PVE-N1-LACP
   switchport trunk native vlan tag
   switchport trunk allowed vlan 10-12
   switchport mode trunk
   port-channel min-links 1
   port-channel lacp fallback individual
   port-channel lacp fallback timeout 5
   mlag 5
   spanning-tree portfast
!
interface Ethernet2
   no shutdown
   no switchport
   ip address 10.0.0.1/31
!
interface Ethernet7/1
   speed forced 10000full
   channel-group 1001 mode active
   lacp timer fast
   lacp port-priority 100
   !
   tx-queue 0
      bandwidth percent 10
!
interface Ethernet10
!
ip routing
!
banner login
! not a comment
   two
EOF
!
management api http-commands
   no shutdown
!
end
";

    #[test]
    fn a_running_config_reads_back_as_it_was_printed() {
        let config = Config::parse(SWITCH);
        let (_, body) = SWITCH.split_once("!\n").unwrap();
        assert_eq!(config.text(false), body);
        assert_eq!(config.hostname(), "core");
        assert!(config.defaults().ethernet_shutdown);
    }

    #[test]
    fn blocks_and_lines_come_out_in_the_order_of_the_switch() {
        let text = "interface Ethernet10\ninterface Ethernet2\n lacp rate fast\n channel-group 5 mode on\n mtu 9000\nvlan 20\nvlan 10\ninterface Port-Channel5\n";
        let printed = Config::parse(text).text(false);
        assert_eq!(
            printed,
            "vlan 10,20\n!\ninterface Port-Channel5\n!\ninterface Ethernet2\n   mtu 9000\n   channel-group 5 mode on\n   lacp timer fast\n!\ninterface Ethernet10\n!\nend\n"
        );
    }

    #[test]
    fn the_default_mode_of_switchports_decides_what_is_hidden() {
        let text = "switchport default mode routed\n!\ninterface Ethernet1\n   no switchport\n!\ninterface Ethernet2\n   switchport\n!\nend\n";
        let printed = Config::parse(text).text(false);
        assert!(printed.contains("interface Ethernet1\n   no switchport\n!"), "{printed}");
        assert!(printed.contains("interface Ethernet2\n   switchport\n!"), "{printed}");
    }

    const LINES: &[&str] = &[
        "!",
        "   !",
        "",
        "hostname a",
        "no aaa root",
        "username x privilege 15",
        "ip routing",
        "no ip routing",
        "vlan 10",
        "vlan 10-12,7",
        "vlan 1",
        "   name x",
        "   state suspend",
        "interface Ethernet1",
        "interface et 2/1",
        "interface Port-Channel5",
        "interface defaults",
        "   ethernet",
        "      shutdown",
        "   shutdown",
        "   no shutdown",
        "   description two  words",
        "   no switchport",
        "   switchport",
        "   switchport mode trunk",
        "   switchport trunk allowed vlan none",
        "   switchport trunk allowed vlan 2,1",
        "   channel-group 5 mode active",
        "   channel-group 6 mode on",
        "   no lldp transmit",
        "   ip address 10.0.0.1/24",
        "   what nobody knows",
        "   tx-queue 0",
        "      bandwidth percent 1",
        " one space",
        "banner login",
        "EOF",
        "! boot system flash:/EOS.swi",
        "end",
        "ä",
    ];

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same_whatever_was_read_before(
            lines in proptest::collection::vec(proptest::sample::select(LINES), 0..40),
        ) {
            let printed = Config::parse(&lines.join("\n")).text(false);
            proptest::prop_assert_eq!(Config::parse(&printed).text(false), printed);
        }

        #[test]
        fn any_text_is_a_configuration(text in "(?s).{0,200}") {
            let printed = Config::parse(&text).text(false);
            proptest::prop_assert_eq!(Config::parse(&printed).text(false), printed);
        }
    }
}

//! A configuration as EOS shows it: its blocks, the interfaces, the VLANs, the defaults that hide lines. What an
//! interface's lines mean is `port.rs`'s.

use std::collections::{BTreeMap, BTreeSet};

use vlan::VlanSet;

use crate::dialect::Dialect;
use crate::names::Interface;
use crate::version;

/// What `show running-config` or `show startup-config` printed. The order of blocks makes no difference: that of a
/// startup-config is whatever it was written in.
#[derive(Debug, Clone, Default)]
pub struct Config {
    blocks: Vec<Block>,
    /// Where in `blocks` an interface is.
    interfaces: BTreeMap<Interface, usize>,
    dialect: Dialect,
}

/// Two that say the same are the same.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.blocks == other.blocks
    }
}

impl Eq for Config {}

/// A line at the margin with the lines indented under it. Without separators and comments, and without what is
/// nested deeper than one level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// Such as `interface Ethernet7/1`.
    pub head: String,
    /// The lines under it, without their indentation; those of what is nested keep the rest of theirs.
    pub lines: Vec<String>,
}

/// What a switch is called that has no name.
const UNNAMED: &str = "localhost";
/// How many blanks EOS indents by.
const INDENT: &str = "   ";
/// The first release that prints `lacp timer`: 4.19 does not, 4.22 does.
const LACP_TIMER_SINCE: (u32, u32) = (4, 22);

impl Config {
    /// Takes the text apart. Anything is a configuration; what is not understood is kept as lines.
    pub fn parse(text: &str) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_free_text = false;
        for line in text.lines().map(str::trim_end) {
            if is_free_text {
                is_free_text = line.trim_start() != "EOF";
                push(&mut blocks, line);
                continue;
            }
            // Text of anybody's choosing, in which nothing is a command.
            is_free_text = line.starts_with("banner ") || line.trim_start() == "action bash";
            let is_separator = line.is_empty() || line.trim_start().starts_with('!') || line == "end";
            match line.strip_prefix(INDENT) {
                _ if is_separator => {}
                Some(line) => push(&mut blocks, line),
                // An older release indents by less in some blocks.
                None if line.starts_with(' ') => push(&mut blocks, line.trim_start()),
                None => blocks.push(Block { head: line.to_owned(), lines: Vec::new() }),
            }
        }
        blocks.sort();
        let mut interfaces = BTreeMap::new();
        for (at, block) in blocks.iter().enumerate() {
            if let Some(name) = block.interface() {
                interfaces.entry(name).or_insert(at);
            }
        }
        // A startup-config need not have it.
        let release = text.lines().find_map(version::of_header);
        let dialect = dialect(&blocks, release);
        Self { blocks, interfaces, dialect }
    }

    /// The block of an interface.
    pub fn interface(&self, interface: &Interface) -> Option<&Block> {
        self.blocks.get(*self.interfaces.get(interface)?)
    }

    /// Every Port-Channel and Ethernet interface with its block.
    pub fn interfaces(&self) -> impl Iterator<Item = (&Interface, &Block)> {
        self.interfaces.iter().filter_map(|(name, at)| Some((name, self.blocks.get(*at)?)))
    }

    /// The name that the switch gives itself.
    pub fn hostname(&self) -> &str {
        self.blocks.iter().find_map(|block| block.head.strip_prefix("hostname ")).unwrap_or(UNNAMED).trim()
    }

    /// The VLANs that are configured. VLAN 1 always is.
    pub fn vlans(&self) -> VlanSet {
        let mut vlans = VlanSet::from_iter([1]);
        for some in self.blocks.iter().filter_map(|block| vlans_of(&block.head)) {
            vlans.extend(some.iter());
        }
        vlans
    }

    /// What is meant where nothing is said.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether an Ethernet interface is shut down; what a Port-Channel is, is `aggregation.rs`'s.
    pub fn is_shut_down(&self, interface: &Interface) -> bool {
        let lines = self.interface(interface).into_iter().flat_map(|block| &block.lines);
        let mut said = lines.filter_map(|line| match line.as_str() {
            "shutdown" => Some(true),
            "no shutdown" => Some(false),
            _ => None,
        });
        said.next_back().unwrap_or(self.dialect.ethernet_shutdown)
    }

    /// Every block that is not one of `interfaces`.
    pub fn without(&self, interfaces: &[&Interface]) -> impl Iterator<Item = &Block> {
        let left_out: BTreeSet<usize> =
            interfaces.iter().filter_map(|name| self.interfaces.get(name).copied()).collect();
        let blocks = self.blocks.iter().enumerate();
        blocks.filter(move |(at, _)| !left_out.contains(at)).map(|(_, block)| block)
    }
}

impl Block {
    /// Whether nothing is lost without it: VLANs that are only there, which [`Config::vlans`] has, or an Ethernet
    /// interface, which the switch has whatever is said of it.
    pub fn says_nothing(&self) -> bool {
        let is_plain =
            vlans_of(&self.head).is_some() || matches!(self.interface(), Some(Interface::Ethernet(_)));
        is_plain && self.lines.is_empty()
    }

    fn interface(&self) -> Option<Interface> {
        Interface::from_config(self.head.strip_prefix("interface ")?)
    }
}

/// The VLANs whose block begins with this line. `vlan internal order …` and its like are other commands.
pub fn vlans_of(head: &str) -> Option<VlanSet> {
    VlanSet::parse(head.strip_prefix("vlan ")?)
}

fn dialect(blocks: &[Block], release: Option<(u32, u32)>) -> Dialect {
    let defaults = blocks.iter().filter(|block| block.head == "interface defaults");
    let mut of_ethernet = defaults.flat_map(|block| {
        let from = block.lines.iter().skip_while(|line| *line != "ethernet").skip(1);
        from.take_while(|line| line.starts_with(' '))
    });
    Dialect {
        switchport: !blocks.iter().any(|block| block.head == "switchport default mode routed"),
        ethernet_shutdown: of_ethernet.any(|line| line.trim() == "shutdown"),
        lacp_rate: release.is_some_and(|release| release < LACP_TIMER_SINCE),
    }
}

fn push(blocks: &mut [Block], line: &str) {
    if let Some(block) = blocks.last_mut() {
        block.lines.push(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "! Command: show running-config\n! device: core (DCS-7050QX-32S, EOS-4.28.3M)\n!\n\
        vlan internal order ascending range 1006 1199\n!\nvlan 10\n   name guests\n!\nvlan 20-22,30\n!\n\
        banner motd\ninterface Ethernet1\n   shutdown\nEOF\n!\n\
        interface Port-Channel1001\n   description PVE\n   switchport mode trunk\n!\n\
        interface Ethernet7/1\n   description a\n   qos x\n      deeper\n   !\n   channel-group 1001 mode active\n!\n\
        interface Ethernet8/1\n!\ninterface Vlan10\n   ip address 10.0.0.1/24\n!\nend\n";

    #[test]
    fn blocks_are_told_apart_and_a_banner_is_no_configuration() {
        let config = Config::parse(TEXT);
        let names: Vec<String> = config.interfaces().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["Port-Channel1001", "Ethernet7/1", "Ethernet8/1"]);
        let block = config.interface(&Interface::from_config("Ethernet7/1").unwrap()).unwrap();
        assert_eq!(block.lines, ["description a", "qos x", "   deeper", "channel-group 1001 mode active"]);
        assert_eq!(config.vlans().to_string(), "1,10,20-22,30");
        assert_eq!((config.hostname(), Config::parse("hostname core\n").hostname()), ("localhost", "core"));
    }

    #[test]
    fn what_is_meant_where_nothing_is_said() {
        assert_eq!(Config::parse(TEXT).dialect(), Dialect::PLAIN);
        let routed = Config::parse("switchport default mode routed\n").dialect();
        assert_eq!(routed, Dialect { switchport: false, ..Dialect::PLAIN });
        let down = "interface defaults\n   ethernet\n      shutdown\n!\ninterface Ethernet1\n   no shutdown\n!\n\
            interface Ethernet2\n!\n";
        let down = Config::parse(down);
        assert_eq!(down.dialect(), Dialect { ethernet_shutdown: true, ..Dialect::PLAIN });
        let is_shut_down = |name: &str| down.is_shut_down(&Interface::from_config(name).unwrap());
        assert_eq!(["Ethernet1", "Ethernet2"].map(is_shut_down), [false, true]);
        let other = "interface defaults\n   ethernet\n      mtu 9000\n   other\n      shutdown\n";
        assert_eq!(Config::parse(other).dialect(), Dialect::PLAIN);
        for (header, lacp_rate) in [("EOS-4.19.1F", true), ("EOS-4.22.3M", false), ("EOS-5.0.0F", false)] {
            let header = format!("! device: core (DCS-7050QX-32S, {header})\n!\nhostname core\n");
            assert_eq!(Config::parse(&header).dialect().lacp_rate, lacp_rate, "{header}");
            assert_eq!(Config::parse(&header), Config::parse("hostname core\n"));
        }
    }

    #[test]
    fn order_comments_line_ends_and_separators_make_no_difference() {
        let startup = TEXT.replace("! Command: show running-config", "! Command: show startup-config");
        let startup: Vec<&str> = startup.lines().filter(|line| line.trim() != "!").collect();
        assert_eq!(Config::parse(&startup.join("\r\n")), Config::parse(TEXT));
        assert_eq!(
            Config::parse("vlan 20\nvlan 10\n   name x\n"),
            Config::parse("vlan 10\n   name x\n!\nvlan 20\n")
        );
        assert_eq!(Config::parse(""), Config::default());
    }
}

//! Ports that `ifreload -a` leaves on an OVSBridge though the bridge's `ovs_ports` line does not name them: what
//! `ovs-ports-condone-regex` says, in the bridge's stanza or, where it says nothing, as ifupdown2's own default.
//!
//! The default is Proxmox's patch `openvswitch : ovs-ports-condone-regex : exclude tap|veth|fwln`; Debian's ifupdown2 has
//! none and unplugs every running guest. ifupdown2 matches with Python's `re.match`, takes the first such line only, and
//! leaves out a bridge whose expression is wrong.

use std::fs;
use std::path::Path;

use crate::interfaces::Stanza;

/// The key, as ifupdown2 documents it. Proxmox does not know it, and writes such a line back as it was.
pub const KEY: &str = "ovs-ports-condone-regex";
/// The expression that spares guests, as Proxmox's ifupdown2 has it by default.
pub const GUESTS: &str = "^(tap|veth|fwln)";
const GUEST_PREFIXES: [&str; 3] = ["tap", "veth", "fwln"];

/// Whether [`GUESTS`] matches a port.
pub fn is_a_guests(port: &str) -> bool {
    GUEST_PREFIXES.iter().any(|prefix| port.starts_with(prefix))
}

/// The expressions in a stanza, whose keys ifupdown2 takes with dashes and with underscores.
pub fn expressions(stanza: &Stanza) -> impl Iterator<Item = &str> {
    values(stanza, KEY)
}

/// The values of a key that may be written with dashes and with underscores.
pub fn values<'a>(stanza: &'a Stanza, key: &'a str) -> impl Iterator<Item = &'a str> {
    let options = stanza.families.iter().flat_map(|family| &family.options);
    options.filter(move |(known, _)| known.replace('_', "-") == key).map(|(_, value)| value.as_str())
}

/// Whether the ifupdown2 whose addon this is has no default that spares guests. Where there is no such file, nothing is
/// known of ifupdown2, and it is taken for Proxmox's.
pub fn lacks_default(addon: &Path) -> bool {
    fs::read(addon).is_ok_and(|text| !has_default(&String::from_utf8_lossy(&text)))
}

/// The default stands in the key's own entry of the addon's table.
fn has_default(addon: &str) -> bool {
    let entry = addon.lines().map(str::trim).skip_while(|line| !is_entry(line));
    let mut lines = entry.skip(1).take_while(|line| !line.starts_with('}'));
    lines.any(|line| {
        let value = line.strip_prefix("\"default\"").or_else(|| line.strip_prefix("'default'"));
        value.is_some_and(|value| GUEST_PREFIXES.iter().all(|prefix| value.contains(prefix)))
    })
}

fn is_entry(line: &str) -> bool {
    line.trim_matches(['\'', '"']).starts_with(KEY) && line.ends_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addon(entry: &str) -> String {
        format!(
            "'attrs': {{\n  'ovs-mtu': {{\n    'default': '1500'\n  }},\n  'ovs-ports-condone-regex': {{\n{entry}    \
             \"example\": [\"ovs-ports-condone-regex ^[a-z]+_v[0-9]{{1,4}}$\"]\n  }},\n  'x': {{\n    \
             'default': '^(tap|veth|fwln)'\n  }}\n}}\n"
        )
    }

    #[test]
    fn the_default_of_proxmox_is_found_in_its_entry_alone() {
        assert!(has_default(&addon("    \"default\": \"^(tap|veth|fwln)\",\n")));
        assert!(has_default(&addon("    'default': '^(tap|veth|fwln|fwpr)',\n")));
        assert!(!has_default(&addon("    \"required\": False,\n")));
        assert!(!has_default(&addon("    \"default\": \"^(tap|veth)\",\n")));
        assert!(!has_default(""));
    }

    #[test]
    fn an_addon_that_is_not_there_lacks_nothing() {
        assert!(!lacks_default(Path::new("/nonexistent/openvswitch.py")));
    }

    #[test]
    fn both_spellings_of_the_key_are_read() {
        let mut stanza = Stanza::new("vmbr0", "manual");
        stanza.set("ovs_ports_condone_regex", Some("^a"));
        stanza.set("ovs-ports-condone-regex", Some("^b"));
        assert_eq!(expressions(&stanza).collect::<Vec<_>>(), ["^a", "^b"]);
    }
}

//! What the stanza of an OVSBridge sets in Open vSwitch: the columns in `ovs_options` and `ovs_extra` lines, read in any
//! spelling of ovs-vsctl(8), written in one. Which values are right is not known here.
//!
//! Written as `ovs_extra set bridge NAME COLUMN=VALUE`, not as `ovs_options`: ifupdown2 sets those before it clears the
//! bridge's columns. Several commands may stand in a line, with ` -- ` between them, and several settings in a command.

use crate::interfaces::Stanza;

/// The columns that options decide. ovs-vsctl takes the beginning of a name for the whole.
const OWNED: [&str; 4] = ["datapath_type", "stp_enable", "rstp_enable", "mcast_snooping_enable"];
/// The MAC address of a bridge that does not take the lowest of its NICs.
pub const MAC: &str = "other_config:hwaddr";

/// What the stanza sets a column of its bridge to; of several the last counts.
pub fn setting(stanza: &Stanza, column: &str) -> Option<String> {
    let options = stanza.get("ovs_options").into_iter().flat_map(str::split_ascii_whitespace);
    let extras = stanza.get_all("ovs_extra");
    let extras = extras.iter().flat_map(|line| commands(line)).filter(|words| is_set(words, &stanza.name));
    let words = options.chain(extras.flat_map(|words| words.into_iter().skip(3)));
    words.filter_map(|word| of_column(word, column)).next_back().map(str::to_owned)
}

/// Makes the stanza set a column of its bridge to `value`, or not set it. What says so already stays as it is.
pub fn set(stanza: &mut Stanza, column: &str, value: Option<&str>) {
    if setting(stanza, column).as_deref() == value {
        return;
    }
    if let Some(options) = stanza.get("ovs_options") {
        let others = options.split_ascii_whitespace().filter(|word| of_column(word, column).is_none());
        let others = others.collect::<Vec<_>>().join(" ");
        stanza.set("ovs_options", (!others.is_empty()).then_some(&others));
    }
    let name = stanza.name.clone();
    let lines = stanza.get_all("ovs_extra").into_iter();
    let mut lines: Vec<String> = lines.filter_map(|line| without(line, &name, &[column])).collect();
    lines.extend(value.map(|value| format!("set bridge {name} {column}={value}")));
    stanza.set_all("ovs_extra", &lines);
}

/// Gives the bridge this MAC address, whatever ports it has.
pub fn set_mac(stanza: &mut Stanza, mac: &str) {
    let name = stanza.name.clone();
    let mut lines: Vec<String> = stanza.get_all("ovs_extra").into_iter().map(str::to_owned).collect();
    lines.push(format!("set bridge {name} {MAC}={mac}"));
    stanza.set_all("ovs_extra", &lines);
}

/// Makes `wanted` the lines of the stanza beyond what options decide, and beyond the MAC address that a Linux bridge
/// left it.
pub fn set_others(stanza: &mut Stanza, wanted: &[String]) {
    let name = stanza.name.clone();
    let is_kept = |line: &String| wanted.contains(line) || without(line, &name, &[MAC]).is_some();
    let lines: Vec<String> = stanza.get_all("ovs_extra").into_iter().map(str::to_owned).collect();
    let others: Vec<String> =
        lines.iter().filter_map(|line| without(line, &name, &OWNED)).filter(is_kept).collect();
    if others == wanted {
        return;
    }
    let owned: Vec<(&str, String)> =
        OWNED.into_iter().filter_map(|column| Some((column, setting(stanza, column)?))).collect();
    let mac =
        lines.into_iter().filter(|line| without(line, &name, &[MAC]).is_none() && !wanted.contains(line));
    let mut all: Vec<String> =
        owned.iter().map(|(column, value)| format!("set bridge {name} {column}={value}")).collect();
    all.extend(mac);
    all.extend(wanted.iter().cloned());
    stanza.set_all("ovs_extra", &all);
}

/// What the stanza sets of its bridge beyond what options decide: columns, with a key where they are maps, and values.
/// What a shell or ovs-vsctl would read otherwise than it is written is left out.
pub fn others(stanza: &Stanza) -> Vec<(String, String)> {
    let mut others: Vec<(String, String)> = Vec::new();
    for words in stanza.get_all("ovs_extra").iter().flat_map(|line| commands(line)) {
        for (path, value) in sets(&words, &stanza.name).unwrap_or_default() {
            let is_owned = OWNED.iter().any(|column| of_column(&format!("{path}={value}"), column).is_some());
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.:,=/+-".contains(c);
            if is_owned || !value.chars().all(is_plain) {
                continue;
            }
            // A whole map takes the place of its keys.
            others.retain(|(known, _)| *known != path && !known.starts_with(&format!("{path}:")));
            others.push((path, value));
        }
    }
    others
}

/// The commands of a line of which it is not known what they set.
pub fn not_read_back(bridge: &str, line: &str) -> Vec<String> {
    let unknown = commands(line).into_iter().filter(|words| sets(words, bridge).is_none());
    unknown.map(|words| words.join(" ")).collect()
}

/// What a command sets of a bridge; nothing where that is not known.
fn sets(words: &[&str], bridge: &str) -> Option<Vec<(String, String)>> {
    let set = |path: &str, value: &str| (path.to_owned(), value.to_owned());
    match words {
        ["set-fail-mode", name, mode] if *name == bridge => Some(vec![set("fail_mode", mode)]),
        ["br-set-external-id", name, key, value] if *name == bridge => {
            Some(vec![set(&format!("external_ids:{key}"), value)])
        }
        _ if is_set(words, bridge) => {
            let settings = words.iter().skip(3).filter_map(|word| word.split_once('='));
            let settings = settings.map(|(path, value)| {
                let (column, key) = path.split_once(':').unwrap_or((path, ""));
                let column = column.to_ascii_lowercase().replace('-', "_");
                set(&if key.is_empty() { column } else { format!("{column}:{key}") }, value)
            });
            Some(settings.collect())
        }
        _ => None,
    }
}

fn commands(line: &str) -> Vec<Vec<&str>> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    words.split(|word| *word == "--").map(<[&str]>::to_vec).collect()
}

/// Whether a command sets columns of the bridge.
fn is_set(words: &[&str], bridge: &str) -> bool {
    matches!(words, ["set", table, name, ..] if "bridge".starts_with(&table.to_ascii_lowercase()) && *name == bridge)
}

/// The value that a word gives to a column.
fn of_column<'a>(word: &'a str, column: &str) -> Option<&'a str> {
    let (path, value) = word.split_once('=')?;
    let normal = path.to_ascii_lowercase().replace('-', "_");
    // Shorter ones are the beginning of more than one column.
    let is_it =
        normal == column || (normal.len() >= 3 && OWNED.contains(&column) && column.starts_with(&normal));
    is_it.then_some(value)
}

/// The line without the settings of these columns; nothing where nothing is left of it.
fn without(line: &str, bridge: &str, columns: &[&str]) -> Option<String> {
    let is_one = |word: &str| columns.iter().any(|column| of_column(word, column).is_some());
    let all = commands(line);
    if !all.iter().any(|words| is_set(words, bridge) && words.iter().skip(3).any(|word| is_one(word))) {
        return Some(line.to_owned());
    }
    let kept = all.into_iter().filter_map(|words| {
        if !is_set(&words, bridge) {
            return Some(words.join(" "));
        }
        let kept: Vec<&str> = words
            .iter()
            .enumerate()
            .filter(|(at, word)| *at < 3 || !is_one(word))
            .map(|(_, word)| *word)
            .collect();
        (kept.len() > 3).then(|| kept.join(" "))
    });
    let kept = kept.collect::<Vec<_>>().join(" -- ");
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(lines: &[&str]) -> Stanza {
        let mut stanza = Stanza::new("vmbr0", "manual");
        stanza.set_all("ovs_extra", lines);
        stanza
    }

    #[test]
    fn a_setting_is_found_in_every_spelling_and_the_last_one_counts() {
        for (options, lines, found) in [
            ("", &["set bridge vmbr0 stp_enable=true"][..], Some("true")),
            ("", &["set Bridge vmbr0 STP-enable=true"], Some("true")),
            ("", &["set br vmbr0 stp=true"], Some("true")),
            ("", &["set-fail-mode vmbr0 secure -- set bridge vmbr0 a:b=c stp_enable=yes"], Some("yes")),
            ("", &["set bridge vmbr0 stp_enable=true", "set bridge vmbr0 stp_enable=false"], Some("false")),
            ("stp_enable=true", &[], Some("true")),
            ("stp_enable=true", &["set bridge vmbr0 stp_enable=false"], Some("false")),
            ("", &["set bridge vmbr1 stp_enable=true", "set port vmbr0 stp_enable=true"], None),
            ("", &["set bridge vmbr0 rstp_enable=true other_config:stp-priority=1"], None),
        ] {
            let mut stanza = stanza(lines);
            stanza.set("ovs_options", Some(options).filter(|text| !text.is_empty()));
            assert_eq!(setting(&stanza, "stp_enable").as_deref(), found, "{options} {lines:?}");
        }
    }

    #[test]
    fn only_the_setting_is_changed_whoever_wrote_it() {
        for (lines, value, after) in [
            (&[][..], Some("true"), &["set bridge vmbr0 stp_enable=true"][..]),
            (&["set br vmbr0 stp=true"], Some("true"), &["set br vmbr0 stp=true"]),
            (&["set bridge vmbr0 stp_enable=true"], None, &[]),
            (
                &["set-fail-mode vmbr0 secure -- set bridge vmbr0 stp=true a:b=c"],
                None,
                &["set-fail-mode vmbr0 secure -- set bridge vmbr0 a:b=c"],
            ),
            (
                &["set bridge vmbr0 stp_enable=true -- set-fail-mode vmbr0 secure"],
                Some("false"),
                &["set-fail-mode vmbr0 secure", "set bridge vmbr0 stp_enable=false"],
            ),
        ] {
            let mut stanza = stanza(lines);
            set(&mut stanza, "stp_enable", value);
            assert_eq!(stanza.get_all("ovs_extra"), after, "{lines:?} {value:?}");
        }
    }

    #[test]
    fn an_option_of_hand_written_ovs_options_moves_into_ovs_extra() {
        let mut stanza = stanza(&[]);
        stanza.set("ovs_options", Some("stp_enable=true other_config:a=b"));
        set(&mut stanza, "stp_enable", None);
        assert_eq!(stanza.get("ovs_options"), Some("other_config:a=b"));
        set(&mut stanza, "stp_enable", Some("true"));
        assert_eq!(stanza.get_all("ovs_extra"), ["set bridge vmbr0 stp_enable=true"]);
    }

    #[test]
    fn the_other_lines_are_exactly_as_given_and_those_of_options_stay() {
        let mac = "set bridge vmbr0 other_config:hwaddr=3c:fd:fe:00:00:01";
        let given = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let found = ["set bridge vmbr0 datapath_type=netdev", "set-fail-mode vmbr0 secure", mac];
        for (wanted, after) in [
            (&["set-fail-mode vmbr0 secure"][..], &found[..]),
            (&[], &[found[0], mac]),
            (&[mac], &[found[0], mac]),
            (&["set bridge vmbr0 a:b=c"], &[found[0], mac, "set bridge vmbr0 a:b=c"]),
        ] {
            let mut stanza = stanza(&found);
            set_others(&mut stanza, &given(wanted));
            assert_eq!(stanza.get_all("ovs_extra"), after, "{wanted:?}");
            let once = stanza.clone();
            set_others(&mut stanza, &given(wanted));
            assert_eq!(stanza, once, "{wanted:?}");
        }
    }

    #[test]
    fn what_a_line_sets_beyond_the_options_is_known_by_column_and_key() {
        let stanza = stanza(&[
            "set bridge vmbr0 datapath_type=netdev fail-mode=secure",
            "set bridge vmbr0 other_config:a=b -- set Bridge vmbr0 other_config:a=c -- set port vmbr0 tag=1",
            "br-set-external-id vmbr0 owner somebody -- set bridge vmbr0 netflow=@id other_config:q=\"x\"",
        ]);
        let found = others(&stanza);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(
            found,
            [("fail_mode", "secure"), ("other_config:a", "c"), ("external_ids:owner", "somebody")]
        );
        let line = "set port vmbr0 tag=1 -- set-fail-mode vmbr0 secure -- clear bridge vmbr0 netflow";
        assert_eq!(not_read_back("vmbr0", line), ["set port vmbr0 tag=1", "clear bridge vmbr0 netflow"]);
    }
}

//! What is let through to a switch's command line. Pure checks of single values; what depends on the switch is in
//! `port_channel.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use ansible_module::fault::Fault;
use vlan::{Native, VlanSet, given};

/// Far beyond what EOS keeps of one, and short enough for one line of a terminal.
const LONGEST_DESCRIPTION: usize = 240;
/// Whoever waits for longer has forgotten about it.
const LONGEST_WAIT: u64 = 3600;

/// The longest name of a trunk group.
const LONGEST_WORD: usize = 63;

/// Longer texts are not repeated in a message.
const LONGEST_QUOTE: usize = 80;

/// What was given, for a message: on one line whatever is in it, and never in part, which could be one of a secret.
pub fn quoted(text: &str) -> String {
    match text.chars().count() {
        0..=LONGEST_QUOTE => format!("{text:?}"),
        count => format!("a text of {count} characters"),
    }
}

/// A description as it is typed: one line of printable ASCII, without blanks at its ends, which EOS does not keep,
/// and without `?`, at which EOS's command line prints help instead of taking it.
pub fn description(argument: &str, text: &str) -> Result<String, Fault> {
    let text = text.trim_matches(' ');
    let refused = |fact: &str| {
        Err(Fault::new(
            "invalid_text",
            format!(
                "`{argument}`: {} {fact}; hint: one line of up to {LONGEST_DESCRIPTION} printable ASCII characters",
                quoted(text)
            ),
        ))
    };
    if let Some(odd) = text.chars().find(|c| !(' '..='~').contains(c)) {
        return refused(&format!(
            "has {odd:?} in it, which could end or garble the line that is typed on the switch"
        ));
    }
    if text.contains('?') {
        return refused("has a `?` in it, at which the switch prints help instead of taking it");
    }
    if text.len() > LONGEST_DESCRIPTION {
        return refused("is too long");
    }
    Ok(text.to_owned())
}

/// VLANs that a trunk lets through, from a list of lists; an empty one is every VLAN.
pub fn trunk_vlans(argument: &str, parts: &[String]) -> Result<VlanSet, Fault> {
    given::trunk_vlans(parts).ok_or_else(|| {
        invalid_vlan(argument, &parts.join(","), "`10,20-29`, `all` or `none`, with VLANs from 1 to 4094")
    })
}

/// One VLAN; 0 is the default, VLAN 1.
pub fn access_vlan(argument: &str, number: i64) -> Result<u16, Fault> {
    given::access_vlan(number)
        .ok_or_else(|| invalid_vlan(argument, &number.to_string(), "1 to 4094, or 0 to take it away"))
}

/// The VLAN of untagged frames; 0 is the default, VLAN 1.
pub fn native_vlan(argument: &str, text: &str) -> Result<Native, Fault> {
    given::native_vlan(text)
        .ok_or_else(|| invalid_vlan(argument, text, "1 to 4094, `tag`, or 0 to take it away"))
}

/// A whole number between two others.
pub fn number(argument: &str, number: i64, least: u16, most: u16) -> Result<u16, Fault> {
    let found = u16::try_from(number).ok().filter(|number| (least..=most).contains(number));
    found.ok_or_else(|| {
        let fact = format!("`{argument}`: {number} is not possible");
        Fault::new("invalid_number", format!("{fact}; hint: {least} to {most}, or 0 to take it away"))
    })
}

/// Names that are single words, such as those of trunk groups; an empty list is none.
pub fn words(argument: &str, list: &[String]) -> Result<BTreeSet<String>, Fault> {
    let is_word = |text: &&str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:+".contains(c);
        (1..=LONGEST_WORD).contains(&text.len()) && text.chars().all(is_plain)
    };
    list.iter()
        .map(|given| {
            let word = Some(given.trim_matches(' ')).filter(is_word);
            word.map(str::to_owned).ok_or_else(|| {
                Fault::new(
                    "invalid_text",
                    format!(
                        "`{argument}`: {} is no name; hint: up to {LONGEST_WORD} letters, digits, and `_`, `-`, `.`, `:`, `+`",
                        quoted(given)
                    ),
                )
            })
        })
        .collect()
}

fn invalid_vlan(argument: &str, value: &str, hint: &str) -> Fault {
    let value = quoted(value);
    Fault::new("invalid_vlan", format!("`{argument}`: {value} is no VLAN that can be set; hint: {hint}"))
}

/// A time to wait, of at least so many seconds.
pub fn seconds(argument: &str, number: i64, least: u64) -> Result<Duration, Fault> {
    let seconds = u64::try_from(number).ok().filter(|number| (least..=LONGEST_WAIT).contains(number));
    seconds.map(Duration::from_secs).ok_or_else(|| {
        let fact = format!("`{argument}`: {number} is no time that can be waited");
        Fault::new("invalid_number", format!("{fact}; hint: {least} to {LONGEST_WAIT} seconds"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_can_never_become_a_second_command() {
        assert_eq!(description("description", " PVE-N1-P0(R) | \"x\" ").unwrap(), "PVE-N1-P0(R) | \"x\"");
        assert_eq!(description("description", "").unwrap(), "");
        for text in
            ["a\nshutdown", "a\rb", "a\tb", "a\u{1b}[A", "a\u{3}", "what?", "Büro", "a\u{7f}", "a\u{85}b"]
        {
            let fault = description("description", text).unwrap_err();
            assert_eq!(fault.code, "invalid_text", "{text:?}");
            assert!(fault.message.chars().all(|c| !c.is_control()), "{fault}");
        }
        assert!(description("description", &"x".repeat(241)).is_err());
    }

    #[test]
    fn vlans_are_checked_one_by_one() {
        let list = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            trunk_vlans("trunk_vlans", &parts).map(|set| set.to_string()).map_err(|fault| fault.code)
        };
        assert_eq!(list(&[]), Ok("all".to_owned()));
        assert_eq!(list(&["20-22", " 10"]), Ok("10,20-22".to_owned()));
        assert_eq!(list(&["none"]), Ok("none".to_owned()));
        assert_eq!(list(&["10", "none"]), Err("invalid_vlan"));
        assert_eq!(list(&["4095"]), Err("invalid_vlan"));
        assert_eq!(access_vlan("access_vlan", 0).unwrap(), 1);
        assert!(access_vlan("access_vlan", -1).is_err() && access_vlan("access_vlan", 4095).is_err());
        assert_eq!(native_vlan("native_vlan", "0").unwrap(), Native::DEFAULT);
        assert_eq!(native_vlan("native_vlan", "tag").unwrap(), Native::Tag);
        assert!(native_vlan("native_vlan", "untagged").is_err());
    }
}

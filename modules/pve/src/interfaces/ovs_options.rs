//! The value of an `ovs_options` line: settings of the OVS Port or Bridge, in the order in which they stand.
//! What a setting means to Open vSwitch is not known here.

use std::collections::BTreeMap;
use std::fmt;

use ansible_module::gather::Gather as _;

use super::Stanza;

/// The words of an `ovs_options` value. Two are equal if they set the same: Proxmox writes the words in an order
/// that changes from one save to the next, so order means nothing.
#[derive(Clone, Debug, Default)]
pub struct OvsOptions {
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
enum Word {
    Setting { key: String, value: String },
    Opaque(String),
}

impl OvsOptions {
    /// Takes a value apart. Words that are no `key=value` are kept and told by [`OvsOptions::opaque`].
    pub fn parse(value: &str) -> Self {
        let word = |word: &str| match word.split_once('=') {
            Some((key, value)) if is_plain(key) && !value.starts_with(['{', '"', '\'']) => {
                Word::Setting { key: key.to_owned(), value: value.to_owned() }
            }
            _ => Word::Opaque(word.to_owned()),
        };
        Self { words: value.split_ascii_whitespace().map(word).collect() }
    }

    /// The options of an interface, none where its stanza has no such line.
    pub fn of(stanza: &Stanza) -> Self {
        Self::parse(stanza.get("ovs_options").unwrap_or_default())
    }

    /// Writes them into an interface's stanza, unless it says the same already; without any, the line goes.
    pub fn put_into(&self, stanza: &mut Stanza) {
        if *self == Self::of(stanza) {
            return;
        }
        let text = self.to_string();
        stanza.set("ovs_options", (!self.is_empty()).then_some(text.as_str()));
    }

    /// The value of a key, such as `bond_mode` or `other_config:lacp-time`. Of repeated ones the last counts.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.settings().filter(|(known, _)| is_same(known, key)).last().map(|(_, value)| value)
    }

    /// The settings in order, repeated ones included.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.words.iter().filter_map(|word| match word {
            Word::Setting { key, value } => Some((key.as_str(), value.as_str())),
            Word::Opaque(_) => None,
        })
    }

    /// Words that say something which is not understood here, such as `other_config={lacp-time=fast}` or a lone
    /// word, which Proxmox loses at its next save: who wants to change the value should refuse.
    pub fn opaque(&self) -> Vec<&str> {
        self.words
            .iter()
            .filter_map(|word| match word {
                Word::Opaque(text) => Some(text.as_str()),
                Word::Setting { .. } => None,
            })
            .collect()
    }

    /// Makes this the one value of a key, or takes the key away. What stays keeps its place; a new key comes last.
    pub fn set(&mut self, key: &str, new: Option<&str>) {
        let mut new = new;
        self.words.retain_mut(|word| match word {
            Word::Setting { key: known, value } if is_same(known, key) => match new.take() {
                Some(new) => {
                    new.clone_into(value);
                    true
                }
                None => false,
            },
            _ => true,
        });
        if let Some(value) = new {
            self.words.push(Word::Setting { key: key.to_owned(), value: value.to_owned() });
        }
    }

    /// Whether there is no word at all, so that the line should not be written.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl fmt::Display for OvsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            match word {
                Word::Setting { key, value } => write!(f, "{key}={value}")?,
                Word::Opaque(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

impl PartialEq for OvsOptions {
    fn eq(&self, other: &Self) -> bool {
        self.settings().gather::<BTreeMap<_, _>>() == other.settings().gather::<BTreeMap<_, _>>()
            && sorted(self.opaque()) == sorted(other.opaque())
    }
}

fn sorted(mut words: Vec<&str>) -> Vec<&str> {
    words.sort_unstable();
    words
}

impl Eq for OvsOptions {}

/// ovs-vsctl takes `-` for `_` in the names of columns.
fn is_same(left: &str, right: &str) -> bool {
    let parts = |key: &str| {
        let (column, key) = key.split_once(':').unwrap_or((key, ""));
        (column.replace('-', "_"), key.to_owned())
    };
    parts(left) == parts(right)
}

/// A column, or a column and a key of its map.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_rendered_as_it_was_read_but_for_spaces() {
        let options = OvsOptions::parse("bond_mode=balance-tcp  lacp=active\tother_config:lacp-time=fast");
        assert_eq!(options.to_string(), "bond_mode=balance-tcp lacp=active other_config:lacp-time=fast");
        assert_eq!(options.get("other_config:lacp-time"), Some("fast"));
    }

    #[test]
    fn order_means_nothing() {
        assert_eq!(OvsOptions::parse("lacp=active tag=5"), OvsOptions::parse("tag=5 lacp=active"));
        assert_ne!(OvsOptions::parse("lacp=active"), OvsOptions::parse("lacp=active tag=5"));
        assert_ne!(OvsOptions::parse("lacp=active"), OvsOptions::parse("lacp=active word"));
    }

    #[test]
    fn of_a_repeated_key_the_last_counts_and_setting_leaves_one() {
        let mut options = OvsOptions::parse("tag=1 lacp=off tag=2");
        assert_eq!(options.get("tag"), Some("2"));
        assert_eq!(options, OvsOptions::parse("lacp=off tag=2"));
        options.set("tag", Some("3"));
        assert_eq!(options.to_string(), "tag=3 lacp=off");
        options.set("tag", None);
        options.set("trunks", Some("1,2"));
        assert_eq!(options.to_string(), "lacp=off trunks=1,2");
        options.set("lacp", None);
        options.set("trunks", None);
        assert!(options.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_kept_and_told() {
        let options = OvsOptions::parse("other_config={lacp-time=fast} lone tag=5 =x");
        assert_eq!(options.opaque(), ["other_config={lacp-time=fast}", "lone", "=x"]);
        assert_eq!(options.get("other_config"), None);
        assert_eq!(options.to_string(), "other_config={lacp-time=fast} lone tag=5 =x");
    }
}

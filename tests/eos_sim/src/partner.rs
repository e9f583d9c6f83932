//! Who may be at the other end of an imagined cable.

use std::str::FromStr;

/// How the other end of a cable behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Partner {
    /// It answers LACP as one would wish.
    #[default]
    Up,
    /// It answers LACP, and never begins.
    Passive,
    /// It is there, and knows nothing of LACP.
    Silent,
    /// It answers LACP as another system than the other members' partner.
    OtherSystem,
    /// It answers LACP, and does not aggregate.
    Individual,
    /// It answers LACP, and does not take the port into its aggregate.
    OutOfSync,
    /// Nobody is there: no carrier.
    Down,
}

/// All of them, as they are typed.
const ALL: [(&str, Partner); 7] = [
    ("up", Partner::Up),
    ("passive", Partner::Passive),
    ("silent", Partner::Silent),
    ("other-system", Partner::OtherSystem),
    ("individual", Partner::Individual),
    ("out-of-sync", Partner::OutOfSync),
    ("down", Partner::Down),
];

impl FromStr for Partner {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let found = ALL.iter().find_map(|(word, partner)| (*word == text).then_some(*partner));
        found.ok_or_else(|| {
            let words = ALL.map(|(word, _)| word).join(", ");
            anyhow::anyhow!("`{text}` is no partner: there are {words}")
        })
    }
}

//! What does not fit, in words for the person who has to mend it. What is looked for stands in `impossible.rs` and
//! `proof.rs`; every code in `docs/findings.md`.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The link does not work, or is not as declared.
    Error,
    /// It differs, and the link works with it.
    Note,
}

/// Where it is to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// On the Proxmox VE node.
    Node,
    /// On the switch.
    Switch,
    /// At either end, or at both.
    Both,
    /// In the rack.
    Cable,
}

impl End {
    const fn name(self) -> &'static str {
        match self {
            Self::Node => "the node",
            Self::Switch => "the switch",
            Self::Both => "both ends",
            Self::Cable => "the cable",
        }
    }
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Where it is to be mended.
    pub end: End,
    /// The device and what of it, such as `node1 bond0 ens20f0np0` or `core Ethernet7/1`.
    #[serde(rename = "where")]
    pub place: String,
    /// Stable, documented code, such as `cable_out`.
    pub code: &'static str,
    /// One sentence: what was found, what was expected, and what mends it.
    pub text: String,
}

impl Finding {
    /// A pair in the description that can't work, whatever the devices say.
    pub fn impossible(code: &'static str, end: End, place: &str, fact: &str, remedy: &str) -> Self {
        let text = format!("{place}: {fact}; hint: {remedy}");
        Self { level: Level::Error, end, place: place.to_owned(), code, text }
    }

    /// A device that is not as declared, or a link that doesn't carry what it has to.
    pub fn error(code: &'static str, end: End, place: &str, fact: &str, remedy: &str) -> Self {
        let text = format!("{place}: {fact}; mend {}: {remedy}", end.name());
        Self { level: Level::Error, end, place: place.to_owned(), code, text }
    }

    /// A difference with which the link works.
    pub fn note(code: &'static str, end: End, place: &str, fact: &str) -> Self {
        let text = format!("{place}: {fact}");
        Self { level: Level::Note, end, place: place.to_owned(), code, text }
    }

    /// Whether it is more than a note.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

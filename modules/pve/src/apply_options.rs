//! When a task's change goes live, and beside whose: the options that the `pve_ovs_*` modules share.

use std::net::IpAddr;

use ansible_module::fault::Fault;
use serde::Deserialize;

/// The options as given; their meaning is told in `library/pve_ovs_bridge.yml`.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "documented where the options are, which decides what they are")]
pub struct ApplyOptions {
    pub apply: bool,
    pub pending: Pending,
    pub foreign_changes: ForeignChanges,
    pub require_reachable: Option<Vec<String>>,
}

/// What becomes of changes that somebody staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pending {
    /// They stay, and the task is refused.
    Fail,
    /// They go live together with the task's own.
    Apply,
    /// They are dropped.
    Discard,
}

/// What becomes of a change whose reload would change more than the task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForeignChanges {
    /// It is refused.
    Refuse,
    /// It is made, and tells what else it changed.
    Apply,
}

/// Which of the two interfaces files a task is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aim {
    /// The one that ifupdown2 reads; what it says is made live.
    #[default]
    Live,
    /// The same, beginning from what is staged, which is then no longer.
    LiveWithStaged,
    /// The one in which changes wait; nothing goes live.
    Staged,
}

impl ApplyOptions {
    /// The addresses that must answer after the change; `None` are those that answered before it.
    pub fn required(&self) -> Result<Option<Vec<IpAddr>>, Fault> {
        let Some(given) = &self.require_reachable else { return Ok(None) };
        let address = |text: &String| {
            text.parse().map_err(|_| {
                Fault::new(
                    "invalid_address",
                    format!(
                        "option `require_reachable`: `{}` is no IP address; hint: such as `10.10.0.1` or `fd00::1`",
                        text.escape_debug()
                    ),
                )
            })
        };
        given.iter().map(address).collect::<Result<_, _>>().map(Some)
    }

    /// The file that is edited.
    pub fn aim(&self) -> Aim {
        match (self.apply, self.pending) {
            (false, _) => Aim::Staged,
            (true, Pending::Apply) => Aim::LiveWithStaged,
            (true, Pending::Fail | Pending::Discard) => Aim::Live,
        }
    }
}

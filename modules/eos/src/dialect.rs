//! What a switch's configuration leaves unsaid, and how its release spells what others spell otherwise.

/// What is meant where nothing is said, and the release's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Interfaces are switchports: not so with `switchport default mode routed`.
    pub switchport: bool,
    /// Ethernet interfaces are shut down: `interface defaults`, `ethernet`, `shutdown`.
    pub ethernet_shutdown: bool,
    /// `lacp rate` instead of `lacp timer`.
    pub lacp_rate: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl Dialect {
    /// A release of today of which nothing is said.
    pub const PLAIN: Self = Self { switchport: true, ethernet_shutdown: false, lacp_rate: false };

    /// The word for how often LACP is to be heard of.
    pub fn lacp_timer(self) -> &'static str {
        if self.lacp_rate { "rate" } else { "timer" }
    }
}

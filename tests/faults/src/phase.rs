//! The columns of the table: what the migration is doing when the fault occurs.

/// A moment of the migration, from first to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing is staged yet.
    BeforeWrite,
    /// All is staged, nothing is live.
    AfterWrite,
    /// `ifreload` has taken the address off its old place.
    DuringReload,
    /// The node's end is live provisionally, the switch is as before.
    AfterReload,
    /// Both ends are live provisionally.
    BeforeConfirm,
    /// The node's end is confirmed, the switch's is not.
    BetweenConfirmations,
}

impl Phase {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 6] = [
        Self::BeforeWrite,
        Self::AfterWrite,
        Self::DuringReload,
        Self::AfterReload,
        Self::BeforeConfirm,
        Self::BetweenConfirmations,
    ];

    /// As the head of its column has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeWrite => "before write",
            Self::AfterWrite => "after write",
            Self::DuringReload => "during reload",
            Self::AfterReload => "after reload",
            Self::BeforeConfirm => "before confirm",
            Self::BetweenConfirmations => "between the two confirmations",
        }
    }
}

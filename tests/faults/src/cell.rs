//! A cell of the table: what a fault in a phase has to come to, as it is written there.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result, ensure};
use lab::uplink::OldState;

use crate::fault::Fault;
use crate::phase::Phase;

/// One cell that is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its row.
    pub fault: Fault,
    /// Its column.
    pub phase: Phase,
    /// What stands in it.
    pub expected: Expected,
    /// Where the migration begins.
    pub old: OldState,
    /// One of those that `make test` runs.
    pub is_small: bool,
    /// One of those that have to fail when the guard is disabled.
    pub needs_guard: bool,
}

/// How it has to end, without anybody's help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The node's end.
    pub node: End,
    /// The switch's end.
    pub switch: End,
    /// What Ansible said.
    pub verdict: Verdict,
    /// What lies there until the next run.
    pub left: BTreeSet<Left>,
}

/// What may be left for the next run to remove, where a cell says so: nothing of it changes anything by itself, but for a
/// staged file at a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// The staged file.
    Staged,
    /// The checkpoint of a run that had not changed anything yet.
    Checkpoint,
    /// A session on the switch that was not committed.
    Session,
}

/// What an end of the link is, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As before the migration.
    Old,
    /// As an undisturbed migration leaves it.
    New,
}

/// How the playbook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It succeeded.
    Done,
    /// It failed, and said so.
    Failed,
    /// Nobody was left to say anything.
    Gone,
}

impl Cell {
    /// Reads what stands in a cell: `[*[!]]NODE/SWITCH VERDICT[, staged][, checkpoint][, session][, vmbr0]`.
    pub fn parse(fault: Fault, phase: Phase, text: &str) -> Result<Self> {
        let marks: String = text.chars().take_while(|mark| "*!".contains(*mark)).collect();
        ensure!(["", "*", "*!"].contains(&marks.as_str()), "the marks are `*` and `*!`");
        let mut parts = text.trim_start_matches(['*', '!']).split(", ");
        let (ends, verdict) = parts
            .next()
            .and_then(|end| end.split_once(' '))
            .with_context(|| format!("`{text}` is no NODE/SWITCH VERDICT"))?;
        let (node, switch) = ends.split_once('/').with_context(|| format!("`{ends}` is no NODE/SWITCH"))?;
        let mut expected = Expected {
            node: End::parse(node)?,
            switch: End::parse(switch)?,
            verdict: Verdict::parse(verdict)?,
            left: BTreeSet::new(),
        };
        let mut old = OldState::Nic;
        for word in parts {
            let is_new = match word {
                "vmbr0" => std::mem::replace(&mut old, OldState::Vmbr0) == OldState::Nic,
                word => expected.left.insert(Left::parse(word)?),
            };
            ensure!(is_new, "`{word}` is there twice");
        }
        let (is_small, needs_guard) = (marks.contains('*'), marks.contains('!'));
        Ok(Self { fault, phase, expected, old, is_small, needs_guard })
    }

    /// Its name among tests: the row and the column, without spaces.
    pub fn name(&self) -> String {
        let name = |words: &str| words.replace([' ', '-'], "_");
        format!("{}::{}", name(self.fault.name()), name(self.phase.name()))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}", self.fault.name(), self.phase.name())
    }
}

impl Expected {
    /// What a run comes to that nothing disturbs.
    pub const MIGRATED: Self =
        Self { node: End::New, switch: End::New, verdict: Verdict::Done, left: BTreeSet::new() };
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, switch, verdict, left } = self;
        write!(formatter, "{}/{} {}", node.word(), switch.word(), verdict.word())?;
        left.iter().try_for_each(|left| write!(formatter, ", {}", left.word()))
    }
}

impl Left {
    const ALL: [Self; 3] = [Self::Staged, Self::Checkpoint, Self::Session];

    /// As the table has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Checkpoint => "checkpoint",
            Self::Session => "session",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|left| left.word() == word);
        found.with_context(|| format!("`{word}` means nothing here"))
    }
}

impl End {
    /// As the table has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        let found = [Self::Old, Self::New].into_iter().find(|end| end.word() == word);
        found.with_context(|| format!("`{word}` is neither `old` nor `new`"))
    }
}

impl Verdict {
    /// As the table has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        let found = [Self::Done, Self::Failed, Self::Gone].into_iter().find(|one| one.word() == word);
        found.with_context(|| format!("`{word}` is none of `done`, `failed`, `gone`"))
    }
}

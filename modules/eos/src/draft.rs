//! A configuration session of ours: the lines typed into it, and what the switch says that they would change. Nothing
//! in here makes anything live.

use ansible_module::fault::Fault;
use serde_json::{Value, json};
use vlan::VlanSet;

use crate::change::Change;
use crate::claim::Claim;
use crate::config::{Block, Config, vlans_of};
use crate::dialog::{Dialog, Error};
use crate::names::Interface;
use crate::note::Note;
use crate::reach::Reach;
use crate::session_diff::SessionDiff;
use crate::turn::Turn;

/// So many lines of others are named in an error.
const SHOWN: usize = 4;

/// A session. Its file is locked as long as this lives, so that nobody takes it for stale.
#[derive(Debug)]
pub struct Draft {
    claim: Claim,
    note: Note,
}

/// What the switch says of a session.
#[derive(Debug)]
pub enum Verdict {
    /// It would change this, as Ansible's `diff`.
    Differs(Value),
    /// It would change nothing.
    Same,
    /// The running-config is no longer the one that was planned for: a commit would undo somebody else's change.
    Moved,
    /// The lines would change what is not of the task, such as these.
    Spreads(Vec<String>),
    /// There are too many sessions, or it is another run's turn.
    Busy(Fault),
}

impl Verdict {
    /// A commit makes the whole session live, and with it the running-config that the session began with. `spreads`
    /// says whether what looks like changes of others in a diff is that: the same lines in many blocks can be lined up
    /// in more than one way.
    fn of<E>(
        diff: Option<SessionDiff>,
        running: &Config,
        planned_for: &Config,
        spreads: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Self, E> {
        Ok(match diff {
            None => Self::Same,
            Some(_) if running != planned_for => Self::Moved,
            // Nobody else changed anything, so these come with our own lines.
            Some(diff) if !diff.changes_of_others().is_empty() && spreads()? => {
                Self::Spreads(diff.changes_of_others().to_vec())
            }
            Some(diff) => Self::Differs(json!([{"prepared": diff.to_string()}])),
        })
    }
}

impl Draft {
    /// A session that is not on the switch yet.
    pub fn new(claim: Claim, note: Note) -> Self {
        Self { claim, note }
    }

    /// What was noted of it.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Its name.
    pub fn session(&self) -> &str {
        self.claim.name()
    }

    /// From now on what was noted of it outlives it.
    pub fn keep_note(&mut self) {
        self.claim.keep_note();
    }

    /// Opens it on the switch and types the lines, one after the other, each only where the prompt proves that we are in
    /// the session. Gives what the switch warned of; a verdict where it has no room for the session.
    pub fn fill(
        &self,
        reach: &mut Reach,
        lines: &[String],
        stop: &dyn Fn() -> Result<(), Fault>,
    ) -> Result<Result<Vec<String>, Verdict>, Fault> {
        let mut warnings = Vec::new();
        match reach.with(|dialog| dialog.enter(self.session())) {
            Err(full @ Error::NoRoom { .. }) => return Ok(Err(Verdict::Busy(full.into()))),
            entered => entered?,
        }
        let mut block = "";
        for line in lines {
            stop()?;
            if line.starts_with("interface ") {
                block = line;
            }
            let said = reach
                .with(|dialog| dialog.configure(self.session(), line))
                .map_err(|error| Fault::from(error).context(&format!("preparing `{block}`")))?;
            for text in said {
                let warning = format!("`{line}`: {}", text.trim_start_matches("! "));
                // The same line in another block.
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        Ok(Ok(warnings))
    }

    /// Whose turn it is, with this session open.
    pub fn turn(&self, reach: &mut Reach) -> Result<Turn, Error> {
        Ok(Turn::of(&reach.with(Dialog::sessions)?, Some(self.session())))
    }

    /// What the switch says that it would change.
    pub fn judge(
        &self,
        reach: &mut Reach,
        changes: &[Change],
        planned_for: &Config,
    ) -> Result<Verdict, Error> {
        let diff = reach.with(Dialog::session_diff)?;
        let running = reach.with(Dialog::running)?;
        // The same in every run, as a prediction has to be.
        let diff = diff.replace(self.session(), "bothends");
        let diff = SessionDiff::parse(&diff, &running, &heads(changes, &diff));
        let running = Config::parse(&running);
        Verdict::of(diff, &running, planned_for, || -> Result<bool, Error> {
            let session = Config::parse(&reach.with(Dialog::session_config)?);
            Ok(others(&session, changes) != others(&running, changes))
        })
    }

    /// Throws it away, and looks whether it is gone.
    pub fn discard(&self, reach: &mut Reach) -> Result<(), Error> {
        reach.with(|dialog| dialog.abort(self.session())).map(drop)
    }
}

/// The first lines of the blocks that are ours in a diff. VLANs that are made join the block of others, so where there
/// are some, all of those are.
fn heads(changes: &[Change], diff: &str) -> Vec<String> {
    let interfaces = changes.iter().filter_map(Change::interface).map(|name| format!("interface {name}"));
    let lines = diff.lines().filter(|_| changes.iter().any(|change| change.vlans().is_some()));
    let vlans =
        lines.filter_map(|line| line.get(1..)).filter(|line| vlans_of(line).is_some()).map(str::to_owned);
    interfaces.chain(vlans).collect()
}

/// What is not ours.
fn others<'a>(config: &'a Config, changes: &[Change]) -> (Vec<&'a Block>, VlanSet) {
    let interfaces: Vec<&Interface> = changes.iter().filter_map(Change::interface).collect();
    let blocks = config
        .without(&interfaces)
        .filter(|block| !(vlans_of(&block.head).is_some() && block.says_nothing()));
    let of_ours = changes.iter().filter_map(Change::vlans).fold(VlanSet::default(), |mut all, vlans| {
        all.extend(vlans.iter());
        all
    });
    (blocks.collect(), config.vlans().without(&of_ours))
}

/// That somebody else is at work all the time.
pub fn moves() -> Fault {
    Fault::new(
        "configuration_moves",
        "preparing the change: somebody else goes on changing the running-config, and a commit would undo that; \
         hint: run again when that has ended, or wait longer",
    )
}

/// That the lines go beyond the task.
pub fn touches_others(others: &[String]) -> Fault {
    let (shown, more) = others.split_at(others.len().min(SHOWN));
    let more = if more.is_empty() { String::new() } else { format!("; and {} more", more.len()) };
    Fault::new(
        "touches_others",
        format!(
            "preparing the change: on the switch it would also change what this task does not look after: {}{more}; \
             hint: take that away or move it first",
            shown.join("; ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "interface Port-Channel7\n   description x\n!\ninterface Port-Channel7.100\n\
        \x20  encapsulation dot1q vlan 100\n!\nend\n";

    fn verdict(diff: &str, planned_for: &str) -> Verdict {
        let diff = SessionDiff::parse(diff, RUNNING, &["interface Port-Channel7".to_owned()]);
        let spreads = || Ok::<bool, Error>(true);
        Verdict::of(diff, &Config::parse(RUNNING), &Config::parse(planned_for), spreads).unwrap()
    }

    #[test]
    fn lines_that_take_something_of_others_along_are_told_from_somebody_else_at_work() {
        let ours = "@@ -1,2 +0,0 @@\n-interface Port-Channel7\n-   description x\n";
        let more = "@@ -1,5 +0,0 @@\n-interface Port-Channel7\n-   description x\n-!\n-interface Port-Channel7.100\n\
            -   encapsulation dot1q vlan 100\n";
        assert!(matches!(verdict("\n", RUNNING), Verdict::Same));
        assert!(matches!(verdict(ours, RUNNING), Verdict::Differs(_)));
        assert!(matches!(verdict(ours, "hostname core\n"), Verdict::Moved));
        assert!(matches!(verdict(more, "hostname core\n"), Verdict::Moved));
        let Verdict::Spreads(others) = verdict(more, RUNNING) else { panic!() };
        assert_eq!(
            others,
            ["- interface Port-Channel7.100", "- interface Port-Channel7.100: encapsulation dot1q vlan 100"]
        );
    }
}

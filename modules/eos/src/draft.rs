//! A configuration session of ours: the lines typed into it, and what the switch says that they would change. Nothing
//! in here makes anything live.

use ansible_module::fault::Fault;
use serde_json::{Value, json};

use crate::claim::Claim;
use crate::config::Config;
use crate::dialog::{Dialog, Error};
use crate::names::Interface;
use crate::reach::Reach;
use crate::session_diff::SessionDiff;

/// A session. Its file is locked as long as this lives, so that nobody takes it for stale.
#[derive(Debug)]
pub struct Draft {
    claim: Claim,
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
}

impl Draft {
    /// A session that is not on the switch yet.
    pub fn new(claim: Claim) -> Self {
        Self { claim }
    }

    /// Its name.
    pub fn session(&self) -> &str {
        self.claim.name()
    }

    /// Opens it on the switch.
    pub fn open(&self, reach: &mut Reach) -> Result<(), Error> {
        reach.with(|dialog| dialog.enter(self.session()))
    }

    /// Types the lines, one after the other, each only where the prompt proves that we are in the session. What the
    /// switch warned of, too.
    pub fn fill(
        &self,
        reach: &mut Reach,
        lines: &[String],
        ours: &[&Interface],
        planned_for: &Config,
        stop: &dyn Fn() -> Result<(), Fault>,
    ) -> Result<(Verdict, Vec<String>), Fault> {
        let mut warnings = Vec::new();
        for line in lines {
            stop()?;
            let said = reach.with(|dialog| dialog.configure(self.session(), line))?;
            warnings.extend(said.iter().map(|text| format!("`{line}`: {}", text.trim_start_matches("! "))));
        }
        let diff = reach.with(Dialog::session_diff)?;
        let running = reach.with(Dialog::running)?;
        // The same in every run, as a prediction has to be.
        let diff = diff.replace(self.session(), "bothends");
        let ours: Vec<String> = ours.iter().map(|name| format!("interface {name}")).collect();
        let Some(diff) = SessionDiff::parse(&diff, &running, &ours) else {
            return Ok((Verdict::Same, warnings));
        };
        // A commit makes the whole session live, and with it the running-config that the session began with.
        if Config::parse(&running) != *planned_for || !diff.changes_of_others().is_empty() {
            return Ok((Verdict::Moved, warnings));
        }
        Ok((Verdict::Differs(json!([{"prepared": diff.to_string()}])), warnings))
    }

    /// Throws it away, and looks whether it is gone.
    pub fn discard(&self, reach: &mut Reach) -> Result<(), Fault> {
        let session = self.session();
        let is_there = |reach: &mut Reach| -> Result<bool, Error> {
            Ok(reach.with(Dialog::sessions)?.pending.iter().any(|name| name == session))
        };
        let mut gone = || -> Result<bool, Error> {
            if is_there(reach)? {
                reach.with(|dialog| dialog.abort(session))?;
            }
            Ok(!is_there(reach)?)
        };
        let failed = |fact: String| {
            Fault::new("session_left", format!("aborting the configuration session {session}: {fact}"))
        };
        match gone() {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed("it is still pending".to_owned())),
            Err(error) => Err(failed(Fault::from(error).message)),
        }
    }
}

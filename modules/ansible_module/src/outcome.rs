//! How a run ended, and the JSON object that says so. Printing it is `run.rs`'s.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::fault::{Fault, Step};

/// Version of the shape of the result.
const SCHEMA: u32 = 1;

/// What became of the device when a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was touched.
    Unchanged,
    /// The change was undone, and the state before it was read back.
    RolledBack,
    /// The device will undo the change by itself; that was not seen yet.
    PendingRevert {
        /// When it does, RFC 3339.
        reverts_at: String,
    },
    /// Somebody has to look: going back failed too, or somebody else changed the same thing meanwhile, or what was
    /// done is final and not all that was asked.
    NeedsAttention {
        /// Why going back failed; none where it was not tried, because the change is final.
        rollback: Option<Fault>,
    },
}

/// What was read and worked out, in the result of a success and, as far as it came, of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The state found.
    pub before: Value,
    /// The state declared.
    pub after: Value,
    /// What leads from one to the other, a sentence each, in order.
    pub changes: Vec<String>,
    /// What was done for it: files written, database operations, commands.
    pub commands: Vec<String>,
    /// What else the change sets in motion, a sentence each.
    pub also_affected: Vec<String>,
    /// Ansible's `diff`.
    pub diff: Value,
}

/// A change that is live and waits to be confirmed: the device undoes it by itself unless it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provisional {
    /// When it is undone, RFC 3339.
    pub reverts_at: String,
    /// How many seconds are left until then.
    pub seconds_left: u64,
}

/// A run that did what was asked, or predicted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether anything was, or in check mode would be, changed.
    pub changed: bool,
    /// What was read and worked out.
    pub seen: Seen,
    /// What a module that only reads has to tell instead, by the names of the result.
    pub facts: Option<Map<String, Value>>,
    /// Whether the change waits to be confirmed.
    pub provisional: Option<Provisional>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Report {
    /// What a module tells that only reads.
    pub fn facts(facts: Map<String, Value>, warnings: Vec<String>) -> Self {
        Self { changed: false, seen: Seen::default(), facts: Some(facts), provisional: None, warnings }
    }
}

/// A run that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub fault: Fault,
    /// Where.
    pub step: Step,
    /// What became of the device.
    pub outcome: Outcome,
    /// What was read and worked out before.
    pub seen: Option<Seen>,
    /// What a module that only reads has to tell all the same.
    pub facts: Option<Map<String, Value>>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Failure {
    /// A failure before anything was touched.
    pub fn untouched(step: Step, fault: Fault) -> Box<Self> {
        let (seen, facts) = (None, None);
        Box::new(Self { fault, step, outcome: Outcome::Unchanged, seen, facts, warnings: Vec::new() })
    }

    /// A module that only reads found something, but not what was asked for.
    pub fn with_facts(
        step: Step,
        fault: Fault,
        facts: Map<String, Value>,
        warnings: Vec<String>,
    ) -> Box<Self> {
        Box::new(Self { facts: Some(facts), warnings, ..*Self::untouched(step, fault) })
    }
}

/// How a run ended. A failure is boxed: it carries much, and is rare.
pub type Ended = Result<Report, Box<Failure>>;

/// The result object, `diff` and `invocation` aside from what `ended` holds: they depend on the request.
pub fn to_json(
    ended: &Ended,
    diff_mode: bool,
    invocation: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("schema".to_owned(), json!(SCHEMA));
    let (seen, warnings) = match ended {
        Ok(report) => {
            result.insert("changed".to_owned(), json!(report.changed));
            result.extend(report.facts.clone().unwrap_or_default());
            if let Some(provisional) = &report.provisional {
                result.insert("provisional".to_owned(), json!(provisional));
            }
            (Some(&report.seen).filter(|_| report.facts.is_none()), &report.warnings)
        }
        Err(failure) => {
            result.extend(failure.facts.clone().unwrap_or_default());
            insert_failure(&mut result, failure);
            (failure.seen.as_ref(), &failure.warnings)
        }
    };
    if let Some(seen) = seen {
        result.insert("before".to_owned(), seen.before.clone());
        result.insert("after".to_owned(), seen.after.clone());
        result.insert("changes".to_owned(), json!(seen.changes));
        result.insert("commands".to_owned(), json!(seen.commands));
        if !seen.also_affected.is_empty() {
            result.insert("also_affected".to_owned(), json!(seen.also_affected));
        }
        if diff_mode {
            result.insert("diff".to_owned(), seen.diff.clone());
        }
    }
    result.insert("warnings".to_owned(), json!(warnings));
    if let Some(arguments) = invocation {
        result.insert("invocation".to_owned(), json!({"module_args": arguments}));
    }
    result
}

fn insert_failure(result: &mut Map<String, Value>, failure: &Failure) {
    let Failure { fault, step, outcome, seen: _, facts: _, warnings: _ } = failure;
    let (name, fate) = match outcome {
        Outcome::Unchanged => ("unchanged", "nothing was changed".to_owned()),
        Outcome::RolledBack => {
            ("rolled_back", "the change was undone, and the state before it was read back".to_owned())
        }
        Outcome::PendingRevert { reverts_at } => {
            ("pending_revert", format!("the device undoes the change by itself at {reverts_at}"))
        }
        Outcome::NeedsAttention { rollback: Some(rollback) } => {
            ("needs_attention", format!("going back failed too: {rollback}"))
        }
        Outcome::NeedsAttention { rollback: None } => {
            ("needs_attention", "the change itself is live and final, and stays".to_owned())
        }
    };
    result.insert("failed".to_owned(), json!(true));
    result.insert(
        "changed".to_owned(),
        json!(matches!(outcome, Outcome::PendingRevert { .. } | Outcome::NeedsAttention { .. })),
    );
    result.insert("msg".to_owned(), json!(format!("{fault} ({fate})")));
    result.insert("outcome".to_owned(), json!(name));
    let step = step.to_string();
    let error = match outcome {
        Outcome::NeedsAttention { rollback: Some(Fault { code, message }) } => {
            json!({"code": fault.code, "step": step, "rollback": {"code": code, "msg": message}})
        }
        _ => json!({"code": fault.code, "step": step}),
    };
    if let Outcome::PendingRevert { reverts_at } = outcome {
        result.insert("reverts_at".to_owned(), json!(reverts_at));
    }
    result.insert("error".to_owned(), error);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_became_of_the_device() {
        let failure = Failure {
            fault: Fault::new("reload_failed", "`ifreload -a` exited with status 1"),
            step: Step::Apply,
            outcome: Outcome::NeedsAttention { rollback: Some(Fault::new("not_settled", "still wrong")) },
            seen: None,
            facts: None,
            warnings: vec![],
        };
        assert_eq!(
            Value::Object(to_json(&Err(Box::new(failure)), true, None)),
            json!({
                "schema": 1, "failed": true, "changed": true, "outcome": "needs_attention", "warnings": [],
                "msg": "`ifreload -a` exited with status 1 (going back failed too: still wrong)",
                "error": {"code": "reload_failed", "step": "apply", "rollback": {"code": "not_settled", "msg": "still wrong"}},
            })
        );
    }

    #[test]
    fn a_module_that_only_reads_tells_facts_and_no_change() {
        let facts = Map::from_iter([("bonds".to_owned(), json!({}))]);
        assert_eq!(
            Value::Object(to_json(&Ok(Report::facts(facts, vec![])), true, None)),
            json!({"schema": 1, "changed": false, "bonds": {}, "warnings": []})
        );
    }

    #[test]
    fn a_failure_keeps_what_was_found_and_says_itself_that_it_failed() {
        let facts = Map::from_iter([("bonds".to_owned(), json!({})), ("failed".to_owned(), json!(false))]);
        let fault = Fault::new("lacp_not_negotiated", "waiting for LACP");
        let result = to_json(&Err(Failure::with_facts(Step::Condition, fault, facts, vec![])), false, None);
        assert_eq!((&result["bonds"], &result["failed"]), (&json!({}), &json!(true)));
        assert_eq!(result.get("before"), None);
    }

    #[test]
    fn diff_and_invocation_are_given_only_where_wanted() {
        let report = Report {
            changed: false,
            seen: Seen::default(),
            facts: None,
            provisional: None,
            warnings: vec![],
        };
        let arguments = Map::from_iter([("name".to_owned(), json!("bond0"))]);
        let plain = to_json(&Ok(report.clone()), false, None);
        assert_eq!((plain.get("diff"), plain.get("invocation")), (None, None));
        let full = to_json(&Ok(report), true, Some(&arguments));
        assert_eq!(full["invocation"], json!({"module_args": {"name": "bond0"}}));
        assert!(full.get("diff").is_some());
    }
}

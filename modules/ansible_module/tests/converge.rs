//! Every branch of the flow, on a device that can refuse, ignore, be late, die half-way, and fail to go back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ansible_module::context::{Clock, Context, Log};
use ansible_module::converge::{Device, Prepared, State, Target, converge, recover};
use ansible_module::diff::Described;
use ansible_module::fault::{Fault, Step};
use ansible_module::outcome::{Ended, Failure, Outcome, Report};
use serde::Serialize;
use serde_json::{Value, json};

/// Settings by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Settings(BTreeMap<String, i64>);

impl State for Settings {
    fn describe(&self) -> Vec<Described> {
        self.0
            .iter()
            .map(|(name, value)| Described { name: name.clone(), text: format!("{value}\n") })
            .collect()
    }
}

struct Set {
    name: String,
    value: i64,
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "set {} to {}", self.name, self.value)
    }
}

/// How the device behaves. Each field counts or names what goes wrong; the default is a device that obeys.
#[derive(Debug, Default, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
struct Temper {
    refuses: Option<&'static str>,
    ignores: Option<&'static str>,
    leaves_undone: Option<&'static str>,
    late_by_reads: u32,
    panics_at: Option<&'static str>,
    interrupted_at: Option<&'static str>,
    condition_fails: bool,
    commit_fails: bool,
    checkpoint_fails: bool,
    rollback_refuses: bool,
    rollback_ignores: bool,
    rollback_panics: bool,
    unreadable_reads: u32,
    lock_fails: bool,
    stops_untouched: bool,
    /// Somebody else sets `tag` to this while the change is prepared, each time the next of them.
    moves: Vec<i64>,
    sees_no_difference: bool,
    provisional: bool,
    reverts_by_itself: bool,
    persist_fails: bool,
}

struct Fake {
    settings: BTreeMap<String, i64>,
    temper: Temper,
    checkpoint: Option<Settings>,
    late: Vec<(u32, String, i64)>,
    interrupted: Arc<AtomicBool>,
    touched: Vec<String>,
    applied: bool,
    /// A checkpoint of an earlier run is there; what that run did is not known.
    unknown_past: bool,
}

impl Fake {
    fn put(&mut self, name: &str, value: i64) {
        self.touched.push(format!("{name}={value}"));
        self.settings.insert(name.to_owned(), value);
    }

    fn prepare(&mut self) -> Prepared {
        if let Some(tag) = self.temper.moves.pop() {
            self.settings.insert("tag".to_owned(), tag);
            return Prepared::Moved;
        }
        if self.temper.sees_no_difference { Prepared::Same } else { Prepared::Ready }
    }
}

impl Device for Fake {
    type Picture = BTreeMap<String, i64>;
    type State = Settings;
    type Change = Set;

    fn lock(&mut self) -> Result<(), Fault> {
        if self.temper.lock_fails { Err(Fault::new("locked", "held")) } else { Ok(()) }
    }

    fn resume(&mut self) -> Result<Option<Settings>, Fault> {
        Ok(self.checkpoint.clone())
    }

    fn read(&mut self) -> Result<Self::Picture, Fault> {
        if self.applied && self.temper.unreadable_reads > 0 {
            self.temper.unreadable_reads -= 1;
            return Err(Fault::new("unreadable", "the daemon is away"));
        }
        for (reads, name, value) in std::mem::take(&mut self.late) {
            if reads == 0 {
                self.settings.insert(name, value);
            } else {
                self.late.push((reads - 1, name, value));
            }
        }
        Ok(self.settings.clone())
    }

    fn restrict(&self, picture: &Self::Picture, like: &Settings) -> Settings {
        Settings(like.0.keys().map(|name| (name.clone(), picture.get(name).copied().unwrap_or(0))).collect())
    }

    fn changes(&self, found: &Settings, wanted: &Settings) -> Vec<Set> {
        let differs = wanted.0.iter().filter(|(name, value)| found.0.get(*name) != Some(value));
        differs.map(|(name, value)| Set { name: name.clone(), value: *value }).collect()
    }

    fn checkpoint(&mut self, _: &Self::Picture, before: &Settings, _: &Settings) -> Result<Prepared, Fault> {
        if self.temper.checkpoint_fails {
            return Err(Fault::new("checkpoint_failed", "disk full"));
        }
        let prepared = self.prepare();
        if prepared == Prepared::Ready {
            self.checkpoint = Some(before.clone());
        }
        Ok(prepared)
    }

    fn rehearse(&mut self, _: &Self::Picture, _: &[Set]) -> Result<Prepared, Fault> {
        Ok(self.prepare())
    }

    fn diff(&self) -> Option<Value> {
        self.temper.reverts_by_itself.then(|| json!("as the device sees it"))
    }

    fn is_provisional(&self, _: &Self::State) -> bool {
        self.temper.provisional
    }

    fn reverts_at(&self) -> Option<String> {
        self.temper.reverts_by_itself.then(|| "2026-01-02T03:04:05Z".to_owned())
    }

    fn persist(&mut self, _: &Settings) -> Result<(), Fault> {
        if self.temper.persist_fails { Err(Fault::new("not_saved", "disk full")) } else { Ok(()) }
    }

    fn apply(&mut self, changes: &[Set]) -> Result<(), Fault> {
        if self.temper.stops_untouched {
            return Err(Fault::new("file_changed", "somebody else was there first"));
        }
        self.applied = true;
        for Set { name, value } in changes {
            let is = |temper: Option<&str>| temper == Some(name.as_str());
            assert!(!is(self.temper.panics_at), "a bug at {name}");
            if is(self.temper.interrupted_at) {
                self.interrupted.store(true, Ordering::Relaxed);
            }
            if is(self.temper.refuses) {
                return Err(Fault::new("refused", format!("{name} refused")));
            }
            if is(self.temper.ignores) || is(self.temper.leaves_undone) {
                continue;
            }
            if self.temper.late_by_reads > 0 {
                self.late.push((self.temper.late_by_reads, name.clone(), *value));
            } else {
                self.put(name, *value);
            }
        }
        Ok(())
    }

    fn mend(&mut self, left: &[Set]) -> Result<bool, Fault> {
        let Some(name) = self.temper.leaves_undone else { return Ok(false) };
        let undone = left.iter().find(|set| set.name == name);
        if let Some(set) = undone {
            self.put(name, set.value);
        }
        Ok(undone.is_some())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn condition(&mut self, _: &Settings) -> Result<(), Fault> {
        if self.temper.condition_fails {
            Err(Fault::new("lacp_not_negotiated", "no partner"))
        } else {
            Ok(())
        }
    }

    fn commit(&mut self) -> Result<(), Fault> {
        if self.temper.commit_fails {
            return Err(Fault::new("commit_failed", "disk full"));
        }
        self.temper.provisional = false;
        self.checkpoint = None;
        Ok(())
    }

    fn is_touched(&self) -> bool {
        !self.touched.is_empty() || self.applied || self.unknown_past
    }

    fn rollback(&mut self, before: &Settings) -> Result<(), Fault> {
        assert!(!self.temper.rollback_panics, "a bug on the way back");
        if self.temper.rollback_refuses {
            return Err(Fault::new("rollback_refused", "no way back"));
        }
        if !self.temper.rollback_ignores {
            self.late.clear();
            for (name, value) in &before.0 {
                self.put(name, *value);
            }
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), Fault> {
        self.checkpoint = None;
        Ok(())
    }

    fn commands(&self) -> Vec<String> {
        self.touched.clone()
    }

    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A clock that moves only when somebody sleeps.
struct Jump(Rc<Cell<Duration>>);

impl Clock for Jump {
    fn now(&self) -> Duration {
        self.0.get()
    }

    fn sleep(&self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

fn fake(temper: Temper) -> Fake {
    Fake {
        settings: [("tag".to_owned(), 10), ("mtu".to_owned(), 1500), ("foreign".to_owned(), 7)].into(),
        temper,
        checkpoint: None,
        late: vec![],
        interrupted: Arc::default(),
        touched: vec![],
        applied: false,
        unknown_past: false,
    }
}

fn run(device: &mut Fake, wanted: &[(&str, i64)], check_mode: bool) -> Ended {
    let context = Context {
        check_mode,
        clock: Box::new(Jump(Rc::default())),
        interrupted: Arc::clone(&device.interrupted),
        log: Log::default(),
    };
    let after = Settings(wanted.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect());
    converge(device, |_| Ok(Target { after: after.clone(), warnings: vec![] }), &context)
}

const WANTED: [(&str, i64); 2] = [("mtu", 9000), ("tag", 20)];

fn failure(ended: Ended) -> Failure {
    *ended.unwrap_err()
}

fn before() -> BTreeMap<String, i64> {
    fake(Temper::default()).settings
}

#[test]
fn the_first_run_changes_and_the_second_is_idle() {
    let mut device = fake(Temper::default());
    let Report { changed, seen, .. } = run(&mut device, &WANTED, false).unwrap();
    assert!(changed);
    assert_eq!(seen.changes, ["set mtu to 9000", "set tag to 20"]);
    assert_eq!(seen.commands, ["mtu=9000", "tag=20"]);
    assert_eq!((device.settings["mtu"], device.settings["tag"], device.settings["foreign"]), (9000, 20, 7));
    assert!(device.checkpoint.is_none());
    let again = run(&mut device, &WANTED, false).unwrap();
    assert!(!again.changed && again.seen.changes.is_empty());
    assert_eq!(again.seen.before, again.seen.after);
}

#[test]
fn check_mode_predicts_the_run_and_touches_nothing() {
    // A check takes no lock: it succeeds where the lock can't be had.
    let mut device = fake(Temper { lock_fails: true, ..Temper::default() });
    let predicted = run(&mut device, &WANTED, true).unwrap();
    assert_eq!((&device.settings, device.touched.len()), (&before(), 0));
    device.temper.lock_fails = false;
    let mut done = run(&mut device, &WANTED, false).unwrap();
    done.seen.commands.clear();
    assert_eq!(predicted, done);
}

#[test]
fn what_fails_half_way_is_undone_and_read_back() {
    for (temper, code, step) in [
        (Temper { refuses: Some("tag"), ..Temper::default() }, "refused", Step::Apply),
        (Temper { ignores: Some("tag"), ..Temper::default() }, "not_settled", Step::Settle),
        (Temper { late_by_reads: 1000, ..Temper::default() }, "not_settled", Step::Settle),
        (Temper { panics_at: Some("tag"), ..Temper::default() }, "internal", Step::Apply),
        (Temper { interrupted_at: Some("mtu"), ..Temper::default() }, "interrupted", Step::Apply),
        (Temper { condition_fails: true, ..Temper::default() }, "lacp_not_negotiated", Step::Condition),
        (Temper { commit_fails: true, ..Temper::default() }, "commit_failed", Step::Commit),
    ] {
        let mut device = fake(temper.clone());
        let failure = failure(run(&mut device, &WANTED, false));
        assert_eq!((failure.fault.code, failure.step), (code, step), "{temper:?}");
        assert_eq!(failure.outcome, Outcome::RolledBack, "{temper:?}");
        assert_eq!(device.settings, before(), "{temper:?}");
        assert!(device.checkpoint.is_none(), "{temper:?}");
        assert_eq!(failure.seen.unwrap().changes.len(), 2);
    }
}

#[test]
fn what_fails_before_the_first_touch_leaves_it_unchanged() {
    for (temper, code, step) in [
        (Temper { lock_fails: true, ..Temper::default() }, "locked", Step::Lock),
        (Temper { checkpoint_fails: true, ..Temper::default() }, "checkpoint_failed", Step::Checkpoint),
        (Temper { stops_untouched: true, ..Temper::default() }, "file_changed", Step::Apply),
    ] {
        let mut device = fake(temper);
        let failure = failure(run(&mut device, &WANTED, false));
        assert_eq!((failure.fault.code, failure.step, failure.outcome), (code, step, Outcome::Unchanged));
        assert!(device.touched.is_empty() && device.checkpoint.is_none());
    }
    let mut device = fake(Temper::default());
    device.interrupted.store(true, Ordering::Relaxed);
    let failure = failure(run(&mut device, &WANTED, false));
    assert_eq!((failure.fault.code, failure.outcome), ("interrupted", Outcome::Unchanged));
    assert!(device.touched.is_empty() && device.checkpoint.is_none());
}

#[test]
fn a_condition_that_fails_with_nothing_to_do_changes_nothing() {
    let mut device = fake(Temper { condition_fails: true, ..Temper::default() });
    let failure = failure(run(&mut device, &[("tag", 10)], false));
    assert_eq!((failure.step, failure.outcome), (Step::Condition, Outcome::Unchanged));
    assert!(device.touched.is_empty());
    assert!(!run(&mut device, &[("tag", 10)], true).unwrap().changed);
}

#[test]
fn a_late_device_and_one_that_is_away_for_a_moment_settle() {
    for temper in [
        Temper { late_by_reads: 5, ..Temper::default() },
        Temper { unreadable_reads: 5, ..Temper::default() },
    ] {
        let mut device = fake(temper);
        assert!(run(&mut device, &WANTED, false).unwrap().changed);
        assert_eq!(device.settings["tag"], 20);
    }
}

#[test]
fn what_the_device_is_known_to_leave_undone_is_mended() {
    let mut device = fake(Temper { leaves_undone: Some("mtu"), ..Temper::default() });
    assert!(run(&mut device, &WANTED, false).unwrap().changed);
    assert_eq!(device.settings["mtu"], 9000);
}

#[test]
fn a_way_back_that_fails_needs_attention_and_keeps_the_checkpoint() {
    for (temper, code) in [
        (Temper { rollback_refuses: true, ..Temper::default() }, "rollback_refused"),
        (Temper { rollback_ignores: true, ..Temper::default() }, "not_settled"),
        (Temper { rollback_panics: true, ..Temper::default() }, "internal"),
    ] {
        let mut device = fake(Temper { refuses: Some("tag"), ..temper });
        let failure = failure(run(&mut device, &WANTED, false));
        assert_eq!(failure.fault.code, "refused");
        let Outcome::NeedsAttention { rollback } = failure.outcome else { panic!("{:?}", failure.outcome) };
        assert_eq!(rollback.unwrap().code, code);
        assert!(device.checkpoint.is_some());
    }
}

#[test]
fn going_back_that_was_refused_but_was_not_needed_counts_as_rolled_back() {
    let mut device = fake(Temper { refuses: Some("mtu"), rollback_refuses: true, ..Temper::default() });
    assert_eq!(failure(run(&mut device, &WANTED, false)).outcome, Outcome::RolledBack);
}

#[test]
fn the_next_run_after_a_killed_one_goes_back_first_and_says_so() {
    let mut device = fake(Temper::default());
    device.checkpoint = Some(Settings([("tag".to_owned(), 10)].into()));
    device.unknown_past = true;
    device.settings.insert("tag".to_owned(), 99);
    let failure = failure(run(&mut device, &WANTED, false));
    assert_eq!((failure.fault.code, failure.step), ("interrupted_run", Step::Recover));
    assert_eq!(failure.outcome, Outcome::RolledBack);
    assert_eq!(device.settings, before());
    assert!(run(&mut device, &WANTED, false).unwrap().changed);
}

#[test]
fn the_next_run_after_one_killed_before_its_first_touch_goes_on() {
    let mut device = fake(Temper::default());
    device.checkpoint = Some(Settings([("tag".to_owned(), 10)].into()));
    assert!(run(&mut device, &WANTED, false).unwrap().changed);
    assert!(device.checkpoint.is_none());
}

#[test]
fn another_process_can_go_back() {
    let mut device = fake(Temper::default());
    let context = Context {
        check_mode: false,
        clock: Box::new(Jump(Rc::default())),
        interrupted: Arc::default(),
        log: Log::default(),
    };
    let nothing = recover(&mut device, &context).unwrap_err();
    assert_eq!(nothing.fault.code, "no_checkpoint");
    device.checkpoint = Some(Settings([("tag".to_owned(), 10)].into()));
    device.unknown_past = true;
    device.settings.insert("tag".to_owned(), 99);
    assert!(recover(&mut device, &context).unwrap().changed);
    assert_eq!(device.settings, before());
    assert!(device.checkpoint.is_none());
}

#[test]
fn what_moved_while_the_change_was_prepared_is_planned_anew() {
    for check_mode in [true, false] {
        let mut device = fake(Temper { moves: vec![20, 15], ..Temper::default() });
        let Report { changed, seen, .. } = run(&mut device, &WANTED, check_mode).unwrap();
        assert_eq!((changed, seen.changes), (true, vec!["set mtu to 9000".to_owned()]));
        assert_eq!(seen.before["tag"], 20);
    }
}

#[test]
fn a_device_that_sees_no_difference_knows_better_than_our_model() {
    for check_mode in [true, false] {
        let mut device = fake(Temper { sees_no_difference: true, ..Temper::default() });
        let Report { changed, seen, warnings, .. } = run(&mut device, &WANTED, check_mode).unwrap();
        assert!(!changed && seen.changes.is_empty() && seen.before == seen.after);
        assert!(warnings[0].contains("set mtu to 9000; set tag to 20"), "{warnings:?}");
        assert_eq!(device.settings, before());
    }
}

#[test]
fn an_interrupted_change_that_is_the_declared_one_is_made_final() {
    let provisional = Temper { provisional: true, reverts_by_itself: true, ..Temper::default() };
    let mut device = fake(provisional.clone());
    assert!(run(&mut device, &[("tag", 10)], true).unwrap().changed);
    assert!(device.temper.provisional);
    assert!(run(&mut device, &[("tag", 10)], false).unwrap().changed);
    assert!(!run(&mut device, &[("tag", 10)], false).unwrap().changed);

    let mut device = fake(Temper { commit_fails: true, ..provisional });
    let failure = failure(run(&mut device, &[("tag", 10)], false));
    assert_eq!(failure.step, Step::Commit);
    assert_eq!(failure.outcome, Outcome::PendingRevert { reverts_at: "2026-01-02T03:04:05Z".to_owned() });
}

#[test]
fn where_the_way_back_is_not_seen_the_device_goes_it_by_itself() {
    let mut device = fake(Temper {
        refuses: Some("tag"),
        rollback_ignores: true,
        reverts_by_itself: true,
        ..Temper::default()
    });
    let failure = failure(run(&mut device, &WANTED, false));
    assert_eq!(failure.fault.code, "refused");
    assert_eq!(failure.outcome, Outcome::PendingRevert { reverts_at: "2026-01-02T03:04:05Z".to_owned() });
    assert_eq!(failure.seen.unwrap().diff, "as the device sees it");
}

#[test]
fn what_could_not_be_kept_over_a_restart_stays_and_is_told() {
    let mut device = fake(Temper { persist_fails: true, ..Temper::default() });
    let failure = failure(run(&mut device, &WANTED, false));
    assert_eq!((failure.fault.code, failure.step), ("not_saved", Step::Persist));
    assert_eq!(failure.outcome, Outcome::NeedsAttention { rollback: None });
    assert_eq!(device.settings["tag"], 20);
}

//! Every branch of the flow, on a device that can refuse, ignore, be late, die half-way, and fail to go back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod fake;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ansible_module::context::{Context, Log};
use ansible_module::converge::recover;
use ansible_module::fault::Step;
use ansible_module::outcome::{Ended, Failure, Outcome, Report};
use stopped_clock::StoppedClock;

use crate::fake::{Settings, Temper, fake, run};

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
        clock: Box::new(StoppedClock(Rc::default())),
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

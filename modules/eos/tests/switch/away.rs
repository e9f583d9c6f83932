//! After the commit the switch takes no connection, or lets nobody in: it goes back by itself, and the answer says
//! whether that was seen.

use crate::cut::task;
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::Sim;

#[test]
fn two_connections_that_are_refused_do_not_keep_it_from_being_confirmed() {
    let sim = Sim::start();
    sim.control("refuse-connections connection=2 2");
    let answer = sim.run(&task(60, 30));
    assert_eq!(sim.control("connections"), "4\n");
    assert!(answer.changed());
    Ends::of(&scenario()).judge(&sim, &answer, &answer.told());
}

#[test]
fn a_switch_that_comes_back_when_the_time_is_over_is_seen_to_be_as_before() {
    let sim = Sim::start();
    sim.control("refuse-connections connection=2");
    let running = sim.begin(&task(10, 30));
    sim.wait_for_the_end_of_a_timer();
    sim.control("clear");
    let answer = running.finish();
    assert_eq!(answer.failure(), ("handshake_failed", "rolled_back"), "{}", answer.told());
    Ends::of(&scenario()).judge(&sim, &answer, &answer.told());
}

#[test]
fn a_switch_that_stays_away_goes_back_by_itself_unless_it_may_have_heard_the_confirmation() {
    let ends = Ends::of(&scenario());
    let cases = vec![
        (vec!["refuse-connections connection=2"], ("handshake_failed", "pending_revert"), false),
        (vec!["refuse-login connection=2"], ("authentication_failed", "pending_revert"), false),
        // The fourth line of the second connection confirms.
        (
            vec!["drop-before connection=2 4", "refuse-connections connection=3"],
            ("confirm_unanswered", "needs_attention"),
            false,
        ),
        (
            vec!["drop-after connection=2 4", "refuse-connections connection=3"],
            ("confirm_unanswered", "needs_attention"),
            true,
        ),
    ];
    each(cases, |(rules, expected, is_live)| {
        let sim = Sim::start();
        for rule in &rules {
            sim.control(rule);
        }
        let answer = sim.run(&task(10, 2));
        let what = format!("{rules:?}: {}", answer.told());
        assert_eq!(answer.failure(), expected, "{what}");
        if expected.0 == "authentication_failed" {
            // Once, and never again: some switches lock a user out for that.
            assert_eq!(sim.control("connections"), "2\n");
        }
        if expected.1 == "pending_revert" {
            return ends.judge(&sim, &answer, &what);
        }
        sim.control("clear");
        // Only now is it known whether the switch has heard it.
        let is_there = !sim.interface("Port-Channel1001").is_empty();
        assert_eq!((sim.timer(), is_there), (None, is_live), "{what}");
        ends.heals(&sim, &what);
    });
}

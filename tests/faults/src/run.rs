//! One cell, from a fresh lab to what it came to.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lab::uplink::OldState;

use crate::cell::{Cell, Expected, Verdict};
use crate::inject;
use crate::judge::Seen;
use crate::phase::Phase;
use crate::play::{Play, WINDOW};
use crate::site::Site;

/// By then the node has to answer.
const LIMIT: Duration = Duration::from_secs(WINDOW + 15);
/// By then everything has to have come to an end by itself: an `ifreload` that hangs is given up after half a minute.
const LAST: Duration = Duration::from_secs(WINDOW + 75);
/// A node that answers for so long is back.
const STEADY: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);

/// How a cell came out.
#[derive(Debug)]
pub enum Outcome {
    /// As it is written.
    AsWritten(Times),
    /// The node is reached, and something is otherwise: what, and what the playbook said.
    Otherwise(String),
    /// The node was not reached in time.
    LockedOut(String),
}

/// How long things took, from the fault on, or from when it was over.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Until the node answered and went on to.
    back: Duration,
    /// Until nothing was left to wait for.
    settled: Duration,
}

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { back, settled } = self;
        write!(
            formatter,
            "answers for good after {:.1} s, settled after {:.1} s",
            back.as_secs_f32(),
            settled.as_secs_f32()
        )
    }
}

/// Runs a cell.
pub fn run(cell: &Cell) -> Result<Outcome> {
    let site = Site::up(cell.old)?;
    inject::prepare(cell.fault, &site)?;
    let before = Seen::look(&site)?;
    ensure!(before.left.is_empty(), "a fresh lab has {:?}", before.left);
    let new = Seen::new_in(&site)?;
    if cell.phase == Phase::DuringReload {
        site.arm_reload(inject::amid_reload(cell.fault))?;
    }
    let mut play = Play::start(&site, Some(cell.phase))?;
    play.wait_until_held(cell.phase)?;
    let since = inject::inject(cell, &site, &mut play)?;

    let (back, settled) = match settle(&site, &mut play, since, &cell.expected) {
        Ok(times) => times,
        Err(silence) => return Ok(Outcome::LockedOut(told(&silence, &play.told()))),
    };
    if let Err(between) = Seen::look(&site)?.whole(&before, &new) {
        let when = format!("{:.0} s after the fault, {between:#}", since.elapsed().as_secs_f32());
        return Ok(Outcome::Otherwise(told(&when, &play.told())));
    }
    let judged = judge(&cell.expected, &site, &mut play, &before, &new);
    let log = play.told();
    drop(play);
    if let Err(otherwise) = judged {
        return Ok(Outcome::Otherwise(told(&format!("{otherwise:#}"), &log)));
    }
    inject::repair(cell.fault, &site)?;
    if let Err(refused) = site.ensure_login() {
        return Ok(Outcome::LockedOut(told(&format!("{refused:#}"), &log)));
    }
    if cell.expected != Expected::MIGRATED {
        let mut again = Play::start(&site, None)?;
        again.wait()?;
        if let Err(otherwise) = judge(&Expected::MIGRATED, &site, &mut again, &before, &new) {
            return Ok(Outcome::Otherwise(told(&format!("the next run: {otherwise:#}"), &again.told())));
        }
    }
    Ok(Outcome::AsWritten(Times { back: back - since, settled: settled - since }))
}

/// A migration that nothing disturbs, from a state: what it leaves is what `new` means.
pub fn undisturbed(old: OldState) -> Result<()> {
    let site = Site::up(old)?;
    let mut play = Play::start(&site, None)?;
    let verdict = play.wait()?;
    ensure!(verdict == Verdict::Done, "the migration failed:\n{}", play.told());
    site.ensure_login()?;
    site.ensure_guest_answers()?;
    Seen::look(&site)?.ensure_is_as_written(&site).with_context(|| play.told())
}

/// Waits until nothing is left to wait for, or time is up. Since when the node answers and when that was; or its silence.
fn settle(
    site: &Site,
    play: &mut Play<'_>,
    since: Instant,
    expected: &Expected,
) -> Result<(Instant, Instant), String> {
    loop {
        thread::sleep(PAUSE);
        let answers = site.answered_since(since);
        let now = Instant::now();
        // Who was there by then, and fell silent afterwards, did not answer for good.
        if now >= since + LIMIT && answers.is_none_or(|back| back > since + LIMIT) {
            let seconds = (now - since).as_secs();
            return Err(format!(
                "the node did not answer for good from {LIMIT:?} after the fault on, seen {seconds} s after it"
            ));
        }
        let is_steady = answers.is_some_and(|back| now - back >= STEADY);
        // What cannot be read now, as Open vSwitch is down, is not at its end.
        let mut is_settled = || {
            is_steady
                && play.verdict().is_ok_and(|verdict| verdict.is_some())
                && Seen::look(site)
                    .and_then(|seen| seen.may_be_left())
                    .is_ok_and(|left| left == expected.left)
        };
        if let Some(back) = answers
            && (now >= since + LAST || is_settled())
        {
            return Ok((back, now));
        }
    }
}

/// Holds both ends, what is left, and what Ansible said to what is written.
fn judge(expected: &Expected, site: &Site, play: &mut Play<'_>, before: &Seen, new: &Seen) -> Result<()> {
    let verdict = play.wait()?;
    let seen = Seen::look(site)?;
    let (node, switch) = seen.whole(before, new)?;
    let found = Expected { node, switch, verdict, left: seen.may_be_left()? };
    ensure!(found == *expected, "expected `{expected}`, found `{found}`");
    site.ensure_guest_answers()
}

fn told(what: &str, log: &str) -> String {
    format!("{what}\nwhat the playbook said:\n{log}")
}

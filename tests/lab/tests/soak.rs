//! The small form of `make soak`.

use anyhow::Result;
use lab::soak::{Reload, Soak};

#[test]
fn runs_killed_at_random_moments_leave_nothing_in_between() -> Result<()> {
    // Each seed is a fixed series of moments.
    let tally = Soak::up(Reload::Instrumented, 7)?.kill(24)?;
    assert!(tally.undone_by_guard > 0 && tally.undone_by_next > 0, "{tally:?}");
    Ok(())
}

#[test]
fn runs_killed_with_ifupdown2_at_work_leave_nothing_in_between() -> Result<()> {
    let tally = Soak::up(Reload::Real, 11)?.kill(4)?;
    assert!(tally.undone_by_guard > 0, "{tally:?}");
    Ok(())
}

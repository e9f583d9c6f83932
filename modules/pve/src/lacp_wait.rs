//! Waiting for LACP: whom a bond waits for, how long that is looked at, and what is said where it was in vain. Who
//! looks, and what else is read then, is the caller's.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::fault::Fault;

use crate::ovsdb::Port;
use crate::unixctl::Lacp;

/// How often LACP is looked at.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// The bonds that are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bonds {
    /// All that speak LACP.
    All,
    /// These.
    Named(Vec<String>),
}

impl fmt::Display for Bonds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("every bond"),
            Self::Named(names) => f.write_str(&names.join(", ")),
        }
    }
}

/// The members that wait for a partner, by bond.
pub(crate) type Waiting = BTreeMap<String, Vec<String>>;

/// Whether the bond speaks LACP, so that there is anything to wait for.
pub(crate) fn speaks(bond: &Port) -> bool {
    bond.lacp.as_deref().is_some_and(|lacp| lacp != "off")
}

/// The members of `bond` without a current partner.
pub(crate) fn members(bond: &Port, lacp: &Lacp) -> Vec<String> {
    bond.interfaces.iter().filter(|member| !lacp.is_negotiated(member)).cloned().collect()
}

/// Looks until nobody waits any more, and for `limit` at most. Where looking fails, it is tried again: a daemon that
/// restarts is away for a moment.
pub(crate) fn until_negotiated(
    context: &Context,
    limit: Duration,
    look: &mut dyn FnMut() -> Result<Waiting, Fault>,
) -> Result<(), Fault> {
    let deadline = context.clock.now() + limit;
    loop {
        let fault = match look() {
            Ok(waiting) if waiting.is_empty() => return Ok(()),
            Ok(waiting) => in_vain(limit, &waiting),
            Err(fault) => fault,
        };
        context.stop_if_interrupted().map_err(|stop| stop.context("waiting for LACP"))?;
        if context.clock.now() >= deadline {
            return Err(fault);
        }
        context.clock.sleep(PAUSE);
    }
}

fn in_vain(limit: Duration, waiting: &Waiting) -> Fault {
    let of = |(bond, members): (&String, &Vec<String>)| format!("{} of `{bond}`", members.join(", "));
    Fault::new(
        "lacp_not_negotiated",
        format!(
            "waiting {limit:?} for LACP: not negotiated on {}; \
             hint: is the other end's port up, in the same channel, and LACP active or passive there?",
            waiting.iter().map(of).collect::<Vec<_>>().join("; ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use stopped_clock::context;

    use super::*;

    fn waiting() -> Waiting {
        let bond = |name: &str, members: &[&str]| {
            (name.to_owned(), members.iter().map(|member| (*member).to_owned()).collect())
        };
        [bond("bond0", &["eno1", "eno2"]), bond("bond1", &["eno4"])].into()
    }

    #[test]
    fn every_member_that_waits_is_named_when_the_time_is_over() {
        let (context, time) = context();
        let fault = until_negotiated(&context, Duration::from_secs(5), &mut || Ok(waiting())).unwrap_err();
        assert_eq!(fault.code, "lacp_not_negotiated");
        assert!(
            fault.message.starts_with(
                "waiting 5s for LACP: not negotiated on eno1, eno2 of `bond0`; eno4 of `bond1`; hint: "
            ),
            "{fault}"
        );
        assert_eq!(time.get(), Duration::from_secs(5));
    }

    #[test]
    fn it_ends_as_soon_as_nobody_waits_whatever_failed_before() {
        let (context, time) = context();
        let mut looks =
            [Err(Fault::new("ovs_failed", "it restarts")), Ok(waiting()), Ok(Waiting::new())].into_iter();
        let mut look = || looks.next().unwrap();
        assert_eq!(until_negotiated(&context, Duration::from_secs(5), &mut look), Ok(()));
        assert_eq!(time.get(), 2 * PAUSE);
    }

    #[test]
    fn without_a_limit_it_is_looked_once_and_a_signal_ends_it() {
        let (context, time) = context();
        let failed = Fault::new("ovs_failed", "it does not run");
        let mut look = || Err(failed.clone());
        assert_eq!(until_negotiated(&context, Duration::ZERO, &mut look), Err(failed.clone()));
        assert_eq!(time.get(), Duration::ZERO);
        context.interrupted.store(true, Ordering::Relaxed);
        let stopped = until_negotiated(&context, Duration::MAX / 2, &mut look).unwrap_err();
        assert_eq!(stopped.code, "interrupted");
    }
}

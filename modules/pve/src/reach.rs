//! Never locked out: who answered on the node before a change must answer after it.
//!
//! Who that is, and asking them. Where a run asks, and what it does if one stays silent, is not decided here. Asking
//! sends packets and may refresh a neighbour's entry in the kernel, so check mode has to do without.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::fault::Fault;

use serde::{Deserialize, Serialize};

use crate::kernel::{DefaultRoute, default_routes};
use crate::paths::Paths;
use crate::spawn;

mod neighbour;
mod peer;

pub use peer::{ssh_address, ssh_peer};

/// How often a target that answered nothing is asked before a change. One question takes a second.
const ATTEMPTS: usize = 2;
/// How many are asked at once.
const AT_ONCE: usize = 16;
/// Between two rounds after a change.
const PAUSE: Duration = Duration::from_millis(200);
/// ping(8) ends by itself after a second.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Why an address is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It stands in `require_reachable`.
    Given,
    /// A default route leads to it.
    Gateway,
    /// The SSH connection that the module was started over comes from there.
    SshPeer,
}

/// An address that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The address; one that is local to a link is asked on the link of its default route.
    pub address: IpAddr,
    /// Why.
    pub role: Role,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.role {
            Role::Given => write!(f, "`{}`", self.address),
            Role::Gateway => write!(f, "the default gateway `{}`", self.address),
            Role::SshPeer => write!(f, "the SSH peer `{}`", self.address),
        }
    }
}

/// Who is asked, each address once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets(Vec<Target>);

impl Targets {
    /// `given` is `require_reachable`: exactly these, so none if it is empty. Where it is not given, the default
    /// gateways of both families and the SSH peer.
    pub fn find(given: Option<&[IpAddr]>, routes: &[DefaultRoute], peer: Option<IpAddr>) -> Self {
        let wanted: Vec<_> = match given {
            Some(given) => given.iter().map(|address| (*address, Role::Given)).collect(),
            None => routes
                .iter()
                .filter_map(|route| Some((route.gateway?, Role::Gateway)))
                .chain(peer.map(|address| (address, Role::SshPeer)))
                .collect(),
        };
        let mut known = BTreeSet::new();
        let targets = wanted.into_iter().filter(|(address, _)| known.insert(*address));
        Self(targets.map(|(address, role)| Target { address, role }).collect())
    }

    /// The same without the default gateways in `gone`.
    #[must_use]
    pub fn without(mut self, gone: &BTreeSet<String>) -> Self {
        self.0.retain(|target| target.role != Role::Gateway || !gone.contains(&target.address.to_string()));
        self
    }
}

/// Who answered before a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// They must answer after it.
    pub targets: Vec<Target>,
    /// A warning, if there are targets and none of them can tell whether the node is cut off.
    pub notice: Option<String>,
}

/// Asks all before a change: a moment if they answer, two to three seconds if not. Who is given by hand has to
/// answer; a gateway or a peer that does not is left out, for there are many that never do.
pub fn before(paths: &Paths, targets: &Targets) -> Result<Answered, Fault> {
    let Targets(targets) = targets;
    let mut silent = targets.clone();
    for _ in 0..ATTEMPTS {
        silent = match still_silent(paths, &silent) {
            Ok(silent) => silent,
            Err(Failed::Ping(error)) if targets.iter().all(|target| target.role != Role::Given) => {
                let fault = no_ping(&error);
                let notice = format!("whether the node stays reachable cannot be told: {fault}");
                return Ok(Answered { targets: Vec::new(), notice: Some(notice) });
            }
            Err(failed) => return Err(failed.into()),
        };
    }
    if let Some(target) = silent.iter().find(|target| target.role == Role::Given) {
        return Err(Fault::new(
            "unreachable_before",
            format!(
                "asking who answers before the change: {target} of `require_reachable` does not; \
                 hint: name addresses that answer ping now, or none: `require_reachable: []`"
            ),
        ));
    }
    let notice = (!targets.is_empty() && silent.len() == targets.len()).then(|| {
        format!("whether the node stays reachable cannot be told: no answer from {} before", listed(&silent))
    });
    let targets = targets.iter().filter(|target| !silent.contains(target)).copied().collect();
    Ok(Answered { targets, notice })
}

/// Asks after a change until each has answered once, for as long as the limit `reach`.
pub fn after(paths: &Paths, answered: &Answered, context: &Context) -> Result<(), Fault> {
    let limit = paths.limits.reach;
    let deadline = context.clock.now() + limit;
    let mut silent = answered.targets.clone();
    loop {
        silent = still_silent(paths, &silent)?;
        if silent.is_empty() {
            return Ok(());
        }
        context.stop_if_interrupted().map_err(|stop| stop.context("asking who still answers"))?;
        if context.clock.now() >= deadline {
            return Err(Fault::new(
                "unreachable_after",
                format!(
                    "asking for {limit:?} who answered before the change: no answer from {} any more; \
                     hint: are the VLAN and the switch's ports right for the node as declared? `require_reachable` \
                     says who has to answer",
                    listed(&silent)
                ),
            ));
        }
        context.clock.sleep(PAUSE);
    }
}

fn listed(targets: &[Target]) -> String {
    targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why nobody could be asked.
enum Failed {
    Ping(spawn::Error),
    Other(Fault),
}

impl From<Failed> for Fault {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Ping(error) => no_ping(&error),
            Failed::Other(fault) => fault,
        }
    }
}

fn no_ping(error: &spawn::Error) -> Fault {
    let Fault { code, message } = Fault::from_error("no_ping", error);
    Fault { code, message: format!("{message}; hint: install `iputils-ping`") }
}

/// One round: those of `targets` that do not answer. All are asked at once.
fn still_silent(paths: &Paths, targets: &[Target]) -> Result<Vec<Target>, Failed> {
    // Read anew each time: a change may move the routes.
    let routes = default_routes(paths)
        .map_err(|error| Failed::Other(Fault::from_error("kernel_unreadable", &error)))?;
    let mut silent = Vec::new();
    for targets in targets.chunks(AT_ONCE) {
        let answers: Vec<_> = thread::scope(|scope| {
            let asked: Vec<_> = targets
                .iter()
                .map(|target| scope.spawn(|| answers(paths, &routes, target.address)))
                .collect();
            asked.into_iter().map(|thread| thread.join().unwrap_or(Ok(false))).collect()
        });
        for (target, answer) in targets.iter().zip(answers) {
            if !answer.map_err(Failed::Ping)? {
                silent.push(*target);
            }
        }
    }
    Ok(silent)
}

/// Whether the address answers ping; or, as many gateways drop that, whether the gateway of a default route answers
/// for its address as a neighbour.
fn answers(paths: &Paths, routes: &[DefaultRoute], address: IpAddr) -> Result<bool, spawn::Error> {
    let links: Vec<&str> = routes
        .iter()
        .filter(|route| route.gateway == Some(address))
        .map(|route| route.link.as_str())
        .collect();
    let destination = match links.first() {
        Some(link) if is_link_local(address) => format!("{address}%{link}"),
        _ => address.to_string(),
    };
    let ping = paths.ping.to_string_lossy();
    let words = [&*ping, "-n", "-q", "-c", "1", "-W", "1", &destination];
    if spawn::run(&words.map(str::to_owned), PING_LIMIT, paths.limits.grace)?.success() {
        return Ok(true);
    }
    Ok(links.iter().any(|link| neighbour::answers(paths, address, link)))
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests;

//! `eos_port_channel_info`: reads what Port-Channels and their members are set to, and how they are, and waits for LACP
//! where that is asked for. Never configures the switch, so it takes no lock. What is told: `channel_facts.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::fault::{Fault, Step};
use ansible_module::outcome::{Ended, Failure, Report};
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::access::Access;
use crate::channel_facts::Seen;
use crate::claim::Claims;
use crate::config::Config;
use crate::dialog::{Dialog, Error};
use crate::lacp_wait::{Awaited, Patience};
use crate::login::{Login, Secret};
use crate::names::Interface;
use crate::reach::Reach;
use crate::{rules, specs};

/// The module.
pub struct PortChannelInfo;

impl Module for PortChannelInfo {
    const SPEC: &'static ArgumentSpec = &specs::port_channel_info::SPEC;
    type Params = Params;

    fn run(params: Params, context: &Context) -> Ended {
        let asked = params.meant().map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
        let Asked { names, wait_for_lacp, login, enable_password } = asked;
        let mut reach = Reach::new(login, enable_password);
        let mut seen = reach.with(read).map_err(|error| Failure::untouched(Step::Read, error.into()))?;
        let selected = seen.selected(names.as_ref());
        let waited = wait(&mut seen, &mut reach, &selected.there, wait_for_lacp, context);
        let facts = seen.facts(&selected, Claims::peek().as_ref());
        let absent = selected.missing.iter().map(|name| format!("the switch has no {name}"));
        let warnings = reach.notices().iter().cloned().chain(absent).collect();
        let waited = waited.and_then(|()| match selected.missing.first() {
            Some(missing) if !wait_for_lacp.is_zero() => Err(Fault::new(
                "port_channel_not_found",
                format!("waiting for LACP: the switch has no {missing}; hint: make it with `eos_port_channel` first"),
            )),
            _ => Ok(()),
        });
        match waited {
            Ok(()) => Ok(Report::facts(facts, warnings)),
            Err(fault) => Err(Failure::with_facts(Step::Condition, fault, facts, warnings)),
        }
    }
}

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(
    missing_docs,
    reason = "documented in library/eos_port_channel_info.yml, which decides what they are"
)]
pub struct Params {
    pub names: Option<Vec<String>>,
    pub wait_for_lacp: i64,
    #[serde(flatten)]
    pub access: Access,
}

/// The arguments as meant.
struct Asked {
    /// Which Port-Channels; all of them where there is none.
    names: Option<BTreeSet<Interface>>,
    wait_for_lacp: Duration,
    login: Login,
    enable_password: Option<Secret>,
}

impl Params {
    fn meant(self) -> Result<Asked, Fault> {
        let Self { names, wait_for_lacp, access } = self;
        let parse = |names: Vec<String>| -> Result<_, Fault> {
            names.iter().map(|name| Interface::port_channel("names", name)).collect()
        };
        let names = names.map(parse).transpose()?;
        let wait_for_lacp = rules::seconds("wait_for_lacp", wait_for_lacp, 0)?;
        let (login, enable_password) = access.login()?;
        Ok(Asked { names, wait_for_lacp, login, enable_password })
    }
}

fn read(dialog: &mut Dialog) -> Result<Seen, Error> {
    Ok(Seen {
        version: dialog.version()?,
        running: Config::parse(&dialog.running()?),
        startup: Config::parse(&dialog.startup()?),
        sessions: dialog.sessions()?,
        links: dialog.links()?,
        live: dialog.live()?,
    })
}

/// Waits until the members of `channels` are bundled. What is seen in the end is what is told.
fn wait(
    seen: &mut Seen,
    reach: &mut Reach,
    channels: &BTreeSet<Interface>,
    limit: Duration,
    context: &Context,
) -> Result<(), Fault> {
    if limit.is_zero() {
        return Ok(());
    }
    let awaited = Awaited::of(channels, &seen.running);
    if awaited.complaint(&seen.live).is_none() {
        return Ok(());
    }
    let waited = awaited.until_bundled(context, Patience { limit, window_ends: None }, &mut |deadline| {
        seen.live = reach.insist(deadline, context, Dialog::live)?;
        Ok(seen.live.clone())
    });
    // A link came up with its LACP.
    seen.links = reach.with(Dialog::links)?;
    waited
}

//! `state: discarded`: which change it means, and what the switch is like without it. No I/O.

use std::collections::BTreeSet;

use ansible_module::converge::Target;
use ansible_module::fault::Fault;

use crate::names::Interface;
use crate::picture::{Picture, SaveWhen};
use crate::port_channel::Params;
use crate::rules;
use crate::state::State;
use crate::switch::{Aim, Manner};

/// Checks the arguments; the switch is not looked at.
pub fn meant(params: Params) -> Result<((), Manner), Fault> {
    let Params { single, check_on_box, lock_timeout, access, .. } = params;
    let name = single.map(|single| Interface::port_channel("name", &single.name)).transpose()?;
    let lock_timeout = rules::seconds("lock_timeout", lock_timeout, 0)?;
    let (login, enable_password) = access.login()?;
    let manner = Manner {
        aim: Aim::Discard,
        channels: name.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
        confirm_within: None,
        check_on_box,
        lock_timeout,
        wait_for_lacp: std::time::Duration::ZERO,
        save_when: SaveWhen::Never,
        login,
        enable_password,
    };
    Ok(((), manner))
}

/// What was before the change; nothing is looked after where none waits.
pub fn target(picture: &Picture) -> Target<State> {
    let after = picture.unconfirmed.as_ref().map(|change| change.before.clone()).unwrap_or_default();
    Target { after, also_affected: Vec::new(), warnings: Vec::new() }
}

//! What `show` commands print, as text and as JSON. Filtering is `pipe.rs`.

mod channels;
mod configs;
mod interfaces;
mod lacp;
mod sessions;
mod system;
mod vlans;

use serde_json::Value;

use crate::commands::{Act, Show};
use crate::grammar::Matched;
use crate::session::Connection;
use crate::state::State;

/// What a command prints.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Lines, each ended by `\n`.
    pub text: String,
    /// With `| json`; none where EOS has no JSON for it, or it is not known.
    pub json: Option<Value>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The connection.
    pub who: &'a Connection,
    /// The session that it is in.
    pub session: Option<&'a str>,
    /// It may do anything.
    pub privileged: bool,
}

impl Shown {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), json: None }
    }

    /// The JSON as EOS lays it out.
    pub fn pretty(&self) -> Option<String> {
        let json = self.json.as_ref()?;
        let mut bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        serde::Serialize::serialize(json, &mut serializer).ok()?;
        bytes.push(b'\n');
        String::from_utf8(bytes).ok()
    }
}

/// Carries out a `show` command.
///
/// # Errors
/// The error line.
pub fn show(state: &mut State, show: Show, found: &Matched<Act>, asker: Asker<'_>) -> Result<Shown, String> {
    let argument = found.args.first().map(String::as_str);
    match show {
        Show::Running => Ok(configs::running(state, false)),
        Show::RunningAll => Ok(configs::running(state, true)),
        Show::RunningInterfaces => Ok(configs::of_interfaces(state, argument.unwrap_or_default())),
        Show::RunningDiffs => Ok(configs::against_startup(state)),
        Show::Startup => Ok(configs::startup(state)),
        Show::Session => configs::session(state, argument.or(asker.session)),
        Show::SessionDiffs => configs::session_diffs(state, argument.or(asker.session)),
        Show::Sessions => Ok(sessions::show(state, asker, false)),
        Show::SessionsDetail => Ok(sessions::show(state, asker, true)),
        Show::Version => Ok(system::version(state)),
        Show::Hostname => Ok(system::hostname(state)),
        Show::Clock => Ok(system::clock(state)),
        Show::Privilege => Ok(system::privilege(asker.privileged)),
        Show::Users => Ok(system::users(state, asker)),
        Show::Vlan => vlans::show(state, argument),
        Show::Interfaces => interfaces::show(state, argument),
        Show::InterfacesStatus => interfaces::status(state, argument),
        Show::PortChannel => channels::show(state, argument, false),
        Show::PortChannelDetailed => channels::show(state, argument, true),
        Show::PortChannelSummary => Ok(channels::summary(state)),
        Show::LacpNeighbor => Ok(lacp::neighbor(state)),
        Show::LacpInterface => Ok(lacp::interface(state, argument)),
        Show::LldpNeighbors => Ok(system::lldp_neighbors()),
    }
}

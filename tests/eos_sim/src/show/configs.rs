//! `show running-config`, `show startup-config`, `show session-config`.

use similar::TextDiff;

use super::Shown;
use crate::config::Config;
use crate::names::Names;
use crate::pipe::lines_of;
use crate::state::State;

pub(super) fn running(state: &State, all: bool) -> Shown {
    let all_word = if all { " all" } else { "" };
    let text = state.text(&state.running, all);
    Shown::text(format!("! Command: show running-config{all_word}\n{text}"))
}

pub(super) fn of_interfaces(state: &State, names: &str) -> Shown {
    let names = Names::parse(names).map(|names| state.running.named(&names)).unwrap_or_default();
    let lines = names.iter().flat_map(|name| state.running.interface_block(name, false));
    Shown::text(lines_of(lines))
}

pub(super) fn startup(state: &State) -> Shown {
    let text = &state.startup;
    let saved =
        text.split_once('\n').filter(|(first, _)| first.starts_with("! Command:")).map(|(_, rest)| rest);
    Shown::text(format!("! Command: show startup-config\n{}", saved.unwrap_or(text)))
}

pub(super) fn against_startup(state: &State) -> Shown {
    let mut startup = Config::parse(&state.startup);
    startup.lacp_rate = state.running.lacp_rate;
    let (startup, running) = (state.text(&startup, false), state.text(&state.running, false));
    Shown::text(diff(&startup, &running, "flash:/startup-config", "system:/running-config"))
}

pub(super) fn session(state: &State, name: Option<&str>) -> Result<Shown, String> {
    let (name, config) = find(state, name)?;
    let text = state.text(config, false);
    Ok(Shown::text(format!("! Command: show session-config named {name}\n{text}")))
}

pub(super) fn session_diffs(state: &State, name: Option<&str>) -> Result<Shown, String> {
    let (name, config) = find(state, name)?;
    let (running, session) = (state.text(&state.running, false), state.text(config, false));
    let diff = diff(&running, &session, "system:/running-config", &format!("session:/{name}-session-config"));
    Ok(Shown::text(diff))
}

/// A unified diff and an empty line; of equal texts only the empty line.
fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    format!("{}\n", diff.unified_diff().context_radius(3).header(old_name, new_name))
}

fn find<'a>(state: &'a State, name: Option<&'a str>) -> Result<(&'a str, &'a Config), String> {
    let name = name.ok_or_else(|| "% No session is entered".to_owned())?;
    let session = state.sessions.open(name).ok_or_else(|| format!("% Session {name} does not exist"))?;
    Ok((name, &session.config))
}

//! `show configuration sessions`.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

use super::{Asker, Shown};
use crate::clock;
use crate::session::{Session, State as Stage, max_completed, max_pending};
use crate::state::State;

/// A column: its title, its width, what stands in it.
type Column<'a> = (&'a str, usize, Box<dyn Fn(&Session) -> String + 'a>);

pub(super) fn show(state: &State, asker: Asker<'_>, detail: bool) -> Shown {
    Shown { text: text(state, asker, detail), json: Some(json(state, asker, detail)) }
}

fn text(state: &State, asker: Asker<'_>, detail: bool) -> String {
    let apart = state.platform.lists_timer_apart();
    let mut text = format!(
        "Maximum number of completed sessions: {}\nMaximum number of pending sessions: {}\n",
        max_completed(&state.running),
        max_pending(&state.running)
    );
    let now = state.clock.now();
    let left = state
        .sessions
        .timer()
        .map(|timer| (timer.session.clone(), clock::left(clock::between(now, timer.deadline))));
    if apart {
        text.push_str("Merge on commit is disabled\nAutosave to startup-config on commit is disabled\n");
        if let Some((name, left)) = &left {
            let _ = write!(text, "\nSession with pending commit timer: {name}\n");
            let _ = writeln!(text, "Time left until commit timer expiry: in {left}");
        }
    }
    let ended = |session: &Session| session.ended.clone();
    let width = state.sessions.list().iter().map(|session| session.name.len()).max().unwrap_or(0).max(16) + 2;
    let mut columns: Vec<Column<'_>> = vec![
        ("Name", width, Box::new(|session| session.name.clone())),
        ("State", if apart { 9 } else { 18 }, Box::new(|session| stage(session, apart).to_owned())),
        ("User", 10, Box::new(|session| inside(session, |who| who.user.clone()))),
        ("Terminal", 10, Box::new(|session| inside(session, |who| format!("vty{}", who.vty)))),
    ];
    if detail && !apart {
        let of = |session: &Session| left.clone().filter(|(name, _)| *name == session.name);
        columns.push((
            "Commit Time Left",
            18,
            Box::new(move |session| of(session).map(|(_, left)| left).unwrap_or_default()),
        ));
    }
    if detail || apart {
        let at =
            move |session: &Session| ended(session).map(|(time, _)| clock::stamp(time)).unwrap_or_default();
        columns.push(("Completed Time", 21, Box::new(at)));
        let by = move |session: &Session| ended(session).and_then(|(_, by)| by).unwrap_or_default();
        columns.push(("Committed By", 12, Box::new(by)));
    }
    let row = |mark: char, cell: &dyn Fn(&Column<'_>) -> String| {
        let cells = columns.iter().map(|column| format!("{:<width$}", cell(column), width = column.1));
        format!("{mark} {}\n", cells.collect::<Vec<_>>().join(" ").trim_end())
    };
    text.push('\n');
    text.push_str(&row(' ', &|column| column.0.to_owned()));
    text.push_str(&row(if apart { '-' } else { ' ' }, &|column| "-".repeat(column.1)));
    for session in state.sessions.list() {
        let mark = if asker.session == Some(session.name.as_str()) { '*' } else { ' ' };
        text.push_str(&row(mark, &|column| column.2(session)));
    }
    text
}

fn json(state: &State, asker: Asker<'_>, detail: bool) -> Value {
    let apart = state.platform.lists_timer_apart();
    // Times of commit timers count from the start of the switch, as `uptime` of `show version` does.
    let expiry = state
        .sessions
        .timer()
        .map(|timer| (timer, clock::between(state.booted, timer.deadline).as_secs_f64()));
    let mut sessions = Map::new();
    for session in state.sessions.list() {
        let mut instances = Map::new();
        if let Some(who) = &session.inside {
            let instance = json!({
                "user": who.user,
                "terminal": format!("vty{}", who.vty),
                "currentTerminal": who == asker.who,
            });
            instances.insert(who.vty.to_string(), instance);
        }
        let mut one = Map::new();
        one.insert("state".to_owned(), json!(stage(session, apart)));
        if detail && let Some((time, by)) = &session.ended {
            one.insert("completedTime".to_owned(), json!(clock::seconds(*time)));
            one.extend(by.iter().map(|by| ("commitUser".to_owned(), json!(by))));
        }
        if let Some((_, at)) = expiry.as_ref().filter(|(timer, _)| timer.session == session.name && !apart) {
            one.insert("commitBy".to_owned(), json!(at));
        }
        one.insert("description".to_owned(), json!(""));
        one.insert("instances".to_owned(), Value::Object(instances));
        sessions.insert(session.name.clone(), Value::Object(one));
    }
    let mut json = json!({
        "maxSavedSessions": max_completed(&state.running),
        "maxOpenSessions": max_pending(&state.running),
    });
    if let Some(json) = json.as_object_mut() {
        if apart {
            json.insert("mergeOnCommit".to_owned(), json!(false));
            json.insert("saveToStartupConfigOnCommit".to_owned(), json!(false));
            if let Some((timer, at)) = expiry {
                json.insert("commitTimerSessionName".to_owned(), json!(timer.session));
                json.insert("commitTimerExpireTime".to_owned(), json!(at));
            }
        }
        json.insert("sessions".to_owned(), Value::Object(sessions));
    }
    json
}

fn stage(session: &Session, apart: bool) -> &'static str {
    match session.state {
        Stage::Pending => "pending",
        Stage::PendingCommitTimer if apart => "committed",
        Stage::PendingCommitTimer => "pendingCommitTimer",
        Stage::Completed => "completed",
        Stage::Aborted => "aborted",
    }
}

fn inside(session: &Session, what: impl Fn(&crate::session::Connection) -> String) -> String {
    session.inside.as_ref().map(what).unwrap_or_default()
}

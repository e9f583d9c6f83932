//! What `show configuration sessions` says: which sessions are pending, and which one has a commit timer. What to do
//! about them is not its business.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;
use serde::Deserialize;

/// Why what the switch showed could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the JSON of the command.
    #[error("reading the configuration sessions: the switch's JSON is not understood")]
    Json(#[from] serde_json::Error),
    /// Not the table of the command.
    #[error("reading the configuration sessions: the switch shows no table of them")]
    Text,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::from_error("sessions_unreadable", &error)
    }
}

/// The configuration sessions of a switch, as far as they are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Names of the sessions that are open: begun, and neither committed nor aborted.
    pub pending: Vec<String>,
    /// The commit that waits for its confirmation; a switch has one at most.
    pub timer: Option<Timer>,
}

/// A commit that the switch undoes by itself unless it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Name of the session that was committed.
    pub session: String,
}

/// `commitTimerSessionName` is there from EOS 4.32 on; before, the session's own state tells of the timer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    sessions: BTreeMap<String, ShownSession>,
    commit_timer_session_name: Option<String>,
}

#[derive(Deserialize)]
struct ShownSession {
    state: Option<String>,
}

const PENDING: &str = "pending";
const WITH_TIMER: &str = "pendingCommitTimer";

impl Sessions {
    /// Reads `show configuration sessions detail | json`.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let shown: Shown = serde_json::from_str(json)?;
        let mut found = Self::default();
        found.note_timer(shown.commit_timer_session_name.as_deref().unwrap_or_default());
        for (name, session) in shown.sessions {
            found.note(&name, session.state.as_deref().unwrap_or_default());
        }
        Ok(found.without_timer_among_pending())
    }

    /// Reads the table of `show configuration sessions`, with or without `detail`.
    pub fn parse_text(text: &str) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut title = "";
        let mut time_left = None;
        let mut is_table = false;
        for line in text.lines() {
            if is_table {
                let row = line.strip_prefix('*').unwrap_or(line);
                let mut words = row.split_whitespace();
                let (Some(name), Some(state)) = (words.next(), words.next()) else { continue };
                found.note(name, state);
                let has_time = time_left.is_some_and(|(from, to)| !cut(line, from, to).trim().is_empty());
                if has_time {
                    found.note_timer(name);
                }
            } else if let Some(name) = line.strip_prefix("Session with pending commit timer:") {
                found.note_timer(name.trim());
            } else if line.contains("---") && line.chars().all(|character| matches!(character, '-' | ' ')) {
                is_table = true;
                let at = title.find("Commit Time Left");
                time_left = columns(line)
                    .into_iter()
                    .find(|&(from, to)| at.is_some_and(|at| (from..to).contains(&at)));
            }
            title = line;
        }
        if is_table { Ok(found.without_timer_among_pending()) } else { Err(Error::Text) }
    }

    /// Whether a session is pending or waits to be confirmed.
    pub fn has(&self, session: &str) -> bool {
        self.waits_for(session) || self.is_pending(session)
    }

    /// Whether a session is open, and nothing of it live.
    pub fn is_pending(&self, session: &str) -> bool {
        self.pending.iter().any(|name| name == session)
    }

    /// Whether a session is live and waits to be confirmed.
    pub fn waits_for(&self, session: &str) -> bool {
        self.timer.as_ref().is_some_and(|timer| timer.session == session)
    }

    fn note(&mut self, name: &str, state: &str) {
        match state {
            PENDING => self.pending.push(name.to_owned()),
            WITH_TIMER => self.note_timer(name),
            _ => {}
        }
    }

    fn note_timer(&mut self, name: &str) {
        if !name.is_empty() {
            self.timer = Some(Timer { session: name.to_owned() });
        }
    }

    /// A session with a timer is called committed, pending or neither, depending on the release. It is not open.
    fn without_timer_among_pending(mut self) -> Self {
        if let Some(timer) = &self.timer {
            self.pending.retain(|name| *name != timer.session);
        }
        self
    }
}

/// The columns of a table, from the line of hyphens under its title: where each begins and ends, in bytes.
fn columns(hyphens: &str) -> Vec<(usize, usize)> {
    let mut from = 0;
    let mut found = Vec::new();
    for column in hyphens.split(' ') {
        if !column.is_empty() {
            found.push((from, from + column.len()));
        }
        from += column.len() + 1;
    }
    found
}

fn cut(line: &str, from: usize, to: usize) -> &str {
    line.get(from..to.min(line.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sessions(pending: &[&str], timer: Option<&str>) -> Sessions {
        Sessions {
            pending: pending.iter().map(|&name| name.to_owned()).collect(),
            timer: timer.map(|session| Timer { session: session.to_owned() }),
        }
    }

    #[test]
    fn json_of_every_release_tells_the_same() {
        let table = [
            // EOS 4.31 and before.
            (
                r#"{"maxSavedSessions": 1, "maxOpenSessions": 5, "sessions": {
                    "night": {"state": "pendingCommitTimer", "commitBy": 81234.5, "description": "", "instances": {}},
                    "morning": {"state": "pending", "instances": {"4711": {"user": "admin", "terminal": "vty5"}}},
                    "noon": {"state": "completed"}}}"#,
                sessions(&["morning"], Some("night")),
            ),
            // EOS 4.32 and after.
            (
                r#"{"maxOpenSessions": 5, "commitTimerSessionName": "night", "commitTimerExpireTime": 81234.5,
                    "mergeOnCommit": false, "sessions": {"night": {"state": "committed"}, "morning": {"state": "pending"},
                    "evening": {"state": "aborted"}}}"#,
                sessions(&["morning"], Some("night")),
            ),
            (
                r#"{"commitTimerSessionName": "night", "sessions": {"night": {"state": "pending"}}}"#,
                sessions(&[], Some("night")),
            ),
            (
                r#"{"commitTimerSessionName": "", "maxOpenSessions": 10, "sessions": {"b": {"state": "pending"}, "a": {}}}"#,
                sessions(&["b"], None),
            ),
            (r#"{"commitTimerSessionName": null, "sessions": {}}"#, sessions(&[], None)),
        ];
        for (json, expected) in table {
            assert_eq!(Sessions::parse(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn what_is_not_that_json_does_not_pass_for_no_sessions() {
        for json in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"errors": ["Unavailable command"]}"#,
            r#"{"sessions": {"a": {"state""#,
        ] {
            let fault = Fault::from(Sessions::parse(json).unwrap_err());
            assert_eq!(fault.code, "sessions_unreadable", "{json}");
        }
    }

    #[test]
    fn the_table_of_every_release_tells_the_same() {
        let table = [
            // As EOS 4.17 shows it.
            (
                "Maximum number of completed sessions: 1\nMaximum number of pending sessions: 5\n\n\
                 \x20 Name          State         User    Terminal\n\
                 \x20 ---------- ------------- ---------- --------\n\
                 \x20 morning       pending\n\
                 * noon          pending       admin     vty5\n\
                 \x20 dawn         completed\n",
                sessions(&["morning", "noon"], None),
            ),
            // As EOS 4.25 shows it in detail.
            (
                "Maximum number of completed sessions: 1\nMaximum number of pending sessions: 7\n\n\
                 \x20 Name             State           User    Commit Time Left    Completed Time    Committed By\n\
                 \x20 ---------- ------------------ ---------- ---------------- ------------------- ------------\n\
                 \x20 dawn          completed                                    2026-03-01 10:00:00    admin\n\
                 \x20 morning        pending         admin\n\
                 \x20 night      pendingCommitTimer  admin         0:01:59\n",
                sessions(&["morning"], Some("night")),
            ),
            (
                "\x20 Name       State      Commit Time Left\n\
                 \x20 ------- ------------ ----------------\n\
                 \x20 night     pending         0:01:59\n",
                sessions(&[], Some("night")),
            ),
            // As EOS 4.35 shows it in detail.
            (
                "Maximum number of completed sessions: 1\nMaximum number of pending sessions: 5\n\
                 Merge on commit is disabled\nAutosave to startup-config on commit is disabled\n\n\
                 Session with pending commit timer: night\nTime left until commit timer expiry: in 0:01:59\n\n\
                 \x20 Name    State     User  Terminal Completed Time      Committed By\n\
                 - ------- --------- ----- -------- ------------------- ------------\n\
                 \x20 night   committed                2026-03-01 10:00:00 admin\n\
                 \x20 morning pending   admin vty8\n\
                 * noon    aborted   admin vty9     2026-03-01 09:00:00\n",
                sessions(&["morning"], Some("night")),
            ),
            ("Maximum number of pending sessions: 5\n\n  Name State\n  ---- -----\n", sessions(&[], None)),
        ];
        for (text, expected) in table {
            assert_eq!(Sessions::parse_text(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_that_table_does_not_pass_for_no_sessions() {
        for text in ["", "\n", "pending", "% Invalid input\n", "Maximum number of pending sessions: 5\n"] {
            assert!(matches!(Sessions::parse_text(text), Err(Error::Text)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "([-* \\PC\n]|---|pending|Commit Time Left|\n[*] ){0,60}") {
            let _ = Sessions::parse(&text);
            let _ = Sessions::parse_text(&text);
        }
    }
}

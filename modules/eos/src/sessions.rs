//! What `show configuration sessions` says: which sessions are pending, and which one has a commit timer. What to do
//! about them is not its business.

use std::collections::BTreeMap;
use std::time::Duration;

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
    /// Who is in which of them at this moment, as far as that is told.
    pub users: BTreeMap<String, Vec<String>>,
    /// The commit that waits for its confirmation; a switch has one at most.
    pub timer: Option<Timer>,
}

/// A commit that the switch undoes by itself unless it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Name of the session that was committed.
    pub session: String,
    /// When it is undone, as far as that is told.
    pub expiry: Option<Expiry>,
}

/// When a commit is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// After so long.
    In(Duration),
    /// When the switch has been up for so long.
    AtUptime(Duration),
}

impl Expiry {
    /// How long it is until then, on a switch that is up for `uptime`.
    pub fn left(self, uptime: Option<Duration>) -> Option<Duration> {
        match self {
            Self::In(left) => Some(left),
            Self::AtUptime(at) => Some(at.saturating_sub(uptime?)),
        }
    }

    fn at_uptime(seconds: Option<f64>) -> Option<Self> {
        Duration::try_from_secs_f64(seconds?).ok().map(Self::AtUptime)
    }

    /// `0:01:59`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(':').map(|part| part.parse::<u32>().ok());
        let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
        let seconds = u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds);
        parts.next().is_none().then_some(Self::In(Duration::from_secs(seconds)))
    }
}

/// `commitTimerSessionName` is there from EOS 4.32 on; before, the session's own state tells of the timer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    sessions: BTreeMap<String, ShownSession>,
    commit_timer_session_name: Option<String>,
    commit_timer_expire_time: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShownSession {
    state: Option<String>,
    commit_by: Option<f64>,
    #[serde(default)]
    instances: BTreeMap<String, Instance>,
}

/// Somebody who is in a session.
#[derive(Deserialize)]
struct Instance {
    user: Option<String>,
}

/// What sessions are called that are over. One with a timer may be called the last of them.
const OVER: [&str; 3] = ["completed", "aborted", "committed"];
const WITH_TIMER: &str = "pendingCommitTimer";

impl Sessions {
    /// Reads `show configuration sessions detail | json`.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let shown: Shown = serde_json::from_str(json)?;
        let mut found = Self::default();
        let expiry = Expiry::at_uptime(shown.commit_timer_expire_time);
        found.note_timer(shown.commit_timer_session_name.as_deref().unwrap_or_default(), expiry);
        for (name, session) in shown.sessions {
            let expiry = Expiry::at_uptime(session.commit_by);
            found.note(&name, session.state.as_deref().unwrap_or_default(), expiry);
            found.note_users(&name, session.instances.into_values().filter_map(|instance| instance.user));
        }
        Ok(found.settled())
    }

    /// Reads the table of `show configuration sessions`, with or without `detail`.
    pub fn parse_text(text: &str) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut title = "";
        let mut table: Option<Table> = None;
        for line in text.lines() {
            if let Some(table) = &table {
                let row = line.strip_prefix('*').unwrap_or(line);
                let mut words = row.split_whitespace();
                let Some(name) = words.next() else { continue };
                let state = words.next().ok_or(Error::Text)?;
                let left = table.time_left.map(|(from, to)| cut(line, from, to).trim());
                if let Some(left) = left.filter(|left| !left.is_empty()) {
                    found.note_timer(name, Expiry::parse(left));
                }
                found.note(name, state, None);
                let user = table.user.map(|(from, to)| cut(line, from, to).trim().to_owned());
                found.note_users(name, user.filter(|user| !user.is_empty()));
            } else if let Some(name) = line.strip_prefix("Session with pending commit timer:") {
                found.note_timer(name.trim(), None);
            } else if let Some(left) = line.strip_prefix("Time left until commit timer expiry: in ") {
                // It stands under the name.
                let timer = found.timer.iter_mut();
                timer.for_each(|timer| timer.expiry = Expiry::parse(left));
            } else if line.contains("---") && line.chars().all(|character| matches!(character, '-' | ' ')) {
                // Each title has its hyphens under it, unless they are cut off.
                let is_whole = line.len() >= title.trim_end().len();
                table = is_whole.then(|| Table {
                    user: column(title, line, "User"),
                    time_left: column(title, line, "Commit Time Left"),
                });
            }
            title = line;
        }
        if table.is_some() { Ok(found.settled()) } else { Err(Error::Text) }
    }

    /// Whether a session is pending or waits to be confirmed.
    pub fn has(&self, session: &str) -> bool {
        self.waits_for(session) || self.is_pending(session)
    }

    /// Whether a session is open, and nothing of it live.
    pub fn is_pending(&self, session: &str) -> bool {
        self.pending.iter().any(|name| name == session)
    }

    /// The pending sessions that somebody is in.
    pub fn occupied(&self) -> impl Iterator<Item = &str> + Clone {
        self.pending.iter().map(String::as_str).filter(|name| self.users.contains_key(*name))
    }

    /// Whether a session is live and waits to be confirmed.
    pub fn waits_for(&self, session: &str) -> bool {
        self.timer.as_ref().is_some_and(|timer| timer.session == session)
    }

    fn note(&mut self, name: &str, state: &str, expiry: Option<Expiry>) {
        match state {
            WITH_TIMER => self.note_timer(name, expiry),
            over if OVER.contains(&over) => {}
            // `pending`, or what nobody has heard of: what is not known to be over is still there.
            _ => self.pending.push(name.to_owned()),
        }
    }

    fn note_users(&mut self, name: &str, users: impl IntoIterator<Item = String>) {
        self.users.entry(name.to_owned()).or_default().extend(users);
    }

    /// What is told of it in one place need not be told in the other.
    fn note_timer(&mut self, name: &str, expiry: Option<Expiry>) {
        if name.is_empty() {
            return;
        }
        let known = self.timer.take().filter(|timer| timer.session == name).and_then(|timer| timer.expiry);
        self.timer = Some(Timer { session: name.to_owned(), expiry: expiry.or(known) });
    }

    /// A session with a timer is called committed, pending or neither, depending on the release. It is not open.
    fn settled(mut self) -> Self {
        if let Some(timer) = &self.timer {
            self.pending.retain(|name| *name != timer.session);
        }
        self.users.retain(|_, users| !users.is_empty());
        self
    }
}

/// Where the columns of a table are that are not told by the words before them.
struct Table {
    user: Option<(usize, usize)>,
    time_left: Option<(usize, usize)>,
}

/// The column under `title`, from the line of hyphens under the titles: where it begins and ends, in bytes.
fn column(titles: &str, hyphens: &str, title: &str) -> Option<(usize, usize)> {
    let at = titles.find(title)?;
    let mut from = 0;
    for column in hyphens.split(' ') {
        let to = from + column.len();
        if (from..to).contains(&at) {
            return Some((from, to));
        }
        from = to + 1;
    }
    None
}

fn cut(line: &str, from: usize, to: usize) -> &str {
    line.get(from..to.min(line.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which sessions are pending, and which one waits to be confirmed.
    type Names = (Vec<String>, Option<String>);

    fn sessions(pending: &[&str], timer: Option<&str>) -> Names {
        (pending.iter().map(|&name| name.to_owned()).collect(), timer.map(str::to_owned))
    }

    fn names(sessions: Sessions) -> Names {
        (sessions.pending, sessions.timer.map(|timer| timer.session))
    }

    #[test]
    fn who_is_in_a_session_and_when_a_commit_is_undone_is_told_in_json_and_in_the_table() {
        let (at, before) = (Duration::from_secs_f64(81234.5), Duration::from_secs_f64(81225.5));
        let json = [
            r#"{"sessions": {"night": {"state": "pendingCommitTimer", "commitBy": 81234.5},
                "morning": {"state": "pending", "instances": {"7": {"user": "ann"}, "8": {"user": "bob"}, "9": {}}}}}"#,
            r#"{"commitTimerSessionName": "night", "commitTimerExpireTime": 81234.5, "sessions": {
                "night": {"state": "committed"}, "morning": {"state": "pending", "instances": {"7": {"user": "ann"},
                "8": {"user": "bob"}}}}}"#,
        ];
        for json in json {
            let found = Sessions::parse(json).unwrap();
            assert_eq!(
                found.users,
                [("morning".to_owned(), vec!["ann".to_owned(), "bob".to_owned()])].into()
            );
            let expiry = found.timer.unwrap().expiry.unwrap();
            assert_eq!(expiry, Expiry::AtUptime(at));
            assert_eq!(expiry.left(Some(before)), Some(Duration::from_secs(9)));
            assert_eq!((expiry.left(Some(2 * at)), expiry.left(None)), (Some(Duration::ZERO), None));
        }
        let texts = [
            "  Name      State      User  Terminal Commit Time Left\n\
             \x20 ------- ------------ ----- -------- ----------------\n\
             \x20 night     pending                        0:01:59\n* morning   pending      ann   vty5\n",
            "Session with pending commit timer: night\nTime left until commit timer expiry: in 0:01:59\n\n\
             \x20 Name    State     User  Terminal\n- ------- --------- ----- --------\n\
             \x20 night   committed\n* morning pending   ann   vty8\n",
        ];
        for text in texts {
            let found = Sessions::parse_text(text).unwrap();
            assert_eq!(found.users, [("morning".to_owned(), vec!["ann".to_owned()])].into(), "{text}");
            let expiry = found.timer.unwrap().expiry.unwrap();
            assert_eq!(expiry.left(None), Some(Duration::from_secs(119)), "{text}");
        }
        for odd in ["", "1:2", "1:2:3:4", "a:0:0", "-1:0:0"] {
            assert_eq!(Expiry::parse(odd), None, "{odd}");
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
                // What is not told to be over is not.
                sessions(&["a", "b"], None),
            ),
            (r#"{"commitTimerSessionName": null, "sessions": {}}"#, sessions(&[], None)),
        ];
        for (json, expected) in table {
            assert_eq!(names(Sessions::parse(json).unwrap()), expected, "{json}");
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
                 \x20 Name             State           User    Commit Time Left   Completed Time    Committed By\n\
                 \x20 ---------- ------------------ ---------- ---------------- ------------------- ------------\n\
                 \x20 dawn          completed                                    2026-03-01 10:00:00    admin\n\
                 \x20 morning        pending         admin\n\
                 \x20 night      pendingCommitTimer  admin         0:01:59\n",
                sessions(&["morning"], Some("night")),
            ),
            (
                "\x20 Name      State      Commit Time Left\n\
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
            assert_eq!(names(Sessions::parse_text(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_that_table_does_not_pass_for_no_sessions() {
        let cut_off = ["  Name State\n  ---- -----\n  mor\n", "  Name State\n  ---- --\n"];
        let others = ["", "\n", "pending", "% Invalid input\n", "Maximum number of pending sessions: 5\n"];
        for text in cut_off.into_iter().chain(others) {
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

//! What the switch is told to do wrong, and the record of what was done to it. Rules are looked up by connection and
//! by line; carrying a verdict out is for `server.rs` and `channel.rs`, and how rules arrive is for `control.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;

/// What EOS says of a command that the platform does not have.
const REFUSAL: &str = "% Unavailable command (not supported on this hardware platform)";

/// One thing to do wrong, as written: see `README.md` for the forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    action: Action,
    /// The only connection that is meant, or the first one: 1 is the first that is accepted after the rule was given.
    connection: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    /// Once, at this line of a connection.
    End(usize, End),
    Delay(Duration),
    /// Lines that begin so get this answer instead of being processed.
    Answer {
        prefix: String,
        text: String,
    },
    /// So many, or all.
    RefuseConnections(Option<u64>),
    RefuseLogin,
}

/// How a connection ends for the one who typed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The line is lost with the connection.
    DropBefore,
    /// The line is processed, its answer is lost with the connection.
    DropAfter,
    /// The line is processed, and nothing is ever heard again.
    HangAfter,
}

/// A rule that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("reading the rule `{rule}`: {fault}\nhint: {FORMS}")]
pub struct BadRule {
    rule: String,
    fault: &'static str,
}

const FORMS: &str = "drop-before N, drop-after N, hang-after N, delay MS, refuse TEXT [with MESSAGE], ignore TEXT, \
                     refuse-connections [N], refuse-login, each with an optional connection=K after its name";

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(rule: &str) -> Result<Self, BadRule> {
        parse(rule.trim()).map_err(|fault| BadRule { rule: rule.trim().to_owned(), fault })
    }
}

fn parse(rule: &str) -> Result<Rule, &'static str> {
    let (name, rest) = word(rule);
    let (connection, rest) = match word(rest) {
        (option, rest) if option.starts_with("connection=") => {
            (Some(positive(option.trim_start_matches("connection="))?), rest)
        }
        _ => (None, rest),
    };
    let line =
        || positive(rest).and_then(|line| usize::try_from(line).map_err(|_| "the number is too large"));
    let action = match name {
        "drop-before" => Action::End(line()?, End::DropBefore),
        "drop-after" => Action::End(line()?, End::DropAfter),
        "hang-after" => Action::End(line()?, End::HangAfter),
        "delay" => Action::Delay(Duration::from_millis(positive(rest)?)),
        "refuse" => {
            let (prefix, message) = rest.split_once(" with ").unwrap_or((rest, REFUSAL));
            let mark = if message.starts_with('%') { "" } else { "% " };
            Action::Answer { prefix: some_text(prefix)?, text: format!("{mark}{message}") }
        }
        "ignore" => Action::Answer { prefix: some_text(rest)?, text: String::new() },
        "refuse-connections" if rest.is_empty() => Action::RefuseConnections(None),
        "refuse-connections" => Action::RefuseConnections(Some(positive(rest)?)),
        "refuse-login" if rest.is_empty() => Action::RefuseLogin,
        "refuse-login" => return Err("it takes nothing but a connection"),
        _ => return Err("there is no such rule"),
    };
    Ok(Rule { action, connection })
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

fn positive(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("a number from 1 is wanted")
}

fn some_text(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("the beginning of a line is wanted") } else { Ok(text.to_owned()) }
}

/// What is to become of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The answer instead of the line being processed.
    pub instead: Option<String>,
    /// How late the answer is.
    pub delay: Duration,
    /// How the connection ends at this line.
    pub end: Option<End>,
}

/// A line that was typed: the connection's number from 1, and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed(u64, String);

impl fmt::Display for Typed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.0, self.1)
    }
}

/// A try to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    connection: u64,
    method: &'static str,
    is_taken: bool,
}

impl fmt::Display for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, method, is_taken } = self;
        write!(formatter, "{connection} {method} {}", if *is_taken { "taken" } else { "refused" })
    }
}

/// The rules in force and the record, shared by all connections.
#[derive(Debug, Clone, Default)]
pub struct Misbehaviour(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rules: Vec<InForce>,
    accepted: u64,
    /// Lines so far, by connection.
    lines: BTreeMap<u64, usize>,
    typed: Vec<Typed>,
    logins: Vec<Login>,
}

#[derive(Debug)]
struct InForce {
    rule: Rule,
    /// How many connections had been accepted when the rule was given.
    since: u64,
}

impl InForce {
    fn means(&self, connection: u64) -> bool {
        self.rule.connection.is_none_or(|nth| connection == self.since + nth)
    }
}

impl Misbehaviour {
    /// Puts one more rule in force.
    pub fn add(&self, rule: Rule) {
        let mut state = self.state();
        let since = state.accepted;
        state.rules.push(InForce { rule, since });
    }

    /// Ends all rules. The record stays.
    pub fn clear(&self) {
        self.state().rules.clear();
    }

    /// Every line that was typed, in order, whatever became of it.
    pub fn typed(&self) -> Vec<Typed> {
        self.state().typed.clone()
    }

    /// Notes a try to log in, with a method by its name in SSH.
    pub fn login(&self, connection: u64, method: &'static str, is_taken: bool) {
        self.state().logins.push(Login { connection, method, is_taken });
    }

    /// Every try to log in, in order.
    pub fn logins(&self) -> Vec<Login> {
        self.state().logins.clone()
    }

    /// How many TCP connections were accepted, those refused by a rule included.
    pub fn accepted(&self) -> u64 {
        self.state().accepted
    }

    /// A TCP connection was accepted: its number, and whether it is to be closed at once.
    pub fn accept(&self) -> (u64, bool) {
        let mut state = self.state();
        state.accepted += 1;
        let connection = state.accepted;
        let refusing = state.rules.iter_mut().find_map(|in_force| match &mut in_force.rule.action {
            Action::RefuseConnections(left)
                if connection >= in_force.since + in_force.rule.connection.unwrap_or(1)
                    && *left != Some(0) =>
            {
                Some(left)
            }
            _ => None,
        });
        if let Some(Some(left)) = refusing {
            *left -= 1;
            return (connection, true);
        }
        (connection, refusing.is_some())
    }

    /// Whether no password and no key is good enough on this connection.
    pub fn refuses_login(&self, connection: u64) -> bool {
        self.state()
            .rules
            .iter()
            .any(|in_force| in_force.rule.action == Action::RefuseLogin && in_force.means(connection))
    }

    /// A line was typed: what is to become of it.
    pub fn line(&self, connection: u64, text: &str) -> Verdict {
        self.judge(connection, text, text)
    }

    /// A password was typed where one was asked for: what is to become of it. It is not recorded.
    pub fn password(&self, connection: u64) -> Verdict {
        self.judge(connection, "", "<password>")
    }

    fn judge(&self, connection: u64, text: &str, shown: &str) -> Verdict {
        let mut guard = self.state();
        let state = &mut *guard;
        state.typed.push(Typed(connection, shown.to_owned()));
        let count = state.lines.entry(connection).or_default();
        *count += 1;
        let mut verdict = Verdict::default();
        let mut spent = None;
        for (index, in_force) in
            state.rules.iter().enumerate().filter(|(_, in_force)| in_force.means(connection))
        {
            match &in_force.rule.action {
                Action::Delay(delay) => verdict.delay = verdict.delay.max(*delay),
                Action::Answer { prefix, text: answer } if text.trim_start().starts_with(prefix) => {
                    verdict.instead.get_or_insert_with(|| answer.clone());
                }
                Action::End(line, end) if line == count && spent.is_none() => {
                    verdict.end = Some(*end);
                    spent = Some(index);
                }
                _ => {}
            }
        }
        if let Some(index) = spent {
            state.rules.remove(index);
        }
        verdict
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rules: &[&str]) -> Misbehaviour {
        let misbehaviour = Misbehaviour::default();
        for rule in rules {
            misbehaviour.add(rule.parse().unwrap());
        }
        misbehaviour
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named_with_the_forms() {
        for rule in
            ["", "dance", "drop-after", "drop-after 0", "delay soon", "refuse", "ignore", "refuse-login now"]
        {
            let error = rule.parse::<Rule>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("reading the rule `{rule}`: ")) && error.contains("hint: "),
                "{error}"
            );
        }
        assert!("drop-after connection=x 3".parse::<Rule>().is_err());
    }

    #[test]
    fn a_drop_is_spent_on_the_first_connection_that_comes_so_far() {
        let misbehaviour = with(&["drop-after 2"]);
        assert_eq!(misbehaviour.line(1, "enable").end, None);
        assert_eq!(misbehaviour.line(2, "enable").end, None);
        assert_eq!(misbehaviour.line(2, "configure").end, Some(End::DropAfter));
        assert_eq!(misbehaviour.line(1, "configure").end, None);
    }

    #[test]
    fn a_connection_is_counted_from_when_the_rule_was_given() {
        let misbehaviour = Misbehaviour::default();
        assert_eq!(misbehaviour.accept(), (1, false));
        misbehaviour.add("hang-after connection=2 1".parse().unwrap());
        for connection in [1, 2] {
            assert_eq!(misbehaviour.line(connection, "enable").end, None);
        }
        assert_eq!(misbehaviour.line(3, "enable").end, Some(End::HangAfter));
    }

    #[test]
    fn connections_are_refused_from_one_on_and_so_many() {
        let misbehaviour = with(&["refuse-connections connection=2 2"]);
        let refused: Vec<bool> = (0..5).map(|_| misbehaviour.accept().1).collect();
        assert_eq!(refused, [false, true, true, false, false]);
        assert_eq!(misbehaviour.accepted(), 5);

        let misbehaviour = with(&["refuse-connections"]);
        assert!((0..5).all(|_| misbehaviour.accept().1));
        misbehaviour.clear();
        assert!(!misbehaviour.accept().1);
    }

    #[test]
    fn a_refused_line_gets_an_error_and_an_ignored_one_nothing() {
        let misbehaviour = with(&["refuse channel-group", "refuse commit with Cannot commit", "ignore lacp"]);
        let answer = |line| misbehaviour.line(1, line).instead;
        assert_eq!(answer("   channel-group 1 mode active").as_deref(), Some(REFUSAL));
        assert_eq!(answer("commit timer 00:01:00").as_deref(), Some("% Cannot commit"));
        assert_eq!(answer("lacp timer fast").as_deref(), Some(""));
        assert_eq!(answer("no channel-group"), None);
    }

    #[test]
    fn login_is_refused_on_the_connection_that_was_named() {
        let misbehaviour = with(&["refuse-login connection=2"]);
        assert!(!misbehaviour.refuses_login(1) && misbehaviour.refuses_login(2));
    }

    #[test]
    fn the_record_has_every_line_but_no_password() {
        let misbehaviour = with(&["refuse secret", "delay 5"]);
        misbehaviour.line(1, "enable");
        assert_eq!(
            misbehaviour.password(1),
            Verdict { delay: Duration::from_millis(5), ..Verdict::default() }
        );
        let typed: Vec<String> = misbehaviour.typed().iter().map(Typed::to_string).collect();
        assert_eq!(typed, ["1 enable", "1 <password>"]);
    }
}

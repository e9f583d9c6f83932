//! The dialog with a switch: the commands that read it, and those of configuration sessions (EOS manual, "Configure
//! Session"), each proved by the prompt that follows. When which of them is typed: `switch.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use ansible_module::fault::Fault;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::lacp::Negotiation;
use crate::link::Link;
use crate::live::Live;
use crate::login::{Login, Secret};
use crate::names::Interface;
use crate::prompt::ConfigMode;
use crate::sessions::{self, Sessions};
use crate::shell::{self, Shell};
use crate::ssh::{self, Connection};
use crate::version::Version;

const SAVED: &str = "Copy completed successfully.";
/// So much of an answer that is not understood is shown in the error, in characters.
const SHOWN: usize = 160;

/// A connection with somebody logged in who may configure.
pub struct Dialog {
    shell: Shell<Connection>,
    /// How long each step may take.
    limit: Duration,
    notices: Vec<String>,
}

/// A step of the dialog that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
    /// A line was not taken, or there was no answer to it.
    #[error(transparent)]
    Shell(#[from] shell::Error),
    /// What it said of its sessions is not understood.
    #[error(transparent)]
    Sessions(#[from] sessions::Error),
    /// The answer is not what it should be.
    #[error("typing `{command}`: the switch answered {answer:?}; hint: {hint}")]
    Unexpected {
        /// The command.
        command: String,
        /// What the switch said.
        answer: String,
        /// What helps.
        hint: &'static str,
    },
    /// Nobody was let in, and nobody tries again.
    #[error("{}", _0.message)]
    Barred(Fault),
    /// A session did not end.
    #[error(
        "aborting the configuration session {session}: the switch took the line, and the session is still there"
    )]
    StillThere {
        /// Its name.
        session: String,
    },
    /// There are too many sessions.
    #[error(
        "opening a configuration session: the switch has no room for another one ({answer}); \
         hint: `show configuration sessions` lists them, `configure session NAME abort` ends one"
    )]
    NoRoom {
        /// What the switch said.
        answer: String,
    },
}

impl Error {
    /// Whether the switch may or may not have got the line: nothing is known but by asking again.
    pub fn is_of_the_connection(&self) -> bool {
        match self {
            Self::Ssh(_) | Self::Barred(_) => true,
            Self::Shell(error) => {
                !matches!(error, shell::Error::Refused { .. } | shell::Error::Unprintable { .. })
            }
            Self::Sessions(_) | Self::Unexpected { .. } | Self::StillThere { .. } | Self::NoRoom { .. } => {
                false
            }
        }
    }

    /// Whether the network or the switch was away, so that trying again may help.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Ssh(error) => error.is_away(),
            Self::Shell(error) => matches!(
                error,
                shell::Error::Lost { .. } | shell::Error::TimedOut { .. } | shell::Error::NoPrompt { .. }
            ),
            _ => false,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Ssh(error) => error.into(),
            Error::Shell(error) => error.into(),
            Error::Sessions(error) => error.into(),
            Error::Unexpected { .. } => Fault::from_error("unexpected_answer", &error),
            Error::Barred(fault) => fault,
            Error::StillThere { .. } => Fault::from_error("session_left", &error),
            Error::NoRoom { .. } => Fault::from_error("session_limit", &error),
        }
    }
}

impl Dialog {
    /// The line that saves the running-config.
    pub const SAVE: &str = "copy running-config startup-config";

    /// Logs in, and becomes one who may configure.
    pub fn open(login: &Login, enable_password: Option<&Secret>) -> Result<Self, Error> {
        let connection = Connection::open(login)?;
        let notices = connection.notices().to_vec();
        let mut shell = Shell::begin(connection, login.timeout)?;
        shell.enable(enable_password.map(Secret::reveal))?;
        let mut dialog = Self { shell, limit: login.timeout, notices };
        match dialog.show("terminal length 0") {
            // The pages are turned then, which takes longer.
            Err(Error::Shell(shell::Error::Refused { .. })) => {}
            shown => drop(shown?),
        }
        Ok(dialog)
    }

    /// Gives each step that follows up to `limit`.
    pub fn allow(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// What there was to tell of the connection.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The running-config, as text. One that is not shown to its `end` would make what is missing look as if it did not
    /// exist.
    pub fn running(&mut self) -> Result<String, Error> {
        const LINE: &str = "show running-config";
        let text = self.show(LINE)?;
        if text.trim_end().lines().next_back() == Some("end") {
            return Ok(text);
        }
        Err(Error::Unexpected {
            command: LINE.to_owned(),
            answer: "a text without `end` in its last line".to_owned(),
            hint: "the user has to be allowed to see all of it",
        })
    }

    /// What the switch is.
    pub fn version(&mut self) -> Result<Version, Error> {
        Ok(Version::read(&self.json("show version | json")?))
    }

    /// Every Port-Channel and Ethernet interface as it is now.
    pub fn links(&mut self) -> Result<BTreeMap<Interface, Link>, Error> {
        Ok(Link::read_all(&self.json("show interfaces | json")?))
    }

    /// Every Port-Channel with its members as they are now. Without `all-ports` EOS leaves out of LACP those that are
    /// not bundled.
    pub fn live(&mut self) -> Result<Live, Error> {
        Ok(Live {
            bundles: Bundle::read_all(&self.json("show port-channel | json")?),
            negotiations: Negotiation::read_all(&self.json("show lacp interface all-ports | json")?),
        })
    }

    /// The startup-config, as text; empty where there is none.
    pub fn startup(&mut self) -> Result<String, Error> {
        match self.show("show startup-config") {
            Err(Error::Shell(error)) if error.is_of_the_line() => Ok(String::new()),
            found => found,
        }
    }

    /// The configuration sessions.
    pub fn sessions(&mut self) -> Result<Sessions, Error> {
        match self.show("show configuration sessions detail | json").map(|text| Sessions::parse(&text)) {
            Ok(Ok(sessions)) => Ok(sessions),
            // Some releases show them as a table alone, whether they refuse the JSON or excuse themselves in it.
            Ok(Err(_)) | Err(Error::Shell(shell::Error::Refused { .. })) => {
                Ok(Sessions::parse_text(&self.show("show configuration sessions detail")?)?)
            }
            Err(error) => Err(error),
        }
    }

    /// Enters a session that is new by this.
    pub fn enter(&mut self, session: &str) -> Result<(), Error> {
        let answer = self.show(&format!("configure session {session}"));
        if self.is_in(session) {
            return answer.map(drop);
        }
        // EOS says so in words alone, and stays where it was: the next line would not be one of the session.
        let said = match &answer {
            Ok(text) => text.trim(),
            Err(Error::Shell(shell::Error::Refused { message, .. })) => message,
            Err(_) => "",
        };
        if said.contains("pending sessions") {
            return Err(Error::NoRoom { answer: said.to_owned() });
        }
        Err(Error::Unexpected {
            command: format!("configure session {session}"),
            answer: answer?.trim().to_owned(),
            hint: "the user has to be allowed to configure, and the switch's `prompt` to show the mode",
        })
    }

    /// A line of the session; what the switch warned of.
    pub fn configure(&mut self, session: &str, line: &str) -> Result<Vec<String>, Error> {
        self.shell.allow(self.limit);
        let warnings = self.shell.configure(line)?;
        if self.is_in(session) {
            return Ok(warnings);
        }
        Err(Error::Unexpected {
            command: line.to_owned(),
            answer: self.whereabouts(),
            hint: "the line should not have led out of the configuration session",
        })
    }

    /// The difference between the running-config and the session that we are in, as the switch shows it.
    pub fn session_diff(&mut self) -> Result<String, Error> {
        self.show("show session-config diffs")
    }

    /// What the running-config would be by the session that we are in.
    pub fn session_config(&mut self) -> Result<String, Error> {
        self.show("show session-config")
    }

    /// Makes the session that we are in live; with a time, the switch undoes it when it is over.
    pub fn commit(&mut self, within: Option<Duration>) -> Result<(), Error> {
        let line = match within {
            None => "commit".to_owned(),
            Some(within) => {
                let seconds = within.as_secs();
                format!("commit timer {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
            }
        };
        self.at_top(&line)
    }

    /// Ends the timer of a session: what it changed stays.
    pub fn confirm(&mut self, session: &str) -> Result<(), Error> {
        self.at_top(&format!("configure session {session} commit"))
    }

    /// Throws a session away, and where its timer runs undoes what it changed; looks whether it is gone. False where
    /// it was neither pending nor waiting to be confirmed.
    pub fn abort(&mut self, session: &str) -> Result<bool, Error> {
        if !self.sessions()?.has(session) {
            return Ok(false);
        }
        // In a sub-mode, `abort` alone would only leave that.
        if self.shell.prompt().config.is_some() {
            self.at_top("end")?;
        }
        self.at_top(&Self::abort_line(session))?;
        if self.sessions()?.has(session) {
            return Err(Error::StillThere { session: session.to_owned() });
        }
        Ok(true)
    }

    /// The line that does so.
    pub fn abort_line(session: &str) -> String {
        format!("configure session {session} abort")
    }

    /// Saves the running-config.
    pub fn save(&mut self) -> Result<(), Error> {
        let answer = self.show(Self::SAVE)?;
        if answer.contains(SAVED) {
            return Ok(());
        }
        Err(Error::Unexpected {
            command: Self::SAVE.to_owned(),
            answer: answer.trim().to_owned(),
            hint: "`dir flash:` on the switch tells whether there is room",
        })
    }

    fn json(&mut self, command: &str) -> Result<Value, Error> {
        let text = self.show(command)?;
        told(&text).ok_or_else(|| Error::Unexpected {
            command: command.to_owned(),
            answer: text.trim().chars().take(SHOWN).collect(),
            hint: "this release of EOS has no JSON for it",
        })
    }

    fn show(&mut self, command: &str) -> Result<String, Error> {
        self.shell.allow(self.limit);
        Ok(self.shell.show(command)?)
    }

    /// Types a line that answers with nothing, and is back in no configuration mode.
    fn at_top(&mut self, line: &str) -> Result<(), Error> {
        self.shell.allow(self.limit);
        let answer = self.shell.configure(line)?;
        if self.shell.prompt().config.is_none() {
            return Ok(());
        }
        Err(Error::Unexpected {
            command: line.to_owned(),
            answer: [answer, vec![self.whereabouts()]].concat().join("; "),
            hint: "it should have led out of every configuration mode",
        })
    }

    fn whereabouts(&self) -> String {
        match &self.shell.prompt().config {
            None => "a prompt outside of every configuration mode".to_owned(),
            Some(ConfigMode { session: None, .. }) => "a prompt whose lines take effect at once".to_owned(),
            Some(ConfigMode { session: Some(session), .. }) => format!("a prompt in session {session}…"),
        }
    }

    fn is_in(&self, session: &str) -> bool {
        self.shell.prompt().is_in_session(session)
    }
}

/// The JSON of a command; none where it is cut off, or an excuse: neither may pass for nothing being there.
fn told(text: &str) -> Option<Value> {
    let json: Value = serde_json::from_str(text).ok()?;
    json.as_object().is_some_and(|json| !json.contains_key("errors")).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_is_cut_off_or_an_excuse_does_not_pass_for_nothing_being_there() {
        let whole = r#"{"interfaces": {"Ethernet7/1": {"interfaceStatus": "connected"}}}"#;
        assert!(told(&format!("\n{whole}\n")).is_some());
        for end in 0..whole.len() {
            assert_eq!(told(&whole[..end]), None);
        }
        for excuse in [r#"{"errors": ["This is an unconverted command"]}"#, "[]", "null", "0", "{} {}"] {
            assert_eq!(told(excuse), None, "{excuse}");
        }
    }
}

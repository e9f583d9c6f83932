//! Why a dialog did not go on, and the stable codes of that.

use std::io;
use std::time::Duration;

use ansible_module::fault::Fault;

/// What EOS says where a line needs `enable` or an authorization (EOS manual, "AAA Configuration").
const NOT_PRIVILEGED: [&str; 2] = ["privileged mode required", "Authorization denied"];

/// Why a line was not answered as hoped. None of these holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The switch answered with an error. It waits for the next line.
    #[error("sending `{line}`: the switch refused it: {message}{}", if is_of_privilege(message) {
        "; hint: the user needs the authorization for it"
    } else {
        ""
    })]
    Refused {
        /// The line.
        line: String,
        /// What the switch said.
        message: String,
    },
    /// The connection ended or broke.
    #[error("{}: the connection was lost", waiting(line.as_deref()))]
    Lost {
        /// The last line that was sent, if any. Whether it took effect is not known.
        line: Option<String>,
        /// What the stream said.
        source: io::Error,
    },
    /// No prompt came in time. The shell takes no further line.
    #[error(
        "waiting {limit:?} for the answer to `{line}`: the switch did not finish it; hint: raise `timeout` if the \
         switch is slow"
    )]
    TimedOut {
        /// The line.
        line: String,
        /// The limit that ran out.
        limit: Duration,
    },
    /// An earlier line has not been answered, so that nobody knows what the switch would do with this one.
    #[error("sending `{line}`: the switch has not answered `{earlier}` yet")]
    Unanswered {
        /// The line, which was not sent.
        line: String,
        /// The earlier one.
        earlier: String,
    },
    /// `enable` did not lead to privileged mode.
    #[error(
        "asking the switch for privileged mode: {fact}; hint: `enable_password` has to be the switch's enable secret, \
         and the user needs the authorization to use it"
    )]
    Privilege {
        /// What the switch said or wants.
        fact: String,
    },
    /// The switch wants something confirmed. It was not.
    #[error("sending `{line}`: the switch asks `{question}`, which is never answered with yes")]
    Asked {
        /// The line.
        line: String,
        /// The question.
        question: String,
    },
    /// No prompt came after login.
    #[error(
        "waiting for the switch's first prompt: none came, its last words were `{last}`; hint: the user's login shell \
         has to be the EOS command line, with a prompt that ends with `>` or `#`"
    )]
    NoPrompt {
        /// The end of what came.
        last: String,
    },
    /// A line that cannot be typed. Nothing was sent.
    #[error(
        "sending {line}: it holds {character:?}, which the switch's command line takes for a key of its own"
    )]
    Unprintable {
        /// The line, escaped; or what it is, where it is secret.
        line: String,
        /// The first such character.
        character: char,
    },
    /// An answer without end.
    #[error("{}: more than {limit} bytes came", waiting(line.as_deref()))]
    TooLong {
        /// The line; none before the first prompt.
        line: Option<String>,
        /// The most that is read.
        limit: usize,
    },
}

fn waiting(line: Option<&str>) -> String {
    line.map_or_else(
        || "waiting for the switch's first prompt".to_owned(),
        |line| format!("waiting for the answer to `{line}`"),
    )
}

fn is_of_privilege(message: &str) -> bool {
    NOT_PRIVILEGED.iter().any(|text| message.contains(text))
}

impl Error {
    /// Whether the switch refused a line for what it is, not for who typed it.
    pub fn is_of_the_line(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if !is_of_privilege(message))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match &error {
            Error::Refused { message, .. } if is_of_privilege(message) => {
                Fault::from_error("privilege_refused", &error)
            }
            Error::Refused { .. } => Fault::from_error("line_refused", &error),
            Error::Lost { .. } => Fault::from_error("connection_lost", &error),
            Error::TimedOut { .. } | Error::Unanswered { .. } => Fault::from_error("timed_out", &error),
            Error::Privilege { .. } => Fault::from_error("privilege_refused", &error),
            Error::Asked { .. } => Fault::from_error("switch_asked", &error),
            Error::NoPrompt { .. } => Fault::from_error("no_prompt", &error),
            Error::Unprintable { .. } => Fault::from_error("unprintable_line", &error),
            Error::TooLong { .. } => Fault::from_error("answer_too_long", &error),
        }
    }
}

//! Proving to a host that we are the user: by private key, by password, or by the keys of an agent.
//!
//! Only what the host offers is tried, in this order: the private key, then the password, and where neither is
//! given every key of the agent. No message here holds a secret.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt};

use crate::login::{Login, PrivateKey, Secret};
use crate::transport::{Stop, Transport};

/// `LIBSSH2_ERROR_AUTHENTICATION_FAILED`: the host does not want this key or password.
const REFUSED: ErrorCode = ErrorCode::Session(-18);
/// `LIBSSH2_ERROR_PASSWORD_EXPIRED`: the host wants a new password instead of this one.
const EXPIRED: ErrorCode = ErrorCode::Session(-15);
/// `LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED`: it does not accept what was signed, nobody could sign, or it hung up.
const UNVERIFIED: ErrorCode = ErrorCode::Session(-19);
/// `LIBSSH2_ERROR_SOCKET_SEND`, `_SOCKET_DISCONNECT` and `_SOCKET_RECV`: it hung up.
const HUNG_UP: [ErrorCode; 3] = [ErrorCode::Session(-7), ErrorCode::Session(-13), ErrorCode::Session(-43)];

/// How much of a question is shown.
const LONGEST_QUESTION: usize = 200;

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of the private key cannot be read.
    #[error(
        "reading the private key `{}`: {cause}; hint: `private_key` is a file that the user of the control node can \
         read, or the text of a key",
        path.display()
    )]
    KeyUnreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// What was given is no private key, or the passphrase does not open it.
    #[error("using {key}: {reason}; hint: {}", if *passphrase_given {
        "see whether the passphrase is the right one, with `ssh-keygen -y -f FILE`"
    } else {
        "give its `passphrase` if it has one; `ssh-keygen -y -f FILE` tells whether it is a private key at all"
    })]
    KeyUnusable {
        /// Which key, as it was given.
        key: PrivateKey,
        /// What libssh2 said.
        reason: String,
        /// Whether there was a passphrase.
        passphrase_given: bool,
    },
    /// There is nothing to log in with.
    #[error(
        "logging in as `{username}`: neither `private_key` nor `password` is given, and {reason}; hint: give one of \
         them, or start an agent and add a key with `ssh-add`"
    )]
    NoCredentials {
        /// The user.
        username: String,
        /// What is wrong with the agent.
        reason: String,
    },
    /// The host took nothing of what was tried.
    #[error("logging in as `{username}`: tried {}, which it refused{}; it takes {}; hint: {}", list(tried), if *closed {
        ", and hung up"
    } else {
        ""
    }, list(offered), if *closed {
        "it may allow fewer tries than the agent has keys: give the one that fits as `private_key`"
    } else {
        "check user, password and key; its own log tells more"
    })]
    Refused {
        /// The user.
        username: String,
        /// What was tried, and the reasons if it gave any.
        tried: Vec<String>,
        /// The methods that it offers.
        offered: Vec<String>,
        /// Whether it then closed the connection.
        closed: bool,
    },
    /// The host wants the password to be changed before it lets the user in.
    #[error(
        "logging in as `{username}`: the password has expired, and the host wants a new one; hint: log in by hand and \
         change it"
    )]
    Expired {
        /// The user.
        username: String,
    },
    /// The host wants to know more than a password.
    #[error(
        "logging in as `{username}`: after the password it asks for more, {}; hint: log in by hand to see what it \
         wants; a password that has expired has to be changed there, and a user for automation needs a login by \
         password alone, or by key",
        quoted(questions)
    )]
    AskedMore {
        /// The user.
        username: String,
        /// What it asked, in its own words.
        questions: Vec<String>,
    },
    /// The host offers nothing that we have something for.
    #[error(
        "logging in as `{username}`: it only takes {}; hint: give what it asks for, or allow more on the host",
        list(offered)
    )]
    NotOffered {
        /// The user.
        username: String,
        /// The methods that it offers.
        offered: Vec<String>,
    },
    /// It did not come to that.
    #[error("logging in as `{username}`")]
    Stopped {
        /// The user.
        username: String,
        /// Why.
        source: Stop,
    },
}

fn quoted(questions: &[String]) -> String {
    questions.iter().map(|question| format!("`{question}`")).collect::<Vec<_>>().join(", ")
}

fn list(words: &[String]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// Logs `login`'s user in, with what it holds.
pub fn authenticate(transport: &Transport, login: &Login, deadline: Instant) -> Result<(), Error> {
    Attempt { transport, login, deadline, offered: Vec::new(), tried: Vec::new() }.run()
}

/// What came of a try.
enum Answer {
    /// The user is logged in.
    Yes,
    /// The host does not accept it.
    No,
    /// It could not be offered.
    Failed(ssh2::Error),
}

struct Attempt<'a> {
    transport: &'a Transport,
    login: &'a Login,
    deadline: Instant,
    /// The methods that the host offered when it was last asked.
    offered: Vec<String>,
    tried: Vec<String>,
}

impl Attempt<'_> {
    fn run(mut self) -> Result<(), Error> {
        if self.ask()? {
            return Ok(());
        }
        if let Some(key) = &self.login.private_key
            && self.offers("publickey")
        {
            if self.private_key(key)? {
                return Ok(());
            }
            // A host that wants a key and a password only now offers the password.
            if self.login.password.is_some() {
                self.ask()?;
            }
        }
        if let Some(password) = &self.login.password
            && self.password(password)?
        {
            return Ok(());
        }
        if self.login.private_key.is_none() && self.login.password.is_none() && self.agent()? {
            return Ok(());
        }
        if self.tried.is_empty() {
            return Err(Error::NotOffered { username: self.login.username.clone(), offered: self.offered });
        }
        Err(self.refused(false))
    }

    /// Asks which methods the host offers. `true`: it lets the user in without any.
    fn ask(&mut self) -> Result<bool, Error> {
        let session = self.transport.session();
        let offered = self
            .transport
            .drive(self.deadline, || session.auth_methods(&self.login.username))
            .map_err(|source| Error::Stopped { username: self.login.username.clone(), source })?;
        self.offered = offered.split(',').filter(|method| !method.is_empty()).map(str::to_owned).collect();
        Ok(session.authenticated())
    }

    fn offers(&self, method: &str) -> bool {
        self.offered.iter().any(|offered| offered == method)
    }

    /// What the host says to `call`, which is told as `what`.
    fn offer(
        &mut self,
        what: String,
        call: impl FnMut() -> Result<(), ssh2::Error>,
    ) -> Result<Answer, Error> {
        match self.transport.drive(self.deadline, call) {
            Ok(()) => Ok(Answer::Yes),
            Err(Stop::Failed(error)) if error.code() == REFUSED => {
                self.tried.push(what);
                Ok(Answer::No)
            }
            Err(Stop::Failed(error)) if error.code() == UNVERIFIED => {
                self.tried.push(what);
                match self.ask() {
                    Err(Error::Stopped { source: Stop::Failed(_), .. }) => Err(self.refused(true)),
                    asked => asked.map(|_| Answer::No),
                }
            }
            Err(Stop::Failed(error)) if error.code() == EXPIRED => {
                Err(Error::Expired { username: self.login.username.clone() })
            }
            Err(Stop::Failed(error)) if HUNG_UP.contains(&error.code()) => {
                self.tried.push(what);
                Err(self.refused(true))
            }
            Err(Stop::Failed(error)) => {
                self.tried.push(format!("{what} ({})", error.message()));
                Ok(Answer::Failed(error))
            }
            Err(source @ Stop::TimedOut) => {
                Err(Error::Stopped { username: self.login.username.clone(), source })
            }
        }
    }

    fn refused(&self, closed: bool) -> Error {
        Error::Refused {
            username: self.login.username.clone(),
            tried: self.tried.clone(),
            offered: self.offered.clone(),
            closed,
        }
    }

    fn private_key(&mut self, key: &PrivateKey) -> Result<bool, Error> {
        let text = match key {
            PrivateKey::Text(text) => text.reveal().to_owned(),
            PrivateKey::File(path) => fs::read_to_string(path)
                .map_err(|cause| Error::KeyUnreadable { path: path.clone(), cause })?,
        };
        let passphrase = self.login.passphrase.as_ref().map(Secret::reveal);
        let session = self.transport.session();
        let call = || session.userauth_pubkey_memory(&self.login.username, None, &text, passphrase);
        match self.offer(key.to_string(), call)? {
            Answer::Yes => Ok(true),
            Answer::No => Ok(false),
            Answer::Failed(error) => Err(Error::KeyUnusable {
                key: key.clone(),
                reason: error.message().to_owned(),
                passphrase_given: passphrase.is_some(),
            }),
        }
    }

    /// Tries the password once, whatever ways there are for it: a second try with a wrong one counts against the user,
    /// whom a switch may lock out.
    fn password(&mut self, password: &Secret) -> Result<bool, Error> {
        let (session, username) = (self.transport.session(), &self.login.username);
        let answer = if self.offers("password") {
            let call = || session.userauth_password(username, password.reveal());
            self.offer("the password".to_owned(), call)?
        } else if self.offers("keyboard-interactive") {
            let mut answers = Answers { password, answered: None, unanswered: Vec::new() };
            let call = || session.userauth_keyboard_interactive(username, &mut answers);
            let answer = self.offer("the password (keyboard-interactive)".to_owned(), call);
            let questions = answers.unanswered;
            match answer {
                Ok(Answer::Yes) => Answer::Yes,
                _ if !questions.is_empty() => {
                    return Err(Error::AskedMore { username: username.clone(), questions });
                }
                answer => answer?,
            }
        } else {
            Answer::No
        };
        Ok(matches!(answer, Answer::Yes))
    }

    /// Tries every key of the agent. What the agent itself takes, such as to ask a person, has no limit: libssh2
    /// waits for it as long as that may be.
    fn agent(&mut self) -> Result<bool, Error> {
        let none = |reason: String| Error::NoCredentials { username: self.login.username.clone(), reason };
        let Some(socket) = &self.login.agent else {
            return Err(none("there is no SSH agent (`SSH_AUTH_SOCK` is not set)".to_owned()));
        };
        let asking = |error: ssh2::Error| {
            none(format!("the SSH agent `{}` does not answer: {}", socket.display(), error.message()))
        };
        let mut agent = self.transport.session().agent().map_err(asking)?;
        agent.set_identity_path(socket).map_err(asking)?;
        agent.connect().map_err(asking)?;
        agent.list_identities().map_err(asking)?;
        let keys = agent.identities().map_err(asking)?;
        if keys.is_empty() {
            return Err(none(format!("the SSH agent `{}` holds no key", socket.display())));
        }
        if !self.offers("publickey") {
            return Ok(false);
        }
        for key in keys {
            let what = format!("the agent's key `{}`", key.comment());
            if let Answer::Yes = self.offer(what, || agent.userauth(&self.login.username, &key))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Answers the first question whose answer is not shown with the password, and every other one with nothing: what
/// is asked after it is a code that nobody here has, a new password, or the same once more because it was wrong.
struct Answers<'a> {
    password: &'a Secret,
    /// The question that the password answered.
    answered: Option<String>,
    /// Other questions.
    unanswered: Vec<String>,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt(&mut self, _username: &str, _instructions: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        prompts.iter().map(|prompt| self.answer(prompt)).collect()
    }
}

impl Answers<'_> {
    fn answer(&mut self, prompt: &Prompt<'_>) -> String {
        let printable: String = prompt
            .text
            .chars()
            .take(LONGEST_QUESTION)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let question = printable.split_whitespace().collect::<Vec<_>>().join(" ");
        if prompt.echo {
            return String::new();
        }
        match &self.answered {
            None => {
                self.answered = Some(question);
                return self.password.reveal().to_owned();
            }
            Some(answered) if *answered == question => {}
            Some(_) => self.unanswered.push(question),
        }
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_answers_one_hidden_question_and_what_is_asked_besides_is_told() {
        let password = Secret::from("hunter2".to_owned());
        let mut answers = Answers { password: &password, answered: None, unanswered: Vec::new() };
        let mut ask = |questions: &[(&'static str, bool)]| {
            let prompts: Vec<_> =
                questions.iter().map(|(text, echo)| Prompt { text: (*text).into(), echo: *echo }).collect();
            answers.prompt("netops", "", &prompts)
        };
        assert!(ask(&[]).is_empty());
        assert_eq!(
            ask(&[("Name: ", true), ("Password: ", false), ("Co\u{1b}de: ", false)]),
            ["", "hunter2", ""]
        );
        assert_eq!(ask(&[("Password: ", false)]), [""]);
        assert_eq!(ask(&[("New password: ", false)]), [""]);
        assert_eq!(answers.unanswered, ["Co de:", "New password:"]);
    }
}

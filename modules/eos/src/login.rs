//! Whom to talk to, as whom, and by what means: what `ssh.rs` needs to open a connection.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::proxy::ProxyCommand;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A private key in PEM, PKCS #8 or OpenSSH's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateKey {
    /// The file that holds it.
    File(PathBuf),
    /// The key itself.
    Text(Secret),
}

impl From<String> for PrivateKey {
    /// A text with the first line of a key is the key itself; anything else is a path, where `~/` is the home.
    fn from(given: String) -> Self {
        if given.contains("-----BEGIN ") {
            return Self::Text(Secret(given));
        }
        match (given.strip_prefix("~/"), env::home_dir()) {
            (Some(rest), Some(home)) => Self::File(home.join(rest)),
            _ => Self::File(given.into()),
        }
    }
}

impl fmt::Display for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the private key `{}`", path.display()),
            Self::Text(_) => f.write_str("the private key that was given as text"),
        }
    }
}

/// A login: the switch, the user and what proves that it is the user.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name or address, as `known_hosts` has it.
    pub host: String,
    /// Port of the SSH server.
    pub port: u16,
    /// What leads to it, where it cannot be reached from here.
    pub proxy: Option<ProxyCommand>,
    /// User to log in as.
    pub username: String,
    /// Offered after the private key.
    pub password: Option<Secret>,
    /// Offered first.
    pub private_key: Option<PrivateKey>,
    /// What the private key is encrypted with.
    pub passphrase: Option<Secret>,
    /// Socket of the SSH agent, `SSH_AUTH_SOCK`. Its keys are offered where there is neither key nor password.
    pub agent: Option<PathBuf>,
    /// The one file of known hosts to read. `None`: the user's own and the machine's.
    pub known_hosts: Option<PathBuf>,
    /// Whether the host key has to be known.
    pub host_key_checking: bool,
    /// From looking up the name to the shell.
    pub timeout: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let text = "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n".to_owned();
        let key = PrivateKey::from(text);
        assert_eq!(format!("{key:?} {key} {:?}", Secret::from("hunter2".to_owned())).find("hunter2"), None);
        assert!(matches!(key, PrivateKey::Text(_)));
    }

    #[test]
    fn a_path_may_begin_at_the_home() {
        let home = env::home_dir().unwrap();
        assert_eq!(PrivateKey::from("~/.ssh/id".to_owned()), PrivateKey::File(home.join(".ssh/id")));
        assert_eq!(PrivateKey::from("keys/id".to_owned()), PrivateKey::File("keys/id".into()));
    }
}

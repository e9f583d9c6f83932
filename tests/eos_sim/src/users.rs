//! Who may log in, and with what. How it is asked for is `server.rs`.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::Context as _;
use russh::keys::PublicKey;
use russh::keys::ssh_key::authorized_keys::AuthorizedKeys;

/// The level at which a login needs no `enable`.
const PRIVILEGED: u8 = 15;

/// Somebody who may log in.
#[derive(Clone)]
pub struct User {
    name: String,
    /// None: only a key will do.
    password: Option<String>,
    privileged: bool,
}

impl User {
    /// The login name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a login needs no `enable`.
    pub fn is_privileged(&self) -> bool {
        self.privileged
    }
}

impl FromStr for User {
    type Err = anyhow::Error;

    /// Reads `NAME:PASSWORD[:PRIVILEGE]`. An empty password is none; a password that ends in `:` and digits needs a
    /// privilege after it.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, rest) = text
            .split_once(':')
            .filter(|(name, _)| !name.is_empty())
            .context("a user is NAME:PASSWORD or NAME:PASSWORD:PRIVILEGE")?;
        let (password, level) =
            match rest.rsplit_once(':').map(|(password, level)| (password, level.parse::<u8>())) {
                Some((password, Ok(level))) => (password, level),
                _ => (rest, 1),
            };
        anyhow::ensure!(level <= PRIVILEGED, "the privilege of `{name}` is {level}: it is 0 to {PRIVILEGED}");
        let password = (!password.is_empty()).then(|| password.to_owned());
        Ok(Self { name: name.to_owned(), password, privileged: level == PRIVILEGED })
    }
}

/// Everybody who may log in.
#[derive(Default)]
pub struct Users {
    users: BTreeMap<String, User>,
    keys: Vec<PublicKey>,
}

impl Users {
    /// Adds a user, or replaces the one of that name.
    pub fn add(&mut self, user: User) {
        self.users.insert(user.name.clone(), user);
    }

    /// Adds users, one a line; blank lines and lines that begin with `#` are none.
    pub fn add_lines(&mut self, text: &str) -> anyhow::Result<()> {
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            self.add(line.parse().with_context(|| format!("line {}", number + 1))?);
        }
        Ok(())
    }

    /// Adds keys that every user may log in with, in the form of OpenSSH's `authorized_keys`.
    pub fn add_keys(&mut self, text: &str) -> anyhow::Result<()> {
        for entry in AuthorizedKeys::new(text) {
            self.keys.push(entry?.public_key().clone());
        }
        Ok(())
    }

    /// The user of that name and password.
    pub fn by_password(&self, name: &str, password: &str) -> Option<&User> {
        self.users.get(name).filter(|user| user.password.as_deref() == Some(password))
    }

    /// The user of that name, if they may log in with that key.
    pub fn by_key(&self, name: &str, key: &PublicKey) -> Option<&User> {
        let known = self.keys.iter().any(|known| known.key_data() == key.key_data());
        self.users.get(name).filter(|_| known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_user_has_a_password_and_a_privilege() {
        let mut users = Users::default();
        users.add_lines("# people\nann:s:e:cret:15\n\nbob:pa:ss:1\ncyd:plain\n").unwrap();
        assert!(users.by_password("ann", "s:e:cret").unwrap().is_privileged());
        assert!(!users.by_password("bob", "pa:ss").unwrap().is_privileged());
        assert!(!users.by_password("cyd", "plain").unwrap().is_privileged());
        assert!(users.by_password("cyd", "wrong").is_none());
        assert!(users.by_password("dan", "plain").is_none());
    }

    #[test]
    fn nobody_logs_in_with_no_password() {
        let mut users = Users::default();
        users.add("ann::15".parse().unwrap());
        assert!(users.by_password("ann", "").is_none());
    }

    #[test]
    fn a_key_is_good_for_those_who_exist() {
        let mut users = Users::default();
        users.add("ann:".parse().unwrap());
        users.add_keys(&format!("# keys\n{KEY} ann@example\n")).unwrap();
        let key: PublicKey = KEY.parse().unwrap();
        assert_eq!(users.by_key("ann", &key).unwrap().name(), "ann");
        assert!(users.by_key("bob", &key).is_none());
    }

    #[test]
    fn a_user_that_cannot_be_read_is_refused() {
        for text in ["ann", ":secret", "ann:secret:16"] {
            assert!(text.parse::<User>().is_err(), "{text}");
        }
        let error = format!("{:#}", Users::default().add_lines("ann:x\nbob\n").unwrap_err());
        assert!(error.starts_with("line 2: "), "{error}");
    }
}

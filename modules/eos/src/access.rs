//! How the switch is reached, as given in a task. What is made of it: `login.rs`.

use std::path::PathBuf;

use ansible_module::fault::Fault;
use serde::Deserialize;

use crate::login::{Login, Secret};
use crate::proxy::ProxyCommand;
use crate::rules;

/// The options of a connection, the same for every module.
#[derive(Deserialize)]
#[expect(missing_docs, reason = "documented in library/eos_port_channel.yml, which decides what they are")]
pub struct Access {
    pub host: String,
    pub port: i64,
    pub username: String,
    pub password: Option<String>,
    pub private_key: Option<String>,
    pub passphrase: Option<String>,
    pub enable_password: Option<String>,
    pub known_hosts: Option<PathBuf>,
    pub host_key_checking: bool,
    pub timeout: i64,
    pub proxy_command: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It holds secrets in the clear.
        f.debug_struct("Access").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Access {
    /// Checks the options; also the password of `enable`.
    pub fn login(self) -> Result<(Login, Option<Secret>), Fault> {
        let Self { host, port, username, password, private_key, passphrase, enable_password, .. } = self;
        let refused = |argument: &str, value: &str, hint: &str| {
            let value = rules::quoted(value);
            Err(Fault::new("invalid_access", format!("`{argument}`: {value} cannot be used; hint: {hint}")))
        };
        // A playbook gives an empty text where it has none.
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let is_plain =
            |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        // With a hyphen in front it would be an option in the command that the message of an unknown key shows.
        if !is_plain(&host) || host.starts_with('-') {
            return refused("host", &host, "a name or an address");
        }
        if !is_plain(&username) {
            return refused("username", &username, "the name of a user");
        }
        let port = match u16::try_from(port) {
            Ok(port) if port > 0 => port,
            _ => return refused("port", &port.to_string(), "1 to 65535"),
        };
        let proxy = match given(self.proxy_command) {
            Some(command) => match ProxyCommand::new(command.trim(), &host, port, &username) {
                Ok(proxy) => Some(proxy),
                Err(invalid) => return refused("proxy_command", &command, &invalid.to_string()),
            },
            None => None,
        };
        // It is typed into the dialog, where a second line would be a command.
        let enable_password = given(enable_password);
        if enable_password.as_deref().is_some_and(|text| text.chars().any(char::is_control)) {
            return Err(Fault::new(
                "invalid_access",
                "`enable_password`: it has a control character in it, such as the end of a line; hint: one line of text",
            ));
        }
        let private_key = given(private_key);
        if private_key.as_deref().is_some_and(is_no_key) {
            return Err(Fault::new(
                "private_key_unusable",
                "`private_key`: it is neither a path nor a key in PEM or OpenSSH's form; \
                 hint: `puttygen KEY -O private-openssh` makes one of PuTTY's, `b64decode` unwraps one",
            ));
        }
        let login = Login {
            host,
            port,
            proxy,
            username,
            password: given(password).map(Secret::from),
            private_key: private_key.map(Into::into),
            passphrase: given(passphrase).map(Secret::from),
            agent: std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(Into::into),
            known_hosts: self.known_hosts,
            host_key_checking: self.host_key_checking,
            timeout: rules::seconds("timeout", self.timeout, 1)?,
        };
        Ok((login, enable_password.map(Secret::from)))
    }
}

/// Whether a text can be neither a path nor a key, but may be one in another form: it is not to be quoted.
fn is_no_key(text: &str) -> bool {
    const LONGEST_PATH: usize = 4096;
    let is_path = !text.chars().any(char::is_control) && text.len() <= LONGEST_PATH;
    !text.contains("-----BEGIN ") && (!is_path || text.starts_with("LS0tLS1CRUdJTi"))
}

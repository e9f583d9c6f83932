//! The keys that `known_hosts` files hold for one host, and what they say of the key that it shows.
//!
//! The format is that of sshd(8), `SSH_KNOWN_HOSTS FILE FORMAT`, read line by line: a line that cannot be read is
//! told and skipped, and what stands after it counts. libssh2's own reader stops there, knows neither markers nor
//! wildcards, and mixes up types and ports. Nothing here talks to a host or writes a file.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::host_key::HostKey;

/// A file of known hosts that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "reading the known hosts in `{}`: {cause}; hint: give a file that is there as `known_hosts`, or none for \
     `~/.ssh/known_hosts`",
    path.display()
)]
pub struct Error {
    /// The file.
    path: PathBuf,
    /// What the kernel said.
    cause: io::Error,
}

/// Why the key that a host shows is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No key of this type is known for the host.
    #[error(
        "its host key {found} is not known{beside}; hint: compare the fingerprint with the host's own, over another \
         way than this network, then `{remedy}`"
    )]
    Unknown {
        /// The key that the host shows.
        found: HostKey,
        /// What may explain it: keys of other types that are known, lines that were skipped.
        beside: String,
        /// The command that adds the key.
        remedy: String,
    },
    /// Another key of this type is known for the host.
    #[error(
        "its host key has changed: expected {}, found {found}; somebody may be listening in; hint: if the host was \
         set up anew, compare the fingerprint with its own, then remove the line and add the new key",
        List(expected)
    )]
    Changed {
        /// The key that the host shows.
        found: HostKey,
        /// The keys of the same type that are known for it.
        expected: Vec<Entry>,
    },
    /// The key is marked as one that must not be trusted any more.
    #[error(
        "its host key {entry} is revoked; hint: the host needs a new key, which is then added in its place"
    )]
    Revoked {
        /// The line that revokes it.
        entry: Entry,
    },
}

/// A key and the line that holds it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: HostKey,
    /// File and line, as `FILE:LINE`.
    pub place: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.key, self.place)
    }
}

struct List<'a>(&'a [Entry]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(Entry::to_string).collect::<Vec<_>>().join(" or "))
    }
}

/// What is known of one host.
#[derive(Debug)]
pub struct KnownHost {
    host: String,
    port: u16,
    /// The name that lines are compared with.
    name: String,
    /// The file that a new key would be added to.
    file: PathBuf,
    keys: Vec<Entry>,
    revoked: Vec<Entry>,
    notices: Vec<String>,
}

impl KnownHost {
    /// Looks `host` up in `file`, or in the user's and the machine's own files, as far as there are any.
    pub fn look_up(host: &str, port: u16, file: Option<&Path>) -> Result<Self, Error> {
        let files = match file {
            Some(file) => vec![file.to_owned()],
            None => default_files(),
        };
        let mut known = Self::new(host, port, files.first().cloned().unwrap_or_default());
        for path in files {
            match fs::read(&path) {
                Ok(bytes) => known.read(&path, &String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {}
                Err(cause) => return Err(Error { path, cause }),
            }
        }
        Ok(known)
    }

    fn new(host: &str, port: u16, file: PathBuf) -> Self {
        // As `ssh` does: the name as it was given, with the port unless it is SSH's own.
        let host = host.to_ascii_lowercase();
        let name = if port == 22 { host.clone() } else { format!("[{host}]:{port}") };
        Self { host, port, name, file, keys: Vec::new(), revoked: Vec::new(), notices: Vec::new() }
    }

    /// The keys that are known.
    pub fn keys(&self) -> impl Iterator<Item = &HostKey> {
        self.keys.iter().map(|entry| &entry.key)
    }

    /// What the user should know of the files: the lines that were skipped, a sentence each.
    pub fn into_notices(self) -> Vec<String> {
        self.notices
    }

    /// Whether `found` is the host's key.
    pub fn judge(&self, found: &HostKey) -> Result<(), Refusal> {
        if let Some(entry) = self.revoked.iter().find(|entry| entry.key == *found) {
            return Err(Refusal::Revoked { entry: entry.clone() });
        }
        if self.keys().any(|key| key == found) {
            return Ok(());
        }
        let (expected, others): (Vec<_>, Vec<_>) =
            self.keys.iter().cloned().partition(|entry| entry.key.kind() == found.kind());
        if expected.is_empty() {
            let others = if others.is_empty() { None } else { Some(format!("only {}", List(&others))) };
            let beside = others.iter().chain(&self.notices).flat_map(|fact| [", ", fact.as_str()]).collect();
            let remedy = format!("ssh-keyscan -p {} {} >> {}", self.port, self.host, self.file.display());
            return Err(Refusal::Unknown { found: found.clone(), beside, remedy });
        }
        Err(Refusal::Changed { found: found.clone(), expected })
    }

    fn read(&mut self, path: &Path, text: &str) {
        for (line, number) in text.lines().zip(1..) {
            let place = format!("{}:{number}", path.display());
            if let Err(reason) = self.read_line(line, &place) {
                self.notices.push(format!("{place} was skipped: {reason}"));
            }
        }
    }

    /// Takes in what a line says of our host. The error is why it says nothing that can be used.
    fn read_line(&mut self, line: &str, place: &str) -> Result<(), &'static str> {
        let mut words = line.split_ascii_whitespace();
        let (marker, names) = match words.next() {
            None => return Ok(()),
            Some(comment) if comment.starts_with('#') => return Ok(()),
            Some(marker) if marker.starts_with('@') => {
                (marker, words.next().ok_or("it ends after its marker")?)
            }
            Some(names) => ("", names),
        };
        if !is_listed(&self.name, names)? {
            return Ok(());
        }
        let (Some(kind), Some(key)) = (words.next(), words.next()) else { return Err("it holds no key") };
        let key = Base64::decode_vec(key).ok().and_then(|blob| HostKey::from_blob(&blob));
        let key = key.filter(|key| key.kind() == kind).ok_or("its key cannot be read")?;
        let entry = Entry { key, place: place.to_owned() };
        match marker {
            "" => self.keys.push(entry),
            "@revoked" => self.revoked.push(entry),
            "@cert-authority" => return Err("certificates of hosts are not supported"),
            _ => return Err("its marker is none of sshd(8)"),
        }
        Ok(())
    }
}

fn default_files() -> Vec<PathBuf> {
    let own = env::home_dir().map(|home| home.join(".ssh/known_hosts"));
    own.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]).collect()
}

/// Whether the first field of a line, a hashed name or a list of patterns, names `name`, which is in lower case.
fn is_listed(name: &str, names: &str) -> Result<bool, &'static str> {
    if names.starts_with('|') {
        return is_hashed(name, names).ok_or("its hashed name cannot be read");
    }
    let mut listed = false;
    for pattern in names.to_ascii_lowercase().split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(name.as_bytes(), pattern.as_bytes()) => return Ok(false),
            Some(_) => {}
            None => listed |= matches(name.as_bytes(), pattern.as_bytes()),
        }
    }
    Ok(listed)
}

/// Whether `hashed`, `|1|SALT|HMAC-SHA1` in base64, is the hash of `name`. `None`: it is no hash.
fn is_hashed(name: &str, hashed: &str) -> Option<bool> {
    let (salt, hash) = hashed.strip_prefix("|1|")?.split_once('|')?;
    let (salt, hash) = (Base64::decode_vec(salt).ok()?, Base64::decode_vec(hash).ok()?);
    let mac = Hmac::<Sha1>::new_from_slice(&salt).ok()?;
    Some(mac.chain_update(name).verify_slice(&hash).is_ok())
}

/// Whether `name` is what `pattern` says: `*` stands for any characters, `?` for one.
fn matches(name: &[u8], pattern: &[u8]) -> bool {
    match (pattern, name) {
        ([], _) => name.is_empty(),
        ([b'*', rest @ ..], _) => {
            matches(name, rest) || name.split_first().is_some_and(|(_, name)| matches(name, pattern))
        }
        ([b'?', pattern @ ..], [_, name @ ..]) => matches(name, pattern),
        ([wanted, pattern @ ..], [found, name @ ..]) => wanted == found && matches(name, pattern),
        (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8) -> HostKey {
        HostKey::from_blob(&[&b"\0\0\0\x0bssh-ed25519\0\0\0\x01"[..], &[last]].concat()).unwrap()
    }

    /// A line for `names` with the key of this number. Base64 of 20 bytes, of which the last is the number.
    fn line(names: &str, number: u8) -> String {
        let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x01"[..], &[number]].concat();
        format!("{names} ssh-ed25519 {}", Base64::encode_string(&blob))
    }

    fn known(bytes: &[u8]) -> KnownHost {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, bytes).unwrap();
        KnownHost::look_up("core", 22, Some(file.path())).unwrap()
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_and_ends_nothing() {
        let broken = [
            "core",
            "core ssh-ed25519",
            "core ssh-ed25519 !",
            "core ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAAQE=",
            "core 1024 35 1234567890",
            "|1|c2FsdA==",
            "|2|c2FsdA==|aGFzaA== ssh-ed25519 AAAA",
            "@revoked",
            "@trusted core ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAQE=",
            "@cert-authority * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAQE=",
        ];
        for text in broken {
            let known = known(format!("# ours\n\n{text}\n{}\n", line("core", 7)).as_bytes());
            assert!(known.judge(&key(7)).is_ok(), "{text}");
            assert!(known.notices[0].contains(":3 was skipped: "), "{text}: {:?}", known.notices);
            assert_eq!((known.keys.len(), known.notices.len()), (1, 1), "{text}");
        }
    }

    #[test]
    fn broken_lines_of_other_hosts_are_not_our_business() {
        assert!(known(b"leaf\nleaf ssh-ed25519 !\n@trusted leaf x y\n").notices.is_empty());
    }

    #[test]
    fn a_comment_in_another_encoding_breaks_no_line() {
        let text = [line("core", 7).as_bytes(), b" Stra\xdfe\r\n"].concat();
        assert!(known(&text).judge(&key(7)).is_ok());
    }

    #[test]
    fn several_keys_are_all_known_and_a_revoked_one_is_not() {
        let text = [line("core", 1), line("c*,leaf", 2), line("@revoked c???", 1)].join("\n");
        let known = known(text.as_bytes());
        assert!(
            matches!(known.judge(&key(1)), Err(Refusal::Revoked { entry }) if entry.place.ends_with(":3"))
        );
        assert!(known.judge(&key(2)).is_ok());
        assert!(
            matches!(known.judge(&key(3)), Err(Refusal::Changed { expected, .. }) if expected.len() == 2)
        );
    }
}

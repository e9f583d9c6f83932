//! The switch's own key: read from its file, or made and written there.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey};

/// Reads an OpenSSH private key; makes an Ed25519 one, readable by its owner alone, where there is no file.
pub fn load_or_make(path: &Path) -> anyhow::Result<PrivateKey> {
    match PrivateKey::read_openssh_file(path) {
        Err(russh::keys::ssh_key::Error::Io(ErrorKind::NotFound)) => {
            let key = make()?;
            write(path, &key).with_context(|| format!("writing the host key `{}`", path.display()))?;
            Ok(key)
        }
        read => read.with_context(|| format!("reading the host key `{}`", path.display())),
    }
}

/// Makes an Ed25519 key.
pub fn make() -> anyhow::Result<PrivateKey> {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).context("making a host key")
}

/// The fingerprint that OpenSSH's tools show, such as `SHA256:…`.
pub fn fingerprint(key: &PrivateKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn write(path: &Path, key: &PrivateKey) -> anyhow::Result<()> {
    let text = key.to_openssh(LineEnding::LF)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = load_or_make(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fingerprint(&load_or_make(&path).unwrap()), fingerprint(&made));
    }

    #[test]
    fn a_file_that_is_no_key_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "nonsense").unwrap();
        assert!(load_or_make(&path).unwrap_err().to_string().starts_with("reading the host key `"));
        assert_eq!(std::fs::read(&path).unwrap(), b"nonsense");
    }
}

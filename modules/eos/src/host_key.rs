//! A host's public key: its type, its fingerprint, and the algorithms by which a server proves that it has it.
//!
//! Whether a key is to be trusted: `known_hosts.rs`.

use std::fmt;

use base64ct::{Base64Unpadded, Encoding};
use sha2::{Digest, Sha256};

/// A public key, as a server shows it and as `known_hosts` holds it. Prints as type and SHA256 fingerprint, in the
/// form of OpenSSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    kind: String,
    blob: Vec<u8>,
}

impl HostKey {
    /// A key from its bytes, which begin with the length and the name of its type (RFC 4253, 6.6). `None`: they
    /// do not.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        let (length, rest) = blob.split_first_chunk()?;
        let (kind, _) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let kind = str::from_utf8(kind).ok().filter(|kind| !kind.is_empty())?;
        Some(Self { kind: kind.to_owned(), blob: blob.to_owned() })
    }

    /// Its type, such as `ssh-ed25519` or `ssh-rsa`.
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = Base64Unpadded::encode_string(&Sha256::digest(&self.blob));
        write!(f, "{} SHA256:{hash}", self.kind)
    }
}

/// The algorithms to offer to a server, best first and separated by commas: of those that are `supported`, the
/// ones for the types of key that are `known`, then the others.
///
/// As with OpenSSH, the others are offered too: a server that has none of the known types can then show the key
/// that it has, and the error its fingerprint. Certificates are left out, because nothing here checks them.
pub fn preference(supported: &[&str], known: &[&HostKey]) -> String {
    let is_known = |algorithm: &&str| known.iter().any(|key| key.kind() == key_type(algorithm));
    let plain = supported.iter().copied().filter(|algorithm| !algorithm.contains("-cert-"));
    let (first, then): (Vec<&str>, Vec<&str>) = plain.partition(is_known);
    [first, then].concat().join(",")
}

/// The type of key that an algorithm signs with: RSA has more than one (RFC 8332).
fn key_type(algorithm: &str) -> &str {
    match algorithm {
        "rsa-sha2-256" | "rsa-sha2-512" => "ssh-rsa",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str) -> HostKey {
        let length = u32::try_from(kind.len()).unwrap().to_be_bytes();
        HostKey::from_blob(&[&length[..], kind.as_bytes(), b"the rest"].concat()).unwrap()
    }

    #[test]
    fn a_key_tells_its_type_and_prints_as_openssh_prints_it() {
        let key = key("ssh-ed25519");
        assert_eq!(key.kind(), "ssh-ed25519");
        assert!(key.to_string().starts_with("ssh-ed25519 SHA256:"), "{key}");
        assert_eq!(key.to_string().len(), "ssh-ed25519 SHA256:".len() + 43);
    }

    #[test]
    fn bytes_that_do_not_name_a_type_are_no_key() {
        for blob in [
            &b""[..],
            b"\0\0\0",
            b"\0\0\0\x05abcd",
            b"\0\0\0\0rest",
            b"\0\0\0\x02\xff\xffrest",
            b"\xff\xff\xff\xffa",
        ] {
            assert_eq!(HostKey::from_blob(blob), None, "{blob:?}");
        }
    }

    #[test]
    fn known_types_are_offered_first_and_certificates_never() {
        let supported = [
            "ssh-ed25519-cert-v01@openssh.com",
            "ssh-ed25519",
            "ecdsa-sha2-nistp256",
            "rsa-sha2-512",
            "rsa-sha2-256",
        ];
        assert_eq!(
            preference(&supported, &[&key("ssh-rsa")]),
            "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256"
        );
        assert_eq!(preference(&supported, &[]), "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256");
    }
}

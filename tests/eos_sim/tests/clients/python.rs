//! The Python that the clients are installed in: `tests/lab/prepare clients` makes it, of `tests/clients.txt`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, text};

/// A folder or file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap_or_else(|error| {
        panic!("`{path}` of the project: {error}; hint: run `tests/lab/prepare clients`")
    })
}

/// A script or program of this folder.
pub fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// What a script that is told the switch's port has seen.
pub fn seen_by(script: &str, switch: &Process) -> serde_json::Value {
    let python = project(".lab/clients").join("bin/python");
    let output = Command::new(python).arg(beside(script)).arg(switch.port()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

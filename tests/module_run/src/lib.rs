//! Runs a module's binary over its protocol, for the tests of every crate that has one. What it should answer is theirs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The path of a module's binary: `env!("CARGO_BIN_EXE_…")`, which only the tests of its own crate know.
pub struct Module(pub &'static str);

impl Module {
    /// Calls it with these words, and `input` as its standard input.
    ///
    /// # Panics
    /// Where it does not start or end, which is how a test fails.
    pub fn run(&self, words: &[&str], input: &str) -> Output {
        let mut child = Command::new(self.0)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have answered without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Its exit status and result for arguments on standard input.
    ///
    /// # Panics
    /// Where it prints anything else than one JSON value.
    pub fn answer(&self, arguments: &str) -> (i32, Value) {
        answer(&self.run(&["-"], arguments))
    }

    /// The text that it prints for these words.
    ///
    /// # Panics
    /// Where it fails, or prints an error.
    pub fn text(&self, words: &[&str]) -> String {
        let output = self.run(words, "");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The exit status and the result of a module that has run.
///
/// # Panics
/// Where it printed anything else than one JSON value.
pub fn answer(output: &Output) -> (i32, Value) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

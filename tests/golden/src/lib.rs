//! Folders that are test cases: what goes in, and what has to come out, a file each. What the files mean is the test's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

/// What came out of a case, by the names of its files; `None` where there must not be such a file.
pub type Outcome = Vec<(&'static str, Option<String>)>;

/// Runs every folder of `root` as a case, and tells all that came out otherwise than its files say. With `BLESS` in the
/// environment, what came out is written to the files too, to be read in the diff; the test fails all the same.
///
/// # Panics
/// Where one did, which is how a test fails.
pub fn every_case(root: &Path, run: impl Fn(&Path) -> Outcome) {
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(!cases.is_empty(), "{} holds no case", root.display());
    let wrong = cases.iter().flat_map(|case| {
        // One that panics says why, and the others are run all the same.
        match panic::catch_unwind(AssertUnwindSafe(|| run(case))) {
            Ok(outcome) => differences(case, outcome),
            Err(_) => vec![format!("{} panicked", case.display())],
        }
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(case: &Path, outcome: Outcome) -> Vec<String> {
    let differs = |(name, found): (&str, Option<String>)| {
        let file = case.join(name);
        let wanted = fs::read_to_string(&file).ok();
        let told = found.clone().unwrap_or_else(|| "there should be none\n".to_owned());
        if wanted != found && std::env::var_os("BLESS").is_some() {
            match &found {
                Some(text) => fs::write(&file, text).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
        }
        (wanted != found).then(|| format!("{}:\n{told}", file.display()))
    };
    outcome.into_iter().filter_map(differs).collect()
}

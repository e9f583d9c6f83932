//! What is written against what is there: every error code with its meaning, every module in the README, every link.
//!
//! The sources are read as text. What they mean is the compiler's and the other tests' business.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test panics where it cannot go on")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_error_code_is_documented_and_every_documented_one_exists() {
    let mut in_source = codes_in("modules", &["Fault::new", "Fault::from_error"]);
    in_source.extend(codes_of_the_spec());
    are_documented("docs/errors.md", &in_source);
}

#[test]
fn every_code_of_a_finding_is_documented_and_every_documented_one_exists() {
    let makers = ["Finding::impossible", "Finding::error", "Finding::note", "tell"];
    are_documented("docs/findings.md", &codes_in("modules/link", &makers));
}

fn are_documented(document: &str, in_source: &BTreeSet<String>) {
    let documented: Vec<String> = table_keys(document);
    let once: BTreeSet<String> = documented.iter().cloned().collect();
    assert_eq!(documented.len(), once.len(), "{document}: a code is documented twice");
    let missing: Vec<_> = in_source.difference(&once).collect();
    let superfluous: Vec<_> = once.difference(in_source).collect();
    assert!(
        missing.is_empty() && superfluous.is_empty(),
        "{document} lacks {missing:?} and has {superfluous:?}, which no source gives"
    );
}

#[test]
fn every_module_is_in_the_readme() {
    let modules: BTreeSet<String> = files("library", "yml")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(table_keys("README.md").into_iter().collect::<BTreeSet<_>>(), modules);
}

#[test]
fn every_link_leads_somewhere() {
    let documents: Vec<PathBuf> =
        ["", "docs", "tests/lab"].iter().flat_map(|folder| files(folder, "md")).collect();
    assert!(documents.len() >= 6, "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            let exists = target.is_empty()
                || target.starts_with("https://")
                || document.parent().unwrap().join(target).exists();
            assert!(exists, "{} links to {link}, which is not there", document.display());
        }
    }
}

fn codes_in(folder: &str, makers: &[&str]) -> BTreeSet<String> {
    sources(folder).iter().flat_map(|path| codes(path, &code_of(path), makers)).collect()
}

/// The codes that a source gives to what the `makers` make. Where one is handed to a function or closure that calls a
/// maker, they are the first arguments that this one is called with.
fn codes(path: &Path, code: &str, makers: &[&str]) -> Vec<String> {
    let mut makers: Vec<String> = makers.iter().map(ToString::to_string).collect();
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(maker) = makers.get(next).cloned() {
        next += 1;
        for (at, argument) in calls(code, &maker) {
            if let Some(literal) = argument.strip_prefix('"') {
                found.push(literal.split('"').next().unwrap().to_owned());
            } else if argument.starts_with("code,") {
                let outer = maker_around(code.split_at(at).0)
                    .unwrap_or_else(|| panic!("{}: who calls this `{maker}`?", path.display()));
                if !makers.contains(&outer) {
                    makers.push(outer);
                }
            } else {
                assert!(
                    argument.starts_with("invalid.kind.code()"),
                    "{}: `{maker}({}…`: no code that this test can see",
                    path.display(),
                    argument.chars().take(30).collect::<String>()
                );
            }
        }
    }
    found
}

/// Every call of `function`: where, and the text from its first argument on.
fn calls<'a>(code: &'a str, function: &str) -> Vec<(usize, &'a str)> {
    let call = format!("{function}(");
    code.match_indices(&call)
        .filter(|(at, _)| {
            !code.split_at(*at).0.ends_with(|before: char| before.is_alphanumeric() || before == '_')
        })
        .filter(|(at, _)| !code.split_at(*at).0.ends_with("fn "))
        .map(|(at, _)| (at, code.split_at(at + call.len()).1.trim_start()))
        .collect()
}

/// The name of the last `let NAME = |code, …` or `fn NAME(code: …` in `code`.
fn maker_around(code: &str) -> Option<String> {
    let name = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    let closure = code.rfind(" = |code");
    let function = code.rfind("(code: &'static str");
    match (closure, function) {
        (Some(at), function) if Some(at) > function => {
            code.split_at(at).0.rsplit("let ").next().and_then(name)
        }
        (_, Some(at)) => code.split_at(at).0.rsplit("fn ").next().and_then(name),
        _ => None,
    }
}

/// The codes of wrong arguments, which stand in a table of their own.
fn codes_of_the_spec() -> Vec<String> {
    let code = code_of(&root().join("modules/ansible_module/src/spec/validate.rs"));
    let (_, table) = code.split_once("pub const fn code(self)").unwrap();
    let (table, _) = table.split_once("\n    }\n").unwrap();
    let found: Vec<String> = table.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!found.is_empty());
    found
}

/// A source without its tests.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned()
}

/// The first columns of a document's tables, as far as they are literals.
fn table_keys(document: &str) -> Vec<String> {
    fs::read_to_string(root().join(document))
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path.file_name().is_none_or(|name| name != "tests.rs")
            {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

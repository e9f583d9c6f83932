//! The tests that `docs/convergence.md` and `docs/dialog.md` name exist, and those that `tests/disabled` wants to fail are among
//! them.
//!
//! Whether they pass is for them to say, and whether they fail for `make disabled`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test panics where it cannot go on")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const CASES: &str = "plan/";

/// A document whose rows name their tests.
struct Document {
    path: &'static str,
    /// Where the files are that it names without a path.
    folder: &'static str,
    /// So many tests it names at least.
    least: usize,
}

const DOCUMENTS: [Document; 2] = [
    Document { path: "docs/convergence.md", folder: "tests/lab/tests", least: 80 },
    Document { path: "docs/dialog.md", folder: "modules/eos/tests/switch", least: 60 },
];

#[test]
fn every_test_and_case_that_a_document_names_exists() {
    for document in DOCUMENTS {
        let Document { path, least, .. } = document;
        let named = document.named();
        assert!(named.len() >= least, "{path}: only {} tests are named", named.len());
        let missing: Vec<_> = named.iter().filter(|name| !document.exists(name)).collect();
        assert!(missing.is_empty(), "{path} names {missing:?}, which are not there");
    }
}

#[test]
fn every_row_of_a_document_has_a_test() {
    for document in DOCUMENTS {
        let text = document.text();
        let rows = text.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |"));
        let without: Vec<_> = rows.filter(|row| literals(row).all(|literal| !is_a_test(literal))).collect();
        assert!(without.is_empty(), "{}: {without:?}", document.path);
    }
}

#[test]
fn every_disabled_rule_is_one_of_a_document() {
    let named: BTreeSet<String> = DOCUMENTS.iter().flat_map(Document::named).collect();
    let patches: Vec<PathBuf> = fs::read_dir(root().join("tests/disabled"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    assert!(patches.len() >= 10, "{patches:?}");
    for patch in patches {
        let text = fs::read_to_string(&patch).unwrap();
        let mut lines = text.lines();
        let mut line = |key| lines.next().and_then(|line| line.strip_prefix(key)).unwrap_or_default();
        let (filter, shows) = (line("test: "), line("shows: "));
        // The cells of the fault matrix are held to it by its own tests.
        if filter.starts_with("package(faults) ") {
            continue;
        }
        // A golden case is told by its folder, which the failure of the one test names.
        let is_meant = |name: &String| {
            let function = name.rsplit("::").next().unwrap();
            name == shows
                || filter.ends_with(&format!("={function})"))
                || filter.ends_with(&format!("::{function})"))
        };
        assert!(
            !shows.is_empty() && filter.contains("package(") && named.iter().any(is_meant),
            "{} begins with `test: {filter}`, `shows: {shows}`, which is no test of these documents",
            patch.display()
        );
    }
}

impl Document {
    fn named(&self) -> BTreeSet<String> {
        literals(&self.text()).filter(|literal| is_a_test(literal)).map(str::to_owned).collect()
    }

    fn text(&self) -> String {
        // What it says of its own notation comes before the first section.
        let text = fs::read_to_string(root().join(self.path)).unwrap();
        text.split_once("\n## ").unwrap().1.to_owned()
    }

    fn exists(&self, name: &str) -> bool {
        if name.starts_with(CASES) {
            return root().join("modules/pve/tests").join(name).join("case.json").exists();
        }
        let (file, function) = name.split_once("::").unwrap_or_else(|| panic!("{name}"));
        let folder = root().join(if file.starts_with("modules/") { "" } else { self.folder });
        let code = fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap_or_default();
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        let is_this = |line: &&str| line.starts_with(&format!("fn {function}("));
        lines.windows(2).any(|two| matches!(two, [test, line] if *test == "#[test]" && is_this(line)))
    }
}

fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_a_test(literal: &str) -> bool {
    literal.contains("::") || literal.starts_with(CASES)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

//! Every folder of `tests/cases` is a case: the proved link of `tests/base.json`, what is otherwise in it, and what is
//! found then.
//!
//! - `case.json`: `set`, values by JSON pointer (a list grows at `-`), and after that `remove`, a list of pointers.
//!   Without `/info` and `/switches` it is the description alone.
//! - `findings`: a line each, `level end code | text`.
//! - or `refused`: the code of the error, and its message.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::module::{answer, base, remove, set};

#[test]
fn every_case_comes_out_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A code that no case leads to may be one that nothing leads to.
#[test]
fn every_finding_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = fs::read_to_string(root.join("../../docs/findings.md")).unwrap();
    let documented = documented.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let found: String = fs::read_dir(root.join("tests/cases"))
        .unwrap()
        .filter_map(|case| fs::read_to_string(case.unwrap().path().join("findings")).ok())
        .collect();
    let missing: Vec<&str> = documented.filter(|code| !found.contains(&format!(" {code} | "))).collect();
    assert_eq!(missing, [""; 0]);
}

fn check(case: &Path) -> Result<(), String> {
    let described: Value = serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
    let mut arguments = base();
    for (pointer, value) in described["set"].as_object().into_iter().flatten() {
        set(&mut arguments, pointer, value.clone());
    }
    for pointer in described["remove"].as_array().into_iter().flatten() {
        remove(&mut arguments, pointer.as_str().unwrap());
    }
    let (status, result) = answer(&arguments);
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let (findings, refused) = if status == 0 {
        (Some(lines(&result)), None)
    } else {
        (None, Some(format!("{}: {}\n", text(&result["error"]["code"]), text(&result["msg"]))))
    };
    let mut wrong = String::new();
    for (name, found) in [("findings", findings), ("refused", refused)] {
        if fs::read_to_string(case.join(name)).ok() != found {
            let found = found.unwrap_or_else(|| "there should be none\n".to_owned());
            write!(wrong, "{}/{name}:\n{found}", case.display()).unwrap();
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn lines(result: &Value) -> String {
    let findings = result["findings"].as_array().unwrap();
    let errors = findings.iter().filter(|finding| finding["level"] == "error").count();
    assert_eq!(result["ok"], errors == 0, "{result}");
    let mut lines = String::new();
    for finding in findings {
        let text = |key: &str| finding[key].as_str().unwrap();
        // Whoever reads only the sentence has to know where.
        assert!(text("text").starts_with(&format!("{}: ", text("where"))), "{finding}");
        writeln!(lines, "{} {} {} | {}", text("level"), text("end"), text("code"), text("text")).unwrap();
    }
    lines
}

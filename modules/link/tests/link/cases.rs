//! Every folder of `tests/cases` is a case: the proved link of `tests/base.json`, what is otherwise in it, and what is
//! found then.
//!
//! - `case.json`: `set`, values by JSON pointer (a list grows at `-`), and after that `remove`, a list of pointers.
//!   Without `/info` and `/switches` it is the description alone.
//! - `findings`: a line each, `level end code | text`.
//! - or `refused`: the code of the error, and its message.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use golden::Outcome;
use serde_json::Value;

use crate::module::{answer, base, remove, set};

#[test]
fn every_case_comes_out_as_expected() {
    golden::every_case(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"), outcome);
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

fn outcome(case: &Path) -> Outcome {
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
    let refused = || format!("{}: {}\n", text(&result["error"]["code"]), text(&result["msg"]));
    vec![("findings", (status == 0).then(|| lines(&result))), ("refused", (status != 0).then(refused))]
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

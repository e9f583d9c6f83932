//! `diff` as Ansible shows it: one unified diff an object, never a whole file.

use std::fmt::Write;

use serde_json::{Value, json};
use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{DiffTag, group_diff_ops};

/// Lines that are shown around a change.
const CONTEXT: usize = 3;

/// One object of a state as text, for people: a stanza, a line of a list, a port's live settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What it is, such as `bond0 in /etc/network/interfaces`. Names pair the two sides of a diff.
    pub name: String,
    /// Its text, a line a property; empty where the object does not exist.
    pub text: String,
}

/// Ansible's `diff`: a list with an entry for each object that differs, in the order of `after`.
pub fn between(before: &[Described], after: &[Described]) -> Value {
    let names = after.iter().chain(before.iter().filter(|old| !after.iter().any(|new| new.name == old.name)));
    names
        .filter_map(|Described { name, .. }| {
            let old = text_of(before, name);
            let new = text_of(after, name);
            (old != new).then(|| json!({"prepared": unified(name, old, new)}))
        })
        .collect()
}

fn text_of<'a>(objects: &'a [Described], name: &str) -> &'a str {
    objects.iter().find(|object| object.name == name).map_or("", |object| &object.text)
}

/// One text against another, in the form that diff(1) calls unified; empty where they are the same.
///
/// `similar::TextDiff` would do the same, and link every algorithm that it has: 180 KB in each module.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let [old, new] = [old, new].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut hook = Compact::new(Replace::new(Capture::new()), old.as_slice(), new.as_slice());
    let Ok(()) =
        myers::diff_deadline_raw(&mut hook, old.as_slice(), 0..old.len(), new.as_slice(), 0..new.len(), None);
    let mut text = format!("--- before: {name}\n+++ after: {name}\n");
    for hunk in group_diff_ops(hook.into_inner().into_inner().into_ops(), CONTEXT) {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", UnifiedHunkHeader::new(&hunk));
        for (tag, old_lines, new_lines) in hunk.iter().map(similar::DiffOp::as_tag_tuple) {
            let old_lines = old.get(old_lines).unwrap_or_default();
            let new_lines = new.get(new_lines).unwrap_or_default();
            if tag == DiffTag::Equal {
                put(&mut text, ' ', old_lines);
            } else {
                put(&mut text, '-', old_lines);
                put(&mut text, '+', new_lines);
            }
        }
    }
    text
}

fn put(text: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        text.push(sign);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, text: &str) -> Described {
        Described { name: name.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn only_what_differs_is_shown_object_by_object() {
        let before = [object("bond0", "tag 10\n"), object("gone", "x\n"), object("same", "y\n")];
        let after = [object("same", "y\n"), object("bond0", "tag 20\n")];
        assert_eq!(
            between(&before, &after),
            json!([
                {"prepared": "--- before: bond0\n+++ after: bond0\n@@ -1 +1 @@\n-tag 10\n+tag 20\n"},
                {"prepared": "--- before: gone\n+++ after: gone\n@@ -1 +0,0 @@\n-x\n"},
            ])
        );
    }

    #[test]
    fn a_diff_is_that_of_similar_itself() {
        let numbers = |skip: &[usize]| {
            (0..40).filter(|n| !skip.contains(n)).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat()
        };
        for (old, new) in [
            (numbers(&[]), numbers(&[3, 4, 20])),
            (numbers(&[0, 39]), numbers(&[10])),
            (numbers(&[5]), numbers(&[6])),
            ("a\nb\na\nb\n".to_owned(), "b\na\nb\na\n".to_owned()),
            ("{\na\n}\n{\nb\n}\n".to_owned(), "{\na\n}\n{\nc\n}\n{\nb\n}\n".to_owned()),
            ("no newline".to_owned(), "no newline\nbut now\n".to_owned()),
            (String::new(), numbers(&[])),
            (numbers(&[]), numbers(&[])),
        ] {
            let expected = similar::TextDiff::from_lines(&old, &new)
                .unified_diff()
                .context_radius(CONTEXT)
                .header("before: x", "after: x")
                .to_string();
            assert_eq!(unified("x", &old, &new), expected);
        }
    }
}

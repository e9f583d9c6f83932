//! `diff` as Ansible shows it: one unified diff an object, never a whole file.

use serde_json::{Value, json};
use similar::TextDiff;

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

/// One text against another, in the form that diff(1) calls unified.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("before: {name}"), &format!("after: {name}"))
        .to_string()
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
}

//! Which texts among the arguments are secret. Hiding them is for whoever prints something.
//!
//! Looked for before anything is checked, so that an error message can be masked too. Where an argument has
//! the wrong shape, too much is taken for secret rather than too little; everything that Ansible's own
//! `no_log` hides is among it. A private key is a secret wherever it stands: an option may also take a file's name,
//! which is none.

use std::{collections::BTreeSet, iter};

use serde_json::{Map, Value};

use super::{OptionSpec, Type, convert::convert, python};

/// How the first and the last line of a private key end, in PEM and in OpenSSH's own format.
const KEY_MARKER: &str = "PRIVATE KEY-----";

/// Keys in other wrappings: that of `PuTTY`, and one in base64 as a whole.
const OTHER_KEY_MARKERS: [&str; 2] = ["PuTTY-User-Key-File", "LS0tLS1CRUdJTi"];

/// Base64 comes in fours. What is shorter is no part of a key, and would hide too much else.
const SHORTEST_OF_KEY: usize = 4;

/// The texts in the values of `no_log` options, as given and as converted, and every private key.
pub(crate) fn secrets(options: &[OptionSpec], arguments: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(options, arguments, &mut found);
    keys_inside(arguments, &mut found);
    found
}

fn collect(options: &[OptionSpec], arguments: &Map<String, Value>, found: &mut BTreeSet<String>) {
    for option in options {
        let names = iter::once(option.name).chain(option.aliases.iter().copied());
        for value in names.filter_map(|name| arguments.get(name)) {
            if option.no_log {
                texts(value, found);
                texts(&convert(option.kind, value).unwrap_or_default(), found);
            }
            if let Some(inside) = &option.suboptions {
                for element in elements(option.kind, value) {
                    match convert(Type::Dict, &element) {
                        Ok(Value::Object(entries)) => collect(inside.options, &entries, found),
                        _ if holds_secrets(inside.options) => texts(&element, found),
                        _ => {}
                    }
                }
            }
        }
    }
}

/// What may be a dict with options in it: the value, or each element where it is, or is read as, a list.
fn elements(kind: Type, value: &Value) -> Vec<Value> {
    match (kind, value) {
        (_, Value::Array(items)) => items.clone(),
        (Type::List(_), Value::String(text)) => {
            iter::once(value.clone()).chain(text.split(',').map(Value::from)).collect()
        }
        _ => vec![value.clone()],
    }
}

fn holds_secrets(options: &[OptionSpec]) -> bool {
    options.iter().any(|option| {
        option.no_log || option.suboptions.as_ref().is_some_and(|inside| holds_secrets(inside.options))
    })
}

fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(_) => {
            found.insert(python::str(value));
        }
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(entries) => entries.values().for_each(|item| texts(item, found)),
    }
}

fn keys_inside(entries: &Map<String, Value>, found: &mut BTreeSet<String>) {
    for (name, value) in entries {
        key(name, found);
        keys(value, found);
    }
}

fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => key(text, found),
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        Value::Object(entries) => keys_inside(entries, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The whole of a text that holds a private key, and each line of the key: a message may quote it in part, or with
/// its line ends written out. Folded by YAML, the lines are words.
fn key(text: &str, found: &mut BTreeSet<String>) {
    if OTHER_KEY_MARKERS.iter().any(|marker| text.contains(marker)) {
        found.insert(text.to_owned());
        found.extend(text.split_whitespace().filter(|line| line.len() > SHORTEST_OF_KEY).map(str::to_owned));
        return;
    }
    if !text.contains(KEY_MARKER) {
        return;
    }
    found.insert(text.to_owned());
    for after in text.split(KEY_MARKER).skip(1) {
        let inside = after.split("-----").next().unwrap_or_default().replace("\\r", " ").replace("\\n", " ");
        let lines = inside.split_whitespace().filter(|line| line.len() >= SHORTEST_OF_KEY);
        found.extend(lines.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Constraints, Suboptions};
    use serde_json::json;

    const PASSWORD: OptionSpec =
        OptionSpec { no_log: true, aliases: &["pass"], ..OptionSpec::new("password", Type::Str) };
    const TOKENS: OptionSpec =
        OptionSpec { no_log: true, ..OptionSpec::new("tokens", Type::List(Some(&Type::Str))) };
    const USERS: OptionSpec = OptionSpec {
        suboptions: Some(Suboptions {
            options: &[OptionSpec::new("name", Type::Str), PASSWORD],
            constraints: Constraints::NONE,
        }),
        ..OptionSpec::new("users", Type::List(Some(&Type::Dict)))
    };

    #[test]
    fn secrets_are_found_under_every_name_and_in_every_shape() {
        for (arguments, expected) in [
            (json!({"password": "a", "pass": "b", "other": "c"}), vec!["a", "b"]),
            (json!({"password": 12.0}), vec!["12.0"]),
            (
                json!({"password": {"x": ["a", 7, true, null, ""]}}),
                vec!["7", "a", "{'x': ['a', 7, True, None, '']}"],
            ),
            (json!({"tokens": "a,b"}), vec!["a", "a,b", "b"]),
            (json!({"users": [{"name": "n", "pass": "a"}, {"password": "b"}]}), vec!["a", "b"]),
            (json!({"users": "name=n pass=a"}), vec!["a"]),
            (json!({"users": ["password=a", "odd"]}), vec!["a", "odd"]),
            (json!({"users": [["odd"]]}), vec!["odd"]),
            (json!({"users": null}), vec![]),
        ] {
            let found = secrets(&[PASSWORD, TOKENS, USERS], arguments.as_object().unwrap());
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{arguments}");
        }
    }
    #[test]
    fn a_private_key_is_a_secret_in_any_option_and_a_path_is_none() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAEb\n=\n-----END OPENSSH PRIVATE KEY-----\n";
        let lines = ["AAAEb", "b3BlbnNzaC1rZXk"];
        for text in [
            key.to_owned(),
            key.replace("OPENSSH ", ""),
            key.replace('\n', "\r\n"),
            key.replace('\n', "\\n"),
            key.replace('\n', " "),
            key.split("-----END").next().unwrap().to_owned(),
        ] {
            for arguments in [
                json!({"private_key": text}),
                json!({"users": [{"name": text}]}),
                json!({"no_option": {"x": [text]}}),
                json!({text.clone(): 1}),
            ] {
                let found = secrets(&[USERS], arguments.as_object().unwrap());
                let expected: BTreeSet<&str> = lines.into_iter().chain([text.as_str()]).collect();
                assert_eq!(
                    found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
                    expected,
                    "{arguments}"
                );
            }
        }
        for wrapped in ["PuTTY-User-Key-File-3: x\nAAAAC3Nz\n", "LS0tLS1CRUdJTiBPUEVOU1NI\nAAAAC3Nz"] {
            let found = secrets(&[USERS], json!({"private_key": wrapped}).as_object().unwrap());
            assert!(found.contains(wrapped) && found.contains("AAAAC3Nz"), "{found:?}");
        }
        let public =
            json!({"private_key": "/root/.ssh/id_ed25519", "other": "-----BEGIN PUBLIC KEY-----\nMFkw"});
        assert_eq!(secrets(&[USERS], public.as_object().unwrap()), BTreeSet::new());
    }
}

//! Which texts among the arguments are secret. Hiding them is for whoever prints something.
//!
//! Looked for before anything is checked, so that an error message can be masked too. Where an argument has
//! the wrong shape, too much is taken for secret rather than too little; everything that Ansible's own
//! `no_log` hides is among it.

use std::{collections::BTreeSet, iter};

use serde_json::{Map, Value};

use super::{OptionSpec, Type, convert::convert, python};

/// The texts in the values of `no_log` options, as given and as converted.
pub(crate) fn secrets(options: &[OptionSpec], arguments: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(options, arguments, &mut found);
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
}

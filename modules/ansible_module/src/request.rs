//! What Ansible hands to a module: one JSON object, in a file or on standard input, with its own `_ansible_*`
//! keys among the arguments. Only taken apart here; the arguments' meaning is the argument spec's.

use std::fs::File;
use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::fault::Fault;

/// Far beyond any playbook, and small enough to refuse a wrong file at once.
const LARGEST: u64 = 16 * 1024 * 1024;

const OBJECT_HINT: &str = "hint: such as `{\"name\": \"vmbr0\"}`";

/// A parsed call.
#[derive(Debug)]
pub struct Request {
    /// The module's arguments, as given.
    pub arguments: Map<String, Value>,
    /// What Ansible asks of every module.
    pub internal: Internal,
    /// All of it as it came, for another process to read again.
    pub text: Vec<u8>,
}

impl Request {
    /// An explicit null is an option that was not given, at every level: a playbook's way to leave one out.
    #[must_use]
    pub fn without_nulls(mut self) -> Self {
        drop_nulls(&mut self.arguments);
        self
    }
}

fn drop_nulls(arguments: &mut Map<String, Value>) {
    arguments.retain(|_, value| !value.is_null());
    for value in arguments.values_mut() {
        match value {
            Value::Object(inside) => drop_nulls(inside),
            Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(drop_nulls),
            _ => {}
        }
    }
}

/// The `_ansible_*` keys that matter to a binary module; the others are ignored, as new releases add some.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "Ansible's own flags, independent of each other")]
pub struct Internal {
    /// Predict, touch nothing.
    pub check_mode: bool,
    /// Return `diff`.
    pub diff: bool,
    /// Nothing of arguments or results belongs into a log.
    pub no_log: bool,
    /// The module's name as the playbook wrote it.
    pub module_name: Option<String>,
    /// Unknown options are dropped instead of refused.
    pub ignore_unknown_opts: bool,
    /// Absent before ansible-core 2.21, which means that `invocation` is wanted.
    pub inject_invocation: Option<bool>,
}

/// Reads the request from `source`: a file's path, or `-` for standard input.
pub fn read(source: &str) -> Result<Request, Fault> {
    let (name, text) = if source == "-" {
        ("standard input".to_owned(), read_limited(io::stdin().lock()))
    } else {
        (format!("argument file `{source}`"), File::open(source).and_then(read_limited))
    };
    let text = text.map_err(|error| {
        malformed(format!("reading {name} failed: {error}; hint: a file, or `-` for standard input"))
    })?;
    parse(&text).map_err(|fault| fault.context(&name))
}

fn read_limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("more than {LARGEST} bytes")));
    }
    Ok(text)
}

/// Takes one JSON object apart.
pub fn parse(text: &[u8]) -> Result<Request, Fault> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed(
            "expected one JSON object with the module's arguments, found nothing; hint: `{}` is a call without arguments"
                .to_owned(),
        ));
    }
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| malformed(format!("malformed JSON: {error}; {OBJECT_HINT}")))?;
    let Value::Object(mut arguments) = value else {
        return Err(malformed(format!(
            "expected one JSON object with the module's arguments, found {}; {OBJECT_HINT}",
            kind(&value)
        )));
    };
    let internal = Internal {
        check_mode: flag(&arguments, "_ansible_check_mode")?.unwrap_or(false),
        diff: flag(&arguments, "_ansible_diff")?.unwrap_or(false),
        no_log: flag(&arguments, "_ansible_no_log")?.unwrap_or(false),
        ignore_unknown_opts: flag(&arguments, "_ansible_ignore_unknown_opts")?.unwrap_or(false),
        inject_invocation: flag(&arguments, "_ansible_inject_invocation")?,
        module_name: arguments.get("_ansible_module_name").and_then(Value::as_str).map(str::to_owned),
    };
    arguments.retain(|key, _| !key.starts_with("_ansible_"));
    Ok(Request { arguments, internal, text: text.to_owned() })
}

/// A flag that is anything but a boolean is refused: guessing at check mode could touch a device.
fn flag(arguments: &Map<String, Value>, key: &str) -> Result<Option<bool>, Fault> {
    match arguments.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(malformed(format!(
            "`{key}` must be true or false, found {}; hint: without quotes",
            kind(other)
        ))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn malformed(message: String) -> Fault {
    Fault::new("malformed_request", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_keys_are_taken_out_and_unknown_ones_ignored() {
        let request = parse(
            br#"{"name": "bond0", "_ansible_check_mode": true, "_ansible_diff": false, "_ansible_socket": null,
                "_ansible_module_name": "bothends.lacp.pve_ovs_bond", "_ansible_of_the_future": [1]}"#,
        )
        .unwrap();
        assert_eq!(request.arguments.keys().collect::<Vec<_>>(), ["name"]);
        assert!(request.internal.check_mode);
        assert!(!request.internal.diff);
        assert_eq!(request.internal.inject_invocation, None);
        assert_eq!(request.internal.module_name.as_deref(), Some("bothends.lacp.pve_ovs_bond"));
    }

    #[test]
    fn what_is_no_object_is_refused_and_named() {
        for (text, expected) in [
            ("", "found nothing"),
            (" \n", "found nothing"),
            ("[1]", "found a list"),
            ("null", "found null"),
            ("{\"a\":", "malformed JSON: EOF"),
            ("{} {}", "malformed JSON: trailing"),
            ("\u{0}", "malformed JSON"),
            (
                "{\"_ansible_check_mode\": \"no\"}",
                "`_ansible_check_mode` must be true or false, found a string",
            ),
        ] {
            let fault = parse(text.as_bytes()).unwrap_err();
            assert_eq!(fault.code, "malformed_request");
            assert!(fault.message.contains(expected), "{text:?}: {}", fault.message);
        }
    }

    #[test]
    fn a_null_is_not_given() {
        let request =
            parse(br#"{"a": null, "b": [{"c": null, "d": 1}], "e": {"f": null}}"#).unwrap().without_nulls();
        assert_eq!(Value::Object(request.arguments), serde_json::json!({"b": [{"d": 1}], "e": {}}));
    }

    #[test]
    fn a_missing_file_is_named() {
        let fault = read("/nonexistent/args.json").unwrap_err();
        assert!(
            fault.message.starts_with("reading argument file `/nonexistent/args.json` failed: "),
            "{fault}"
        );
    }
}

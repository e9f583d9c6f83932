//! Conversion of one value to the type of its option, by the rules of Ansible's `check_type_*` functions.
//!
//! What a failure is called in the end is for [`validate`](super::validate) to say; here it is only the reason.
//! Differences to Ansible, all where a value makes no sense for a module of ours: a bool given for an `int`
//! becomes 0 or 1, a number outside 64 bits is refused, a Python literal given for a `dict` is refused (JSON
//! and `key=value` are read), and `~user` in a path stays as it is.

use std::env;

use serde_json::{Map, Number, Value};

use super::{
    Type,
    python::{self, repr, type_name},
};
use crate::json;

/// The value as `kind`, or why it cannot be. The elements of a list are left as they are.
pub fn convert(kind: Type, value: &Value) -> Result<Value, String> {
    match kind {
        Type::Raw => Ok(value.clone()),
        Type::Str => Ok(Value::String(text(value))),
        Type::Path => Ok(Value::String(expand_path(&text(value), |name| env::var(name).ok()))),
        Type::Bool => bool(value).map(Value::Bool),
        Type::Int => int(value).ok_or_else(|| format!("\"{}\" cannot be converted to an int", repr(value))),
        Type::Float => float(value).ok_or_else(|| unconvertible(value, "a float")),
        Type::Dict => dict(value).map(Value::Object),
        Type::List(_) => list(value).ok_or_else(|| unconvertible(value, "a list")),
    }
}

fn unconvertible(value: &Value, wanted: &str) -> String {
    format!("<class '{}'> cannot be converted to {wanted}", type_name(value))
}

fn text(value: &Value) -> String {
    if value.is_null() { String::new() } else { python::str(value) }
}

fn bool(value: &Value) -> Result<bool, String> {
    let given = match value {
        Value::Bool(value) => return Ok(*value),
        Value::String(text) => text.to_ascii_lowercase().trim().to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => "1".to_owned(),
            Some(0.0) => "0".to_owned(),
            _ => String::new(),
        },
        other => return Err(unconvertible(other, "a bool")),
    };
    match given.as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" => Ok(true),
        "n" | "no" | "off" | "0" | "false" | "f" => Ok(false),
        // Ansible lists them in the order of a hash set, which changes from run to run.
        _ => Err(format!(
            "The value '{}' is not a valid boolean. Valid booleans include: \
             '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes', 0, 1",
            python::str(value)
        )),
    }
}

fn int(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(value) => Some(u8::from(*value).into()),
        Value::Number(number) if !number.is_f64() => Some(value.clone()),
        // Every float has a finite decimal expansion, and `Display` writes it out without an exponent.
        Value::Number(number) => whole_decimal(&number.as_f64()?.to_string()),
        Value::String(text) => whole_decimal(&text.trim().replace('_', "")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A decimal number such as `-12`, `5.0` or `1.2e3`, where its value is whole.
fn whole_decimal(text: &str) -> Option<Value> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return Some(0.into());
    }
    let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
    let scale =
        i64::from(exponent) - i64::try_from(fraction.len()).ok()? + i64::try_from(trailing_zeros).ok()?;
    let power = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
    let value = significant.parse::<i128>().ok()?.checked_mul(power)? * sign;
    Number::from_i128(value).map(Value::Number)
}

fn float(value: &Value) -> Option<Value> {
    let float = match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => without_digit_separators(text.trim())?.parse().ok()?,
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Number::from_f64(float).map(Value::Number)
}

/// Underscores may stand between digits, as in a Python number.
fn without_digit_separators(text: &str) -> Option<String> {
    let mut parts = text.split('_').peekable();
    let mut out = String::new();
    while let Some(part) = parts.next() {
        let digit = |c: char| c.is_ascii_digit();
        if parts.peek().is_some_and(|next| !part.ends_with(digit) || !next.starts_with(digit)) {
            return None;
        }
        out.push_str(part);
    }
    Some(out)
}

fn list(value: &Value) -> Option<Value> {
    match value {
        Value::Array(_) => Some(value.clone()),
        Value::String(text) => Some(text.split(',').collect()),
        Value::Bool(_) | Value::Number(_) => Some([python::str(value)].into_iter().collect()),
        Value::Null | Value::Object(_) => None,
    }
}

fn dict(value: &Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(entries) => Ok(entries.clone()),
        Value::String(text) if text.starts_with('{') => {
            json::read(text.as_bytes()).map_err(|_| "unable to evaluate string as dictionary".to_owned())
        }
        Value::String(text) if text.contains('=') => key_values(text)
            .ok_or_else(|| "unable to evaluate string in the \"key=value\" format as dictionary".to_owned()),
        Value::String(_) => Err("dictionary requested, could not parse JSON or key=value".to_owned()),
        other => Err(unconvertible(other, "a dict")),
    }
}

/// Reads `a=1, b="x y" c=\"`: fields divided by commas or spaces, which quotes and backslashes protect.
fn key_values(text: &str) -> Option<Map<String, Value>> {
    let mut fields = vec![String::new()];
    let mut quote = None;
    let mut chars = text.trim().chars();
    while let Some(c) = chars.next() {
        let next = match (c, quote) {
            ('\\', _) => chars.next(),
            ('\'' | '"', None) => {
                quote = Some(c);
                None
            }
            (c, Some(open)) if c == open => {
                quote = None;
                None
            }
            (',' | ' ', None) => {
                fields.push(String::new());
                None
            }
            (c, _) => Some(c),
        };
        if let (Some(c), Some(field)) = (next, fields.last_mut()) {
            field.push(c);
        }
    }
    let pair = |field: &String| field.split_once('=').map(|(key, value)| (key.to_owned(), value.into()));
    fields.iter().filter(|field| !field.is_empty()).map(pair).collect()
}

/// Expands `$NAME` and `${NAME}` where the variable exists, then a leading `~` where `HOME` does.
fn expand_path(path: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let word =
            after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        let (name, tail) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(braced) => braced,
            None => after.split_at(word),
        };
        if let Some(value) = variable(name).filter(|_| !name.is_empty()) {
            out.push_str(&value);
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);

    match (out.strip_prefix('~'), variable("HOME")) {
        (Some(tail), Some(home)) if tail.is_empty() || tail.starts_with('/') => {
            let expanded = format!("{}{tail}", home.trim_end_matches('/'));
            if expanded.is_empty() { "/".to_owned() } else { expanded }
        }
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table<const N: usize>(kind: Type, rows: [(Value, Result<Value, &str>); N]) {
        for (given, expected) in rows {
            assert_eq!(convert(kind, &given), expected.map_err(str::to_owned), "{given} as {}", kind.name());
        }
    }

    #[test]
    fn everything_becomes_text() {
        table(
            Type::Str,
            [
                (json!("x"), Ok(json!("x"))),
                (json!(null), Ok(json!(""))),
                (json!(true), Ok(json!("True"))),
                (json!(1.0), Ok(json!("1.0"))),
                (json!(["a"]), Ok(json!("['a']"))),
            ],
        );
    }

    #[test]
    fn truth_has_many_names() {
        for (names, expected) in
            [(["y", "YES", " on ", "1", "true", "T"], true), (["n", "no", "Off", "0", "false\n", "f"], false)]
        {
            for name in names {
                assert_eq!(convert(Type::Bool, &json!(name)), Ok(json!(expected)), "{name}");
            }
        }
        let wrong =
            |value: &str| format!("The value '{value}' is not a valid boolean. Valid booleans include: ");
        assert!(convert(Type::Bool, &json!("maybe")).unwrap_err().starts_with(&wrong("maybe")));
        assert!(convert(Type::Bool, &json!(2)).unwrap_err().starts_with(&wrong("2")));
        table(
            Type::Bool,
            [
                (json!(1.0), Ok(json!(true))),
                (json!(0), Ok(json!(false))),
                (json!([]), Err("<class 'list'> cannot be converted to a bool")),
                (json!(null), Err("<class 'NoneType'> cannot be converted to a bool")),
            ],
        );
    }

    #[test]
    fn whole_numbers_may_be_written_as_decimals() {
        table(
            Type::Int,
            [
                (json!(7), Ok(json!(7))),
                (json!(true), Ok(json!(1))),
                (json!(5.0), Ok(json!(5))),
                (json!(1e18), Ok(json!(1_000_000_000_000_000_000_i64))),
                (json!("07"), Ok(json!(7))),
                (json!(" -1_000 "), Ok(json!(-1000))),
                (json!("1.5e1"), Ok(json!(15))),
                (json!("5.000"), Ok(json!(5))),
                (json!("1200e-2"), Ok(json!(12))),
                (json!("+.5e1"), Ok(json!(5))),
                (json!("0e-9"), Ok(json!(0))),
                (json!("18446744073709551615"), Ok(json!(u64::MAX))),
                (json!("x"), Err("\"'x'\" cannot be converted to an int")),
                (json!(""), Err("\"''\" cannot be converted to an int")),
                (json!("."), Err("\"'.'\" cannot be converted to an int")),
                (json!("1.5"), Err("\"'1.5'\" cannot be converted to an int")),
                (json!(0.5), Err("\"0.5\" cannot be converted to an int")),
                (json!("0x10"), Err("\"'0x10'\" cannot be converted to an int")),
                (json!("1e99"), Err("\"'1e99'\" cannot be converted to an int")),
                (json!("1e999999999"), Err("\"'1e999999999'\" cannot be converted to an int")),
                (json!(["1"]), Err("\"['1']\" cannot be converted to an int")),
                (json!(null), Err("\"None\" cannot be converted to an int")),
            ],
        );
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        table(
            Type::Float,
            [
                (json!(1.5), Ok(json!(1.5))),
                (json!(3), Ok(json!(3.0))),
                (json!(true), Ok(json!(1.0))),
                (json!(" 1_0.5e1 "), Ok(json!(105.0))),
                (json!("1__0"), Err("<class 'str'> cannot be converted to a float")),
                (json!("_1"), Err("<class 'str'> cannot be converted to a float")),
                (json!("x"), Err("<class 'str'> cannot be converted to a float")),
                (json!({}), Err("<class 'dict'> cannot be converted to a float")),
            ],
        );
    }

    #[test]
    fn lists_are_divided_at_commas_and_not_trimmed() {
        let kind = Type::List(Some(&Type::Int));
        table(
            kind,
            [
                (json!([1, "a"]), Ok(json!([1, "a"]))),
                (json!("a, b,"), Ok(json!(["a", " b", ""]))),
                (json!(""), Ok(json!([""]))),
                (json!(1.5), Ok(json!(["1.5"]))),
                (json!(true), Ok(json!(["True"]))),
                (json!({}), Err("<class 'dict'> cannot be converted to a list")),
                (json!(null), Err("<class 'NoneType'> cannot be converted to a list")),
            ],
        );
    }

    #[test]
    fn dicts_are_json_or_key_value() {
        let unread = "unable to evaluate string in the \"key=value\" format as dictionary";
        table(
            Type::Dict,
            [
                (json!({"a": 1}), Ok(json!({"a": 1}))),
                (json!("{\"a\": [1]}"), Ok(json!({"a": [1]}))),
                (json!(" a=1,  b=x=y "), Ok(json!({"a": "1", "b": "x=y"}))),
                (json!("a='x, y' b=\\'z\\ "), Ok(json!({"a": "x, y", "b": "'z"}))),
                (json!("a=\"it's\""), Ok(json!({"a": "it's"}))),
                (json!("a=1, b"), Err(unread)),
                (json!("{'a': 1}"), Err("unable to evaluate string as dictionary")),
                (json!("a"), Err("dictionary requested, could not parse JSON or key=value")),
                (json!([]), Err("<class 'list'> cannot be converted to a dict")),
            ],
        );
    }

    #[test]
    fn paths_are_expanded() {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/me/".to_owned()),
            "A" => Some("$B".to_owned()),
            "odd name" => Some("odd".to_owned()),
            _ => None,
        };
        for (given, expected) in [
            ("~", "/home/me"),
            ("~/x", "/home/me/x"),
            ("~you/x", "~you/x"),
            ("/x/~", "/x/~"),
            ("$A/${A}${odd name}", "$B/$Bodd"),
            ("$Ab/$/${/$", "$Ab/$/${/$"),
            ("${missing}$A", "${missing}$B"),
            ("${}", "${}"),
        ] {
            assert_eq!(expand_path(given, variable), expected);
        }
        assert_eq!(expand_path("~", |_| Some("/".to_owned())), "/");
        assert_eq!(expand_path("~/x", |_| None), "~/x");
    }
}

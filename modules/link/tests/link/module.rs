//! Runs the module, on the link of `tests/base.json` with some of it changed. That link is proved.

use module_run::Module;
use serde_json::Value;

/// The module.
pub const CHECK: Module = Module(env!("CARGO_BIN_EXE_lacp_link_check"));

/// The arguments of a module that proves a link.
pub fn base() -> Value {
    serde_json::from_str(include_str!("../base.json")).unwrap()
}

/// Puts `value` where `pointer` (RFC 6901) leads, and makes its key; a list grows at `-`.
pub fn set(arguments: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match arguments.pointer_mut(parent).unwrap() {
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        parent => parent[key.replace("~1", "/")] = value,
    }
}

/// Takes away what `pointer` leads to.
pub fn remove(arguments: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let removed = match arguments.pointer_mut(parent).unwrap() {
        Value::Array(items) => Some(items.remove(key.parse().unwrap())),
        parent => parent.as_object_mut().unwrap().shift_remove(&key.replace("~1", "/")),
    };
    assert!(removed.is_some(), "there is no `{pointer}`");
}

/// Its exit status and result.
pub fn answer(arguments: &Value) -> (i32, Value) {
    CHECK.answer(&arguments.to_string())
}

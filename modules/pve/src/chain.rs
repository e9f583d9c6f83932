//! Errors of the lower floors as faults: the whole chain in one line, once, at the edge.

use std::error::Error;

use ansible_module::fault::Fault;

/// A fault with `code` that tells `error` and all that caused it.
pub fn fault(code: &'static str, error: &dyn Error) -> Fault {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Fault::new(code, message)
}

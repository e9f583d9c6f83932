//! Compiles the argument spec of this crate's module from its documentation.

use std::process::ExitCode;

fn main() -> ExitCode {
    ansible_module_build::build_script(&["../../library/lacp_link_check.yml"])
}

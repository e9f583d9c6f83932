//! Compiles the argument specs of this crate's modules from their documentation.

use std::process::ExitCode;

fn main() -> ExitCode {
    ansible_module_build::build_script(&[
        "../../library/eos_port_channel.yml",
        "../../library/eos_port_channel_info.yml",
    ])
}

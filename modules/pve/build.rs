//! Compiles the argument specs of this crate's modules from their documentation.

use std::process::ExitCode;

fn main() -> ExitCode {
    ansible_module_build::build_script(&[
        "../../library/pve_network_apply.yml",
        "../../library/pve_ovs_bond.yml",
        "../../library/pve_ovs_bridge.yml",
        "../../library/pve_ovs_info.yml",
        "../../library/pve_ovs_intport.yml",
    ])
}

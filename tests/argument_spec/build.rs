//! Compiles the argument specs that the tests compare.

use std::process::ExitCode;

fn main() -> ExitCode {
    ansible_module_build::build_script(&[
        "every_feature.yml",
        "../../library/eos_port_channel.yml",
        "../../library/eos_port_channel_info.yml",
        "../../library/lacp_link_check.yml",
        "../../library/pve_network_apply.yml",
        "../../library/pve_ovs_bond.yml",
        "../../library/pve_ovs_bridge.yml",
        "../../library/pve_ovs_info.yml",
        "../../library/pve_ovs_intport.yml",
    ])
}

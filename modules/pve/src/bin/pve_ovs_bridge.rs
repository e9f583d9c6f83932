//! The module `pve_ovs_bridge`: see `library/pve_ovs_bridge.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<pve::task::NodeModule<pve::ovs_bridge::OvsBridge>>()
}

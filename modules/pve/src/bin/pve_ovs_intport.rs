//! The module `pve_ovs_intport`: see `library/pve_ovs_intport.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<pve::task::NodeModule<pve::ovs_intport::OvsIntport>>()
}

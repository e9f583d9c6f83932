//! The module `pve_ovs_bond`: see `library/pve_ovs_bond.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<pve::task::NodeModule<pve::ovs_bond::OvsBond>>()
}

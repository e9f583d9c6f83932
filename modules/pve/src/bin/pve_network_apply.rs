//! The module `pve_network_apply`: see `library/pve_network_apply.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<pve::network_apply::NetworkApply>()
}

//! The module `pve_ovs_info`: see `library/pve_ovs_info.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<pve::ovs_info::OvsInfo>()
}

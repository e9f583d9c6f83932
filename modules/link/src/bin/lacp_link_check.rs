//! The module `lacp_link_check`: see `library/lacp_link_check.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<link::check::LacpLinkCheck>()
}

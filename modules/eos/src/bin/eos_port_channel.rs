//! The module `eos_port_channel`: see `library/eos_port_channel.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<eos::port_channel::PortChannel>()
}

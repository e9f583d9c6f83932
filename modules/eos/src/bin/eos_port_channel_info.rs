//! The module `eos_port_channel_info`: see `library/eos_port_channel_info.yml`.

fn main() -> std::process::ExitCode {
    ansible_module::run::run::<eos::port_channel_info::PortChannelInfo>()
}

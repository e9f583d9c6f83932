//! The argument specs of this crate's modules, as the build script compiled them from `library/<module>.yml`.

/// A Port-Channel.
pub mod port_channel {
    include!(concat!(env!("OUT_DIR"), "/eos_port_channel.rs"));
}

/// What Port-Channels are set to, and how they are.
pub mod port_channel_info {
    include!(concat!(env!("OUT_DIR"), "/eos_port_channel_info.rs"));
}

//! The argument specs of this crate's modules, as the build script compiled them from `library/<module>.yml`.

/// Staged changes of a node.
pub mod network_apply {
    include!(concat!(env!("OUT_DIR"), "/pve_network_apply.rs"));
}

/// An Open vSwitch bond.
pub mod ovs_bond {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_bond.rs"));
}

/// An Open vSwitch bridge.
pub mod ovs_bridge {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_bridge.rs"));
}

/// What Open vSwitch does on a node.
pub mod ovs_info {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_info.rs"));
}

/// An Open vSwitch `IntPort`.
pub mod ovs_intport {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_intport.rs"));
}

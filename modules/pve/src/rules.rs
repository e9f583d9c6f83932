//! What Proxmox VE, Open vSwitch and this project take for a name, a text, a number, an address. Pure checks of single
//! values, a noun a file; what depends on the node is in `conflicts.rs`.

use ansible_module::fault::Fault;

mod address;
mod name;
mod number;
mod ovs_extra;
mod text;

pub use address::{cidr, cidr6, gateway, gateway6, mac};
pub use name::{bond_name, bridge_name, intport_name, nic_name};
pub use number::{delay, mtu, rebalance_interval, vlan, wait};
pub use ovs_extra::ovs_extra;
pub use text::comment;

/// What has to be given because the object is to be made.
pub fn required(option: &str, name: &str, example: &str) -> Fault {
    Fault::new(
        "missing_option",
        format!(
            "option `{option}`: required, because `{name}` does not exist yet; hint: such as `{example}`"
        ),
    )
}

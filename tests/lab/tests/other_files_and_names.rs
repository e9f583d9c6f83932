//! What stands in files that the interfaces file sources, and NICs under their other names, on a real node.

use anyhow::Result;
use lab::Lab;
use lab::bond::{bond, bridge};
use serde_json::json;

const NODE: &str = "node1";

#[test]
fn a_member_given_by_an_altname_is_the_same_nic() -> Result<()> {
    let lab = Lab::up()?;
    lab.sh(NODE, "ip link property add dev ens20f0np0 altname enp9s0")?;
    lab.make_bridge(NODE)?;
    let others = bond(&["enp9s", "ens20f1np1"]);
    let refused = lab.module(NODE, "pve_ovs_bond", &others)?;
    assert_eq!(refused.failure()?, ("nic_not_found", "unchanged"), "no prefix counts");
    assert!(lab.module(NODE, "pve_ovs_bond", &bond(&["enp9s0", "ens20f1np1"]))?.changed()?);
    assert!(lab.read(NODE, "/etc/network/interfaces")?.contains("\tovs_bonds ens20f0np0 ens20f1np1\n"));
    for members in [["ens20f0np0", "ens20f1np1"], ["ens20f1np1", "enp9s0"]] {
        assert!(!lab.module(NODE, "pve_ovs_bond", &bond(&members))?.changed()?, "{members:?}");
    }
    let elsewhere = json!({"name": "vmbr1", "datapath_type": "netdev", "ports": ["enp9s0"]});
    let refused = lab.module(NODE, "pve_ovs_bridge", &elsewhere)?;
    assert_eq!(refused.failure()?, ("port_in_use", "unchanged"), "{}", refused.message());
    Ok(())
}

#[test]
fn what_sdn_wrote_is_seen_and_stays() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    lab.sh(NODE, "mkdir -p /etc/network/interfaces.d; printf '\\nsource /etc/network/interfaces.d/*\\n' >>/etc/network/interfaces")?;
    let sdn = "auto ln_zone1\niface ln_zone1\n\tovs_type OVSIntPort\n\tovs_bridge vmbr0\n\nauto vmbr0\niface vmbr0\n\tovs_ports ln_zone1\n";
    lab.write(NODE, "/etc/network/interfaces.d/sdn", sdn)?;
    let removed = lab.module(NODE, "pve_ovs_bridge", &json!({"name": "vmbr0", "state": "absent"}))?;
    assert_eq!(removed.failure()?, ("bridge_in_use", "unchanged"), "{}", removed.message());
    let told = removed.message();
    assert!(told.contains("`ln_zone1` (`/etc/network/interfaces.d/sdn`)"), "{told}");
    assert!(!lab.module(NODE, "pve_ovs_bridge", &bridge())?.changed()?);
    assert_eq!(lab.read(NODE, "/etc/network/interfaces.d/sdn")?, sdn);
    Ok(())
}

//! MTUs and delays: set, changed and taken away on every kind of object, along the chain that Proxmox wants; kept over
//! anybody's `ifreload -a` without a moment of another MTU, repaired where changed by hand, and LACP never hears of it.
#![expect(clippy::indexing_slicing, reason = "what fails here is the test")]

use anyhow::{Context, Result};
use lab::Lab;
use lab::link::{MEMBERS, Task, node_end};
use lab::witness::{Log, Stream};
use serde_json::{Value, json};

const NODES: [&str; 2] = ["node1", "node2"];
const OTHER_NIC: &str = "ens21f0np0";

fn bridge(options: Value) -> Task {
    ("pve_ovs_bridge", named("vmbr0", options))
}

fn bond(options: Value) -> Task {
    ("pve_ovs_bond", named("bond0", options))
}

fn intport(options: Value) -> Task {
    ("pve_ovs_intport", named("mgmt", options))
}

fn named(name: &str, mut options: Value) -> Value {
    options["name"] = name.into();
    options
}

#[test]
fn mtus_go_up_and_down_the_chain_and_lacp_does_not_hear_of_it() -> Result<()> {
    let lab = both_ends()?;
    let expired = lab.expired(&NODES, &MEMBERS)?;
    let logs = [Log::start(&lab, "node1")?, Log::start(&lab, "node2")?];
    let streams = [Stream::start(&lab, "node1")?, Stream::start(&lab, "node2")?];
    let delays = json!({"mtu": 9000, "updelay": 300, "downdelay": 100, "rebalance_interval": 5000});
    // What the task is, and what the members, the IntPort and the bridge have then: asked for, and in the kernel.
    let steps = [
        (bridge(json!({"mtu": 9000})), [(0, 1500), (0, 1500), (9000, 9000)]),
        (bond(delays), [(9000, 9000), (0, 9000), (9000, 9000)]),
        (intport(json!({"mtu": 9000})), [(9000, 9000); 3]),
        (intport(json!({"mtu": 1400})), [(9000, 9000), (1400, 1400), (9000, 9000)]),
        (bond(json!({"mtu": 4000, "updelay": 200})), [(4000, 4000), (1400, 1400), (9000, 9000)]),
        (bridge(json!({"mtu": 4000})), [(4000, 4000), (1400, 1400), (4000, 4000)]),
        (intport(json!({"mtu": 0})), [(4000, 4000), (0, 4000), (4000, 4000)]),
        (
            bond(json!({"mtu": 0, "updelay": 0, "downdelay": 0, "rebalance_interval": 0})),
            [(0, 1500), (0, 1500), (4000, 4000)],
        ),
        (bridge(json!({"mtu": 0})), [(0, 1500); 3]),
    ];
    for (task, [member, port, own]) in steps {
        let step = || -> Result<()> {
            assert_eq!(lab.run_as_predicted("node1", std::slice::from_ref(&task))?, [true]);
            let expected = [("ens20f0np0", member), ("ens20f1np1", member), ("mgmt", port), ("vmbr0", own)];
            assert_eq!(mtus(&lab)?, expected.map(|(name, mtu)| (name.to_owned(), mtu)));
            let configuration = lab.configuration("node1")?;
            for _ in 0..2 {
                assert_eq!(moved_by_reload(&lab)?, "");
                assert_eq!(mtus(&lab)?, expected.map(|(name, mtu)| (name.to_owned(), mtu)));
                assert_eq!(lab.configuration("node1")?, configuration);
            }
            assert_eq!(lab.run("node1", std::slice::from_ref(&task))?, [false]);
            Ok(())
        };
        step().with_context(|| format!("{task:?}"))?;
    }
    let delay = |column: &str| lab.vsctl("node1", &["get", "Port", "bond0", column]);
    assert_eq!([delay("bond_updelay")?, delay("bond_downdelay")?], ["0", "0"]);
    assert!(!delay("other_config")?.contains("rebalance"));
    for ((node, log), stream) in NODES.iter().zip(&logs).zip(&streams) {
        assert_eq!(log.stopped()?, Vec::<String>::new(), "{node}");
        assert_eq!(log.disabled(&MEMBERS)?, Vec::<String>::new(), "{node}");
        assert_eq!(stream.lost(&MEMBERS)?, Vec::<String>::new(), "{node}");
    }
    assert_eq!(lab.expired(&NODES, &MEMBERS)?, expired);
    Ok(())
}

#[test]
fn the_witness_sees_a_reload_that_moves_an_mtu() -> Result<()> {
    let lab = jumbo()?;
    lab.sh("node1", "sed -i '/^iface ens20f0np0/,/^$/{/mtu/d}' /etc/network/interfaces")?;
    assert_eq!(moved_by_reload(&lab)?, "ens20f0np0 mtu 1500\nens20f0np0 mtu 9000\n");
    Ok(())
}

#[test]
fn mtus_changed_by_hand_are_repaired() -> Result<()> {
    let [on_bridge, on_bond, on_port] = [[true, false, false], [false, true, false], [false, false, true]];
    let declared = [
        ("ovs-vsctl clear Interface ens20f1np1 mtu_request", on_bond),
        ("ovs-vsctl set Interface ens20f1np1 mtu_request=4000", on_bond),
        ("ovs-vsctl set Interface mgmt mtu_request=4000", on_port),
        ("ovs-vsctl clear Interface mgmt mtu_request", on_port),
        ("ovs-vsctl set Interface vmbr0 mtu_request=4000", on_bridge),
        ("sed -i '/^iface ens20f0np0/,/^$/{/mtu/d}' /etc/network/interfaces", on_bond),
        (
            "sed -i '/^iface mgmt/,/^$/s/mtu 9000/mtu 4000/' /etc/network/interfaces; ifreload -a || true",
            on_port,
        ),
    ];
    let lab = jumbo()?;
    let mtu = || json!({"mtu": 9000});
    let tasks = [bridge(mtu()), bond(mtu()), intport(mtu())];
    repaired(&lab, &tasks, &declared)?;
    // What the kernel has otherwise than requested, Open vSwitch repairs by itself, sooner or later than we look.
    let before = mtus(&lab)?;
    for link in ["ens20f0np0", "mgmt", "vmbr0"] {
        lab.sh("node1", &format!("ip link set {link} mtu 4000"))?;
        lab.run("node1", &tasks)?;
        assert_eq!(mtus(&lab)?, before, "{link}");
        assert_eq!(lab.run("node1", &tasks)?, [false; 3], "{link}");
    }

    let undeclared = [
        ("ovs-vsctl set Interface ens20f1np1 mtu_request=9000", on_bond),
        ("ovs-vsctl set Interface mgmt mtu_request=1400", on_port),
        ("ovs-vsctl set Interface vmbr0 mtu_request=1300", on_bridge),
    ];
    let tasks = [bridge(json!({})), bond(json!({})), intport(json!({}))];
    let away = json!({"mtu": 0});
    lab.run("node1", &[intport(away.clone()), bond(away.clone()), bridge(away)])?;
    repaired(&lab, &tasks, &undeclared)
}

fn repaired(lab: &Lab, tasks: &[Task], drifts: &[(&str, [bool; 3])]) -> Result<()> {
    let look = || -> Result<_> { Ok((mtus(lab)?, lab.configuration("node1")?)) };
    let declared = look()?;
    for (by_hand, repairs) in drifts {
        let drifted = || -> Result<()> {
            lab.sh("node1", by_hand)?;
            assert_ne!(look()?, declared);
            assert_eq!(lab.run_as_predicted("node1", tasks)?, *repairs);
            assert_eq!(look()?, declared);
            assert_eq!(moved_by_reload(lab)?, "");
            assert_eq!(look()?, declared);
            assert_eq!(lab.run("node1", tasks)?, [false; 3]);
            Ok(())
        };
        drifted().with_context(|| format!("`{by_hand}`"))?;
    }
    Ok(())
}

#[test]
fn an_mtu_that_the_chain_does_not_carry_is_refused() -> Result<()> {
    let lab = jumbo()?;
    let look = || -> Result<_> { Ok((mtus(&lab)?, lab.configuration("node1")?)) };
    let before = look()?;
    for (module, arguments) in
        [bond(json!({"mtu": 9100})), intport(json!({"mtu": 9100})), bridge(json!({"mtu": 0}))]
    {
        let answer = lab.module("node1", module, &arguments)?;
        assert_eq!(answer.failure()?, ("mtu_out_of_order", "unchanged"), "{}", answer.message());
        let checked = lab.check("node1", module, &arguments)?;
        assert!(checked.changed()? && checked.result["warnings"][0].as_str().unwrap().contains("assumed"));
    }
    assert_eq!(look()?, before);
    Ok(())
}

#[test]
fn a_member_comes_and_goes_with_the_bonds_mtu() -> Result<()> {
    let lab = jumbo()?;
    let has = |nic: &str| lab.sh("node1", &format!("cat /sys/class/net/{nic}/mtu"));
    let stanza =
        |nic: &str| lab.sh("node1", &format!("sed -n '/^iface {nic} /,/^$/p' /etc/network/interfaces"));
    lab.run("node1", &[bond(json!({"members": ["ens20f0np0", OTHER_NIC]}))])?;
    assert_eq!((has(OTHER_NIC)?.trim(), has("ens20f1np1")?.trim()), ("9000", "1500"));
    assert!(stanza(OTHER_NIC)?.contains("\tmtu 9000\n") && !stanza("ens20f1np1")?.contains("mtu"));
    lab.run("node1", &[bond(json!({"state": "absent"}))])?;
    assert_eq!((has(OTHER_NIC)?.trim(), has("ens20f0np0")?.trim()), ("1500", "1500"));
    assert!(!stanza(OTHER_NIC)?.contains("mtu"));
    assert_eq!(moved_by_reload(&lab)?, "");
    Ok(())
}

/// A macvlan takes no larger MTU than the link under it, as a NIC takes none that its hardware does not.
#[test]
fn an_mtu_that_the_kernel_refuses_is_undone() -> Result<()> {
    let lab = Lab::up()?;
    lab.sh(
        "node1",
        &format!(
            "ip link set {OTHER_NIC} down; ip link set {OTHER_NIC} name lower; ip link set lower up
             ip link add link lower name {OTHER_NIC} address 3c:fd:fe:00:77:01 type macvlan mode private"
        ),
    )?;
    lab.run("node1", &[bridge(json!({"datapath_type": "netdev", "mtu": 9000}))])?;
    lab.make_bond("node1", &["ens20f0np0", OTHER_NIC])?;
    let before = (mtus(&lab)?, lab.configuration("node1")?);
    let (module, arguments) = bond(json!({"mtu": 9000}));
    let answer = lab.module("node1", module, &arguments)?;
    assert_eq!(answer.failure()?, ("mtu_refused", "rolled_back"), "{}", answer.message());
    assert!(
        answer.message().contains(OTHER_NIC) && answer.message().contains("9000"),
        "{}",
        answer.message()
    );
    assert_eq!((mtus(&lab)?, lab.configuration("node1")?), before);
    Ok(())
}

/// Both ends, negotiated.
fn both_ends() -> Result<Lab> {
    let lab = Lab::up()?;
    for node in NODES {
        lab.run(node, &node_end(node))?;
    }
    for node in NODES {
        lab.wait_for_lacp(node, &MEMBERS)?;
    }
    Ok(lab)
}

/// One end with MTU 9000 all along.
fn jumbo() -> Result<Lab> {
    let lab = Lab::up()?;
    let tasks = node_end("node1").map(|(module, mut arguments)| {
        arguments["mtu"] = 9000.into();
        (module, arguments)
    });
    assert_eq!(lab.run_as_predicted("node1", &tasks)?, [true; 3]);
    assert_eq!(lab.run("node1", &tasks)?, [false; 3]);
    Ok(lab)
}

/// By interface: what is asked for (0 is nothing), and what the kernel has.
fn mtus(lab: &Lab) -> Result<Vec<(String, (u32, u32))>> {
    let text = lab.sh(
        "node1",
        "ovs-vsctl --format=csv --data=bare --no-headings --columns=name,mtu_request list Interface | sort |
         while IFS=, read -r name request; do echo $name ${request:-0} $(cat /sys/class/net/$name/mtu); done",
    )?;
    text.lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            Ok((words[0].to_owned(), (words[1].parse()?, words[2].parse()?)))
        })
        .collect()
}

/// Each MTU that an `ifreload -a` gives an interface, in order.
fn moved_by_reload(lab: &Lab) -> Result<String> {
    lab.sh(
        "node1",
        "cd /sys/class/net; for link in *; do echo \"$link mtu $(cat $link/mtu)\"; done >/tmp/mtu
         ip -oneline monitor link >/tmp/monitor & monitor=$!
         # It has told of everything once it tells of what was done after that, on a NIC that nothing uses.
         hear() { until grep -q \"mtu $1 \" /tmp/monitor; do for mtu in 1500 $1; do ip link set ens19f0np0 mtu $mtu; done; sleep 0.1; done; }
         hear 1601
         ifreload -a 2>/tmp/said || grep -q 'not present in cache' /tmp/said
         hear 1602
         kill $monitor
         ip link set ens19f0np0 mtu 1500
         sed -n 's/^[0-9]*: \\([^:@]*\\)[:@].* mtu \\([0-9]*\\) .*/\\1 mtu \\2/p' /tmp/monitor | grep -v ^ens19f0np0 |
           awk 'NR == FNR { last[$1] = $3; next } last[$1] != $3 { print; last[$1] = $3 }' /tmp/mtu -",
    )
}

//! What holds for every task on every switch.

use ansible_module::converge::Target;
use eos::change::{Change, changes, lines};
use eos::config::{Block, Config};
use eos::names::Interface;
use eos::state::State;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::simulated::{Simulated, plan};

const HEAD: &str = "! device: core (DCS-7050QX-32S, EOS-4.28.3M)\n!\nhostname core\n!\n";
const GLOBAL: [&str; 3] =
    ["", "switchport default mode routed\n!\n", "interface defaults\n   ethernet\n      shutdown\n!\n"];
const VLANS: [&str; 3] = ["", "vlan 10,20\n!\n", "vlan 10\n   name guests\n!\nvlan 20-22,30\n!\n"];
const PORTS: [&str; 4] = ["Ethernet7/1", "Ethernet8/1", "Ethernet9/1", "Ethernet10/1"];
const CHANNELS: [&str; 3] = ["7", "8", "1001"];

/// Lines of either kind of interface, ours and others'.
const OF_BOTH: [&str; 20] = [
    "description a | b",
    "load-interval 30",
    "mtu 9000",
    "shutdown",
    "no shutdown",
    "l2 mtu 9100",
    "no switchport",
    "switchport",
    "switchport mode trunk",
    "switchport mode dot1q-tunnel",
    "switchport mode trunk phone",
    "switchport access vlan 20",
    "switchport trunk native vlan tag",
    "switchport trunk native vlan 20",
    "switchport trunk allowed vlan 10,20",
    "switchport trunk allowed vlan none",
    "switchport trunk group x",
    "spanning-tree portfast",
    "spanning-tree portfast network",
    "spanning-tree bpduguard enable",
];
const OF_CHANNELS: [&str; 6] = [
    "port-channel min-links 2",
    "port-channel lacp fallback static",
    "port-channel lacp fallback individual",
    "port-channel lacp fallback timeout 5",
    "lacp system-id 001c.7300.0001",
    "l2 mtu 9000",
];
const OF_ETHERNETS: [&str; 9] = [
    "lacp timer fast",
    "lacp port-priority 100",
    "channel-group 7 mode active",
    "channel-group 7 mode passive",
    "channel-group 8 mode on",
    "channel-group 8 mode on",
    "channel-group 1001 mode active",
    "channel-group 1001 mode active",
    "speed forced 10000full",
];

/// Lines as they are typed, of which the switch may refuse some.
fn typed() -> impl Strategy<Value = Vec<String>> {
    let of = |own: &'static [&'static str]| {
        let all: Vec<&str> = OF_BOTH.iter().chain(own).copied().collect();
        vec(select(all), 0..6)
    };
    let channel = (select(&CHANNELS[..]), of(&OF_CHANNELS))
        .prop_map(|(name, lines)| (format!("Port-Channel{name}"), lines));
    let ethernet = (select(&PORTS[..]), of(&OF_ETHERNETS)).prop_map(|(name, lines)| (name.to_owned(), lines));
    vec(prop_oneof![channel, ethernet], 0..8).prop_map(|blocks| {
        let lines = |(name, lines): (String, Vec<&str>)| {
            let lines = lines.into_iter().map(str::to_owned);
            std::iter::once(format!("interface {name}")).chain(lines).collect::<Vec<_>>()
        };
        blocks.into_iter().flat_map(lines).collect()
    })
}

/// A running-config as the switch prints it.
fn running() -> impl Strategy<Value = String> {
    (select(&GLOBAL[..]), select(&VLANS[..]), typed()).prop_map(|(global, vlans, typed)| {
        let ports = PORTS.map(|port| format!("interface {port}\n!\n")).concat();
        let mut switch = Simulated::new(&format!("{HEAD}{global}{vlans}{ports}end\n"));
        switch.configure(&typed);
        switch.running()
    })
}

/// One value or another of an option, or none.
fn given(values: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
    option::of(select(values))
}

fn members() -> impl Strategy<Value = Option<Value>> {
    let member = |name: &'static str| {
        let options = (
            given(vec![json!("active"), json!("passive"), json!("on")]),
            given(vec![json!("fast"), json!("normal")]),
            given(vec![json!(0), json!(100)]),
            given(vec![json!(""), json!("PVE")]),
        );
        options.prop_map(move |(mode, timer, priority, description)| {
            let options = [
                ("interface", Some(json!(name))),
                ("lacp_mode", mode),
                ("lacp_timer", timer),
                ("port_priority", priority),
                ("description", description),
            ];
            object(options)
        })
    };
    let listed = subsequence(&PORTS[..], 0..=3)
        .prop_flat_map(move |names| names.into_iter().map(member).collect::<Vec<_>>());
    option::of(listed.prop_map(Value::Array))
}

fn object<const N: usize>(options: [(&str, Option<Value>); N]) -> Value {
    options
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}

fn channel(name: &'static str) -> impl Strategy<Value = Value> {
    let vlans = (
        given(vec![json!("access"), json!("trunk"), json!("dot1q-tunnel"), json!("routed")]),
        given(vec![json!(0), json!(20), json!(99)]),
        given(vec![json!("tag"), json!("0"), json!(20)]),
        given(vec![json!([]), json!("none"), json!("10,20"), json!("20,40-42")]),
        given(vec![json!([]), json!(["x"]), json!(["x", "y"])]),
        given(vec![json!(true), json!(true), json!(false)]),
    );
    let others = (
        given(vec![json!("present"), json!("present"), json!("absent")]),
        given(vec![json!(""), json!("PVE (1)")]),
        given(vec![json!(0), json!(1), json!(2)]),
        given(vec![json!("none"), json!("static"), json!("individual")]),
        given(vec![json!(0), json!(30)]),
        given(vec![json!(0), json!(5), json!(6)]),
        given(vec![json!(0), json!(9000)]),
        given(vec![json!(true), json!(false)]),
        given(vec![json!("none"), json!("edge"), json!("network")]),
    );
    let flags = (given(vec![json!(true), json!(false)]), given(vec![json!(true)]));
    (vlans, others, members(), flags).prop_map(move |(vlans, others, members, flags)| {
        let (mode, access, native, trunk, groups, create) = vlans;
        let (state, description, min_links, fallback, timeout, mlag, l2_mtu, shutdown, portfast) = others;
        object([
            ("name", Some(json!(name))),
            ("mode", mode),
            ("access_vlan", access),
            ("native_vlan", native),
            ("trunk_vlans", trunk),
            ("trunk_groups", groups),
            ("create_vlans", create),
            ("state", state),
            ("description", description),
            ("min_links", min_links),
            ("lacp_fallback", fallback),
            ("lacp_fallback_timeout", timeout),
            ("mlag", mlag),
            ("l2_mtu", l2_mtu),
            ("shutdown", shutdown),
            ("portfast", portfast),
            ("members", members),
            ("member_switchport", flags.0),
            ("move_members", flags.1),
        ])
    })
}

fn task() -> impl Strategy<Value = Value> {
    let channels = subsequence(&CHANNELS[..], 1..=3);
    let channels = channels.prop_flat_map(|names| names.into_iter().map(channel).collect::<Vec<_>>());
    channels.prop_map(|config| json!({"config": config}))
}

proptest! {
    #[test]
    fn a_task_is_taken_by_the_switch_as_planned_and_nothing_is_left_to_do(running in running(), task in task()) {
        let mut switch = Simulated::new(&running);
        prop_assert_eq!(&switch.running(), &running);
        let Ok((Target { after, .. }, picture)) = plan(&task, &running, &running, false) else { return Ok(()) };
        let found = State::found(&picture, &after);
        let planned = changes(&found, &after);
        let typed = lines(&planned, picture.running.dialect());
        prop_assert_eq!(typed.is_empty(), planned.iter().all(|change| *change == Change::Save));
        switch.commit(&typed);
        let now = switch.running();
        let (again, picture) = plan(&task, &now, &now, false).unwrap();
        let read = State::found(&picture, &after);
        prop_assert_eq!((&read.interfaces, &read.vlans), (&after.interfaces, &after.vlans), "{:?}", typed);
        prop_assert_eq!(changes(&State::found(&picture, &again.after), &again.after), vec![], "{:?}", typed);
        // Whatever is not ours is as it was.
        let [before, now] = [&running, &now].map(|text| Config::parse(text));
        let ours: Vec<&Interface> = after.interfaces.keys().collect();
        let others = |block: &&Block| !block.head.starts_with("vlan ");
        prop_assert!(before.without(&ours).filter(others).eq(now.without(&ours).filter(others)));
        prop_assert!(before.vlans().without(&now.vlans()).is_empty());
        prop_assert!(now.vlans().without(&before.vlans()).without(&after.vlans).is_empty());
        // And back again, as where what was committed at once has to be undone.
        let back = changes(&State::found(&picture, &found), &found);
        switch.commit(&lines(&back, picture.running.dialect()));
        let (_, picture) = plan(&task, &switch.running(), &running, false).unwrap();
        let read = State::found(&picture, &found);
        prop_assert_eq!((&read.interfaces, &read.vlans), (&found.interfaces, &found.vlans), "{:?}", back);
    }
}

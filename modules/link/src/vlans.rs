//! Which VLANs a link has to carry, and those that do not get through between a bond and a Port-Channel, in words.
//! The rules of either side are `wire.rs`'s.

use std::collections::BTreeMap;

use vlan::VlanSet;

use crate::description::{Link, Switch};
use crate::finding::{End, Finding};
use crate::wire::{BondVlans, Misfit, PortMode, PortVlans, VlanMode};

/// Makes a finding: of a description, or of what the devices are.
pub type Tell = fn(&'static str, End, &str, &str, &str) -> Finding;

/// Who uses which VLAN of the node; `None` are frames without tag.
type Users = BTreeMap<Option<u16>, Vec<String>>;

/// What becomes of the VLANs in use.
#[derive(Debug, Default)]
pub struct Carried {
    /// Those that get through, as the switch numbers them, with who uses each.
    pub landed: BTreeMap<u16, Vec<String>>,
    /// Those that don't, by the reason.
    lost: BTreeMap<Misfit, Users>,
}

impl Carried {
    /// What becomes of the VLANs of `link` between `bond` and `port`.
    pub fn new(link: &Link, bond: &BondVlans, port: &PortVlans) -> Self {
        let mut carried = Self::default();
        for (vlan, users) in users(link) {
            match port.lands(vlan, bond) {
                Ok(landed) => carried.landed.entry(landed).or_default().extend(users),
                Err(misfit) => {
                    carried.lost.entry(misfit).or_default().insert(vlan, users);
                }
            }
        }
        carried
    }

    /// A finding for each reason.
    pub fn findings(
        &self,
        node: &str,
        link: &Link,
        switch: &Switch,
        bond: &BondVlans,
        port: &PortVlans,
        tell: Tell,
    ) -> Vec<Finding> {
        let at_node = format!("{node} {}", link.bond.name);
        let at_switch = format!("{} {}", switch.name, switch.port_channel);
        let words = Words { at_node: &at_node, at_switch: &at_switch, bond, port, tell };
        self.lost.iter().map(|(misfit, lost)| words.finding(*misfit, &Lost::new(lost))).collect()
    }
}

/// Who uses which VLAN, as far as it is declared.
fn users(link: &Link) -> Users {
    let mut users = Users::new();
    for intport in &link.intports {
        users.entry(intport.tag).or_default().push(format!("IntPort `{}`", intport.name));
    }
    for vlan in link.bond.trunks.iter().flat_map(VlanSet::iter) {
        users.entry(Some(vlan)).or_default().push(format!("`trunks` of {}", link.bond.name));
    }
    if let Some(tag @ Some(_)) = link.bond.tag {
        users.entry(tag).or_default().push(format!("`tag` of {}", link.bond.name));
    }
    users
}

/// What is lost for one reason.
struct Lost {
    vlans: VlanSet,
    /// Such as `traffic of VLANs 10,20 (IntPort ..)` or `untagged traffic (IntPort ..)`.
    text: String,
}

impl Lost {
    fn new(lost: &Users) -> Self {
        let vlans: VlanSet = lost.keys().copied().flatten().collect();
        let mut users: Vec<&str> = lost.values().flatten().map(String::as_str).collect();
        users.sort_unstable();
        users.dedup();
        let what = match (lost.contains_key(&None), vlans.is_empty()) {
            (false, _) => format!("traffic of {}", numbers(&vlans)),
            (true, true) => "untagged traffic".to_owned(),
            (true, false) => format!("untagged traffic and that of {}", numbers(&vlans)),
        };
        Self { text: format!("{what} ({})", users.join(", ")), vlans }
    }
}

/// `VLAN 10`, or `VLANs 10,20`.
pub fn numbers(vlans: &VlanSet) -> String {
    format!("VLAN{} {vlans}", if vlans.len() == 1 { "" } else { "s" })
}

struct Words<'a> {
    at_node: &'a str,
    at_switch: &'a str,
    bond: &'a BondVlans,
    port: &'a PortVlans,
    tell: Tell,
}

impl Words<'_> {
    fn finding(&self, misfit: Misfit, lost: &Lost) -> Finding {
        let Self { at_node, at_switch, bond, port, tell } = self;
        let Lost { vlans, text } = lost;
        let allowed = port.allowed.as_ref().map(ToString::to_string).unwrap_or_default();
        match misfit {
            Misfit::NotCarried => {
                let (why, remedy) = match (bond.mode(), bond.tag) {
                    (VlanMode::Access | VlanMode::Dot1qTunnel, Some(tag)) => (
                        format!("its `tag` makes it a port of VLAN {tag} alone"),
                        "take the bond's `tag` away (0), or move those into that VLAN".to_owned(),
                    ),
                    (VlanMode::NativeTagged | VlanMode::NativeUntagged, Some(tag)) if vlans.is_empty() => (
                        format!("what comes back without tag goes into VLAN {tag}"),
                        format!("give the IntPort `tag: {tag}`"),
                    ),
                    _ if vlans.is_empty() => (
                        format!("its `trunks` are {}", bond.trunks),
                        "give the IntPort a `tag` of these, or take the bond's `trunks` away ([])".to_owned(),
                    ),
                    _ => {
                        (format!("its `trunks` are {}", bond.trunks), format!("add {vlans} to its `trunks`"))
                    }
                };
                tell("not_carried", End::Node, at_node, &format!("does not carry {text}: {why}"), &remedy)
            }
            Misfit::NativeUnsaid => tell(
                "native_vlan_unsaid",
                End::Switch,
                at_switch,
                &format!(
                    "{text} would come into the trunk's native VLAN, and the description does not say which"
                ),
                &if vlans.is_empty() {
                    "give `native_vlan`, or the IntPort a `tag`".to_owned()
                } else {
                    format!("give `native_vlan: {vlans}`")
                },
            ),
            Misfit::UntaggedDropped => tell(
                "untagged_dropped",
                End::Switch,
                at_switch,
                &format!("{text} arrives without tag, and `native_vlan: tag` drops what has none"),
                "give `native_vlan` as a number, or let the node send it tagged",
            ),
            Misfit::Elsewhere(landed) => {
                let key = if port.mode == PortMode::Trunk { "native_vlan" } else { "access_vlan" };
                tell(
                    "wrong_vlan",
                    End::Switch,
                    at_switch,
                    &format!("{text} arrives without tag and comes into VLAN {landed}, which is its `{key}`"),
                    &format!("`{key}: {vlans}`, or the tags of the node as they are here"),
                )
            }
            Misfit::AnsweredUntagged => tell(
                "native_vlan_tagged",
                End::Switch,
                at_switch,
                &format!(
                    "{text} is expected with its tag, and goes out without: it is the native VLAN of the trunk"
                ),
                &format!(
                    "another `native_vlan`, or for the bond `tag: {vlans}` with `vlan_mode: native-untagged`"
                ),
            ),
            Misfit::TaggedIntoAccess => tell(
                "tagged_into_access",
                End::Switch,
                at_switch,
                &format!("{text} arrives tagged, and an access port drops what has a tag"),
                "`mode: trunk`, or a `tag` for the bond",
            ),
            Misfit::AccessUnsaid => tell(
                "access_vlan_unsaid",
                End::Switch,
                at_switch,
                &format!(
                    "{text} would come into the VLAN of the port, and the description does not say which"
                ),
                "give `access_vlan`",
            ),
            Misfit::NotAllowed => tell(
                "vlan_not_allowed",
                End::Switch,
                at_switch,
                &format!("does not let {text} through: `trunk_vlans` are {allowed}"),
                "add to `trunk_vlans` what is missing",
            ),
            Misfit::Leaks(native) => tell(
                "native_vlan_leaks",
                End::Switch,
                at_switch,
                &format!("its native VLAN {native} goes out without tag, and the bond takes that for {text}"),
                &format!("`native_vlan: {vlans}`, or `native_vlan: tag`"),
            ),
        }
    }
}

//! What a bond and a Port-Channel do with the tags of frames, and whether one takes what the other sends. Which VLANs
//! a link has to carry is `vlans.rs`'s.
//!
//! The bond's side is that of `vlan_mode` in ovs-vswitchd.conf.db(5), the other that of `switchport` in EOS.

use std::fmt;

use serde::Deserialize;
use vlan::{Native, VlanSet};

/// A frame as it leaves the bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Without a tag.
    Untagged,
    /// With this one.
    Tagged(u16),
}

/// How a bond treats tags, where it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VlanMode {
    /// Every frame keeps its tag.
    Trunk,
    /// One VLAN, without tags.
    Access,
    /// A trunk whose untagged frames are of the VLAN `tag`; it sends them tagged.
    NativeTagged,
    /// A trunk whose untagged frames are of the VLAN `tag`; it sends them so.
    NativeUntagged,
    /// One VLAN, whose frames may hold tags of their own.
    Dot1qTunnel,
}

impl VlanMode {
    /// As the description writes it; `default` is none.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "trunk" => Some(Self::Trunk),
            "access" => Some(Self::Access),
            "native-tagged" => Some(Self::NativeTagged),
            "native-untagged" => Some(Self::NativeUntagged),
            "dot1q-tunnel" => Some(Self::Dot1qTunnel),
            _ => None,
        }
    }
}

impl fmt::Display for VlanMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trunk => "trunk",
            Self::Access => "access",
            Self::NativeTagged => "native-tagged",
            Self::NativeUntagged => "native-untagged",
            Self::Dot1qTunnel => "dot1q-tunnel",
        })
    }
}

/// What a bond does with VLANs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BondVlans {
    /// The VLAN of untagged frames.
    pub tag: Option<u16>,
    /// The VLANs that it carries as a trunk; none is no restriction.
    pub trunks: VlanSet,
    /// Where nothing is said, `tag` makes it an access port.
    pub vlan_mode: Option<VlanMode>,
}

impl BondVlans {
    /// The mode in force.
    pub fn mode(&self) -> VlanMode {
        let default = if self.tag.is_some() { VlanMode::Access } else { VlanMode::Trunk };
        self.vlan_mode.unwrap_or(default)
    }

    /// How frames of the node's VLAN `vlan` leave; untagged ones of a port without a tag are `None`. `None` where they
    /// don't leave, or their answers don't come back.
    pub fn frame(&self, vlan: Option<u16>) -> Option<Frame> {
        match (self.mode(), vlan) {
            (VlanMode::Access | VlanMode::Dot1qTunnel, vlan) => (vlan == self.tag).then_some(Frame::Untagged),
            (VlanMode::NativeUntagged, Some(vlan)) if self.tag == Some(vlan) => Some(Frame::Untagged),
            (VlanMode::NativeTagged, Some(vlan)) if self.tag == Some(vlan) => Some(Frame::Tagged(vlan)),
            (VlanMode::NativeTagged | VlanMode::NativeUntagged, None) => None,
            (_, Some(vlan)) => {
                (self.trunks.is_empty() || self.trunks.contains(vlan)).then_some(Frame::Tagged(vlan))
            }
            // Untagged frames are VLAN 0, which a restricted trunk leaves out.
            (_, None) => self.trunks.is_empty().then_some(Frame::Untagged),
        }
    }

    /// The node's VLAN of the untagged frames that come in; `None` where they stay untagged.
    fn of_untagged(&self) -> Option<u16> {
        if self.mode() == VlanMode::Trunk { None } else { self.tag }
    }
}

/// How a Port-Channel carries VLANs. A routed one carries none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortMode {
    /// One VLAN, without tags.
    Access,
    /// Many, by their tags.
    Trunk,
    /// One VLAN, whose frames may hold tags of their own.
    Dot1qTunnel,
}

/// As the switch writes it.
impl fmt::Display for PortMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Access => "access",
            Self::Trunk => "trunk",
            Self::Dot1qTunnel => "dot1q-tunnel",
        })
    }
}

/// What a Port-Channel does with VLANs; `None` is what a description leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortVlans {
    /// How it carries them.
    pub mode: PortMode,
    /// The VLAN of untagged frames on a trunk.
    pub native: Option<Native>,
    /// What a trunk lets through.
    pub allowed: Option<VlanSet>,
    /// The one VLAN of what is no trunk.
    pub access: Option<u16>,
}

/// Why the two do not carry a VLAN between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misfit {
    /// The bond does not let it out.
    NotCarried,
    /// It leaves untagged, and the description does not say which VLAN the switch makes of that.
    NativeUnsaid,
    /// It leaves untagged, and the switch drops what has no tag.
    UntaggedDropped,
    /// It leaves untagged, and the switch takes it for this VLAN.
    Elsewhere(u16),
    /// It leaves tagged, and the switch answers without tag, which the bond takes for no VLAN or another one.
    AnsweredUntagged,
    /// It leaves tagged, and the Port-Channel is an access port.
    TaggedIntoAccess,
    /// The description does not say the VLAN of the access port.
    AccessUnsaid,
    /// The trunk does not let it through.
    NotAllowed,
    /// The switch's untagged frames, which are of this VLAN, would come into the node's native one.
    Leaks(u16),
}

impl PortVlans {
    /// The switch's VLAN that frames of the node's VLAN `vlan` come into, over `bond` and back.
    pub fn lands(&self, vlan: Option<u16>, bond: &BondVlans) -> Result<u16, Misfit> {
        let frame = bond.frame(vlan).ok_or(Misfit::NotCarried)?;
        let landed = match (self.mode, frame) {
            (PortMode::Access, Frame::Tagged(_)) => return Err(Misfit::TaggedIntoAccess),
            (PortMode::Access, Frame::Untagged) | (PortMode::Dot1qTunnel, _) => {
                self.access.ok_or(Misfit::AccessUnsaid)?
            }
            (PortMode::Trunk, Frame::Tagged(vlan)) => self.tagged(vlan, bond)?,
            (PortMode::Trunk, Frame::Untagged) => match self.native.ok_or(Misfit::NativeUnsaid)? {
                Native::Tag => return Err(Misfit::UntaggedDropped),
                Native::Vlan(native) => native,
            },
        };
        if self.mode != PortMode::Dot1qTunnel && vlan.is_some_and(|vlan| vlan != landed) {
            return Err(Misfit::Elsewhere(landed));
        }
        let is_allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.contains(landed));
        if self.mode == PortMode::Trunk && !is_allowed {
            return Err(Misfit::NotAllowed);
        }
        Ok(landed)
    }

    fn tagged(&self, vlan: u16, bond: &BondVlans) -> Result<u16, Misfit> {
        let native = self.native.unwrap_or(Native::DEFAULT);
        let untagged = bond.of_untagged();
        match native {
            Native::Vlan(native) if native == vlan && untagged != Some(vlan) => Err(Misfit::AnsweredUntagged),
            Native::Vlan(native) if native != vlan && untagged == Some(vlan) => Err(Misfit::Leaks(native)),
            _ => Ok(vlan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bond(vlan_mode: Option<VlanMode>, tag: Option<u16>, trunks: &str) -> BondVlans {
        BondVlans { tag, trunks: VlanSet::parse(trunks).unwrap(), vlan_mode }
    }

    fn trunk(native: Option<Native>, allowed: Option<&str>) -> PortVlans {
        PortVlans { mode: PortMode::Trunk, native, allowed: allowed.and_then(VlanSet::parse), access: None }
    }

    #[test]
    fn a_bond_sends_what_open_vswitch_says() {
        use VlanMode::{Access, Dot1qTunnel, NativeTagged, NativeUntagged, Trunk};
        for (bond, untagged, ten, twenty) in [
            (
                bond(None, None, "none"),
                Some(Frame::Untagged),
                Some(Frame::Tagged(10)),
                Some(Frame::Tagged(20)),
            ),
            (bond(None, None, "10"), None, Some(Frame::Tagged(10)), None),
            (bond(Some(Trunk), None, "10"), None, Some(Frame::Tagged(10)), None),
            (bond(None, Some(10), "none"), None, Some(Frame::Untagged), None),
            (bond(Some(Access), Some(10), "none"), None, Some(Frame::Untagged), None),
            (bond(Some(Dot1qTunnel), Some(10), "none"), None, Some(Frame::Untagged), None),
            (
                bond(Some(NativeTagged), Some(10), "none"),
                None,
                Some(Frame::Tagged(10)),
                Some(Frame::Tagged(20)),
            ),
            (
                bond(Some(NativeUntagged), Some(10), "20"),
                None,
                Some(Frame::Untagged),
                Some(Frame::Tagged(20)),
            ),
            (bond(Some(NativeUntagged), Some(10), "30"), None, Some(Frame::Untagged), None),
        ] {
            assert_eq!(
                (bond.frame(None), bond.frame(Some(10)), bond.frame(Some(20))),
                (untagged, ten, twenty),
                "{bond:?}"
            );
        }
    }

    #[test]
    fn a_port_channel_takes_what_eos_says() {
        let plain = bond(None, None, "none");
        let native = |vlan| Some(Native::Vlan(vlan));
        let untagged = bond(Some(VlanMode::NativeUntagged), Some(10), "none");
        let tagged = bond(Some(VlanMode::NativeTagged), Some(10), "none");
        let access_bond = bond(None, Some(10), "none");
        let access = |access| PortVlans { mode: PortMode::Access, access, ..trunk(None, None) };
        let tunnel = PortVlans { mode: PortMode::Dot1qTunnel, ..access(Some(99)) };
        for (port, vlan, bond, landed) in [
            (trunk(None, None), Some(10), &plain, Ok(10)),
            (trunk(None, None), Some(1), &plain, Err(Misfit::AnsweredUntagged)),
            (trunk(None, None), None, &plain, Err(Misfit::NativeUnsaid)),
            (trunk(native(10), None), None, &plain, Ok(10)),
            (trunk(native(10), Some("20")), None, &plain, Err(Misfit::NotAllowed)),
            (trunk(Some(Native::Tag), None), None, &plain, Err(Misfit::UntaggedDropped)),
            (trunk(native(10), None), Some(10), &plain, Err(Misfit::AnsweredUntagged)),
            (trunk(native(10), None), Some(10), &untagged, Ok(10)),
            (trunk(native(10), None), Some(10), &tagged, Ok(10)),
            (trunk(Some(Native::Tag), None), Some(10), &tagged, Ok(10)),
            (trunk(Some(Native::Tag), None), Some(10), &untagged, Err(Misfit::UntaggedDropped)),
            (trunk(native(20), None), Some(10), &untagged, Err(Misfit::Elsewhere(20))),
            (trunk(native(20), None), Some(10), &tagged, Err(Misfit::Leaks(20))),
            (trunk(None, Some("20")), Some(10), &plain, Err(Misfit::NotAllowed)),
            (access(Some(10)), Some(10), &plain, Err(Misfit::TaggedIntoAccess)),
            (access(Some(10)), Some(10), &access_bond, Ok(10)),
            (access(Some(20)), Some(10), &access_bond, Err(Misfit::Elsewhere(20))),
            (access(Some(20)), None, &plain, Ok(20)),
            (access(None), None, &plain, Err(Misfit::AccessUnsaid)),
            (tunnel, Some(10), &plain, Ok(99)),
        ] {
            assert_eq!(port.lands(vlan, bond), landed, "{port:?} {vlan:?} {bond:?}");
        }
    }
}

//! The rows of the table: what goes wrong. How it is brought about is `inject.rs`.

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "their names say it, and the table's page says more")]
pub enum Fault {
    ConnectionCut,
    ModuleKilled,
    VswitchdKilled,
    OvsdbKilled,
    ReloadHangs,
    ReloadFails,
    ReloadLies,
    DiskFull,
    CableOut,
    CablesOutAndBack,
    CablesCrossed,
    SwitchStatic,
    PassiveAgainstOff,
    WrongVlan,
    NoPortfast,
    SwitchUnreachable,
    ConfirmationRefused,
    NodeRebooted,
    ControlGone,
}

impl Fault {
    /// All of them, in the order of the rows.
    pub const ALL: [Self; 19] = [
        Self::ConnectionCut,
        Self::ModuleKilled,
        Self::VswitchdKilled,
        Self::OvsdbKilled,
        Self::ReloadHangs,
        Self::ReloadFails,
        Self::ReloadLies,
        Self::DiskFull,
        Self::CableOut,
        Self::CablesOutAndBack,
        Self::CablesCrossed,
        Self::SwitchStatic,
        Self::PassiveAgainstOff,
        Self::WrongVlan,
        Self::NoPortfast,
        Self::SwitchUnreachable,
        Self::ConfirmationRefused,
        Self::NodeRebooted,
        Self::ControlGone,
    ];

    /// As the head of its row has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionCut => "control connection cut",
            Self::ModuleKilled => "module killed",
            Self::VswitchdKilled => "ovs-vswitchd killed",
            Self::OvsdbKilled => "ovsdb-server killed",
            Self::ReloadHangs => "ifreload hangs",
            Self::ReloadFails => "ifreload fails",
            Self::ReloadLies => "ifreload lies",
            Self::DiskFull => "disk full",
            Self::CableOut => "a cable out",
            Self::CablesOutAndBack => "both cables out and back",
            Self::CablesCrossed => "cables crossed to the wrong switch ports",
            Self::SwitchStatic => "switch side static instead of LACP",
            Self::PassiveAgainstOff => "passive against off",
            Self::WrongVlan => "wrong VLAN with a correct read-back",
            Self::NoPortfast => "switch port without portfast",
            Self::SwitchUnreachable => "switch unreachable after commit",
            Self::ConfirmationRefused => "the confirming connection refused",
            Self::NodeRebooted => "node rebooted",
            Self::ControlGone => "control node gone for good",
        }
    }
}

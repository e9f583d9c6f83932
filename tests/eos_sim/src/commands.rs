//! Every command that may be typed, by mode. What a command does is in the files of what it changes or shows.
//! Sources: the EOS manual, and running-configs that Arista and others published.

use crate::grammar::Rule;
use crate::names::Kind;

/// What a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Moves between modes, or does something at once.
    Exec(Exec),
    /// Prints something.
    Show(Show),
    /// Changes the configuration outside of interfaces and VLANs, by a line that is kept as it is.
    Global(Keep),
    /// Goes to interfaces.
    Interface,
    /// Goes to VLANs.
    Vlan,
    /// Names the VLAN.
    VlanName,
    /// Changes the interface.
    Setting(Setting),
}

/// Commands that are no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exec {
    /// `enable`.
    Enable,
    /// `disable`.
    Disable,
    /// `exit`.
    Exit,
    /// `end`.
    End,
    /// `terminal length N`.
    Length,
    /// `terminal width N`.
    Width,
    /// `configure terminal`.
    Configure,
    /// `configure session [NAME]`.
    Session,
    /// `configure session NAME commit`, with a timer or without.
    SessionCommit,
    /// `configure session NAME abort`.
    SessionAbort,
    /// `commit [timer HH:MM:SS]`.
    Commit,
    /// `abort`.
    Abort,
    /// `rollback clean-config`.
    CleanConfig,
    /// `write memory`.
    Save,
    /// `copy running-config flash:X`, `copy startup-config flash:X`.
    CopyToFile,
    /// `copy terminal: session-config`.
    Paste,
    /// `configure replace flash:X`.
    Replace,
    /// `bash timeout N cat FILE`.
    BootConfig,
    /// `dir all-filesystems`.
    Dir,
}

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// `show running-config`.
    Running,
    /// `show running-config all`.
    RunningAll,
    /// `show running-config interfaces X`.
    RunningInterfaces,
    /// `show running-config diffs`.
    RunningDiffs,
    /// `show startup-config`.
    Startup,
    /// `show session-config [named NAME]`.
    Session,
    /// `show session-config [named NAME] diffs`.
    SessionDiffs,
    /// `show configuration sessions`.
    Sessions,
    /// `show configuration sessions detail`.
    SessionsDetail,
    /// `show version`.
    Version,
    /// `show hostname`.
    Hostname,
    /// `show clock`.
    Clock,
    /// `show privilege`.
    Privilege,
    /// `show users`.
    Users,
    /// `show vlan [N]`.
    Vlan,
    /// `show interfaces [X]`.
    Interfaces,
    /// `show interfaces [X] status`.
    InterfacesStatus,
    /// `show port-channel [N]`.
    PortChannel,
    /// `show port-channel [N] detailed`.
    PortChannelDetailed,
    /// `show port-channel summary`.
    PortChannelSummary,
    /// `show lacp neighbor`.
    LacpNeighbor,
    /// `show lacp interface`.
    LacpInterface,
    /// `show lldp neighbors`.
    LldpNeighbors,
}

/// How a line that is kept as it is relates to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// One line with these keywords.
    One,
    /// As many as there are.
    Many,
    /// One line, with `no` before it or without.
    Switch,
}

/// Where a line stands that an interface keeps as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Behind `mtu`.
    Link,
    /// Behind `switchport`.
    Address,
    /// Behind `lacp port-priority`.
    Quality,
    /// Behind everything.
    Last,
}

/// What a line changes in an interface. Each has the name of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    Description,
    Shutdown,
    LoadInterval,
    Mtu,
    L2Mtu,
    Switchport,
    Mode,
    ModeTrunkPhone,
    AccessVlan,
    NativeVlan,
    Allowed,
    AllowedAdd,
    AllowedRemove,
    AllowedExcept,
    TrunkGroup,
    MinLinks,
    Fallback,
    FallbackTimeout,
    LacpSystemId,
    Mlag,
    ChannelGroup,
    LacpTimer,
    LacpPortPriority,
    Portfast,
    PortfastEdge,
    Bpduguard,
    Bpdufilter,
    Line(Place, Keep),
}

const fn exec(pattern: &'static str, exec: Exec) -> Rule<Act> {
    Rule { pattern, act: Act::Exec(exec) }
}

const fn show(pattern: &'static str, show: Show) -> Rule<Act> {
    Rule { pattern, act: Act::Show(show) }
}

const fn set(pattern: &'static str, setting: Setting) -> Rule<Act> {
    Rule { pattern, act: Act::Setting(setting) }
}

const fn line(pattern: &'static str, place: Place, keep: Keep) -> Rule<Act> {
    Rule { pattern, act: Act::Setting(Setting::Line(place, keep)) }
}

const fn global(pattern: &'static str, keep: Keep) -> Rule<Act> {
    Rule { pattern, act: Act::Global(keep) }
}

/// Whether an unprivileged user may do it.
pub fn is_for_all(act: Act) -> bool {
    match act {
        Act::Exec(exec) => {
            matches!(exec, Exec::Enable | Exec::Disable | Exec::Exit | Exec::Length | Exec::Width)
        }
        Act::Show(show) => !matches!(
            show,
            Show::Running
                | Show::RunningAll
                | Show::RunningInterfaces
                | Show::RunningDiffs
                | Show::Startup
                | Show::Session
                | Show::SessionDiffs
        ),
        _ => false,
    }
}

/// In every mode.
pub const ALWAYS: &[Rule<Act>] = &[
    exec("enable", Exec::Enable),
    exec("disable", Exec::Disable),
    exec("exit", Exec::Exit),
    exec("quit", Exec::Exit),
    exec("logout", Exec::Exit),
    exec("terminal length <0-32767>", Exec::Length),
    exec("terminal width <10-32767>", Exec::Width),
    exec("configure", Exec::Configure),
    exec("configure terminal", Exec::Configure),
    exec("configure session", Exec::Session),
    exec("configure session NAME", Exec::Session),
    exec("configure session NAME commit", Exec::SessionCommit),
    exec("configure session NAME commit timer HH:MM:SS", Exec::SessionCommit),
    exec("configure session NAME abort", Exec::SessionAbort),
    exec("configure replace NAME", Exec::Replace),
    exec("write", Exec::Save),
    exec("write memory", Exec::Save),
    exec("copy running-config startup-config", Exec::Save),
    exec("copy running-config|startup-config NAME", Exec::CopyToFile),
    exec("bash timeout <1-600> cat /mnt/flash/boot-config", Exec::BootConfig),
    exec("dir all-filesystems", Exec::Dir),
    show("show running-config", Show::Running),
    show("show running-config all", Show::RunningAll),
    show("show running-config interfaces INTERFACES", Show::RunningInterfaces),
    show("show running-config diffs", Show::RunningDiffs),
    show("show startup-config", Show::Startup),
    show("show session-config", Show::Session),
    show("show session-config diffs", Show::SessionDiffs),
    show("show session-config named NAME", Show::Session),
    show("show session-config named NAME diffs", Show::SessionDiffs),
    show("show configuration sessions", Show::Sessions),
    show("show configuration sessions detail", Show::SessionsDetail),
    show("show version", Show::Version),
    show("show hostname", Show::Hostname),
    show("show clock", Show::Clock),
    show("show privilege", Show::Privilege),
    show("show users", Show::Users),
    show("show vlan", Show::Vlan),
    show("show vlan VLANS", Show::Vlan),
    show("show interfaces", Show::Interfaces),
    show("show interfaces INTERFACES", Show::Interfaces),
    show("show interfaces status", Show::InterfacesStatus),
    show("show interfaces INTERFACES status", Show::InterfacesStatus),
    show("show port-channel", Show::PortChannel),
    show("show port-channel <1-999999>", Show::PortChannel),
    show("show port-channel detailed", Show::PortChannelDetailed),
    show("show port-channel <1-999999> detailed", Show::PortChannelDetailed),
    show("show port-channel dense", Show::PortChannelSummary),
    show("show port-channel summary", Show::PortChannelSummary),
    show("show lacp neighbor|peer", Show::LacpNeighbor),
    show("show lacp interface", Show::LacpInterface),
    show("show lacp interface INTERFACES", Show::LacpInterface),
    show("show lacp interface detailed", Show::LacpInterface),
    show("show lacp interface all-ports", Show::LacpInterface),
    show("show lacp interface all-ports brief", Show::LacpInterface),
    show("show lacp interface all-ports detailed", Show::LacpInterface),
    show("show lldp neighbors", Show::LldpNeighbors),
];

/// In every mode of configuration.
pub const CONFIGURE: &[Rule<Act>] = &[
    exec("end", Exec::End),
    Rule { pattern: "interface INTERFACES", act: Act::Interface },
    Rule { pattern: "vlan VLANS", act: Act::Vlan },
];

/// In a configuration session.
pub const SESSION: &[Rule<Act>] = &[
    exec("commit", Exec::Commit),
    exec("commit timer HH:MM:SS", Exec::Commit),
    exec("abort", Exec::Abort),
    exec("rollback clean-config", Exec::CleanConfig),
    exec("copy terminal: session-config", Exec::Paste),
];

/// Lines before the VLANs, in the order of the running-config.
pub const BEFORE: &[Rule<Act>] = &[
    global("switchport default mode access|routed", Keep::One),
    global("transceiver qsfp default-mode TEXT", Keep::One),
    global("service configuration session max completed <0-20>", Keep::One),
    global("service configuration session max pending <1-20>", Keep::One),
    global("service routing protocols model TEXT", Keep::One),
    global("logging TEXT", Keep::Many),
    global("hostname NAME", Keep::One),
    global("ip name-server TEXT", Keep::Many),
    global("dns domain NAME", Keep::One),
    global("ntp server TEXT", Keep::Many),
    global("snmp-server TEXT", Keep::Many),
    global("spanning-tree mode TEXT", Keep::One),
    global("lacp system-priority <0-65535>", Keep::One),
    global("lacp port-id range <1-65535> <1-65535>", Keep::One),
    global("aaa TEXT", Keep::Many),
    global("enable secret TEXT", Keep::One),
    global("aaa root", Keep::Switch),
    global("username TEXT", Keep::Many),
];

/// Lines behind the interfaces, in the order of the running-config.
pub const BEHIND: &[Rule<Act>] = &[
    global("ip routing", Keep::Switch),
    global("ip route TEXT", Keep::Many),
    global("ipv6 unicast-routing", Keep::One),
];

/// Of a VLAN.
pub const VLAN: &[Rule<Act>] = &[Rule { pattern: "name NAME", act: Act::VlanName }];

const ANY: &[Rule<Act>] = &[
    set("description TEXT", Setting::Description),
    set("shutdown", Setting::Shutdown),
    set("load-interval <0-600>", Setting::LoadInterval),
    set("mtu <68-9214>", Setting::Mtu),
    line("logging event TEXT", Place::Link, Keep::Many),
    line("vrf NAME", Place::Address, Keep::One),
    line("ip address NAME", Place::Address, Keep::One),
    line("ip address NAME secondary", Place::Address, Keep::Many),
    line("ip helper-address TEXT", Place::Address, Keep::Many),
    line("ipv6 enable", Place::Address, Keep::One),
    line("ipv6 address TEXT", Place::Address, Keep::Many),
    line("ipv6 nd TEXT", Place::Address, Keep::Many),
    line("snmp trap TEXT", Place::Address, Keep::Many),
];

const SWITCHED: &[Rule<Act>] = &[
    set("switchport", Setting::Switchport),
    set("switchport mode access|trunk|dot1q-tunnel|tap|tool|tap-tool", Setting::Mode),
    set("switchport mode trunk phone", Setting::ModeTrunkPhone),
    set("switchport access vlan <1-4094>", Setting::AccessVlan),
    set("switchport trunk native vlan <1-4094>", Setting::NativeVlan),
    set("switchport trunk native vlan tag", Setting::NativeVlan),
    set("switchport trunk allowed vlan VLANS", Setting::Allowed),
    set("switchport trunk allowed vlan all|none", Setting::Allowed),
    set("switchport trunk allowed vlan add VLANS", Setting::AllowedAdd),
    set("switchport trunk allowed vlan remove VLANS", Setting::AllowedRemove),
    set("switchport trunk allowed vlan except VLANS", Setting::AllowedExcept),
    set("switchport trunk group NAME", Setting::TrunkGroup),
    set("l2 mtu <68-9236>", Setting::L2Mtu),
    set("spanning-tree portfast", Setting::PortfastEdge),
    set("spanning-tree portfast edge|network|auto", Setting::Portfast),
    set("spanning-tree bpduguard enable|disable", Setting::Bpduguard),
    set("spanning-tree bpdufilter enable|disable", Setting::Bpdufilter),
    line("spanning-tree guard root|loop|none", Place::Last, Keep::One),
    line("spanning-tree cost <1-200000000>", Place::Last, Keep::One),
    line("storm-control TEXT", Place::Quality, Keep::Many),
    line("qos TEXT", Place::Quality, Keep::Many),
    line("service-policy TEXT", Place::Quality, Keep::Many),
    line("sflow enable", Place::Quality, Keep::Switch),
];

const CHANNEL: &[Rule<Act>] = &[
    set("port-channel min-links <0-64>", Setting::MinLinks),
    set("port-channel lacp fallback static|individual", Setting::Fallback),
    set("port-channel lacp fallback timeout <0-300>", Setting::FallbackTimeout),
    set("lacp system-id NAME", Setting::LacpSystemId),
    set("mlag <1-2000>", Setting::Mlag),
];

const ETHERNET: &[Rule<Act>] = &[
    set("channel-group <1-999999> mode active|passive|on", Setting::ChannelGroup),
    set("lacp timer fast|normal", Setting::LacpTimer),
    set("lacp rate fast|normal", Setting::LacpTimer),
    set("lacp port-priority <0-65535>", Setting::LacpPortPriority),
    line("lacp timer multiplier <3-3000>", Place::Quality, Keep::One),
    line("speed TEXT", Place::Link, Keep::One),
    line("flowcontrol send TEXT", Place::Link, Keep::One),
    line("flowcontrol receive TEXT", Place::Link, Keep::One),
    line("error-correction encoding TEXT", Place::Link, Keep::One),
    line("lldp transmit", Place::Quality, Keep::Switch),
    line("lldp receive", Place::Quality, Keep::Switch),
];

/// Of an interface.
pub fn of_interface(kind: Kind) -> Vec<&'static [Rule<Act>]> {
    match kind {
        Kind::PortChannel => vec![ANY, SWITCHED, CHANNEL],
        Kind::Ethernet => vec![ANY, SWITCHED, ETHERNET],
        _ => vec![ANY],
    }
}

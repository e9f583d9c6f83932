//! Every path, command and time limit that a module uses, in one place, so that tests can point them elsewhere.
//!
//! On a node nobody sets any of the variables below. They exist for tests and for the lab:
//!
//! - `BOTHENDS_ROOT` puts every path, and the program of every command, under another folder. A test that sets
//!   only this can reach nothing of the machine it runs on.
//! - `BOTHENDS_INTERFACES`, `BOTHENDS_OVSDB` and so on, one for each field of [`Paths`], replace one path. It is
//!   used as given, not under `BOTHENDS_ROOT`.
//! - `BOTHENDS_IFRELOAD` replaces the command; its words are separated by white space.
//! - `BOTHENDS_LIMIT_IFRELOAD` and so on, one for each field of [`Limits`], replace one time limit: seconds, with
//!   a fraction if wanted.
//!
//! An empty variable counts as not set. Whoever can set the environment of a module that runs as root is root
//! already, so nothing is guarded here, but [`Paths::overridden`] names what is in force for the module to report.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PREFIX: &str = "BOTHENDS_";

/// Where things are on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// What a path that a file of the node names begins under.
    pub root: PathBuf,
    /// The file that ifupdown2 and Proxmox VE read: interfaces(5).
    pub interfaces: PathBuf,
    /// What the web interface shows as pending changes, and moves over [`Self::interfaces`] on "Apply" or at boot.
    pub staged: PathBuf,
    /// The lock that Proxmox's API holds from reading to writing the file.
    pub proxmox_lock: PathBuf,
    /// The lock of these modules. It stands in `/run` because only root writes there: in `/run/lock` anybody
    /// could make the folder first and so keep the modules out.
    pub node_lock: PathBuf,
    /// Checkpoints and the guard's copy of the binary: kept over a reboot, and programs may run from there.
    pub state: PathBuf,
    /// What the nodes of a Proxmox VE cluster have in common, and links to what is this node's.
    pub pve_config: PathBuf,
    /// Socket of the Open vSwitch database.
    pub ovsdb: PathBuf,
    /// Folder with the pid file and the control socket of `ovs-vswitchd`.
    pub ovs_run: PathBuf,
    /// The kernel's links, a folder each.
    pub sys_class_net: PathBuf,
    /// The kernel's processes, a folder each.
    pub proc: PathBuf,
    /// The kernel's routing tables and sockets.
    pub proc_net: PathBuf,
    /// The cluster's nodes with their addresses: corosync.conf(5).
    pub corosync: PathBuf,
    /// Names of addresses: hosts(5).
    pub hosts: PathBuf,
    /// Brings the node to what [`Self::interfaces`] says. In `/sbin`, where the package puts it: that is right
    /// both where `/sbin` is a link to `/usr/sbin` and where it is not.
    pub ifreload: Vec<String>,
    /// Sets a link up or down, and looks for neighbours: ip(8).
    pub ip: PathBuf,
    /// Shows and sets the VLANs of a Linux bridge's ports: bridge(8).
    pub bridge: PathBuf,
    /// Asks whether an address answers: ping(8).
    pub ping: PathBuf,
    /// There where systemd is the node's first process: `sd_booted(3)`.
    pub systemd: PathBuf,
    /// Starts a service without a unit file: systemd-run(1).
    pub systemd_run: PathBuf,
    /// ifupdown2's own part for bridges of Open vSwitch, which is different where Proxmox patched it.
    pub ovs_addon: PathBuf,
    /// How long things may take.
    pub limits: Limits,
    /// Names of the environment variables that changed something here.
    pub overridden: Vec<String>,
}

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One run of [`Paths::ifreload`].
    pub ifreload: Duration,
    /// One run of [`Paths::ip`].
    pub ip: Duration,
    /// Between asking a process to end and killing it.
    pub grace: Duration,
    /// Waiting for our own lock, which is held for a whole apply.
    pub node_lock: Duration,
    /// Waiting for Proxmox's lock. The API itself gives up after as long.
    pub proxmox_lock: Duration,
    /// One dialog with the database or with `ovs-vswitchd`.
    pub ovsdb: Duration,
    /// Until the guard of a change says that it watches.
    pub guard: Duration,
    /// Until a member whose aggregation key was set may carry traffic again.
    pub lacp: Duration,
    /// From an apply until what was read back no longer differs.
    pub settle: Duration,
    /// From a change that has settled until all answer who answered before it. Switches and neighbours learn anew
    /// where the node is.
    pub reach: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ifreload: Duration::from_secs(120),
            ip: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            node_lock: Duration::from_secs(120),
            proxmox_lock: Duration::from_secs(10),
            ovsdb: Duration::from_secs(10),
            guard: Duration::from_secs(10),
            lacp: Duration::from_secs(10),
            settle: Duration::from_secs(15),
            reach: Duration::from_secs(10),
        }
    }
}

/// A variable that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A time limit that is not a number of seconds.
    #[error(
        "reading the environment variable `{variable}`: `{value}` is no number of seconds; hint: unset it"
    )]
    Limit {
        /// Full name of the variable.
        variable: String,
        /// What it holds.
        value: String,
    },
    /// A command that is not UTF-8 text or has no words.
    #[error("reading the environment variable `{variable}`: it holds no command; hint: unset it")]
    Command {
        /// Full name of the variable.
        variable: String,
    },
}

impl Default for Paths {
    fn default() -> Self {
        Self::under(Path::new("/"))
    }
}

impl Paths {
    /// The paths of this node, or where the environment points them.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// What to tell of [`Self::overridden`], if there is any. Where a task stages is told by what it writes.
    pub fn notice(&self) -> Option<String> {
        let told: Vec<&str> =
            self.overridden.iter().map(String::as_str).filter(|name| *name != "BOTHENDS_STAGED").collect();
        (!told.is_empty()).then(|| format!("set in the environment: {}", told.join(", ")))
    }

    fn under(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            interfaces: root.join("etc/network/interfaces"),
            staged: root.join("etc/network/interfaces.new"),
            proxmox_lock: root.join("etc/network/.pve-interfaces.lock"),
            node_lock: root.join("run/bothends/node.lock"),
            state: root.join("var/lib/bothends"),
            pve_config: root.join("etc/pve"),
            ovsdb: root.join("run/openvswitch/db.sock"),
            ovs_run: root.join("run/openvswitch"),
            sys_class_net: root.join("sys/class/net"),
            proc: root.join("proc"),
            proc_net: root.join("proc/net"),
            corosync: root.join("etc/pve/corosync.conf"),
            hosts: root.join("etc/hosts"),
            ifreload: vec![root.join("sbin/ifreload").to_string_lossy().into_owned(), "-a".to_owned()],
            ip: root.join("bin/ip"),
            bridge: root.join("sbin/bridge"),
            ping: root.join("bin/ping"),
            systemd: root.join("run/systemd/system"),
            systemd_run: root.join("usr/bin/systemd-run"),
            ovs_addon: root.join("usr/share/ifupdown2/addons/openvswitch.py"),
            limits: Limits::default(),
            overridden: Vec::new(),
        }
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let mut overridden = Vec::new();
        let mut get = |name: &str| {
            let name = format!("{PREFIX}{name}");
            let value = variable(&name).filter(|value| !value.is_empty())?;
            overridden.push(name.clone());
            Some((name, value))
        };

        let mut paths = get("ROOT").map_or_else(Self::default, |(_, root)| Self::under(Path::new(&root)));
        // Taken apart without `..`: a new field does not compile until it has its variable.
        let Self {
            root: _,
            interfaces,
            staged,
            proxmox_lock,
            node_lock,
            state,
            pve_config,
            ovsdb,
            ovs_run,
            sys_class_net,
            proc,
            proc_net,
            corosync,
            hosts,
            ifreload,
            ip,
            bridge,
            ping,
            systemd,
            systemd_run,
            ovs_addon,
            limits,
            overridden: _,
        } = &mut paths;
        for (name, path) in [
            ("INTERFACES", interfaces),
            ("STAGED", staged),
            ("PROXMOX_LOCK", proxmox_lock),
            ("NODE_LOCK", node_lock),
            ("STATE", state),
            ("PVE_CONFIG", pve_config),
            ("OVSDB", ovsdb),
            ("OVS_RUN", ovs_run),
            ("SYS_CLASS_NET", sys_class_net),
            ("PROC", proc),
            ("PROC_NET", proc_net),
            ("COROSYNC", corosync),
            ("HOSTS", hosts),
            ("IP", ip),
            ("BRIDGE", bridge),
            ("PING", ping),
            ("SYSTEMD", systemd),
            ("SYSTEMD_RUN", systemd_run),
            ("OVS_ADDON", ovs_addon),
        ] {
            if let Some((_, value)) = get(name) {
                *path = value.into();
            }
        }
        if let Some((variable, value)) = get("IFRELOAD") {
            *ifreload = words(value).ok_or(Error::Command { variable })?;
        }
        let Limits { ifreload, ip, grace, node_lock, proxmox_lock, ovsdb, guard, lacp, settle, reach } =
            limits;
        for (name, limit) in [
            ("LIMIT_IFRELOAD", ifreload),
            ("LIMIT_IP", ip),
            ("LIMIT_GRACE", grace),
            ("LIMIT_NODE_LOCK", node_lock),
            ("LIMIT_PROXMOX_LOCK", proxmox_lock),
            ("LIMIT_OVSDB", ovsdb),
            ("LIMIT_GUARD", guard),
            ("LIMIT_LACP", lacp),
            ("LIMIT_SETTLE", settle),
            ("LIMIT_REACH", reach),
        ] {
            if let Some((variable, value)) = get(name) {
                let value = value.to_string_lossy();
                *limit =
                    seconds(&value).ok_or_else(|| Error::Limit { variable, value: value.into_owned() })?;
            }
        }
        paths.overridden = overridden;
        Ok(paths)
    }
}

fn words(value: OsString) -> Option<Vec<String>> {
    let words: Vec<_> = value.into_string().ok()?.split_whitespace().map(str::to_owned).collect();
    (!words.is_empty()).then_some(words)
}

/// At most a day, so that no deadline made from a limit can overflow the clock.
fn seconds(value: &str) -> Option<Duration> {
    let limit = Duration::try_from_secs_f64(value.parse().ok()?).ok()?;
    (limit <= Duration::from_secs(86_400)).then_some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Paths, Error> {
        Paths::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn without_variables_the_paths_are_those_of_a_node() {
        let paths = with(&[("BOTHENDS_STAGED", "")]).unwrap();
        assert_eq!(paths, Paths::default());
        assert_eq!(paths.interfaces, Path::new("/etc/network/interfaces"));
        assert_eq!(paths.ifreload, ["/sbin/ifreload", "-a"]);
    }

    #[test]
    fn a_root_moves_everything_and_a_single_variable_wins_over_it() {
        let paths = with(&[("BOTHENDS_ROOT", "/tmp/x"), ("BOTHENDS_OVSDB", "/run/db.sock")]).unwrap();
        assert_eq!(paths.interfaces, Path::new("/tmp/x/etc/network/interfaces"));
        assert_eq!(paths.ifreload, ["/tmp/x/sbin/ifreload", "-a"]);
        assert_eq!(paths.ovsdb, Path::new("/run/db.sock"));
        assert_eq!(paths.overridden, ["BOTHENDS_ROOT", "BOTHENDS_OVSDB"]);
    }

    #[test]
    fn a_command_is_split_into_words_and_a_limit_is_in_seconds() {
        let paths =
            with(&[("BOTHENDS_IFRELOAD", " sh  /x -a"), ("BOTHENDS_LIMIT_IFRELOAD", "0.25")]).unwrap();
        assert_eq!(paths.ifreload, ["sh", "/x", "-a"]);
        assert_eq!(paths.limits.ifreload, Duration::from_millis(250));
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named() {
        for value in ["soon", "-1", "NaN", "inf", "1e9"] {
            let error = with(&[("BOTHENDS_LIMIT_SETTLE", value)]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "reading the environment variable `BOTHENDS_LIMIT_SETTLE`: `{value}` is no number of \
                     seconds; hint: unset it"
                )
            );
        }
        assert!(matches!(with(&[("BOTHENDS_IFRELOAD", " ")]), Err(Error::Command { .. })));
    }
}

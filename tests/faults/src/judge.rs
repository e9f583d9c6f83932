//! What the two ends are, seen from outside: the node through the machine that the lab is on, the switch by its CLI, typed
//! at from within it. Nothing of the product is asked.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use lab::Lab;
use lab::uplink::OldState;
use similar::TextDiff;

use crate::cell::{End, Left};
use crate::site::{NODE, Site};

/// What stands between the two ends in a file.
const BETWEEN: &str = "\n--- switch ---\n";
/// What begins the lines of what is left, and what may be where a cell says so.
const LEFT: [(&str, Left); 3] = [
    ("/etc/network/interfaces.new ", Left::Staged),
    // Of a folder of a change, below `/var/lib/bothends`.
    ("./", Left::Checkpoint),
    ("session ", Left::Session),
];

/// Processes of the modules, of their guards, and `ifreload`.
const PROCESSES: &str = r#"
for process in /proc/[0-9]*; do
  case $(readlink "$process/exe") in
  *bothends/* | *[/_]pve_*) echo "process $(tr '\0' ' ' <"$process/cmdline")" ;;
  esac
done
pgrep -af '[f]ault/bin/ifreload' | sed 's/^[0-9]*/process/'
true"#;

/// Prints the ports of Linux bridges.
const BRIDGES: &str = "cd /sys/class/net; ls -d */brif/* 2>/dev/null || true";

/// Both ends, whole, and what does not belong to either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The node: its file, Open vSwitch, links, addresses, routes, ports of Linux bridges.
    pub node: String,
    /// The switch: its running-config and its startup-config.
    pub switch: String,
    /// Staged files, checkpoints, locks, processes, sessions, timers, a line each.
    pub left: BTreeSet<String>,
}

impl Seen {
    /// Looks.
    pub fn look(site: &Site) -> Result<Self> {
        let lab = &site.lab;
        let mut left = BTreeSet::new();
        let configuration = lab.configuration(NODE)?;
        let belongs = |line: &&str| {
            let remains = line.ends_with(" is held") || LEFT.iter().any(|(begin, _)| line.starts_with(begin));
            if remains {
                left.insert((*line).to_owned());
            }
            // A boot makes a link of its own.
            !remains && !line.starts_with("/etc/network/run ")
        };
        let node = configuration.lines().filter(belongs).fold(String::new(), |text, line| {
            // A link of a cable is told with the number of its other end, which is the lab's.
            text + line.split_once("@if").map_or(line, |(link, _)| link) + "\n"
        }) + &site.node(BRIDGES)?;
        left.extend(site.node(PROCESSES)?.lines().map(str::to_owned));

        let show = |what: &str| show(lab, what);
        let switch = show("running-config")? + &show("startup-config")?;
        let pending = show("configuration sessions detail")?;
        let pending = pending
            .lines()
            .filter(|line| line.trim_start().starts_with("bothends-") && line.contains(" pending"));
        // One whose commit waits for its confirmation is told by its timer.
        let pending = pending.filter(|line| !line.contains("pendingCommitTimer"));
        left.extend(pending.map(|line| format!("session {}", line.trim())));
        left.extend(lab.switch_control("timer")?.lines().map(|name| format!("commit timer of {name}")));
        Ok(Self { node, switch, left })
    }

    /// What is left, where all of that is of a kind that may be.
    pub fn may_be_left(&self) -> Result<BTreeSet<Left>> {
        let kind =
            |line: &String| LEFT.iter().find_map(|(begin, left)| line.starts_with(begin).then_some(*left));
        let kinds: Option<BTreeSet<Left>> = self.left.iter().map(kind).collect();
        kinds.with_context(|| format!("it leaves {:?}", self.left))
    }

    /// Which each end is, the node and the switch, compared with what they were and are to be; neither is an error.
    pub fn whole(&self, before: &Self, new: &Self) -> Result<(End, End)> {
        let which = |name: &str, seen: &str, old: &str, new: &str| {
            if seen == old {
                return Ok(End::Old);
            }
            if seen == new {
                return Ok(End::New);
            }
            let [from_old, from_new] = [old, new].map(|other| difference(other, seen));
            bail!("the {name} is neither old nor new.\nfrom old:\n{from_old}from new:\n{from_new}")
        };
        let node = which("node", &self.node, &before.node, &new.node);
        let switch = which("switch", &self.switch, &before.switch, &new.switch);
        Ok((node?, switch?))
    }

    /// What an undisturbed migration leaves, from the file of the state that it begins with, in the words of this lab.
    pub fn new_in(site: &Site) -> Result<Self> {
        let path = golden(site.old);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let text = site.with_own_macs(&text);
        let (node, switch) =
            text.split_once(BETWEEN).context("a file of both ends has to name the switch")?;
        Ok(Self { node: node.to_owned() + "\n", switch: switch.to_owned(), left: BTreeSet::new() })
    }

    /// Holds it to that file, or writes the file where `BLESS` is set.
    pub fn ensure_is_as_written(&self, site: &Site) -> Result<()> {
        ensure!(self.left.is_empty(), "an undisturbed migration leaves {:?}", self.left);
        let text =
            site.without_own_macs(&format!("{}{BETWEEN}{}", self.node.trim_end_matches('\n'), self.switch));
        let path = golden(site.old);
        if std::env::var_os("BLESS").is_some() {
            return fs::write(&path, text).with_context(|| format!("writing {}", path.display()));
        }
        let written = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        ensure!(written == text, "{} says otherwise:\n{}", path.display(), difference(&written, &text));
        Ok(())
    }
}

fn golden(old: OldState) -> PathBuf {
    Lab::project().join(format!("tests/faults/new/from_{}.txt", old.name()))
}

fn difference(from: &str, to: &str) -> String {
    TextDiff::from_lines(from, to).unified_diff().context_radius(0).to_string()
}

/// Typed on the switch itself, as control may be cut off.
fn show(lab: &Lab, what: &str) -> Result<String> {
    let config = lab.lab("ssh-config", &[])?;
    let command = format!("show {what}");
    let text = lab.exec("switch", &["ssh", "-F", config.trim(), "core", &command])?.replace('\r', "");
    ensure!(!text.starts_with("% "), "the switch refused `{command}`: {text}");
    Ok(text)
}

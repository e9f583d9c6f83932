//! Runs that are killed at random moments of a change, every second one with its guard, and a look from outside at what they
//! leave: the node is as before or as declared when the guard or the next run has seen to it, never in between, and what is
//! others' is as it was.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::bond::bond;
use crate::guard::KILL_GUARDS;
use crate::{Lab, wait_until};

const NODE: &str = "node1";
const GUEST: &str = "100";
/// Where the stand-in for `ifreload -a` lies in the node.
const STAND_IN: &str = "/root/ifreload";

/// Does to Open vSwitch and the links what `ifreload -a` does for the stanza of `bond0`, in a tenth of its time, so that a
/// thousand kills are a matter of minutes and fall into every step alike. It leaves a bond's members as they are, too, and
/// two of it are never at work at once.
const INSTRUMENTED: &str = r#"
exec 9>/run/network/stand_in; flock 9
bridge=$(awk '$1 == "iface" {on = $2 == "bond0"} on && $1 == "ovs_bridge" {print $2}' /etc/network/interfaces)
members=$(awk '$1 == "iface" {on = $2 == "bond0"} on && $1 == "ovs_bonds" {$1 = ""; print}' /etc/network/interfaces)
options=$(awk '$1 == "iface" {on = $2 == "bond0"} on && $1 == "ovs_options" {$1 = ""; print}' /etc/network/interfaces)
if [ -n "$bridge" ]; then
  for member in $members; do ip link set "$member" up; done
  ovs-vsctl --timeout=10 -- --may-exist add-bond "$bridge" bond0 $members \
    -- --if-exists clear port bond0 bond_mode lacp other_config tag trunks vlan_mode -- set port bond0 $options ||
  ovs-vsctl --timeout=10 -- --if-exists clear port bond0 bond_mode lacp other_config tag trunks vlan_mode \
    -- set port bond0 $options
else
  ovs-vsctl --timeout=10 -- --if-exists del-port bond0
fi 2>/dev/null
exit 0
"#;

/// Which `ifreload -a` is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// A stand-in that is quick.
    Instrumented,
    /// ifupdown2's.
    Real,
}

/// Runs a module, and kills it after `$0` seconds: from inside of the node, where nothing but the module is hit.
const KILL: &str = r#"timeout --signal=KILL "$0" "$@"
"#;

/// How the kills came out.
#[derive(Debug, Default)]
pub struct Tally {
    /// Before anything was noted down.
    pub untouched: u32,
    /// In the middle; its guard undid it.
    pub undone_by_guard: u32,
    /// In the middle; the next run undid it.
    pub undone_by_next: u32,
    /// After all was done.
    pub done: u32,
    /// The last step that the killed runs had begun, where they left a checkpoint.
    pub steps: BTreeMap<String, u32>,
}

/// Whether the guard of a killed run lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guards {
    Live,
    Killed,
}

/// A node on which runs are killed.
pub struct Soak {
    lab: Lab,
    random: Random,
    reload: Reload,
    /// How long a run takes: where the kills have to fall.
    longest: u64,
    /// Others' part of the node.
    foreign: String,
    tally: Tally,
}

impl Soak {
    /// Brings up a node with a bridge, others' work on it, and a generator that `seed` makes repeatable.
    pub fn up(reload: Reload, seed: u64) -> Result<Self> {
        let lab = Lab::up()?;
        lab.write(NODE, STAND_IN, INSTRUMENTED)?;
        lab.sh(
            NODE,
            "printf '\\nauto backup\\niface backup inet manual\\n\\tpre-up true\\n#not ours\\n' >>/etc/network/interfaces
             ip link add backup type veth peer name backup_peer
             ip address add 198.51.100.7/24 dev backup_peer
             ip link set backup up",
        )?;
        lab.make_bridge(NODE)?;
        lab.lab("guest", &[NODE, GUEST, "10", "10.10.0.100/24"])?;
        lab.sh(NODE, "ovs-vsctl set Port tap100i0 external_ids:owner=somebody")?;
        // A generator of zeros would stay there.
        let mut soak = Self {
            lab,
            random: Random(seed | 1),
            reload,
            longest: 0,
            foreign: String::new(),
            tally: Tally::default(),
        };
        soak.foreign = soak.others()?;
        let begin = Instant::now();
        soak.run(&bond(&["ens20f0np0", "ens20f1np1"]))?.changed()?;
        soak.longest = u64::try_from(begin.elapsed().as_micros())?;
        soak.run(&json!({"name": "bond0", "state": "absent"}))?.changed()?;
        Ok(soak)
    }

    /// Kills that many runs, and says how they came out.
    pub fn kill(mut self, kills: u32) -> Result<Tally> {
        let changes = [
            bond(&["ens20f0np0", "ens20f1np1"]),
            json!({"name": "bond0", "tag": 20}),
            bond(&["ens20f0np0", "ens21f0np0"]),
            bond(&["ens19f0np0", "ens20f0np0", "ens20f1np1"]),
            json!({"name": "bond0", "tag": 0, "lacp_time": "slow"}),
            json!({"name": "bond0", "state": "absent"}),
        ];
        for (kill, change) in (0..kills).zip(changes.iter().cycle()) {
            let delay = Duration::from_micros(self.random.below(self.longest));
            let guards = if kill % 2 == 0 { Guards::Live } else { Guards::Killed };
            self.one(change, delay, guards)
                .with_context(|| format!("kill {kill}, after {delay:?}, guards {guards:?}: {change}"))?;
        }
        Ok(self.tally)
    }

    fn one(&mut self, change: &Value, delay: Duration, guards: Guards) -> Result<()> {
        let before = self.configuration()?;
        self.lab.sh(NODE, "rm -f /var/lib/bothends/verdict.json")?;
        let script = if guards == Guards::Killed { format!("{KILL}{KILL_GUARDS}") } else { KILL.to_owned() };
        let killer = ["sh", "-c", &script, &delay.as_secs_f64().to_string()];
        let words = [self.environment(), &killer].concat();
        self.lab.start_module(NODE, &words, "pve_ovs_bond", change)?.wait_with_output()?;
        // A guard may remove it while it is read.
        let step = self.lab.sh(NODE, "sed -n 's/.*\"step\":\"\\([^\"]*\\)\".*/\\1/p' /var/lib/bothends/checkpoint-*/*.json 2>/dev/null || true")?;
        if !step.trim().is_empty() {
            *self.tally.steps.entry(step.trim().to_owned()).or_default() += 1;
        }
        self.lab.wait_for_guards(NODE)?;
        // Also of a change of which nothing was touched yet; one that was done has none.
        let is_undone = self.lab.sh(NODE, "ls /var/lib/bothends")?.contains("verdict.json");
        if is_undone {
            self.is_as(&before)?;
        }

        let next = self.run(change)?;
        if next.status == 0 {
            *match (is_undone, next.changed()?) {
                (true, true) => &mut self.tally.undone_by_guard,
                (false, true) => &mut self.tally.untouched,
                (false, false) => &mut self.tally.done,
                (true, false) => bail!("the guard said that it went back, and it was done"),
            } += 1;
        } else {
            let (code, outcome) = next.failure()?;
            ensure!((code, outcome) == ("interrupted_run", "rolled_back"), "{}", next.message());
            self.tally.undone_by_next += 1;
            self.is_as(&before)?;
            ensure!(self.run(change)?.changed()?, "the run after it had nothing to do");
        }
        ensure!(!self.run(change)?.changed()?, "the last run was not idle");
        let others = self.others()?;
        ensure!(others == self.foreign, "others' work is not as it was:\n{}\n---\n{others}", self.foreign);
        Ok(())
    }

    /// Holds the node to how it was before, when nothing is at work on it any more.
    fn is_as(&self, before: &str) -> Result<()> {
        wait_until("`ifreload` to end", Duration::from_secs(60), || {
            let count = self.lab.sh(NODE, "pgrep -cf '[/]sbin/ifreload|[/]root/ifreload' || true")?;
            Ok((count.trim() == "0").then_some(()))
        })?;
        let after = self.configuration()?;
        ensure!(after == before, "not as before:\n{before}\n---\n{after}");
        Ok(())
    }

    /// Without the aggregation key that a member was given to keep LACP up: it is no part of what is declared.
    fn configuration(&self) -> Result<String> {
        let told = self.lab.configuration(NODE)?;
        let without_key = |word| if str::contains(word, "lacp-aggregation-key") { "" } else { word };
        Ok(told.split(',').map(without_key).collect::<Vec<_>>().join(","))
    }

    fn run(&self, arguments: &Value) -> Result<crate::Answer> {
        self.lab.module_with(NODE, self.environment(), "pve_ovs_bond", arguments)
    }

    fn environment(&self) -> &'static [&'static str] {
        match self.reload {
            Reload::Instrumented => &["BOTHENDS_IFRELOAD=sh /root/ifreload"],
            Reload::Real => &[],
        }
    }

    /// What is not the task's: a stanza, its link, a guest's port, locks and leftovers.
    fn others(&self) -> Result<String> {
        self.lab.sh(
            NODE,
            "awk '/backup/,/^$/' /etc/network/interfaces
             ip -brief address show dev backup_peer
             ovs-vsctl --columns=name,tag,external_ids list Port tap100i0
             ovs-vsctl port-to-br tap100i0
             ls -A /etc/network
             ls -A --ignore=verdict.json --ignore=previous --ignore=undone /var/lib/bothends
             for lock in /run/bothends/node.lock /etc/network/.pve-interfaces.lock; do
               flock --nonblock $lock true || echo \"$lock is held\"
             done",
        )
    }
}

/// A small generator (xorshift64), so that a seed repeats a run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

//! A device of settings by name that can refuse, ignore, be late, die half-way, and fail to go back.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ansible_module::context::{Context, Log};
use ansible_module::converge::{Device, Prepared, State, Target, converge};
use ansible_module::diff::Described;
use ansible_module::fault::Fault;
use ansible_module::outcome::Ended;
use serde::Serialize;
use serde_json::{Value, json};
use stopped_clock::StoppedClock;

/// Settings by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings(pub BTreeMap<String, i64>);

impl State for Settings {
    fn describe(&self) -> Vec<Described> {
        self.0
            .iter()
            .map(|(name, value)| Described { name: name.clone(), text: format!("{value}\n") })
            .collect()
    }
}

pub struct Set {
    pub name: String,
    pub value: i64,
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "set {} to {}", self.name, self.value)
    }
}

/// How the device behaves. Each field counts or names what goes wrong; the default is a device that obeys.
#[derive(Debug, Default, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub struct Temper {
    pub refuses: Option<&'static str>,
    pub ignores: Option<&'static str>,
    pub leaves_undone: Option<&'static str>,
    pub late_by_reads: u32,
    pub panics_at: Option<&'static str>,
    pub interrupted_at: Option<&'static str>,
    pub condition_fails: bool,
    pub commit_fails: bool,
    pub checkpoint_fails: bool,
    pub rollback_refuses: bool,
    pub rollback_ignores: bool,
    pub rollback_panics: bool,
    pub unreadable_reads: u32,
    pub lock_fails: bool,
    pub stops_untouched: bool,
    /// Somebody else sets `tag` to this while the change is prepared, each time the next of them.
    pub moves: Vec<i64>,
    pub sees_no_difference: bool,
    pub provisional: bool,
    pub reverts_by_itself: bool,
    pub persist_fails: bool,
}

pub struct Fake {
    pub settings: BTreeMap<String, i64>,
    pub temper: Temper,
    pub checkpoint: Option<Settings>,
    pub late: Vec<(u32, String, i64)>,
    pub interrupted: Arc<AtomicBool>,
    pub touched: Vec<String>,
    pub applied: bool,
    /// A checkpoint of an earlier run is there; what that run did is not known.
    pub unknown_past: bool,
}

impl Fake {
    fn put(&mut self, name: &str, value: i64) {
        self.touched.push(format!("{name}={value}"));
        self.settings.insert(name.to_owned(), value);
    }

    fn prepare(&mut self) -> Prepared {
        if let Some(tag) = self.temper.moves.pop() {
            self.settings.insert("tag".to_owned(), tag);
            return Prepared::Moved;
        }
        if self.temper.sees_no_difference { Prepared::Same } else { Prepared::Ready }
    }
}

impl Device for Fake {
    type Picture = BTreeMap<String, i64>;
    type State = Settings;
    type Change = Set;

    fn lock(&mut self) -> Result<(), Fault> {
        if self.temper.lock_fails { Err(Fault::new("locked", "held")) } else { Ok(()) }
    }

    fn resume(&mut self) -> Result<Option<Settings>, Fault> {
        Ok(self.checkpoint.clone())
    }

    fn read(&mut self) -> Result<Self::Picture, Fault> {
        if self.applied && self.temper.unreadable_reads > 0 {
            self.temper.unreadable_reads -= 1;
            return Err(Fault::new("unreadable", "the daemon is away"));
        }
        for (reads, name, value) in std::mem::take(&mut self.late) {
            if reads == 0 {
                self.settings.insert(name, value);
            } else {
                self.late.push((reads - 1, name, value));
            }
        }
        Ok(self.settings.clone())
    }

    fn restrict(&self, picture: &Self::Picture, like: &Settings) -> Settings {
        Settings(like.0.keys().map(|name| (name.clone(), picture.get(name).copied().unwrap_or(0))).collect())
    }

    fn changes(&self, found: &Settings, wanted: &Settings) -> Vec<Set> {
        let differs = wanted.0.iter().filter(|(name, value)| found.0.get(*name) != Some(value));
        differs.map(|(name, value)| Set { name: name.clone(), value: *value }).collect()
    }

    fn checkpoint(&mut self, _: &Self::Picture, before: &Settings, _: &Settings) -> Result<Prepared, Fault> {
        if self.temper.checkpoint_fails {
            return Err(Fault::new("checkpoint_failed", "disk full"));
        }
        let prepared = self.prepare();
        if prepared == Prepared::Ready {
            self.checkpoint = Some(before.clone());
        }
        Ok(prepared)
    }

    fn rehearse(&mut self, _: &Self::Picture, _: &[Set]) -> Result<Prepared, Fault> {
        Ok(self.prepare())
    }

    fn diff(&self) -> Option<Value> {
        self.temper.reverts_by_itself.then(|| json!("as the device sees it"))
    }

    fn is_provisional(&self, _: &Self::State) -> bool {
        self.temper.provisional
    }

    fn reverts_at(&self) -> Option<String> {
        self.temper.reverts_by_itself.then(|| "2026-01-02T03:04:05Z".to_owned())
    }

    fn persist(&mut self, _: &Settings) -> Result<(), Fault> {
        if self.temper.persist_fails { Err(Fault::new("not_saved", "disk full")) } else { Ok(()) }
    }

    fn apply(&mut self, changes: &[Set]) -> Result<(), Fault> {
        if self.temper.stops_untouched {
            return Err(Fault::new("file_changed", "somebody else was there first"));
        }
        self.applied = true;
        for Set { name, value } in changes {
            let is = |temper: Option<&str>| temper == Some(name.as_str());
            assert!(!is(self.temper.panics_at), "a bug at {name}");
            if is(self.temper.interrupted_at) {
                self.interrupted.store(true, Ordering::Relaxed);
            }
            if is(self.temper.refuses) {
                return Err(Fault::new("refused", format!("{name} refused")));
            }
            if is(self.temper.ignores) || is(self.temper.leaves_undone) {
                continue;
            }
            if self.temper.late_by_reads > 0 {
                self.late.push((self.temper.late_by_reads, name.clone(), *value));
            } else {
                self.put(name, *value);
            }
        }
        Ok(())
    }

    fn mend(&mut self, left: &[Set]) -> Result<bool, Fault> {
        let Some(name) = self.temper.leaves_undone else { return Ok(false) };
        let undone = left.iter().find(|set| set.name == name);
        if let Some(set) = undone {
            self.put(name, set.value);
        }
        Ok(undone.is_some())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn condition(&mut self, _: &Settings) -> Result<(), Fault> {
        if self.temper.condition_fails {
            Err(Fault::new("lacp_not_negotiated", "no partner"))
        } else {
            Ok(())
        }
    }

    fn commit(&mut self) -> Result<(), Fault> {
        if self.temper.commit_fails {
            return Err(Fault::new("commit_failed", "disk full"));
        }
        self.temper.provisional = false;
        self.checkpoint = None;
        Ok(())
    }

    fn is_touched(&self) -> bool {
        !self.touched.is_empty() || self.applied || self.unknown_past
    }

    fn rollback(&mut self, before: &Settings) -> Result<(), Fault> {
        assert!(!self.temper.rollback_panics, "a bug on the way back");
        if self.temper.rollback_refuses {
            return Err(Fault::new("rollback_refused", "no way back"));
        }
        if !self.temper.rollback_ignores {
            self.late.clear();
            for (name, value) in &before.0 {
                self.put(name, *value);
            }
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), Fault> {
        self.checkpoint = None;
        Ok(())
    }

    fn commands(&self) -> Vec<String> {
        self.touched.clone()
    }

    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

pub fn fake(temper: Temper) -> Fake {
    Fake {
        settings: [("tag".to_owned(), 10), ("mtu".to_owned(), 1500), ("foreign".to_owned(), 7)].into(),
        temper,
        checkpoint: None,
        late: vec![],
        interrupted: Arc::default(),
        touched: vec![],
        applied: false,
        unknown_past: false,
    }
}

pub fn run(device: &mut Fake, wanted: &[(&str, i64)], check_mode: bool) -> Ended {
    let context = Context {
        check_mode,
        clock: Box::new(StoppedClock(Rc::default())),
        interrupted: Arc::clone(&device.interrupted),
        log: Log::default(),
    };
    let after = Settings(wanted.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect());
    converge(
        device,
        |_| Ok(Target { after: after.clone(), also_affected: vec![], warnings: vec![] }),
        &context,
    )
}

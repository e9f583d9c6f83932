//! A task on a node: arguments that are checked by themselves, then drafted onto what was read. What the `pve_ovs_*`
//! modules are, all in the same way.

use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::converge::Target;
use ansible_module::fault::Fault;
use ansible_module::outcome::Ended;
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::apply::needs_reload;
use crate::apply_options::{Aim, ApplyOptions, ForeignChanges};
use crate::change::changes;
use crate::draft::Draft;
use crate::lacp_wait::Bonds;
use crate::node::Role;
use crate::picture::Picture;
use crate::state::State;
use crate::{also_affected, conflicts, guard, node, spare, writable};

/// The arguments of a module as meant: each valid by itself.
pub trait Task: Sized {
    /// The module's documentation, compiled.
    const SPEC: &'static ArgumentSpec;
    /// The arguments as given, without those of [`ApplyOptions`].
    type Params: DeserializeOwned;

    /// Checks the arguments; the node is not looked at.
    fn new(params: Self::Params) -> Result<Self, Fault>;
    /// Changes the file as the arguments say, or tells what stands in the way. No I/O.
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault>;
    /// Whether it matters who names a bridge in Proxmox's own configuration.
    fn asks_who_names_it(&self) -> bool {
        false
    }
    /// The bonds whose LACP partners shall be current at the end, and within what time.
    fn lacp(&self) -> Option<(Bonds, Duration)> {
        None
    }
    /// How many seconds the change may wait to be confirmed, if it has to be.
    fn confirm_within(&self) -> Option<u64> {
        None
    }
}

/// What the node looks like when the task is done.
pub fn plan<T: Task>(
    task: &T,
    options: &ApplyOptions,
    picture: &Picture,
    check_mode: bool,
) -> Result<Target<State>, Fault> {
    let assumed = conflicts::is_ready(picture, options)?;
    let mut draft = Draft::new(picture, check_mode);
    draft.warn(assumed);
    task.draft(&mut draft)?;
    spare::lastingly(&mut draft)?;
    let told = writable::check(&draft)?;
    draft.warn(told);
    let mut target = draft.finish()?;
    let is_reloaded = picture.aim != Aim::Staged && picture.ovs_runs && {
        let planned = changes(&State::found(picture, &target.after), &target.after);
        planned.iter().any(needs_reload)
    };
    if is_reloaded {
        let (told, warnings) = also_affected::also_affected(picture, draft.interfaces(), &target.after);
        if options.foreign_changes == ForeignChanges::Refuse && !told.is_empty() {
            return Err(also_affected::refused(&told));
        }
        target.also_affected = told;
        target.warnings.extend(warnings);
    }
    Ok(target)
}

/// A [`Task`] as Ansible runs it.
pub struct NodeModule<T>(PhantomData<T>);

impl<T: Task> Module for NodeModule<T> {
    const SPEC: &'static ArgumentSpec = T::SPEC;
    type Params = Params<T::Params>;

    fn run(params: Self::Params, context: &Context) -> Ended {
        node::converge::<T>(params, context)
    }

    fn rollback(folder: &Path, context: &Context) -> Ended {
        node::go_back(T::SPEC.module, folder, Role::GoBack, context)
    }

    fn guard(folder: &Path, context: &Context) {
        guard::watch(T::SPEC.module, folder, context);
    }
}

/// All arguments of a module.
#[derive(Debug)]
pub struct Params<P> {
    /// Its own.
    pub task: P,
    /// Those that it has in common with others.
    pub apply: ApplyOptions,
}

impl<'de, P: DeserializeOwned> Deserialize<'de> for Params<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Value::deserialize(deserializer)?;
        Ok(Self {
            apply: ApplyOptions::deserialize(&all).map_err(D::Error::custom)?,
            task: serde_json::from_value(all).map_err(D::Error::custom)?,
        })
    }
}

//! The guard of a change: a process that outlives whoever makes it, and goes back from its checkpoint when the maker is gone
//! half-way, or when a provisional change was not confirmed in time.
//!
//! It is a copy of the binary in the checkpoint's folder: the module's own folder may be gone by then, and `/tmp` and `/run`
//! are often mounted without the right to run programs. What going back does is `node.rs`'s.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ansible_module::checkpoint::{Checkpoint, is_there};
use ansible_module::context::Context;
use ansible_module::fault::Fault;
use ansible_module::lock::holder;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::announce::announce;
use crate::node::{self, Data, Role};
use crate::paths::Paths;
use crate::spawn;

/// The copy of the binary.
const PROGRAM: &str = "guard";
/// The file by which a guard says that it watches.
const ARMED: &str = "armed";
const PAUSE: Duration = Duration::from_millis(100);
/// A guard is looked for more often while somebody waits for it.
const INTERVAL: Duration = Duration::from_millis(5);
/// Between two tries to go back, at first and at last.
const AGAIN: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);
/// How often that is tried where the maker itself could not: Open vSwitch may be back within a minute, and after it somebody may be
/// repairing the node by hand.
const TRIES_AFTER_MAKER: u32 = 4;
/// A fallback of EOS begins after 5 s at the earliest.
const ANNOUNCED_AFTER: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(4)];

/// Starts the guard of the checkpoint in `folder`, and returns when it watches. Nothing was changed yet, and nothing may be
/// where this fails.
pub fn arm(paths: &Paths, folder: &Path) -> Result<(), Fault> {
    let program = folder.join(PROGRAM);
    let copied = fs::copy("/proc/self/exe", &program)
        .and_then(|_| fs::set_permissions(&program, fs::Permissions::from_mode(0o700)));
    copied.map_err(|error| not_armed(folder, &format!("copying it failed: {error}")))?;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let [program, folder_text] = [&program, folder].map(|path| path.to_string_lossy().into_owned());
    let guard = words(&[&program, "--guard", &folder_text]);
    let variables: Vec<(String, OsString)> =
        paths.overridden.iter().filter_map(|name| Some((name.clone(), env::var_os(name)?))).collect();
    if !(paths.systemd.is_dir() && start_service(paths, folder, &guard, &variables)) {
        spawn::start(&guard, &variables).map_err(|error| {
            let fault = Fault::from_error("guard_not_armed", &error);
            not_armed(folder, &fault.message)
        })?;
    }
    let deadline = Instant::now() + paths.limits.guard;
    while !folder.join(ARMED).exists() {
        if Instant::now() >= deadline {
            return Err(not_armed(folder, &format!("it said nothing within {:?}", paths.limits.guard)));
        }
        thread::sleep(INTERVAL);
    }
    Ok(())
}

/// As a service of systemd, which no session's end takes along, and which is started again if it is killed.
fn start_service(paths: &Paths, folder: &Path, guard: &[String], variables: &[(String, OsString)]) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut command: Vec<String> = vec![
        paths.systemd_run.to_string_lossy().into_owned(),
        "--quiet".to_owned(),
        "--collect".to_owned(),
        format!("--unit=bothends-{name}"),
        "--description=Goes back from an unfinished change of the network".to_owned(),
        "--property=Restart=on-failure".to_owned(),
        // What a reload starts, such as a DHCP client, lives on when the guard has done its work.
        "--property=KillMode=process".to_owned(),
    ];
    let set = |(name, value): &(String, OsString)| format!("--setenv={name}={}", value.to_string_lossy());
    command.extend(variables.iter().map(set));
    command.push("--".to_owned());
    command.extend(guard.iter().cloned());
    spawn::run(&command, paths.limits.guard, paths.limits.grace).is_ok_and(|finished| finished.success())
}

fn not_armed(folder: &Path, fact: &str) -> Fault {
    Fault::new(
        "guard_not_armed",
        format!(
            "starting the process that goes back if this one can't, from `{}`: {fact}; hint: programs have to be allowed to run \
             there, and there has to be room for one",
            folder.display()
        ),
    )
}

/// The guard's life: until the checkpoint in `folder` is gone, or can't be gone back from.
pub fn watch(module: &'static str, folder: &Path, context: &Context) {
    let Ok(paths) = node::paths() else { return };
    // One that can't say so watches all the same: it may have been started again while the disk is full.
    let _ = fs::write(folder.join(ARMED), std::process::id().to_string());
    let mut pause = AGAIN;
    let mut tries = 0;
    while !context.is_interrupted() {
        match look(&paths, folder, tries) {
            Look::Gone => return,
            Look::Wait => context.clock.sleep(PAUSE),
            Look::GoBack { why, hung } => {
                if let Some(pid) = hung {
                    let _ = kill(pid, Signal::SIGKILL);
                }
                context.log.line(&why);
                if node::go_back(module, folder, Role::Guard, context).is_ok() {
                    announce_until_heard(&paths, context);
                } else {
                    tries += 1;
                    context.clock.sleep(pause);
                    pause = (pause * 2).min(LONGEST);
                }
            }
        }
    }
}

/// Says again where the node is. A switch that still waits for LACP takes nothing from it for some seconds.
fn announce_until_heard(paths: &Paths, context: &Context) {
    for pause in ANNOUNCED_AFTER {
        context.clock.sleep(pause);
        announce(paths);
    }
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Nothing any more.
    Gone,
    /// Nothing yet.
    Wait,
    /// To go back.
    GoBack {
        why: String,
        /// The maker, where it is still at it after its time.
        hung: Option<Pid>,
    },
}

fn look(paths: &Paths, folder: &Path, tries: u32) -> Look {
    // Before the record: whoever is gone by now has written what it had to write.
    let holder = holder(&paths.node_lock, &paths.proc.join("locks"));
    let Ok(checkpoint) = Checkpoint::<Data>::load(folder) else {
        // Its record goes before the rest of it.
        return if is_there(folder) { Look::Wait } else { Look::Gone };
    };
    let record = checkpoint.record;
    let maker = holder.filter(|pid| *pid == record.pid);
    match &record.data.provisional {
        Some(provisional) if provisional.window.is_over() => Look::GoBack {
            why: format!(
                "the provisional change was not confirmed within {} s: going back",
                provisional.window.seconds
            ),
            hung: maker.and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw),
        },
        Some(provisional) if provisional.waits => Look::Wait,
        _ if maker.is_some() => Look::Wait,
        _ if record.data.given_up && tries >= TRIES_AFTER_MAKER => Look::Gone,
        _ => Look::GoBack {
            why: format!(
                "process {}, which made the change, is gone at `{}`: going back",
                record.pid, record.step
            ),
            hung: None,
        },
    }
}

/// The marker that `folder`'s change touched what is live: in `/run`, which a boot empties.
pub fn live_marker(paths: &Paths, folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default();
    paths.node_lock.with_file_name(name)
}

/// Sets it.
pub fn mark_live(paths: &Paths, folder: &Path) -> Result<(), Fault> {
    fs::write(live_marker(paths, folder), "").map_err(|error| {
        Fault::new("checkpoint_failed", format!("noting that the change is live failed: {error}"))
    })
}

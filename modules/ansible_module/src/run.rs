//! A module as a process: arguments in, exactly one JSON object out, exit status 0 or 1. Holds the only print.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::context::{Context, Log, SystemClock};
use crate::detach;
use crate::fault::{Fault, Step};
use crate::outcome::{Ended, Failure, to_json};
use crate::request::{self, Internal, Request};
use crate::secret::Secrets;
use crate::spec::ArgumentSpec;

/// The syslog socket; absent in many containers, and then nothing is logged.
const SYSLOG: &str = "/dev/log";

/// What a module is made of.
pub trait Module {
    /// Compiled from its documentation.
    const SPEC: &'static ArgumentSpec;
    /// The validated arguments; `null` is an option that was not given.
    type Params: DeserializeOwned;

    /// Does what the arguments ask, or predicts it.
    fn run(params: Self::Params, context: &Context) -> Ended;
    /// Whether a run with these arguments has to go on when whoever started it is gone, the connection that it came over
    /// included.
    fn is_detached(_: &Self::Params) -> bool {
        false
    }
    /// Watches over the checkpoint in `folder` until there is none, and goes back from it when its time is over or its
    /// maker is gone. What comes of it, nobody reads.
    fn guard(_: &Path, _: &Context) {}
    /// Goes back from the checkpoint in `folder`, in a process that did not make it. A module without checkpoints on
    /// disk has nothing to go back from.
    fn rollback(folder: &Path, _: &Context) -> Ended {
        Err(Failure::untouched(
            Step::Recover,
            Fault::new(
                "no_checkpoint",
                format!(
                    "going back from the checkpoint in `{}`: {} keeps none, the device goes back by itself",
                    folder.display(),
                    Self::SPEC.module
                ),
            ),
        ))
    }
}

/// The whole of a module's `main`.
pub fn run<M: Module>() -> ExitCode {
    // The default hook writes to standard error, which Ansible's async wrapper puts into the result.
    set_hook(Box::new(|_| {}));
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--version" | "-V"] => {
            say(&format!("{} {}\n", M::SPEC.module, env!("CARGO_PKG_VERSION")), ExitCode::SUCCESS)
        }
        ["--help" | "-h"] => say(&M::SPEC.help(), ExitCode::SUCCESS),
        ["--rollback", folder] => finish(&guarded(|| {
            M::rollback(Path::new(folder), &context::<M>(&Internal::default(), Secrets::default()))
        })),
        ["--guard", folder] => {
            detach::leave_session();
            M::guard(Path::new(folder), &context::<M>(&Internal::default(), Secrets::default()));
            ExitCode::SUCCESS
        }
        [detach::WORD] => {
            detach::leave_session();
            answer::<M>("-", Place::Detached)
        }
        [source] if *source == "-" || !source.starts_with('-') => answer::<M>(source, Place::Caller),
        _ => finish(&Err(Failure::untouched(
            Step::Request,
            Fault::new(
                "usage",
                format!(
                    "expected one argument; hint: `{0} FILE`, `{0} -`, `{0} --rollback DIR`, `{0} --help` or `{0} --version`",
                    M::SPEC.module
                ),
            ),
        ))),
    }
}

/// Where a run is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the process that was called.
    Caller,
    /// In one that outlives it.
    Detached,
}

fn answer<M: Module>(source: &str, place: Place) -> ExitCode {
    let Request { arguments, internal, text } = match request::read(source) {
        Ok(request) => request.without_nulls(),
        Err(fault) => return finish(&Err(Failure::untouched(Step::Request, fault))),
    };
    let name = internal.module_name.as_deref().unwrap_or(M::SPEC.module);
    let validated = M::SPEC.validate(name, arguments.clone(), internal.ignore_unknown_opts);
    let (ended, shown, secrets) = match validated {
        Err(invalid) => {
            let fault = Fault::new(invalid.kind.code(), invalid.message);
            // What a misspelled name holds may be a secret.
            let mut shown = arguments;
            shown.retain(|name, _| M::SPEC.has(name));
            (Err(Failure::untouched(Step::Arguments, fault)), shown, Secrets::new(invalid.secrets))
        }
        Ok(validated) => {
            let secrets = Secrets::new(validated.secrets);
            let mut ended = match params::<M>(&validated.params) {
                Err(failure) => Err(failure),
                Ok(params) if place == Place::Caller && !internal.check_mode && M::is_detached(&params) => {
                    match detach::run(&text) {
                        // Its own single object, validated and masked by itself.
                        Ok((answer, status)) => return say(&answer, status),
                        Err(failure) => Err(failure),
                    }
                }
                Ok(params) => run_with::<M>(params, &internal, &secrets),
            };
            let warnings = match &mut ended {
                Ok(report) => &mut report.warnings,
                Err(failure) => &mut failure.warnings,
            };
            warnings.splice(0..0, validated.warnings);
            (ended, validated.params, secrets)
        }
    };
    emit(&ended, &internal, &shown, &secrets)
}

fn params<M: Module>(params: &Map<String, Value>) -> Result<M::Params, Box<Failure>> {
    serde_json::from_value(Value::Object(params.clone())).map_err(|error| {
        let fault = Fault::new(
            "internal",
            format!("understanding the arguments failed: {error}; hint: please report it"),
        );
        Failure::untouched(Step::Arguments, fault)
    })
}

fn run_with<M: Module>(params: M::Params, internal: &Internal, secrets: &Secrets) -> Ended {
    let context = context::<M>(internal, secrets.clone());
    guarded(|| M::run(params, &context))
}

fn context<M: Module>(internal: &Internal, secrets: Secrets) -> Context {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        // Refused only for signals that can't be caught.
        let _ = signal_hook::flag::register(signal, Arc::clone(&interrupted));
    }
    let log = if internal.no_log || internal.check_mode {
        Log::default()
    } else {
        Log::to_syslog(M::SPEC.module, Path::new(SYSLOG), secrets)
    };
    Context { check_mode: internal.check_mode, clock: Box::new(SystemClock::default()), interrupted, log }
}

/// The last net: what panics while a device is changed is caught in `converge`, where the way back is known.
fn guarded(run: impl FnOnce() -> Ended) -> Ended {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let fault = Fault::new(
            "internal",
            "a defect of this module stopped it before it changed anything; hint: please report it",
        );
        Err(Failure::untouched(Step::Plan, fault))
    })
}

fn finish(ended: &Ended) -> ExitCode {
    emit(
        ended,
        &Internal { inject_invocation: Some(false), ..Internal::default() },
        &Map::new(),
        &Secrets::default(),
    )
}

fn emit(ended: &Ended, internal: &Internal, arguments: &Map<String, Value>, secrets: &Secrets) -> ExitCode {
    // Before ansible-core 2.21 modules always returned it; since then only when asked.
    let invocation = internal.inject_invocation.unwrap_or(true).then_some(arguments);
    // Their names are the protocol's: Ansible would not find `failed` where that is somebody's password.
    let result: Map<String, Value> = to_json(ended, internal.diff, invocation)
        .into_iter()
        .map(|(name, value)| (name, secrets.mask(value)))
        .collect();
    let result = Value::Object(result);
    let status = if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    say(&format!("{result}\n"), status)
}

/// The only print. Where nobody reads any more, nothing is left to say.
fn say(text: &str, status: ExitCode) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => status,
        Err(_) => ExitCode::FAILURE,
    }
}

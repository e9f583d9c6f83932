//! `eos_sim`: the simulated switch as a process. See `README.md`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use eos_sim::dataplane::DataPlane;
use eos_sim::imagined::Imagined;
use eos_sim::misbehaviour::{Misbehaviour, Rule};
use eos_sim::ovs::Ovs;
use eos_sim::server::{self, Host, Logins, Method};
use eos_sim::startup::StartupFile;
use eos_sim::switch::{Setup, Switch};
use eos_sim::users::{User, Users};
use eos_sim::{control, host_key};
use russh::keys::PrivateKey;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How often time is let pass in the switch.
const TICK: Duration = Duration::from_millis(100);

/// A simulated Arista EOS switch: its CLI over SSH, and Open vSwitch as its data plane.
///
/// Says `listening on ADDRESS, host key SHA256:…` for each address once it is ready.
#[derive(Parser)]
#[command(name = "eos_sim", version)]
struct Arguments {
    /// Where to listen, such as 127.0.0.1:2222; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2222")]
    listen: Vec<String>,
    /// What the switch boots with; the Ethernet interfaces it names are those it has
    #[arg(long, value_name = "FILE")]
    startup_config: PathBuf,
    /// Write the startup-config back to its file when it is saved
    #[arg(long)]
    write_startup: bool,
    /// NAME:PASSWORD[:PRIVILEGE]; privilege 15 needs no `enable`, an empty password needs a key
    #[arg(long, value_name = "USER")]
    user: Vec<String>,
    /// The same, one a line, so that passwords do not stand in the list of processes
    #[arg(long, value_name = "FILE")]
    user_file: Option<PathBuf>,
    /// Keys that any user may log in with
    #[arg(long, value_name = "FILE")]
    authorized_keys: Option<PathBuf>,
    /// How a user may log in
    #[arg(
        long,
        value_name = "METHODS",
        value_delimiter = ',',
        default_value = "publickey,keyboard-interactive,password"
    )]
    auth: Vec<Method>,
    /// The password of `enable`; none is asked for without this
    #[arg(long, value_name = "TEXT")]
    enable_secret: Option<String>,
    /// OpenSSH private key, made where there is none; without this a new one every time
    #[arg(long, value_name = "FILE")]
    host_key: Vec<PathBuf>,
    /// Shown before the login
    #[arg(long, value_name = "TEXT")]
    banner: Option<String>,
    /// Shown after the login
    #[arg(long, value_name = "FILE")]
    motd: Option<PathBuf>,
    /// Make the configuration real on this bridge of Open vSwitch; Ethernet7/1 is the kernel's interface `Et7_1`
    #[arg(long, value_name = "BRIDGE")]
    ovs_bridge: Option<String>,
    /// How long an interface without portfast waits before it forwards; EOS takes 30 seconds, this 0
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    forward_delay: u16,
    /// Do something wrong, such as `drop-after 3`; see README.md
    #[arg(long, value_name = "RULE")]
    misbehave: Vec<Rule>,
    /// Unix socket for changing that, and for reading what was typed
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "whoever started it reads there why it ended")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eos_sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Before anybody is told that it is ready, so that an end is clean from then on.
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
        ended = serve(arguments) => ended,
    }
}

/// Everything, without an end.
async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let keys = host_keys(&arguments.host_key)?;
    let host = Arc::new(host(&arguments)?);
    for rule in arguments.misbehave {
        host.misbehaviour.add(rule);
    }
    let mut listeners = Vec::new();
    for address in &arguments.listen {
        listeners
            .push(TcpListener::bind(address).await.with_context(|| format!("listening on `{address}`"))?);
    }
    let control = arguments.control.as_deref().map(control::bind).transpose()?;

    for listener in &listeners {
        announce(listener, &keys)?;
    }
    let mut tasks = tokio::task::JoinSet::new();
    for listener in listeners {
        tasks.spawn(server::serve(listener, keys.clone(), Arc::clone(&host)));
    }
    if let Some(socket) = control {
        tasks.spawn(control::serve(socket, host.switch.clone(), host.misbehaviour.clone()));
    }
    tokio::select! {
        Some(ended) = tasks.join_next() => ended.context("a task ended")?,
        never = let_time_pass(&host) => never,
    }
}

fn host_keys(paths: &[PathBuf]) -> anyhow::Result<Vec<PrivateKey>> {
    if paths.is_empty() {
        return Ok(vec![host_key::make()?]);
    }
    paths.iter().map(|path| host_key::load_or_make(path)).collect()
}

fn host(arguments: &Arguments) -> anyhow::Result<Host> {
    let mut users = Users::default();
    for user in &arguments.user {
        users.add(user.parse::<User>()?);
    }
    if let Some(path) = &arguments.user_file {
        users.add_lines(&read(path)?).with_context(|| format!("reading `{}`", path.display()))?;
    }
    if let Some(path) = &arguments.authorized_keys {
        users.add_keys(&read(path)?).with_context(|| format!("reading `{}`", path.display()))?;
    }
    let startup = read(&arguments.startup_config)?;
    let plane: Box<dyn DataPlane> = match &arguments.ovs_bridge {
        Some(bridge) => Box::new(Ovs::new(bridge)),
        None => Box::new(Imagined::default()),
    };
    let setup = Setup { startup: startup.clone(), plane, enable_secret: arguments.enable_secret.clone() };
    let switch = Switch::new(setup).context("booting the switch")?;
    switch.delay_forwarding(Duration::from_secs(arguments.forward_delay.into()));
    Ok(Host {
        switch,
        users,
        methods: arguments.auth.clone(),
        misbehaviour: Misbehaviour::default(),
        banner: arguments.banner.as_ref().map(|banner| format!("{banner}\r\n")),
        motd: arguments.motd.as_deref().map(read).transpose()?.unwrap_or_default(),
        startup: arguments.write_startup.then(|| StartupFile::new(arguments.startup_config.clone(), startup)),
        logins: Logins::default(),
    })
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))
}

#[expect(clippy::print_stdout, reason = "it is what those who start a switch wait for")]
fn announce(listener: &TcpListener, keys: &[PrivateKey]) -> anyhow::Result<()> {
    let keys: Vec<String> = keys.iter().map(host_key::fingerprint).collect();
    println!("listening on {}, host key {}", listener.local_addr()?, keys.join(" "));
    Ok(())
}

async fn let_time_pass(host: &Host) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        tokio::task::block_in_place(|| {
            host.switch.tick();
            host.settle();
        });
    }
}

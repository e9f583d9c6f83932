//! SSH: connections are accepted, logins checked, and each channel handed to `channel.rs`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, MethodKind, MethodSet, Pty, SshId};
use tokio::net::TcpListener;

use crate::channel;
use crate::misbehaviour::Misbehaviour;
use crate::startup::StartupFile;
use crate::switch::Switch;
use crate::terminal::Terminal;
use crate::users::{User, Users};

/// How often a password may be tried on a connection.
const TRIES: usize = 3;

/// What all connections share.
pub struct Host {
    /// What they talk to.
    pub switch: Switch,
    /// Who may.
    pub users: Users,
    /// How they may log in.
    pub methods: Vec<Method>,
    /// What goes wrong.
    pub misbehaviour: Misbehaviour,
    /// Shown before the login.
    pub banner: Option<String>,
    /// Shown after it.
    pub motd: String,
    /// Where the startup-config is kept.
    pub startup: Option<StartupFile>,
    /// When each user logged in last, and from where.
    pub logins: Logins,
}

/// A way to log in, by SSH's own name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// `publickey`.
    #[value(name = "publickey")]
    PublicKey,
    /// `keyboard-interactive`: one question, for the password.
    KeyboardInteractive,
    /// `password`.
    Password,
}

impl Method {
    fn kind(self) -> MethodKind {
        match self {
            Self::PublicKey => MethodKind::PublicKey,
            Self::KeyboardInteractive => MethodKind::KeyboardInteractive,
            Self::Password => MethodKind::Password,
        }
    }

    fn name(self) -> &'static str {
        (&self.kind()).into()
    }
}

impl Host {
    fn methods(&self) -> MethodSet {
        MethodSet::from(self.methods.iter().map(|method| method.kind()).collect::<Vec<_>>().as_slice())
    }

    /// What is due after a line, or after a while: the startup-config goes to its file if it was saved, and what went
    /// wrong is told.
    pub fn settle(&self) {
        for trouble in self.switch.troubles() {
            complain(&trouble);
        }
        if let Some(file) = &self.startup
            && let Err(error) = file.keep(&self.switch.startup_text())
        {
            complain(&format!("{error:#}"));
        }
    }
}

/// Says on standard error what went wrong: a switch goes on.
fn complain(trouble: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "eos_sim: {trouble}");
}

/// When each user logged in last, and from where.
#[derive(Default)]
pub struct Logins(Mutex<BTreeMap<String, String>>);

impl Logins {
    /// Notes a login; says which was the last one.
    fn note(&self, user: &str, login: String) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(user.to_owned(), login)
    }
}

/// A logged-in connection.
pub struct Visit {
    /// What it shares with the others.
    pub host: Arc<Host>,
    /// Which one it is, from 1.
    pub number: u64,
    user: User,
    from: IpAddr,
    socket: Arc<TcpStream>,
}

impl Visit {
    /// A new CLI.
    pub fn terminal(&self) -> Terminal {
        self.host.switch.terminal(self.user.name(), self.user.is_privileged(), &self.from.to_string())
    }

    /// What a login at this time shows above the first prompt.
    pub fn greet(&self, time: &str) -> String {
        let login = format!("{time} from {}", self.from);
        let last = self.host.logins.note(self.user.name(), login);
        let last = last.map(|last| format!("Last login: {last}\n")).unwrap_or_default();
        last + &self.host.motd
    }

    /// Cuts the connection in the middle of whatever it is at.
    pub fn cut(&self) {
        // It fails only where the connection is gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Accepts connections, without an end.
pub async fn serve(listener: TcpListener, keys: Vec<PrivateKey>, host: Arc<Host>) -> anyhow::Result<()> {
    let config = Arc::new(Config {
        server_id: SshId::Standard("SSH-2.0-OpenSSH_8.7".into()),
        methods: host.methods(),
        auth_rejection_time: Duration::from_millis(100),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys,
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    });
    loop {
        let (socket, from) = listener.accept().await.context("accepting a connection")?;
        let (number, refused) = host.misbehaviour.accept();
        if refused {
            continue;
        }
        let (config, host) = (Arc::clone(&config), Arc::clone(&host));
        tokio::spawn(async move {
            // How a connection ends is the client's affair: nobody is here to be told.
            let _ = converse(socket, from.ip(), number, config, host).await;
        });
    }
}

async fn converse(
    socket: tokio::net::TcpStream,
    from: IpAddr,
    number: u64,
    config: Arc<Config>,
    host: Arc<Host>,
) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    let socket = socket.into_std()?;
    let second_handle = Arc::new(socket.try_clone()?);
    let connection = Connection { host, number, from, socket: second_handle, user: None, tries: 0 };
    russh::server::run_stream(config, tokio::net::TcpStream::from_std(socket)?, connection).await?.await?;
    Ok(())
}

/// A connection.
struct Connection {
    host: Arc<Host>,
    number: u64,
    from: IpAddr,
    /// The same socket that SSH runs on, for cutting it.
    socket: Arc<TcpStream>,
    /// Set once logged in.
    user: Option<User>,
    /// Passwords tried.
    tries: usize,
}

impl Connection {
    fn check_password(&mut self, method: Method, name: &str, password: &str) -> Auth {
        self.tries += 1;
        let user = self.host.users.by_password(name, password).cloned();
        if self.tries > TRIES {
            return reject(MethodSet::empty());
        }
        let left = if self.tries == TRIES { MethodSet::empty() } else { self.host.methods() };
        self.admit(method, user, left)
    }

    fn check_key(&mut self, name: &str, key: &PublicKey) -> Auth {
        let user = self.host.users.by_key(name, key).cloned();
        self.admit(Method::PublicKey, user, self.host.methods())
    }

    fn admit(&mut self, method: Method, user: Option<User>, otherwise: MethodSet) -> Auth {
        let is_welcome = self.host.methods.contains(&method);
        self.user = user.filter(|_| is_welcome && !self.host.misbehaviour.refuses_login(self.number));
        self.host.misbehaviour.login(self.number, method.name(), self.user.is_some());
        if self.user.is_some() { Auth::Accept } else { reject(otherwise) }
    }
}

fn reject(left: MethodSet) -> Auth {
    Auth::Reject { proceed_with_methods: Some(left), partial_success: false }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        Ok(self.host.banner.clone())
    }

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, russh::Error> {
        Ok(reject(self.host.methods()))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.check_password(Method::Password, user, password))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        let password = response.next().unwrap_or_default();
        Ok(self.check_password(Method::KeyboardInteractive, user, &String::from_utf8_lossy(&password)))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        // A signature is still to come: nobody is logged in by this.
        let known = self.host.methods.contains(&Method::PublicKey)
            && self.host.users.by_key(user, offer.public_key).is_some();
        if !known {
            self.host.misbehaviour.login(self.number, Method::PublicKey.name(), false);
        }
        Ok(if known { Auth::Accept } else { reject(self.host.methods()) })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(self.check_key(user, key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        if let Some(user) = self.user.clone() {
            let visit = Visit {
                host: Arc::clone(&self.host),
                number: self.number,
                user,
                from: self.from,
                socket: Arc::clone(&self.socket),
            };
            reply.accept().await;
            tokio::spawn(channel::serve(channel, visit));
        }
        Ok(())
    }

    // What is asked of a channel reaches `channel.rs` with the channel; here it is only agreed to.

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        session.channel_success(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }
}

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

impl Host {
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
        methods: methods(),
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

fn methods() -> MethodSet {
    MethodSet::from([MethodKind::PublicKey, MethodKind::KeyboardInteractive, MethodKind::Password].as_slice())
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
    fn check_password(&mut self, name: &str, password: &str) -> Auth {
        self.tries += 1;
        let user = self.host.users.by_password(name, password).cloned();
        if self.tries > TRIES {
            return reject(MethodSet::empty());
        }
        let left = if self.tries == TRIES { MethodSet::empty() } else { methods() };
        self.admit(user, left)
    }

    fn check_key(&mut self, name: &str, key: &PublicKey) -> Auth {
        let user = self.host.users.by_key(name, key).cloned();
        self.admit(user, methods())
    }

    fn admit(&mut self, user: Option<User>, otherwise: MethodSet) -> Auth {
        self.user = user.filter(|_| !self.host.misbehaviour.refuses_login(self.number));
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
        Ok(reject(methods()))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.check_password(user, password))
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
        Ok(self.check_password(user, &String::from_utf8_lossy(&password)))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        // A signature is still to come: nobody is logged in by this.
        let known = self.host.users.by_key(user, offer.public_key).is_some();
        Ok(if known { Auth::Accept } else { reject(methods()) })
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

//! A peer that says, byte for byte and pause for pause, what the script tells it to.

use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};

use super::*;

struct Peer {
    folder: tempfile::TempDir,
    script: Option<JoinHandle<()>>,
}

impl Peer {
    fn saying(script: impl FnOnce(UnixStream) + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
        let script = Some(thread::spawn(move || script(listener.accept().unwrap().0)));
        Self { folder, script }
    }

    fn connect(&self, limit: Duration) -> Connection {
        Connection::open(&self.folder.path().join("sock"), Instant::now() + limit).unwrap()
    }

    fn ended(mut self) {
        self.script.take().unwrap().join().unwrap();
    }
}

const LONG: Duration = Duration::from_secs(20);

fn hear(stream: &mut UnixStream) -> Value {
    let mut heard = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
        if let Ok(value) = serde_json::from_slice(&heard) {
            return value;
        }
    }
}

#[test]
fn an_answer_may_come_a_byte_at_a_time() {
    let peer = Peer::saying(|mut stream| {
        assert_eq!(hear(&mut stream), json!({ "method": "list_dbs", "params": [], "id": 1 }));
        for byte in r#" {"id":1,"error":null,"result":["a \" } \\","ü"]}"#.bytes() {
            stream.write_all(&[byte]).unwrap();
        }
    });
    // Kept until the peer has ended: the blank comes after the answer's end.
    let mut connection = peer.connect(LONG);
    assert_eq!(connection.call("list_dbs", json!([])).unwrap(), json!(["a \" } \\", "ü"]));
    peer.ended();
}

#[test]
fn echo_is_answered_and_notifications_are_passed_over_while_waiting() {
    let peer = Peer::saying(|mut stream| {
        hear(&mut stream);
        let chatter =
            r#"{"method":"update","params":[1],"id":null}{"method":"echo","params":["x"],"id":"e"}{"id":1,"#;
        stream.write_all(chatter.as_bytes()).unwrap();
        assert_eq!(hear(&mut stream), json!({ "id": "e", "result": ["x"], "error": null }));
        stream.write_all(br#""result":7,"error":null}{"id":2,"result":8,"error":null}"#).unwrap();
        hear(&mut stream);
    });
    let mut connection = peer.connect(LONG);
    assert_eq!(connection.call("first", json!([])).unwrap(), json!(7));
    assert_eq!(connection.call("second", json!([])).unwrap(), json!(8));
    peer.ended();
}

#[test]
fn a_refusal_keeps_the_words_of_the_peer_and_the_connection() {
    let peer = Peer::saying(|mut stream| {
        hear(&mut stream);
        stream.write_all(br#"{"id":1,"result":null,"error":"no such bond"}"#).unwrap();
        hear(&mut stream);
        stream.write_all(br#"{"id":2,"result":"ok","error":null}"#).unwrap();
    });
    let mut connection = peer.connect(LONG);
    let error = connection.call("bond/show", json!(["bond9"])).unwrap_err();
    assert!(matches!(&error, Error::Refused { error, .. } if error == "no such bond"), "{error}");
    assert_eq!(connection.call("bond/show", json!([])).unwrap(), json!("ok"));
    peer.ended();
}

#[test]
fn what_is_no_answer_to_the_call_is_shown() {
    for said in ["HTTP/1.1 400", "[1]", r#"{"id":]}"#, r#"{"id":9,"result":1,"error":null}"#] {
        let peer = Peer::saying(move |mut stream| {
            hear(&mut stream);
            stream.write_all(said.as_bytes()).unwrap();
        });
        let error = peer.connect(LONG).call("x", json!([])).unwrap_err();
        assert!(matches!(&error, Error::Garbled { excerpt, .. } if said.starts_with(excerpt)), "{error}");
        peer.ended();
    }
}

#[test]
fn a_peer_that_hangs_up_within_an_answer_is_told_from_one_that_is_slow() {
    let peer = Peer::saying(|mut stream| {
        hear(&mut stream);
        stream.write_all(br#"{"id":1,"res"#).unwrap();
    });
    assert!(matches!(peer.connect(LONG).call("x", json!([])), Err(Error::Closed { .. })));
    peer.ended();
}

#[test]
fn a_peer_that_trickles_cannot_outlive_the_deadline() {
    let peer = Peer::saying(|mut stream| {
        hear(&mut stream);
        stream.write_all(b"{").unwrap();
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    let begin = Instant::now();
    let mut connection = peer.connect(Duration::from_millis(200));
    assert!(matches!(connection.call("x", json!([])), Err(Error::TimedOut { .. })));
    assert!(matches!(connection.call("y", json!([])), Err(Error::TimedOut { .. })));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    drop(connection);
    peer.ended();
}

#[test]
fn a_peer_that_never_reads_cannot_outlive_the_deadline() {
    let (done, wait) = std::sync::mpsc::channel();
    let peer = Peer::saying(move |_stream| wait.recv().unwrap());
    let mut connection = peer.connect(Duration::from_millis(200));
    let error = connection.call("x", json!(["x".repeat(8 << 20)])).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    done.send(()).unwrap();
    peer.ended();
}

#[test]
fn a_listener_that_accepts_nobody_cannot_outlive_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    nix::sys::socket::bind(socket.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
    nix::sys::socket::listen(&socket, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();

    let deadline = Instant::now() + Duration::from_millis(300);
    let open: Vec<_> = (0..3).map(|_| Connection::open(&path, deadline)).collect();
    assert!(matches!(open.last(), Some(Err(Error::TimedOut { .. }))), "{open:?}");
}

#[test]
fn a_large_answer_is_read_and_an_endless_one_is_not() {
    let peer = Peer::saying(|mut stream| {
        hear(&mut stream);
        let text = "x".repeat(4 << 20);
        stream.write_all(format!(r#"{{"id":1,"result":"{text}","error":null}}{{"#).as_bytes()).unwrap();
        while stream.write_all(&[b' '; 16 << 10]).is_ok() {}
    });
    let mut connection = peer.connect(Duration::from_secs(120));
    assert_eq!(connection.call("x", json!([])).unwrap().as_str().unwrap().len(), 4 << 20);
    assert!(matches!(connection.call("x", json!([])), Err(Error::TooLarge { .. })));
    drop(connection);
    peer.ended();
}

#[test]
fn a_socket_that_nobody_listens_on_is_named() {
    let error = Connection::open(Path::new("/nonexistent/db.sock"), Instant::now() + LONG).unwrap_err();
    assert_eq!(
        error.to_string(),
        "connecting to `/nonexistent/db.sock`: No such file or directory (os error 2); hint: check that its \
         daemon runs, and run this as root"
    );
}

//! With a ping that is a script: it answers for the addresses that stand in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ansible_module::context::{Clock, Log, SystemClock};

use super::*;

struct Fake {
    folder: tempfile::TempDir,
    paths: Paths,
}

impl Fake {
    /// A node on which these answer ping, without a default route.
    fn node(answering: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mut paths = Paths {
            proc_net: root.join("net"),
            ping: root.join("ping"),
            ip: root.join("ip"),
            ..Paths::default()
        };
        paths.limits.reach = Duration::ZERO;
        fs::create_dir(&paths.proc_net).unwrap();
        let fake = Self { folder, paths };
        fake.answering(answering);
        let log = fake.folder.path().display();
        fake.program(
            "ping",
            &format!("printf '%s\\n' \"$*\" >>{log}/asked\n[ \"$1 $2 $3 $4 $5 $6\" = '-n -q -c 1 -W 1' ] || exit 2\ngrep -qxF -- \"$7\" {log}/answering"),
        );
        fake
    }

    fn answering(&self, addresses: &str) {
        let lines = addresses.split_whitespace().map(|address| format!("{address}\n"));
        fs::write(self.folder.path().join("answering"), lines.collect::<String>()).unwrap();
    }

    /// A default route to 192.0.2.1 on vmbr0.
    fn with_route(self) -> Self {
        let gateway = u32::from_ne_bytes([192, 0, 2, 1]);
        let route = format!("vmbr0\t00000000\t{gateway:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
        fs::write(self.paths.proc_net.join("route"), route).unwrap();
        self
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    fn after(&self, answered: &Answered) -> Result<(), Fault> {
        after(&self.paths, answered, &context(Box::new(SystemClock::default())))
    }
}

fn context(clock: Box<dyn Clock>) -> Context {
    Context { check_mode: false, clock, interrupted: Arc::new(AtomicBool::new(false)), log: Log::default() }
}

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split_whitespace().map(|address| address.parse().unwrap()).collect()
}

fn route(gateway: Option<&str>) -> DefaultRoute {
    DefaultRoute {
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        link: "vmbr0".to_owned(),
        metric: 0,
    }
}

fn given(text: &str) -> Targets {
    Targets::find(Some(&addresses(text)), &[], None)
}

/// The default gateway 192.0.2.1 and the SSH peer 192.0.2.7.
fn defaults() -> Targets {
    Targets::find(None, &[route(Some("192.0.2.1"))], Some("192.0.2.7".parse().unwrap()))
}

#[test]
fn without_a_list_gateways_and_ssh_peer_are_asked_and_with_one_only_those_in_it() {
    let told = |targets: &Targets| listed(&targets.0);
    let routes = [route(Some("192.0.2.1")), route(None), route(Some("192.0.2.1")), route(Some("fe80::1"))];
    let peer = Some("192.0.2.7".parse().unwrap());
    assert_eq!(
        told(&Targets::find(None, &routes, peer)),
        "the default gateway `192.0.2.1`, the default gateway `fe80::1`, the SSH peer `192.0.2.7`"
    );
    let gateway = Some("192.0.2.1".parse().unwrap());
    assert_eq!(told(&Targets::find(None, &routes[..1], gateway)), "the default gateway `192.0.2.1`");
    assert_eq!(told(&Targets::find(Some(&addresses("192.0.2.9 192.0.2.9")), &routes, peer)), "`192.0.2.9`");
    assert_eq!(Targets::find(Some(&[]), &routes, peer), Targets::default());
}

#[test]
fn who_does_not_answer_before_need_not_answer_after() {
    let node = Fake::node("192.0.2.1");
    let answered = before(&node.paths, &defaults()).unwrap();
    assert_eq!(listed(&answered.targets), "the default gateway `192.0.2.1`");
    assert_eq!(answered.notice, None);
    node.after(&answered).unwrap();
}

#[test]
fn who_answered_before_and_is_silent_after_is_named() {
    let node = Fake::node("192.0.2.1 192.0.2.7");
    let answered = before(&node.paths, &defaults()).unwrap();
    node.answering("192.0.2.1");
    let fault = node.after(&answered).unwrap_err();
    assert_eq!(fault.code, "unreachable_after");
    assert!(fault.message.contains("no answer from the SSH peer `192.0.2.7` any more;"), "{fault}");
}

#[test]
fn an_address_given_by_hand_that_is_silent_before_is_refused() {
    let node = Fake::node("192.0.2.8");
    let fault = before(&node.paths, &given("192.0.2.8 192.0.2.9")).unwrap_err();
    assert_eq!(fault.code, "unreachable_before");
    assert!(fault.message.contains("`192.0.2.9` of `require_reachable` does not;"), "{fault}");
    assert_eq!(listed(&before(&node.paths, &given("192.0.2.8")).unwrap().targets), "`192.0.2.8`");
}

#[test]
fn a_warning_says_that_nobody_answers() {
    let node = Fake::node("");
    let answered = before(&node.paths, &defaults()).unwrap();
    assert_eq!(answered.targets, []);
    assert!(
        answered
            .notice
            .unwrap()
            .ends_with("no answer from the default gateway `192.0.2.1`, the SSH peer `192.0.2.7` before")
    );
    assert_eq!(before(&node.paths, &given("")).unwrap(), Answered::default());
}

#[test]
fn one_lost_packet_is_forgiven() {
    let node = Fake::node("");
    let log = node.folder.path().display();
    node.program("ping", &format!("[ -e {log}/lost ] || {{ : >{log}/lost; exit 1; }}"));
    assert_eq!(before(&node.paths, &given("192.0.2.9")).unwrap().targets.len(), 1);
}

#[test]
fn without_ping_there_is_a_warning_and_for_addresses_given_by_hand_an_error() {
    let mut node = Fake::node("");
    node.paths.ping = node.folder.path().join("absent/ping");
    let answered = before(&node.paths, &defaults()).unwrap();
    assert_eq!(answered.targets, []);
    let notice = answered.notice.unwrap();
    assert!(notice.contains("starting `") && notice.contains("install `iputils-ping`"), "{notice}");
    assert_eq!(before(&node.paths, &given("192.0.2.9")).unwrap_err().code, "no_ping");
    assert_eq!(before(&node.paths, &given("")).unwrap(), Answered::default());
}

#[test]
fn an_address_that_is_local_to_a_link_is_asked_on_the_link_of_its_route() {
    let node = Fake::node("fe80::1%vmbr0");
    let route =
        format!("{0:032x} 00 {0:032x} 00 fe80{1:028x} 00000400 00000000 00000000 00000003 vmbr0\n", 0, 1);
    fs::write(node.paths.proc_net.join("ipv6_route"), route).unwrap();
    let targets = Targets::find(None, &default_routes(&node.paths).unwrap(), None);
    assert_eq!(listed(&before(&node.paths, &targets).unwrap().targets), "the default gateway `fe80::1`");
    assert_eq!(node.text("asked"), "-n -q -c 1 -W 1 fe80::1%vmbr0\n");
}

/// An ip(8) that knows any neighbour on vmbr0, which becomes `then` once it is to be verified.
fn neighbour(node: &Fake, now: &str, then: &str) {
    let log = node.folder.path().display();
    fs::write(node.folder.path().join("state"), now).unwrap();
    node.program(
        "ip",
        &format!(
            "case \"$*\" in\n\
             'neighbour show to 192.0.2.'?' dev vmbr0') echo \"$4 lladdr 3c:fd:fe:00:00:01 $(cat {log}/state) \" ;;\n\
             'neighbour change 192.0.2.'?' dev vmbr0 nud probe') echo {then} >{log}/state; echo verified >>{log}/changed ;;\n\
             *) exit 255 ;;\n\
             esac"
        ),
    );
}

#[test]
fn a_gateway_that_drops_pings_counts_if_it_answers_as_a_neighbour_when_it_is_verified() {
    let node = Fake::node("").with_route();
    for (now, then, answers) in [
        ("STALE", "REACHABLE", true),
        ("REACHABLE", "REACHABLE", true),
        ("REACHABLE", "PROBE", false),
        ("DELAY", "FAILED", false),
    ] {
        neighbour(&node, now, then);
        assert_eq!(
            before(&node.paths, &defaults()).unwrap().targets.len(),
            usize::from(answers),
            "{now} {then}"
        );
    }
}

#[test]
fn an_entry_that_an_administrator_made_is_left_alone_and_proves_nothing() {
    let node = Fake::node("").with_route();
    neighbour(&node, "PERMANENT", "REACHABLE");
    assert_eq!(before(&node.paths, &defaults()).unwrap().targets, []);
    assert_eq!(node.text("changed"), "");
}

#[test]
fn only_the_gateway_of_a_default_route_may_answer_as_a_neighbour() {
    let node = Fake::node("").with_route();
    neighbour(&node, "STALE", "REACHABLE");
    assert_eq!(before(&node.paths, &given("192.0.2.7")).unwrap_err().code, "unreachable_before");
    assert_eq!(node.text("changed"), "");
}

/// Time passes only when somebody waits; then something happens.
struct Waiting<F>(std::cell::Cell<Duration>, F);

impl<F: Fn(Duration)> Clock for Waiting<F> {
    fn now(&self) -> Duration {
        self.0.get()
    }

    fn sleep(&self, time: Duration) {
        self.0.set(self.0.get() + time);
        (self.1)(self.0.get());
    }
}

#[test]
fn after_a_change_they_are_asked_until_each_has_answered() {
    let node = Arc::new(Fake::node("192.0.2.1 192.0.2.7"));
    let answered = before(&node.paths, &defaults()).unwrap();
    node.answering("192.0.2.1");
    let limits = crate::paths::Limits { reach: Duration::from_secs(2), ..node.paths.limits.clone() };
    let paths = Paths { limits, ..node.paths.clone() };
    let fake = Arc::clone(&node);
    let learn = move |now| {
        if now >= Duration::from_secs(1) {
            fake.answering("192.0.2.7");
        }
    };
    after(&paths, &answered, &context(Box::new(Waiting(std::cell::Cell::default(), learn)))).unwrap();

    node.answering("");
    let nothing = |_| {};
    let fault = after(&paths, &answered, &context(Box::new(Waiting(std::cell::Cell::default(), nothing))));
    assert_eq!(fault.unwrap_err().code, "unreachable_after");
}

#[test]
fn a_signal_ends_the_asking() {
    let mut node = Fake::node("192.0.2.1");
    let answered = before(&node.paths, &defaults()).unwrap();
    node.answering("");
    node.paths.limits.reach = Duration::from_secs(3600);
    let context = context(Box::new(SystemClock::default()));
    context.interrupted.store(true, Ordering::Relaxed);
    assert_eq!(after(&node.paths, &answered, &context).unwrap_err().code, "interrupted");
}

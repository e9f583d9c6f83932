//! The way through a command: it leads there, it does not, and it never outlives its connection.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::{PASSWORD, Sim};
use crate::untouched::{Node, idle, stores, with};

/// Notes its process, and connects to where it is told.
const LEADS: &str =
    "echo $$ >> PIDS; exec bash -c 'exec 3<>/dev/tcp/$0/$1; cat <&3 & cat >&3; kill $!' %h %p";

/// `more` with this command, which may note processes in `PIDS`.
fn through(sim: &Sim, command: &str, more: &Value) -> Value {
    let command = command.replace("PIDS", &sim.path("pids").display().to_string());
    with(more.clone(), &json!({"proxy_command": command}))
}

/// How many processes were noted, none of which is there any more.
fn ended(sim: &Sim) -> usize {
    let pids = fs::read_to_string(sim.path("pids")).unwrap();
    for pid in pids.lines() {
        assert!(!Path::new("/proc").join(pid).exists(), "{pid} is still there");
    }
    pids.lines().count()
}

#[test]
fn a_command_leads_to_the_switch_for_the_change_and_for_its_confirmation() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    // Nobody but the command knows where the switch is.
    let known = fs::read_to_string(sim.path("known_hosts")).unwrap();
    let name = format!("[core.invalid]:{}", sim.port());
    fs::write(sim.path("known_hosts"), known.replace(&format!("[127.0.0.1]:{}", sim.port()), &name)).unwrap();
    let leads = LEADS.replace("%h", "127.0.0.1 \"$(echo %h %r > SEEN)\"").replace("$1", "$2");
    let leads = leads.replace("SEEN", &sim.path("seen").display().to_string());
    let arguments = with(through(&sim, &leads, &scenario()), &json!({"host": "core.invalid"}));
    assert!(node.run(&arguments).changed());
    let connections = ended(&sim);
    assert!(connections >= 2, "{connections}");
    assert!(!node.run(&arguments).changed());
    assert_eq!(ended(&sim), connections + 1);
    assert_eq!(fs::read_to_string(sim.path("seen")).unwrap(), "core.invalid netops\n");
}

#[test]
fn a_command_that_leads_nowhere_is_told_with_its_end_and_its_last_lines() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let before = stores(&sim);
    fs::write(sim.path("secret"), format!("tried\nthe password {PASSWORD} at the jump host\n")).unwrap();
    let shows_secret = format!("cat {} >&2; exit 255", sim.path("secret").display());
    for (command, says) in [
        (
            r"echo first >&2; printf 'no \033[1mway out\n\n' >&2; exit 7",
            "(status 7) and said `first; no [1mway out`",
        ),
        ("exit 3", "(status 3); hint: run it by hand"),
        ("/none/such %h %p", "/none/such: not found`"),
        ("kill -9 $$", "(SIGKILL)"),
        ("echo 'HTTP/1.1 400 Bad Request'", "(status 0)"),
        ("'", "status 2"),
        (&*shows_secret, "said `tried; the password ******** at the jump host`"),
    ] {
        node.refused(&through(&sim, command, &idle()), "proxy_failed", &["`proxy_command`", says]);
    }
    // What the shell started is ended too, and whoever holds the socket open is not waited for.
    for command in [
        "echo $$ >> PIDS; echo waiting >&2; sleep 600; true",
        "sleep 600 & echo $! >> PIDS; echo waiting >&2; trap '' TERM; sleep 600; true",
    ] {
        let arguments = with(through(&sim, command, &idle()), &json!({"timeout": 1}));
        node.refused(
            &arguments,
            "timed_out",
            &["`proxy_command`", "in time and said `waiting`", "`timeout`"],
        );
    }
    assert_eq!(ended(&sim), 2);
    assert_eq!(stores(&sim), before);
}

#[test]
fn the_switch_behind_a_command_is_held_against_the_key_of_its_own_name() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let leads = LEADS.replace("%h", "127.0.0.1");
    let behind = with(through(&sim, &leads, &idle()), &json!({"host": "core"}));
    node.refused(&behind, "host_key_unknown", &["core"]);
    let wrong = with(through(&sim, LEADS, &idle()), &json!({"password": "hunter2 of netops"}));
    node.hiding("hunter2 of netops").refused(&wrong, "authentication_failed", &["the password"]);
    assert_eq!(ended(&sim), 2);
}

#[test]
fn nothing_but_names_reaches_the_shell() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let made = sim.path("made");
    let command = format!("touch {}; nc %h %p", made.display());
    for (command, more) in [
        (&*command, json!({"host": "core;reboot"})),
        ("ssh -W %h:%p %r@jump", json!({"username": "$(reboot)"})),
        ("ssh -W %h:%p %r@jump", json!({"username": "-oProxyCommand=reboot"})),
        ("nc %n %p", json!({})),
        ("nc 192.0.2.1 22\nreboot", json!({})),
    ] {
        let arguments = with(through(&sim, command, &idle()), &more);
        node.refused(&arguments, "invalid_access", &["`proxy_command`"]);
    }
    assert!(!made.exists());
}

//! OpenSSH's `ssh`: a person at a terminal, single commands, and what becomes of them when the switch misbehaves.

use std::process::Command;

use crate::process::{Process, STARTUP, text};

#[test]
fn a_single_command_is_answered_without_echo_or_prompt() {
    let switch = Process::start(&["--misbehave", "refuse show with No such thing"]);
    for key in ["ed25519", "rsa"] {
        let output = switch.ssh("admin").key(key).run(&["show version"]);
        assert_eq!(text(&output.stdout), "% No such thing\n");
        assert_eq!(output.status.code(), Some(0));
    }
    assert_eq!(switch.control("lines"), "1 show version\n2 show version\nok\n");
}

#[test]
fn a_terminal_echoes_what_is_typed_behind_its_prompt() {
    let switch = Process::start(&["--misbehave", "refuse x"]);
    let refused = "% Unavailable command (not supported on this hardware platform)\r\n";
    assert_eq!(
        switch.ssh("admin").key("ed25519").types("x 1\rx 22\x7f\r\n\x03x 3\x15\r"),
        format!(
            "localhost#x 1\r\n{refused}localhost#x 22\x08 \x08\r\n{refused}localhost#^C\r\n\
             localhost#x 3{}\r\nlocalhost#",
            "\x08 \x08".repeat(3)
        )
    );
    assert_eq!(switch.control("lines"), "1 x 1\n1 x 2\n1 \nok\n");
}

#[test]
fn without_a_terminal_nothing_is_echoed_and_lines_end_as_in_a_file() {
    let switch = Process::start(&["--misbehave", "refuse x with No"]);
    let output = switch.ssh("admin").key("ed25519").options(&["-T"]).feed("x 1\nx 2\n");
    assert_eq!(text(&output.stdout), "localhost#\n% No\nlocalhost#\n% No\nlocalhost#");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_password_that_the_cli_asks_for_is_not_shown() {
    let switch = Process::start(&["--enable-secret", "why?"]);
    assert_eq!(
        switch.ssh("ann").key("ed25519").types("enable\rwhy?\r"),
        "localhost>enable\r\nPassword: \r\nlocalhost#"
    );
    assert_eq!(switch.control("lines"), "1 enable\n1 <password>\nok\n");
}

#[test]
fn a_long_answer_stops_at_each_page_unless_told_not_to() {
    let switch = Process::start(&[]);
    let pages = |typed| switch.ssh("admin").key("ed25519").types(typed).matches(" --More-- ").count();
    assert_eq!(pages("show running-config\r q"), 2);
    assert_eq!(pages("show running-config\rqshow version\r"), 1);
    assert_eq!(pages("terminal length 0\rshow running-config\r"), 0);
}

#[test]
fn what_is_pasted_into_a_session_is_answered_at_its_end() {
    let switch = Process::start(&[]);
    let paste = "vlan 10\n   name lost?\nvlan x\nend\n\x04";
    let screen = switch.ssh("admin").key("ed25519").types(&format!(
        "configure session one\rcopy terminal: session-config\r{paste}show session-config diffs | include ^.vlan\r"
    ));
    let pasted = screen.split_once("#copy terminal: session-config\r\n").unwrap().1;
    assert_eq!(
        pasted.replace('\r', ""),
        "enter input line by line; when done enter one or more control-d
vlan 10
   name lost?
vlan x
end
> vlan x
% Invalid input (at token 1: 'x')
Copy completed successfully.
localhost(config-s-one)#show session-config diffs | include ^.vlan
+vlan 10
localhost(config-s-one)#"
    );
}

#[test]
fn what_is_saved_is_in_the_file_before_it_is_said() {
    let switch = Process::start(&["--write-startup"]);
    let ssh = || switch.ssh("admin").key("ed25519");
    ssh().types("configure\rvlan 10\rend\r");
    assert_eq!(std::fs::read_to_string(switch.path("startup-config")).unwrap(), STARTUP);
    assert_eq!(text(&ssh().run(&["write memory"]).stdout), "Copy completed successfully.\n");
    assert!(std::fs::read_to_string(switch.path("startup-config")).unwrap().contains("\nvlan 10\n"));
}

#[test]
fn a_configuration_session_outlives_the_connection_that_was_cut() {
    let switch = Process::start(&["--misbehave", "drop-after 3"]);
    let ssh = || switch.ssh("admin").key("ed25519");
    ssh().options(&["-tt"]).feed("configure session mine\rvlan 10\rname lost\r");
    let diff = text(&ssh().run(&["show session-config named mine diffs"]).stdout).to_owned();
    assert!(diff.contains("\n+vlan 10\n+   name lost\n"), "{diff}");
}

#[test]
fn a_user_without_privilege_lands_at_the_lower_prompt() {
    let switch = Process::start(&[]);
    assert_eq!(switch.ssh("ann").key("ed25519").types("\r"), "localhost>\r\nlocalhost>");
}

#[test]
fn a_login_shows_banner_last_login_and_message() {
    let folder = tempfile::tempdir().unwrap();
    let message = folder.path().join("motd");
    std::fs::write(&message, "Be kind\n").unwrap();
    let switch = Process::start(&["--banner", "Who goes there", "--motd", message.to_str().unwrap()]);
    let ssh = || switch.ssh("admin").key("ed25519");
    assert!(text(&ssh().run(&["x"]).stderr).contains("Who goes there"));
    assert_eq!(ssh().types(""), "Be kind\r\nlocalhost#");
    let second = ssh().types("");
    assert!(
        second.starts_with("Last login: ") && second.ends_with(" from 127.0.0.1\r\nBe kind\r\nlocalhost#"),
        "{second}"
    );
}

#[test]
fn a_password_will_do_by_either_method() {
    let switch = Process::start(&["--misbehave", "ignore x"]);
    for method in ["password", "keyboard-interactive"] {
        assert_eq!(
            switch.ssh("ann").password(method, "pass:word").run(&["x"]).status.code(),
            Some(0),
            "{method}"
        );
        assert_eq!(
            switch.ssh("ann").password(method, "wrong").run(&["x"]).status.code(),
            Some(255),
            "{method}"
        );
        assert_eq!(switch.ssh("keys").password(method, "").run(&["x"]).status.code(), Some(255), "{method}");
        assert_eq!(
            switch.ssh("nobody").password(method, "pass:word").run(&["x"]).status.code(),
            Some(255),
            "{method}"
        );
    }
    assert_eq!(switch.ssh("keys").key("ed25519").run(&["x"]).status.code(), Some(0));
    assert_eq!(switch.ssh("keys").key("stranger").run(&["x"]).status.code(), Some(255));
}

#[test]
fn one_connection_carries_several_channels() {
    let switch = Process::start(&["--misbehave", "ignore x"]);
    let socket = switch.path("shared");
    let shared = ["-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-S", socket.to_str().unwrap()];
    let ssh = || switch.ssh("admin").key("ed25519").options(&shared);
    for command in ["x 1", "x 2"] {
        assert_eq!(ssh().run(&[command]).status.code(), Some(0));
    }
    ssh().options(&["-O", "exit"]).run(&[]);
    assert_eq!(switch.control("lines"), "1 x 1\n1 x 2\nok\n");
    assert_eq!(switch.control("connections"), "1\nok\n");
}

#[test]
fn a_dropped_connection_ends_in_the_middle_and_the_next_one_lives() {
    let switch =
        Process::start(&["--misbehave", "drop-after 2", "--misbehave", "drop-before connection=2 1"]);
    let ssh = || switch.ssh("admin").key("ed25519");
    let output = ssh().options(&["-tt"]).feed("! one\r! two\r! three\r");
    assert_eq!(output.status.code(), Some(255));
    assert!(!text(&output.stdout).contains("three"));
    assert_eq!(ssh().run(&["! four"]).status.code(), Some(255));
    assert_eq!(ssh().run(&["! five"]).status.code(), Some(0));
    assert_eq!(switch.control("lines"), "1 ! one\n1 ! two\n2 ! four\n3 ! five\nok\n");
}

#[test]
fn a_connection_that_hangs_says_nothing_more_and_hurts_no_other() {
    let switch = Process::start(&[]);
    assert_eq!(switch.control("hang-after 1"), "ok\n");
    let mut hanging = switch.ssh("admin").key("ed25519").spawn(&["one"]);
    while !switch.control("lines").contains("1 one") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(switch.ssh("admin").key("ed25519").run(&["two"]).status.code(), Some(0));
    assert_eq!(hanging.try_wait().unwrap(), None);
    hanging.kill().unwrap();
    hanging.wait().unwrap();
}

#[test]
fn connections_and_logins_are_refused_until_that_is_cleared() {
    let switch = Process::start(&["--misbehave", "refuse-connections 1"]);
    let status = || switch.ssh("admin").key("ed25519").run(&["x"]).status.code();
    assert_eq!((status(), status()), (Some(255), Some(0)));
    assert_eq!(switch.control("refuse-login"), "ok\n");
    assert_eq!(status(), Some(255));
    assert_eq!(switch.control("clear"), "ok\n");
    assert_eq!(status(), Some(0));
    assert_eq!(switch.control("connections"), "4\nok\n");
}

#[test]
fn a_rule_that_cannot_be_read_is_refused_at_once() {
    let switch = Process::start(&[]);
    assert!(switch.control("dance").starts_with("error: reading the rule `dance`: "));
    let output = Command::new(env!("CARGO_BIN_EXE_eos_sim"))
        .args(["--startup-config", "/dev/null", "--misbehave", "dance"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("reading the rule `dance`: there is no such rule"));
}

#[test]
fn the_host_key_that_was_made_is_the_one_that_is_announced() {
    let switch = Process::start(&[]);
    let listed = Command::new("ssh-keygen").arg("-lf").arg(switch.path("host_key")).output().unwrap();
    let fingerprint = text(&listed.stdout).split(' ').nth(1).unwrap().to_owned();
    assert!(switch.announced.ends_with(&format!(", host key {fingerprint}")), "{}", switch.announced);
}

#[test]
fn a_terminated_switch_ends_cleanly_and_leaves_no_socket() {
    let mut switch = Process::start(&[]);
    assert!(switch.path("control").exists());
    assert_eq!(switch.terminate().code(), Some(0));
    assert!(!switch.path("control").exists());
    assert_eq!(std::fs::read_to_string(switch.path("startup-config")).unwrap(), STARTUP);
}

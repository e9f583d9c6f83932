//! A login and a whole change, cut into pieces and cut off in every way; and noise.

use proptest::prelude::*;

use super::*;

/// A login and a whole change, in the shapes of a recorded session.
fn a_change() -> Vec<Act> {
    let mut script = vec![
        say(
            "\r\n### Authorized only #\r\nLast login: Tue Mar  3 07:15:42 2026 from 192.0.2.7\r\n\r\n\x1b[?1034hcore>",
        ),
        hear("enable\n"),
        say("enable\r\nPassword: "),
        hear("s3cret\n"),
        say("\r\ncore#"),
    ];
    script.extend(turn("terminal length 0", "Pagination disabled.\r\n", "core#"));
    script.extend(turn("show running-config", RUNNING_CONFIG, "core#"));
    script.extend(turn("configure session bothends-1001-7f3a", "", "core(config-s-bothen)#"));
    script.extend(turn("interface Ethernet7/1", NO_CARD, "core(config-s-bothen-if-Et7/1)#"));
    script.extend(turn("channel-group 1001 mode active", "", "core(config-s-bothen-if-Et7/1)#"));
    script.extend(turn(
        "channel-group 1002 mode on",
        "% Cannot change mode; remove all members and try again.\r\n",
        "core(config-s-bothen-if-Et7/1)#",
    ));
    script.extend(turn("show session-config diffs", "\r\n", "core(config-s-bothen-if-Et7/1)#"));
    script.extend(turn("commit", "", "core#"));
    script
}

const RUNNING_CONFIG: &str = "! Command: show running-config\r\n! device: core (DCS-7050QX-32S-F, EOS-4.28.3M)\r\n!\r\nhostname core\r\n!\r\nbanner motd\r\n% no error\r\ncore#\r\ncore(config-s-bothen)#\r\nPassword:\r\nreally? [y/n]\r\n --More-- \r\nEOF\r\n!\r\nend\r\n";
const NO_CARD: &str =
    "! Interface does not exist. The configuration will not take effect until the module is inserted.\r\n";

/// Runs the whole change and writes down what came of each step, up to the first that lost the connection.
fn run(switch: Switch) -> Vec<String> {
    let mut shell = match Shell::begin(switch, LONG) {
        Ok(shell) => shell,
        Err(error) => return vec![format!("{error:?}")],
    };
    let mut log = vec![format!("{:?}", shell.prompt())];
    log.push(format!("{:?} {:?}", shell.enable(Some("s3cret")), shell.prompt()));
    for line in ["terminal length 0", "show running-config"] {
        log.push(format!("{:?}", shell.show(line)));
    }
    for line in [
        "configure session bothends-1001-7f3a",
        "interface Ethernet7/1",
        "channel-group 1001 mode active",
        "channel-group 1002 mode on",
    ] {
        log.push(format!("{:?} {:?}", shell.configure(line), shell.prompt()));
    }
    log.push(format!("{:?}", shell.show("show session-config diffs")));
    log.push(format!("{:?} {:?}", shell.configure("commit"), shell.prompt()));
    log
}

#[test]
fn a_change_is_made_line_by_line() {
    let mut shell = begin(a_change());
    assert_eq!(shell.prompt().level, Level::Exec);
    shell.enable(Some("s3cret")).unwrap();
    assert_eq!(shell.prompt().level, Level::Privileged);
    assert_eq!(shell.show("terminal length 0").unwrap(), "Pagination disabled.\n");
    assert_eq!(
        shell.show("show running-config").unwrap(),
        RUNNING_CONFIG.replace('\r', "").replace("-- \n", "--\n")
    );
    assert_eq!(shell.configure("configure session bothends-1001-7f3a").unwrap(), Vec::<String>::new());
    assert!(shell.prompt().is_in_session("bothends-1001-7f3a"));
    assert_eq!(shell.configure("interface Ethernet7/1").unwrap(), [NO_CARD[2..].trim()]);
    assert_eq!(shell.configure("channel-group 1001 mode active").unwrap(), Vec::<String>::new());
    let refused = shell.configure("channel-group 1002 mode on").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "sending `channel-group 1002 mode on`: the switch refused it: % Cannot change mode; remove all members and try again."
    );
    assert_eq!(shell.show("show session-config diffs").unwrap(), "\n");
    shell.configure("commit").unwrap();
    assert_eq!(shell.prompt().config, None);
    assert!(shell.wire.stream().is_finished());
}

#[test]
fn pieces_of_any_size_say_the_same() {
    let whole = run(Switch::new(a_change()));
    assert!(whole.iter().all(|step| !step.contains("Lost") && !step.contains("TimedOut")), "{whole:#?}");
    for size in 1..200 {
        assert_eq!(run(Switch::new(a_change()).in_pieces(vec![size])), whole, "{size}");
    }
    let total: usize =
        a_change().iter().map(|act| if let Act::Say(bytes) = act { bytes.len() } else { 0 }).sum();
    for cut in 1..total {
        let switch = Switch::new(a_change()).in_pieces(vec![cut, usize::MAX]);
        assert_eq!(run(switch), whole, "cut after {cut} bytes");
    }
}

proptest! {
    #[test]
    fn pieces_of_random_sizes_say_the_same(pieces in proptest::collection::vec(1_usize..40, 1..20)) {
        prop_assert_eq!(run(Switch::new(a_change()).in_pieces(pieces)), run(Switch::new(a_change())));
    }
}

#[test]
fn a_connection_lost_after_any_byte_is_told_with_the_line() {
    let whole = run(Switch::new(a_change()));
    let total: usize =
        a_change().iter().map(|act| if let Act::Say(bytes) = act { bytes.len() } else { 0 }).sum();
    for end in 0..total {
        let log = run(Switch::new(a_change()).ending_after(end));
        let good = log.iter().zip(&whole).take_while(|(step, expected)| step == expected).count();
        let told = &log[good];
        assert!(told.contains("Lost { line: "), "after {end} bytes: {told}");
        assert!(!told.contains("s3cret"), "after {end} bytes: {told}");
        assert!(
            log[good + 1..].iter().all(|step| step.contains("Unanswered")),
            "after {end} bytes: {log:#?}"
        );
    }
}

/// Pieces of dialogs and of anything else.
fn noise() -> impl Strategy<Value = Vec<Act>> {
    let known = proptest::sample::select(vec![
        "core#",
        "core>",
        "\r\n",
        "core(config-s-bothen)#",
        "--More--",
        "Password: ",
        "[y/n]",
        "[confirm]",
        "really?",
        "% Invalid input\r\n",
        "! a remark\r\n",
        "\x1b[",
        "\x08",
        "\x1b]0;",
        "show clock\r\n",
        "enable\r\n",
        "\r",
    ]);
    let act = prop_oneof![
        4 => known.prop_map(say),
        2 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Act::Say),
        1 => (0_u64..2000).prop_map(Act::Pause),
    ];
    proptest::collection::vec(act, 0..40)
}

proptest! {
    #[test]
    fn no_bytes_break_a_dialog(script in noise(), ends_after in 0_usize..400) {
        let script = [say("core>")].into_iter().chain(script);
        let Ok(mut shell) = Shell::begin(Switch::new(script).ending_after(ends_after), LONG) else { return Ok(()) };
        let _ = shell.enable(Some("s3cret"));
        if let Ok(shown) = shell.show("show clock") {
            prop_assert!(shown.is_empty() || shown.ends_with('\n'));
        }
        if let Ok(remarks) = shell.configure("commit") {
            prop_assert!(remarks.iter().all(|remark| !remark.starts_with('%') && !remark.is_empty()));
        }
    }
}

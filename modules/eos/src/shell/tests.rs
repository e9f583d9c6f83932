//! Dialogs with a switch that says, piece for piece and pause for pause, what its script tells it to. Its time is made
//! up: nothing here waits.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ansible_module::fault::Fault;
use proptest::prelude::*;

use super::*;

const LONG: Duration = Duration::from_secs(600);

/// What the switch does next.
#[derive(Debug, Clone)]
enum Act {
    Say(Vec<u8>),
    /// Nothing comes for so many milliseconds.
    Pause(u64),
    /// Goes on when exactly this was typed.
    Hear(Vec<u8>),
}

fn say(text: &str) -> Act {
    Act::Say(text.as_bytes().to_vec())
}

fn hear(text: &str) -> Act {
    Act::Hear(text.as_bytes().to_vec())
}

/// A line, its echo and answer, and the prompt after it.
fn turn(line: &str, answer: &str, prompt: &str) -> [Act; 2] {
    [hear(&format!("{line}\n")), say(&format!("{line}\r\n{answer}{prompt}"))]
}

#[derive(Debug, Default)]
struct Switch {
    script: VecDeque<Act>,
    /// How many bytes come at once, in turn; all that there are where it is empty.
    pieces: Vec<usize>,
    piece: usize,
    /// After how many bytes the connection ends.
    ends_after: Option<usize>,
    said: usize,
    typed: Rc<RefCell<Vec<u8>>>,
}

impl Switch {
    fn new(script: impl IntoIterator<Item = Act>) -> Self {
        Self { script: script.into_iter().collect(), ..Self::default() }
    }
}

impl Stream for Switch {
    fn read_within(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        loop {
            if self.ends_after.is_some_and(|end| self.said >= end) {
                return Ok(0);
            }
            match self.script.front_mut() {
                Some(Act::Pause(left)) if u128::from(*left) <= limit.as_millis() => {
                    self.script.pop_front();
                }
                Some(Act::Pause(left)) => {
                    *left -= u64::try_from(limit.as_millis()).unwrap();
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Some(Act::Say(bytes)) if bytes.is_empty() => {
                    self.script.pop_front();
                }
                Some(Act::Say(bytes)) => {
                    let piece = self.pieces.get(self.piece % self.pieces.len().max(1)).copied();
                    let rest = self.ends_after.map_or(usize::MAX, |end| end - self.said);
                    let count =
                        piece.unwrap_or(usize::MAX).max(1).min(bytes.len()).min(buffer.len()).min(rest);
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    bytes.drain(..count);
                    self.piece += 1;
                    self.said += count;
                    return Ok(count);
                }
                Some(Act::Hear(_)) | None => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    fn write_within(&mut self, bytes: &[u8], _: Duration) -> io::Result<()> {
        self.typed.borrow_mut().extend_from_slice(bytes);
        if self.script.front().is_some_and(|act| matches!(act, Act::Hear(expected) if expected == bytes)) {
            self.script.pop_front();
        }
        Ok(())
    }
}

fn begin(script: impl IntoIterator<Item = Act>) -> Shell<Switch> {
    Shell::begin(Switch::new(script), LONG).unwrap()
}

/// A shell that waits at `core#`, and what is said after that.
fn at_core(script: impl IntoIterator<Item = Act>) -> Shell<Switch> {
    begin([say("core#")].into_iter().chain(script))
}

/// All that is left of the script was said and heard.
fn is_finished(shell: &Shell<Switch>) -> bool {
    shell.wire.stream().script.iter().all(|act| matches!(act, Act::Say(bytes) if bytes.is_empty()))
}

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
    assert!(is_finished(&shell));
}

#[test]
fn pieces_of_any_size_say_the_same() {
    let whole = run(Switch::new(a_change()));
    assert!(whole.iter().all(|step| !step.contains("Lost") && !step.contains("TimedOut")), "{whole:#?}");
    for size in 1..200 {
        assert_eq!(run(Switch { pieces: vec![size], ..Switch::new(a_change()) }), whole, "{size}");
    }
    let total: usize =
        a_change().iter().map(|act| if let Act::Say(bytes) = act { bytes.len() } else { 0 }).sum();
    for cut in 1..total {
        let switch = Switch { pieces: vec![cut, usize::MAX], ..Switch::new(a_change()) };
        assert_eq!(run(switch), whole, "cut after {cut} bytes");
    }
}

proptest! {
    #[test]
    fn pieces_of_random_sizes_say_the_same(pieces in proptest::collection::vec(1_usize..40, 1..20)) {
        prop_assert_eq!(run(Switch { pieces, ..Switch::new(a_change()) }), run(Switch::new(a_change())));
    }
}

#[test]
fn a_connection_lost_after_any_byte_is_told_with_the_line() {
    let whole = run(Switch::new(a_change()));
    let total: usize =
        a_change().iter().map(|act| if let Act::Say(bytes) = act { bytes.len() } else { 0 }).sum();
    for end in 0..total {
        let log = run(Switch { ends_after: Some(end), ..Switch::new(a_change()) });
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

#[test]
fn a_lost_connection_names_the_last_line_or_the_last_words() {
    let mut shell = Shell::begin(Switch { ends_after: Some(7), ..Switch::new([say("core#comm")]) }, LONG);
    let error = match &mut shell {
        Ok(shell) => shell.configure("commit").unwrap_err().to_string(),
        Err(error) => Fault::from_error("", error).message,
    };
    assert_eq!(
        error,
        "waiting for the switch's first prompt: the connection was lost: the switch closed it; its last words were `core#co`"
    );
    let mut shell = Shell::begin(
        Switch { ends_after: Some(7), ..Switch::new([say("core#"), hear("commit\n"), say("commit\r\n")]) },
        LONG,
    )
    .unwrap();
    let error = shell.configure("commit").unwrap_err();
    assert_eq!(error.to_string(), "waiting for the answer to `commit`: the connection was lost");
    assert_eq!(Fault::from(error).code, "connection_lost");
}

#[test]
fn a_line_of_a_banner_is_not_the_prompt() {
    let mut shell = begin(
        [
            say("### Authorized only #"),
            Act::Pause(140),
            say("\r\n### Really #"),
            Act::Pause(140),
            say("\r\n\r\ncore>"),
        ]
        .into_iter()
        .chain(turn("show clock", "noon\r\n", "core>")),
    );
    assert_eq!(shell.prompt().base, "core");
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
}

#[test]
fn a_banner_that_was_taken_for_the_prompt_is_found_out_by_the_first_answer() {
    let mut shell = begin([
        say("### Authorized only #"),
        Act::Pause(400),
        // The line was typed too early: the terminal echoes it, and then the command line does.
        say("terminal length 0\r\n\r\nWelcome.\r\n\r\ncore>"),
        Act::Pause(500),
        say("terminal length 0\r\nPagination disabled.\r\ncore>"),
        hear("show clock\n"),
        say("show clock\r\nnoon\r\ncore>"),
    ]);
    assert_eq!(shell.prompt().base, "### Authorized only ");
    assert!(shell.show("terminal length 0").unwrap().ends_with("Pagination disabled.\n"));
    assert_eq!(shell.prompt().base, "core");
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
}

#[test]
fn a_login_shell_that_wants_enter_gets_it_and_a_question_does_not() {
    for greeting in ["", "Welcome.\r\n\r\n", "Press RETURN to get started."] {
        let shell = begin([say(greeting), hear("\n"), say("\r\n\r\ncore>")]);
        assert_eq!(shell.prompt().base, "core");
    }
    let switch = Switch::new([say("Change your password now (yes/no)? ")]);
    let typed = Rc::clone(&switch.typed);
    let error = Shell::begin(switch, LONG).unwrap_err();
    assert!(
        error.to_string().contains("its last words were `Change your password now (yes/no)?`"),
        "{error}"
    );
    assert_eq!(Fault::from(error).code, "no_prompt");
    assert!(typed.borrow().is_empty());
}

#[test]
fn odd_names_are_learned() {
    for base in ["vla-1x3(s1)", "a.b:c/d[e]@f", "sw(vrf:mgmt)", "core 1 ", "Größe", "x"] {
        let prompt = format!("{base}#");
        let inside = format!("{base}(config-s-bothen)#");
        let mut shell = begin(
            [say(&prompt)].into_iter().chain(turn("configure session bothends", "", &inside)).chain(turn(
                "show clock",
                "noon\r\n",
                &inside,
            )),
        );
        assert!(shell.configure("configure session bothends").unwrap().is_empty(), "{base}");
        assert!(shell.prompt().is_in_session("bothends"), "{base}");
        assert_eq!(shell.show("show clock").unwrap(), "noon\n", "{base}");
        assert_eq!(shell.prompt().base, base);
    }
}

#[test]
fn a_prompt_that_changes_is_learned_again() {
    let mut shell = at_core(turn("show clock", "noon\r\n", "edge#").into_iter().chain(turn(
        "show clock",
        "one\r\n",
        "edge#",
    )));
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
    assert_eq!(shell.prompt().base, "edge");
    assert_eq!(shell.show("show clock").unwrap(), "one\n");
    let mut shell =
        begin([say("core 10:00:01>")].into_iter().chain(turn("show clock", "noon\r\n", "core 10:00:02>")));
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
}

#[test]
fn a_line_that_looks_like_a_prompt_does_not_end_an_answer() {
    let mut shell = at_core([
        hear("show banner motd\n"),
        say("show banner motd\r\ncore#"),
        Act::Pause(9),
        say("\r\nedge#"),
        Act::Pause(900),
        say("\r\ndescription to core #"),
        Act::Pause(30_000),
        say("\r\nlast\r\ncore#"),
    ]);
    assert_eq!(shell.show("show banner motd").unwrap(), "core#\nedge#\ndescription to core #\nlast\n");
}

#[test]
fn the_echo_is_no_part_of_an_answer() {
    let echoes = [
        "show clock\r\n",
        "show clock\r\ncore#show clock\r\n",
        "show clock\r\nshow clock\r\n",
        "show clockshow clock\r\n",
        "\r\ncore#show clock\r\n",
        "shoe\x08w clock\r\n",
        "show \rclock\r\n",
        "\rcore#show clock\x1b[K\r\r\n",
        "\x1b[1mshow\x1b[0m clock\r\n",
        "",
    ];
    for echo in echoes {
        let mut shell = at_core([hear("show clock\n"), say(&format!("{echo}noon\r\ncore#"))]);
        assert_eq!(shell.show("show clock").unwrap(), "noon\n", "{echo:?}");
        assert!(is_finished(&shell));
    }
}

#[test]
fn a_prompt_before_the_echo_is_an_old_one() {
    let mut shell = at_core([
        hear("show clock\n"),
        say("\r\ncore#"),
        Act::Pause(500),
        say("show clock\r\nnoon\r\ncore#"),
    ]);
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
}

#[test]
fn pages_are_turned() {
    let mut shell = at_core([
        hear("show vlan\n"),
        say("show vlan\r\none\r\ntwo\r\n --More-- "),
        hear(" "),
        say("\r          \rthree\r\nfour\r\n--More--"),
        hear(" "),
        say("\x08\x08\x08\x08\x08\x08\x08\x08        \x08\x08\x08\x08\x08\x08\x08\x08five\r\n--more--"),
        hear(" "),
        say("\r\x1b[Ksix\r\ncore#"),
    ]);
    assert_eq!(shell.show("show vlan").unwrap(), "one\ntwo\nthree\nfour\nfive\nsix\n");
}

#[test]
fn a_refused_line_leaves_a_shell_that_can_be_used() {
    let script = turn("show ruter", "% Invalid input (at token 0: 'ruter')\r\n", "core#")
        .into_iter()
        .chain(turn("show clock", "noon\r\n% not an error\r\n", "core#"))
        .chain(turn("vlan 7", "! a remark\r\n% Cannot do it\r\n\r\n  because\r\n", "core#"))
        .chain(turn("configure", "% Invalid input (privileged mode required)\r\n", "core#"));
    let mut shell = at_core(script);
    let error = shell.show("show ruter").unwrap_err();
    assert!(
        matches!(&error, Error::Refused { line, message } if line == "show ruter" && message == "% Invalid input (at token 0: 'ruter')")
    );
    assert_eq!(Fault::from(error).code, "line_refused");
    assert_eq!(shell.show("show clock").unwrap(), "noon\n% not an error\n");
    let error = shell.configure("vlan 7").unwrap_err();
    assert_eq!(error.to_string(), "sending `vlan 7`: the switch refused it: % Cannot do it; because");
    assert_eq!(Fault::from(shell.configure("configure").unwrap_err()).code, "privilege_refused");
}

#[test]
fn a_question_is_never_answered_with_yes() {
    for question in [
        "Proceed with reload? [confirm]",
        "Save? [yes/no/cancel/diff]:",
        "Sure (y/n)? ",
        "Overwrite [Y/n]",
        "Really do that?",
        "Password: ",
    ] {
        let mut shell = at_core([
            hear("reload\n"),
            say(&format!("reload\r\n{question}")),
            hear("\x03"),
            say("^C\r\ncore#"),
            hear("show clock\n"),
            say("show clock\r\nnoon\r\ncore#"),
        ]);
        let error = shell.configure("reload").unwrap_err();
        assert!(
            matches!(&error, Error::Asked { question: found, .. } if found == question.trim_end()),
            "{error:?}"
        );
        assert_eq!(Fault::from(error).code, "switch_asked");
        assert_eq!(shell.show("show clock").unwrap(), "noon\n");
        assert_eq!(*shell.wire.stream().typed.borrow(), b"reload\n\x03show clock\n");
    }
}

#[test]
fn an_unknown_question_is_told_when_the_time_is_over() {
    let mut shell = at_core([hear("reload\n"), say("reload\r\nType the magic word:")]);
    assert!(
        matches!(shell.configure("reload").unwrap_err(), Error::Asked { question, .. } if question == "Type the magic word:")
    );
    assert!(
        matches!(shell.show("show clock").unwrap_err(), Error::Unanswered { earlier, .. } if earlier == "reload")
    );
    assert_eq!(*shell.wire.stream().typed.borrow(), b"reload\n");
}

#[test]
fn a_switch_that_falls_silent_runs_out_of_time() {
    let mut shell = at_core([hear("show clock\n"), say("show clock\r\nno")]);
    shell.allow(Duration::from_secs(90));
    let error = shell.show("show clock").unwrap_err();
    assert_eq!(
        error.to_string(),
        "waiting 90s for the answer to `show clock`: the switch did not finish it; hint: raise `timeout` if the switch is slow"
    );
    assert_eq!(Fault::from(error).code, "timed_out");
    assert_eq!(Fault::from(shell.show("show clock").unwrap_err()).code, "timed_out");
    shell.allow(Duration::ZERO);
    let mut shell = at_core(turn("show clock", "noon\r\n", "core#"));
    shell.allow(Duration::ZERO);
    assert!(matches!(shell.show("show clock"), Err(Error::TimedOut { .. })));
}

#[test]
fn a_line_that_is_no_line_is_not_sent() {
    let mut shell = at_core([]);
    for line in ["a\nb", "a\rb", "\x03", "a\tb", "\x1b[A", "a\u{85}b", "description why?", "a\u{7f}"] {
        let error = shell.configure(line).unwrap_err();
        assert!(matches!(error, Error::Unprintable { .. }), "{line:?}");
        let fault = Fault::from(error);
        assert_eq!(fault.code, "unprintable_line");
        assert!(!fault.message.contains(char::is_control), "{fault}");
    }
    assert!(shell.wire.stream().typed.borrow().is_empty());
}

#[test]
fn an_answer_without_end_is_given_up() {
    let mut shell = at_core(
        [hear("show tech\n")]
            .into_iter()
            .chain(std::iter::repeat_n(Act::Say(vec![b'x'; 1 << 16]), MAX_ANSWER >> 15)),
    );
    assert!(matches!(shell.show("show tech").unwrap_err(), Error::TooLong { .. }));
}

#[test]
fn enable_does_without_a_password_where_none_is_asked_for() {
    let mut shell = begin([say("core>")].into_iter().chain(turn("enable", "", "core#")));
    shell.enable(Some("s3cret")).unwrap();
    shell.enable(None).unwrap();
    assert_eq!(*shell.wire.stream().typed.borrow(), b"enable\n");
}

#[test]
fn enable_that_is_refused_tells_why_without_the_password() {
    let table: [(&str, Option<&str>, &str); 7] = [
        (
            "% Authorization denied for command 'enable'\r\ncore>",
            None,
            "% Authorization denied for command 'enable'",
        ),
        ("Access denied\r\ncore>", Some("s3cret"), "Access denied"),
        ("core>", None, "without a word"),
        ("Password: |\x03|\r\ncore>", None, "it wants a password, and none is given"),
        (
            "Password: |s3cret\n|\r\nPassword: |\x03|\r\ncore>",
            Some("s3cret"),
            "it does not take the password",
        ),
        ("Password: |s3cret\n|\r\n% Bad secret\r\n\r\ncore>", Some("s3cret"), "% Bad secret"),
        ("Password: |s3cret\n|s3cret\r\n% no s3cret\r\ncore>", Some("s3cret"), "it gives none"),
    ];
    for (dialog, password, fact) in table {
        let mut script = vec![say("core>"), hear("enable\n"), say("enable\r\n")];
        for (index, part) in dialog.split('|').enumerate() {
            script.push(if index % 2 == 0 { say(part) } else { hear(part) });
        }
        script.extend(turn("show clock", "noon\r\n", "core>"));
        let mut shell = begin(script);
        let error = shell.enable(password).unwrap_err();
        assert!(matches!(error, Error::Privilege { .. }), "{error:?}");
        let fault = Fault::from(error);
        assert_eq!(fault.code, "privilege_refused");
        assert!(
            fault.message.contains(fact) && fault.message.contains("enable_password"),
            "{dialog:?}: {fault}"
        );
        assert!(!fault.message.contains("s3cret"), "{fault}");
        assert_eq!(shell.show("show clock").unwrap(), "noon\n", "{dialog:?}");
    }
}

#[test]
fn a_bad_secret_is_sent_once_and_left_behind_by_empty_lines_where_nothing_else_helps() {
    let mut shell = begin([
        say("core>"),
        hear("enable\n"),
        say("enable\r\nPassword: "),
        hear("s3cret\n"),
        say("\r\nPassword: "),
        hear("\x03"),
        hear("\n"),
        say("\r\nPassword: "),
        hear("\n"),
        say("\r\n% Bad secret\r\n\r\ncore>"),
    ]);
    assert!(matches!(shell.enable(Some("s3cret")), Err(Error::Privilege { .. })));
    assert_eq!(*shell.wire.stream().typed.borrow(), b"enable\ns3cret\n\x03\n\n");
    assert!(shell.unanswered.is_none());
}

#[test]
fn a_password_may_hold_a_question_mark_but_no_line_break() {
    let mut shell = begin([
        say("core>"),
        hear("enable\n"),
        say("enable\r\nPassword: "),
        hear("wh?t\n"),
        say("\r\ncore#"),
    ]);
    shell.enable(Some("wh?t")).unwrap();
    let mut shell = begin([say("core>")]);
    let error = shell.enable(Some("s3cret\nreload")).unwrap_err();
    assert!(matches!(error, Error::Unprintable { .. }));
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert!(shell.wire.stream().typed.borrow().is_empty());
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
    fn no_bytes_break_a_dialog(script in noise(), ends_after in proptest::option::of(0_usize..200)) {
        let script = [say("core>")].into_iter().chain(script);
        let Ok(mut shell) = Shell::begin(Switch { ends_after, ..Switch::new(script) }, LONG) else { return Ok(()) };
        let _ = shell.enable(Some("s3cret"));
        if let Ok(shown) = shell.show("show clock") {
            prop_assert!(shown.is_empty() || shown.ends_with('\n'));
        }
        if let Ok(remarks) = shell.configure("commit") {
            prop_assert!(remarks.iter().all(|remark| !remark.starts_with('%') && !remark.is_empty()));
        }
    }
}

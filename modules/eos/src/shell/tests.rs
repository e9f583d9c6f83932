//! Dialogs with a scripted switch: what ends an answer, what does not, and what is told when none comes.

use std::rc::Rc;

use ansible_module::fault::Fault;

use super::*;

mod change;
mod enable;
mod manners;
mod switch;

use switch::{Act, Switch, hear, say, turn};

const LONG: Duration = Duration::from_secs(600);

fn begin(script: impl IntoIterator<Item = Act>) -> Shell<Switch> {
    Shell::begin(Switch::new(script), LONG).unwrap()
}

/// A shell that waits at `core#`, and what is said after that.
fn at_core(script: impl IntoIterator<Item = Act>) -> Shell<Switch> {
    begin([say("core#")].into_iter().chain(script))
}

#[test]
fn a_lost_connection_names_the_last_line_or_the_last_words() {
    let switch = Switch::new([say("core#\r\nbye")]).ending_after(10);
    assert_eq!(
        Fault::from(Shell::begin(switch, LONG).unwrap_err()).message,
        "waiting for the switch's first prompt: the connection was lost: the switch closed it; its last words were `bye`"
    );
    let mut shell =
        Shell::begin(Switch::new([say("core#"), hear("commit\n"), say("commit\r\n")]).ending_after(7), LONG)
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
        assert!(shell.wire.stream().is_finished());
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
fn a_question_that_stays_is_not_answered_by_an_empty_line() {
    let mut shell = at_core([hear("reload\n"), say("reload\r\nProceed with reload? [confirm]")]);
    assert!(matches!(shell.configure("reload"), Err(Error::Asked { .. })));
    assert!(matches!(shell.show("show clock"), Err(Error::Unanswered { .. })));
    assert_eq!(*shell.wire.stream().typed.borrow(), b"reload\n\x03");
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

//! Dialogs about privileged mode and its password.

use super::*;

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

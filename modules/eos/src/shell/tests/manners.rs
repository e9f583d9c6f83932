//! Switches with manners of their own: a prompt that somebody configured, echoes that are wrapped or in colour.

use super::*;

#[test]
fn a_prompt_with_a_clock_is_followed_through_a_session() {
    let at = |second: u32, mode: &str| format!("core 10:00:{second:02}{mode}#");
    let inside = "(config-s-bothen)";
    let port = "(config-s-bothen-if-Et7/1)";
    let mut shell = begin(
        [say(&at(1, ""))]
            .into_iter()
            .chain(turn("show clock", "noon\r\n", &at(2, "")))
            .chain(turn("configure session bothends-x", "", &at(4, inside)))
            .chain(turn("interface Ethernet7/1", "", &at(5, port)))
            .chain(turn("channel-group 7 mode active", "! No such Port-Channel\r\n", &at(7, port)))
            .chain(turn("commit", "", &at(9, ""))),
    );
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
    assert!(shell.configure("configure session bothends-x").unwrap().is_empty());
    assert!(shell.prompt().is_in_session("bothends-x"));
    assert!(shell.configure("interface Ethernet7/1").unwrap().is_empty());
    assert_eq!(shell.configure("channel-group 7 mode active").unwrap(), ["No such Port-Channel"]);
    assert!(shell.prompt().is_in_session("bothends-x"));
    assert!(shell.configure("commit").unwrap().is_empty());
    assert_eq!(shell.prompt().config, None);
}

#[test]
fn a_prompt_that_ends_otherwise_is_told_and_nothing_is_typed_at_it() {
    for prompt in ["core$ ", "core% ", "[core] "] {
        let switch = Switch::new([say(&format!("Welcome.\r\n\r\n{prompt}"))]);
        let typed = Rc::clone(&switch.typed);
        let error = Shell::begin(switch, LONG).unwrap_err();
        assert!(
            error.to_string().contains(&format!("its last words were `{}`", prompt.trim_end())),
            "{error}"
        );
        assert_eq!(Fault::from(error).code, "no_prompt");
        assert!(typed.borrow().is_empty());
    }
}

#[test]
fn bells_colours_and_titles_are_no_part_of_names_and_answers() {
    let prompt = "\x1b]0;core\x07\x1b[1;32mvla-1x3(s1)\x1b[0m#\x07";
    let mut shell = begin([say(prompt)].into_iter().chain(turn(
        "show clock",
        "\x07\x1b[33mnoon\x1b[0m\x1b[K\r\n",
        prompt,
    )));
    assert_eq!(shell.prompt().base, "vla-1x3(s1)");
    assert_eq!(shell.show("show clock").unwrap(), "noon\n");
}

#[test]
fn an_echo_that_is_wrapped_at_the_edge_of_the_terminal_is_an_echo() {
    let line = "switchport trunk allowed vlan 100-200,300-400,500-600";
    let (first, rest) = line.split_at(30);
    let prompt = "core(config-s-bothen-if-Po7)#";
    // A blank that a terminal needs to go on in the next row, and rows that are written anew.
    for echo in [
        format!("{first} \r{rest}\r\n"),
        format!("{first}\r\x1b[K{first}{rest}\r\n"),
        format!("{first}{rest} \r\r\n"),
    ] {
        let mut shell = begin([say(prompt), hear(&format!("{line}\n")), say(&format!("{echo}{prompt}"))]);
        assert!(shell.configure(line).unwrap().is_empty(), "{echo:?}");
    }
}

use super::*;

/// Open vSwitch 2.15, 3.1 and 3.5: the first member talks to a switch, the second has just lost it, the third hears
/// nobody.
const NEW: &str = "\
---- bond0 ----
  status: active negotiated
  sys_id: 3c:fd:fe:a1:01:20
  sys_priority: 65534
  aggregation key: 3
  lacp_time: fast

member: ens20f0np0: current attached
  port_id: 3
  port_priority: 65535
  may_enable: true

  actor sys_id: 3c:fd:fe:a1:01:20
  actor sys_priority: 65534
  actor port_id: 3
  actor port_priority: 65535
  actor key: 3
  actor state: activity timeout aggregation synchronized collecting distributing

  partner sys_id: 00:1C:73:0a:0b:0c
  partner sys_priority: 32768
  partner port_id: 25
  partner port_priority: 32768
  partner key: 1001
  partner state: activity aggregation synchronized collecting distributing

member: ens20f1np1: expired attached
  port_id: 4
  port_priority: 65535
  may_enable: false

  actor sys_id: 3c:fd:fe:a1:01:20
  actor sys_priority: 65534
  actor port_id: 4
  actor port_priority: 65535
  actor key: 3
  actor state: activity timeout aggregation synchronized expired

  partner sys_id: 00:1c:73:0a:0b:0c
  partner sys_priority: 32768
  partner port_id: 29
  partner port_priority: 32768
  partner key: 1001
  partner state: activity timeout aggregation

member: ens21f0np0: defaulted detached
  port_id: 5
  port_priority: 65535
  may_enable: false

  actor sys_id: 3c:fd:fe:a1:01:20
  actor sys_priority: 65534
  actor port_id: 5
  actor port_priority: 65535
  actor key: 3
  actor state: activity timeout aggregation defaulted

  partner sys_id: 00:00:00:00:00:00
  partner sys_priority: 0
  partner port_id: 0
  partner port_priority: 0
  partner key: 0
  partner state:
";

/// Open vSwitch 2.13: members are slaves, and lines begin with a tab.
fn old() -> String {
    NEW.replace("member:", "slave:").replace("  ", "\t")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn both_ends_of_every_member_are_read_in_either_spelling() {
    for text in [NEW.to_owned(), old()] {
        let lacp = Lacp::parse(&text).unwrap();
        assert_eq!(lacp.key, Some(3));
        assert_eq!(lacp.members.len(), 3);
        let member = &lacp.members["ens20f0np0"];
        assert_eq!(member.port_id, Some(3));
        assert_eq!(
            member.actor,
            LacpPort {
                system_id: Some("3c:fd:fe:a1:01:20".to_owned()),
                system_priority: Some(65534),
                key: Some(3),
                port_id: Some(3),
                port_priority: Some(65535),
                state: words("activity timeout aggregation synchronized collecting distributing"),
            }
        );
        assert_eq!(
            member.partner,
            LacpPort {
                system_id: Some("00:1c:73:0a:0b:0c".to_owned()),
                system_priority: Some(32768),
                key: Some(1001),
                port_id: Some(25),
                port_priority: Some(32768),
                state: words("activity aggregation synchronized collecting distributing"),
            }
        );
        let is = |name: &str| {
            let member = &lacp.members[name];
            (member.is_current, member.is_attached, member.may_enable)
        };
        assert_eq!(is("ens20f0np0"), (true, true, true));
        assert_eq!(is("ens20f1np1"), (false, true, false));
        assert_eq!(is("ens21f0np0"), (false, false, false));
        let nobody = &lacp.members["ens21f0np0"].partner;
        assert_eq!((&nobody.system_id, nobody.state.len()), (&None, 0));
    }
}

#[test]
fn only_a_member_that_is_current_attached_enabled_and_heard_is_negotiated() {
    for word in ["member", "slave"] {
        let text = format!(
            "---- bond0 ----\n  status: active negotiated\n\n\
             {word}: nic0: current attached\n  may_enable: true\n\n\
             {word}: nic1: expired attached\n  may_enable: true\n\n\
             {word}: nic2: defaulted detached\n  may_enable: true\n\n\
             {word}: nic3: current attached\n  may_enable: false\n\n\
             {word}: nic4: current detached\n  may_enable: true\n\n\
             {word}: nic5: current attached\n\tmay_enable: true\n  partner state: activity aggregation synchronized\n\n\
             {word}: nic6: current attached\n  may_enable: true\n  partner state: activity synchronized expired\n\n\
             {word}: nic7: current attached\n  may_enable: true\n  partner state: synchronized defaulted\n\n\
             {word}: nic8: current attached\n  may_enable: true\n  actor state: synchronized expired\n"
        );
        let lacp = Lacp::parse(&text).unwrap();
        let negotiated: Vec<_> = lacp.members.keys().filter(|member| lacp.is_negotiated(member)).collect();
        assert_eq!(negotiated, ["nic0", "nic5", "nic8"], "{word}");
    }
}

#[test]
fn lines_that_are_missing_or_new_leave_their_values_out() {
    assert_eq!(Lacp::parse("").unwrap(), Lacp::default());
    assert_eq!(Lacp::parse("no such lacp object\n").unwrap(), Lacp::default());
    let lacp = Lacp::parse(
        "---- bond0 ----\n  status: active\n  aggregation key: none\n  new: line\n\nmember: nic0: new words\n\
         \n  actor new_key: 70000\n  partner sys_id: 00:1c:73:0a:0b:0c\n\nmember: nic1\n  may_enable: true\n",
    );
    let lacp = lacp.unwrap();
    assert_eq!((lacp.key, lacp.members.len()), (None, 2));
    let partner = LacpPort { system_id: Some("00:1c:73:0a:0b:0c".to_owned()), ..LacpPort::default() };
    assert_eq!(lacp.members["nic0"], Member { partner, ..Member::default() });
    assert_eq!(lacp.members["nic1"], Member { may_enable: true, ..Member::default() });
}

#[test]
fn a_number_that_cannot_be_is_an_error_that_names_the_line() {
    for (line, wrong) in [
        ("aggregation key: 3", "aggregation key: 70000"),
        ("  port_id: 3", "port_id: many"),
        ("actor key: 3", "actor key: -3"),
        ("partner port_id: 25", "partner port_id: 25.0"),
        ("partner sys_priority: 32768", "partner sys_priority:"),
        ("actor port_priority: 65535", "actor port_priority: 65536"),
    ] {
        assert!(NEW.contains(line), "{line}");
        let error = Lacp::parse(&NEW.replacen(line, wrong, 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("reading the answer of `ovs-vswitchd` to `lacp/show`: `{wrong}` holds no such number")
        );
    }
}

#[test]
fn no_text_stops_it() {
    for text in [NEW.to_owned(), old()] {
        for at in 0..text.len() {
            // Cut short, a number is another one or none; that it ends is all that counts.
            let _ = Lacp::parse(&text[..at]);
            let _ = Lacp::parse(&text[at..]);
            let _ = Lacp::parse(&format!("{}\u{0}{}", &text[..at], &text[at..]));
        }
    }
}

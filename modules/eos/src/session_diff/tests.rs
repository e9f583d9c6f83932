//! Differences as EOS prints them, and as a differ makes them of random configurations.

use proptest::prelude::*;
use similar::TextDiff;

use super::*;

const RUNNING: &str = "\
! Command: show running-config
! device: core (DCS-7050QX-32S-F, EOS-4.28.3M)
!
hostname core
!
username admin privilege 15 role network-admin secret sha512 $6$hash
!
interface Port-Channel7
   switchport mode trunk
!
interface Ethernet6/1
   description others
   switchport mode trunk
!
interface Ethernet7/1
   description PVE-N1-P0(R)
   speed forced 40gfull
   switchport trunk allowed vlan 10-11
   switchport mode trunk
!
interface Ethernet8/1
   ip ospf authentication-key 7 ospfhash
!
end
";

fn own() -> Vec<String> {
    ["interface Port-Channel1001", "interface Ethernet7/1"].map(str::to_owned).into()
}

fn parse(text: &str) -> SessionDiff {
    SessionDiff::parse(text, RUNNING, &own()).unwrap()
}

#[test]
fn a_blank_line_is_no_difference() {
    for text in ["", "\n", "  \n\n"] {
        assert_eq!(SessionDiff::parse(text, RUNNING, &own()), None);
    }
}

#[test]
fn what_is_ours_is_shown_and_what_is_others_is_not() {
    let diff = parse(
        "\
--- system:/running-config
+++ session:/bothends-1001-7f3a-session-config
@@ -5,6 +5,10 @@ username admin secret 0 oops
 username admin privilege 15 role network-admin secret sha512 $6$hash
 !
 interface Port-Channel7
    switchport mode trunk
 !
+interface Port-Channel1001
+   description the key to it all
+   switchport mode trunk
+!
 interface Ethernet6/1
    description others
@@ -17,5 +21,6 @@
    switchport trunk allowed vlan 10-11
    switchport mode trunk
+   channel-group 1001 mode active
 !
 interface Ethernet8/1
    ip ospf authentication-key 7 ospfhash

",
    );
    assert_eq!(
        diff.to_string(),
        "\
--- system:/running-config
+++ session:/bothends-1001-7f3a-session-config
@@ -5,6 +5,10 @@
    …
 !
 interface Port-Channel7
    …
 !
+interface Port-Channel1001
+   description the key to it all
+   switchport mode trunk
+!
 interface Ethernet6/1
    …
@@ -17,5 +21,6 @@
    switchport trunk allowed vlan 10-11
    switchport mode trunk
+   channel-group 1001 mode active
 !
 interface Ethernet8/1
    …
"
    );
    assert!(diff.changes_of_others().is_empty());
}

#[test]
fn changes_of_others_are_told_without_their_secrets() {
    let diff = parse(
        "\
@@ -5,3 +5,3 @@
-username admin privilege 15 role network-admin secret sha512 $6$hash
+username admin privilege 15 role network-admin secret sha512 $6$other
 !
@@ -20,6 +20,5 @@
    switchport mode trunk
 !
 interface Ethernet8/1
-   ip ospf authentication-key 7 ospfhash
+   shutdown
 !
",
    );
    let others = [
        "- username admin privilege 15 role network-admin secret ********",
        "+ username admin privilege 15 role network-admin secret ********",
        "- interface Ethernet8/1: ip ospf authentication-key ********",
        "+ interface Ethernet8/1: shutdown",
    ];
    assert_eq!(diff.changes_of_others(), others);
    let shown = diff.to_string();
    assert!(!shown.contains("hash") && !shown.contains("other"), "{shown}");
    assert!(shown.contains("\n-   ip ospf authentication-key ********\n+   shutdown\n"), "{shown}");
}

#[test]
fn a_hunk_that_begins_in_an_unknown_block_is_nobody_of_ours() {
    let diff =
        SessionDiff::parse("@@ -17,2 +17,3 @@\n    mtu 9000\n+   shutdown\n !\n", RUNNING, &own()).unwrap();
    assert_eq!(diff.to_string(), "@@ -17,2 +17,3 @@\n    …\n+   shutdown\n !\n");
    assert_eq!(diff.changes_of_others(), ["+ shutdown"]);
}

#[test]
fn a_hunk_with_a_wrong_number_is_found_by_what_it_holds_only_where_that_is_clear() {
    let begins = |context: &str| {
        let text = format!("@@ -3,2 +3,3 @@\n {context}\n+   mtu 9000\n !\n");
        SessionDiff::parse(&text, RUNNING, &own()).unwrap().changes_of_others().is_empty()
    };
    assert!(begins("   switchport trunk allowed vlan 10-11\n    switchport mode trunk"));
    assert!(!begins("   switchport mode trunk"));
}

#[test]
fn a_new_block_that_is_lined_up_with_anothers_end_is_still_only_ours() {
    let diff = parse(
        "\
@@ -8,5 +8,8 @@
 interface Port-Channel7
+   switchport mode trunk
+!
+interface Port-Channel1001
    switchport mode trunk
 !
 interface Ethernet6/1
",
    );
    assert_eq!(diff.changes_of_others(), <[String; 0]>::default());
    // It was the other one's line, and becomes ours.
    assert!(diff.to_string().contains("+interface Port-Channel1001\n    …\n"), "{diff}");
}

#[test]
fn lines_of_others_in_another_order_are_a_change() {
    let diff = parse(
        " junk\n@@ -11,3 +11,3 @@\n interface Ethernet6/1\n+   switchport mode trunk\n    description others\n-   switchport mode trunk\n",
    );
    assert_eq!(diff.changes_of_others().len(), 6, "{:?}", diff.changes_of_others());
    assert!(diff.to_string().starts_with("    …\n@@"), "{diff}");
}

#[test]
fn values_of_secrets_are_masked() {
    let table = [
        ("+   neighbor 192.0.2.1 password 7 abc", "+   neighbor 192.0.2.1 password ********"),
        ("+secret abc", "+secret ********"),
        ("-enable Secret sha512 abc", "-enable Secret ********"),
        ("+tacacs-server key 7 abc", "+tacacs-server key ********"),
        ("+snmp-server user a b v3 auth sha abc priv aes def", "+snmp-server user a b v3 auth ********"),
        ("+   key-string abc", "+   key-string ********"),
        ("    vrrp 7 peer authentication text abc", "    vrrp 7 peer authentication ********"),
        ("+   no password", "+   no password"),
        ("+   channel-group 5 mode on", "+   channel-group 5 mode on"),
        ("+   monkey business", "+   monkey business"),
    ];
    for (line, expected) in table {
        assert_eq!(masked(line), expected);
    }
}

/// Blocks by name: interface number, its lines.
type Configuration = Vec<(u8, Vec<&'static str>)>;

const LINES: [&str; 4] =
    ["   switchport mode trunk", "   mtu 9000", "   shutdown", "   ip ospf authentication-key 7 hash"];

fn configuration() -> impl Strategy<Value = Configuration> {
    let lines = proptest::collection::vec(proptest::sample::select(LINES.to_vec()), 0..6);
    proptest::collection::btree_map(0_u8..12, lines, 0..12).prop_map(|blocks| blocks.into_iter().collect())
}

fn rendered(configuration: &Configuration) -> String {
    let mut text = "hostname core\n!\n".to_owned();
    for (number, lines) in configuration {
        text = format!("{text}interface Ethernet{number}\n{}\n!\n", lines.join("\n")).replace("\n\n", "\n");
    }
    text + "end\n"
}

fn difference(old: &str, new: &str, own: impl Iterator<Item = u8>) -> Option<SessionDiff> {
    let own: Vec<String> = own.map(|number| format!("interface Ethernet{number}")).collect();
    let text = TextDiff::from_lines(old, new).unified_diff().context_radius(3).header("a", "b").to_string();
    SessionDiff::parse(&text, &format!("! Command: show running-config\n{old}"), &own)
}

proptest! {
    #[test]
    fn there_is_a_diff_where_our_blocks_differ_and_no_secret_in_it(old in configuration(), other in configuration()) {
        // The odd ones are ours: in the session they are as in the other configuration, or gone, or new.
        let others = old.iter().filter(|(number, _)| number % 2 == 0);
        let ours = other.iter().filter(|(number, _)| number % 2 == 1);
        let mut new: Configuration = others.chain(ours).cloned().collect();
        new.sort();
        if let Some(diff) = difference(&rendered(&old), &rendered(&new), (1..12).step_by(2)) {
            prop_assert!(!diff.to_string().contains("hash"));
        } else {
            prop_assert_eq!(old, new);
        }
    }

    #[test]
    fn a_change_of_others_is_always_found(old in configuration(), new in configuration()) {
        let others = |of: &Configuration| -> Configuration { of.iter().filter(|(number, _)| number % 2 == 0).cloned().collect() };
        prop_assume!(others(&old) != others(&new));
        let diff = difference(&rendered(&old), &rendered(&new), (1..12).step_by(2)).unwrap();
        prop_assert!(!diff.changes_of_others().is_empty(), "{}", diff);
        prop_assert!(diff.changes_of_others().iter().all(|line| !line.contains("hash")));
    }

    #[test]
    fn no_text_breaks_it(text in "(@@ -[0-9]{1,3},[0-9] @@\n|[-+ ]|\\PC|\n|   |!|interface Ethernet7/1\n|--- ){0,60}", running in "( {0,3}\\PC{0,9}\n){0,9}") {
        if let Some(diff) = SessionDiff::parse(&text, &running, &own()) {
            let _ = diff.to_string();
        }
    }
}

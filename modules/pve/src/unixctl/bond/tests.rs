use super::*;

/// Open vSwitch 2.13: members are slaves.
const OLD: &str = "\
---- bond0 ----
bond_mode: balance-tcp
bond may use recirculation: yes, Recirc-ID : 1
bond-hash-basis: 0
updelay: 0 ms
downdelay: 0 ms
next rebalance: 3120 ms
lacp_status: negotiated
lacp_fallback_ab: true
active slave mac: 3c:fd:fe:a1:01:20(ens20f0np0)

slave ens20f0np0: enabled
  active slave
  may_enable: true
  hash 17: 4 kB load
  hash 203: 18 kB load

slave ens20f1np1: disabled
  updelay expires in 4750 ms
  may_enable: false

";
/// Open vSwitch 2.15.
const MIDDLE: &str = "\
---- bond0 ----
bond_mode: active-backup
bond may use recirculation: no, Recirc-ID : -1
bond-hash-basis: 0
updelay: 0 ms
downdelay: 0 ms
lacp_status: off
lacp_fallback_ab: false
active-backup primary: <none>
active member mac: 3c:fd:fe:a1:01:30(ens20f1np1)

member ens20f0np0: enabled
  may_enable: true

member ens20f1np1: enabled
  active member
  may_enable: true

";
/// Open vSwitch 3.1, nobody answering.
const NEW: &str = "\
---- bond0 ----
bond_mode: balance-tcp
bond may use recirculation: yes, Recirc-ID : 2
bond-hash-basis: 0
lb_output action: disabled, bond-id: -1
all members active: false
updelay: 0 ms
downdelay: 0 ms
next rebalance: 9120 ms
lacp_status: configured
lacp_fallback_ab: false
active-backup primary: <none>
active member mac: 00:00:00:00:00:00(none)

member ens20f0np0: disabled
  may_enable: false

member ens20f1np1: disabled
  may_enable: false

";
/// Open vSwitch 3.5, without LACP.
const NEWEST: &str = "\
---- bond0 ----
bond_mode: balance-slb
bond may use recirculation: no, Recirc-ID : -1
bond-hash-basis: 0
lb_output action: disabled, bond-id: -1
all members active: true
updelay: 200 ms
downdelay: 100 ms
next rebalance: 5590 ms
lacp_status: off
lacp_fallback_ab: false
active-backup primary: eno9 (no such member)
active member mac: 3c:fd:fe:a1:01:20(ens20f0np0)

member ens20f0np0: enabled
  active member
  downdelay expires in 75 ms
  may_enable: true
  hash 77: 22327 kB load
  hash 255: 1 kB load

member ens20f1np1: enabled
  may_enable: true

";

/// Enabled members, the active one, and what each member carried: `NAME HASHES/KB`.
fn read(text: &str) -> [String; 3] {
    let Bond { enabled, active, loads } = Bond::parse(text).unwrap();
    let kb = |kb: Option<u64>| kb.map_or("?".to_owned(), |kb| kb.to_string());
    let loads = loads.iter().map(|(name, load)| format!("{name} {}/{}", load.hashes, kb(load.kb)));
    [
        enabled.into_iter().collect::<Vec<_>>().join(" "),
        active.unwrap_or_default(),
        loads.collect::<Vec<_>>().join(" "),
    ]
}

#[test]
fn enabled_members_the_active_one_and_loads_are_read_in_every_release() {
    assert_eq!(read(OLD), ["ens20f0np0", "ens20f0np0", "ens20f0np0 2/22 ens20f1np1 0/0"]);
    assert_eq!(read(MIDDLE), ["ens20f0np0 ens20f1np1", "ens20f1np1", ""]);
    assert_eq!(read(NEW), ["", "", "ens20f0np0 0/0 ens20f1np1 0/0"]);
    assert_eq!(read(NEWEST), ["ens20f0np0 ens20f1np1", "ens20f0np0", "ens20f0np0 2/22328 ens20f1np1 0/0"]);
    assert_eq!(read("no such bond"), ["", "", ""]);
}

#[test]
fn a_count_that_wrapped_below_zero_is_no_load() {
    let text = NEWEST.replace("22327", "9007199254740413");
    assert_eq!(read(&text)[2], "ens20f0np0 2/? ens20f1np1 0/0");
    let text = text.replace("hash 255: 1 ", "hash 255: 9007199254740991 ");
    assert_eq!(read(&text)[2], "ens20f0np0 2/? ens20f1np1 0/0");
}

#[test]
fn a_number_that_cannot_be_is_an_error_that_names_the_line() {
    for line in [
        "hash 256: 4 kB load",
        "hash -1: 4 kB load",
        "hash x: 4 kB load",
        "hash 17: -4 kB load",
        "hash 17: 4.5 kB load",
        "hash 17: 18446744073709551616 kB load",
    ] {
        let error = Bond::parse(&OLD.replace("hash 17: 4 kB load", line)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("reading the answer of `ovs-vswitchd` to `bond/show`: `{line}` holds no such number")
        );
    }
}

#[test]
fn what_a_later_release_may_add_is_passed_over() {
    let text = OLD
        .replace("lacp_status:", "a new line\nlacp_status:")
        .replace("  hash 17", "  hash algorithm: new\n  hash 3: 4 MB load\n  new: 1\n  hash 17");
    assert_eq!(read(&text), read(OLD));
}

#[test]
fn no_text_stops_it() {
    for text in [OLD, MIDDLE, NEW, NEWEST] {
        for at in 0..text.len() {
            // Cut short, a number is another one or none; that it ends is all that counts.
            let _ = Bond::parse(&text[..at]);
            let _ = Bond::parse(&text[at..]);
            let _ = Bond::parse(&format!("{}\u{0}{}", &text[..at], &text[at..]));
        }
    }
}

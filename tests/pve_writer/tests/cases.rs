//! Every folder of `tests/cases` is a case: the file `input`, saved by Proxmox, is `expected`; or it `dies`, with the
//! message. `links` are the machine's physical links, a line each; `without_ifupdown2` is what the old ifupdown gets.
//! The words of `ovs_options` stand sorted in them. Written by hand from what Proxmox does, not from what this crate answers.

use std::fs;
use std::path::Path;

use pve_writer::{read, without_word_order, write};

#[test]
fn every_case_comes_out_as_expected() {
    golden::every_case(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"), |case| {
        let links = fs::read_to_string(case.join("links")).unwrap_or_default();
        let links: Vec<&str> = links.lines().collect();
        let model = read(&fs::read(case.join("input")).unwrap(), &links);
        let text = |bytes: Vec<u8>| String::from_utf8(without_word_order(&bytes)).unwrap();
        let (expected, dies) = match write(&model, true) {
            Ok(bytes) => (Some(text(bytes)), None),
            Err(die) => (None, Some(format!("{die}\n"))),
        };
        let old = case.join("without_ifupdown2").exists().then(|| text(write(&model, false).unwrap()));
        vec![("expected", expected), ("dies", dies), ("without_ifupdown2", old)]
    });
}

#[test]
fn what_was_written_is_written_again() {
    golden::every_case(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"), |case| {
        let links = fs::read_to_string(case.join("links")).unwrap_or_default();
        let links: Vec<&str> = links.lines().collect();
        let Ok(once) = fs::read_to_string(case.join("expected")) else { return Vec::new() };
        // What is not ASCII grows with each save, but in comments.
        if once.lines().any(|line| !line.is_ascii() && !line.starts_with('#')) {
            return Vec::new();
        }
        let twice = write(&read(once.as_bytes(), &links), true).unwrap();
        vec![("expected", Some(String::from_utf8(without_word_order(&twice)).unwrap()))]
    });
}

#[test]
fn the_order_of_words_can_be_left_out() {
    let file = b"\tovs_options lacp=active bond_mode=balance-tcp\n\tovs_ports b a\n";
    assert_eq!(
        without_word_order(file),
        b"\tovs_options bond_mode=balance-tcp lacp=active\n\tovs_ports b a\n"
    );
}

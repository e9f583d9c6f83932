//! What `writable` says of a file, against a second opinion: a file that Proxmox's writer dies of has a problem that says
//! so, and no other has.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::fs;
use std::path::{Path, PathBuf};

use pve::interfaces::Interfaces;
use pve::writable::{Effect, problems};
use pve_writer::{read, write};

/// Every file named `name` in a folder's cases, with the case's folder.
fn files(folder: &str, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let cases = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    cases.filter_map(|case| Some((case.clone(), fs::read(case.join(name)).ok()?))).collect()
}

#[test]
fn a_second_opinion_refuses_the_same_files() {
    let mut files: Vec<_> = [
        ("tests/interfaces", "input"),
        ("tests/interfaces", "expected"),
        ("tests/plan", "interfaces"),
        ("tests/plan", "expected"),
        ("../../tests/pve_writer/tests/cases", "input"),
    ]
    .into_iter()
    .flat_map(|(folder, name)| files(folder, name))
    .collect();
    files.sort();
    let (mut wrong, mut dying) = (Vec::new(), 0);
    for (case, file) in files {
        // What a backslash joins for ifupdown2 and us, Proxmox takes for two lines.
        if file.windows(2).any(|two| two == b"\\\n") {
            continue;
        }
        let listed = fs::read_to_string(case.join("links")).unwrap_or_default();
        let links: Vec<&str> = if case.join("case.json").exists() {
            vec!["eno1", "eno2", "eno3", "lan1", "lan2", "ens20f0np0", "ens20f1np1"]
        } else {
            listed.lines().collect()
        };
        let interfaces =
            Interfaces::parse(&file).with_physical_links(links.iter().map(|link| (*link).to_owned()));
        let found = problems(&interfaces, &|name| links.contains(&name));
        let found: Vec<_> = found.iter().filter(|problem| problem.effect == Effect::Refused).collect();
        let died = write(&read(&file, &links), true).err();
        dying += usize::from(died.is_some());
        if died.is_some() == found.is_empty() {
            wrong.push(format!("{}: {died:?}, {found:?}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(dying >= 10, "only {dying} of them say something here");
}

//! The files that ifupdown2 reads beside the main one: `source` and `source-directory`, as far as they lead.
//!
//! Proxmox keeps such lines and never follows them, and its SDN writes `interfaces.d/sdn`. What stands in these files
//! is looked at for ports, gateways and conflicts, and never written. How ifupdown2 finds them is taken from its
//! `networkinterfaces.py`; where its versions differ, a file that one of them reads is read here:
//!
//! - `source-directory` is an error to 3.0; later versions follow it, to files of plain names only;
//! - a path without a leading slash is searched for from the working folder of whoever calls ifupdown2: `/` at boot
//!   and from the web interface. interfaces(5) promises the folder of the file, so that is searched too;
//! - a file that is not UTF-8 is left out or not, depending on the locale.
//!
//! A template (Mako) is read as it is written, not as it would be rendered.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::interfaces::{Interfaces, Source};
use crate::paths::Paths;

mod wildcard;

/// Far beyond any node, so that a circle of links or a wildcard over everything ends with a message.
const MOST_FILES: usize = 1_000;
const MOST_BYTES: u64 = 16 << 20;

/// A file that ifupdown2 reads beside the main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// Where it is, as the line that leads to it says.
    pub path: PathBuf,
    /// What it says.
    pub interfaces: Interfaces,
}

/// Reads them all, each once, in the order in which ifupdown2 comes to them; `interfaces` is what the main file says.
///
/// What is not there or is no file is left out, as ifupdown2 leaves it out with a warning. A circle ends where it
/// closes; ifupdown2 fails on one.
pub fn read(paths: &Paths, interfaces: &Interfaces) -> Result<Vec<Sourced>, Fault> {
    let mut known: BTreeSet<PathBuf> = paths.interfaces.canonicalize().into_iter().gather();
    let mut pending = next(paths, &paths.interfaces, interfaces)?;
    let mut found: Vec<Sourced> = Vec::new();
    let mut left = MOST_BYTES;
    while let Some(path) = pending.pop() {
        let Ok(file) = path.canonicalize() else { continue };
        if !file.is_file() || !known.insert(file) {
            continue;
        }
        if found.len() == MOST_FILES {
            return Err(too_much(&path));
        }
        let interfaces = Interfaces::parse(&read_file(&path, &mut left)?);
        pending.extend(next(paths, &path, &interfaces)?);
        found.push(Sourced { path, interfaces });
    }
    Ok(found)
}

/// What the lines of a file lead to, last one first.
fn next(paths: &Paths, file: &Path, interfaces: &Interfaces) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    for Source { directory, path } in interfaces.sources() {
        // ifupdown2 takes the first word.
        let Some(pattern) = path.split_ascii_whitespace().next() else { continue };
        let folder = file.parent().filter(|_| !pattern.starts_with('/'));
        for base in [Some(paths.root.as_path()), folder].into_iter().flatten() {
            let matching = wildcard::expand(base, pattern, MOST_FILES).ok_or_else(|| too_much(file))?;
            if directory {
                found.extend(matching.iter().flat_map(|folder| plainly_named(folder)));
            } else {
                found.extend(matching);
            }
        }
        if found.len() > MOST_FILES {
            return Err(too_much(file));
        }
    }
    found.reverse();
    Ok(found)
}

/// The files that `source-directory` takes: those whose names are made of letters, digits, `_` and `-`.
fn plainly_named(folder: &Path) -> Vec<PathBuf> {
    let is_plain =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    wildcard::names(folder).into_iter().filter(|name| is_plain(name)).map(|name| folder.join(name)).collect()
}

fn read_file(path: &Path, left: &mut u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(*left + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) => {
            *left = u64::try_from(length)
                .ok()
                .and_then(|length| left.checked_sub(length))
                .ok_or_else(|| too_much(path))?;
            Ok(bytes)
        }
        // It has gone since it was looked for.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(bytes),
        Err(error) => Err(Fault::new(
            "file_unreadable",
            format!("reading `{}`, which the interfaces file sources, failed: {error}", path.display()),
        )),
    }
}

fn too_much(at: &Path) -> Fault {
    Fault::new(
        "file_unreadable",
        format!(
            "reading what the interfaces file sources: at `{}` it is more than {MOST_FILES} files or {} MiB; \
             hint: do its wildcards match more than they are meant to?",
            at.display(),
            MOST_BYTES >> 20
        ),
    )
}

#[cfg(test)]
mod tests;

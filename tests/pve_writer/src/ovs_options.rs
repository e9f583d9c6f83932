//! The words of an `ovs_options` value as Proxmox takes them: settings with a `=`, all others are lost.

use crate::model::Interface;

const KEY: &str = "ovs_options";

/// Takes a setting out, and with it the words that Proxmox loses.
pub(crate) fn take(interface: &mut Interface, key: &str) -> Option<String> {
    let mut settings = parse(interface);
    let found = settings.iter().position(|(known, _)| known == key).map(|at| settings.remove(at).1);
    store(interface, &settings);
    found
}

/// Makes this the value of a setting; none, an empty one and `0` take it out.
pub(crate) fn put(interface: &mut Interface, key: &str, value: Option<&str>) {
    let mut settings = parse(interface);
    let at = settings.iter().position(|(known, _)| known == key);
    match (value.filter(|value| !matches!(*value, "" | "0")), at.and_then(|at| settings.get_mut(at))) {
        (Some(value), Some((_, known))) => value.clone_into(known),
        (Some(value), None) => settings.push((key.to_owned(), value.to_owned())),
        (None, _) => settings.retain(|(known, _)| known != key),
    }
    store(interface, &settings);
}

fn parse(interface: &Interface) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = Vec::new();
    for (key, value) in interface.words(KEY).filter_map(|word| word.split_once('=')) {
        match settings.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => value.clone_into(known),
            None if matches!(key, "" | "0") => {}
            None => settings.push((key.to_owned(), value.to_owned())),
        }
    }
    settings
}

fn store(interface: &mut Interface, settings: &[(String, String)]) {
    let words: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    interface.settings.remove(KEY);
    if !words.is_empty() {
        interface.set(KEY, &words.join(" "));
    }
}

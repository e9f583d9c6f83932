//! What the files say that ifupdown2 reads beside the interfaces file. They are somebody else's, such as SDN's: never
//! written, and what they declare is no task's object.

use std::collections::BTreeMap;
use std::path::Path;

use ansible_module::fault::Fault;

use crate::draft::Draft;
use crate::interfaces::{Kind, Stanza};
use crate::picture::Picture;

/// Refuses an object that another file declares: what a task writes would be merged with that.
pub fn is_declared_here(draft: &Draft<'_>, name: &str, wanted: Kind, word: &str) -> Result<(), Fault> {
    let is_whole = |stanza: &Stanza| wanted != Kind::OvsBridge || is_a_bridge(stanza);
    match declaring(draft.picture, name, &is_whole) {
        None => Ok(()),
        Some(path) => Err(elsewhere(&format!("`{name}` can't be managed as {word}"), path)),
    }
}

/// Refuses a bridge that only another file declares: its `ovs_ports` can't name a port of ours.
pub fn bridge_is_here(draft: &Draft<'_>, bridge: &str) -> Result<(), Fault> {
    match declaring(draft.picture, bridge, &is_a_bridge) {
        Some(path) if draft.interfaces().get(bridge).is_none() => {
            Err(elsewhere(&format!("option `bridge`: `{bridge}` can't get a port"), path))
        }
        _ => Ok(()),
    }
}

/// What other files put on a bridge – ports, VLANs, bridges above those – and which file does.
pub fn ports<'a>(picture: &'a Picture, bridge: &str) -> BTreeMap<String, &'a Path> {
    let mut ports = BTreeMap::new();
    for file in &picture.sourced {
        let mut add = |port: &str| {
            ports.insert(port.to_owned(), &*file.path);
        };
        for stanza in file.interfaces.stanzas() {
            let name = &stanza.name;
            if name == bridge {
                stanza.list("ovs_ports").into_iter().for_each(&mut add);
            }
            let is_on_it = |key: &str| stanza.get(key) == Some(bridge);
            if is_on_it("ovs_bridge") || is_on_it("vlan-raw-device") || is_vlan_of(name, bridge) {
                add(name);
            }
            let below = stanza.list("bridge_ports");
            if below.iter().any(|port| *port == bridge || is_vlan_of(port, bridge)) {
                add(name);
            }
        }
    }
    ports
}

/// Another file that attaches the NIC to a bridge by itself.
pub fn attaching<'a>(picture: &'a Picture, nic: &str) -> Option<&'a Path> {
    declaring(picture, nic, &|stanza| stanza.get("ovs_bridge").is_some())
}

fn declaring<'a>(picture: &'a Picture, name: &str, is_it: &dyn Fn(&Stanza) -> bool) -> Option<&'a Path> {
    let mut files = picture.sourced.iter();
    files.find(|file| file.interfaces.get(name).is_some_and(is_it)).map(|file| &*file.path)
}

/// SDN has a stanza for a bridge that says no more than which ports it has besides.
fn is_a_bridge(stanza: &Stanza) -> bool {
    stanza.get("ovs_type").is_some() || stanza.get("bridge_ports").is_some()
}

fn is_vlan_of(name: &str, device: &str) -> bool {
    name.strip_prefix(device).is_some_and(|rest| rest.starts_with('.'))
}

fn elsewhere(tried: &str, path: &Path) -> Fault {
    Fault::new(
        "declared_elsewhere",
        format!(
            "{tried}: it is declared in `{}`, which Proxmox does not read and this module does not write; \
             hint: move its stanza to the interfaces file",
            path.display()
        ),
    )
}

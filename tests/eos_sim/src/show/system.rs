//! The switch as a whole: `show version`, `show hostname`, `show clock`.

use std::fmt::Write as _;

use serde_json::json;

use super::{Asker, Shown};
use crate::clock;
use crate::state::State;

const MEMORY_TOTAL: u32 = 3_982_820;
const MEMORY_FREE: u32 = 1_807_180;

pub(super) fn version(state: &mut State) -> Shown {
    let system = state.observe().system;
    let dotted = dots(&system);
    let (model, release) = (&state.platform.model, &state.platform.release);
    let uptime = clock::between(state.booted, state.clock.now());
    let text = format!(
        "Arista {model}\n\
         Hardware version: 11.00\n\
         Serial number: SIM00000001\n\
         Hardware MAC address: {dotted}\n\
         System MAC address: {dotted}\n\
         \n\
         Software image version: {release}\n\
         Architecture: x86_64\n\
         Internal build version: {release}-00000001\n\
         Internal build ID: 00000000-0000-0000-0000-000000000001\n\
         Image format version: 3.0\n\
         Image optimization: None\n\
         \n\
         Uptime: {}\n\
         Total memory: {MEMORY_TOTAL} kB\n\
         Free memory: {MEMORY_FREE} kB\n\
         \n",
        clock::uptime(uptime)
    );
    let json = json!({
        "mfgName": "Arista",
        "modelName": model,
        "hardwareRevision": "11.00",
        "serialNumber": "SIM00000001",
        "systemMacAddress": &system,
        "hwMacAddress": &system,
        "configMacAddress": "00:00:00:00:00:00",
        "version": release,
        "architecture": "x86_64",
        "internalVersion": format!("{release}-00000001"),
        "internalBuildId": "00000000-0000-0000-0000-000000000001",
        "imageFormatVersion": "3.0",
        "imageOptimization": "None",
        "bootupTimestamp": clock::seconds(state.booted),
        "uptime": uptime.as_secs_f64(),
        "memTotal": MEMORY_TOTAL,
        "memFree": MEMORY_FREE,
        "isIntlVersion": false,
    });
    Shown { text, json: Some(json) }
}

pub(super) fn hostname(state: &State) -> Shown {
    let name = state.running.hostname();
    let json = json!({ "hostname": name, "fqdn": name });
    Shown { text: format!("Hostname: {name}\nFQDN:     {name}\n"), json: Some(json) }
}

pub(super) fn clock(state: &State) -> Shown {
    let now = state.clock.now();
    let text = format!("{}\nTimezone: UTC\nClock source: local\n", clock::long(now));
    let json = json!({
        "timezone": "UTC",
        "clockSource": { "local": true },
        "utcTime": clock::seconds(now),
    });
    Shown { text, json: Some(json) }
}

pub(super) fn privilege(privileged: bool) -> Shown {
    Shown::text(format!("Current privilege level is {}\n", if privileged { 15 } else { 1 }))
}

pub(super) fn users(state: &State, asker: Asker<'_>) -> Shown {
    let mut text = "    Line      User        Host(s)             Idle        Location\n".to_owned();
    for (at, who) in state.connections.values().enumerate() {
        let mark = if who == asker.who { '*' } else { ' ' };
        let (number, vty) = (at + 1, format!("vty {}", who.vty));
        let _ = writeln!(
            text,
            "{mark}{number:>3} {vty:<9} {:<11} {:<19} {:<11} {}",
            who.user, "idle", "00:00:00", who.from
        );
    }
    Shown::text(text)
}

pub(super) fn lldp_neighbors() -> Shown {
    let text = "Last table change time   : never\n\
                Number of table inserts  : 0\n\
                Number of table deletes  : 0\n\
                Number of table drops    : 0\n\
                Number of table age-outs : 0\n\
                \n\
                Port          Neighbor Device ID       Neighbor Port ID    TTL\n\
                ---------- ------------------------ ---------------------- ---\n\
                \n";
    let json = json!({
        "tablesLastChangeTime": 0.0,
        "tablesInserts": 0,
        "tablesDeletes": 0,
        "tablesDrops": 0,
        "tablesAgeOuts": 0,
        "lldpNeighbors": [],
    });
    Shown { text: text.to_owned(), json: Some(json) }
}

/// `001c.7300.0001`, of `00:1c:73:00:00:01`.
fn dots(mac: &str) -> String {
    let digits: Vec<char> = mac.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(".")
}

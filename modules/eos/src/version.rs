//! What the switch is, from `show version | json`.

use std::time::Duration;

use serde_json::Value;

use crate::mac;

/// A switch and the release that runs on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Release of EOS, such as `4.28.3M`; none where it is not told.
    pub release: Option<String>,
    /// The system's address, which is its id in LACP unless MLAG or `lacp system-id` gives it another one.
    pub system_id: Option<String>,
    /// How long it is up, as commit timers count.
    pub uptime: Option<Duration>,
}

impl Version {
    /// Reads the JSON. What is not there stays unknown.
    pub fn read(json: &Value) -> Self {
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        Self {
            release: text("version").map(str::to_owned),
            system_id: text("systemMacAddress").and_then(mac::parse),
            uptime: json
                .get("uptime")
                .and_then(Value::as_f64)
                .and_then(|time| Duration::try_from_secs_f64(time).ok()),
        }
    }
}

/// The first two numbers of the release in a line such as `! device: core (DCS-7050QX-32S, EOS-4.28.3M)`.
pub fn of_header(line: &str) -> Option<(u32, u32)> {
    let (_, release) = line.strip_prefix("! device: ")?.rsplit_once("EOS-")?;
    let mut numbers = release.split('.').map(|number| number.parse().ok());
    numbers.next().flatten().zip(numbers.next().flatten())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_told_stays_unknown() {
        let told = json!({"version": "4.31.2F-3 (engineering build)", "systemMacAddress": "00:1c:73:00:00:0A",
                          "uptime": 1.5, "memTotal": 3_982_820});
        let version = Version::read(&told);
        assert_eq!(version.release.as_deref(), Some("4.31.2F-3 (engineering build)"));
        assert_eq!(version.system_id.as_deref(), Some("00:1c:73:00:00:0a"));
        assert_eq!(version.uptime, Some(Duration::from_millis(1500)));
        for untold in [json!({}), json!([]), json!({"version": 4, "systemMacAddress": "", "uptime": -1.0})] {
            assert_eq!(Version::read(&untold), Version::default(), "{untold}");
        }
    }
}

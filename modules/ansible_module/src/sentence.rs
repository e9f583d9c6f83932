//! A change as one sentence for people, in the same words on every device.

use std::fmt;

/// What an object is told in: names and values, empty where there is none.
pub type Properties = Vec<(String, String)>;

/// `store: add|remove|change object (property: old → new, …)`; `None` is an object that does not exist.
pub fn tell(
    f: &mut fmt::Formatter<'_>,
    store: &str,
    object: &str,
    from: Option<Properties>,
    to: Option<Properties>,
) -> fmt::Result {
    let (verb, from, to) = match (from, to) {
        (None, Some(to)) => ("add", Properties::new(), to),
        (Some(_), None) => return write!(f, "{store}: remove {object}"),
        (from, to) => ("change", from.unwrap_or_default(), to.unwrap_or_default()),
    };
    let mut told: Vec<String> = Vec::new();
    for (name, new) in &to {
        let old =
            from.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()).unwrap_or_default();
        match (old.as_str(), new.as_str()) {
            (old, new) if old == new => {}
            ("", new) => told.push(format!("{name}: {new}")),
            (old, "") => told.push(format!("{name}: {old} → none")),
            (old, new) => told.push(format!("{name}: {old} → {new}")),
        }
    }
    for (name, old) in from.iter().filter(|(name, _)| !to.iter().any(|(other, _)| other == name)) {
        told.push(format!("{name}: {old} → none"));
    }
    write!(f, "{store}: {verb} {object}")?;
    if !told.is_empty() {
        write!(f, " ({})", told.join(", "))?;
    }
    Ok(())
}

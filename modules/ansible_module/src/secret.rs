//! Masks secrets in everything that leaves the process. What is a secret, `spec::no_log` tells.

use std::collections::BTreeSet;

use serde_json::Value;

/// Ansible's own text for a value that is a secret as a whole.
const WHOLE: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
/// Ansible's own text for a secret inside a longer value.
const PART: &str = "********";

/// The texts that must never be seen.
#[derive(Debug, Default, Clone)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Secrets from their texts; empty ones hide nothing. Each is also known as a message would quote it, with its
    /// quotes, backslashes and line ends written out.
    pub fn new(texts: BTreeSet<String>) -> Self {
        let quoted = |text: &str| {
            let quoted = format!("{text:?}");
            quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
        };
        let mut found: Vec<String> = Vec::new();
        for text in texts.into_iter().filter(|text| !text.is_empty()).flat_map(|text| [quoted(&text), text]) {
            // The longer first, or a secret that contains another would leave its rest readable.
            found.insert(found.partition_point(|known| known.len() >= text.len()), text);
        }
        Self(found)
    }

    /// `text` with every secret in it replaced.
    pub fn mask_text(&self, text: &str) -> String {
        if self.0.iter().any(|secret| secret == text) {
            return WHOLE.to_owned();
        }
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), PART))
    }

    /// `value` with every secret in its texts, numbers and keys replaced.
    #[must_use]
    pub fn mask(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.mask_text(&text)),
            Value::Number(number) if self.0.contains(&number.to_string()) => Value::String(WHOLE.to_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.mask(item)).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(key, value)| (self.mask_text(&key), self.mask(value))).collect()
            }
            plain => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let secrets = Secrets::new(["hunter2", "hunter2hunter", "4711", ""].map(str::to_owned).into());
        assert_eq!(
            secrets.mask(json!({"a": "hunter2", "b": ["x hunter2hunter y"], "c": 4711, "hunter2": 1, "d": "", "e": null})),
            json!({"a": WHOLE, "b": ["x ******** y"], "c": WHOLE, WHOLE: 1, "d": "", "e": null})
        );
    }

    #[test]
    fn a_secret_is_masked_in_a_quotation_too() {
        let text = "it's \"7\\\n\u{1b}";
        let secrets = Secrets::new([text.to_owned()].into());
        assert_eq!(
            secrets.mask_text(&format!("`x`: {:?} is wrong", format!("a {text}"))),
            "`x`: \"a ********\" is wrong"
        );
    }
}

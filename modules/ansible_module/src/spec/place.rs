//! Where in nested arguments something stands, in the words of Ansible's messages.

/// Where in the arguments a level stands.
#[derive(Default)]
pub(crate) struct Place {
    /// The options on the way to it.
    pub(crate) names: Vec<&'static str>,
    /// What stands before its options' names in a warning: `a.`, `a[0].b.`
    pub(crate) prefix: String,
}

impl Place {
    /// The place inside of an option here, or of its element at `index` (`[0]`).
    pub(crate) fn inside(&self, name: &'static str, index: &str) -> Self {
        let names = self.names.iter().copied().chain([name]).collect();
        Self { names, prefix: format!("{}{name}{index}.", self.prefix) }
    }

    /// The message, and where: ` found in a -> b`.
    pub(crate) fn found_in(&self, message: String) -> String {
        if self.names.is_empty() {
            message
        } else {
            format!("{message} found in {}", self.names.join(" -> "))
        }
    }

    /// Where, as messages about types say it: ` found in 'a -> b'`.
    pub(crate) fn quoted(&self) -> Option<String> {
        (!self.names.is_empty()).then(|| format!(" found in '{}'", self.names.join(" -> ")))
    }
}

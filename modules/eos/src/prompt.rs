//! What a prompt of EOS says: who asks, at which level, in which mode. When a line is believed to be one: `shell.rs`.

/// EOS shows this many characters of a session's name (EOS manual, "Configuration Sessions").
const SHOWN_OF_SESSION: usize = 6;
/// No prompt is longer. EOS allows a hostname of 64 characters, and the `prompt` command a little more around it.
const MAX_CHARACTERS: usize = 256;

/// A prompt, such as `core>`, `core#` or `core(config-s-bothen-if-Et7/1)#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What stands before the mode: the hostname, unless the `prompt` command says otherwise.
    pub base: String,
    /// What the user may do.
    pub level: Level,
    /// The configuration mode, where it is one.
    pub config: Option<ConfigMode>,
}

/// The two levels of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `>`: neither configuration nor reading it.
    Exec,
    /// `#`: after `enable`.
    Privileged,
}

/// Where in the configuration the next line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigMode {
    /// The first six characters of the session's name; none where lines take effect at once.
    ///
    /// A name of less than six characters cannot be told from what follows it.
    pub session: Option<String>,
    /// The sub-mode, such as `if-Et7/1`; empty at the top.
    pub context: String,
}

impl Prompt {
    /// Reads a whole line; one space at its end is tolerated.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.strip_suffix(' ').unwrap_or(line);
        let (level, (base, config)) = match line.strip_suffix('>') {
            Some(base) => (Level::Exec, (base, None)),
            None => (Level::Privileged, split(line.strip_suffix('#')?)),
        };
        let is_name = base.contains(char::is_alphanumeric)
            && !base.starts_with(char::is_whitespace)
            && !base.ends_with(['>', '#'])
            && !base.contains(char::is_control)
            && line.chars().count() <= MAX_CHARACTERS;
        is_name.then(|| Self { base: base.to_owned(), level, config })
    }

    /// Whether the next line goes into a session whose name begins as `name` does, at the top or in a sub-mode.
    pub fn is_in_session(&self, name: &str) -> bool {
        let shown: String = name.chars().take(SHOWN_OF_SESSION).collect();
        self.config.as_ref().is_some_and(|mode| mode.session.as_ref() == Some(&shown))
    }
}

/// Takes `(config…)` off the end. A hostname may hold brackets itself, as `vla-1x3(s1)` does.
fn split(body: &str) -> (&str, Option<ConfigMode>) {
    let mode = body.strip_suffix(')').and_then(|body| body.rsplit_once("(config"));
    match mode {
        Some((base, "")) => (base, Some(ConfigMode { session: None, context: String::new() })),
        Some((base, mode)) if mode.starts_with('-') => (base, Some(ConfigMode::parse(mode))),
        _ => (body, None),
    }
}

impl ConfigMode {
    /// Reads what follows `(config`, from its hyphen on.
    fn parse(mode: &str) -> Self {
        let Some(rest) = mode.strip_prefix("-s-") else {
            return Self { session: None, context: mode.trim_start_matches('-').to_owned() };
        };
        let (session, context) = match rest.char_indices().nth(SHOWN_OF_SESSION) {
            None => (rest, ""),
            Some((at, '-')) => (rest.get(..at).unwrap_or(rest), rest.get(at + 1..).unwrap_or("")),
            Some(_) => rest.split_once('-').unwrap_or((rest, "")),
        };
        Self { session: Some(session.to_owned()), context: context.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Level::{Exec, Privileged};
    use super::*;

    #[test]
    fn a_prompt_tells_who_asks_at_which_level_and_in_which_mode() {
        let table = [
            ("core>", "core", Exec, None),
            ("core#", "core", Privileged, None),
            ("core# ", "core", Privileged, None),
            ("core(config)#", "core", Privileged, Some((None, ""))),
            ("core(config-if-Et17-20)#", "core", Privileged, Some((None, "if-Et17-20"))),
            ("core(config-s-bothen)#", "core", Privileged, Some((Some("bothen"), ""))),
            ("core(config-s-bothen-if-Et7/1)#", "core", Privileged, Some((Some("bothen"), "if-Et7/1"))),
            ("core(config-s-sess-2-if-Po5)#", "core", Privileged, Some((Some("sess-2"), "if-Po5"))),
            ("core(config-s-bo-th-vlan-20)#", "core", Privileged, Some((Some("bo"), "th-vlan-20"))),
            ("core(config-s-ab)#", "core", Privileged, Some((Some("ab"), ""))),
            ("vla-1x3(s1)#", "vla-1x3(s1)", Privileged, None),
            ("vla-1x3(s1)(config-s-sess-1)#", "vla-1x3(s1)", Privileged, Some((Some("sess-1"), ""))),
            ("sw(vrf:mgmt)(config)#", "sw(vrf:mgmt)", Privileged, Some((None, ""))),
            ("a.b-c:d/e[f]@g_h>", "a.b-c:d/e[f]@g_h", Exec, None),
            ("core 10:01:55>", "core 10:01:55", Exec, None),
            ("Größe#", "Größe", Privileged, None),
            ("core(config)>", "core(config)", Exec, None),
            ("core(configuration)#", "core(configuration)", Privileged, None),
        ];
        for (line, base, level, mode) in table {
            let config = mode.map(|(session, context): (Option<&str>, &str)| ConfigMode {
                session: session.map(str::to_owned),
                context: context.to_owned(),
            });
            let prompt = Prompt { base: base.to_owned(), level, config };
            assert_eq!(Prompt::parse(line), Some(prompt), "{line}");
        }
    }

    #[test]
    fn what_is_no_prompt_is_not_taken_for_one() {
        let long = format!("{}#", "x".repeat(MAX_CHARACTERS));
        for line in [
            "",
            "#",
            ">",
            "###",
            "core",
            "core$",
            " core#",
            "   description #",
            "core##",
            "core#  ",
            "[###>",
            &long,
        ] {
            assert_eq!(Prompt::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_session_is_known_by_six_characters() {
        let is_in = |line: &str| Prompt::parse(line).unwrap().is_in_session("bothends-1001-7f3a");
        assert!(is_in("core(config-s-bothen)#"));
        assert!(is_in("core(config-s-bothen-if-Po1001)#"));
        assert!(!is_in("core(config-s-ansibl)#"));
        assert!(!is_in("core(config)#"));
        assert!(!is_in("core#"));
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line in "\\PC*", ending in "[>#)( a-]{0,8}") {
            let _ = Prompt::parse(&line);
            let _ = Prompt::parse(&format!("{line}(config-s-{line}{ending}"));
        }
    }
}

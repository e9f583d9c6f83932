//! Which switch is played, and what its release does differently.

/// A model and a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Such as `DCS-7050QX-32S`.
    pub model: String,
    /// Such as `4.28.3M`.
    pub release: String,
}

impl Default for Platform {
    fn default() -> Self {
        Self { model: "DCS-7050QX-32S".to_owned(), release: "4.28.3M".to_owned() }
    }
}

impl Platform {
    /// Reads the line `! device: core (DCS-7050QX-32S, EOS-4.28.3M)` of a configuration.
    pub fn parse(config: &str) -> Self {
        let device = config.lines().find_map(|line| line.strip_prefix("! device: "));
        let parts = device.and_then(|device| device.split_once('(')?.1.split_once(", EOS-"));
        parts.map_or_else(Self::default, |(model, release)| Self {
            model: model.to_owned(),
            release: release.trim_end().trim_end_matches(')').to_owned(),
        })
    }

    /// Errors name the token that is wrong. The first release that does is not documented; 4.20 does not.
    pub fn names_token(&self) -> bool {
        self.is_since(4, 25)
    }

    /// `lacp rate` is printed for `lacp timer`: 4.19.1F does, 4.22.3M does not.
    pub fn prints_lacp_rate(&self) -> bool {
        !self.is_since(4, 22)
    }

    /// The highest number of a Port-Channel.
    pub fn last_channel(&self) -> u32 {
        if self.is_since(4, 22) { 999_999 } else { 2000 }
    }

    /// A commit timer is told beside the sessions, and its session is `committed`.
    pub fn lists_timer_apart(&self) -> bool {
        self.is_since(4, 32)
    }

    /// `show port-channel detailed` tells of each member whether it receives and sends.
    pub fn tells_member_states(&self) -> bool {
        self.is_since(4, 30)
    }

    /// Which supervisor answers: prompts of modular chassis tell it behind the name.
    pub fn supervisor(&self) -> &'static str {
        let is_modular = ["DCS-73", "DCS-75", "DCS-78"].iter().any(|series| self.model.starts_with(series));
        if is_modular { "(s1)" } else { "" }
    }

    fn is_since(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.release.split('.').map(|part| part.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_release_are_those_of_the_configuration() {
        let platform =
            Platform::parse("! Command: show running-config\n! device: a (vEOS, EOS-4.19.1F)\n!\n");
        assert_eq!((platform.model.as_str(), platform.release.as_str()), ("vEOS", "4.19.1F"));
        assert!(platform.prints_lacp_rate() && !platform.names_token());
        assert_eq!(Platform::parse("hostname a\n"), Platform::default());
        let newest =
            Platform::parse("! device: a (cEOSLab, EOS-4.35.1F-37265360.4351F (engineering build))\n");
        assert!(newest.lists_timer_apart(), "{newest:?}");
    }
}

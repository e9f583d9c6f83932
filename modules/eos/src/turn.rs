//! Whose turn it is to commit, among runs that know of each other only by what the switch shows of their sessions: those
//! of other control nodes, and those that call the switch by another name. How long is waited: `switch.rs`.
//!
//! A commit overwrites whatever was committed since its session was opened, and EOS has no lock that would let others go
//! on reading. So a run opens its session first and looks for those of others then: of two that are about to commit, at
//! least one sees the other. Of two that see each other, the one whose session's name comes first waits for the other to
//! give way, and reads the running-config after that.

use ansible_module::fault::Fault;

use crate::claim;
use crate::sessions::Sessions;

/// What a run may do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Nobody else is about to commit.
    Ours,
    /// Somebody is, in this session, and gives way.
    TheyGiveWay(String),
    /// Somebody is, or has just done so, in this session: all is to be planned anew when that is over.
    Theirs(String),
}

impl Turn {
    /// Whose turn it is by what the switch shows, for a run whose session is `own`, or which has none yet.
    pub fn of(sessions: &Sessions, own: Option<&str>) -> Self {
        if let Some(timer) = &sessions.timer {
            return Self::Theirs(timer.session.clone());
        }
        let mut others = sessions.occupied().filter(|name| claim::is_of_a_change(name));
        match others.clone().filter(|name| own.is_none_or(|own| *name < own)).min() {
            Some(first) => Self::Theirs(first.to_owned()),
            None => others
                .find(|name| own != Some(name))
                .map_or(Self::Ours, |name| Self::TheyGiveWay(name.to_owned())),
        }
    }
}

/// That another run did not come to its end.
pub fn is_taken(session: &str) -> Fault {
    Fault::new(
        "another_run",
        format!(
            "preparing the change: another run is at work on the switch, in session {session}; hint: wait longer, with \
             `lock_timeout`; where that run is long gone, `configure session {session} abort` on the switch"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Timer;

    fn sessions(occupied: &[&str], timer: Option<&str>) -> Sessions {
        let names: Vec<String> = occupied.iter().map(|&name| name.to_owned()).collect();
        let timer = timer.map(|session| Timer { session: session.to_owned(), expiry: None });
        let users = names.iter().map(|name| (name.clone(), vec!["netops".to_owned()])).collect();
        Sessions { pending: names, users, timer }
    }

    #[test]
    fn of_two_that_see_each_other_one_gives_way() {
        let (first, second) = ("bothends-aaaa-1", "bothends-bbbb-1");
        let both = sessions(&[second, first], None);
        assert_eq!(Turn::of(&both, Some(first)), Turn::TheyGiveWay(second.to_owned()));
        assert_eq!(Turn::of(&both, Some(second)), Turn::Theirs(first.to_owned()));
        assert_eq!(Turn::of(&both, None), Turn::Theirs(first.to_owned()));
        assert_eq!(Turn::of(&sessions(&[first], None), Some(first)), Turn::Ours);
    }

    #[test]
    fn a_change_that_waits_to_be_confirmed_comes_before_everything() {
        let found = sessions(&["bothends-aaaa-1"], Some("night"));
        assert_eq!(Turn::of(&found, Some("bothends-aaaa-1")), Turn::Theirs("night".to_owned()));
    }

    #[test]
    fn who_does_not_commit_or_is_none_of_us_or_is_gone_keeps_nobody_waiting() {
        let found = sessions(&["bothends-aaaa-1-check", "ansible_1", "night"], None);
        for own in [None, Some("bothends-bbbb-1")] {
            assert_eq!(Turn::of(&found, own), Turn::Ours);
        }
        let left =
            Sessions { users: std::collections::BTreeMap::new(), ..sessions(&["bothends-aaaa-1"], None) };
        assert_eq!(Turn::of(&left, None), Turn::Ours);
    }
}

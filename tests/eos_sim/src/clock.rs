//! The switch's clock, and times as EOS prints them. The switch is in UTC.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

struct Date {
    year: u64,
    month: u64,
    day: u64,
    weekday: u64,
    second: u64,
}

/// What everything in the switch that waits for a time goes by. It runs evenly, whatever becomes of the machine's own
/// time of day, and can be moved forward.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    set: SystemTime,
    /// None where it stands still.
    running_since: Option<Instant>,
    ahead: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self { set: SystemTime::now(), running_since: Some(Instant::now()), ahead: Duration::ZERO }
    }
}

impl Clock {
    /// What it shows.
    pub fn now(&self) -> SystemTime {
        let ran = self.running_since.map(|since| since.elapsed()).unwrap_or_default();
        let passed = ran.saturating_add(self.ahead);
        self.set.checked_add(passed).unwrap_or(self.set)
    }

    /// Has it stand still from now on, but for [`Clock::advance`].
    pub fn stop(&mut self) {
        let ran = self.running_since.take().map(|since| since.elapsed());
        self.advance(ran.unwrap_or_default());
    }

    /// Moves it forward.
    pub fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }
}

/// What has passed from one time to another; nothing where it is still to come.
pub fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `2026-01-31 10:00:00`.
pub fn stamp(time: SystemTime) -> String {
    let date = date(time);
    format!("{}-{:02}-{:02} {}", date.year, date.month, date.day, of_day(date.second))
}

/// `Sat Jan 31 10:00:00 2026`.
pub fn long(time: SystemTime) -> String {
    let date = date(time);
    let pick = |names: &[&'static str], at: u64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    let (weekday, month) = (pick(&WEEKDAYS, date.weekday), pick(&MONTHS, date.month - 1));
    format!("{weekday} {month} {:2} {} {}", date.day, of_day(date.second), date.year)
}

/// `10:00:00`.
pub fn time_of_day(time: SystemTime) -> String {
    of_day(date(time).second)
}

/// `1 hour, 2 minutes, 3 seconds`, as of interfaces.
pub fn span(duration: Duration) -> String {
    let mut parts = units(duration, &[("day", 86400), ("hour", 3600), ("minute", 60)]);
    parts.push(count(duration.as_secs() % 60, "second"));
    parts.join(", ")
}

/// `1 week, 2 hours and 3 minutes`, as of the switch.
pub fn uptime(duration: Duration) -> String {
    let parts = units(duration, &[("week", 604_800), ("day", 86400), ("hour", 3600)]);
    let minutes = count(duration.as_secs() % 3600 / 60, "minute");
    if parts.is_empty() { minutes } else { format!("{} and {minutes}", parts.join(", ")) }
}

/// `0:01:59`.
pub fn left(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn units(duration: Duration, units: &[(&str, u64)]) -> Vec<String> {
    let mut rest = duration.as_secs();
    let mut parts = Vec::new();
    for (unit, length) in units {
        if rest >= *length {
            parts.push(count(rest / length, unit));
        }
        rest %= length;
    }
    parts
}

fn count(number: u64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn of_day(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

fn date(time: SystemTime) -> Date {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (mut days, second) = (seconds / 86400, seconds % 86400);
    let weekday = days % 7;
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    Date { year, month, day: days + 1, weekday, second }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(stamp(at(951_782_399)), "2000-02-28 23:59:59");
        assert_eq!(stamp(at(951_782_400)), "2000-02-29 00:00:00");
        assert_eq!(long(at(1_767_225_600)), "Thu Jan  1 00:00:00 2026");
        assert_eq!(stamp(at(1_798_761_599)), "2026-12-31 23:59:59");
    }

    #[test]
    fn spans_are_told_in_words() {
        assert_eq!(span(Duration::from_secs(3723)), "1 hour, 2 minutes, 3 seconds");
        assert_eq!(span(Duration::from_secs(1)), "1 second");
        assert_eq!(uptime(Duration::from_secs(4560)), "1 hour and 16 minutes");
        assert_eq!(left(Duration::from_secs(119)), "0:01:59");
    }
}

//! Hours of the day by the clock on the wall: when a room is dark, when a screen is off. Pure: who asks says what that clock shows.

use jiff::civil::{DateTime, Weekday};

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// The days of a week, from Monday, as settings call them.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A stretch of each day, or of some days of the week. One that ends before it begins goes on past midnight, and is its first day's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: u32,
    to: u32,
    /// For each day from Monday, whether it begins then.
    days: [bool; 7],
}

impl Hours {
    /// From and to in minutes after midnight; days from Monday. None if it would be no stretch: no day, no time of day, or no end.
    #[must_use]
    pub fn new(from: u32, to: u32, days: [bool; 7]) -> Option<Self> {
        (from < DAY && to < DAY && from != to && days.contains(&true)).then_some(Self { from, to, days })
    }

    /// The same of `HH:MM` and of days as [`WEEKDAYS`] has them; without a day, every day.
    ///
    /// # Errors
    /// What is wrong, in a few words.
    pub fn read(from: &str, to: &str, days: &[String]) -> Result<Self, String> {
        let minutes = |text: &str| {
            crate::config::minutes_of_day(text)
                .ok_or_else(|| format!("{text:?} is no time of day from \"00:00\" to \"23:59\""))
        };
        let (from, to) = (minutes(from)?, minutes(to)?);
        let mut begins = [days.is_empty(); 7];
        for day in days {
            let at = WEEKDAYS.iter().position(|own| own == day);
            let place = at.and_then(|at| begins.get_mut(at));
            *place.ok_or_else(|| format!("{day:?} is no day: one of {}", WEEKDAYS.join(", ")))? = true;
        }
        Self::new(from, to, begins).ok_or_else(|| "it ends when it begins: two times of day that differ".to_owned())
    }

    /// Whether the clock shows a time within.
    #[must_use]
    pub fn contains(&self, shown: DateTime) -> bool {
        let minute = u32::from(shown.hour().unsigned_abs()) * 60 + u32::from(shown.minute().unsigned_abs());
        let begins = |day: Weekday| {
            self.days.get(usize::from(day.to_monday_zero_offset().unsigned_abs())).copied().unwrap_or_default()
        };
        let today = shown.weekday();
        if self.from < self.to {
            return (self.from..self.to).contains(&minute) && begins(today);
        }
        (minute >= self.from && begins(today)) || (minute < self.to && begins(today.previous()))
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, "{} to {}", clock(self.from), clock(self.to))?;
        if self.days.contains(&false) {
            let days = WEEKDAYS.iter().zip(self.days).filter(|(_, is)| *is).map(|(name, _)| *name);
            write!(f, " on {}", days.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};

    use super::*;

    fn hours(from: &str, to: &str, days: &[&str]) -> Result<Hours, String> {
        Hours::read(from, to, &days.iter().map(|day| (*day).to_owned()).collect::<Vec<_>>())
    }

    /// Held against a reference that walks through the week by minutes from each beginning.
    #[test]
    fn every_minute_of_a_week_is_within_or_not() {
        // A Monday.
        let monday = date(2026, 11, 30).at(0, 0, 0, 0);
        for (from, to, days) in [
            ("21:00", "06:00", &[][..]),
            ("21:00", "06:00", &["fri", "sun"]),
            ("08:30", "17:00", &["mon", "sat"]),
            ("00:00", "23:59", &["wed"]),
            ("23:59", "00:00", &["sun"]),
            ("12:00", "11:59", &[]),
        ] {
            let own = hours(from, to, days).expect("hours");
            let mut within = vec![false; 7 * DAY as usize];
            for (at, day) in WEEKDAYS.iter().enumerate() {
                if days.is_empty() || days.contains(day) {
                    let length = (own.to + DAY - own.from) % DAY;
                    for minute in 0..length {
                        let at = (at * DAY as usize + (own.from + minute) as usize) % within.len();
                        within[at] = true;
                    }
                }
            }
            for (minute, is) in within.iter().enumerate() {
                let minute = i64::try_from(minute).expect("small");
                for second in [0, 59] {
                    let shown = monday + minute.minutes() + i64::from(second).seconds();
                    assert_eq!(own.contains(shown), *is, "{own} at {shown}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_stretch_is_refused() {
        let wrong = |from, to, days: &[&str]| hours(from, to, days).expect_err("no hours");
        assert!(wrong("21:00", "21:00", &[]).contains("ends when it begins"));
        assert!(wrong("24:00", "06:00", &[]).contains("\"24:00\""));
        assert!(wrong("21:00", "6:00", &[]).contains("\"6:00\""));
        assert!(wrong("21:00", "06:00", &["friday"]).contains("mon, tue"));
        assert_eq!(Hours::new(0, 60, [false; 7]), None);
        assert_eq!(Hours::new(DAY, 60, [true; 7]), None);
        let told = hours("21:00", "06:00", &["fri", "mon"]).map(|own| own.to_string());
        assert_eq!(told.as_deref(), Ok("21:00 to 06:00 on mon, fri"));
    }
}

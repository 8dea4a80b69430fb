//! Days of a zone, from one reset to the next.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};

use super::Ms;

/// From a reset (included) to the next (excluded).
pub(crate) type Period = (Ms, Ms);

/// All time: the period of what is never reset.
pub(crate) const ALWAYS: Period = (Ms::MIN, Ms::MAX);
/// Before all time.
pub(crate) const NEVER: Period = (Ms::MIN, Ms::MIN);

/// Where zones have days: the years -9999 to 9999, but for some days at each end. Our instants reach further.
const CALENDAR_MS: (Ms, Ms) = (-377_704_000_000_000, 253_401_000_000_000);

/// Finds the day of an instant. Days have 23 or 25 hours where clocks are changed; a reset at a time that the day
/// skips comes when the clocks jump over it, and at a time that the day has twice at the first.
#[derive(Clone, Debug)]
pub(crate) struct Days {
    zone: TimeZone,
    at: civil::Time,
    /// The period asked for last: nearly always the next one asked for.
    last: Option<Period>,
}

impl Days {
    /// Resets at `minutes` after midnight in `zone`, an IANA name; UTC if there is none of this name.
    pub(crate) fn new(zone: &str, minutes: u32) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let part = |value: u32| i8::try_from(value).unwrap_or(0);
        let at = civil::Time::new(part(minutes / 60), part(minutes % 60), 0, 0).unwrap_or_default();
        Self { zone, at, last: None }
    }

    /// The period in which `at` lies.
    pub(crate) fn period(&mut self, at: Ms) -> Period {
        if let Some(last) = self.last.filter(|last| is_in(*last, at)) {
            return last;
        }
        let period = self.day(at);
        self.last = Some(period);
        period
    }

    /// Beyond the calendar there is one endless day at each side.
    fn day(&self, at: Ms) -> Period {
        let edge = at.clamp(CALENDAR_MS.0, CALENDAR_MS.1);
        match self.find(edge) {
            Some(day) if is_in(day, at) => day,
            Some((_, end)) if at >= end => (end, Ms::MAX),
            Some((start, _)) => (Ms::MIN, start),
            None => ALWAYS,
        }
    }

    fn find(&self, at: Ms) -> Option<Period> {
        let day = self.zone.to_datetime(Timestamp::from_millisecond(at).ok()?).date();
        let mut days = [-1, 0, 1, 2].into_iter().filter_map(|by| self.reset_of(day.checked_add(by.days()).ok()?));
        let mut start = days.next()?;
        for end in days {
            if is_in((start, end), at) {
                return Some((start, end));
            }
            start = end;
        }
        None
    }

    fn reset_of(&self, day: civil::Date) -> Option<Ms> {
        // A time that a day skips or has twice is read as RFC 5545 wants it: after the jump, and the first.
        Some(self.zone.to_timestamp(day.to_datetime(self.at)).ok()?.as_millisecond())
    }
}

/// Whether `at` lies in `period`.
pub(crate) const fn is_in(period: Period, at: Ms) -> bool {
    period.0 <= at && at < period.1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::TIME_MS_MAX, *};

    fn ms(text: &str) -> Ms {
        text.parse::<Timestamp>().expect("an instant").as_millisecond()
    }

    /// The daily reset is by the zone's clock, on days of 23 and 25 hours as well.
    #[test]
    fn days_follow_the_zone() {
        let check = |zone: &str, minutes: u32, at: &str, start: &str, end: &str| {
            assert_eq!(Days::new(zone, minutes).period(ms(at)), (ms(start), ms(end)), "{zone} {at}");
        };
        let york = "America/New_York";
        check(york, 0, "2013-02-08T15:00:00Z", "2013-02-08T05:00:00Z", "2013-02-09T05:00:00Z");
        check(york, 0, "2013-02-08T05:00:00Z", "2013-02-08T05:00:00Z", "2013-02-09T05:00:00Z");
        check(york, 0, "2013-02-08T04:59:59.999Z", "2013-02-07T05:00:00Z", "2013-02-08T05:00:00Z");
        check(york, 0, "2013-03-10T12:00:00Z", "2013-03-10T05:00:00Z", "2013-03-11T04:00:00Z");
        check(york, 0, "2013-11-03T12:00:00Z", "2013-11-03T04:00:00Z", "2013-11-04T05:00:00Z");
        // 02:30 does not exist on the day on which the clocks go forward, and 01:30 comes twice when they go back.
        check(york, 150, "2013-03-10T12:00:00Z", "2013-03-10T07:30:00Z", "2013-03-11T06:30:00Z");
        check(york, 90, "2013-11-03T06:00:00Z", "2013-11-03T05:30:00Z", "2013-11-04T06:30:00Z");
        check("No/Where", 60, "2013-02-08T00:30:00Z", "2013-02-07T01:00:00Z", "2013-02-08T01:00:00Z");
    }

    /// An instant beyond the calendar has a day of its own, and takes nothing from the others.
    #[test]
    fn far_instants_have_a_day_of_their_own() {
        let now = ms("2013-02-08T15:00:00Z");
        for far in [TIME_MS_MAX, -TIME_MS_MAX, CALENDAR_MS.0, CALENDAR_MS.1] {
            let mut days = Days::new("America/New_York", 0);
            let period = days.period(far);
            assert!(is_in(period, far) && !is_in(period, now), "{far}: {period:?}");
            assert_eq!(days.period(now), (ms("2013-02-08T05:00:00Z"), ms("2013-02-09T05:00:00Z")), "{far}");
            // Its neighbours touch it.
            let (inner, end) = if far < 0 { (period.1, true) } else { (period.0 - 1, false) };
            let next = days.period(inner);
            assert_eq!(if end { next.0 } else { next.1 }, if end { period.1 } else { period.0 }, "{far}");
        }
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn every_instant_has_its_day(at in -TIME_MS_MAX..=TIME_MS_MAX, minutes in 0..1440_u32) {
            let mut days = Days::new("Europe/Berlin", minutes);
            let period = days.period(at);
            prop_assert!(is_in(period, at));
            prop_assert_eq!(days.period(period.0), period);
        }
    }
}

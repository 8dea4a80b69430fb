//! What may stand as a value, where it speaks of the clock on the wall: an instant in the board's zone, a time of day.

use jiff::civil;
use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    shape::text_of,
    shape_event::minutes_of_day,
    table::{Node, Shape, bad_value},
};

const INSTANT_PATTERN: &str = "2[01][0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?";
const TIME_PATTERN: &str = "([01][0-9]|2[0-3]):[0-5][0-9]";

/// A date with a time of day, of the years 2000 to 2199.
pub(super) struct CivilText;

const CIVIL_EXPECTED: &str = "a date and a time such as `2026-12-24T18:00`, of the years 2000 to 2199";

impl Shape for CivilText {
    type Value = civil::DateTime;

    fn expected(&self) -> String {
        CIVIL_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "date and time, `2026-12-24T18:00`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": format!("^{INSTANT_PATTERN}$"), "examples": ["2026-12-24T18:00"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<civil::DateTime> {
        let when = civil(text_of(node, CIVIL_EXPECTED, sink)?);
        if when.is_none() {
            bad_value(node, "no date with a time", CIVIL_EXPECTED, None, sink);
        }
        when
    }
}

/// A time of day, read to minutes after midnight.
pub(super) struct TimeText;

const TIME_EXPECTED: &str = "a time of day from `00:00` to `23:59`";

impl Shape for TimeText {
    type Value = u32;

    fn expected(&self) -> String {
        TIME_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "time of day, `06:00`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": format!("^{TIME_PATTERN}$"), "examples": ["06:00"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<u32> {
        let minutes = minutes_of_day(text_of(node, TIME_EXPECTED, sink)?);
        if minutes.is_none() {
            bad_value(node, "no time of day", TIME_EXPECTED, None, sink);
        }
        minutes
    }
}

/// Where a stretch of time begins: at an instant, or each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    At(civil::DateTime),
    Daily(u32),
}

/// One or the other.
pub(super) struct StartText;

const START_EXPECTED: &str = "a date and a time such as `2026-12-01T00:00`, or a time of day such as `22:00`";

impl Shape for StartText {
    type Value = Start;

    fn expected(&self) -> String {
        START_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "date and time, or time of day".to_owned()
    }

    fn schema(&self) -> Value {
        let pattern = format!("^({INSTANT_PATTERN}|{TIME_PATTERN})$");
        json!({"type": "string", "pattern": pattern, "examples": ["2026-12-01T00:00", "22:00"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Start> {
        let text = text_of(node, START_EXPECTED, sink)?;
        let start = civil(text).map(Start::At).or_else(|| minutes_of_day(text).map(Start::Daily));
        if start.is_none() {
            bad_value(node, "no beginning", START_EXPECTED, None, sink);
        }
        start
    }
}

/// `YYYY-MM-DDTHH:MM`, perhaps with seconds, and nothing besides: an offset would be another zone than the board's.
fn civil(text: &str) -> Option<civil::DateTime> {
    let is_plain = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let when: civil::DateTime = text.parse().ok().filter(|_| is_plain && matches!(text.len(), 16 | 19))?;
    // A leap second is a time that no clock of a wall shows.
    (!text.ends_with(":60") && (2000..2200).contains(&when.year())).then_some(when)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_times_and_nothing_else() {
        for text in ["2026-12-24T18:00", "2000-01-01T00:00", "2199-12-31T23:59:59", "2028-02-29T06:30"] {
            let shown = civil(text).map(|when| when.to_string()).unwrap_or_default();
            assert!(shown.starts_with(text), "{text}: {shown}");
        }
        for text in [
            "",
            "2026-12-24",
            "18:00",
            "2026-12-24 18:00",
            "2026-12-24t18:00",
            "2026-12-24T18",
            "2026-12-24T18:00Z",
            "2026-12-24T18:00+01",
            "2026-12-24T24:00",
            "2026-12-24T18:60",
            "2026-12-24T18:00:60",
            "2026-02-29T18:00",
            "2026-13-01T18:00",
            "1999-12-31T18:00",
            "2200-01-01T00:00",
            "+026-12-24T18:00",
            "２026-12-24T18:00",
        ] {
            assert_eq!(civil(text), None, "{text}");
        }
    }
}

//! How long it is to an instant, or since one.

use std::{ops::Range, time::Duration};

use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

use super::FurnitureShape;
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        keys::{MONTH, SECOND, span},
        shape::Choice,
        shape_event::Span,
        shape_time::{CivilText, Start, StartText, TimeText},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{After, FurnitureLook, Until},
};

pub(super) static KIND: FurnitureShape = FurnitureShape {
    name: "countdown",
    about: "How long it is to an instant, or since one.",
    table: TableShape { name: "kind `countdown`", keys: &[&TO, &DAILY, &FROM, &AFTER, &WARNING_AT, &ALARM_AT] },
    is_headed: true,
    wish: (3, 2),
    read,
};

static TO: Key<CivilText> = Key {
    name: "to",
    need: Need::Optional,
    about: "The instant, by the clocks of the board's zone. Of a time that they show twice, the first.",
    shape: CivilText,
};

static DAILY: Key<TimeText> = Key {
    name: "daily",
    need: Need::Optional,
    about: "In place of `to`: this time of every day, by the same clocks. Once it has come, the next one is counted to.",
    shape: TimeText,
};

static FROM: Key<StartText> = Key {
    name: "from",
    need: Need::Optional,
    about: "Where the way there begins, of which a bar then shows how much is over: an instant with `to`, a time of day with `daily`.",
    shape: StartText,
};

static AFTER: Key<Choice<After>> = Key {
    name: "after",
    need: Need::Default("\"stay\""),
    about: "What is shown once `to` has passed: how long ago that was (`up`), nothing left (`stay`), or nothing at all (`hide`).",
    shape: Choice {
        options: &[
            ("up", After::Up, "how long ago that was"),
            ("stay", After::Stay, "nothing left"),
            ("hide", After::Hide, "nothing at all"),
        ],
    },
};

static WARNING_AT: Key<Span> =
    span("warning-at", Need::Optional, SECOND, MONTH, "With so much left, or less, it is a warning.");

static ALARM_AT: Key<Span> =
    span("alarm-at", Need::Optional, SECOND, MONTH, "With so much left, or less, it is an alarm.");

fn read(reader: &TableReader<'_>, timezone: Option<&str>, sink: &mut Sink<'_>) -> Option<FurnitureLook> {
    let to = reader.get(&TO, sink);
    let daily = reader.get(&DAILY, sink);
    let from = reader.optional(&FROM, sink);
    let after = reader.get(&AFTER, sink);
    let warning = reader.optional(&WARNING_AT, sink);
    let alarm = reader.optional(&ALARM_AT, sink);
    let until = match (reader.has("to"), reader.has("daily")) {
        (true, true) => {
            let message = "`to` and `daily` in one countdown".to_owned();
            report(reader.key_span("daily"), message, "both".to_owned(), "one of them", sink);
            None
        }
        (false, false) => {
            reader.missing("to", "`to` or `daily`", None, sink);
            None
        }
        (true, false) => to.and_then(|to| once(reader, to, from?, after?, timezone?, sink)),
        (false, true) => daily.and_then(|minutes| each_day(reader, minutes, from?, sink)),
    };
    let (warning_ms, alarm_ms) = (warning?.map(millis), alarm?.map(millis));
    if let (Some(warning), Some(alarm)) = (warning_ms, alarm_ms)
        && alarm >= warning
    {
        let found = "one that comes no later than the warning".to_owned();
        let message = "`alarm-at` is not below `warning-at`".to_owned();
        report(reader.span_of("alarm-at"), message, found, "less time left than at the warning", sink);
        return None;
    }
    Some(FurnitureLook::Countdown { until: until?, warning_ms, alarm_ms })
}

fn once(
    reader: &TableReader<'_>,
    to: civil::DateTime,
    from: Option<Start>,
    after: After,
    timezone: &str,
    sink: &mut Sink<'_>,
) -> Option<Until> {
    let zone = TimeZoneDatabase::bundled().get(timezone).ok()?;
    let to_ms = instant(&zone, to, reader.span_of("to"), sink)?;
    let from_ms = match from {
        None => None,
        Some(Start::At(from)) => Some(instant(&zone, from, reader.span_of("from"), sink)?),
        Some(Start::Daily(_)) => {
            let message = "a time of day for `from` of a countdown to an instant".to_owned();
            let found = "a time of day".to_owned();
            report(reader.span_of("from"), message, found, "a date and a time, as in `to`", sink);
            return None;
        }
    };
    if from_ms.is_some_and(|from_ms| from_ms >= to_ms) {
        let message = "`from` is not before `to`".to_owned();
        report(reader.span_of("from"), message, "a later one".to_owned(), "an instant before `to`", sink);
        return None;
    }
    Some(Until::Once { to_ms, from_ms, after })
}

fn each_day(reader: &TableReader<'_>, minutes: u32, from: Option<Start>, sink: &mut Sink<'_>) -> Option<Until> {
    if reader.has("after") {
        let message = "`after` has no use with `daily`".to_owned();
        report(
            reader.key_span("after"),
            message,
            "`after`".to_owned(),
            "it left out: the next day's is counted to",
            sink,
        );
        return None;
    }
    let from_minutes = match from {
        None => None,
        Some(Start::Daily(from)) if from == minutes => {
            let message = "`from` is the time of `daily`".to_owned();
            report(reader.span_of("from"), message, "the same".to_owned(), "another time of day", sink);
            return None;
        }
        Some(Start::Daily(from)) => Some(from),
        Some(Start::At(_)) => {
            let message = "a date for `from` of a countdown to a time of day".to_owned();
            let found = "a date and a time".to_owned();
            report(reader.span_of("from"), message, found, "a time of day, as in `daily`", sink);
            return None;
        }
    };
    Some(Until::Daily { minutes, from_minutes })
}

/// The instant at which the zone's clocks show it; a time that they skip is none.
fn instant(zone: &TimeZone, when: civil::DateTime, span: Range<usize>, sink: &mut Sink<'_>) -> Option<i64> {
    let ambiguous = zone.to_ambiguous_timestamp(when);
    if let AmbiguousOffset::Gap { .. } = ambiguous.offset() {
        let message = format!("a time that the clocks skip in {}", zone.iana_name().unwrap_or("this zone"));
        report(
            span,
            message,
            format!("{when}"),
            "a time that they show: the hour is that of a change of summer time",
            sink,
        );
        return None;
    }
    ambiguous.compatible().ok().map(Timestamp::as_millisecond)
}

fn report(span: Range<usize>, message: String, found: String, expected: &str, sink: &mut Sink<'_>) {
    sink.report(Problem { span, message, found, expected: expected.to_owned(), help: None });
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

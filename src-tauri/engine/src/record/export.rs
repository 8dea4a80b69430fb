//! The record of alarms as text: CSV by RFC 4180, or a JSON object a line (<https://jsonlines.org>).
//!
//! A cell that a spreadsheet would take for a formula begins with an apostrophe, as OWASP advises against CSV injection: what sources and
//! people say is data, also in who opens it (H8).

use std::io::{self, Write};

use watchfloor_board::alarm::{AlarmEntry, priority_word, state_word};

/// In which form it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line of names, then a line an entry, with times as `2026-11-24T10:15:00.000Z`.
    Csv,
    /// A JSON object a line, with times in milliseconds since the Unix epoch.
    JsonLines,
}

/// The columns, in their order.
pub(super) const COLUMNS: [&str; 24] = [
    "number",
    "decided",
    "rule",
    "of",
    "priority",
    "what",
    "from",
    "to",
    "calls",
    "occurrence",
    "realarms",
    "event",
    "received",
    "announced",
    "announced_by",
    "repeated",
    "seen",
    "acknowledged",
    "by",
    "station",
    "words",
    "until",
    "refused",
    "cause",
];

/// What stands above all entries.
pub(super) fn begin(form: Form, out: &mut impl Write) -> io::Result<()> {
    match form {
        Form::Csv => write!(out, "{}\r\n", COLUMNS.join(",")),
        Form::JsonLines => Ok(()),
    }
}

/// An entry.
pub(super) fn line(form: Form, entry: &AlarmEntry, out: &mut impl Write) -> io::Result<()> {
    match form {
        Form::JsonLines => {
            serde_json::to_writer(&mut *out, entry)?;
            out.write_all(b"\n")
        }
        Form::Csv => write!(out, "{}\r\n", row(entry).map(|cell| quoted(&cell)).join(",")),
    }
}

fn row(entry: &AlarmEntry) -> [String; 24] {
    let text = |text: &Option<String>| safe(text.as_deref().unwrap_or_default());
    let time = |at: Option<i64>| at.map(time).unwrap_or_default();
    let word = |is: bool| if is { "true" } else { "false" }.to_owned();
    let cause: Vec<String> = entry.cause.iter().map(|cause| format!("{}={}", cause.name, cause.value)).collect();
    [
        entry.number.to_string(),
        time(Some(entry.decided_ms)),
        safe(&entry.rule),
        safe(&entry.of),
        priority_word(entry.priority).to_owned(),
        entry.what.word().to_owned(),
        state_word(entry.from).to_owned(),
        state_word(entry.to).to_owned(),
        word(entry.calls),
        entry.occurrence.to_string(),
        entry.realarms.to_string(),
        time(entry.event_ms),
        time(entry.received_ms),
        time(entry.announced_ms),
        text(&entry.announced_by),
        word(entry.repeated),
        time(entry.seen_ms),
        time(entry.acknowledged_ms),
        text(&entry.by),
        text(&entry.station),
        text(&entry.words),
        time(entry.until_ms),
        text(&entry.refused),
        safe(&cause.join("; ")),
    ]
}

/// An instant as text; one beyond the calendar as the number that it is.
pub(super) fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A text that nobody takes for a formula.
fn safe(text: &str) -> String {
    // The wide forms are taken for the others by some.
    let formula = |first: char| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.starts_with(formula) { format!("'{text}") } else { text.to_owned() }
}

/// A cell as RFC 4180 wants it.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H8: no cell is a formula, whatever somebody wrote.
    #[test]
    fn cells_are_text() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("plain", "plain"),
            ("a=b", "a=b"),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(&safe(text)), cell);
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(time(1_795_515_300_007), "2026-11-24T10:15:00.007Z");
        assert_eq!(time(i64::MAX), i64::MAX.to_string());
    }
}

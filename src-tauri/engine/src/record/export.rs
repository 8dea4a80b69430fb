//! The record of alarms as text: CSV by RFC 4180, or a JSON object a line (<https://jsonlines.org>).
//!
//! A cell that a spreadsheet would take for a formula begins with an apostrophe, as OWASP advises against CSV injection: what sources and
//! people say is data, also in who opens it (H8).

use std::io::{self, Write};

use watchfloor_board::{
    alarm::{AlarmEntry, priority_word, state_word},
    frame::SinceLack,
};

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

/// What could not be written out, in a line of its own behind all entries: in CSV without a number, `lack` for what happened, and in words what
/// that is; in JSON as `{"lack": …}`.
pub(super) fn lack(form: Form, lack: &SinceLack, out: &mut impl Write) -> io::Result<()> {
    match form {
        Form::JsonLines => {
            serde_json::to_writer(&mut *out, &serde_json::json!({ "lack": lack }))?;
            out.write_all(b"\n")
        }
        Form::Csv => {
            let words = safe(&lack_words(lack));
            let cells = COLUMNS.map(|column| match column {
                "what" => "lack".to_owned(),
                "words" => words.clone(),
                _ => String::new(),
            });
            write!(out, "{}\r\n", cells.map(|cell| quoted(&cell)).join(","))
        }
    }
}

/// What could not be looked at, in words; without an end.
#[must_use]
pub fn lack_words(lack: &SinceLack) -> String {
    let at = |at: i64| time(at);
    let between = |from: &Option<i64>, to: &Option<i64>| match (from, to) {
        (Some(from), Some(to)) => format!("between {} and {}", at(*from), at(*to)),
        (Some(from), None) => format!("after {}", at(*from)),
        (None, Some(to)) => format!("before {}", at(*to)),
        (None, None) => "of the record of alarms".to_owned(),
    };
    match lack {
        SinceLack::NoJournal => "nothing is kept".to_owned(),
        SinceLack::NoAlarms => "there is no record of alarms: it was taken away, or the program knew none".to_owned(),
        SinceLack::AlarmsBegin { at_ms } => format!("the record of alarms begins {}", at(*at_ms)),
        SinceLack::AlarmsMissing { count, from_ms, to_ms } => format!(
            "{} of alarms {} missing {}: the disk refused them, or they were taken away",
            entries(*count),
            if *count == 1 { "is" } else { "are" },
            between(from_ms, to_ms)
        ),
        SinceLack::AlarmsDamaged { count, from_ms, to_ms } => {
            format!("{} of alarms can't be read {}: changed or damaged", entries(*count), between(from_ms, to_ms))
        }
        SinceLack::AlarmMarksDamaged { count } => {
            format!("when {count} calls were announced and seen: changed or damaged")
        }
        SinceLack::AlarmsNoRoom { count, from_ms, to_ms, rule } => {
            let of = rule.as_ref().map(|rule| format!(" of {rule}")).unwrap_or_default();
            let to = to_ms.map(|to| format!(" to {}", at(to))).unwrap_or_default();
            format!("alarms{of} without room from {}{to}, at least: {count}", at(*from_ms))
        }
        SinceLack::AlarmsTooMany { count } => format!("{count} entries of more alarms than are told apart"),
        SinceLack::LossesBegin { at_ms } => format!("losses before {}", at(*at_ms)),
        SinceLack::NoGlass => "what widgets did, and whether the wall ran: there is no record of the glass".to_owned(),
        SinceLack::GlassBegins { at_ms } => format!("what was before the record of the glass begins, {}", at(*at_ms)),
        SinceLack::GlassDamaged { at_ms, count } => {
            format!("what {count} records of the glass say, the first of {}: changed or damaged", at(*at_ms))
        }
        SinceLack::GlassTooMuch { at_ms } => format!("what widgets did after {}: too much to read", at(*at_ms)),
        SinceLack::ClockSetBack { at_ms } => {
            format!("which of two times is meant: the machine's clock was set back to {}", at(*at_ms))
        }
        SinceLack::Unreadable { reason } => reason.clone(),
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
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

/// A text that nobody takes for a formula, and no terminal for an order.
fn safe(text: &str) -> String {
    // The wide forms are taken for the others by some.
    let formula = |first: char| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let text = visible(text, &['\t', '\r', '\n']);
    if text.starts_with(formula) { format!("'{text}") } else { text }
}

/// A text in which what moves a terminal's cursor or turns the direction of others is written out, such as `\u{1b}`; but those to be kept.
#[must_use]
pub fn visible(text: &str, kept: &[char]) -> String {
    // Marks of the direction, and ends of lines and paragraphs.
    let hidden = |own: char| {
        own.is_control()
            || matches!(own, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for own in text.chars() {
        if hidden(own) && !kept.contains(&own) {
            out.extend(own.escape_unicode());
        } else {
            out.push(own);
        }
    }
    out
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
            ("\u{1b}[2J\u{9b}1mx\u{7f}\0", "\\u{1b}[2J\\u{9b}1mx\\u{7f}\\u{0}"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{1b}=1", "\\u{1b}=1"),
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

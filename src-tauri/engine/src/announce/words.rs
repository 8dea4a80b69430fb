//! What a notification says of an alarm. Whatever came from outside has no marks in it, no control over the line, and a bound (H8).

use jiff::tz::TimeZone;
use watchfloor_board::alarm::Priority;
use watchfloor_model::Timestamp;

use super::Call;

/// The most characters of a heading.
const HEADING_MAX: usize = 120;
/// The most characters of one part of the rest.
const PART_MAX: usize = 300;

/// A text as a desktop may show it. Some read marks in it, others don't: what came from a server has none.
pub(crate) fn unmarked(text: &str, characters: usize) -> String {
    let mut said = String::new();
    let mut left = characters;
    for c in text.chars() {
        let c = match c {
            '<' => '‹',
            '>' => '›',
            '&' => '+',
            // What turns the order of all that follows.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => continue,
            c if c.is_control() => ' ',
            c => c,
        };
        if left == 0 {
            said.push('…');
            break;
        }
        left -= 1;
        said.push(c);
    }
    said
}

/// Heading and rest of one alarm's notification. Nothing in it ages.
pub(super) fn alarm(call: &Call, is_escalated: bool, zone: &TimeZone, now: Timestamp) -> (String, String) {
    let title = if call.title.is_empty() { call.key.to_string() } else { call.title.clone() };
    let heading = format!("{}: {}", name(call.priority), unmarked(&title, HEADING_MAX));
    let mut lines = Vec::new();
    if is_escalated {
        lines.push("Nobody has acknowledged it yet.".to_owned());
    }
    let cause = unmarked(&call.cause, PART_MAX);
    if !cause.is_empty() {
        lines.push(cause);
    }
    if let Some(advice) = &call.advice {
        lines.push(unmarked(advice, PART_MAX));
    }
    lines.push(format!("Raised {}", clock(call.raised.unwrap_or(call.decided), zone, now)));
    if call.is_repeat {
        lines.push("It may have been told before the wall was started again.".to_owned());
    }
    (heading, lines.join("\n"))
}

/// The one for many.
pub(super) fn summary(counts: [usize; 4], is_flood: bool) -> (String, String) {
    let total: usize = counts.iter().sum();
    let parts = [Priority::Critical, Priority::High].into_iter().filter_map(|priority| {
        let count = counts.get(priority as usize).copied().filter(|count| *count > 0)?;
        Some(format!(", {count} {}", name(priority).to_lowercase()))
    });
    let s = if total == 1 { "" } else { "s" };
    let rest = if is_flood { "More than a person can take one by one." } else { "Nobody has acknowledged them yet." };
    (format!("{total} alarm{s}{}: look at the wall", parts.collect::<String>()), rest.to_owned())
}

const fn name(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
        Priority::Critical => "CRITICAL",
    }
}

/// The time of day, and the day if it isn't this one.
fn clock(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let shown = |at: Timestamp| Some(zone.to_datetime(jiff::Timestamp::from_millisecond(at.as_millis()).ok()?));
    match (shown(at), shown(now)) {
        (Some(at), Some(now)) if at.date() == now.date() => at.strftime("%H:%M:%S").to_string(),
        (Some(at), _) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        (None, _) => "at an unknown time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use watchfloor_board::alarm::AlarmKey;

    use super::*;

    fn call() -> Call {
        Call {
            key: AlarmKey::read("pump/3"),
            occurrence: 1,
            realarms: 0,
            priority: Priority::Critical,
            title: "Pump 3 <b>tripped</b>".into(),
            advice: Some("Close valve 7 & call the shift leader.".into()),
            cause: "pressure = 9.7 bar\n\u{202e}spoofed".into(),
            raised: Some(Timestamp::from_millis(1_700_000_000_000)),
            decided: Timestamp::from_millis(1_700_000_001_000),
            is_repeat: false,
        }
    }

    /// H8
    #[test]
    fn what_came_from_outside_has_no_marks_and_a_bound() {
        let now = Timestamp::from_millis(1_700_000_005_000);
        let (heading, rest) = alarm(&call(), false, &TimeZone::UTC, now);
        assert_eq!(heading, "CRITICAL: Pump 3 ‹b›tripped‹/b›");
        assert_eq!(rest, "pressure = 9.7 bar spoofed\nClose valve 7 + call the shift leader.\nRaised 22:13:20");
        let long = Call { title: "x".repeat(5000), cause: "\0".repeat(5000), advice: Some("y".repeat(5000)), ..call() };
        let (heading, rest) = alarm(&long, true, &TimeZone::UTC, now);
        assert!(heading.chars().count() < 140 && heading.ends_with('…'), "{heading}");
        assert!(rest.chars().count() < 800 && !rest.contains('\0'), "{rest}");
        let later = Timestamp::from_millis(1_700_100_000_000);
        let (_, rest) = alarm(&Call { is_repeat: true, ..call() }, true, &TimeZone::UTC, later);
        assert!(rest.starts_with("Nobody has acknowledged it yet.\n"), "{rest}");
        assert!(
            rest.ends_with("Raised 2023-11-14 22:13:20\nIt may have been told before the wall was started again."),
            "{rest}"
        );
        let unnamed = Call { title: String::new(), priority: Priority::Low, ..call() };
        assert_eq!(alarm(&unnamed, false, &TimeZone::UTC, now).0, "Low: pump/3");
    }

    #[test]
    fn many_are_counted() {
        assert_eq!(summary([5, 4, 1, 2], true).0, "12 alarms, 2 critical, 1 high: look at the wall");
        assert_eq!(summary([0, 1, 0, 0], false).0, "1 alarm: look at the wall");
    }
}

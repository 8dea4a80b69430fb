//! The record of alarms, for who asks by the command line.

mod since;

use std::{
    fmt,
    io::{self, BufWriter},
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use watchfloor_board::{
    alarm::{
        AlarmWhat, priority_word,
        report::{AlarmReport, AlarmShare},
    },
    frame::SinceLack,
};
use watchfloor_engine::record::{self, Form, RecordError};
use watchfloor_model::Timestamp;

use crate::{
    alarm_test,
    cli::{AlarmsCommand, RecordArgs},
    failure::Failure,
    output, surroundings,
};

/// The exit code of an answer that lacks something: see docs/alarms.md.
const INCOMPLETE: u8 = 5;

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Environment(error.to_string()) }
    }
}

/// Does what was asked for.
pub(crate) fn run(command: AlarmsCommand) -> Result<ExitCode, Failure> {
    match command {
        AlarmsCommand::Test(args) => alarm_test::run(args),
        AlarmsCommand::Report { record, json } => report(record, json),
        AlarmsCommand::Since(args) => since::run(args),
        AlarmsCommand::Export { record, json, csv: _ } => {
            export(record, if json { Form::JsonLines } else { Form::Csv })
        }
    }
}

fn export(args: RecordArgs, form: Form) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(args.data.data_dir, args.demo)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (_, lacks) = record::export(&data_dir, args.from, args.to, form, &mut out)?;
    for lack in &lacks {
        output::complain(&plain(&format!("NOT KNOWN: {}", record::lack_words(lack))));
    }
    Ok(ended(lacks.is_empty()))
}

fn report(args: RecordArgs, json: bool) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(args.data.data_dir, args.demo)?;
    let to = args.to.unwrap_or_else(now);
    if args.from.is_some_and(|from| from >= to) {
        return Err(Failure::Usage("--from is not before --to: give a stretch of time".to_owned()));
    }
    let report = record::report(&data_dir, args.from, to, &|| true)?;
    if json {
        let text = serde_json::to_string(&report)
            .map_err(|error| Failure::Defect(format!("the report can't be written: {error}")))?;
        output::line(&text)?;
    } else {
        for line in lines(&report) {
            output::line(&line)?;
        }
    }
    Ok(ended(report.lacks.is_empty()))
}

/// How the program ends: what can't be known is named, and whoever takes the answer for all of it finds that it isn't.
fn ended(is_whole: bool) -> ExitCode {
    if is_whole { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A time as people and programs read it.
struct At(i64);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{}", at.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

/// A span in words, to the second.
struct Span(i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::from_millis(u64::try_from(self.0).unwrap_or(0)).as_secs();
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => write!(f, "{seconds} s"),
            (0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

fn alarms(count: u64) -> String {
    if count == 1 { "1 alarm".to_owned() } else { format!("{count} alarms") }
}

fn lines(report: &AlarmReport) -> Vec<String> {
    let AlarmReport { rate, .. } = report;
    let least = if report.lacks.iter().any(SinceLack::is_of_alarms) { "at least " } else { "" };
    let mut lines = vec![
        format!("alarms from {} to {}", At(report.from_ms), At(report.to_ms)),
        format!(
            "{least}{}, {} called again, {} raised while put aside; entries on record: {}",
            alarms(report.alarms),
            report.again,
            report.aside_raised,
            report.entries
        ),
    ];
    lines.extend(report.lacks.iter().map(|lack| format!("NOT KNOWN: {}", record::lack_words(lack))));
    match report.begin_ms {
        None if !report.lacks.is_empty() => {}
        None => lines.push("nothing is on record".to_owned()),
        Some(begin) if report.from_ms > report.asked_from_ms => {
            lines.push(format!("the record begins {}; asked for was from {} on", At(begin), At(report.asked_from_ms)));
        }
        Some(_) => {}
    }
    if report.unrecorded_count > 0 {
        lines.push(format!("not recorded: {} stretches", report.unrecorded_count));
    }
    lines.extend(since::unrecorded_lines(&report.unrecorded, report.unrecorded_count));
    if report.observed_ms < report.to_ms - report.from_ms {
        let (observed, all) = (Span(report.observed_ms), Span(report.to_ms - report.from_ms));
        lines.push(format!("observed: {observed} of {all}; averages are over that"));
    }
    let mean = rate
        .mean
        .map_or_else(|| "no average over less than ten minutes".to_owned(), |mean| format!("{mean:.2} on average"));
    lines.push(format!(
        "in ten minutes: {mean}, {} at the 95th percentile, {} at most; more than 10 in {} of {} periods",
        rate.p95, rate.max, rate.over, rate.periods
    ));
    lines.push(format!("in an hour: {} at most; in a minute: {} at most", rate.max_hour, rate.max_minute));
    for line in &report.priorities {
        let took = match (line.median_ms, line.p95_ms) {
            (Some(median), Some(p95)) => format!(", median {}, 95th percentile {}", Span(median), Span(p95)),
            _ => String::new(),
        };
        lines.push(format!(
            "{}: {} ({:.1} %), acknowledged {}{took}, not {}",
            priority_word(line.priority),
            line.count,
            line.percent,
            line.acknowledged,
            line.unacknowledged
        ));
    }
    lines.push(format!("floods: {}, {:.1} % of the time", report.floods_count, report.flood_percent));
    for flood in &report.floods {
        let to = flood.to_ms.map_or_else(|| "goes on".to_owned(), |to| format!("to {}", At(to)));
        lines.push(format!(
            "  from {} {to}: {}, {} in ten minutes at most",
            At(flood.from_ms),
            alarms(flood.total),
            flood.peak
        ));
    }
    lines.extend(cut(report.floods.len(), report.floods_count));
    lines.push(format!("top ten: {:.1} % of all", report.top_percent));
    lines.extend(shares(&report.top));
    lines.push(format!("chattering: {}", report.chattering_count));
    lines.extend(shares(&report.chattering));
    lines.extend(cut(report.chattering.len(), report.chattering_count));
    lines.push(format!("fleeting: {}", report.fleeting_count));
    lines.extend(shares(&report.fleeting));
    lines.extend(cut(report.fleeting.len(), report.fleeting_count));
    lines.push(format!("standing for more than a day at the end: {}", report.standing_count));
    for own in &report.standing {
        lines.push(format!("  {} ({}) since {}", own.key, priority_word(own.priority), At(own.since_ms)));
    }
    lines.extend(cut(report.standing.len(), report.standing_count));
    lines.push(format!("put aside: {}, by somebody without a name: {}", report.aside_count, report.aside_unnamed));
    for own in &report.aside {
        let how = match own.what {
            AlarmWhat::Shelve => "on the shelf",
            AlarmWhat::TakeOut => "out of service",
            _ => "suppressed by design",
        };
        let until = own.until_ms.map(|until| format!(" until {}", At(until))).unwrap_or_default();
        let by = match (&own.by, &own.station) {
            (Some(by), Some(station)) => format!(" by {by} at {station}"),
            (None, Some(station)) => format!(" at {station}"),
            _ => String::new(),
        };
        let why = own.words.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
        lines.push(format!("  {} {}: {how}{until}{by}{why}", At(own.at_ms), own.key));
    }
    lines.extend(cut(report.aside.len(), report.aside_count));
    lines.push(format!(
        "raised while a source was lost, and heard of a minute or more later: {}, over by then: {}",
        report.late, report.missed
    ));
    lines.into_iter().map(|line| plain(&line)).collect()
}

/// What sources and people wrote can't make lines of its own, nor move a terminal's cursor.
fn plain(line: &str) -> String {
    record::visible(line, &[])
}

fn shares(all: &[AlarmShare]) -> impl Iterator<Item = String> {
    all.iter().map(|own| format!("  {}: {} ({:.1} %)", own.key, own.count, own.percent))
}

fn cut(shown: usize, all: u64) -> Option<String> {
    let more = all.saturating_sub(shown as u64);
    (more > 0).then(|| format!("  and {more} more"))
}

#[cfg(test)]
mod tests {
    use watchfloor_board::alarm::report::{AlarmAside, AlarmFlood};

    use super::*;

    #[test]
    fn figures_are_said_in_words() {
        let report = AlarmReport {
            from_ms: 1_795_514_400_000,
            to_ms: 1_795_518_000_000,
            floods: vec![AlarmFlood { from_ms: 1_795_515_300_000, to_ms: None, peak: 12, total: 40 }],
            floods_count: 3,
            aside: vec![AlarmAside {
                key: "a/\u{1b}[2Jx".into(),
                what: AlarmWhat::Shelve,
                at_ms: 1_795_515_300_000,
                until_ms: Some(1_795_518_900_000),
                by: Some("Ann".into()),
                station: Some("wall".into()),
                words: Some("being\nrepaired".into()),
            }],
            aside_count: 1,
            ..AlarmReport::default()
        };
        let lines = lines(&report);
        assert_eq!(lines[0], "alarms from 2026-11-24T10:00:00Z to 2026-11-24T11:00:00Z");
        let has = |line: &str| assert!(lines.iter().any(|own| own == line), "{line:?} is not in {lines:#?}");
        has("  from 2026-11-24T10:15:00Z goes on: 40 alarms, 12 in ten minutes at most");
        has("  and 2 more");
        has(
            "  2026-11-24T10:15:00Z a/\\u{1b}[2Jx: on the shelf until 2026-11-24T11:15:00Z by Ann at wall: being\\u{a}repaired",
        );
        assert_eq!(Span(3_725_000).to_string(), "1 h 2 min");
        assert_eq!(Span(62_000).to_string(), "1 min 2 s");
    }
}

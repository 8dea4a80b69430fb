//! What changed since a moment, for who asks by the command line.

use std::process::ExitCode;

use watchfloor_board::{
    alarm::{AlarmWhat, priority_word, state_word},
    frame::{
        AlarmSaid, Outage, Since, SinceAlarm, SinceAlarmList, SinceLack, SinceShown, SinceSource, SinceWidget, State,
        Unrecorded, UnrecordedWhy,
    },
    freshness::Freshness,
};
use watchfloor_engine::{record::lack_words, since};
use watchfloor_model::Continuity;

use super::{At, Span, ended, now, plain};
use crate::{
    cli::{Moment, SinceArgs},
    failure::Failure,
    output, surroundings,
};

/// Prints what changed.
pub(super) fn run(args: SinceArgs) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(args.data.data_dir, args.demo)?;
    let to = args.to.unwrap_or_else(now);
    let from = match args.moment {
        Moment::At(at) => at,
        Moment::Ago(span) => to.minus(span),
    };
    if from >= to {
        return Err(Failure::Usage("the moment is not before the end: give one that is over".to_owned()));
    }
    let mut own = since::since(&data_dir, from, to, &|| true, &mut |_| {})?;
    if own.lacks.contains(&SinceLack::NoJournal) {
        let folder = data_dir.display();
        return Err(Failure::Input(format!(
            "there is no journal in {folder}: name the wall's data folder with --data-dir"
        )));
    }
    since::name(&mut own, &since::called(&data_dir));
    if args.json {
        let text = serde_json::to_string(&own)
            .map_err(|error| Failure::Defect(format!("what changed can't be written: {error}")))?;
        output::line(&text)?;
    } else {
        for line in lines(&own) {
            output::line(&line)?;
        }
    }
    Ok(ended(own.lacks.is_empty() && own.unrecorded_count == 0))
}

fn lines(own: &Since) -> Vec<String> {
    let mut lines = vec![format!("what changed from {} to {}", At(own.from_ms), At(own.to_ms))];
    lines.extend(own.lacks.iter().map(|lack| format!("NOT KNOWN: {}", lack_words(lack))));
    // Of a time in which the wall didn't run nothing is known either.
    let lacks = |is: fn(&SinceLack) -> bool| own.unrecorded_count > 0 || own.lacks.iter().any(is);
    let none = if lacks(SinceLack::is_of_alarms) { "not known" } else { "none" };
    let alarms = &own.alarms;
    for (heading, list) in [
        ("came and stand", &alarms.stand),
        ("came and went", &alarms.gone),
        ("stood before and went", &alarms.went),
        ("were dealt with", &alarms.dealt),
        ("may have come and gone", &alarms.unseen),
    ] {
        lines.push(format!("alarms that {heading}: {}", counted(list, none)));
        lines.extend(list.lines.iter().map(|line| alarm(own, line)));
        lines.extend(more(list.lines.len(), list.count));
    }
    let least = |count: u64, is: fn(&SinceLack) -> bool| match (lacks(is), count) {
        (true, 0) => "not known".to_owned(),
        (true, count) => format!("{count}, that are known"),
        (false, count) => count.to_string(),
    };
    let untouched = least(alarms.untouched, SinceLack::is_of_alarms);
    lines.push(format!("alarms that stood before and stand still, untouched: {untouched}"));
    lines.push(format!("sources that were lost: {}", least(own.sources.len() as u64, SinceLack::is_of_losses)));
    for source in &own.sources {
        lines.push(source_words(source));
        lines.extend(source.outages.iter().map(outage));
        lines.extend(more(source.outages.len(), source.count).map(|line| format!("  {line}")));
    }
    lines.push(format!("stretches of which nothing is recorded: {}", own.unrecorded_count));
    lines.extend(unrecorded_lines(&own.unrecorded, own.unrecorded_count));
    let widgets = &own.widgets;
    lines.push(format!("widgets that left what is normal: {}", least(widgets.count, SinceLack::is_of_widgets)));
    lines.extend(widgets.lines.iter().map(widget));
    lines.extend(more(widgets.lines.len(), widgets.count));
    if widgets.read_ms.is_some() {
        lines.push(format!(
            "widgets of which nothing else was seen: {}, {} of them not to be believed for a part of the time",
            widgets.others, widgets.doubted
        ));
    }
    lines.into_iter().map(|line| plain(&line)).collect()
}

fn more(shown: usize, all: u64) -> Option<String> {
    let more = all.saturating_sub(shown as u64);
    (more > 0).then(|| format!("  and {more} more"))
}

fn counted(list: &SinceAlarmList, none: &str) -> String {
    let [critical, high, medium, low] = list.counts;
    match list.count {
        0 => none.to_owned(),
        count => format!("{count} ({critical} critical, {high} high, {medium} medium, {low} low)"),
    }
}

fn alarm(own: &Since, line: &SinceAlarm) -> String {
    let name = own.names.get(&line.key).map_or(line.key.as_str(), |name| name.title.as_str());
    let mut parts = vec![format!("  {} {name}: {}", priority_word(line.priority), state_word(line.now))];
    if line.count > 1 {
        parts.push(format!("came {} times", line.count));
    }
    parts.extend(line.decided_ms.filter(|_| line.count > 0).map(|at| format!("raised {}", At(at))));
    parts.extend(line.cleared_ms.map(|at| format!("over {}", At(at))));
    if line.late {
        parts.push("heard of late".to_owned());
    }
    if line.unseen {
        parts.push("may have come and gone besides".to_owned());
    }
    parts.extend(line.acknowledged.as_ref().map(|said| format!("acknowledged {}{}", At(said.at_ms), by(said))));
    if let Some(aside) = &line.aside {
        let how = match aside.what {
            AlarmWhat::Shelve => "put on the shelf",
            AlarmWhat::Unshelve => "off the shelf",
            AlarmWhat::TakeOut => "taken out of service",
            AlarmWhat::Return => "back in service",
            AlarmWhat::Suppress => "suppressed by design",
            _ => "no longer suppressed by design",
        };
        let said = aside.said.as_ref();
        let until = said.and_then(|said| said.until_ms).map(|until| format!(" until {}", At(until)));
        let why = said.filter(|said| !said.words.is_empty()).map(|said| format!(": {}", said.words));
        let words = [until, said.map(by), why].into_iter().flatten().collect::<String>();
        parts.push(format!("{how} {}{words}", At(aside.at_ms)));
    }
    parts.extend(line.comments.iter().map(|said| format!("comment {}{}: {}", At(said.at_ms), by(said), said.words)));
    parts.join("; ")
}

fn by(said: &AlarmSaid) -> String {
    said.name.as_ref().map_or_else(|| format!(" at {}", said.station), |name| format!(" by {name} at {}", said.station))
}

fn source_words(source: &SinceSource) -> String {
    let lasts = if source.lasts { ", lost now" } else { "" };
    let missed = match (source.became, source.missed) {
        (None, _) => "nothing to miss".to_owned(),
        (Some(became), missed) => became_words(became, missed),
    };
    format!("  {}: {}, {} in all{lasts}; {missed}", source.title, times(source.count), Span(millis(source.lost_ms)))
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn became_words(became: Continuity, missed: Option<u64>) -> String {
    let count = missed.map_or_else(|| "events, nobody knows how many".to_owned(), |missed| format!("{missed} events"));
    match became {
        Continuity::Proven => format!("{count} caught up with"),
        Continuity::Snapshot => format!("{count} left out, the state is a snapshot's"),
        Continuity::Unknown => format!("{count} may be missing for good"),
    }
}

fn outage(own: &Outage) -> String {
    let ended = own.ended_ms.map_or_else(|| "until now".to_owned(), |ended| format!("to {}", At(ended)));
    let became = own.became.map(|became| format!("; {}", became_words(became, own.missed))).unwrap_or_default();
    format!("    from {} {ended}: {}{became}", At(own.began_ms), own.cause)
}

/// A line a stretch.
pub(super) fn unrecorded_lines(list: &[Unrecorded], count: u64) -> impl Iterator<Item = String> {
    list.iter().map(unrecorded).chain(more(list.len(), count))
}

fn unrecorded(own: &Unrecorded) -> String {
    let why = match own.why {
        UnrecordedWhy::NotRunning => "the wall was not running",
        UnrecordedWhy::NotWritten => "the journal could not be written, or not in time",
        UnrecordedWhy::StoodStill => "the program stood still, or records are missing",
        UnrecordedWhy::Ended => "the record ends there",
    };
    format!("  from {} to {}, {}: {why}", At(own.from_ms), At(own.to_ms), Span(own.to_ms.saturating_sub(own.from_ms)))
}

fn widget(own: &SinceWidget) -> String {
    let mut parts = vec![format!("  {}: {}", own.title, word(own.now.as_ref(), own))];
    parts.push(format!("then {}", word(own.then.as_ref(), own)));
    if let Some(worst) = &own.worst {
        let at = |at: i64, earlier: bool| format!("{}{}", At(at), if earlier { " at the latest" } else { "" });
        let left = worst.left_ms.map_or_else(|| "before".to_owned(), |left| at(left, worst.left_earlier));
        let back = worst
            .back_ms
            .map_or_else(|| "not back".to_owned(), |back| format!("back {}", at(back, worst.back_earlier)));
        parts.push(format!("worst {}, left {left}, {back}", word(Some(&worst.shown), own)));
    }
    parts.push(format!("{}, {} in all", times(own.count), Span(millis(own.out_ms))));
    if own.doubt_ms > 0 {
        parts.push(format!("not to be believed for {}", Span(millis(own.doubt_ms))));
    }
    parts.join("; ")
}

fn word(shown: Option<&SinceShown>, own: &SinceWidget) -> String {
    let Some(shown) = shown else { return "not known".to_owned() };
    let state = match shown.state {
        State::Normal | State::Muted => "normal",
        State::Warning => "warning",
        State::Alarm => "alarm",
        State::Unknown => "unknown",
    };
    let percent = own.unit.as_deref() == Some("%");
    let value = shown.value.map(|value| {
        let value = if percent { value * 100.0 } else { value };
        let unit = own.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
        format!(" {value:.*}{unit}", usize::from(own.decimals))
    });
    let what = shown.what.as_deref().map(|what| {
        let others = (shown.alarms + shown.warnings).saturating_sub(1);
        if others > 0 { format!(" ({what}, and {others} more)") } else { format!(" ({what})") }
    });
    let freshness = (!shown.freshness.is_current()).then(|| format!(", {}", Freshness::word(shown.freshness)));
    [Some(state.to_owned()), value, what, freshness].into_iter().flatten().collect()
}

fn millis(span: u64) -> i64 {
    i64::try_from(span).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use watchfloor_board::{
        alarm::Priority,
        frame::{AlarmName, AlarmState, SinceAct, SinceWorst},
    };

    use super::*;
    use crate::cli::Cli;

    /// What docs/alarms.md shows to be typed is understood.
    #[test]
    fn examples_are_understood() {
        let text = include_str!("../../../docs/alarms.md");
        let typed: Vec<&str> = text.lines().filter(|line| line.starts_with("watchfloor alarms ")).collect();
        assert!(typed.len() >= 4, "{typed:?}");
        for line in typed {
            assert!(Cli::try_parse_from(line.split_whitespace()).is_ok(), "{line}");
        }
    }

    /// 2026-11-24T10:15:00Z.
    const AT: i64 = 1_795_515_300_000;

    fn shown(state: State, value: Option<f64>, freshness: Freshness) -> SinceShown {
        SinceShown { at_ms: AT, state, freshness, value, alarms: 0, warnings: 0, what: None }
    }

    /// H2, H8: what changed is said in words, what isn't known as well, and what people wrote makes no lines.
    #[test]
    fn what_changed_is_said_in_words() {
        let said = AlarmSaid {
            name: Some("Ann".into()),
            station: "wall".into(),
            at_ms: AT,
            words: "being\nrepaired".into(),
            until_ms: Some(AT + 900_000),
        };
        let line = SinceAlarm {
            key: "a/x".into(),
            priority: Priority::High,
            then: None,
            now: AlarmState::Shelved,
            wants_acknowledgement: true,
            count: 3,
            raised_ms: None,
            decided_ms: Some(AT),
            first_ms: Some(AT),
            returned_ms: None,
            cleared_ms: None,
            seen_ms: None,
            late: true,
            unseen: false,
            acknowledged: None,
            acknowledged_count: 0,
            aside: Some(SinceAct { what: AlarmWhat::Shelve, at_ms: AT, said: Some(said) }),
            comments: Vec::new(),
            comments_count: 0,
            cause: Vec::new(),
            last_ms: AT,
            last: AlarmWhat::Shelve,
        };
        let mut own = Since { from_ms: AT, to_ms: AT + 3_600_000, lacks: vec![SinceLack::NoGlass], ..Since::default() };
        own.alarms.stand = SinceAlarmList { lines: vec![line], count: 8, counts: [0, 1, 7, 0] };
        let name = AlarmName { title: "Level \u{1b}[2Jlow".into(), ..AlarmName::default() };
        own.names.insert("a/x".into(), name);
        own.widgets.count = 1;
        own.widgets.lines.push(SinceWidget {
            id: "level".into(),
            title: "Level".into(),
            kind: "gauge".into(),
            unit: Some("m".into()),
            decimals: 1,
            here: true,
            then: None,
            now: Some(shown(State::Normal, Some(7.25), Freshness::Stale)),
            worst: Some(SinceWorst {
                shown: shown(State::Alarm, Some(1.0), Freshness::Live),
                left_ms: Some(AT),
                left_earlier: true,
                back_ms: Some(AT + 60_000),
                back_earlier: false,
            }),
            count: 2,
            out_ms: 62_000,
            doubt_ms: 0,
        });
        let lines = lines(&own);
        let has = |line: &str| assert!(lines.iter().any(|own| own == line), "{line:?} is not in {lines:#?}");
        has("what changed from 2026-11-24T10:15:00Z to 2026-11-24T11:15:00Z");
        has("NOT KNOWN: what widgets did, and whether the wall ran: there is no record of the glass");
        has("alarms that came and stand: 8 (0 critical, 1 high, 7 medium, 0 low)");
        has(
            "  high Level \\u{1b}[2Jlow: shelved; came 3 times; raised 2026-11-24T10:15:00Z; heard of late; put on the shelf 2026-11-24T10:15:00Z until \
             2026-11-24T10:30:00Z by Ann at wall: being\\u{a}repaired",
        );
        has("  and 7 more");
        has("alarms that came and went: not known");
        has("widgets that left what is normal: 1, that are known");
        has("sources that were lost: not known");
        has(
            "  Level: normal 7.2 m, stale; then not known; worst alarm 1.0 m, left 2026-11-24T10:15:00Z at the latest, back 2026-11-24T10:16:00Z; \
             2 times, 1 min 2 s in all",
        );
    }
}

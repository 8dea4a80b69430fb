//! The figures against a naive reference, which goes over everything again for each of them.

use proptest::prelude::*;

use super::*;
use crate::{alarm::entry::AlarmWhat, frame::Outage};

/// 2026-11-24T10:00:00Z.
const BEGIN: i64 = 1_795_514_400_000;

fn entry(number: u64, of: u8, what: AlarmWhat, at: i64) -> AlarmEntry {
    AlarmEntry {
        number,
        rule: "r".into(),
        of: of.to_string(),
        occurrence: 0,
        realarms: 0,
        what,
        from: AlarmState::Normal,
        to: AlarmState::Unacknowledged,
        priority: [Priority::Low, Priority::Medium, Priority::High, Priority::Critical][usize::from(of % 4)],
        calls: false,
        active: false,
        stands: false,
        waits: false,
        event_ms: Some(at),
        received_ms: None,
        decided_ms: at,
        announced_ms: None,
        announced_by: None,
        repeated: false,
        seen_ms: None,
        acknowledged_ms: None,
        raised_ms: None,
        raise_decided_ms: None,
        by: None,
        station: None,
        words: None,
        until_ms: None,
        refused: None,
        title: None,
        cause: Vec::new(),
    }
}

/// A life of eight alarms: each step is of one of them, some seconds after the one before, and decided so many seconds late.
fn story(steps: &[(u8, u8, i64, bool)]) -> Vec<AlarmEntry> {
    let (mut now, mut entries) = (BEGIN, Vec::new());
    let mut all: BTreeMap<u8, (bool, bool, bool, i64)> = BTreeMap::new();
    for (which, what, gap, is_late) in steps {
        now += gap * 1000;
        let (is_active, is_known, is_aside, raised) = all.entry(*which).or_insert((false, true, false, 0));
        let event = if *is_late { now - 90_000 } else { now };
        let number = entries.len() as u64 + 1;
        let mut one = match what {
            0..=2 if !*is_active => {
                (*is_active, *is_known, *raised) = (true, false, event);
                AlarmEntry { calls: !*is_aside, ..entry(number, *which, AlarmWhat::Raise, event) }
            }
            0..=2 => {
                *is_active = false;
                entry(number, *which, AlarmWhat::Clear, event)
            }
            3 if !*is_known => {
                *is_known = true;
                AlarmEntry { event_ms: None, ..entry(number, *which, AlarmWhat::Acknowledge, now) }
            }
            4 if *is_known && *is_active && !*is_aside => {
                *is_known = false;
                AlarmEntry { calls: true, event_ms: None, ..entry(number, *which, AlarmWhat::Realarm, now) }
            }
            5 => {
                *is_aside = !*is_aside;
                let what = if *is_aside { AlarmWhat::Shelve } else { AlarmWhat::Unshelve };
                AlarmEntry { event_ms: None, ..entry(number, *which, what, now) }
            }
            _ => continue,
        };
        one.decided_ms = now;
        (one.active, one.raised_ms, one.raise_decided_ms) = (*is_active, Some(*raised), Some(*raised));
        one.to = match (*is_aside, *is_active, *is_known) {
            (true, ..) => AlarmState::Shelved,
            (_, true, true) => AlarmState::Acknowledged,
            (_, true, false) => AlarmState::Unacknowledged,
            (_, false, true) => AlarmState::Normal,
            (_, false, false) => AlarmState::Returned,
        };
        entries.push(one);
    }
    entries
}

fn report(entries: &[AlarmEntry], from: i64, to: i64) -> AlarmReport {
    let mut reporter = Reporter::new(from, to);
    entries.iter().for_each(|entry| reporter.take(entry));
    reporter.finish()
}

/// Each second of the stretch looked at: how many called within the ten minutes before it.
fn naive_floods(calls: &[i64], from: i64, to: i64) -> Vec<(i64, Option<i64>, u64, u32)> {
    let (mut found, mut is_on) = (Vec::<(i64, Option<i64>, u64, u32)>::new(), false);
    for now in (from..=to).step_by(1000) {
        let count = |strict: bool| {
            calls.iter().filter(|at| **at > now - 600_000 && (**at < now || !strict && **at == now)).count()
        };
        // What leaves goes before what comes, and only what comes before the end does.
        if is_on && count(true) < 5 {
            is_on = false;
            found.last_mut().unwrap().1 = Some(now);
        }
        if now == to {
            break;
        }
        let here = calls.iter().filter(|at| **at == now).count();
        for extra in 1..=here {
            let count = count(true) + extra;
            if is_on {
                let last = found.last_mut().unwrap();
                (last.2, last.3) = (last.2 + 1, last.3.max(count as u32));
            } else if count > 10 {
                is_on = true;
                found.push((now, None, count as u64, count as u32));
            }
        }
    }
    found
}

fn naive_rank(values: &[i64], percent: f64) -> Option<i64> {
    // The smallest that so many don't exceed.
    let enough = |value: &&i64| {
        values.iter().filter(|own| **own <= **value).count() as f64 >= values.len() as f64 * percent / 100.0 - 1e-9
    };
    values.iter().filter(enough).min().copied()
}

proptest! {
    /// The figures are those of a reference that counts each by itself.
    #[test]
    fn as_a_naive_count_says(
        steps in prop::collection::vec((0..8u8, 0..6u8, prop_oneof![0..4i64, 0..30i64, 0..900i64], any::<bool>()), 0..300),
        cut in 0..100i64,
    ) {
        let entries = story(&steps);
        let end = entries.last().map_or(BEGIN, |entry| entry.decided_ms) + 1000;
        let from = BEGIN + (end - BEGIN) * cut / 200 / 1000 * 1000;
        let to = end - (end - BEGIN) * cut / 400 / 1000 * 1000;
        let own = report(&entries, from, to);
        let inside: Vec<&AlarmEntry> = entries.iter().filter(|entry| entry.decided_ms >= from && entry.decided_ms < to).collect();
        let raises: Vec<&&AlarmEntry> =
            inside.iter().filter(|entry| entry.calls && entry.what == AlarmWhat::Raise).collect();
        let calls: Vec<i64> = raises.iter().map(|entry| entry.decided_ms).collect();
        prop_assert_eq!((own.entries, own.alarms), (inside.len() as u64, calls.len() as u64));
        prop_assert_eq!(own.again, inside.iter().filter(|entry| entry.calls && entry.what != AlarmWhat::Raise).count() as u64);

        let mut periods = Vec::new();
        let mut at = from;
        while at < to {
            periods.push(calls.iter().filter(|own| **own >= at && **own < at + 600_000).count() as i64);
            at += 600_000;
        }
        prop_assert_eq!(own.rate.periods as usize, periods.len());
        prop_assert_eq!(i64::from(own.rate.max), periods.iter().copied().max().unwrap_or(0));
        prop_assert_eq!(i64::from(own.rate.p95), naive_rank(&periods, 95.0).unwrap_or(0));
        prop_assert_eq!(own.rate.over as usize, periods.iter().filter(|count| **count > 10).count());
        let mean = calls.len() as f64 * 600_000.0 / (to - from) as f64;
        prop_assert_eq!(own.rate.mean.is_some(), to - from >= 600_000, "a rate over less would be a guess");
        prop_assert!(own.rate.mean.is_none_or(|own| (own - mean).abs() < 1e-9));
        prop_assert_eq!(own.rate.each.iter().map(|count| i64::from(*count)).collect::<Vec<_>>(), periods.clone());
        for (count, found) in (0..).zip(&own.rate.spread) {
            let is_it = |own: &&i64| if count == 11 { **own > 10 } else { **own == count };
            prop_assert_eq!(*found as usize, periods.iter().filter(is_it).count());
        }
        for (most, span) in [(own.rate.max_hour, 3_600_000), (own.rate.max_minute, 60_000)] {
            let within = |from: &i64| calls.iter().filter(|own| **own >= *from && **own < from + span).count();
            prop_assert_eq!(most as usize, calls.iter().map(within).max().unwrap_or(0));
        }

        let floods: Vec<_> = own.floods.iter().map(|flood| (flood.from_ms, flood.to_ms, flood.total, flood.peak)).collect();
        let naive: Vec<_> = naive_floods(&calls, from, to);
        prop_assert_eq!(own.floods_count as usize, naive.len());
        prop_assert_eq!(floods, naive);

        for line in &own.priorities {
            let of = raises.iter().filter(|entry| entry.priority == line.priority).count() as u64;
            prop_assert_eq!(line.count, of);
            // For each acknowledgement the last call of that alarm before it, if nobody else took that one.
            let mut took = Vec::new();
            for (at, ack) in inside.iter().enumerate().filter(|(_, entry)| entry.what == AlarmWhat::Acknowledge) {
                let before = inside[..at].iter().rev().filter(|entry| entry.of == ack.of);
                let last = before.clone().find(|entry| entry.calls || entry.what == AlarmWhat::Acknowledge);
                if let Some(call) = last.filter(|entry| entry.calls && entry.priority == line.priority) {
                    took.push(ack.decided_ms - call.decided_ms);
                }
            }
            prop_assert_eq!(line.acknowledged, took.len() as u64);
            prop_assert_eq!((line.median_ms, line.p95_ms), (naive_rank(&took, 50.0), naive_rank(&took, 95.0)));
        }
        let all_calls = inside.iter().filter(|entry| entry.calls).count() as u64;
        let dealt: u64 = own.priorities.iter().map(|line| line.acknowledged + line.unacknowledged).sum();
        prop_assert_eq!(dealt, all_calls, "each call was acknowledged or not");

        let mut top: Vec<(u64, String)> = (0..8u8)
            .map(|of| (raises.iter().filter(|entry| entry.of == of.to_string()).count() as u64, format!("r/{of}")))
            .filter(|(count, _)| *count > 0)
            .collect();
        top.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        prop_assert_eq!(own.top.iter().map(|line| (line.count, line.key.clone())).collect::<Vec<_>>(), top);

        for of in 0..8u8 {
            let clears: Vec<&&AlarmEntry> =
                inside.iter().filter(|entry| entry.of == of.to_string() && entry.what == AlarmWhat::Clear).collect();
            let fleeting = clears.iter().filter(|entry| (0..10_000).contains(&(entry.event_ms.unwrap() - entry.raised_ms.unwrap()))).count();
            let line = own.fleeting.iter().find(|line| line.key == format!("r/{of}")).map_or(0, |line| line.count);
            prop_assert_eq!(line as usize, fleeting);
        }
        prop_assert_eq!((own.late, own.missed), (0, 0), "no source was lost, so its clock is another one");
    }
}

#[test]
fn chattering_is_three_cycles_in_a_minute() {
    let cycle = |at: i64, number: u64| {
        let at = BEGIN + at * 1000;
        let raise = AlarmEntry { calls: true, raised_ms: Some(at), ..entry(number, 0, AlarmWhat::Raise, at) };
        let clear = AlarmEntry { raised_ms: Some(at), ..entry(number + 1, 0, AlarmWhat::Clear, at + 15_000) };
        [raise, clear]
    };
    let report_of = |starts: [i64; 3]| {
        let entries: Vec<AlarmEntry> = (0..).zip(starts).flat_map(|(count, at)| cycle(at, 1 + 2 * count)).collect();
        report(&entries, BEGIN, BEGIN + 3_600_000)
    };
    assert_eq!(report_of([0, 20, 59]).chattering_count, 1);
    assert_eq!(report_of([0, 20, 60]).chattering_count, 0);
    assert_eq!(report_of([0, 20, 59]).fleeting_count, 0);
}

/// What stood before the stretch stands in it, and what was raised and over while a source was lost was missed. None of it depends on what the source's clock says.
#[test]
fn the_stretch_is_not_alone() {
    let day = 86_400_000;
    for ahead in [0, -400 * day, 3 * day] {
        let mut reporter = Reporter::new(BEGIN, BEGIN + day);
        let standing = |number: u64, of: u8, at: i64| AlarmEntry {
            active: true,
            raised_ms: Some(at + ahead),
            raise_decided_ms: Some(at),
            decided_ms: at,
            ..entry(number, of, AlarmWhat::Raise, at + ahead)
        };
        reporter.carry(&standing(1, 0, BEGIN - day));
        reporter.carry(&standing(2, 1, BEGIN - 5));
        reporter.note_losses(Losses::new(vec![Outage {
            source: "ops".into(),
            began_ms: BEGIN - 1000,
            ended_ms: Some(BEGIN + 600_000),
            source_began_ms: Some(BEGIN - 1000 + ahead),
            source_ended_ms: Some(BEGIN + 600_000 + ahead),
            cause: String::new(),
            became: None,
            missed: None,
        }]));
        let told = |number: u64, of: u8, what: AlarmWhat, event: i64, decided: i64| AlarmEntry {
            raised_ms: Some(BEGIN + ahead),
            decided_ms: decided,
            ..entry(number, of, what, event + ahead)
        };
        let all = [
            told(5, 2, AlarmWhat::Raise, BEGIN, BEGIN + 600_000),
            told(6, 3, AlarmWhat::Raise, BEGIN, BEGIN + 600_000),
            told(9, 2, AlarmWhat::Clear, BEGIN + 100_000, BEGIN + 600_001),
            told(10, 3, AlarmWhat::Clear, BEGIN + 900_000, BEGIN + 900_001),
            told(11, 1, AlarmWhat::Clear, BEGIN + 1_000_000, BEGIN + 1_000_000),
        ];
        all.iter().for_each(|entry| reporter.take(entry));
        let report = reporter.finish();
        assert_eq!((report.late, report.missed), (2, 1), "{ahead}");
        let stands: Vec<(&str, i64)> = report.standing.iter().map(|own| (own.key.as_str(), own.since_ms)).collect();
        assert_eq!((stands, report.standing_count), (vec![("r/0", BEGIN - day)], 1), "{ahead}");
    }
}

/// H1: of a time in which nobody was there to count, nothing is told: it is no time without alarms.
#[test]
fn what_was_not_observed_is_in_no_mean() {
    let minute = 60_000;
    let call = |number: u64, at: i64| AlarmEntry { calls: true, ..entry(number, 0, AlarmWhat::Raise, BEGIN + at) };
    let of = |holes: &[(i64, i64)], calls: &[i64]| {
        let mut reporter = Reporter::new(BEGIN, BEGIN + 120 * minute);
        (0..).zip(calls).for_each(|(number, at)| reporter.take(&call(number, *at)));
        reporter.note_unobserved(holes.iter().map(|(from, to)| (BEGIN + from, BEGIN + to)));
        reporter.finish()
    };
    let calls: Vec<i64> = (0..6).map(|at| at * 10 * minute + 1).collect();
    let whole = of(&[], &calls);
    assert_eq!((whole.rate.mean, whole.rate.periods, whole.observed_ms), (Some(0.5), 12, 120 * minute));
    // It ran for the first hour alone; the stretches lie over one another, and over the end.
    let half = of(&[(60 * minute, 90 * minute), (80 * minute, 500 * minute)], &calls);
    assert_eq!((half.rate.mean, half.observed_ms), (Some(1.0), 60 * minute));
    assert_eq!((half.rate.periods, half.rate.unobserved, half.rate.spread[0]), (6, 6, 0));
    assert_eq!((half.rate.each.len(), half.alarms, half.rate.p95), (12, 6, 1));
    // What was decided within one all the same is told, and in no mean; a period that is cut is one.
    let odd = of(&[(5 * minute, 35 * minute)], &[15 * minute, 50 * minute]);
    assert_eq!((odd.rate.mean, odd.alarms, odd.rate.periods, odd.rate.unobserved), (Some(1.0 / 9.0), 2, 11, 1));
    let never = of(&[(-minute, 500 * minute)], &[]);
    assert_eq!((never.rate.mean, never.rate.periods, never.observed_ms, never.flood_percent), (None, 0, 0, 0.0));
}

/// Who puts something aside has a name on record: that there is none is counted. What a rule of the board does has none.
#[test]
fn who_put_it_aside_is_counted() {
    let aside = |number: u64, what, by: Option<&str>, station: Option<&str>| AlarmEntry {
        by: by.map(Into::into),
        station: station.map(Into::into),
        ..entry(number, 0, what, BEGIN + 1)
    };
    let report = report(
        &[
            aside(1, AlarmWhat::Shelve, Some("Ann"), Some("wall")),
            aside(2, AlarmWhat::TakeOut, None, Some("wall")),
            aside(3, AlarmWhat::Suppress, None, None),
        ],
        BEGIN,
        BEGIN + 1000,
    );
    assert_eq!((report.aside_count, report.aside_unnamed), (3, 1));
}

#[test]
fn nothing_is_no_defect() {
    let report = report(&[], BEGIN, BEGIN - 1);
    assert_eq!((report.rate, report.top_percent), (AlarmRate { spread: vec![0; 12], ..AlarmRate::default() }, 0.0));
    assert_eq!(report.priorities.len(), 4);
}

/// H5: lists are bounded, and what is not in them is counted.
#[test]
fn lists_are_bounded() {
    let mut reporter = Reporter::new(BEGIN, BEGIN + 1_000_000);
    for number in 0..1000_u64 {
        let own = AlarmEntry { of: number.to_string(), ..entry(number, 0, AlarmWhat::Shelve, BEGIN + 1) };
        reporter.take(&own);
    }
    let report = reporter.finish();
    assert_eq!((report.aside.len(), report.aside_count), (LINES_MAX, 1000));
}

//! How many alarms came within ten minutes, and when they were too many, as far as somebody was there to count them.

use std::collections::VecDeque;

use super::{AlarmFlood, AlarmRate, flood};

/// What rates are counted over, in milliseconds.
const PERIOD_MS: i64 = 600_000;
/// Of a stretch up to so long the alarms of each period are told, in milliseconds: a month.
const EACH_MS: i64 = 31 * 24 * 3_600_000;
/// Periods with 0 to 10 alarms, and those with more.
const SPREAD: usize = flood::BEGINS_ABOVE as usize + 2;

/// How many began to call within ten minutes each; `calls` are sorted.
pub(super) fn rate(calls: &[i64], from: i64, to: i64, unobserved: &[(i64, i64)]) -> AlarmRate {
    let span = to.saturating_sub(from);
    let mut spread = vec![0_u32; SPREAD];
    if span <= 0 {
        return AlarmRate { spread, ..AlarmRate::default() };
    }
    let all = u32::try_from((span - 1) / PERIOD_MS + 1).unwrap_or(u32::MAX);
    // Only periods with an alarm have a count: the others are as many as are left.
    let held: Vec<(usize, u32)> = calls
        .chunk_by(|a, b| (a - from) / PERIOD_MS == (b - from) / PERIOD_MS)
        .filter_map(|period| {
            let number = usize::try_from((period.first()? - from) / PERIOD_MS).ok()?;
            Some((number, u32::try_from(period.len()).unwrap_or(u32::MAX)))
        })
        .collect();
    let mut each = vec![0_u32; if span <= EACH_MS { all as usize } else { 0 }];
    for (number, count) in &held {
        if let Some(own) = each.get_mut(*number) {
            *own = *count;
        }
    }
    let blind = blind(&held, from, to, unobserved);
    let periods = all.saturating_sub(blind);
    let observed = span.saturating_sub(length(unobserved));
    let seen = calls.iter().filter(|at| !unobserved.iter().any(|(from, to)| (*from..*to).contains(*at))).count();
    let mut counts: Vec<u32> = held.into_iter().map(|(_, count)| count).collect();
    counts.sort_unstable();
    let empty = (periods as usize).saturating_sub(counts.len());
    spread[0] = u32::try_from(empty).unwrap_or(u32::MAX);
    for count in &counts {
        spread[(*count as usize).min(SPREAD - 1)] += 1;
    }
    let rank = (periods as usize * 95).div_ceil(100).max(1);
    let p95 = rank.checked_sub(empty + 1).and_then(|at| counts.get(at)).copied().unwrap_or(0);
    AlarmRate {
        mean: (observed >= PERIOD_MS).then(|| seen as f64 / (observed as f64 / PERIOD_MS as f64)),
        p95,
        max: counts.last().copied().unwrap_or(0),
        periods,
        unobserved: blind,
        over: spread[SPREAD - 1],
        max_hour: most_within(calls, 6 * PERIOD_MS),
        max_minute: most_within(calls, PERIOD_MS / 10),
        spread,
        each,
    }
}

/// Periods that are wholly within one of these, and without an alarm. `held` has those with one, by their numbers.
fn blind(held: &[(usize, u32)], from: i64, to: i64, unobserved: &[(i64, i64)]) -> u32 {
    let has = |number: i64| {
        usize::try_from(number).is_ok_and(|number| held.binary_search_by_key(&number, |(own, _)| *own).is_ok())
    };
    let within = |(begin, end): &(i64, i64)| {
        // The last period ends with the stretch.
        let end = if *end >= to { (to - from - 1) / PERIOD_MS + 1 } else { (end - from) / PERIOD_MS };
        let first = (begin - from + PERIOD_MS - 1) / PERIOD_MS;
        (first..end).filter(|number| !has(*number)).count()
    };
    u32::try_from(unobserved.iter().map(within).sum::<usize>()).unwrap_or(u32::MAX)
}

/// Stretches in order, within these bounds, and those that touch as one.
pub(super) fn apart(stretches: impl IntoIterator<Item = (i64, i64)>, from: i64, to: i64) -> Vec<(i64, i64)> {
    let clipped = stretches.into_iter().map(|(begin, end)| (begin.max(from), end.min(to)));
    let mut all: Vec<(i64, i64)> = clipped.filter(|(begin, end)| begin < end).collect();
    all.sort_unstable();
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (begin, end) in all {
        match found.last_mut().filter(|last| begin <= last.1) {
            Some(last) => last.1 = last.1.max(end),
            None => found.push((begin, end)),
        }
    }
    found
}

/// How long they are together.
pub(super) fn length(stretches: &[(i64, i64)]) -> i64 {
    stretches.iter().map(|(begin, end)| end.saturating_sub(*begin)).fold(0, i64::saturating_add)
}

/// The most of these within any `span`; `calls` are sorted.
fn most_within(calls: &[i64], span: i64) -> u32 {
    let mut first = 0;
    let most = calls.iter().enumerate().map(|(last, at)| {
        while calls.get(first).is_some_and(|own| own.saturating_add(span) <= *at) {
            first += 1;
        }
        last + 1 - first
    });
    u32::try_from(most.max().unwrap_or(0)).unwrap_or(u32::MAX)
}

/// Every flood among these; `calls` are sorted.
pub(super) fn floods(calls: &[i64], to: i64) -> Vec<AlarmFlood> {
    let span = i64::try_from(flood::SPAN.as_millis()).unwrap_or(i64::MAX);
    let (mut window, mut found, mut is_on) = (VecDeque::new(), Vec::<AlarmFlood>::new(), false);
    // What leaves by `now`; a flood ends when so few are left.
    let leave = |window: &mut VecDeque<i64>, found: &mut Vec<AlarmFlood>, is_on: &mut bool, now: i64| {
        while let Some(first) = window.front().copied().filter(|first| first.saturating_add(span) <= now) {
            window.pop_front();
            if *is_on && window.len() < flood::ENDS_BELOW as usize {
                *is_on = false;
                if let Some(last) = found.last_mut() {
                    last.to_ms = Some(first + span);
                }
            }
        }
    };
    for at in calls {
        leave(&mut window, &mut found, &mut is_on, *at);
        window.push_back(*at);
        let count = u32::try_from(window.len()).unwrap_or(u32::MAX);
        match found.last_mut().filter(|_| is_on) {
            Some(last) => (last.total, last.peak) = (last.total + 1, last.peak.max(count)),
            None if count > flood::BEGINS_ABOVE => {
                is_on = true;
                found.push(AlarmFlood { from_ms: *at, to_ms: None, peak: count, total: count.into() });
            }
            None => {}
        }
    }
    // One that is over at the very end was on until then.
    leave(&mut window, &mut found, &mut is_on, to);
    found
}

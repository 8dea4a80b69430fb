//! Whether reports are true: each is held against the fold of what the hub had taken by then.

use std::time::Duration;

use super::{
    board::FOUND_MAX,
    fold::{Said, differences},
    process::Report,
    publisher::Ledger,
};

/// A state that a wall was in: the life of the hub that it is of, and how many of its events are folded.
pub(super) type Place = (usize, usize);

/// The places in `ledger` that a report may be of.
fn places(report: &Report, ledger: &Ledger) -> Result<Vec<Place>, Vec<String>> {
    let Some(count) = report.count() else { return Ok(Vec::new()) };
    let (mut found, mut wrong): (_, Vec<String>) = (Vec::new(), Vec::new());
    for (number, life) in ledger.iter().enumerate().filter(|(_, life)| life.taken.len() >= count) {
        let said: Vec<Said> = life.taken.iter().take(count).map(|taken| taken.said).collect();
        let differences = differences(&report.value["widgets"], &said, life.begun);
        if differences.is_empty() {
            found.push((number, count));
        } else if wrong.is_empty() || differences.len() < wrong.len() {
            // The life that it is most like is the one that it is wrong about.
            wrong = differences;
        }
    }
    match found.is_empty() {
        true if wrong.is_empty() => Err(vec![format!("count: {count}, more than was ever published")]),
        true => Err(wrong),
        false => Ok(found),
    }
}

/// Everything that is wrong with reports: a state that is the fold of no beginning of the hub's story (H3), and one that is called
/// live while something older than its limit and a second is missing (H1). Unknown values claim nothing.
#[must_use]
pub(super) fn lies(reports: &[Report], ledger: &Ledger) -> Vec<String> {
    let mut found = Vec::new();
    for report in reports {
        match places(report, ledger) {
            Err(differences) => {
                let claim = if report.claims() { "called current" } else { "not called current" };
                found.push(format!("at {}, {claim}: {}", report.time(), differences.join("; ")));
            }
            Ok(places) if report.claims() => {
                let missing = places.iter().map(|place| missing_since(*place, ledger, report.time())).min();
                if let Some(missing) = missing.flatten() {
                    found.push(format!("at {}: current, and lacks what is {missing:?} old", report.time()));
                }
            }
            Ok(_) => {}
        }
    }
    found
}

/// How old the oldest event is that a state lacks, if that is older than it may be.
fn missing_since(place: Place, ledger: &Ledger, now: i64) -> Option<Duration> {
    let (life, count) = place;
    let rest = ledger.get(life).into_iter().flat_map(|life| life.taken.iter().skip(count));
    let later = ledger.iter().skip(life + 1).flat_map(|life| &life.taken);
    let oldest = rest.chain(later).map(|taken| taken.answered).min()?;
    let age = Duration::from_millis(u64::try_from(now - oldest).unwrap_or(0));
    (age > FOUND_MAX).then_some(age)
}

/// Whether a report is live, and the fold of everything that the hub holds now.
#[must_use]
pub(super) fn is_whole(report: &Report, ledger: &Ledger) -> bool {
    let whole = ledger.len().checked_sub(1).map(|last| (last, ledger[last].taken.len()));
    report.is_live() && places(report, ledger).is_ok_and(|places| places.into_iter().max() == whole && whole.is_some())
}

/// What keeps a report from being the fold of everything that the hub holds now, in words.
#[must_use]
pub(super) fn what_differs(report: &Report, ledger: &Ledger) -> String {
    let Some(life) = ledger.last() else { return "nothing was published".to_owned() };
    let said: Vec<Said> = life.taken.iter().map(|taken| taken.said).collect();
    let mut found = differences(&report.value["widgets"], &said, life.begun);
    if !report.is_live() {
        found.push(format!("not live: {}", report.said()));
    }
    found.join("; ")
}

//! The fixed seeds: an hour each, with faults. H1 to H5, and the reference.
//!
//! `WATCHFLOOR_SEEDS` is the number of seeds a test, for a quick look. A failure prints its seed and the smallest plan that
//! fails in the same way; `scripts/simulate.sh` runs others.

use watchfloor_simulation::{met::Met, plan::Plan, prove};

/// Hours a test. Four tests make the 2,000 of every run.
const HOURS: u64 = 500;
/// Dense schedules of some minutes.
const DENSE: u64 = 500;

fn count(usual: u64) -> u64 {
    std::env::var("WATCHFLOOR_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn all(plans: impl Iterator<Item = Plan>) -> Met {
    let mut met = Met::default();
    for plan in plans {
        match prove(&plan) {
            Ok(own) => met.add(&own),
            Err(story) => unreachable!("{story}"),
        }
    }
    met
}

fn hours(first: u64) {
    all((first..first + count(HOURS)).map(Plan::hour));
}

#[test]
fn hours_of_the_first_seeds() {
    hours(0);
}

#[test]
fn hours_of_the_second_seeds() {
    hours(HOURS);
}

#[test]
fn hours_of_the_third_seeds() {
    hours(2 * HOURS);
}

#[test]
fn hours_of_the_fourth_seeds() {
    hours(3 * HOURS);
}

#[test]
fn faults_close_together() {
    all((0..count(DENSE)).map(Plan::dense));
}

//! A failing plan made small: what isn't needed for the failure is left out.

use crate::{plan::Plan, run, trace, world::Failure};

/// Most runs that are spent on it.
const RUNS_MAX: usize = 300;

/// The smallest plan found that breaks the same invariant, and how.
#[must_use]
pub fn shrink(plan: &Plan, failure: &Failure) -> (Plan, Failure) {
    let mut best = (plan.clone(), failure.clone());
    let mut runs = 0;
    loop {
        let before = best.0.clone();
        for smaller in smaller(&before) {
            if runs >= RUNS_MAX {
                return best;
            }
            runs += 1;
            if let Err(found) = run(&smaller)
                && found.invariant() == failure.invariant()
            {
                best = (smaller, found);
                break;
            }
        }
        if best.0 == before {
            return best;
        }
    }
}

/// Plans that are a little smaller, the boldest first.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut smaller = plan.clone();
        change(&mut smaller);
        if let Some(name) = plan.dialect {
            // What its server can't have would fail for another reason.
            smaller = name.plan(smaller);
        }
        if smaller != *plan {
            plans.push(smaller);
        }
    };
    let windows = plan.windows.len();
    with(&|plan| plan.windows.truncate(windows / 2));
    with(&|plan| plan.windows = plan.windows.split_off(windows / 2));
    for index in 0..windows {
        with(&|plan| {
            plan.windows.remove(index);
        });
    }
    with(&|plan| plan.channels = 1);
    for way in plan.ladder.iter().filter(|_| plan.ladder.len() > 1) {
        with(&|plan| plan.ladder = vec![*way]);
    }
    with(&|plan| {
        plan.lines = 1;
        plan.windows.iter_mut().for_each(|window| window.line = None);
    });
    with(&|plan| plan.tokens = None);
    with(&|plan| plan.tokens.iter_mut().for_each(|tokens| (tokens.flaky, tokens.delay) = (0, 50)));
    with(&|plan| plan.quiet = None);
    with(&|plan| plan.history = 10_000);
    // Only hubs have them.
    with(&|plan| plan.snapshots |= plan.dialect.is_none());
    // All earlier by as much: what comes before the first fault is seldom needed.
    if let Some(first) = plan.windows.iter().map(|window| window.from).min().filter(|first| *first > 5_000) {
        with(&|plan| {
            let by = first - 5_000;
            plan.windows.iter_mut().for_each(|window| (window.from, window.to) = (window.from - by, window.to - by));
            plan.span = plan.span.saturating_sub(by).max(plan.faults_end() + crate::plan::RECOVERY_MS + 10_000);
        });
    }
    with(&|plan| plan.span = plan.span.min(plan.faults_end() + crate::plan::RECOVERY_MS + 10_000));
    for index in 0..windows {
        with(&|plan| {
            let window = &mut plan.windows[index];
            window.to = window.from + 1 + (window.to - window.from) / 2;
        });
    }
    plans
}

/// What to print of a failure.
#[must_use]
pub fn told(plan: &Plan, failure: &Failure, small: &Plan, last: &Failure) -> String {
    let story = match trace(small) {
        Err(failure) => failure.trace,
        Ok(_) => Vec::new(),
    };
    let story = story.iter().rev().take(60).rev().cloned().collect::<Vec<_>>().join("\n");
    let json = serde_json::to_string(small).unwrap_or_default();
    format!(
        "seed {}: {}\nthe smallest plan that breaks it, for `simulate --plan FILE`:\n{json}\n{}\n{story}\n",
        plan.seed, failure.text, last.text
    )
}

//! One widget's way through the stretch.

use std::{cmp::Reverse, time::Duration};

use watchfloor_board::{
    frame::{SinceShown, SinceWidget, SinceWorst, State},
    freshness::Freshness,
};

use super::scan::{Seen, View, badness, is_off};

/// What is known of a widget on the way.
#[derive(Debug, Default)]
pub(super) struct Track {
    then: Option<SinceShown>,
    now: Option<SinceShown>,
    /// Whether something is missing before what is known first.
    begins_late: bool,
    /// Out of what is normal.
    out: Option<Out>,
    worst: Option<SinceWorst>,
    count: u64,
    out_for: Duration,
    doubt_for: Duration,
    /// Its last number that was normal.
    normal: Option<f64>,
    /// Whether it could be believed by the newest record.
    is_believed: bool,
}

/// A stretch out of what is normal.
#[derive(Debug)]
struct Out {
    left_ms: Option<i64>,
    left_earlier: bool,
    worst: SinceShown,
}

impl Track {
    /// A widget of which nothing is known at the moment.
    pub(super) fn new(begins_late: bool) -> Self {
        Self { begins_late, ..Self::default() }
    }

    /// A widget that showed this at the moment.
    pub(super) fn begun(seen: &Seen<'_>, at_ms: i64) -> Self {
        let shown = seen.shown(at_ms);
        let out = is_off(seen.state).then(|| Out { left_ms: None, left_earlier: false, worst: shown.clone() });
        Self {
            count: u64::from(out.is_some()),
            normal: seen.value.filter(|_| out.is_none()),
            is_believed: seen.freshness.is_current(),
            now: Some(shown.clone()),
            then: Some(shown),
            out,
            ..Self::default()
        }
    }

    /// Takes what it shows `step` after the record before.
    pub(super) fn take(&mut self, seen: &Seen<'_>, at_ms: i64, step: Duration, is_hole: bool) {
        // What was known right before it is of who knows when.
        let is_doubtful = is_hole || !self.is_believed;
        if is_doubtful {
            self.doubt_for += step;
        }
        if self.out.is_some() && !is_hole {
            self.out_for += step;
        }
        self.is_believed = seen.freshness.is_current();
        match &mut self.out {
            None if is_off(seen.state) => {
                self.count += 1;
                self.out = Some(Out { left_ms: Some(at_ms), left_earlier: is_doubtful, worst: seen.shown(at_ms) });
            }
            None => self.normal = seen.value.or(self.normal),
            Some(out) if is_off(seen.state) => {
                if is_worse(seen, &out.worst, self.normal) {
                    out.worst = seen.shown(at_ms);
                }
            }
            // What isn't shown may be as bad as it was.
            Some(_) if !seen.is_shown() => {}
            Some(_) => {
                if let Some(out) = self.out.take() {
                    self.end(out, Some(at_ms), is_doubtful);
                }
                self.normal = seen.value.or(self.normal);
            }
        }
        let same = self.now.as_ref().is_some_and(|now| is_same(now, seen));
        match &mut self.now {
            Some(now) if same => now.at_ms = at_ms,
            now => *now = Some(seen.shown(at_ms)),
        }
    }

    fn end(&mut self, out: Out, back_ms: Option<i64>, back_earlier: bool) {
        let ended = ended(out, back_ms, back_earlier);
        if self.worst.as_ref().is_none_or(|worst| badness(ended.shown.state) > badness(worst.shown.state)) {
            self.worst = Some(ended);
        }
    }

    /// Whether it could not be believed for a part of the time.
    pub(super) const fn is_doubted(&self) -> bool {
        !self.doubt_for.is_zero() || self.begins_late
    }

    /// What became of it; none if nothing was seen of it but normal. `unknown` is how long nothing is recorded at the end.
    pub(super) fn line(&self, id: &str, view: Option<&View>, is_done: bool, unknown: Duration) -> Option<SinceWidget> {
        let going = self.out.as_ref().map(|out| {
            let Out { left_ms, left_earlier, worst } = out;
            ended(Out { left_ms: *left_ms, left_earlier: *left_earlier, worst: worst.clone() }, None, false)
        });
        let is_worse = |going: &SinceWorst| {
            self.worst.as_ref().is_none_or(|worst| badness(going.shown.state) > badness(worst.shown.state))
        };
        let worst = going.filter(is_worse).or_else(|| self.worst.clone());
        worst.as_ref()?;
        let view = view.cloned().unwrap_or_default();
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Some(SinceWidget {
            id: id.to_owned(),
            title: view.title,
            kind: view.kind,
            unit: view.unit,
            decimals: view.decimals,
            here: view.is_here,
            then: self.then.clone(),
            now: self.now.clone().filter(|_| is_done && view.is_here).map(|now| aged(now, unknown)),
            worst,
            count: self.count,
            out_ms: millis(self.out_for),
            doubt_ms: millis(self.doubt_for + unknown),
        })
    }
}

/// What was recorded so long before the end is what was known last.
fn aged(now: SinceShown, unknown: Duration) -> SinceShown {
    if unknown.is_zero() || !now.freshness.is_current() {
        return now;
    }
    SinceShown { freshness: Freshness::Stale, ..now }
}

fn ended(out: Out, back_ms: Option<i64>, back_earlier: bool) -> SinceWorst {
    let Out { left_ms, left_earlier, worst } = out;
    SinceWorst { shown: worst, left_ms, left_earlier, back_ms, back_earlier }
}

/// Whether this is worse than the worst so far: by what it means, then by whether it can be believed, then by how far the number is from where it was.
fn is_worse(seen: &Seen<'_>, worst: &SinceShown, normal: Option<f64>) -> bool {
    let far = |value: Option<f64>| value.zip(normal).map_or(0.0, |(value, normal)| (value - normal).abs());
    let is_current = |own: bool| u8::from(own);
    let (bad, worst_bad) = (badness(seen.state), badness(worst.state));
    let (current, worst_current) = (is_current(seen.freshness.is_current()), is_current(worst.freshness.is_current()));
    (bad, current) > (worst_bad, worst_current)
        || (bad, current) == (worst_bad, worst_current) && far(seen.value) > far(worst.value)
}

fn is_same(now: &SinceShown, seen: &Seen<'_>) -> bool {
    // What has rows is looked at again whenever it isn't normal: which of them are bad may have changed.
    let is_plain = badness(seen.state) == 0 || seen.value.is_some();
    is_plain
        && (now.state, now.freshness) == (seen.state, seen.freshness)
        && now.value.map(f64::to_bits) == seen.value.map(f64::to_bits)
        && (now.alarms, now.warnings) == (0, 0)
}

/// What stands first: what isn't normal now, then what was worst, then the newest.
pub(super) fn order(line: &SinceWidget) -> (Reverse<u8>, Reverse<u8>, Reverse<i64>) {
    let of = |shown: Option<&SinceShown>| badness(shown.map_or(State::Normal, |shown| shown.state));
    let left = line.worst.as_ref().map_or(i64::MIN, |worst| worst.left_ms.unwrap_or(i64::MIN));
    (Reverse(of(line.now.as_ref())), Reverse(of(line.worst.as_ref().map(|worst| &worst.shown))), Reverse(left))
}

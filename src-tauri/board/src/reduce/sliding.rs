//! A sliding window: what happened after `now - last` until `now`.

use serde::{Deserialize, Serialize};

use super::{
    Ms,
    buckets::{Buckets, Tally},
    ceil_to, check_instant,
};

/// Most stretches that a window tells apart. Up to as many different milliseconds it is exact; with more, neighbours
/// become one, and the window's far edge is as coarse as they are.
pub(crate) const BUCKETS_MAX: usize = 4096;
/// Most bins or values over all stretches of a window.
pub(crate) const ENTRIES_MAX: usize = 524_288;

/// A tally whose events can be taken out of a total again.
pub(crate) trait Measure: Tally {
    /// Of the events in the window, what can be counted up and down exactly. Everything else is read from the buckets,
    /// so that no rounding error stays behind when events leave.
    type Total: Default + Clone;
    /// Which number is asked for.
    type Stat: Copy;
    fn enter(&self, total: &mut Self::Total);
    fn leave(&self, total: &mut Self::Total);
    /// One more event in a bucket that has entered; `is_more` says whether the bucket's entries grew by it.
    fn note(item: &Self::Item, is_more: bool, total: &mut Self::Total);
    /// The number asked for, of `tallies`, of which `total` is the total; none if there is nothing to take it of.
    fn read<'a>(stat: Self::Stat, total: &Self::Total, tallies: impl Iterator<Item = &'a Self>) -> Option<f64>
    where
        Self: 'a;
}

/// The window's state: events in the window, and those whose time is to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
struct State<T> {
    /// Length of a bucket.
    quantum: Ms,
    buckets: Buckets<T>,
    now: Option<Ms>,
}

/// The events of a sliding window. An event costs O(1) amortised, whatever the window's length.
pub(crate) struct Sliding<T: Measure> {
    last: Ms,
    state: State<T>,
    /// How many buckets have begun.
    entered: usize,
    entries: usize,
    total: T::Total,
}

impl<T: Measure> Sliding<T> {
    pub(crate) fn new(last: Ms) -> Self {
        let state = State { quantum: 1, buckets: Buckets::default(), now: None };
        Self { last, state, entered: 0, entries: 0, total: T::Total::default() }
    }

    /// Takes an event; says whether it is in the window now.
    pub(crate) fn fold(&mut self, at: Ms, item: &T::Item) -> bool {
        if self.state.now.is_some_and(|now| at <= now - self.last) {
            return false;
        }
        let end = ceil_to(at, self.state.quantum);
        let added = self.state.buckets.add(end, item);
        self.entries += added.entries;
        let is_in = self.has_begun(end);
        if is_in && added.is_new {
            self.entered += 1;
            if let Some((_, tally)) = self.state.buckets.get(added.index) {
                tally.enter(&mut self.total);
            }
        } else if is_in {
            T::note(item, added.entries > 0, &mut self.total);
        }
        if self.state.buckets.len() > BUCKETS_MAX || self.entries > ENTRIES_MAX {
            self.coarsen();
        }
        is_in
    }

    /// Lets events go, and those come whose time it is; says whether any did.
    pub(crate) fn advance(&mut self, now: Ms) -> bool {
        let back = self.state.now.is_some_and(|before| now < before);
        self.state.now = Some(now);
        let mut changed = false;
        if back {
            changed = self.recount();
        }
        while let Some((_, tally)) = self.state.buckets.pop_until(now - self.last) {
            self.entries -= tally.entries();
            // A bucket that never entered has nothing to leave: time jumped over it.
            if self.entered > 0 {
                self.entered -= 1;
                tally.leave(&mut self.total);
                changed = true;
            }
        }
        while let Some((end, tally)) = self.state.buckets.get(self.entered) {
            if !self.has_begun(*end) {
                break;
            }
            tally.enter(&mut self.total);
            self.entered += 1;
            changed = true;
        }
        if self.state.buckets.is_empty() {
            self.state.quantum = 1;
        }
        changed
    }

    /// The next instant at which an event comes or goes.
    pub(crate) fn next_change(&self) -> Option<Ms> {
        let goes = self.state.buckets.front().filter(|_| self.entered > 0).map(|(end, _)| end + self.last);
        let comes = self.state.buckets.get(self.entered).map(|(end, _)| end - (self.state.quantum - 1));
        goes.into_iter().chain(comes).min()
    }

    pub(crate) fn total(&self) -> &T::Total {
        &self.total
    }

    /// The number asked for, of the events in the window.
    pub(crate) fn read(&self, stat: T::Stat) -> Option<f64> {
        T::read(stat, &self.total, self.state.buckets.range(0, self.entered))
    }

    /// All tallies, those that have not begun as well.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.state.buckets.iter().map(|(_, tally)| tally)
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// The window reaches back to here; none before the first advance.
    pub(crate) fn begin(&self) -> Option<Ms> {
        self.state.now.map(|now| now - self.last)
    }

    fn has_begun(&self, end: Ms) -> bool {
        self.state.now.is_some_and(|now| end - (self.state.quantum - 1) <= now)
    }

    /// Doubles the buckets' length until there are few enough. Half of the limit must be left, so that this comes
    /// seldom and its cost is spread over as many events.
    fn coarsen(&mut self) {
        while self.state.buckets.len() > 1
            && (self.state.buckets.len() > BUCKETS_MAX / 2 || self.entries > ENTRIES_MAX / 2)
        {
            self.state.quantum *= 2;
            let quantum = self.state.quantum;
            self.state.buckets.regroup(|end| ceil_to(end, quantum));
            self.entries = self.state.buckets.entries();
        }
        self.recount();
    }

    /// Computes the total anew; says whether another number of buckets has entered.
    fn recount(&mut self) -> bool {
        let before = self.entered;
        self.total = T::Total::default();
        self.entered = 0;
        let quantum = self.state.quantum;
        let now = self.state.now;
        for (end, tally) in self.state.buckets.iter() {
            if now.is_none_or(|now| end - (quantum - 1) > now) {
                break;
            }
            tally.enter(&mut self.total);
            self.entered += 1;
        }
        self.entered != before
    }
}

impl<T: Measure + Serialize + for<'de> Deserialize<'de>> Sliding<T> {
    pub(crate) const fn state(&self) -> &impl Serialize {
        &self.state
    }

    pub(crate) fn restored(last: Ms, state: &serde_json::value::RawValue) -> Result<Self, String> {
        let state: State<T> = super::from_json(state)?;
        state.buckets.check(BUCKETS_MAX)?;
        check_instant(state.now)?;
        // Powers of two up to one bucket for all time: see `coarsen`.
        if state.quantum.count_ones() != 1 || state.quantum < 1 || state.quantum > 1 << 55 {
            return Err(format!("a bucket of {} ms", state.quantum));
        }
        let entries = state.buckets.entries();
        if entries > ENTRIES_MAX {
            return Err(format!("{entries} entries, the limit is {ENTRIES_MAX}"));
        }
        let mut own = Self { last, state, entered: 0, entries, total: T::Total::default() };
        own.recount();
        Ok(own)
    }
}

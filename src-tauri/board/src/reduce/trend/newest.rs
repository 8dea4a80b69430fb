//! The trend of a gauge: at each point the newest value until then.

use serde::{Deserialize, Serialize};

use super::{Ring, SLOTS};
use crate::reduce::{
    Ms,
    buckets::{Buckets, Tally},
    ceil_to, check_instant,
};

/// Most buckets: what is in the trend's span, and as much of a future that should not be there.
const BUCKETS_MAX: usize = 4 * SLOTS as usize;

/// The newest of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Newest {
    pub(crate) at: Ms,
    /// None if the source says that there is none.
    pub(crate) value: Option<f64>,
}

impl Newest {
    /// Takes `other` unless it is older.
    pub(crate) fn take(&mut self, other: &Self) -> bool {
        let is_newer = other.at >= self.at;
        if is_newer {
            *self = *other;
        }
        is_newer
    }
}

impl Tally for Newest {
    type Item = Self;

    fn of(item: &Self) -> Self {
        *item
    }

    fn add(&mut self, item: &Self) {
        self.take(item);
    }

    fn merge(&mut self, later: &Self) {
        self.take(later);
    }

    fn is_sound(&self) -> bool {
        check_instant(Some(self.at)).is_ok()
    }
}

/// The newest value of each slot.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct NewestRing {
    /// The newest before the first point.
    base: Option<Newest>,
    ring: Buckets<Newest>,
}

impl Ring for NewestRing {
    /// The slot.
    type Config = Ms;
    type Item = Newest;

    fn add(&mut self, slot: &mut Ms, at: Ms, item: &Newest, first: Option<Ms>) {
        let end = ceil_to(at, *slot);
        if first.is_some_and(|first| end <= first) {
            self.keep(item);
            return;
        }
        self.ring.add(end, item);
        if self.ring.len() > BUCKETS_MAX
            && let Some((_, oldest)) = self.ring.pop()
        {
            self.keep(&oldest);
        }
    }

    fn forget(&mut self, _: &mut Ms, first: Ms) {
        while let Some((_, oldest)) = self.ring.pop_until(first) {
            self.keep(&oldest);
        }
    }

    fn read(&self, _: &Ms, points: impl Iterator<Item = Ms>) -> Vec<Option<f64>> {
        let mut ring = self.ring.iter().peekable();
        let mut newest = self.base;
        points
            .map(|point| {
                while let Some((_, next)) = ring.next_if(|(end, _)| *end <= point) {
                    newest = Some(*next);
                }
                newest.and_then(|newest| newest.value)
            })
            .collect()
    }

    fn check(&mut self, _: &Ms) -> Result<(), String> {
        check_instant(self.base.map(|base| base.at))?;
        self.ring.check(BUCKETS_MAX)
    }
}

impl NewestRing {
    /// Forgets what is dated later than `at`.
    pub(super) fn forget_after(&mut self, at: Ms) {
        self.base = self.base.filter(|base| base.at <= at);
        self.ring.retain(|newest| newest.at <= at);
    }

    fn keep(&mut self, older: &Newest) {
        match &mut self.base {
            Some(base) => {
                base.take(older);
            }
            None => self.base = Some(*older),
        }
    }
}

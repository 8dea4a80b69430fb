//! How long an event takes from its receipt to the page's receipt for the frame that shows it.
//!
//! The page's next pull names the version that it has painted; that pull is the receipt. Each event counts once, so a
//! burst that was painted late weighs as much as it should.

use std::{collections::VecDeque, time::Duration};

use watchfloor_model::Mono;

/// Groups of events remembered for a frame. Beyond that, groups are joined, and the joined ones count as old as the
/// oldest of them.
const GROUPS_MAX: usize = 256;
/// Frames whose receipt is outstanding. A page has one; a page that was closed leaves some behind.
const FRAMES_MAX: usize = 16;
/// Buckets to each doubling: a latency is known to about 4 %.
const STEPS: usize = 16;
/// Doublings from 1 µs: up to about 19 hours.
const DOUBLINGS: usize = 36;

/// Events received at about one instant.
#[derive(Clone, Copy, Debug)]
struct Group {
    received: Mono,
    count: u64,
}

/// Receipts that are outstanding, and what they said so far.
#[derive(Debug, Default)]
pub(crate) struct Glass {
    /// Folded since the last frame.
    fresh: Vec<Group>,
    /// Handed out and not acknowledged yet, oldest first.
    shown: VecDeque<(u64, Vec<Group>)>,
    latency: Latency,
}

impl Glass {
    /// `count` events were folded, the oldest received at `received`.
    pub(crate) fn folded(&mut self, received: Mono, count: usize) {
        let group = Group { received, count: count as u64 };
        let is_full = self.fresh.len() >= GROUPS_MAX;
        match self.fresh.last_mut() {
            Some(last) if is_full => {
                last.count += group.count;
                last.received = last.received.min(received);
            }
            _ => self.fresh.push(group),
        }
    }

    /// A frame of `version` was handed out.
    pub(crate) fn shown(&mut self, version: u64) {
        if self.fresh.is_empty() {
            return;
        }
        if self.shown.len() >= FRAMES_MAX {
            // Never acknowledged: its page is gone. What it showed wasn't painted as far as anyone knows.
            self.shown.pop_front();
        }
        self.shown.push_back((version, std::mem::take(&mut self.fresh)));
    }

    /// A page has painted everything up to `version`. Hands each latency and the number of events that had it to `each`.
    pub(crate) fn painted(&mut self, version: u64, now: Mono, mut each: impl FnMut(Duration, u64)) {
        while self.shown.front().is_some_and(|(shown, _)| *shown <= version) {
            let Some((_, groups)) = self.shown.pop_front() else { return };
            for group in groups {
                let latency = now.since(group.received);
                self.latency.record(latency, group.count);
                each(latency, group.count);
            }
        }
    }

    /// What was measured so far.
    pub(crate) const fn latency(&self) -> &Latency {
        &self.latency
    }
}

/// A histogram of latencies: exact counts in buckets that grow with the value, so that every quantile is known to about 4 %.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self { buckets: vec![0; DOUBLINGS * STEPS], count: 0, max: Duration::ZERO }
    }
}

impl Latency {
    fn record(&mut self, latency: Duration, count: u64) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)] += count;
        self.count += count;
        self.max = self.max.max(latency);
    }

    /// Events measured.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest latency.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }

    /// The latency that the part `share` (0 to 1) of the events didn't exceed, rounded up to its bucket's end; none if nothing was
    /// measured.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // a rank within the count; a float is exact far beyond what can be counted here
        let rank = ((self.count as f64) * share.clamp(0.0, 1.0)).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(Duration::from_micros(bucket_end(index)).min(self.max));
            }
        }
        Some(self.max)
    }

    /// What was measured since `earlier`, an older value of the same histogram. Its longest latency is that of all.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let buckets = self.buckets.iter().zip(&earlier.buckets).map(|(now, then)| now.saturating_sub(*then)).collect();
        Self { buckets, count: self.count.saturating_sub(earlier.count), max: self.max }
    }
}

/// Which bucket holds `micros`: values below [`STEPS`] have one each, above it each doubling is cut into [`STEPS`].
fn bucket(micros: u64) -> usize {
    let steps = STEPS as u64;
    if micros < steps {
        return usize::try_from(micros).unwrap_or(0);
    }
    let doubling = micros.ilog2() - steps.ilog2();
    let step = (micros >> doubling) - steps;
    let index = (u64::from(doubling) + 1) * steps + step;
    usize::try_from(index).unwrap_or(usize::MAX).min(DOUBLINGS * STEPS - 1)
}

/// The last value of a bucket.
fn bucket_end(index: usize) -> u64 {
    let (doubling, step) = (index / STEPS, (index % STEPS) as u64);
    match doubling.checked_sub(1) {
        None => step,
        Some(shift) => ((STEPS as u64 + step + 1) << shift) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_they_say() {
        for micros in [0, 1, 15, 16, 17, 31, 32, 33, 1000, 16_667, 1_000_000, 3_600_000_000] {
            let index = bucket(micros);
            let end = bucket_end(index);
            assert!(micros <= end && end <= micros + micros / 16, "{micros} is in {index}, which ends at {end}");
            assert!(index == 0 || bucket_end(index - 1) < micros, "{micros}");
        }
        assert_eq!(bucket(u64::MAX), DOUBLINGS * STEPS - 1);
    }

    /// Only what a page acknowledged counts, each event once, from its receipt on.
    #[test]
    fn receipts_are_counted_once() {
        let mut glass = Glass::default();
        let at = Mono::from_millis;
        glass.folded(at(10), 3);
        glass.folded(at(12), 1);
        glass.shown(5);
        glass.shown(5);
        glass.folded(at(20), 1);
        glass.shown(6);
        let mut seen = Vec::new();
        glass.painted(4, at(25), |latency, count| seen.push((latency.as_millis(), count)));
        assert_eq!(seen, []);
        glass.painted(5, at(30), |latency, count| seen.push((latency.as_millis(), count)));
        assert_eq!(seen, [(20, 3), (18, 1)]);
        glass.painted(7, at(30), |latency, count| seen.push((latency.as_millis(), count)));
        glass.painted(7, at(99), |latency, count| seen.push((latency.as_millis(), count)));
        assert_eq!(seen, [(20, 3), (18, 1), (10, 1)]);
        assert_eq!(glass.latency().count(), 5);
        let p50 = glass.latency().quantile(0.5).unwrap();
        assert!(p50 >= Duration::from_millis(20) && p50 < Duration::from_millis(21), "{p50:?}");
    }

    /// H5: pages that never answer and floods between two frames cost bounded memory and lose no event.
    #[test]
    fn memory_is_bounded() {
        let mut glass = Glass::default();
        for number in 0..10_000 {
            glass.folded(Mono::from_millis(number), 1);
        }
        assert_eq!(glass.fresh.len(), GROUPS_MAX);
        glass.shown(1);
        let mut count = 0;
        glass.painted(1, Mono::from_millis(10_000), |_, events| count += events);
        assert_eq!(count, 10_000);
        for version in 0..1000 {
            glass.folded(Mono::ZERO, 1);
            glass.shown(version);
        }
        assert_eq!(glass.shown.len(), FRAMES_MAX);
    }

    #[test]
    fn quantiles_of_a_stretch() {
        let mut latency = Latency::default();
        assert_eq!(latency.quantile(0.5), None);
        latency.record(Duration::from_millis(500), 10);
        let before = latency.clone();
        latency.record(Duration::from_millis(10), 90);
        latency.record(Duration::from_millis(100), 10);
        let stretch = latency.since(&before);
        assert_eq!(stretch.count(), 100);
        let millis = |share| stretch.quantile(share).unwrap().as_millis();
        assert_eq!((millis(0.5), millis(0.9)), (10, 10));
        assert!((100..=104).contains(&millis(0.99)), "{}", millis(0.99));
    }
}

//! The source's own time, as well as it can be known.

use std::time::Duration;

use watchfloor_model::{Mono, SourceClock, Timestamp};

mod own;

pub(crate) use own::OwnClock;

/// What a server says of its clock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) now: Timestamp,
    pub(crate) speed: f64,
    pub(crate) label: Option<String>,
}

impl Reading {
    /// The clock if this was true at `read`.
    pub(crate) fn at(self, read: Mono) -> SourceClock {
        SourceClock { at: self.now, read, speed: self.speed, label: self.label }
    }
}

/// A longer round trip says too little about the server's clock.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(1);
/// A heartbeat may be late by this without moving the clock, in real time.
const LATE_MAX: Duration = Duration::from_millis(250);

/// The best estimate so far.
///
/// A heartbeat is read when it arrives, so it is late by an unknown way. An answered ping bounds that way: half the
/// round trip is taken off. So a heartbeat moves an existing estimate only if it shows less delay than assumed, a
/// change of speed or label, or a difference that delay can't explain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Estimate {
    clock: Option<SourceClock>,
    asked: Option<(u64, Mono)>,
    next_id: u64,
}

impl Estimate {
    pub(crate) const fn clock(&self) -> Option<&SourceClock> {
        self.clock.as_ref()
    }

    /// A link ended: an answer can't come any more.
    pub(crate) fn forget_ping(&mut self) {
        self.asked = None;
    }

    /// The id of a ping that goes out now.
    pub(crate) fn ask(&mut self, now: Mono) -> u64 {
        self.next_id += 1;
        self.asked = Some((self.next_id, now));
        self.next_id
    }

    /// A reading that came without having been asked for.
    pub(crate) fn hear(&mut self, reading: Reading, now: Mono) {
        let keep = self.clock.as_ref().is_some_and(|known| {
            let late = known.at(now).as_millis().saturating_sub(reading.now.as_millis());
            let most = LATE_MAX.as_secs_f64() * 1000.0 * reading.speed.max(1.0);
            known.speed == reading.speed && known.label == reading.label && late >= 0 && (late as f64) < most
        });
        if !keep {
            self.clock = Some(reading.at(now));
        }
    }

    /// The answer to ping `id`.
    pub(crate) fn answer(&mut self, id: u64, reading: Reading, now: Mono) {
        let Some((_, sent)) = self.asked.take_if(|(asked, _)| *asked == id) else { return };
        let round_trip = now.since(sent);
        if round_trip <= ROUND_TRIP_MAX {
            self.clock = Some(reading.at(sent.plus(round_trip / 2)));
        } else {
            self.hear(reading, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(now: i64, speed: f64) -> Reading {
        Reading { now: Timestamp::from_millis(now), speed, label: None }
    }

    fn at(millis: u64) -> Mono {
        Mono::from_millis(millis)
    }

    fn shows(estimate: &Estimate, millis: u64) -> i64 {
        estimate.clock().expect("a clock").at(at(millis)).as_millis()
    }

    /// Half the round trip is taken off, and late heartbeats don't put it on again.
    #[test]
    fn an_answered_ping_is_better_than_a_heartbeat() {
        let mut estimate = Estimate::default();
        estimate.hear(reading(10_000, 1.0), at(100));
        assert_eq!(shows(&estimate, 100), 10_000);
        let id = estimate.ask(at(1000));
        estimate.answer(id, reading(11_000, 1.0), at(1200));
        assert_eq!(shows(&estimate, 1200), 11_100);
        estimate.hear(reading(11_900, 1.0), at(2100));
        assert_eq!(shows(&estimate, 2100), 12_000, "100 ms late: kept");
        estimate.hear(reading(12_050, 1.0), at(2100));
        assert_eq!(shows(&estimate, 2100), 12_050, "earlier than thought: taken");
    }

    /// A stepped server clock, another speed and a paused replay are taken at once.
    #[test]
    fn steps_and_speeds_are_taken() {
        let mut estimate = Estimate::default();
        estimate.hear(reading(10_000, 1.0), at(0));
        estimate.hear(reading(5000, 1.0), at(1000));
        assert_eq!(shows(&estimate, 1000), 5000);
        estimate.hear(reading(5500, 60.0), at(1500));
        assert_eq!(shows(&estimate, 2500), 65_500);
        estimate.hear(reading(65_000, 0.0), at(2500));
        assert_eq!(shows(&estimate, 9000), 65_000);
    }

    #[test]
    fn only_the_newest_ping_counts() {
        let mut estimate = Estimate::default();
        let old = estimate.ask(at(0));
        let new = estimate.ask(at(10));
        estimate.answer(old, reading(1, 1.0), at(20));
        assert_eq!(estimate.clock(), None);
        estimate.answer(new, reading(1000, 1.0), at(30));
        assert_eq!(shows(&estimate, 30), 1010);
        estimate.forget_ping();
    }
}

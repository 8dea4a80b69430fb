//! What was answered to publishing requests that named a key, so that a repeat publishes nothing.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::{Mono, Timestamp};

use crate::{channel::Number, limits};

/// Tells bodies apart: a keyed hash of type and text, made by the caller.
pub(crate) type Digest = [u64; 2];

/// The positions that a batch was given, in the order of its events, written as stretches of offsets that count up by one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    epoch: Arc<str>,
    stretches: Vec<(u64, u64)>,
    /// The number of the last event among those of all channels.
    end: u64,
}

impl PartialEq for Positions {
    fn eq(&self, other: &Self) -> bool {
        (&self.epoch, &self.stretches) == (&other.epoch, &other.stretches)
    }
}

impl Eq for Positions {}

impl Positions {
    /// None yet.
    pub(crate) fn new(epoch: Arc<str>) -> Self {
        Self { epoch, stretches: Vec::new(), end: 0 }
    }

    /// As a store has them.
    pub(crate) const fn restored(epoch: Arc<str>, stretches: Vec<(u64, u64)>) -> Self {
        Self { epoch, stretches, end: 0 }
    }

    /// The history that they are of, and their stretches: the first offset and how many.
    pub(crate) fn parts(&self) -> (&str, &[(u64, u64)]) {
        (&self.epoch, &self.stretches)
    }

    /// The last event has this number among those of all channels.
    pub(crate) const fn end(&mut self, serial: u64) {
        self.end = serial;
    }

    /// The number of the last event; 0 if it is of an earlier life of the hub, and kept for long.
    pub(crate) const fn last(&self) -> u64 {
        self.end
    }

    /// The next event's offset.
    pub(crate) fn push(&mut self, offset: u64) {
        match self.stretches.last_mut() {
            Some((first, count)) if *first + *count == offset => *count += 1,
            _ => self.stretches.push((offset, 1)),
        }
    }

    /// The positions as they are written.
    pub(crate) fn texts(&self) -> Vec<String> {
        let offsets = self.stretches.iter().flat_map(|&(first, count)| first..first + count);
        offsets.map(|offset| format!("{}:{offset}", self.epoch)).collect()
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Never seen, or forgotten.
    New,
    /// Seen with the same body; the answer that it got.
    Same(Positions),
    /// Seen with another body.
    Other,
}

#[derive(Debug)]
struct Answer {
    digest: Digest,
    positions: Positions,
    at: Mono,
}

/// Keys and their answers, bounded by count, by age and by the space of the answers.
#[derive(Debug)]
pub(crate) struct Keys {
    answers: HashMap<Arc<str>, Answer>,
    order: VecDeque<Arc<str>>,
    stretches: usize,
    keys_max: usize,
    age: Duration,
}

impl Keys {
    /// At most `keys_max` keys, each for at most `age`.
    pub(crate) fn new(keys_max: usize, age: Duration) -> Self {
        Self { answers: HashMap::new(), order: VecDeque::new(), stretches: 0, keys_max, age }
    }

    /// Looks a key up.
    pub(crate) fn find(&mut self, key: &str, digest: Digest, now: Mono) -> Known {
        self.forget(now);
        match self.answers.get(key) {
            None => Known::New,
            Some(answer) if answer.digest == digest => Known::Same(answer.positions.clone()),
            Some(_) => Known::Other,
        }
    }

    /// Remembers the answer to a key that is new.
    pub(crate) fn remember(&mut self, key: &str, digest: Digest, positions: Positions, now: Mono) {
        let key: Arc<str> = key.into();
        self.stretches += positions.stretches.len();
        self.answers.insert(key.clone(), Answer { digest, positions, at: now });
        self.order.push_back(key);
        self.forget(now);
    }

    /// All of them, the oldest first.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (&Arc<str>, Digest, &Positions, Mono)> {
        self.order
            .iter()
            .filter_map(|key| self.answers.get(key).map(|answer| (key, answer.digest, &answer.positions, answer.at)))
    }

    fn forget(&mut self, now: Mono) {
        while let Some(oldest) = self.order.front() {
            let Some(answer) = self.answers.get(oldest) else { break };
            let crowded = self.order.len() > self.keys_max || self.stretches > limits::KEY_STRETCHES_MAX;
            if !crowded && now.since(answer.at) <= self.age {
                break;
            }
            self.stretches -= answer.positions.stretches.len();
            self.answers.remove(oldest);
            self.order.pop_front();
        }
    }
}

/// What tells an event from every other of a publisher: its channel, name, id and time. Hashed, keyed anew for each hub.
pub(crate) type Trait = [u64; 2];

/// Events that a publisher has given an id and a time, so that one that comes again is known. Bounded by count and by age.
#[derive(Debug)]
pub(crate) struct Repeats {
    hashers: [RandomState; 2],
    known: HashMap<Trait, Number>,
    order: VecDeque<(Trait, Mono)>,
    age: Duration,
}

impl Repeats {
    /// Each is known for `age`; zero for none ever.
    pub(crate) fn new(age: Duration) -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { hashers, known: HashMap::new(), order: VecDeque::new(), age }
    }

    /// What to know such an event by; none if it isn't to be known.
    pub(crate) fn trait_of(
        &self,
        channel: &str,
        name: &str,
        id: Option<&str>,
        time: Option<Timestamp>,
    ) -> Option<Trait> {
        let (id, time) = id.zip(time).filter(|_| !self.age.is_zero())?;
        Some(self.hashers.each_ref().map(|hasher| hasher.hash_one((channel, name, id, time.as_millis()))))
    }

    /// Where it is, if it came before.
    pub(crate) fn find(&mut self, event: Trait, now: Mono) -> Option<Number> {
        self.forget(now);
        self.known.get(&event).copied()
    }

    /// It came, and is here.
    pub(crate) fn remember(&mut self, event: Trait, number: Number, now: Mono) {
        if self.known.insert(event, number).is_none() {
            self.order.push_back((event, now));
        }
        self.forget(now);
    }

    /// A publisher begins anew, and may tell the same story again.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    fn forget(&mut self, now: Mono) {
        while let Some((oldest, at)) = self.order.front() {
            if self.order.len() <= limits::REPEATS_MAX && now.since(*at) <= self.age {
                break;
            }
            self.known.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event is known by all of its channel, name, id and time, for a while.
    #[test]
    fn repeats_are_known_for_a_while() {
        let mut repeats = Repeats::new(Duration::from_secs(10));
        let event = |repeats: &Repeats, id: &str, time: i64| {
            repeats.trait_of("c", "n", Some(id), Some(Timestamp::from_millis(time))).expect("known by")
        };
        let (one, later) = (event(&repeats, "a", 1), event(&repeats, "a", 2));
        let number = Number { offset: 7, serial: 9 };
        repeats.remember(one, number, Mono::ZERO);
        assert_eq!(repeats.find(one, Mono::from_millis(10_000)), Some(number));
        assert_eq!(repeats.find(later, Mono::from_millis(10_000)), None, "the same thing at another time is news");
        assert_eq!(repeats.find(one, Mono::from_millis(10_001)), None);
        assert!(repeats.known.is_empty() && repeats.order.is_empty());
        assert_eq!(repeats.trait_of("c", "n", None, Some(Timestamp::from_millis(1))), None);
        assert_eq!(repeats.trait_of("c", "n", Some("a"), None), None);
    }

    fn positions(offsets: &[u64]) -> Positions {
        let mut positions = Positions::new("e".into());
        offsets.iter().for_each(|&offset| positions.push(offset));
        positions
    }

    /// The answer that is given again is the answer that was given.
    #[test]
    fn positions_come_back_in_order() {
        let several = positions(&[5, 6, 7, 1, 8, 9, 2]);
        assert_eq!(several.texts(), ["e:5", "e:6", "e:7", "e:1", "e:8", "e:9", "e:2"]);
        assert_eq!(positions(&[1, 2, 3, 4]).stretches.len(), 1);
    }

    /// H5: keys are bounded by count and by age, the oldest go first.
    #[test]
    fn keys_are_bounded() {
        let mut keys = Keys::new(2, Duration::from_secs(10));
        for (second, key) in ["a", "b", "c"].into_iter().enumerate() {
            keys.remember(key, [0, 0], positions(&[1]), Mono::from_millis(second as u64 * 1000));
        }
        let now = Mono::from_millis(2000);
        assert_eq!(keys.find("a", [0, 0], now), Known::New);
        assert_eq!(keys.find("b", [0, 0], now), Known::Same(positions(&[1])));
        assert_eq!(keys.find("c", [0, 1], now), Known::Other);
        assert_eq!(keys.find("b", [0, 0], Mono::from_millis(11_001)), Known::New);
        assert_eq!((keys.order.len(), keys.answers.len(), keys.stretches), (1, 1, 1));
    }
}

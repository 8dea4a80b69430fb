//! What was answered to publishing requests that named a key, so that a repeat publishes nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::Mono;

use crate::limits;

/// Tells bodies apart: a keyed hash of type and text, made by the caller.
pub(crate) type Digest = [u64; 2];

/// The positions that a batch was given, in the order of its events, written as stretches of offsets that count up by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Positions {
    epoch: Arc<str>,
    stretches: Vec<(u64, u64)>,
}

impl Positions {
    /// None yet.
    pub(crate) fn new(epoch: Arc<str>) -> Self {
        Self { epoch, stretches: Vec::new() }
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

#[cfg(test)]
mod tests {
    use super::*;

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

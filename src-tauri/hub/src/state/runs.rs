//! Events of one channel as the text of one frame, made once for all readers at the same place.
//!
//! Readers that keep up are all at the same few places: after a batch was published, each is sent the same. What was made for the first
//! is given to the others. Nothing is decided here of who may be sent what.

use std::{collections::VecDeque, sync::Arc};

use axum::extract::ws::Utf8Bytes;

use super::State;
use crate::{channel::Ring, limits};

/// The texts made last, the newest first.
#[derive(Debug, Default)]
pub(super) struct Runs {
    kept: VecDeque<Run>,
    bytes: usize,
}

#[derive(Debug)]
struct Run {
    channel: Arc<str>,
    epoch: Arc<str>,
    /// The numbers of its first and its last event. On a hub of several nodes another channel, or another history, may have the same.
    ends: (u64, u64),
    upto: u64,
    text: Utf8Bytes,
}

impl State {
    /// The text of what comes in a channel after `offset`, as much as one frame holds, and the offset of its last event. None if there is
    /// nothing, or if something was lost on the way.
    pub(crate) fn run_after(&mut self, channel: &str, offset: u64) -> Option<(Utf8Bytes, u64)> {
        let (channel, ring) = self.rings.get_key_value(channel)?;
        let first = ring.entry(offset + 1).filter(|_| ring.holes().next().is_none())?;
        let newest = ring.entry(ring.head())?;
        let (epoch, ends) = (self.ledger.epoch_of(channel), (first.serial, newest.serial));
        let is_it = |run: &&Run| run.ends == ends && run.channel == *channel && run.epoch == *epoch;
        if let Some(run) = self.runs.kept.iter().find(is_it) {
            return Some((run.text.clone(), run.upto));
        }
        let (text, upto) = make(ring, offset)?;
        self.runs.keep(Run { channel: channel.clone(), epoch: epoch.clone(), ends, upto, text: text.clone() });
        Some((text, upto))
    }
}

impl Runs {
    fn keep(&mut self, run: Run) {
        self.bytes += run.text.as_str().len();
        self.kept.push_front(run);
        while self.kept.len() > limits::RUNS_MAX || self.bytes > limits::RUNS_BYTES_MAX {
            let Some(oldest) = self.kept.pop_back() else { return };
            self.bytes -= oldest.text.as_str().len();
        }
    }
}

fn make(ring: &Ring, offset: u64) -> Option<(Utf8Bytes, u64)> {
    let entries = || (offset + 1..=ring.head()).map_while(|offset| ring.entry(offset)).take(limits::BATCH_MESSAGES_MAX);
    let mut bytes = 0;
    let count = entries()
        .take_while(|entry| {
            let is_first = bytes == 0;
            bytes += entry.line.len() + 1;
            is_first || bytes <= limits::BATCH_BYTES_MAX
        })
        .count();
    let upto = entries().take(count).last()?.offset;
    let mut text = String::with_capacity(entries().take(count).map(|entry| entry.line.len() + 1).sum());
    for entry in entries().take(count) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&entry.line);
    }
    Some((text.into(), upto))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clocks,
        publish::{self, Form},
        state::{Outcome, StateLimits},
    };

    fn published(events: &[(&str, u32)]) -> State {
        let clocks = Clocks::new();
        let mut state = State::new("e".into(), StateLimits::default(), Vec::new(), clocks.now());
        for (channel, number) in events {
            let body = format!(r#"{{"channel":"{channel}","name":"n","data":{number}}}"#);
            let batch = publish::parse(body.as_bytes(), Form::Json).expect("an event");
            assert!(matches!(state.publish(batch, None, clocks.now()), Outcome::Published(_)));
        }
        state
    }

    /// H1: readers at the same place share one text, which has every event after it once and in order, and others of the channel's only.
    #[test]
    fn readers_share() {
        let mut state = published(&[("a", 1), ("b", 2), ("a", 3), ("a", 4)]);
        let (text, upto) = state.run_after("a", 1).expect("events");
        let numbers: Vec<_> = text.as_str().lines().map(|line| line.rsplit(':').next().expect("data")).collect();
        assert_eq!((numbers, upto), (vec!["3}", "4}"], 3));
        let (again, _) = state.run_after("a", 1).expect("events");
        assert_eq!(text.as_str().as_ptr(), again.as_str().as_ptr(), "made once");
        let (whole, _) = state.run_after("a", 0).expect("events");
        assert_eq!(whole.as_str().lines().count(), 3);
        assert!(state.run_after("a", 3).is_none() && state.run_after("c", 0).is_none());
    }

    /// H5: a frame holds so much and no more, a single longer event goes alone, and what is remembered is bounded.
    #[test]
    fn runs_are_bounded() {
        let many: Vec<_> = (0..1500).map(|number| ("a", number)).collect();
        let mut state = published(&many);
        let mut at = 0;
        let mut counts = Vec::new();
        while let Some((text, upto)) = state.run_after("a", at) {
            counts.push(text.as_str().lines().count());
            at = upto;
        }
        assert_eq!(counts, [512, 512, 476]);
        for after in 0..1500 {
            state.run_after("a", after).expect("events");
        }
        assert!(state.runs.kept.len() <= limits::RUNS_MAX && state.runs.bytes <= limits::RUNS_BYTES_MAX);
    }
}

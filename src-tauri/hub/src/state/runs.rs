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
    /// The numbers of its first and its last event among those of all channels.
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
        if let Some(run) = self.runs.kept.iter().find(|run| run.ends == (first.serial, newest.serial) && run.channel == *channel) {
            return Some((run.text.clone(), run.upto));
        }
        let (text, upto) = make(ring, offset)?;
        let ends = (first.serial, newest.serial);
        self.runs.keep(Run { channel: channel.clone(), ends, upto, text: text.clone() });
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

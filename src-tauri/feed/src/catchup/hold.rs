//! Events held back while a snapshot is outstanding. Bounded (H5).

use watchfloor_model::{Event, Timestamp};

use crate::limits::{HELD_BYTES_MAX, HELD_EVENT_OVERHEAD_BYTES, HELD_EVENTS_MAX};

/// Events in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    events: Vec<Held>,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    channel: usize,
    offset: u64,
    event: Event,
}

impl Held {
    fn bytes(&self) -> usize {
        self.event.data.text().len() + HELD_EVENT_OVERHEAD_BYTES
    }
}

impl Hold {
    /// Takes an event, unless it is full.
    pub(super) fn push(&mut self, channel: usize, offset: u64, event: Event) -> bool {
        let held = Held { channel, offset, event };
        let bytes = self.bytes + held.bytes();
        if self.events.len() >= HELD_EVENTS_MAX || bytes > HELD_BYTES_MAX {
            return false;
        }
        self.bytes = bytes;
        self.events.push(held);
        true
    }

    /// Drops one channel's events.
    pub(super) fn remove(&mut self, channel: usize) {
        self.retain(|of, _| of != channel);
    }

    /// Keeps the events for which `is_wanted` says so, given channel and offset.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(usize, u64) -> bool) {
        self.events.retain(|held| is_wanted(held.channel, held.offset));
        self.bytes = self.events.iter().map(Held::bytes).sum();
    }

    /// The earliest time of an event.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        self.events.iter().map(|held| held.event.time).min()
    }

    /// Whether half of what it may hold is reached.
    pub(super) fn is_half_full(&self) -> bool {
        self.events.len() > HELD_EVENTS_MAX / 2 || self.bytes > HELD_BYTES_MAX / 2
    }

    /// The events for which `follows` says so, given channel and offset.
    pub(super) fn into_events(self, follows: impl Fn(usize, u64) -> bool) -> Vec<Event> {
        let wanted = self.events.into_iter().filter(|held| follows(held.channel, held.offset));
        wanted.map(|held| held.event).collect()
    }
}

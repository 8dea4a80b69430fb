//! Events that came ahead of their place, where a source may send out of order. Bounded (H5).

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Event, Mono, Position};

use crate::limits::{EARLY_EVENTS_MAX, HELD_BYTES_MAX, HELD_EVENT_OVERHEAD_BYTES};

/// Each waits for what lies between, for as long as the window.
#[derive(Debug, Default)]
pub(super) struct Early {
    window: Duration,
    /// By channel and offset, all of the epoch that the stream had.
    events: BTreeMap<(usize, u64), Event>,
    bytes: usize,
}

impl Early {
    pub(super) fn new(window: Duration) -> Self {
        Self { window, ..Self::default() }
    }

    pub(super) const fn window(&self) -> Duration {
        self.window
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    /// Whether something of the channel waits.
    pub(super) fn has(&self, channel: usize) -> bool {
        self.of(channel).next().is_some()
    }

    /// Whether events wait at all, and there is room for this one.
    pub(super) fn has_room(&self, event: &Event) -> bool {
        !self.window.is_zero() && self.events.len() < EARLY_EVENTS_MAX && self.bytes + cost(event) <= HELD_BYTES_MAX
    }

    /// Takes an event. Says whether it is new.
    pub(super) fn put(&mut self, channel: usize, offset: u64, event: Event) -> bool {
        if self.events.contains_key(&(channel, offset)) {
            return false;
        }
        self.bytes += cost(&event);
        self.events.insert((channel, offset), event);
        true
    }

    /// Until when the one that has waited longest waits.
    pub(super) fn until(&self) -> Option<Mono> {
        self.events.values().map(|event| event.received.plus(self.window)).min()
    }

    /// The first event of a channel that may wait no longer: `joins` says that nothing is missing before it, or `now` that what is
    /// won't come.
    pub(super) fn take(&mut self, now: Mono, joins: impl Fn(usize, &Position) -> bool) -> Option<(usize, Event)> {
        let is_over = |event: &Event| event.received.plus(self.window) <= now;
        let mut channel = None;
        let due = self.events.iter().find_map(|(key, event)| {
            // The first of its channel joins before those behind it.
            let is_first = channel.replace(key.0) != Some(key.0);
            let is_due = is_first
                && (event.position.as_ref().is_some_and(|place| joins(key.0, place))
                    || self.of(key.0).any(|(_, event)| is_over(event)));
            is_due.then_some(*key)
        })?;
        let event = self.events.remove(&due)?;
        self.bytes = self.bytes.saturating_sub(cost(&event));
        Some((due.0, event))
    }

    fn of(&self, channel: usize) -> impl Iterator<Item = (&(usize, u64), &Event)> {
        self.events.range((channel, 0)..=(channel, u64::MAX))
    }
}

fn cost(event: &Event) -> usize {
    event.data.text().len() + HELD_EVENT_OVERHEAD_BYTES
}

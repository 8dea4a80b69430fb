//! What the state does as a node of several on an engine: its channels are copies of what the engine has, each with an epoch of its own.

use std::{collections::BTreeMap, collections::VecDeque, sync::Arc, time::Duration};

use watchfloor_model::{Mono, Position, Timestamp};

use super::{Released, State, keep};
use crate::{
    channel::{Entry, Number, Ring},
    clock::Now,
    engine::{Heard, Span},
};

/// What is known of the channels that are followed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    channels: BTreeMap<Arc<str>, Channel>,
    /// For how long it is good that the engine said where a channel stands.
    good_for: Duration,
}

#[derive(Debug)]
struct Channel {
    /// The oldest event that the engine has, as far as is known.
    floor: u64,
    /// When the engine was asked last whether the head is the newest, and said so.
    proven: Mono,
}

/// How many numbers there are for the events of a millisecond.
const A_MILLISECOND: u32 = 20;

impl State {
    /// It has no channel of its own from now on. What the engine says is good for so long.
    pub(crate) fn be_node(&mut self, good_for: Duration) {
        self.followed = Some(Followed { channels: BTreeMap::new(), good_for });
    }

    /// Readers are sent something until then alone: what is revoked at other nodes is known here until then.
    pub(crate) const fn send_until(&mut self, until: Now) {
        self.sends_until = Some(until);
    }

    /// Whether readers may be sent something.
    pub(crate) fn may_send(&self, now: Now) -> bool {
        self.sends_until.is_none_or(|until| now.is_before(until))
    }

    /// Whether a reader that came at `came` and asks for this place can begin: what lies after it is here, or it is known that nobody has it. A place
    /// that isn't known here may be newer than what is: the engine must have been asked since.
    pub(crate) fn can_begin(&self, channel: &str, asked: Option<&Position>, came: Mono) -> bool {
        let Some(followed) = &self.followed else { return true };
        let Some(known) = followed.channels.get(channel) else { return false };
        let head = self.ledger.head(channel);
        let Some(asked) = asked else { return true };
        if asked.epoch != head.epoch || asked.offset > head.offset {
            return known.proven >= came;
        }
        let first = self.ring(channel).map_or(head.offset + 1, Ring::first);
        asked.offset == head.offset || asked.offset + 1 >= first || known.floor >= first
    }

    /// Whether the head is known to be the newest, or was so a moment ago.
    pub(crate) fn is_proven(&self, channel: &str, now: Mono) -> bool {
        let Some(followed) = &self.followed else { return true };
        followed.channels.get(channel).is_some_and(|known| now.since(known.proven) <= followed.good_for)
    }

    /// Whether a channel is followed.
    pub(crate) fn follows(&self, channel: &str) -> bool {
        self.followed.as_ref().is_some_and(|followed| followed.channels.contains_key(channel))
    }

    /// The channel is this from now on, whatever it was. `folded` says up to which offset its events are in the aggregates.
    pub(crate) fn replace(&mut self, channel: &Arc<str>, span: Span, folded: u64, now: Now) -> Released {
        let Span { epoch, head, events, floor, .. } = span;
        let mut released = Released::default();
        let head = events.last().map_or(head, |event| event.offset);
        let mut entries = VecDeque::with_capacity(events.len());
        for heard in events {
            if heard.offset > folded {
                self.fold(&heard, &mut released);
            }
            entries.push_back(history_entry(heard, now));
        }
        let ring = Ring::restored(entries, head, VecDeque::new());
        self.bytes += ring.bytes();
        if let Some(before) = self.rings.insert(channel.clone(), ring) {
            self.bytes -= before.bytes();
        }
        self.ledger.follow(channel, epoch, head);
        // The same events may have another epoch now.
        self.runs = super::Runs::default();
        if let Some(followed) = &mut self.followed {
            followed.channels.insert(channel.clone(), Channel { floor, proven: Mono::ZERO });
        }
        self.trim_channel(channel, now.mono);
        self.trim_total();
        released.channels.insert(channel.clone());
        released
    }

    /// The next events of a channel.
    pub(crate) fn hear(&mut self, channel: &Arc<str>, events: Vec<Heard>, now: Now) -> Released {
        let mut released = Released::default();
        for heard in events {
            self.fold(&heard, &mut released);
            let Heard { offset, at, line, aside } = heard;
            self.told.take();
            self.serial = (self.serial + 1).max(number_at(at, 0));
            let number = Number { offset, serial: self.serial };
            let Some(ring) = self.rings.get_mut(channel) else { continue };
            let before = ring.bytes();
            ring.append(Entry::new(line, number, at, now.mono, aside));
            ring.release(offset);
            self.bytes += ring.bytes() - before;
            self.ledger.stand(channel, offset);
        }
        self.trim_channel(channel, now.mono);
        self.trim_total();
        released.channels.insert(channel.clone());
        released
    }

    /// Older events than are here, from the one after `after` on. `floor` is the oldest that the engine has. Says whether they reach up to what is
    /// here: if not, that has changed meanwhile.
    pub(crate) fn hear_older(
        &mut self,
        channel: &Arc<str>,
        after: u64,
        events: Vec<Heard>,
        floor: u64,
        now: Now,
    ) -> bool {
        let Some(ring) = self.rings.get_mut(channel) else { return true };
        let before = ring.bytes();
        let asked = floor.max(after + 1);
        let given = events.first().map_or(ring.first(), |event| event.offset);
        for heard in events.into_iter().rev() {
            if heard.offset + 1 == ring.first() {
                ring.prepend(history_entry(heard, now));
            }
        }
        self.bytes += ring.bytes() - before;
        let is_whole = ring.first() <= asked.max(given);
        self.trim_channel(channel, now.mono);
        let first = self.ring(channel).map_or(floor, Ring::first);
        // What finds no room here is as if nobody had it.
        let floor = if is_whole && first > asked { first } else { floor };
        if let Some(known) = self.followed.as_mut().and_then(|followed| followed.channels.get_mut(channel)) {
            known.floor = known.floor.max(floor);
        }
        is_whole
    }

    /// The engine was asked at `asked`, and said that the channel's head is the newest. A publisher was heard at `heard`.
    pub(crate) fn prove(&mut self, channel: &Arc<str>, asked: Mono, heard: Option<Mono>) {
        if let Some(known) = self.followed.as_mut().and_then(|followed| followed.channels.get_mut(channel)) {
            known.proven = known.proven.max(asked);
            if let Some(heard) = heard {
                self.ledger.hear(channel, heard);
            }
        }
    }

    /// Nobody needs the channel any more.
    pub(crate) fn unfollow(&mut self, channel: &str) {
        if let Some(followed) = &mut self.followed {
            followed.channels.remove(channel);
        }
        if let Some(ring) = self.rings.remove(channel) {
            self.bytes -= ring.bytes();
        }
        self.ledger.unfollow(channel);
    }

    /// Folds events, in their order.
    pub(crate) fn fold_all<'a>(&mut self, events: impl Iterator<Item = &'a Heard>) -> Released {
        let mut released = Released::default();
        events.for_each(|heard| self.fold(heard, &mut released));
        released
    }

    fn fold(&mut self, heard: &Heard, released: &mut Released) {
        if !self.ledger.folds() {
            return;
        }
        match keep::read(&heard.line) {
            Ok(event) => self.ledger.fold(&event, heard.at, &mut released.rejected),
            Err(reason) => tracing::warn!(reason, "an event of the engine can't be read"),
        }
    }
}

/// An event of the history. Those of all channels are read in the order of the engine's time.
fn history_entry(heard: Heard, now: Now) -> Entry {
    let Heard { offset, at, line, aside } = heard;
    let age = now.wall.since(at).as_micros();
    let mono = Mono::from_micros(now.mono.as_micros().saturating_sub(u64::try_from(age).unwrap_or(u64::MAX)));
    Entry::new(line, Number { offset, serial: number_at(at, offset) }, at, mono, aside)
}

fn number_at(at: Timestamp, offset: u64) -> u64 {
    let millis = u64::try_from(at.as_millis()).unwrap_or_default();
    millis << A_MILLISECOND | offset & ((1 << A_MILLISECOND) - 1)
}

//! What a node knows of one channel, and what it has to ask the engine for. A value: nothing here waits or sends.
//!
//! ```text
//!               heard: the next ones ─▶ applied
//!   following ─ heard: not the next, or of another epoch ─┐
//!      ▲        proven: the engine has more, or less ─────┤
//!      │                                                  ▼
//!      └── read: what comes after the head ◀───────── reading
//! ```
//!
//! What is told live may be lost, come twice, or overtake what is read: only the offsets decide. Where the history has been trimmed past
//! the head, or another epoch has begun, the channel is replaced by what there is, and readers are told what they lost.

use std::sync::Arc;

use watchfloor_model::Timestamp;

use super::wire::{Heard, News};

/// What the engine answers to a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) epoch: Arc<str>,
    /// The newest event for readers.
    pub(crate) head: u64,
    /// After which offset the epoch began, and when.
    pub(crate) begun: (u64, Timestamp),
    /// The oldest event that there is; one past the newest if there is none.
    pub(crate) floor: u64,
    /// Events, the oldest first.
    pub(crate) events: Vec<Heard>,
}

/// Where a channel stands by the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) epoch: Arc<str>,
    /// The newest event taken.
    pub(crate) taken: u64,
    /// The newest event for readers.
    pub(crate) head: u64,
}

/// What comes of what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing that wasn't known.
    Nothing,
    /// These are the next.
    Apply(Vec<Heard>),
    /// It has to be read what comes after the head.
    Read,
}

/// What comes of what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// These are the next, if any.
    Apply(Vec<Heard>),
    /// The channel is no longer what it was: this is all of it.
    Replace(Span),
}

/// Whether the engine's word proves that the head is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It does.
    Proven,
    /// There is more, or something else.
    Behind,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Follower {
    epoch: Arc<str>,
    head: u64,
    reading: bool,
    again: bool,
}

impl Follower {
    /// A node that has everything up to here.
    pub(crate) const fn new(epoch: Arc<str>, head: u64) -> Self {
        Self { epoch, head, reading: false, again: false }
    }

    /// The history that it follows.
    pub(crate) const fn epoch(&self) -> &Arc<str> {
        &self.epoch
    }

    /// Everything up to here is here.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// Something was told live.
    pub(crate) fn hear(&mut self, news: News) -> Step {
        let Some(first) = news.events.first().map(|event| event.offset) else { return Step::Nothing };
        if news.epoch != self.epoch || first > self.head + 1 {
            return Step::Read;
        }
        let new = self.next_of(news.events);
        if new.is_empty() { Step::Nothing } else { Step::Apply(new) }
    }

    /// The engine said where the channel stands.
    pub(crate) fn prove(&self, stand: &Stand) -> Proof {
        // What readers have seen is for readers, whatever the engine remembers of that. But it must have it.
        let is_whole = stand.epoch == self.epoch && stand.head <= self.head && stand.taken >= self.head;
        if is_whole { Proof::Proven } else { Proof::Behind }
    }

    /// Whether to send a read now. One at a time is under way: what comes meanwhile asks for another.
    pub(crate) const fn asks(&mut self) -> bool {
        let asks = !self.reading;
        self.again = self.reading;
        self.reading = true;
        asks
    }

    /// A read came to nothing.
    pub(crate) const fn gave_up(&mut self) {
        (self.reading, self.again) = (false, false);
    }

    /// What was read after the head. Says too whether to read on.
    pub(crate) fn take(&mut self, span: Span) -> (Taken, bool) {
        let again = std::mem::take(&mut self.again);
        self.reading = false;
        let first = span.events.first().map_or(span.head + 1, |event| event.offset);
        let last = span.events.last().map_or(span.head, |event| event.offset);
        let head = span.head;
        if span.epoch != self.epoch || first > self.head + 1 {
            self.epoch = span.epoch.clone();
            self.head = last;
            return (Taken::Replace(span), again || last < head);
        }
        let new = self.next_of(span.events);
        (Taken::Apply(new), again || self.head < head)
    }

    /// Those that come next, without a hole.
    fn next_of(&mut self, events: Vec<Heard>) -> Vec<Heard> {
        let mut new = Vec::new();
        for event in events {
            if event.offset == self.head + 1 {
                self.head = event.offset;
                new.push(event);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests;

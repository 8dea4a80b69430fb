//! What a node reads of its channels, and what comes of it.

use std::sync::Arc;

use redis::RedisError;
use watchfloor_model::{Mono, Position};

use super::{Done, Session};
use crate::{
    channel::Ring,
    engine::{
        follow::{Follower, Span, Taken},
        link,
        read::{Asked, Read},
    },
    limits,
};

impl Session<'_> {
    /// Has a channel read, after what is here.
    pub(super) fn read(&mut self, name: &Arc<str>) {
        let Some(channel) = self.node.channels.get_mut(name) else { return };
        let asks = match &mut channel.follower {
            Some(follower) => follower.asks(),
            None => !channel.reads,
        };
        if asks {
            channel.reads = true;
            self.waiting.push_back(name.clone());
            self.send_reads();
        }
    }

    pub(super) fn send_reads(&mut self) {
        while self.reads < limits::ENGINE_READS_MAX
            && let Some(name) = self.waiting.pop_front()
        {
            let Some(channel) = self.node.channels.get(&name) else { continue };
            let config = &self.node.hub.config;
            let history = config.rules.of(&name).history.within(&config.history);
            let tail = if channel.is_folded { history.events } else { limits::ENGINE_TAIL };
            let asked = match (&channel.follower, &channel.want) {
                (Some(follower), _) => {
                    let place = Position::new(follower.epoch().clone(), follower.head());
                    Asked { seen: Some(place.clone()), place: Some(place), tail, upto: 0 }
                }
                (None, want) => Asked { seen: None, place: want.clone().filter(|_| !channel.is_folded), tail, upto: 0 },
            };
            self.reads += 1;
            let read = self.reader(&name);
            let at = self.node.hub.now().mono;
            self.work.push(Box::pin(async move {
                let span = read.read(&asked).await;
                Done::Read { channel: name, asked: at, span }
            }));
        }
    }

    fn reader(&self, name: &Arc<str>) -> Read {
        Read::new(self.reading.clone(), &self.engine.names, name, self.run.clone())
    }

    /// Has older events read than are here, from the one after `after` on.
    pub(super) fn read_older(&mut self, name: &Arc<str>, after: u64) {
        let head = {
            let state = self.node.hub.state();
            let first = state.ring(name).map(Ring::first);
            first.map(|first| (state.ledger().head(name), first))
        };
        let (Some(channel), Some((head, first))) = (self.node.channels.get_mut(name), head) else { return };
        if std::mem::replace(&mut channel.reads_older, true) {
            channel.older = Some(channel.older.map_or(after, |before| before.min(after)));
            return;
        }
        let read = self.reader(name);
        let config = &self.node.hub.config;
        let (name, bytes) = (name.clone(), config.rules.of(name).history.within(&config.history).bytes);
        self.work.push(Box::pin(async move {
            let read = read.all(Position::new(head.epoch.clone(), after), head, first - 1, bytes).await;
            Done::Older { channel: name, after, read }
        }));
    }

    pub(super) fn was_read(
        &mut self,
        name: &Arc<str>,
        asked: Mono,
        span: Result<Span, RedisError>,
    ) -> Result<(), RedisError> {
        let Some(channel) = self.node.channels.get_mut(name) else { return Ok(()) };
        channel.reads = false;
        let span = match span {
            Ok(span) => span,
            Err(error) if link::is_broken(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(channel = %name, reason = %error, "a channel can't be read");
                if let Some(follower) = &mut channel.follower {
                    follower.gave_up();
                }
                return Ok(());
            }
        };
        let head = span.head;
        let now = self.node.hub.now();
        let Some(follower) = &mut channel.follower else {
            // The first answer.
            let last = span.events.last().map_or(head, |event| event.offset);
            channel.follower = Some(Follower::new(span.epoch.clone(), last));
            channel.gathered = Some(span);
            channel.want = None;
            if std::mem::take(&mut channel.told) || last < head {
                self.read(name);
            } else {
                self.settle(name, asked);
            }
            return Ok(());
        };
        let (taken, again) = follower.take(span);
        let is_whole = follower.head() >= head;
        match (&mut channel.gathered, taken) {
            (Some(gathered), Taken::Apply(events)) => {
                gathered.head = gathered.head.max(follower.head());
                gathered.events.extend(events);
            }
            (Some(gathered), Taken::Replace(span)) => *gathered = span,
            (None, Taken::Apply(events)) => {
                let released = {
                    let mut state = self.node.hub.state();
                    let released = state.hear(name, events, now);
                    if is_whole {
                        state.prove(name, asked, None);
                    }
                    released
                };
                self.tell(&released);
            }
            (None, Taken::Replace(span)) => {
                tracing::warn!(channel = %name, epoch = %span.epoch, "a channel isn't what it was: its readers are told so");
                let folded = if span.begun.0 > 0 { span.begun.0 } else { 0 };
                let released = {
                    let mut state = self.node.hub.state();
                    if let Some(reached) = self.node.reached.get_mut(name) {
                        *reached = now.wall;
                        state.followed_ledger().reach(&self.node.reached);
                    }
                    let released = state.replace(name, span, folded, now);
                    if is_whole {
                        state.prove(name, asked, None);
                    }
                    released
                };
                self.tell(&released);
            }
        }
        if again {
            self.read(name);
        } else if is_whole {
            self.settle(name, asked);
        }
        Ok(())
    }

    /// A channel that was gathered is here.
    fn settle(&mut self, name: &Arc<str>, asked: Mono) {
        let Some(channel) = self.node.channels.get_mut(name) else { return };
        let Some(span) = channel.gathered.take() else { return };
        if channel.is_folded {
            let oldest = if span.floor > 1 { span.events.first().map(|event| event.at) } else { None };
            self.node.reached.insert(name.clone(), oldest.unwrap_or(span.begun.1));
            match &mut self.node.begins {
                Some(begins) => {
                    begins.insert(name.clone(), span);
                    self.begin_folding();
                }
                None => self.stand(name, span, 0, asked),
            }
        } else {
            self.stand(name, span, u64::MAX, asked);
        }
    }

    /// Folds the histories of all channels that are folded, in the order of the engine's time, as soon as all are here.
    fn begin_folding(&mut self) {
        let count = self.node.channels.values().filter(|channel| channel.is_folded).count();
        let Some(begins) = self.node.begins.take_if(|begins| begins.len() >= count) else { return };
        let mut events: Vec<_> = begins.values().flat_map(|span| &span.events).collect();
        events.sort_by_key(|event| event.at);
        let released = {
            let mut state = self.node.hub.state();
            state.followed_ledger().reach(&self.node.reached);
            state.fold_all(events.into_iter())
        };
        self.tell(&released);
        for (name, span) in begins {
            // When it was asked for is long ago: the next proof is near.
            self.stand(&name, span, u64::MAX, Mono::ZERO);
        }
    }

    /// A channel is for readers. Its events up to `folded` are in the aggregates already.
    fn stand(&mut self, name: &Arc<str>, span: Span, folded: u64, asked: Mono) {
        let now = self.node.hub.now();
        let released = {
            let mut state = self.node.hub.state();
            let released = state.replace(name, span, folded, now);
            state.prove(name, asked, None);
            released
        };
        self.tell(&released);
    }

    pub(super) fn was_read_older(
        &mut self,
        name: &Arc<str>,
        after: u64,
        read: Result<Span, RedisError>,
    ) -> Result<(), RedisError> {
        let Some(channel) = self.node.channels.get_mut(name) else { return Ok(()) };
        channel.reads_older = false;
        match read {
            Err(error) if link::is_broken(&error) => return Err(error),
            Err(error) => tracing::warn!(channel = %name, reason = %error, "older events of a channel can't be read"),
            Ok(span) => {
                let now = self.node.hub.now();
                let mut state = self.node.hub.state();
                let is_it = state.ledger().head(name).epoch == span.epoch;
                let is_whole = !is_it || state.hear_older(name, after, span.events, span.floor, now);
                drop(state);
                if !is_whole {
                    channel.older = Some(channel.older.map_or(after, |before| before.min(after)));
                }
                self.node.hub.wakers.wake([name].into_iter());
            }
        }
        if let Some(after) = channel.older.take() {
            self.read_older(name, after);
        }
        Ok(())
    }
}

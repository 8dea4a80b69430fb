//! A reader's place in each of its channels, and nothing else. The one model behind all doors.
//!
//! ```text
//!            resume                    next_batch
//!   asked ──────────▶ subscribed ─▶ at a place ─┐ event: one further
//!                     (announced)      ▲        │ lost: on to the head (announced)
//!                                      └────────┘
//! ```
//!
//! Nothing is queued for a reader. What it is sent next is read from the histories when it is ready to take it, so a slow
//! reader costs no memory, and one that is slower than a history is long is told so.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use watchfloor_model::{Mono, Position};

use self::patterns::Patterns;
use crate::{
    access::Rights,
    channel::Ring,
    clock::Now,
    cursor::{self, Places},
    ledger::Ledger,
    limits,
    message::{self, Access, Break, Message, Pulse},
    state::State,
};

mod patterns;

/// What a door wants to hear besides events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A connection: `hello`, every `subscribed`, heartbeats.
    Connection,
    /// A call in a row of calls: `subscribed` only where the reader can't just go on.
    Call,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Subscription {
    manner: Manner,
    heartbeat: Duration,
    greeted: bool,
    /// What the reader came by, if that was asked for.
    rights: Option<Rights>,
    /// Channels whose beginning is not announced yet, with the position asked for.
    asked: Places,
    /// Everything up to here was sent.
    places: BTreeMap<Arc<str>, Position>,
    /// Channels in which the reader is told who comes and goes: up to which move. None before the first list of who is there.
    people: BTreeMap<Arc<str>, Option<u64>>,
    /// What it asks for by the beginning of names; most ask for nothing like that.
    patterns: Option<Box<Patterns>>,
    /// How many channels and patterns there may be.
    channels_max: usize,
    next_heartbeat: Mono,
    clock_generation: u64,
    /// When it asked for channels last.
    came: Mono,
}

/// More channels than one subscription may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} channels: expected at most {max}")]
pub(crate) struct TooManyChannels {
    found: usize,
    max: usize,
}

impl Subscription {
    /// No channel yet. Heartbeats come at least every `heartbeat`.
    pub(crate) fn new(manner: Manner, heartbeat: Duration) -> Self {
        Self {
            manner,
            heartbeat,
            greeted: manner == Manner::Call,
            rights: None,
            asked: Places::new(),
            places: BTreeMap::new(),
            people: BTreeMap::new(),
            patterns: None,
            channels_max: limits::SUBSCRIPTION_CHANNELS_MAX,
            next_heartbeat: Mono::NEVER,
            clock_generation: 0,
            came: Mono::ZERO,
        }
    }

    /// There may be so many channels and no more, if that is less than may be in any case.
    pub(crate) fn have_at_most(&mut self, channels: usize) {
        self.channels_max = self.channels_max.min(channels);
    }

    /// The reader came by this, or presents it now.
    pub(crate) fn come_by(&mut self, mut rights: Rights) {
        // For sites that are asked, which is not done here.
        rights.claims = None;
        self.rights = Some(rights);
    }

    /// What the reader may read. Everything if nothing was asked for.
    pub(crate) fn rights(&self) -> Option<&Rights> {
        self.rights.as_ref()
    }

    /// Channels are asked for now.
    pub(crate) const fn come(&mut self, now: Mono) {
        self.came = now;
    }

    /// Whether there is room for these channels besides.
    ///
    /// # Errors
    /// If there would be too many.
    pub(crate) fn has_room_for(&self, asked: &Places) -> Result<(), TooManyChannels> {
        let passed = self.patterns.as_ref().map(|patterns| patterns.passed());
        let is_passed = |asked: &Arc<str>| passed.is_some_and(|passed| passed.contains(asked));
        let known =
            |asked: &&Arc<str>| self.has(asked) || is_passed(asked) || self.patterns().any(|pattern| pattern == *asked);
        let there_are =
            self.asked.len() + self.places.len() + self.patterns().count() + passed.map_or(0, BTreeSet::len);
        let found = there_are + asked.keys().filter(|asked| !known(asked)).count();
        if found > self.channels_max {
            return Err(TooManyChannels { found, max: self.channels_max });
        }
        Ok(())
    }

    /// Adds channels, or begins them anew.
    ///
    /// # Errors
    /// If there would be too many; then nothing changes.
    pub(crate) fn subscribe(&mut self, asked: Places) -> Result<(), TooManyChannels> {
        self.has_room_for(&asked)?;
        for (channel, place) in asked {
            if let Some(patterns) = &mut self.patterns {
                patterns.name(&channel);
            }
            self.places.remove(&channel);
            self.asked.insert(channel, place);
        }
        Ok(())
    }

    /// Takes a channel out.
    pub(crate) fn unsubscribe(&mut self, channel: &str) {
        self.asked.remove(channel);
        self.places.remove(channel);
        self.people.remove(channel);
        if let Some(patterns) = self.patterns.as_mut().filter(|patterns| patterns.has(channel)) {
            patterns.pass(channel.into());
        }
    }

    /// Asks for all channels of a pattern. For which, and how many there is room, is seen when they are [taken in](Self::join).
    pub(crate) fn ask_by(&mut self, pattern: Arc<str>, place: Option<Position>) {
        self.patterns.get_or_insert_default().ask(pattern, place);
    }

    /// The patterns that it asks by.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Arc<str>> {
        self.patterns.iter().flat_map(|patterns| patterns.all())
    }

    /// Lets go of a pattern. What is answered are the channels that were there by it alone, to be taken out.
    pub(crate) fn let_go_of(&mut self, pattern: &str) -> Vec<Arc<str>> {
        let Some(patterns) = &mut self.patterns else { return Vec::new() };
        let gone = patterns.let_go_of(pattern);
        if patterns.all().next().is_none() {
            self.patterns = None;
        }
        gone
    }

    /// The channels of its patterns that it hasn't got yet, each with the place from which it goes on, but for those that `is_for_names` says are had by
    /// their names alone.
    pub(crate) fn come_to_be(&mut self, ledger: &Ledger, is_for_names: impl Fn(&str) -> bool) -> Places {
        let Self { patterns: Some(patterns), asked, places, .. } = self else { return Places::new() };
        let has = |channel: &str| asked.contains_key(channel) || places.contains_key(channel);
        patterns.come_to_be(ledger, |channel| has(channel) || is_for_names(channel))
    }

    /// Takes in a channel that came to be.
    ///
    /// # Errors
    /// If there would be too many.
    pub(crate) fn join(&mut self, channel: Arc<str>, place: Option<Position>) -> Result<(), TooManyChannels> {
        self.subscribe(Places::from([(channel.clone(), place)]))?;
        self.patterns.get_or_insert_default().join(channel);
        Ok(())
    }

    /// Doesn't take in a channel that came to be, now or later.
    pub(crate) fn pass(&mut self, channel: Arc<str>) {
        self.patterns.get_or_insert_default().pass(channel);
    }

    fn has(&self, channel: &str) -> bool {
        self.asked.contains_key(channel) || self.places.contains_key(channel)
    }

    /// The reader is told from now on who comes to this channel and goes, after a list of who is there.
    pub(crate) fn hear_people(&mut self, channel: &Arc<str>) {
        self.people.insert(channel.clone(), None);
    }

    /// The channels of which it is told.
    pub(crate) fn heard_people(&self) -> impl Iterator<Item = &Arc<str>> {
        self.people.keys()
    }

    /// The channels of the subscription.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Arc<str>> {
        self.asked.keys().chain(self.places.keys())
    }

    /// Those that it asked for by their names.
    pub(crate) fn named(&self) -> impl Iterator<Item = &Arc<str>> {
        let is_named = |channel: &&Arc<str>| self.patterns.as_ref().is_none_or(|patterns| !patterns.has(channel));
        self.channels().filter(is_named)
    }

    /// The places as a cursor.
    pub(crate) fn cursor(&self) -> String {
        let patterns: Vec<_> = self.patterns.iter().flat_map(|patterns| patterns.places()).collect();
        let mut places: BTreeMap<_, _> = self.asked.iter().map(|(channel, place)| (channel, place.as_ref())).collect();
        places.extend(self.places.iter().map(|(channel, place)| (channel, Some(place))));
        places.extend(patterns.iter().map(|(pattern, place)| (*pattern, place.as_ref())));
        cursor::text(places.into_iter())
    }

    /// When the next heartbeat is due.
    pub(crate) const fn poll_timeout(&self) -> Mono {
        self.next_heartbeat
    }

    /// What the reader is sent next; empty if there is nothing to say yet.
    pub(crate) fn next_batch(&mut self, hub: &State, now: Now) -> Vec<Arc<str>> {
        let mut lines = Vec::new();
        let clock = hub.ledger().clock();
        if !self.greeted {
            self.greeted = true;
            self.next_heartbeat = now.mono.plus(self.heartbeat);
            self.clock_generation = clock.generation();
            let heartbeat_ms = u64::try_from(self.heartbeat.as_millis()).unwrap_or(u64::MAX);
            let access = self.rights.as_ref().map(|rights| Access::of(rights, now.mono));
            lines.push(Message::hello(heartbeat_ms, &clock.reading(now), access).line());
        }
        if !hub.may_send(now) {
            if now.mono >= self.next_heartbeat {
                self.next_heartbeat = now.mono.plus(self.heartbeat / 4);
            }
            return lines;
        }
        let begun = self.begin(hub, &mut lines);
        self.notice_losses(hub, &mut lines);
        self.take_people(hub, &mut lines);
        let due = begun || now.mono >= self.next_heartbeat || self.clock_generation != clock.generation();
        if due && !self.is_proven(hub, now.mono) {
            // What can't be proven isn't said: a reader that hears no heartbeat shows nothing as live.
            self.next_heartbeat = now.mono.plus(self.heartbeat / 4);
        } else if due && self.manner == Manner::Connection {
            self.next_heartbeat = now.mono.plus(self.heartbeat);
            self.clock_generation = clock.generation();
            lines.push(self.heartbeat(hub, now));
        }
        let before = lines.len();
        let oldest = self.take_events(hub, &mut lines);
        if !lines.is_empty() {
            let bytes = lines.iter().map(|line| line.len() + 1).sum();
            hub.told().give(bytes, (lines.len() - before) as u64, now.mono.since(oldest.unwrap_or(now.mono)));
        }
        lines
    }

    /// The text of what the reader is sent next, where that is events of one channel and nothing else: all readers at the same place share
    /// it. None if there is anything else to say, or nothing.
    pub(crate) fn next_shared(&mut self, hub: &mut State, now: Now) -> Option<Utf8Bytes> {
        let is_quiet = self.greeted
            && hub.may_send(now)
            && self.people.iter().all(|(channel, seen)| *seen == Some(hub.people().moves(channel)))
            && self.asked.is_empty()
            && now.mono < self.next_heartbeat
            && self.clock_generation == hub.ledger().clock().generation();
        if !is_quiet {
            return None;
        }
        let mut news = None;
        for (channel, place) in &mut self.places {
            let whole = place.epoch == *hub.ledger().epoch_of(channel);
            match hub.ring(channel) {
                Some(ring) if whole && ring.head() == place.offset => {}
                Some(ring) if whole && news.is_none() && ring.continues(place.offset) => news = Some((channel, place)),
                None if whole && place.offset == 0 => {}
                // Several channels, or something lost.
                _ => return None,
            }
        }
        let (channel, place) = news?;
        let oldest = hub.ring(channel)?.entry(place.offset + 1)?.at;
        let (text, upto) = hub.run_after(channel, place.offset)?;
        hub.told().give(text.as_str().len(), upto - place.offset, now.mono.since(oldest));
        place.offset = upto;
        Some(text)
    }

    /// The heartbeat that is true now.
    pub(crate) fn heartbeat(&self, hub: &State, now: Now) -> Arc<str> {
        let ledger = hub.ledger();
        let pulse = |(channel, place): (&'_ Arc<str>, &Position)| Pulse {
            head: place.clone(),
            behind: ledger.head(channel).offset.saturating_sub(place.offset),
            idle_ms: ledger
                .heard(channel)
                .map(|heard| u64::try_from(now.mono.since(heard).as_millis()).unwrap_or(u64::MAX)),
        };
        let channels = self.places.iter().map(|entry| (&**entry.0, pulse(entry))).collect();
        Message::Heartbeat { clock: &ledger.clock().reading(now), channels }.line()
    }

    /// Whether all heads that a heartbeat would name are known to be the newest.
    pub(crate) fn is_proven(&self, hub: &State, now: Mono) -> bool {
        self.asked.is_empty() && self.places.keys().all(|channel| hub.is_proven(channel, now))
    }

    /// Finds the place of each channel that was asked for, as far as that can be known yet.
    fn begin(&mut self, hub: &State, lines: &mut Vec<Arc<str>>) -> bool {
        let (ready, waiting): (Places, Places) = std::mem::take(&mut self.asked)
            .into_iter()
            .partition(|(channel, asked)| hub.can_begin(channel, asked.as_ref(), self.came));
        self.asked = waiting;
        let begun = !ready.is_empty() && self.asked.is_empty();
        for (channel, asked) in ready {
            let head = hub.ledger().head(&channel);
            let reason = resume(asked.as_ref(), &head, hub.ring(&channel));
            let from = match (reason, asked) {
                (None, Some(asked)) => asked,
                _ => head.clone(),
            };
            if reason.is_some() || self.manner == Manner::Connection {
                let recovered = reason.is_none();
                lines.push(
                    Message::Subscribed { channel: &channel, head: &head, from: &from, recovered, reason }.line(),
                );
                hub.told().begin(reason);
            }
            self.places.insert(channel, from);
        }
        begun
    }

    /// Says who is there, or who has come and gone since. Where too much of that was forgotten, who is there is said anew.
    fn take_people(&mut self, hub: &State, lines: &mut Vec<Arc<str>>) {
        let people = hub.people();
        for (channel, seen) in &mut self.people {
            if !self.places.contains_key(channel) || !people.knows_others(channel) {
                continue;
            }
            match seen {
                Some(seen) if !people.forgot(channel, *seen) => {
                    while let Some(moved) = people.after(channel, *seen) {
                        lines.push(moved.line.clone());
                        *seen += 1;
                    }
                }
                _ => {
                    let members: Vec<_> = people.members(channel).collect();
                    message::present(channel, &members, lines);
                    *seen = Some(people.moves(channel));
                }
            }
        }
    }

    /// Moves places that the history no longer reaches on to the head, and says so.
    fn notice_losses(&mut self, hub: &State, lines: &mut Vec<Arc<str>>) {
        for (channel, place) in &mut self.places {
            let head = hub.ledger().head(channel);
            let reason = match resume(Some(place), &head, hub.ring(channel)) {
                None => continue,
                Some(Break::Trimmed) => Break::Slow,
                Some(other) => other,
            };
            lines.push(Message::Lost { channel, from: place, head: &head, reason }.line());
            hub.told().lose(reason);
            *place = head;
        }
    }

    /// Takes events in the order in which the hub took them, across channels: when the oldest of them was taken.
    fn take_events(&mut self, hub: &State, lines: &mut Vec<Arc<str>>) -> Option<Mono> {
        let mut oldest = None;
        let mut readers: Vec<Behind<'_>> = self
            .places
            .iter_mut()
            .filter_map(|(channel, place)| Some(Behind { channel, ring: hub.ring(channel)?, place }))
            .filter(|behind| behind.ring.head() > behind.place.offset)
            .collect();
        readers.iter_mut().for_each(|behind| behind.pass_holes(lines));
        let mut order: BinaryHeap<_> =
            readers.iter().enumerate().filter_map(|(index, behind)| Some(Reverse((behind.next()?, index)))).collect();
        let mut bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        while lines.len() < limits::BATCH_MESSAGES_MAX {
            let Some(Reverse((_, index))) = order.pop() else { break };
            let behind = &mut readers[index];
            let Some(entry) = behind.ring.entry(behind.place.offset + 1) else { continue };
            bytes += entry.line.len() + 1;
            if bytes > limits::BATCH_BYTES_MAX && !lines.is_empty() {
                break;
            }
            oldest = oldest.or(Some(entry.at));
            lines.push(entry.line.clone());
            behind.place.offset += 1;
            behind.pass_holes(lines);
            if let Some(serial) = behind.next() {
                order.push(Reverse((serial, index)));
            }
        }
        oldest
    }
}

/// A channel of which the reader hasn't got everything.
struct Behind<'a> {
    channel: &'a str,
    ring: &'a Ring,
    place: &'a mut Position,
}

impl Behind<'_> {
    /// The number of the next event among those of all channels.
    fn next(&self) -> Option<u64> {
        self.ring.entry(self.place.offset + 1).map(|entry| entry.serial)
    }

    /// Goes on after what a crash has taken, and says so.
    fn pass_holes(&mut self, lines: &mut Vec<Arc<str>>) {
        while let Some(upto) = self.ring.hole_after(self.place.offset) {
            let head = Position::new(self.place.epoch.clone(), upto);
            let (channel, reason) = (self.channel, Break::HubCrashed);
            lines.push(Message::Lost { channel, from: self.place, head: &head, reason }.line());
            self.place.offset = upto;
        }
    }
}

/// Why a reader can't go on after `asked`; none if it can.
fn resume(asked: Option<&Position>, head: &Position, ring: Option<&Ring>) -> Option<Break> {
    let Some(asked) = asked else { return Some(Break::Fresh) };
    if asked.epoch != head.epoch {
        return Some(Break::EpochChanged);
    }
    if asked.offset > head.offset {
        return Some(Break::Ahead);
    }
    let reaches = asked.offset == head.offset || ring.is_some_and(|ring| ring.continues(asked.offset));
    (!reaches).then_some(Break::Trimmed)
}

#[cfg(test)]
mod tests;

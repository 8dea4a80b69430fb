//! What was delivered, what must be held, and how the two are joined without a hole or a double (H3).
//!
//! ```text
//!              ┌──────────── hold ────────────┐
//! begin_link → │ subscribed… (all connected)  │ → release: replay flows → caught up
//!              │ subscribed… (one is not)     │ → snapshot → release    → caught up
//!              └──────────────────────────────┘
//! lost, unreadable twice: → hold again
//! ```
//!
//! Two places are kept a channel: `stream`, up to which the link was followed, and `delivered`, up to which everything
//! was handed over. Holes are found on the first, doubles dropped by the second. A snapshot may be ahead of the
//! stream; then what follows is overlap until the stream has come to the snapshot's place, with or without holes.

mod backlog;
mod channel;
mod early;
mod hold;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::{Continuity, Event, Gap, Mono, Position, Timestamp};

pub(crate) use self::channel::Cursor;
use self::{
    channel::{Advance, Channel},
    early::Early,
    hold::Hold,
};
use crate::{
    limits::HELD_EVENTS_MAX,
    protocols::{Place, counted::is_counted},
};

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Step {
    /// Hand it over.
    Deliver(Event),
    /// It waits for the snapshot.
    Held,
    /// It waits for what lies between.
    Early,
    /// The hold was full: everything in it was dropped, and a snapshot must cover it.
    Overflow,
    /// The snapshot has it already.
    Overlap,
    /// It was handed over before.
    Duplicate,
    /// It belongs to a subscription that has ended.
    Stale,
    /// Something is missing before it; here it is again.
    Hole(Hole, Option<Event>),
}

/// A place where the stream doesn't go on as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) channel: usize,
    /// What is wrong, for people.
    pub(crate) text: String,
    /// How often it was met at this place.
    pub(crate) times: u32,
    /// The place right before what was found.
    pub(crate) before: Position,
}

/// How a snapshot joins the stream.
#[derive(Debug)]
pub(crate) enum Merge {
    /// What was held goes on from it: these events follow it.
    Joined(Vec<Event>),
    /// It is older than what was held: the stream must be asked for again from its place.
    Replay,
}

/// What the gaps of one catching up have in common.
#[derive(Clone, Debug)]
pub(crate) struct GapContext {
    /// Why the link was lost, or events of it, if they were.
    pub(crate) loss: Option<String>,
    /// Whether all channels were, also those that are connected.
    pub(crate) is_whole: bool,
    /// When the last thing before was heard.
    pub(crate) began: Mono,
    /// Now.
    pub(crate) ended: Mono,
}

/// Events next to each other that can't be read, among those that are held.
#[derive(Debug)]
struct Unread {
    channel: usize,
    /// The place right before them, and the last of them.
    from: Position,
    to: Position,
    /// What is wrong with the first one, for people.
    text: String,
}

/// The channels of one source.
#[derive(Debug)]
pub(crate) struct Catchup {
    channels: Vec<Channel>,
    hold: Option<Hold>,
    /// What of the hold can't be read.
    unread: Vec<Unread>,
    early: Early,
}

impl Catchup {
    /// An event that comes ahead of its place waits for as long as `window`.
    pub(crate) fn new(channels: &[Arc<str>], window: Duration) -> Self {
        let channels = channels.iter().cloned().map(Channel::new).collect();
        Self { channels, hold: None, unread: Vec::new(), early: Early::new(window) }
    }

    /// Takes places from an earlier life. Other channels' are ignored.
    pub(crate) fn restore(&mut self, positions: &BTreeMap<Arc<str>, Position>) {
        for channel in &mut self.channels {
            channel.delivered = positions.get(&channel.name).cloned();
        }
    }

    /// The same channels from what was delivered, for a link beside the one that is followed.
    pub(crate) fn beside(&self) -> Self {
        let beside = |channel: &Channel| {
            let mut beside = Channel::new(channel.name.clone());
            beside.delivered.clone_from(&channel.delivered);
            beside
        };
        let early = Early::new(self.early.window());
        let channels = self.channels.iter().map(beside).collect();
        Self { channels, hold: None, unread: Vec::new(), early }
    }

    /// Whether everything that `other` delivered, and everything that the server had when it was asked, has come here.
    pub(crate) fn has_come_to(&self, other: &Self) -> bool {
        let covers = |(channel, other): (&Channel, &Channel)| {
            let Some(cursor) = channel.cursor.as_ref().filter(|cursor| cursor.connected && cursor.beaten) else {
                return false;
            };
            let covers = |place: &Position| cursor.stream.covers(place) == Some(true);
            let is_settled = |place: &Position| cursor.unreadable.is_none_or(|offset| offset <= place.offset);
            covers(&cursor.target) && other.delivered.as_ref().is_some_and(|place| covers(place) && is_settled(place))
        };
        self.hold.is_some() && self.channels.iter().zip(&other.channels).all(covers)
    }

    /// Forgets what is held here and was delivered by `other`.
    pub(crate) fn forget_delivered(&mut self, other: &Self) {
        let Some(hold) = &mut self.hold else { return };
        hold.retain(|channel, offset| {
            let delivered = other.channels[channel].delivered.as_ref();
            delivered.is_none_or(|delivered| offset > delivered.offset)
        });
    }

    pub(crate) fn is_half_full(&self) -> bool {
        self.hold.as_ref().is_some_and(Hold::is_half_full)
    }

    /// Goes on with the stream of `other`, which has come to what was delivered here: what it holds beyond that.
    pub(crate) fn take_over(&mut self, other: Self) -> Vec<Event> {
        for (channel, other) in self.channels.iter_mut().zip(other.channels) {
            channel.cursor = other.cursor;
        }
        self.hold = other.hold;
        self.unread = other.unread;
        self.early = other.early;
        self.release()
    }

    pub(crate) fn places(&self) -> Vec<Place> {
        let place = |channel: &Channel| Place { channel: channel.name.clone(), position: channel.delivered.clone() };
        self.channels.iter().map(place).collect()
    }

    pub(crate) fn delivered(&self) -> impl Iterator<Item = (&Arc<str>, &Position)> {
        self.channels.iter().filter_map(|channel| Some((&channel.name, channel.delivered.as_ref()?)))
    }

    pub(crate) fn has_delivered(&self) -> bool {
        self.channels.iter().any(|channel| channel.delivered.is_some())
    }

    /// A subscription is asked for: hold from its beginning, forget the one before.
    pub(crate) fn begin_link(&mut self) {
        self.end_link();
        self.hold = Some(Hold::default());
    }

    /// The link is gone, and with it what was held.
    pub(crate) fn end_link(&mut self) {
        self.hold = None;
        self.unread.clear();
        self.early.clear();
        for channel in &mut self.channels {
            channel.cursor = None;
        }
    }

    /// A subscription was answered. Returns whether it was one that was waited for.
    pub(crate) fn subscribed(&mut self, index: usize, cursor: Cursor) -> bool {
        let channel = &mut self.channels[index];
        if channel.cursor.is_some() {
            return false;
        }
        let connected = cursor.connected && channel.delivered.as_ref() == Some(&cursor.stream);
        let ahead = channel.delivered.as_ref().is_some_and(|delivered| cursor.target.covers(delivered) == Some(false));
        channel.cursor = Some(Cursor { connected, void: ahead && !connected, ..cursor });
        true
    }

    pub(crate) fn all_subscribed(&self) -> bool {
        self.channels.iter().all(|channel| channel.cursor.is_some())
    }

    /// Whether everything that comes joins what was delivered.
    pub(crate) fn all_connected(&self) -> bool {
        self.channels.iter().all(|channel| channel.cursor.as_ref().is_some_and(|cursor| cursor.connected))
    }

    pub(crate) const fn is_holding(&self) -> bool {
        self.hold.is_some()
    }

    /// A channel that is subscribed and not among `named`.
    pub(crate) fn left_out(&self, named: impl ExactSizeIterator<Item = usize>) -> Option<usize> {
        if named.len() == self.channels.len() {
            return None;
        }
        let named: BTreeSet<usize> = named.collect();
        self.channels
            .iter()
            .enumerate()
            .position(|(index, channel)| channel.cursor.is_some() && !named.contains(&index))
    }

    /// Takes an event of the stream. After it, those that waited for it are to be had by [`Catchup::take_early`].
    pub(crate) fn event(&mut self, index: usize, position: &Position, event: Event) -> Step {
        if !self.early.has_room(&event) || !self.channels[index].is_ahead(position) {
            return self.next_event(index, position, event);
        }
        if self.early.put(index, position.offset, event) { Step::Early } else { Step::Duplicate }
    }

    /// Until when what came ahead of its place waits.
    pub(crate) fn early_until(&self) -> Option<Mono> {
        self.early.until()
    }

    /// An event that has waited for those before it, if they came or won't come any more: the stream's next.
    pub(crate) fn take_early(&mut self, now: Mono) -> Option<(usize, Position, Event)> {
        let channels = &self.channels;
        let (index, event) = self.early.take(now, |index, place| !channels[index].is_ahead(place))?;
        Some((index, event.position.clone()?, event))
    }

    /// Takes the next event of the stream, whatever is missing before it.
    pub(crate) fn next_event(&mut self, index: usize, position: &Position, event: Event) -> Step {
        match self.advance(index, position) {
            Advance::Next => {}
            Advance::Overlap => return Step::Overlap,
            Advance::Duplicate => return Step::Duplicate,
            Advance::Stale => return Step::Stale,
            Advance::Hole(hole) => return Step::Hole(hole, Some(event)),
        }
        let Some(hold) = &mut self.hold else { return Step::Deliver(event) };
        if hold.push(index, position.offset, event) {
            return Step::Held;
        }
        self.disconnect_all("more came than could be held back");
        Step::Overflow
    }

    /// Finds that the event at `position` can't be read. The hole before it, if it isn't the next one, or the one that it is.
    /// While holding, a snapshot that is to come covers it; if there is none (`alone`), what is held around it is all there is.
    pub(crate) fn unreadable(&mut self, index: usize, position: &Position, text: &str, alone: bool) -> Option<Hole> {
        match self.channels[index].unreadable(index, position, text) {
            Advance::Hole(hole) if self.hold.is_some() => {
                if !(alone && hole.before == *position && self.leave_out(index, position, text)) {
                    self.disconnect(index, position, text.to_owned());
                }
                None
            }
            Advance::Hole(hole) => Some(hole),
            Advance::Next | Advance::Overlap | Advance::Duplicate | Advance::Stale => None,
        }
    }

    /// Goes on holding behind what can't be read. Whether there is room to say later what that was.
    fn leave_out(&mut self, index: usize, position: &Position, text: &str) -> bool {
        let Some(cursor) = &mut self.channels[index].cursor else { return false };
        let last = self.unread.iter_mut().rev().find(|unread| unread.channel == index);
        if let Some(last) = last.filter(|last| last.to == cursor.stream) {
            last.to = position.clone();
        } else if self.unread.len() < HELD_EVENTS_MAX {
            let (from, to) = (cursor.stream.clone(), position.clone());
            self.unread.push(Unread { channel: index, from, to, text: text.to_owned() });
        } else {
            return false;
        }
        cursor.stream.go_to(position);
        cursor.backlog.reach(position.offset);
        true
    }

    /// The gaps within what was held, by channel: each comes right before the event behind it.
    pub(crate) fn take_unread(&mut self, context: &GapContext) -> BTreeMap<Arc<str>, VecDeque<Gap>> {
        let mut gaps: BTreeMap<Arc<str>, VecDeque<Gap>> = BTreeMap::new();
        for Unread { channel, from, to, text } in std::mem::take(&mut self.unread) {
            let channel = self.channels[channel].name.clone();
            gaps.entry(channel.clone()).or_default().push_back(Gap {
                channel,
                from: Some(from),
                to: Some(to),
                proof: Continuity::Unknown,
                reason: text,
                began: context.began,
                ended: context.ended,
                source_times: None,
            });
        }
        gaps
    }

    /// The same on a link beside the one that is followed, which may bring it readable.
    pub(crate) fn unreadable_beside(&mut self, index: usize, position: &Position) {
        self.advance(index, position);
        if let Some(cursor) = &mut self.channels[index].cursor {
            cursor.unreadable = Some(position.offset);
        }
    }

    fn advance(&mut self, index: usize, position: &Position) -> Advance {
        let advance = self.channels[index].advance(index, position, self.hold.is_some());
        match advance {
            // While holding, a hole is closed by the snapshot that is needed anyway.
            Advance::Hole(hole) if self.hold.is_some() => {
                self.disconnect(index, &hole.before, hole.text);
                self.advance(index, position)
            }
            other => other,
        }
    }

    /// The server says that it has sent everything up to `head`, and has, since `since` or later, `behind` more events.
    pub(crate) fn beat(&mut self, index: usize, head: &Position, behind: u64, since: Mono) -> Option<Hole> {
        if is_counted(head) {
            self.channels[index].bound(head, behind);
        }
        self.channels[index].claim(head, behind, since);
        if self.early.has(index) {
            // What is missing is known, and may be about to come.
            return None;
        }
        let hole = self.channels[index].beat(index, head, behind, since)?;
        if self.hold.is_none() {
            return Some(hole);
        }
        self.disconnect(index, head, hole.text);
        None
    }

    /// The server says that events are missing before `head`: hold until a snapshot covers them. If there is none (`alone`), what is
    /// held before it is all there is.
    pub(crate) fn lost(&mut self, index: usize, head: &Position, reason: &str, alone: bool) {
        let Some(cursor) = &self.channels[index].cursor else { return };
        let is_ahead = head.epoch == cursor.stream.epoch && head.offset >= cursor.stream.offset;
        if alone && self.hold.is_some() && is_ahead && self.leave_out(index, head, reason) {
            return;
        }
        self.begin_hold();
        self.disconnect(index, head, reason.to_owned());
        // What the server had beyond when the subscription began is still to come. Where the wall counts and nobody knows how many are
        // missing, the next heartbeat tells how much of it is.
        if let Some(cursor) = &mut self.channels[index].cursor
            && cursor.target.covers(head) != Some(true)
        {
            cursor.target = head.clone();
        }
    }

    /// Gives up what is missing before `hole.before`, and waits for a snapshot to cover it.
    pub(crate) fn hold_after(&mut self, hole: &Hole) {
        self.begin_hold();
        self.disconnect(hole.channel, &hole.before, hole.text.clone());
    }

    /// Gives up what is missing before `hole.before` for good.
    pub(crate) fn jump(&mut self, hole: &Hole, context: &GapContext) -> Gap {
        let channel = &mut self.channels[hole.channel];
        let gap = Gap {
            channel: channel.name.clone(),
            from: channel.delivered.replace(hole.before.clone()),
            to: Some(hole.before.clone()),
            proof: Continuity::Unknown,
            reason: hole.text.clone(),
            began: context.began,
            ended: context.ended,
            source_times: None,
        };
        if let Some(cursor) = &mut channel.cursor {
            cursor.move_to(&hole.before);
            if cursor.target.epoch != hole.before.epoch {
                cursor.target = hole.before.clone();
            }
        }
        gap
    }

    /// A snapshot came: how it joins, and the gaps that it closes. The error says why it can't be used.
    pub(crate) fn snapshot(
        &mut self,
        positions: &BTreeMap<Arc<str>, Position>,
        context: &GapContext,
    ) -> Result<(Vec<Gap>, Merge), String> {
        let mut replay = false;
        let mut places = Vec::with_capacity(self.channels.len());
        for channel in &self.channels {
            let place = positions.get(&channel.name).ok_or("the snapshot lacks a channel")?;
            replay |= channel.accepts(place)?;
            places.push(place.clone());
        }
        let mut gaps = Vec::new();
        for (channel, place) in self.channels.iter_mut().zip(places) {
            gaps.extend(channel.gap_to(&place, Continuity::Snapshot, context));
            if let Some(cursor) = &mut channel.cursor {
                cursor.backlog.reach(place.offset);
                cursor.snapshot = Some(context.ended);
            }
            channel.delivered = Some(place);
        }
        if replay {
            self.end_link();
            return Ok((gaps, Merge::Replay));
        }
        Ok((gaps, Merge::Joined(self.release())))
    }

    /// Everything is connected: the gaps that the replay closes, and the events that were held meanwhile.
    pub(crate) fn replay(&mut self, context: &GapContext) -> (Vec<Gap>, Vec<Event>) {
        let gap = |channel: &Channel| {
            let target = channel.cursor.as_ref()?.target.clone();
            channel.gap_to(&target, Continuity::Proven, context)
        };
        let gaps = self.channels.iter().filter_map(gap).collect();
        (gaps, self.release())
    }

    /// There is no snapshot to be had that is true at a place: what is missing is closed by `proof` or not at all, and the stream
    /// goes on from where it is, with what is held.
    pub(crate) fn pass_over(&mut self, proof: Continuity, reason: &str, context: &GapContext) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for channel in &mut self.channels {
            let Some(cursor) = &channel.cursor else { continue };
            if cursor.connected {
                // It may have been followed further since its subscription began.
                let further = channel.delivered.as_ref().filter(|place| place.covers(&cursor.target) == Some(true));
                gaps.extend(channel.gap_to(further.unwrap_or(&cursor.target), Continuity::Proven, context));
                continue;
            }
            let place = cursor.hold_from.clone();
            // What is counted here began with the link, and not with the channel.
            if place.offset > 0 || channel.delivered.is_some() || is_counted(&place) {
                let mut gap = channel.gap(&place, proof, context);
                gap.reason = match &channel.delivered {
                    Some(_) => format!("{}; {reason}", gap.reason),
                    None => reason.to_owned(),
                };
                gaps.push(gap);
            }
            channel.delivered = Some(place);
        }
        gaps
    }

    /// The earliest time of what is held.
    pub(crate) fn held_since(&self) -> Option<Timestamp> {
        self.hold.as_ref()?.earliest()
    }

    /// Whether everything that the server had when it was asked, and said since to have sent, was delivered.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.hold.is_none() && self.channels.iter().all(Channel::is_caught_up)
    }

    /// Since when the server has had events that it hasn't sent, if there are any.
    pub(crate) fn outstanding_since(&self) -> Option<Mono> {
        let cursors = self.channels.iter().filter_map(|channel| channel.cursor.as_ref());
        cursors.filter_map(|cursor| cursor.backlog.since()).min()
    }

    fn begin_hold(&mut self) {
        if self.hold.is_some() {
            return;
        }
        self.hold = Some(Hold::default());
        for cursor in self.channels.iter_mut().filter_map(|channel| channel.cursor.as_mut()) {
            cursor.hold_from = cursor.stream.clone();
        }
    }

    fn disconnect(&mut self, index: usize, at: &Position, reason: String) {
        if let Some(hold) = &mut self.hold {
            hold.remove(index);
        }
        self.unread.retain(|unread| unread.channel != index);
        if let Some(cursor) = &mut self.channels[index].cursor {
            cursor.move_to(at);
            cursor.hold_from = at.clone();
            cursor.connected = false;
            cursor.reason = Some(reason);
        }
    }

    /// Drops what is held.
    fn disconnect_all(&mut self, reason: &str) {
        self.hold = Some(Hold::default());
        self.unread.clear();
        for channel in &mut self.channels {
            let Some(cursor) = &mut channel.cursor else { continue };
            if cursor.hold_from != cursor.stream {
                cursor.hold_from = cursor.stream.clone();
                cursor.connected = false;
                cursor.reason.get_or_insert_with(|| reason.to_owned());
            }
        }
    }

    /// Ends the hold: what of it follows what was delivered.
    pub(crate) fn release(&mut self) -> Vec<Event> {
        let channels = &mut self.channels;
        let follows = |index: usize, offset: u64| {
            channels[index].delivered.as_ref().is_none_or(|delivered| offset > delivered.offset)
        };
        let events = self.hold.take().map(|hold| hold.into_events(follows)).unwrap_or_default();
        for channel in channels {
            channel.catch_up_with_stream();
        }
        events
    }
}

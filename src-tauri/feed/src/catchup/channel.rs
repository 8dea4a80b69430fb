//! One channel's places.

use std::sync::Arc;

use watchfloor_model::{Continuity, Gap, Mono, Position};

use super::{GapContext, Hole, backlog::Backlog};

/// A channel, over all links.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) name: Arc<str>,
    /// Everything up to here was handed over, or is known to be unreadable.
    pub(super) delivered: Option<Position>,
    /// Its subscription on the present link, once that is answered.
    pub(super) cursor: Option<Cursor>,
    /// Where a hole was last met, and how often.
    stuck: Option<(Position, u32)>,
}

/// A channel's subscription on one link.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The link was followed up to here.
    pub(crate) stream: Position,
    /// The newest event when the subscription began.
    pub(crate) target: Position,
    /// Held events begin after this.
    pub(crate) hold_from: Position,
    /// Whether what comes after `hold_from` joins what was delivered.
    pub(crate) connected: bool,
    /// Whether the server's places can't be compared with ours: its history ended before them.
    pub(crate) void: bool,
    /// Whether a heartbeat has confirmed the stream.
    pub(crate) beaten: bool,
    /// The last place, on a link beside the one that is followed, of which the event can't be read.
    pub(super) unreadable: Option<u64>,
    /// When a snapshot was taken on this link.
    pub(super) snapshot: Option<Mono>,
    /// What the server has for us and hasn't sent.
    pub(super) backlog: Backlog,
    /// Why it doesn't join.
    pub(crate) reason: Option<String>,
}

impl Cursor {
    /// A subscription that begins after `from`; `recovered` if that is what was asked for.
    pub(crate) fn new(from: Position, head: Position, recovered: bool, reason: Option<String>) -> Self {
        Self {
            stream: from.clone(),
            target: head,
            hold_from: from,
            connected: recovered,
            void: false,
            beaten: false,
            unreadable: None,
            snapshot: None,
            backlog: Backlog::default(),
            reason,
        }
    }

    /// Goes on after `place`, whatever lies between.
    pub(super) fn move_to(&mut self, place: &Position) {
        self.backlog.reach(if place.epoch == self.stream.epoch { place.offset } else { u64::MAX });
        self.stream = place.clone();
    }
}

/// What a place means for the stream.
#[derive(Debug)]
pub(super) enum Advance {
    Next,
    Overlap,
    Duplicate,
    Stale,
    Hole(Hole),
}

impl Channel {
    pub(super) const fn new(name: Arc<str>) -> Self {
        Self { name, delivered: None, cursor: None, stuck: None }
    }

    /// Follows the stream to `position`, and hands over unless `holding`.
    pub(super) fn advance(&mut self, index: usize, position: &Position, holding: bool) -> Advance {
        match self.place(index, position) {
            Advance::Next => {}
            other => return other,
        }
        let Some(cursor) = &mut self.cursor else { return Advance::Stale };
        cursor.stream.go_to(position);
        cursor.backlog.reach(position.offset);
        if holding {
            return Advance::Next;
        }
        match &mut self.delivered {
            Some(delivered) if delivered.epoch == position.epoch => {
                if delivered.offset >= position.offset {
                    return Advance::Overlap;
                }
                delivered.go_to(position);
            }
            delivered => *delivered = Some(position.clone()),
        }
        Advance::Next
    }

    /// Whether something of the stream is missing before `position`.
    pub(super) fn is_ahead(&self, position: &Position) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| {
            position.epoch == cursor.stream.epoch
                && position.offset > cursor.stream.offset.saturating_add(1)
                && !is_known(cursor, self.delivered.as_ref(), &before(position))
        })
    }

    /// Whether `position` is the stream's next one.
    fn place(&mut self, index: usize, position: &Position) -> Advance {
        let Some(cursor) = &self.cursor else { return Advance::Stale };
        if position.epoch != cursor.stream.epoch {
            return self.hole(index, position, format!("an event of epoch `{}`, unannounced", position.epoch));
        }
        if position.offset <= cursor.stream.offset {
            return Advance::Duplicate;
        }
        if !position.follows(&cursor.stream) && !is_known(cursor, self.delivered.as_ref(), &before(position)) {
            let text = format!("events missing after {}: the next was {position}", cursor.stream);
            return self.hole(index, position, text);
        }
        Advance::Next
    }

    /// The event at `position` can't be read: a hole, unless it was handed over.
    pub(super) fn unreadable(&mut self, index: usize, position: &Position, text: &str) -> Advance {
        match self.place(index, position) {
            Advance::Next => {}
            other => return other,
        }
        let Some(cursor) = &mut self.cursor else { return Advance::Stale };
        if is_known(cursor, self.delivered.as_ref(), position) {
            cursor.move_to(position);
            return Advance::Overlap;
        }
        let after = Position::new(position.epoch.clone(), position.offset.saturating_add(1));
        match self.hole(index, &after, text.to_owned()) {
            // If it is passed over, the stream goes on behind it by the name that the server has for it.
            Advance::Hole(hole) => Advance::Hole(Hole { before: position.clone(), ..hole }),
            other => other,
        }
    }

    /// Takes what a heartbeat says of events that are still to be sent: they are there since `since`, or later.
    pub(super) fn claim(&mut self, head: &Position, behind: u64, since: Mono) {
        let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.stream.epoch == head.epoch) else { return };
        let claimed = Position::new(head.epoch.clone(), head.offset.saturating_add(behind));
        if claimed.offset > cursor.stream.offset && !is_known(cursor, self.delivered.as_ref(), &claimed) {
            cursor.backlog.claim(since, claimed.offset);
        }
    }

    /// A heartbeat says that there is no more than `behind` after `head`: what was expected beyond, counted by the wall, is among what is
    /// missing.
    pub(super) fn bound(&mut self, head: &Position, behind: u64) {
        let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.target.epoch == head.epoch) else { return };
        cursor.target.offset = cursor.target.offset.min(head.offset.saturating_add(behind));
    }

    /// Compares a heartbeat with the stream, and with the snapshot. It was sent at `since` or later.
    pub(super) fn beat(&mut self, index: usize, head: &Position, behind: u64, since: Mono) -> Option<Hole> {
        if let Some(text) = self.contradiction(head, behind, since) {
            return self.hole_after(index, head, text);
        }
        let cursor = self.cursor.as_mut()?;
        if cursor.stream.covers(head) == Some(false) && is_known(cursor, self.delivered.as_ref(), head) {
            cursor.move_to(head);
        }
        if cursor.stream.covers(head) == Some(true) {
            cursor.beaten = true;
            return None;
        }
        let text = format!("events missing after {}: the server has sent up to {head}", cursor.stream);
        self.hole_after(index, head, text)
    }

    /// What a heartbeat says that can't be true of the history that was followed so far. Events of another history would be
    /// taken for repetitions of what was delivered.
    fn contradiction(&self, head: &Position, behind: u64, since: Mono) -> Option<String> {
        let cursor = self.cursor.as_ref().filter(|cursor| cursor.stream.epoch == head.epoch)?;
        if head.offset < cursor.stream.offset {
            return Some(format!("the server says that it has sent up to {head}, and {} came before", cursor.stream));
        }
        let delivered = self.delivered.as_ref().filter(|delivered| delivered.epoch == head.epoch && !cursor.void)?;
        let is_later = cursor.snapshot.is_some_and(|taken| taken < since);
        (is_later && head.offset.saturating_add(behind) < delivered.offset)
            .then(|| format!("the server's snapshot was at {delivered}, and it has only {behind} more after {head}"))
    }

    fn hole_after(&mut self, index: usize, head: &Position, text: String) -> Option<Hole> {
        let after = Position::new(head.epoch.clone(), head.offset.saturating_add(1));
        match self.hole(index, &after, text) {
            Advance::Hole(hole) => Some(hole),
            Advance::Next | Advance::Overlap | Advance::Duplicate | Advance::Stale => None,
        }
    }

    fn hole(&mut self, index: usize, found: &Position, text: String) -> Advance {
        let Some(cursor) = &self.cursor else { return Advance::Stale };
        let times = match &mut self.stuck {
            Some((at, times)) if *at == cursor.stream => {
                *times = times.saturating_add(1);
                *times
            }
            stuck => {
                *stuck = Some((cursor.stream.clone(), 1));
                1
            }
        };
        Advance::Hole(Hole { channel: index, text, times, before: before(found) })
    }

    /// Whether a snapshot at `place` leaves a stretch before what is held. The error says why it can't be used at all.
    pub(super) fn accepts(&self, place: &Position) -> Result<bool, String> {
        let Some(cursor) = &self.cursor else { return Err(format!("`{}` is not subscribed", self.name)) };
        if place.epoch != cursor.stream.epoch {
            return Err(format!(
                "the snapshot is of history `{}`, the stream of `{}`",
                place.epoch, cursor.stream.epoch
            ));
        }
        if let Some(delivered) = self.delivered.as_ref().filter(|_| !cursor.void)
            && place.covers(delivered) == Some(false)
        {
            return Err(format!("the snapshot is at {place}, older than {delivered}, which was seen"));
        }
        Ok(place.offset < cursor.hold_from.offset)
    }

    /// The gap that ends at `to`, if there is one: something was missed, or the link was lost. What was lost of another channel is none of this one.
    pub(super) fn gap_to(&self, to: &Position, proof: Continuity, context: &GapContext) -> Option<Gap> {
        let delivered = self.delivered.as_ref()?;
        let is_connected = self.cursor.as_ref().is_some_and(|cursor| cursor.connected);
        let was_lost = context.loss.is_some() && (context.is_whole || !is_connected);
        (was_lost || delivered != to).then(|| self.gap(to, proof, context))
    }

    pub(super) fn gap(&self, to: &Position, proof: Continuity, context: &GapContext) -> Gap {
        let why = self.cursor.as_ref().and_then(|cursor| cursor.reason.clone());
        let reason = match (context.loss.clone(), why) {
            (Some(loss), Some(why)) if !loss.contains(&why) => format!("{loss}; {why}"),
            (Some(loss), Some(_)) => loss,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "not connected meanwhile".to_owned(),
        };
        Gap {
            channel: self.name.clone(),
            from: self.delivered.clone(),
            to: Some(to.clone()),
            proof,
            reason,
            began: context.began,
            ended: context.ended,
            source_times: None,
        }
    }

    /// What was held has been handed over.
    pub(super) fn catch_up_with_stream(&mut self) {
        let Some(cursor) = &mut self.cursor else { return };
        let behind = self.delivered.as_ref().is_none_or(|delivered| cursor.stream.covers(delivered) != Some(false));
        if behind {
            self.delivered = Some(cursor.stream.clone());
        }
        cursor.connected = true;
        cursor.void = false;
    }

    pub(super) fn is_caught_up(&self) -> bool {
        let Some(cursor) = &self.cursor else { return false };
        let covered = self.delivered.as_ref().and_then(|delivered| delivered.covers(&cursor.target));
        cursor.beaten && covered == Some(true)
    }
}

/// The place right before `found`.
fn before(found: &Position) -> Position {
    Position::new(found.epoch.clone(), found.offset.saturating_sub(1))
}

/// Whether everything up to `place` was handed over, with a snapshot that is ahead of the stream: nothing is missing if
/// the stream leaves some of it out.
fn is_known(cursor: &Cursor, delivered: Option<&Position>, place: &Position) -> bool {
    !cursor.void && delivered.and_then(|delivered| delivered.covers(place)) == Some(true)
}

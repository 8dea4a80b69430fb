//! A channel on one connection: where it stands, and what it knows of what came.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use watchfloor_model::{MARK_BYTES_MAX, Position, limits::DATA_BYTES_MAX};

use super::{
    history::Recall,
    memory::{Kept, RECENT_MAX, Recent},
    presence::Presence,
    vcdiff,
    wire::Said,
};
use crate::protocols::counted::is_counted;

/// What separates the parts of a mark that stands within a protocol message.
const WITHIN: char = ' ';

/// Whether a channel is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Attachment {
    #[default]
    None,
    Asked,
    Attached,
}

/// Events that came already after the serial that is asked for: so many are left, of which the last has this id.
#[derive(Debug)]
struct Skip {
    left: u64,
    id: String,
}

/// A channel.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) state: Attachment,
    /// Whether the feed knows it as subscribed.
    pub(super) joined: bool,
    /// The place to go on after.
    pub(super) asked: Option<Position>,
    /// Why none is asked for.
    pub(super) why_not: Option<&'static str>,
    /// The last serial up to which everything came, and how many events came after it.
    pub(super) serial: Option<Arc<str>>,
    passed: u64,
    skip: Option<Skip>,
    /// The id of the last event that was handed over, by its place.
    last: Option<String>,
    /// What was missed is being asked for.
    pub(super) recall: Option<Recall>,
    /// It is gone on with, whatever is known of what came.
    is_begun: bool,
    /// Ids of what came last.
    pub(super) seen: BTreeSet<Arc<str>>,
    recent: VecDeque<Recent>,
    pub(super) presence: Presence,
    /// The message by which the next one may be told, where deltas were asked for: its id, and its payload.
    pub(super) base: Option<(Arc<str>, Vec<u8>)>,
}

impl Channel {
    /// One that is to go on after `place`, by what the connection before knew.
    pub(super) fn after(place: Option<&Position>, kept: Kept) -> Self {
        let mut channel = Self::default();
        channel.presence.members = kept.members;
        let Some(place) = place else {
            channel.why_not = Some("no place asked for");
            return channel;
        };
        channel.is_begun = true;
        // What came and wasn't handed over comes again, and is wanted.
        let is_before = |recent: &Recent| recent.epoch == place.epoch && recent.offset <= place.offset;
        for recent in kept.recent.into_iter().filter(|recent| recent.delivered || is_before(recent)) {
            channel.keep(Recent { delivered: true, ..recent });
        }
        let mark = place.mark.as_deref().filter(|mark| !mark.is_empty() && is_counted(place));
        let Some(mark) = mark else {
            channel.why_not = Some("the place has no serial by which to go on");
            return channel;
        };
        let mut parts = mark.splitn(3, WITHIN);
        let serial = parts.next().unwrap_or_default();
        if let Some(count) = parts.next() {
            let Ok(left) = count.parse() else {
                channel.why_not = Some("the place has no serial by which to go on");
                return channel;
            };
            let id = parts.next().unwrap_or_default();
            channel.last = Some(id.to_owned()).filter(|id| !id.is_empty());
            channel.skip = (left > 0 && !serial.is_empty()).then(|| Skip { left, id: id.to_owned() });
        }
        channel.serial = Some(serial.into()).filter(|_| !serial.is_empty());
        if serial.is_empty() {
            channel.why_not = Some("the place has no serial by which to go on");
        }
        channel.asked = Some(place.clone());
        channel
    }

    /// Takes a message where deltas were asked for: what it makes, if it is one. The error says why it can't be known; then neither
    /// can any that is told by it.
    pub(super) fn undelta(&mut self, said: &Said<'_>, id: Option<&str>) -> Result<Option<Vec<u8>>, String> {
        let base = self.base.take();
        let (mut payload, is_delta) = said.payload()?;
        if is_delta {
            let from = said.told_by();
            let base = base.filter(|(id, _)| from.as_deref() == Some(id)).map(|(_, payload)| payload);
            let base = base.ok_or("a delta of a message that isn't the last one (40018)")?;
            payload = vcdiff::apply(&base, &payload, DATA_BYTES_MAX).map_err(|why| format!("{why} (40018)"))?;
        }
        let plain = is_delta.then(|| payload.clone());
        self.base = id.filter(|_| payload.len() <= DATA_BYTES_MAX).map(|id| (id.into(), payload));
        Ok(plain)
    }

    /// It begins anew after this serial.
    pub(super) fn begin(&mut self, serial: Option<&str>) {
        self.base = None;
        self.serial = serial.filter(|serial| is_sound(serial)).map(Into::into);
        self.passed = 0;
        self.skip = None;
    }

    /// Asks for no place any more, if one was asked for.
    pub(super) fn gives_up_place(&mut self) -> bool {
        self.skip = None;
        self.passed = 0;
        self.state == Attachment::Asked && self.serial.take().is_some()
    }

    /// An event has come, with a serial if everything up to that has come by it: the mark of its place.
    pub(super) fn pass(&mut self, id: Option<&str>, serial: Option<&str>) -> Option<Arc<str>> {
        match serial {
            Some(serial) => self.begin_at(serial),
            None => self.passed = self.passed.saturating_add(1),
        }
        let id = id.filter(|id| !id.is_empty());
        let alone = || self.serial.clone().filter(|_| self.passed == 0);
        if id.is_none() && (self.serial.is_none() || self.passed == 0) {
            return alone();
        }
        // The id also where the serial would do, or there is none: in the channel's history the event is found by it alone.
        let serial = self.serial.as_deref().unwrap_or_default();
        let mark = format!("{serial}{WITHIN}{}{WITHIN}{}", self.passed, id.unwrap_or_default());
        if mark.len() <= MARK_BYTES_MAX { Some(mark.into()) } else { alone() }
    }

    /// Whether this event was handed over.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.last.as_deref() == Some(id) || self.seen.contains(id)
    }

    /// Whether there is an event by which the channel's history could be joined.
    pub(super) fn knows_any(&self) -> bool {
        self.last.is_some() || !self.seen.is_empty()
    }

    /// Whether what is rewound can be told from what came before. A program that was begun again knows of that by its last message at
    /// most, and would count the others twice.
    pub(super) fn may_rewind(&self) -> bool {
        !self.is_begun || !self.seen.is_empty()
    }

    /// The same without an event.
    pub(super) fn pass_empty(&mut self, serial: Option<&str>) {
        if let Some(serial) = serial {
            self.begin_at(serial);
        }
    }

    fn begin_at(&mut self, serial: &str) {
        self.serial = is_sound(serial).then(|| serial.into());
        self.passed = 0;
    }

    /// Whether an event came already, before the place that was asked for. The error says that others came in its place.
    pub(super) fn skips(&mut self, id: Option<&str>) -> Result<bool, String> {
        let Some(skip) = &mut self.skip else { return Ok(false) };
        skip.left = skip.left.saturating_sub(1);
        let is_it = id.unwrap_or_default() == skip.id;
        if skip.left > 0 && !is_it {
            return Ok(true);
        }
        let in_place = is_it && skip.left == 0;
        self.skip = None;
        if in_place { Ok(true) } else { Err("what the server sent again isn't what it had sent".to_owned()) }
    }

    /// An event was given this place.
    pub(super) fn remember(&mut self, place: &Position, id: &str) {
        self.keep(Recent { epoch: place.epoch.clone(), offset: place.offset, id: id.into(), delivered: false });
    }

    fn keep(&mut self, recent: Recent) {
        if self.recent.len() >= RECENT_MAX
            && let Some(oldest) = self.recent.pop_front()
        {
            self.seen.remove(&oldest.id);
        }
        self.seen.insert(recent.id.clone());
        self.recent.push_back(recent);
    }

    /// What the next connection may know.
    pub(super) fn kept(&mut self) -> Kept {
        Kept { recent: std::mem::take(&mut self.recent), members: self.presence.take_members() }
    }
}

/// Whether a serial can be a mark, and be told from what stands behind it.
fn is_sound(serial: &str) -> bool {
    !serial.is_empty() && serial.len() <= MARK_BYTES_MAX && !serial.contains(WITHIN)
}

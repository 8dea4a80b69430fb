//! What comes on a channel: from where, in what payload, and up to where everything has come.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde_json::value::RawValue;
use watchfloor_model::{Mono, Position, Timestamp, limits::DATA_BYTES_MAX};

use super::{
    fossil,
    presence::Presence,
    session::{CentrifugoSession, Command},
    wire::{Life, Publication, Push, Subscribed, Top},
};
use crate::{
    config::Secret,
    envelope::Outside,
    fault::cut,
    protocols::{Beat, Grant, Moment, Signal},
};

/// The name of an event whose message tells none.
const EVENT: &str = "publication";
/// From here on a server that ends a subscription asks to be subscribed to again.
const RESUBSCRIBE_FROM: u32 = 2500;
/// Its token has come to its end.
const SUBSCRIPTION_EXPIRED: u32 = 2501;
/// What is known of the channel isn't so any more: neither its token nor its place.
const STATE_INVALIDATED: u32 = 2502;

/// A channel on one connection.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// The place that was asked for.
    pub(super) asked: Option<Position>,
    /// Where the stream was followed to, once it is subscribed.
    pub(super) at: Option<Position>,
    /// Whether its places are the server's own.
    pub(super) placed: bool,
    /// Where the server said that it stands, when it was asked last.
    pub(super) top: Option<u64>,
    /// The server doesn't say where it stands.
    pub(super) is_mute: bool,
    /// The server took back what is known of it.
    pub(super) is_void: bool,
    /// The server subscribed this client by itself.
    pub(super) is_servers: bool,
    /// The site's word that this client may have it.
    pub(super) token: Option<Secret>,
    /// It isn't had without.
    pub(super) wants_token: bool,
    /// Tokens in a row that were asked for in vain.
    pub(super) tries: u8,
    /// When another one is asked for.
    pub(super) renew_at: Option<Mono>,
    /// Whether payloads are texts, and perhaps patches.
    patches: bool,
    /// A patch failed: they are not wanted on this connection any more.
    pub(super) no_patches: bool,
    /// The payload that the next patch is for.
    base: Option<Arc<str>>,
    pub(super) presence: Presence,
    /// When the server is asked for all who are there.
    pub(super) roll_at: Option<Mono>,
    /// The server doesn't say who is there.
    pub(super) is_faceless: bool,
}

impl Channel {
    /// Forgets the subscription, which goes on from `place`.
    pub(super) fn begin_again(&mut self, place: Option<&Position>) {
        let place = place.filter(|place| is_servers(place) && !self.is_void);
        self.asked = place.cloned();
        self.at = None;
        self.renew_at = None;
        self.roll_at = None;
        self.base = None;
        self.presence = Presence::default();
    }
}

/// Whether the place is the server's, and not counted here. An empty epoch would match any.
pub(super) fn is_servers(place: &Position) -> bool {
    !place.epoch.is_empty() && !place.epoch.starts_with("link-")
}

/// How long what was granted is good; for ever if none.
pub(super) fn life(life: Life) -> Option<Duration> {
    life.expires.then(|| Duration::from_secs(u64::from(life.ttl)))
}

impl CentrifugoSession {
    pub(super) fn subscribed(&mut self, index: usize, reply: Subscribed<'_>, now: Moment, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        let asked = channel.asked.take();
        channel.placed = (reply.recoverable || reply.positioned) && !reply.epoch.is_empty();
        channel.top = None;
        channel.is_void = false;
        channel.patches = reply.delta;
        // Proven is what begins right after the place that was asked for, in the stream that it was asked for. A server that
        // keeps a channel's newest publication alone (cache recovery) says that it recovered, and leaves out what was between.
        let place = asked.filter(|place| channel.placed && reply.recovered && *place.epoch == *reply.epoch);
        let first = reply.publications.first().map(|one| one.offset);
        let proven = place.filter(|place| first.is_none_or(|first| first == place.offset.saturating_add(1)));
        let from = match (&proven, first) {
            (Some(place), _) => place.clone(),
            (None, _) if !channel.placed => Position::new(self.own_epoch.clone(), 0),
            (None, Some(first)) => Position::new(&*reply.epoch, first.saturating_sub(1)),
            (None, None) => Position::new(&*reply.epoch, reply.offset),
        };
        let newest = reply.publications.iter().map(|one| one.offset).max().unwrap_or_default();
        let head = Position::new(from.epoch.clone(), from.offset.max(newest));
        // What was given back goes on there, but isn't all that was published.
        let leaks = self.memory.has_leaked(index, &from.epoch);
        let recovered = proven.is_some() && !leaks;
        let reason = match (channel.placed, reply.was_recovering, first) {
            _ if recovered => None,
            _ if proven.is_some() => Some("the server doesn't give back what is published past its history"),
            (false, ..) => Some("the server keeps no history of this channel"),
            (true, true, Some(_)) => Some("the server gives the newest publication alone"),
            (true, true, None) => Some("the server's history doesn't reach back so far"),
            (true, false, _) => Some("no place asked for"),
        };
        // The next patch is for what came last before the cut, if that is known.
        channel.base = proven.as_ref().filter(|_| channel.patches).and_then(|place| self.memory.base(index, place));
        if !channel.patches {
            self.memory.drop_base(index);
        }
        channel.at = Some(from.clone());
        if self.wants_presence && !channel.is_faceless {
            channel.roll_at = Some(now.mono);
        }
        let reason = reason.map(ToOwned::to_owned);
        out.push(Signal::Subscribed { channel: index, head, from, recovered, reason });
        self.token_taken(index, life(Life { expires: reply.expires, ttl: reply.ttl }), now);
        for publication in reply.publications {
            self.publication(index, &publication, now, out);
        }
        self.beat(out);
    }

    pub(super) fn push(&mut self, push: Push<'_>, now: Moment, out: &mut Vec<Signal>) {
        if let Some(life) = push.refresh {
            out.push(Signal::Authorised { grant: Grant::new(self::life(life)) });
            return;
        }
        if let Some(ended) = push.disconnect {
            let code = u16::try_from(ended.code).unwrap_or(u16::MAX);
            return out.push(Signal::Closed { code, reason: ended.message.into_owned() });
        }
        let Some(index) = self.by_name.get(&*push.channel).copied() else { return };
        if let Some(publication) = push.publication {
            self.publication(index, &publication, now, out);
        } else if let Some(change) = push.join {
            self.came(index, &change.info, now, out);
        } else if let Some(change) = push.leave {
            self.went(index, &change.info, now, out);
        } else if let Some(ended) = push.unsubscribe {
            let channel = &mut self.channels[index];
            channel.at = None;
            channel.is_void = ended.code == STATE_INVALIDATED;
            if matches!(ended.code, SUBSCRIPTION_EXPIRED | STATE_INVALIDATED) {
                channel.token = None;
            }
            let reason = format!("the server ended the subscription to `{}`: {}", push.channel, cut(&ended.message));
            out.push(if ended.code >= RESUBSCRIBE_FROM {
                Signal::Resubscribe { reason }
            } else {
                Signal::Error { code: ended.code.to_string(), message: reason, denied: true }
            });
        }
    }

    fn publication(&mut self, index: usize, publication: &Publication<'_>, now: Moment, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        let Some(at) = channel.at.clone() else { return };
        // Published past the history: its place is that of the one before it.
        let offset = match publication.offset {
            0 if channel.placed => None,
            offset if channel.placed => Some(offset),
            _ => Some(at.offset.saturating_add(1)),
        };
        if offset.is_none() {
            self.memory.leaks(index, at.epoch.clone());
        }
        let position = offset.map(|offset| Position::new(at.epoch.clone(), offset));
        let text = match channel.payload(publication) {
            Ok(text) => text,
            Err(why) => {
                // It is had again whole, in its turn: from here on nothing is taken until then.
                channel.at = None;
                channel.base = None;
                channel.no_patches = true;
                self.memory.drop_base(index);
                let reason = format!("a patch on `{}` can't be applied: {why}", self.names[index]);
                return out.push(Signal::Resubscribe { reason });
            }
        };
        if let Some(at) = &mut channel.at
            && let Some(position) = &position
        {
            at.offset = at.offset.max(position.offset);
        }
        if let (Some(base), Some(position)) = (&channel.base, &position) {
            self.memory.keep_base(index, position.clone(), base.clone());
        }
        let time = match publication.time {
            0 => now.wall,
            millis => Timestamp::from_millis(millis),
        };
        let outside = Outside { channel: &self.names[index], name: EVENT, id: None, time, received: now.mono };
        out.push(match (self.envelope.open(&text, outside), position) {
            (Ok(event), Some(position)) => {
                let event = watchfloor_model::Event { position: Some(position.clone()), ..event };
                Signal::Event { channel: index, position, event }
            }
            (Ok(event), None) => Signal::Loose { publisher: Some(index), event },
            (Err(reason), position) => {
                let place = position.map(|position| (index, position));
                Signal::Rejected { place, reason: cut(&reason) }
            }
        });
    }

    /// Where a stream stands, by the server's own word.
    pub(super) fn stands(&mut self, index: usize, top: &Top<'_>, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        if let Some(at) = channel.at.as_ref().filter(|_| channel.placed)
            && *top.epoch != *at.epoch
        {
            out.push(Signal::Resubscribe { reason: "the server's history began anew".to_owned() });
            return;
        }
        let overdue = channel.top.zip(channel.at.as_ref()).filter(|(top, at)| *top > at.offset);
        if let Some((missing, at)) = overdue {
            // It had that when it was asked before, and sent it neither then nor since.
            let reason = format!("events missing after {at}: the server has had up to {missing}");
            out.push(Signal::Resubscribe { reason });
            return;
        }
        channel.top = Some(top.offset);
        self.beat_after_tops(out);
    }

    /// Once everything that was asked for is answered.
    pub(super) fn beat_after_tops(&self, out: &mut Vec<Signal>) {
        if !self.pending.values().any(|command| matches!(command, Command::Top(_))) {
            self.beat(out);
        }
    }

    /// What is known of how far the server has sent, once all channels are subscribed.
    pub(super) fn beat(&self, out: &mut Vec<Signal>) {
        let beat = |(channel, state): (usize, &Channel)| {
            let head = state.at.clone()?;
            let behind = state.top.map_or(0, |top| top.saturating_sub(head.offset));
            Some(Beat { channel, head, behind, idle: None })
        };
        let beats: Option<Vec<Beat>> = self.channels.iter().enumerate().map(beat).collect();
        if let Some(beats) = beats {
            out.push(Signal::Heartbeat { clock: None, beats });
        }
    }
}

impl Channel {
    /// A publication's payload, which becomes what the next patch is for.
    fn payload<'a>(&mut self, publication: &Publication<'a>) -> Result<Cow<'a, str>, &'static str> {
        let raw = publication.data.map_or("null", RawValue::get);
        if !self.patches {
            return Ok(raw.into());
        }
        let text: String = serde_json::from_str(raw).map_err(|_| "it is no text")?;
        let text = if publication.delta {
            let base = self.base.take().ok_or("what it is for isn't known")?;
            let bytes = fossil::apply(base.as_bytes(), text.as_bytes(), PAYLOAD_BYTES_MAX)?;
            String::from_utf8(bytes).map_err(|_| "it gives no text")?
        } else {
            text
        };
        // One that is too long isn't kept: it is asked for whole, once.
        self.base = (text.len() <= PAYLOAD_BYTES_MAX).then(|| text.as_str().into());
        Ok(text.into())
    }
}

/// The longest payload that a patch may give or be for, in bytes.
const PAYLOAD_BYTES_MAX: usize = DATA_BYTES_MAX * 2;

//! What the server sends unasked: messages of Pub/Sub, and that a channel is subscribed to.

use watchfloor_model::{Event, Position};

use super::{
    super::{Way, body, resp::Frame},
    Expect, RedisSession,
};
use crate::{
    envelope::Outside,
    fault::cut,
    protocols::{Moment, Signal},
};

/// Why a channel of Pub/Sub joins nothing.
const NOTHING_KEPT: &str = "the server keeps nothing of this channel";

impl RedisSession {
    /// What comes without being asked for.
    pub(super) fn push(&mut self, items: &[Frame], now: Moment, out: &mut Vec<Signal>) {
        let name = |at: usize| items.get(at).and_then(Frame::text).unwrap_or_default();
        match name(0) {
            "message" => self.message(Way::Channel, name(1), name(1), items.get(2), now, out),
            "pmessage" => self.message(Way::Pattern, name(1), name(2), items.get(3), now, out),
            "subscribe" => self.confirmed(Way::Channel, name(1), out),
            "psubscribe" => self.confirmed(Way::Pattern, name(1), out),
            "unsubscribe" | "punsubscribe" if self.unsubscribed == 0 => {
                self.leave(&format!("the server ended the subscription to `{}`", cut(name(1))), out);
            }
            _ => {}
        }
    }

    fn confirmed(&mut self, way: Way, name: &str, out: &mut Vec<Signal>) {
        let Some(index) = self.index(way, name) else { return };
        let Some((turn, Expect::Subscribe(asked))) = self.pending.front() else { return };
        if *asked != index {
            return;
        }
        let is_current = *turn == self.turn;
        self.pending.pop_front();
        if is_current {
            let signal = self.places.subscribed(index, NOTHING_KEPT);
            self.subscribed(signal, out);
        }
    }

    fn message(&mut self, way: Way, by: &str, name: &str, payload: Option<&Frame>, now: Moment, out: &mut Vec<Signal>) {
        let Some(index) = self.index(way, by) else { return };
        let Some(position) = self.places.next(index, None) else { return };
        let outside = Outside { channel: &self.names[index], name, id: None, time: now.wall, received: now.mono };
        let opened = body::published(payload.unwrap_or(&Frame::Null), &self.envelope, outside);
        place(index, position, opened, out);
    }
}

/// An event at its place, or that it can't be read: to read the same bytes again would show the same.
pub(super) fn place(channel: usize, position: Position, opened: Result<Event, String>, out: &mut Vec<Signal>) {
    match opened {
        Ok(event) => {
            let event = Event { position: Some(position.clone()), ..event };
            out.push(Signal::Event { channel, position, event });
        }
        Err(reason) => {
            let reason = cut(&reason);
            out.push(Signal::Rejected { place: None, reason: reason.clone() });
            let reason = format!("an event can't be read: {reason}");
            out.push(Signal::Lost { channel, head: position, reason });
        }
    }
}

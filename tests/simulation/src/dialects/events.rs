//! Server-sent events: of a server that goes on after `Last-Event-ID` without saying whether it does, and of a Mercure hub, which says.

use std::collections::BTreeMap;

use watchfloor_feed::{Head, LinkId};

use super::{At, Began, Call, Dialect, Said};

/// A server of streams, with one channel.
pub(super) struct Events {
    /// Whether it says in its head after which event it goes on.
    tells: bool,
    /// The turn of the next event of each stream.
    streams: BTreeMap<LinkId, usize>,
    /// Whether the board promises that all that was missed comes.
    promised: bool,
}

/// The id of an event: no other one ever has it.
fn id(at: &At<'_>, turn: usize) -> Option<String> {
    let event = at.server.turn(0, turn)?;
    Some(format!("urn:e{}-{}", event.epoch, event.offset))
}

impl Events {
    pub(super) const fn new(tells: bool, promised: bool) -> Self {
        Self { tells, streams: BTreeMap::new(), promised }
    }

    /// The turn of the event with this id, if it is still kept.
    fn find(at: &At<'_>, asked: &str) -> Option<usize> {
        (at.server.oldest(0)..at.server.next_turn(0)).rev().find(|turn| id(at, *turn).as_deref() == Some(asked))
    }
}

impl Dialect for Events {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<(), String> {
        let next = at.server.next_turn(0);
        let asked = call.header("last-event-id");
        let found = asked.and_then(|asked| Self::find(at, asked));
        // Of what it doesn't know it says the newest that it has.
        let told = found.or_else(|| next.checked_sub(1).filter(|last| *last >= at.server.oldest(0)));
        let last_event_id = told.filter(|_| self.tells && asked.is_some()).and_then(|turn| id(at, turn));
        let turn = found.map_or(next, |turn| turn + 1);
        let recovered = found.is_some() && (self.tells || self.promised);
        self.streams.insert(link, turn);
        let head = Head { last_event_id, ..Head::default() };
        at.say(Said::Head(head, vec![Began { channel: 0, turn, recovered }]));
        // As servers do to have the head sent.
        at.say(Said::plain(":\n"));
        let done = self.pump(at, link);
        debug_assert!(done.is_ok(), "nothing was heard");
        Ok(())
    }

    fn hear(&mut self, _at: &mut At<'_>, _link: LinkId, _message: &[u8]) -> Result<(), String> {
        Err("a stream of events is only read".into())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(next) = self.streams.get_mut(&link) else { return Ok(()) };
        while *next < at.server.next_turn(0) {
            let (body, id) = (at.body(0, *next), id(at, *next).unwrap_or_default());
            at.say(Said::event(format!("id: {id}\ndata: {body}\n\n"), 0, *next));
            *next += 1;
        }
        Ok(())
    }

    fn beat(&mut self, at: &mut At<'_>, _link: LinkId) {
        at.say(Said::plain(":\n"));
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.streams.remove(&link);
    }
}

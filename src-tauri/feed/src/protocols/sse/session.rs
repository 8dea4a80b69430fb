//! One stream of server-sent events.
//!
//! ```text
//! GET, Last-Event-ID → head (whether it goes on after that) → (event | comment)…
//! ```
//!
//! A head says that the stream begins. If it was asked to go on after an event, what was missed comes first, and
//! nothing says where that ends: see [`SseSession::settle`].

use std::{sync::Arc, time::Duration};

use watchfloor_model::{
    Event, Mono,
    limits::{ID_BYTES_MAX, NAME_BYTES_MAX},
};

use super::last_id::{LastId, is_mark};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::cut,
    limits::SSE_EVENT_BYTES_MAX,
    port::{Head, Message},
    protocols::{
        Moment, Place, Session, Signal,
        counted::{Counted, is_counted},
    },
    sse::{Item, Parser},
};

/// Types of events by which servers say no more than that they live.
const SIGNS: [&str; 4] = ["ping", "heartbeat", "keepalive", "keep-alive"];
/// A pause in a stream for so long ends what is replayed.
const REPLAY_PAUSE: Duration = Duration::from_millis(250);
/// What comes later than this isn't replayed any more.
const REPLAY_MAX: Duration = Duration::from_secs(5);

/// What differs from protocol to protocol.
#[derive(Clone, Copy, Debug)]
pub(in crate::protocols) struct Manner {
    /// How often the server says something, unless the board says how often it does.
    pub(in crate::protocols) heartbeat: Duration,
    /// Whether the head of the answer says after which event it goes on.
    pub(in crate::protocols) tells_replay: bool,
    /// Where nothing was had yet, all that the server has kept is asked for.
    pub(in crate::protocols) history: bool,
}

/// A link.
#[derive(Debug)]
pub(in crate::protocols) struct SseSession {
    manner: Manner,
    /// The board's word that what was missed is replayed.
    replays: bool,
    heartbeat: Duration,
    names: Arc<[Arc<str>]>,
    envelope: Envelope,
    parser: Parser,
    counted: Counted,
    /// What is asked for, until the head answers it.
    places: Vec<Place>,
    /// The event after which it was asked to go on.
    asked: Option<Arc<str>>,
    /// It was asked for all that the server has kept.
    asks_history: bool,
    /// For the link after this one.
    moved: LastId,
    /// The id of the last event: one without an id inherits it.
    last_id: String,
    /// When the first thing was said on this link.
    began: Option<Mono>,
    /// When the newest bytes came.
    heard: Mono,
    /// Whether what was missed has all come.
    settled: bool,
}

impl SseSession {
    pub(in crate::protocols) fn new(
        config: &SourceConfig,
        manner: Manner,
        names: &Arc<[Arc<str>]>,
        seed: u64,
        moved: LastId,
    ) -> Self {
        Self {
            manner,
            replays: config.promises.replays,
            heartbeat: config.promises.heartbeat.unwrap_or(manner.heartbeat),
            names: names.clone(),
            envelope: config.envelope.clone(),
            parser: Parser::default(),
            counted: Counted::new(names.len(), seed),
            places: Vec::new(),
            asked: None,
            asks_history: false,
            moved,
            last_id: String::new(),
            began: None,
            heard: Mono::ZERO,
            settled: false,
        }
    }

    /// Whether the answer goes on after what was asked for. If not, why.
    fn goes_on(&self, head: &Head) -> Result<(), &'static str> {
        let was_gone = self.moved.gone.begun();
        let Some(asked) = self.asked.as_deref() else {
            return Err(match head.last_event_id {
                Some(_) if self.asks_history => "what the server has kept may not be all that there was",
                _ if was_gone => "the server doesn't know the place any more",
                _ => "no place asked for",
            });
        };
        match head.last_event_id.as_deref() {
            Some(told) if told != asked => Err("the server's history doesn't reach back so far"),
            Some(_) if self.manner.tells_replay => Ok(()),
            _ if self.manner.tells_replay => Err("the server keeps no history"),
            _ if self.replays => Ok(()),
            _ => Err("the server doesn't say whether it replays what was missed"),
        }
    }

    /// Takes an event. Says whether it only shows that the server lives.
    fn event(&mut self, kind: &str, data: &[u8], id: &str, now: Moment, out: &mut Vec<Signal>) -> bool {
        if SIGNS.contains(&kind) {
            return true;
        }
        let own = id != self.last_id;
        if own {
            id.clone_into(&mut self.last_id);
        }
        let mark = Some(id).filter(|id| is_mark(id));
        let Some(position) = self.counted.next(0, mark) else { return false };
        let outside = Outside {
            channel: &self.names[0],
            name: kind,
            id: mark.filter(|id| own && id.len() <= ID_BYTES_MAX).map(Arc::from),
            time: now.wall,
            received: now.mono,
        };
        match read(&self.envelope, data, outside) {
            Ok(event) => {
                let event = Event { position: Some(position.clone()), ..event };
                out.push(Signal::Event { channel: 0, position, event });
            }
            Err(reason) => {
                // Asked for again it might not come, and others would be missed.
                let reason = cut(&reason);
                out.push(Signal::Rejected { place: None, reason: reason.clone() });
                out.push(Signal::Lost { channel: 0, head: position, reason });
            }
        }
        false
    }

    /// Whether all that the server had when it was asked has come. What was missed comes first and at once, so it has
    /// if the server says something of its own accord, which it does when there is nothing else; after a pause; or a
    /// while later.
    fn settle(&mut self, sign: bool, now: Mono) {
        let Some(began) = self.began else {
            // With the first it only begins: servers say something at once to have the head sent, and a proxy may have held that back.
            self.began = Some(now);
            return;
        };
        let paused = now.since(self.heard) >= REPLAY_PAUSE;
        let late = now.since(began) >= REPLAY_MAX;
        self.settled |= sign || paused || late;
    }
}

impl Session for SseSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        self.asked = self.moved.asked_after(places);
        self.asks_history = self.manner.history && has_nothing(places);
        self.places = places.to_vec();
        // An event without an id has the last one's, be it of the link before.
        self.last_id = self.asked.as_deref().unwrap_or_default().to_owned();
        self.parser = Parser::new(&self.last_id);
        self.counted.begin_again();
        Vec::new()
    }

    fn can_resubscribe(&self) -> bool {
        false
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        None
    }

    fn joins(&self) -> bool {
        self.replays || self.manner.tells_replay
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn decode_head(&mut self, head: &Head, now: Moment, out: &mut Vec<Signal>) {
        out.push(Signal::Hello { heartbeat: self.heartbeat, clock: None, grant: None });
        let goes_on = self.goes_on(head);
        for (channel, place) in std::mem::take(&mut self.places).into_iter().enumerate() {
            out.push(match (goes_on, place.position.filter(is_counted)) {
                (Ok(()), Some(place)) => self.counted.resumed(channel, place),
                (Ok(()), None) => self.counted.subscribed(channel, "new among what is asked for"),
                // It is asked for again next time: what is inherited lasts until another id comes.
                (Err(reason), _) if channel == 0 && !self.manner.tells_replay => {
                    self.counted.subscribed_after(channel, self.asked.as_deref(), reason)
                }
                (Err(reason), _) => self.counted.subscribed(channel, reason),
            });
        }
        (self.began, self.heard) = (None, now.mono);
        // Where nothing is replayed, the stream begins with what is to come.
        self.settled = self.asked.is_none() && !self.asks_history;
        if self.settled {
            out.extend(self.counted.beat());
        }
    }

    fn decode_chunk(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let mut parser = std::mem::take(&mut self.parser);
        let mut said = false;
        parser.push(bytes, &mut |item| {
            let sign = match item {
                Item::Event { kind, data, id } => self.event(kind, data, id, now, out),
                Item::Sign => true,
                Item::Mark { id } => {
                    id.clone_into(&mut self.last_id);
                    self.moved.set(self.counted.at(0), id);
                    true
                }
                Item::Retry(millis) => return out.push(Signal::RetryAfter { millis }),
                Item::Oversize { bytes } => {
                    let reason = format!("an event of {bytes} bytes, the limit is {SSE_EVENT_BYTES_MAX}");
                    out.push(Signal::Rejected { place: None, reason: reason.clone() });
                    let lost = self.counted.next(0, None);
                    out.extend(lost.map(|head| Signal::Lost { channel: 0, head, reason }));
                    false
                }
            };
            said = true;
            self.settle(sign, now.mono);
            self.heard = now.mono;
        });
        self.parser = parser;
        self.heard = now.mono;
        // Everything before what was said has been sent.
        if said && self.settled {
            out.extend(self.counted.beat());
        }
    }
}

/// Whether nothing was had of any channel, be it in an earlier life.
pub(in crate::protocols) fn has_nothing(places: &[Place]) -> bool {
    places.iter().all(|place| place.position.is_none())
}

/// Opens a message: JSON, or else a text. What begins like an object or a list and is none was damaged.
fn read(envelope: &Envelope, data: &[u8], outside: Outside<'_>) -> Result<Event, String> {
    if outside.name.len() > NAME_BYTES_MAX {
        return Err(format!("its type has {} bytes, the limit is {NAME_BYTES_MAX}", outside.name.len()));
    }
    if envelope.decodes() {
        return envelope.open_bytes(data, outside);
    }
    let text =
        std::str::from_utf8(data).map_err(|error| format!("not UTF-8: invalid byte at {}", error.valid_up_to()))?;
    if text.trim_start().starts_with(['{', '[']) {
        return envelope.open(text, outside);
    }
    envelope.open_any(text, outside)
}

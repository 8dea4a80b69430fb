//! The other end of a copied source: a server in memory that has what the wall had, and does on purpose what servers and networks
//! do. It speaks the hub's protocol (`docs/hub.md`) to the real feed, by the way that the real source travels.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json, value::RawValue};
use watchfloor_feed::{FetchId, Input, LinkFault, LinkFaultKind, LinkId, Output, Request, Response};
use watchfloor_model::{Mono, Position, SourceClock, Transport};

const HEARTBEAT: Duration = Duration::from_secs(1);
/// How far the history goes on while the wall isn't listening.
const MISSED: u64 = 3;

/// What is done to a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The link breaks, and nobody listens.
    Cut,
    /// The link stands, and nothing comes any more.
    HalfOpen,
    /// The link breaks; the server is there, but has neither the events since nor a snapshot.
    Gap,
    /// The link ends, and the server lets this wall in no more.
    Refusal,
    /// The server is well, and its publisher says nothing more.
    Quiet,
}

/// What the server has.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    /// Where each channel's history ends.
    pub(super) heads: BTreeMap<Arc<str>, Position>,
    /// The source's time.
    pub(super) clock: SourceClock,
    /// The wall's own aggregates, by fingerprint.
    pub(super) aggregates: BTreeMap<String, Box<RawValue>>,
    /// How long the publisher has been silent for as long as it is well.
    pub(super) idle: Duration,
}

#[derive(Debug)]
struct Link {
    transport: Transport,
    /// Whether it is subscribed.
    serves: bool,
    beat_at: Mono,
}

/// The server and the network to it.
#[derive(Debug)]
pub(super) struct Peer {
    stock: Stock,
    fault: Fault,
    since: Mono,
    links: BTreeMap<LinkId, Link>,
    inputs: VecDeque<Input>,
}

impl Peer {
    pub(super) fn new(stock: Stock) -> Self {
        Self { stock, fault: Fault::None, since: Mono::ZERO, links: BTreeMap::new(), inputs: VecDeque::new() }
    }

    /// Does something to the source, or mends it.
    pub(super) fn set(&mut self, fault: Fault, now: Mono) {
        self.fault = fault;
        self.since = now;
        let gone: Vec<LinkId> = match fault {
            Fault::Cut | Fault::Gap | Fault::Refusal => std::mem::take(&mut self.links).into_keys().collect(),
            Fault::None | Fault::HalfOpen | Fault::Quiet => Vec::new(),
        };
        if fault == Fault::HalfOpen {
            self.inputs.clear();
        }
        if fault == Fault::Gap {
            for head in self.stock.heads.values_mut() {
                *head = Position::new(Arc::clone(&head.epoch), head.offset.saturating_add(MISSED));
            }
        }
        for link in gone {
            self.inputs.push_back(Input::Failed { link, fault: LinkFault::new(LinkFaultKind::Reset, "") });
        }
    }

    /// What has arrived at the feed by now.
    pub(super) fn poll_input(&mut self, now: Mono) -> Option<Input> {
        if self.inputs.is_empty() && self.fault != Fault::HalfOpen {
            let due = self.links.iter().find(|(_, link)| link.serves && link.beat_at <= now).map(|(id, _)| *id);
            if let Some(id) = due {
                self.beat(id, now);
            }
        }
        self.inputs.pop_front()
    }

    /// Takes what the feed does. Deliveries and status are none of its.
    pub(super) fn take(&mut self, output: Output, now: Mono) {
        match output {
            Output::Open { link, transport, request } => self.open(link, transport, &request, now),
            Output::Ask { link, transport, request, .. } => self.ask(link, transport, &request, now),
            Output::Send { link, message } if !message.is_secret => {
                self.hear(link, message.as_text().unwrap_or_default(), now);
            }
            Output::Ping { link } => {
                if self.links.contains_key(&link) && self.fault != Fault::HalfOpen {
                    self.inputs.push_back(Input::Pong { link });
                }
            }
            Output::Close { link } => {
                self.links.remove(&link);
            }
            Output::Fetch { fetch, .. } => self.fetch(fetch, now),
            // A copy needs no token, and its feed asks for none.
            Output::Send { .. }
            | Output::StartTls { .. }
            | Output::Exchange { .. }
            | Output::Post { .. }
            | Output::Credential { .. }
            | Output::Deliver(_)
            | Output::Status => {}
        }
    }

    /// Why nobody gets in, if so; nothing at all is said of a network that swallows everything.
    fn door(&self) -> Result<(), Option<LinkFault>> {
        match self.fault {
            Fault::None | Fault::Gap | Fault::Quiet => Ok(()),
            Fault::HalfOpen => Err(None),
            Fault::Cut => Err(Some(LinkFault::new(LinkFaultKind::Refused, ""))),
            Fault::Refusal => {
                let kind = LinkFaultKind::Http { status: 403, retry_after: None, content_type: None };
                Err(Some(LinkFault::new(kind, "")))
            }
        }
    }

    fn enter(&mut self, link: LinkId) -> bool {
        match self.door() {
            Ok(()) => true,
            Err(fault) => {
                self.inputs.extend(fault.map(|fault| Input::Failed { link, fault }));
                false
            }
        }
    }

    fn open(&mut self, link: LinkId, transport: Transport, request: &Request, now: Mono) {
        if !self.enter(link) {
            return;
        }
        self.links.insert(link, Link { transport, serves: false, beat_at: now });
        self.inputs.push_back(Input::Opened { link });
        if transport == Transport::Sse {
            let asked = asked_by(request);
            self.subscribe(link, &asked, now);
        }
    }

    /// One question of a link that is a row of them.
    fn ask(&mut self, link: LinkId, transport: Transport, request: &Request, now: Mono) {
        if !self.enter(link) {
            return;
        }
        let is_first = !self.links.contains_key(&link);
        // A long poll is answered when there is something, or when its time is over.
        let wait = request.url.query_pairs().find(|(name, _)| name == "wait_ms");
        let wait = wait.and_then(|(_, millis)| millis.parse().ok()).unwrap_or_default();
        let wait = if is_first { Duration::ZERO } else { Duration::from_millis(wait) };
        let beat_at = now.plus(wait);
        self.links.insert(link, Link { transport, serves: true, beat_at });
        if is_first {
            let asked = asked_by(request);
            let messages = self.subscribed(&asked).into_iter().filter(|one| one["recovered"] == false).collect();
            self.answer(link, messages, now);
        }
    }

    fn hear(&mut self, link: LinkId, text: &str, now: Mono) {
        if self.fault == Fault::HalfOpen {
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(text) else { return };
        match message["type"].as_str() {
            Some("subscribe") => {
                let asked = message["channels"].as_object().into_iter().flatten();
                let asked =
                    asked.map(|(name, place)| (name.clone(), place.as_str().and_then(|place| place.parse().ok())));
                let asked: Vec<_> = asked.collect();
                self.subscribe(link, &asked, now);
            }
            Some("ping") => {
                let pong = json!({"type": "pong", "id": message["id"], "clock": self.clock(now)});
                self.say(link, &[pong]);
            }
            _ => {}
        }
    }

    fn subscribe(&mut self, link: LinkId, asked: &[(String, Option<Position>)], now: Mono) {
        let heartbeat_ms = u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX);
        let hello = json!({"type": "hello", "protocol": 1, "heartbeat_ms": heartbeat_ms, "clock": self.clock(now)});
        let mut lines = vec![hello];
        lines.extend(self.subscribed(asked));
        self.say(link, &lines);
        if let Some(link) = self.links.get_mut(&link) {
            link.serves = true;
            link.beat_at = now;
        }
    }

    /// Where the stream begins on each channel.
    fn subscribed(&self, asked: &[(String, Option<Position>)]) -> Vec<Value> {
        let one = |(name, place): &(String, Option<Position>)| {
            let head = self.stock.heads.get(name.as_str())?;
            let recovered = place.as_ref() == Some(head);
            let reason = match (recovered, place) {
                (true, _) => Value::Null,
                (false, Some(_)) => json!("trimmed"),
                (false, None) => json!("fresh"),
            };
            Some(json!({"type": "subscribed", "channel": name, "head": head, "from": head, "recovered": recovered,
                "reason": reason}))
        };
        asked.iter().filter_map(one).collect()
    }

    fn beat(&mut self, id: LinkId, now: Mono) {
        let Some(link) = self.links.get_mut(&id) else { return };
        match link.transport {
            Transport::WebSocket | Transport::Sse | Transport::HttpStream | Transport::Tcp => {
                link.beat_at = now.plus(HEARTBEAT);
                let line = self.heartbeat(now);
                self.say(id, &[line]);
            }
            Transport::LongPoll | Transport::Poll => self.answer(id, Vec::new(), now),
        }
    }

    fn answer(&mut self, id: LinkId, messages: Vec<Value>, now: Mono) {
        if let Some(link) = self.links.get_mut(&id) {
            link.beat_at = Mono::NEVER;
        }
        let cursor: Vec<String> = self.stock.heads.iter().map(|(name, head)| format!("{name}~{head}")).collect();
        let body = json!({"cursor": cursor.join("|"), "messages": messages, "heartbeat": self.heartbeat(now)});
        self.inputs.push_back(Input::Answered {
            link: id,
            head: watchfloor_feed::Head::default(),
            body: body.to_string().into(),
        });
    }

    fn say(&mut self, link: LinkId, lines: &[Value]) {
        let Some(transport) = self.links.get(&link).map(|link| link.transport) else { return };
        for line in lines {
            self.inputs.push_back(match transport {
                Transport::Sse => Input::Chunk { link, bytes: format!("data: {line}\n\n").into() },
                _ => Input::Text { link, text: line.to_string().into() },
            });
        }
    }

    fn heartbeat(&self, now: Mono) -> Value {
        let silent = if self.fault == Fault::Quiet { now.since(self.since) } else { Duration::ZERO };
        let idle_ms = u64::try_from((self.stock.idle + silent).as_millis()).unwrap_or(u64::MAX);
        let beat = |head: &Position| json!({"head": head, "behind": 0, "idle_ms": idle_ms});
        let channels: serde_json::Map<_, _> =
            self.stock.heads.iter().map(|(name, head)| (name.to_string(), beat(head))).collect();
        json!({"type": "heartbeat", "clock": self.clock(now), "channels": channels})
    }

    fn clock(&self, now: Mono) -> Value {
        let clock = &self.stock.clock;
        json!({"now": clock.at(now).as_millis(), "speed": clock.speed, "label": clock.label})
    }

    fn fetch(&mut self, fetch: FetchId, now: Mono) {
        let outcome = match (self.door(), self.fault) {
            (Err(None), _) => return,
            (Err(Some(fault)), _) => Err(fault),
            (Ok(()), Fault::Gap) => Ok(Response::new(404, "")),
            (Ok(()), _) => {
                let body = json!({"positions": self.stock.heads, "clock": self.clock(now),
                    "aggregates": self.stock.aggregates});
                Ok(Response::new(200, body.to_string()))
            }
        };
        self.inputs.push_back(Input::Fetched { fetch, outcome });
    }
}

/// The places that a request asks for: `flights~k3x9:41|weather~`.
fn asked_by(request: &Request) -> Vec<(String, Option<Position>)> {
    let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned());
    let cursor = cursor.unwrap_or_default();
    let places = cursor.split('|').filter_map(|place| place.split_once('~'));
    places.map(|(name, place)| (name.to_owned(), place.parse().ok())).collect()
}

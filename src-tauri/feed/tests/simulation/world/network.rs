//! The hub's side of each link, and what the network does to what passes.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_feed::{FetchId, Input, LinkFault, LinkFaultKind, LinkId, Response};
use watchfloor_model::Transport;

use super::{Action, HEARTBEAT, Link, World};
use crate::{
    faults::{Fault, NoSnapshot},
    hub,
};

impl World {
    /// Sends what the links' cursors haven't had.
    pub(super) fn pump(&mut self) {
        if self.is_active(|fault| matches!(fault, Fault::Stall | Fault::Throttle)) {
            return;
        }
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            self.send(id, usize::MAX);
        }
    }

    fn send(&mut self, id: LinkId, most: usize) {
        if self.links.get(&id).is_some_and(is_polled) {
            return self.answer(id, most);
        }
        let lines = self.read(id, most);
        for lines in lines.chunks(16) {
            self.frame(id, lines.to_vec());
        }
    }

    /// What a link's cursors haven't had, at most `most` lines a channel.
    fn read(&mut self, id: LinkId, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let Some(link) = self.links.get_mut(&id) else { return lines };
        for (name, cursor) in &mut link.cursors {
            let mut left = most;
            while left > 0 {
                let read = self.hub.read(name, cursor, left.min(16));
                if read.is_empty() {
                    break;
                }
                left = left.saturating_sub(read.len());
                lines.extend(read);
            }
        }
        lines
    }

    pub(super) fn heartbeat(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id) else { return };
        if !self.is_active(|fault| fault == Fault::Stall) {
            if !is_polled(link) {
                let line = self.hub.heartbeat(&link.cursors, self.now);
                self.frame(id, vec![line]);
            }
            if self.is_active(|fault| fault == Fault::Throttle) {
                self.send(id, 1);
            }
        }
        self.at(self.now.plus(HEARTBEAT), Action::Heartbeat(id));
    }

    /// Lines as the network lets them through.
    fn carried(&mut self, lines: Vec<String>) -> Vec<String> {
        let mut sent = Vec::new();
        for line in lines {
            let event = line.starts_with(r#"{"type":"event"#);
            if event && self.is_active(|fault| fault == Fault::Corrupt) && self.draw.chance(20) {
                sent.push(line[..line.len() / 3].to_owned());
            } else if event && self.is_active(|fault| fault == Fault::Skip) && self.draw.chance(20) {
            } else if event && self.is_active(|fault| fault == Fault::Twice) && self.draw.chance(30) {
                sent.extend([line.clone(), line]);
            } else {
                sent.push(line);
            }
        }
        sent
    }

    fn frame(&mut self, id: LinkId, lines: Vec<String>) {
        let sent = self.carried(lines);
        let Some(link) = self.links.get(&id).filter(|_| !sent.is_empty()) else { return };
        if link.transport == Transport::WebSocket {
            return self.down(id, Input::Text { link: id, text: sent.join("\n").into() });
        }
        let block: String = sent.iter().map(|line| format!("data: {line}\n")).collect();
        let block = format!("{block}\n").into_bytes();
        let cut = self.draw.below(block.len() as u64) as usize;
        for part in [&block[..cut], &block[cut..]] {
            if !part.is_empty() {
                self.down(id, Input::Chunk { link: id, bytes: part.to_vec().into() });
            }
        }
    }

    pub(super) fn down(&mut self, id: LinkId, input: Input) {
        let held = matches!(input, Input::Chunk { .. }) && self.is_active(|fault| fault == Fault::HeldStream);
        if let Some(link) = self.links.get_mut(&id).filter(|_| held) {
            return link.kept.push(input);
        }
        let latency = self.latency();
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return };
        link.down = link.down.max(self.now.plus(latency));
        let at = link.down;
        self.at(at, Action::Input(input));
    }

    /// What a proxy held back comes, if it holds nothing back any more.
    pub(super) fn let_go(&mut self) {
        if self.is_active(|fault| fault == Fault::HeldStream) {
            return;
        }
        let take = |(id, link): (&LinkId, &mut Link)| (*id, std::mem::take(&mut link.kept));
        for (id, kept) in self.links.iter_mut().map(take).collect::<Vec<_>>() {
            kept.into_iter().for_each(|input| self.down(id, input));
        }
    }

    pub(super) fn up(&mut self, id: LinkId, action: Action) {
        let latency = self.latency();
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return };
        link.up = link.up.max(self.now.plus(latency));
        let at = link.up;
        self.at(at, action);
    }

    /// What the network or the server does to a request for a link, if it lets none through.
    fn shut(&self, transport: Transport) -> Option<Shut> {
        // Without pings, a stream that is late by the same from its first byte on looks like one whose clock is set
        // otherwise. That is left open, so here no such link comes to stand.
        let late = transport == Transport::Sse && self.is_active(|fault| matches!(fault, Fault::Slow(2_000..)));
        if late || self.is_active(|fault| fault == Fault::HalfOpen) {
            return Some(Shut::Silent);
        }
        if self.is_active(|fault| fault == Fault::Cut) {
            return Some(Shut::Failed(LinkFaultKind::Refused));
        }
        self.active.iter().find_map(|index| match self.plan.windows[*index].fault {
            Fault::Swallowed(kind) if kind == transport => Some(Shut::Silent),
            Fault::Login { upgrades } if !upgrades || transport == Transport::WebSocket => {
                Some(Shut::Failed(LinkFaultKind::Http {
                    status: 200,
                    retry_after: None,
                    content_type: Some("text/html".into()),
                }))
            }
            Fault::Status(status) => Some(Shut::Failed(LinkFaultKind::Http {
                status,
                retry_after: (status == 503).then_some(Duration::from_secs(3)),
                content_type: Some("text/html".into()),
            })),
            _ => None,
        })
    }

    /// Whether a request for a link comes through; if not, what comes of it is on its way.
    fn let_in(&mut self, id: LinkId, transport: Transport) -> bool {
        match self.shut(transport) {
            None => true,
            Some(Shut::Silent) => false,
            Some(Shut::Failed(kind)) => {
                let input = Input::Failed { link: id, fault: LinkFault::new(kind, "") };
                self.at(self.now, Action::Input(input));
                false
            }
        }
    }

    fn stand(&mut self, id: LinkId, transport: Transport) {
        let link = Link {
            transport,
            cursors: BTreeMap::new(),
            polls: 0,
            waiting: None,
            kept: Vec::new(),
            dead: false,
            down: self.now,
            up: self.now,
        };
        self.links.insert(id, link);
        self.at(self.now.plus(HEARTBEAT), Action::Heartbeat(id));
    }

    pub(super) fn accept(&mut self, id: LinkId, transport: Transport, url: &str) {
        if !self.held.contains_key(&id) || !self.let_in(id, transport) {
            return;
        }
        self.stand(id, transport);
        self.down(id, Input::Opened { link: id });
        let hello = format!(
            r#"{{"type":"hello","protocol":1,"hub":"model","heartbeat_ms":1000,"clock":{}}}"#,
            hub::clock(self.now)
        );
        self.frame(id, vec![hello]);
        if transport == Transport::Sse {
            let places = places(&parameter(url, "cursor"));
            self.subscribe(id, places);
        }
    }

    fn subscribe(&mut self, id: LinkId, places: Vec<(String, Option<String>)>) {
        let mut lines = Vec::new();
        for (name, place) in places {
            let (line, cursor) = self.hub.subscribe(&name, place.as_deref());
            lines.push(line);
            if let Some(link) = self.links.get_mut(&id) {
                link.cursors.insert(name, cursor);
            }
        }
        let Some(link) = self.links.get(&id) else { return };
        lines.push(self.hub.heartbeat(&link.cursors, self.now));
        self.frame(id, lines);
        self.pump();
    }

    pub(super) fn text(&mut self, id: LinkId, text: &str) {
        if self.links.get(&id).is_none_or(|link| link.dead) {
            return;
        }
        let message: serde_json::Value = serde_json::from_str(text).expect("a message");
        match message["type"].as_str() {
            Some("subscribe") => {
                let channels = message["channels"].as_object().expect("channels");
                let place = |value: &serde_json::Value| value.as_str().map(str::to_owned);
                self.subscribe(id, channels.iter().map(|(name, value)| (name.clone(), place(value))).collect());
            }
            Some("unsubscribe") => {
                let names = message["channels"].as_array().expect("channels");
                if let Some(link) = self.links.get_mut(&id) {
                    link.cursors.retain(|name, _| !names.iter().any(|gone| gone == name));
                }
            }
            Some("ping") => {
                let line = format!(r#"{{"type":"pong","id":{},"clock":{}}}"#, message["id"], hub::clock(self.now));
                if !self.is_active(|fault| fault == Fault::Stall) {
                    self.frame(id, vec![line]);
                }
            }
            other => panic!("unknown message {other:?}"),
        }
    }

    /// A poll arrives.
    pub(super) fn asked(&mut self, id: LinkId, transport: Transport, url: &str) {
        if !self.held.contains_key(&id) || self.links.get(&id).is_some_and(|link| link.dead) {
            return;
        }
        if !self.let_in(id, transport) {
            return;
        }
        if !self.links.contains_key(&id) {
            self.stand(id, transport);
        }
        let mut told = Vec::new();
        let mut cursors = BTreeMap::new();
        for (name, place) in places(&parameter(url, "cursor")) {
            let (line, cursor) = self.hub.subscribe(&name, place.as_deref());
            if line.contains(r#""recovered":false"#) {
                told.push(line);
            }
            cursors.insert(name, cursor);
        }
        let wait = Duration::from_millis(parameter(url, "wait_ms").parse().expect("a span"));
        let Some(link) = self.links.get_mut(&id) else { return };
        link.cursors = cursors;
        link.polls += 1;
        let until = self.now.plus(wait);
        link.waiting = Some((told, until));
        let poll = link.polls;
        self.at(until, Action::Answer(id, poll));
        self.pump();
    }

    /// A poll has waited for as long as it was to.
    pub(super) fn answer_late(&mut self, id: LinkId, poll: u64) {
        let waits = self.links.get(&id).is_some_and(|link| link.polls == poll);
        if waits && !self.is_active(|fault| matches!(fault, Fault::Stall | Fault::Throttle)) {
            self.answer(id, usize::MAX);
        }
    }

    /// Answers the poll that waits, if there is something to say.
    fn answer(&mut self, id: LinkId, most: usize) {
        let Some((mut lines, until)) = self.links.get_mut(&id).and_then(|link| link.waiting.take()) else { return };
        lines.extend(self.read(id, most));
        let Some(link) = self.links.get_mut(&id) else { return };
        if lines.is_empty() && self.now < until && most == usize::MAX {
            link.waiting = Some((lines, until));
            return;
        }
        let heartbeat = self.hub.heartbeat(&link.cursors, self.now);
        let cursor: Vec<String> =
            link.cursors.iter().map(|(name, (epoch, offset))| format!("{name}~{epoch}:{offset}")).collect();
        // A hub's answer is one document: what can't be read stands in it as a message without sense.
        let lines =
            lines.into_iter().map(|line| if is_garbage(&line) { r#"{"type":"event"}"#.to_owned() } else { line });
        let lines = lines.collect();
        let lines = self.carried(lines);
        let body =
            format!(r#"{{"cursor":"{}","messages":[{}],"heartbeat":{heartbeat}}}"#, cursor.join("|"), lines.join(","));
        self.down(id, Input::Answered { link: id, head: watchfloor_feed::Head::default(), body: body.into() });
    }

    pub(super) fn fetch(&mut self, fetch: FetchId, timeout: Duration, health: bool) {
        let latency = self.latency();
        let failure = self.active.iter().find_map(|index| match self.plan.windows[*index].fault {
            Fault::Snapshot(failure) if !health => Some(failure),
            Fault::Status(status) if health => Some(NoSnapshot::Status(status)),
            Fault::Login { upgrades: false } => Some(NoSnapshot::Page),
            Fault::HalfOpen => Some(NoSnapshot::Timeout),
            _ => None,
        });
        let answer = |status: u16, body: String| Ok(Response::new(status, body));
        let mut at = self.now.plus(latency);
        let outcome = match failure {
            Some(NoSnapshot::Silence) => return,
            Some(NoSnapshot::Timeout) => {
                at = self.now.plus(timeout);
                Err(LinkFault::new(LinkFaultKind::Timeout, ""))
            }
            Some(NoSnapshot::Broken) => answer(200, r#"{"positions":{}"#.into()),
            Some(NoSnapshot::Page) => answer(200, "<html>".into()),
            Some(NoSnapshot::Status(status)) => answer(status, String::new()),
            None if self.is_active(|fault| fault == Fault::Cut) => Err(LinkFault::new(LinkFaultKind::Refused, "")),
            None if health => answer(200, r#"{"status":"ok"}"#.into()),
            None if !self.plan.snapshots => answer(404, String::new()),
            None if self.is_active(|fault| fault == Fault::StaleSnapshot) && !self.hub.past.is_empty() => {
                answer(200, self.draw.pick(&self.hub.past).clone())
            }
            None => answer(200, self.hub.snapshot(self.now)),
        };
        self.at(at, Action::Input(Input::Fetched { fetch, outcome }));
    }
}

/// What becomes of a request that isn't let through.
enum Shut {
    Silent,
    Failed(LinkFaultKind),
}

const fn is_polled(link: &Link) -> bool {
    matches!(link.transport, Transport::LongPoll | Transport::Poll)
}

fn is_garbage(line: &str) -> bool {
    line == r#"{"type":"event","channel":"#
}

fn parameter(url: &str, name: &str) -> String {
    let url: url::Url = url.parse().expect("an address");
    url.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned()
}

/// The channels of a cursor, with their places.
fn places(cursor: &str) -> Vec<(String, Option<String>)> {
    let places = cursor.split('|').map(|place| place.split_once('~').expect("a place"));
    places.map(|(name, at)| (name.to_owned(), (!at.is_empty()).then(|| at.to_owned()))).collect()
}

//! The server's side of each link, and what the network does to what passes.

use std::time::Duration;

use watchfloor_feed::{FetchId, Input, LinkFault, LinkFaultKind, LinkId, Response};
use watchfloor_model::{Mono, Transport};

use super::{Action, Link, World};
use crate::fault::{Fault, NoSnapshot};

/// What becomes of a request that isn't let through.
enum Shut {
    Silent,
    Failed(LinkFaultKind),
}

impl World {
    pub(super) fn latency(&mut self, down_stream: bool) -> Duration {
        let slow = self.active().filter_map(|fault| match fault {
            Fault::Slow(millis) => Some(millis),
            Fault::SlowStream(millis) if down_stream => Some(millis),
            _ => None,
        });
        let slow = slow.max().unwrap_or(0);
        let (usual, rare) = self.plan.latency;
        let most = if self.draw.chance(5) { rare } else { usual };
        self.draw.millis(1, most) + Duration::from_millis(slow)
    }

    /// Sends what the links' cursors haven't had.
    pub(super) fn pump(&mut self) {
        if self.is_active(|fault| matches!(fault, Fault::Stall | Fault::Mute | Fault::Throttle)) {
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
        let Some(link) = self.links.get_mut(&id) else { return };
        let lines = self.server.read(&mut link.cursors, most);
        for lines in lines.chunks(16) {
            self.frame(id, lines.to_vec());
        }
    }

    pub(super) fn heartbeat(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id) else { return };
        let polled = is_polled(link);
        if !self.is_active(|fault| matches!(fault, Fault::Stall | Fault::Mute)) {
            if !polled {
                let line = self.server.heartbeat(&link.cursors, self.now);
                self.frame(id, vec![line]);
            }
            if self.is_active(|fault| fault == Fault::Throttle) {
                self.send(id, 1);
            }
        }
        let throttled = self.is_active(|fault| fault == Fault::Throttle);
        let period = if throttled { self.plan.heartbeat.min(1000) } else { self.plan.heartbeat };
        if !polled || throttled || self.plan.windows.iter().any(|window| window.fault == Fault::Throttle) {
            self.after(Duration::from_millis(period), Action::Heartbeat(id));
        }
    }

    /// Lines as the network lets them through.
    fn carried(&mut self, lines: Vec<String>) -> Vec<String> {
        if self.active.is_empty() {
            return lines;
        }
        let mut sent = Vec::new();
        for line in lines {
            let event = line.starts_with(r#"{"type":"event"#);
            if event && self.is_active(|fault| fault == Fault::Corrupt) && self.draw.chance(20) {
                self.met.count("corrupted");
                sent.push(self.corrupted(&line));
            } else if event && self.is_active(|fault| fault == Fault::Garbled) && self.draw.chance(20) {
                self.met.count("garbled");
                // A document of polls is one whole: only a number can be wrong in it.
                let broken = if self.draw.chance(50) { r#""data":{{"# } else { r#""data":{"w":1e999,"# };
                sent.push(line.replacen(r#""data":{"#, broken, 1));
            } else if event && self.is_active(|fault| fault == Fault::Skip) && self.draw.chance(20) {
                self.met.count("skipped");
            } else if event && self.is_active(|fault| fault == Fault::Twice) && self.draw.chance(30) {
                self.met.count("doubled");
                sent.extend([line.clone(), line]);
            } else {
                sent.push(line);
            }
        }
        sent
    }

    /// A line of which not even the place can be read.
    fn corrupted(&mut self, line: &str) -> String {
        let at = usize::try_from(self.draw.below(line.len().min(40) as u64)).unwrap_or(0);
        line[..at].to_owned()
    }

    fn frame(&mut self, id: LinkId, lines: Vec<String>) {
        let mut sent = self.carried(lines);
        if self.is_active(|fault| fault == Fault::Truncate)
            && self.draw.chance(20)
            && let Some(last) = sent.last_mut()
        {
            self.met.count("truncated");
            last.truncate(last.len().min(40) / 2);
        }
        let Some(link) = self.links.get(&id).filter(|_| !sent.is_empty()) else { return };
        if link.transport == Transport::WebSocket {
            return self.down(id, Input::Text { link: id, text: sent.join("\n").into() });
        }
        let mut block = String::new();
        for line in &sent {
            block.push_str("data: ");
            block.push_str(line);
            block.push('\n');
        }
        block.push('\n');
        let block = block.into_bytes();
        let cut =
            if self.draw.chance(20) { usize::try_from(self.draw.below(block.len() as u64)).unwrap_or(0) } else { 0 };
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
        let latency = self.latency(true);
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
        let latency = self.latency(false);
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return };
        link.up = link.up.max(self.now.plus(latency));
        let at = link.up;
        self.at(at, action);
    }

    /// What the network or the server does to a request for a link, if it lets none through.
    fn shut(&self, transport: Transport) -> Option<Shut> {
        // Without pings, a stream that is late by the same from its first byte on looks like one whose clock is set
        // otherwise. That is left open, so here no such link comes to stand.
        let is_late = |fault| matches!(fault, Fault::Slow(500..) | Fault::SlowStream(_));
        if transport == Transport::Sse && self.is_active(is_late) || self.is_active(|fault| fault == Fault::HalfOpen) {
            return Some(Shut::Silent);
        }
        if self.is_active(|fault| matches!(fault, Fault::Cut | Fault::Restart { .. })) {
            return Some(Shut::Failed(LinkFaultKind::Refused));
        }
        let http = |status, retry_after: Option<u64>, kind: &str| {
            Some(Shut::Failed(LinkFaultKind::Http {
                status,
                retry_after: retry_after.map(Duration::from_secs),
                content_type: Some(kind.into()),
            }))
        };
        if self.is_active(|fault| fault == Fault::Revoked) {
            return http(401, None, "application/json");
        }
        self.active().find_map(|fault| match fault {
            Fault::Swallowed(kind) if kind == transport => Some(Shut::Silent),
            Fault::Login { upgrades } if !upgrades || transport == Transport::WebSocket => http(200, None, "text/html"),
            Fault::Status(status) => http(status, matches!(status, 429 | 503).then_some(3), "text/html"),
            _ => None,
        })
    }

    /// Whether a request for a link comes through; if not, what comes of it is on its way.
    fn let_in(&mut self, id: LinkId, transport: Transport) -> bool {
        match self.shut(transport) {
            None => true,
            Some(Shut::Silent) => false,
            Some(Shut::Failed(kind)) => {
                let latency = self.latency(false);
                self.after(latency, Action::Input(Input::Failed { link: id, fault: LinkFault::new(kind, "") }));
                false
            }
        }
    }

    fn stand(&mut self, id: LinkId, transport: Transport) {
        let link = Link {
            transport,
            cursors: Vec::new(),
            polls: 0,
            waiting: None,
            kept: Vec::new(),
            dead: false,
            down: self.now,
            up: self.now,
        };
        self.links.insert(id, link);
        self.after(Duration::from_millis(self.plan.heartbeat), Action::Heartbeat(id));
    }

    pub(super) fn accept(&mut self, id: LinkId, transport: Transport, url: &str) -> Result<(), String> {
        if !self.held.contains_key(&id) || !self.let_in(id, transport) {
            return Ok(());
        }
        self.stand(id, transport);
        self.down(id, Input::Opened { link: id });
        let hello = self.server.hello(self.plan.heartbeat, self.now);
        self.frame(id, vec![hello]);
        if transport == Transport::Sse {
            let places = places(&parameter(url, "cursor")?)?;
            self.subscribe(id, &places)?;
        }
        Ok(())
    }

    fn subscribe(&mut self, id: LinkId, places: &[(String, Option<String>)]) -> Result<(), String> {
        let mut lines = Vec::new();
        for (name, place) in places {
            let channel = self.server.channel(name).ok_or("a channel that nobody knows")?;
            let (line, cursor, _) = self.server.subscribe(channel, place.as_deref());
            lines.push(line);
            if let Some(link) = self.links.get_mut(&id) {
                link.cursors.retain(|own| own.channel != channel);
                link.cursors.push(cursor);
            }
        }
        let Some(link) = self.links.get(&id) else { return Ok(()) };
        if self.is_active(|fault| fault == Fault::Mute) {
            return Ok(());
        }
        lines.push(self.server.heartbeat(&link.cursors, self.now));
        self.frame(id, lines);
        self.pump();
        Ok(())
    }

    pub(super) fn text(&mut self, id: LinkId, text: &str) -> Result<(), String> {
        if self.links.get(&id).is_none_or(|link| link.dead) {
            return Ok(());
        }
        let message: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match message["type"].as_str() {
            Some("subscribe") => {
                let channels = message["channels"].as_object().ok_or("no channels")?;
                let place = |value: &serde_json::Value| value.as_str().map(str::to_owned);
                let places: Vec<_> = channels.iter().map(|(name, value)| (name.clone(), place(value))).collect();
                self.subscribe(id, &places)?;
            }
            Some("unsubscribe") => {
                let names = message["channels"].as_array().ok_or("no channels")?;
                let gone: Vec<_> = names.iter().filter_map(|name| self.server.channel(name.as_str()?)).collect();
                if let Some(link) = self.links.get_mut(&id) {
                    link.cursors.retain(|cursor| !gone.contains(&cursor.channel));
                }
            }
            Some("ping") => {
                let clock = self.server.clock(self.now);
                let line = format!(r#"{{"type":"pong","id":{},"clock":{clock}}}"#, message["id"]);
                if !self.is_active(|fault| fault == Fault::Stall) {
                    self.frame(id, vec![line]);
                }
            }
            other => return Err(format!("unknown message {other:?}")),
        }
        Ok(())
    }

    /// A poll arrives.
    pub(super) fn asked(&mut self, id: LinkId, transport: Transport, url: &str) -> Result<(), String> {
        if !self.held.contains_key(&id) || self.links.get(&id).is_some_and(|link| link.dead) {
            return Ok(());
        }
        if !self.let_in(id, transport) {
            return Ok(());
        }
        if !self.links.contains_key(&id) {
            self.stand(id, transport);
        }
        let mut told = Vec::new();
        let mut cursors = Vec::new();
        for (name, place) in places(&parameter(url, "cursor")?)? {
            let channel = self.server.channel(&name).ok_or("a channel that nobody knows")?;
            let (line, cursor, recovered) = self.server.subscribe(channel, place.as_deref());
            if !recovered {
                told.push(line);
            }
            cursors.push(cursor);
        }
        let wait: u64 = parameter(url, "wait_ms")?.parse().map_err(|_| "no span")?;
        let until = self.now.plus(Duration::from_millis(wait));
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.cursors = cursors;
        link.polls += 1;
        link.waiting = Some((told, until));
        let poll = link.polls;
        self.at(until, Action::Answer(id, poll));
        self.pump();
        Ok(())
    }

    /// A poll has waited for as long as it was to.
    pub(super) fn answer_late(&mut self, id: LinkId, poll: u64) {
        let waits = self.links.get(&id).is_some_and(|link| link.polls == poll);
        if waits && !self.is_active(|fault| matches!(fault, Fault::Stall | Fault::Mute | Fault::Throttle)) {
            self.answer(id, usize::MAX);
        }
    }

    /// Answers the poll that waits, if there is something to say.
    fn answer(&mut self, id: LinkId, most: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some((mut lines, until)) = link.waiting.take() else { return };
        lines.extend(self.server.read(&mut link.cursors, most));
        if lines.is_empty() && self.now < until && most == usize::MAX {
            link.waiting = Some((lines, until));
            return;
        }
        let heartbeat = self.server.heartbeat(&link.cursors, self.now);
        let cursors = link.cursors.clone();
        let place = |cursor: &crate::server::Cursor| format!("c{}~e{}:{}", cursor.channel, cursor.epoch, cursor.offset);
        let cursor = cursors.iter().map(place).collect::<Vec<_>>().join("|");
        // A hub's answer is one document: what can't be read stands in it as a message without sense.
        let broken = |line: &str| serde_json::from_str::<serde::de::IgnoredAny>(line).is_err();
        let lines = self.carried(lines);
        let lines: Vec<String> =
            lines.into_iter().map(|line| if broken(&line) { r#"{"type":"event"}"#.to_owned() } else { line }).collect();
        let body = format!(r#"{{"cursor":"{cursor}","messages":[{}],"heartbeat":{heartbeat}}}"#, lines.join(","));
        let body = if self.is_active(|fault| fault == Fault::Truncate) && self.draw.chance(20) {
            self.met.count("truncated");
            body[..body.len() / 2].to_owned()
        } else {
            body
        };
        self.down(id, Input::Answered { link: id, body: body.into() });
    }

    pub(super) fn fetch(&mut self, fetch: FetchId, timeout: Duration, health: bool) {
        let failure = self.active().find_map(|fault| match fault {
            Fault::Snapshot(failure) if !health => Some(failure),
            Fault::Status(status) if health => Some(NoSnapshot::Status(status)),
            Fault::Revoked => Some(NoSnapshot::Status(401)),
            Fault::Login { upgrades: false } => Some(NoSnapshot::Page),
            Fault::HalfOpen => Some(NoSnapshot::Timeout),
            _ => None,
        });
        let answer = |status: u16, body: String| Ok(Response { status, retry_after: None, body: body.into() });
        let latency = self.latency(false);
        let mut at = self.now.plus(latency);
        let refused = self.is_active(|fault| matches!(fault, Fault::Cut | Fault::Restart { .. }));
        let outcome = match failure {
            _ if refused => Err(LinkFault::new(LinkFaultKind::Refused, "")),
            Some(NoSnapshot::Silence) => return,
            Some(NoSnapshot::Timeout) => {
                at = self.now.plus(timeout);
                Err(LinkFault::new(LinkFaultKind::Timeout, ""))
            }
            Some(NoSnapshot::Broken) => answer(200, r#"{"positions":{}"#.into()),
            Some(NoSnapshot::Page) => answer(200, "<html>".into()),
            Some(NoSnapshot::Status(status)) => answer(status, String::new()),
            None if health => answer(200, r#"{"status":"ok"}"#.into()),
            None if !self.plan.snapshots => answer(404, String::new()),
            None => {
                self.met.count("snapshots sent");
                let stale = self.stale_snapshot.clone();
                let body = stale.unwrap_or_else(|| self.server.snapshot(self.now));
                answer(200, body)
            }
        };
        self.at(at, Action::Input(Input::Fetched { fetch, outcome }));
    }

    /// Every link breaks; with a close code, it is told why.
    pub(super) fn cut(&mut self, end: Option<(u16, &str)>) {
        for (id, link) in std::mem::take(&mut self.links) {
            // Between two polls there is nothing to break.
            if is_polled(&link) && link.waiting.is_none() {
                self.links.insert(id, link);
                continue;
            }
            self.killed.insert(id);
            if link.dead {
                continue;
            }
            let input = match end {
                Some((code, reason)) if link.transport == Transport::WebSocket => {
                    Input::Closed { link: id, code: Some(code), reason: reason.to_owned() }
                }
                Some(_) if !is_polled(&link) => Input::Closed { link: id, code: None, reason: String::new() },
                _ => Input::Failed { link: id, fault: LinkFault::new(LinkFaultKind::Reset, "") },
            };
            let after = self.draw.millis(1, 20);
            self.after(after, Action::Input(input));
        }
    }

    /// No link passes anything any more.
    pub(super) fn deaden(&mut self) {
        self.links.values_mut().for_each(|link| link.dead = true);
    }

    /// Connections in ten seconds, and polls.
    pub(super) fn recent(&mut self) -> (usize, usize) {
        let since = Mono::from_micros(self.now.as_micros().saturating_sub(10_000_000));
        self.opens.retain(|at| *at >= since);
        self.asks.retain(|at| *at >= since);
        (self.opens.len(), self.asks.len())
    }
}

const fn is_polled(link: &Link) -> bool {
    matches!(link.transport, Transport::LongPoll | Transport::Poll)
}

fn parameter(url: &str, name: &str) -> Result<String, String> {
    let url: url::Url = url.parse().map_err(|_| "no address")?;
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).ok_or_else(|| format!("no {name}"))
}

/// The channels of a cursor, with their places.
fn places(cursor: &str) -> Result<Vec<(String, Option<String>)>, String> {
    cursor
        .split('|')
        .map(|place| {
            let (name, at) = place.split_once('~').ok_or("no place")?;
            Ok((name.to_owned(), (!at.is_empty()).then(|| at.to_owned())))
        })
        .collect()
}

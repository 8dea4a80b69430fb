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
    /// Sends what the link's cursors haven't had.
    pub(super) fn pump(&mut self) {
        if self.is_active(|fault| matches!(fault, Fault::Stall | Fault::Throttle)) {
            return;
        }
        self.send(usize::MAX);
    }

    fn send(&mut self, most: usize) {
        let Some(link) = &mut self.link else { return };
        let mut lines = Vec::new();
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
        for lines in lines.chunks(16) {
            self.frame(lines.to_vec());
        }
    }

    pub(super) fn heartbeat(&mut self, id: LinkId) {
        let Some(link) = self.link.as_ref().filter(|link| link.id == id) else { return };
        if !self.is_active(|fault| fault == Fault::Stall) {
            let line = self.hub.heartbeat(&link.cursors, self.now);
            self.frame(vec![line]);
            if self.is_active(|fault| fault == Fault::Throttle) {
                self.send(1);
            }
        }
        self.at(self.now.plus(HEARTBEAT), Action::Heartbeat(id));
    }

    pub(super) fn frame(&mut self, lines: Vec<String>) {
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
        let Some(id) = self.link.as_ref().map(|link| link.id).filter(|_| !sent.is_empty()) else { return };
        if self.plan.transport == Transport::WebSocket {
            return self.down(Input::Text { link: id, text: sent.join("\n").into() });
        }
        let block: String = sent.iter().map(|line| format!("data: {line}\n")).collect();
        let block = format!("{block}\n").into_bytes();
        let cut = self.draw.below(block.len() as u64) as usize;
        for part in [&block[..cut], &block[cut..]] {
            if !part.is_empty() {
                self.down(Input::Chunk { link: id, bytes: part.to_vec().into() });
            }
        }
    }

    pub(super) fn down(&mut self, input: Input) {
        let latency = self.latency();
        let Some(link) = self.link.as_mut().filter(|link| !link.dead) else { return };
        link.down = link.down.max(self.now.plus(latency));
        let at = link.down;
        self.at(at, Action::Input(input));
    }

    pub(super) fn up(&mut self, action: Action) {
        let latency = self.latency();
        let Some(link) = self.link.as_mut().filter(|link| !link.dead) else { return };
        link.up = link.up.max(self.now.plus(latency));
        let at = link.up;
        self.at(at, action);
    }

    pub(super) fn accept(&mut self, id: LinkId, url: &str) {
        if self.held != Some(id) {
            return;
        }
        let status = self.active.iter().find_map(|index| match self.plan.windows[*index].fault {
            Fault::Status(status) => Some(status),
            _ => None,
        });
        // Without pings, a stream that is late by the same from its first byte on looks like one whose clock is set
        // otherwise. That is left open, so here no such link comes to stand.
        let late =
            self.plan.transport == Transport::Sse && self.is_active(|fault| matches!(fault, Fault::Slow(2_000..)));
        if late || self.is_active(|fault| fault == Fault::HalfOpen) {
            return;
        }
        let kind = if self.is_active(|fault| fault == Fault::Cut) {
            Some(LinkFaultKind::Refused)
        } else {
            status.map(|status| LinkFaultKind::Http {
                status,
                retry_after: (status == 503).then_some(Duration::from_secs(3)),
                content_type: Some("text/html".into()),
            })
        };
        if let Some(kind) = kind {
            let input = Input::Failed { link: id, fault: LinkFault::new(kind, "") };
            return self.at(self.now, Action::Input(input));
        }
        self.link = Some(Link { id, cursors: BTreeMap::new(), dead: false, down: self.now, up: self.now });
        self.down(Input::Opened { link: id });
        let hello = format!(
            r#"{{"type":"hello","protocol":1,"hub":"model","heartbeat_ms":1000,"clock":{}}}"#,
            hub::clock(self.now)
        );
        self.frame(vec![hello]);
        if self.plan.transport == Transport::Sse {
            let url: url::Url = url.parse().expect("an address");
            let cursor = url.query_pairs().find(|(key, _)| key == "cursor").expect("a cursor").1.into_owned();
            let places = cursor.split('|').map(|place| place.split_once('~').expect("a place"));
            let places = places.map(|(name, at)| (name.to_owned(), (!at.is_empty()).then(|| at.to_owned())));
            self.subscribe(places.collect());
        }
        self.at(self.now.plus(HEARTBEAT), Action::Heartbeat(id));
    }

    pub(super) fn subscribe(&mut self, places: Vec<(String, Option<String>)>) {
        let mut lines = Vec::new();
        for (name, place) in places {
            let (line, cursor) = self.hub.subscribe(&name, place.as_deref());
            lines.push(line);
            if let Some(link) = &mut self.link {
                link.cursors.insert(name, cursor);
            }
        }
        let Some(link) = &self.link else { return };
        lines.push(self.hub.heartbeat(&link.cursors, self.now));
        self.frame(lines);
        self.pump();
    }

    pub(super) fn text(&mut self, id: LinkId, text: &str) {
        if self.link.as_ref().is_none_or(|link| link.id != id || link.dead) {
            return;
        }
        let message: serde_json::Value = serde_json::from_str(text).expect("a message");
        match message["type"].as_str() {
            Some("subscribe") => {
                let channels = message["channels"].as_object().expect("channels");
                let place = |value: &serde_json::Value| value.as_str().map(str::to_owned);
                self.subscribe(channels.iter().map(|(name, value)| (name.clone(), place(value))).collect());
            }
            Some("unsubscribe") => {
                let names = message["channels"].as_array().expect("channels");
                if let Some(link) = &mut self.link {
                    link.cursors.retain(|name, _| !names.iter().any(|gone| gone == name));
                }
            }
            Some("ping") => {
                let line = format!(r#"{{"type":"pong","id":{},"clock":{}}}"#, message["id"], hub::clock(self.now));
                if !self.is_active(|fault| fault == Fault::Stall) {
                    self.frame(vec![line]);
                }
            }
            other => panic!("unknown message {other:?}"),
        }
    }

    pub(super) fn fetch(&mut self, fetch: FetchId, timeout: Duration) {
        let latency = self.latency();
        let failure = self.active.iter().find_map(|index| match self.plan.windows[*index].fault {
            Fault::Snapshot(failure) => Some(failure),
            Fault::HalfOpen => Some(NoSnapshot::Timeout),
            _ => None,
        });
        let answer = |status: u16, body: String| Ok(Response { status, retry_after: None, body: body.into() });
        let mut at = self.now.plus(latency);
        let outcome = match failure {
            Some(NoSnapshot::Silence) => return,
            Some(NoSnapshot::Timeout) => {
                at = self.now.plus(timeout);
                Err(LinkFault::new(LinkFaultKind::Timeout, ""))
            }
            Some(NoSnapshot::Broken) => answer(200, r#"{"positions":{}"#.into()),
            Some(NoSnapshot::Status(status)) => answer(status, String::new()),
            None if self.is_active(|fault| fault == Fault::Cut) => Err(LinkFault::new(LinkFaultKind::Refused, "")),
            None if !self.plan.snapshots => answer(404, String::new()),
            None if self.is_active(|fault| fault == Fault::StaleSnapshot) && !self.hub.past.is_empty() => {
                answer(200, self.draw.pick(&self.hub.past).clone())
            }
            None => answer(200, self.hub.snapshot(self.now)),
        };
        self.at(at, Action::Input(Input::Fetched { fetch, outcome }));
    }
}

//! The server's doors: who is let in, what is asked there, and what is answered.

use std::time::Duration;

use watchfloor_feed::{FetchId, Input, LinkFault, LinkFaultKind, LinkId, Response};
use watchfloor_model::Transport;

use super::{Action, Link, World, line_of, queue::Call};
use crate::{
    dialects::Name,
    fault::{Fault, NoSnapshot},
};

/// What becomes of a request that isn't let through.
enum Shut {
    Silent,
    Failed(LinkFaultKind),
}

impl World {
    /// What the network or the server does to a request for a link, if it lets none through.
    fn shut(&self, line: usize, transport: Transport) -> Option<Shut> {
        // Without pings, a stream that is late by the same from its first byte on looks like one whose clock is set
        // otherwise. That is left open, so here no such link comes to stand.
        let is_late = |fault| matches!(fault, Fault::Slow(500..) | Fault::SlowStream(_));
        let is_asked = self.plan.dialect.is_some_and(|name| !name.tells_no_time());
        if transport == Transport::Sse && !is_asked && self.is_active_on(line, is_late)
            || self.is_active_on(line, |fault| fault == Fault::HalfOpen)
        {
            return Some(Shut::Silent);
        }
        if self.is_active_on(line, |fault| matches!(fault, Fault::Cut | Fault::Restart { .. })) {
            return Some(Shut::Failed(LinkFaultKind::Refused));
        }
        let http = |status, retry_after: Option<u64>, kind: &str| {
            Some(Shut::Failed(LinkFaultKind::Http {
                status,
                retry_after: retry_after.map(Duration::from_secs),
                content_type: Some(kind.into()),
            }))
        };
        // Others say within their protocol who is denied.
        let denies = self.plan.dialect.is_none_or(Name::is_let_in_by_request);
        if self.plan.dialect.is_some()
            && transport != Transport::Tcp
            && self.is_active_on(line, |fault| fault == Fault::Stall)
        {
            // A process that stands still completes no handshake; one that is mute does.
            return Some(Shut::Silent);
        }
        if denies && self.is_active_on(line, |fault| fault == Fault::Revoked) {
            return http(401, None, "application/json");
        }
        self.active_on(line).find_map(|fault| match fault {
            Fault::Swallowed(kind) if kind == transport => Some(Shut::Silent),
            Fault::Login { upgrades } if !upgrades || transport == Transport::WebSocket => http(200, None, "text/html"),
            Fault::Status(status) => http(status, matches!(status, 429 | 503).then_some(3), "text/html"),
            _ => None,
        })
    }

    /// Whether a request for a link comes through; if not, what comes of it is on its way.
    /// By which token, if so.
    pub(super) fn let_in(&mut self, id: LinkId, transport: Transport, token: Option<&str>) -> Option<usize> {
        let unauthorised = LinkFaultKind::Http { status: 401, retry_after: None, content_type: None };
        let kind = match self.shut(line_of(id), transport) {
            None if self.plan.dialect.is_some_and(|dialect| !dialect.is_let_in_by_request()) => return Some(0),
            None => match self.admit(token) {
                Some(number) => return Some(number),
                None => unauthorised,
            },
            Some(Shut::Silent) => return None,
            Some(Shut::Failed(kind)) => kind,
        };
        let latency = self.latency(line_of(id), false);
        self.after(latency, Action::Input(Input::Failed { link: id, fault: LinkFault::new(kind, "") }));
        None
    }

    pub(super) fn stand(&mut self, id: LinkId, transport: Transport) {
        let link = Link {
            transport,
            token: 0,
            cursors: Vec::new(),
            polls: 0,
            waiting: None,
            kept: Vec::new(),
            unheard: Vec::new(),
            unmet: None,
            dead: false,
            down: self.now,
            up: self.now,
        };
        self.links.insert(id, link);
        self.after(Duration::from_millis(self.plan.heartbeat), Action::Heartbeat(id));
    }

    pub(super) fn accept(&mut self, id: LinkId, transport: Transport, call: &Call) -> Result<(), String> {
        if self.dialect.is_some() {
            return self.begin_talk(id, transport, call);
        }
        if !self.held.contains_key(&id) {
            return Ok(());
        }
        let Some(token) = self.let_in(id, transport, call.token.as_deref()) else { return Ok(()) };
        self.stand(id, transport);
        self.pass(id, token);
        self.down(id, Input::Opened { link: id });
        let hello = self.server.hello(self.plan.heartbeat, self.access(token).as_deref(), self.now);
        self.frame(id, vec![hello]);
        if transport == Transport::Sse {
            let places = places(&parameter(&call.url, "cursor")?)?;
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
        if self.is_active_on(line_of(id), |fault| fault == Fault::Mute) {
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
                if !self.is_active_on(line_of(id), |fault| fault == Fault::Stall) {
                    self.frame(id, vec![line]);
                }
            }
            Some("authorise") => self.authorise(id, message["token"].as_str().ok_or("no token")?)?,
            other => return Err(format!("unknown message {other:?}")),
        }
        Ok(())
    }

    /// A poll arrives.
    pub(super) fn asked(&mut self, id: LinkId, transport: Transport, call: &Call) -> Result<(), String> {
        if self.dialect.is_some() {
            return self.poll_talk(id, transport, call);
        }
        if !self.held.contains_key(&id) || self.links.get(&id).is_some_and(|link| link.dead) {
            return Ok(());
        }
        let Some(token) = self.let_in(id, transport, call.token.as_deref()) else { return Ok(()) };
        if !self.links.contains_key(&id) {
            self.stand(id, transport);
        }
        self.pass(id, token);
        let mut told = Vec::new();
        let mut cursors = Vec::new();
        for (name, place) in places(&parameter(&call.url, "cursor")?)? {
            let channel = self.server.channel(&name).ok_or("a channel that nobody knows")?;
            let (line, cursor, recovered) = self.server.subscribe(channel, place.as_deref());
            if !recovered {
                told.push(line);
            }
            cursors.push(cursor);
        }
        let wait: u64 = parameter(&call.url, "wait_ms")?.parse().map_err(|_| "no span")?;
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
        let still = |fault| matches!(fault, Fault::Stall | Fault::Mute | Fault::Throttle);
        if waits && !self.is_active_on(line_of(id), still) {
            self.answer(id, usize::MAX);
        }
    }

    /// Answers the poll that waits, if there is something to say.
    pub(super) fn answer(&mut self, id: LinkId, most: usize) {
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
        let lines = self.carried(line_of(id), lines);
        let lines: Vec<String> =
            lines.into_iter().map(|line| if broken(&line) { r#"{"type":"event"}"#.to_owned() } else { line }).collect();
        let body = format!(r#"{{"cursor":"{cursor}","messages":[{}],"heartbeat":{heartbeat}}}"#, lines.join(","));
        let body = if self.is_active_on(line_of(id), |fault| fault == Fault::Truncate) && self.draw.chance(20) {
            self.met.count("truncated");
            body[..body.len() / 2].to_owned()
        } else {
            body
        };
        self.down(id, Input::Answered { link: id, head: watchfloor_feed::Head::default(), body: body.into() });
    }

    pub(super) fn fetch(&mut self, fetch: FetchId, timeout: Duration, call: &Call) {
        // Of others than hubs nothing else is asked for beside a link.
        let other = self.dialect.is_some();
        let health = other || call.url.ends_with("/v1/health");
        let admitted = health || self.admit(call.token.as_deref()).is_some();
        let line = fetch.path();
        let failure = self.active_on(line).find_map(|fault| match fault {
            Fault::Snapshot(failure) if !health => Some(failure),
            Fault::Status(status) if health => Some(NoSnapshot::Status(status)),
            Fault::Revoked if !other => Some(NoSnapshot::Status(401)),
            Fault::Login { upgrades: false } => Some(NoSnapshot::Page),
            Fault::HalfOpen => Some(NoSnapshot::Timeout),
            // A process that stands still.
            Fault::Stall | Fault::Mute if other => Some(NoSnapshot::Timeout),
            _ => None,
        });
        let answer = |status: u16, body: String| Ok(Response::new(status, body));
        let latency = self.latency(line, false);
        let mut at = self.now.plus(latency);
        let refused = self.is_active_on(line, |fault| matches!(fault, Fault::Cut | Fault::Restart { .. }));
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
            None if other => {
                let (status, body) = self.dialect.as_ref().map(|dialect| dialect.is_there(call)).unwrap_or_default();
                answer(status, body)
            }
            None if !admitted => answer(401, String::new()),
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

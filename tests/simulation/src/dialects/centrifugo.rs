//! Centrifugo 6, its bidirectional protocol in JSON: channels with history, followed from epoch and offset.
//!
//! ```text
//! connect → connected; subscribe → subscribed, with what was missed; publications
//! history → where a stream stands; refresh → a new token's life; {} → {}
//! ```
//!
//! Over a WebSocket, or by an answer without an end to a request that begins with `connect`: a line a message, or an event of
//! server-sent events. What is said then comes by requests of their own, which name session and node, in whatever order they
//! arrive. A session that the node doesn't know is no error there, a node that isn't there is; and what is taken may be lost on its way
//! to the node that holds the connection.
//!
//! The server pings, and whoever answers no ping, or none that was sent, is thrown out.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde_json::{Value, json};
use watchfloor_feed::LinkId;
use watchfloor_model::Mono;

use super::{At, Began, Call, Dialect, Said, Told};

/// How often it pings by itself, in seconds. It is asked where it stands in between.
const PING_SECONDS: u64 = 25;
/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The close code of a token that has ended, and of a history that is another one.
const EXPIRED: u16 = 3005;

/// The longest body that is posted.
const BODY_BYTES_MAX: usize = 64 << 10;

/// How messages come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Frames {
    #[default]
    Socket,
    Lines,
    /// Whether the answer has begun.
    Events(bool),
}

#[derive(Default)]
struct Client {
    frames: Frames,
    /// By what it is named in requests.
    session: String,
    connected: bool,
    pinged: Mono,
    unanswered: bool,
    /// By channel: the turn of the next event that is sent, and the base of the epoch in which that is.
    following: BTreeMap<usize, (usize, usize)>,
}

/// The server.
#[derive(Default)]
pub(super) struct Centrifugo {
    clients: BTreeMap<LinkId, Client>,
    /// How many there were.
    count: u64,
    /// How often it was started again.
    starts: u64,
}

fn line(value: &Value) -> String {
    value.to_string()
}

/// A publication. Numbers that JSON has and nobody can hold are left as they are.
fn publication(at: &mut At<'_>, channel: usize, turn: usize) -> String {
    let body = at.body(channel, turn);
    let offset = at.server.turn(channel, turn).map_or(0, |event| event.offset);
    format!(r#"{{"data":{body},"offset":{offset}}}"#)
}

fn epoch(at: &At<'_>) -> String {
    format!("e{}", at.server.epoch)
}

impl Centrifugo {
    fn command(&mut self, at: &mut At<'_>, link: LinkId, command: &Value) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        let id = command["id"].as_u64().ok_or("a command without an id")?;
        let body = |name: &str| command.get(name);
        if let Some(connect) = body("connect") {
            let Some(token) = at.admit(connect["token"].as_str()) else {
                let frames = client.frames;
                if at.revoked {
                    hang_up(at, frames, 3500, "invalid token");
                } else {
                    let error = json!({"id": id, "error": {"code": 109, "message": "token expired"}});
                    at.say(Said::plain(line(&error)));
                    hang_up(at, frames, EXPIRED, "connection expired");
                }
                return Ok(());
            };
            if std::mem::replace(&mut client.connected, true) {
                return Err("a second connect".into());
            }
            client.pinged = at.now;
            at.say(Said::Token(token));
            let mut answer = json!({"client": "model", "version": "6.0.0", "ping": PING_SECONDS, "pong": true});
            answer["time"] = at.server.time(at.now).into();
            if client.frames != Frames::Socket {
                answer["session"] = client.session.clone().into();
                answer["node"] = node(self.starts).into();
            }
            if let Some(life) = at.life(token) {
                (answer["expires"], answer["ttl"]) = (true.into(), life.into());
            }
            at.say(Said::plain(line(&json!({"id": id, "connect": answer}))));
            return Ok(());
        }
        if !client.connected {
            return Err("a command before the connection".into());
        }
        if let Some(subscribe) = body("subscribe") {
            return self.subscribe(at, link, id, subscribe);
        }
        if let Some(unsubscribe) = body("unsubscribe") {
            let channel = channel(at, unsubscribe)?;
            client.following.remove(&channel);
            at.say(Said::plain(line(&json!({"id": id, "unsubscribe": {}}))));
        } else if let Some(history) = body("history") {
            let channel = channel(at, history)?;
            let answer = json!({"epoch": epoch(at), "offset": at.server.head(channel)});
            at.say(Said::plain(line(&json!({"id": id, "history": answer}))));
        } else if let Some(refresh) = body("refresh") {
            match at.admit(refresh["token"].as_str()) {
                Some(token) => {
                    at.say(Said::Token(token));
                    let mut answer = json!({"client": "model", "version": "6.0.0"});
                    if let Some(life) = at.life(token) {
                        (answer["expires"], answer["ttl"]) = (true.into(), life.into());
                    }
                    at.say(Said::plain(line(&json!({"id": id, "refresh": answer}))));
                }
                None => {
                    let error = json!({"id": id, "error": {"code": 109, "message": "token expired"}});
                    at.say(Said::plain(line(&error)));
                }
            }
        } else {
            return Err(format!("an unknown command {command}"));
        }
        Ok(())
    }

    fn subscribe(&mut self, at: &mut At<'_>, link: LinkId, id: u64, asked: &Value) -> Result<(), String> {
        let channel = channel(at, asked)?;
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        if client.following.contains_key(&channel) {
            let error = json!({"id": id, "error": {"code": 105, "message": "already subscribed"}});
            at.say(Said::plain(line(&error)));
            return Ok(());
        }
        let (base, next, oldest) = (at.server.base(channel), at.server.next_turn(channel), at.server.oldest(channel));
        let recovers = asked["recover"] == true;
        let turn = asked["offset"].as_u64().and_then(|offset| base.checked_add(usize::try_from(offset).ok()?));
        let from = turn.filter(|turn| recovers && asked["epoch"] == epoch(at) && (oldest..=next).contains(turn));
        let mut text = format!(
            r#"{{"id":{id},"subscribe":{{"recoverable":true,"positioned":true,"epoch":"{}","offset":{}"#,
            epoch(at),
            next - base
        );
        if recovers {
            text.push_str(r#","was_recovering":true"#);
        }
        if let Some(from) = from {
            let mut missed = Vec::new();
            for turn in from..next {
                missed.push(publication(at, channel, turn));
            }
            let _infallible = write!(text, r#","recovered":true,"publications":[{}]"#, missed.join(","));
        }
        text.push_str("}}");
        client.following.insert(channel, (next, base));
        let began = Began { channel, turn: from.unwrap_or(next), recovered: from.is_some() };
        at.say(Said::beginning(text, vec![began]));
        Ok(())
    }
}

fn node(starts: u64) -> String {
    format!("node-{starts}")
}

fn goodbye(code: u16, reason: &str) -> Value {
    json!({"push": {"disconnect": {"code": code, "reason": reason}}})
}

/// Where there is no close frame, a push says why.
fn hang_up(at: &mut At<'_>, frames: Frames, code: u16, reason: &'static str) {
    if frames == Frames::Socket {
        return at.say(Said::Close(Some(code), reason));
    }
    at.say(Said::plain(line(&goodbye(code, reason))));
    at.say(Said::Close(None, ""));
}

fn channel(at: &At<'_>, body: &Value) -> Result<usize, String> {
    body["channel"].as_str().and_then(|name| at.server.channel(name)).ok_or_else(|| "an unknown channel".into())
}

impl Dialect for Centrifugo {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<(), String> {
        self.count += 1;
        let url: url::Url = call.url.parse().map_err(|_| "no address")?;
        let frames = match url.path() {
            "/connection/websocket" => Frames::Socket,
            "/connection/http_stream" => Frames::Lines,
            "/connection/sse" => Frames::Events(false),
            other => return Err(format!("nothing is at {other}")),
        };
        self.clients.insert(link, Client { frames, session: format!("session-{}", self.count), ..Client::default() });
        if frames == Frames::Socket {
            return Ok(());
        }
        self.hear(at, link, call.body.as_deref().ok_or("a stream that nothing is asked by")?)
    }

    fn frame(&mut self, link: LinkId, message: Vec<u8>) -> Vec<u8> {
        let Some(client) = self.clients.get_mut(&link) else { return message };
        match &mut client.frames {
            Frames::Socket => message,
            Frames::Lines => [&message[..], b"\n"].concat(),
            Frames::Events(begun) => {
                let start: &[u8] = if std::mem::replace(begun, true) { b"" } else { b"\r\n" };
                [start, b"data: ", &message, b"\n\n"].concat()
            }
        }
    }

    fn farewell(&mut self, link: LinkId, code: u16, reason: &str) -> Option<Vec<u8>> {
        self.clients.get(&link).filter(|client| client.frames != Frames::Socket)?;
        Some(self.frame(link, line(&goodbye(code, reason)).into_bytes()))
    }

    fn told(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<Option<Told>, String> {
        let url: url::Url = call.url.parse().map_err(|_| "no address")?;
        if url.path() != "/emulation" {
            return Err(format!("nothing is posted to {}", url.path()));
        }
        let body = call.body.as_deref().unwrap_or_default();
        if body.len() > BODY_BYTES_MAX {
            return Ok(Some(Told::plain(413, "")));
        }
        let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let text = |name: &str| body[name].as_str().ok_or_else(|| format!("{name} is no text"));
        if text("node")? != node(self.starts) {
            return Ok(Some(Told::plain(404, "")));
        }
        let session = text("session")?;
        let client = self.clients.iter().find(|(_, client)| client.session == session);
        match client.map(|(of, _)| *of) {
            Some(_) if at.loses && at.draw.chance(20) => {}
            Some(of) if of == link => self.hear(at, link, text("data")?.as_bytes())?,
            Some(of) => return Err(format!("link {link} says what is of link {of}")),
            None => {}
        }
        Ok(Some(Told::plain(204, "")))
    }

    fn is_there(&self, call: &Call) -> (u16, String) {
        let is_json = |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok();
        let wrong = call.url.ends_with("/emulation") && !call.body.as_deref().is_some_and(is_json);
        (if wrong { 400 } else { 404 }, String::new())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(message).map_err(|error| error.to_string())?;
        for one in text.lines() {
            if one == "{}" {
                let client = self.clients.get_mut(&link);
                if client.is_some_and(|client| !std::mem::take(&mut client.unanswered)) {
                    return Err("a pong without a ping".into());
                }
                continue;
            }
            let command: Value = serde_json::from_str(one).map_err(|error| format!("{error}: {one}"))?;
            self.command(at, link, &command)?;
        }
        Ok(())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        let mut gone = Vec::new();
        for (channel, (next, base)) in &mut client.following {
            let (channel, name) = (*channel, at.server.name(*channel).to_owned());
            if *base != at.server.base(channel) {
                // Its own check finds that the stream is another one.
                gone.push(channel);
                let end =
                    json!({"push": {"channel": name, "unsubscribe": {"code": 2500, "reason": "insufficient state"}}});
                at.say(Said::plain(line(&end)));
                continue;
            }
            while *next < at.server.next_turn(channel) {
                let publication = publication(at, channel, *next);
                let text = format!(r#"{{"push":{{"channel":"{name}","pub":{publication}}}}}"#);
                at.say(Said::event(text, channel, *next));
                *next += 1;
            }
        }
        client.following.retain(|channel, _| !gone.contains(channel));
        Ok(())
    }

    fn beat(&mut self, at: &mut At<'_>, link: LinkId) {
        let Some(client) = self.clients.get_mut(&link).filter(|client| client.connected) else { return };
        let since = at.now.since(client.pinged);
        if client.unanswered && since > PATIENCE {
            hang_up(at, client.frames, 3012, "no pong");
        } else if since >= Duration::from_secs(PING_SECONDS) {
            (client.pinged, client.unanswered) = (at.now, true);
            at.say(Said::plain("{}"));
        }
    }

    fn expire(&mut self, at: &mut At<'_>, link: LinkId) {
        let frames = self.clients.get(&link).map(|client| client.frames).unwrap_or_default();
        hang_up(at, frames, EXPIRED, "connection expired");
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }

    fn restart(&mut self, _keeps: bool) {
        self.starts += 1;
    }
}

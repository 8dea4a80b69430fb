//! Centrifugo 6, its bidirectional protocol in JSON: channels with history, followed from epoch and offset.
//!
//! ```text
//! connect → connected; subscribe → subscribed, with what was missed; publications
//! history → where a stream stands; refresh → a new token's life; {} → {}
//! ```

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};
use watchfloor_feed::LinkId;

use super::{At, Began, Call, Dialect, Said};

/// An hour: how often the model's server pings by itself, in seconds. It is asked where it stands in between.
const PING_SECONDS: u64 = 25;
/// The close code of a token that has ended, and of a history that is another one.
const EXPIRED: u16 = 3005;

#[derive(Default)]
struct Client {
    connected: bool,
    /// By channel: the turn of the next event that is sent, and the base of the epoch in which that is.
    following: BTreeMap<usize, (usize, usize)>,
}

/// The server.
#[derive(Default)]
pub(super) struct Centrifugo {
    clients: BTreeMap<LinkId, Client>,
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
                if at.revoked {
                    at.say(Said::Close(Some(3500), "invalid token"));
                } else {
                    let error = json!({"id": id, "error": {"code": 109, "message": "token expired"}});
                    at.say(Said::plain(line(&error)));
                    at.say(Said::Close(Some(EXPIRED), "connection expired"));
                }
                return Ok(());
            };
            client.connected = true;
            at.say(Said::Token(token));
            let mut answer = json!({"client": "model", "version": "6.0.0", "ping": PING_SECONDS, "pong": true});
            answer["time"] = at.server.time(at.now).into();
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

fn channel(at: &At<'_>, body: &Value) -> Result<usize, String> {
    body["channel"].as_str().and_then(|name| at.server.channel(name)).ok_or_else(|| "an unknown channel".into())
}

impl Dialect for Centrifugo {
    fn begin(&mut self, _at: &mut At<'_>, link: LinkId, _call: &Call) {
        self.clients.insert(link, Client::default());
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(message).map_err(|error| error.to_string())?;
        for one in text.lines().filter(|one| *one != "{}") {
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

    fn expire(&mut self, at: &mut At<'_>, _link: LinkId) {
        at.say(Said::Close(Some(EXPIRED), "connection expired"));
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }
}

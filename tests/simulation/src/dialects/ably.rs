//! Ably, its realtime protocol 6 in JSON: channels that are attached after a serial, as far back as the server keeps messages; or
//! hardly any further back, with a history over HTTP that goes as far.
//!
//! ```text
//! CONNECTED; ATTACH → ATTACHED, with what was missed behind it; MESSAGE; HEARTBEAT → HEARTBEAT
//! GET …/messages → [newest, …]
//! ```

use std::collections::BTreeMap;

use serde_json::{Value, json};
use watchfloor_feed::LinkId;

use super::{At, Began, Call, Dialect, Said, Told};

const HEARTBEAT: u64 = 0;
const ERROR: u64 = 9;
const ATTACHED: u64 = 11;
const MESSAGE: u64 = 15;
/// The flags RESUMED, and that one may subscribe.
const RESUMED: u64 = 1 << 2;
const SUBSCRIBE: u64 = 1 << 18;

/// After so many messages a server that forgets attaches anew.
const RESUMED_MAX: usize = 2;
/// Messages of a page of the history.
const PAGE: usize = 4;

/// The server.
pub(super) struct Ably {
    forgets: bool,
    /// For each client, by channel the turn of the next message.
    clients: BTreeMap<LinkId, BTreeMap<usize, usize>>,
    connections: u64,
}

/// The serial of what comes before this turn.
fn serial(at: &At<'_>, turn: usize) -> String {
    format!("e{}@{turn}", at.server.epoch)
}

impl Ably {
    pub(super) const fn new(forgets: bool) -> Self {
        Self { forgets, clients: BTreeMap::new(), connections: 0 }
    }
}

/// A message of a channel.
fn message(at: &mut At<'_>, channel: usize, turn: usize) -> Value {
    let data = at.body(channel, turn);
    let id = format!("m{}", at.server.story[channel][turn]);
    let time = at.server.turn(channel, turn).map(|event| event.time);
    json!({"id": id, "name": "said", "data": data, "encoding": "json", "timestamp": time})
}

/// A page of what a channel had before a serial.
fn history(at: &mut At<'_>, call: &Call) -> Option<Told> {
    let url: url::Url = call.url.parse().ok()?;
    let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let name = url.path_segments()?.nth(1)?.to_owned();
    let channel = at.server.channel(&name)?;
    let from = asked("fromSerial")?;
    let (epoch, from) = from.split_once('@')?;
    if epoch != format!("e{}", at.server.epoch) {
        return Some(Told::plain(200, "[]"));
    }
    let from: usize = from.parse().ok()?;
    let oldest = at.server.oldest(channel).max(from.saturating_sub(PAGE));
    let page: Vec<Value> = (oldest..from).rev().map(|turn| message(at, channel, turn)).collect();
    // From where on it comes: the oldest that was told of, whether or not that joins.
    let began = vec![Began { channel, turn: oldest.min(from), recovered: false }];
    let next = (oldest < from).then(|| format!("./messages?fromSerial={}", serial(at, oldest)));
    Some(Told { status: 200, body: json!(page).to_string(), next, began })
}

impl Dialect for Ably {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.connections += 1;
        self.clients.insert(link, BTreeMap::new());
        if at.revoked {
            let error = json!({"code": 40101, "statusCode": 401, "message": "not for you"});
            at.say(Said::plain(json!({"action": ERROR, "error": error}).to_string()));
            at.say(Said::Close(Some(1000), ""));
            return Ok(());
        }
        let details = json!({"connectionKey": format!("key-{}", self.connections), "maxIdleInterval": 15000,
            "connectionStateTtl": 120_000});
        let text = json!({"action": 4, "connectionId": format!("c{}", self.connections), "connectionDetails": details});
        at.say(Said::plain(text.to_string()));
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        let message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
        match message["action"].as_u64() {
            Some(HEARTBEAT) => {
                at.say(Said::plain(json!({"action": HEARTBEAT, "id": message["id"]}).to_string()));
                Ok(())
            }
            Some(10) => {
                let name = message["channel"].as_str().ok_or("no channel")?;
                let channel = at.server.channel(name).ok_or("an unknown channel")?;
                let next = at.server.next_turn(channel);
                let asked = message["channelSerial"].as_str().and_then(|serial| serial.split_once('@'));
                let from = asked.filter(|(epoch, _)| *epoch == format!("e{}", at.server.epoch));
                let from = from.and_then(|(_, turn)| turn.parse().ok());
                let kept = if self.forgets { next.saturating_sub(RESUMED_MAX) } else { 0 };
                let from = from.filter(|turn| (kept.max(at.server.oldest(channel))..=next).contains(turn));
                let turn = from.unwrap_or(next);
                client.insert(channel, turn);
                let flags = SUBSCRIBE | if from.is_some() { RESUMED } else { 0 };
                let text =
                    json!({"action": ATTACHED, "channel": name, "channelSerial": serial(at, turn), "flags": flags});
                let began = Began { channel, turn, recovered: from.is_some() };
                at.say(Said::beginning(text.to_string(), vec![began]));
                self.pump(at, link)
            }
            other => Err(format!("an unknown action {other:?}")),
        }
    }

    fn told(&mut self, at: &mut At<'_>, _link: LinkId, call: &Call) -> Result<Option<Told>, String> {
        Ok(if at.revoked { Some(Told::plain(401, "")) } else { history(at, call) })
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        for (channel, next) in client {
            while *next < at.server.next_turn(*channel) {
                let said = message(at, *channel, *next);
                let name = at.server.name(*channel).to_owned();
                let text = json!({"action": MESSAGE, "channel": name, "channelSerial": serial(at, *next + 1),
                    "messages": [said]});
                at.say(Said::event(text.to_string(), *channel, *next));
                *next += 1;
            }
        }
        Ok(())
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }
}

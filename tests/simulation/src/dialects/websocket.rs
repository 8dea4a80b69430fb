//! A bare WebSocket, as a board describes it: messages numbered from one on for ever, a resume, pings of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use watchfloor_feed::{LinkId, Speak};

use super::{At, Began, Call, Dialect, Said};

/// The server.
pub(super) struct WebSocket {
    /// Whether messages are numbered.
    numbers: bool,
    /// Whether it sends the one once more after which it is asked to go on.
    again: bool,
    /// For each client, the turn of the next event of each channel that it is subscribed to.
    clients: BTreeMap<LinkId, BTreeMap<usize, usize>>,
}

/// What the board says of it.
pub(super) fn speak(numbers: bool) -> Speak {
    let path = |text: &str| Some(text.parse().unwrap_or_else(|error| unreachable!("{error:?}")));
    Speak {
        subscribe: Some(r#"{"op":"subscribe","ch":"{channel}"}"#.into()),
        resume: numbers.then(|| r#"{"op":"resume","ch":"{channel}","after":"{sequence}"}"#.into()),
        ping: Some(r#"{"op":"ping"}"#.into()),
        pong: Some(r#"{"op":"pong"}"#.into()),
        confirm: Some(r#"{"op":"subscribed"}"#.into()),
        refused: Some(r#"{"op":"denied"}"#.into()),
        login: None,
        channel: path("ch"),
        sequence: if numbers { path("seq") } else { None },
    }
}

impl WebSocket {
    pub(super) const fn new(numbers: bool, again: bool) -> Self {
        Self { numbers, again, clients: BTreeMap::new() }
    }
}

impl Dialect for WebSocket {
    fn begin(&mut self, _at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.clients.insert(link, BTreeMap::new());
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        let message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
        if message["op"] == "ping" {
            at.say(Said::plain(r#"{"op":"pong"}"#));
            return Ok(());
        }
        if at.revoked {
            at.say(Said::plain(r#"{"op":"denied","message":"not for you"}"#));
            at.say(Said::Close(Some(1008), "denied"));
            return Ok(());
        }
        let name = message["ch"].as_str().ok_or("no channel")?;
        let channel = at.server.channel(name).ok_or("an unknown channel")?;
        let next = at.server.next_turn(channel);
        let after: Option<usize> = match message["op"].as_str() {
            Some("subscribe") => None,
            Some("resume") => Some(message["after"].as_str().and_then(|text| text.parse().ok()).ok_or("no number")?),
            other => return Err(format!("an unknown message {other:?}")),
        };
        // Numbers are turns, and one more. The one after which it goes on must still be there.
        let kept = after.filter(|after| (at.server.oldest(channel) + 1..=next).contains(after));
        let turn = kept.unwrap_or(next);
        // With nothing said after it nobody can know that nothing is missing.
        let recovered = kept.is_some() && (self.again || turn < next);
        client.insert(channel, if self.again && kept.is_some() { turn - 1 } else { turn });
        let text = json!({"op": "subscribed", "ch": name}).to_string();
        at.say(Said::beginning(text, vec![Began { channel, turn, recovered }]));
        self.pump(at, link)
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        for (channel, next) in client {
            while *next < at.server.next_turn(*channel) {
                let (body, name) = (at.body(*channel, *next), at.server.name(*channel).to_owned());
                let number = if self.numbers { format!(r#""seq":{},"#, *next + 1) } else { String::new() };
                let text = format!(r#"{{"ch":"{name}",{number}{}"#, &body[1..]);
                at.say(Said::event(text, *channel, *next));
                *next += 1;
            }
        }
        Ok(())
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }
}

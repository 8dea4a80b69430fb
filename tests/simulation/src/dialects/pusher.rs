//! Pusher Channels, protocol 7, public channels: nothing is numbered, and nothing is kept.
//!
//! ```text
//! connection_established; subscribe → subscription_succeeded; events; ping → pong
//! ```

use std::collections::BTreeMap;

use serde_json::{Value, json};
use watchfloor_feed::LinkId;

use super::{At, Began, Call, Dialect, Said};

/// The server.
#[derive(Default)]
pub(super) struct Pusher {
    /// For each client, the turn of the next event of each channel that it is subscribed to.
    clients: BTreeMap<LinkId, BTreeMap<usize, usize>>,
    connections: u64,
}

impl Dialect for Pusher {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.connections += 1;
        self.clients.insert(link, BTreeMap::new());
        if at.revoked {
            let error =
                json!({"event": "pusher:error", "data": {"code": 4009, "message": "Connection not authorized"}});
            at.say(Said::plain(error.to_string()));
            at.say(Said::Close(Some(4009), "Connection not authorized"));
            return Ok(());
        }
        let data = json!({"socket_id": format!("1.{}", self.connections), "activity_timeout": 120}).to_string();
        at.say(Said::plain(json!({"event": "pusher:connection_established", "data": data}).to_string()));
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        let message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
        let channel = || {
            let name = message["data"]["channel"].as_str().ok_or("no channel")?;
            at.server.channel(name).ok_or_else(|| format!("an unknown channel {name}"))
        };
        match message["event"].as_str() {
            Some("pusher:ping") => at.say(Said::plain(r#"{"event":"pusher:pong","data":"{}"}"#)),
            Some("pusher:subscribe") => {
                let channel = channel()?;
                let turn = at.server.next_turn(channel);
                client.insert(channel, turn);
                let name = at.server.name(channel);
                let text = json!({"event": "pusher_internal:subscription_succeeded", "channel": name, "data": "{}"});
                let began = Began { channel, turn, recovered: false };
                at.say(Said::beginning(text.to_string(), vec![began]));
            }
            Some("pusher:unsubscribe") => {
                client.remove(&channel()?);
            }
            other => return Err(format!("an unknown event {other:?}")),
        }
        Ok(())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        for (channel, next) in client {
            while *next < at.server.next_turn(*channel) {
                let body = at.body(*channel, *next);
                let name = at.server.name(*channel).to_owned();
                let text = json!({"event": "said", "channel": name, "data": body}).to_string();
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

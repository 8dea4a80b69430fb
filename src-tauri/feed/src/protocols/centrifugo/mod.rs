//! Centrifugo's bidirectional protocol, version 2, in JSON: over a WebSocket, and where that is blocked over HTTP, by an answer
//! without an end and requests beside it. Sources: `centrifugal/protocol` (definitions/client.proto) and the client protocol, codes
//! and delta compression pages of centrifugal.dev.
//!
//! A place is Centrifugo's own: a stream's epoch, and the offset of a publication in it. A channel without history has none; its
//! places are counted here, under an epoch that no other link shares, so that nothing is proven by them.

mod flow;
mod fossil;
mod memory;
mod presence;
mod session;
#[cfg(test)]
mod tests;
mod token;
mod uplink;
mod wire;

use std::{sync::Arc, time::Duration};

use url::Url;
use watchfloor_model::Transport;

use self::{
    memory::Memory,
    session::connect,
    uplink::{Frames, Uplink},
};
use super::{Dialect, Place, Session};
use crate::{
    config::SourceConfig,
    fault::{Fault, FaultKind, Verdict, cut},
    port::{Header, Message, Request},
    sse::Parser,
};

/// Most channels that a server takes by default on one connection.
const CHANNELS_MAX: usize = 128;
/// The longest channel name that it takes by default, in bytes.
const CHANNEL_BYTES_MAX: usize = 255;
/// Where it listens, unless the address says.
const PATH: &str = "/connection/websocket";
/// The same for lines over HTTP.
const LINES_PATH: &str = "/connection/http_stream";
/// The same for server-sent events.
const EVENTS_PATH: &str = "/connection/sse";
/// Where it is spoken to that is listened to over HTTP.
const UPLINK_PATH: &str = "/emulation";

/// The close codes of a token that has come to its end, or that is to be thrown away.
const EXPIRED: [u16; 2] = [3005, 3014];

/// Centrifugo.
#[derive(Debug, Default)]
pub(crate) struct Centrifugo {
    memory: Memory,
}

/// The address of another of the server's doors than its WebSocket: beside that, whatever stands before it.
fn beside(config: &SourceConfig, path: &str) -> Url {
    let mut url = config.url.clone();
    let scheme = if matches!(url.scheme(), "https" | "wss") { "https" } else { "http" };
    let changed = url.set_scheme(scheme);
    debug_assert!(changed.is_ok(), "http and ws are both special schemes");
    let before = url.path().strip_suffix(PATH).unwrap_or_default().to_owned();
    url.set_path(&(before + path));
    url.set_query(None);
    url.set_fragment(None);
    url
}

fn post(url: Url, message: Message) -> Request {
    let headers = vec![Header::plain("content-type", "application/json")];
    Request { body: Some(message), ..Request::get(url).with(headers) }
}

impl Dialect for Centrifugo {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "ws" | "wss" | "http" | "https") || config.url.cannot_be_a_base() {
            return fault(format!("Centrifugo's address begins with ws or wss, not {}", cut(config.url.scheme())));
        }
        let ways = [Transport::WebSocket, Transport::HttpStream, Transport::Sse];
        if config.ladder.is_empty() || !config.ladder.iter().all(|way| ways.contains(way)) {
            return fault("Centrifugo is spoken over a WebSocket, HTTP streaming or server-sent events".to_owned());
        }
        if config.channels.is_empty() || config.channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: expected 1 to {CHANNELS_MAX}", config.channels.len()));
        }
        match config.channels.iter().find(|name| name.is_empty() || name.len() > CHANNEL_BYTES_MAX || !name.is_ascii())
        {
            Some(name) => fault(format!(
                "`{}` is no channel name of Centrifugo: ASCII, up to {CHANNEL_BYTES_MAX} bytes",
                cut(name)
            )),
            None => Ok(()),
        }
    }

    fn open(&self, config: &SourceConfig, transport: Transport, places: &[Place]) -> Request {
        let path = match transport {
            Transport::HttpStream => Some(LINES_PATH),
            Transport::Sse => Some(EVENTS_PATH),
            _ => None,
        };
        if let Some(path) = path {
            return post(beside(config, path), connect(config.token.as_ref(), places, &self.memory));
        }
        let mut url = config.url.clone();
        let scheme = if matches!(url.scheme(), "https" | "wss") { "wss" } else { "ws" };
        let changed = url.set_scheme(scheme);
        debug_assert!(changed.is_ok(), "http and ws are both special schemes");
        if matches!(url.path(), "" | "/") {
            url.set_path(PATH);
        }
        url.set_fragment(None);
        // The token goes with the first command.
        Request::get(url)
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::WebSocket, &[])
    }

    fn is_expiry(&self, code: u16) -> bool {
        EXPIRED.contains(&code)
    }

    fn verdict(&self, code: u16) -> Option<Verdict> {
        Some(match code {
            // Shutdown: all walls at once.
            3001 => Verdict::Soon,
            // A token that isn't taken, a disconnect that was asked for, no permission.
            3500 | 3503 | 3507 => Verdict::Refused,
            // Our message was too big; what a person must change.
            1009 | 3501..=3999 | 4500..=4999 => Verdict::Slow,
            _ => return None,
        })
    }

    fn health(&self, config: &SourceConfig) -> Option<Request> {
        // It finds fault with this, where it would let itself be spoken to over HTTP.
        Some(post(beside(config, UPLINK_PATH), Message::text("?".to_owned())))
    }

    fn is_there(&self, status: u16, _body: &[u8]) -> bool {
        status == 400
    }

    fn is_healthy(&self, _body: &[u8]) -> bool {
        false
    }

    fn session(
        &self,
        config: &SourceConfig,
        transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        let frames = match transport {
            Transport::HttpStream => Some(Frames::Lines { begun: Vec::new(), skipped: 0 }),
            Transport::Sse => Some(Frames::Events(Box::new(Parser::new("")))),
            _ => None,
        };
        let uplink = frames.map(|frames| Uplink::new(beside(config, UPLINK_PATH), frames, config.limit));
        Box::new(session::CentrifugoSession::new(config, channels, seed, self.memory.clone(), uplink))
    }
}

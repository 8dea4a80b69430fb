//! Ably's realtime protocol, version 6, in JSON over a WebSocket. Sources: Ably's published specification of features and protocol,
//! and what its documentation says of error codes.
//!
//! Places are counted here, as Ably's are opaque: a place's mark is the *channel serial* after which the channel can be asked to go
//! on. A serial belongs to a protocol message, which may carry several events; a place within one is marked by the serial before
//! it, and how many events came since, the last of them by its id.
//!
//! What is proven by that: a server that says `RESUMED` to a serial sends all that came after it. Whatever else the connection's
//! own resumption says proves nothing of a channel. Without it the channel's history over HTTP may still tell all that was missed,
//! if it goes back to the last event that was handed over.

mod channel;
mod cipher;
mod history;
mod hosts;
mod memory;
mod presence;
mod recall;
mod session;
#[cfg(test)]
mod tests;
mod vcdiff;
mod wire;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use self::memory::Memory;
use super::{Dialect, Place, Session};
use crate::{
    config::{Secret, SourceConfig},
    fault::{Fault, FaultKind, Verdict, cut},
    port::Request,
};

/// Most channels of one source. Ably takes 200 on a connection by default.
const CHANNELS_MAX: usize = 128;
/// The longest name of one, in bytes.
const CHANNEL_BYTES_MAX: usize = 255;

/// Ably.
#[derive(Debug, Default)]
pub(crate) struct Ably {
    memory: Memory,
}

/// Whether it is an API key, `app.id:secret`, and not a token, which has no colon.
fn is_key(token: &Secret) -> bool {
    token.expose().contains(':')
}

/// A channel's name without what is asked of it: `[?rewind=1]name`.
fn bare(name: &str) -> &str {
    name.strip_prefix("[?").and_then(|rest| rest.split_once(']')).map_or(name, |(_, name)| name)
}

/// The format of deltas that is asked for of a channel: `[?delta=vcdiff]name`.
fn asked_delta(name: &str) -> Option<&str> {
    let (asked, _) = name.strip_prefix("[?")?.split_once(']')?;
    asked.split('&').find_map(|pair| pair.strip_prefix("delta="))
}

/// A channel's name without the wish that it is rewound; what else is asked of it stays.
fn without_rewind(name: &str) -> String {
    let Some((asked, bare)) = name.strip_prefix("[?").and_then(|rest| rest.split_once(']')) else {
        return name.to_owned();
    };
    let kept: Vec<&str> = asked.split('&').filter(|pair| !pair.starts_with("rewind=")).collect();
    if kept.is_empty() { bare.to_owned() } else { format!("[?{}]{bare}", kept.join("&")) }
}

impl Dialect for Ably {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "ws" | "wss" | "http" | "https") || config.url.cannot_be_a_base() {
            return fault(format!("Ably's address begins with ws or wss, not {}", cut(config.url.scheme())));
        }
        if config.ladder != [Transport::WebSocket] {
            return fault("Ably is spoken over a WebSocket here".to_owned());
        }
        if config.channels.is_empty() || config.channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: expected 1 to {CHANNELS_MAX}", config.channels.len()));
        }
        let is_sound = |name: &str| {
            !bare(name).is_empty()
                && !bare(name).starts_with(['[', ':'])
                && name.len() <= CHANNEL_BYTES_MAX
                && !name.contains(char::is_control)
        };
        if let Some(name) = config.channels.iter().find(|name| !is_sound(name)) {
            return fault(format!("`{}` is no channel name of Ably: up to {CHANNEL_BYTES_MAX} bytes", cut(name)));
        }
        match &config.envelope.cipher {
            Some(Err(why)) => return fault(format!("there is no key of `cipher`: {}", cut(why))),
            Some(Ok(key)) if cipher::Key::read(key).is_none() => {
                return fault("what `cipher` holds is no key: 16 or 32 bytes in Base64".to_owned());
            }
            Some(Ok(_)) | None => {}
        }
        let other = |name: &&Arc<str>| asked_delta(name).is_some_and(|format| format != "vcdiff");
        match config.channels.iter().find(other) {
            Some(name) => fault(format!("`{}`: deltas are read as `delta=vcdiff` alone", cut(name))),
            None => Ok(()),
        }
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, _places: &[Place]) -> Request {
        let mut url = self.memory.address(&config.url, "ws", "wss");
        url.query_pairs_mut()
            .append_pair("v", wire::VERSION)
            .append_pair("format", "json")
            .append_pair("heartbeats", "true");
        url.set_fragment(None);
        let mut request = Request::get(url);
        if let Some(token) = &config.token {
            let name = if is_key(token) { "key" } else { "access_token" };
            request.query.push((name, token.clone()));
        }
        request.query.extend(self.memory.key().map(|key| ("resume", key)));
        request
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::WebSocket, &[])
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        // What a close means is said in a message before it.
        None
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        Box::new(session::AblySession::new(config, channels, seed, self.memory.clone()))
    }
}

//! A bare WebSocket (RFC 6455) with JSON, one message or several lines of them a frame, or with what `event.decode` makes JSON of,
//! by what the board file says of it: what to send for each channel, how its answers look, and where in a message its channel and its number stand.
//!
//! Places are counted here. Where messages are numbered the number is the place's mark: a jump is a hole, and where the server can
//! be asked to go on after a number, that is proven by the next one's being next.

mod session;
mod template;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use self::template::{CHANNEL, SEQUENCE, TOKEN};
use super::{Dialect, Place, Session};
use crate::{
    config::{SourceConfig, Speak},
    fault::{Fault, FaultKind, Verdict, cut},
    port::Request,
};

/// A bare WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocket;

impl Dialect for WebSocket {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "ws" | "wss") {
            return fault(format!("a WebSocket's address begins with ws or wss, not {}", cut(config.url.scheme())));
        }
        if config.ladder != [Transport::WebSocket] {
            return fault("a WebSocket is no other way to travel".to_owned());
        }
        if config.channels.is_empty() {
            return fault("no channel: one at least gives the events a name to come by".to_owned());
        }
        let speak = &config.speak;
        if config.channels.len() > 1 && speak.channel.is_none() {
            return fault("several channels, and `channel` doesn't say where in a message its own stands".to_owned());
        }
        if speak.resume.is_some() && speak.sequence.is_none() {
            return fault(
                "`resume` asks for what comes after a number, and `sequence` doesn't say where one stands".to_owned(),
            );
        }
        if speak.pong.is_some() && speak.ping.is_none() {
            return fault("`pong` is the answer to `ping`, which is missing".to_owned());
        }
        let ever = [&speak.login, &speak.subscribe, &speak.ping];
        if ever.into_iter().flatten().any(|text| text.contains(SEQUENCE)) {
            return fault(format!("only `resume` knows a {SEQUENCE}"));
        }
        for (name, text) in [("ping", &speak.ping), ("login", &speak.login)] {
            if text.as_ref().is_some_and(|text| text.contains(CHANNEL)) {
                return fault(format!("`{name}` is of no {CHANNEL}"));
            }
        }
        Ok(())
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, _places: &[Place]) -> Request {
        let mut url = config.url.clone();
        url.set_fragment(None);
        // Where it is sent afterwards it is not shown here.
        let token = config.token_line().filter(|_| !sends_token(&config.speak));
        Request::get(url).with(token.into_iter().chain(config.headers.iter().cloned()).collect())
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::WebSocket, &[])
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        None
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        Box::new(session::WebSocketSession::new(config, channels, seed))
    }
}

/// Whether the token goes with what is sent on the link.
fn sends_token(speak: &Speak) -> bool {
    [&speak.login, &speak.subscribe, &speak.resume, &speak.ping].into_iter().flatten().any(|text| text.contains(TOKEN))
}

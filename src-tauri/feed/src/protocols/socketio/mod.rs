//! Socket.IO's protocol, version 5, over Engine.IO 4: over a WebSocket, or by polls ([`polling`]) that go on by a WebSocket where one
//! can be had. Sources: `socketio/engine.io-protocol`, `socketio/socket.io-protocol`, and what socket.io 4.8 does.
//!
//! A channel is a namespace. Events aren't numbered: their places are counted here. Where the server has *connection state recovery*
//! each event that it keeps ends in an offset, which is its place's mark, and a connection may go on after it.
//!
//! What is proven by that: a server that gives a session back has sent all that it keeps since the offset, before it says so. It
//! keeps neither volatile events nor such as ask for an answer: once one of these was seen in a session, nothing is proven by
//! getting it back. Nor is it by one that keeps its history elsewhere (Redis, MongoDB): it reads there in several steps, and what another
//! process sends meanwhile goes to the sockets that it has, of which the new one is none yet. Measured with the official client: ten
//! holes in 645 sessions that were called recovered. Its offsets tell it. See [`memory`] for why a session is asked for once.

mod memory;
mod polling;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use url::Url;

use self::{memory::Memory, wire::Refused};
use super::{Dialect, Place, Session};
use crate::{
    config::{Secret, SourceConfig},
    fault::{Fault, FaultKind, LinkFault, LinkFaultKind, Verdict, cut},
    port::{Header, Message, Request},
};

/// Most namespaces of one source.
const NAMESPACES_MAX: usize = 64;
/// The longest name of one, in bytes.
const NAMESPACE_BYTES_MAX: usize = 200;
/// Where it listens, unless the address says.
const PATH: &str = "/socket.io/";
/// A session that no server has: whoever knows that is one.
const NOBODY: &str = "watchfloor";
/// What Engine.IO says in texts is of this type, also what is binary.
const TEXT: &str = "text/plain";

/// The version of Socket.IO's protocol, and the one before, which goes over Engine.IO 3.
const VERSION: u64 = 5;
const VERSION_BEFORE: u64 = 4;

/// Where a way to travel begins.
fn address(config: &SourceConfig, transport: Transport) -> Url {
    let mut url = config.url.clone();
    let is_secure = matches!(url.scheme(), "https" | "wss");
    let (scheme, way) = match (transport, is_secure) {
        (Transport::LongPoll, true) => ("https", "polling"),
        (Transport::LongPoll, false) => ("http", "polling"),
        (_, true) => ("wss", "websocket"),
        (_, false) => ("ws", "websocket"),
    };
    let changed = url.set_scheme(scheme);
    debug_assert!(changed.is_ok(), "http and ws are both special schemes");
    if matches!(url.path(), "" | "/") {
        url.set_path(PATH);
    }
    url.query_pairs_mut().append_pair("EIO", "4").append_pair("transport", way);
    url.set_fragment(None);
    url
}

/// The same for a session that stands. Who has its id is taken for this client.
fn of_session(config: &SourceConfig, transport: Transport, id: &str) -> Request {
    Request { query: vec![("sid", Secret::new(id))], ..Request::get(address(config, transport)) }
}

/// Socket.IO.
#[derive(Debug, Default)]
pub(crate) struct SocketIo {
    memory: Memory,
}

impl Dialect for SocketIo {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "ws" | "wss" | "http" | "https") || config.url.cannot_be_a_base() {
            return fault(format!("Socket.IO's address begins with ws or wss, not {}", cut(config.url.scheme())));
        }
        let known = [Transport::WebSocket, Transport::LongPoll];
        if config.ladder.is_empty() || !config.ladder.iter().all(|way| known.contains(way)) {
            return fault("Socket.IO travels by WebSocket and by long polls".to_owned());
        }
        if config.channels.is_empty() || config.channels.len() > NAMESPACES_MAX {
            return fault(format!("{} namespaces: expected 1 to {NAMESPACES_MAX}", config.channels.len()));
        }
        let is_sound = |name: &str| {
            name.starts_with('/')
                && name.len() <= NAMESPACE_BYTES_MAX
                && !name.contains(|c: char| c == ',' || c == '?' || c.is_control())
        };
        match config.channels.iter().find(|name| !is_sound(name)) {
            Some(name) => fault(format!(
                "`{}` is no namespace of Socket.IO: `/`, or `/` and a name without comma or question mark",
                cut(name)
            )),
            None => Ok(()),
        }
    }

    fn open(&self, config: &SourceConfig, transport: Transport, _places: &[Place]) -> Request {
        // The token goes with each namespace's CONNECT.
        let request = Request::get(address(config, transport));
        if transport == Transport::LongPoll { request.with(vec![Header::plain("accept", TEXT)]) } else { request }
    }

    fn ask(&self, config: &SourceConfig, cursor: &str, _wait: Duration) -> Request {
        of_session(config, Transport::LongPoll, cursor).with(vec![Header::plain("accept", TEXT)])
    }

    fn post(&self, config: &SourceConfig, cursor: &str, message: &Message) -> Option<Request> {
        let request = of_session(config, Transport::LongPoll, cursor);
        let headers = vec![Header::plain("content-type", "text/plain; charset=UTF-8")];
        Some(Request { body: Some(message.clone()), headers, ..request })
    }

    fn upgrade(&self, config: &SourceConfig, cursor: &str) -> Option<Request> {
        (!cursor.is_empty()).then(|| of_session(config, Transport::WebSocket, cursor))
    }

    fn refusal(&self, fault: &LinkFault) -> Option<Fault> {
        if !matches!(fault.kind, LinkFaultKind::Http { status: 400..=499, .. }) {
            return None;
        }
        let refused = Refused::read(fault.text.as_bytes())?;
        let says = |denied, message| FaultKind::Server { code: refused.code.to_string(), message, denied };
        Some(match refused.code {
            // A way that the server doesn't offer.
            0 => Fault::link(LinkFault::new(LinkFaultKind::Other, "the server doesn't offer this way to travel")),
            1 => Fault::server(says(
                false,
                "the server doesn't know the session: it was started again, or several servers take turns and each must \
                 have all of a session (sticky sessions)"
                    .to_owned(),
            )),
            4 => Fault::server(says(true, refused.message)),
            5 => Fault::server(FaultKind::Version { found: VERSION_BEFORE, expected: VERSION }),
            // Also what a server says to a WebSocket's request that a proxy made a plain one.
            _ => return None,
        })
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        // Its closes have the transport's meaning and no other.
        None
    }

    fn health(&self, config: &SourceConfig) -> Option<Request> {
        // Begins no session.
        let mut url = address(config, Transport::LongPoll);
        url.query_pairs_mut().append_pair("sid", NOBODY);
        Some(Request::get(url))
    }

    fn is_healthy(&self, body: &[u8]) -> bool {
        // With another code it has no polls to fall back to.
        Refused::read(body).is_some_and(|refused| refused.code == 1)
    }

    fn is_there(&self, status: u16, body: &[u8]) -> bool {
        status == 400 && self.is_healthy(body)
    }

    fn session(
        &self,
        config: &SourceConfig,
        transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        let session = session::SocketIoSession::new(config, channels, seed, self.memory.clone());
        match transport {
            Transport::LongPoll => Box::new(polling::Polled::new(session)),
            _ => Box::new(session),
        }
    }
}

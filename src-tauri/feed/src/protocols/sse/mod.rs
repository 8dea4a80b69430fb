//! Server-sent events of any server (HTML standard, section 9.2).
//!
//! The stream is one channel. An event's `id` is its place's mark, and goes back as `Last-Event-ID` with the next
//! request. No server says whether it goes on after it, so nothing joins what was delivered, unless the board promises
//! that it does.

#[cfg(test)]
mod contract;
pub(super) mod last_id;
pub(super) mod session;
#[cfg(test)]
pub(in crate::protocols) mod tests;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use self::{
    last_id::LastId,
    session::{Manner, SseSession},
};
use super::{Dialect, Place, Session};
use crate::{
    config::SourceConfig,
    fault::{Fault, FaultKind, LinkFault, LinkFaultKind, Verdict, cut},
    limits::RETRY_AFTER_MAX,
    port::{Header, Request},
};

/// How often a server is taken to say something if nobody says how often it does.
const HEARTBEAT_ASSUMED: Duration = Duration::from_secs(60);

/// Any server.
#[derive(Debug, Default)]
pub(crate) struct Sse {
    moved: LastId,
}

impl Dialect for Sse {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        check("a stream of server-sent events", config)?;
        if config.channels.len() != 1 {
            let text = format!("a stream of server-sent events is one channel, not {}", config.channels.len());
            return Err(Fault::local(FaultKind::Config(text)));
        }
        Ok(())
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, places: &[Place]) -> Request {
        let mut url = config.url.clone();
        url.set_fragment(None);
        Request::get(url).with(headers(config, self.moved.asked_after(places)))
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::Sse, &[])
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        None
    }

    fn verdict_of_fault(&self, fault: &LinkFault) -> Option<Verdict> {
        verdict_of_fault(fault, &self.moved)
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        let manner = Manner { heartbeat: HEARTBEAT_ASSUMED, tells_replay: false, history: false };
        Box::new(SseSession::new(config, manner, channels, seed, self.moved.clone()))
    }
}

/// What any such source must have.
pub(super) fn check(what: &str, config: &SourceConfig) -> Result<(), Fault> {
    let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
    if !matches!(config.url.scheme(), "http" | "https") || config.url.cannot_be_a_base() {
        return fault(format!("{what} has an address with http or https, not {}", cut(config.url.scheme())));
    }
    if config.ladder != [Transport::Sse] {
        return fault(format!("{what} travels by server-sent events alone"));
    }
    if config.channels.is_empty() {
        return fault(format!("{what} needs a channel"));
    }
    Ok(())
}

/// What is said with the request.
pub(super) fn headers(config: &SourceConfig, asked: Option<Arc<str>>) -> Vec<Header> {
    let mark = asked.map(|mark| Header::plain("last-event-id", mark.to_string()));
    config.token_line().into_iter().chain(config.headers.iter().cloned()).chain(mark).collect()
}

/// What a status means to a stream. By 204 a server says that nobody is to come back. A wall has nobody who would load
/// it again, so that is obeyed for as long as the longest `Retry-After`.
pub(super) fn verdict_of_fault(fault: &LinkFault, asked: &LastId) -> Option<Verdict> {
    let is_told = matches!(fault.kind, LinkFaultKind::Http { status: 204, .. });
    if is_told { Some(Verdict::After(RETRY_AFTER_MAX)) } else { asked.gone.verdict(fault) }
}

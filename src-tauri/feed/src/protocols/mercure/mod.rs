//! A Mercure hub of the protocol's versions 7 and 8 (hubs 0.14 to 0.24). Sources: the specification in
//! `dunglas/mercure`, and the hub's `subscribe.go` and `bolt.go`.
//!
//! Channels are topics, or templates of them. The stream doesn't say which topic an update has, so all are of the first
//! channel. The head's `Last-Event-ID` proves a replay: it is the one that was asked for, if the hub knows it.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use super::{
    Dialect, Place, Session,
    sse::{
        check, headers,
        last_id::LastId,
        session::{Manner, SseSession, has_nothing},
        verdict_of_fault,
    },
};
use crate::{
    config::SourceConfig,
    fault::{Fault, LinkFault, Verdict},
    port::Request,
};

/// Where a hub listens, unless the address says.
const PATH: &str = "/.well-known/mercure";
/// The id before the first that a hub has kept.
const EARLIEST: &str = "earliest";
/// How often a hub says by default that it lives.
const HEARTBEAT: Duration = Duration::from_secs(40);

/// Mercure.
#[derive(Debug, Default)]
pub(crate) struct Mercure {
    moved: LastId,
}

impl Dialect for Mercure {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        check("a Mercure hub", config)
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, places: &[Place]) -> Request {
        let mut url = config.url.clone();
        url.set_fragment(None);
        if matches!(url.path(), "" | "/") {
            url.set_path(PATH);
        }
        url.query_pairs_mut().extend_pairs(places.iter().map(|place| ("topic", &*place.channel)));
        let earliest = (config.promises.history && has_nothing(places)).then(|| EARLIEST.into());
        Request::get(url).with(headers(config, self.moved.asked_after(places).or(earliest)))
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
        let manner = Manner { heartbeat: HEARTBEAT, tells_replay: true, history: config.promises.history };
        Box::new(SseSession::new(config, manner, channels, seed, self.moved.clone()))
    }
}

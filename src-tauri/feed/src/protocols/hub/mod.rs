//! The hub's dialect; its contract is `docs/hub.md`.

mod answer;
mod codec;
mod session;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use url::Url;
use watchfloor_model::{Mono, Snapshot, Transport};

use super::{Dialect, Place, Session};
use crate::{
    config::SourceConfig,
    fault::{Fault, FaultKind, Verdict, cut},
    port::{Header, Request},
};

/// The version of the protocol that is spoken here.
const VERSION: u64 = 1;
/// The code by which the hub closes a WebSocket whose token has expired.
const CLOSE_TOKEN_EXPIRED: u16 = 4001;
/// Most channels that the hub takes in one subscription.
const CHANNELS_MAX: usize = 256;
/// The longest channel name that the hub takes, in bytes.
const CHANNEL_BYTES_MAX: usize = 200;

/// `watchfloor-hub`.
#[derive(Debug)]
pub(crate) struct Hub;

impl Dialect for Hub {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "http" | "https") || config.url.cannot_be_a_base() {
            return fault(format!("a hub's address begins with http or https, not {}", cut(config.url.scheme())));
        }
        if config.ladder.is_empty() {
            return fault("no way to travel".to_owned());
        }
        if config.channels.is_empty() || config.channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: a hub takes 1 to {CHANNELS_MAX}", config.channels.len()));
        }
        match config.channels.iter().find(|name| !is_channel(name)) {
            Some(name) => fault(format!("`{}` is no channel name of a hub", cut(name))),
            None => Ok(()),
        }
    }

    fn open(&self, config: &SourceConfig, transport: Transport, places: &[Place]) -> Request {
        match transport {
            Transport::WebSocket => {
                let mut url = route(&config.url, "ws");
                let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
                let changed = url.set_scheme(scheme);
                debug_assert!(changed.is_ok(), "http and ws are both special schemes");
                Request::get(url).with(authorised(config, Vec::new()))
            }
            Transport::LongPoll | Transport::Poll => self.ask(config, &cursor(places), Duration::ZERO),
            Transport::Sse => {
                let mut url = route(&config.url, "sse");
                url.query_pairs_mut().append_pair("cursor", &cursor(places));
                let headers = vec![
                    Header::plain("accept", "text/event-stream"),
                    Header::plain("cache-control", "no-cache"),
                    // A compressing proxy may hold events back until its block is full.
                    Header::plain("accept-encoding", "identity"),
                ];
                Request::get(url).with(authorised(config, headers))
            }
            // The ladder has no such rung.
            Transport::HttpStream | Transport::Tcp => Request::get(config.url.clone()),
        }
    }

    fn ask(&self, config: &SourceConfig, cursor: &str, wait: Duration) -> Request {
        let mut url = route(&config.url, "poll");
        let wait_ms = wait.as_millis().to_string();
        url.query_pairs_mut().append_pair("cursor", cursor).append_pair("wait_ms", &wait_ms);
        let headers = vec![Header::plain("accept", "application/json"), Header::plain("cache-control", "no-cache")];
        Request::get(url).with(authorised(config, headers))
    }

    fn is_expiry(&self, code: u16) -> bool {
        code == CLOSE_TOKEN_EXPIRED
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        None
    }

    fn health(&self, config: &SourceConfig) -> Option<Request> {
        let headers = vec![Header::plain("accept", "application/json"), Header::plain("cache-control", "no-cache")];
        Some(Request::get(route(&config.url, "health")).with(authorised(config, headers)))
    }

    fn is_healthy(&self, body: &[u8]) -> bool {
        serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|health| health["status"] == "ok")
    }

    fn snapshot(&self, config: &SourceConfig) -> Option<Request> {
        let mut url = route(&config.url, "snapshot");
        url.query_pairs_mut().append_pair("channels", &config.channels.join(","));
        let headers = vec![Header::plain("accept", "application/json"), Header::plain("cache-control", "no-cache")];
        Some(Request::get(url).with(authorised(config, headers)))
    }

    fn read_snapshot(&self, body: &[u8], channels: &[Arc<str>], now: Mono) -> Result<Snapshot, String> {
        codec::read_snapshot(body, channels, now)
    }

    fn session(
        &self,
        _config: &SourceConfig,
        transport: Transport,
        channels: &Arc<[Arc<str>]>,
        _seed: u64,
    ) -> Box<dyn Session> {
        Box::new(session::HubSession::new(transport, channels))
    }
}

fn authorised(config: &SourceConfig, mut headers: Vec<Header>) -> Vec<Header> {
    headers.extend(config.token.as_ref().map(Header::bearer));
    headers
}

/// `BASE/v1/NAME`.
fn route(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["v1", name]);
    }
    url
}

/// `flights~k3x9:41|weather~`
fn cursor(places: &[Place]) -> String {
    let places = places.iter().map(|place| match &place.position {
        Some(position) => format!("{}~{position}", place.channel),
        None => format!("{}~", place.channel),
    });
    places.collect::<Vec<_>>().join("|")
}

fn is_channel(name: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"_-=@,.;".contains(&b);
    (1..=CHANNEL_BYTES_MAX).contains(&name.len()) && name.bytes().all(sound)
}

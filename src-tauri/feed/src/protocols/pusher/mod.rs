//! Pusher Channels, protocol 7, over a WebSocket: hosted Pusher, Soketi, Laravel Reverb. Sources: Pusher's protocol and
//! authentication pages, and the sources of pusher-js, Soketi and Reverb.
//!
//! The protocol numbers nothing and keeps nothing: places are counted here, and nothing is proven by them after a reconnect. What
//! comes on one connection comes in order, so that an answered ping proves that everything before it has come.

mod channel;
mod key;
mod presence;
mod session;
mod subscribe;
#[cfg(test)]
mod tests;
mod user;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use watchfloor_model::Transport;

use self::{channel::Sort, presence::Told};
use super::{Dialect, Place, Session};
use crate::{
    config::{Kind, SourceConfig},
    fault::{Fault, FaultKind, Verdict, cut},
    port::{Header, Request},
};

/// Most channels of one source.
const CHANNELS_MAX: usize = 200;
/// The longest channel name that any of the servers takes, in bytes.
const CHANNEL_BYTES_MAX: usize = 200;
/// The longest key of an app, in bytes.
const APP_BYTES_MAX: usize = 200;
/// How long a server is left alone at least that has no room, in milliseconds.
const FULL_MILLIS: u64 = 1000;
/// The same of one that wants something that it isn't given.
const SLOW_MILLIS: u64 = 30_000;

/// Who is where, by channel. Kept over links: the server tells who is there, and not who has left meanwhile.
type Roster = Arc<Mutex<BTreeMap<usize, Told>>>;

/// Pusher and what speaks like it.
#[derive(Debug)]
pub(crate) struct Pusher {
    called: &'static str,
    roster: Roster,
}

impl Pusher {
    pub(crate) fn new(kind: Kind) -> Self {
        let called = match kind {
            Kind::Soketi => "Soketi",
            Kind::Reverb => "Reverb",
            _ => "Pusher",
        };
        Self { called, roster: Roster::default() }
    }
}

impl Dialect for Pusher {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let called = self.called;
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "ws" | "wss" | "http" | "https") || config.url.cannot_be_a_base() {
            return fault(format!("{called}'s address begins with ws or wss, not {}", cut(config.url.scheme())));
        }
        if config.ladder != [Transport::WebSocket] {
            return fault(format!("{called} is spoken over a WebSocket here"));
        }
        if config.app.as_ref().is_none_or(|app| app.is_empty() || app.len() > APP_BYTES_MAX) {
            return fault(format!("{called} wants `app`: the public key of the app, which is no secret"));
        }
        if config.channels.is_empty() || config.channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: expected 1 to {CHANNELS_MAX}", config.channels.len()));
        }
        let is_bad = |name: &&Arc<str>| name.is_empty() || name.len() > CHANNEL_BYTES_MAX || !name.is_ascii();
        if let Some(name) = config.channels.iter().find(is_bad) {
            return fault(format!("`{}` is no channel name: ASCII, up to {CHANNEL_BYTES_MAX} bytes", cut(name)));
        }
        let signed = config.channels.iter().find(|name| Sort::of(name).is_signed());
        if let Some(name) = signed.filter(|_| config.auth.is_none()) {
            return fault(format!("`{}` wants `auth`: the address at which the site signs for it", cut(name)));
        }
        let mut users = config.channels.iter().filter(|name| user::of_channel(name).is_some());
        let Some(name) = users.next() else { return Ok(()) };
        if config.auth.as_ref().and_then(user::address).is_none() {
            let name = cut(name);
            return fault(format!(
                "`{name}` wants `auth` to end in `/auth`: beside it, at `/user-auth`, the site signs users in"
            ));
        }
        match users.next() {
            Some(other) => fault(format!("`{}` and `{}`: a wall is one user", cut(name), cut(other))),
            None => Ok(()),
        }
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, _places: &[Place]) -> Request {
        let mut url = config.url.clone();
        let scheme = if matches!(url.scheme(), "https" | "wss") { "wss" } else { "ws" };
        let changed = url.set_scheme(scheme);
        debug_assert!(changed.is_ok(), "http and ws are both special schemes");
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("app").push(config.app.as_deref().unwrap_or_default());
        }
        url.query_pairs_mut()
            .clear()
            .append_pair("protocol", "7")
            .append_pair("client", "watchfloor")
            .append_pair("version", env!("CARGO_PKG_VERSION"));
        url.set_fragment(None);
        Request::get(url).with(vec![Header::plain("origin", origin(config))])
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::WebSocket, &[])
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, code: u16) -> Option<Verdict> {
        Some(match code {
            // It wants TLS, our message was too big, or what pusher-js takes for a refusal as well: a person must see to it.
            4000 | 1009 | 4300..=4999 => Verdict::Slow,
            // No such app, disabled, over its quota, another version, not authorised.
            4001..=4099 => Verdict::Refused,
            // Over capacity.
            4100..=4199 => Verdict::Backoff,
            // Restarting, or it missed our pong.
            4200..=4299 => Verdict::Soon,
            _ => return None,
        })
    }

    fn error_verdict(&self, code: u16) -> Option<Verdict> {
        // Reverb says why, and ends the connection without a close frame.
        self.verdict(code)
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        Box::new(session::PusherSession::new(config, channels, seed, self.roster.clone()))
    }
}

/// As which site the wall comes: a Reverb may take only those that it knows. It is the one that signs, where there is one.
fn origin(config: &SourceConfig) -> String {
    let mut url = config.auth.as_ref().unwrap_or(&config.url).clone();
    let scheme = if matches!(url.scheme(), "https" | "wss") { "https" } else { "http" };
    let changed = url.set_scheme(scheme);
    debug_assert!(changed.is_ok(), "http and ws are both special schemes");
    url.origin().ascii_serialization()
}

/// The roster, whoever held it last.
fn open_roster(roster: &Roster) -> std::sync::MutexGuard<'_, BTreeMap<usize, Told>> {
    roster.lock().unwrap_or_else(PoisonError::into_inner)
}

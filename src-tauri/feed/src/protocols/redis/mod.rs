//! Redis, by its third protocol (RESP3) over TCP: Pub/Sub, and Streams. Sources: the protocol and command pages of redis.io, and what
//! Redis 7.0.15 answered.
//!
//! ```text
//! NAME           a Pub/Sub channel        nothing of it is kept, so nothing is proven after a reconnect
//! pattern:GLOB   Pub/Sub channels         the same; an event is called by its channel
//! stream:KEY     a stream                 a place is an entry's id, and how many entries there were up to it
//! ```
//!
//! Places are counted here; a stream's are marked with the entry, and go on counting where it is proven that nothing is missing.

mod body;
mod resp;
mod sentinel;
mod session;
mod stream;
#[cfg(test)]
mod tests;
mod text;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use super::{Dialect, Place, Session};
use crate::{
    config::SourceConfig,
    fault::{Fault, FaultKind, Verdict, cut},
    port::Request,
};

/// Most channels of a source.
const CHANNELS_MAX: usize = 256;
/// The longest channel name, in bytes.
const CHANNEL_BYTES_MAX: usize = 512;
/// Where it listens, unless the address says.
const PORT: u16 = 6379;

/// Redis.
#[derive(Debug, Default)]
pub(crate) struct Redis {
    sentinels: sentinel::Memory,
}

impl Dialect for Redis {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        let is_watched = sentinel::is_used(config);
        if !(matches!(config.url.scheme(), "redis" | "rediss") || is_watched) || !config.url.has_host() {
            return fault(format!("Redis's address begins with redis or rediss, not {}", cut(config.url.scheme())));
        }
        if !config.url.username().is_empty() || config.url.password().is_some() {
            return fault("a user's name belongs in `user`, and a password in `token`, not in the address".to_owned());
        }
        if is_watched && sentinel::target(&config.url).is_none() {
            return fault(format!("`{}` is no master's name and database", cut(config.url.path())));
        }
        if !is_watched && database(config).is_none() {
            return fault(format!("`{}` is no database of Redis: its path is a number", cut(config.url.path())));
        }
        if config.ladder != [Transport::Tcp] {
            return fault("Redis is spoken over TCP".to_owned());
        }
        if config.channels.is_empty() || config.channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: expected 1 to {CHANNELS_MAX}", config.channels.len()));
        }
        let is_unsound = |name: &&Arc<str>| channel(name).1.is_empty() || name.len() > CHANNEL_BYTES_MAX;
        match config.channels.iter().find(is_unsound) {
            Some(name) => fault(format!(
                "`{}` is no channel of Redis: 1 to {CHANNEL_BYTES_MAX} bytes, with its prefix",
                cut(name)
            )),
            None => Ok(()),
        }
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, _places: &[Place]) -> Request {
        if sentinel::is_used(config) {
            let mut request = self.sentinels.open(config);
            if request.url.port().is_none() {
                let changed = request.url.set_port(Some(PORT));
                debug_assert!(changed.is_ok(), "an address with a host has room for a port");
            }
            return request;
        }
        let mut url = config.url.clone();
        if url.port().is_none() {
            let changed = url.set_port(Some(PORT));
            debug_assert!(changed.is_ok(), "an address with a host has room for a port");
        }
        // The user and the token go with the first command.
        Request::get(url)
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::Tcp, &[])
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
        if sentinel::is_used(config) {
            return self.sentinels.session(config, channels, seed);
        }
        Box::new(session::RedisSession::new(config, channels, seed))
    }
}

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Channel,
    Pattern,
    Stream,
}

/// What a source's channel means, and its name without the prefix.
fn channel(name: &str) -> (Way, &str) {
    let pattern = name.strip_prefix("pattern:").map(|name| (Way::Pattern, name));
    let stream = || name.strip_prefix("stream:").map(|name| (Way::Stream, name));
    pattern.or_else(stream).unwrap_or((Way::Channel, name))
}

/// The number of the database: the address's path.
fn database(config: &SourceConfig) -> Option<u32> {
    match config.url.path().trim_start_matches('/') {
        "" => Some(0),
        path => path.parse().ok(),
    }
}

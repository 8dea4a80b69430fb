//! NATS: its text protocol over TCP, core subjects and JetStream. Sources: the client protocol and JetStream pages of
//! docs.nats.io, and what a nats-server 2.15 and a 2.9 say.
//!
//! A channel is a subject, with wildcards if one likes, or `stream:NAME`, or `stream:NAME/SUBJECT`.
//!
//! - A subject is core NATS: sent once to whoever is there. Its places are counted here, and prove the order on one link only.
//! - A stream is followed by an ordered consumer of its own. Of a whole stream the places are the stream's: when it was
//!   created, and the sequence. Of a subject in it sequences are left out, so places are counted here, with the sequence as their
//!   mark.
//!
//! The other servers of a cluster are those that it names itself: see [`cluster`].

mod api;
mod auth;
mod cluster;
mod consume;
mod follow;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use super::{Dialect, Place, Session};
use crate::{
    config::SourceConfig,
    fault::{Fault, FaultKind, Verdict, cut},
    port::Request,
};

/// Most channels on one connection: each is at most two subscriptions, of which a server allows any number by default.
const CHANNELS_MAX: usize = 128;
/// The longest subject or stream's name, in bytes. A server's limit is that of its control lines, 4096 by default.
const CHANNEL_BYTES_MAX: usize = 255;
/// Where it listens, unless the address says.
const PORT: u16 = 4222;
/// The scheme that asks for TLS whatever the server asks for.
const SECURE: &str = "tls";
/// What a stream's channel begins with.
const STREAM: &str = "stream:";

/// What a channel follows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// Core NATS.
    Subject(Arc<str>),
    /// A stream, or what it has of a subject.
    Stream { name: Arc<str>, filter: Option<Arc<str>> },
}

impl Target {
    /// Reads a channel's name; the error says what is wrong with it.
    fn parse(channel: &str) -> Result<Self, &'static str> {
        if channel.is_empty() || channel.len() > CHANNEL_BYTES_MAX {
            return Err("1 to 255 bytes");
        }
        let Some(stream) = channel.strip_prefix(STREAM) else {
            return check_subject(channel).map(|()| Self::Subject(channel.into()));
        };
        let (name, filter) = stream.split_once('/').map_or((stream, None), |(name, filter)| (name, Some(filter)));
        let is_name = |c: char| c.is_ascii_graphic() && !".*>/\\".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err("a stream's name, without blanks and `. * > / \\`");
        }
        filter.map_or(Ok(()), check_subject)?;
        Ok(Self::Stream { name: name.into(), filter: filter.filter(|filter| *filter != ">").map(Into::into) })
    }
}

/// Whether it is a subject, perhaps with wildcards.
fn check_subject(subject: &str) -> Result<(), &'static str> {
    let mut tokens = subject.split('.').peekable();
    while let Some(token) = tokens.next() {
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err("a subject, tokens without blanks between dots");
        }
        let is_wild = token.contains(['*', '>']);
        if is_wild && (token.len() > 1 || (token == ">" && tokens.peek().is_some())) {
            return Err("`*` for a whole token, `>` for the last ones");
        }
    }
    Ok(())
}

/// NATS.
#[derive(Debug, Default)]
pub(crate) struct Nats {
    cluster: cluster::Memory,
}

impl Dialect for Nats {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "nats" | SECURE) || !config.url.has_host() {
            return fault(format!("NATS's address begins with nats or tls, not {}", cut(config.url.scheme())));
        }
        if config.ladder != [Transport::Tcp] {
            return fault("NATS is spoken over TCP here".to_owned());
        }
        if config.channels.is_empty() || config.channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: expected 1 to {CHANNELS_MAX}", config.channels.len()));
        }
        for name in &config.channels {
            if let Err(expected) = Target::parse(name) {
                return fault(format!("`{}` is no channel of NATS: expected {expected}", cut(name)));
            }
        }
        Ok(())
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, _places: &[Place]) -> Request {
        self.cluster.open(&config.url)
    }

    fn ask(&self, config: &SourceConfig, _cursor: &str, _wait: Duration) -> Request {
        // The ladder has no such rung.
        self.open(config, Transport::Tcp, &[])
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        // A TCP connection ends without one.
        None
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        Box::new(session::NatsSession::new(config, self.cluster.clone(), channels, seed))
    }
}

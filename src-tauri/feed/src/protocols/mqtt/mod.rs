//! MQTT 5, and 3.1.1 where the server knows no other, over TCP or TLS. Source: the two OASIS standards.
//!
//! Nothing is numbered there, so places are counted here and nothing is proven after a reconnect. A session that the server
//! kept brings what was published meanwhile, up to a bound that it keeps to itself: it is taken, and the gap stays unknown.
//!
//! What comes on one link is whole: publications are acknowledged one by one, no more than [`packet::WINDOW`] are on their way, and
//! the answer to a ping proves that none is held back if fewer came between the ping and the answer.

mod code;
mod filter;
mod frames;
mod known;
mod packet;
mod payload;
mod session;
mod sparkplug;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use watchfloor_model::Transport;

use self::known::Memory;
use super::{Dialect, Place, Session};
use crate::{
    config::SourceConfig,
    envelope::Envelope,
    fault::{Fault, FaultKind, Verdict, cut},
    port::Request,
};

/// Most filters on one connection.
const CHANNELS_MAX: usize = 256;
/// The longest filter, in bytes.
const CHANNEL_BYTES_MAX: usize = 1000;
/// Where it listens, in clear and by TLS, unless the address says.
const PORTS: [u16; 2] = [1883, 8883];

/// MQTT.
#[derive(Debug, Default)]
pub(crate) struct Mqtt {
    memory: Memory,
}

impl Dialect for Mqtt {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
        if !matches!(config.url.scheme(), "mqtt" | "mqtts") || config.url.host().is_none() {
            return fault(format!("MQTT's address begins with mqtt:// or mqtts://, not {}", cut(config.url.scheme())));
        }
        if config.ladder != [Transport::Tcp] {
            return fault("MQTT is spoken over TCP here".to_owned());
        }
        if config.promises.sparkplug.is_some() && config.envelope != Envelope::default() {
            return fault("Sparkplug says itself what an event is called, when it was and what it says".to_owned());
        }
        let channels = &config.channels;
        if channels.is_empty() || channels.len() > CHANNELS_MAX {
            return fault(format!("{} channels: expected 1 to {CHANNELS_MAX}", channels.len()));
        }
        for (index, one) in channels.iter().enumerate() {
            if one.len() > CHANNEL_BYTES_MAX {
                return fault(format!("`{}` is longer than {CHANNEL_BYTES_MAX} bytes", cut(one)));
            }
            if let Some(why) = filter::fault(one) {
                return fault(format!("`{}` is no topic filter: {why}", cut(one)));
            }
            let twin = channels[..index].iter().find(|other| *other != one && filter::overlap(one, other));
            if let Some(twin) = twin {
                return fault(format!(
                    "`{}` and `{}` overlap: a server may send what both mean once or twice",
                    cut(twin),
                    cut(one)
                ));
            }
        }
        Ok(())
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, _places: &[Place]) -> Request {
        let mut url = config.url.clone();
        if url.port().is_none() {
            let [clear, tls] = PORTS;
            let changed = url.set_port(Some(if url.scheme() == "mqtts" { tls } else { clear }));
            debug_assert!(changed.is_ok(), "it has a host");
        }
        // User and token go with the first packet.
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
        Box::new(session::MqttSession::new(config, self.memory.clone(), channels, seed))
    }
}

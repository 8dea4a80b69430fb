//! Redis Sentinel: asked who is master before each connection to it. Sources: the Sentinel page of redis.io ("Guidelines for Redis
//! clients with support for Redis Sentinel"), and what a Sentinel of 7.0.15 answered.
//!
//! ```text
//! SENTINEL GET-MASTER-ADDR-BY-NAME, SENTINEL SENTINELS → the next link goes to the master, at once
//! ```
//!
//! The master says itself whether it is one. When a link to it ends, and when it is none any more, another Sentinel is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use super::resp::{Frame, Parser, command};
use crate::{
    config::{Secret, SourceConfig},
    fault::cut,
    port::{Message, Request},
    protocols::{Moment, Place, Session, Signal},
};

/// In clear, and by TLS, which both the Sentinels and the servers are then spoken to by.
pub(super) const SCHEMES: [&str; 2] = ["redis-sentinel", "rediss-sentinel"];
/// Where one listens, unless the address says.
const SENTINEL_PORT: u16 = 26379;
/// Most Sentinels that are known besides the one in the board.
const OTHERS_MAX: usize = 16;
/// The longest name of a host.
const HOST_BYTES_MAX: usize = 255;

/// Whether Sentinels are asked.
pub(super) fn is_used(config: &SourceConfig) -> bool {
    SCHEMES.contains(&config.url.scheme())
}

/// The master's name, and the number of the database: the address's path. None if it isn't that.
pub(super) fn target(url: &Url) -> Option<(&str, u32)> {
    let path = url.path().trim_start_matches('/');
    let (name, database) = path.split_once('/').unwrap_or((path, "0"));
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    Some((name, database.parse().ok()?)).filter(|_| is_name)
}

/// Known to all links of a feed.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Sentinels besides the one in the board: host and port.
    others: Vec<String>,
    /// Which one is asked next.
    turn: usize,
    /// Who is master, for the next link.
    master: Option<String>,
    /// The newest link goes to the master.
    is_master: bool,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the next link goes: to the master, if it was just named, else to a Sentinel.
    pub(super) fn open(&self, config: &SourceConfig) -> Request {
        let mut known = self.lock();
        let scheme = if config.url.scheme() == SCHEMES[0] { "redis" } else { "rediss" };
        let own = || {
            let host = config.url.host_str().unwrap_or_default();
            format!("{host}:{}", config.url.port().unwrap_or(SENTINEL_PORT))
        };
        let master = known.master.take();
        known.is_master = master.is_some();
        let address = master.unwrap_or_else(|| {
            let turn = known.turn % (1 + known.others.len());
            known.turn = known.turn.wrapping_add(1);
            turn.checked_sub(1).and_then(|turn| known.others.get(turn).cloned()).unwrap_or_else(own)
        });
        // Whatever was taken is an address.
        Request::get(Url::parse(&format!("{scheme}://{address}")).unwrap_or_else(|_| config.url.clone()))
    }

    /// What speaks on the newest link.
    pub(super) fn session(&self, config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64) -> Box<dyn Session> {
        let (own, sentinels) = secrets(config.token.as_ref());
        if !self.lock().is_master {
            return Box::new(SentinelSession::new(self.clone(), config, sentinels));
        }
        let mut url = config.url.clone();
        let database = target(&url).map_or(0, |(_, database)| database).to_string();
        url.set_path(&database);
        let config = SourceConfig { url, token: own, ..config.clone() };
        Box::new(super::session::RedisSession::new(&config, names, seed).follows_master())
    }

    fn found(&self, master: String, others: Vec<String>) {
        let mut known = self.lock();
        known.master = Some(master);
        if !others.is_empty() {
            known.others = others;
        }
        // This one answers: it is the next to be asked, too.
        known.turn = known.turn.wrapping_sub(1);
    }
}

/// The server's password, and that of the Sentinels, if there is a colon between two. What would be taken for that, and percent
/// signs, are written as in an address (RFC 3986, section 2.1).
pub(super) fn secrets(token: Option<&Secret>) -> (Option<Secret>, Option<Secret>) {
    let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(|text| Secret::new(decoded(text)));
    match token.map(Secret::expose) {
        None => (None, None),
        Some(token) => token.split_once(':').map_or((some(token), None), |(own, other)| (some(own), some(other))),
    }
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// What an answer is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Auth,
    Master,
    Others,
}

/// A connection to a Sentinel.
#[derive(Debug)]
pub(super) struct SentinelSession {
    memory: Memory,
    name: String,
    token: Option<Secret>,
    parser: Parser,
    pending: Vec<Expect>,
    master: Option<String>,
    is_over: bool,
}

impl SentinelSession {
    fn new(memory: Memory, config: &SourceConfig, token: Option<Secret>) -> Self {
        let name = target(&config.url).map_or_else(String::new, |(name, _)| name.to_owned());
        let pending = vec![Expect::Others, Expect::Master];
        Self { memory, name, token, parser: Parser::default(), pending, master: None, is_over: false }
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<Signal>) {
        let Some(expect) = self.pending.pop() else { return };
        if let Frame::Error(text) = frame {
            return self.refused(expect, text, out);
        }
        match expect {
            Expect::Auth => {}
            Expect::Master => match frame.list().map(|items| items.iter().map(Frame::text).collect::<Vec<_>>()) {
                Some(items) if items.len() == 2 => {
                    self.master = address(items[0], items[1]);
                    if self.master.is_none() {
                        self.end("its answer is no address", false, out);
                    }
                }
                _ => self.end(&format!("it knows no master called `{}`", self.name), false, out),
            },
            Expect::Others => {
                let each = frame.list().unwrap_or_default().iter().take(OTHERS_MAX);
                let others = each.filter_map(|one| {
                    let field = |key: &str| match one {
                        Frame::Map(_) => one.get(key)?.text(),
                        _ => one.list()?.chunks_exact(2).find(|pair| pair[0].text() == Some(key))?[1].text(),
                    };
                    address(field("ip"), field("port"))
                });
                let others = others.collect();
                if let Some(master) = self.master.take() {
                    self.memory.found(master, others);
                    self.is_over = true;
                    out.push(Signal::Elsewhere);
                }
            }
        }
    }

    fn refused(&mut self, expect: Expect, error: &[u8], out: &mut Vec<Signal>) {
        let text = String::from_utf8_lossy(error);
        let denied =
            expect == Expect::Auth || ["NOAUTH", "NOPERM", "WRONGPASS"].iter().any(|code| text.starts_with(code));
        if expect == Expect::Others && !text.starts_with("NOAUTH") {
            // The master is known, and that is all that is needed.
            if let Some(master) = self.master.take() {
                self.memory.found(master, Vec::new());
                self.is_over = true;
                return out.push(Signal::Elsewhere);
            }
        }
        let help = if denied { "; its password stands in the token after a colon" } else { "" };
        self.end(&format!("{}{help}", cut(&text)), denied, out);
    }

    /// This one is of no use.
    fn end(&mut self, why: &str, denied: bool, out: &mut Vec<Signal>) {
        self.is_over = true;
        let reason = cut(&format!("the Sentinel doesn't name the master: {why}"));
        out.push(match denied {
            true => Signal::Error { code: "sentinel".to_owned(), message: reason, denied },
            false => Signal::Unreadable { reason },
        });
    }
}

/// An address as an address's host and port.
fn address(host: Option<&str>, port: Option<&str>) -> Option<String> {
    let (host, port) = (host?, port?.parse::<u16>().ok().filter(|port| *port > 0)?);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if host.is_empty() || host.len() > HOST_BYTES_MAX || !host.bytes().all(is_host) {
        return None;
    }
    let text = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Url::parse(&format!("redis://{text}")).is_ok().then_some(text)
}

impl Session for SentinelSession {
    fn subscribe(&mut self, _places: &[Place], again: bool) -> Vec<Message> {
        if again {
            return Vec::new();
        }
        let mut messages = Vec::new();
        if let Some(token) = &self.token {
            self.pending.push(Expect::Auth);
            messages.push(Message::binary(command(&["AUTH", token.expose()])).secret());
        }
        let asks = [["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.name], ["SENTINEL", "SENTINELS", &self.name]];
        messages.extend(asks.map(|words| Message::binary(command(&words))));
        messages
    }

    fn can_resubscribe(&self) -> bool {
        false
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        None
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn decode_chunk(&mut self, bytes: &[u8], _now: Moment, out: &mut Vec<Signal>) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_over {
            match self.parser.take(rest) {
                Ok((used, frame)) => {
                    rest = rest.get(used..).unwrap_or_default();
                    if let Some(frame) = frame {
                        self.frame(&frame, out);
                    }
                }
                Err(broken) => self.end(&broken.0, false, out),
            }
        }
    }
}

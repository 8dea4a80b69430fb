//! Socket.IO 4 over a WebSocket, with connection state recovery: a session is given back with what was missed, for two minutes.
//!
//! ```text
//! 0{…}; 40/ns → 40/ns,{sid,pid}; 42/ns,[…,offset]; 2 → 3
//! ```

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use watchfloor_feed::LinkId;
use watchfloor_model::Mono;

use super::{At, Began, Call, Dialect, Said};

/// For how long a session is kept whose connection is gone.
const KEPT: Duration = Duration::from_secs(120);
const PING: Duration = Duration::from_secs(25);
/// How long the answer to a ping may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether sessions are kept, and by what adapter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    Nothing,
    /// The server's own memory: what is sent again is all that was missed.
    Memory,
    /// Streams of Redis. What another process sends while a session is given back may be in neither, so that it proves nothing.
    Streams,
}

/// A session of one namespace.
struct Session {
    channel: usize,
    /// The turn of the next event that it is sent.
    next: usize,
    /// On which connection it is, or since when it is on none.
    link: Result<LinkId, Mono>,
}

struct Client {
    pinged: Mono,
    answered: bool,
}

/// The server.
pub(super) struct SocketIo {
    keeps: Keeps,
    clients: BTreeMap<LinkId, Client>,
    sessions: BTreeMap<String, Session>,
    count: u64,
}

impl SocketIo {
    pub(super) const fn new(keeps: Keeps) -> Self {
        Self { keeps, clients: BTreeMap::new(), sessions: BTreeMap::new(), count: 0 }
    }

    fn join(&mut self, at: &mut At<'_>, link: LinkId, name: &str, auth: &Value) -> Result<(), String> {
        let channel = at.server.channel(name).ok_or("an unknown namespace")?;
        if at.revoked {
            at.say(Said::plain(format!(r#"44{name},{{"message":"not authorised"}}"#)));
            return Ok(());
        }
        let next = at.server.next_turn(channel);
        self.count += 1;
        let asked = auth["pid"].as_str().filter(|_| self.keeps != Keeps::Nothing);
        // Its events are kept for as long, and the one after which it goes on must be among them.
        let oldest =
            at.server.story[channel].partition_point(|number| at.server.events[*number].at.plus(KEPT) < at.now);
        let after = auth["offset"].as_str().and_then(|offset| self.keeps.turn(offset));
        let kept = asked.and_then(|pid| {
            let session = self.sessions.get(pid).filter(|session| session.channel == channel)?;
            let is_kept = session.link.is_err_and(|since| since.plus(KEPT) > at.now);
            let after = after.filter(|after| (oldest..next).contains(after) && is_kept)?;
            Some((pid.to_owned(), after + 1))
        });
        let (pid, from) = kept.clone().unwrap_or_else(|| (format!("p{}", self.count), next));
        if kept.is_some() {
            for turn in from..next {
                let text = event(at, name, channel, turn, self.keeps);
                at.say(Said::event(text, channel, turn));
            }
        }
        self.sessions.insert(pid.clone(), Session { channel, next, link: Ok(link) });
        let mut answer = json!({"sid": format!("s{}", self.count)});
        if self.keeps != Keeps::Nothing {
            answer["pid"] = pid.into();
        }
        let began = Began { channel, turn: from, recovered: kept.is_some() && self.keeps == Keeps::Memory };
        at.say(Said::beginning(format!("40{name},{answer}"), vec![began]));
        Ok(())
    }
}

/// A wall clock of before 2020, as the world's is, counts as not set, and offsets must then be of later.
const LATER: i64 = 10 * 365 * 86_400_000;
/// What the adapter in memory writes a time and a count by.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

impl Keeps {
    /// What an event is kept by. The adapter in memory counts what it sends within a millisecond, in all namespaces; the one for
    /// streams has their ids. Both counts are the turn here, by which it is found again.
    fn offset(self, time: i64, turn: usize) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Memory => Some(format!("{}.{}", digits(time.unsigned_abs()), digits(turn as u64))),
            Self::Streams => Some(format!("{time}-{turn}")),
        }
    }

    /// The turn of what is kept by this.
    fn turn(self, offset: &str) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Memory => offset.split_once('.')?.1.bytes().try_fold(0, |sum, letter| {
                Some(sum * DIGITS.len() + DIGITS.iter().position(|digit| *digit == letter)?)
            }),
            Self::Streams => offset.split_once('-')?.1.parse().ok(),
        }
    }
}

fn digits(mut number: u64) -> String {
    let mut text = Vec::new();
    loop {
        text.push(char::from(DIGITS[usize::try_from(number % 64).unwrap_or(0)]));
        number /= 64;
        if number == 0 {
            return text.iter().rev().collect();
        }
    }
}

fn event(at: &mut At<'_>, name: &str, channel: usize, turn: usize, keeps: Keeps) -> String {
    let body = at.body(channel, turn);
    let time = at.server.turn(channel, turn).map_or(0, |event| event.time) + LATER;
    let offset = keeps.offset(time, turn).map(|offset| format!(r#","{offset}""#)).unwrap_or_default();
    format!(r#"42{name},["said",{body}{offset}]"#)
}

impl Dialect for SocketIo {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, _call: &Call) {
        // A wall that was started again counts its links from the first one. What is on one of the same number is on another
        // connection, of which nobody has found yet that it is dead, and which nothing can come by any more.
        self.end(at, link);
        self.clients.insert(link, Client { pinged: at.now, answered: true });
        let open = json!({"sid": format!("e{}", link.0), "upgrades": [], "pingInterval": PING.as_millis() as u64,
            "pingTimeout": PATIENCE.as_millis() as u64, "maxPayload": 1_000_000});
        at.say(Said::plain(format!("0{open}")));
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(message).map_err(|error| error.to_string())?;
        if text == "3" {
            self.clients.get_mut(&link).into_iter().for_each(|client| client.answered = true);
            return Ok(());
        }
        let rest = text.strip_prefix("40").ok_or_else(|| format!("an unknown packet {text}"))?;
        let (name, auth) = rest.split_once(',').unwrap_or((rest, ""));
        let auth = if auth.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(auth).map_err(|error| error.to_string())?
        };
        self.join(at, link, name, &auth)
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let own = self.sessions.values_mut().filter(|session| session.link == Ok(link));
        for session in own {
            let name = at.server.name(session.channel).to_owned();
            while session.next < at.server.next_turn(session.channel) {
                let text = event(at, &name, session.channel, session.next, self.keeps);
                at.say(Said::event(text, session.channel, session.next));
                session.next += 1;
            }
        }
        Ok(())
    }

    fn beat(&mut self, at: &mut At<'_>, link: LinkId) {
        let Some(client) = self.clients.get_mut(&link) else { return };
        let since = at.now.since(client.pinged);
        if !client.answered && since > PATIENCE {
            at.say(Said::Close(None, "ping timeout"));
        } else if since >= PING {
            (client.pinged, client.answered) = (at.now, false);
            at.say(Said::plain("2"));
        }
    }

    fn end(&mut self, at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
        let now = at.now;
        self.sessions
            .values_mut()
            .filter(|session| session.link == Ok(link))
            .for_each(|session| session.link = Err(now));
        self.sessions.retain(|_, session| session.link.map_or_else(|since| since.plus(KEPT * 2) > now, |_| true));
    }

    fn restart(&mut self, _keeps: bool) {
        self.clients.clear();
        self.sessions.clear();
    }
}

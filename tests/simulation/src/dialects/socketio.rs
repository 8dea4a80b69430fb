//! Socket.IO 4, with connection state recovery: a session is given back with what was missed, for two minutes.
//!
//! ```text
//! 0{…}; 40/ns → 40/ns,{sid,pid}; 42/ns,[…,offset]; 2 → 3
//! ```
//!
//! Over a WebSocket, or by polls: one GET and one POST at a time, packets with a separator between them, and what isn't asked for
//! waits. Who is away between two polls is missed when a ping isn't answered, and not earlier. A connection goes on by a WebSocket
//! that names it: `2probe` → `3probe`, the GET that waits is let go (`6`), and with `5` it has moved.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use watchfloor_feed::LinkId;
use watchfloor_model::Mono;

use super::{At, Began, Call, Dialect, Said, Told};

/// For how long a session is kept whose connection is gone.
const KEPT: Duration = Duration::from_secs(120);
const PING: Duration = Duration::from_secs(25);
/// How long the answer to a ping may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a WebSocket by which a connection is to go on may take.
const UPGRADE: Duration = Duration::from_secs(10);
/// How often it is looked whether a GET waits that is to be let go.
const LET_GO: Duration = Duration::from_millis(100);
/// The longest body that is posted.
const BODY_BYTES_MAX: usize = 1_000_000;
/// Between the packets of a body.
const BETWEEN: char = '\u{1e}';
/// What is said of a connection that isn't known.
const UNKNOWN: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

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
    /// Of which connection it is, or since when it is of none.
    engine: Result<u64, Mono>,
}

/// A packet that waits for a poll.
struct Waiting {
    text: String,
    began: Vec<Began>,
}

/// A connection of Engine.IO.
struct Engine {
    /// The link that it is on, if the server still hears of that.
    link: Option<LinkId>,
    polls: bool,
    /// A GET is to be answered.
    asked: bool,
    waiting: Vec<Waiting>,
    /// The WebSocket by which it is to go on, once that has said so.
    probe: Option<LinkId>,
    pinged: Mono,
    answered: bool,
}

impl Engine {
    fn say(&mut self, at: &mut At<'_>, text: String, event: Option<(usize, usize)>, began: Vec<Began>) {
        if self.polls {
            self.waiting.push(Waiting { text, began });
        } else {
            at.say(Said::Message { bytes: text.into_bytes(), event, began });
        }
    }

    /// Answers the GET, if there is one and something to say.
    fn flush(&mut self, at: &mut At<'_>) {
        if !self.polls || !self.asked || self.waiting.is_empty() {
            return;
        }
        self.asked = false;
        let (mut body, mut begun) = (String::new(), Vec::new());
        for Waiting { text, began } in std::mem::take(&mut self.waiting) {
            if !body.is_empty() {
                body.push(BETWEEN);
            }
            body.push_str(&text);
            begun.extend(began);
        }
        at.say(Said::beginning(body, begun));
    }

    /// When it is given up unless something is heard: where nobody asks any more it is pinged all the same.
    fn ends(&self) -> Mono {
        if self.answered { self.pinged.plus(PING).plus(PATIENCE) } else { self.pinged.plus(PATIENCE) }
    }
}

/// The server.
pub(super) struct SocketIo {
    keeps: Keeps,
    engines: BTreeMap<u64, Engine>,
    links: BTreeMap<LinkId, u64>,
    /// WebSockets by which a connection may go on, and since when.
    probes: BTreeMap<LinkId, (u64, Mono)>,
    sessions: BTreeMap<String, Session>,
    count: u64,
}

impl SocketIo {
    pub(super) const fn new(keeps: Keeps) -> Self {
        Self {
            keeps,
            engines: BTreeMap::new(),
            links: BTreeMap::new(),
            probes: BTreeMap::new(),
            sessions: BTreeMap::new(),
            count: 0,
        }
    }

    /// A new connection.
    fn open(&mut self, at: &mut At<'_>, link: LinkId, polls: bool) {
        self.count += 1;
        let id = self.count;
        let mut engine = Engine {
            link: Some(link),
            polls,
            asked: polls,
            waiting: Vec::new(),
            probe: None,
            pinged: at.now,
            answered: true,
        };
        let upgrades: &[&str] = if polls { &["websocket"] } else { &[] };
        let open = json!({"sid": sid(id), "upgrades": upgrades, "pingInterval": PING.as_millis() as u64,
            "pingTimeout": PATIENCE.as_millis() as u64, "maxPayload": BODY_BYTES_MAX});
        engine.say(at, format!("0{open}"), None, Vec::new());
        engine.flush(at);
        self.engines.insert(id, engine);
        self.links.insert(link, id);
    }

    /// The connection of this name.
    fn named(&self, call: &Call) -> Result<Option<u64>, String> {
        let Some(name) = query(call, "sid")? else { return Ok(None) };
        Ok(Some(self.engines.keys().copied().find(|id| sid(*id) == name).unwrap_or(0)))
    }

    /// A connection is gone since then; its sessions are kept for a while.
    fn close(&mut self, id: u64, since: Mono) {
        if self.engines.remove(&id).is_none() {
            return;
        }
        self.links.retain(|_, own| *own != id);
        self.probes.retain(|_, (own, _)| *own != id);
        let own = self.sessions.values_mut().filter(|session| session.engine == Ok(id));
        own.for_each(|session| session.engine = Err(since));
        self.sessions.retain(|_, session| session.engine.map_or_else(|gone| gone.plus(KEPT * 2) > since, |_| true));
    }

    /// Gives those up from which nothing is heard.
    fn reap(&mut self, now: Mono) {
        let due = |(id, engine): (&u64, &Engine)| (engine.polls && engine.ends() < now).then(|| (*id, engine.ends()));
        for (id, since) in self.engines.iter().filter_map(due).collect::<Vec<_>>() {
            self.close(id, since);
        }
    }

    /// Takes a packet.
    fn packet(&mut self, at: &mut At<'_>, id: u64, text: &str) -> Result<(), String> {
        if text == "3" {
            let engine = self.engines.get_mut(&id).ok_or("no connection")?;
            if std::mem::replace(&mut engine.answered, true) {
                return Err("a pong without a ping".into());
            }
            return Ok(());
        }
        if let Some(name) = text.strip_prefix("41") {
            let channel = at.server.channel(name.trim_end_matches(','));
            self.sessions.retain(|_, session| session.engine != Ok(id) || Some(session.channel) != channel);
            return Ok(());
        }
        let rest = text.strip_prefix("40").ok_or_else(|| format!("an unknown packet {text}"))?;
        let (name, auth) = rest.split_once(',').unwrap_or((rest, ""));
        let auth = if auth.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(auth).map_err(|error| error.to_string())?
        };
        self.join(at, id, name, &auth)
    }

    fn join(&mut self, at: &mut At<'_>, id: u64, name: &str, auth: &Value) -> Result<(), String> {
        self.reap(at.now);
        let engine = self.engines.get_mut(&id).ok_or("no connection")?;
        let Some(channel) = at.server.channel(name) else {
            engine.say(at, format!(r#"44{name},{{"message":"Invalid namespace"}}"#), None, Vec::new());
            return Ok(());
        };
        if at.revoked {
            engine.say(at, format!(r#"44{name},{{"message":"not authorised"}}"#), None, Vec::new());
            return Ok(());
        }
        let joined = |session: &Session| session.engine == Ok(id) && session.channel == channel;
        if self.sessions.values().any(joined) {
            return Err(format!("{name} is joined twice"));
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
            let is_kept = session.engine.is_err_and(|since| since.plus(KEPT) > at.now);
            let after = after.filter(|after| (oldest..next).contains(after) && is_kept)?;
            Some((pid.to_owned(), after + 1))
        });
        let (pid, from) = kept.clone().unwrap_or_else(|| (format!("p{}", self.count), next));
        if kept.is_some() {
            for turn in from..next {
                let text = event(at, name, channel, turn, self.keeps);
                engine.say(at, text, Some((channel, turn)), Vec::new());
            }
        }
        self.sessions.insert(pid.clone(), Session { channel, next, engine: Ok(id) });
        let mut answer = json!({"sid": format!("s{}", self.count)});
        if self.keeps != Keeps::Nothing {
            answer["pid"] = pid.into();
        }
        let began = Began { channel, turn: from, recovered: kept.is_some() && self.keeps == Keeps::Memory };
        engine.say(at, format!("40{name},{answer}"), None, vec![began]);
        Ok(())
    }

    /// What a WebSocket says by which a connection is to go on.
    fn probed(&mut self, at: &mut At<'_>, link: LinkId, id: u64, text: &str) -> Result<(), String> {
        let engine = self.engines.get_mut(&id).ok_or("no connection")?;
        match text {
            "2probe" => {
                engine.probe = Some(link);
                at.say(Said::plain("3probe"));
                engine.link.into_iter().for_each(|polls| at.wake_by(polls, at.now.plus(LET_GO)));
                Ok(())
            }
            "5" if engine.probe != Some(link) => Err("it goes on without a probe".into()),
            "5" if engine.asked => Err("it goes on while a poll is out".into()),
            "5" => {
                self.probes.remove(&link);
                self.links.retain(|_, own| *own != id);
                self.links.insert(link, id);
                (engine.link, engine.polls, engine.probe) = (Some(link), false, None);
                for Waiting { text, began } in std::mem::take(&mut engine.waiting) {
                    at.say(Said::beginning(text, began));
                }
                self.pump(at, link)
            }
            other => Err(format!("an unknown word {other} of a WebSocket that isn't taken yet")),
        }
    }
}

fn sid(id: u64) -> String {
    format!("engine-{id}")
}

fn query(call: &Call, name: &str) -> Result<Option<String>, String> {
    let url: url::Url = call.url.parse().map_err(|_| "no address")?;
    let found = url.query_pairs().find(|(key, _)| key == name);
    Ok(found.map(|(_, value)| value.into_owned()))
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
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<(), String> {
        self.reap(at.now);
        let polls = query(call, "transport")?.as_deref() == Some("polling");
        match (self.named(call)?, polls) {
            (None, _) => {
                // A wall that was started again counts its links from the first one. What is on one of the same number is on
                // another connection, of which nobody has found yet that it is dead, and which nothing can come by any more.
                if let Some(id) = self.links.get(&link).copied() {
                    if self.engines.get(&id).is_some_and(|engine| engine.polls) {
                        self.links.remove(&link);
                        self.engines.entry(id).and_modify(|engine| (engine.link, engine.asked) = (None, false));
                    } else {
                        self.end(at, link);
                    }
                }
                self.open(at, link, polls);
            }
            (Some(id), true) => {
                if at.revoked {
                    self.close(id, at.now);
                }
                let Some(engine) = self.engines.get_mut(&id) else {
                    at.say(Said::Close(Some(400), UNKNOWN));
                    return Ok(());
                };
                if !engine.polls || std::mem::replace(&mut engine.asked, true) {
                    return Err(format!("a GET while the connection is asked for otherwise: {}", sid(id)));
                }
                if engine.probe.is_some() {
                    at.wake(at.now.plus(LET_GO));
                }
            }
            (Some(id), false) if self.engines.get(&id).is_some_and(|engine| engine.polls) => {
                self.probes.insert(link, (id, at.now));
                at.wake(at.now.plus(UPGRADE));
            }
            (Some(_), false) => at.say(Said::Close(None, "")),
        }
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(message).map_err(|error| error.to_string())?;
        if let Some((id, _)) = self.probes.get(&link).copied() {
            return self.probed(at, link, id, text);
        }
        let Some(id) = self.links.get(&link).copied() else { return Ok(()) };
        self.packet(at, id, text)
    }

    fn told(&mut self, at: &mut At<'_>, _link: LinkId, call: &Call) -> Result<Option<Told>, String> {
        self.reap(at.now);
        let id = self.named(call)?.ok_or("a post to no connection")?;
        if !self.engines.contains_key(&id) {
            return Ok(Some(Told::plain(400, UNKNOWN)));
        }
        let body = call.body.as_deref().unwrap_or_default();
        if body.len() > BODY_BYTES_MAX {
            return Ok(Some(Told::plain(413, "")));
        }
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        for packet in text.split(BETWEEN) {
            self.packet(at, id, packet)?;
        }
        self.engines.get_mut(&id).into_iter().for_each(|engine| engine.flush(at));
        Ok(Some(Told::plain(200, "ok")))
    }

    fn is_there(&self, call: &Call) -> (u16, String) {
        let names_nobody =
            self.named(call) == Ok(Some(0)) && query(call, "transport") == Ok(Some("polling".to_owned()));
        if names_nobody { (400, UNKNOWN.to_owned()) } else { (404, String::new()) }
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        if let Some((id, since)) = self.probes.get(&link).copied() {
            if since.plus(UPGRADE) <= at.now {
                self.probes.remove(&link);
                self.engines.entry(id).and_modify(|engine| engine.probe = None);
                at.say(Said::Close(None, ""));
            }
            return Ok(());
        }
        let Some(id) = self.links.get(&link).copied() else { return Ok(()) };
        let Some(engine) = self.engines.get_mut(&id) else { return Ok(()) };
        let own = self.sessions.values_mut().filter(|session| session.engine == Ok(id));
        for session in own {
            let name = at.server.name(session.channel).to_owned();
            while session.next < at.server.next_turn(session.channel) {
                let text = event(at, &name, session.channel, session.next, self.keeps);
                engine.say(at, text, Some((session.channel, session.next)), Vec::new());
                session.next += 1;
            }
        }
        if engine.polls && engine.probe.is_some() && engine.waiting.is_empty() {
            engine.say(at, "6".to_owned(), None, Vec::new());
        }
        engine.flush(at);
        Ok(())
    }

    fn beat(&mut self, at: &mut At<'_>, link: LinkId) {
        let Some(id) = self.links.get(&link).copied() else { return };
        let Some(engine) = self.engines.get_mut(&id) else { return };
        let since = at.now.since(engine.pinged);
        if !engine.answered && since > PATIENCE {
            if !engine.polls {
                return at.say(Said::Close(None, "ping timeout"));
            }
            engine.say(at, "1".to_owned(), None, Vec::new());
            engine.flush(at);
            self.close(id, at.now);
        } else if since >= PING {
            (engine.pinged, engine.answered) = (at.now, false);
            engine.say(at, "2".to_owned(), None, Vec::new());
            engine.flush(at);
        }
    }

    fn end(&mut self, at: &mut At<'_>, link: LinkId) {
        if let Some((id, _)) = self.probes.remove(&link) {
            self.engines.entry(id).and_modify(|engine| engine.probe = None);
        }
        if let Some(id) = self.links.remove(&link) {
            self.close(id, at.now);
        }
    }

    fn restart(&mut self, _keeps: bool) {
        self.engines.clear();
        self.links.clear();
        self.probes.clear();
        self.sessions.clear();
    }
}

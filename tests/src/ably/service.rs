//! The service itself, apart from any wire: what it says to whom, by what it hears and what a test has it do.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    access::{Access, Pass, all, error, now},
    channel::{Attachment, Channel, Rewind, Said, What},
};

const HAS_PRESENCE: u64 = 1;
const HAS_BACKLOG: u64 = 1 << 1;
const RESUMED: u64 = 1 << 2;
const PUBLISH: u64 = 1 << 17;
pub(super) const SUBSCRIBE: u64 = 1 << 18;
pub(super) const PRESENCE_SUBSCRIBE: u64 = 1 << 19;
const PRESENCE: u64 = 1 << 16;
const MODES: u64 = 0xFFFF << 16;

/// What goes over a connection.
#[derive(Debug)]
pub(super) enum Out {
    Text(String),
    Close,
}

/// How the service is set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a connection's state outlives it.
    pub connection_state_ttl: Duration,
    /// The longest that a connection is silent.
    pub max_idle_interval: Duration,
    /// Most messages that are sent again to a channel that is resumed.
    pub missed_max: usize,
    /// Most messages of a page of the history.
    pub page_max: usize,
    /// Members of a page of SYNC.
    pub sync_page: usize,
    /// Whether nothing is sent at all, with everything left open.
    pub frozen: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connection_state_ttl: Duration::from_secs(120),
            max_idle_interval: Duration::from_secs(15),
            missed_max: 1000,
            page_max: 100,
            sync_page: 2,
            frozen: false,
        }
    }
}

/// A WebSocket.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) pass: Pass,
    query: BTreeMap<String, String>,
    connection: String,
    pub(super) attached: BTreeMap<String, Attachment>,
    out: UnboundedSender<Out>,
}

/// A connection's state, which outlives its WebSocket.
#[derive(Debug)]
pub(super) struct Connection {
    /// What was given to its present WebSocket: Ably's own client goes on with the first of those after a later CONNECTED as well.
    keys: Vec<String>,
    link: Option<u64>,
    lost: Instant,
    /// The numbers of what it published, so that what is sent again isn't taken twice.
    published: Vec<u64>,
}

/// What a client said.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The key by which, or by whose token, it came.
    pub who: String,
    /// The protocol message; or what the address asked for, of a connection that begins.
    pub said: Value,
}

/// The service.
#[derive(Debug)]
pub struct Service {
    /// How it is set.
    pub settings: Settings,
    pub(super) access: Access,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) connections: BTreeMap<String, Connection>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) heard: Vec<Heard>,
    numbers: u64,
}

impl Service {
    /// One with a key for each of these, that may do everything.
    pub(super) fn new(keys: &[&str]) -> Self {
        let mut access = Access::default();
        for name in keys {
            access.add(name, &format!("secret-of-{name}"), all(&["*"]));
        }
        Self {
            settings: Settings::default(),
            access,
            links: BTreeMap::new(),
            connections: BTreeMap::new(),
            channels: BTreeMap::new(),
            heard: Vec::new(),
            numbers: 0,
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn say(&self, link: u64, frame: &Value) {
        if let Some(link) = self.links.get(&link).filter(|_| !self.settings.frozen) {
            // It may be gone already.
            let _gone = link.out.send(Out::Text(frame.to_string()));
        }
    }

    /// A client comes. It is told why if it isn't taken.
    pub(super) fn open(&mut self, query: BTreeMap<String, String>, out: UnboundedSender<Out>) -> u64 {
        let number = self.number();
        let admitted = self.access.admit(&query);
        let who = admitted.as_ref().map_or_else(|_| String::new(), |pass| pass.who.clone());
        self.heard.push(Heard { who, said: json!({ "query": query }) });
        let asked_json = || match query.get("format").map(String::as_str) {
            Some("json") if query.contains_key("v") => Ok(()),
            _ => Err(error(40000, 400, "a version, and JSON alone")),
        };
        let pass = match admitted.and_then(|pass| asked_json().map(|()| pass)) {
            Ok(pass) => pass,
            Err(error) => {
                let _gone = out.send(Out::Text(json!({ "action": 9, "error": error }).to_string()));
                let _gone = out.send(Out::Close);
                return number;
            }
        };
        let (resumed, error) = match query.get("resume").or_else(|| query.get("recover")) {
            None => (None, None),
            Some(key) => self.resume(key),
        };
        let connection = resumed.unwrap_or_else(|| format!("connection-{}", self.numbers));
        self.links.insert(number, Link { pass, query, connection, attached: BTreeMap::new(), out });
        self.connected(number, error.as_ref());
        number
    }

    /// The connection that has this key; or why there is none.
    fn resume(&mut self, key: &str) -> (Option<String>, Option<Value>) {
        let ttl = self.settings.connection_state_ttl;
        let Some((id, connection)) =
            self.connections.iter_mut().find(|(_, connection)| connection.keys.iter().any(|one| one == key))
        else {
            return (None, Some(error(80018, 400, "unable to recover connection: unknown key")));
        };
        let id = id.clone();
        match connection.link.take() {
            // It takes the place of one that is still there.
            Some(old) => self.end(old),
            None if connection.lost.elapsed() > ttl => {
                self.connections.remove(&id);
                return (None, Some(error(80006, 400, "unable to recover connection: its state has expired")));
            }
            None => {}
        }
        (Some(id), None)
    }

    /// Says CONNECTED, with another key each time.
    fn connected(&mut self, link: u64, error: Option<&Value>) {
        let key = format!("key-{}!{}", self.number(), link);
        let Some(to) = self.links.get(&link) else { return };
        let state = Connection { keys: Vec::new(), link: None, lost: Instant::now(), published: Vec::new() };
        let kept = self.connections.entry(to.connection.clone()).or_insert(state);
        if kept.link.replace(link) != Some(link) {
            kept.keys.clear();
        }
        kept.keys.push(key.clone());
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let mut frame = json!({ "action": 4, "connectionId": to.connection, "connectionKey": key,
            "connectionDetails": { "connectionKey": key, "clientId": to.pass.client,
                "connectionStateTtl": millis(self.settings.connection_state_ttl),
                "maxIdleInterval": millis(self.settings.max_idle_interval),
                "maxMessageSize": 65_536, "maxFrameSize": 524_288, "maxInboundRate": 250, "serverId": "script.1" } });
        if let Some(error) = error {
            frame["error"] = error.clone();
        }
        self.say(link, &frame);
    }

    /// A WebSocket has ended.
    pub(super) fn closed(&mut self, link: u64) {
        let Some(gone) = self.links.remove(&link) else { return };
        if let Some(connection) = self.connections.get_mut(&gone.connection).filter(|kept| kept.link == Some(link)) {
            (connection.link, connection.lost) = (None, Instant::now());
        }
    }

    /// Closes one.
    pub(super) fn end(&mut self, link: u64) {
        if let Some(link) = self.links.get(&link) {
            let _gone = link.out.send(Out::Close);
        }
        self.closed(link);
    }

    /// It is time for a sign of life.
    pub(super) fn idle(&self, link: u64) {
        self.say(link, &json!({ "action": 0 }));
    }

    /// What a client says.
    pub(super) fn hear(&mut self, link: u64, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        let Some(from) = self.links.get(&link) else { return };
        self.heard.push(Heard { who: from.pass.who.clone(), said: frame.clone() });
        match frame["action"].as_u64() {
            Some(0) => self.say(link, &json!({ "action": 0, "id": frame["id"] })),
            Some(7) => {
                self.say(link, &json!({ "action": 8 }));
                let id = from.connection.clone();
                self.end(link);
                self.connections.remove(&id);
            }
            Some(10) => self.attach(link, &frame),
            Some(12) => {
                let (name, _) = qualified(frame["channel"].as_str().unwrap_or_default());
                if let Some(from) = self.links.get_mut(&link) {
                    from.attached.remove(name);
                }
                self.say(link, &json!({ "action": 13, "channel": frame["channel"] }));
            }
            Some(action @ (14 | 15)) => self.published(link, action, &frame),
            Some(17) => self.authorise(link, &frame),
            // Others are left alone.
            _ => {}
        }
    }

    fn attach(&mut self, link: u64, frame: &Value) {
        let asked = frame["channel"].as_str().unwrap_or_default();
        let (name, mut params) = qualified(asked);
        for (key, value) in frame["params"].as_object().into_iter().flatten() {
            params.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let fails = |error: Value| json!({ "action": 9, "channel": asked, "error": error });
        let Some(to) = self.links.get_mut(&link) else { return };
        if !to.pass.may("subscribe", name) {
            let refusal = fails(error(40160, 401, "action not permitted, no right to subscribe"));
            return self.say(link, &refusal);
        }
        let rewind = params.get("rewind").map(|text| Rewind::read(text));
        if rewind == Some(None) {
            let refusal = fails(error(40000, 400, "rewind: neither a number nor a time"));
            return self.say(link, &refusal);
        }
        params.retain(|key, _| matches!(key.as_str(), "rewind" | "delta"));
        let deltas = params.get("delta").is_some_and(|format| format == "vcdiff");
        let may = |mode, operation| if to.pass.may(operation, name) { mode } else { 0 };
        let granted = SUBSCRIBE | PRESENCE_SUBSCRIBE | may(PUBLISH, "publish") | may(PRESENCE, "presence");
        let wanted = frame["flags"].as_u64().unwrap_or_default() & MODES;
        let modes = if wanted == 0 { granted } else { wanted & granted };
        let channel = made(&mut self.channels, name);
        let serial = frame["channelSerial"].as_str().filter(|serial| !serial.is_empty());
        let begin = channel.begin(serial, rewind.flatten(), self.settings.missed_max);
        let presence = modes & PRESENCE_SUBSCRIBE != 0;
        let mut flags = modes;
        flags |= if begin.resumed { RESUMED } else { 0 };
        flags |= if presence && !channel.members.is_empty() { HAS_PRESENCE } else { 0 };
        flags |= if begin.from < begin.place { HAS_BACKLOG } else { 0 };
        let mut answer =
            json!({ "action": 11, "channel": asked, "channelSerial": channel.serial(begin.place), "flags": flags });
        if !params.is_empty() {
            answer["params"] = json!(params);
        }
        if let Some(error) = begin.error {
            answer["error"] = error;
        }
        let attachment = Attachment { asked: asked.to_owned(), deltas, presence, ..Attachment::default() };
        to.attached.insert(name.to_owned(), attachment);
        let end = channel.said.len();
        self.say(link, &answer);
        for at in begin.from..end {
            self.tell(link, name, at);
        }
        if flags & HAS_PRESENCE != 0 {
            self.sync_to(link, name);
        }
    }

    /// Tells a client what was said on a channel that it is attached to.
    fn tell(&mut self, link: u64, name: &str, at: usize) {
        let Some(to) = self.links.get_mut(&link) else { return };
        let is_own = self.channels.get(name).and_then(|channel| channel.said.get(at)).is_some_and(|entry| {
            entry.connection == to.connection && to.query.get("echo").is_some_and(|echo| echo == "false")
        });
        let Some(attachment) = to.attached.get_mut(name).filter(|_| !is_own) else { return };
        if let Some(frame) = self.channels.get(name).and_then(|channel| channel.frame(at, attachment)) {
            self.say(link, &frame);
        }
    }

    /// All pages of who is there.
    pub(super) fn sync_to(&mut self, link: u64, name: &str) {
        let sync = self.number();
        let Some(channel) = self.channels.get(name) else { return };
        let Some(asked) = self.links.get(&link).and_then(|link| link.attached.get(name)).map(|to| to.asked.clone())
        else {
            return;
        };
        let members: Vec<&Value> = channel.members.values().collect();
        let mut pages = members.chunks(self.settings.sync_page.max(1)).enumerate().peekable();
        while let Some((number, page)) = pages.next() {
            let cursor = if pages.peek().is_some() { format!("cursor:{number}") } else { String::new() };
            let frame = json!({ "action": 16, "channel": asked, "channelSerial": format!("sync{sync}:{cursor}"),
                "timestamp": now(), "presence": page });
            self.say(link, &frame);
        }
        if members.is_empty() {
            self.say(link, &json!({ "action": 16, "channel": asked, "timestamp": now(), "presence": [] }));
        }
    }

    /// A client publishes, or says that it is there.
    fn published(&mut self, link: u64, action: u64, frame: &Value) {
        let Some(from) = self.links.get(&link) else { return };
        let (name, _) = qualified(frame["channel"].as_str().unwrap_or_default());
        let (id, client) = (from.connection.clone(), from.pass.client.clone());
        let serial = frame["msgSerial"].as_u64().unwrap_or_default();
        let operation = if action == 15 { "publish" } else { "presence" };
        if !from.pass.may(operation, name) {
            let error = error(40160, 401, "action not permitted");
            return self.say(link, &json!({ "action": 2, "msgSerial": serial, "count": 1, "error": error }));
        }
        let is_new = self.connections.get_mut(&id).is_some_and(|connection| {
            let is_new = !connection.published.contains(&serial);
            connection.published.push(serial);
            is_new
        });
        self.say(link, &json!({ "action": 1, "msgSerial": serial, "count": 1 }));
        if !is_new {
            return;
        }
        if action == 15 {
            let messages = frame["messages"].as_array().cloned().unwrap_or_default();
            let said = messages.into_iter().map(|whole| Said { whole, delta: None }).collect();
            return self.append(name, &id, &format!("{id}:{serial}"), What::Messages(said));
        }
        for (index, member) in frame["presence"].as_array().into_iter().flatten().enumerate() {
            let mut member = member.clone();
            let named = member["clientId"].as_str().map(str::to_owned).or_else(|| client.clone());
            member["clientId"] = named.into();
            member["connectionId"] = id.clone().into();
            if !member["id"].is_string() {
                // One that enters again, after a new attachment, says by its id that it is the same.
                member["id"] = format!("{id}:{serial}:{index}").into();
            }
            self.presence(name, member);
        }
    }

    pub(super) fn append(&mut self, name: &str, connection: &str, id: &str, what: What) {
        let channel = made(&mut self.channels, name);
        channel.append(id.to_owned(), connection, what);
        let at = channel.said.len() - 1;
        let links: Vec<u64> = self.links.keys().copied().collect();
        for link in links {
            self.tell(link, name, at);
        }
    }

    /// Somebody's presence changes, by a message of it.
    pub(super) fn presence(&mut self, name: &str, mut member: Value) {
        member["timestamp"] = now().into();
        let part = |part: &str| member[part].as_str().unwrap_or_default().to_owned();
        let (key, connection, id) = ((part("connectionId"), part("clientId")), part("connectionId"), part("id"));
        let channel = made(&mut self.channels, name);
        if member["action"] == 3 {
            channel.members.remove(&key);
        } else {
            let mut kept = member.clone();
            kept["action"] = 1.into();
            channel.members.insert(key, kept);
        }
        self.append(name, &connection, &id, What::Presence(member));
    }

    /// A client presents another token.
    fn authorise(&mut self, link: u64, frame: &Value) {
        let pass = self.access.pass(frame["auth"]["accessToken"].as_str().unwrap_or_default());
        let Some(from) = self.links.get_mut(&link) else { return };
        match pass {
            Ok(pass) if pass.who == from.pass.who => from.pass = pass,
            Ok(_) => return self.fail(link, &error(40102, 401, "the token is somebody else's")),
            Err(error) => return self.fail(link, &error),
        }
        let lost: Vec<(String, String)> = from
            .attached
            .iter()
            .filter(|(name, _)| !from.pass.may("subscribe", name))
            .map(|(name, attachment)| (name.clone(), attachment.asked.clone()))
            .collect();
        for (name, _) in &lost {
            from.attached.remove(name);
        }
        self.connected(link, None);
        for (_, asked) in lost {
            let error = error(40160, 401, "action not permitted any more");
            self.say(link, &json!({ "action": 9, "channel": asked, "error": error }));
        }
    }

    /// ERROR without a channel: the connection is over.
    pub(super) fn fail(&mut self, link: u64, error: &Value) {
        self.say(link, &json!({ "action": 9, "error": error }));
        self.end(link);
    }
}

/// A channel, which begins to be when it is named.
pub(super) fn made<'a>(channels: &'a mut BTreeMap<String, Channel>, name: &str) -> &'a mut Channel {
    let salt = channels.len() as u64;
    channels.entry(name.to_owned()).or_insert_with(|| Channel::new(salt))
}

/// A channel's name, and what is asked of it with the name: `[?rewind=1]name`.
fn qualified(asked: &str) -> (&str, BTreeMap<String, String>) {
    let Some((query, name)) = asked.strip_prefix("[?").and_then(|rest| rest.split_once(']')) else {
        return (asked, BTreeMap::new());
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    (name, pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

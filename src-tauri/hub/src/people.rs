//! Who is connected by a door that knows people, to which channels, and who is present where.
//!
//! A value, as the rest of the state: nothing here waits or sends. A move (somebody came, somebody went) is kept in the room's list under a
//! number of the same count as events have, so each reader takes both in one order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    fmt,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use watchfloor_model::Mono;

use crate::{door::pusher::wire, limits, message, rules::Rules};

mod others;
#[cfg(test)]
mod tests;

/// A connection's name, `1234.5678`: drawn at random, for who knows it can ask for signatures for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Socket(u32, u32);

impl Socket {
    pub(crate) const fn new(first: u32, second: u32) -> Self {
        Self(first, second)
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for Socket {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let (first, second) = text.split_once('.').ok_or(())?;
        Ok(Self(digits(first).ok_or(())?, digits(second).ok_or(())?))
    }
}

/// Somebody, as a presence channel has him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: Arc<str>,
    /// What others are told of him, one line of JSON.
    pub(crate) info: Option<Arc<str>>,
}

/// Why somebody can't come into a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// One connection.
#[derive(Debug)]
struct Connection {
    /// Who waits there, by its waker.
    reader: u64,
    app: Arc<str>,
    user: Option<Arc<str>>,
    /// Its channels, and as whom it is in those of presence.
    channels: BTreeMap<Arc<str>, Option<Arc<str>>>,
    is_ended: bool,
}

/// A channel of presence.
#[derive(Debug, Default)]
struct Room {
    members: BTreeMap<Arc<str>, Member>,
    moves: VecDeque<Move>,
    /// Moves that were forgotten.
    forgotten: u64,
    /// Readers who are told of its moves and may be nobody in it.
    listeners: usize,
}

#[derive(Debug)]
struct Member {
    info: Option<Arc<str>>,
    connections: BTreeSet<Socket>,
    /// His connections to other nodes of this hub, as those call them.
    elsewhere: BTreeSet<Arc<str>>,
    /// Whether the connection that he lost last was to this node.
    was_ours: bool,
    /// When he is gone, if none of his connections comes back until then.
    leaves: Option<Mono>,
}

/// Somebody came or went.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) serial: u64,
    /// As a client of the Pusher protocol is told, and as a reader at the hub's own doors.
    pub(crate) frame: Utf8Bytes,
    pub(crate) line: Arc<str>,
}

/// Channels in which there is something new for readers.
pub(crate) type Wake = BTreeSet<Arc<str>>;

/// What a site may be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// The channel has its first connection.
    Occupied(Arc<str>),
    /// The channel's last connection has gone.
    Vacated(Arc<str>),
    /// Somebody is present.
    Came(Arc<str>, Arc<str>),
    /// Somebody is no longer present.
    Went(Arc<str>, Arc<str>),
    /// A client told others something.
    Said(Box<Saying>),
    /// A cache channel had nothing for who came.
    Missed(Arc<str>),
}

/// What a client told others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saying {
    pub(crate) channel: Arc<str>,
    pub(crate) event: Arc<str>,
    /// JSON as the client sent it.
    pub(crate) data: Arc<str>,
    pub(crate) socket: Socket,
    /// As whom it is there.
    pub(crate) user: Option<Arc<str>>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct People {
    connections: HashMap<Socket, Connection>,
    /// Connections a channel.
    counts: BTreeMap<Arc<str>, usize>,
    rooms: HashMap<Arc<str>, Room>,
    /// Who leaves when.
    leaving: BTreeSet<(Mono, Arc<str>, Arc<str>)>,
    /// Channels that nobody has any more, and since when they count as empty if nobody comes back.
    emptying: BTreeMap<Arc<str>, Mono>,
    /// How long somebody counts as present after his last connection broke, and a channel as occupied.
    linger: Duration,
    /// Where that is another time for a channel.
    rules: Rules,
    tells_sites: bool,
    /// What sites are still to be told of, in its order, and how much of it found no room.
    happened: VecDeque<Happened>,
    dropped: u64,
    /// What is known of those who came by other nodes; none for a hub alone.
    others: Option<others::Others>,
}

impl Member {
    fn new(info: Option<Arc<str>>) -> Self {
        Self { info, connections: BTreeSet::new(), elsewhere: BTreeSet::new(), was_ours: true, leaves: None }
    }

    fn is_gone(&self) -> bool {
        self.connections.is_empty() && self.elsewhere.is_empty()
    }
}

impl People {
    /// Who lost his last connection counts as present for `linger`.
    pub(crate) fn new(linger: Duration) -> Self {
        Self { linger, ..Self::default() }
    }

    /// The same, but for channels of which the rules say another time.
    pub(crate) fn by(rules: Rules) -> Self {
        Self { rules, ..Self::new(limits::PRESENCE_LINGER) }
    }

    fn linger_of(&self, channel: &str) -> Duration {
        self.rules.of(channel).presence_linger.unwrap_or(self.linger)
    }

    /// A reader is told who comes to a channel and goes, whether he is somebody in it or not.
    pub(crate) fn listen(&mut self, channel: &Arc<str>) {
        self.rooms.entry(channel.clone()).or_default().listeners += 1;
    }

    /// He is told so no longer.
    pub(crate) fn listen_no_more(&mut self, channel: &str) {
        if let Some(room) = self.rooms.get_mut(channel) {
            room.listeners = room.listeners.saturating_sub(1);
            if room.is_idle() {
                self.rooms.remove(channel);
            }
        }
    }

    /// Who is present, in the order of their ids, what is told of them, and by how many connections.
    pub(crate) fn members(&self, channel: &str) -> impl Iterator<Item = message::Member<'_>> {
        let members = self.rooms.get(channel).into_iter().flat_map(|room| &room.members);
        members.map(|(id, member)| {
            let connections = member.connections.len() + member.elsewhere.len();
            message::Member::new(id, member.info.as_ref(), connections)
        })
    }

    /// A connection begins.
    pub(crate) fn connect(&mut self, socket: Socket, reader: u64, app: Arc<str>) {
        let connection = Connection { reader, app, user: None, channels: BTreeMap::new(), is_ended: false };
        self.connections.insert(socket, connection);
    }

    /// A connection has said who it is.
    pub(crate) fn sign_in(&mut self, socket: Socket, user: Arc<str>) {
        if let Some(connection) = self.connections.get_mut(&socket) {
            connection.user = Some(user);
        }
    }

    /// A connection is gone: a person without another one lingers.
    pub(crate) fn disconnect(&mut self, socket: Socket, now: Mono) {
        let Some(connection) = self.connections.remove(&socket) else { return };
        for (channel, person) in connection.channels {
            self.count_down(&channel, now);
            let Some(id) = person else { continue };
            let Some(member) = self.rooms.get_mut(&channel).and_then(|room| room.members.get_mut(&id)) else {
                continue;
            };
            member.connections.remove(&socket);
            member.was_ours = true;
            self.changed(&channel);
            self.linger(channel, id, now);
        }
    }

    /// A connection subscribes to a channel, in one of presence as `person`. Whoever is in the channel already changes nothing.
    ///
    /// # Errors
    /// If the room has no place for another person.
    pub(crate) fn subscribe(
        &mut self,
        socket: Socket,
        channel: &Arc<str>,
        person: Option<&Person>,
        serial: &mut u64,
    ) -> Result<Wake, Full> {
        let mut wake = Wake::new();
        let Some(connection) = self.connections.get_mut(&socket) else { return Ok(wake) };
        if connection.channels.contains_key(channel) {
            return Ok(wake);
        }
        let mut came = None;
        if let Some(person) = person {
            let room = self.rooms.entry(channel.clone()).or_default();
            let known = room.members.contains_key(&person.id);
            if !known && room.members.len() >= limits::PRESENCE_MEMBERS_MAX {
                return Err(Full);
            }
            let member = room.members.entry(person.id.clone()).or_insert_with(|| Member::new(person.info.clone()));
            member.connections.insert(socket);
            if let Some(at) = member.leaves.take() {
                self.leaving.remove(&(at, channel.clone(), person.id.clone()));
            }
            if !known {
                *serial += 1;
                room.note(*serial, self::came(channel, person));
                wake.insert(channel.clone());
                came = Some(Happened::Came(channel.clone(), person.id.clone()));
            }
        }
        connection.channels.insert(channel.clone(), person.map(|person| person.id.clone()));
        if person.is_some() {
            self.changed(channel);
        }
        let count = self.counts.entry(channel.clone()).or_default();
        *count += 1;
        if *count == 1 && self.emptying.remove(channel).is_none() {
            self.note(Happened::Occupied(channel.clone()));
        }
        if let Some(came) = came {
            self.note(came);
        }
        Ok(wake)
    }

    /// A connection leaves a channel, and who has no other one there is gone at once: he said so.
    pub(crate) fn unsubscribe(&mut self, socket: Socket, channel: &Arc<str>, now: Mono, serial: &mut u64) -> Wake {
        let mut wake = Wake::new();
        let connection = self.connections.get_mut(&socket);
        let Some(person) = connection.and_then(|connection| connection.channels.remove(channel)) else { return wake };
        if let Some(id) = person
            && let Some(member) = self.rooms.get_mut(channel).and_then(|room| room.members.get_mut(&id))
        {
            member.connections.remove(&socket);
            member.was_ours = true;
            let is_gone = member.is_gone();
            self.changed(channel);
            if is_gone {
                self.leave(channel, &id, serial, &mut wake);
            }
        }
        self.count_down(channel, now);
        wake
    }

    /// Lets go who lingered long enough.
    pub(crate) fn advance(&mut self, now: Mono, serial: &mut u64) -> Wake {
        let mut wake = Wake::new();
        while self.leaving.first().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, channel, id)) = self.leaving.pop_first()
        {
            self.leave(&channel, &id, serial, &mut wake);
        }
        let is_due = |(channel, at): (&Arc<str>, &Mono)| (*at <= now).then(|| channel.clone());
        let empty: Vec<_> = self.emptying.iter().filter_map(is_due).collect();
        for channel in empty {
            self.emptying.remove(&channel);
            self.note(Happened::Vacated(channel));
        }
        wake
    }

    /// Sites are told what happens from now on: until then nothing is noted of it.
    pub(crate) const fn tell_sites(&mut self) {
        self.tells_sites = true;
    }

    /// Notes what a site may be told of.
    pub(crate) fn note(&mut self, what: Happened) {
        if !self.tells_sites {
            return;
        }
        if self.happened.len() >= limits::HAPPENED_MAX {
            self.happened.pop_front();
            self.dropped += 1;
        }
        self.happened.push_back(what);
    }

    /// What happened since the last time, in its order, and how much more that found no room.
    pub(crate) fn take_happened(&mut self) -> (Vec<Happened>, u64) {
        (self.happened.drain(..).collect(), std::mem::take(&mut self.dropped))
    }

    /// When the next one goes.
    #[cfg(test)]
    fn poll_timeout(&self) -> Mono {
        self.leaving.first().map_or(Mono::NEVER, |(at, ..)| *at)
    }

    /// Somebody without a connection counts as present for some time more.
    fn linger(&mut self, channel: Arc<str>, id: Arc<str>, now: Mono) {
        let linger = self.linger_of(&channel);
        let member = self.rooms.get_mut(&channel).and_then(|room| room.members.get_mut(&id));
        if let Some(member) = member.filter(|member| member.is_gone() && member.leaves.is_none()) {
            let at = now.plus(linger);
            member.leaves = Some(at);
            self.leaving.insert((at, channel, id));
        }
    }

    fn leave(&mut self, channel: &Arc<str>, id: &Arc<str>, serial: &mut u64, wake: &mut Wake) {
        let Some(room) = self.rooms.get_mut(channel) else { return };
        let Some(member) = room.members.remove(id) else { return };
        *serial += 1;
        room.note(*serial, went(channel, id));
        if room.is_idle() {
            // Nobody is there who would take its moves.
            self.rooms.remove(channel);
        }
        wake.insert(channel.clone());
        if member.was_ours {
            self.note(Happened::Went(channel.clone(), id.clone()));
        }
    }

    fn count_down(&mut self, channel: &Arc<str>, now: Mono) {
        let Some(count) = self.counts.get_mut(channel) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(channel);
            let linger = self.linger_of(channel);
            self.emptying.insert(channel.clone(), now.plus(linger));
        }
    }

    /// Ends the connections of a user of an application. Answers who waits there.
    pub(crate) fn terminate(&mut self, app: &str, user: &str) -> Vec<u64> {
        let theirs = |connection: &&mut Connection| &*connection.app == app && connection.user.as_deref() == Some(user);
        self.connections
            .values_mut()
            .filter(theirs)
            .map(|connection| {
                connection.is_ended = true;
                connection.reader
            })
            .collect()
    }

    /// Whether the connection was ended from outside: nothing goes out by it any more.
    pub(crate) fn is_ended(&self, socket: Socket) -> bool {
        self.connections.get(&socket).is_none_or(|connection| connection.is_ended)
    }

    /// How many connections an application has.
    pub(crate) fn connections(&self, app: &str) -> usize {
        self.connections.values().filter(|connection| &*connection.app == app).count()
    }

    /// The channels that begin so and have a connection, with how many, in their order.
    pub(crate) fn occupied<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = (&'a Arc<str>, usize)> {
        let from: Arc<str> = beginning.into();
        let range = self.counts.range(from..).map(|(channel, count)| (channel, *count));
        range.take_while(move |(channel, _)| channel.starts_with(beginning))
    }

    /// How many connections a channel has.
    pub(crate) fn count(&self, channel: &str) -> usize {
        self.counts.get(channel).copied().unwrap_or_default()
    }

    /// Who is present, in the order of their ids.
    pub(crate) fn present(&self, channel: &str) -> impl Iterator<Item = (&Arc<str>, Option<&Arc<str>>)> {
        let members = self.rooms.get(channel).into_iter().flat_map(|room| &room.members);
        members.map(|(id, member)| (id, member.info.as_ref()))
    }

    /// How many moves a room has had.
    pub(crate) fn moves(&self, channel: &str) -> u64 {
        self.rooms.get(channel).map_or(0, |room| room.forgotten + room.moves.len() as u64)
    }

    /// The move after the first `seen`; none if there is none, or if it is forgotten.
    pub(crate) fn after(&self, channel: &str, seen: u64) -> Option<&Move> {
        let room = self.rooms.get(channel)?;
        room.moves.get(usize::try_from(seen.checked_sub(room.forgotten)?).ok()?)
    }

    /// Whether moves after the first `seen` are forgotten.
    pub(crate) fn forgot(&self, channel: &str, seen: u64) -> bool {
        self.rooms.get(channel).is_some_and(|room| seen < room.forgotten)
    }
}

/// Somebody has come who was not there: for both kinds of readers.
fn came(channel: &str, person: &Person) -> (Utf8Bytes, Arc<str>) {
    (wire::member_added(channel, person), message::joined(channel, &person.id, person.info.as_ref()))
}

/// Somebody has gone.
fn went(channel: &str, id: &str) -> (Utf8Bytes, Arc<str>) {
    (wire::member_removed(channel, id), message::left(channel, id))
}

impl Room {
    /// Whether nobody is there who is in it or hears of it.
    fn is_idle(&self) -> bool {
        self.members.is_empty() && self.listeners == 0
    }

    fn note(&mut self, serial: u64, (frame, line): (Utf8Bytes, Arc<str>)) {
        self.moves.push_back(Move { serial, frame, line });
        if self.moves.len() > limits::PRESENCE_MOVES_MAX {
            self.moves.pop_front();
            self.forgotten += 1;
        }
    }
}

//! Who is present, whichever node he came by.
//!
//! Each node writes of each channel of presence who is there by it, connection by connection, and tells the others that something has changed. Who was written
//! by a node that lives no more counts for nothing: a node lives as long as its lease, which it renews every second.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use redis::{RedisError, aio::MultiplexedConnection};
use watchfloor_model::Mono;

use super::{Engine, keys::Names, scripts};
use crate::{
    hub::Shared,
    limits,
    people::{Person, Socket},
};

/// What a node knows of the others, and what it has written itself.
#[derive(Default)]
pub(super) struct Rooms {
    /// What it has written, by channel and connection.
    written: HashMap<Arc<str>, BTreeMap<Socket, String>>,
    /// What was found last, by channel: all entries of all nodes.
    found: HashMap<Arc<str>, BTreeMap<Arc<str>, Person>>,
    /// The nodes that live, and until when each counts as living at least.
    live: BTreeMap<String, Mono>,
}

/// What is to be written of one channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    set: Vec<(String, String)>,
    gone: Vec<String>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.gone.is_empty()
    }
}

impl Rooms {
    /// The engine may have forgotten what was written.
    pub(super) fn write_anew(&mut self) {
        self.written.clear();
    }

    /// Channels in which somebody is by this node.
    pub(super) fn channels(&self) -> Vec<Arc<str>> {
        self.written.keys().cloned().collect()
    }

    /// What has changed since it was written last.
    pub(super) fn change(&mut self, node: &str, channel: &Arc<str>, own: Vec<(Socket, Person)>) -> Change {
        let now: BTreeMap<Socket, String> = own.into_iter().map(|(socket, person)| (socket, text(&person))).collect();
        let before = self.written.remove(channel).unwrap_or_default();
        let mut change = Change::default();
        for (socket, text) in &now {
            if before.get(socket) != Some(text) {
                change.set.push((entry(node, *socket), text.clone()));
            }
        }
        let gone = before.keys().filter(|socket| !now.contains_key(socket));
        change.gone = gone.map(|socket| entry(node, *socket)).collect();
        if !now.is_empty() {
            self.written.insert(channel.clone(), now);
        }
        change
    }

    /// Entries were found. Answers which of this node's own aren't of anybody here, so that they can be taken away.
    pub(super) fn find(&mut self, node: &str, channel: &Arc<str>, entries: Vec<(String, String)>) -> Vec<String> {
        let written = self.written.get(channel);
        let mut stray = Vec::new();
        let mut found = BTreeMap::new();
        for (entry, text) in entries {
            match entry.split_once('/') {
                Some((of, socket)) if of == node => {
                    let is_here =
                        socket.parse().is_ok_and(|socket: Socket| written.is_some_and(|all| all.contains_key(&socket)));
                    if !is_here {
                        stray.push(entry);
                    }
                }
                Some(_) => {
                    if let Some(person) = person(&text) {
                        found.insert(Arc::from(entry), person);
                    }
                }
                None => {}
            }
        }
        self.found.insert(channel.clone(), found);
        stray
    }

    /// A channel is followed no longer.
    pub(super) fn forget(&mut self, channel: &str) {
        self.found.remove(channel);
    }

    /// These nodes live, at `now`. Answers whether others did before.
    pub(super) fn live(&mut self, nodes: Vec<String>, now: Mono) -> bool {
        let before: BTreeSet<String> = self.live.keys().cloned().collect();
        let nodes: BTreeSet<String> = nodes.into_iter().collect();
        self.live.retain(|node, until| nodes.contains(node) || *until > now);
        for node in nodes {
            self.live.entry(node).or_insert(now);
        }
        !before.iter().eq(self.live.keys())
    }

    /// The engine was away: nobody could renew its lease.
    pub(super) fn be_lenient(&mut self, now: Mono) {
        let until = now.plus(limits::NODE_LEASE);
        self.live.values_mut().for_each(|living| *living = until);
    }

    /// Who is in a channel by other nodes that live.
    pub(super) fn others(&self, channel: &str) -> BTreeMap<Arc<str>, Person> {
        let lives = |entry: &str| entry.split_once('/').is_some_and(|(node, _)| self.live.contains_key(node));
        let found = self.found.get(channel).into_iter().flatten();
        found.filter(|(entry, _)| lives(entry)).map(|(entry, person)| (entry.clone(), person.clone())).collect()
    }

    /// The channels of which it is known who is there.
    pub(super) fn known(&self) -> Vec<Arc<str>> {
        self.found.keys().cloned().collect()
    }
}

fn entry(node: &str, socket: Socket) -> String {
    format!("{node}/{socket}")
}

fn text(person: &Person) -> String {
    serde_json::json!([person.id, person.info]).to_string()
}

fn person(text: &str) -> Option<Person> {
    let (id, info): (Arc<str>, Option<Arc<str>>) = serde_json::from_str(text).ok()?;
    Some(Person { id, info })
}

/// Writes a change, and tells the others.
pub(super) async fn write(
    mut connection: MultiplexedConnection,
    names: Names,
    channel: Arc<str>,
    change: Change,
) -> Result<(), RedisError> {
    let (key, mut pipe) = (names.present(&channel), redis::pipe());
    for (entry, text) in &change.set {
        pipe.cmd("HSET").arg(&key).arg(entry).arg(text).ignore();
    }
    for entry in &change.gone {
        pipe.cmd("HDEL").arg(&key).arg(entry).ignore();
    }
    pipe.cmd("PEXPIRE").arg(&key).arg(limits::PRESENCE_MS).ignore();
    pipe.cmd("PUBLISH").arg(names.moves(&channel)).arg("").ignore();
    pipe.query_async(&mut connection).await
}

/// Takes entries away that are of nobody.
pub(super) async fn take_away(
    mut connection: MultiplexedConnection,
    names: Names,
    channel: Arc<str>,
    entries: Vec<String>,
) -> Result<(), RedisError> {
    redis::cmd("HDEL").arg(names.present(&channel)).arg(entries).query_async(&mut connection).await
}

/// Reads who is present by all nodes.
pub(super) async fn read(
    mut connection: MultiplexedConnection,
    names: Names,
    channel: Arc<str>,
) -> Result<Vec<(String, String)>, RedisError> {
    redis::cmd("HGETALL").arg(names.present(&channel)).query_async(&mut connection).await
}

/// What the engine says with a lease.
#[derive(Clone, Debug)]
pub(super) struct Renewed {
    /// The nodes that live.
    pub(super) nodes: Vec<String>,
    /// The row of [orders](super::orders), and how many it has.
    pub(super) row: Arc<str>,
    pub(super) count: u64,
    /// Whether enough replicas know of the lease.
    pub(super) is_sure: bool,
}

/// Renews the lease, and asks who lives.
pub(super) async fn renew(
    mut connection: MultiplexedConnection,
    names: Names,
    node: Arc<str>,
) -> Result<Renewed, RedisError> {
    let mut script = scripts::RENEWING.prepare_invoke();
    let [row, ..] = names.row();
    script.key(names.nodes()).key(row).arg(&*node).arg(limits::NODE_LEASE.as_millis() as u64);
    let (row, count, nodes): (String, u64, Vec<String>) = script.invoke_async(&mut connection).await?;
    Ok(Renewed { nodes, row: row.into(), count, is_sure: true })
}

impl Engine {
    /// A node that ends says so, so that nobody has to wait for the end of its lease.
    pub(crate) async fn leave(&self, hub: &Shared) {
        let Some(live) = self.live.borrow().clone() else { return };
        let mut pipe = redis::pipe();
        pipe.cmd("ZREM").arg(self.names.nodes()).arg(&*self.node).ignore();
        let channels = hub.state().people_mut().0.take_changed();
        for channel in channels {
            pipe.cmd("PUBLISH").arg(self.names.moves(&channel)).arg("").ignore();
        }
        let mut connection = live.publishing;
        let left = pipe.query_async::<()>(&mut connection);
        // Who is late is found by his lease.
        let _ = tokio::time::timeout(limits::NODE_LEAVE, left).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(id: &str) -> Person {
        Person { id: id.into(), info: None }
    }

    /// What is written is the difference, and who was written by others is found as long as they live.
    #[test]
    fn rooms() {
        let (mut rooms, channel) = (Rooms::default(), Arc::from("presence-a"));
        let (one, two) = (Socket::new(1, 1), Socket::new(2, 2));
        let change = rooms.change("me", &channel, vec![(one, somebody("x")), (two, somebody("y"))]);
        assert_eq!(change.set.len(), 2);
        assert!(rooms.change("me", &channel, vec![(one, somebody("x")), (two, somebody("y"))]).is_empty());
        assert_eq!(rooms.change("me", &channel, vec![(two, somebody("y"))]).gone, ["me/1.1"]);
        assert!(rooms.live(vec!["me".into(), "other".into()], Mono::ZERO));
        let found = [("me/2.2", "y"), ("me/9.9", "z"), ("other/1.1", "o"), ("dead/1.1", "d"), ("x", "x")];
        let entries = found.iter().map(|(entry, id)| ((*entry).to_owned(), text(&somebody(id)))).collect();
        assert_eq!(rooms.find("me", &channel, entries), ["me/9.9"]);
        let others = |rooms: &Rooms| {
            rooms.others(&channel).into_values().map(|person| person.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(others(&rooms), ["o"]);
        let later = Mono::ZERO.plus(limits::NODE_LEASE);
        assert!(rooms.live(vec!["me".into()], later));
        assert_eq!(others(&rooms), Vec::<String>::new());
    }
}

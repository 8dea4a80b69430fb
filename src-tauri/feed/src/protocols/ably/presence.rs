//! Who is on a channel. Members are told apart by their connection and their client together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::value::RawValue;
use watchfloor_model::limits::ID_BYTES_MAX;

use super::{
    cipher::Key as CipherKey,
    session::AblySession,
    wire::{Seen, decode},
};
use crate::{
    limits::{HELD_BYTES_MAX, HELD_EVENT_OVERHEAD_BYTES},
    protocols::{Moment, Signal},
};

/// Most members of a channel that are followed. Others are counted as rejected.
pub(super) const MEMBERS_MAX: usize = 4096;

const ABSENT: u64 = 0;
const PRESENT: u64 = 1;
const ENTER: u64 = 2;
const LEAVE: u64 = 3;
const UPDATE: u64 = 4;

/// A connection's id and a client's.
type Key = (Arc<str>, Arc<str>);

/// What somebody's coming and going are called.
const HERE: &str = "presence.here";
const UPDATED: &str = "presence.updated";
const LEFT: &str = "presence.left";

/// What was said last of a member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    id: String,
    timestamp: i64,
    /// It left while the whole is being told: what is told of it later may be older.
    left: bool,
}

/// Those who are there.
pub(super) type Members = BTreeMap<Key, Member>;

/// What becomes known of a member.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) name: &'static str,
    pub(super) member: Key,
    /// As a JSON text.
    pub(super) data: String,
    pub(super) timestamp: Option<i64>,
}

/// A whole that is being told, page by page.
#[derive(Debug)]
struct Sync {
    id: String,
    /// Those who were there and have not been named yet.
    unnamed: BTreeSet<Key>,
}

/// A channel's members.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) members: Members,
    sync: Option<Sync>,
    /// All who are there were told by this connection.
    is_whole: bool,
    /// On trial: what nobody was told, the last of each member who is there.
    untold: BTreeMap<Key, Change>,
}

impl AblySession {
    /// Holds what becomes known on trial.
    pub(super) fn hold(&mut self, index: usize, changes: Vec<Change>, out: &mut Vec<Signal>) {
        for change in changes {
            let (freed, taken) = self.channels[index].presence.hold(change);
            self.untold_bytes = self.untold_bytes.saturating_sub(freed) + taken;
        }
        if self.untold_bytes > HELD_BYTES_MAX {
            let message = "more became known of members than could be held back".to_owned();
            out.push(Signal::Error { code: "presence".to_owned(), message, denied: false });
        }
    }

    /// The trial's connection is followed. What the one before has told is held against what is known by now: neither need have
    /// heard all that the other has.
    pub(super) fn meet_told(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.on_trial = false;
        self.untold_bytes = 0;
        for index in 0..self.channels.len() {
            let told = self.memory.of(index).members;
            let changes = self.channels[index].presence.take_over(told);
            self.tell(index, changes, now, out);
        }
    }
}

impl Presence {
    /// Nobody is there, by the server's word.
    pub(super) fn empty(&mut self, changes: &mut Vec<Change>) {
        self.sync = None;
        self.is_whole = true;
        let gone = std::mem::take(&mut self.members);
        changes.extend(gone.into_iter().filter(|(_, member)| !member.left).map(|(key, _)| left(key)));
    }

    /// A page of the whole begins, by its serial: `id:cursor`, or none where there is only one.
    pub(super) fn begin_page(&mut self, serial: Option<&str>) {
        let id = serial.map_or("", |serial| serial.split_once(':').map_or(serial, |(id, _)| id));
        if serial.is_none() || self.sync.as_ref().is_none_or(|sync| sync.id != id) {
            self.members.retain(|_, member| !member.left);
            let unnamed = self.members.keys().cloned().collect();
            self.sync = Some(Sync { id: id.to_owned(), unnamed });
        }
    }

    /// It has ended; and with it the whole, if there is no more.
    pub(super) fn end_page(&mut self, serial: Option<&str>, changes: &mut Vec<Change>) {
        let goes_on = serial.and_then(|serial| serial.split_once(':')).is_some_and(|(_, cursor)| !cursor.is_empty());
        if goes_on {
            return;
        }
        let Some(sync) = self.sync.take() else { return };
        self.is_whole = true;
        for key in sync.unnamed {
            if self.members.remove(&key).is_some_and(|member| !member.left) {
                changes.push(left(key));
            }
        }
        self.members.retain(|_, member| !member.left);
    }

    /// Takes what is said of one. The error says why it can't be taken.
    pub(super) fn take(
        &mut self,
        seen: &Seen<'_>,
        cipher: Option<&CipherKey>,
        changes: &mut Vec<Change>,
    ) -> Result<(), String> {
        let (Some(client), Some(connection)) = (&seen.client_id, &seen.connection_id) else {
            return Err("presence of nobody".to_owned());
        };
        if client.len() > ID_BYTES_MAX || connection.len() > ID_BYTES_MAX {
            return Err(format!("an id over {ID_BYTES_MAX} bytes"));
        }
        let key: Key = (connection.as_str().into(), client.as_str().into());
        if let Some(sync) = &mut self.sync {
            sync.unnamed.remove(&key);
        }
        let told = Member {
            id: seen.id.clone().unwrap_or_default(),
            timestamp: seen.timestamp.unwrap_or_default(),
            left: seen.action == Some(LEAVE),
        };
        let known = self.members.get(&key);
        if known.is_some_and(|known| !is_newer(&told, known, connection)) {
            return Ok(());
        }
        let was_there = known.is_some_and(|known| !known.left);
        let name = match seen.action {
            Some(PRESENT) => HERE,
            Some(ENTER) => "presence.joined",
            Some(UPDATE) => UPDATED,
            Some(LEAVE) => LEFT,
            Some(ABSENT) => return Ok(()),
            // Kinds that may come to be.
            _ => return Ok(()),
        };
        let data = decode(seen.data, seen.encoding.as_deref(), cipher)?;
        // It is put into a text: it must be one value, and no more.
        serde_json::from_str::<&RawValue>(&data).map_err(|error| format!("not JSON: {error}"))?;
        if told.left {
            if self.sync.is_some() {
                self.insert(key.clone(), told)?;
            } else {
                self.members.remove(&key);
            }
            if !was_there {
                return Ok(());
            }
        } else {
            self.insert(key.clone(), told)?;
        }
        changes.push(Change { name, member: key, data, timestamp: seen.timestamp });
        Ok(())
    }

    /// Those who are there, for the next connection.
    pub(super) fn take_members(&mut self) -> Members {
        let mut members = std::mem::take(&mut self.members);
        members.retain(|_, member| !member.left);
        members
    }

    /// Keeps what nobody is told yet. By how many bytes less and more is held.
    fn hold(&mut self, change: Change) -> (usize, usize) {
        let bytes = |change: &Change| change.data.len() + HELD_EVENT_OVERHEAD_BYTES;
        if change.name == LEFT {
            // That it isn't there says as much.
            return (self.untold.remove(&change.member).as_ref().map_or(0, bytes), 0);
        }
        let taken = bytes(&change);
        (self.untold.insert(change.member.clone(), change).as_ref().map_or(0, bytes), taken)
    }

    /// Goes on after these were told: what is to be told of what was held, and of those who left.
    fn take_over(&mut self, told: Members) -> Vec<Change> {
        let mut untold = std::mem::take(&mut self.untold);
        let mut changes = Vec::new();
        for (key, member) in told {
            let held = untold.remove(&key);
            match self.members.get(&key) {
                Some(known) if known.left => changes.push(left(key)),
                Some(known) if known.id == member.id || !is_newer(known, &member, &key.0) => {}
                Some(_) => changes.extend(held),
                None if self.is_whole && self.sync.is_none() => changes.push(left(key)),
                // The whole that is to come names it or doesn't.
                None => {
                    if let Some(sync) = &mut self.sync {
                        sync.unnamed.insert(key.clone());
                    }
                    if self.insert(key.clone(), member).is_err() {
                        changes.push(left(key));
                    }
                }
            }
        }
        let named = |change: Change| if change.name == UPDATED { Change { name: HERE, ..change } } else { change };
        changes.extend(untold.into_values().map(named));
        changes
    }

    fn insert(&mut self, key: Key, member: Member) -> Result<(), String> {
        if self.members.len() >= MEMBERS_MAX && !self.members.contains_key(&key) {
            return Err(format!("more members than the {MEMBERS_MAX} that are followed"));
        }
        self.members.insert(key, member);
        Ok(())
    }
}

fn left(member: Key) -> Change {
    Change { name: LEFT, member, data: "null".to_owned(), timestamp: None }
}

/// Whether what is told comes after what is known. Ids are `connection:message:index`, unless the server made them itself.
fn is_newer(told: &Member, known: &Member, connection: &str) -> bool {
    match (order(&told.id, connection), order(&known.id, connection)) {
        (Some(told), Some(known)) => told > known,
        _ => told.timestamp >= known.timestamp,
    }
}

fn order(id: &str, connection: &str) -> Option<(u64, u64)> {
    let (message, index) = id.strip_prefix(connection)?.strip_prefix(':')?.split_once(':')?;
    Some((message.parse().ok()?, index.parse().ok()?))
}

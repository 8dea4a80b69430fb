//! Who is on a channel, by connection. The server tells of those who come and go without any promise, so that it is asked for all
//! of them after subscribing and now and then; what it told since it was asked is newer than its answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Map, Value, json, value::RawValue};
use watchfloor_model::{Event, limits::ID_BYTES_MAX};

use super::{
    session::{CentrifugoSession, Command},
    wire::{Info, Present},
};
use crate::protocols::{Moment, Signal};

/// Most members of a channel that are followed. Others are counted as rejected.
pub(super) const MEMBERS_MAX: usize = 4096;
/// How often the server is asked for all of them: those of a node that died are forgotten without a word, after a minute.
pub(super) const ROLL_PERIOD: Duration = Duration::from_secs(60);
/// What is told of a member besides its names, in bytes at most.
const INFO_BYTES_MAX: usize = 64 << 10;

/// Users by connection.
pub(super) type Members = BTreeMap<Arc<str>, Arc<str>>;

/// Who is on a channel by the word of one connection.
#[derive(Debug, Default)]
pub(super) struct Presence {
    members: Members,
    /// Who has come or gone since it was asked for all.
    changed: BTreeSet<Arc<str>>,
}

impl Presence {
    /// It is asked for all.
    pub(super) fn ask(&mut self) {
        self.changed.clear();
    }

    fn note(&mut self, client: &str) {
        if self.changed.len() < MEMBERS_MAX {
            self.changed.insert(client.into());
        }
    }
}

impl CentrifugoSession {
    pub(super) fn came(&mut self, index: usize, info: &Info<'_>, now: Moment, out: &mut Vec<Signal>) {
        if !self.follows(index, info) {
            return;
        }
        let presence = &mut self.channels[index].presence;
        if presence.members.len() >= MEMBERS_MAX {
            return self.crowded(index, out);
        }
        let (client, user): (Arc<str>, Arc<str>) = (info.client.as_ref().into(), info.user.as_ref().into());
        presence.note(&client);
        let is_known = presence.members.insert(client.clone(), user.clone()).is_some();
        if is_known || self.on_trial {
            return;
        }
        match self.memory.came(index, client, user) {
            Some(true) => self.tell(index, "presence.joined", body(info), now, out),
            Some(false) => {}
            None => {
                self.channels[index].presence.members.remove(&*info.client);
                self.crowded(index, out);
            }
        }
    }

    pub(super) fn went(&mut self, index: usize, info: &Info<'_>, now: Moment, out: &mut Vec<Signal>) {
        if !self.follows(index, info) {
            return;
        }
        let presence = &mut self.channels[index].presence;
        presence.note(&info.client);
        presence.members.remove(&*info.client);
        // Also of one that an earlier connection told.
        if !self.on_trial && self.memory.went(index, &info.client) {
            self.tell(index, "presence.left", body(info), now, out);
        }
    }

    /// All who are there, by the server's answer.
    pub(super) fn call_roll(&mut self, index: usize, present: &Present<'_>, now: Moment, out: &mut Vec<Signal>) {
        let presence = &mut self.channels[index].presence;
        let members = std::mem::take(&mut presence.members);
        let changed = std::mem::take(&mut presence.changed);
        let mut there = Members::new();
        for (client, info) in &present.presence {
            let info = Info { client: client.as_str().into(), user: (&*info.user).into(), ..*info };
            if !self.is_followed(&info) || changed.contains(client.as_str()) {
                continue;
            }
            if there.len() >= MEMBERS_MAX {
                self.crowded(index, out);
                break;
            }
            let (client, user): (Arc<str>, Arc<str>) = (client.as_str().into(), info.user.as_ref().into());
            if !members.contains_key(&client) && !self.on_trial {
                self.tell(index, "presence.here", body(&info), now, out);
            }
            there.insert(client, user);
        }
        // Whoever came since is there, whatever the answer says.
        there.extend(members.into_iter().filter(|(client, _)| changed.contains(client)));
        if !self.on_trial {
            for (client, user) in self.memory.tell(index, &there) {
                if !there.contains_key(&client) {
                    self.tell(index, "presence.left", names(&client, &user), now, out);
                }
            }
        }
        self.channels[index].presence.members = there;
    }

    /// The trial's connection is followed. What the one before has told is what its members are; the server is asked at once who is
    /// there, and its answer is held against that, since neither connection need have heard all that the other has.
    pub(super) fn meet_told(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.on_trial = false;
        self.pending.retain(|_, command| !matches!(command, Command::Roll(_)));
        for index in 0..self.channels.len() {
            let Presence { members, changed } = std::mem::take(&mut self.channels[index].presence);
            let has_gone = |client: &Arc<str>| changed.contains(client) && !members.contains_key(client);
            for (client, user) in self.memory.told(index) {
                // A connection that has gone doesn't come again.
                if has_gone(&client) && self.memory.went(index, &client) {
                    self.tell(index, "presence.left", names(&client, &user), now, out);
                }
            }
            if self.channels[index].is_faceless {
                // Nobody else says who came.
                for (client, user) in members {
                    if self.memory.came(index, client.clone(), user.clone()) == Some(true) {
                        self.tell(index, "presence.joined", names(&client, &user), now, out);
                    }
                }
            } else if self.channels[index].roll_at.is_some() {
                self.channels[index].roll_at = Some(now.mono);
            }
            self.channels[index].presence.members = self.memory.told(index);
        }
        self.look_again();
        self.go_on(now, out);
    }

    /// Whether what the server says of someone on this channel is passed on.
    fn follows(&self, index: usize, info: &Info<'_>) -> bool {
        self.wants_presence && self.channels[index].at.is_some() && self.is_followed(info)
    }

    /// This wall itself is nobody.
    fn is_followed(&self, info: &Info<'_>) -> bool {
        let names = 1..=ID_BYTES_MAX;
        names.contains(&info.client.len()) && info.user.len() <= ID_BYTES_MAX && !self.memory.is_own(&info.client)
    }

    fn crowded(&self, index: usize, out: &mut Vec<Signal>) {
        let reason = format!("`{}` has more members than the {MEMBERS_MAX} that are followed", self.names[index]);
        out.push(Signal::Rejected { place: None, reason });
    }

    /// An event about a member. It has no place: it is the server's, and says nothing of the publisher.
    fn tell(&self, index: usize, name: &'static str, body: Value, now: Moment, out: &mut Vec<Signal>) {
        let event = Event {
            channel: self.names[index].clone(),
            name: name.into(),
            id: None,
            position: None,
            time: now.wall,
            received: now.mono,
            data: body.into(),
        };
        out.push(Signal::Loose { publisher: None, event });
    }
}

/// A member of whom no more is known than that.
fn names(client: &str, user: &str) -> Value {
    json!({ "client": client, "user": user })
}

/// A member as the body of an event: in the server's own words.
fn body(info: &Info<'_>) -> Value {
    let read = |info: Option<&RawValue>| {
        let text = info.map(RawValue::get).filter(|text| text.len() <= INFO_BYTES_MAX)?;
        serde_json::from_str::<Value>(text).ok()
    };
    let mut body = Map::new();
    body.insert("client".to_owned(), Value::from(&*info.client));
    body.insert("user".to_owned(), Value::from(&*info.user));
    body.extend(read(info.conn_info).map(|info| ("conn_info".to_owned(), info)));
    body.extend(read(info.chan_info).map(|info| ("chan_info".to_owned(), info)));
    Value::Object(body)
}

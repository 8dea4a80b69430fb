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
    session::CentrifugoSession,
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
    /// It has been asked, and has answered.
    is_known: bool,
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
        if presence.members.insert(client.clone(), user.clone()).is_none() {
            self.memory.came(index, client, user);
            self.tell(index, "presence.joined", body(info), now, out);
        }
    }

    pub(super) fn went(&mut self, index: usize, info: &Info<'_>, now: Moment, out: &mut Vec<Signal>) {
        if !self.follows(index, info) {
            return;
        }
        let presence = &mut self.channels[index].presence;
        presence.note(&info.client);
        if presence.members.remove(&*info.client).is_some() {
            self.memory.went(index, &info.client);
            self.tell(index, "presence.left", body(info), now, out);
        }
    }

    /// All who are there, by the server's answer.
    pub(super) fn call_roll(&mut self, index: usize, present: &Present<'_>, now: Moment, out: &mut Vec<Signal>) {
        let presence = &mut self.channels[index].presence;
        let members = std::mem::take(&mut presence.members);
        let changed = std::mem::take(&mut presence.changed);
        let is_first = !std::mem::replace(&mut presence.is_known, true);
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
            if !members.contains_key(&client) {
                self.tell(index, "presence.here", body(&info), now, out);
            }
            there.insert(client, user);
        }
        // Whoever came since is there, whatever the answer says.
        let (kept, gone): (Members, Members) = members
            .into_iter()
            .filter(|(client, _)| !there.contains_key(client))
            .partition(|(client, _)| changed.contains(client));
        there.extend(kept);
        let told = self.memory.tell(index, &there);
        let mut left = gone;
        if is_first {
            left.extend(told.into_iter().filter(|(client, _)| !there.contains_key(client)));
        }
        for (client, user) in left {
            self.tell(index, "presence.left", json!({ "client": *client, "user": *user }), now, out);
        }
        self.channels[index].presence.members = there;
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
        out.push(Signal::Loose { event });
    }
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

//! Those who came by other nodes of the same hub.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use watchfloor_model::Mono;

use super::{Member, People, Person, Socket, Wake};
use crate::limits;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Of each channel of presence that is known: connections, as the nodes call them, and who it is.
    known: HashMap<Arc<str>, BTreeMap<Arc<str>, Arc<str>>>,
    /// Channels in which somebody of this node has come or gone, since it was asked.
    changed: BTreeSet<Arc<str>>,
}

impl People {
    /// There are others from now on.
    pub(crate) fn share(&mut self) {
        self.others = Some(Others::default());
    }

    /// Whether it is known who else is in a channel.
    pub(crate) fn knows_others(&self, channel: &str) -> bool {
        self.others.as_ref().is_none_or(|others| others.known.contains_key(channel))
    }

    /// Channels in which somebody of this node has come or gone, since it was asked last.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<Arc<str>> {
        self.others.as_mut().map(|others| std::mem::take(&mut others.changed)).unwrap_or_default()
    }

    /// Who is in a channel by this node, connection by connection.
    pub(crate) fn own(&self, channel: &str) -> Vec<(Socket, Person)> {
        let members = self.rooms.get(channel).into_iter().flat_map(|room| &room.members);
        let person = |id: &Arc<str>, member: &Member| Person { id: id.clone(), info: member.info.clone() };
        members
            .flat_map(|(id, member)| member.connections.iter().map(move |socket| (*socket, person(id, member))))
            .collect()
    }

    /// Who is in a channel by other nodes, connection by connection. Who is no longer among them lingers.
    pub(crate) fn hear_others(
        &mut self,
        channel: &Arc<str>,
        found: &BTreeMap<Arc<str>, Person>,
        now: Mono,
        serial: &mut u64,
    ) -> Wake {
        let mut wake = Wake::new();
        let Some(others) = &mut self.others else { return wake };
        let new: BTreeMap<_, _> = found.iter().map(|(entry, person)| (entry.clone(), person.id.clone())).collect();
        let first = !others.known.contains_key(channel);
        let before = others.known.insert(channel.clone(), new).unwrap_or_default();
        if first {
            // Somebody may wait to know it.
            wake.insert(channel.clone());
        }
        for (entry, person) in found {
            if before.get(entry) == Some(&person.id) {
                continue;
            }
            self.come_elsewhere(channel, entry, person, serial, &mut wake);
        }
        for (entry, id) in before {
            if found.get(&entry).is_some_and(|person| person.id == id) {
                continue;
            }
            if let Some(member) = self.rooms.get_mut(channel).and_then(|room| room.members.get_mut(&id)) {
                member.elsewhere.remove(&entry);
                // The node by which he came tells sites of it.
                member.was_ours = false;
                self.linger(channel.clone(), id, now);
            }
        }
        wake
    }

    fn come_elsewhere(
        &mut self,
        channel: &Arc<str>,
        entry: &Arc<str>,
        person: &Person,
        serial: &mut u64,
        wake: &mut Wake,
    ) {
        let room = self.rooms.entry(channel.clone()).or_default();
        let is_known = room.members.contains_key(&person.id);
        if !is_known && room.members.len() >= limits::PRESENCE_MEMBERS_MAX {
            return;
        }
        let member = room.members.entry(person.id.clone()).or_insert_with(|| Member::new(person.info.clone()));
        member.elsewhere.insert(entry.clone());
        if let Some(at) = member.leaves.take() {
            self.leaving.remove(&(at, channel.clone(), person.id.clone()));
        }
        if !is_known {
            *serial += 1;
            room.note(*serial, super::came(channel, person));
            wake.insert(channel.clone());
        }
    }

    /// Nobody of this node is in the channel any more: who else is there is no longer followed.
    pub(crate) fn forget_others(&mut self, channel: &Arc<str>) {
        if let Some(others) = &mut self.others {
            others.known.remove(channel);
        }
        if let Some(room) = self.rooms.remove(channel) {
            for (id, member) in room.members {
                if let Some(at) = member.leaves {
                    self.leaving.remove(&(at, channel.clone(), id));
                }
            }
        }
    }

    /// Somebody of this node has come to the channel or gone.
    pub(super) fn changed(&mut self, channel: &Arc<str>) {
        if let Some(others) = &mut self.others {
            others.changed.insert(channel.clone());
        }
    }
}

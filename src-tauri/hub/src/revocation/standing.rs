//! Revocations that stand against those who come.

use std::collections::{BTreeSet, HashMap};

use watchfloor_model::Timestamp;

use super::{Session, Target, Whom};
use crate::limits;

/// A revocation that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) target: Target,
    /// When it was entered, by the system's clock.
    pub(crate) at: Timestamp,
    /// Until when it stands.
    pub(crate) until: Timestamp,
    /// What was issued after this isn't meant.
    pub(crate) before: Option<Timestamp>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    by_target: HashMap<Target, Stand>,
    /// When which one ends, with a number for those that end at once.
    ends: BTreeSet<(Timestamp, u64)>,
    by_number: HashMap<u64, Target>,
    numbers: HashMap<Target, u64>,
    last: u64,
    /// How often something was entered or lifted.
    changes: u64,
}

impl Standing {
    /// Whether so many more have room.
    pub(crate) fn has_room_for(&self, more: usize) -> bool {
        self.by_target.len() + more <= limits::REVOCATIONS_MAX
    }

    /// Stands from now on, instead of what stood against the same before.
    pub(crate) fn enter(&mut self, stand: Stand) {
        self.lift(&stand.target);
        self.changes += 1;
        self.last += 1;
        self.ends.insert((stand.until, self.last));
        self.by_number.insert(self.last, stand.target.clone());
        self.numbers.insert(stand.target.clone(), self.last);
        self.by_target.insert(stand.target.clone(), stand);
    }

    /// Nothing stands against this any more. Says whether something did.
    pub(crate) fn lift(&mut self, target: &Target) -> bool {
        let Some(stand) = self.by_target.remove(target) else { return false };
        self.changes += 1;
        if let Some(number) = self.numbers.remove(target) {
            self.by_number.remove(&number);
            self.ends.remove(&(stand.until, number));
        }
        true
    }

    /// Nothing stands any more.
    pub(crate) fn clear(&mut self) {
        *self = Self { last: self.last, changes: self.changes + 1, ..Self::default() };
    }

    /// How often something was entered or lifted.
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Forgets those that have ended.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while let Some((until, number)) = self.ends.first().copied().filter(|(until, _)| *until <= now) {
            self.ends.remove(&(until, number));
            if let Some(target) = self.by_number.remove(&number) {
                self.numbers.remove(&target);
                self.by_target.remove(&target);
            }
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Stand> {
        self.by_target.values()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_target.len()
    }

    /// Whether one stands against this session as such.
    pub(crate) fn forbids(&self, session: &Session, now: Timestamp) -> bool {
        !self.by_target.is_empty() && self.stands(session, None, session.user.as_ref(), now)
    }

    /// Whether one stands against this channel for this session, which is there as this user.
    pub(crate) fn forbids_channel(
        &self,
        session: &Session,
        channel: &std::sync::Arc<str>,
        user: Option<&std::sync::Arc<str>>,
        now: Timestamp,
    ) -> bool {
        if self.by_target.is_empty() {
            return false;
        }
        let users = [session.user.as_ref(), user].into_iter().flatten();
        let channel = Some(channel);
        users.map(Some).chain([None]).any(|user| {
            self.stands(session, channel, user, now) || user.is_some() && self.stands(session, None, user, now)
        }) || self.stands_against(session, Target { whom: Whom::Everybody, channel: channel.cloned() }, now)
    }

    fn stands(
        &self,
        session: &Session,
        channel: Option<&std::sync::Arc<str>>,
        user: Option<&std::sync::Arc<str>>,
        now: Timestamp,
    ) -> bool {
        let whoms = [
            user.map(|id| Whom::User { app: None, id: id.clone() }),
            session.app.as_ref().zip(user).map(|(app, id)| Whom::User { app: Some(app.clone()), id: id.clone() }),
            session.token.clone().map(Whom::Token),
        ];
        let targets = whoms.into_iter().flatten().map(|whom| Target { whom, channel: channel.cloned() });
        targets.into_iter().any(|target| self.stands_against(session, target, now))
    }

    fn stands_against(&self, session: &Session, target: Target, now: Timestamp) -> bool {
        let stand = self.by_target.get(&target);
        stand.is_some_and(|stand| stand.until > now && !session.is_issued_after(stand.at, stand.before))
    }
}

//! Who reads at present, by what right, and which channels.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use watchfloor_model::Timestamp;

use super::{Lease, Revocation, Taken, Target, Whom, Why};
use crate::{access::Mark, proxies::ClientAddress};

/// By which door a reader came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Door {
    WebSocket,
    Sse,
    Poll,
    Snapshot,
    Pusher,
}

/// One reader.
#[derive(Debug)]
pub(crate) struct Session {
    /// What it is called outside: nobody can guess it.
    pub(crate) connection: Arc<str>,
    pub(crate) door: Door,
    pub(crate) address: Option<ClientAddress>,
    /// The application by whose door it came.
    pub(crate) app: Option<Arc<str>>,
    pub(crate) user: Option<Arc<str>>,
    /// The id of its token.
    pub(crate) token: Option<Arc<str>>,
    /// When its token was issued, if it says so.
    pub(crate) issued: Option<Timestamp>,
    /// What its token is signed by, or its application signs with.
    pub(crate) by: Option<Mark>,
    /// When it came.
    pub(crate) since: Timestamp,
    /// Its channels, and as whom it is in those of presence.
    pub(crate) channels: BTreeMap<Arc<str>, Option<Arc<str>>>,
    /// Channels that were taken from it, and that it doesn't know of yet.
    lost: Vec<(Arc<str>, Why)>,
    lease: Arc<Lease>,
}

impl Session {
    /// One that has just come, with nothing known of it.
    pub(crate) fn new(connection: Arc<str>, door: Door, since: Timestamp, lease: Arc<Lease>) -> Self {
        Self {
            connection,
            door,
            address: None,
            app: None,
            user: None,
            token: None,
            issued: None,
            by: None,
            since,
            channels: BTreeMap::new(),
            lost: Vec::new(),
            lease,
        }
    }

    /// Whether a revocation of what was issued before `before`, entered at `at`, doesn't mean it.
    pub(super) fn is_issued_after(&self, at: Timestamp, before: Option<Timestamp>) -> bool {
        let Some(before) = before else { return false };
        match self.app {
            // What a Pusher client presents is signed for its connection, after that has begun.
            Some(_) => self.since > before.max(at),
            None => self.issued.is_some_and(|issued| issued > before),
        }
    }

    /// Whether it is the one from whom something is taken.
    fn is(&self, whom: &Whom) -> bool {
        match whom {
            Whom::Everybody => true,
            Whom::User { app, id } => {
                let known = self.user.iter().chain(self.channels.values().flatten());
                (app.is_none() || *app == self.app) && known.into_iter().any(|user| user == id)
            }
            Whom::Token(id) => self.token.as_ref() == Some(id),
            Whom::Connection(id) => self.connection == *id,
        }
    }

    /// Who it is that presents something, is signed in or is present.
    pub(crate) fn has_user(&self, user: &str) -> bool {
        self.user.iter().chain(self.channels.values().flatten()).any(|known| **known == *user)
    }
}

/// A session that was ended, or lost channels.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Who waits there, by its waker and its seat.
    pub(crate) id: u64,
    pub(crate) lease: Arc<Lease>,
    /// Whether it was not so before.
    pub(crate) is_new: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: BTreeMap<u64, Session>,
}

impl Sessions {
    pub(crate) fn enter(&mut self, id: u64, session: Session) {
        self.by_id.insert(id, session);
    }

    pub(crate) fn leave(&mut self, id: u64) {
        self.by_id.remove(&id);
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Session> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &Session)> {
        self.by_id.iter().map(|(id, session)| (*id, session))
    }

    /// Those after this number, in the order in which they came.
    pub(crate) fn after(&self, id: u64) -> impl Iterator<Item = (u64, &Session)> {
        self.by_id.range(id.saturating_add(1)..).map(|(id, session)| (*id, session))
    }

    /// What those have who may have something of a channel on its way to them.
    pub(crate) fn held(&self) -> impl Iterator<Item = Arc<Lease>> {
        self.by_id.values().map(|session| &session.lease).filter(|lease| lease.is_held()).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Takes from who is there what a revocation takes.
    pub(crate) fn take(&mut self, revocation: &Revocation, at: Timestamp, why: Why) -> Vec<Ended> {
        let Revocation { target: Target { whom, channel }, before, .. } = revocation;
        let is_meant = |session: &Session| {
            session.is(whom)
                && !session.is_issued_after(at, *before)
                && channel.as_ref().is_none_or(|channel| session.channels.contains_key(channel))
        };
        let meant: Vec<u64> = self.by_id.iter().filter(|(_, session)| is_meant(session)).map(|(id, _)| *id).collect();
        meant.into_iter().filter_map(|id| self.end(id, channel.as_ref(), why)).collect()
    }

    /// Takes a channel from a session, or everything.
    pub(crate) fn end(&mut self, id: u64, channel: Option<&Arc<str>>, why: Why) -> Option<Ended> {
        let session = self.by_id.get_mut(&id)?;
        let mut is_new = !matches!(session.lease.taken(), Taken::All(_));
        match channel {
            // Its protocol has a word for one channel; the hub's own doors are one cursor over all of them.
            Some(channel) if session.door == Door::Pusher => {
                if session.lost.iter().any(|(lost, _)| lost == channel) {
                    is_new = false;
                } else {
                    session.lost.push((channel.clone(), why));
                }
                session.lease.take_channels();
            }
            _ if is_new => session.lease.take_all(why),
            _ => {}
        }
        Some(Ended { id, lease: session.lease.clone(), is_new })
    }

    /// The channels that were taken from a session, which lets go of them now.
    pub(crate) fn take_lost(&mut self, id: u64) -> Vec<(Arc<str>, Why)> {
        let Some(session) = self.by_id.get_mut(&id) else { return Vec::new() };
        let lost = std::mem::take(&mut session.lost);
        for (channel, _) in &lost {
            session.channels.remove(channel);
        }
        session.lease.channels_are_gone();
        lost
    }
}

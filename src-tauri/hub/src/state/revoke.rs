//! Who reads, and what is taken back: entered under the same lock as all that is read.

use std::{sync::Arc, time::Duration};

use super::State;
use crate::{
    clock::Now,
    revocation::{Ended, Revocation, Session, Sessions, Stand, Standing, Target, Unrevoked, Whom, Why},
    store::Write,
};

/// Why a session, or a channel of one, isn't entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StandsAgainst;

/// Whether it stands against who comes.
pub(crate) fn stands(revocation: &Revocation) -> bool {
    !revocation.ttl.is_zero() && !matches!(revocation.target.whom, Whom::Connection(_))
}

/// Revocations as they were entered.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Whom they ended.
    pub(crate) ended: Vec<Ended>,
    /// They are kept when everything up to this number is; none if there is nothing to be kept.
    pub(crate) serial: Option<u64>,
}

impl State {
    /// Who reads at present.
    pub(crate) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// What stands against those who come.
    pub(crate) const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Somebody comes, if nothing stands against him.
    ///
    /// # Errors
    /// If something does: then he isn't entered.
    pub(crate) fn enter(&mut self, id: u64, session: Session, now: Now) -> Result<(), StandsAgainst> {
        if self.standing.forbids(&session, now.wall) {
            return Err(StandsAgainst);
        }
        self.sessions.enter(id, session);
        Ok(())
    }

    /// He is gone.
    pub(crate) fn leave(&mut self, id: u64) {
        self.sessions.leave(id);
    }

    /// He has these channels besides from now on, in one of presence as somebody.
    ///
    /// # Errors
    /// The first against which something stands: then he has none of them.
    pub(crate) fn give<'a>(
        &mut self,
        id: u64,
        channels: impl IntoIterator<Item = (&'a Arc<str>, Option<&'a Arc<str>>)> + Clone,
        now: Now,
    ) -> Result<(), Arc<str>> {
        let Some(session) = self.sessions.get(id) else { return Ok(()) };
        let forbids =
            |(channel, user): &(&Arc<str>, _)| self.standing.forbids_channel(session, channel, *user, now.wall);
        if let Some((channel, _)) = channels.clone().into_iter().find(forbids) {
            return Err(channel.clone());
        }
        if let Some(session) = self.sessions.get_mut(id) {
            let given = channels.into_iter().map(|(channel, user)| (channel.clone(), user.cloned()));
            session.channels.extend(given);
        }
        Ok(())
    }

    /// He lets go of a channel.
    pub(crate) fn give_up(&mut self, id: u64, channel: &str) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.channels.remove(channel);
        }
    }

    /// He is known by other things from now on.
    ///
    /// # Errors
    /// If something stands against him as that: then he is who he was.
    pub(crate) fn know(&mut self, id: u64, know: impl FnOnce(&mut Session), now: Now) -> Result<(), StandsAgainst> {
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let before = (session.user.clone(), session.token.clone(), session.issued, session.by);
        know(session);
        let forbidden = self.standing.forbids(session, now.wall)
            || session
                .channels
                .iter()
                .any(|(channel, user)| self.standing.forbids_channel(session, channel, user.as_ref(), now.wall));
        if forbidden {
            (session.user, session.token, session.issued, session.by) = before;
            return Err(StandsAgainst);
        }
        Ok(())
    }

    /// Takes back what a list of revocations says: from who is there, whose reads give nothing more from here on, and from who will come. The one
    /// way in for all of them, whoever asks. Whoever calls this acknowledges when all whom it names are silent.
    ///
    /// # Errors
    /// If so many would stand that there is no room: then nothing is taken.
    pub(crate) fn revoke(&mut self, list: &[Revocation], why: Why, now: Now) -> Result<Entered, Unrevoked> {
        self.standing.forget(now.wall);
        if !self.standing.has_room_for(list.iter().filter(|revocation| stands(revocation)).count()) {
            return Err(Unrevoked::Full);
        }
        let before = self.outbox.as_ref().map(|_| self.standing.changes());
        let ended = self.take_back(list, why, Duration::ZERO, now);
        let serial = before.filter(|before| *before != self.standing.changes()).map(|_| {
            // A number of its own: when it is kept, so is this.
            self.serial += 1;
            self.serial
        });
        Ok(Entered { ended, serial })
    }

    /// The same for what was decided so long ago, and has room.
    pub(crate) fn take_back(&mut self, list: &[Revocation], why: Why, age: Duration, now: Now) -> Vec<Ended> {
        let at = now.wall.minus(age);
        let mut ended: Vec<Ended> = Vec::new();
        for revocation in list {
            ended.extend(self.sessions.take(revocation, at, why));
            if stands(revocation) {
                let Revocation { target, ttl, before } = revocation.clone();
                let stand = Stand { target, at, until: at.plus(ttl), before };
                self.standing.enter(stand.clone());
                self.write_kept(Write::Stand(stand));
            } else if self.standing.lift(&revocation.target) {
                self.write_kept(Write::Lift(revocation.target.clone()));
            }
        }
        ended
    }

    /// What stands is this, and nothing else. It means who is there as well; everybody, if more may have been taken back.
    pub(crate) fn stand_anew(&mut self, stands: Vec<Stand>, has_missed: bool, now: Now) -> Vec<Ended> {
        self.standing.clear();
        let mut ended = Vec::new();
        for stand in stands {
            let Stand { target, at, until, before } = stand.clone();
            let revocation = Revocation { target, ttl: until.since(at), before };
            ended.extend(self.sessions.take(&revocation, at, Why::Revoked));
            self.standing.enter(stand);
        }
        if has_missed {
            let everybody = Revocation {
                target: Target { whom: Whom::Everybody, channel: None },
                ttl: Duration::ZERO,
                before: None,
            };
            ended.extend(self.sessions.take(&everybody, now.wall, Why::Unsure));
        }
        self.standing.forget(now.wall);
        ended
    }

    /// Takes a channel from these sessions: nothing stands against those who come.
    pub(crate) fn end(&mut self, sessions: &[u64], channel: &Arc<str>, why: Why) -> Vec<Ended> {
        sessions.iter().filter_map(|id| self.sessions.end(*id, Some(channel), why)).collect()
    }

    /// Takes everything from these sessions: nothing stands against those who come.
    pub(crate) fn end_whole(&mut self, sessions: &[u64], why: Why) -> Vec<Ended> {
        sessions.iter().filter_map(|id| self.sessions.end(*id, None, why)).collect()
    }

    fn write_kept(&mut self, write: Write) {
        if let Some(outbox) = &mut self.outbox {
            outbox.write(write);
        }
    }

    /// What stood before the hub ended stands again.
    pub(crate) fn stand_again(&mut self, stands: Vec<Stand>, now: Now) {
        stands.into_iter().for_each(|stand| self.standing.enter(stand));
        self.standing.forget(now.wall);
    }

    /// Channels that were taken from somebody by a door that can say so of one. He lets go of them now.
    pub(crate) fn take_lost(&mut self, id: u64) -> Vec<(Arc<str>, Why)> {
        self.sessions.take_lost(id)
    }
}

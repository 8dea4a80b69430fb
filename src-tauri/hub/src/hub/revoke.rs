//! What is taken back, here and at all nodes, and how it is known that nothing of it goes out any more.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::Shared;
use crate::{
    audit::Note,
    clock::Now,
    engine::{Order, Ungiven},
    limits,
    revocation::{Ended, Lease, Revocation, Revoked, Stand, Unrevoked, Whom, Why},
    state::Entered,
};

impl Shared {
    /// Takes back what a list of revocations says, and answers when no event goes out any more by what they mean.
    pub(crate) async fn revoke(&self, list: &[Revocation]) -> Result<Revoked, Unrevoked> {
        let Some(engine) = &self.engine else { return self.revoke_here(list).await };
        match engine.give(&Order::Revoke(list.to_vec())).await {
            Ok(revoked) => Ok(revoked),
            Err(Ungiven::Full) => Err(Unrevoked::Full),
            Err(Ungiven::Unheard) => {
                // What can be done is done.
                self.revoke_here(list).await?;
                Err(Unrevoked::Untold)
            }
            Err(Ungiven::Unanswered) => Err(Unrevoked::Unanswered),
        }
    }

    async fn revoke_here(&self, list: &[Revocation]) -> Result<Revoked, Unrevoked> {
        let Entered { ended, serial } = self.state().revoke(list, Why::Revoked, self.now())?;
        if let Some(store) = &self.store {
            store.ask(true);
        }
        self.forget_answers(list);
        let connections = connections(&ended);
        let cut_off = self.silence(&ended).await;
        if let Some(serial) = serial {
            self.kept(serial).await.map_err(|_| Unrevoked::Unkept)?;
        }
        Ok(Revoked { connections, cut_off })
    }

    /// What the site said before is not to be believed of who comes back.
    fn forget_answers(&self, list: &[Revocation]) {
        for Revocation { target, .. } in list {
            let user = if let Whom::User { id, .. } = &target.whom { Some(&**id) } else { None };
            self.authoriser.forget(user, target.channel.as_deref());
        }
    }

    /// Waits until nothing is held of what these were being sent, and cuts off who takes nothing. Answers how many those are.
    pub(crate) async fn silence(&self, ended: &[Ended]) -> usize {
        ended.iter().for_each(|ended| self.wakers.wake_reader(ended.id));
        let all = async {
            for ended in ended {
                ended.lease.is_silent().await;
            }
        };
        if timeout(limits::REVOKE_GRACE, all).await.is_ok() {
            return 0;
        }
        let held = ended.iter().filter(|ended| ended.lease.is_held());
        held.inspect(|ended| ended.lease.cut()).count()
    }

    /// Ends what these sessions have of a channel, or cut off who takes nothing.
    pub(crate) async fn end(&self, sessions: &[u64], channel: &Arc<str>, why: Why) {
        let ended = self.state().end(sessions, channel, why);
        let (code, reason) = match why {
            Why::Revoked => ("recheck", "the site says no where it said yes"),
            Why::Unsure => ("authorise-failing", "the site can't be asked any more"),
        };
        let count = Some(ended.len() as u64);
        let note = Note { code, channel: Some(channel), reason, count, ..Note::default() };
        self.audit.revoke(note, self.now().wall);
        self.silence(&ended).await;
    }

    /// A session is over.
    pub(crate) fn leave(&self, id: u64) {
        // One that another has broken has no sessions.
        if let Ok(mut state) = self.state.lock() {
            state.leave(id);
        }
    }

    /// Does what all nodes do, as it was ordered so long ago. Who is ended by it is to be [silenced](Self::silence).
    pub(crate) fn obey(&self, order: &Order, age: Duration) -> Vec<Ended> {
        match order {
            Order::Terminate { app, user } => {
                let readers = self.state().people_mut().0.terminate(app, user);
                readers.into_iter().for_each(|reader| self.wakers.wake_reader(reader));
                Vec::new()
            }
            Order::Revoke(list) => {
                let ended = self.state().take_back(list, Why::Revoked, age, self.now());
                self.forget_answers(list);
                ended
            }
        }
    }

    /// What stands by all nodes is this, whatever was thought here. If something may have been ordered besides, everybody who is here is ended.
    pub(crate) fn stand_anew(&self, stands: Vec<Stand>, has_missed: bool) -> Vec<Ended> {
        let now = self.now();
        self.state().stand_anew(stands, has_missed, now)
    }

    /// Does something, and has all other nodes do it. Says whether it is known that all have.
    pub(crate) async fn order(&self, order: &Order) -> bool {
        self.obey(order, Duration::ZERO);
        match &self.engine {
            Some(engine) => engine.give(order).await.is_ok(),
            None => true,
        }
    }

    /// What other nodes have taken back is known here until then. Where that was not so for a time, what was read before it is never sent.
    pub(crate) fn send_until(&self, until: Now) {
        let Some(fence) = &self.fence else { return };
        let held = {
            let state = self.state();
            (!state.may_send(self.now())).then(|| state.sessions().held().collect::<Vec<_>>())
        };
        // Nobody reads anything meanwhile: it has fallen.
        held.iter().flatten().for_each(|lease: &Arc<Lease>| lease.cut());
        self.state().send_until(until);
        fence.stand_until(until);
        if held.is_some() {
            self.wakers.wake_all();
        }
    }
}

/// How many connections were ended that were not before.
pub(crate) fn connections(ended: &[Ended]) -> usize {
    ended.iter().filter(|ended| ended.is_new).map(|ended| ended.id).collect::<BTreeSet<_>>().len()
}

//! What a node does because it was ordered, and its lease, which it has only when it has done all of that.

use std::sync::Arc;

use redis::{Msg, RedisError};

use super::{Done, Session};
use crate::{
    clock::Now,
    engine::{
        link,
        orders::{self, Known, Order, Read, Step, Told},
        presence::{self, Renewed},
    },
    hub::connections,
    limits,
    revocation::{Revocation, Stand},
};

/// A node's part in what all nodes do.
#[derive(Default)]
pub(super) struct Orders {
    known: Known,
    /// A read is under way.
    reads: bool,
    /// A lease that is given as soon as so many orders of this row are done: when it was asked for.
    owed: Option<(Now, Arc<str>, u64)>,
}

/// An order that is done, and who is to be told so.
pub(super) struct Obeyed {
    row: Arc<str>,
    number: u64,
    from: Arc<str>,
    done: orders::Done,
}

impl Session<'_> {
    /// Does what was ordered and what stands, before anything is read; and takes a lease, so that who gives the next order waits for this node.
    pub(super) async fn begin_orders(&mut self) -> Result<(), RedisError> {
        let names = &self.engine.names;
        self.sink.subscribe(&[names.orders(), names.answers(&self.engine.node)]).await?;
        (self.node.orders.reads, self.node.orders.owed) = (false, None);
        let place = self.node.orders.known.place();
        let read = orders::read(self.reading.clone(), names.clone(), self.run.clone(), place).await?;
        self.was_read_orders(read);
        let asked = self.node.hub.now();
        let renewed = self.renewing().await?;
        self.has_lease(asked, &renewed);
        Ok(())
    }

    /// Asks for a lease, and that enough replicas know it.
    pub(super) fn renewing(&self) -> impl Future<Output = Result<Renewed, RedisError>> + Send + use<> {
        let (names, node) = (self.engine.names.clone(), self.engine.node.clone());
        let replicas = self.engine.config.replicas;
        // To wait for replicas holds up what else is asked by a connection.
        let mut connection = if replicas == 0 { self.reading.clone() } else { self.publishing.clone() };
        async move {
            let renewed = presence::renew(connection.clone(), names, node).await?;
            if replicas == 0 {
                return Ok(renewed);
            }
            let wait = limits::REPLICAS_WAIT.as_millis() as u64;
            let has = redis::cmd("WAIT").arg(replicas).arg(wait).query_async::<u32>(&mut connection).await?;
            Ok(Renewed { is_sure: has >= replicas, ..renewed })
        }
    }

    /// A lease was asked for, and this answered.
    pub(super) fn has_lease(&mut self, asked: Now, renewed: &Renewed) {
        if !renewed.is_sure {
            return;
        }
        self.node.orders.owed = Some((asked, renewed.row.clone(), renewed.count));
        self.take_lease();
    }

    fn take_lease(&mut self) {
        let orders = &mut self.node.orders;
        let Some((asked, row, count)) = &orders.owed else { return };
        if !orders.known.has(row, *count) {
            self.read_orders();
            return;
        }
        let until = asked.plus(limits::NODE_LEASE.saturating_sub(limits::LEASE_MARGIN));
        orders.owed = None;
        self.node.hub.send_until(until);
    }

    fn read_orders(&mut self) {
        if std::mem::replace(&mut self.node.orders.reads, true) {
            return;
        }
        let place = self.node.orders.known.place();
        let read = orders::read(self.reading.clone(), self.engine.names.clone(), self.run.clone(), place);
        self.work.push(Box::pin(async move { Done::Orders(read.await) }));
    }

    pub(super) fn were_read_orders(&mut self, read: Result<Read, RedisError>) -> Result<(), RedisError> {
        self.node.orders.reads = false;
        match read {
            Ok(read) => self.was_read_orders(read),
            Err(error) if link::is_broken(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(reason = %error, "what was ordered can't be read");
                return Ok(());
            }
        }
        let orders = &mut self.node.orders;
        // One that was given by another row says nothing of this one: the next will.
        orders.owed.take_if(|(_, row, _)| *row != orders.known.place().0);
        self.take_lease();
        Ok(())
    }

    fn was_read_orders(&mut self, read: Read) {
        let Read { row, count, now, since, stands } = read;
        let (before, seen) = self.node.orders.known.place();
        if row == before && seen >= count && since.is_some() {
            // It was heard meanwhile.
            return;
        }
        let wall = self.node.hub.now().wall;
        let own = |at| wall.minus(now.since(at));
        let is_first = before.is_empty();
        match since.filter(|_| !is_first) {
            Some(since) => {
                if row != before {
                    tracing::warn!("the engine has forgotten what was ordered: what stands is told to it again");
                    self.node.orders.known.go_to(&row, 0);
                }
                for told in since {
                    if self.node.orders.known.hear(&told) == Step::Do {
                        let age = now.since(told.at);
                        self.obey(told, age);
                    }
                }
                self.node.orders.known.go_to(&row, count.max(self.node.orders.known.place().1));
                if row != before {
                    self.tell_again(stands.unwrap_or_default().into_iter().map(|standing| standing.revocation));
                }
            }
            None => {
                let stands = stands.unwrap_or_default().into_iter();
                let stand = |orders::Standing { revocation, at }| {
                    let Revocation { target, ttl, before } = revocation;
                    Stand { target, at: own(at), until: own(at).plus(ttl), before }
                };
                let ended = self.node.hub.stand_anew(stands.map(stand).collect(), !is_first);
                let hub = self.node.hub.clone();
                self.work.push(Box::pin(async move {
                    hub.silence(&ended).await;
                    Done::Heard(Ok(()))
                }));
                self.node.orders.known.go_to(&row, count);
            }
        }
    }

    /// The engine has forgotten what stands: these it has.
    fn tell_again(&mut self, has: impl Iterator<Item = Revocation>) {
        let has: std::collections::HashSet<_> = has.map(|revocation| revocation.target).collect();
        let now = self.node.hub.now().wall;
        let lacks: Vec<Revocation> = {
            let state = self.node.hub.state();
            let lacking = state.standing().all().filter(|stand| !has.contains(&stand.target) && stand.until > now);
            lacking
                .map(|Stand { target, until, before, .. }| Revocation {
                    target: target.clone(),
                    ttl: until.since(now),
                    before: *before,
                })
                .collect()
        };
        for some in lacks.chunks(limits::REVOCATIONS_A_REQUEST_MAX) {
            let (names, node) = (self.engine.names.clone(), self.engine.node.clone());
            let order = Order::Revoke(some.to_vec());
            let entering = orders::enter(self.publishing.clone(), names, node, self.run.clone(), order);
            self.work.push(Box::pin(async move { Done::Heard(entering.await.map(drop)) }));
        }
    }

    /// Whether what was told is an order, or the answer to one.
    pub(super) fn told_orders(&mut self, told: &Msg) -> bool {
        let (name, names) = (told.get_channel_name(), &self.engine.names);
        let text = std::str::from_utf8(told.get_payload_bytes()).unwrap_or_default();
        if name == names.answers(&self.engine.node) {
            self.engine.answers.hear(text);
            return true;
        }
        if name != names.orders() {
            return false;
        }
        let Some(told) = Told::read(text) else { return true };
        match self.node.orders.known.hear(&told) {
            Step::Do => self.obey(told, std::time::Duration::ZERO),
            Step::Again(done) => {
                self.answer(Obeyed { row: told.row, number: told.number, from: told.from, done });
            }
            Step::Wait => {}
            Step::Read => self.read_orders(),
        }
        true
    }

    /// Does the next order, and says so when nothing of what it forbids is on its way any more.
    fn obey(&mut self, told: Told, age: std::time::Duration) {
        let Told { row, number, from, order, .. } = told;
        let hub = self.node.hub.clone();
        let Some(order) = order else {
            tracing::error!(number, "another node has ordered what this one doesn't know: it must be newer");
            self.node.orders.known.go_to(&row, number);
            return;
        };
        self.node.orders.known.begin(number);
        let ended = hub.obey(&order, age);
        let is_own = from == self.engine.node;
        self.work.push(Box::pin(async move {
            let connections = connections(&ended);
            let cut_off = hub.silence(&ended).await;
            if let Order::Revoke(list) = &order
                && !is_own
            {
                list.iter().for_each(|one| hub.note_revocation(one, "by another node", Some(connections as u64)));
            }
            Done::Obeyed(Obeyed { row, number, from, done: orders::Done { connections, cut_off } })
        }));
    }

    pub(super) fn was_obeyed(&mut self, obeyed: Obeyed) {
        self.node.orders.known.end(&obeyed.row, obeyed.number, obeyed.done);
        self.answer(obeyed);
    }

    fn answer(&mut self, Obeyed { row, number, from, done }: Obeyed) {
        let names = self.engine.names.clone();
        let answer = orders::answer(self.reading.clone(), names, self.engine.node.clone(), (row, number, from), done);
        self.work.push(Box::pin(async move { Done::Answered(answer.await) }));
    }
}

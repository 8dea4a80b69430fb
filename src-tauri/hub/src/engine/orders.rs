//! What one node has all others do, and how it is known that they have.
//!
//! Orders have one row by the engine, numbered, and each node does them in it: as they are told, and where something was not heard, as they are read. An
//! order is told again and again until each node that lives has answered that it has done it, or its lease has run out.
//!
//! Why nothing goes out that an order forbids, once its giver knows that it is done:
//!
//! 1. A node sends nothing of a channel after the end of its lease (see [`Fence`](crate::revocation::Fence)), and counts that end from when it *asked* for
//!    the lease: it comes before the end that the engine knows.
//! 2. It takes a lease as given only when it has done every order that had been given by then: the engine says how many, with the lease. What is given later
//!    is given while the node counts as living, so its giver waits for its answer, or for the end of its lease.
//! 3. Where a lease had run out, what was read before that is thrown away before the next counts: who has something of it on its way is cut off.
//!
//! A node that begins reads what stands, and does it, before it takes a lease. An engine that forgets has a new row with each of its runs: then nodes tell it again what
//! they know to stand.

mod known;
mod reading;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{RedisError, aio::MultiplexedConnection};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use watchfloor_model::Timestamp;

pub(super) use self::{
    known::{Known, Step},
    reading::{Read, Standing, read},
};
use super::{Engine, Live, keys::Names, presence, scripts};
use crate::{
    limits,
    revocation::{Revocation, Revoked, Target},
    state::stands,
};

/// What all nodes do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// End the connections of a user of an application.
    Terminate { app: Arc<str>, user: Arc<str> },
    /// Take back what was given.
    Revoke(Vec<Revocation>),
}

/// Why it isn't known that all nodes have done something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ungiven {
    /// Too much stands already: nobody was told.
    Full,
    /// The engine can't be told, or hasn't kept it: nodes may have heard it or not.
    Unheard,
    /// A node that lives hasn't answered.
    Unanswered,
}

/// An order, as nodes are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Of which row it is, and its number there.
    pub(super) row: Arc<str>,
    pub(super) number: u64,
    /// When it was given, by the engine's time.
    pub(super) at: Timestamp,
    /// Which node has given it.
    pub(super) from: Arc<str>,
    /// None if it is one that this node doesn't know.
    pub(super) order: Option<Order>,
}

impl Told {
    /// `ROW NUMBER TIME NODE`, and the order in a line of its own.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (head, order) = text.split_once('\n')?;
        let mut words = head.split(' ');
        let mut word = || words.next().filter(|word| !word.is_empty());
        let (row, number, at, from) = (word()?.into(), word()?.parse().ok()?, word()?.parse().ok()?, word()?.into());
        let at = Timestamp::from_millis(at);
        Some(Self { row, number, at, from, order: serde_json::from_str(order).ok() })
    }
}

/// What came of an order at one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) connections: usize,
    pub(super) cut_off: usize,
}

/// Who has answered to which order: its row and number.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by: Mutex<HashMap<String, BTreeMap<String, Done>>>,
    came: Notify,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, Done>>> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `ROW/NUMBER NODE CONNECTIONS CUT_OFF`
    pub(super) fn hear(&self, text: &str) {
        let mut words = text.split(' ');
        let (Some(order), Some(node)) = (words.next(), words.next()) else { return };
        let mut count = || words.next().and_then(|word| word.parse().ok());
        let (Some(connections), Some(cut_off)) = (count(), count()) else { return };
        if let Some(answered) = self.lock().get_mut(order) {
            answered.insert(node.to_owned(), Done { connections, cut_off });
            self.came.notify_waiters();
        }
    }
}

/// Tells who has given an order that this node has done it.
pub(super) async fn answer(
    mut connection: MultiplexedConnection,
    names: Names,
    node: Arc<str>,
    told: (Arc<str>, u64, Arc<str>),
    done: Done,
) -> Result<(), RedisError> {
    let (row, number, from) = told;
    let text = format!("{row}/{number} {node} {} {}", done.connections, done.cut_off);
    redis::cmd("PUBLISH").arg(names.answers(&from)).arg(text).query_async(&mut connection).await
}

/// What an order makes stand by the engine, and for how long in milliseconds; 0 if nothing stands any more.
fn standing(order: &Order) -> Vec<(String, String, u64)> {
    let Order::Revoke(list) = order else { return Vec::new() };
    let one = |revocation: &Revocation| {
        let target = serde_json::to_string::<Target>(&revocation.target).ok()?;
        let ttl = if stands(revocation) { millis(revocation.ttl) } else { 0 };
        Some((target, revocation.before.map_or(String::new(), |before| before.as_millis().to_string()), ttl))
    };
    list.iter().filter_map(one).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Enters an order into the row, and tells all nodes once: the row, the order's number there, and what they were told. An empty row if there is no room.
pub(super) async fn enter(
    mut connection: MultiplexedConnection,
    names: Names,
    node: Arc<str>,
    run: Arc<str>,
    order: Order,
) -> Result<(String, u64, String), RedisError> {
    // An order has text keys, and no failing fields.
    let text = serde_json::to_string(&order).unwrap_or_default();
    let mut script = scripts::ENTERING.prepare_invoke();
    for key in names.row() {
        script.key(key);
    }
    script.arg(&*Engine::candidate()).arg(&*run).arg("").arg(0);
    script.arg(names.orders()).arg(&*node).arg(text).arg(limits::ORDERS_KEPT).arg(limits::REVOCATIONS_MAX);
    for (target, before, ttl) in standing(&order) {
        script.arg(target).arg(before).arg(ttl);
    }
    script.invoke_async(&mut connection).await
}

impl Engine {
    /// Has all nodes do something, this one among them.
    ///
    /// # Errors
    /// If it isn't known that they have. They may have, and where it was heard they will.
    pub(crate) async fn give(&self, order: &Order) -> Result<Revoked, Ungiven> {
        let Some(live) = self.live.borrow().clone() else { return Err(Ungiven::Unheard) };
        let mut connection = live.publishing.clone();
        let entered =
            enter(connection.clone(), self.names.clone(), self.node.clone(), live.run.clone(), order.clone()).await;
        let (row, number, text) = entered.map_err(|error| self.broke(&error))?;
        if row.is_empty() {
            return Err(Ungiven::Full);
        }
        self.has_replicas(&mut connection).await?;
        let name = format!("{row}/{number}");
        self.answers.lock().entry(name.clone()).or_default();
        let done = self.see_to(live, &name, &text).await;
        self.answers.lock().remove(&name);
        done
    }

    /// Waits until enough replicas have what was written, where some must.
    async fn has_replicas(&self, connection: &mut MultiplexedConnection) -> Result<(), Ungiven> {
        let replicas = self.config.replicas;
        if replicas == 0 {
            return Ok(());
        }
        let wait = millis(limits::REPLICAS_WAIT);
        let waited = redis::cmd("WAIT").arg(replicas).arg(wait).query_async::<u32>(connection).await;
        if waited.map_err(|error| self.broke(&error))? < replicas { Err(Ungiven::Unheard) } else { Ok(()) }
    }

    async fn see_to(&self, live: Live, name: &str, text: &str) -> Result<Revoked, Ungiven> {
        let mut connection = live.publishing;
        // An engine that forgets may have forgotten who lives, and who isn't known to live may have a lease yet.
        let known_from = if live.run.is_empty() { live.since } else { live.since + limits::NODE_LEASE };
        let end = Instant::now().max(known_from) + limits::ORDER_PATIENCE;
        let mut again = Instant::now() + limits::ORDER_AGAIN;
        loop {
            let came = self.answers.came.notified();
            let renewed = presence::renew(connection.clone(), self.names.clone(), self.node.clone()).await;
            let now = Instant::now();
            let done = {
                let answers = self.answers.lock();
                let answered = answers.get(name);
                let nodes = renewed.map_err(|error| self.broke(&error))?.nodes;
                let all = nodes.iter().all(|node| answered.is_some_and(|answered| answered.contains_key(node)));
                answered.filter(|_| all && now >= known_from).map(|answered| {
                    let sum = |of: fn(&Done) -> usize| answered.values().map(of).sum();
                    Revoked { connections: sum(|done| done.connections), cut_off: sum(|done| done.cut_off) }
                })
            };
            if let Some(done) = done {
                return Ok(done);
            }
            if now >= end {
                return Err(Ungiven::Unanswered);
            }
            if now >= again {
                again = now + limits::ORDER_AGAIN;
                let sent =
                    redis::cmd("PUBLISH").arg(self.names.orders()).arg(text).query_async::<()>(&mut connection).await;
                sent.map_err(|error| self.broke(&error))?;
            }
            // Whether it came or not: it is looked for again.
            let _ = timeout_at(again, came).await;
        }
    }

    fn broke(&self, error: &RedisError) -> Ungiven {
        if super::link::is_broken(error) {
            self.broken.notify_one();
        }
        tracing::warn!(reason = %error, "the engine doesn't take an order for all nodes");
        Ungiven::Unheard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Whom;

    /// An order comes as it went, and an answer counts for its order alone.
    #[test]
    fn orders_and_answers() {
        let target = Target { whom: Whom::User { app: None, id: "7".into() }, channel: Some("a".into()) };
        let revocation =
            Revocation { target, ttl: Duration::from_millis(1500), before: Some(Timestamp::from_millis(5)) };
        let connection = Whom::Connection("c".into());
        let one = Revocation { target: Target { whom: connection, channel: None }, ..revocation.clone() };
        for order in [
            Order::Terminate { app: "1".into(), user: "u".into() },
            Order::Revoke(vec![revocation.clone(), one.clone()]),
        ] {
            let text = format!("k3x9 7 1000 node\n{}", serde_json::to_string(&order).expect("JSON"));
            let told = Told::read(&text).expect("an order");
            assert_eq!((&*told.row, told.number, &*told.from, told.order), ("k3x9", 7, "node", Some(order)));
        }
        assert_eq!(Told::read("k3x9 7 1000 node\n{\"new\":1}").expect("one").order, None);
        for broken in ["", "k3x9", "k3x9 x 1 n\n{}", "k3x9 1 n\n{}"] {
            assert_eq!(Told::read(broken), None);
        }
        let stands = standing(&Order::Revoke(vec![revocation, one]));
        assert_eq!(
            stands.iter().map(|(_, before, ttl)| (&**before, *ttl)).collect::<Vec<_>>(),
            [("5", 1500), ("5", 0)]
        );
        let answers = Answers::default();
        answers.lock().insert("k/1".into(), BTreeMap::new());
        for text in ["k/1 a 2 1", "k/2 b 1 1", "k/1", "k/1 c", "k/1 d 0 0"] {
            answers.hear(text);
        }
        let done = |connections, cut_off| Done { connections, cut_off };
        let found = BTreeMap::from([("a".to_owned(), done(2, 1)), ("d".to_owned(), done(0, 0))]);
        assert_eq!(answers.lock().get("k/1"), Some(&found));
        assert_eq!(answers.lock().len(), 1);
    }
}

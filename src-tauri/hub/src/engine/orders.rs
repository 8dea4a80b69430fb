//! What one node has all others do, and how it knows that they have.
//!
//! An order is told to all nodes, again and again, until each node that lives has answered that it has done it, or its lease has run out. A node whose
//! lease has run out may still have connections, but nothing to send: what it sends comes from the engine, and before it reads anything of that again, it does
//! what stands there to be done. So nothing goes out after an order is acknowledged that the order forbids.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redis::{RedisError, aio::MultiplexedConnection};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{Engine, keys::Names, presence, scripts};
use crate::{hub::new_epoch, limits};

/// What all nodes do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// End the connections of a user of an application.
    Terminate { app: Arc<str>, user: Arc<str> },
}

/// Why it isn't known that all nodes have done something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undone;

/// An order on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    id: Arc<str>,
    from: Arc<str>,
    order: Order,
}

/// Who has answered to which order.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by: Mutex<HashMap<Arc<str>, BTreeSet<String>>>,
    came: Notify,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, BTreeSet<String>>> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `ID NODE`
    pub(super) fn hear(&self, text: &str) {
        if let Some((id, node)) = text.split_once(' ')
            && let Some(answered) = self.lock().get_mut(id)
        {
            answered.insert(node.to_owned());
            self.came.notify_waiters();
        }
    }
}

impl Told {
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) const fn order(&self) -> &Order {
        &self.order
    }

    /// Says that it is done.
    pub(super) async fn answer(
        self,
        mut connection: MultiplexedConnection,
        names: Names,
        node: Arc<str>,
    ) -> Result<(), RedisError> {
        let text = format!("{} {node}", self.id);
        redis::cmd("PUBLISH").arg(names.answers(&self.from)).arg(text).query_async(&mut connection).await
    }
}

impl Engine {
    /// Has all other nodes do something, and what comes later too, as long as it stands.
    ///
    /// # Errors
    /// If it isn't known that they have. They may have.
    pub(crate) async fn give(&self, order: &Order, stands_ms: u64) -> Result<(), Undone> {
        let Some(live) = self.live.borrow().clone() else { return Err(Undone) };
        let told = Told { id: new_epoch(), from: self.node.clone(), order: order.clone() };
        let id = told.id.clone();
        self.answers.lock().insert(id.clone(), BTreeSet::new());
        let done = self.give_until_done(live.publishing, &told, stands_ms).await;
        self.answers.lock().remove(&id);
        done
    }

    async fn give_until_done(
        &self,
        mut connection: MultiplexedConnection,
        told: &Told,
        stands_ms: u64,
    ) -> Result<(), Undone> {
        let (Ok(text), Ok(order)) = (serde_json::to_string(told), serde_json::to_string(&told.order)) else {
            return Err(Undone);
        };
        if stands_ms > 0 {
            let mut script = scripts::STANDING.prepare_invoke();
            script.key(self.names.standing_orders()).arg(order).arg(stands_ms).arg(limits::STANDING_ORDERS_MAX);
            let kept = script.invoke_async::<u8>(&mut connection).await;
            if kept.map_err(|error| self.broke(&error))? == 0 {
                return Err(Undone);
            }
        }
        let end = Instant::now() + limits::ORDER_PATIENCE;
        while Instant::now() < end {
            let came = self.answers.came.notified();
            let live = presence::renew(connection.clone(), self.names.clone(), self.node.clone()).await;
            let live = live.map_err(|error| self.broke(&error))?;
            let is_done = {
                let answers = self.answers.lock();
                let answered = answers.get(&told.id);
                let has =
                    |node: &String| **node == *self.node || answered.is_some_and(|answered| answered.contains(node));
                live.iter().all(has)
            };
            if is_done {
                return Ok(());
            }
            let sent =
                redis::cmd("PUBLISH").arg(self.names.orders()).arg(&text).query_async::<()>(&mut connection).await;
            sent.map_err(|error| self.broke(&error))?;
            let again = Instant::now() + limits::ORDER_AGAIN;
            // Whether it came or not: it is looked for again.
            let _ = timeout_at(again.min(end), came).await;
        }
        Err(Undone)
    }

    fn broke(&self, error: &RedisError) -> Undone {
        if super::link::is_broken(error) {
            self.broken.notify_one();
        }
        Undone
    }
}

/// Reads what stands to be done.
pub(super) async fn standing(mut connection: MultiplexedConnection, names: Names) -> Result<Vec<Order>, RedisError> {
    let mut script = scripts::STANDING.prepare_invoke();
    script.key(names.standing_orders());
    let texts: Vec<String> = script.invoke_async(&mut connection).await?;
    // What a newer node has ordered and this one doesn't know, it can't do.
    Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order comes as it went, and an answer counts for its order alone.
    #[test]
    fn orders_and_answers() {
        let order = Order::Terminate { app: "1".into(), user: "u".into() };
        let told = Told { id: "i".into(), from: "n".into(), order: order.clone() };
        let text = serde_json::to_string(&told).expect("JSON");
        assert_eq!(Told::read(&text).expect("an order").order(), &order);
        assert!(Told::read("{}").is_none());
        let answers = Answers::default();
        answers.lock().insert("i".into(), BTreeSet::new());
        for text in ["i a", "j b", "i", "i c"] {
            answers.hear(text);
        }
        assert_eq!(answers.lock().get("i"), Some(&BTreeSet::from(["a".to_owned(), "c".to_owned()])));
        assert_eq!(answers.lock().len(), 1);
    }
}

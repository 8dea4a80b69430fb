//! What is asked of a running wall about its alarms.

use tokio::sync::oneshot;
use watchfloor_board::{
    Called,
    frame::{AlarmAct, AlarmRowsFound, AlarmRowsQuery, AlarmsSeen},
};

use super::Engine;
use crate::{announce::Sought, event::Event};

impl Engine {
    /// Somebody does something about an alarm, at `station`.
    ///
    /// # Errors
    /// Why it wasn't done, for people.
    pub async fn act(&self, act: AlarmAct, station: String) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Act { act, station, answer }).await;
        answered.await.unwrap_or_else(|_| Err("the backend has ended".to_owned()))
    }

    /// Somebody acknowledges all that he has seen, but what is critical. Answers how many were.
    pub async fn acknowledge(&self, seen: AlarmsSeen, station: String) -> usize {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Acknowledge { seen, station, answer }).await;
        answered.await.unwrap_or_default()
    }

    /// Any of the alarms that stand, as they are now, for a hand; none if the board has no rules.
    pub async fn alarm_rows(&self, query: AlarmRowsQuery) -> Option<AlarmRowsFound> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::AlarmRows { query, answer }).await;
        answered.await.ok().flatten()
    }

    /// The newest wish to see an alarm on the wall, when there is one after `after` (0 for none yet). None once the engine has stopped.
    pub async fn sought(&self, after: u64) -> Option<Sought> {
        let mut sought = self.inner.sought.clone();
        sought.wait_for(|sought| sought.number > after).await.ok().map(|sought| sought.clone())
    }

    /// What these alarms, by their keys, and the board's sources are called now; nothing once the engine has stopped.
    pub async fn called(&self, alarms: Vec<String>) -> Called {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Called { alarms, answer }).await;
        answered.await.unwrap_or_default()
    }
}

//! The doors: each writes what a [`Subscription`](crate::subscription::Subscription) reads to its own kind of connection.

use std::sync::Arc;

use crate::{
    cursor::Places,
    hub::Shared,
    routes::Doorway,
    stop::Stop,
    subscription::{Manner, Subscription, TooManyChannels},
    wake::Waker,
};

pub(crate) mod poll;
pub(crate) mod snapshot;
pub(crate) mod sse;
pub(crate) mod websocket;

/// A reader at a door: its place, and how it hears that there is something new.
pub(crate) struct Reader {
    pub(crate) hub: Arc<Shared>,
    pub(crate) stop: Stop,
    pub(crate) subscription: Subscription,
    waker: Waker,
}

impl Reader {
    /// A reader of no channel yet.
    pub(crate) fn new(door: Doorway, manner: Manner) -> Self {
        let Doorway { hub, stop } = door;
        let subscription = Subscription::new(manner, hub.config.heartbeat);
        let waker = hub.wakers.register();
        Self { hub, stop, subscription, waker }
    }

    /// Adds channels.
    pub(crate) fn subscribe(&mut self, places: Places) -> Result<(), TooManyChannels> {
        self.subscription.subscribe(places)?;
        self.waker.watch(self.subscription.channels());
        Ok(())
    }

    /// Takes channels out.
    pub(crate) fn unsubscribe(&mut self, channels: &[String]) {
        channels.iter().for_each(|channel| self.subscription.unsubscribe(channel));
        self.waker.watch(self.subscription.channels());
    }

    /// What the reader is sent next; empty if there is nothing yet.
    pub(crate) fn next_batch(&mut self) -> Vec<Arc<str>> {
        let now = self.hub.now();
        self.subscription.next_batch(&self.hub.state(), now)
    }

    /// Answers when there may be something new.
    pub(crate) async fn woken(&self) {
        self.waker.woken().await;
    }

    /// Answers when a heartbeat is due.
    pub(crate) async fn heartbeat_due(&self) {
        tokio::time::sleep_until(self.hub.instant(self.subscription.poll_timeout())).await;
    }
}

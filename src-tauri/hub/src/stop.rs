//! Being told to stop.

use std::future::pending;

use tokio::sync::{mpsc, watch};

/// Tells one stretch of serving when to end, and knows who has not ended yet.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    signal: watch::Receiver<bool>,
    /// Held by whoever must end before serving is over.
    _present: Option<mpsc::Sender<()>>,
}

/// The other end of [`Stop`].
#[derive(Debug)]
pub(crate) struct Stopper {
    signal: watch::Sender<bool>,
    present: mpsc::Receiver<()>,
}

impl Stop {
    /// For a router that nobody stops.
    pub(crate) fn never() -> Self {
        Self { signal: watch::channel(false).1, _present: None }
    }

    /// A stop that can be made.
    pub(crate) fn new() -> (Stopper, Self) {
        let (signal, told) = watch::channel(false);
        let (sender, present) = mpsc::channel(1);
        (Stopper { signal, present }, Self { signal: told, _present: Some(sender) })
    }

    /// Whether it is time to end.
    pub(crate) fn is_told(&self) -> bool {
        *self.signal.borrow()
    }

    /// Answers when it is time to end.
    pub(crate) async fn told(&self) {
        if self.signal.clone().wait_for(|told| *told).await.is_err() {
            pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Tells everybody to end.
    pub(crate) fn stop(&self) {
        self.signal.send_replace(true);
    }

    /// Answers when every [`Stop`] is gone.
    pub(crate) async fn all_gone(&mut self) {
        // Nothing is ever sent: the channel ends when its senders are gone.
        while self.present.recv().await.is_some() {}
    }
}

//! Being told to stop.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

/// Tells one stretch of serving when to end, and knows who has not ended yet. A stretch that was dropped has ended too.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    signal: watch::Receiver<bool>,
    /// Held where nobody else holds the other end.
    _never: Option<Arc<watch::Sender<bool>>>,
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
        let (never, signal) = watch::channel(false);
        Self { signal, _never: Some(Arc::new(never)), _present: None }
    }

    /// A stop that can be made.
    pub(crate) fn new() -> (Stopper, Self) {
        let (signal, told) = watch::channel(false);
        let (sender, present) = mpsc::channel(1);
        (Stopper { signal, present }, Self { signal: told, _never: None, _present: Some(sender) })
    }

    /// Whether it is time to end.
    pub(crate) fn is_told(&self) -> bool {
        *self.signal.borrow() || self.signal.has_changed().is_err()
    }

    /// Answers when it is time to end.
    pub(crate) async fn told(&self) {
        let _ = self.signal.clone().wait_for(|told| *told).await;
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Told is told, dropped is told, and a router of its own is never told.
    #[test]
    fn who_is_told() {
        let (mut stopper, stop) = Stop::new();
        assert!(!stop.is_told() && stop.told().now_or_never().is_none());
        assert!(stopper.all_gone().now_or_never().is_none());
        stopper.stop();
        assert!(stop.is_told() && stop.told().now_or_never().is_some());
        drop(stop);
        assert!(stopper.all_gone().now_or_never().is_some());

        let (stopper, stop) = Stop::new();
        drop(stopper);
        assert!(stop.is_told() && stop.told().now_or_never().is_some());
        let never = Stop::never();
        assert!(!never.is_told() && never.told().now_or_never().is_none());
    }
}

//! The way out of one connection, below all that is spoken on it.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio::sync::Notify;

use super::{Fence, Seat};
use crate::{
    proxies::ClientAddress,
    rates::{Place, TooMany},
};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    inner: Mutex<Inner>,
    cut: Notify,
    /// How many readers have something on its way out by it.
    carried: AtomicUsize,
    /// What nothing of that goes out behind.
    fence: OnceLock<Arc<Fence>>,
}

#[derive(Debug, Default)]
struct Inner {
    closed: bool,
    /// Whose answers are not flushed yet. One connection answers one request at a time, so they are one or two.
    held: Vec<Arc<Seat>>,
}

impl Outlet {
    /// Nothing of a channel goes out by it when this has fallen.
    pub(super) fn be_fenced(&self, fence: &Arc<Fence>) {
        // Every reader of a connection is of the same hub.
        let _ = self.fence.set(fence.clone());
    }

    /// Something of a channel is on its way out.
    pub(super) fn carry(&self) {
        self.carried.fetch_add(1, SeqCst);
    }

    /// It is out, or never will be.
    pub(super) fn put_down(&self) {
        self.carried.fetch_sub(1, SeqCst);
    }

    /// Something of this session goes out by it until it is flushed.
    pub(super) fn hold(&self, seat: &Arc<Seat>) {
        let mut inner = self.lock();
        if !inner.held.iter().any(|held| held.id() == seat.id()) {
            inner.held.push(seat.clone());
        }
    }

    /// Writes to the connection, if it isn't closed. Nobody closes it meanwhile.
    pub(crate) fn write<T>(&self, write: impl FnOnce() -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let mut inner = self.lock();
        if self.carried.load(SeqCst) > 0 && self.fence.get().is_some_and(|fence| fence.has_fallen()) {
            inner.closed = true;
            // Who waits to end the connection is told; nothing is released here, for the lock is held.
            self.cut.notify_one();
        }
        if inner.closed {
            let message = "the reader's right was revoked, or may have been";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, message)));
        }
        write()
    }

    /// All that was written to the connection is the system's.
    pub(crate) fn flushed(&self) {
        let held = std::mem::take(&mut self.lock().held);
        held.iter().for_each(|seat| seat.lease().release());
    }

    /// Closes it: when this returns, nothing is being written, and nothing will be.
    pub(crate) fn cut(&self) {
        let held = {
            let mut inner = self.lock();
            inner.closed = true;
            std::mem::take(&mut inner.held)
        };
        held.iter().for_each(|seat| seat.lease().release());
        self.cut.notify_one();
    }

    /// Answers when it was closed.
    pub(crate) async fn cut_off(&self) {
        self.cut.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is at the other side of a connection. Nobody known, behind a server of one's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    pub(crate) address: Option<ClientAddress>,
    pub(crate) outlet: Option<Arc<Outlet>>,
    /// Whether it came by a proxy of the site's own: then it isn't counted yet.
    pub(crate) is_proxied: bool,
    /// Why it is refused whatever it asks.
    pub(crate) refused: Option<TooMany>,
    /// By what it is counted.
    pub(crate) place: Option<Arc<Place>>,
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

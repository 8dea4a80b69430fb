//! What a reader may still be sent, and whether something that it was is still on its way.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
};

use tokio::sync::Notify;

use super::{Fence, Outlet, Why};
use crate::{hub::Shared, rates::Place};

/// What was taken from a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nothing.
    Nothing,
    /// Some channels, which [`Sessions`](super::Sessions) names.
    Channels,
    /// Everything.
    All(Why),
}

const CHANNELS: u8 = 1;
const REVOKED: u8 = 2;
const UNSURE: u8 = 3;

/// One reader's. It is marked, and noted to hold something, under the state's lock alone.
#[derive(Debug)]
pub(crate) struct Lease {
    taken: AtomicU8,
    /// Something was read for the reader and is not out yet.
    held: AtomicBool,
    changed: Notify,
    cut: Notify,
    outlet: Option<Arc<Outlet>>,
}

impl Lease {
    /// Of a reader whose connection is this one, if it is known, and of a node that has such a fence.
    pub(crate) fn new(outlet: Option<Arc<Outlet>>, fence: Option<&Arc<Fence>>) -> Arc<Self> {
        if let (Some(outlet), Some(fence)) = (&outlet, fence) {
            outlet.be_fenced(fence);
        }
        Arc::new(Self {
            taken: AtomicU8::new(0),
            held: AtomicBool::new(false),
            changed: Notify::new(),
            cut: Notify::new(),
            outlet,
        })
    }

    /// What was taken. True while the state is locked.
    pub(crate) fn taken(&self) -> Taken {
        match self.taken.load(SeqCst) {
            0 => Taken::Nothing,
            CHANNELS => Taken::Channels,
            UNSURE => Taken::All(Why::Unsure),
            _ => Taken::All(Why::Revoked),
        }
    }

    /// Takes everything. With the state locked.
    pub(super) fn take_all(&self, why: Why) {
        let mark = if why == Why::Unsure { UNSURE } else { REVOKED };
        self.taken.store(mark, SeqCst);
    }

    /// Takes some channels. With the state locked.
    pub(super) fn take_channels(&self) {
        let _ = self.taken.compare_exchange(0, CHANNELS, SeqCst, SeqCst);
    }

    /// The reader has let go of those channels. With the state locked.
    pub(super) fn channels_are_gone(&self) {
        let _ = self.taken.compare_exchange(CHANNELS, 0, SeqCst, SeqCst);
    }

    /// Something was read for the reader. With the state locked.
    fn hold(&self) {
        if !self.held.swap(true, SeqCst)
            && let Some(outlet) = &self.outlet
        {
            outlet.carry();
        }
    }

    #[cfg(test)]
    pub(super) fn hold_for_test(&self) {
        self.hold();
    }

    /// Nothing of what was read is left here.
    pub(crate) fn release(&self) {
        if !self.held.swap(false, SeqCst) {
            return;
        }
        if let Some(outlet) = &self.outlet {
            outlet.put_down();
        }
        if self.taken.load(SeqCst) != 0 {
            self.changed.notify_waiters();
        }
    }

    /// Answers when nothing that was read for the reader is left here.
    pub(crate) async fn is_silent(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if !self.held.load(SeqCst) {
                return;
            }
            changed.await;
        }
    }

    /// Whether something that was read for the reader may still be here.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(SeqCst)
    }

    /// Closes the connection's way out: when this returns, nothing more goes out by it.
    pub(crate) fn cut(&self) {
        if let Some(outlet) = &self.outlet {
            outlet.cut();
        }
        self.cut.notify_one();
    }

    /// Answers when it was cut off.
    pub(crate) async fn cut_off(&self) {
        self.cut.notified().await;
    }
}

/// A reader's entry among the sessions. It is taken out when nobody has it any more: neither its door nor, where that has answered, the outlet
/// by which the answer is still going out. Never dropped while the state is locked.
pub(crate) struct Seat {
    hub: Arc<Shared>,
    id: u64,
    lease: Arc<Lease>,
    /// By what its address is counted, if that isn't by its connection.
    _of_address: Option<Arc<Place>>,
    /// By what its user is.
    of_user: Mutex<Option<Place>>,
}

impl Seat {
    /// The seat of a session that was entered under this number, and by what its address is counted.
    pub(crate) fn new(hub: Arc<Shared>, id: u64, lease: Arc<Lease>, of_address: Option<Arc<Place>>) -> Arc<Self> {
        Arc::new(Self { hub, id, lease, _of_address: of_address, of_user: Mutex::default() })
    }

    /// It is of this user from now on. Not with the state locked.
    pub(crate) fn count_as(&self, place: Option<Place>) {
        let before = std::mem::replace(&mut *self.of_user.lock().unwrap_or_else(PoisonError::into_inner), place);
        drop(before);
    }

    /// Under which number.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Something was read for the reader, who says himself when it is out ([`Lease::release`]). With the state locked.
    pub(crate) fn hold(&self) {
        self.lease.hold();
    }

    /// Something was read for the reader, which is out when the connection is flushed. With the state locked.
    pub(crate) fn hold_until_flushed(self: &Arc<Self>) {
        if let Some(outlet) = &self.lease.outlet {
            self.lease.hold();
            outlet.hold(self);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.leave(self.id);
        self.lease.release();
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("id", &self.id).finish_non_exhaustive()
    }
}

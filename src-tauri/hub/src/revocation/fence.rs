//! What keeps a node that is cut off from its engine from sending what may have been revoked meanwhile.
//!
//! Other nodes wait for this one's word before they acknowledge a revocation, as long as its lease by the engine holds. So it sends nothing of a channel
//! once that may have ended: reads give nothing ([`State::may_send`](crate::state::State::may_send)), and what was read before, and is still on its
//! way out, is not written any more: an [`Outlet`](super::Outlet) looks here under the lock under which it writes. That holds for a process that was
//! stopped between two instructions as well, but for the instant between this look and the system's call. Both clocks are looked at: one of them
//! stands still while a machine sleeps.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
};

use watchfloor_model::{Mono, Timestamp};

use crate::clock::{Clocks, Now};

/// See the module.
#[derive(Debug)]
pub(crate) struct Fence {
    clocks: Arc<Clocks>,
    mono: AtomicU64,
    wall: AtomicI64,
}

impl Fence {
    /// One that has fallen.
    pub(crate) fn new(clocks: Arc<Clocks>) -> Arc<Self> {
        Arc::new(Self { clocks, mono: AtomicU64::new(0), wall: AtomicI64::new(i64::MIN) })
    }

    /// It stands until this.
    pub(crate) fn stand_until(&self, until: Now) {
        self.mono.store(until.mono.as_micros(), SeqCst);
        self.wall.store(until.wall.as_millis(), SeqCst);
    }

    /// Whether nothing of a channel may go out.
    pub(crate) fn has_fallen(&self) -> bool {
        let until = Now {
            mono: Mono::from_micros(self.mono.load(SeqCst)),
            wall: Timestamp::from_millis(self.wall.load(SeqCst)),
        };
        !self.clocks.now().is_before(until)
    }
}

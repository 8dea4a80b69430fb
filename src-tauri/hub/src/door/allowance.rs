//! How many events a client may still publish in this second.

use watchfloor_model::Mono;

use crate::limits;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    begins: Mono,
    left: u32,
}

impl Allowance {
    /// A whole second's.
    pub(crate) const fn new(now: Mono) -> Self {
        Self { begins: now, left: limits::CLIENT_EVENTS_A_SECOND }
    }

    /// Whether there is one left; then it is taken.
    pub(crate) fn takes(&mut self, now: Mono) -> bool {
        if now.since(self.begins).as_secs() >= 1 {
            *self = Self::new(now);
        }
        let takes = self.left > 0;
        self.left -= u32::from(takes);
        takes
    }
}

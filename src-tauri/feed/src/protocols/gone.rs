//! A place that the server doesn't take any more, by its answer to who asks to go on after it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::fault::{LinkFault, LinkFaultKind, Verdict};

/// "Bad request" may be about a place that was damaged on its way here, or about a request that was damaged on its way there:
/// it is believed by the second.
const BAD_REQUESTS: u8 = 2;

/// Whether the server has said so. Kept over links, until one begins without a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Gone(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The newest request had a place.
    asked: bool,
    /// So many in a row were bad.
    bad: u8,
    is_gone: bool,
}

impl Gone {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a link is to go on after, if the server may know it.
    pub(super) fn begin<T>(&self, place: Option<T>) -> Option<T> {
        let mut state = self.state();
        let place = place.filter(|_| !state.is_gone);
        state.asked = place.is_some();
        place
    }

    /// A request on a link goes out, with a place or without.
    pub(super) fn ask(&self, has_place: bool) {
        self.state().asked = has_place;
    }

    /// A link has begun. Says whether that was without a place for the server didn't take it.
    pub(super) fn begun(&self) -> bool {
        let mut state = self.state();
        state.bad = 0;
        std::mem::take(&mut state.is_gone)
    }

    /// A place that isn't taken is begun without, soon: asking with it again won't help.
    pub(super) fn verdict(&self, fault: &LinkFault) -> Option<Verdict> {
        let LinkFaultKind::Http { status: status @ (400 | 410), .. } = fault.kind else { return None };
        let mut state = self.state();
        if !std::mem::take(&mut state.asked) {
            return None;
        }
        state.bad = state.bad.saturating_add(1);
        state.is_gone = status == 410 || state.bad >= BAD_REQUESTS;
        Some(Verdict::Backoff)
    }
}

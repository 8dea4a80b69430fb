//! The last event id of a stream, where it was moved by a block that is no event.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use watchfloor_model::{MARK_BYTES_MAX, Position};

use crate::protocols::{Place, counted::is_counted, gone::Gone};

/// An id that was said after a place, and is newer than the place's own mark. Kept over links, not over restarts: then it
/// is gone on from the place's own, and nothing lies between the two but what is no event.
#[derive(Clone, Debug, Default)]
pub(in crate::protocols) struct LastId {
    moved: Arc<Mutex<Moved>>,
    /// Whether the server doesn't take it.
    pub(super) gone: Gone,
}

#[derive(Debug, Default)]
struct Moved {
    after: Option<Position>,
    id: Option<Arc<str>>,
}

impl LastId {
    fn moved(&self) -> MutexGuard<'_, Moved> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id was moved after this place; an empty one resets it.
    pub(super) fn set(&self, after: Option<&Position>, id: &str) {
        let id = (is_mark(id) && id.len() <= MARK_BYTES_MAX).then(|| id.into());
        *self.moved() = Moved { after: after.cloned(), id };
    }

    /// The event after which the stream is asked to go on: that of the newest place, unless the id was moved after it or
    /// the server doesn't take it.
    pub(in crate::protocols) fn asked_after(&self, places: &[Place]) -> Option<Arc<str>> {
        self.gone.begin(self.newest(places))
    }

    fn newest(&self, places: &[Place]) -> Option<Arc<str>> {
        let place = places.first()?.position.as_ref().filter(|place| is_counted(place))?;
        let moved = self.moved();
        if moved.after.as_ref() == Some(place) {
            return moved.id.clone();
        }
        place.mark.clone().filter(|mark| is_mark(mark))
    }
}

/// Whether it can be sent in a header.
pub(super) fn is_mark(id: &str) -> bool {
    !id.is_empty() && id.trim() == id && !id.chars().any(char::is_control)
}

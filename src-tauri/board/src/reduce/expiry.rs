//! Which keys may be due to go.

use std::{collections::BTreeSet, sync::Arc};

use super::Ms;

/// Keys by an instant at which to look at them.
///
/// A key whose end moves later keeps its entry and gets another one when that is due: an event costs nothing here
/// unless it is a key's first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expiry {
    due: BTreeSet<(Ms, Arc<str>)>,
}

impl Expiry {
    pub(crate) fn add(&mut self, at: Ms, key: Arc<str>) {
        self.due.insert((at, key));
    }

    pub(crate) fn remove(&mut self, at: Ms, key: &Arc<str>) {
        self.due.remove(&(at, Arc::clone(key)));
    }

    /// Takes the next key to look at, if it is due.
    pub(crate) fn pop(&mut self, now: Ms) -> Option<Arc<str>> {
        if self.due.first()?.0 > now {
            return None;
        }
        self.due.pop_first().map(|(_, key)| key)
    }

    /// The earliest instant at which something may go.
    pub(crate) fn next(&self) -> Option<Ms> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn clear(&mut self) {
        self.due.clear();
    }
}

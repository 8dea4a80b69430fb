//! Polled documents: each is a state, and what is told is how it differs from the last one that was told, over as many links as it takes.

use watchfloor_model::{Continuity, Event, Gap};

use super::{lane::Lane, tracked::Tracked};
use crate::aggregate::OnRestating;

/// What makes a gap good, for what holds a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document {
    /// Whether rows are told apart in it. Otherwise it is one event, and of what other documents told nothing is said.
    has_rows: bool,
}

impl Lane {
    /// The document that comes with a gap, if one does: a link begins with it. It is compared with the last one that was told, or said as a
    /// whole, so that no difference is left out; only what came and went meanwhile isn't seen, as between any two polls. What can't be
    /// told of it is a gap of its own.
    pub(super) fn document_after(&self, gap: &Gap) -> Option<Document> {
        let from = gap.from.as_ref();
        let begins_link =
            gap.to.as_ref().is_some_and(|to| to.offset == 0 && from.is_none_or(|from| from.epoch != to.epoch));
        // Of several addresses nobody knows here which of them has told the last one.
        let is_one = self.spec.tells_whole() && self.spec.redundant_urls.is_empty();
        (begins_link && is_one).then_some(Document { has_rows: self.spec.event.id.is_some() })
    }
}

impl Document {
    /// Whether this is what the document says, whatever was missed.
    pub(super) fn tells(self, tracked: &Tracked) -> bool {
        match tracked.aggregate.on_restating() {
            OnRestating::BeginsAgain => self.has_rows,
            OnRestating::GoesOn => true,
            OnRestating::Stays => false,
        }
    }
}

impl Tracked {
    /// An event of a document was folded. What a gauge shows depends on nothing before it, and nothing newer was missed: the document is
    /// younger than the gap.
    pub(super) fn note_document(&mut self, event: &Event) {
        let is_in_doubt = self.basis == Continuity::Unknown || self.incomplete_until.is_some();
        let is_gauge = self.aggregate.on_restating() == OnRestating::GoesOn;
        if is_in_doubt && is_gauge && self.newest_by(event).is_some() {
            self.be_confirmed();
        }
    }
}

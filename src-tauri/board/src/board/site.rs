//! What a site says that it has, beside a push service that keeps no state: taken after a loss, and compared now and then.

use std::sync::Arc;

use watchfloor_model::{Continuity, Event, Mono, Recheck, Restated, Timestamp};

use super::{
    check::Differences,
    lane::{Found, Lane, Rejections},
    tracked::{Heard, Tracked},
};
use crate::{
    aggregate::OnRestating,
    reduce::{Interest, Rejection},
};

impl Lane {
    /// Takes what a site says that it has now: what holds a state of these events begins again with it. What counts them, or says
    /// when they happened, keeps what it has; what it may lack was told by the gap before (H3).
    pub(super) fn handle_restated(&mut self, restated: &Restated, now: Mono, rejections: &mut Rejections) -> bool {
        let heard = Heard::at(restated.received.min(now));
        for (number, tracked) in self.tracked.iter_mut().enumerate() {
            tracked.suspected = None;
            if !tracked.is_restated_by(restated) {
                continue;
            }
            let becomes = tracked.aggregate.on_restating();
            if becomes == OnRestating::BeginsAgain {
                tracked.aggregate.clear();
            }
            let mut is_told = becomes == OnRestating::BeginsAgain;
            for outcome in tracked.fold_all(&restated.events) {
                match outcome {
                    Ok(()) => is_told = true,
                    Err(rejection) => {
                        tracked.reject(&rejection);
                        if rejections.len() < super::REJECTIONS_HELD_MAX {
                            rejections.push((number, rejection));
                        }
                    }
                }
            }
            if is_told {
                tracked.basis = Continuity::Snapshot;
                tracked.is_known = true;
                tracked.incomplete_until = None;
                tracked.received = Some(heard);
            }
        }
        for (channel, position) in &restated.positions {
            self.channels.entry(Arc::clone(channel)).or_default().position = Some(position.clone());
        }
        self.be_current(heard, now);
        true
    }

    /// Compares what is shown with what the site says, and takes that where it differs for the second time in the same way: what it
    /// says has no place in the stream, so that one difference may be a change on its way.
    pub(super) fn handle_recheck(&mut self, check: &Recheck, now: Mono, found: &mut Found) -> bool {
        let is_at = |(channel, place): (&Arc<str>, _)| {
            self.channels.get(channel).is_some_and(|own| own.position.as_ref() == Some(place))
        };
        if !check.restated.positions.iter().all(is_at) {
            return false;
        }
        self.checked = Some(now);
        let mut changed = false;
        for (number, tracked) in self.tracked.iter_mut().enumerate() {
            if !tracked.is_restated_by(&check.restated) {
                continue;
            }
            let Some(differences) = tracked.recheck(check, self.now) else { continue };
            changed = true;
            found.is_corrected = true;
            self.drift += differences.count;
            found.drifts.extend(differences.named.into_iter().map(|difference| (number, difference)));
        }
        changed
    }
}

impl Tracked {
    /// Whether what a site says is about it.
    fn is_restated_by(&self, restated: &Restated) -> bool {
        let is_about = match &restated.name {
            Some(name) => self.aggregate.interest(&restated.channel, name) != Interest::None,
            None => self.folds(&restated.channel),
        };
        is_about && self.aggregate.on_restating() != OnRestating::Stays
    }

    /// Folds those of the events that it wants.
    fn fold_all(&mut self, events: &[Event]) -> Vec<Result<(), Rejection>> {
        let wanted = events.iter().filter(|event| self.aggregate.wants(event)).collect::<Vec<_>>();
        wanted.into_iter().map(|event| self.aggregate.fold(event)).collect()
    }

    /// What was wrong, and isn't any more.
    fn recheck(&mut self, check: &Recheck, time: Option<Timestamp>) -> Option<Differences> {
        let mut site = Self::new(self.aggregate.like());
        // What can't be used was counted when it came.
        site.fold_all(&check.restated.events);
        let is_silent = site.aggregate.newest().is_none();
        site.fold_all(&check.later);
        if let Some(time) = time {
            site.aggregate.advance(time);
        }
        let goes_on = self.aggregate.on_restating() == OnRestating::GoesOn;
        let found = match goes_on {
            true if is_silent => Differences::default(),
            true => self.number_differs(&site),
            false => self.differences_but_unsaid(&site),
        };
        if found.count == 0 {
            self.suspected = None;
            return None;
        }
        let suspected = self.suspected.replace(found);
        let found = self.suspected.take_if(|found| suspected.as_ref() == Some(found))?;
        if goes_on {
            self.fold_all(&check.restated.events);
            self.fold_all(&check.later);
        } else if let Err(error) = self.aggregate.restore(&site.aggregate.state_text()) {
            self.reject_state(error);
            return None;
        }
        (self.basis, self.is_known, self.incomplete_until) = (Continuity::Snapshot, true, None);
        Some(found)
    }
}

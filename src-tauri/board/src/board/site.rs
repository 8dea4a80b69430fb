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

/// What the rows of a site are to what was shown before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// At least as new.
    New,
    /// Dated earlier, and the same.
    Same,
    /// Older, and otherwise.
    Behind,
    /// They say nothing of it.
    Silent,
}

impl Lane {
    /// Takes what a site says that it has now: what holds a state of these events begins again with it. What counts them, or says
    /// when they happened, keeps what it has; what it may lack was told by the gap before (H3). What is shown and is newer than a row that
    /// says otherwise stays, and so does the gap: a site that is behind shows nothing of what was missed (H1).
    pub(super) fn handle_restated(&mut self, restated: &Restated, now: Mono, rejections: &mut Rejections) -> bool {
        let heard = Heard::at(restated.received.min(now));
        let time = self.time(now);
        for (number, tracked) in self.tracked.iter_mut().enumerate() {
            tracked.suspected = None;
            if !tracked.is_restated_by(restated) {
                continue;
            }
            let (word, rejected) = tracked.be_restated(&restated.events);
            for rejection in rejected {
                tracked.reject(&rejection);
                if rejections.len() < super::REJECTIONS_HELD_MAX {
                    rejections.push((number, rejection));
                }
            }
            match word {
                Word::Silent => continue,
                // What it knows of what was missed, nobody knows.
                Word::Behind => {
                    if let Some(time) = time.filter(|_| tracked.incomplete_until.is_none()) {
                        tracked.be_incomplete(time);
                    }
                    continue;
                }
                Word::Same => {}
                Word::New => {
                    tracked.overtaken.clear();
                    tracked.received = Some(heard);
                    tracked.is_told_elsewise = false;
                }
            }
            tracked.be_confirmed();
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
    fn fold_all<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>) -> Vec<Rejection> {
        let wanted = events.into_iter().filter(|event| self.aggregate.wants(event)).collect::<Vec<_>>();
        let mut rejections = Vec::new();
        for event in wanted {
            match self.aggregate.fold(event) {
                Ok(()) => self.note_usable(event),
                Err(rejection) => {
                    self.note_unusable(event);
                    rejections.push(rejection);
                }
            }
        }
        self.forget_order_of_what_is_gone();
        rejections
    }

    /// An event was folded, of the site's or not.
    pub(super) fn note_teller(&mut self, event: &Event, is_elsewise: bool) {
        let is_gauge = self.aggregate.on_restating() == OnRestating::GoesOn;
        // What a gauge shows depends on nothing before it: that begins right after its horizon.
        let shown = || self.aggregate.horizon().map(|horizon| horizon.as_millis() + 1);
        if is_gauge && shown() == Some(event.time.as_millis()) {
            self.is_told_elsewise = is_elsewise;
        }
    }

    /// Takes the rows of a site as far as they are news, and says what they are to what was shown before. Answers also those that can't be used.
    fn be_restated(&mut self, rows: &[Event]) -> (Word, Vec<Rejection>) {
        if self.aggregate.on_restating() == OnRestating::BeginsAgain {
            let rows: Vec<&Event> = rows.iter().filter(|row| self.aggregate.wants(row)).collect();
            let older = self.aggregate.newer_than(&rows);
            let stays = older.values().cloned().collect();
            self.aggregate.clear_but(&stays);
            self.overtaken.retain(|key, _| stays.contains(key));
            let news = rows.into_iter().enumerate().filter(|(number, _)| !older.contains_key(number));
            let rejected = self.fold_all(news.map(|(_, row)| row));
            return (if older.is_empty() { Word::New } else { Word::Behind }, rejected);
        }
        let mut site = Self::new(self.aggregate.like());
        // What can't be used is counted below.
        site.fold_all(rows);
        // What a gauge shows depends on nothing before it, so that is how old it is.
        let is_older = site.aggregate.horizon() < self.aggregate.horizon();
        let word = match is_older {
            _ if site.aggregate.is_blank() => Word::Silent,
            true if self.number_differs(&site).count > 0 => Word::Behind,
            true => Word::Same,
            false => Word::New,
        };
        (word, self.fold_all(rows))
    }

    /// What was wrong or in doubt, and isn't any more. What a site says twice at a known place of the stream is so, whatever the dates of
    /// its rows: they are when they were written, and events when they were published or came.
    fn recheck(&mut self, check: &Recheck, time: Option<Timestamp>) -> Option<Differences> {
        let mut site = Self::new(self.aggregate.like());
        // What can't be used was counted when it came.
        site.fold_all(&check.restated.events);
        let goes_on = self.aggregate.on_restating() == OnRestating::GoesOn;
        if goes_on && site.aggregate.is_blank() {
            self.suspected = None;
            return None;
        }
        site.fold_all(&check.later);
        if let Some(time) = time {
            site.aggregate.advance(time);
        }
        // Another event than the site's told the number since: the site speaks of something else.
        if goes_on && self.is_told_elsewise && site.aggregate.horizon() < self.aggregate.horizon() {
            self.suspected = None;
            return None;
        }
        let found = if goes_on { self.number_differs(&site) } else { self.differences_but_unsaid(&site) };
        let is_doubted = !self.overtaken.is_empty() || !self.unusable.is_empty();
        let is_in_doubt = self.basis == Continuity::Unknown || self.incomplete_until.is_some() || is_doubted;
        if found.count == 0 && !is_in_doubt {
            self.suspected = None;
            return None;
        }
        if self.suspected.as_ref() != Some(&found) {
            self.suspected = Some(found);
            return None;
        }
        self.suspected = None;
        if found.count > 0
            && let Err(error) = self.aggregate.correct(&site.aggregate)
        {
            self.reject_state(error);
            return None;
        }
        self.be_confirmed();
        self.overtaken.clear();
        self.unusable.clear();
        self.is_told_elsewise = false;
        Some(found)
    }

    /// It is what a site says that there is, and nothing of that is missing.
    pub(super) const fn be_confirmed(&mut self) {
        (self.basis, self.is_known, self.incomplete_until) = (Continuity::Snapshot, true, None);
    }
}

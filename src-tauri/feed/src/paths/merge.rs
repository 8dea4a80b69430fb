//! What came by several paths, made one story (H3).
//!
//! Each path delivers its stream without a hole that it doesn't name. What joins the story is whatever reaches back to where
//! the story stands: the first arrival of a position. A path that has gone further by a snapshot or past a gap is *ahead*; what it
//! brings can't be joined until the story, by another path, has come to where it is.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use watchfloor_model::{Continuity, Counts, Delivery, Event, Gap, Mono, Position, Restated, Snapshot, Timestamp};

use crate::protocols::counted::is_counted;

/// Places of a channel of which it is known what stood there.
const MARKS_MAX: usize = 4096;

/// Why what has no place may be missing.
const ANOTHER_TELLER: &str = "events without a place come from another address now";

/// A place, and what its server calls what stands there.
type Mark = (u64, Option<Arc<str>>);

/// Up to where each channel was delivered.
pub(super) type Places = BTreeMap<Arc<str>, Position>;

/// The story so far.
#[derive(Debug, Default)]
pub(super) struct Merge {
    /// Up to where it was told.
    told: Places,
    /// Up to where each path has come, by what it delivered.
    came: Vec<Places>,
    /// Up to where it is known that something happened: the story, and what a live one was seen to have ahead of it.
    known: Places,
    /// What stood at the last places that were counted here, by what their server calls it.
    marks: BTreeMap<Arc<str>, VecDeque<Mark>>,
    /// Paths that count otherwise than the story does: a place of theirs is another event's.
    differs: Vec<bool>,
    /// Whose events without a place are told.
    teller: Option<usize>,
    /// Channels that had any.
    loose: BTreeSet<Arc<str>>,
    /// What is known about completeness, once a gap or a snapshot said so.
    continuity: Option<Continuity>,
    /// What became of the gaps since the last snapshot.
    gaps: Gaps,
    /// Whether those of them that nothing closed lie within one history: a comparison with the server makes them good.
    passed: bool,
    /// The last proof that nothing was missing.
    proven: Option<Proof>,
    /// Events and gaps of the story.
    counts: Counts,
}

/// Whether there are gaps, however many: some that something closed, and some that nothing did.
#[derive(Clone, Copy, Debug, Default)]
struct Gaps {
    closed: bool,
    unknown: bool,
}

impl Gaps {
    const fn note(&mut self, proof: Continuity) {
        match proof {
            Continuity::Unknown => self.unknown = true,
            Continuity::Proven | Continuity::Snapshot => self.closed = true,
        }
    }

    const fn is_empty(self) -> bool {
        !self.closed && !self.unknown
    }
}

#[derive(Debug)]
struct Proof {
    at: Mono,
    /// The path that gave it.
    by: usize,
    /// Why there was none any more after it.
    ended: Option<String>,
}

impl Merge {
    pub(super) fn new(paths: usize) -> Self {
        Self { came: vec![Places::new(); paths], differs: vec![false; paths], ..Self::default() }
    }

    /// Takes places from an earlier life.
    pub(super) fn restore(&mut self, places: &Places) {
        self.told.clone_from(places);
        self.came.fill(places.clone());
        places.iter().for_each(|(channel, place)| self.note_mark(channel, place));
    }

    pub(super) const fn told(&self) -> &Places {
        &self.told
    }

    pub(super) const fn continuity(&self) -> Option<Continuity> {
        self.continuity
    }

    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The path begins again from where the story stands.
    pub(super) fn begin(&mut self, path: usize) {
        self.came[path].clone_from(&self.told);
        self.differs[path] = false;
    }

    /// Whether the story holds all that the path has delivered.
    pub(super) fn holds(&self, path: usize) -> bool {
        !self.differs[path] && self.came[path].iter().all(|(channel, came)| covers(self.told.get(channel), came))
    }

    /// Live paths have come to these places, where the story may not be. Gives all that is known then.
    pub(super) fn see<'a>(&mut self, places: impl Iterator<Item = &'a Places>) -> &Places {
        let (told, known) = (&self.told, &mut self.known);
        let is_of_the_story =
            |channel: &Arc<str>, place: &Position| told.get(channel).is_none_or(|told| told.epoch == place.epoch);
        known.retain(|channel, place| is_of_the_story(channel, place));
        let mut note = |(channel, place): (&Arc<str>, &Position)| {
            let is_newer = |known: &Position| known.epoch != place.epoch || known.offset < place.offset;
            if is_of_the_story(channel, place) && known.get(channel).is_none_or(is_newer) {
                known.insert(Arc::clone(channel), place.clone());
            }
        };
        places.flatten().for_each(&mut note);
        told.iter().for_each(note);
        known
    }

    /// Whether the path tells of another history than the story.
    pub(super) fn is_foreign(&self, path: usize) -> bool {
        let differs = |(channel, came): (&Arc<str>, &Position)| {
            self.told.get(channel).is_some_and(|told| told.epoch != came.epoch)
        };
        self.came[path].iter().any(differs)
    }

    /// The path proves that nothing is missing up to `places`, which may be beyond its last event: one that nobody can read
    /// takes a place too.
    pub(super) fn prove(&mut self, path: usize, places: &Places, now: Mono) {
        for (channel, place) in places {
            if covers(Some(place), self.told.get(channel).unwrap_or(place)) {
                self.note_mark(channel, place);
                self.told.insert(Arc::clone(channel), place.clone());
                self.came[path].insert(Arc::clone(channel), place.clone());
            }
        }
        self.proven = Some(Proof { at: now, by: path, ended: None });
    }

    /// The path that gave the last proof, until it is known why that was the last.
    pub(super) fn last_proof(&self) -> Option<usize> {
        self.proven.as_ref().filter(|proof| proof.ended.is_none()).map(|proof| proof.by)
    }

    /// No path proves anything any more.
    pub(super) fn lose(&mut self, reason: Option<String>) {
        if let Some(proof) = &mut self.proven {
            proof.ended.get_or_insert_with(|| reason.unwrap_or_else(|| "link lost".to_owned()));
        }
    }

    /// Takes a delivery of a path; gives what of it belongs to the story. `proven` says whether another path proves that
    /// the story is complete: then no gap and no snapshot is wanted.
    pub(super) fn take(&mut self, path: usize, delivery: Delivery, proven: bool) -> Option<Delivery> {
        match delivery {
            Delivery::Events(events) => {
                let new: Vec<Event> = events.into_iter().filter(|event| self.take_event(path, event)).collect();
                self.counts.events += new.len() as u64;
                (!new.is_empty()).then_some(Delivery::Events(new))
            }
            Delivery::Gap(gap) => self.take_gap(path, gap, proven).map(Delivery::Gap),
            Delivery::Snapshot(snapshot) => self.take_snapshot(path, snapshot, proven).map(Delivery::Snapshot),
            Delivery::Restated(restated) => self.take_restated(path, restated, proven).map(Delivery::Restated),
            // What was delivered meanwhile by another path isn't in it: nothing could be compared.
            Delivery::Check(check) => {
                let is_ours = check.positions == self.told;
                if is_ours && self.passed && self.continuity == Some(Continuity::Unknown) {
                    self.gaps.unknown = false;
                    self.continuity = Some(Continuity::Snapshot);
                }
                is_ours.then_some(Delivery::Check(check))
            }
            Delivery::Recheck(check) => (check.restated.positions == self.told).then_some(Delivery::Recheck(check)),
        }
    }

    fn take_event(&mut self, path: usize, event: &Event) -> bool {
        let Some(place) = &event.position else { return self.take_loose(path, event) };
        let before = self.came[path].insert(Arc::clone(&event.channel), place.clone());
        self.differs[path] |= !self.is_of_one_count(&event.channel, place);
        self.differs[path] |= before.as_ref().is_some_and(|before| !self.is_of_one_count(&event.channel, before));
        if self.differs[path] {
            return false;
        }
        let joins = match (self.told.get(&event.channel), &before) {
            (None, before) => before.is_none(),
            (Some(told), before) => {
                let is_new = told.epoch == place.epoch && place.offset > told.offset;
                is_new && before.as_ref().is_none_or(|before| covers(Some(told), before))
            }
        };
        if joins {
            self.told.insert(Arc::clone(&event.channel), place.clone());
            self.note_mark(&event.channel, place);
        }
        joins
    }

    /// Of events without a place nothing tells whether two are the same: those of one path are taken.
    fn take_loose(&mut self, path: usize, event: &Event) -> bool {
        let is_told = *self.teller.get_or_insert(path) == path;
        if is_told && !self.loose.contains(&event.channel) {
            self.loose.insert(Arc::clone(&event.channel));
        }
        is_told
    }

    /// The path whose events without a place are told.
    pub(super) const fn teller(&self) -> Option<usize> {
        self.teller
    }

    /// Another path's events without a place are told from now on. Gives the gaps that this makes: what that one has brought since the
    /// other was lost wasn't told, and none of it can be told from what was (H3).
    pub(super) fn be_told_by(&mut self, path: usize, now: Mono) -> Vec<Gap> {
        if self.teller.replace(path).is_none_or(|before| before == path) {
            return Vec::new();
        }
        let began = self.proven.as_ref().map_or(now, |proof| proof.at);
        let gap = |channel: &Arc<str>| Gap {
            channel: Arc::clone(channel),
            from: self.told.get(channel).cloned(),
            // No comparison makes good what has no place.
            to: None,
            proof: Continuity::Unknown,
            reason: ANOTHER_TELLER.to_owned(),
            began,
            ended: now,
            source_times: None,
        };
        let gaps: Vec<Gap> = self.loose.iter().map(gap).collect();
        gaps.iter().for_each(|gap| self.note_gap(gap));
        gaps
    }

    /// Keeps what stands at a place that was counted here.
    fn note_mark(&mut self, channel: &Arc<str>, place: &Position) {
        if !is_counted(place) {
            return;
        }
        let marks = self.marks.entry(Arc::clone(channel)).or_default();
        match marks.back() {
            Some((last, _)) if *last == place.offset => return,
            // Counted anew.
            Some((last, _)) if *last > place.offset => marks.clear(),
            _ => {}
        }
        marks.push_back((place.offset, place.mark.clone()));
        if marks.len() > MARKS_MAX {
            marks.pop_front();
        }
    }

    /// Whether a place is the story's of that number, as far as it has come. Others' places are the server's own; of those that each
    /// path counts by itself only what the server calls them tells.
    fn is_of_one_count(&self, channel: &Arc<str>, place: &Position) -> bool {
        let Some(told) = self.told.get(channel).filter(|told| told.epoch == place.epoch && is_counted(place)) else {
            return true;
        };
        if place.offset >= told.offset {
            return place.offset > told.offset || place.mark == told.mark;
        }
        let found = self.marks.get(channel).and_then(|marks| {
            let at = marks.binary_search_by_key(&place.offset, |(offset, _)| *offset).ok()?;
            marks.get(at)
        });
        found.is_some_and(|(_, mark)| *mark == place.mark)
    }

    fn take_gap(&mut self, path: usize, gap: Gap, proven: bool) -> Option<Gap> {
        let end = gap.to.clone().filter(|_| gap.proof == Continuity::Unknown);
        if let Some(end) = &end {
            self.came[path].insert(Arc::clone(&gap.channel), end.clone());
            self.differs[path] |= !self.is_of_one_count(&gap.channel, end);
        }
        let told = self.told.get(&gap.channel).cloned();
        let is_past =
            |to: &Position| told.as_ref().is_some_and(|told| told.epoch == to.epoch && told.offset > to.offset);
        // A path that is ahead has passed over what the story hasn't come to: what lies before may still be had.
        let is_ahead = |from: &Position| {
            end.is_some() && told.as_ref().is_some_and(|told| told.epoch == from.epoch && told.offset < from.offset)
        };
        if gap.from.as_ref().is_some_and(is_ahead) {
            return None;
        }
        if proven || gap.to.as_ref().is_some_and(is_past) {
            return None;
        }
        let gap = self.seen_by_all(gap, told);
        self.note_gap(&gap);
        if let Some(end) = end {
            self.note_mark(&gap.channel, &end);
            self.told.insert(Arc::clone(&gap.channel), end);
        }
        Some(gap)
    }

    /// The story has a gap.
    fn note_gap(&mut self, gap: &Gap) {
        match gap.proof {
            Continuity::Proven => self.counts.gaps_proven += 1,
            Continuity::Snapshot => self.counts.gaps_snapshot += 1,
            Continuity::Unknown => self.counts.gaps_unknown += 1,
        }
        if gap.proof == Continuity::Unknown {
            let is_within = gap.from.as_ref().zip(gap.to.as_ref()).is_some_and(|(from, to)| from.epoch == to.epoch);
            self.passed = is_within && (self.passed || !self.gaps.unknown);
            self.continuity = Some(Continuity::Unknown);
        }
        self.gaps.note(gap.proof);
    }

    /// The path's gap as that of the story: it begins where the last path was lost.
    fn seen_by_all(&self, gap: Gap, told: Option<Position>) -> Gap {
        let Some(Proof { at, ended: why, .. }) = &self.proven else { return Gap { from: told.or(gap.from), ..gap } };
        let began = gap.began.max(*at);
        let source_times = gap.source_times.map(|(from, to)| (later(&gap, began, from, to), to));
        Gap { from: told.or(gap.from), began, source_times, reason: why.clone().unwrap_or(gap.reason), ..gap }
    }

    /// What a site says is as true for every path; where another proves the story, nothing needs to be made good. Nor is there anything
    /// where another has told more than what the site's state was asked for at: what was held behind that was told.
    fn take_restated(&mut self, path: usize, restated: Restated, proven: bool) -> Option<Restated> {
        self.came[path].clone_from(&restated.positions);
        if proven || self.is_older(&restated.positions) {
            return None;
        }
        let gaps = std::mem::take(&mut self.gaps);
        self.continuity = Some(if gaps.is_empty() { Continuity::Proven } else { Continuity::Snapshot });
        self.told.clone_from(&restated.positions);
        Some(restated)
    }

    /// Whether the story has come further than to these places on any channel.
    fn is_older(&self, places: &Places) -> bool {
        let older = |(channel, told): (&Arc<str>, &Position)| {
            places.get(channel).is_none_or(|place| place.covers(told) == Some(false))
        };
        self.told.iter().any(older)
    }

    fn take_snapshot(&mut self, path: usize, snapshot: Snapshot, proven: bool) -> Option<Snapshot> {
        self.came[path].clone_from(&snapshot.positions);
        if proven || self.is_older(&snapshot.positions) {
            return None;
        }
        let gaps = std::mem::take(&mut self.gaps);
        self.continuity = Some(match (gaps.unknown, gaps.is_empty()) {
            (true, _) => Continuity::Unknown,
            (false, true) => Continuity::Proven,
            (false, false) => Continuity::Snapshot,
        });
        self.told.clone_from(&snapshot.positions);
        Some(snapshot)
    }
}

/// The source's time at `began`, which lies within the gap that begins at `from` and ends at `to`.
fn later(gap: &Gap, began: Mono, from: Timestamp, to: Timestamp) -> Timestamp {
    let whole = gap.ended.since(gap.began).as_secs_f64();
    let part = if whole > 0.0 { began.since(gap.began).as_secs_f64() / whole } else { 0.0 };
    from.plus(to.since(from).mul_f64(part.clamp(0.0, 1.0)))
}

/// Whether `own` is at or after `place`.
pub(super) fn covers(own: Option<&Position>, place: &Position) -> bool {
    own.and_then(|own| own.covers(place)) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H5: however many gaps the story has, what is kept of them is of one size.
    #[test]
    fn gaps_without_number() {
        let mut merge = Merge::new(1);
        let size = |merge: &Merge| format!("{:?}", merge.gaps).len();
        let mut sizes = Vec::new();
        for offset in 1..=100_000 {
            let gap = Gap {
                channel: "a".into(),
                from: Some(Position::new("e", offset - 1)),
                to: Some(Position::new("e", offset)),
                proof: Continuity::Unknown,
                reason: "unreadable".to_owned(),
                began: Mono::ZERO,
                ended: Mono::ZERO,
                source_times: None,
            };
            assert!(merge.take(0, Delivery::Gap(gap), false).is_some());
            if offset == 1 || offset == 100_000 {
                sizes.push(size(&merge));
            }
        }
        assert_eq!(sizes[0], sizes[1]);
        assert_eq!((merge.counts.gaps_unknown, merge.continuity), (100_000, Some(Continuity::Unknown)));
    }
}

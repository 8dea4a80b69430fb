//! What widgets did since a moment, by the record of the glass: where each stood then, where it stands at the end, and when it was worst between.
//!
//! A shift is some forty thousand records. What is asked of each is little, so little is read of it (`scan.rs`); the law of what a page holds stays that
//! of `Frame::merge`, against which it is held by a test. A record that can't be proven to be what was written says nothing.

mod scan;
#[cfg(test)]
mod tests;
mod track;

use std::{collections::BTreeMap, time::Duration};

use watchfloor_board::frame::{SinceLack, SinceWidget, SinceWidgets, Unrecorded, UnrecordedWhy};
use watchfloor_model::Timestamp;

use self::{
    scan::{Held, Scanned},
    track::Track,
};
use super::{HOLE_AFTER, body::Unpacker, error::PastError, reader::Reader, verify::Hole};
use crate::journal::table::glass::{Hash, Kind, Row};

/// Records read at once.
const READ_MAX: u32 = 128;
/// Lines at most; how many there are is told beside it.
const LINES_MAX: usize = 200;
/// Stretches of which nothing is recorded, at most; of more, the newest.
pub(crate) const UNRECORDED_MAX: usize = 100;
/// Widgets that are told apart at most: several boards that followed one another.
const WIDGETS_MAX: usize = 10_000;

/// The record of the glass since a moment.
#[derive(Debug)]
pub(crate) struct Glass {
    reader: Reader,
    from: Timestamp,
    to: Timestamp,
}

/// It, on the way.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    glass: &'a Glass,
    unpacker: Unpacker,
    held: Held,
    tracks: BTreeMap<String, Track>,
    /// The first record that is read, the next one, and the last.
    begin: i64,
    next: i64,
    last: i64,
    link: Option<Hash>,
    /// Whether the next change can be read.
    readable: bool,
    /// When the newest record was taken that could be read.
    at: Option<Timestamp>,
    /// Whether something is missing right before the next one.
    after_hole: bool,
    first: Option<Timestamp>,
    damage: Option<(Timestamp, u64)>,
}

impl Glass {
    /// The record from `from` to `to`.
    pub(crate) const fn new(reader: Reader, from: Timestamp, to: Timestamp) -> Self {
        Self { reader, from, to }
    }

    /// Stretches of which nothing is recorded, the newest first.
    ///
    /// # Errors
    /// If the journal can't be read.
    pub(crate) fn unrecorded(&self) -> Result<Vec<Unrecorded>, PastError> {
        let range = self.reader.range()?;
        let mut all: Vec<Unrecorded> = self
            .reader
            .holes()?
            .into_iter()
            .filter(|hole| hole.to > self.from && hole.from < self.to)
            .map(unrecorded)
            .collect();
        if self.to.since(range.newest) > HOLE_AFTER {
            all.push(Unrecorded {
                from_ms: range.newest.max(self.from).as_millis(),
                to_ms: self.to.as_millis(),
                why: UnrecordedWhy::Ended,
            });
        }
        all.reverse();
        Ok(all)
    }

    /// What can't be known of the stretch, whatever is read of it.
    ///
    /// # Errors
    /// If the journal can't be read.
    pub(crate) fn lacks(&self) -> Result<Vec<SinceLack>, PastError> {
        let range = self.reader.range()?;
        let mut lacks = Vec::new();
        if range.first > self.from {
            lacks.push(SinceLack::GlassBegins { at_ms: range.first.as_millis() });
        }
        let begin = self.reader.place(self.from)?.key;
        let set_back = self.reader.set_back(begin)?;
        lacks.extend(set_back.last().map(|at| SinceLack::ClockSetBack { at_ms: at.as_millis() }));
        Ok(lacks)
    }

    /// Begins to read.
    ///
    /// # Errors
    /// If the journal can't be read.
    pub(crate) fn read(&self) -> Result<Reading<'_>, PastError> {
        let begin = self.reader.place(self.from)?.key;
        Ok(Reading {
            glass: self,
            unpacker: Unpacker::new(),
            held: Held::default(),
            tracks: BTreeMap::new(),
            begin,
            next: begin,
            last: self.reader.newest()?,
            link: Some(self.reader.link_before(begin)?),
            readable: false,
            at: None,
            after_hole: true,
            first: None,
            damage: None,
        })
    }
}

fn unrecorded(hole: Hole) -> Unrecorded {
    Unrecorded { from_ms: hole.from.as_millis(), to_ms: hole.to.as_millis(), why: hole.reason }
}

impl Reading<'_> {
    /// Reads some more; false if there is nothing more.
    ///
    /// # Errors
    /// If the journal can't be read.
    pub(crate) fn go_on(&mut self) -> Result<bool, PastError> {
        if self.next > self.last {
            return Ok(false);
        }
        let rows = self.glass.reader.read(self.next, READ_MAX)?;
        if rows.is_empty() {
            self.next = self.last + 1;
        }
        for row in &rows {
            if row.seq > self.last || row.record.at > self.glass.to.plus(HOLE_AFTER) && self.is_last_stretch(row) {
                self.next = self.last + 1;
                break;
            }
            self.take(row);
            self.next = row.seq + 1;
        }
        let is_more = self.next <= self.last;
        if !is_more && self.first.is_none() {
            // Nothing came since: it is as it was.
            self.then();
        }
        Ok(is_more)
    }

    /// Whether time doesn't go back after this record, so that nothing after it is of the stretch.
    fn is_last_stretch(&self, row: &Row) -> bool {
        self.glass.reader.set_back(row.seq).is_ok_and(|later| later.is_empty())
    }

    fn take(&mut self, row: &Row) {
        let is_key = row.record.kind.is_key();
        let is_next = row.seq == self.next;
        let is_sound = is_next && self.link.is_some_and(|link| row.is_sound(&link));
        self.link = Some(row.link());
        if self.first.is_none() && row.record.at > self.glass.from {
            self.then();
        }
        let can_be_read = is_sound && (is_key || self.readable);
        let held = &mut self.held;
        let mut understand = || self.unpacker.read(&row.record.body, is_key, |text| Ok(held.take(Scanned::of(text)?)));
        self.readable = can_be_read && understand().unwrap_or(false);
        if !self.readable {
            // A change after one that can't be read says nothing new; neither does one after records that went meanwhile.
            if !is_sound || can_be_read {
                let (_, count) = self.damage.get_or_insert((row.record.at, 0));
                *count += 1;
            }
            self.after_hole = true;
            return;
        }
        let at = row.record.at;
        let before = self.at.replace(at);
        let since = before.map_or(Duration::ZERO, |before| at.since(before));
        let is_hole = self.after_hole || matches!(row.record.kind, Kind::Start | Kind::Hole) || since > HOLE_AFTER;
        self.after_hole = false;
        if at <= self.glass.from && self.first.is_none() {
            return;
        }
        self.first = self.first.or(Some(at));
        let step = at.since(before.unwrap_or(at).max(self.glass.from));
        for number in 0..self.held.len() {
            let Some((id, seen)) = self.held.seen(number) else { continue };
            if let Some(track) = self.tracks.get_mut(id) {
                track.take(&seen, at.as_millis(), step, is_hole);
            } else if self.tracks.len() < WIDGETS_MAX {
                let mut track = Track::new(is_hole);
                track.take(&seen, at.as_millis(), step, is_hole);
                self.tracks.insert(id.to_owned(), track);
            }
        }
    }

    /// Notes how all are at the moment, by the record before it, if that is of it.
    fn then(&mut self) {
        let Some(at) = self.at.filter(|at| self.glass.from.since(*at) <= HOLE_AFTER && !self.after_hole) else {
            return;
        };
        if !self.tracks.is_empty() {
            return;
        }
        for number in 0..self.held.len() {
            let Some((id, seen)) = self.held.seen(number) else { continue };
            self.tracks.insert(id.to_owned(), Track::begun(&seen, at.as_millis()));
        }
    }

    /// How much is read, percent.
    pub(crate) fn percent(&self) -> u8 {
        let (done, all) = (self.next - self.begin, self.last + 1 - self.begin);
        if all <= 0 { 100 } else { u8::try_from(done.saturating_mul(100) / all).unwrap_or(100) }
    }

    /// To where it is read.
    pub(crate) const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// Records that could not be believed.
    pub(crate) fn damage(&self) -> Option<SinceLack> {
        self.damage.map(|(at, count)| SinceLack::GlassDamaged { at_ms: at.as_millis(), count })
    }

    /// What widgets did, as far as it is read.
    pub(crate) fn widgets(&self) -> SinceWidgets {
        let is_done = self.next > self.last;
        let mut found = SinceWidgets {
            first_ms: self.first.map(Timestamp::as_millis),
            read_ms: self.at.map(Timestamp::as_millis),
            ..SinceWidgets::default()
        };
        let unknown = self.at.map_or(Duration::ZERO, |at| self.glass.to.since(at.max(self.glass.from)));
        let unknown = if is_done && unknown > HOLE_AFTER { unknown } else { Duration::ZERO };
        let mut lines: Vec<SinceWidget> = Vec::new();
        for (id, track) in &self.tracks {
            let view = self.held.view(id);
            if let Some(line) = track.line(id, view, is_done, unknown) {
                lines.push(line);
            } else if view.is_some_and(|view| view.is_here) {
                found.others += 1;
                found.doubted += u64::from(track.is_doubted() || !unknown.is_zero());
            }
        }
        found.count = lines.len() as u64;
        lines.sort_by(|a, b| track::order(a).cmp(&track::order(b)).then_with(|| a.id.cmp(&b.id)));
        lines.truncate(LINES_MAX);
        found.lines = lines;
        found
    }
}

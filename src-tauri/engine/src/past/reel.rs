//! The record, wound to an instant: from the key before it through every change since.

use std::collections::VecDeque;

use watchfloor_board::frame::Frame;
use watchfloor_model::Timestamp;

use super::{
    body::{Glass, Unpacker},
    error::PastError,
    reader::{Place, Reader},
};
use crate::journal::table::glass::{Hash, Kind, Row};

/// Records read at once.
const READ_MAX: u32 = 64;

/// Something in the record that isn't as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// The record's time, as it says it.
    pub(super) at: Timestamp,
    /// What is wrong.
    pub(super) what: &'static str,
}

/// What was on the glass by one record.
#[derive(Debug)]
pub(super) struct Scene {
    /// The record's number.
    pub(super) seq: i64,
    /// Its time.
    pub(super) at: Timestamp,
    /// Everything that a page held by then; none if nothing can be read.
    pub(super) held: Option<Frame>,
    /// What is known of that page.
    pub(super) glass: Glass,
    /// What is wrong with it or with what it stands on. Only a key that is as it was written is above all before it.
    pub(super) damage: Option<Damage>,
    /// Its hash.
    link: Hash,
    /// Whether the next change can be read: none after one that can't.
    readable: bool,
}

/// The reel.
#[derive(Debug)]
pub(super) struct Reel {
    reader: Reader,
    unpacker: Unpacker,
    scene: Option<Scene>,
    next: VecDeque<Row>,
    /// What comes next in time in another stretch than the one that is read.
    then: Option<(Timestamp, Kind)>,
}

impl Reel {
    pub(super) const fn new(reader: Reader) -> Self {
        Self { reader, unpacker: Unpacker::new(), scene: None, next: VecDeque::new(), then: None }
    }

    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What was on the glass at the instant that was sought; none if nothing is recorded up to it.
    pub(super) const fn scene(&self) -> Option<&Scene> {
        self.scene.as_ref()
    }

    /// What is wrong with the record that comes next: then nobody knows what was between.
    pub(super) fn damage_ahead(&self) -> Option<Damage> {
        let (scene, row) = self.scene.as_ref().zip(self.next.front())?;
        wrong_with(row, &scene.link, scene.seq + 1)
    }

    /// Time and kind of the record that comes next in time.
    pub(super) fn next(&self) -> Option<(Timestamp, Kind)> {
        let here = self.next.front().map(|row| (row.record.at, row.record.kind));
        here.into_iter().chain(self.then).min_by_key(|(at, _)| *at)
    }

    /// Winds to `at`: forward from where it is if that is shorter.
    pub(super) fn seek(&mut self, at: Timestamp) -> Result<(), PastError> {
        let Place { key, end, then } = self.reader.place(at)?;
        self.then = then;
        let goes_on = self.scene.as_ref().is_some_and(|scene| scene.at <= at && (key..=end).contains(&scene.seq));
        if !goes_on {
            self.scene = None;
            self.read(key, end)?;
            let Some(first) = self.next.pop_front() else { return Ok(()) };
            let link = self.reader.link_before(first.seq)?;
            self.take(&first, link, first.seq);
        }
        loop {
            if self.next.is_empty() {
                self.read(self.scene.as_ref().map_or(key, |scene| scene.seq + 1), end)?;
            }
            if self.next.front().is_none_or(|row| row.record.at > at) {
                return Ok(());
            }
            let Some(row) = self.next.pop_front() else { return Ok(()) };
            let (link, expected) =
                self.scene.as_ref().map_or_else(Default::default, |scene| (scene.link, scene.seq + 1));
            self.take(&row, link, expected);
        }
    }

    /// Reads on from number `seq`, to `end` at most.
    fn read(&mut self, seq: i64, end: i64) -> Result<(), PastError> {
        self.next = self.reader.read(seq, READ_MAX)?.into();
        self.next.retain(|row| row.seq <= end);
        Ok(())
    }

    /// Takes a record that should have number `expected` and follow the hash `link`.
    fn take(&mut self, row: &Row, link: Hash, expected: i64) {
        let before = self.scene.take();
        let is_key = row.record.kind.is_key();
        let wrong = |what| Some(Damage { at: row.record.at, what });
        let mut damage = wrong_with(row, &link, expected);
        let (held, was_readable, earlier) = match before {
            Some(scene) => (scene.held, scene.readable, scene.damage),
            None => (None, false, None),
        };
        let (mut glass, mut readable) = (Glass::default(), false);
        let held = if !is_key && !was_readable {
            held
        } else {
            match self.unpacker.unpack(&row.record.body, is_key) {
                Ok(taken) => {
                    glass = taken.glass;
                    // What follows a damaged record may not fit it; what was there before stays then.
                    let spare = damage.is_some().then(|| held.clone()).flatten();
                    let merged = match held {
                        Some(held) if !taken.frame.is_whole() => held.merge(taken.frame).ok(),
                        _ => Some(taken.frame).filter(Frame::is_whole),
                    };
                    readable = merged.is_some();
                    merged.or(spare)
                }
                Err(_) => held,
            }
        };
        if !readable && damage.is_none() {
            damage = wrong("it can't be read");
        }
        if !is_key || damage.is_some() {
            damage = earlier.or(damage);
        }
        self.scene = Some(Scene { seq: row.seq, at: row.record.at, held, glass, damage, link: row.link(), readable });
    }
}

/// What is wrong with a record that should have number `expected` and follow the hash `link`.
fn wrong_with(row: &Row, link: &Hash, expected: i64) -> Option<Damage> {
    let what = if row.seq != expected {
        "records before it are missing"
    } else if !row.is_sound(link) {
        "it was changed, or one before it"
    } else {
        return None;
    };
    Some(Damage { at: row.record.at, what })
}

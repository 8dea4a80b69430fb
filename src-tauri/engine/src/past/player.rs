//! Where in the record a page is, and what it gets: the pull contract of the live board, told by the past.

use std::time::Duration;

use watchfloor_board::frame::{BoardView, ClockView, Frame, PastMarks, PastView, Said, WidgetPatch};
use watchfloor_model::{Mono, Timestamp};

use super::{
    error::PastError,
    reader::{Range, Reader},
    reel::Reel,
    view::{View, view},
};

/// Fastest way through the record, seconds a second.
pub(super) const SPEED_MAX: f64 = 3600.0;
/// Revisions of boards of the past begin here: a page that comes from the present holds none of these, and the other way round.
const REVISIONS_FROM: u32 = 1 << 31;
/// How often the record's ends, holes and losses are read again.
const MARKS_PERIOD: Duration = Duration::from_secs(5);
/// Stretches of one kind that cross to the page; of more, the oldest are left out.
const MARKS_MAX: usize = 500;

/// Whether a page holds a board of the past.
#[must_use]
pub const fn is_past_revision(revision: u32) -> bool {
    revision >= REVISIONS_FROM
}

/// What the present is like, for its corner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Present {
    /// In a few words.
    pub(crate) said: Said,
    /// Whether there is nothing to look at.
    pub(crate) is_well: bool,
}

/// The player.
#[derive(Debug)]
pub(super) struct Player {
    reel: Reel,
    range: Range,
    marks: PastMarks,
    marked_at: Mono,
    /// The instant shown at `anchored_at`.
    anchor: Timestamp,
    anchored_at: Mono,
    playing: bool,
    speed: f64,
    /// What the page got last.
    shown: Option<Frame>,
    version: u64,
    revision: u32,
    marks_told: PastMarks,
}

impl Player {
    /// Opens the record, standing at `at`, or as far back from its end as `before` if nothing is asked for.
    pub(super) fn new(reader: Reader, at: Option<Timestamp>, before: Duration, now: Mono) -> Result<Self, PastError> {
        let range = reader.range()?;
        if let Some(at) = at {
            range.check(at)?;
        }
        let anchor = range.clamp(at.unwrap_or_else(|| range.newest.minus(before)));
        let mut player = Self {
            reel: Reel::new(reader),
            range,
            marks: PastMarks::default(),
            marked_at: now,
            anchor,
            anchored_at: now,
            playing: false,
            speed: 1.0,
            shown: None,
            version: 0,
            revision: REVISIONS_FROM,
            marks_told: PastMarks::default(),
        };
        player.read_marks(now)?;
        Ok(player)
    }

    /// The instant that is shown now.
    pub(super) fn time(&self, now: Mono) -> Timestamp {
        if !self.playing {
            return self.anchor;
        }
        let by = now.since(self.anchored_at).as_secs_f64() * self.speed;
        let span = Duration::try_from_secs_f64(by.abs()).unwrap_or(Duration::MAX);
        let time = if by < 0.0 { self.anchor.minus(span) } else { self.anchor.plus(span) };
        // Where the clock was ahead, older records have later times: going on doesn't lead there.
        let time = if self.anchor <= self.range.newest { time.min(self.range.newest) } else { time };
        self.range.clamp(time)
    }

    /// Whether the version that a page has is the newest one that it was given.
    pub(super) fn is_behind(&self, after: u64, revision: u32) -> bool {
        self.shown.is_none() || after != self.version || revision != self.revision
    }

    pub(super) const fn playing(&self) -> bool {
        self.playing
    }

    pub(super) fn is_backwards(&self) -> bool {
        self.speed < 0.0
    }

    pub(super) fn seek(&mut self, at: Timestamp, now: Mono) {
        self.anchor = self.range.clamp(at);
        self.anchored_at = now;
    }

    pub(super) fn play(&mut self, playing: bool, now: Mono) {
        self.seek(self.time(now), now);
        self.playing = playing;
    }

    /// Sets the speed; one that isn't a speed is ignored.
    pub(super) fn set_speed(&mut self, speed: f64, now: Mono) {
        if speed.is_finite() && speed != 0.0 {
            self.seek(self.time(now), now);
            self.speed = speed.clamp(-SPEED_MAX, SPEED_MAX);
        }
    }

    /// What changed since the version that the page has painted.
    pub(super) fn frame(
        &mut self,
        after: u64,
        revision: u32,
        now: Mono,
        wall: Timestamp,
        present: &Present,
        returns_in: Duration,
    ) -> Result<Frame, PastError> {
        if now.since(self.marked_at) >= MARKS_PERIOD {
            self.read_marks(now)?;
        }
        let at = self.time(now);
        let is_end = ((at >= self.range.last || at == self.range.newest) && self.speed > 0.0)
            || (at <= self.range.first && self.speed < 0.0);
        if self.playing && is_end {
            self.play(false, now);
        }
        self.reel.seek(at)?;
        let seen = view(&self.reel, at);
        let is_behind = self.is_behind(after, revision);
        let past = self.past_view(&seen, wall, present, returns_in, is_behind);
        let whole = whole(seen, past);
        let before = self.shown.as_ref().filter(|_| !is_behind);
        let same_board = self.shown.as_ref().is_some_and(|shown| shown.board == whole.board);
        self.version += 1;
        self.revision += u32::from(!same_board && self.shown.is_some());
        let whole = Frame { version: self.version, revision: self.revision, ..whole };
        let frame = match before.filter(|_| same_board) {
            Some(before) => change(before, &whole),
            None => whole.clone(),
        };
        self.shown = Some(whole);
        Ok(frame)
    }

    fn past_view(
        &mut self,
        seen: &View,
        wall: Timestamp,
        present: &Present,
        returns_in: Duration,
        is_behind: bool,
    ) -> PastView {
        let marks = (is_behind || self.marks != self.marks_told).then(|| self.marks.clone());
        self.marks_told.clone_from(&self.marks);
        PastView {
            at_ms: seen.at.as_millis(),
            now_ms: wall.as_millis(),
            playing: self.playing,
            speed: self.speed,
            first_ms: self.range.first.as_millis(),
            last_ms: self.range.last.as_millis(),
            marks,
            unseen: seen.unseen.clone(),
            damage: seen.damage.clone(),
            hole: seen.hole.clone(),
            live: present.said.to_string(),
            live_said: Some(present.said.clone()),
            live_is_well: present.is_well,
            returns_in_ms: u64::try_from(returns_in.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn read_marks(&mut self, now: Mono) -> Result<(), PastError> {
        self.marked_at = now;
        self.range = self.reel.reader().range()?;
        let reader = self.reel.reader();
        let range = self.range;
        let holes = reader.holes()?.into_iter().map(|hole| (hole.from.as_millis(), hole.to.as_millis()));
        let losses = reader.outages()?.into_iter().filter_map(|outage| {
            let ended = outage.ended.unwrap_or(range.newest);
            (ended >= range.first).then(|| (range.clamp(outage.began).as_millis(), range.clamp(ended).as_millis()))
        });
        self.marks = PastMarks { holes: newest(holes.collect()), losses: newest(losses.collect()) };
        Ok(())
    }
}

fn newest(mut list: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let from = list.len().saturating_sub(MARKS_MAX);
    list.drain(..from);
    list
}

/// Everything that the page holds then.
fn whole(seen: View, past: PastView) -> Frame {
    let frame = seen.frame.unwrap_or_else(|| Frame {
        version: 0,
        board: Some(BoardView {
            title: "Nothing is recorded of this time".to_owned(),
            timezone: "UTC".to_owned(),
            language: None,
            locale: None,
            shifts: None,
            theme: "dark".to_owned(),
            viewing_distance_mm: None,
            columns: 1,
            rows: 1,
            pages: Vec::new(),
            widgets: Vec::new(),
            furniture: Vec::new(),
        }),
        revision: 0,
        clock: ClockView { wall_ms: seen.at.as_millis(), board_ms: seen.at.as_millis(), speed: 1.0, label: None },
        heartbeat_ms: 0,
        sources: Vec::new(),
        widgets: Vec::new(),
        outages: None,
        alarms: None,
        notices: Vec::new(),
        page: None,
        past: None,
        drill: None,
        night: false,
        span: None,
    });
    Frame { heartbeat_ms: super::look::HEARTBEAT_MS, past: Some(past), ..frame }
}

/// The frame that brings a page from one to the other; both are whole and of the same board.
fn change(before: &Frame, whole: &Frame) -> Frame {
    let widgets = whole
        .widgets
        .iter()
        .enumerate()
        .map(|(number, patch)| {
            let held = before.widgets.get(number).filter(|held| held.id == patch.id).map(|held| &held.value);
            WidgetPatch { value: patch.value.clone().filter(|_| held != Some(&patch.value)), ..patch.clone() }
        })
        .collect();
    let outages = whole.outages.clone().filter(|_| before.outages != whole.outages);
    Frame { board: None, widgets, outages, ..whole.clone() }
}

//! Frames: what one page gets for one pull.

use watchfloor_model::{Mono, SourceClock, Timestamp};

use super::{
    Board,
    dress::{self, Shown},
    lane::Lane,
    limits,
    tracked::Tracked,
    view,
};
use crate::{
    config::spec::WidgetSpec,
    frame::{ClockView, Frame, Quality, SourceView, WidgetPatch},
    freshness::{Freshness, Promise, judge, source_said},
};

/// The next frame comes after this long at the latest, in milliseconds: whoever waits for one must see to it.
pub(crate) const HEARTBEAT_MS: u32 = 1000;
/// Frames of which it is remembered what they brought. Who has painted none of them gets everything.
const ISSUED_MAX: usize = 8;

/// What a frame brought the page to.
#[derive(Debug)]
pub(super) struct Issued {
    version: u64,
    stamps: Vec<Stamp>,
}

/// What a consumer of frames that isn't a page holds: see [`Board::frame_after`].
#[derive(Debug)]
pub struct Mark {
    revision: u32,
    issued: Issued,
}

impl Mark {
    /// The version that it holds.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.issued.version
    }

    /// The revision of the board that it holds.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }
}

/// What a widget showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    /// The aggregate's version.
    version: u64,
    shown: Shown,
}

impl Board {
    /// What changed after version `after`, which the page has painted, of revision `revision`. Everything if `after` is 0,
    /// the revision is another one, or it is too long ago. Quality comes with every frame, for every widget.
    pub fn frame(&mut self, after: u64, revision: u32, now: Mono, wall: Timestamp) -> Frame {
        let (qualities, stamps) = self.look(now);
        let painted = self.issued.iter().find(|issued| issued.version == after).filter(|_| revision == self.revision);
        let is_new_page = after == 0 || revision != self.revision;
        let after = (!is_new_page).then_some(after);
        let frame = self.compose(qualities, &stamps, painted.filter(|_| !is_new_page), after, now, wall);
        self.issue(stamps);
        frame
    }

    /// What changed since `mark`, which it brings to now; everything if there is none or the board was read again. For who keeps up
    /// with the board besides its pages, at any pace: what a page has painted is of no concern to it.
    pub fn frame_after(&mut self, mark: &mut Option<Mark>, now: Mono, wall: Timestamp) -> Frame {
        let (qualities, stamps) = self.look(now);
        let held = mark.as_ref().filter(|mark| mark.revision == self.revision).map(|mark| &mark.issued);
        let frame = self.compose(qualities, &stamps, held, held.map(|held| held.version), now, wall);
        *mark = Some(Mark { revision: self.revision, issued: Issued { version: self.version, stamps } });
        frame
    }

    /// Every widget's quality, and what it shows.
    fn look(&mut self, now: Mono) -> (Vec<Quality>, Vec<Stamp>) {
        let qualities: Vec<_> = self.qualities(now).collect();
        let stamps: Vec<Stamp> = self
            .widgets()
            .zip(&qualities)
            .map(|((_, _, tracked), quality)| stamp(tracked, quality.freshness))
            .collect();
        self.look_at_pages(&qualities, now);
        // What is shown may change by time alone, between ticks.
        if self.issued.back().is_some_and(|last| last.version == self.version && last.stamps != stamps) {
            self.version += 1;
        }
        (qualities, stamps)
    }

    /// The frame for who holds `held`, which is of version `after`; for who holds nothing, everything.
    fn compose(
        &self,
        qualities: Vec<Quality>,
        stamps: &[Stamp],
        held: Option<&Issued>,
        after: Option<u64>,
        now: Mono,
        wall: Timestamp,
    ) -> Frame {
        let widgets = self
            .widgets()
            .zip(qualities)
            .enumerate()
            .map(|(number, ((widget, _, tracked), quality))| {
                let held = held.and_then(|issued| issued.stamps.get(number));
                let value = changed_value(widget, tracked, stamps.get(number), held);
                WidgetPatch { id: widget.id.clone(), quality, value }
            })
            .collect();
        Frame {
            version: self.version,
            board: after.is_none().then(|| view::board_view(&self.file)),
            revision: self.revision,
            clock: self.clock_view(now, wall),
            heartbeat_ms: HEARTBEAT_MS,
            sources: self.lanes.iter().map(|lane| self.source_view(lane, now)).collect(),
            widgets,
            outages: after.is_none_or(|after| self.outages.1 > after).then(|| self.outages.0.clone()),
            alarms: if after.is_none_or(|after| self.alarms_version > after) { self.alarms_view(now) } else { None },
            notices: self.notices.clone(),
            page: self.page_shown(now),
            past: None,
            drill: None,
            night: self.is_night(wall),
            span: None,
        }
    }

    fn issue(&mut self, stamps: Vec<Stamp>) {
        if self.issued.back().is_some_and(|last| last.version == self.version) {
            return;
        }
        self.issued.push_back(Issued { version: self.version, stamps });
        if self.issued.len() > ISSUED_MAX {
            self.issued.pop_front();
        }
    }

    fn clock_view(&self, now: Mono, wall: Timestamp) -> ClockView {
        // A replay of a former run stands where it was left: its charts are nowhere near the present.
        let lane = self.lanes.iter().find(|lane| lane.clock().is_some() || lane.replay().is_some());
        let clock = lane.and_then(Lane::clock);
        let stands = lane.is_some_and(Lane::stands);
        let clock_speed = |clock: &SourceClock| if clock.speed.is_finite() { clock.speed } else { 0.0 };
        ClockView {
            wall_ms: wall.as_millis(),
            board_ms: lane.and_then(|lane| lane.told_time(now)).unwrap_or(wall).as_millis(),
            speed: if stands { 0.0 } else { clock.map_or(1.0, clock_speed) },
            label: lane.and_then(Lane::replay).flatten().map(str::to_owned),
        }
    }

    pub(super) fn source_view(&self, lane: &Lane, now: Mono) -> SourceView {
        let promise = self.source_promise(lane);
        let held = lane.held(true, now);
        let said = source_said(&lane.status, promise, held.age, now);
        SourceView {
            id: lane.spec.id.clone(),
            title: lane.spec.title.clone(),
            phase: lane.status.phase,
            transport: lane.status.transport,
            continuity: lane.status.continuity,
            freshness: judge(&lane.status, promise, held, now).freshness,
            words: said.to_string(),
            said: Some(said),
            events: lane.status.counts.events,
            rejected: lane.status.counts.rejected,
            gaps: lane.status.counts.gaps(),
            checked_ago_ms: lane.checked_ago_ms(now),
            drift: lane.drift,
        }
    }

    /// What a source promises its most patient widget: better than this, none of them can be.
    pub(super) fn source_promise(&self, lane: &Lane) -> Promise {
        let limit = limits(&self.file, &lane.spec.id).max().unwrap_or(self.file.board.stale_after);
        Promise { limit, quiet: lane.spec.quiet }
    }
}

fn stamp(tracked: &Tracked, freshness: Freshness) -> Stamp {
    let shown = match freshness {
        // A value that nobody may see doesn't cross to the page at all.
        Freshness::Refused => Shown::Nothing,
        _ if !tracked.has_value() => Shown::Nothing,
        _ => Shown::Value { at_least: tracked.is_at_least() },
    };
    Stamp { version: tracked.aggregate.version(), shown }
}

/// The value as it changed since the page painted it; none if it didn't.
fn changed_value(
    widget: &WidgetSpec,
    tracked: &Tracked,
    stamp: Option<&Stamp>,
    painted: Option<&Stamp>,
) -> Option<crate::frame::WidgetValue> {
    let stamp = stamp?;
    match painted {
        Some(painted) if painted == stamp => None,
        Some(painted) if painted.shown == stamp.shown && stamp.shown == Shown::Nothing => None,
        Some(painted) if painted.shown == stamp.shown => {
            Some(dress::value(widget, tracked, stamp.shown, painted.version))
        }
        _ => Some(dress::value(widget, tracked, stamp.shown, 0)),
    }
}

//! One board: its sources, what its widgets fold, and what of it crosses to the page.
//!
//! Driven from outside by `handle_*` with the instant; asked by [`Board::frame`], [`Board::report`] and
//! [`Board::freshness`], which compute freshness for the instant they are asked at. [`Board::poll_timeout`] says when time
//! alone changes something.

mod against;
mod alarm_rows;
mod alarm_view;
mod alarming;
mod check;
mod checkpoint;
mod desk;
mod document;
mod dress;
mod frames;
mod glasses;
mod heard;
mod index;
mod lane;
mod meanings;
mod report;
mod room;
mod site;
mod tracked;
mod turning;
mod view;
mod voices;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use watchfloor_model::{Continuity, Delivery, Mono, SourceStatus, Timestamp};

use crate::{
    config::spec::{AgainstSpec, BoardFile, FoldSpec, SourceSpec, WidgetSpec},
    frame::{Against, Notice, Outage, PageMark, Quality, Rejected},
    freshness::{Freshness, Promise, Verdict, judge},
    pages::Pager,
    reduce::Rejection,
};
use against::Second;
use alarming::Alarming;
use check::Difference;
use frames::Issued;
use glasses::Glass;
use lane::{Found, Lane};
use tracked::Tracked;
use turning::Worst;

pub use alarm_view::Called;
pub use alarming::AlarmWords;
pub use check::{DRIFTS_NAMED_MAX, Drift};
pub use checkpoint::{
    AggregateCheckpoint, ChannelCheckpoint, Checkpoint, NotRestored, OvertakenCheckpoint, ShareCheckpoint,
    SourceCheckpoint, UnusableCheckpoint,
};
pub use desk::{Recogniser, Subject};
pub use frames::Mark;
pub use glasses::{GLASSES_MAX, GlassSpec};
pub use room::Room;

/// Rejections held for [`Board::take_rejections`]; further ones are counted in the widget's quality only.
pub const REJECTIONS_HELD_MAX: usize = 100;
/// Differences held for [`Board::take_drifts`].
const DRIFTS_HELD_MAX: usize = 10 * DRIFTS_NAMED_MAX;
/// Time alone makes nothing change more often than this.
const TICK_PERIOD_MIN: Duration = Duration::from_millis(50);
/// Notices shown at once; of more, the oldest go.
const NOTICES_MAX: usize = 20;

/// A board's state.
pub struct Board {
    file: BoardFile,
    revision: u32,
    version: u64,
    /// In the order of the file's sources.
    lanes: Vec<Lane>,
    /// For each of the file's widgets, where what it shows is folded.
    places: Vec<Place>,
    /// For each of them, its second source if it has one.
    seconds: Vec<Option<Second>>,
    /// Freshness of each widget as it was last said.
    levels: Vec<Freshness>,
    notices: Vec<Notice>,
    /// The links' history, and the version at which it changed.
    outages: (Vec<Outage>, u64),
    rejections: VecDeque<(String, Rejection)>,
    drifts: VecDeque<Drift>,
    is_corrected: bool,
    /// What the last frames brought the page to.
    issued: VecDeque<Issued>,
    pager: Pager,
    /// Screens beside the first.
    glasses: Vec<Glass>,
    /// What a sensor says of the room's light.
    dark: Option<bool>,
    /// How each page is; of a board that is one page nothing is kept.
    marks: Vec<PageMark>,
    /// What each widget says at worst.
    worst: Vec<Worst>,
    ticked: Option<Mono>,
    /// Its rules and alarms, and the version at which anything of them changed.
    alarming: Alarming,
    alarms_version: u64,
    /// What this machine's clock showed at an instant.
    wall: (Timestamp, Mono),
}

/// Where a widget's aggregate is.
#[derive(Clone, Copy, Debug)]
struct Place {
    lane: usize,
    tracked: usize,
}

impl Board {
    /// An empty board for a file.
    #[must_use]
    pub fn new(file: BoardFile, now: Mono) -> Self {
        let mut board = Self {
            file: file.clone(),
            revision: 0,
            version: 0,
            lanes: Vec::new(),
            places: Vec::new(),
            seconds: Vec::new(),
            levels: Vec::new(),
            notices: Vec::new(),
            outages: (Vec::new(), 0),
            rejections: VecDeque::new(),
            drifts: VecDeque::new(),
            is_corrected: false,
            issued: VecDeque::new(),
            pager: Pager::new(&[], false, now),
            glasses: Vec::new(),
            dark: None,
            marks: Vec::new(),
            worst: Vec::new(),
            ticked: None,
            alarming: Alarming::default(),
            alarms_version: 0,
            wall: (Timestamp::default(), now),
        };
        board.reload(file, now);
        board
    }

    /// Takes another file. A widget whose source and fold are unchanged keeps its state, whatever its name and looks; a
    /// source that is another one now begins anew.
    pub fn reload(&mut self, file: BoardFile, now: Mono) {
        let mut old: BTreeMap<String, Lane> = self.lanes.drain(..).map(|lane| (lane.spec.id.clone(), lane)).collect();
        self.lanes = file.sources.iter().map(|spec| Lane::renewed(old.remove(&spec.id), spec)).collect();
        let mut place = |source: &str, fold: &FoldSpec| {
            // The file is checked: a widget's source exists. One that doesn't would show the first source's state as its own.
            let lane = file.sources.iter().position(|spec| spec.id == source).unwrap_or_default();
            let tracked = self.lanes.get_mut(lane).map_or(0, |lane| lane.track(fold));
            Place { lane, tracked }
        };
        self.places = file.widgets.iter().map(|widget| place(&widget.source, &widget.fold)).collect();
        let mut second = |against: &AgainstSpec| Second::new(place(&against.source, &against.fold));
        self.seconds = file.widgets.iter().map(|widget| widget.against.as_ref().map(&mut second)).collect();
        for lane in &mut self.lanes {
            lane.finish();
        }
        self.pager.reload(&file.pages, file.board.rotate, now);
        (self.marks, self.worst) = (Vec::new(), Vec::new());
        self.file = file;
        self.renew_glasses(now);
        self.revision += 1;
        self.version += 1;
        self.issued.clear();
        self.levels = vec![Freshness::Unknown; self.file.widgets.len()];
        self.reload_rules(now);
        self.handle_tick(now);
    }

    /// What was told of a source is no state of what it tells from now on: nothing of it is known.
    pub fn begin_anew(&mut self, source: &str, now: Mono) {
        self.lanes.retain(|lane| lane.spec.id != source);
        self.reload(self.file.clone(), now);
    }

    /// Shows a notice until it is cleared; a newer one of the same id replaces it.
    pub fn set_notice(&mut self, notice: Notice) {
        match self.notices.iter_mut().find(|own| own.id == notice.id) {
            Some(own) if *own == notice => return,
            Some(own) => *own = notice,
            None => {
                self.notices.push(notice);
                if self.notices.len() > NOTICES_MAX {
                    self.notices.remove(0);
                }
            }
        }
        self.version += 1;
    }

    /// Takes a notice away.
    pub fn clear_notice(&mut self, id: &str) {
        let before = self.notices.len();
        self.notices.retain(|notice| notice.id != id);
        self.version += u64::from(self.notices.len() != before);
    }

    /// Takes the links' history, newest first.
    pub fn set_outages(&mut self, outages: Vec<Outage>) {
        if outages != self.outages.0 {
            self.version += 1;
            self.outages = (outages, self.version);
        }
    }

    /// Takes what is known of a source now. A source that the file doesn't have is ignored.
    pub fn handle_status(&mut self, source: &str, status: SourceStatus, now: Mono) {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.spec.id == source) else { return };
        let changed = lane.handle_status(status, now);
        self.note(changed, now);
    }

    /// Takes a delivery of a source, in the order in which its feed gave them. A source that the file doesn't have is
    /// ignored.
    pub fn handle_delivery(&mut self, source: &str, delivery: &Delivery, now: Mono) {
        let Some(number) = self.lanes.iter().position(|lane| lane.spec.id == source) else { return };
        let mut found = Found::default();
        let changed = match delivery {
            // Rules are asked after each event.
            Delivery::Events(events) if self.has_rules(number) => {
                let mut changed = false;
                for event in events {
                    let Some(lane) = self.lanes.get_mut(number) else { return };
                    changed |= lane.handle_event(event, now, &mut found.rejections);
                    self.ask_then(number, now);
                    self.tell_rules(number, event, now);
                }
                changed
            }
            _ => {
                let is_unseen = match delivery {
                    Delivery::Gap(gap) => gap.proof != Continuity::Proven,
                    Delivery::Snapshot(_) | Delivery::Restated(_) => true,
                    Delivery::Events(_) | Delivery::Check(_) | Delivery::Recheck(_) => false,
                };
                if is_unseen && self.has_rules(number) {
                    self.note_unseen(number, now);
                    if let Delivery::Gap(gap) = delivery {
                        self.record_unseen(number, gap, now);
                    }
                }
                let Some(lane) = self.lanes.get_mut(number) else { return };
                let changed = lane.handle_delivery(delivery, now, &mut found);
                if let Delivery::Restated(restated) = delivery {
                    // What there is now, each as an event.
                    restated.events.iter().for_each(|event| self.tell_rules(number, event, now));
                }
                changed
            }
        };
        for (tracked, rejection) in found.rejections {
            if let Some(widget) = self.shows(number, tracked).filter(|_| self.rejections.len() < REJECTIONS_HELD_MAX) {
                self.rejections.push_back((widget, rejection));
            }
        }
        self.is_corrected |= found.is_corrected;
        found.drifts.truncate(DRIFTS_NAMED_MAX);
        for (tracked, Difference { field, shown, server }) in found.drifts {
            if let Some(widget) = self.shows(number, tracked).filter(|_| self.drifts.len() < DRIFTS_HELD_MAX) {
                self.drifts.push_back(Drift { source: source.to_owned(), widget, field, shown, server });
            }
        }
        self.note(changed, now);
    }

    /// Time has passed: windows move by each source's clock, and freshness expires.
    pub fn handle_tick(&mut self, now: Mono) {
        self.ticked = Some(now);
        self.version += u64::from(self.pager.handle_tick(now)) + u64::from(self.turn_glasses(now));
        let mut changed = false;
        for lane in &mut self.lanes {
            changed |= lane.advance(now);
        }
        self.note(changed, now);
    }

    /// The next instant at which time alone changes something visible: freshness, and what the last proof has moved already. It isn't
    /// sooner than 50 ms after the last tick, and may have passed already: then a tick is due.
    #[must_use]
    pub fn poll_timeout(&self, now: Mono) -> Option<Mono> {
        let expiries = self.widgets().zip(&self.levels).filter_map(|((widget, lane, tracked), level)| {
            let verdict = verdict(widget, lane, tracked, now);
            if verdict.freshness != *level {
                return Some(now);
            }
            // One more microsecond: at the limit itself it is still live.
            verdict.freshness.is_current().then(|| now.plus(verdict.live_for + Duration::from_micros(1)))
        });
        let moves = self.lanes.iter().filter_map(|lane| lane.next_change(now));
        let turns = self.pager.poll_timeout().into_iter().chain(self.glasses_timeout());
        let alarms = self.alarms_timeout(now);
        let next = expiries.chain(moves).chain(self.next_dispute()).chain(turns).chain(alarms).min()?;
        Some(self.ticked.map_or(next, |ticked| next.max(ticked.plus(TICK_PERIOD_MIN))))
    }

    /// Grows with every visible change.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Grows with every [`Board::reload`].
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// What people are told besides the widgets.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Freshness of each widget, in the file's order, as of the last change or tick.
    #[must_use]
    pub fn levels(&self) -> &[Freshness] {
        &self.levels
    }

    /// The source's time up to which it was folded; none if nothing was, or there is no such source.
    #[must_use]
    pub fn source_time(&self, source: &str) -> Option<Timestamp> {
        self.lanes.iter().find(|lane| lane.spec.id == source)?.folded_until()
    }

    /// How far a widget can be believed now; none if there is no such widget.
    #[must_use]
    pub fn freshness(&self, widget: &str, now: Mono) -> Option<Quality> {
        let number = self.file.widgets.iter().position(|spec| spec.id == widget)?;
        self.quality(number, now)
    }

    /// How far the widget of this number can be believed.
    fn quality(&self, number: usize, now: Mono) -> Option<Quality> {
        let (lane, tracked) = self.at(*self.places.get(number)?)?;
        Some(quality(self.file.widgets.get(number)?, (lane, tracked), self.against(number, now), now))
    }

    /// How far each widget can be believed, in the file's order.
    fn qualities(&self, now: Mono) -> impl Iterator<Item = Quality> {
        (0..self.file.widgets.len()).filter_map(move |number| self.quality(number, now))
    }

    /// The events that widgets could not use since this was last asked, at most [`REJECTIONS_HELD_MAX`]: widget and reason.
    pub fn take_rejections(&mut self) -> Vec<(String, Rejection)> {
        self.rejections.drain(..).collect()
    }

    /// The differences from the server's state that were found and corrected since this was last asked: at most
    /// [`DRIFTS_NAMED_MAX`] a comparison.
    pub fn take_drifts(&mut self) -> Vec<Drift> {
        self.drifts.drain(..).collect()
    }

    /// Whether a comparison with the server has replaced or completed anything since this was last asked. No delivery that is
    /// journaled tells of it.
    pub fn take_corrected(&mut self) -> bool {
        std::mem::take(&mut self.is_corrected)
    }

    /// How many differences from the server's state were found on a source in this run.
    #[must_use]
    pub fn drift(&self, source: &str) -> u64 {
        self.lanes.iter().find(|lane| lane.spec.id == source).map_or(0, |lane| lane.drift)
    }

    /// The first widget that shows this fold of this source.
    fn shows(&self, lane: usize, tracked: usize) -> Option<String> {
        let is_it = |place: &Place| place.lane == lane && place.tracked == tracked;
        let second =
            || self.seconds.iter().position(|second| second.as_ref().is_some_and(|second| is_it(&second.place)));
        let at = self.places.iter().position(is_it).or_else(second)?;
        self.file.widgets.get(at).map(|widget| widget.id.clone())
    }

    /// What is known of a source, as it was told last; none if the file doesn't have it.
    #[must_use]
    pub fn status(&self, source: &str) -> Option<&SourceStatus> {
        self.lanes.iter().find(|lane| lane.spec.id == source).map(|lane| &lane.status)
    }

    /// The links' history, newest first.
    #[must_use]
    pub fn outages(&self) -> &[Outage] {
        &self.outages.0
    }

    /// The sources of the file, in its order.
    #[must_use]
    pub fn source_specs(&self) -> &[SourceSpec] {
        &self.file.sources
    }

    /// The file that it shows.
    #[must_use]
    pub const fn file(&self) -> &BoardFile {
        &self.file
    }

    /// The smallest `stale-after` of a source's widgets; the board's own if it has none.
    #[must_use]
    pub fn strictest_limit(&self, source: &str) -> Duration {
        limits(&self.file, source).min().unwrap_or(self.file.board.stale_after)
    }

    /// Each widget, in the file's order, with its source and what it folds.
    fn widgets(&self) -> impl Iterator<Item = (&WidgetSpec, &Lane, &Tracked)> {
        self.file.widgets.iter().zip(&self.places).filter_map(|(widget, place)| {
            let lane = self.lanes.get(place.lane)?;
            Some((widget, lane, lane.tracked.get(place.tracked)?))
        })
    }

    /// Counts a change, and looks whether freshness is another one.
    fn note(&mut self, changed: bool, now: Mono) {
        let levels: Vec<Freshness> =
            self.widgets().map(|(widget, lane, tracked)| verdict(widget, lane, tracked, now).freshness).collect();
        let compared = self.compare(now);
        self.version += u64::from(changed || compared || levels != self.levels);
        self.levels = levels;
        self.ask_now(now);
    }
}

/// The limits of a source's widgets.
fn limits(file: &BoardFile, source: &str) -> impl Iterator<Item = Duration> {
    let is_of = move |widget: &&WidgetSpec| widget.folds().any(|(own, _)| own == source);
    file.widgets.iter().filter(is_of).map(|widget| widget.stale_after)
}

fn promise(widget: &WidgetSpec, lane: &Lane) -> Promise {
    Promise { limit: widget.stale_after, quiet: lane.spec.quiet }
}

/// Said of a value that nothing replaces any more.
const OVERTAKEN: &str = "what comes is dated before what is shown: was a clock set back?";

/// Said of a value after which one came that can't be used.
const UNUSABLE: &str = "the newest value can't be used";

fn verdict(widget: &WidgetSpec, lane: &Lane, tracked: &Tracked, now: Mono) -> Verdict {
    let verdict = judge(&lane.status, promise(widget, lane), lane.held(tracked.has_value(), now), now);
    if !verdict.freshness.is_current() {
        return verdict;
    }
    if let Some(age) = tracked.overtaken_for(widget.stale_after, now) {
        return verdict.away(OVERTAKEN.to_owned(), Some(age));
    }
    let verdict = match tracked.unusable_for(now) {
        Some(age) if age > widget.stale_after => return verdict.away(UNUSABLE.to_owned(), Some(age)),
        // What was before it is as good as a value that nothing confirms any more.
        Some(age) => verdict.within(widget.stale_after.saturating_sub(age)),
        None => verdict,
    };
    if lane.spec.sparkplug.is_none() {
        return verdict;
    }
    match lane.voices.silence(tracked) {
        None => verdict,
        Some(silence) => verdict.away(silence.why, silence.since.map(|since| now.since(since))),
    }
}

fn quality(widget: &WidgetSpec, (lane, tracked): (&Lane, &Tracked), against: Option<Against>, now: Mono) -> Quality {
    let verdict = verdict(widget, lane, tracked, now);
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let said = verdict.said();
    Quality {
        freshness: verdict.freshness,
        reason: said.as_ref().map(ToString::to_string),
        said,
        age_ms: verdict.age.map(millis),
        limit_ms: millis(widget.stale_after),
        live_for_ms: millis(verdict.live_for),
        source_ms: tracked.aggregate.newest().map(Timestamp::as_millis),
        received_ago_ms: tracked.received.map(|received| millis(received.age(now))),
        basis: tracked.basis,
        incomplete_until_ms: tracked.incomplete_until.map(Timestamp::as_millis),
        rejected: tracked.rejected.as_ref().map(|(count, reason)| Rejected { count: *count, reason: reason.clone() }),
        against,
    }
}

#[cfg(test)]
mod tests;

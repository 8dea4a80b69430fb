//! A source's time: how far it is proven, and what follows for what was folded where it goes on or back.

use std::time::Duration;

use watchfloor_model::{Mono, Phase, SourceClock, SteadyClock, Timestamp};

use super::Lane;
use crate::config::spec::SourceKind;

/// A source's clock that is read a little earlier than before was read over a slower network; only beyond this, in real
/// time, it was set back.
const CLOCK_JITTER_MAX: Duration = Duration::from_secs(5);

impl Lane {
    /// The source's time.
    pub(in crate::board) fn time(&self, now: Mono) -> Option<Timestamp> {
        match &self.clock {
            Some(clock) => Some(self.smoothed(clock, clock.at(now))),
            None => self.folded_until(),
        }
    }

    /// The source's time as people are told it.
    pub(in crate::board) fn told_time(&self, now: Mono) -> Option<Timestamp> {
        if self.stands() { self.now } else { self.time(now) }
    }

    /// Whether the time that people are told stands still. That of the present goes on by itself; that of a replay is known only as
    /// long as the replay is live.
    pub(in crate::board) fn stands(&self) -> bool {
        self.replay().is_some() && self.status.phase != Phase::Live
    }

    /// The source's time up to which the aggregates may be moved (H1): until nothing more is proven. A window that slid on
    /// without news would come to zero, a row would expire, of which nobody knows whether it should.
    fn proven_time(&self, now: Mono) -> Option<Timestamp> {
        let Some(clock) = &self.clock else { return self.time(now) };
        // What was delivered came in its order: up to there, time has passed. Our reading of the source's clock may lag a little.
        let newest = self.newest().map(|newest| newest.min(clock.at(now).plus(jitter(clock))));
        let delivered = self.now.max(newest);
        match self.proven_until() {
            Some(until) => Some(self.smoothed(clock, clock.was_at(until.min(now)))).max(newest),
            None => delivered,
        }
    }

    /// Until when it is proven that nothing more has happened: the last proof of the link, and of a publisher that promises to
    /// speak the end of the silence that it asks for; and whatever those are, the server's own state. None if the source isn't live.
    fn proven_until(&self) -> Option<Mono> {
        let status = &self.status;
        let link = status.link_proof.filter(|_| status.phase == Phase::Live)?;
        let proven = match self.spec.quiet {
            None => Some(link),
            Some(quiet) => status.publisher_proof.map(|publisher| link.min(publisher.plus(quiet))),
        };
        proven.max(self.known)
    }

    /// A window that went back and forth with each heartbeat would flicker.
    fn smoothed(&self, clock: &SourceClock, time: Timestamp) -> Timestamp {
        self.now.filter(|before| *before > time && before.since(time) <= jitter(clock)).unwrap_or(time)
    }

    /// The source's time up to which it was folded.
    pub(in crate::board) fn folded_until(&self) -> Option<Timestamp> {
        self.now.max(self.newest())
    }

    fn newest(&self) -> Option<Timestamp> {
        self.channels.values().filter_map(|channel| channel.newest).max()
    }

    pub(in crate::board) const fn clock(&self) -> Option<&SourceClock> {
        self.clock.as_ref()
    }

    /// What its time is called if it isn't the present, as far as is known.
    pub(in crate::board) fn replay(&self) -> Option<Option<&str>> {
        match &self.clock {
            Some(clock) => clock.is_replay().then_some(clock.label.as_deref()),
            None => self.stood.as_ref().map(|stood| stood.label.as_deref()),
        }
    }

    /// Until when what happened up to `to` is dated, where what was heard up to `heard` is dated up to `newest` (H1): a publisher's clock that
    /// is ahead dates what was missed as much too late as what came.
    pub(super) fn dated_until(&self, to: Timestamp, heard: Timestamp, newest: Option<Timestamp>) -> Timestamp {
        let Some(newest) = newest.filter(|newest| *newest > heard) else { return to };
        let most = self.clock.as_ref().map_or(CLOCK_JITTER_MAX, jitter);
        to.plus(newest.since(heard).min(most)).max(newest)
    }

    /// Tells the aggregates the source's time, as far as it is proven; says whether anything visible changed.
    pub(in crate::board) fn advance(&mut self, now: Mono) -> bool {
        let Some(time) = self.proven_time(now) else { return false };
        let mut changed = self.is_of_a_time_to_come(time);
        if changed {
            self.begin_anew();
        }
        let clock = self.clock.as_ref();
        let before = self.now.filter(|before| clock.is_some_and(|clock| is_set_back(*before, time, clock)));
        if before.is_some() {
            self.tracked.iter_mut().for_each(|tracked| tracked.note_set_back(before));
            changed = true;
        }
        self.now = Some(time);
        for tracked in &mut self.tracked {
            let before = tracked.aggregate.version();
            tracked.aggregate.advance(time);
            changed |= tracked.aggregate.version() != before;
            changed |= tracked.forgive();
        }
        changed
    }

    /// Whether what was folded is dated by a clock that was more than a day ahead (H1): it would be the newest until then, whatever comes.
    /// A hub sees to that itself, and its time may be a replay's.
    fn is_of_a_time_to_come(&self, time: Timestamp) -> bool {
        self.spec.kind != SourceKind::Hub && self.now.is_some_and(|before| is_of_a_time_to_come(before, time))
    }

    /// Forgets what was folded, and not up to where.
    fn begin_anew(&mut self) {
        for tracked in &mut self.tracked {
            tracked.be_forgotten();
        }
        for channel in self.channels.values_mut() {
            channel.newest = None;
        }
        self.current = None;
    }

    /// When time alone changes something in an aggregate: now, or not before the next proof, which tells the time.
    pub(in crate::board) fn next_change(&self, now: Mono) -> Option<Mono> {
        let next = self.tracked.iter().filter_map(|tracked| tracked.aggregate.next_change()).min()?;
        self.clock.as_ref()?;
        (next <= self.proven_time(now)?).then_some(now)
    }
}

/// Whether a reading of the same clock took less time to come: none comes too early.
pub(super) fn is_quicker(one: &SourceClock, other: &SourceClock, now: Mono) -> bool {
    one.speed == other.speed && one.label == other.label && one.at(now) > other.at(now)
}

/// By how much the source's clock may be read too early without having been set back, in its own time.
fn jitter(clock: &SourceClock) -> Duration {
    CLOCK_JITTER_MAX.mul_f64(if clock.speed.is_finite() { clock.speed.clamp(1.0, 1e6) } else { 1.0 })
}

/// Whether the source's clock, which had shown `before` and shows `time`, was set back meanwhile.
pub(super) fn is_set_back(before: Timestamp, time: Timestamp, clock: &SourceClock) -> bool {
    before > time && before.since(time) > jitter(clock)
}

/// Whether `before` is so much later than `time` that it was never right.
pub(super) fn is_of_a_time_to_come(before: Timestamp, time: Timestamp) -> bool {
    before > time && before.since(time) > SteadyClock::BACK_MAX
}

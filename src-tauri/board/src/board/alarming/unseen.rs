//! What nobody will know of a source, as its events are missing.

use std::time::Duration;

use watchfloor_model::{Continuity, Gap, Mono, Timestamp};

use super::{
    super::{Board, lane::Lane},
    LOST_AFTER, of_source,
};
use crate::alarm::AlarmKey;

/// Gaps of a source's channels that end within this have one entry on record.
const ONE_OUTAGE: Duration = Duration::from_secs(1);

impl Board {
    /// What happened on a source since it was last told of won't be known: what its rules had on their way waits.
    pub(in crate::board) fn note_unseen(&mut self, lane: usize, now: Mono) {
        let Some(at) = self.lanes.get(lane).and_then(Lane::folded_until) else { return };
        self.pass_time(now);
        let mut alarming = std::mem::take(&mut self.alarming);
        let instant = self.instant(now);
        alarming.watch.handle_gap(|input| self.lane_of(input) == Some(lane), at);
        let by_events = &alarming.by_events;
        alarming.watch.handle_events_gap(|rule| by_events.lane(rule) == Some(lane), at, instant);
        self.alarming = alarming;
    }

    /// That alarms may have come and gone in a gap goes on record, under the alarm that its source is lost: once for all channels that were
    /// lost with it.
    pub(in crate::board) fn record_unseen(&mut self, lane: usize, gap: &Gap, now: Mono) {
        let Some(source) = self.lanes.get(lane) else { return };
        // Nothing was followed before: it begins here, and where that took no time nothing was lost.
        if gap.from.is_none() && gap.ended.since(gap.began) < LOST_AFTER {
            return;
        }
        let (began, ended) = gap.source_times.unwrap_or_else(|| {
            let (wall, then) = self.wall;
            let on_wall = |at: Mono| wall.plus(at.since(then)).minus(then.since(at));
            (on_wall(gap.began), on_wall(gap.ended))
        });
        let known = if gap.proof == Continuity::Snapshot { "; what it came to is known" } else { "" };
        let time = |at: Timestamp| {
            jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(|_| at.to_string(), |at| at.to_string())
        };
        let words = format!("may have come and gone from {} to {} ({}){known}", time(began), time(ended), gap.reason);
        let (key, instant) = (AlarmKey::of_rule(&of_source(&source.spec.id)), self.instant(now));
        let Some(told) = self.alarming.unseen.get_mut(lane) else { return };
        if told.replace(ended).is_none_or(|told| ended.since(told) > ONE_OUTAGE) {
            self.alarming.watch.alarms_mut().note_unseen(&key, words, ended, instant);
        }
    }
}

//! What fences tell of a marker: on which side of each it is, for how long, and what that comes to.
//!
//! What is kept depends on the events alone: on which side the newest position lies, since when, and on which side the marker counted as being
//! before. What counts by an instant follows from that, whenever time is told to pass.

use serde::{Deserialize, Serialize};

use super::{Marker, Ms, Picked, Settings};
use crate::{
    config::spec::FenceSpec,
    frame::{FenceValue, FenceWhen, State},
    reduce::span_ms,
};

/// On which side of a fence a marker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u16, bool, bool, Ms)", into = "(u16, bool, bool, Ms)")]
struct Side {
    fence: u16,
    /// Whether the newest position is inside.
    is_in: bool,
    /// Whether it counted as inside before that.
    was_in: bool,
    /// Since when positions are on this side.
    since: Ms,
}

impl From<(u16, bool, bool, Ms)> for Side {
    fn from((fence, is_in, was_in, since): (u16, bool, bool, Ms)) -> Self {
        Self { fence, is_in, was_in, since }
    }
}

impl From<Side> for (u16, bool, bool, Ms) {
    fn from(side: Side) -> Self {
        (side.fence, side.is_in, side.was_in, side.since)
    }
}

impl Side {
    /// Whether it counts as inside by an instant.
    const fn counts(self, hold: Ms, at: Ms) -> bool {
        if at.saturating_sub(self.since) >= hold { self.is_in } else { self.was_in }
    }
}

/// The sides of a marker, in order of fence. Of a fence that isn't listed it is outside, and was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Sides(Vec<Side>);

impl Sides {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a state that was written down can be.
    pub(super) fn are_sound(&self, fences: usize) -> bool {
        self.0.windows(2).all(|pair| pair[0].fence < pair[1].fence)
            && self
                .0
                .iter()
                .all(|side| usize::from(side.fence) < fences && super::check_instant(Some(side.since)).is_ok())
    }

    fn of(&self, fence: u16) -> Option<Side> {
        self.0.binary_search_by_key(&fence, |side| side.fence).ok().map(|at| self.0[at])
    }

    /// The marker is at a place at an instant. Where none was known before, it counts at once.
    fn go(&mut self, fences: &[FenceSpec], place: (f64, f64), at: Ms, is_first: bool) {
        let mut sides = Vec::new();
        for (fence, spec) in numbered(fences) {
            let is_in = spec.area.holds(place);
            let side = match self.of(fence) {
                _ if is_first => Side { fence, is_in, was_in: is_in, since: at },
                Some(side) if side.is_in == is_in => side,
                Some(side) => Side { fence, is_in, was_in: side.counts(hold(spec), at), since: at },
                None => Side { fence, is_in, was_in: false, since: at },
            };
            if side.is_in || side.counts(hold(spec), at) {
                sides.push(side);
            }
        }
        self.0 = sides;
    }

    /// Nobody knows any more where it is: it stays on the side on which it counted as being.
    fn stay(&mut self, fences: &[FenceSpec], at: Ms) {
        for side in &mut self.0 {
            let spec = fences.get(usize::from(side.fence));
            let is_in = spec.is_some_and(|spec| side.counts(hold(spec), at));
            *side = Side { is_in, was_in: is_in, ..*side };
        }
        self.0.retain(|side| side.is_in);
    }
}

fn numbered(fences: &[FenceSpec]) -> impl Iterator<Item = (u16, &FenceSpec)> {
    (0..=u16::MAX).zip(fences)
}

fn hold(fence: &FenceSpec) -> Ms {
    if fence.hold.is_zero() { 0 } else { span_ms(fence.hold) }
}

/// What a fence has to tell of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    fence: u16,
    /// It is inside.
    is_in: bool,
    /// It is known where it is; otherwise this is where it was.
    is_known: bool,
    /// It is where the fence tells of.
    tells: bool,
}

/// What all fences together make of a marker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Its own state, or a worse one.
    pub(super) state: State,
    /// The fence that made it so: of the worst, the first.
    pub(super) fence: Option<u16>,
    told: Vec<Told>,
}

/// How many markers a fence has to tell of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    inside: u32,
    telling: u32,
    /// Markers that were inside, and that were where it tells of, when that was last known.
    unknown: u32,
    doubtful: u32,
}

impl Counts {
    pub(super) const fn told(self, fence: &FenceSpec) -> FenceValue {
        let state = match self {
            Self { telling: 1.., .. } => fence.state,
            Self { doubtful: 1.., .. } => State::Unknown,
            _ => State::Normal,
        };
        FenceValue { state, inside: self.inside, unknown: self.unknown }
    }

    fn each(&mut self, told: Told, by: impl Fn(u32) -> u32) {
        let (inside, telling) =
            if told.is_known { (&mut self.inside, &mut self.telling) } else { (&mut self.unknown, &mut self.doubtful) };
        if told.is_in {
            *inside = by(*inside);
        }
        if told.tells {
            *telling = by(*telling);
        }
    }
}

impl Judged {
    pub(super) fn join(&self, counts: &mut [Counts]) {
        self.count(counts, |count| count.saturating_add(1));
    }

    pub(super) fn leave(&self, counts: &mut [Counts]) {
        self.count(counts, |count| count.saturating_sub(1));
    }

    fn count(&self, counts: &mut [Counts], by: impl Fn(u32) -> u32) {
        for told in &self.told {
            if let Some(counts) = counts.get_mut(usize::from(told.fence)) {
                counts.each(*told, &by);
            }
        }
    }
}

impl Settings {
    /// Whether anything but its own word decides a marker's state.
    pub(super) const fn judges(&self) -> bool {
        !self.fences.is_empty() || self.lost_after.is_some()
    }

    /// Notes where an event says that a marker is, before its own place is changed.
    pub(super) fn note_place(&self, marker: &mut Marker, place: Picked<(f64, f64)>, at: Ms) {
        if !self.judges() {
            return;
        }
        match place {
            Picked::Missing => {}
            Picked::Null => marker.sides.stay(&self.fences, self.lost(marker).map_or(at, |lost| lost.min(at))),
            Picked::Some(place) => {
                let is_first = marker.placed.is_none()
                    || marker.place.is_none()
                    || self.lost(marker).is_some_and(|lost| lost <= at);
                marker.sides.go(&self.fences, place, at, is_first);
                marker.placed = Some(at);
            }
        }
    }

    /// When a marker's position stops to say where it is.
    fn lost(&self, marker: &Marker) -> Option<Ms> {
        Some(marker.placed?.saturating_add(self.lost_after?))
    }

    /// What the fences make of a marker by now, and when that may be something else though nothing comes.
    pub(super) fn judged(&self, marker: &Marker, now: Option<Ms>) -> (Judged, Option<Ms>) {
        let now = now.map_or(marker.heard, |now| now.max(marker.heard));
        let lost = self.lost(marker);
        let is_known = marker.place.is_some() && lost.is_none_or(|lost| now < lost);
        // Where it is not known, it counts as it did at last.
        let at = lost.filter(|_| !is_known).map_or(now, |lost| lost.min(now));
        let mut judged = Judged { state: marker.state, ..Judged::default() };
        if marker.place.is_some() && !is_known {
            judged.state = marker.state.or_worse(State::Unknown);
        }
        let mut turns = lost.filter(|_| is_known);
        // What has never been anywhere is on no side.
        for (fence, spec) in numbered(&self.fences).filter(|_| marker.placed.is_some()) {
            let side = marker.sides.of(fence);
            if let Some(side) = side.filter(|side| is_known && side.is_in != side.was_in) {
                let turn = side.since.saturating_add(hold(spec));
                turns = if turn > now { Some(turns.map_or(turn, |other| other.min(turn))) } else { turns };
            }
            if !spec.tells_of(marker) {
                continue;
            }
            let is_in = side.is_some_and(|side| side.counts(hold(spec), at));
            let tells = is_in == (spec.when == FenceWhen::Inside);
            if tells && is_known && spec.state.badness() >= judged.state.badness() {
                let is_worse = judged.fence.is_none() || spec.state.badness() > judged.state.badness();
                judged.fence = if is_worse { Some(fence) } else { judged.fence };
                judged.state = spec.state;
            }
            if is_in || tells {
                judged.told.push(Told { fence, is_in, is_known, tells });
            }
        }
        (judged, turns)
    }
}

impl FenceSpec {
    fn tells_of(&self, marker: &Marker) -> bool {
        (self.of_states.is_empty() || self.of_states.contains(&marker.state))
            && (self.of_icons.is_empty() || marker.icon.is_some_and(|icon| self.of_icons.contains(&icon)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::{
        Aggregate,
        frame::{FenceValue, MarkersValue, State, WidgetValue},
        testing::{advance, aggregate, fold_named as fold},
    };

    /// A square from 0 to 10 degrees, and one within it of which only what is late is told, and what is outside of a circle.
    fn fenced(hold: i64, lost: Value) -> Aggregate {
        aggregate(
            json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "state": "s", "remove_on": ["gone"],
            "lost_after": lost, "fences": [
                {"name": "Depot", "polygon": [[0, 0], [10, 0], [10, 10], [0, 10]], "state": "warning", "hold": hold},
                {"name": "Gate", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]], "state": "alarm", "of_states": ["warning"]},
            ]}),
        )
    }

    fn value(own: &Aggregate) -> MarkersValue {
        match own.value(0) {
            WidgetValue::Markers(value) => value,
            other => panic!("{other:?} are no markers"),
        }
    }

    fn at(own: &mut Aggregate, time: i64, lat: f64) {
        fold(own, time, "e", json!({"k": "a", "lat": lat, "lon": 5}));
    }

    fn says(own: &Aggregate) -> (State, Option<u32>, FenceValue) {
        let value = value(own);
        (value.markers[0].state, value.markers[0].fence, value.fences[0])
    }

    const IN: FenceValue = FenceValue { state: State::Warning, inside: 1, unknown: 0 };
    const OUT: FenceValue = FenceValue { state: State::Normal, inside: 0, unknown: 0 };

    /// A position that flickers across the border tells nothing: it counts when it was on the other side for long enough.
    #[test]
    fn what_flickers_across_a_border_tells_nothing() {
        let mut own = fenced(10_000, Value::Null);
        at(&mut own, 0, 11.0);
        assert_eq!(says(&own), (State::Normal, None, OUT));
        for time in 1..9 {
            at(&mut own, time * 4000, if time % 2 == 0 { 10.1 } else { 9.9 });
            assert_eq!(says(&own), (State::Normal, None, OUT), "{time}");
        }
        at(&mut own, 40_000, 9.0);
        assert_eq!(own.next_change().map(watchfloor_model::Timestamp::as_millis), Some(50_000));
        let painted = own.version();
        advance(&mut own, 49_999);
        assert_eq!((says(&own), own.version()), ((State::Normal, None, OUT), painted));
        advance(&mut own, 50_000);
        assert_eq!(says(&own), (State::Warning, Some(0), IN));
        let WidgetValue::Markers(change) = own.value(painted) else { panic!("no markers") };
        assert_eq!((change.whole, change.markers.len(), change.fences[0]), (false, 1, IN));
        // On its way out the same; that time was told to pass makes no difference.
        at(&mut own, 60_000, 11.0);
        at(&mut own, 65_000, 9.0);
        at(&mut own, 66_000, 11.0);
        assert_eq!(says(&own), (State::Warning, Some(0), IN));
        at(&mut own, 76_000, 11.0);
        assert_eq!(says(&own), (State::Normal, None, OUT));
        assert_eq!(own.report()["a"].get("fence"), None);
    }

    /// Where a marker is said to be counts at once when nobody knew of it before.
    #[test]
    fn a_first_position_counts_at_once() {
        let mut own = fenced(10_000, Value::Null);
        at(&mut own, 0, 10.0);
        assert_eq!(says(&own), (State::Warning, Some(0), IN));
        assert_eq!(own.report()["a"]["fence"], "Depot");
        fold(&mut own, 1, "gone", json!({"k": "a"}));
        assert_eq!(value(&own).fences[0], OUT);
    }

    /// H1: what isn't known to be inside isn't said to be, nor that it left: neither after its position is too old, nor where it said
    /// that it has none.
    #[test]
    fn a_lost_marker_is_unknown() {
        let mut own = fenced(10_000, json!(30_000));
        at(&mut own, 0, 5.0);
        fold(&mut own, 20_000, "e", json!({"k": "a", "s": "ok"}));
        advance(&mut own, 29_999);
        assert_eq!(says(&own), (State::Warning, Some(0), IN));
        advance(&mut own, 30_000);
        let unknown = FenceValue { state: State::Unknown, inside: 0, unknown: 1 };
        assert_eq!(says(&own), (State::Unknown, None, unknown));
        let mut other = own.like();
        other.restore(&own.state_text()).expect("its state");
        assert_eq!(other.value(0), own.value(0));
        // Heard of again it counts at once, wherever it is.
        at(&mut own, 31_000, 12.0);
        assert_eq!(says(&own), (State::Normal, None, OUT));
        at(&mut own, 70_000, 3.0);
        assert_eq!(says(&own), (State::Warning, Some(0), IN));
        fold(&mut own, 71_000, "e", json!({"k": "a", "lat": null, "lon": null}));
        assert_eq!((value(&own).markers.len(), value(&own).unplaced, value(&own).fences[0]), (0, 1, unknown));
        advance(&mut own, 500_000);
        assert_eq!(value(&own).fences[0], unknown);
    }

    /// The worst fence tells; its own state is taken when it is worse; and fences may tell of some markers only.
    #[test]
    fn the_worse_state_is_shown() {
        let mut own = fenced(0, Value::Null);
        let mut go = |time: i64, lat: f64, lon: f64, s: &str| {
            fold(&mut own, time, "e", json!({"k": "a", "lat": lat, "lon": lon, "s": s}));
            let value = value(&own);
            (value.markers[0].state, value.markers[0].fence, value.fences[0].inside, value.fences[1].inside)
        };
        assert_eq!(go(0, 0.5, 0.5, "ok"), (State::Warning, Some(0), 1, 0));
        assert_eq!(go(1, 0.5, 0.5, "late"), (State::Alarm, Some(1), 1, 1));
        assert_eq!(go(2, 5.0, 5.0, "bad"), (State::Alarm, None, 1, 0));
        assert_eq!(go(3, 50.0, 5.0, "late"), (State::Warning, None, 0, 0));
    }

    #[test]
    fn a_fence_may_tell_of_what_left_it() {
        let mut own = aggregate(json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "fences": [
            {"name": "Home", "circle": [0, 0, 1000], "state": "alarm", "when": "outside"}]}));
        fold(&mut own, 0, "e", json!({"k": "a", "lat": 0, "lon": 0.008}));
        fold(&mut own, 0, "e", json!({"k": "b"}));
        assert_eq!(value(&own).fences, [FenceValue { state: State::Normal, inside: 1, unknown: 0 }]);
        fold(&mut own, 1, "e", json!({"k": "a", "lat": 0, "lon": 0.01}));
        assert_eq!(value(&own).fences, [FenceValue { state: State::Alarm, inside: 0, unknown: 0 }]);
        fold(&mut own, 2, "e", json!({"k": "a", "lat": null, "lon": null}));
        assert_eq!(value(&own).fences, [FenceValue { state: State::Unknown, inside: 0, unknown: 0 }]);
    }

    /// The same, counted anew from all positions that ever came: which side counts at an instant is that of the last one that held for so long.
    fn model(story: &[(i64, Option<f64>)], hold: i64, lost: i64, now: i64) -> Option<(bool, bool)> {
        let mut counts: Option<bool> = None;
        let mut candidate: Option<(bool, i64)> = None;
        let mut heard: Option<i64> = None;
        let mut known = false;
        let ripen = |counts: &mut Option<bool>, candidate: &Option<(bool, i64)>, by: i64| {
            if let Some((is_in, since)) = candidate
                && by - since >= hold
            {
                *counts = Some(*is_in);
            }
        };
        for (time, lat) in story {
            let end = heard.map(|heard| heard + lost);
            ripen(&mut counts, &candidate, end.map_or(*time, |end| end.min(*time)));
            if end.is_some_and(|end| end <= *time) {
                known = false;
            }
            let Some(lat) = lat else {
                (known, candidate) = (false, None);
                continue;
            };
            let is_in = (0.0..=10.0).contains(lat);
            if !known || counts.is_none() {
                (counts, candidate) = (Some(is_in), Some((is_in, *time)));
            } else if candidate.is_none_or(|(side, _)| side != is_in) {
                candidate = Some((is_in, *time));
            }
            (known, heard) = (true, Some(*time));
        }
        let end = heard? + lost;
        if known {
            ripen(&mut counts, &candidate, end.min(now));
        }
        Some((counts?, known && now < end))
    }

    proptest! {
        /// However time is told to pass, and restored at any point, it is what the model says (H3, H4).
        #[test]
        fn agrees_with_a_model(
            steps in prop::collection::vec((1..8_i64, prop::option::weighted(0.9, 8..13_i64), any::<bool>()), 1..40),
            hold in 0..6_i64, lost in 3..15_i64, after in 0..20_i64,
        ) {
            let mut own = fenced(hold * 1000, json!(lost * 1000));
            let mut story = Vec::new();
            let mut time = 0;
            for (by, lat, passes) in steps {
                time += by * 1000;
                if passes {
                    advance(&mut own, time - 500);
                    let mut other = own.like();
                    other.restore(&own.state_text()).expect("its state");
                    prop_assert_eq!(other.value(0), own.value(0));
                    own = other;
                }
                #[allow(clippy::cast_precision_loss)]
                let lat = lat.map(|lat| lat as f64);
                story.push((time, lat));
                fold(&mut own, time, "e", json!({"k": "a", "lat": lat, "lon": lat.map(|_| 5)}));
            }
            let now = time + after * 1000;
            advance(&mut own, now);
            let expected = match model(&story, hold * 1000, lost * 1000, now) {
                None | Some((false, _)) => OUT,
                Some((true, true)) => IN,
                Some((true, false)) => FenceValue { state: State::Unknown, inside: 0, unknown: 1 },
            };
            prop_assert_eq!(value(&own).fences[0], expected);
        }
    }
}

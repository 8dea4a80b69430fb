//! Where a marker was: one position in each step of time, the newest of it.
//!
//! What is kept depends on the events alone, not on the order in which they came: a late one finds its own place. It reaches back from
//! the marker's own newest position, so it stays as it is while nothing comes.

use serde::{Deserialize, Serialize};

use super::Ms;
use crate::frame::{TrailLook, TrailPoint};

/// Most positions of all trails of one map. A trail that grows beyond gives its own oldest position for each new one.
pub(crate) const POINTS_MAX: usize = 50_000;

/// One marker's positions, in order of time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<TrailPoint>", into = "Vec<TrailPoint>")]
pub(crate) struct Trail {
    points: Vec<Point>,
    /// Who has seen nothing newer gets all of it.
    whole: u64,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Ms,
    /// Degrees north and east; none where it was said that there is none.
    place: Option<(f64, f64)>,
    version: u64,
}

impl From<TrailPoint> for Point {
    fn from((at, place): TrailPoint) -> Self {
        Self { at, place, version: 0 }
    }
}

impl From<Point> for TrailPoint {
    fn from(point: Point) -> Self {
        (point.at, point.place)
    }
}

impl From<Vec<TrailPoint>> for Trail {
    fn from(points: Vec<TrailPoint>) -> Self {
        Self { points: points.into_iter().map(Point::from).collect(), whole: 0 }
    }
}

impl From<Trail> for Vec<TrailPoint> {
    fn from(trail: Trail) -> Self {
        trail.points.into_iter().map(TrailPoint::from).collect()
    }
}

impl Trail {
    /// An empty one, which nobody has seen at `version`.
    pub(crate) const fn new(version: u64) -> Self {
        Self { points: Vec::new(), whole: version }
    }

    /// It was there, or nowhere, at an instant; says whether that changes anything. All trails together have `total` points, which is kept.
    pub(crate) fn add(
        &mut self,
        look: TrailLook,
        at: Ms,
        place: Option<(f64, f64)>,
        version: u64,
        total: &mut usize,
    ) -> bool {
        let step = look.step(at);
        let newest = self.points.last().map_or(step, |newest| look.step(newest.at));
        if step <= newest - TrailLook::STEPS {
            return false;
        }
        let place_of = self.points.partition_point(|own| look.step(own.at) < step);
        let own = self.points.get_mut(place_of).filter(|own| look.step(own.at) == step);
        if let Some(own) = own {
            // Of the same instant, what came last counts, as for the marker.
            if at < own.at || (own.at, own.place) == (at, place) {
                return false;
            }
            *own = Point { at, place, version };
            return true;
        }
        // That there was none before the first, or still none, says nothing of a way.
        if place.is_none() && self.points.get(place_of.wrapping_sub(1)).is_none_or(|before| before.place.is_none()) {
            return false;
        }
        self.points.insert(place_of, Point { at, place, version });
        *total += 1;
        let oldest = step.max(newest) - TrailLook::STEPS;
        let old = self.points.partition_point(|own| look.step(own.at) <= oldest);
        let surplus = usize::from(*total - old > POINTS_MAX);
        self.points.drain(..old + surplus);
        *total -= old + surplus;
        if surplus > 0 {
            // A page lets points go by their age alone.
            self.whole = version;
        }
        true
    }

    /// Whether this is all of it, and what changed after version `since`.
    pub(crate) fn since(&self, since: u64) -> (bool, Vec<TrailPoint>) {
        let whole = since < self.whole || since == 0;
        (
            whole,
            self.points.iter().filter(|point| whole || point.version > since).map(|point| (*point).into()).collect(),
        )
    }

    pub(crate) const fn len(&self) -> usize {
        self.points.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    pub(crate) fn is_sound(&self, look: TrailLook) -> bool {
        let is_on_earth = |point: &Point| point.place.is_none_or(|(lat, lon)| lat.abs() <= 90.0 && lon.abs() <= 180.0);
        let is_in_time = |point: &Point| super::check_instant(Some(point.at)).is_ok();
        let (first, last) = (self.points.first(), self.points.last());
        self.points.iter().all(|point| is_on_earth(point) && is_in_time(point))
            && self.points.windows(2).all(|pair| look.step(pair[0].at) < look.step(pair[1].at))
            && first.zip(last).is_none_or(|(first, last)| look.step(last.at) - look.step(first.at) < TrailLook::STEPS)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn trail_of(look: TrailLook, events: &[(Ms, i32)]) -> Vec<TrailPoint> {
        let (mut own, mut total) = (Trail::default(), 0);
        for (version, (at, lat)) in events.iter().enumerate() {
            own.add(look, *at, Some((f64::from(*lat), 0.0)), version as u64 + 1, &mut total);
            assert!(own.is_sound(look));
            assert_eq!(total, own.len());
        }
        own.since(0).1
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        /// H3: in whatever order positions come, the trail is the newest of each of the last steps; and a page that takes changes has the same.
        #[test]
        fn order_changes_nothing(
            keep in 1..4000_i64,
            events in prop::collection::btree_map(-3000..3000_i64, -80..80_i32, 0..120),
            seed in any::<u64>(),
            cut in 0..120_usize,
        ) {
            let look = TrailLook::of(keep);
            let mut shuffled: Vec<(Ms, i32)> = events.into_iter().collect();
            let in_order = trail_of(look, &shuffled);
            let mut newest: BTreeMap<i64, TrailPoint> = BTreeMap::new();
            for (at, lat) in &shuffled {
                newest.insert(look.step(*at), (*at, Some((f64::from(*lat), 0.0))));
            }
            let last = newest.last_key_value().map_or(0, |(step, _)| *step);
            let model: Vec<TrailPoint> =
                newest.into_iter().filter(|(step, _)| *step > last - TrailLook::STEPS).map(|(_, point)| point).collect();
            prop_assert_eq!(&in_order, &model);

            let mut random = seed | 1;
            for at in (1..shuffled.len()).rev() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                shuffled.swap(at, (random % (at as u64 + 1)) as usize);
            }
            prop_assert_eq!(&trail_of(look, &shuffled), &model);

            let (mut own, mut total, mut held) = (Trail::default(), 0, Vec::new());
            let mut seen = 0;
            for (number, (at, lat)) in shuffled.iter().enumerate() {
                own.add(look, *at, Some((f64::from(*lat), 0.0)), number as u64 + 1, &mut total);
                if number % 7 == cut % 7 {
                    held = look.merged(held, own.since(seen).1);
                    seen = number as u64 + 1;
                }
            }
            held = look.merged(held, own.since(seen).1);
            prop_assert_eq!(held, model);
        }
    }

    /// A position that is no more breaks the way, once.
    #[test]
    fn no_position_is_a_break() {
        let look = TrailLook::of(40_000);
        let (mut own, mut total) = (Trail::default(), 0);
        assert!(!own.add(look, 0, None, 1, &mut total), "nothing before the first");
        assert!(own.add(look, 1000, Some((1.0, 2.0)), 2, &mut total));
        assert!(own.add(look, 2000, None, 3, &mut total));
        assert!(!own.add(look, 3000, None, 4, &mut total), "still none");
        assert!(own.add(look, 4000, Some((1.0, 3.0)), 5, &mut total));
        assert!(!own.add(look, 4000, Some((1.0, 3.0)), 6, &mut total), "the same again");
        assert_eq!(own.since(0).1, [(1000, Some((1.0, 2.0))), (2000, None), (4000, Some((1.0, 3.0)))]);
        assert_eq!(own.since(3), (false, vec![(4000, Some((1.0, 3.0)))]));
    }

    /// H5: beyond the bound a trail gives its oldest position for a new one.
    #[test]
    fn trails_are_bounded_together() {
        let look = TrailLook::of(40_000);
        let (mut own, mut total) = (Trail::default(), POINTS_MAX - 2);
        for at in 0..10 {
            own.add(look, at * 1000, Some((1.0, 2.0)), 1, &mut total);
            assert!(total <= POINTS_MAX);
        }
        assert_eq!(own.len(), 2);
        assert_eq!(own.since(0).1.last().map(|point| point.0), Some(9000));
    }
}

//! What a map is made of besides its markers' values: icons and trails.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The shapes that a marker may have. They are told apart by their outline alone: each has a state's shape around it, never in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export_to = "frame.ts")]
pub enum Icon {
    /// Seen from above; turns with the heading.
    Aircraft,
    /// Seen from above; turns with the heading.
    Helicopter,
    /// Seen from above; turns with the heading.
    Ship,
    /// Points where it heads; turns with the heading.
    Arrow,
    /// From the side.
    Car,
    /// From the side.
    Truck,
    /// From the front.
    Train,
    /// First aid.
    Cross,
    /// Fire.
    Flame,
    /// Police, security.
    Shield,
    /// Somebody.
    Person,
    /// A parcel, a container.
    Box,
    /// A tool: works, repairs.
    Wrench,
    /// A word that the board file gives no icon to.
    Other,
}

/// How trails are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct TrailLook {
    /// How far back they reach, milliseconds of the source's time.
    #[ts(type = "number")]
    pub keep_ms: i64,
    /// There is one position in each stretch of this length at most, the newest of it, milliseconds.
    #[ts(type = "number")]
    pub step_ms: i64,
}

/// Where a marker was: the source's time, milliseconds since the Unix epoch, and degrees north and east; none where it said that it had no
/// position.
pub type TrailPoint = (i64, Option<(f64, f64)>);

impl TrailLook {
    /// Steps of a trail.
    pub const STEPS: i64 = 40;

    /// The trail of a length in milliseconds, at least one.
    #[must_use]
    pub fn of(keep_ms: i64) -> Self {
        let keep_ms = keep_ms.max(1);
        Self { keep_ms, step_ms: (keep_ms + Self::STEPS - 1) / Self::STEPS }
    }

    /// The step that an instant is in.
    #[must_use]
    pub const fn step(self, at: i64) -> i64 {
        at.div_euclid(self.step_ms)
    }

    /// The trail, in order of time, after a change: each point takes the place of that of its step, and what is [`Self::STEPS`] steps or more
    /// before the newest goes.
    #[must_use]
    pub fn merged(self, held: Vec<TrailPoint>, change: Vec<TrailPoint>) -> Vec<TrailPoint> {
        let mut points: std::collections::BTreeMap<i64, TrailPoint> =
            held.into_iter().chain(change).map(|point| (self.step(point.0), point)).collect();
        if let Some((newest, _)) = points.last_key_value() {
            points = points.split_off(&(newest - Self::STEPS + 1));
        }
        points.into_values().collect()
    }
}

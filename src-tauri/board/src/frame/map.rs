//! What a map is made of besides its markers' values: icons, trails, layers and fences.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::State;

/// The shapes that a marker may have. They are told apart by their outline alone: each has a state's shape around it, never in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TrailLook {
    /// How far back they reach, milliseconds of the source's time.
    #[cfg_attr(test, ts(type = "number"))]
    pub keep_ms: i64,
    /// There is one position in each stretch of this length at most, the newest of it, milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub step_ms: i64,
}

/// Areas, each an outline and its holes. A ring is not closed, and its positions are ten-millionths of a degree east and north in turn: how far
/// each is from the one before, the first from 0. Where the map shows both sides of the antimeridian, longitudes may count on beyond it.
pub type Outlines = Vec<Vec<Vec<i64>>>;

/// How a layer's shapes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum LayerDraw {
    /// As they are: areas filled and outlined, lines, and points.
    Area,
    /// Areas as their outlines.
    Line,
    /// Each shape as a point in its middle.
    Point,
}

/// A layer of a map: what a file says, as far as it lies where the map shows and as fine as a screen can.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct LayerLook {
    /// How.
    pub draw: LayerDraw,
    /// What it has, in the file's order.
    pub shapes: Vec<ShapeLook>,
    /// Shapes of the file for which there was no room, or that have no place.
    pub left_out: u32,
}

/// A shape of a layer: one feature of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct ShapeLook {
    /// What is written in it; nothing where a fence has its name.
    pub name: Option<String>,
    /// What it means.
    pub state: State,
    /// Its areas.
    #[cfg_attr(test, ts(type = "number[][][]"))]
    pub areas: Outlines,
    /// Its lines, as rings are.
    #[cfg_attr(test, ts(type = "number[][]"))]
    pub lines: Vec<Vec<i64>>,
    /// Its points, as a ring is.
    #[cfg_attr(test, ts(type = "number[]"))]
    pub points: Vec<i64>,
}

/// Where a marker must be for a fence to tell of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum FenceWhen {
    /// In it.
    #[default]
    Inside,
    /// Anywhere else.
    Outside,
}

/// A fence of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct FenceLook {
    /// Its name.
    pub name: String,
    /// What it means for a marker to be where it tells of.
    pub state: State,
    /// Where that is.
    pub when: FenceWhen,
    /// What it encloses.
    #[cfg_attr(test, ts(type = "number[][][]"))]
    pub areas: Outlines,
}

/// What a fence says now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct FenceValue {
    /// Its state if a marker is where it tells of, unknown if one was and nobody knows where it is now, else normal.
    pub state: State,
    /// Markers that are in it.
    pub inside: u32,
    /// Markers that were in it when their place was last known.
    pub unknown: u32,
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

//! The page: pulls frames, applies what changed, and says *live* only for as long as the last frame allows.

use std::collections::BTreeMap;

use watchfloor_board::{
    Board,
    frame::{Quality, TrailPoint, WidgetValue},
};
use watchfloor_model::{Mono, Timestamp};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Page {
    version: u64,
    revision: u32,
    values: BTreeMap<String, WidgetValue>,
    /// Frames taken.
    pub frames: u64,
}

/// Points that lie this far before the newest are dropped.
const KEEP_MS: i64 = 30 * 60_000;
/// A step of the map's trails, and how many there are.
const TRAIL_STEP_MS: i64 = 15_000;
const TRAIL_STEPS: i64 = 40;
/// Lines that the log's look keeps.
const LINES_KEPT: usize = 10;

impl Page {
    /// Takes the next frame.
    ///
    /// # Errors
    /// If a frame is larger than it may be, or can't be applied.
    pub fn pull(&mut self, board: &mut Board, now: Mono, wall: Timestamp) -> Result<(), String> {
        let frame = board.frame(self.version, self.revision, now, wall);
        self.frames += 1;
        if frame.board.is_some() {
            self.values.clear();
        }
        (self.version, self.revision) = (frame.version, frame.revision);
        for patch in frame.widgets {
            check_quality(&patch.id, &patch.quality)?;
            let Some(value) = patch.value else { continue };
            match self.values.get_mut(&patch.id) {
                Some(own) => apply(own, value),
                None => drop(self.values.insert(patch.id, value)),
            }
        }
        Ok(())
    }

    /// What it shows is what a new page would show.
    ///
    /// # Errors
    /// If it isn't.
    pub fn check(&self, board: &mut Board, now: Mono, wall: Timestamp) -> Result<(), String> {
        let mut fresh = Self::default();
        fresh.pull(board, now, wall)?;
        for (id, value) in &mut fresh.values {
            let own = self.values.get(id).cloned().map(sorted);
            let value = sorted(value.clone());
            if own.as_ref() != Some(&value) {
                return Err(format!("H3: frames brought `{id}` to {own:?}, a new page shows {value:?}"));
            }
        }
        Ok(())
    }
}

fn check_quality(id: &str, quality: &Quality) -> Result<(), String> {
    let current = quality.freshness.is_current();
    if current != quality.reason.is_none() {
        return Err(format!("H1: `{id}` is {:?} because of {:?}", quality.freshness, quality.reason));
    }
    if !current && quality.live_for_ms > 0 {
        return Err(format!("H1: `{id}` is {:?} and live for {} ms", quality.freshness, quality.live_for_ms));
    }
    if current && quality.age_ms.is_none() {
        return Err(format!("H1: `{id}` is live and has no age"));
    }
    Ok(())
}

fn apply(own: &mut WidgetValue, patch: WidgetValue) {
    match (own, patch) {
        (WidgetValue::Table(own), WidgetValue::Table(patch)) => {
            if patch.whole {
                own.rows.clear();
            }
            own.rows.retain(|row| !patch.removed.contains(&row.key));
            for row in patch.rows {
                own.rows.retain(|old| old.key != row.key);
                own.rows.push(row);
            }
            own.order = patch.order.or(own.order.take());
            own.total = patch.total;
            own.at_least = patch.at_least;
            (own.groups, own.groups_total) = (patch.groups, patch.groups_total);
        }
        (WidgetValue::Log(own), WidgetValue::Log(patch)) => {
            let kept = if patch.whole { Vec::new() } else { std::mem::take(&mut own.lines) };
            own.lines = patch.lines.into_iter().chain(kept).take(LINES_KEPT).collect();
            own.total = patch.total;
        }
        (WidgetValue::Series(own), WidgetValue::Series(patch)) => {
            if patch.whole {
                own.lines.clear();
            }
            own.gaps = patch.gaps;
            if patch.whole || patch.marks.is_some() {
                own.marks = patch.marks;
            }
            for line in patch.lines {
                let Some(old) = own.lines.iter_mut().find(|old| old.key == line.key) else {
                    own.lines.push(line);
                    continue;
                };
                for point in line.points {
                    match old.points.iter_mut().find(|own| own.0 == point.0) {
                        Some(own) => *own = point,
                        None => old.points.push(point),
                    }
                }
            }
            let newest = own.lines.iter().flat_map(|line| &line.points).map(|point| point.0).max();
            for line in &mut own.lines {
                line.points.retain(|point| newest.is_none_or(|newest| point.0 > newest - KEEP_MS));
            }
        }
        (WidgetValue::Timeline(own), WidgetValue::Timeline(patch)) => {
            if patch.whole {
                own.rows.clear();
            }
            for row in patch.rows {
                own.rows.retain(|old| old.key != row.key);
                own.rows.push(row);
            }
        }
        (WidgetValue::Markers(own), WidgetValue::Markers(patch)) => {
            if patch.whole {
                own.markers.clear();
            }
            own.markers.retain(|marker| !patch.removed.contains(&marker.key));
            for mut marker in patch.markers {
                let old = own.markers.iter().position(|old| old.key == marker.key).map(|at| own.markers.remove(at));
                if let Some(old) = old.filter(|_| !marker.trail_whole) {
                    marker.trail = merged_trail(old.trail, marker.trail);
                }
                own.markers.push(marker);
            }
            (own.total, own.unplaced, own.gaps) = (patch.total, patch.unplaced, patch.gaps);
            own.fences = patch.fences;
        }
        (own, patch) => *own = patch,
    }
}

/// Each point in the place of that of its step, and none that is a trail's length or more behind the newest.
fn merged_trail(held: Vec<TrailPoint>, change: Vec<TrailPoint>) -> Vec<TrailPoint> {
    let step = |point: &TrailPoint| point.0.div_euclid(TRAIL_STEP_MS);
    let mut points: Vec<TrailPoint> =
        held.into_iter().filter(|old| change.iter().all(|new| step(new) != step(old))).collect();
    points.extend(change);
    points.sort_by_key(|point| point.0);
    let newest = points.last().map_or(0, step);
    points.retain(|point| step(point) > newest - TRAIL_STEPS);
    points
}

/// In an order that doesn't depend on how it came about.
fn sorted(value: WidgetValue) -> WidgetValue {
    match value {
        WidgetValue::Table(mut table) => {
            table.whole = true;
            table.removed.clear();
            table.rows.sort_by(|a, b| a.key.cmp(&b.key));
            WidgetValue::Table(table)
        }
        WidgetValue::Log(mut log) => {
            log.whole = true;
            WidgetValue::Log(log)
        }
        WidgetValue::Series(mut series) => {
            series.whole = true;
            series.lines.sort_by(|a, b| a.key.cmp(&b.key));
            for line in &mut series.lines {
                line.points.sort_by_key(|point| point.0);
            }
            WidgetValue::Series(series)
        }
        WidgetValue::Timeline(mut timeline) => {
            timeline.whole = true;
            timeline.rows.sort_by(|a, b| a.key.cmp(&b.key));
            WidgetValue::Timeline(timeline)
        }
        WidgetValue::Markers(mut markers) => {
            markers.whole = true;
            markers.removed.clear();
            markers.markers.sort_by(|a, b| a.key.cmp(&b.key));
            // Whether a change had all of a trail says nothing of what is held.
            for marker in &mut markers.markers {
                marker.trail_whole = true;
            }
            WidgetValue::Markers(markers)
        }
        other => other,
    }
}

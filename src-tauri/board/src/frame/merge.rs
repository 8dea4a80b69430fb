//! What a page holds after a frame, for who keeps frames and shows them later: the record of the glass.
//!
//! What is held is itself a frame, a whole one. The law is the page's own: applying every frame since a whole one gives what a
//! new page gets.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Frame, HeatLook, LogValue, Look, MarkerValue, MarkersValue, RowValue, SeriesLine, SeriesValue, TableValue,
    TimelineRow, TimelineValue, TrailLook, WidgetPatch, WidgetValue,
};

/// A change came to something that isn't held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a change to {0}, which is not held")]
pub struct NeedsWhole(String);

impl Frame {
    /// Whether a page that holds nothing can take this.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.board.is_some()
    }

    /// What a page holds that holds this frame, a whole one, and takes a newer one.
    ///
    /// # Errors
    /// If the newer one is a change to something that this one doesn't hold.
    pub fn merge(self, newer: Self) -> Result<Self, NeedsWhole> {
        if newer.is_whole() {
            return Ok(newer);
        }
        let board = self.board.filter(|_| newer.revision == self.revision);
        let board = board.ok_or_else(|| NeedsWhole("another board".to_owned()))?;
        let looks: BTreeMap<&str, &Look> = board.widgets.iter().map(|view| (view.id.as_str(), &view.look)).collect();
        let mut held: BTreeMap<String, Option<WidgetValue>> =
            self.widgets.into_iter().map(|patch| (patch.id, patch.value)).collect();
        let mut widgets = Vec::with_capacity(newer.widgets.len());
        for patch in newer.widgets {
            let before = held.remove(&patch.id).flatten();
            let value = match patch.value {
                Some(value) => Some(
                    merge_value(before, value, looks.get(patch.id.as_str()).copied())
                        .ok_or_else(|| NeedsWhole(patch.id.clone()))?,
                ),
                None => before,
            };
            widgets.push(WidgetPatch { value, ..patch });
        }
        let (outages, alarms) = (newer.outages.or(self.outages), newer.alarms.or(self.alarms));
        Ok(Self { board: Some(board), widgets, outages, alarms, ..newer })
    }
}

/// The whole value after a change; none if there is nothing to change.
fn merge_value(held: Option<WidgetValue>, change: WidgetValue, look: Option<&Look>) -> Option<WidgetValue> {
    Some(match (change, held) {
        (WidgetValue::Table(change), Some(WidgetValue::Table(held))) if !change.whole => {
            WidgetValue::Table(merge_table(held, change)?)
        }
        (WidgetValue::Log(change), Some(WidgetValue::Log(held))) if !change.whole => {
            let limit = if let Some(Look::Log { limit }) = look { *limit } else { u32::MAX };
            WidgetValue::Log(merge_log(held, change, limit as usize))
        }
        (WidgetValue::Series(change), Some(WidgetValue::Series(held))) if !change.whole => {
            let keep = match look {
                Some(Look::Series { keep_ms, .. } | Look::Heat(HeatLook { keep_ms, .. })) => *keep_ms,
                _ => u64::MAX,
            };
            WidgetValue::Series(merge_series(held, change, i64::try_from(keep).unwrap_or(i64::MAX)))
        }
        (WidgetValue::Timeline(change), Some(WidgetValue::Timeline(held))) if !change.whole => {
            let rows = held.rows.into_iter().chain(change.rows).map(|row| (row.key.clone(), row));
            let rows: BTreeMap<String, TimelineRow> = rows.collect();
            WidgetValue::Timeline(TimelineValue { whole: true, rows: rows.into_values().collect() })
        }
        (WidgetValue::Markers(change), Some(WidgetValue::Markers(held))) if !change.whole => {
            let trail = if let Some(Look::Markers { trail, .. }) = look { *trail } else { None };
            WidgetValue::Markers(merge_markers(held, change, trail))
        }
        (
            change @ (WidgetValue::Number(_)
            | WidgetValue::Histogram(_)
            | WidgetValue::Status(_)
            | WidgetValue::Tally(_)),
            _,
        ) => change,
        (change, _) if is_whole(&change) => change,
        _ => return None,
    })
}

const fn is_whole(value: &WidgetValue) -> bool {
    match value {
        WidgetValue::Number(_) | WidgetValue::Histogram(_) | WidgetValue::Status(_) | WidgetValue::Tally(_) => true,
        WidgetValue::Table(table) => table.whole,
        WidgetValue::Log(log) => log.whole,
        WidgetValue::Series(series) => series.whole,
        WidgetValue::Timeline(timeline) => timeline.whole,
        WidgetValue::Markers(markers) => markers.whole,
    }
}

/// None if the order names a row that nobody has sent.
fn merge_table(held: TableValue, change: TableValue) -> Option<TableValue> {
    let keys = |rows: &[RowValue]| rows.iter().map(|row| row.key.clone()).collect();
    let order: Vec<String> = change.order.clone().or(held.order).unwrap_or_else(|| keys(&held.rows));
    let rows = held.rows.into_iter().chain(change.rows.iter().cloned());
    let mut by_key: BTreeMap<String, RowValue> = rows.map(|row| (row.key.clone(), row)).collect();
    for key in &change.removed {
        by_key.remove(key);
    }
    let rows = order.iter().map(|key| by_key.remove(key)).collect::<Option<_>>()?;
    Some(TableValue { whole: true, rows, removed: Vec::new(), order: Some(order), ..change })
}

fn merge_log(held: LogValue, change: LogValue, limit: usize) -> LogValue {
    let newest = held.lines.first().map(|line| line.number);
    let fresh = change.lines.into_iter().filter(|line| newest.is_none_or(|newest| line.number > newest));
    LogValue { whole: true, lines: fresh.chain(held.lines).take(limit).collect(), total: change.total }
}

fn merge_series(held: SeriesValue, change: SeriesValue, keep_ms: i64) -> SeriesValue {
    let mut lines: BTreeMap<String, BTreeMap<i64, Option<f64>>> = BTreeMap::new();
    for line in held.lines.into_iter().chain(change.lines) {
        lines.entry(line.key).or_default().extend(line.points);
    }
    let newest = lines.values().filter_map(|points| points.last_key_value()).map(|(at, _)| *at).max();
    let oldest = newest.map_or(i64::MIN, |newest| newest.saturating_sub(keep_ms));
    let line = |(key, points): (String, BTreeMap<i64, Option<f64>>)| SeriesLine {
        key,
        points: points.into_iter().filter(|(at, _)| *at > oldest).collect(),
    };
    let marks = change.marks.or(held.marks);
    SeriesValue { whole: true, lines: lines.into_iter().map(line).collect(), gaps: change.gaps, marks }
}

fn merge_markers(held: MarkersValue, change: MarkersValue, trail: Option<TrailLook>) -> MarkersValue {
    let removed: BTreeSet<String> = change.removed.into_iter().collect();
    let mut by_key: BTreeMap<String, MarkerValue> =
        held.markers.into_iter().map(|marker| (marker.key.clone(), marker)).collect();
    for mut marker in change.markers {
        let old = by_key.remove(&marker.key).map(|old| old.trail).filter(|_| !marker.trail_whole);
        if let Some((look, old)) = trail.zip(old) {
            marker.trail = look.merged(old, std::mem::take(&mut marker.trail));
        }
        marker.trail_whole = true;
        by_key.insert(marker.key.clone(), marker);
    }
    let markers = by_key.into_values().filter(|marker| !removed.contains(&marker.key)).collect();
    MarkersValue { whole: true, markers, removed: Vec::new(), ..change }
}

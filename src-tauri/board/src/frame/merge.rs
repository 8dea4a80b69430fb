//! What a page holds after a frame, for who keeps frames and shows them later: the record of the glass.
//!
//! What is held is itself a frame, a whole one. The law is the page's own: applying every frame since a whole one gives what a
//! new page gets.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Frame, LogValue, Look, MarkerValue, MarkersValue, RowValue, SeriesLine, SeriesValue, TableValue, WidgetPatch,
    WidgetValue,
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
        Ok(Self { board: Some(board), widgets, outages: newer.outages.or(self.outages), ..newer })
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
            let keep = if let Some(Look::Series { keep_ms, .. }) = look { *keep_ms } else { u64::MAX };
            WidgetValue::Series(merge_series(held, change, i64::try_from(keep).unwrap_or(i64::MAX)))
        }
        (WidgetValue::Markers(change), Some(WidgetValue::Markers(held))) if !change.whole => {
            WidgetValue::Markers(merge_markers(held, change))
        }
        (change @ (WidgetValue::Number(_) | WidgetValue::Status(_)), _) => change,
        (change, _) if is_whole(&change) => change,
        _ => return None,
    })
}

const fn is_whole(value: &WidgetValue) -> bool {
    match value {
        WidgetValue::Number(_) | WidgetValue::Status(_) => true,
        WidgetValue::Table(table) => table.whole,
        WidgetValue::Log(log) => log.whole,
        WidgetValue::Series(series) => series.whole,
        WidgetValue::Markers(markers) => markers.whole,
    }
}

/// None if the order names a row that nobody has sent.
fn merge_table(held: TableValue, change: TableValue) -> Option<TableValue> {
    let keys = |rows: &[RowValue]| rows.iter().map(|row| row.key.clone()).collect();
    let order: Vec<String> = change.order.or(held.order).unwrap_or_else(|| keys(&held.rows));
    let rows = held.rows.into_iter().chain(change.rows);
    let mut by_key: BTreeMap<String, RowValue> = rows.map(|row| (row.key.clone(), row)).collect();
    for key in &change.removed {
        by_key.remove(key);
    }
    let rows = order.iter().map(|key| by_key.remove(key)).collect::<Option<_>>()?;
    let (total, at_least) = (change.total, change.at_least);
    Some(TableValue { whole: true, rows, removed: Vec::new(), order: Some(order), total, at_least })
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
    SeriesValue { whole: true, lines: lines.into_iter().map(line).collect(), gaps: change.gaps }
}

fn merge_markers(held: MarkersValue, change: MarkersValue) -> MarkersValue {
    let removed: BTreeSet<String> = change.removed.into_iter().collect();
    let markers = held.markers.into_iter().chain(change.markers);
    let by_key: BTreeMap<String, MarkerValue> = markers.map(|marker| (marker.key.clone(), marker)).collect();
    let markers = by_key.into_values().filter(|marker| !removed.contains(&marker.key)).collect();
    MarkersValue { whole: true, markers, removed: Vec::new(), total: change.total, unplaced: change.unplaced }
}

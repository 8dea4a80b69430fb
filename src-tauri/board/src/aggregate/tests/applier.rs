//! What a page does with values, as the frame's documentation says it.

use std::collections::BTreeMap;

use crate::{
    config::spec::{FoldSpec, ReducerSpec},
    frame::{
        FenceValue, GroupValue, HistogramValue, LineValue, MarkerValue, MarksValue, NumberValue, RowValue, StatusValue,
        TallyValue, TimelineRow, TrailLook, WidgetValue,
    },
};

/// What a page holds of one widget.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Applied {
    number: Option<NumberValue>,
    rows: BTreeMap<String, RowValue>,
    order: Vec<String>,
    lines: Vec<LineValue>,
    points: BTreeMap<String, BTreeMap<i64, Option<f64>>>,
    gaps: Vec<(i64, i64)>,
    marks: Option<MarksValue>,
    histogram: Option<HistogramValue>,
    status: Option<StatusValue>,
    tally: Option<TallyValue>,
    states: BTreeMap<String, TimelineRow>,
    markers: BTreeMap<String, MarkerValue>,
    fences: Vec<FenceValue>,
    totals: Vec<u64>,
    groups: Vec<GroupValue>,
}

impl Applied {
    pub(crate) fn apply(&mut self, fold: &FoldSpec, value: WidgetValue) {
        match value {
            WidgetValue::Number(number) => self.number = Some(number),
            WidgetValue::Histogram(histogram) => self.histogram = Some(histogram),
            WidgetValue::Status(status) => self.status = Some(status),
            WidgetValue::Tally(tally) => self.tally = Some(tally),
            WidgetValue::Timeline(timeline) => {
                if timeline.whole {
                    self.states.clear();
                }
                self.states.extend(timeline.rows.into_iter().map(|row| (row.key.clone(), row)));
            }
            WidgetValue::Table(table) => {
                if table.whole {
                    self.rows.clear();
                }
                self.rows.extend(table.rows.into_iter().map(|row| (row.key.clone(), row)));
                self.rows.retain(|key, _| !table.removed.contains(key));
                if let Some(order) = table.order {
                    self.order = order;
                }
                assert!(self.rows.keys().all(|key| self.order.contains(key)), "a row that has no place");
                assert!(self.order.iter().all(|key| self.rows.contains_key(key)), "a place without its row");
                self.totals = vec![u64::from(table.total), u64::from(table.groups_total)];
                if !table.groups.is_empty() {
                    let shown: u32 = table.groups.iter().map(|group| group.shown).sum();
                    assert_eq!(shown as usize, self.order.len(), "groups of other rows");
                }
                self.groups = table.groups;
            }
            WidgetValue::Log(log) => {
                let mut lines = log.lines;
                if !log.whole {
                    lines.append(&mut self.lines);
                }
                let ReducerSpec::Log { limit, .. } = &fold.reducer else { panic!("a log's value of another kind") };
                lines.truncate(*limit as usize);
                self.lines = lines;
                self.totals = vec![log.total];
            }
            WidgetValue::Series(series) => {
                let ReducerSpec::Series { keep, .. } = &fold.reducer else { panic!("a series' value of another kind") };
                if series.whole {
                    self.points.clear();
                }
                for line in series.lines {
                    self.points.entry(line.key).or_default().extend(line.points);
                }
                let newest = self.points.values().filter_map(|line| line.last_key_value()).map(|(at, _)| *at).max();
                for line in self.points.values_mut() {
                    line.retain(|at, _| newest.is_some_and(|newest| *at > newest - keep.as_millis() as i64));
                }
                self.gaps = series.gaps;
                if series.whole || series.marks.is_some() {
                    self.marks = series.marks;
                }
            }
            WidgetValue::Markers(markers) => {
                if markers.whole {
                    self.markers.clear();
                }
                let ReducerSpec::Markers { trail, .. } = &fold.reducer else { panic!("a map's value of another kind") };
                let look = trail.map(|trail| TrailLook::of(trail.as_millis() as i64));
                for mut marker in markers.markers {
                    let old = self.markers.remove(&marker.key).filter(|_| !marker.trail_whole).map(|old| old.trail);
                    if let Some((look, old)) = look.zip(old) {
                        marker.trail = look.merged(old, marker.trail);
                    }
                    marker.trail_whole = true;
                    self.markers.insert(marker.key.clone(), marker);
                }
                self.markers.retain(|key, _| !markers.removed.contains(key));
                assert_eq!(self.markers.len(), markers.total as usize);
                self.gaps = markers.gaps;
                self.fences = markers.fences;
                self.totals = vec![u64::from(markers.total), u64::from(markers.unplaced)];
            }
        }
    }
}

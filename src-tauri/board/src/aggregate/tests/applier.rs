//! What a page does with values, as the frame's documentation says it.

use std::collections::BTreeMap;

use crate::{
    config::spec::{FoldSpec, ReducerSpec},
    frame::{LineValue, MarkerValue, NumberValue, RowValue, StatusValue, WidgetValue},
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
    status: Option<StatusValue>,
    markers: BTreeMap<String, MarkerValue>,
    totals: Vec<u64>,
}

impl Applied {
    pub(crate) fn apply(&mut self, fold: &FoldSpec, value: WidgetValue) {
        match value {
            WidgetValue::Number(number) => self.number = Some(number),
            WidgetValue::Status(status) => self.status = Some(status),
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
                self.totals = vec![u64::from(table.total)];
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
            }
            WidgetValue::Markers(markers) => {
                if markers.whole {
                    self.markers.clear();
                }
                self.markers.extend(markers.markers.into_iter().map(|marker| (marker.key.clone(), marker)));
                self.markers.retain(|key, _| !markers.removed.contains(key));
                assert_eq!(self.markers.len(), markers.total as usize);
                self.totals = vec![u64::from(markers.total), u64::from(markers.unplaced)];
            }
        }
    }
}

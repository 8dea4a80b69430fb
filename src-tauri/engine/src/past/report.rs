//! The operators' report of an instant that is over, in the form of the one of the present, as far as the glass showed it.

use serde_json::{Map, Value, json};
use watchfloor_board::{
    frame::{
        BarValue, Cell, Frame, HistogramValue, Look, MarkerValue, MarkersValue, Notice, SeriesLine, TimelineRow,
        WidgetPatch, WidgetValue,
    },
    freshness::Freshness,
};
use watchfloor_model::{Continuity, Phase, Transport};

use super::{error::words, reader::Range, view::View};

pub(super) fn report(view: &View, range: Range) -> Value {
    let sources: Map<String, Value> = view
        .frame
        .iter()
        .flat_map(|frame| &frame.sources)
        .map(|source| {
            let phase: Phase = source.phase;
            let continuity: Continuity = source.continuity;
            let report = json!({
                "state": phase.word(),
                "transport": source.transport.map(Transport::word),
                "continuity": continuity.word(),
                "freshness": source.freshness,
                "reason": (!source.freshness.is_current()).then_some(&source.words),
                "events": source.events,
                "gaps": source.gaps,
                "rejected": source.rejected,
            });
            (source.id.clone(), report)
        })
        .collect();
    let widgets: Map<String, Value> = view.frame.iter().flat_map(widgets).collect();
    let notices: Vec<&Notice> = view.frame.iter().flat_map(|frame| &frame.notices).collect();
    json!({
        "at": words(view.at),
        "time": view.at.as_millis(),
        "record": {
            "first": words(range.first),
            "last": words(range.last),
            "damage": view.damage,
            "hole": view.hole,
            "unseen": view.unseen,
        },
        "title": view.frame.as_ref().and_then(|frame| frame.board.as_ref()).map(|board| &board.title),
        "board_time": view.frame.as_ref().map(|frame| frame.clock.board_ms),
        "sources": sources,
        "widgets": widgets,
        "notices": notices,
        // There are none yet; what was recorded of them will be told here.
        "alarms": [],
    })
}

fn widgets(frame: &Frame) -> impl Iterator<Item = (String, Value)> {
    let views = frame.board.iter().flat_map(|board| &board.widgets);
    let looks: Map<String, Value> =
        views.map(|view| (view.id.clone(), kind_and_title(&view.look, &view.title))).collect();
    frame.widgets.iter().map(move |patch| (patch.id.clone(), widget(patch, looks.get(&patch.id))))
}

fn kind_and_title(look: &Look, title: &str) -> Value {
    match look {
        // Its bins are the look's.
        Look::Histogram(own) => json!([look.kind(), title, own]),
        // Its fences have their names there.
        Look::Markers { fences, .. } => {
            let names: Vec<&str> = fences.iter().map(|fence| fence.name.as_str()).collect();
            json!([look.kind(), title, names])
        }
        _ => json!([look.kind(), title]),
    }
}

fn widget(patch: &WidgetPatch, look: Option<&Value>) -> Value {
    let quality = &patch.quality;
    let shows = !matches!(quality.freshness, Freshness::Refused | Freshness::Unknown);
    let title = look.and_then(|look| look[1].as_str()).unwrap_or_default();
    let at_least = match &patch.value {
        Some(WidgetValue::Number(number)) => number.at_least,
        Some(WidgetValue::Tally(tally)) => tally.at_least,
        Some(WidgetValue::Histogram(histogram)) => histogram.at_least,
        _ => false,
    };
    let shown = match patch.value.as_ref().filter(|_| shows) {
        None => Value::Null,
        Some(WidgetValue::Histogram(shown)) => look.map_or(Value::Null, |look| histogram(shown, &look[2])),
        Some(WidgetValue::Markers(shown)) => markers(shown, look.map_or(&Value::Null, |look| &look[2])),
        Some(shown) => value(shown, title),
    };
    json!({
        "kind": look.map(|look| &look[0]),
        "freshness": quality.freshness,
        "reason": quality.reason,
        "age_ms": quality.age_ms,
        "basis": quality.basis,
        "at_least": at_least,
        "incomplete_until": quality.incomplete_until_ms,
        "rejected": quality.rejected.as_ref().map_or(0, |rejected| rejected.count),
        "value": shown,
    })
}

fn value(value: &WidgetValue, title: &str) -> Value {
    match value {
        WidgetValue::Number(own) => own.value.map_or(Value::Null, number),
        WidgetValue::Table(table) => table
            .rows
            .iter()
            .map(|row| {
                let cells: Vec<Value> = row.cells.iter().map(cell).collect();
                json!({"key": row.key, "cells": cells, "state": row.state})
            })
            .collect(),
        WidgetValue::Log(log) => log
            .lines
            .iter()
            .map(|line| json!({"number": line.number, "time": line.source_ms, "text": line.text, "state": line.state}))
            .collect(),
        WidgetValue::Series(series) => match series.lines.as_slice() {
            [] => json!([]),
            // The line of a chart that has only one has the widget's title for its key.
            [line] if line.key == title => points(line),
            lines => Value::Object(lines.iter().map(|line| (line.key.clone(), points(line))).collect()),
        },
        // Told by their looks.
        WidgetValue::Histogram(_) | WidgetValue::Markers(_) => Value::Null,
        WidgetValue::Status(status) => Value::Object(
            status
                .tiles
                .iter()
                .map(|tile| {
                    let own = json!({"label": tile.label, "text": tile.text, "state": tile.state,
                        "detail": tile.detail, "since": tile.since_ms});
                    (tile.key.clone(), own)
                })
                .collect(),
        ),
        WidgetValue::Timeline(timeline) => {
            let row = |row: &TimelineRow| {
                let stretches: Vec<Value> =
                    row.stretches.iter().map(|own| json!([own.from_ms, own.to_ms, own.text, own.state])).collect();
                (row.key.clone(), json!({"label": row.label, "stretches": stretches}))
            };
            Value::Object(timeline.rows.iter().map(row).collect())
        }
        WidgetValue::Tally(tally) => {
            let bar = |bar: &BarValue| (bar.key.clone(), bar.value.map_or(Value::Null, number));
            Value::Object(tally.bars.iter().map(bar).collect())
        }
    }
}

/// Each marker by its key, with the name of the fence that tells of it.
fn markers(shown: &MarkersValue, fences: &Value) -> Value {
    let one = |marker: &MarkerValue| {
        let mut own = json!({"lat": marker.lat, "lon": marker.lon,
            "heading": marker.heading.map_or(Value::Null, number), "label": marker.label, "state": marker.state});
        if let Some(fence) = marker.fence.and_then(|at| fences.get(at as usize)) {
            own["fence"] = fence.clone();
        }
        (marker.key.clone(), own)
    };
    Value::Object(shown.markers.iter().map(one).collect())
}

/// In the form of the one of the present: each bin by its lower limit, and the statistics by their names.
fn histogram(shown: &HistogramValue, look: &Value) -> Value {
    let of = |name: &str| look[name].as_f64().unwrap_or_default();
    let inner = shown.counts.get(1..shown.counts.len().saturating_sub(1)).unwrap_or_default();
    let bins: Vec<Value> = (0_u32..)
        .zip(inner)
        .map(|(bin, count)| json!([number(of("min") + of("width") * of("bins") * f64::from(bin) / of("bins")), count]))
        .collect();
    let names = look["stats"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let stats: Map<String, Value> =
        names.zip(&shown.stats).map(|(name, stat)| (name.to_owned(), stat.map_or(Value::Null, number))).collect();
    json!({"below": shown.counts.first(), "bins": bins, "above": shown.counts.last(), "stats": stats})
}

fn points(line: &SeriesLine) -> Value {
    line.points.iter().map(|(at, value)| json!([at, value.map_or(Value::Null, number)])).collect()
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Number(own) => number(*own),
        Cell::Text(text) => json!(text),
        Cell::Time(at) => json!(at),
        Cell::Null | Cell::Missing => Value::Null,
    }
}

/// A whole number without its point, as the report of the present writes it.
fn number(number: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT_MAX {
        #[allow(clippy::cast_possible_truncation)] // checked to be exact
        return json!(number as i64);
    }
    json!(number)
}

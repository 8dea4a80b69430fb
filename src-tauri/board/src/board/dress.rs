//! What an aggregate's value looks like in its widget: the part of it that the fold doesn't know.

use watchfloor_model::Timestamp;

use super::tracked::Tracked;
use crate::{
    config::spec::WidgetSpec,
    frame::{
        BandLook, Cell, CellMark, ColumnLook, HistogramValue, LogValue, Look, MarkersValue, NumberValue, RowValue,
        SeriesValue, State, StatusValue, TableValue, TallyValue, TimelineValue, WidgetValue,
    },
    reduce::instant_of_text,
};

/// What of a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It, and whether it is a lower bound.
    Value { at_least: bool },
    /// Nothing: there is none, or nobody may see it.
    Nothing,
}

/// The widget's value, or what changed of it after `since`.
pub(super) fn value(widget: &WidgetSpec, tracked: &Tracked, shown: Shown, since: u64) -> WidgetValue {
    let value = tracked.aggregate.value(since);
    match shown {
        Shown::Nothing => nothing(&value),
        Shown::Value { at_least } => dress(value, widget, at_least),
    }
}

/// The value of a widget of this kind that has nothing to show.
fn nothing(kind: &WidgetValue) -> WidgetValue {
    let whole = true;
    match kind {
        WidgetValue::Number(_) => WidgetValue::Number(NumberValue {
            value: None,
            state: State::Normal,
            change: None,
            toward: None,
            trend: Vec::new(),
            at_least: false,
        }),
        WidgetValue::Table(_) => WidgetValue::Table(TableValue {
            whole,
            rows: Vec::new(),
            removed: Vec::new(),
            order: Some(Vec::new()),
            total: 0,
            at_least: false,
            groups: Vec::new(),
            groups_total: 0,
        }),
        WidgetValue::Log(_) => WidgetValue::Log(LogValue { whole, lines: Vec::new(), total: 0 }),
        WidgetValue::Series(_) => {
            WidgetValue::Series(SeriesValue { whole, lines: Vec::new(), gaps: Vec::new(), marks: None })
        }
        WidgetValue::Histogram(histogram) => WidgetValue::Histogram(HistogramValue {
            counts: vec![0; histogram.counts.len()],
            stats: vec![None; histogram.stats.len()],
            at_least: false,
        }),
        WidgetValue::Status(_) => WidgetValue::Status(StatusValue { tiles: Vec::new() }),
        WidgetValue::Timeline(_) => WidgetValue::Timeline(TimelineValue { whole, rows: Vec::new() }),
        WidgetValue::Tally(_) => WidgetValue::Tally(TallyValue { bars: Vec::new(), at_least: false }),
        WidgetValue::Markers(_) => WidgetValue::Markers(MarkersValue {
            whole,
            markers: Vec::new(),
            removed: Vec::new(),
            total: 0,
            unplaced: 0,
            gaps: Vec::new(),
            fences: Vec::new(),
        }),
    }
}

fn dress(value: WidgetValue, widget: &WidgetSpec, at_least: bool) -> WidgetValue {
    match value {
        WidgetValue::Number(number) => WidgetValue::Number(NumberValue {
            state: number.value.map_or(State::Normal, |value| state_of(&widget.look, value)),
            toward: number.change.and_then(|change| widget.look.number()?.better?.judge(change)),
            at_least: number.at_least || at_least,
            ..number
        }),
        WidgetValue::Table(mut table) => {
            dress_rows(&mut table.rows, &widget.look);
            WidgetValue::Table(table)
        }
        WidgetValue::Histogram(histogram) => WidgetValue::Histogram(HistogramValue { at_least, ..histogram }),
        WidgetValue::Series(mut series) => {
            // The line of a chart that has only one has no key of its own.
            for line in series.lines.iter_mut().filter(|line| line.key.is_empty()) {
                line.key.clone_from(&widget.title);
            }
            WidgetValue::Series(series)
        }
        WidgetValue::Tally(mut tally) => {
            if let Look::Tally(look) = &widget.look {
                for bar in &mut tally.bars {
                    bar.state = bar.value.map_or(State::Normal, |value| in_bands(&look.bands, value));
                }
            }
            tally.at_least |= at_least;
            WidgetValue::Tally(tally)
        }
        WidgetValue::Log(_) | WidgetValue::Status(_) | WidgetValue::Timeline(_) | WidgetValue::Markers(_) => value,
    }
}

/// A table's rows as its columns have them: instants, and what numbers mean.
pub(super) fn dress_rows(rows: &mut [RowValue], look: &Look) {
    let columns = if let Look::Table { columns, .. } = look { columns.as_slice() } else { &[] };
    let times: Vec<usize> =
        columns.iter().enumerate().filter(|(_, column)| is_of_time(column)).map(|(at, _)| at).collect();
    let banded: Vec<(usize, &[BandLook])> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| (at, column.bands.as_slice()))
        .filter(|(_, bands)| !bands.is_empty())
        .collect();
    for row in rows {
        for at in &times {
            if let Some(cell) = row.cells.get_mut(*at) {
                tell_time(cell);
            }
        }
        for (at, bands) in &banded {
            let Some(Cell::Number(value)) = row.cells.get(*at) else { continue };
            let state = in_bands(bands, *value);
            if let (Ok(column), true) = (u32::try_from(*at), state != State::Normal) {
                row.marks.push(CellMark { column, state });
            }
        }
    }
}

/// Whether the column's cells are instants.
pub(super) fn is_of_time(column: &ColumnLook) -> bool {
    matches!(column.format.as_str(), "time" | "ago" | "until")
}

/// What the look's bands make of a number.
fn state_of(look: &Look, value: f64) -> State {
    in_bands(look.number().map(|number| number.bands.as_slice()).unwrap_or_default(), value)
}

/// Whether it is of a chart whose values mean something.
pub(super) fn is_judged(look: &Look) -> bool {
    matches!(look, Look::Series { bands, right, .. }
        if !bands.is_empty() || right.as_ref().is_some_and(|right| !right.bands.is_empty()))
}

/// What a chart says at worst: of the value at each line's end, by the stretches of the axis that it is read by.
pub(super) fn chart_state(look: &Look, ends: &[(&str, f64)]) -> State {
    let Look::Series { bands, lines, right, .. } = look else { return State::Normal };
    let bands_of = |key: &str| match right {
        Some(right) if lines.iter().any(|line| line.key == key && line.right) => &right.bands,
        _ => bands,
    };
    let known = ends.iter().map(|(key, value)| in_bands(bands_of(key), *value));
    known.filter(|state| *state != State::Unknown).max().unwrap_or_default()
}

/// The meaning of the first band that holds the number.
fn in_bands(bands: &[BandLook], value: f64) -> State {
    let holds =
        |from: Option<f64>, to: Option<f64>| from.is_none_or(|from| from <= value) && to.is_none_or(|to| value < to);
    bands.iter().find(|band| holds(band.from, band.to)).map_or(State::Normal, |band| band.state)
}

/// A cell of a time column: milliseconds or a text by RFC 3339 is an instant; anything else is shown as it came.
pub(super) fn tell_time(cell: &mut Cell) {
    let at = match cell {
        #[allow(clippy::cast_possible_truncation)] // saturates, and the page shows what no calendar has as it is
        Cell::Number(millis) => Some(Timestamp::from_millis(millis.floor() as i64)),
        Cell::Text(text) => instant_of_text(text).map(Timestamp::from_millis),
        Cell::Time(_) | Cell::Null | Cell::Missing => None,
    };
    if let Some(at) = at {
        *cell = Cell::Time(at.as_millis());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, frame::Toward};

    /// By the look alone: the page compares nothing.
    #[test]
    fn a_change_is_judged_as_the_board_says() {
        for (better, change, toward) in [
            ("better = \"up\"", Some(2.0), Some(Toward::Better)),
            ("better = \"up\"", Some(-0.001), Some(Toward::Worse)),
            ("better = \"down\"", Some(2.0), Some(Toward::Worse)),
            ("better = \"down\"", Some(-7e9), Some(Toward::Better)),
            ("better = \"down\"", Some(0.0), None),
            ("better = \"up\"", None, None),
            ("", Some(2.0), None),
        ] {
            let text = format!(
                "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\nkind = \"hub\"\nurl = \"http://h\"\nchannels = [\"c\"]\n\
                 [[widget]]\nid = \"w\"\nkind = \"gauge\"\nvalue = \"v\"\ntrend = \"1h\"\n{better}\n"
            );
            let board = config::parse(&text, "f").expect("a board");
            let number = NumberValue {
                value: Some(5.0),
                state: State::Normal,
                change,
                toward: None,
                trend: Vec::new(),
                at_least: false,
            };
            let WidgetValue::Number(dressed) = dress(WidgetValue::Number(number), &board.widgets[0], false) else {
                panic!("no number")
            };
            assert_eq!((dressed.change, dressed.toward), (change, toward), "{better} {change:?}");
        }
    }
}

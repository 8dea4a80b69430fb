//! What an aggregate's value looks like in its widget: the part of it that the fold doesn't know.

use watchfloor_model::Timestamp;

use super::tracked::Tracked;
use crate::{
    config::spec::WidgetSpec,
    frame::{
        Cell, ColumnLook, LogValue, Look, MarkersValue, NumberValue, SeriesValue, State, StatusValue, TableValue,
        WidgetValue,
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
        }),
        WidgetValue::Log(_) => WidgetValue::Log(LogValue { whole, lines: Vec::new(), total: 0 }),
        WidgetValue::Series(_) => WidgetValue::Series(SeriesValue { whole, lines: Vec::new(), gaps: Vec::new() }),
        WidgetValue::Status(_) => WidgetValue::Status(StatusValue { tiles: Vec::new() }),
        WidgetValue::Markers(_) => WidgetValue::Markers(MarkersValue {
            whole,
            markers: Vec::new(),
            removed: Vec::new(),
            total: 0,
            unplaced: 0,
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
            let columns = if let Look::Table { columns, .. } = &widget.look { columns.as_slice() } else { &[] };
            let is_of_time = |column: &ColumnLook| matches!(column.format.as_str(), "time" | "ago" | "until");
            let times = columns.iter().enumerate().filter(|(_, column)| is_of_time(column)).map(|(at, _)| at);
            let times: Vec<usize> = times.collect();
            for row in &mut table.rows {
                for at in &times {
                    if let Some(cell) = row.cells.get_mut(*at) {
                        tell_time(cell);
                    }
                }
            }
            WidgetValue::Table(table)
        }
        WidgetValue::Series(mut series) => {
            // The line of a chart that has only one has no key of its own.
            for line in series.lines.iter_mut().filter(|line| line.key.is_empty()) {
                line.key.clone_from(&widget.title);
            }
            WidgetValue::Series(series)
        }
        WidgetValue::Log(_) | WidgetValue::Status(_) | WidgetValue::Markers(_) => value,
    }
}

/// What the look's bands make of a number: the first one that holds it.
fn state_of(look: &Look, value: f64) -> State {
    let holds =
        |from: Option<f64>, to: Option<f64>| from.is_none_or(|from| from <= value) && to.is_none_or(|to| value < to);
    let bands = look.number().map(|number| number.bands.as_slice()).unwrap_or_default();
    bands.iter().find(|band| holds(band.from, band.to)).map_or(State::Normal, |band| band.state)
}

/// A cell of a time column: milliseconds or a text by RFC 3339 is an instant; anything else is shown as it came.
fn tell_time(cell: &mut Cell) {
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

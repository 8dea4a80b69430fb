//! What a widget says of how bad things are: the worst of it, and how much of it is so.

use super::{
    dress::{self, Shown},
    tracked::Tracked,
};
use crate::{
    config::spec::WidgetSpec,
    frame::{Look, State, WidgetValue},
};

/// What the parts of a widget mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meanings {
    /// The worst of what is known.
    pub(super) worst: State,
    /// How many parts it has: tiles, bars, markers, rows of a timeline.
    pub(super) count: u32,
    /// How many of them, of a map how many of its fences, mean an alarm.
    pub(super) alarm: u32,
    /// The same of a warning.
    pub(super) warning: u32,
}

/// Of a number, of tiles and bars, of a timeline as it is now, of a chart's lines at their ends or of a map's fences. Rows of a table, a log's lines and
/// markers say for themselves what they mean: they have none here.
pub(super) fn meanings(widget: &WidgetSpec, tracked: &Tracked) -> Meanings {
    if dress::is_judged(&widget.look) {
        return of([dress::chart_state(&widget.look, &tracked.aggregate.ends())], 1);
    }
    let is_meant = widget.look.number().is_some()
        || matches!(
            &widget.look,
            Look::Status {} | Look::Matrix {} | Look::Tally(_) | Look::Timeline { .. } | Look::Markers { .. }
        );
    if !is_meant {
        return Meanings::default();
    }
    let shown = Shown::Value { at_least: tracked.is_at_least() };
    match dress::value(widget, tracked, shown, 0) {
        WidgetValue::Number(number) => of([number.state], 1),
        WidgetValue::Tally(tally) => of(tally.bars.iter().map(|bar| bar.state), tally.bars.len()),
        WidgetValue::Status(status) => of(status.tiles.iter().map(|tile| tile.state), status.tiles.len()),
        // What it says of now, and not of what was.
        WidgetValue::Timeline(timeline) => {
            let now = timeline.rows.iter().filter_map(|row| row.stretches.last()).filter(|own| own.to_ms.is_none());
            of(now.map(|own| own.state), timeline.rows.len())
        }
        WidgetValue::Markers(map) => of(map.fences.iter().map(|fence| fence.state), map.total as usize),
        WidgetValue::Table(_) | WidgetValue::Log(_) | WidgetValue::Series(_) | WidgetValue::Histogram(_) => {
            Meanings::default()
        }
    }
}

fn of(states: impl IntoIterator<Item = State>, count: usize) -> Meanings {
    let mut own = Meanings { count: u32::try_from(count).unwrap_or(u32::MAX), ..Meanings::default() };
    for state in states.into_iter().filter(|state| *state != State::Unknown) {
        own.worst = own.worst.max(state);
        own.alarm += u32::from(state == State::Alarm);
        own.warning += u32::from(state == State::Warning);
    }
    own
}

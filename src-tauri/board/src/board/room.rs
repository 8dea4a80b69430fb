//! The room that the wall stands in: whether it is dark, and whether anybody has to look up.

use jiff::tz::TimeZone;
use watchfloor_model::{Mono, Timestamp};

use super::{
    Board,
    dress::{self, Shown},
};
use crate::frame::{State, WidgetValue};

/// What holds for the room now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Whether the wall is painted for a dark one.
    pub night: bool,
    /// The worst of all that the board says, on whichever page, of whatever age: an alarm of which nothing more is heard still stands.
    pub worst: State,
    /// Widgets that can't be believed as they stand.
    pub unwell: usize,
    /// The board's zone.
    pub timezone: String,
}

impl Board {
    /// What a sensor says of the room's light, which counts in place of the board's hours; none if nothing tells.
    pub fn set_dark(&mut self, dark: Option<bool>) {
        self.version += u64::from(self.dark != dark);
        self.dark = dark;
    }

    /// Whether the wall is painted for a dark room at this instant.
    pub(super) fn is_night(&self, wall: Timestamp) -> bool {
        let by_hours = || {
            let Some(night) = self.file.board.night else { return false };
            // The file's reader knows the zone.
            let zone = TimeZone::get(&self.file.board.timezone).unwrap_or(TimeZone::UTC);
            jiff::Timestamp::from_millisecond(wall.as_millis()).is_ok_and(|wall| night.contains(zone.to_datetime(wall)))
        };
        self.dark.unwrap_or_else(by_hours)
    }

    /// What holds for the room at this instant.
    #[must_use]
    pub fn room(&self, now: Mono, wall: Timestamp) -> Room {
        let mut room = Room {
            night: self.is_night(wall),
            worst: State::Normal,
            unwell: 0,
            timezone: self.file.board.timezone.clone(),
        };
        for ((widget, _, tracked), quality) in self.widgets().zip(self.qualities(now)) {
            room.unwell += usize::from(!quality.freshness.is_current());
            if tracked.has_value() {
                let shown = Shown::Value { at_least: tracked.is_at_least() };
                room.worst = room.worst.max(worst(&dress::value(widget, tracked, shown, 0)));
            }
        }
        room
    }
}

/// The worst that a value says. What a log tells is over, and what a chart draws is a number's matter.
fn worst(value: &WidgetValue) -> State {
    let worst = |states: &mut dyn Iterator<Item = State>| {
        states.filter(|state| *state != State::Unknown).max().unwrap_or_default()
    };
    match value {
        WidgetValue::Number(number) => worst(&mut std::iter::once(number.state)),
        WidgetValue::Tally(tally) => worst(&mut tally.bars.iter().map(|bar| bar.state)),
        WidgetValue::Status(status) => worst(&mut status.tiles.iter().map(|tile| tile.state)),
        WidgetValue::Table(table) => worst(&mut table.rows.iter().map(|row| row.state)),
        WidgetValue::Markers(markers) => worst(&mut markers.markers.iter().map(|marker| marker.state)),
        WidgetValue::Timeline(timeline) => {
            let newest = timeline.rows.iter().filter_map(|row| row.stretches.last());
            worst(&mut newest.filter(|own| own.to_ms.is_none()).map(|own| own.state))
        }
        _ => State::Normal,
    }
}

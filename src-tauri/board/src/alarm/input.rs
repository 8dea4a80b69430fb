//! What a rule over widgets can ask: a widget's number, how bad it is, how much of it there is.

use super::condition::Typical;
use crate::frame::{Look, State};

/// What of a widget is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Facet {
    /// Its number: the widget's name alone.
    Value,
    /// What the worst of it means: `state`, one of the words of [`state_word`].
    State,
    /// How many rows, tiles or markers it has: `count`.
    Count,
    /// How many tiles, bars, rows or fences of it mean `alarm`: `alarm`.
    Alarm,
    /// The same of `warning`: `warning`.
    Warning,
}

/// Facets a widget has at most; so inputs have numbers of their own.
const FACETS: u32 = 8;

impl Facet {
    const ALL: [Self; 5] = [Self::Value, Self::State, Self::Count, Self::Alarm, Self::Warning];

    /// What follows the widget's name; nothing for its number.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Value => "",
            Self::State => "state",
            Self::Count => "count",
            Self::Alarm => "alarm",
            Self::Warning => "warning",
        }
    }

    /// What can be asked of a widget that looks so.
    pub(crate) const fn of(look: &Look) -> &'static [Self] {
        match look {
            Look::Counter(_) | Look::Gauge(_) | Look::Rate(_) | Look::Window(_) => &[Self::Value, Self::State],
            Look::Table { .. } => &[Self::Count],
            Look::Series { .. } => &[Self::State],
            Look::Status {} | Look::Matrix {} | Look::Timeline { .. } | Look::Tally(_) | Look::Markers { .. } => {
                &[Self::State, Self::Count, Self::Alarm, Self::Warning]
            }
            Look::Log { .. } | Look::Histogram(_) | Look::Heat(_) => &[],
        }
    }

    /// What it typically is.
    pub(crate) const fn typical(self) -> Typical {
        match self {
            Self::State => Typical::Word(&STATE_WORDS),
            Self::Value | Self::Count | Self::Alarm | Self::Warning => Typical::Number,
        }
    }

    /// The number of the input that asks this of a widget.
    pub(crate) fn input(self, widget: usize) -> u32 {
        let place = (0..).zip(Self::ALL).find(|(_, own)| *own == self).map_or(0, |(place, _)| place);
        u32::try_from(widget).unwrap_or(u32::MAX / FACETS) * FACETS + place
    }

    /// What an input asks, and of which widget.
    pub(crate) fn of_input(input: u32) -> Option<(usize, Self)> {
        Some(((input / FACETS) as usize, *Self::ALL.get((input % FACETS) as usize)?))
    }
}

/// What a condition over events can name: the event's data, and what it is called.
pub(crate) const EVENT_INPUTS: [&str; 2] = ["event", "event_name"];

/// The words of [`state_word`].
const STATE_WORDS: [&str; 5] = ["normal", "muted", "warning", "alarm", "unknown"];

/// What a condition over events typically is evaluated over.
pub(crate) const fn typical_of_event(input: u32) -> Typical {
    if input == 0 { Typical::Data } else { Typical::Word(&["order.new"]) }
}

/// What a condition has for a state.
pub(crate) const fn state_word(state: State) -> &'static str {
    match state {
        State::Normal => "normal",
        State::Muted => "muted",
        State::Warning => "warning",
        State::Alarm => "alarm",
        State::Unknown => "unknown",
    }
}

/// A widget's name in conditions: its id, in which no `-` may stand there.
pub(crate) fn name_of(id: &str) -> String {
    id.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_numbers_of_their_own() {
        for widget in [0, 1, 199] {
            for facet in Facet::ALL {
                assert_eq!(Facet::of_input(facet.input(widget)), Some((widget, facet)));
            }
        }
        assert_eq!(Facet::of_input(7), None);
    }
}

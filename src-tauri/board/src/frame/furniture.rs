//! What stands on a wall besides its widgets: texts, clocks, countdowns. It folds nothing, so it has neither a value nor a quality; what of
//! it moves goes by the clock that comes with each frame.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::Place;

/// A piece of furniture as the page lays it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct FurnitureView {
    /// Its id in the board file.
    pub id: String,
    /// Its heading; none for a text that has none.
    pub title: Option<String>,
    /// A small line beside the heading.
    pub note: Option<String>,
    /// The number of its page, from 0.
    #[serde(default)]
    pub page: u32,
    /// Where it stands, in grid cells; column and row count from 1.
    pub place: Place,
    /// What it is.
    pub look: FurnitureLook,
}

/// What a piece of furniture is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum FurnitureLook {
    /// A text that stands there.
    Text {
        /// From top to bottom.
        blocks: Vec<TextBlock>,
        /// On which side its lines begin.
        align: Align,
    },
    /// What time it is, in one zone or several.
    Clock {
        /// In their order.
        zones: Vec<ClockZone>,
        /// Whether seconds are shown.
        seconds: bool,
        /// Whether each zone's day is shown.
        date: bool,
    },
    /// How long it is to an instant, or since one.
    Countdown {
        /// Which instant.
        until: Until,
        /// With so many milliseconds left, or less, it is a warning.
        #[cfg_attr(test, ts(type = "number | null"))]
        warning_ms: Option<u64>,
        /// With so many milliseconds left, or less, it is an alarm.
        #[cfg_attr(test, ts(type = "number | null"))]
        alarm_ms: Option<u64>,
    },
}

/// A zone that a clock shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct ClockZone {
    /// Its IANA name.
    pub zone: String,
    /// What people call it.
    pub name: String,
}

/// What a countdown counts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Until {
    /// One instant.
    Once {
        /// Which, milliseconds since the Unix epoch.
        #[cfg_attr(test, ts(type = "number"))]
        to_ms: i64,
        /// Where the way there begins, the same; none if no part of it is shown.
        #[cfg_attr(test, ts(type = "number | null"))]
        from_ms: Option<i64>,
        /// What is shown once it has passed.
        after: After,
    },
    /// The next time that the clocks of the board's zone show a time of day.
    Daily {
        /// Which, minutes after midnight.
        minutes: u32,
        /// Where the way there begins, the same; none if no part of it is shown.
        from_minutes: Option<u32>,
    },
}

/// What a countdown shows once its instant has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// How long ago that was.
    Up,
    /// Nothing left.
    #[default]
    Stay,
    /// Nothing at all: its panel goes.
    Hide,
}

/// On which side lines begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// At the left; at the right where the text runs from there.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the other end.
    Right,
}

/// A part of a text that has lines for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum TextBlock {
    /// A heading.
    Heading {
        /// 1 for the largest, to 6.
        level: u8,
        /// What it says.
        spans: Vec<TextSpan>,
    },
    /// A paragraph; further ones of an item of a list too.
    Paragraph {
        /// How far it is set in: in how many lists and quotations it stands.
        depth: u8,
        /// What it says.
        spans: Vec<TextSpan>,
    },
    /// An item of a list, and its first paragraph.
    Item {
        /// How far its mark is set in.
        depth: u8,
        /// Its number; none in a list without numbers.
        #[cfg_attr(test, ts(type = "number | null"))]
        number: Option<u64>,
        /// What it says.
        spans: Vec<TextSpan>,
    },
    /// Lines that stand as they were written.
    Code {
        /// How far they are set in.
        depth: u8,
        /// What they say.
        lines: Vec<String>,
    },
    /// A line across.
    Rule {},
    /// A small table.
    Table {
        /// On which side each column's cells begin.
        columns: Vec<Align>,
        /// The headings.
        head: Vec<TextCell>,
        /// The rows, each with a cell for every column.
        rows: Vec<Vec<TextCell>>,
    },
}

/// A cell of a text's table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TextCell {
    /// What it says.
    pub spans: Vec<TextSpan>,
}

/// Letters of one look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TextSpan {
    /// What they say; a line break in it is one on the wall.
    pub text: String,
    /// Whether they are bold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bold: bool,
    /// Whether they are slanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub italic: bool,
    /// Whether they are code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub code: bool,
}

//! What a hand at the glass asks for: parts of a table that no frame brings, and all that there is of one thing.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{GroupValue, RowValue};

/// Rows of a table that a hand wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct RowsQuery {
    /// The widget's id.
    pub widget: String,
    /// The first row, from 0.
    pub offset: u32,
    /// How many at most; no more than 500 come.
    pub count: u32,
    /// Words of which a row must have each, in any of its cells; all rows if there are none.
    pub find: String,
    /// Another order than the table's own.
    pub sort: Option<ColumnSort>,
    /// A row whose place is asked for.
    pub key: Option<String>,
}

/// An order by what a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct ColumnSort {
    /// The column's number, from 0.
    pub column: u32,
    /// The greatest first. Rows without a value come last either way.
    pub descending: bool,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct RowsFound {
    /// Of which revision of the board: what is of another one than the page's isn't shown.
    pub revision: u32,
    /// The first row's place.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<RowValue>,
    /// Rows that have the words.
    pub matched: u32,
    /// Rows that exist.
    pub total: u32,
    /// Whether there may be more.
    pub at_least: bool,
    /// The place of the row that was asked for; none if it isn't among them.
    pub at: Option<u32>,
    /// Rows in alarm that don't have the words.
    pub alarms_hidden: u32,
    /// Rows in warning that don't.
    pub warnings_hidden: u32,
    /// Groups of the rows, in the table's own order.
    pub groups: Vec<GroupValue>,
}

/// What is known of a row, a line, a tile or a marker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Detail {
    /// Of which revision of the board.
    pub revision: u32,
    /// The row as it is now, of a table that has it.
    pub row: Option<RowValue>,
    /// The source's name for people.
    pub source: String,
    /// The newest event of it that is kept.
    pub event: Option<RawEvent>,
    /// Why there is none, or why it isn't the one that is shown.
    pub lacks: Option<String>,
}

/// An event as it was received, after decoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct RawEvent {
    /// The channel it came by.
    pub channel: String,
    /// What kind of thing happened.
    pub name: String,
    /// The publisher's own id of it.
    pub id: Option<String>,
    /// Its place in the channel.
    pub position: Option<String>,
    /// When it happened by the source's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
    /// When it reached this program, by this machine's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub received_ms: i64,
    /// What it says: JSON, indented, at most 64 KiB of it.
    pub text: String,
    /// Bytes of JSON that it has in all.
    pub bytes: u32,
    /// Whether that is more than the text.
    pub cut: bool,
}

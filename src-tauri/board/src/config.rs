//! The board file: reading, checking, schema.
//!
//! [`parse`] is the only way to a [`spec::BoardFile`]. It reports everything that is wrong with a file at once, each
//! error with its place, what was found, what was expected, and the valid name that was probably meant. A file with any
//! error gives no board.

pub mod distance;
mod source_kind;
pub mod spec;
mod speech;

mod against;
mod aggregate;
mod alarm;
mod board;
mod condition;
mod cursor;
mod decode;
mod furniture;
mod grid;
mod headers;
mod keys;
mod markdown;
mod night;
mod page;
mod picks;
mod record;
mod restating;
mod schema;
mod shape_event;
mod shape_language;
mod shape_map;
mod shape_site;
mod shape_table;
mod shape_time;
mod shape_tones;
mod shape_words;
mod template;
mod token;
mod wanted;
mod way;
mod widget_kind;

#[cfg(test)]
mod tests;

pub use aggregate::{AggregateEntry, AggregateSpec, table as aggregate_table};
pub use alarm::ALARMS_MAX;
pub use condition::{CONDITION_VALUES_MAX, CONDITIONS_MAX};
pub use decode::{SOURCES_MAX, WIDGETS_MAX};
pub use keys::{GRID_CELLS_MAX, source::CHANNELS_MAX};
pub use record::{BANDS_MAX, COLUMNS_MAX, PLACES_MAX};
pub use schema::schema;
pub(crate) use shape_event::minutes_of_day;
pub use shape_words::STATES_MAX;
pub use spec::BoardFile;
pub use template::{TEMPLATE_CHARACTERS_MAX, TEMPLATE_HOLES_MAX, TemplateError};
pub use widget_kind::{ROWS_MAX, SERIES_BUCKETS_MAX};

use std::io;

pub use watchfloor_settings::{
    Beside,
    diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics},
    duration,
};
use watchfloor_settings::{Whole, diagnostic, nearest, secrets, shape, table, text};

/// The largest board file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// The largest file of a layer, in bytes.
pub const LAYER_BYTES_MAX: usize = 4 << 20;

/// The text of a board file, of which no more is taken than a board file may have: what is named may be a device without end.
///
/// # Errors
/// If it can't be read, is longer than [`FILE_BYTES_MAX`], or is no UTF-8.
pub fn text_of(file: impl io::Read) -> io::Result<String> {
    watchfloor_settings::text_up_to(file, FILE_BYTES_MAX)
}

/// The text of a layer's file, by the same rules.
///
/// # Errors
/// If it can't be read, is longer than [`LAYER_BYTES_MAX`], or is no UTF-8.
pub fn layer_text_of(file: impl io::Read) -> io::Result<String> {
    watchfloor_settings::text_up_to(file, LAYER_BYTES_MAX)
}

/// Reads a board file that names no others. `file_name` is only what errors call it.
///
/// # Errors
/// As [`parse_beside`].
pub fn parse(text: &str, file_name: &str) -> Result<BoardFile, Diagnostics> {
    parse_beside(text, file_name, &|_| Err("there is no folder beside this text".to_owned()))
}

/// Reads a board file and the files that it names, which `beside` gives. `file_name` is only what errors call it.
///
/// Line ends may be LF or CRLF, and a byte order mark may stand at the beginning.
///
/// # Errors
/// Everything that is wrong with the file, in its order, up to [`DIAGNOSTICS_MAX`].
pub fn parse_beside(text: &str, file_name: &str, beside: &Beside<'_>) -> Result<BoardFile, Diagnostics> {
    const BOARD: Whole = Whole { what: "board file", bytes_max: FILE_BYTES_MAX, elsewhere: keys::belongs };
    BOARD.read(text, file_name, beside, decode::decode)
}

//! The board file: reading, checking, schema.
//!
//! [`parse`] is the only way to a [`spec::BoardFile`]. It reports everything that is wrong with a file at once, each
//! error with its place, what was found, what was expected, and the valid name that was probably meant. A file with any
//! error gives no board.

pub mod distance;
pub mod duration;
mod source_kind;
pub mod spec;
mod speech;

mod against;
mod alarm;
mod board;
mod condition;
mod cursor;
mod decode;
mod diagnostic;
mod furniture;
mod grid;
mod headers;
mod keys;
mod markdown;
mod nearest;
mod night;
mod page;
mod picks;
mod record;
mod restating;
mod schema;
mod secrets;
mod shape;
mod shape_event;
mod shape_language;
mod shape_map;
mod shape_site;
mod shape_table;
mod shape_time;
mod shape_tones;
mod shape_words;
mod syntax;
mod table;
mod template;
mod text;
mod token;
mod wanted;
mod way;
mod widget_kind;

#[cfg(test)]
mod tests;

pub use alarm::ALARMS_MAX;
pub use condition::{CONDITION_VALUES_MAX, CONDITIONS_MAX};
pub use decode::{SOURCES_MAX, WIDGETS_MAX};
pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics};
pub use keys::{GRID_CELLS_MAX, source::CHANNELS_MAX};
pub use record::{BANDS_MAX, COLUMNS_MAX, PLACES_MAX};
pub use schema::schema;
pub(crate) use shape_event::minutes_of_day;
pub use shape_words::STATES_MAX;
pub use spec::BoardFile;
pub use template::{TEMPLATE_CHARACTERS_MAX, TEMPLATE_HOLES_MAX, TemplateError};
pub use widget_kind::{ROWS_MAX, SERIES_BUCKETS_MAX};

use std::io::{self, Read as _};

use diagnostic::{Problem, Sink};
use text::SourceText;

/// The largest board file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// The largest file of a layer, in bytes.
pub const LAYER_BYTES_MAX: usize = 4 << 20;

/// The text of a board file, of which no more is taken than a board file may have: what is named may be a device without end.
///
/// # Errors
/// If it can't be read, is longer than [`FILE_BYTES_MAX`], or is no UTF-8.
pub fn text_of(file: impl io::Read) -> io::Result<String> {
    text_up_to(file, FILE_BYTES_MAX)
}

fn text_up_to(file: impl io::Read, bytes_max: usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let text = format!("it has more than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::new(io::ErrorKind::InvalidData, format!("it is no UTF-8 text: invalid byte at {at}"))
    })
}

/// The text of a layer's file, by the same rules.
///
/// # Errors
/// If it can't be read, is longer than [`LAYER_BYTES_MAX`], or is no UTF-8.
pub fn layer_text_of(file: impl io::Read) -> io::Result<String> {
    text_up_to(file, LAYER_BYTES_MAX)
}

/// Gives the text of a file that a board names, by its name there, which is relative to the board; or why it can't.
pub type Beside<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

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
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > FILE_BYTES_MAX {
        return Err(too_big(text.len(), file_name));
    }
    let source = SourceText::new(text);
    let mut sink = Sink::beside(&source, beside);
    let file = syntax::read(text, &mut sink);
    match decode::decode(file.get_ref(), &mut sink) {
        Some(board) if sink.is_empty() => Ok(board),
        _ => Err(sink.into_diagnostics(file_name)),
    }
}

fn too_big(bytes: usize, file_name: &str) -> Diagnostics {
    let source = SourceText::new("");
    let mut sink = Sink::new(&source);
    sink.report(Problem {
        span: 0..0,
        message: "the board file is too big".to_owned(),
        found: format!("{bytes} bytes"),
        expected: format!("at most {FILE_BYTES_MAX} bytes"),
        help: None,
    });
    sink.into_diagnostics(file_name)
}

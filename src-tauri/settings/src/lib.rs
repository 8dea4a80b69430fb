//! Files of settings in TOML: how they are read, and what is said of a mistake. Board files and the hub's file are made of this.
//!
//! One [`table::Key`] says everything about a setting: its name, what may stand there, its default, and what it does. The decoder, the schema and the
//! reference pages are made from it. [`Whole::read`] reports everything that is wrong with a file at once, each error with its place, what was
//! found, what was expected, and the valid name that was probably meant. No I/O happens here but reading from what is given.

pub mod diagnostic;
pub mod duration;
pub mod nearest;
pub mod schema;
pub mod secrets;
pub mod shape;
pub mod span;
pub mod syntax;
pub mod table;
pub mod tables;
pub mod text;

use std::io::{self, Read as _};

use diagnostic::{Diagnostics, Problem, Sink};
use text::SourceText;
use toml::de::DeTable;

/// Gives the text of a file that a file of settings names, by its name there, which is relative to the file; or why it can't.
pub type Beside<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// The text of a file, of which no more is taken than it may have: what is named may be a device without end.
///
/// # Errors
/// If it can't be read, has more than `bytes_max` bytes, or is no UTF-8.
pub fn text_up_to(file: impl io::Read, bytes_max: usize) -> io::Result<String> {
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

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// What it is called in errors: `board file`.
    pub what: &'static str,
    /// Its size at most, in bytes.
    pub bytes_max: usize,
    /// Says where a key belongs that isn't known where it stands.
    pub elsewhere: fn(&str) -> Option<String>,
}

impl Whole {
    /// Reads a file's text by `decode`, which reports what is wrong. `file_name` is only what errors call it; files that it names are given by
    /// `beside`. Line ends may be LF or CRLF, and a byte order mark may stand at the beginning.
    ///
    /// # Errors
    /// Everything that is wrong with the file, in its order, up to [`diagnostic::DIAGNOSTICS_MAX`].
    pub fn read<T>(
        &self,
        text: &str,
        file_name: &str,
        beside: &Beside<'_>,
        decode: impl FnOnce(&DeTable<'_>, &mut Sink<'_>) -> Option<T>,
    ) -> Result<T, Diagnostics> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.len() > self.bytes_max {
            return Err(self.too_big(text.len(), file_name));
        }
        let source = SourceText::new(text);
        let mut sink = Sink::beside(&source, beside, self.elsewhere);
        let file = syntax::read(text, &mut sink);
        match decode(file.get_ref(), &mut sink) {
            Some(read) if sink.is_empty() => Ok(read),
            _ => Err(sink.into_diagnostics(file_name)),
        }
    }

    fn too_big(&self, bytes: usize, file_name: &str) -> Diagnostics {
        let source = SourceText::new("");
        let mut sink = Sink::new(&source);
        sink.report(Problem {
            span: 0..0,
            message: format!("the {} is too big", self.what),
            found: format!("{bytes} bytes"),
            expected: format!("at most {} bytes", self.bytes_max),
            help: None,
        });
        sink.into_diagnostics(file_name)
    }
}

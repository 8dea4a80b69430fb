//! Values written one after the other as a JSON text, within bounds.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use watchfloor_model::JsonWriter;

use crate::limits::DECODED_DEPTH_MAX;

/// By how much a JSON text is longer than what it was, about.
const GROWTH: usize = 2;
/// How many bytes a value takes, about.
const VALUE_BYTES: usize = 8;
/// Most values that room is made for beforehand.
const VALUES_FORESEEN_MAX: usize = 4096;

/// A JSON text that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    json: JsonWriter,
    most: usize,
    depth: usize,
}

impl Writer {
    /// For what came in so many bytes.
    pub(super) fn new(most: usize, bytes: usize) -> Self {
        let values = (bytes / VALUE_BYTES).min(VALUES_FORESEEN_MAX);
        Self { json: JsonWriter::with_room(bytes.saturating_mul(GROWTH).min(most), values), most, depth: 0 }
    }

    pub(super) fn finish(self) -> JsonWriter {
        self.json
    }

    /// Each value has a byte at least, so that this bounds their number as well.
    fn check(&self, more: usize) -> Result<(), String> {
        if self.json.len().saturating_add(more) > self.most {
            return Err(format!("more than {} bytes of JSON", self.most));
        }
        Ok(())
    }

    pub(super) fn null(&mut self) -> Result<(), String> {
        self.json.null();
        self.check(0)
    }

    pub(super) fn bool(&mut self, value: bool) -> Result<(), String> {
        self.json.bool(value);
        self.check(0)
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), String> {
        self.check(text.len() + 2)?;
        self.json.text(text);
        self.check(0)
    }

    /// Bytes that are no text.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.check(bytes.len().div_ceil(3) * 4 + 2)?;
        self.json.text(&BASE64_STANDARD.encode(bytes));
        self.check(0)
    }

    pub(super) fn unsigned(&mut self, number: u64) -> Result<(), String> {
        self.json.unsigned(number);
        self.check(0)
    }

    pub(super) fn signed(&mut self, number: i64) -> Result<(), String> {
        self.json.signed(number);
        self.check(0)
    }

    /// A number of any size, by its digits: beyond 64 bits it is a float.
    pub(super) fn digits(&mut self, number: impl std::fmt::Display) -> Result<(), String> {
        self.json.json(&number.to_string()).map_err(|error| error.to_string())?;
        self.check(0)
    }

    /// One that isn't finite is no number: said, and no widget's value.
    pub(super) fn float(&mut self, number: f64) -> Result<(), String> {
        if number.is_finite() {
            self.json.float(number);
            return self.check(0);
        }
        match number {
            _ if number.is_nan() => self.text("NaN"),
            _ if number > 0.0 => self.text("Infinity"),
            _ => self.text("-Infinity"),
        }
    }

    pub(super) fn begin_list(&mut self) -> Result<(), String> {
        self.enter()?;
        self.json.begin_list();
        self.check(0)
    }

    pub(super) fn end_list(&mut self) -> Result<(), String> {
        self.leave();
        self.json.end_list();
        self.check(0)
    }

    pub(super) fn begin_object(&mut self) -> Result<(), String> {
        self.enter()?;
        self.json.begin_object();
        self.check(0)
    }

    pub(super) fn end_object(&mut self) -> Result<(), String> {
        self.leave();
        self.json.end_object();
        self.check(0)
    }

    /// The name of the next value.
    pub(super) fn name(&mut self, name: &str) -> Result<(), String> {
        self.check(name.len() + 3)?;
        self.json.name(name);
        self.check(0)
    }

    /// The same where it is no text: it stands there as JSON would write it.
    pub(super) fn name_of(&mut self, write: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        let mut own = Self::new(self.most, 0);
        write(&mut own)?;
        let written = own.finish().into_text();
        // Bytes and times are texts that need no escapes.
        self.name(written.trim_matches('"'))
    }

    /// Goes one level down.
    pub(super) fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DECODED_DEPTH_MAX {
            return Err(format!("nested more than {DECODED_DEPTH_MAX} deep"));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

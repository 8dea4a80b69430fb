//! Values written one after the other as a JSON text, within bounds.

use std::fmt::Write;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Number;

use crate::{
    limits::DECODED_DEPTH_MAX,
    text::{push_number, push_quoted},
};

/// By how much a JSON text is longer than what it was, about.
const GROWTH: usize = 2;

/// A JSON text that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    most: usize,
    depth: usize,
}

impl Writer {
    /// For what came in so many bytes.
    pub(super) fn new(most: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes.saturating_mul(GROWTH).min(most)), most, depth: 0 }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Each value has a byte at least, so that this bounds their number as well.
    fn check(&self, more: usize) -> Result<(), String> {
        if self.text.len().saturating_add(more) > self.most {
            return Err(format!("more than {} bytes of JSON", self.most));
        }
        Ok(())
    }

    /// Something that stands in JSON as it is: a word, a bracket, a comma.
    pub(super) fn raw(&mut self, word: &str) -> Result<(), String> {
        self.check(word.len())?;
        self.text.push_str(word);
        Ok(())
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), String> {
        self.check(text.len() + 2)?;
        push_quoted(&mut self.text, text);
        self.check(0)
    }

    /// Bytes that are no text.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.check(bytes.len().div_ceil(3) * 4 + 2)?;
        self.text.push('"');
        BASE64_STANDARD.encode_string(bytes, &mut self.text);
        self.text.push('"');
        Ok(())
    }

    pub(super) fn unsigned(&mut self, number: u64) -> Result<(), String> {
        push_number(&mut self.text, number);
        self.check(0)
    }

    pub(super) fn signed(&mut self, number: i64) -> Result<(), String> {
        if number < 0 {
            self.text.push('-');
        }
        self.unsigned(number.unsigned_abs())
    }

    /// A whole number of any size, by its digits: beyond 64 bits whoever reads it takes it for a float.
    pub(super) fn digits(&mut self, number: impl std::fmt::Display) -> Result<(), String> {
        // Writing into a text doesn't fail.
        _ = write!(self.text, "{number}");
        self.check(0)
    }

    /// One that isn't finite is no number: said, and no widget's value.
    pub(super) fn float(&mut self, number: f64) -> Result<(), String> {
        match Number::from_f64(number) {
            Some(number) => self.digits(number),
            None if number.is_nan() => self.text("NaN"),
            None if number > 0.0 => self.text("Infinity"),
            None => self.text("-Infinity"),
        }
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

    /// Writes a name: what is no text stands there as JSON would write it.
    pub(super) fn name(&mut self, write: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        let start = self.text.len();
        write(self)?;
        if !self.text[start..].starts_with('"') {
            self.text.insert(start, '"');
            self.text.push('"');
        }
        self.raw(":")
    }
}

//! Keys, tables and how they are read. One [`Key`] says everything about a setting: the decoder, the schema and the
//! reference page are made from it.

use std::ops::Range;

use serde_json::{Value, json};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    diagnostic::{Problem, Sink},
    keys,
    nearest::did_you_mean,
    text::{SourceText, mask_url, offset_in_literal, printable},
};

/// The most characters of a value that an error repeats.
const FOUND_CHARACTERS_MAX: usize = 60;

/// A value of the file, with the name of its key.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

/// What may stand as a value.
pub(super) trait Shape: Sync {
    /// What it is read to.
    type Value;
    /// What a person may write, for errors: `a duration from …`.
    fn expected(&self) -> String;
    /// The same in a few words, for the reference page.
    #[cfg(test)]
    fn words(&self) -> String {
        self.expected()
    }
    /// The JSON Schema of it.
    fn schema(&self) -> Value;
    /// The value; `None` if it was faulty, which has then been reported.
    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value>;
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It must.
    Required,
    /// It need not; its absence means something of its own.
    Optional,
    /// It need not; its absence means this value, as it would be written in the file.
    Default(&'static str),
}

/// A setting.
pub(super) struct Key<S> {
    pub(super) name: &'static str,
    pub(super) need: Need,
    /// What it does; one or two sentences.
    pub(super) about: &'static str,
    pub(super) shape: S,
}

/// A [`Key`] of any shape.
pub(super) trait AnyKey: Sync {
    fn name(&self) -> &'static str;
    fn need(&self) -> Need;
    /// Its part of the JSON Schema, with description and default.
    fn schema(&self) -> Value;
    /// Its row of the reference page.
    #[cfg(test)]
    fn row(&self) -> String;
}

impl<S: Shape> AnyKey for Key<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn need(&self) -> Need {
        self.need
    }

    fn schema(&self) -> Value {
        let mut schema = self.shape.schema();
        schema["description"] = json!(self.about);
        if let Need::Default(text) = self.need
            && let Ok(value) = DeValue::parse(text)
        {
            schema["default"] = to_json(value.get_ref());
        }
        schema
    }

    #[cfg(test)]
    fn row(&self) -> String {
        let default = match self.need {
            Need::Required => "**required**".to_owned(),
            Need::Optional => "none".to_owned(),
            Need::Default(text) => format!("`{text}`"),
        };
        format!("| `{}` | {} | {default} | {} |", self.name, self.shape.words(), self.about)
    }
}

/// A table of the file, or the part of one that a kind adds.
pub(super) struct TableShape {
    /// What it is called in errors: `` `[board]` ``.
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static dyn AnyKey],
}

impl TableShape {
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name() == name)
    }
}

/// Reads one table of the file.
pub(super) struct TableReader<'a> {
    entries: &'a DeTable<'a>,
    /// The header, or the whole inline table.
    pub(super) span: Range<usize>,
    /// What it is called in errors.
    pub(super) label: String,
    shapes: Vec<&'static TableShape>,
}

impl<'a> TableReader<'a> {
    /// `None` and a report if the value is no table.
    pub(super) fn open(node: Node<'a>, shape: &'static TableShape, sink: &mut Sink<'_>) -> Option<Self> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &format!("a table with {}", names(shape.keys.iter().map(|key| key.name()))), None, sink);
            return None;
        };
        Some(Self { entries, span: node.value.span(), label: shape.name.to_owned(), shapes: vec![shape] })
    }

    /// Takes in the keys that the table's kind adds.
    pub(super) fn extend(&mut self, shape: &'static TableShape) {
        self.shapes.push(shape);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// An optional setting: `None` if it was faulty, `Some(None)` if it isn't there.
    #[allow(clippy::option_option)] // the two absences are two things
    pub(super) fn optional<S: Shape>(&self, key: &Key<S>, sink: &mut Sink<'_>) -> Option<Option<S::Value>> {
        let value = self.get(key, sink);
        if value.is_none() && self.has(key.name) { None } else { Some(value) }
    }

    /// Where the key's value stands, else the table.
    pub(super) fn span_of(&self, name: &str) -> Range<usize> {
        self.entries.get(name).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Where the `at`th item of the key's array stands, else its value.
    pub(super) fn span_of_item(&self, name: &str, at: usize) -> Range<usize> {
        let item = self.entries.get(name).and_then(|value| value.get_ref().as_array()?.get(at));
        item.map_or_else(|| self.span_of(name), Spanned::span)
    }

    /// Where the key itself stands, else the table.
    pub(super) fn key_span(&self, name: &str) -> Range<usize> {
        self.entries.get_key_value(name).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// The text of a key before it was checked, to name the table by.
    pub(super) fn raw_text(&self, name: &str) -> Option<&'a str> {
        self.entries.get(name).and_then(|value| value.get_ref().as_str())
    }

    /// The key's value as it stands.
    pub(super) fn node<S>(&self, key: &Key<S>) -> Option<Node<'a>> {
        self.entries.get(key.name).map(|value| Node { name: key.name, value })
    }

    /// The key's value or default. `None` if it is optional and missing, or if something was reported.
    pub(super) fn get<S: Shape>(&self, key: &Key<S>, sink: &mut Sink<'_>) -> Option<S::Value> {
        debug_assert!(self.shapes.iter().any(|shape| shape.has(key.name)), "{} has no {}", self.label, key.name);
        #[cfg(test)]
        sink.asked.extend(self.shapes.iter().filter(|shape| shape.has(key.name)).map(|shape| (shape.name, key.name)));
        if let Some(node) = self.node(key) {
            return if sink.is_damaged(&node.value.span()) { None } else { key.shape.read(node, sink) };
        }
        match key.need {
            Need::Required => {
                self.missing(key.name, &key.shape.expected(), None, sink);
                None
            }
            Need::Optional => None,
            Need::Default(text) => {
                let value = DeValue::parse(text).ok()?;
                let source = SourceText::new(text);
                key.shape.read(Node { name: key.name, value: &value }, &mut Sink::new(&source))
            }
        }
    }

    /// Reports that a key is needed here.
    pub(super) fn missing(&self, name: &str, expected: &str, help: Option<String>, sink: &mut Sink<'_>) {
        sink.report_absence(Problem {
            span: self.span.clone(),
            message: format!("`{name}` is missing in {}", self.label),
            found: "nothing".to_owned(),
            expected: expected.to_owned(),
            help,
        });
    }

    /// Reports the keys that the table does not have.
    pub(super) fn finish(&self, sink: &mut Sink<'_>) {
        self.finish_but(|_| false, sink);
    }

    /// Reports the keys that neither the table nor the condition knows.
    pub(super) fn finish_but(&self, is_excused: impl Fn(&str) -> bool, sink: &mut Sink<'_>) {
        for key in self.entries.keys() {
            let (name, span) = (key.get_ref().as_ref(), key.span());
            let is_known = self.shapes.iter().any(|shape| shape.has(name)) || is_excused(name);
            if is_known || sink.is_astray(span.start) || sink.counts_only() {
                continue;
            }
            let valid = || self.shapes.iter().flat_map(|shape| shape.keys).map(|key| key.name());
            // A key that is exactly another table's is no slip of the pen, however near another name is.
            let help = keys::belongs(name).or_else(|| did_you_mean(name, valid()));
            sink.report(Problem {
                span,
                message: format!("unknown key `{}` in {}", cut(name), self.label),
                found: format!("`{}`", cut(name)),
                expected: names(valid()),
                help,
            });
        }
    }
}

/// Reports a value of the wrong type.
pub(super) fn wrong_type(node: Node<'_>, expected: &str, help: Option<String>, sink: &mut Sink<'_>) {
    let found = describe(node.value.get_ref());
    let message = format!("wrong type for `{}`", cut(node.name));
    sink.report(Problem { span: node.value.span(), message, found, expected: expected.to_owned(), help });
}

/// Reports a value of the right type that can't be taken.
pub(super) fn bad_value(node: Node<'_>, message: &str, expected: &str, help: Option<String>, sink: &mut Sink<'_>) {
    let found = describe(node.value.get_ref());
    let message = format!("{message} for `{}`", cut(node.name));
    sink.report(Problem { span: node.value.span(), message, found, expected: expected.to_owned(), help });
}

/// Reports a fault at a character (from 1) of a string.
pub(super) fn bad_character(node: Node<'_>, at: usize, message: String, expected: &str, sink: &mut Sink<'_>) {
    let span = node.value.span();
    let start = span.start + offset_in_literal(sink.source.slice(span.clone()), at);
    let length = sink.source.slice(start..span.end).chars().next().map_or(0, char::len_utf8);
    let found = describe(node.value.get_ref());
    sink.report(Problem { span: start..start + length, message, found, expected: expected.to_owned(), help: None });
}

/// What a value is, for people: `the integer 30`, `"abc"`, `a table`.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", cut(text)),
        DeValue::Integer(number) => format!("the integer {}", cut(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", cut(&number.to_string())),
        DeValue::Boolean(word) => format!("{word}"),
        DeValue::Datetime(when) => format!("the date or time {when}"),
        DeValue::Array(items) if items.is_empty() => "an empty array".to_owned(),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A text as an error repeats it: bounded, without control characters or the user and password of a URL.
pub(super) fn cut(text: &str) -> String {
    let mut shown: String = mask_url(text).chars().take(FOUND_CHARACTERS_MAX).map(printable).collect();
    if text.chars().nth(FOUND_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// `` `a`, `b` or `c` ``
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The JSON that a TOML value stands for; dates as text, numbers that JSON lacks as null.
pub(super) fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, |number| json!(number))
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, |number| json!(number)),
        DeValue::Boolean(word) => json!(word),
        DeValue::Datetime(when) => json!(when.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(entries) => {
            let pairs = entries.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())));
            Value::Object(pairs.collect())
        }
    }
}

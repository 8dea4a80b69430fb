//! Keys, tables and how they are read. One [`Key`] says everything about a setting: the decoder, the schema and the
//! reference page are made from it.

use std::ops::Range;

use serde_json::{Value, json};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    diagnostic::{Problem, Sink},
    nearest::did_you_mean,
    text::{SourceText, mask_url, offset_in_literal, printable},
};

/// The most characters of a value that an error repeats.
const FOUND_CHARACTERS_MAX: usize = 60;

/// A value of the file, with the name of its key.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// The name.
    pub name: &'a str,
    /// What stands there.
    pub value: &'a Spanned<DeValue<'a>>,
}

/// What may stand as a value.
pub trait Shape: Sync {
    /// What it is read to.
    type Value;
    /// What a person may write, for errors: `a duration from …`.
    fn expected(&self) -> String;
    /// The same in a few words, for the reference page.
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
pub enum Need {
    /// It must.
    Required,
    /// It need not; its absence means something of its own.
    Optional,
    /// It need not; its absence means this value, as it would be written in the file.
    Default(&'static str),
}

/// A setting.
pub struct Key<S> {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub need: Need,
    /// What it does; one or two sentences.
    pub about: &'static str,
    /// What may stand there.
    pub shape: S,
}

/// A [`Key`] of any shape.
pub trait AnyKey: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Whether it must be there.
    fn need(&self) -> Need;
    /// Its part of the JSON Schema, with description and default.
    fn schema(&self) -> Value;
    /// Its row of the reference page.
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
pub struct TableShape {
    /// What it is called in errors: `` `[board]` ``.
    pub name: &'static str,
    /// Its settings.
    pub keys: &'static [&'static dyn AnyKey],
}

impl TableShape {
    /// Whether it has such a setting.
    pub fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name() == name)
    }
}

/// Reads one table of the file.
pub struct TableReader<'a> {
    entries: &'a DeTable<'a>,
    /// The header, or the whole inline table.
    pub span: Range<usize>,
    /// What it is called in errors.
    pub label: String,
    shapes: Vec<&'static TableShape>,
}

impl<'a> TableReader<'a> {
    /// `None` and a report if the value is no table.
    pub fn open(node: Node<'a>, shape: &'static TableShape, sink: &mut Sink<'_>) -> Option<Self> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &format!("a table with {}", names(shape.keys.iter().map(|key| key.name()))), None, sink);
            return None;
        };
        Some(Self { entries, span: node.value.span(), label: shape.name.to_owned(), shapes: vec![shape] })
    }

    /// Takes in the keys that the table's kind adds.
    pub fn extend(&mut self, shape: &'static TableShape) {
        self.shapes.push(shape);
    }

    /// Whether the key is there.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// An optional setting: `None` if it was faulty, `Some(None)` if it isn't there.
    #[allow(clippy::option_option)] // the two absences are two things
    pub fn optional<S: Shape>(&self, key: &Key<S>, sink: &mut Sink<'_>) -> Option<Option<S::Value>> {
        let value = self.get(key, sink);
        if value.is_none() && self.has(key.name) { None } else { Some(value) }
    }

    /// Where the key's value stands, else the table.
    pub fn span_of(&self, name: &str) -> Range<usize> {
        self.entries.get(name).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Where the `at`th item of the key's array stands, else its value.
    pub fn span_of_item(&self, name: &str, at: usize) -> Range<usize> {
        let item = self.entries.get(name).and_then(|value| value.get_ref().as_array()?.get(at));
        item.map_or_else(|| self.span_of(name), Spanned::span)
    }

    /// Where the key itself stands, else the table.
    pub fn key_span(&self, name: &str) -> Range<usize> {
        self.entries.get_key_value(name).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// The text of a key before it was checked, to name the table by.
    pub fn raw_text(&self, name: &str) -> Option<&'a str> {
        self.entries.get(name).and_then(|value| value.get_ref().as_str())
    }

    /// The key's value as it stands.
    pub fn node<S>(&self, key: &Key<S>) -> Option<Node<'a>> {
        self.entries.get(key.name).map(|value| Node { name: key.name, value })
    }

    /// The key's value or default. `None` if it is optional and missing, or if something was reported.
    pub fn get<S: Shape>(&self, key: &Key<S>, sink: &mut Sink<'_>) -> Option<S::Value> {
        debug_assert!(self.shapes.iter().any(|shape| shape.has(key.name)), "{} has no {}", self.label, key.name);
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
    pub fn missing(&self, name: &str, expected: &str, help: Option<String>, sink: &mut Sink<'_>) {
        sink.report_absence(Problem {
            span: self.span.clone(),
            message: format!("`{name}` is missing in {}", self.label),
            found: "nothing".to_owned(),
            expected: expected.to_owned(),
            help,
        });
    }

    /// Reports the keys that the table does not have.
    pub fn finish(&self, sink: &mut Sink<'_>) {
        self.finish_but(|_| false, sink);
    }

    /// Reports the keys that neither the table nor the condition knows.
    pub fn finish_but(&self, is_excused: impl Fn(&str) -> bool, sink: &mut Sink<'_>) {
        for key in self.entries.keys() {
            let (name, span) = (key.get_ref().as_ref(), key.span());
            let is_known = self.shapes.iter().any(|shape| shape.has(name)) || is_excused(name);
            if is_known || sink.is_astray(span.start) || sink.counts_only() {
                continue;
            }
            let valid = || self.shapes.iter().flat_map(|shape| shape.keys).map(|key| key.name());
            // A key that is exactly another table's is no slip of the pen, however near another name is.
            let help = (sink.elsewhere)(name).or_else(|| did_you_mean(name, valid()));
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

/// Reports what stands at the top of a file and is none of its tables, which are given as they are written: `[board]`, `[[page]]`. `what` is the
/// file in errors.
pub fn report_unknown_tables(file: &DeTable<'_>, what: &str, tables: &[&str], sink: &mut Sink<'_>) {
    let bare = || tables.iter().map(|table| table.trim_matches(['[', ']']));
    for key in file.keys() {
        let name = key.get_ref().as_ref();
        if bare().any(|table| table == name) || sink.is_astray(key.span().start) || sink.counts_only() {
            continue;
        }
        sink.report(Problem {
            span: key.span(),
            message: format!("unknown key `{}` in the {what}", cut(name)),
            found: format!("`{}`", cut(name)),
            expected: names(tables.iter().copied()),
            help: (sink.elsewhere)(name).or_else(|| did_you_mean(name, bare())),
        });
    }
}

/// The tables of `[[name]]`; at least one is needed.
pub fn tables_of<'a>(
    file: &'a DeTable<'a>,
    name: &'static str,
    count_max: usize,
    sink: &mut Sink<'_>,
) -> Vec<Node<'a>> {
    let expected = format!("1 to {count_max} tables `[[{name}]]`");
    let Some(value) = file.get(name) else {
        sink.report_absence(Problem {
            span: 0..0,
            message: format!("`[[{name}]]` is missing"),
            found: "nothing".to_owned(),
            expected,
            help: None,
        });
        return Vec::new();
    };
    if sink.is_damaged(&value.span()) {
        return Vec::new();
    }
    let node = Node { name, value };
    let Some(items) = value.get_ref().as_array() else {
        let help = value.get_ref().is_table().then(|| format!("write `[[{name}]]`, with two brackets"));
        wrong_type(node, &expected, help, sink);
        return Vec::new();
    };
    if items.is_empty() || items.len() > count_max {
        sink.report(Problem {
            span: items.get(count_max).map_or_else(|| value.span(), Spanned::span),
            message: format!("too {} tables `[[{name}]]`", if items.is_empty() { "few" } else { "many" }),
            found: items.len().to_string(),
            expected,
            help: None,
        });
    }
    items.iter().take(count_max).map(|value| Node { name, value }).collect()
}

/// Reports a value of the wrong type.
pub fn wrong_type(node: Node<'_>, expected: &str, help: Option<String>, sink: &mut Sink<'_>) {
    let found = describe(node.value.get_ref());
    let message = format!("wrong type for `{}`", cut(node.name));
    sink.report(Problem { span: node.value.span(), message, found, expected: expected.to_owned(), help });
}

/// Reports a value of the right type that can't be taken.
pub fn bad_value(node: Node<'_>, message: &str, expected: &str, help: Option<String>, sink: &mut Sink<'_>) {
    let found = describe(node.value.get_ref());
    let message = format!("{message} for `{}`", cut(node.name));
    sink.report(Problem { span: node.value.span(), message, found, expected: expected.to_owned(), help });
}

/// Reports a fault at a character (from 1) of a string.
pub fn bad_character(node: Node<'_>, at: usize, message: String, expected: &str, sink: &mut Sink<'_>) {
    let span = node.value.span();
    let start = span.start + offset_in_literal(sink.source.slice(span.clone()), at);
    let length = sink.source.slice(start..span.end).chars().next().map_or(0, char::len_utf8);
    let found = describe(node.value.get_ref());
    sink.report(Problem { span: start..start + length, message, found, expected: expected.to_owned(), help: None });
}

/// What a value is, for people: `the integer 30`, `"abc"`, `a table`.
pub fn describe(value: &DeValue<'_>) -> String {
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
pub fn cut(text: &str) -> String {
    let mut shown: String = mask_url(text).chars().take(FOUND_CHARACTERS_MAX).map(printable).collect();
    if text.chars().nth(FOUND_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// `` `a`, `b` or `c` ``
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The JSON that a TOML value stands for; dates as text, numbers that JSON lacks as null.
pub fn to_json(value: &DeValue<'_>) -> Value {
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

//! Taking keys, numbers, instants and cells out of an event's data, with a reason when they are not there.

use std::borrow::Cow;

use serde_json::Value;
use watchfloor_model::{Json, Shape};

use super::{Ms, Rejection, TIME_MS_MAX, cut::cut};
use crate::{frame::Cell, path::Path};

/// The longest key of a row, tile, marker or line, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 200;
/// The longest text of a cell, label or line, in characters; longer ones end in an ellipsis.
pub(crate) const TEXT_CHARACTERS_MAX: usize = 300;
/// The greatest size of a number: sums of as many as anybody can send stay finite.
pub(crate) const NUMBER_MAX: f64 = 1e290;
/// What of a wrong value is shown, in characters.
const FOUND_CHARACTERS_MAX: usize = 40;

/// What stands where a number may stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Picked<T> {
    /// Nothing.
    Missing,
    /// Null: the source says that there is none.
    Null,
    /// This.
    Some(T),
}

impl<T> Picked<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Picked<U> {
        match self {
            Self::Missing => Picked::Missing,
            Self::Null => Picked::Null,
            Self::Some(value) => Picked::Some(change(value)),
        }
    }

    /// Null where nothing is said.
    pub(crate) fn or_null(self) -> Self {
        match self {
            Self::Missing => Self::Null,
            said => said,
        }
    }

    pub(crate) fn some(self) -> Option<T> {
        match self {
            Self::Some(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

/// The number at `path`.
pub(crate) fn number(path: &Path, data: Json<'_>) -> Result<Picked<f64>, Rejection> {
    match path.find(data).map(Json::shape) {
        None => Ok(Picked::Missing),
        Some(Shape::Null) => Ok(Picked::Null),
        Some(Shape::Number(number)) => match number.as_f64() {
            Some(value) if value.abs() <= NUMBER_MAX => Ok(Picked::Some(value)),
            _ => Err(reject(path, data, format!("a number from -{NUMBER_MAX:e} to {NUMBER_MAX:e}"))),
        },
        Some(_) => Err(reject(path, data, "a number")),
    }
}

/// The number at `path` if it lies between `low` and `high`, both included.
pub(crate) fn number_within(path: &Path, data: Json<'_>, low: f64, high: f64) -> Result<Picked<f64>, Rejection> {
    match number(path, data)? {
        Picked::Some(value) if !(low..=high).contains(&value) => {
            Err(reject(path, data, format!("a number from {low} to {high}")))
        }
        picked => Ok(picked),
    }
}

/// The word at `path`: text, a number as it is written, `true` or `false`.
pub(crate) fn word<'a>(path: &Path, data: Json<'a>) -> Result<Picked<Cow<'a, str>>, Rejection> {
    Ok(match path.find(data).map(Json::shape) {
        None => Picked::Missing,
        Some(Shape::Null) => Picked::Null,
        Some(Shape::Text(text)) => Picked::Some(Cow::Borrowed(text)),
        Some(Shape::Number(number)) => Picked::Some(Cow::Owned(number_text(&number))),
        Some(Shape::Bool(value)) => Picked::Some(Cow::Borrowed(if value { "true" } else { "false" })),
        Some(Shape::List(_) | Shape::Object(_)) => {
            return Err(reject(path, data, "a text, a number, true, false or null"));
        }
    })
}

/// The key at `path`: text, or a number as it is written.
pub(crate) fn key<'a>(path: &Path, data: Json<'a>) -> Result<Cow<'a, str>, Rejection> {
    let expected = || format!("a text or number of 1 to {KEY_BYTES_MAX} bytes");
    let key = match path.find(data).map(Json::shape) {
        Some(Shape::Text(text)) => Cow::Borrowed(text),
        Some(Shape::Number(number)) => Cow::Owned(number_text(&number)),
        _ => return Err(reject(path, data, expected())),
    };
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(reject(path, data, expected()));
    }
    Ok(key)
}

/// The instant at `path`: milliseconds since the Unix epoch, or a text by RFC 3339.
pub(crate) fn instant(path: &Path, data: Json<'_>) -> Result<Picked<Ms>, Rejection> {
    let found = match path.find(data).map(Json::shape) {
        None => return Ok(Picked::Missing),
        Some(Shape::Null) => return Ok(Picked::Null),
        #[allow(clippy::cast_possible_truncation)] // the range is checked below
        Some(Shape::Number(number)) => number.as_f64().map(|value| value.floor() as Ms),
        Some(Shape::Text(text)) => instant_of_text(text),
        Some(_) => None,
    };
    match found {
        Some(at) if (-TIME_MS_MAX..=TIME_MS_MAX).contains(&at) => Ok(Picked::Some(at)),
        _ => Err(reject(path, data, "milliseconds since 1970 or a time like 2013-02-08T15:00:00Z")),
    }
}

/// Milliseconds since the Unix epoch of a text by RFC 3339.
pub(crate) fn instant_of_text(text: &str) -> Option<Ms> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// What a cell or a sort may be made of, still in the event's data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Text(Cow<'a, str>),
    Number(f64),
}

/// The scalar at `path`; none if nothing stands there.
pub(crate) fn scalar<'a>(path: &Path, data: Json<'a>) -> Result<Option<Scalar<'a>>, Rejection> {
    Ok(Some(match path.find(data).map(Json::shape) {
        None => return Ok(None),
        Some(Shape::Null) => Scalar::Null,
        Some(Shape::Bool(value)) => Scalar::Text(Cow::Borrowed(if value { "true" } else { "false" })),
        Some(Shape::Text(text)) => Scalar::Text(cut(text, TEXT_CHARACTERS_MAX)),
        Some(Shape::Number(_)) => number(path, data)?.some().map_or(Scalar::Null, Scalar::Number),
        Some(Shape::List(_) | Shape::Object(_)) => {
            return Err(reject(path, data, "a text, a number, true, false or null"));
        }
    }))
}

impl PartialEq<Cell> for Scalar<'_> {
    fn eq(&self, cell: &Cell) -> bool {
        match (self, cell) {
            (Self::Null, Cell::Null) => true,
            (Self::Text(own), Cell::Text(text)) => own == text,
            (Self::Number(own), Cell::Number(value)) => own == value,
            _ => false,
        }
    }
}

impl From<Scalar<'_>> for Cell {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Text(text) => Self::Text(text.into_owned()),
            Scalar::Number(value) => Self::Number(value),
        }
    }
}

/// A number as text: whole ones without a point.
pub(crate) fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => super::number_json(value).to_string(),
        _ => number.to_string(),
    }
}

/// The rejection of what stands at `path`.
#[cold]
pub(crate) fn reject(path: &Path, data: Json<'_>, expected: impl Into<String>) -> Rejection {
    Rejection {
        place: format!("`{path}`"),
        found: describe(path.find(data).map(Json::shape)),
        expected: expected.into(),
    }
}

/// What stands there, for people.
pub(crate) fn describe(found: Option<Shape<'_>>) -> String {
    match found {
        None => "nothing".to_owned(),
        Some(Shape::Text(text)) => {
            // Cut first: a text may be long, and writing it as JSON makes it longer.
            let start: String = text.chars().take(FOUND_CHARACTERS_MAX).collect();
            cut(&unturned(&Value::from(start).to_string()), FOUND_CHARACTERS_MAX).into_owned()
        }
        Some(Shape::List(items)) => format!("a list of {items}"),
        Some(Shape::Object(fields)) => format!("an object of {fields} fields"),
        Some(Shape::Null) => "null".to_owned(),
        Some(Shape::Bool(value)) => value.to_string(),
        Some(Shape::Number(number)) => cut(&number.to_string(), FOUND_CHARACTERS_MAX).into_owned(),
    }
}

/// A text in which what would turn around the words behind it is escaped: those are ours, and have to be read.
fn unturned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for own in text.chars() {
        if matches!(own, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.extend(own.escape_unicode());
        } else {
            out.push(own);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watchfloor_model::Payload;

    use super::*;

    fn path(text: &str) -> Path {
        text.parse().expect("a path")
    }

    #[test]
    fn rejections_say_where_what_and_what_was_expected() {
        let data = Payload::from(json!({
            "text": "abc", "long": "x".repeat(1000), "list": [1, 2], "lat": 91, "huge": 1e300, "bool": true, "turned": "a\u{202e}b"
        }));
        let check = |result: Result<(), Rejection>, expected: &str| {
            assert_eq!(result.expect_err(expected).to_string(), expected);
        };
        let number_at = |at: &str| number(&path(at), data.value()).map(drop);
        check(number_at("text"), "`text`: found \"abc\", expected a number");
        check(number_at("turned"), "`turned`: found \"a\\u{202e}b\", expected a number");
        check(number_at("list"), "`list`: found a list of 2, expected a number");
        check(number_at("bool"), "`bool`: found true, expected a number");
        check(number_at("huge"), "`huge`: found 1e+300, expected a number from -1e290 to 1e290");
        let long = format!("`long`: found \"{}…, expected a number", "x".repeat(38));
        check(number_at("long"), &long);
        check(
            number_within(&path("lat"), data.value(), -90.0, 90.0).map(drop),
            "`lat`: found 91, expected a number from -90 to 90",
        );
        check(
            key(&path("none"), data.value()).map(drop),
            "`none`: found nothing, expected a text or number of 1 to 200 bytes",
        );
        check(
            key(&path("long"), data.value()).map(drop),
            &format!("`long`: found \"{}…, expected a text or number of 1 to 200 bytes", "x".repeat(38)),
        );
        check(
            instant(&path("text"), data.value()).map(drop),
            "`text`: found \"abc\", expected milliseconds since 1970 or a time like 2013-02-08T15:00:00Z",
        );
        check(
            scalar(&path("list"), data.value()).map(drop),
            "`list`: found a list of 2, expected a text, a number, true, false or null",
        );
    }

    #[test]
    fn zero_empty_null_and_missing_are_four_things() {
        let data = Payload::from(json!({"zero": 0, "empty": "", "null": null}));
        let cell = |at: &str| scalar(&path(at), data.value()).expect("a scalar").map(Cell::from);
        assert_eq!(cell("zero"), Some(Cell::Number(0.0)));
        assert_eq!(cell("empty"), Some(Cell::Text(String::new())));
        assert_eq!(cell("null"), Some(Cell::Null));
        assert_eq!(cell("missing"), None);
    }

    #[test]
    fn keys_of_whole_numbers_are_written_alike() {
        let data = Payload::from(json!({"a": 1545, "b": 1545.0, "c": 1.5}));
        let key_at = |at: &str| key(&path(at), data.value()).expect("a key").into_owned();
        assert_eq!((key_at("a"), key_at("b"), key_at("c")), ("1545".into(), "1545".into(), "1.5".into()));
    }

    #[test]
    fn instants_are_milliseconds_or_rfc_3339() {
        let data =
            Payload::from(json!({"ms": 1_360_335_600_000_i64, "text": "2013-02-08T10:00:00-05:00", "far": 1e30}));
        assert_eq!(instant(&path("ms"), data.value()), Ok(Picked::Some(1_360_335_600_000)));
        assert_eq!(instant(&path("text"), data.value()), Ok(Picked::Some(1_360_335_600_000)));
        assert!(instant(&path("far"), data.value()).is_err());
    }
}

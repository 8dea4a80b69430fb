//! Where in a message its name, id and time stand, for protocols that carry bodies only.

use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::Number;
use watchfloor_model::{Event, Json, JsonWriter, Mono, Payload, PayloadError, Shape, Timestamp, limits, path::Path};

use crate::{
    config::Secret,
    decode::{self, Codec},
};

/// Numbers above this are milliseconds since 1970, others seconds: it is the year 5138 in seconds, and March 1973 in
/// milliseconds.
const SECONDS_MAX: f64 = 1e11;

/// How a message becomes an event. What is missing in a message is what the protocol gives, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Where its name stands.
    pub name: Option<Path>,
    /// Its name, where none stands in it.
    pub default_name: Option<Arc<str>>,
    /// Where its id stands.
    pub id: Option<Path>,
    /// Where its time stands: a number since 1970 in seconds or milliseconds, or a text of RFC 3339.
    pub time: Option<Path>,
    /// Where its body stands; the whole, if none is said.
    pub data: Option<Path>,
    /// By what its publisher has encrypted it, where the protocol has that; or why it can't be had.
    pub cipher: Option<Result<Secret, String>>,
    /// How its bytes are to be read, in this order, before anything is looked for in it; as its protocol has them, if empty.
    pub decode: Vec<Codec>,
}

/// What the protocol itself says of a message.
#[derive(Debug)]
pub(crate) struct Outside<'a> {
    pub(crate) channel: &'a Arc<str>,
    pub(crate) name: &'a str,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) time: Timestamp,
    pub(crate) received: Mono,
}

impl Envelope {
    /// The field in which all that is looked for stands, and where it stands within that; none if it isn't in one field.
    pub(crate) fn within_field(&self) -> Option<(String, Self)> {
        let field = self.data.as_ref()?.first_key()?;
        let within = |path: &Option<Path>| match path {
            None => Some(None),
            Some(path) => path.within(field)?.map(Some),
        };
        let inner = Self {
            name: within(&self.name)?,
            default_name: self.default_name.clone(),
            id: within(&self.id)?,
            time: within(&self.time)?,
            data: self.data.as_ref()?.within(field)?,
            cipher: self.cipher.clone(),
            decode: self.decode.clone(),
        };
        Some((field.to_owned(), inner))
    }

    /// Whether bytes are to be read as the board says, and not as their protocol has them.
    pub(crate) fn decodes(&self) -> bool {
        !self.decode.is_empty()
    }

    /// Opens a message by its bytes, as the board says.
    pub(crate) fn open_bytes(&self, bytes: &[u8], outside: Outside<'_>) -> Result<Event, String> {
        self.take(decode::payload(&self.decode, bytes)?, outside)
    }

    /// Opens a message. The error says what is wrong with it, for people. Where there is something to decode, it is a text.
    pub(crate) fn open(&self, text: &str, outside: Outside<'_>) -> Result<Event, String> {
        self.open_read(Payload::parse(text), outside)
    }

    /// The same of one that was written here.
    pub(crate) fn open_written(&self, json: JsonWriter, outside: Outside<'_>) -> Result<Event, String> {
        self.open_read(json.finish(), outside)
    }

    fn open_read(&self, whole: Result<Payload, PayloadError>, outside: Outside<'_>) -> Result<Event, String> {
        let whole = whole.map_err(|error| error.to_string())?;
        if !self.decodes() {
            return self.take(whole, outside);
        }
        match whole.value().shape() {
            Shape::Text(text) => self.open_bytes(text.as_bytes(), outside),
            _ => Err("no text that could be decoded".to_owned()),
        }
    }

    /// The same of what may be no JSON: then it is a text, and that is what it says.
    pub(crate) fn open_any(&self, text: &str, outside: Outside<'_>) -> Result<Event, String> {
        if self.decodes() {
            return self.open_bytes(text.as_bytes(), outside);
        }
        match Payload::parse(text) {
            Ok(whole) => self.take(whole, outside),
            // JSON that can't be taken.
            Err(error) if serde_json::from_str::<IgnoredAny>(text).is_ok() => Err(error.to_string()),
            Err(_) => {
                let mut json = JsonWriter::default();
                json.text(text);
                self.open_written(json, outside)
            }
        }
    }

    /// The same of one that is read already.
    pub(crate) fn take(&self, whole: Payload, outside: Outside<'_>) -> Result<Event, String> {
        let value = whole.value();
        let name = match &self.name {
            None => None,
            Some(path) => Some(word(path, value, "name", limits::NAME_BYTES_MAX)?),
        };
        let name = name.flatten().or_else(|| self.default_name.clone()).unwrap_or_else(|| outside.name.into());
        let id = match &self.id {
            None => None,
            Some(path) => word(path, value, "id", limits::ID_BYTES_MAX)?,
        };
        let time = match self.time.as_ref().map(|path| (path, path.find(value))) {
            None | Some((_, None)) => outside.time,
            Some((path, Some(found))) => time(found).ok_or_else(|| format!("`{path}` is no time"))?,
        };
        let inner = self.data.as_ref().map(|path| path.find(value).ok_or_else(|| format!("`{path}` is missing")));
        let inner = inner.transpose()?.map(Payload::part);
        Ok(Event {
            channel: outside.channel.clone(),
            name,
            id: id.or(outside.id),
            position: None,
            time,
            received: outside.received,
            data: inner.unwrap_or(whole),
        })
    }
}

/// A text or a whole number, as a text.
fn word(path: &Path, value: Json<'_>, what: &str, most: usize) -> Result<Option<Arc<str>>, String> {
    let Some(found) = path.find(value) else { return Ok(None) };
    let text: Arc<str> = match found.shape() {
        Shape::Text(text) => text.into(),
        Shape::Number(number) => digits(&number).into(),
        Shape::Null => return Ok(None),
        _ => return Err(format!("`{path}` is no {what}: neither a text nor a number")),
    };
    if text.len() > most {
        return Err(format!("{what} has {} bytes, the limit is {most}", text.len()));
    }
    Ok(Some(text))
}

/// A number as a text. Encoders that know floats alone write whole numbers as such.
pub(crate) fn digits(number: &Number) -> String {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT);
    whole.map_or_else(|| number.to_string(), |whole| format!("{whole:.0}"))
}

fn time(value: Json<'_>) -> Option<Timestamp> {
    match value.shape() {
        Shape::Number(number) => {
            let number = number.as_f64().filter(|number| number.is_finite())?;
            let millis = if number.abs() > SECONDS_MAX { number } else { number * 1000.0 };
            #[expect(clippy::cast_possible_truncation, reason = "saturates, which no real time comes near")]
            Some(Timestamp::from_millis(millis as i64))
        }
        Shape::Text(text) => text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp::from_millis(at.as_millisecond())),
        _ => None,
    }
}

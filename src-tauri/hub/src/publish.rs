//! Reading and checking what publishers send.
//!
//! A batch is taken whole or not at all, so every event is checked before the first one is published. Messages name the
//! event by its number in the batch, what was found and what was expected.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use watchfloor_model::{Payload, Timestamp, limits as event_limits};

use crate::{channel::Aside, limits};

/// One event as a publisher sent it, checked.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    /// Where it goes.
    pub(crate) channel: Arc<str>,
    /// What kind of thing happened.
    pub(crate) name: Arc<str>,
    /// The publisher's own id of it.
    pub(crate) id: Option<Arc<str>>,
    /// When it happened, if the publisher says so.
    pub(crate) time: Option<Timestamp>,
    /// What it says: one line of JSON.
    pub(crate) data: Payload,
    /// What only the Pusher door asks for.
    pub(crate) aside: Option<Box<Aside>>,
}

/// How a body holds its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/json`: one event or an array of them.
    Json,
    /// `application/x-ndjson`: one event a line.
    Lines,
}

/// Why a batch can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// For programs.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: String,
}

impl Refused {
    fn bad(message: String) -> Self {
        Self { code: "bad-event", message }
    }
}

/// Reads a batch.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn parse(body: &[u8], form: Form) -> Result<Vec<Incoming>, Refused> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Refused::bad(format!("the body is not UTF-8: invalid byte at {}", error.valid_up_to())))?;
    let texts = match form {
        Form::Json => json_texts(text)?,
        Form::Lines => Texts::of(text.split('\n').map(str::trim).filter(|line| !line.is_empty())),
    };
    if texts.found == 0 {
        return Err(Refused::bad("the body holds no event: expected at least one".to_owned()));
    }
    if texts.found > limits::BATCH_EVENTS_MAX {
        let (found, max) = (texts.found, limits::BATCH_EVENTS_MAX);
        return Err(Refused { code: "too-many-events", message: format!("{found} events: expected at most {max}") });
    }
    let mut channel: Option<Arc<str>> = None;
    let mut events = Vec::with_capacity(texts.found);
    for (index, text) in texts.kept.into_iter().enumerate() {
        let event =
            event(text, channel.as_ref()).map_err(|problem| Refused::bad(format!("event {}: {problem}", index + 1)))?;
        channel = Some(event.channel.clone());
        events.push(event);
    }
    Ok(events)
}

/// The name of what is received without one.
const RECEIVED: &str = "received";

/// One event of what somebody posted in a form of his own.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn received(channel: &str, name: Option<&str>, body: &[u8]) -> Result<Incoming, Refused> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Refused::bad(format!("the body is not UTF-8: invalid byte at {}", error.valid_up_to())))?;
    let value: &RawValue =
        serde_json::from_str(text).map_err(|error| Refused::bad(format!("the body is not JSON: {error}")))?;
    let channel = self::channel(channel).map_err(Refused::bad)?;
    let name = check_label("name", name.unwrap_or(RECEIVED), event_limits::NAME_BYTES_MAX).map_err(Refused::bad)?;
    let data = data(value.get()).map_err(Refused::bad)?;
    Ok(Incoming { channel, name, id: None, time: None, data, aside: None })
}

/// The texts of a batch's events. Those over the limit are counted and not kept.
#[derive(Default)]
struct Texts<'a> {
    kept: Vec<&'a str>,
    found: usize,
}

impl<'a> Texts<'a> {
    fn of(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        texts.for_each(|text| all.push(text));
        all
    }

    fn push(&mut self, text: &'a str) {
        self.found += 1;
        if self.found <= limits::BATCH_EVENTS_MAX {
            self.kept.push(text);
        }
    }
}

impl<'de> Deserialize<'de> for Texts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut texts = Texts::default();
                while let Some(event) = elements.next_element::<&RawValue>()? {
                    texts.push(event.get());
                }
                Ok(texts)
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

fn json_texts(text: &str) -> Result<Texts<'_>, Refused> {
    let syntax = |error: serde_json::Error| Refused::bad(format!("the body is not JSON: {error}"));
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(syntax);
    }
    let event: &RawValue = serde_json::from_str(text).map_err(syntax)?;
    Ok(Texts::of(std::iter::once(event.get())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    channel: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
}

/// Null is a value here, not a missing field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// `last` is the channel of the event before, which most often is the same: its name is then shared and not checked again.
fn event(text: &str, last: Option<&Arc<str>>) -> Result<Incoming, String> {
    if !text.starts_with('{') {
        return Err(format!("found {}: expected an object", kind(text)));
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let channel = envelope.channel.ok_or("`channel` is missing: expected a channel name")?.get();
    let channel = match last {
        Some(last) if is_quoted(channel, last) => last.clone(),
        _ => self::channel(&string("channel", channel, "a channel name")?)?,
    };
    let name = envelope.name.ok_or("`name` is missing: expected the event's name")?.get();
    let name = label("name", name, "the event's name", event_limits::NAME_BYTES_MAX)?;
    let id = envelope.id.map(|id| label("id", id.get(), "text", event_limits::ID_BYTES_MAX)).transpose()?;
    let time = envelope.time.map(|time| self::time(time.get())).transpose()?;
    let data = envelope.data.ok_or("`data` is missing: expected any JSON value")?.get();
    Ok(Incoming { channel, name, id, time, data: self::data(data)?, aside: None })
}

fn is_quoted(json: &str, name: &str) -> bool {
    json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(name)
}

/// Checks a channel name.
///
/// # Errors
/// What was found and what was expected.
pub(crate) fn channel(name: &str) -> Result<Arc<str>, String> {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"_-=@.;".contains(&b);
    if (1..=limits::CHANNEL_BYTES_MAX).contains(&name.len()) && name.bytes().all(sound) {
        return Ok(name.into());
    }
    let found: String = name.chars().take(40).collect();
    let max = limits::CHANNEL_BYTES_MAX;
    Err(format!("{found:?} is no channel name: expected 1 to {max} of A-Z a-z 0-9 _ - = @ . ;"))
}

fn string(field: &str, json: &str, expected: &str) -> Result<String, String> {
    serde_json::from_str(json).map_err(|_| format!("`{field}` is {}: expected {expected}", kind(json)))
}

fn label(field: &str, json: &str, expected: &str, bytes_max: usize) -> Result<Arc<str>, String> {
    check_label(field, &string(field, json, expected)?, bytes_max)
}

pub(crate) fn check_label(field: &str, text: &str, bytes_max: usize) -> Result<Arc<str>, String> {
    if text.is_empty() || text.len() > bytes_max {
        return Err(format!("`{field}` has {} bytes: expected 1 to {bytes_max}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("`{field}` holds a control character: expected none"));
    }
    Ok(text.into())
}

fn time(json: &str) -> Result<Timestamp, String> {
    let millis = serde_json::from_str(json).ok().filter(|ms| (limits::TIME_MS_MIN..=limits::TIME_MS_MAX).contains(ms));
    let expected = "whole milliseconds since 1970-01-01T00:00:00Z, between the years 1 and 9999";
    millis.map(Timestamp::from_millis).ok_or_else(|| format!("`time` is {}: expected {expected}", kind(json)))
}

/// Keeps the text as it came, but on one line: a message is one line.
pub(crate) fn data(json: &str) -> Result<Payload, String> {
    if json.len() > event_limits::DATA_BYTES_MAX {
        let (found, max) = (json.len(), event_limits::DATA_BYTES_MAX);
        return Err(format!("`data` has {found} bytes: expected at most {max}"));
    }
    let shape = Shape::of(json);
    if shape.depth > limits::DATA_DEPTH_MAX {
        let (found, max) = (shape.depth, limits::DATA_DEPTH_MAX);
        return Err(format!("`data` nests {found} deep: expected at most {max}"));
    }
    // Valid JSON has line ends between its tokens only; inside a string they are escaped.
    let parsed =
        if shape.has_line_ends { Payload::parse(&json.replace(['\n', '\r'], " ")) } else { Payload::parse(json) };
    parsed.map_err(|error| error.to_string())
}

/// What can be seen of a JSON text without reading it in.
struct Shape {
    depth: usize,
    has_line_ends: bool,
}

impl Shape {
    fn of(json: &str) -> Self {
        let mut shape = Self { depth: 0, has_line_ends: false };
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        for byte in json.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'[' | b'{' => {
                    depth += 1;
                    shape.depth = shape.depth.max(depth);
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                b'\n' | b'\r' => shape.has_line_ends = true,
                _ => {}
            }
        }
        shape
    }
}

/// Names a JSON text for people: short ones as they are, long ones by their kind.
fn kind(json: &str) -> String {
    if json.len() <= 40 && !json.starts_with(['{', '[']) {
        return json.to_owned();
    }
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a long text",
        _ => "a long number",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str, form: Form) -> String {
        parse(body.as_bytes(), form).expect_err(body).message
    }

    /// Bad input: each mistake is named with its event, what was found and what was expected.
    #[test]
    fn refusals_say_what_is_wrong() {
        let deep = format!(r#"{{"channel":"a","name":"n","data":{}1{}}}"#, "[".repeat(101), "]".repeat(101));
        let long = format!(r#"{{"channel":"a","name":"{}","data":1}}"#, "n".repeat(201));
        for (body, message) in [
            ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
            ("[]", "the body holds no event: expected at least one"),
            ("7", "event 1: found 7: expected an object"),
            (r#"[{"channel":"a","name":"n","data":1},[]]"#, "event 2: found an array: expected an object"),
            (r#"{"name":"n","data":1}"#, "event 1: `channel` is missing: expected a channel name"),
            (r#"{"channel":null,"name":"n","data":1}"#, "event 1: `channel` is null: expected a channel name"),
            (
                r#"{"channel":"a b","name":"n","data":1}"#,
                r#"event 1: "a b" is no channel name: expected 1 to 200 of A-Z a-z 0-9 _ - = @ . ;"#,
            ),
            (r#"{"channel":"a","data":1}"#, "event 1: `name` is missing: expected the event's name"),
            (r#"{"channel":"a","name":5,"data":1}"#, "event 1: `name` is 5: expected the event's name"),
            (r#"{"channel":"a","name":"","data":1}"#, "event 1: `name` has 0 bytes: expected 1 to 200"),
            (&*long, "event 1: `name` has 201 bytes: expected 1 to 200"),
            (
                r#"{"channel":"a","name":"n\u0000","data":1}"#,
                "event 1: `name` holds a control character: expected none",
            ),
            (r#"{"channel":"a","name":"n"}"#, "event 1: `data` is missing: expected any JSON value"),
            (r#"{"channel":"a","name":"n","id":7,"data":1}"#, "event 1: `id` is 7: expected text"),
            (
                r#"{"channel":"a","name":"n","time":1.5,"data":1}"#,
                "event 1: `time` is 1.5: expected whole milliseconds since 1970-01-01T00:00:00Z, between the years 1 and 9999",
            ),
            (r#"{"channel":"a","name":"n","data":1e400}"#, "number out of range"),
            (r#"{"channel":"a","name":"n","data":"\ud800"}"#, "unexpected end of hex escape"),
            (r#"{"channel":"a","name":"n","data":NaN}"#, "the body is not JSON: expected value at line 1 column 34"),
            (r#"{"channel":"a","name":"n","tiem":1,"data":1}"#, "event 1: unknown field `tiem`, expected one of"),
            (r#"{"channel":"a","channel":"b","name":"n","data":1}"#, "event 1: duplicate field `channel`"),
            (&*deep, "event 1: `data` nests 101 deep: expected at most 100"),
        ] {
            let found = refusal(body, Form::Json);
            assert!(found.contains(message), "{body}\n{found}");
        }
        let lines = "{\"channel\":\"a\",\"name\":\"n\",\"data\":1}\n\n{\"channel\":\"a\"\n";
        assert!(refusal(lines, Form::Lines).starts_with("event 2: EOF while parsing"));
        assert_eq!(
            parse(b"\"\xff\"", Form::Json).expect_err("utf-8").message,
            "the body is not UTF-8: invalid byte at 1"
        );
    }

    /// H5: events a batch and bytes an event are bounded.
    #[test]
    fn sizes_are_bounded() {
        let line = "{\"channel\":\"a\",\"name\":\"n\",\"data\":1}\n";
        assert_eq!(parse(line.repeat(10_000).as_bytes(), Form::Lines).expect("most").len(), 10_000);
        assert_eq!(refusal(&line.repeat(10_001), Form::Lines), "10001 events: expected at most 10000");
        assert_eq!(refusal(&format!("[{}0]", "0,".repeat(20_000)), Form::Json), "20001 events: expected at most 10000");
        let big = format!(r#"{{"channel":"a","name":"n","data":"{}"}}"#, "x".repeat(1 << 20));
        assert_eq!(refusal(&big, Form::Json), "event 1: `data` has 1048578 bytes: expected at most 1048576");
    }

    /// The text is the publisher's own, on one line, and says the same.
    #[test]
    fn data_is_kept_as_it_came() {
        for (data, kept) in [
            ("null", "null"),
            ("1.50", "1.50"),
            ("[1,\r\n 2]", "[1,   2]"),
            (r#"{"a": "line\nend [[[", "b": 1E2}"#, r#"{"a": "line\nend [[[", "b": 1E2}"#),
            (r#""\\""#, r#""\\""#),
            ("12345678901234567890123", "12345678901234567890123"),
        ] {
            let body = format!(r#"{{"channel":"a","name":"n","data": {data} ,"time":null,"id":null}}"#);
            let events = parse(body.as_bytes(), Form::Json).expect("event");
            assert_eq!(&**events[0].data.text(), kept);
            assert_eq!((events[0].time, events[0].id.clone()), (None, None));
        }
    }
}

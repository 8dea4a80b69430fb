//! What goes over the wire: Engine.IO 4 packets, one a message, and in them Socket.IO 5 packets.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Number, Value, value::RawValue};
use watchfloor_model::{Timestamp, limits::DATA_BYTES_MAX};

use crate::fault::cut;

/// The namespace that isn't named.
pub(super) const ROOT: &str = "/";
/// Most binary attachments of one packet. The reference parser takes 10.
pub(super) const ATTACHMENTS_MAX: usize = 100;
/// The longest offset, in bytes.
const OFFSET_BYTES_MAX: usize = 40;

/// An Engine.IO packet, by its first character.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Open(&'a str),
    Close,
    Ping,
    Message(&'a str),
    Noop,
    /// Nothing that a server says over a WebSocket.
    Other,
}

impl<'a> Frame<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        match text.split_at_checked(1) {
            Some(("0", body)) => Self::Open(body),
            Some(("1", _)) => Self::Close,
            Some(("2", _)) => Self::Ping,
            Some(("4", body)) => Self::Message(body),
            // A pong, and what belongs to an upgrade.
            Some(("3" | "5" | "6", _)) => Self::Noop,
            _ => Self::Other,
        }
    }
}

/// What the server says of a connection. Times are in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    /// By which the session is asked for: whoever has it is taken for this client.
    #[serde(default)]
    pub(super) sid: String,
    pub(super) ping_interval: u64,
    pub(super) ping_timeout: u64,
    /// Most bytes of what is posted at once.
    #[serde(default)]
    pub(super) max_payload: Option<usize>,
}

/// Why Engine.IO refuses a request.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub(super) code: u64,
    #[serde(default)]
    pub(super) message: String,
}

/// What it says in place of a code to a WebSocket's request, by code.
const REFUSALS: [&str; 6] = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
];

impl Refused {
    /// None if it isn't Engine.IO that refuses.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().or_else(|| {
            let code = REFUSALS.iter().position(|text| text.as_bytes() == body.trim_ascii())?;
            Some(Self { code: code as u64, message: REFUSALS[code].to_owned() })
        })
    }
}

/// What stands between the packets of a poll's answer.
pub(super) const BETWEEN: char = '\u{1E}';

/// A packet of a poll's answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Binary(Vec<u8>),
}

/// Reads the packets of a poll's answer. An answer of none is one.
pub(super) fn parts(body: &[u8]) -> Result<impl Iterator<Item = Result<Part<'_>, String>>, String> {
    let text =
        std::str::from_utf8(body).map_err(|error| format!("not UTF-8: invalid byte at {}", error.valid_up_to()))?;
    let packets = (!text.is_empty()).then(|| text.split(BETWEEN)).into_iter().flatten();
    Ok(packets.map(|packet| match packet.strip_prefix('b') {
        Some(letters) => BASE64.decode(letters).map(Part::Binary).map_err(|error| format!("not base64: {error}")),
        None => Ok(Part::Text(packet)),
    }))
}

/// Types of Socket.IO packets that a server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

/// A Socket.IO packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: Type,
    /// Binary messages that follow it and belong to it; none if it isn't of a binary type.
    pub(super) attachments: Option<usize>,
    pub(super) namespace: &'a str,
    /// It asks for an answer of this number, or is one.
    pub(super) id: Option<&'a str>,
    pub(super) body: &'a str,
}

impl<'a> Packet<'a> {
    /// Reads `<type>[<attachments>-][<namespace>,][<ack id>][<json>]`.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let (kind, rest) = text.split_at_checked(1).ok_or("an empty packet")?;
        let (kind, is_binary) = match kind {
            "0" => (Type::Connect, false),
            "1" => (Type::Disconnect, false),
            "2" => (Type::Event, false),
            "3" => (Type::Ack, false),
            "4" => (Type::ConnectError, false),
            "5" => (Type::Event, true),
            "6" => (Type::Ack, true),
            other => return Err(format!("no packet type of Socket.IO: `{}`", cut(other))),
        };
        let (attachments, rest) = if is_binary {
            let (count, rest) = rest.split_once('-').ok_or("a binary packet without a number of attachments")?;
            let count = count.parse().map_err(|_| format!("`{}` is no number of attachments", cut(count)))?;
            (Some(count), rest)
        } else {
            (None, rest)
        };
        let (namespace, rest) = if rest.starts_with('/') {
            let (name, rest) = rest.split_once(',').unwrap_or((rest, ""));
            // Old servers may name a query there.
            (name.split('?').next().unwrap_or(name), rest)
        } else {
            (ROOT, rest)
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, body) = rest.split_at(digits);
        Ok(Self { kind, attachments, namespace, id: (digits > 0).then_some(id), body })
    }
}

/// What a server says to a namespace's CONNECT.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Connected {
    pub(super) sid: Option<String>,
    /// By which the session can be had again; only where the server can do that. Whoever has it is taken for this client.
    pub(super) pid: Option<String>,
}

/// Why it doesn't take one. Old servers say a text alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) data: Value,
}

impl Refusal {
    pub(super) fn read(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_else(|_| {
            let message = serde_json::from_str(body).unwrap_or_else(|_| "no reason given".to_owned());
            Self { message, data: Value::Null }
        })
    }

    /// The application's own code, if it gives one.
    pub(super) fn code(&self) -> Option<String> {
        match self.data.get("code")? {
            Value::String(text) => Some(cut(text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// An event's name and arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: Cow<'a, str>,
    /// The argument, or the list of them if they are several; null if there is none.
    pub(super) body: Cow<'a, str>,
    /// Its place in the server's history.
    pub(super) offset: Option<Cow<'a, str>>,
}

/// A text of JSON, as it is meant; none if it is another value.
fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let raw = raw.get();
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

impl<'a> Named<'a> {
    /// Reads `["name", arguments…]`. With `at`, the wall clock, the last argument may be an offset.
    pub(super) fn read(packet: &'a str, at: Option<Timestamp>) -> Result<Self, String> {
        let items: Vec<&RawValue> = serde_json::from_str(packet).map_err(|error| format!("not an event: {error}"))?;
        let (name, mut rest) = items.split_first().ok_or("an event without a name")?;
        let number = || serde_json::from_str::<Number>(name.get()).ok().map(|number| number.to_string().into());
        let name = text(name).or_else(number).ok_or("an event whose name is neither a text nor a number")?;
        let mut offset = None;
        if let (Some(at), Some((last, before))) = (at, rest.split_last())
            && let Some(text) = text(last)
            && is_offset(&text, at)
        {
            offset = Some(text);
            rest = before;
        }
        let body = match rest {
            [] => "null".into(),
            [one] => one.get().into(),
            several => {
                let texts: Vec<&str> = several.iter().map(|one| one.get()).collect();
                format!("[{}]", texts.join(",")).into()
            }
        };
        Ok(Self { name, body, offset })
    }

    /// The same, kept for later.
    pub(super) fn into_owned(self) -> Named<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Named { name: owned(self.name), body: owned(self.body), offset: self.offset.map(owned) }
    }

    /// Puts what was attached in place of what stands for it, as texts in base64.
    pub(super) fn attach(&mut self, parts: &[Vec<u8>]) -> Result<(), String> {
        let value: Value = serde_json::from_str(&self.body).map_err(|error| format!("not a body: {error}"))?;
        let mut left = DATA_BYTES_MAX;
        self.body = filled(value, parts, &mut left)?.to_string().into();
        Ok(())
    }
}

/// `left` bytes of text may be put in: one attachment may be named by many places.
fn filled(value: Value, parts: &[Vec<u8>], left: &mut usize) -> Result<Value, String> {
    Ok(match value {
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| filled(item, parts, left)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) if fields.get("_placeholder") == Some(&Value::Bool(true)) => {
            let number = fields.get("num").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
            let part = number.and_then(|number| parts.get(number)).ok_or("an attachment that isn't there")?;
            let text = BASE64.encode(part);
            *left = left.checked_sub(text.len()).ok_or("attachments over the bound")?;
            Value::String(text)
        }
        Value::Object(fields) => {
            let filled = |(name, value)| Ok((name, filled(value, parts, left)?));
            Value::Object(fields.into_iter().map(filled).collect::<Result<_, String>>()?)
        }
        other => other,
    })
}

/// How far an offset may be from the wall clock.
const OFFSET_SPAN_MILLIS: i64 = 30 * 24 * 3600 * 1000;
/// 2020: a wall clock that shows less isn't set.
const SET_SINCE_MILLIS: i64 = 1_577_836_800_000;

/// Whether a text is one that servers make for a place in their history, and not a last argument of an event that has none
/// (volatile ones have none). All their kinds begin with a time: `Q8Nx2DY` or `Q8Nx2DY.1` in memory, `1700000000000-0` in a
/// stream of Redis, an object id of MongoDB.
pub(super) fn is_offset(text: &str, at: Timestamp) -> bool {
    if text.len() > OFFSET_BYTES_MAX || !text.is_ascii() {
        return false;
    }
    let Some(millis) = of_memory(text).or_else(|| of_stream(text)).or_else(|| of_object(text)) else { return false };
    let wall = at.as_millis();
    if wall < SET_SINCE_MILLIS { millis >= SET_SINCE_MILLIS } else { (millis - wall).abs() < OFFSET_SPAN_MILLIS }
}

/// Whether a place's offset is of a server that keeps its history in its own memory.
pub(super) fn is_of_memory(offset: &str) -> bool {
    of_memory(offset).is_some()
}

fn of_memory(text: &str) -> Option<i64> {
    let (time, more) = text.split_once('.').unwrap_or((text, "0"));
    if !(7..=8).contains(&time.len()) || !(1..=8).contains(&more.len()) {
        return None;
    }
    digits64(more)?;
    digits64(time)
}

/// A number of base 64, up to 8 digits.
fn digits64(text: &str) -> Option<i64> {
    text.bytes().try_fold(0_i64, |sum, letter| {
        let digit = match letter {
            b'0'..=b'9' => letter - b'0',
            b'A'..=b'Z' => letter - b'A' + 10,
            b'a'..=b'z' => letter - b'a' + 36,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        Some(sum << 6 | i64::from(digit))
    })
}

fn of_stream(text: &str) -> Option<i64> {
    let (time, number) = text.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (time.len() == 13 && is_number(time) && is_number(number)).then(|| time.parse().ok())?
}

fn of_object(text: &str) -> Option<i64> {
    let is_id = text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let seconds = i64::from_str_radix(text.get(..8).filter(|_| is_id)?, 16).ok()?;
    Some(seconds * 1000)
}

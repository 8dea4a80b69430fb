//! What goes over the wire: one protocol message a WebSocket message, a JSON object. Any field may be left out, or be null.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::cipher::Key;
use crate::fault::cut;

/// The protocol's version.
pub(super) const VERSION: &str = "6";
/// The step that is a delta.
const VCDIFF: &str = "vcdiff";
/// What a step begins with that is a cipher.
const CIPHER: &str = "cipher+";
/// Most steps of an encoding.
const STEPS_MAX: usize = 8;

/// What a protocol message is about. Others are of no use to a wall.
pub(super) mod action {
    pub(in super::super) const HEARTBEAT: u64 = 0;
    pub(in super::super) const CONNECTED: u64 = 4;
    pub(in super::super) const DISCONNECTED: u64 = 6;
    pub(in super::super) const CLOSED: u64 = 8;
    pub(in super::super) const ERROR: u64 = 9;
    pub(in super::super) const ATTACH: u64 = 10;
    pub(in super::super) const ATTACHED: u64 = 11;
    pub(in super::super) const DETACHED: u64 = 13;
    pub(in super::super) const PRESENCE: u64 = 14;
    pub(in super::super) const MESSAGE: u64 = 15;
    pub(in super::super) const SYNC: u64 = 16;
    pub(in super::super) const AUTH: u64 = 17;
}

/// Bits of a protocol message's flags.
pub(super) mod flag {
    pub(in super::super) const HAS_PRESENCE: u64 = 1;
    pub(in super::super) const RESUMED: u64 = 1 << 2;
    /// All that say what may be done on a channel.
    pub(in super::super) const MODES: u64 = 0xFFFF << 16;
    pub(in super::super) const SUBSCRIBE: u64 = 1 << 18;
    pub(in super::super) const PRESENCE_SUBSCRIBE: u64 = 1 << 19;
}

/// A protocol message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Frame<'a> {
    #[serde(default)]
    pub(super) action: u64,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) channel: Option<String>,
    #[serde(default)]
    pub(super) channel_serial: Option<String>,
    #[serde(default)]
    pub(super) connection_id: Option<String>,
    #[serde(default)]
    pub(super) connection_details: Option<Details>,
    #[serde(default)]
    pub(super) flags: Option<u64>,
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
    #[serde(default)]
    pub(super) error: Option<ErrorInfo>,
    /// Each is read by itself: one that can't be read spoils no other.
    #[serde(default, borrow)]
    pub(super) messages: Option<Vec<&'a RawValue>>,
    #[serde(default, borrow)]
    pub(super) presence: Option<Vec<&'a RawValue>>,
}

impl Frame<'_> {
    pub(super) fn has(&self, bits: u64) -> bool {
        self.flags.unwrap_or_default() & bits != 0
    }

    /// The serial, if there is one.
    pub(super) fn serial(&self) -> Option<&str> {
        self.channel_serial.as_deref().filter(|serial| !serial.is_empty())
    }
}

/// What is said of a connection.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    #[serde(default)]
    pub(super) connection_key: Option<String>,
}

/// What is wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorInfo {
    #[serde(default)]
    pub(super) code: Option<u64>,
    #[serde(default)]
    pub(super) status_code: Option<u64>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The token has come to its end: the next one is asked for.
    Ended,
    /// The token isn't taken: another one may be.
    Token,
    /// A person must change something.
    Denied,
    /// Too much of something: later.
    Limit,
    /// It may be over the next time.
    Passing,
}

impl ErrorInfo {
    pub(super) fn class(&self) -> Class {
        let status = self.status_code;
        match self.code.unwrap_or_default() {
            // 40160 and 40101 have the same status, and another token is no cure for them.
            40142 if status.is_none_or(|status| status == 401) => Class::Ended,
            40140..=40149 if status.is_none_or(|status| status == 401) => Class::Token,
            40111 | 80021 | 42900..=42999 | 90010 | 90021 => Class::Limit,
            40000..=40399 | 80008 | 80024 => Class::Denied,
            0 if matches!(status, Some(400 | 401 | 403)) => Class::Denied,
            0 if status == Some(429) => Class::Limit,
            _ => Class::Passing,
        }
    }

    pub(super) fn code(&self) -> String {
        self.code.or(self.status_code).map_or_else(|| "error".to_owned(), |code| code.to_string())
    }

    pub(super) fn words(&self) -> String {
        let message = self.message.as_deref().unwrap_or("no reason given");
        match self.code {
            Some(code) => format!("{} ({code})", cut(message)),
            None => cut(message),
        }
    }
}

/// A message on a channel.
#[derive(Debug, Deserialize)]
pub(super) struct Said<'a> {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default, borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) encoding: Option<String>,
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
    /// That it is made, if left out.
    #[serde(default)]
    pub(super) action: Option<u64>,
    #[serde(default, borrow)]
    extras: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Extras {
    delta: Delta,
}

#[derive(Deserialize)]
struct Delta {
    from: String,
}

impl Said<'_> {
    /// What the next message may be told by, as bytes: the data without the base64 around it. The flag says whether these are a
    /// delta themselves. The error says what isn't as its encoding says.
    pub(super) fn payload(&self) -> Result<(Vec<u8>, bool), String> {
        let text: String = match self.data.map(RawValue::get).filter(|data| data.starts_with('"')) {
            Some(data) => serde_json::from_str(data).map_err(|error| format!("not a text: {error}"))?,
            None => return Ok((self.data.map_or("null", RawValue::get).into(), false)),
        };
        let encoding = self.encoding.as_deref().unwrap_or_default();
        let (inner, bytes) = match encoding.rsplit_once('/').map_or(("", encoding), |(inner, last)| (inner, last)) {
            (inner, "base64") => (inner, from_base64(&text)?),
            _ => (encoding, text.into_bytes()),
        };
        Ok((bytes, inner.rsplit('/').next() == Some(VCDIFF)))
    }

    /// The message that this one is told by, if it is a delta.
    pub(super) fn told_by(&self) -> Option<String> {
        let extras: Extras = serde_json::from_str(self.extras?.get()).ok()?;
        Some(extras.delta.from)
    }

    /// Its name as an event. What is done to a message that was sent before isn't taken for another one.
    pub(super) fn event_name(&self) -> &str {
        match self.action.unwrap_or_default() {
            0 => self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("message"),
            1 => "message.updated",
            2 => "message.deleted",
            5 => "message.appended",
            _ => "message.about",
        }
    }
}

/// Somebody's presence on a channel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Seen<'a> {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) action: Option<u64>,
    #[serde(default)]
    pub(super) client_id: Option<String>,
    #[serde(default)]
    pub(super) connection_id: Option<String>,
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
    #[serde(default, borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) encoding: Option<String>,
}

/// Data on its way through the steps of its encoding.
enum Form {
    Json(String),
    Text(String),
    Bytes(Vec<u8>),
}

/// Undoes an encoding, step by step from the right: a JSON text. Bytes are a text in base64. `key` is what was encrypted by.
pub(super) fn decode(data: Option<&RawValue>, encoding: Option<&str>, key: Option<&Key>) -> Result<String, String> {
    decode_plain(data, encoding, key, None)
}

/// The same of one that may be a delta, of which it is known already what it makes.
pub(super) fn decode_plain(
    data: Option<&RawValue>,
    encoding: Option<&str>,
    key: Option<&Key>,
    mut plain: Option<Vec<u8>>,
) -> Result<String, String> {
    let Some(data) = data.map(RawValue::get) else { return Ok("null".to_owned()) };
    let encoding = encoding.unwrap_or_default();
    if encoding.is_empty() || !data.starts_with('"') {
        // A text that looks like JSON stays a text, unless the encoding says otherwise.
        return match encoding.split('/').find(|step| !matches!(*step, "" | "json" | "utf-8")) {
            None => Ok(data.to_owned()),
            Some(step) => Err(unknown(step)),
        };
    }
    let text = serde_json::from_str(data).map_err(|error| format!("not a text: {error}"))?;
    let mut form = Form::Text(text);
    for (at, step) in encoding.split('/').rev().enumerate() {
        if at >= STEPS_MAX {
            return Err(format!("an encoding of more than {STEPS_MAX} steps"));
        }
        if step == VCDIFF
            && let Some(bytes) = plain.take()
        {
            form = Form::Bytes(bytes);
            continue;
        }
        let not_utf8 = || "not UTF-8, against its encoding".to_owned();
        form = match (step, form) {
            ("base64", Form::Text(text)) => Form::Bytes(from_base64(&text)?),
            ("utf-8", Form::Bytes(bytes)) => Form::Text(String::from_utf8(bytes).map_err(|_| not_utf8())?),
            ("json", Form::Text(text)) => Form::Json(text),
            ("json", Form::Bytes(bytes)) => Form::Json(String::from_utf8(bytes).map_err(|_| not_utf8())?),
            ("utf-8", form @ Form::Text(_)) => form,
            (step, Form::Bytes(bytes)) if step.starts_with(CIPHER) => match key {
                Some(key) => Form::Bytes(key.open(step, &bytes)?),
                None => return Err(unknown(step)),
            },
            (step, _) => return Err(unknown(step)),
        };
    }
    Ok(match form {
        Form::Json(text) => text,
        Form::Text(text) => json!(text).to_string(),
        Form::Bytes(bytes) => json!(BASE64.encode(bytes)).to_string(),
    })
}

/// Line feeds may stand in it.
fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(letters).map_err(|error| format!("not base64: {error}"))
}

fn unknown(step: &str) -> String {
    if step.starts_with(CIPHER) {
        return format!("encrypted ({}), and the source has no `cipher`", cut(step));
    }
    match step {
        VCDIFF => "a delta (vcdiff), and none was asked for".to_owned(),
        _ => format!("the encoding `{}` isn't known, or has no use there", cut(step)),
    }
}

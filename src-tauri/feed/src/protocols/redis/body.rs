//! Redis carries bytes. What of them becomes JSON, and how.

use watchfloor_model::{Event, JsonWriter, Timestamp, limits};

use super::{resp::Frame, stream::Id};
use crate::envelope::{Envelope, Outside};

/// The longest number that is taken for one: longer ones are names that happen to be digits, and would lose some.
const NUMBER_CHARS_MAX: usize = 15;
/// Quotation marks, colon and comma of a field.
const MARKS: usize = 6;
/// Ids from here on are times, in milliseconds: 1973. Smaller ones were counted by whoever wrote them.
const MILLIS_MIN: u64 = 100_000_000_000;
/// The year 9999.
const MILLIS_MAX: u64 = 253_402_214_400_000;

/// Opens a published message. One that begins like a list or an object must be JSON; of others, what is no JSON is a text.
pub(super) fn published(payload: &Frame, envelope: &Envelope, outside: Outside<'_>) -> Result<Event, String> {
    if let Frame::Text(bytes) = payload
        && envelope.decodes()
    {
        return check(outside.name).and_then(|()| envelope.open_bytes(bytes, outside));
    }
    check(outside.name)?;
    let text = words(payload, "the message")?;
    if text.trim_ascii_start().starts_with(['{', '[']) {
        return envelope.open(text, outside);
    }
    let mut body = JsonWriter::default();
    write(text, &mut body);
    envelope.open_written(body, outside)
}

/// How an entry becomes an event.
#[derive(Debug)]
pub(super) struct Opener {
    envelope: Envelope,
    /// The field that holds the whole message, and where in it what stands.
    field: Option<(String, Envelope)>,
}

impl Opener {
    pub(super) fn new(envelope: &Envelope) -> Self {
        Self { envelope: envelope.clone(), field: envelope.within_field() }
    }

    /// Opens a stream's entry: an object of its fields, of which each is what it is as JSON, or else a text.
    pub(super) fn entry(&self, fields: &[Frame], outside: Outside<'_>) -> Result<Event, String> {
        // Where nothing else is looked for than what one field holds, the others needn't be put around it.
        if let Some((field, inner)) = &self.field
            && inner.decodes()
            && let Some(Frame::Text(bytes)) = value(fields, field)
        {
            return check(outside.name).and_then(|()| inner.open_bytes(bytes, outside));
        }
        if let Some((field, inner)) = &self.field
            && let Some(text) = message(fields, field)
        {
            return check(outside.name).and_then(|()| inner.open_any(text, outside));
        }
        check(outside.name)?;
        self.envelope.open_written(object(fields)?, outside)
    }
}

/// What a field holds: the last of this name.
fn value<'a>(fields: &'a [Frame], name: &str) -> Option<&'a Frame> {
    fields.chunks_exact(2).rev().find(|pair| pair[0].text() == Some(name)).map(|pair| &pair[1])
}

/// The list or object that a field holds: the last of this name.
fn message<'a>(fields: &'a [Frame], name: &str) -> Option<&'a str> {
    value(fields, name)?.text().filter(|text| text.trim_ascii_start().starts_with(['{', '[']))
}

fn object(fields: &[Frame]) -> Result<JsonWriter, String> {
    let (mut found, mut bytes) = (Vec::with_capacity(fields.len() / 2), 2);
    for pair in fields.chunks_exact(2) {
        let (name, text) = (words(&pair[0], "a field's name")?, words(&pair[1], "a field")?);
        bytes += name.len() + text.len() + MARKS;
        found.push((name, text));
    }
    found.sort_by_key(|(name, _)| *name);
    let mut body = JsonWriter::with_room(bytes, fields.len() + 1);
    body.begin_object();
    for (at, (name, text)) in found.iter().enumerate() {
        // Of those with one name the last.
        if found.get(at + 1).is_some_and(|(next, _)| next == name) {
            continue;
        }
        body.name(name);
        write(text, &mut body);
    }
    body.end_object();
    Ok(body)
}

/// Writes what a field says: what is JSON as that, and else a text.
fn write(text: &str, body: &mut JsonWriter) {
    let begins = match text.as_bytes().first() {
        Some(b'{' | b'[' | b'"' | b't' | b'f' | b'n') => true,
        Some(b'-' | b'0'..=b'9') => text.len() <= NUMBER_CHARS_MAX,
        _ => false,
    };
    if !begins || body.json(text).is_err() {
        body.text(text);
    }
}

/// The time of an entry, if its id tells one.
pub(super) fn time(id: Id) -> Option<Timestamp> {
    let millis = Some(id.millis).filter(|millis| (MILLIS_MIN..=MILLIS_MAX).contains(millis))?;
    i64::try_from(millis).ok().map(Timestamp::from_millis)
}

fn check(name: &str) -> Result<(), String> {
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(format!("name has {} bytes, the limit is {}", name.len(), limits::NAME_BYTES_MAX));
    }
    Ok(())
}

fn words<'a>(frame: &'a Frame, what: &str) -> Result<&'a str, String> {
    match frame {
        Frame::Text(bytes) => std::str::from_utf8(bytes)
            .map_err(|error| format!("{what} is not UTF-8: invalid byte at {}", error.valid_up_to())),
        Frame::TooLong(bytes) => Err(format!("{what} has {bytes} bytes, the limit is {}", limits::DATA_BYTES_MAX)),
        Frame::LeftOut => Err(format!("{what} and what is with it are too long")),
        _ => Err(format!("{what} is no text")),
    }
}

#[cfg(test)]
mod tests {
    use watchfloor_model::Mono;

    use super::*;
    use crate::Codec;

    /// What a field holds may be packed; the fields beside it say nothing then.
    #[test]
    fn a_packed_field() {
        let path = |text: &str| Some(text.parse().expect("a path"));
        let envelope = Envelope {
            name: path("data.type"),
            data: path("data"),
            decode: vec![Codec::MessagePack],
            ..Envelope::default()
        };
        let opener = Opener::new(&envelope);
        let text = |bytes: &[u8]| Frame::Text(bytes.into());
        let open = |fields: &[Frame]| {
            let channel = "orders".into();
            let outside = Outside {
                channel: &channel,
                name: "orders",
                id: None,
                time: Timestamp::default(),
                received: Mono::ZERO,
            };
            opener.entry(fields, outside).map(|event| format!("{} {}", event.name, event.data.text()))
        };
        let packed = b"\x82\xA4type\xA4paid\xA1n\xCD\x01\x00";
        assert_eq!(
            open(&[text(b"by"), text(b"7"), text(b"data"), text(packed)]).as_deref(),
            Ok(r#"paid {"type":"paid","n":256}"#)
        );
        assert!(open(&[text(b"data"), text(b"\xC1")]).expect_err("no MessagePack").contains("byte C1"));
        assert!(open(&[text(b"other"), text(b"1")]).expect_err("no such field").contains("no text"));
    }
}

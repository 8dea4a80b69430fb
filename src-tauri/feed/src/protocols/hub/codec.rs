//! One line of the hub's messages to one signal.
//!
//! The envelope is read without looking into `data`, so that what is wrong with an event's body rejects this event
//! only, and its place is still known.

use std::{
    borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData, ops::RangeInclusive, sync::Arc, time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use watchfloor_model::{Event, Mono, Payload, Position, Snapshot, Timestamp, limits};

use super::VERSION;
use crate::{
    clock::Reading,
    fault::cut,
    intern::Names,
    limits::{SNAPSHOT_ENTRIES_MAX, UNREADABLE_LINES_MAX},
    protocols::{Beat, Grant, Signal},
};

/// Error codes that mean that access is denied.
const DENIED: [&str; 5] = ["unauthorized", "unauthorised", "forbidden", "denied", "revoked"];

/// The error code of a token that was presented on an open link and isn't taken.
const BAD_TOKEN: &str = "bad-token";

/// The fastest that a hub lets its clock run.
const CLOCK_SPEED_MAX: f64 = 1e6;

/// What a hub's clock can show: the years 1 to 9999, in milliseconds since 1970.
const CLOCK_MS: RangeInclusive<i64> = -62_135_596_800_000..=253_402_214_400_000;

/// Reads lines of one link.
#[derive(Debug)]
pub(super) struct Codec {
    channels: Arc<[Arc<str>]>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// The channel of the last event: the next one is likely of the same.
    last: usize,
    /// The epoch last seen of each channel, so that it is kept once.
    epochs: Vec<Arc<str>>,
    names: Names,
    takes_tokens: bool,
}

impl Codec {
    pub(super) fn new(channels: &Arc<[Arc<str>]>) -> Self {
        let empty: Arc<str> = "".into();
        Self {
            channels: channels.clone(),
            by_name: channels.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(),
            last: 0,
            epochs: vec![empty; channels.len()],
            names: Names::default(),
            takes_tokens: false,
        }
    }

    /// Whether the hub said that it takes new tokens on an open link.
    pub(super) const fn takes_tokens(&self) -> bool {
        self.takes_tokens
    }

    /// Reads a text of lines. Lines that aren't UTF-8 are rejected one by one.
    pub(super) fn lines(&mut self, text: &[u8], now: Mono, out: &mut Vec<Signal>) {
        let mut unreadable = 0;
        let mut go_on = |placed: bool, out: &mut Vec<Signal>| {
            unreadable += usize::from(!placed);
            let goes_on = unreadable <= UNREADABLE_LINES_MAX;
            if !goes_on && let Some(Signal::Rejected { reason, .. }) = out.last() {
                let reason = format!("the server does not speak the hub's protocol: {reason}");
                out.push(Signal::Unreadable { reason });
            }
            goes_on
        };
        if let Ok(text) = std::str::from_utf8(text) {
            for line in text.split('\n') {
                let placed = self.line(line, now, out);
                if !go_on(placed, out) {
                    return;
                }
            }
            return;
        }
        for line in text.split(|byte| *byte == b'\n') {
            let placed = match std::str::from_utf8(line) {
                Ok(line) => self.line(line, now, out),
                Err(error) => {
                    let reason = format!("not UTF-8: invalid byte at {}", error.valid_up_to());
                    self.reject(&String::from_utf8_lossy(line), reason, out)
                }
            };
            if !go_on(placed, out) {
                return;
            }
        }
    }

    /// Reads a line. False if it is none of the protocol's, whatever place it names.
    pub(super) fn line(&mut self, line: &str, now: Mono, out: &mut Vec<Signal>) -> bool {
        let line = line.trim_ascii();
        if line.is_empty() {
            return true;
        }
        let read = match kind(line) {
            Ok(kind) if kind == "event" => self.event(line, now),
            Ok(kind) => self.control(&kind, line),
            Err(error) => Err(format!("not a message: {error}")),
        };
        match read {
            Ok(signal) => {
                out.extend(signal);
                true
            }
            Err(reason) => self.reject(line, reason, out),
        }
    }

    fn event(&mut self, line: &str, now: Mono) -> Result<Option<Signal>, String> {
        let read: EventLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let Some(channel) = self.channel(&read.channel) else { return Ok(None) };
        let position = self.position(channel, &read.position)?;
        if read.name.len() > limits::NAME_BYTES_MAX {
            return Err(format!("name has {} bytes, the limit is {}", read.name.len(), limits::NAME_BYTES_MAX));
        }
        if let Some(id) = read.id.as_ref().filter(|id| id.len() > limits::ID_BYTES_MAX) {
            return Err(format!("id has {} bytes, the limit is {}", id.len(), limits::ID_BYTES_MAX));
        }
        let data = Payload::parse(read.data.get()).map_err(|error| error.to_string())?;
        let event = Event {
            channel: self.channels[channel].clone(),
            name: self.names.intern(&read.name),
            id: read.id.map(|id| Arc::from(&*id.0)),
            position: Some(position.clone()),
            time: Timestamp::from_millis(read.time),
            received: now,
            data,
        };
        Ok(Some(Signal::Event { channel, position, event }))
    }

    fn control(&mut self, kind: &str, line: &str) -> Result<Option<Signal>, String> {
        fn read<'a, T: Deserialize<'a>>(kind: &str, line: &'a str) -> Result<T, String> {
            serde_json::from_str(line).map_err(|error| format!("bad `{kind}`: {error}"))
        }
        Ok(match kind {
            "hello" => {
                let hello: HelloLine = read(kind, line)?;
                if hello.protocol != VERSION {
                    return Ok(Some(Signal::Version { found: hello.protocol, expected: VERSION }));
                }
                self.takes_tokens = hello.access.is_some();
                let heartbeat = Duration::from_millis(hello.heartbeat_ms);
                Some(Signal::Hello { heartbeat, clock: Some(hello.clock.into()), grant: hello.access.map(Into::into) })
            }
            "authorised" => {
                let line: AccessLine = read(kind, line)?;
                Some(Signal::Authorised { grant: line.into() })
            }
            "subscribed" => {
                let line: SubscribedLine<'_> = read(kind, line)?;
                let Some(channel) = self.channel(&line.channel) else { return Ok(None) };
                let (head, from) = (self.position(channel, &line.head)?, self.position(channel, &line.from)?);
                let reason = line.reason.map(|reason| words(&reason));
                Some(Signal::Subscribed { channel, head, from, recovered: line.recovered, reason })
            }
            "lost" => {
                let line: LostLine<'_> = read(kind, line)?;
                let Some(channel) = self.channel(&line.channel) else { return Ok(None) };
                Some(Signal::Lost {
                    channel,
                    head: self.position(channel, &line.head)?,
                    reason: line.reason.map_or_else(|| "the server lost our place".to_owned(), |text| words(&text)),
                })
            }
            "heartbeat" => {
                let line: HeartbeatLine<'_> = read(kind, line)?;
                let mut beats = Vec::with_capacity(line.channels.len().min(self.channels.len()));
                for (name, beat) in &line.channels {
                    let Some(channel) = self.channel(name) else { continue };
                    let head = self.position(channel, &beat.head)?;
                    let idle = beat.idle_ms.map(Duration::from_millis);
                    beats.push(Beat { channel, head, behind: beat.behind, idle });
                }
                Some(Signal::Heartbeat { clock: line.clock.map(Into::into), beats })
            }
            "pong" => {
                let line: PongLine = read(kind, line)?;
                line.id.zip(line.clock).map(|(id, clock)| Signal::Clock { id, clock: clock.into() })
            }
            "error" => {
                let line: ErrorLine = read(kind, line)?;
                if line.code == BAD_TOKEN {
                    return Ok(Some(Signal::Declined { reason: cut(&line.message) }));
                }
                let denied = DENIED.contains(&line.code.as_str());
                Some(Signal::Error { code: line.code, message: line.message, denied })
            }
            // A later hub may say more than this program knows.
            _ => None,
        })
    }

    fn channel(&mut self, name: &str) -> Option<usize> {
        if self.channels.get(self.last).is_some_and(|last| last.as_ref() == name) {
            return Some(self.last);
        }
        let found = self.by_name.get(name).copied();
        self.last = found.unwrap_or(self.last);
        found
    }

    /// Reads a position; keeps an epoch that doesn't change in one copy.
    fn position(&mut self, channel: usize, text: &str) -> Result<Position, String> {
        let known = &self.epochs[channel];
        let offset = text.strip_prefix(&**known).and_then(|rest| rest.strip_prefix(':'));
        if let Some(offset) = offset.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            && let Ok(offset) = offset.parse()
            && !known.is_empty()
        {
            return Ok(Position::new(known.clone(), offset));
        }
        let position: Position = text.parse().map_err(|error: watchfloor_model::PositionError| error.to_string())?;
        self.epochs[channel] = position.epoch.clone();
        Ok(position)
    }

    /// Says why a line can't be taken. Answers whether it is known at least where it stands.
    fn reject(&mut self, line: &str, reason: String, out: &mut Vec<Signal>) -> bool {
        let place = self.place(line);
        let reason = match &place {
            Some((channel, position)) => format!("{} {position}: {reason}", self.channels[*channel]),
            None => reason,
        };
        let is_placed = place.is_some();
        out.push(Signal::Rejected { place, reason: cut(&reason) });
        is_placed
    }

    /// The place of an event that can't be taken. Where the line is no JSON, only what stands before `data` is
    /// believed: after it, a publisher's own text may look like a place.
    fn place(&mut self, line: &str) -> Option<(usize, Position)> {
        let envelope = match serde_json::from_str::<PlaceLine<'_>>(line) {
            Ok(place) => (place.channel.0.into_owned(), place.position.0.into_owned()),
            Err(_) => {
                let before = line.split("\"data\"").next().unwrap_or(line);
                (scan(before, "channel")?.to_owned(), scan(before, "position")?.to_owned())
            }
        };
        let channel = self.channel(&envelope.0)?;
        Some((channel, self.position(channel, &envelope.1).ok()?))
    }
}

/// The value of the first `"key": "value"` in a broken text, if it is plain.
fn scan<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("\"{key}\""))?.1.trim_start().strip_prefix(':')?.trim_start();
    let value = rest.strip_prefix('"')?.split_once('"')?.0;
    (!value.contains('\\')).then_some(value)
}

/// The message's type: it stands first by contract, but may stand anywhere.
fn kind(line: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    if let Some(kind) = first_kind(line) {
        return Ok(Cow::Borrowed(kind));
    }
    serde_json::from_str::<KindLine<'_>>(line).map(|line| line.kind.0)
}

fn first_kind(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('{')?.trim_ascii_start().strip_prefix("\"type\"")?;
    let rest = rest.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?;
    let kind = rest.split_once('"')?.0;
    (!kind.contains('\\')).then_some(kind)
}

/// The hub's reasons, in words for people.
fn words(reason: &str) -> String {
    match reason {
        "epoch-changed" => "the server's history began anew".to_owned(),
        "trimmed" => "the server's history doesn't reach back so far".to_owned(),
        "ahead" => "the server's history ends before our place".to_owned(),
        "fresh" => "no place asked for".to_owned(),
        "slow" => "too slow for the server's history".to_owned(),
        "hub-crashed" => "the server was killed before it had kept them".to_owned(),
        other => cut(other),
    }
}

/// Reads `GET /v1/snapshot`.
pub(super) fn read_snapshot(body: &[u8], channels: &[Arc<str>], now: Mono) -> Result<Snapshot, String> {
    let read: SnapshotBody = serde_json::from_slice(body).map_err(|error| match body.trim_ascii_start().first() {
        Some(b'<') => "the snapshot is a web page: a login page or proxy?".to_owned(),
        _ => format!("the snapshot can't be read: {}", cut(&error.to_string())),
    })?;
    let clock = Reading::from(read.clock).at(now);
    let mut positions = BTreeMap::new();
    for channel in channels {
        let position =
            read.positions.get(&**channel).ok_or_else(|| format!("the snapshot lacks channel `{channel}`"))?;
        positions.insert(channel.clone(), position.clone());
    }
    let since = read.since.map(Timestamp::from_millis);
    Ok(Snapshot { positions, clock, since, aggregates: read.aggregates, received: now })
}

/// A text that is borrowed from the line unless it has escapes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> de::Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[derive(Deserialize)]
struct KindLine<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

#[derive(Deserialize)]
struct PlaceLine<'a> {
    #[serde(borrow)]
    channel: Text<'a>,
    #[serde(borrow)]
    position: Text<'a>,
}

#[derive(Deserialize)]
struct EventLine<'a> {
    #[serde(borrow)]
    channel: Text<'a>,
    #[serde(borrow)]
    position: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    time: i64,
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct ClockLine {
    #[serde(deserialize_with = "clock_now")]
    now: i64,
    #[serde(deserialize_with = "speed")]
    speed: f64,
    #[serde(default)]
    label: Option<String>,
}

/// A clock that shows no year of a calendar would empty every window and begin every day anew, and call that complete.
fn clock_now<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let found = i64::deserialize(deserializer)?;
    if CLOCK_MS.contains(&found) {
        return Ok(found);
    }
    Err(de::Error::custom(format!("a clock at {found} ms: expected the years 1 to 9999")))
}

/// A clock runs forward or stands still. One that runs back, or so fast that a second overflows it, tells no time.
fn speed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let found = f64::deserialize(deserializer)?;
    if (0.0..=CLOCK_SPEED_MAX).contains(&found) {
        return Ok(found);
    }
    Err(de::Error::custom(format!("a clock's speed of {found:e}: expected 0 to {CLOCK_SPEED_MAX}")))
}

impl From<ClockLine> for Reading {
    fn from(line: ClockLine) -> Self {
        Self { now: Timestamp::from_millis(line.now), speed: line.speed, label: line.label.map(|label| cut(&label)) }
    }
}

#[derive(Deserialize)]
struct HelloLine {
    protocol: u64,
    heartbeat_ms: u64,
    clock: ClockLine,
    #[serde(default)]
    access: Option<AccessLine>,
}

/// What the hub says of the token that it took.
#[derive(Deserialize)]
struct AccessLine {
    expires_ms: Option<u64>,
}

impl From<AccessLine> for Grant {
    fn from(line: AccessLine) -> Self {
        Self::new(line.expires_ms.map(Duration::from_millis))
    }
}

#[derive(Deserialize)]
struct SubscribedLine<'a> {
    #[serde(borrow)]
    channel: Text<'a>,
    #[serde(borrow)]
    head: Text<'a>,
    #[serde(borrow)]
    from: Text<'a>,
    recovered: bool,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct LostLine<'a> {
    #[serde(borrow)]
    channel: Text<'a>,
    #[serde(borrow)]
    head: Text<'a>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct HeartbeatLine<'a> {
    #[serde(default)]
    clock: Option<ClockLine>,
    #[serde(borrow)]
    channels: BTreeMap<Text<'a>, BeatLine<'a>>,
}

#[derive(Deserialize)]
struct BeatLine<'a> {
    #[serde(borrow)]
    head: Text<'a>,
    #[serde(default)]
    behind: u64,
    #[serde(default)]
    idle_ms: Option<u64>,
}

#[derive(Deserialize)]
struct PongLine {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    clock: Option<ClockLine>,
}

#[derive(Deserialize)]
struct ErrorLine {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct SnapshotBody {
    #[serde(deserialize_with = "bounded")]
    positions: BTreeMap<String, Position>,
    clock: ClockLine,
    since: Option<i64>,
    #[serde(default, deserialize_with = "bounded")]
    aggregates: BTreeMap<String, Box<RawValue>>,
}

/// A map that is refused once it is too long to be meant.
fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
    struct Entries<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Entries<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {SNAPSHOT_ENTRIES_MAX} entries by name")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = BTreeMap::new();
            while let Some((name, value)) = map.next_entry()? {
                entries.insert(name, value);
                if entries.len() > SNAPSHOT_ENTRIES_MAX {
                    return Err(de::Error::invalid_length(entries.len(), &self));
                }
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(Entries(PhantomData))
}

//! The messages that every door speaks, as the finished lines that go out. `type` is always the first field.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::value::RawValue;
use watchfloor_model::{Mono, Position, Timestamp, text::push_quoted};

use crate::{access::Rights, clock::ClockReading, limits, publish::Incoming};

/// The version of the messages.
const PROTOCOL: u32 = 1;
/// The hub's name and version.
const HUB: &str = concat!("watchfloor-hub/", env!("CARGO_PKG_VERSION"));

/// Why a subscription begins elsewhere than asked, or goes on elsewhere than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Break {
    /// The position is of another history.
    EpochChanged,
    /// The history no longer reaches back to the position.
    Trimmed,
    /// The history has not come to the position.
    Ahead,
    /// No position was asked for.
    Fresh,
    /// The reader was so slow that the history moved past its place.
    Slow,
    /// A crash took events before they were written.
    HubCrashed,
}

/// All messages but events, which are written by [`event`] once for all readers.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Message<'a> {
    /// First of each connection.
    Hello {
        protocol: u32,
        hub: &'static str,
        heartbeat_ms: u64,
        clock: &'a ClockReading,
        #[serde(skip_serializing_if = "Option::is_none")]
        access: Option<Access>,
    },
    /// The token that was presented on the connection is taken.
    Authorised(Access),
    /// A channel's subscription begins after `from`.
    Subscribed { channel: &'a str, head: &'a Position, from: &'a Position, recovered: bool, reason: Option<Break> },
    /// Events between `from` and `head` are missing.
    Lost { channel: &'a str, from: &'a Position, head: &'a Position, reason: Break },
    /// Proof of life of the hub and of the publishers.
    Heartbeat { clock: &'a ClockReading, channels: BTreeMap<&'a str, Pulse> },
    /// Who is there, or more of them.
    Present { channel: &'a str, members: &'a [Member<'a>], more: bool },
    /// Somebody has come who was not there.
    Joined {
        channel: &'a str,
        user: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        info: Option<&'a RawValue>,
    },
    /// Somebody has gone, by all his connections.
    Left { channel: &'a str, user: &'a str },
    /// An event of the client is published.
    Published { id: u64, position: &'a str },
    /// An event of the client isn't taken.
    Refused { id: u64, code: &'a str, message: &'a str },
    /// The answer to a ping.
    Pong { id: u64, clock: &'a ClockReading },
    /// A request can't be met.
    Error { code: &'a str, message: &'a str },
}

/// What the hub says of a token that it took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Access {
    /// For how long it is good; none for ever.
    pub(crate) expires_ms: Option<u64>,
}

impl Access {
    pub(crate) fn of(rights: &Rights, now: Mono) -> Self {
        let millis = |end: Mono| u64::try_from(end.since(now).as_millis()).unwrap_or(u64::MAX);
        Self { expires_ms: rights.ends.map(millis) }
    }
}

/// Somebody who is in a channel of presence.
#[derive(Debug, Serialize)]
pub(crate) struct Member<'a> {
    pub(crate) user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) info: Option<&'a RawValue>,
    /// By how many connections.
    pub(crate) connections: usize,
}

impl<'a> Member<'a> {
    pub(crate) fn new(user: &'a str, info: Option<&'a Arc<str>>, connections: usize) -> Self {
        Self { user, info: info.and_then(|info| parsed(info)), connections }
    }
}

/// What others are told of somebody. It was checked when he came.
fn parsed(info: &str) -> Option<&RawValue> {
    serde_json::from_str(info).ok()
}

/// Somebody has come who was not there.
pub(crate) fn joined(channel: &str, user: &str, info: Option<&Arc<str>>) -> Arc<str> {
    Message::Joined { channel, user, info: info.and_then(|info| parsed(info)) }.line()
}

/// Somebody has gone.
pub(crate) fn left(channel: &str, user: &str) -> Arc<str> {
    Message::Left { channel, user }.line()
}

/// Who is there, in as many lines as it takes, which belong together.
pub(crate) fn present(channel: &str, members: &[Member<'_>], lines: &mut Vec<Arc<str>>) {
    let mut parts = members.chunks(limits::PRESENT_MEMBERS_A_MESSAGE).peekable();
    if parts.peek().is_none() {
        lines.push(Message::Present { channel, members: &[], more: false }.line());
    }
    while let Some(members) = parts.next() {
        lines.push(Message::Present { channel, members, more: parts.peek().is_some() }.line());
    }
}

/// What a heartbeat says of one channel.
#[derive(Debug, Serialize)]
pub(crate) struct Pulse {
    /// The subscription was sent everything up to here.
    pub(crate) head: Position,
    /// Events that are published and not yet sent.
    pub(crate) behind: u64,
    /// How long ago a publisher published or said that it lives.
    pub(crate) idle_ms: Option<u64>,
}

impl<'a> Message<'a> {
    /// The first message of a connection.
    pub(crate) const fn hello(heartbeat_ms: u64, clock: &'a ClockReading, access: Option<Access>) -> Self {
        Self::Hello { protocol: PROTOCOL, hub: HUB, heartbeat_ms, clock, access }
    }

    /// The finished line.
    pub(crate) fn line(&self) -> Arc<str> {
        serde_json::to_string(self).expect("messages have text keys and no failing fields").into()
    }
}

/// The same message as a JSON value that goes into a larger one.
pub(crate) fn raw(line: &str) -> Box<RawValue> {
    RawValue::from_string(line.to_owned()).expect("lines are made from JSON that was checked")
}

/// The finished line of an event.
pub(crate) fn event(event: &Incoming, position: &Position, time: Timestamp) -> Arc<str> {
    let mut line = String::with_capacity(160 + event.channel.len() + event.name.len() + event.data.text().len());
    push_head(&mut line, &event.channel, position);
    push_tail(&mut line, event, time);
    line.into()
}

/// The finished line of an event whose part from its name on is known.
pub(crate) fn with_tail(channel: &str, position: &Position, tail: &str) -> Arc<str> {
    let mut line = String::with_capacity(80 + channel.len() + tail.len());
    push_head(&mut line, channel, position);
    line.push_str(tail);
    line.into()
}

fn push_head(line: &mut String, channel: &str, position: &Position) {
    // Channels and epochs are made of characters that JSON takes as they are.
    line.push_str(r#"{"type":"event","channel":""#);
    line.push_str(channel);
    line.push_str(r#"","position":""#);
    line.push_str(&position.to_string());
    line.push_str(r#"","name":"#);
}

/// The line from the event's name on.
pub(crate) fn push_tail(line: &mut String, event: &Incoming, time: Timestamp) {
    push_quoted(line, &event.name);
    line.push_str(r#","time":"#);
    line.push_str(&time.to_string());
    if let Some(id) = &event.id {
        line.push_str(r#","id":"#);
        push_quoted(line, id);
    }
    line.push_str(r#","data":"#);
    line.push_str(event.data.text());
    line.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::{self, Form};

    /// The wire form, as `docs/hub.md` has it.
    #[test]
    fn lines_are_as_documented() {
        let clock = ClockReading { now: Timestamp::from_millis(7), speed: 1.0, label: None };
        let (from, head) = (Position::new("k3x9", 41), Position::new("k3x9", 42));
        let pulse = Pulse { head: head.clone(), behind: 0, idle_ms: None };
        for (message, line) in [
            (
                Message::Subscribed { channel: "a", head: &head, from: &from, recovered: true, reason: None },
                r#"{"type":"subscribed","channel":"a","head":"k3x9:42","from":"k3x9:41","recovered":true,"reason":null}"#,
            ),
            (
                Message::Lost { channel: "a", from: &from, head: &head, reason: Break::EpochChanged },
                r#"{"type":"lost","channel":"a","from":"k3x9:41","head":"k3x9:42","reason":"epoch-changed"}"#,
            ),
            (
                Message::Heartbeat { clock: &clock, channels: BTreeMap::from([("a", pulse)]) },
                r#"{"type":"heartbeat","clock":{"now":7,"speed":1,"label":null},"channels":{"a":{"head":"k3x9:42","behind":0,"idle_ms":null}}}"#,
            ),
            (
                Message::Pong { id: 3, clock: &clock },
                r#"{"type":"pong","id":3,"clock":{"now":7,"speed":1,"label":null}}"#,
            ),
            (
                Message::Present {
                    channel: "p",
                    members: &[Member::new("7", Some(&Arc::from(r#"{"a":1}"#)), 2), Member::new("8", None, 1)],
                    more: false,
                },
                r#"{"type":"present","channel":"p","members":[{"user":"7","info":{"a":1},"connections":2},{"user":"8","connections":1}],"more":false}"#,
            ),
            (Message::Joined { channel: "p", user: "7", info: None }, r#"{"type":"joined","channel":"p","user":"7"}"#),
            (Message::Published { id: 7, position: "k3x9:42" }, r#"{"type":"published","id":7,"position":"k3x9:42"}"#),
            (
                Message::Refused { id: 7, code: "denied", message: "m" },
                r#"{"type":"refused","id":7,"code":"denied","message":"m"}"#,
            ),
            (Message::Left { channel: "p", user: "7" }, r#"{"type":"left","channel":"p","user":"7"}"#),
            (Message::Authorised(Access { expires_ms: Some(9) }), r#"{"type":"authorised","expires_ms":9}"#),
            (Message::Error { code: "c", message: "m" }, r#"{"type":"error","code":"c","message":"m"}"#),
        ] {
            assert_eq!(&*message.line(), line);
        }
        assert!(
            Message::hello(1000, &clock, None)
                .line()
                .starts_with(r#"{"type":"hello","protocol":1,"hub":"watchfloor-hub/"#)
        );
    }

    /// Whatever is in names, ids and data, an event is one line of JSON that says the same.
    #[test]
    fn events_are_one_line_of_json() {
        let body = r#"{"channel":"a","name":"q\"\\ü","id":"\u2028","data":{"x":
            "ÿ\n"}}"#;
        let events = publish::parse(body.as_bytes(), Form::Json).expect("event");
        let line = event(&events[0], &Position::new("e", 1), Timestamp::from_millis(-5));
        assert!(!line.contains(['\n', '\r']) && line.starts_with(r#"{"type":"event","#));
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let expected = serde_json::json!({
            "type": "event", "channel": "a", "position": "e:1", "name": "q\"\\ü", "time": -5, "id": "\u{2028}",
            "data": {"x": "ÿ\n"},
        });
        assert_eq!(value, expected);
    }
}

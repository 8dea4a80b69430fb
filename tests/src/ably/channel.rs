//! A channel as the service keeps it: what was said on it, by places of which nobody can read anything, and who is there.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::access::{error, now};

/// Most messages that are rewound.
const REWIND_MAX: usize = 100;

/// A message: as it is, and as one that says what is different in it from the one before.
#[derive(Clone, Debug)]
pub struct Said {
    /// The message.
    pub whole: Value,
    /// The delta, with the id of the message that it is told by.
    pub delta: Option<(String, Value)>,
}

#[derive(Debug)]
pub(super) enum What {
    Messages(Vec<Said>),
    Presence(Value),
}

/// A protocol message.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) connection: String,
    pub(super) what: What,
    timestamp: i64,
    at: Instant,
}

/// What a client has asked of a channel, and had of it.
#[derive(Debug, Default)]
pub(super) struct Attachment {
    /// The name, as it was asked for.
    pub(super) asked: String,
    pub(super) deltas: bool,
    pub(super) presence: bool,
    /// The id of the last message.
    pub(super) last: Option<String>,
}

/// Where an attachment begins.
#[derive(Debug)]
pub(super) struct Begin {
    /// The place that is told.
    pub(super) place: usize,
    /// The first entry that is sent.
    pub(super) from: usize,
    pub(super) resumed: bool,
    pub(super) error: Option<Value>,
}

/// A channel.
#[derive(Debug)]
pub(super) struct Channel {
    salt: u64,
    pub(super) said: Vec<Entry>,
    /// From where on it can be gone on with, and from where on the history has it.
    pub(super) oldest: usize,
    pub(super) kept: usize,
    pub(super) members: BTreeMap<(String, String), Value>,
}

/// One step of a generator whose numbers are in no order.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Channel {
    pub(super) fn new(salt: u64) -> Self {
        Self { salt: mix(salt), said: Vec::new(), oldest: 0, kept: 0, members: BTreeMap::new() }
    }

    /// The serial after so many entries.
    pub(super) fn serial(&self, place: usize) -> String {
        format!("{:016x}@{:x}", mix(self.salt ^ place as u64), self.salt & 0xFFFF)
    }

    pub(super) fn place(&self, serial: &str) -> Option<usize> {
        (0..=self.said.len()).find(|&place| self.serial(place) == serial)
    }

    /// Its places are others from now on: none from before is known any more.
    pub(super) fn forget_places(&mut self) {
        self.salt = mix(self.salt);
    }

    pub(super) fn append(&mut self, id: String, connection: &str, what: What) {
        let entry = Entry { id, connection: connection.to_owned(), what, timestamp: now(), at: Instant::now() };
        self.said.push(entry);
    }

    /// Where a client begins that asks for this serial, or to rewind.
    pub(super) fn begin(&self, serial: Option<&str>, rewind: Option<Rewind>, missed_max: usize) -> Begin {
        let end = self.said.len();
        let begin = |place, from, resumed, error| Begin { place, from, resumed, error };
        match serial.map(|serial| self.place(serial)) {
            Some(Some(place)) if place < self.oldest => {
                let error = error(90003, 400, "unable to recover channel (messages expired)");
                begin(self.oldest, self.oldest, false, Some(error))
            }
            Some(Some(place)) if end - place > missed_max => {
                begin(end, end, false, Some(error(90004, 400, "unable to recover channel (message limit exceeded)")))
            }
            Some(Some(place)) => begin(place, place, true, None),
            // What was before is nothing that it could be gone on from.
            Some(None) | None => begin(end, rewind.map_or(end, |rewind| self.rewound(rewind)), false, None),
        }
    }

    fn rewound(&self, rewind: Rewind) -> usize {
        let is_message = |entry: &Entry| matches!(entry.what, What::Messages(_));
        let mut left = REWIND_MAX;
        let oldest = match rewind {
            Rewind::Messages(count) => {
                left = count.min(REWIND_MAX);
                None
            }
            Rewind::Time(span) => Instant::now().checked_sub(span),
        };
        let mut from = self.said.len();
        for (at, entry) in self.said.iter().enumerate().skip(self.kept).rev().filter(|(_, entry)| is_message(entry)) {
            if left == 0 || oldest.is_some_and(|oldest| entry.at < oldest) {
                break;
            }
            (from, left) = (at, left - 1);
        }
        from
    }

    /// An entry as it goes to a client.
    pub(super) fn frame(&self, at: usize, to: &mut Attachment) -> Option<Value> {
        let entry = self.said.get(at)?;
        let mut frame = json!({ "id": entry.id, "channel": to.asked, "channelSerial": self.serial(at + 1),
            "connectionId": entry.connection, "timestamp": entry.timestamp });
        match &entry.what {
            What::Presence(_) if !to.presence => return None,
            What::Presence(member) => {
                frame["action"] = 14.into();
                frame["presence"] = json!([member]);
            }
            What::Messages(messages) => {
                let mut told = Vec::new();
                for (index, said) in messages.iter().enumerate() {
                    let delta = said.delta.as_ref().filter(|(from, _)| to.deltas && to.last.as_ref() == Some(from));
                    let mut message = delta.map_or(&said.whole, |(_, delta)| delta).clone();
                    let own = message["id"].as_str().map(str::to_owned);
                    to.last = Some(own.unwrap_or_else(|| format!("{}:{index}", entry.id)));
                    message["serial"] = format!("{}:{index}", self.serial(at + 1)).into();
                    message["action"] = 0.into();
                    told.push(message);
                }
                frame["action"] = 15.into();
                frame["messages"] = told.into();
            }
        }
        Some(frame)
    }

    /// All messages up to this place that the history has, oldest first.
    pub(super) fn history(&self, end: usize) -> Vec<Value> {
        let mut found = Vec::new();
        for (at, entry) in self.said.iter().enumerate().take(end).skip(self.kept) {
            let What::Messages(messages) = &entry.what else { continue };
            for (index, said) in messages.iter().enumerate() {
                let mut message = said.whole.clone();
                message["id"] =
                    message["id"].as_str().map_or_else(|| format!("{}:{index}", entry.id), str::to_owned).into();
                message["connectionId"] = entry.connection.clone().into();
                message["timestamp"] = entry.timestamp.into();
                message["serial"] = format!("{}:{index}", self.serial(at + 1)).into();
                message["action"] = 0.into();
                found.push(message);
            }
        }
        found
    }
}

/// How far a client asks to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rewind {
    Messages(usize),
    Time(Duration),
}

impl Rewind {
    /// `3`, `30s` or `2m`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let span = |unit: char, seconds: u64| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Self::Time(Duration::from_secs(count.checked_mul(seconds)?)))
        };
        text.parse().map(Self::Messages).ok().or_else(|| span('s', 1)).or_else(|| span('m', 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let mut channel = Channel::new(7);
        for number in 0..6 {
            channel.append(format!("m{number}"), "c", What::Messages(Vec::new()));
        }
        let serials: Vec<String> = (0..=6).map(|place| channel.serial(place)).collect();
        let mut sorted = serials.clone();
        sorted.sort();
        assert_ne!(serials, sorted, "nobody can order them");
        let begin = |channel: &Channel, place: usize| {
            let begin = channel.begin(Some(&serials[place]), None, 4);
            (begin.from, begin.resumed, begin.error.map(|error| error["code"].as_u64().unwrap_or_default()))
        };
        assert_eq!(begin(&channel, 2), (2, true, None));
        assert_eq!(begin(&channel, 1), (6, false, Some(90004)));
        channel.oldest = 4;
        assert_eq!(begin(&channel, 3), (4, false, Some(90003)));
        channel.forget_places();
        assert_eq!(begin(&channel, 6), (6, false, None));
        assert_eq!(channel.begin(None, Rewind::read("2"), 4).from, 4);
        assert_eq!(channel.begin(None, Rewind::read("2m"), 4).from, 0);
        assert_eq!(Rewind::read("-1"), None);
    }
}

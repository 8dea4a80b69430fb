//! JetStream's requests and answers, and what a delivery's reply subject tells.

use std::{str::FromStr, sync::Arc, time::Duration};

use memchr::memchr;
use serde::Deserialize;
use serde_json::json;

/// Where JetStream is asked.
pub(super) const API: &str = "$JS.API.";
/// A consumer that nobody listens to goes after this long.
const INACTIVE: Duration = Duration::from_secs(10);
/// Parts of what a delivery says of itself in the long form, without what may follow them.
const LONG_ACK_PARTS: usize = 9;
/// Most deleted messages of a stream that are listed.
pub(super) const DELETED_MAX: u64 = 10_000;

/// An answer of any kind. What it doesn't have is its default.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) error: Option<ApiError>,
    /// When a stream was made.
    pub(super) created: String,
    pub(super) config: StreamConfig,
    pub(super) state: StreamState,
    /// How far a consumer has come.
    pub(super) delivered: Delivered,
    /// How many messages it has still to send.
    pub(super) num_pending: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ApiError {
    pub(super) err_code: u32,
    pub(super) description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StreamConfig {
    storage: String,
}

impl StreamConfig {
    /// Whether a restart of the server leaves the messages.
    pub(super) fn is_kept(&self) -> bool {
        self.storage == "file"
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StreamState {
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    pub(super) num_deleted: u64,
    pub(super) deleted: Option<Vec<u64>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delivered {
    pub(super) consumer_seq: u64,
    pub(super) stream_seq: u64,
}

/// A consumer's beginning.
pub(super) struct Create<'a> {
    pub(super) stream: &'a str,
    pub(super) filter: Option<&'a str>,
    pub(super) consumer: &'a str,
    pub(super) deliver: &'a str,
    /// The first message wanted; only new ones if none.
    pub(super) start: Option<u64>,
    pub(super) heartbeat: Duration,
}

impl Create<'_> {
    /// Where it is asked for, and how.
    pub(super) fn request(&self) -> (String, String) {
        let filter = self.filter.map(|filter| format!(".{filter}")).unwrap_or_default();
        let subject = format!("{API}CONSUMER.CREATE.{}.{}{filter}", self.stream, self.consumer);
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let mut config = json!({
            "name": self.consumer, "deliver_subject": self.deliver, "ack_policy": "none", "max_deliver": 1,
            "mem_storage": true, "num_replicas": 1, "flow_control": true, "idle_heartbeat": nanos(self.heartbeat),
            "inactive_threshold": nanos(INACTIVE), "replay_policy": "instant", "deliver_policy": "new",
        });
        if let Some(start) = self.start {
            config["deliver_policy"] = "by_start_sequence".into();
            config["opt_start_seq"] = start.into();
        }
        if let Some(filter) = self.filter {
            config["filter_subject"] = filter.into();
        }
        (subject, json!({ "stream_name": self.stream, "config": config }).to_string())
    }
}

/// When a stream was made, as letters and digits: another stream of the same name has another.
pub(super) fn identity(created: &str) -> Arc<str> {
    created.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().into()
}

/// A message of a stream, as it is kept in a place's mark: `identity.sequence.time`, the time in nanoseconds since 1970 or empty
/// if the message wasn't seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) stream: Arc<str>,
    pub(super) sequence: u64,
    pub(super) time: Option<u64>,
}

impl Mark {
    /// Appends one to a text.
    pub(super) fn write(text: &mut String, stream: &str, sequence: &str, time: &str) {
        for part in [stream, ".", sequence, ".", time] {
            text.push_str(part);
        }
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let (Some(stream), Some(sequence), Some(time), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let time = if time.is_empty() { None } else { Some(time.parse().map_err(|_| ())?) };
        Ok(Self { stream: stream.into(), sequence: sequence.parse().map_err(|_| ())?, time })
    }
}

/// What a delivery says of itself, in the subject by which others would acknowledge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ack<'a> {
    pub(super) stream: &'a str,
    pub(super) consumer: &'a str,
    pub(super) stream_seq: u64,
    pub(super) consumer_seq: u64,
    /// When it was stored, in nanoseconds since 1970.
    pub(super) time: u64,
    /// How many more the consumer had to send then.
    pub(super) pending: u64,
    /// The sequence in the stream, and the time, as they were written.
    pub(super) written: [&'a str; 2],
}

impl<'a> Ack<'a> {
    /// `$JS.ACK.stream.consumer.deliveries.sequence.consumer's sequence.time.pending`, or with domain and account before the
    /// stream.
    pub(super) fn parse(subject: &'a str) -> Option<Self> {
        let rest = subject.strip_prefix("$JS.ACK.")?;
        let mut found = [""; LONG_ACK_PARTS];
        let mut count = 0;
        let mut from = 0;
        while let Some(place) = found.get_mut(count) {
            let end = memchr(b'.', &rest.as_bytes()[from..]).map(|length| from + length);
            *place = &rest[from..end.unwrap_or(rest.len())];
            count += 1;
            let Some(end) = end else { break };
            from = end + 1;
        }
        let mut parts = match count {
            7 => found[..7].iter(),
            LONG_ACK_PARTS => found[2..].iter(),
            _ => return None,
        };
        let (stream, consumer) = (*parts.next()?, *parts.next()?);
        let [_, sequence, _, time, _] = parts.as_slice() else { return None };
        let written = [*sequence, *time];
        let mut number = || parts.next()?.parse::<u64>().ok();
        let _deliveries = number()?;
        let (stream_seq, consumer_seq, time, pending) = (number()?, number()?, number()?, number()?);
        Some(Self { stream, consumer, stream_seq, consumer_seq, time, pending, written })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: both forms of the subject tell the sequences; anything else tells nothing.
    #[test]
    fn acknowledgements() {
        let plain = Ack::parse("$JS.ACK.T.n2.1.7.4.1795696567292574427.3").expect("an ack");
        assert_eq!((plain.stream, plain.consumer, plain.stream_seq, plain.consumer_seq), ("T", "n2", 7, 4));
        assert_eq!((plain.time, plain.pending), (1_795_696_567_292_574_427, 3));
        for long in
            ["$JS.ACK.hub.acc.T.n2.1.7.4.1795696567292574427.3", "$JS.ACK._.acc.T.n2.1.7.4.1795696567292574427.3.x"]
        {
            assert_eq!(Ack::parse(long), Some(plain));
        }
        for wrong in ["", "$JS.ACK.", "$JS.ACK.T.n2.1.7.4.x.3", "$JS.ACK.T.n2.1.7.4.3", "$JS.ACK.a.T.n2.1.7.4.5.3"] {
            assert_eq!(Ack::parse(wrong), None, "{wrong}");
        }
    }

    /// H3: a mark that can't be read proves nothing.
    #[test]
    fn marks() {
        for text in ["20261126T130216041700321Z.7.1795698139453268959", "e.7."] {
            let Mark { stream, sequence, time } = text.parse().expect("a mark");
            let mut written = String::new();
            let time = time.as_ref().map(u64::to_string).unwrap_or_default();
            Mark::write(&mut written, &stream, &sequence.to_string(), &time);
            assert_eq!(written, text);
        }
        for wrong in ["", "e.7", "e.x.1", "e.1.x", "e.1.2.3"] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
        assert_eq!(&*identity("2026-11-26T13:02:16.041700321Z"), "20261126T130216041700321Z");
    }
}

//! Every kind that carries bodies has them decoded, from the bytes or from the text in which its protocol carries them.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use watchfloor_model::{Delivery, Mono, Timestamp};

use super::packed;
use crate::{Bytes, Codec, Envelope, Feed, Head, Input, Kind, LinkId, Output, SourceConfig};

const LINK: LinkId = LinkId(1);
const NOW: Mono = Mono::from_millis(1000);
/// What a body is carried by where that must be a text.
const TEXT: [Codec; 3] = [Codec::Base64, Codec::Gzip, Codec::MessagePack];
/// And where it may be bytes.
const BYTES: [Codec; 2] = [Codec::Gzip, Codec::MessagePack];

struct Talk {
    feed: Feed,
    sent: Vec<u8>,
    /// Names and bodies.
    told: Vec<String>,
}

impl Talk {
    fn new(kind: Kind, url: &str, channel: &str, decode: &[Codec]) -> Self {
        let envelope = Envelope {
            name: Some("type".parse().expect("a path")),
            time: Some("at".parse().expect("a path")),
            decode: decode.to_vec(),
            ..Envelope::default()
        };
        let config = SourceConfig {
            envelope,
            app: Some("app-key".into()),
            ..SourceConfig::plain(
                "ops",
                kind,
                url.parse().expect("an address"),
                vec![channel.into()],
                Duration::from_secs(5),
            )
        };
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_795_697_600_000), NOW);
        feed.start(NOW);
        let mut talk = Self { feed, sent: Vec::new(), told: Vec::new() };
        talk.drain();
        talk
    }

    fn take(&mut self, input: Input) {
        self.feed.handle_input(input, NOW);
        self.drain();
    }

    fn opened(mut self) -> Self {
        self.take(Input::Opened { link: LINK });
        self
    }

    fn text(mut self, text: impl Into<String>) -> Self {
        self.take(Input::Text { link: LINK, text: text.into().into() });
        self
    }

    fn chunk(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.take(Input::Chunk { link: LINK, bytes: bytes.into().into() });
        self
    }

    fn answer(mut self, head: Head, body: impl Into<Bytes>) -> Self {
        self.take(Input::Answered { link: LINK, head, body: body.into() });
        self
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Send { message, .. } => self.sent.extend(message.into_bytes()),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &watchfloor_model::Event| {
                        format!("{} {} {}", event.name, event.time.as_millis(), event.data.text())
                    };
                    self.told.extend(events.iter().map(one));
                }
                _ => {}
            }
        }
    }

    /// The word that follows `before` in what was sent.
    fn word_after(&self, before: &str) -> String {
        let sent = String::from_utf8_lossy(&self.sent);
        let rest = sent.split_once(before).expect("what was sent").1;
        rest.split_ascii_whitespace().next().expect("a word").to_owned()
    }

    #[track_caller]
    fn told(self, name: &str) {
        let status = self.feed.status();
        let expected = format!("{name} 1700000000000 {}", body());
        assert_eq!((self.told, status.counts.rejected), (vec![expected], 0), "{:?}", status.last_rejection);
    }
}

fn body() -> Value {
    json!({"at": 1_700_000_000, "n": [1.5, null], "type": "loaded"})
}

fn bytes() -> Vec<u8> {
    packed(Codec::Gzip, &rmp_serde::to_vec(&body()).expect("a value"))
}

fn text() -> String {
    BASE64_STANDARD.encode(bytes())
}

/// Where the protocol carries JSON, the body is a text of it.
#[test]
fn kinds_of_json() {
    let body = text();
    Talk::new(Kind::Centrifugo, "wss://push.example/", "flights", &TEXT)
        .opened()
        .text(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true,"time":1795697600500}}"#)
        .text(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"xyGz","offset":7}}"#)
        .text(format!(r#"{{"push":{{"channel":"flights","pub":{{"data":"{body}","offset":8}}}}}}"#))
        .told("loaded");
    Talk::new(Kind::Soketi, "wss://push.example/", "flights", &TEXT)
        .opened()
        .text(r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"5389359628.2136654230\",\"activity_timeout\":30}"}"#)
        .text(r#"{"event":"pusher_internal:subscription_succeeded","channel":"flights","data":"{}"}"#)
        .text(format!(r#"{{"event":"E","data":"{body}","channel":"flights"}}"#))
        .told("loaded");
    Talk::new(Kind::SocketIo, "https://push.example", "/", &TEXT)
        .opened()
        .text(r#"0{"sid":"bjF9XP8yugVTjkOcAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#)
        .text(r#"40{"sid":"FJStJu6pAs93AbvRAAAA"}"#)
        .text(format!(r#"42["E","{body}"]"#))
        .told("loaded");
    let mut talk = Talk::new(Kind::Sse, "https://push.example/stream", "flights", &TEXT).opened();
    talk.take(Input::Head { link: LINK, head: Head::default() });
    talk.chunk(format!(":\n\nid: 7\nevent: E\ndata: {body}\n\n")).told("loaded");
}

/// H3: what is no text where the protocol carries JSON can't be decoded, and isn't taken as it is.
#[test]
fn a_body_that_is_none() {
    let talk = Talk::new(Kind::Centrifugo, "wss://push.example/", "flights", &[Codec::Json])
        .opened()
        .text(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true,"time":1795697600500}}"#)
        .text(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"xyGz","offset":7}}"#)
        .text(r#"{"push":{"channel":"flights","pub":{"data":{"n":1},"offset":8}}}"#);
    let status = talk.feed.status();
    assert_eq!((talk.told.len(), status.counts.rejected), (0, 1));
    assert_eq!(status.last_rejection.as_deref(), Some("no text that could be decoded"));
}

/// Where it carries bytes, they are.
#[test]
fn kinds_of_bytes() {
    let body = bytes();
    let talk = Talk::new(Kind::Nats, "nats://bus.example", "flight.>", &BYTES).opened();
    let talk = talk
        .chunk("INFO {\"server_id\":\"N\",\"server_name\":\"N\",\"version\":\"2.15.1\",\"proto\":1,\"headers\":true,\"max_payload\":1048576,\"client_id\":5}\r\n")
        .chunk("PONG\r\n");
    let sid = talk.word_after("SUB flight.> ");
    let head = format!("MSG flight.departed {sid} {}\r\n", body.len());
    talk.chunk("PONG\r\n").chunk([head.as_bytes(), &body, b"\r\n"].concat()).told("loaded");

    let topic = b"\x00\x09flights/1";
    let rest = [&topic[..], &[0], &body].concat();
    let len = u8::try_from(rest.len()).ok().filter(|len| *len < 0x80).expect("a length of one byte");
    Talk::new(Kind::Mqtt, "mqtt://broker.example", "flights/#", &BYTES)
        .opened()
        .chunk([0x20, 9, 0, 0, 6, 0x22, 0, 10, 0x21, 0, 20])
        .chunk([0x90, 4, 0, 1, 0, 1])
        .chunk([0xD0, 0])
        .chunk([&[0x30, len][..], &rest].concat())
        .told("loaded");

    let bulk = |bytes: &[u8]| [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let hello = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:4\r\n\
                 $4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
    Talk::new(Kind::Redis, "redis://redis.example", "flights", &BYTES)
        .opened()
        .chunk(hello)
        .chunk([b">3\r\n", &bulk(b"subscribe")[..], &bulk(b"flights"), b":1\r\n"].concat())
        .chunk([b">3\r\n", &bulk(b"message")[..], &bulk(b"flights"), &bulk(&body)].concat())
        .told("loaded");

    let head = |etag: &str| Head {
        etag: Some(etag.to_owned()),
        last_modified: Some("Thu, 26 Nov 2026 12:51:40 GMT".to_owned()),
        ..Head::default()
    };
    Talk::new(Kind::LongPoll, "https://push.example/poll", "flights", &BYTES)
        .answer(Head { is_unchanged: true, ..head("0") }, "")
        .answer(head("1"), body.clone())
        .told("loaded");
    Talk::new(Kind::Poll, "https://push.example/departures", "flights", &BYTES)
        .answer(Head::default(), body)
        .told("loaded");
}

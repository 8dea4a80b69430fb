//! Whatever the bytes, and however they are cut; and a server that says whatever it likes.

use std::sync::Arc;

use watchfloor_fuzz::{Draws, check, mutated};

use super::*;
use crate::{
    fuzz::talk::{Link, Said, Server, sound, talk},
    protocols::{Moment, Place, Signal, dialect},
};

const MOMENT: Moment = Moment { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };

/// What Centrifugo 6.9.1 said, by and large.
const LINES: [&str; 18] = [
    r#"{"id":1,"connect":{"client":"1a9a399a","version":"0.0.0 OSS","ping":25,"pong":true,"session":"dcf380a6","node":"485a4f96"}}"#,
    r#"{"id":1,"connect":{"client":"c","expires":true,"ttl":5,"subs":{"news":{"recoverable":true,"positioned":true,"epoch":"e"}}}}"#,
    r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"UVRSVwRk","positioned":true,"delta":true}}"#,
    r#"{"id":3,"subscribe":{"expires":true,"ttl":60}}"#,
    r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","publications":[{"data":{"v":2},"offset":2}],"recovered":true,"positioned":true,"was_recovering":true}}"#,
    r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#,
    r#"{"id":3,"error":{"code":109,"message":"token expired"}}"#,
    r#"{"push":{"channel":"news","pub":{"data":"{\"kind\":\"tick\",\"n\":1,\"text\":\"a long enough text so that a patch is worth it, and some more of it to be sure\"}","offset":1}}}"#,
    r#"{"push":{"channel":"news","pub":{"data":"1i\nJ@0,1:21P@K,3hNgz6;","offset":2,"delta":true}}}"#,
    r#"{"push":{"channel":"$room","pub":{"data":7,"info":{"user":"1","client":"c"},"tags":{"a":"b"}}}}"#,
    r#"{"push":{"channel":"news","join":{"info":{"user":"42","client":"538fb362","conn_info":{"name":"Ann"}}}}}"#,
    r#"{"push":{"channel":"news","leave":{"info":{"user":"42","client":"538fb362"}}}}"#,
    r#"{"id":4,"presence":{"presence":{"538fb362":{"user":"42","client":"538fb362","chan_info":[1]}}}}"#,
    r#"{"id":5,"history":{"epoch":"UVRSVwRk","offset":3}}"#,
    r#"{"push":{"channel":"news","unsubscribe":{"code":2501,"reason":"expired"}}}"#,
    r#"{"push":{"refresh":{"expires":true,"ttl":60}}}"#,
    r#"{"push":{"disconnect":{"code":3501,"reason":"bad request"}}}"#,
    "{}",
];

/// What a session makes of bytes that come in these pieces. `all`: it follows who is there and asks for tokens.
fn signals(transport: Transport, all: bool, bytes: &[u8], mut cut: impl FnMut() -> usize) -> Vec<String> {
    let mut config = None;
    drop(Rig::new(|made| {
        made.channels = vec!["news".into(), "$room".into()];
        made.promises.presence = all;
        made.auth = all.then(|| "https://app.example/token".parse().expect("an address"));
        config = Some(made.clone());
    }));
    let config = config.expect("made");
    let channels: Arc<[Arc<str>]> = config.channels.as_slice().into();
    let places: Vec<Place> = channels.iter().map(|name| Place { channel: name.clone(), position: None }).collect();
    let mut session = dialect(&config).session(&config, transport, &channels, 7);
    session.subscribe(&places, false);
    let (mut out, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(cut().clamp(1, rest.len()));
        if transport == Transport::WebSocket {
            session.decode_text(chunk, MOMENT, &mut out);
        } else {
            session.decode_chunk(chunk, MOMENT, &mut out);
        }
        rest = later;
    }
    session.ping();
    session.prove();
    let answer = Response::new(200, bytes.to_vec());
    for number in 1..4 {
        session.exchanged(number, Ok(answer.clone()), MOMENT, &mut out);
    }
    session.subscribe(&places, true);
    let said = |signal: &Signal| match signal {
        Signal::Reply { .. } | Signal::Post { .. } => None,
        other => Some(format!("{other:?}")),
    };
    out.iter().filter_map(said).collect()
}

/// H5, H8: nothing panics, and what is read doesn't depend on how the bytes were cut.
#[test]
fn centrifugo() {
    check!(|bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let sizes = [draws.below(16), draws.below(300)];
        let mut text = Vec::new();
        for _ in 0..=draws.below(3) {
            text.extend(mutated(&LINES, &mut draws));
            text.push(b'\n');
        }
        signals(Transport::WebSocket, true, &text, || usize::MAX);
        signals(Transport::HttpStream, true, &text, || usize::MAX);
        let events: Vec<u8> =
            text.split(|byte| *byte == b'\n').flat_map(|line| [b"data: ", line, b"\n\n"].concat()).collect();
        for (transport, stream) in [(Transport::HttpStream, text), (Transport::Sse, events)] {
            let whole = signals(transport, false, &stream, || usize::MAX);
            assert_eq!(signals(transport, false, &stream, || 1), whole);
            let mut turn = 0;
            let cut = || {
                turn += 1;
                sizes[turn % 2]
            };
            assert_eq!(signals(transport, false, &stream, cut), whole);
        }
    });
}

/// The lines above are sound: they are taken for what they are, or the mutations would test nothing.
#[test]
fn the_seeds_are_sound() {
    let text = LINES.join("\n");
    let found = [true, false].map(|all| signals(Transport::HttpStream, all, text.as_bytes(), || usize::MAX).join("\n"));
    let found = found.join("\n");
    for kind in ["Hello", "Subscribed", "Event", "Loose", "Heartbeat", "Resubscribe", "Authorised", "Closed"] {
        assert!(found.contains(kind), "{kind}: {found}");
    }
    assert!(!found.contains("Unreadable"), "{found}");
}

/// A server with the history `e` of the channel `news`, all of which it keeps.
struct Push {
    words: Vec<Vec<u8>>,
    published: Vec<u64>,
    is_subscribed: bool,
}

impl Push {
    fn new() -> Self {
        let words = LINES.iter().map(|line| line.as_bytes().to_vec()).collect();
        Self { words, published: Vec::new(), is_subscribed: false }
    }

    fn publication(&self, at: usize) -> String {
        format!(r#"{{"data":{{"kind":"tick","n":{}}},"offset":{}}}"#, self.published[at], at + 1)
    }

    fn reply(&mut self, command: &serde_json::Value) -> Option<String> {
        let (id, head) = (command["id"].as_u64()?, self.published.len());
        if command.get("connect").is_some() {
            let connect = r#""connect":{"client":"c","version":"6","ping":25,"pong":true}"#;
            return Some(format!("{{\"id\":{id},{connect}}}"));
        }
        if command.get("history").is_some() {
            return Some(format!(r#"{{"id":{id},"history":{{"epoch":"e","offset":{head}}}}}"#));
        }
        let subscribe = command.get("subscribe")?;
        self.is_subscribed = true;
        let asked = subscribe["offset"].as_u64().and_then(|offset| usize::try_from(offset).ok());
        let of_it = asked.filter(|offset| *offset <= head && subscribe["epoch"] == "e");
        let missed: Vec<String> = (of_it.unwrap_or(head)..head).map(|at| self.publication(at)).collect();
        Some(format!(
            r#"{{"id":{id},"subscribe":{{"recoverable":true,"positioned":true,"epoch":"e","offset":{},"was_recovering":{},"recovered":{},"publications":[{}]}}}}"#,
            of_it.unwrap_or(head),
            subscribe["recover"] == true,
            of_it.is_some(),
            missed.join(",")
        ))
    }
}

impl Server for Push {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    fn opened(&mut self, _request: &Request) -> Vec<Said> {
        self.is_subscribed = false;
        Vec::new()
    }

    fn heard(&mut self, message: &[u8]) -> Vec<Said> {
        let text = std::str::from_utf8(message).expect("a text");
        let commands: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        commands.iter().filter_map(|command| self.reply(command)).map(Said::text).collect()
    }

    fn idles(&mut self) -> Vec<Said> {
        vec![Said::text("{}")]
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        self.published.push(number);
        if !self.is_subscribed {
            return Vec::new();
        }
        let publication = self.publication(self.published.len() - 1);
        vec![Said::text(format!(r#"{{"push":{{"channel":"news","pub":{publication}}}}}"#))]
    }

    fn proves(&self, link: &Link) -> bool {
        link.has_heard(&["\"connect\""]) && link.has_heard(&["\"sub"])
    }
}

fn source() -> SourceConfig {
    let mut source = None;
    drop(Rig::new(|config| {
        config.token = Some(Secret::new(""));
        source = Some(config.clone());
    }));
    source.expect("made")
}

/// H1, H3, H5, H8: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| talk(source(), Push::new(), &mut Draws::new(bytes)));
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    sound(source(), Push::new());
}

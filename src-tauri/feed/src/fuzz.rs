//! Whatever the bytes: see `docs/proof.md`, "Fuzzing".

mod decode;
mod server;
pub(crate) mod talk;
mod told;
mod wall;

use std::{sync::Arc, time::Duration};

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Mono, Timestamp, Transport};

use self::wall::Wall;
use crate::{
    SourceConfig, SseItem, SseParser,
    protocols::{Moment, Signal, dialect},
};

/// Sound messages of a hub.
const MOMENT: Moment = Moment { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };

const LINES: [&str; 14] = [
    r#"{"type":"hello","protocol":1,"hub":"x","heartbeat_ms":1000,"clock":{"now":1,"speed":1,"label":null}}"#,
    r#"{"type":"hello","protocol":1,"hub":"x","heartbeat_ms":9,"clock":{"now":1,"speed":60,"label":"é"},"access":{"expires_ms":5000}}"#,
    r#"{"type":"subscribed","channel":"flights","head":"e:2","from":"e:2","recovered":false,"reason":null}"#,
    r#"{"type":"subscribed","channel":"weather","head":"e:0","from":"e:0","recovered":true,"reason":"trimmed"}"#,
    r#"{"type":"event","channel":"flights","position":"e:3","name":"flight.cancelled","time":7,"id":"a/b","data":{"n":1}}"#,
    r#"{"type":"event","channel":"weather","position":"e:1","name":"\u0061","time":-7,"data":[1,"\n"]}"#,
    r#"{"type":"event","channel":"flights","position":"e:4","name":"n","time":7,"data":1}"#,
    r#"{"type":"lost","channel":"flights","from":"e:1","head":"e:9","reason":"slow"}"#,
    r#"{"type":"heartbeat","clock":{"now":1,"speed":1},"channels":{"flights":{"head":"e:2","idle_ms":1200},"weather":{"head":"e:0","behind":7,"idle_ms":null}}}"#,
    r#"{"type":"pong","id":7,"clock":{"now":1,"speed":1,"label":null}}"#,
    r#"{"type":"error","code":"forbidden","message":"no"}"#,
    r#"{"type":"error","code":"bad-token","message":"no"}"#,
    r#"{"type":"authorised","expires_ms":60000}"#,
    r#"{"type":"tomorrow","x":1}"#,
];

const SNAPSHOTS: [&str; 2] = [
    r#"{"positions":{"flights":"e:2","weather":"e:0"},"clock":{"now":5,"speed":60,"label":null},"since":3,"aggregates":{"counter-9f":{"n":1}}}"#,
    r#"{"positions":{"flights":"k3x9:42","weather":"k3x9:7","x":"e:1"},"clock":{"now":5,"speed":1}}"#,
];

const STREAMS: [&str; 4] = [
    "\u{FEFF}id: 7\r\nevent: a\r\ndata: one\r\ndata: two\r\n\r\nretry: 1500\r\n\r\n",
    "data: a\n\n: comment\ndata\n\nid\ndata:b\r\rdata: c\n\nevent: x\n\n",
    "id: 1\0\ndata: x\n\nid: 2\nretry: 99999999999999999999999\ndata:  y\n\n",
    "\u{FEFF}\u{FEFF}data: a\n\ndata: é\r\n\r\n",
];

fn config(urls: usize, ladder: &[Transport]) -> SourceConfig {
    let url = |number: usize| format!("https://{}.example/base/", ["a", "b"][number]).parse().expect("an address");
    SourceConfig {
        redundant: (1..urls).map(url).collect(),
        ladder: ladder.to_vec(),
        ..SourceConfig::plain(
            "ops",
            crate::Kind::Hub,
            url(0),
            vec!["flights".into(), "weather".into()],
            Duration::from_secs(5),
        )
    }
}

fn channels() -> Arc<[Arc<str>]> {
    Arc::from(["flights".into(), "weather".into()])
}

/// The stream's items don't depend on how its bytes were cut.
#[test]
fn sse() {
    fn items(bytes: &[u8], mut cut: impl FnMut() -> usize) -> (Vec<String>, String) {
        let (mut parser, mut items, mut rest) = (SseParser::new("0"), Vec::new(), bytes);
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(cut().clamp(1, rest.len()));
            parser.push(chunk, &mut |item: SseItem<'_>| items.push(format!("{item:?}")));
            rest = later;
        }
        (items, parser.last_event_id().to_owned())
    }
    check!(|bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let sizes = [draws.below(16), draws.below(300)];
        let stream = mutated(&STREAMS, &mut draws);
        let whole = items(&stream, || usize::MAX);
        assert_eq!(whole, items(&stream, || 1));
        let mut turn = 0;
        let cut = || {
            turn += 1;
            sizes[turn % 2]
        };
        assert_eq!(whole, items(&stream, cut));
        assert!(whole.0.len() <= stream.len());
    });
}

/// Lines mean the same in one message and each by itself, and nothing is made of nothing.
#[test]
fn messages() {
    check!(|bytes: &[u8]| {
        let dialect = dialect(&config(1, &[Transport::WebSocket]));
        let mut draws = Draws::new(bytes);
        let mut text = Vec::new();
        for _ in 0..=draws.below(3) {
            text.extend(mutated(&LINES, &mut draws));
            text.push(b'\n');
        }
        let (mut whole, mut single) = (Vec::new(), Vec::new());
        let mut session = dialect.session(&config(1, &[Transport::WebSocket]), Transport::WebSocket, &channels(), 0);
        session.decode_text(&text, MOMENT, &mut whole);
        let lines = text.split(|byte| *byte == b'\n');
        assert!(whole.len() <= 1 + lines.clone().count());
        if whole.iter().any(|signal| matches!(signal, Signal::Unreadable { .. })) {
            return;
        }
        let mut session = dialect.session(&config(1, &[Transport::WebSocket]), Transport::WebSocket, &channels(), 0);
        lines.for_each(|line| session.decode_text(line, MOMENT, &mut single));
        let shown = |signals: &[Signal]| signals.iter().map(|signal| format!("{signal:?}")).collect::<Vec<_>>();
        assert_eq!(shown(&whole), shown(&single));
    });
}

/// A snapshot that is taken has every channel's place, and what is wrong with another one is said in bounds.
#[test]
fn snapshot() {
    check!(|bytes: &[u8]| {
        let dialect = dialect(&config(1, &[Transport::WebSocket]));
        let body = mutated(&SNAPSHOTS, &mut Draws::new(bytes));
        match dialect.read_snapshot(&body, &channels(), Mono::ZERO) {
            Ok(snapshot) => {
                assert!(channels().iter().all(|channel| snapshot.positions.contains_key(channel)));
                assert!(snapshot.clock.speed.is_finite() && snapshot.clock.speed >= 0.0, "{snapshot:?}");
            }
            Err(reason) => assert!(!reason.is_empty() && reason.len() < 2000, "{reason}"),
        }
    });
}

/// H1, H3, H5: one address, by every way to travel.
#[test]
fn feed() {
    check!(iterations = 600, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        Wall::new(1, &mut draws).run(&mut draws);
    });
}

/// The same for two addresses of one stream.
#[test]
fn paths() {
    check!(iterations = 600, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        Wall::new(2, &mut draws).run(&mut draws);
    });
}

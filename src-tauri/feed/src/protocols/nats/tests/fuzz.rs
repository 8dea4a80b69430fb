//! Whatever the bytes, and however they are cut.

use std::sync::Arc;

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Mono, Timestamp, Transport};

use super::{INFO, config};
use crate::protocols::{Moment, Place, dialect};

const MOMENT: Moment = Moment { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };

pub(super) const LINES: [&str; 14] = [
    INFO,
    "PING\r\n",
    "PONG\r\nPONG\r\n",
    "+OK\r\n",
    "-ERR 'Stale Connection'\r\n",
    "-ERR 'Permissions Violation for Publish to \"$JS.API.CONSUMER.INFO.T.watchfloor-0000000000000007-3\"'\r\n",
    "MSG t.a 2 7\r\n{\"n\":1}\r\nmsg t.b\t2 $X 0\r\n\r\n",
    "HMSG t.b 2 29 36\r\nNATS/1.0\r\nNats-Msg-Id: x7\r\n\r\n{\"n\":3}\r\n",
    "MSG _INBOX.x.r.4 1 63\r\n{\"delivered\":{\"consumer_seq\":0,\"stream_seq\":8},\"num_pending\":0}\r\n",
    "MSG _INBOX.x.r.5 1 78\r\n{\"created\":\"2026-11-26T13\",\"config\":{\"storage\":\"file\"},\"state\":{\"last_seq\":8}}\r\n",
    "MSG t.a 6 $JS.ACK.T.watchfloor-0000000000000007-3.1.9.1.5000000.0 1\r\n4\r\n",
    "MSG t.a 6 $JS.ACK.T.watchfloor-0000000000000007-3.1.18446744073709551615.2.5000000.18446744073709551615 1\r\n4\r\n",
    "HMSG d 6 75 75\r\nNATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 2\r\n\r\n\r\n",
    "HMSG d 6 $JS.FC.x 36 36\r\nNATS/1.0 100 FlowControl Request\r\n\r\n\r\n",
];

/// What a session makes of bytes that come in these pieces.
fn signals(bytes: &[u8], mut cut: impl FnMut() -> usize) -> Vec<String> {
    let mut config = config("t.>");
    config.channels.push("stream:T".into());
    let channels: Arc<[Arc<str>]> = config.channels.clone().into();
    let mut session = dialect(&config).session(&config, Transport::Tcp, &channels, 7);
    let places: Vec<Place> = channels.iter().map(|name| Place { channel: name.clone(), position: None }).collect();
    session.subscribe(&places, false);
    let (mut out, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(cut().clamp(1, rest.len()));
        session.decode_chunk(chunk, MOMENT, &mut out);
        rest = later;
    }
    session.prove();
    session.subscribe(&places, true);
    out.iter().map(|signal| format!("{signal:?}")).collect()
}

/// H8: nothing panics, and what is read doesn't depend on how the bytes were cut.
#[test]
fn nats() {
    check!(|bytes| {
        let mut draws = Draws::new(bytes);
        let text = mutated(&LINES, &mut draws);
        let whole = signals(&text, || usize::MAX);
        assert_eq!(signals(&text, || 1), whole);
        let mut widths = [3, 1, 40, 7, 300].into_iter().cycle();
        assert_eq!(signals(&text, || widths.next().unwrap_or(1)), whole);
    });
}

/// The lines above are sound: they are taken for what they are, or the mutations would test nothing.
#[test]
fn the_seeds_are_sound() {
    let found = signals(LINES.concat().as_bytes(), || usize::MAX).join("\n");
    for kind in ["Hello", "Subscribed", "Event", "Heartbeat", "Error", "Reply"] {
        assert!(found.contains(kind), "{kind}: {found}");
    }
    assert!(!found.contains("Unreadable"), "{found}");
}

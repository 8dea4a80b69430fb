//! Bytes in any cuts, and bytes of anybody.

use std::sync::Arc;

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Mono, Timestamp, Transport};

use super::{
    super::{
        Redis,
        resp::{Frame, Parser, command},
    },
    rig::{HELLO, bulk, config, entries, exec, info, list},
};
use crate::protocols::{Dialect as _, Moment, Place, Session, Signal};

const MOMENT: Moment = Moment { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };

fn frames(bytes: &[u8], mut cut: impl FnMut() -> usize) -> Result<Vec<Frame>, String> {
    let (mut parser, mut frames, mut rest) = (Parser::default(), Vec::new(), bytes);
    while !rest.is_empty() {
        let (mut chunk, later) = rest.split_at(cut().clamp(1, rest.len()));
        while !chunk.is_empty() {
            let (used, frame) = parser.take(chunk).map_err(|broken| broken.0)?;
            assert!(used > 0, "it goes on");
            frames.extend(frame);
            chunk = &chunk[used..];
        }
        rest = later;
    }
    Ok(frames)
}

/// Every kind of value that RESP3 has, however it is cut.
#[test]
fn values() {
    let bytes = b"+OK\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n(99\r\n=5\r\ntxt:a\r\n-ERR no\r\n!3\r\nERR\r\n\
                  *0\r\n%1\r\n+a\r\n:1\r\n~1\r\n:1\r\n|1\r\n+ttl\r\n:1\r\n*2\r\n|1\r\n+k\r\n:1\r\n:1\r\n:2\r\n>1\r\n+x\r\n";
    let text = |text: &str| Frame::Text(text.into());
    let expected = vec![
        text("OK"),
        Frame::Integer(-7),
        text("a\r\n"),
        Frame::Null,
        Frame::Null,
        Frame::Null,
        Frame::Bool(true),
        text("1.5"),
        text("99"),
        text("a"),
        Frame::Error(b"ERR no".to_vec()),
        Frame::Error(b"ERR".to_vec()),
        Frame::List(Vec::new()),
        Frame::Map(vec![text("a"), Frame::Integer(1)]),
        Frame::List(vec![Frame::Integer(1)]),
        Frame::List(vec![Frame::Integer(1), Frame::Integer(2)]),
        Frame::Push(vec![text("x")]),
    ];
    for cut in [1, 2, 3, 7, usize::MAX] {
        assert_eq!(frames(bytes, || cut).as_ref(), Ok(&expected), "in pieces of {cut}");
    }
    assert_eq!(command(&["GET", "é"]), b"*2\r\n$3\r\nGET\r\n$2\r\n\xc3\xa9\r\n");
}

/// H5: no length, depth or number that is told is believed beyond its bound.
#[test]
fn bounds() {
    let deep = "*1\r\n".repeat(13);
    let line = format!("+{}", "x".repeat(70_000));
    for (bytes, reason) in [
        ("*1048577\r\n", "more than 1048576 values"),
        ("%9223372036854775807\r\n", "more than 1048576 values"),
        (deep.as_str(), "more than 12 levels"),
        (line.as_str(), "a line of more than 65536 bytes"),
        ("$1x\r\n", "lacks its number"),
        ("$99999999999999999999\r\n", "lacks its number"),
        ("$1\r\nabc", "longer than was told"),
        ("+OK\n", "CR LF"),
        ("GET / HTTP/1.1", "begins with the byte 71"),
    ] {
        let error = frames(bytes.as_bytes(), || usize::MAX).expect_err(bytes);
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(frames(b"$9223372036854775807\r\nabc", || usize::MAX), Ok(Vec::new()), "nothing is kept of it");
    // What is too long in all leaves its list whole.
    let many = list(&vec![bulk(&"x".repeat(1 << 20)); 40]);
    let found = frames(many.as_bytes(), || 65_536).expect("whole");
    let items = found[0].list().expect("a list");
    assert_eq!(items.iter().filter(|item| **item == Frame::LeftOut).count(), 8);
}

/// Sound things to say, and what they are answers to.
pub(super) fn seeds() -> Vec<String> {
    let (id, next) = ("1700000000000-0", "1700000000001-0");
    let begun = exec(&[info(2, id, id, 3, "0-0")]);
    let read = exec(&[info(3, id, next, 4, "0-0"), entries("s", &[(next, "1")])]);
    let confirmed = ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n>3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n";
    let message = ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$7\r\n{\"a\":1}\r\n>4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$2\r\nnx\r\n$1\r\n1\r\n";
    vec![
        format!("{HELLO}{confirmed}{begun}{read}{message}{read}"),
        format!("{HELLO}{confirmed}{begun}{message}{read}_\r\n{read}"),
        format!("{HELLO}{confirmed}{begun}{read}{}", entries("s", &[(next, "1")])),
        format!("{HELLO}-NOPERM no\r\n-ERR x\r\n"),
        "-WRONGPASS no\r\n".to_owned(),
    ]
}

fn session() -> Box<dyn Session> {
    let config = config(&["news", "pattern:n*", "stream:s"]);
    let channels: Arc<[Arc<str>]> = config.channels.as_slice().into();
    let places: Vec<Place> =
        channels.iter().map(|channel| Place { channel: channel.clone(), position: None }).collect();
    let mut session = Redis::default().session(&config, Transport::Tcp, &channels, 7);
    session.subscribe(&places, false);
    session
}

fn signals(bytes: &[u8], mut cut: impl FnMut() -> usize) -> Vec<String> {
    let (mut session, mut found, mut rest) = (session(), Vec::new(), bytes);
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(cut().clamp(1, rest.len()));
        let mut out = Vec::new();
        session.decode_chunk(chunk, MOMENT, &mut out);
        found.extend(out);
        rest = later;
    }
    let said = |signal: &Signal| match signal {
        // What is sent goes before what is found of the same bytes, so its place depends on the cuts.
        Signal::Reply { .. } => None,
        other => Some(format!("{other:?}")),
    };
    found.iter().filter_map(said).collect()
}

/// H5, H8: whatever the bytes, nothing panics, and what they mean doesn't depend on how they were cut.
#[test]
fn redis_bytes() {
    check!(|bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let sizes = [draws.below(16), draws.below(300)];
        let stream = mutated(&seeds(), &mut draws);
        let whole = signals(&stream, || usize::MAX);
        assert_eq!(whole, signals(&stream, || 1));
        let mut turn = 0;
        let cut = || {
            turn += 1;
            sizes[turn % 2]
        };
        assert_eq!(whole, signals(&stream, cut));
    });
}

//! The published contract tests of server-sent events (`launchdarkly/sse-contract-tests`), said again for this parser.
//!
//! Covered here, each however it is cut: basic parsing (one event and several, in one chunk and in two, two lines, empty
//! data, a type, an id, both, NUL in an id, an id kept and reset, fields in any order, unknown fields, no space, one space
//! more, no colon, letters of several bytes, a hundred at once), the byte order mark (at the beginning, cut, later, twice,
//! before a comment), comments (one, two, before and after an event), line ends (LF, CRLF, CR; empty lines within an event
//! and between events; a CRLF cut in two) and sizes of data around those of common buffers.
//!
//! The rest of them is about links: see `contract.rs` in `protocols/sse`, and `transport/tests/contract.rs` in the engine.

use super::{Item, Parser};

/// What was heard, each as `type#id=data`; comments as `sign`.
fn heard(chunks: &[&[u8]]) -> Vec<String> {
    let mut parser = Parser::default();
    let mut heard = Vec::new();
    for chunk in chunks {
        parser.push(chunk, &mut |item| {
            heard.push(match item {
                Item::Event { kind, data, id } => format!("{kind}#{id}={}", String::from_utf8_lossy(data)),
                Item::Sign => "sign".to_owned(),
                Item::Mark { id } => format!("mark {id}"),
                Item::Retry(millis) => format!("retry {millis}"),
                Item::Oversize { bytes } => format!("oversize {bytes}"),
            });
        });
    }
    heard
}

#[track_caller]
fn check(case: &str, stream: &str, expected: &[&str]) {
    for size in [stream.len(), 1, 2, 3] {
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        assert_eq!(heard(&chunks), expected, "{case}, cut into {size}");
    }
}

#[test]
fn basic_parsing() {
    for (case, stream, expected) in [
        ("a line", "data: Hello\n\n", &["message#=Hello"][..]),
        ("two events", "data: Hello\n\ndata: World\n\n", &["message#=Hello", "message#=World"]),
        ("two lines", "data: Hello\ndata:World\n\n", &["message#=Hello\nWorld"]),
        ("empty data", "data:\n\n", &["message#="]),
        ("a type", "event: greeting\ndata: Hello\n\n", &["greeting#=Hello"]),
        ("an id", "id: abc\ndata: Hello\n\n", &["message#abc=Hello"]),
        ("a type and an id", "event: greeting\nid: abc\ndata: Hello\n\n", &["greeting#abc=Hello"]),
        ("NUL in an id", "id: a\0bc\ndata: Hello\n\n", &["message#=Hello"]),
        ("an id that stays", "id: abc\ndata: 1\n\ndata: 2\n\n", &["message#abc=1", "message#abc=2"]),
        ("an id that is reset", "id: abc\ndata: 1\n\nid: \ndata: 2\n\n", &["message#abc=1", "message#=2"]),
        ("the other order", "data: Hello\nid: abc\nevent: greeting\n\n", &["greeting#abc=Hello"]),
        ("an unknown field", "event: greeting\ncolor: blue\ndata: Hello\n\n", &["greeting#=Hello"]),
        ("no space", "event:greeting\ndata:Hello\n\n", &["greeting#=Hello"]),
        ("one space more", "event:  greeting\ndata:  Hello\n\n", &[" greeting#= Hello"]),
        ("no colon", "data\n\ndata\ndata\n\n", &["message#=", "message#=\n"]),
        ("letters of several bytes", "data: €豆腐\n\n", &["message#=€豆腐"]),
    ] {
        check(case, stream, expected);
    }
    let many: String = (0..100).map(|number| format!("data: no {number}\n\n")).collect();
    let expected: Vec<String> = (0..100).map(|number| format!("message#=no {number}")).collect();
    check("a hundred at once", &many, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn byte_order_mark() {
    for (case, stream, expected) in [
        ("at the beginning", "\u{FEFF}data: Hello\n\n", &["message#=Hello"][..]),
        ("with a type and an id", "\u{FEFF}event: greeting\nid: abc\ndata: Hello\n\n", &["greeting#abc=Hello"]),
        ("with two events", "\u{FEFF}data: 1\n\ndata: 2\n\n", &["message#=1", "message#=2"]),
        ("later", "data: 1\n\ndata: \u{FEFF}2\n\n", &["message#=1", "message#=\u{FEFF}2"]),
        ("twice", "\u{FEFF}data: \u{FEFF}Hello\n\n", &["message#=\u{FEFF}Hello"]),
        ("with two lines", "\u{FEFF}data: 1\ndata: 2\n\n", &["message#=1\n2"]),
        ("before a comment", "\u{FEFF}:comment\ndata: Hello\n\n", &["sign", "message#=Hello"]),
        ("before empty data", "\u{FEFF}data:\n\n", &["message#="]),
    ] {
        check(case, stream, expected);
    }
    assert_eq!(heard(&[b"\xEF\xBB", b"\xBFdata: Hello\n\n"]), ["message#=Hello"]);
}

#[test]
fn comments() {
    for (case, stream, expected) in [
        ("one", ":Hello\n", &["sign"][..]),
        ("two", ":Hello\n:World\n", &["sign", "sign"]),
        ("before an event", ":Hello\ndata: Hello\n\n", &["sign", "message#=Hello"]),
        ("after an event", "data: Hello\n\n:Hello\n", &["message#=Hello", "sign"]),
    ] {
        check(case, stream, expected);
    }
}

#[test]
fn line_ends() {
    for end in ["\n", "\r\n", "\r"] {
        for (case, stream, expected) in [
            ("one line", "data: 1||", &["message#=1"][..]),
            ("one line, two lines", "data: 1||data: 2.1|data: 2.2||", &["message#=1", "message#=2.1\n2.2"]),
            ("an empty first line", "data:|data: 2|data: 3||", &["message#=\n2\n3"]),
            ("an empty line within", "data: 1|data:|data: 3||", &["message#=1\n\n3"]),
            ("an empty line more", "data: 1|||data: 2||", &["message#=1", "message#=2"]),
            ("two empty lines more", "data: 1||||data: 2||", &["message#=1", "message#=2"]),
        ] {
            check(case, &stream.replace('|', end), expected);
        }
    }
    let cut: [&[u8]; 6] = [b"data: Hello\r", b"\ndata: World\r", b"\n\r\ndata: OK\r", b"\n", b"\r", b"\n"];
    assert_eq!(heard(&cut), ["message#=Hello\nWorld", "message#=OK"]);
}

/// Whatever the size, an event is there with the byte that ends it, and not later.
#[test]
fn sizes() {
    for size in [
        1, 128, 512, 1023, 1024, 1025, 2048, 3999, 4094, 4096, 4098, 6144, 8189, 8192, 8195, 12288, 16384, 32768,
        65536, 262_144, 1_048_576,
    ] {
        let stream = format!("data: {}\n\n", "x".repeat(size));
        let (before, last) = stream.as_bytes().split_at(stream.len() - 1);
        for cut in [1024, 4096, 8192, stream.len()] {
            let mut parser = Parser::default();
            let mut sizes = Vec::new();
            for chunk in before.chunks(cut) {
                parser.push(chunk, &mut |item| unreachable!("{item:?}"));
            }
            parser.push(last, &mut |item| {
                let Item::Event { data, .. } = item else { unreachable!("{item:?}") };
                sizes.push(data.len());
            });
            assert_eq!(sizes, [size], "cut into {cut}");
        }
    }
}

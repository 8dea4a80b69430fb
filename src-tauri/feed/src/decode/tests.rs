//! What each codec makes of bytes: the vectors of the specifications, and what the bounds refuse.

mod kinds;

use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use serde_json::{Value, json};

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

fn read(codecs: &[Codec], bytes: &[u8]) -> Result<String, String> {
    payload(codecs, bytes).map(|payload| payload.text().to_string())
}

#[track_caller]
fn all(codec: Codec, cases: &[(&str, &str)]) {
    for (hex, expected) in cases {
        assert_eq!(read(&[codec], &bytes(hex)).as_deref(), Ok(*expected), "{hex}");
    }
}

#[track_caller]
fn none(codec: Codec, cases: &[(&str, &str)]) {
    for (hex, part) in cases {
        let error = read(&[codec], &bytes(hex)).expect_err(hex);
        assert!(error.contains(part), "{hex}: {error}");
    }
}

/// H3: every format of MessagePack, by its specification.
#[test]
fn message_pack() {
    all(
        Codec::MessagePack,
        &[
            ("C0", "null"),
            ("C3", "true"),
            ("C2", "false"),
            ("7F", "127"),
            ("E0", "-32"),
            ("CC FF", "255"),
            ("CD 0100", "256"),
            ("CE FFFFFFFF", "4294967295"),
            ("CF FFFFFFFFFFFFFFFF", "18446744073709551615"),
            ("CF 0020000000000001", "9007199254740993"),
            ("D0 80", "-128"),
            ("D1 8000", "-32768"),
            ("D2 80000000", "-2147483648"),
            ("D3 8000000000000000", "-9223372036854775808"),
            ("D3 0000000000000007", "7"),
            ("CA 3F800000", "1.0"),
            ("CB 3FB999999999999A", "0.1"),
            ("CB 8000000000000000", "-0.0"),
            ("CB 7FF8000000000000", r#""NaN""#),
            ("CA 7F800000", r#""Infinity""#),
            ("CB FFF0000000000000", r#""-Infinity""#),
            ("A0", r#""""#),
            ("A3 61220A", r#""a\"\n""#),
            ("D9 01 61", r#""a""#),
            ("DA 0001 61", r#""a""#),
            ("DB 00000001 61", r#""a""#),
            // From before there were bytes.
            ("A2 FFFE", r#""//4=""#),
            ("C4 02 FFFE", r#""//4=""#),
            ("C5 0001 00", r#""AA==""#),
            ("C6 00000000", r#""""#),
            ("90", "[]"),
            ("92 01 91 C0", "[1,[null]]"),
            ("DC 0001 01", "[1]"),
            ("DD 00000001 01", "[1]"),
            ("80", "{}"),
            ("82 A1 61 01 A1 62 80", r#"{"a":1,"b":{}}"#),
            ("DE 0001 A1 61 01", r#"{"a":1}"#),
            ("DF 00000001 A1 61 01", r#"{"a":1}"#),
            // Names that are no texts.
            ("85 01 00 FF 00 C3 00 CA 3F000000 00 C4 01 00 00", r#"{"1":0,"-1":0,"true":0,"0.5":0,"AA==":0}"#),
            ("D6 FF 00000000", r#""1970-01-01T00:00:00Z""#),
            ("D7 FF EE6B27FC69A0A4E0", r#""2026-02-26T19:54:08.999999999Z""#),
            ("C7 0C FF 1DCD6500 FFFFFFFFFFFFFFFF", r#""1969-12-31T23:59:59.5Z""#),
            ("D4 05 FF", r#""/w==""#),
            ("D5 05 FFFE", r#""//4=""#),
            ("D8 05 00000000000000000000000000000000", r#""AAAAAAAAAAAAAAAAAAAAAA==""#),
            ("C8 0001 05 00", r#""AA==""#),
            ("C9 00000001 05 00", r#""AA==""#),
        ],
    );
    none(
        Codec::MessagePack,
        &[
            ("", "too early"),
            ("C1", "byte C1"),
            ("CD 01", "too early"),
            ("A3 61", "too early"),
            ("DB FFFFFFFF 61", "too early"),
            ("DD FFFFFFFF 01", "too early"),
            ("DF FFFFFFFF", "too early"),
            ("81 90 01", "name is a list"),
            ("81 80 01", "name is a list"),
            ("01 02", "1 bytes follow"),
            ("C7 03 FF 000000", "timestamp"),
            ("D7 FF FFFFFFFF00000000", "timestamp"),
            ("C7 0C FF 00000000 7FFFFFFFFFFFFFFF", "timestamp"),
        ],
    );
}

/// H3: the examples of RFC 8949, appendix A, and what isn't well-formed.
#[test]
fn cbor() {
    all(
        Codec::Cbor,
        &[
            ("00", "0"),
            ("1818", "24"),
            ("1A 000F4240", "1000000"),
            ("1B FFFFFFFFFFFFFFFF", "18446744073709551615"),
            ("C2 49 010000000000000000", "18446744073709551616"),
            ("3B FFFFFFFFFFFFFFFF", "-18446744073709551616"),
            ("C3 49 010000000000000000", "-18446744073709551617"),
            ("C2 40", "0"),
            ("20", "-1"),
            ("3863", "-100"),
            ("F9 0000", "0.0"),
            ("F9 8000", "-0.0"),
            ("F9 3C00", "1.0"),
            ("F9 3E00", "1.5"),
            ("F9 7BFF", "65504.0"),
            ("F9 0001", "5.960464477539063e-8"),
            ("F9 0400", "0.00006103515625"),
            ("F9 C400", "-4.0"),
            ("F9 7C00", r#""Infinity""#),
            ("F9 7E00", r#""NaN""#),
            ("F9 FC00", r#""-Infinity""#),
            ("FA 47C35000", "100000.0"),
            ("FB 3FF199999999999A", "1.1"),
            ("FB 7FF0000000000000", r#""Infinity""#),
            ("F4", "false"),
            ("F5", "true"),
            ("F6", "null"),
            ("F7", "null"),
            ("C0 74 323031332D30332D32315432303A30343A30305A", r#""2013-03-21T20:04:00Z""#),
            ("C1 1A 514B67B0", "1363896240"),
            ("C1 FB 41D452D9EC200000", "1363896240.5"),
            ("D7 44 01020304", r#""AQIDBA==""#),
            ("D818 45 6449455446", r#""ZElFVEY=""#),
            ("C4 82 21 19 6AB3", "27315e-2"),
            ("C4 82 02 C2 41 07", "7e2"),
            ("40", r#""""#),
            ("60", r#""""#),
            ("62 225C", r#""\"\\""#),
            ("64 F0908591", "\"\u{10151}\""),
            ("80", "[]"),
            ("83 01 82 02 03 82 04 05", "[1,[2,3],[4,5]]"),
            ("A0", "{}"),
            ("A2 01 02 03 04", r#"{"1":2,"3":4}"#),
            ("A2 6161 01 6162 82 02 03", r#"{"a":1,"b":[2,3]}"#),
            ("5F 42 0102 43 030405 FF", r#""AQIDBAU=""#),
            ("7F 65 7374726561 64 6D696E67 FF", r#""streaming""#),
            ("9F FF", "[]"),
            ("9F 01 82 02 03 9F 04 05 FF FF", "[1,[2,3],[4,5]]"),
            ("BF 61 61 01 61 62 9F 02 03 FF FF", r#"{"a":1,"b":[2,3]}"#),
        ],
    );
    none(
        Codec::Cbor,
        &[
            ("", "too early"),
            ("18", "too early"),
            ("62 61", "too early"),
            ("7B FFFFFFFFFFFFFFFF 61", "too early"),
            ("9B FFFFFFFFFFFFFFFF 01", "too early"),
            ("BB FFFFFFFFFFFFFFFF", "too early"),
            ("9F 01", "too early"),
            ("BF 6161 FF", "a byte FF"),
            ("FF", "a byte FF"),
            ("1C", "well-formed"),
            ("61 FF", "UTF-8"),
            ("7F 61 C3 61 A9", "too early"),
            ("5F 61 61 FF", "well-formed"),
            ("F0", "a byte F0"),
            ("F8 FF", "a byte F8"),
            ("A1 80 01", "name is a list"),
            ("A1 C0 6161 01", "name has a tag"),
            ("00 00", "bytes follow"),
            ("C2 51 01 00000000000000000000000000000000", "more than 127 bits"),
            ("C2 01", "well-formed"),
            ("C4 01", "well-formed"),
            ("C4 81 01", "decimal"),
            ("C4 82 6161 01", "decimal"),
            ("C4 82 19 FFFF 01", "out of range"),
        ],
    );
}

fn packed(codec: Codec, plain: &[u8]) -> Vec<u8> {
    let level = Compression::best();
    let done = match codec {
        Codec::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(plain).and_then(|()| encoder.finish())
        }
        Codec::Zlib => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(plain).and_then(|()| encoder.finish())
        }
        _ => {
            let mut encoder = DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(plain).and_then(|()| encoder.finish())
        }
    };
    done.expect("no failure in memory")
}

const PACKED: [Codec; 3] = [Codec::Gzip, Codec::Zlib, Codec::Deflate];

/// H3: what was packed comes out as it went in, and half of it isn't taken for the whole.
#[test]
fn packed_texts() {
    // Of any length around the room that it is given, and nothing at all.
    for length in [0, 1, 4095, 4096, 4097, 20_000] {
        let plain: Vec<u8> = (0..length).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for codec in PACKED {
            let packed = packed(codec, &plain);
            assert_eq!(unpack(&[codec], &packed).expect("whole"), plain, "{codec:?} {length}");
            for end in [0, 1, packed.len() / 2, packed.len() - 1] {
                let error = unpack(&[codec], &packed[..end]).expect_err("cut off");
                assert!(error.contains("not "), "{codec:?} {length} {end}: {error}");
            }
            let error = unpack(&[codec], &[&packed[..], b"x"].concat()).expect_err("more");
            assert!(error.contains("not "), "{codec:?}: {error}");
        }
    }
    let members = [packed(Codec::Gzip, b"[1,"), packed(Codec::Gzip, b"2]")].concat();
    assert_eq!(read(&[Codec::Gzip], &members).as_deref(), Ok("[1,2]"));
    let mut damaged = packed(Codec::Gzip, b"[1,2,3,4]");
    let last = damaged.len() - 8;
    damaged[last] ^= 1;
    assert!(read(&[Codec::Gzip], &damaged).is_err(), "its sum doesn't fit");
}

/// H5: a few bytes that say very many are inflated no further than the bounds.
#[test]
fn bombs() {
    for codec in PACKED {
        let bomb = packed(codec, &vec![b' '; 40 << 20]);
        let (error, most) = (unpack(&[codec], &bomb).expect_err("a bomb"), inflate::most(bomb.len()));
        assert!(error.starts_with(&format!("more than {most} bytes")), "{error}");
        let error = unpack(&[codec, codec], &packed(codec, &bomb)).expect_err("a bomb within one");
        assert!(error.starts_with("more than "), "{error}");
    }
    assert_eq!(inflate::most(1), 64 << 10);
    assert_eq!(inflate::most(1000), 200_000);
    assert_eq!(inflate::most(usize::MAX), 16 << 20);
    // As dense as a text gets that somebody means.
    let row = |at: u32| format!(r#"{{"station":"EWR","temperature":{}.{}}}"#, at % 41, at % 7);
    let rows = format!("[{}]", (0..10_000).map(row).collect::<Vec<_>>().join(","));
    assert!(read(&[Codec::Gzip], &packed(Codec::Gzip, rows.as_bytes())).is_ok());
}

/// H5: depth, length and number of values are bounded, whatever is announced.
#[test]
fn bounds() {
    for (codec, list, map, item) in [
        (Codec::MessagePack, &[0x91][..], &[0x81, 0xA1, b'a'][..], 0xC0),
        (Codec::Cbor, &[0x81], &[0xA1, 0x61, b'a'], 0xF6),
        (Codec::Cbor, &[0x9F], &[0xC6], 0xF6),
    ] {
        for nest in [list, map] {
            let nested = |depth: usize| [nest.repeat(depth), vec![item]].concat();
            let error = read(&[codec], &nested(101)).expect_err("deep");
            assert!(error.contains("nested more than 100 deep"), "{error}");
            let error = read(&[codec], &nested(1 << 20)).expect_err("deeper than any stack");
            assert!(error.contains("nested more than 100 deep"), "{error}");
            if nest[0] != 0x9F {
                assert!(read(&[codec], &nested(100)).is_ok());
            }
        }
    }
    // Each byte of it is a value of four letters.
    let many = [&[0xDD, 0, 0x10, 0, 0][..], &vec![0xC0; 1 << 20]].concat();
    let error = read(&[Codec::MessagePack], &many).expect_err("many");
    assert_eq!(error, "more than 1048576 bytes of JSON");
    let long = |prefix: &[u8], byte: u8, len: usize| [prefix, &vec![byte; len]].concat();
    // A letter that takes six in JSON, and one that takes one; text and bytes.
    assert!(read(&[Codec::MessagePack], &long(&[0xDB, 0, 0x10, 0, 0], 1, 1 << 20)).is_err());
    assert!(read(&[Codec::MessagePack], &long(&[0xDB, 0, 0x10, 0, 0], b'a', 1 << 20)).is_err());
    assert!(read(&[Codec::MessagePack], &long(&[0xC6, 0, 0x0F, 0, 0], 1, 0xF_0000)).is_err());
    assert!(read(&[Codec::MessagePack], &long(&[0xDB, 0, 0x0F, 0, 0], b'a', 0xF_0000)).is_ok());
    assert!(read(&[Codec::Cbor], &long(&[0x5A, 0, 0x0F, 0, 0], 1, 0xF_0000)).is_err());
}

#[test]
fn base64_of_all_kinds() {
    for text in ["+/8=", "+/8", "-_8=", "-_8", "+/\r\n8=\n", " + / 8 "] {
        assert_eq!(unpack(&[Codec::Base64], text.as_bytes()).as_deref(), Ok(&[0xFB, 0xFF][..]), "{text}");
    }
    assert_eq!(unpack(&[Codec::Base64], b"").as_deref(), Ok(&[][..]));
    for text in ["+_8=", "A", "A===", "+/9=", "é", "+/8=+/8="] {
        let error = unpack(&[Codec::Base64], text.as_bytes()).expect_err(text);
        assert!(error.starts_with("not base64"), "{error}");
    }
}

/// Steps are taken in the board's order; JSON is what comes last if nothing is said of it.
#[test]
fn steps() {
    use base64::prelude::BASE64_STANDARD;
    let value = json!({"a": [1, -2.5, "é", null, true]});
    let pack = rmp_serde::to_vec(&value).expect("MessagePack");
    let text = BASE64_STANDARD.encode(packed(Codec::Gzip, &pack));
    let codecs = [Codec::Base64, Codec::Gzip, Codec::MessagePack];
    assert_eq!(read(&codecs, text.as_bytes()).expect("all three"), value.to_string());
    let json = BASE64_STANDARD.encode(packed(Codec::Zlib, value.to_string().as_bytes()));
    for codecs in [&[Codec::Base64, Codec::Zlib][..], &[Codec::Base64, Codec::Zlib, Codec::Json]] {
        assert_eq!(read(codecs, json.as_bytes()).expect("JSON"), value.to_string());
    }
    assert_eq!(read(&[Codec::Text], b"{\"a\"\n").as_deref(), Ok(r#""{\"a\"\n""#));
    assert_eq!(read(&[Codec::Base64, Codec::Text], b"MS4w").as_deref(), Ok(r#""1.0""#));
    assert_eq!(read(&[Codec::Text], b"a\xFF"), Err("not UTF-8: invalid byte at 1".to_owned()));
    assert!(read(&[Codec::Json], b"{").is_err());
}

/// What is sent is written as what comes is, and a secret stays one.
#[test]
fn what_is_sent() {
    let text = |text: &str| Message::text(text.to_owned());
    let said = json!({"z": "auth", "a": [1, -1, -300, 2.5, null, true, 5e9, u64::MAX, i64::MIN, ""], "o": {"é": {}}});
    for (codec, is_read) in [(Codec::MessagePack, true), (Codec::Cbor, true), (Codec::Text, false)] {
        let message = encoded(&[codec], text(&said.to_string()).secret());
        assert!(message.is_secret);
        assert_eq!(message.as_text().is_none(), is_read, "{codec:?}");
        if is_read {
            let read = payload(&[codec], &message.into_bytes()).expect("what was written");
            assert_eq!(read.value().to_value(), said);
        }
    }
    assert_eq!(encoded(&[Codec::Gzip, Codec::MessagePack], text("{}")).as_text(), Some("{}"));
    assert_eq!(encoded(&[Codec::MessagePack], text("PING")).as_text(), Some("PING"));
    assert!(!encoded(&[Codec::Cbor], text("{}")).is_secret);
}

/// H3: of several fields with one name the last counts, as in JSON, and a name that is a number is the same name as its text.
#[test]
fn the_last_of_a_name() {
    for (codec, hex) in [(Codec::MessagePack, "83 A1 61 01 A1 61 02 01 03"), (Codec::Cbor, "A3 6161 01 6161 02 01 03")]
    {
        let payload = payload(&[codec], &bytes(hex)).expect("an object");
        let value = |name: &str| payload.value().get(name).map(watchfloor_model::Json::to_value);
        assert_eq!((value("a"), value("1")), (Some(Value::from(2)), Some(Value::from(3))));
    }
}

//! Every codec, on bytes and on what an encoder makes of values.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use watchfloor_fuzz::{Draws, check, mutated, tree};
use watchfloor_model::limits::DATA_BYTES_MAX;

use crate::{
    decode::{Codec, encoded, json, payload, unpack},
    limits::DECODED_BYTES_MAX,
    port::Message,
};

const NAMES: [&str; 4] = ["a", "é", "", "a \"long\" name of more than thirty-one bytes"];
const WORDS: [&str; 3] = ["on", "", "\u{1F6EB}\n"];

type Encode = fn(&Value) -> Vec<u8>;

fn message_pack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec(value).expect("a value")
}

/// Their encoder for values of serde writes null as an empty list.
fn cbor(value: &Value) -> Vec<u8> {
    encoded(&[Codec::Cbor], Message::text(value.to_string())).into_bytes()
}

/// H3: what an encoder wrote is read as the value that it had; H5: whatever else comes is refused or stays within bounds.
fn value_codec(codec: Codec, encode: Encode, draws: &mut Draws<'_>) {
    let value = tree(draws, &NAMES, &WORDS, 6);
    let written = encode(&value);
    let read = payload(&[codec], &written).expect("what was encoded");
    // By way of a text, as JSON would have come.
    let expected: Value = serde_json::from_str(&value.to_string()).expect("JSON");
    assert_eq!(read.value().to_value(), expected);
    let sent = encoded(&[codec], Message::text(value.to_string()));
    assert_eq!(payload(&[codec], &sent.into_bytes()).expect("what is sent").value().to_value(), expected);
    let damaged = mutated(&[written, encode(&Value::from(vec![value; 2]))], draws);
    bounded(codec, &damaged);
}

fn bounded(codec: Codec, bytes: &[u8]) {
    match json(&[codec], bytes, DATA_BYTES_MAX) {
        Ok(text) => {
            assert!(text.len() <= DATA_BYTES_MAX);
            // Nothing but a number that JSON doesn't take can still be wrong with it.
            if let Err(error) = payload(&[codec], bytes) {
                assert!(error.contains("out of range"), "{error}");
            }
        }
        Err(reason) => assert!(!reason.is_empty() && reason.len() < 200, "{reason}"),
    }
}

#[test]
fn msgpack() {
    check!(|bytes: &[u8]| value_codec(Codec::MessagePack, message_pack, &mut Draws::new(bytes)));
}

#[test]
fn cbor_items() {
    check!(|bytes: &[u8]| value_codec(Codec::Cbor, cbor, &mut Draws::new(bytes)));
}

/// H5: no bytes inflate beyond the bounds, and what was packed comes out as it went in.
#[test]
fn inflate() {
    check!(|bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let plain = mutated(&["", "{\"a\":1}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], &mut draws);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(&plain).and_then(|()| encoder.finish()).expect("memory");
        if let Ok(out) = unpack(&[Codec::Gzip], &packed) {
            assert_eq!(out, plain);
        } else {
            assert!(plain.len() > 64 << 10, "{} bytes", plain.len());
        }
        let damaged = mutated(&[&packed[..], &packed[10..]], &mut draws);
        for codec in [Codec::Gzip, Codec::Zlib, Codec::Deflate] {
            match unpack(&[codec], &damaged) {
                Ok(out) => assert!(out.len() <= DECODED_BYTES_MAX.min((damaged.len() * 200).max(64 << 10))),
                Err(reason) => assert!(!reason.is_empty()),
            }
        }
    });
}

/// Any text is base64 or refused, and a text is itself or refused.
#[test]
fn texts() {
    check!(|bytes: &[u8]| {
        let text = mutated(&["AAEC/+8=", "-_-_", "QUJD\r\nREVG\r\n"], &mut Draws::new(bytes));
        if let Ok(out) = unpack(&[Codec::Base64], &text) {
            assert!(out.len() <= text.len());
        }
        let taken = payload(&[Codec::Text], &text);
        match std::str::from_utf8(&text) {
            Ok(text) => assert_eq!(taken.expect("a text").value().to_value(), Value::from(text)),
            Err(_) => assert!(taken.is_err()),
        }
    });
}

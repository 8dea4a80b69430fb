//! A bare WebSocket: a message an event, which says its channel and its number, in JSON or in a binary format.

use std::hint::black_box;

use serde_json::Value;
use watchfloor_feed::{Codec, Kind};

use crate::{
    flights::{self, CHANNEL},
    rig::{Coded, Rig, Said, Talk, envelope},
};

pub(crate) fn talk() -> Talk {
    let (rig, json) = (live(&[]), messages());
    Talk { rig, said: json.iter().map(Said::text).collect(), json }
}

pub(crate) fn message_pack() -> Coded {
    let encode = |value: &Value| rmp_serde::to_vec(value).expect("a value");
    coded(Codec::MessagePack, encode, |bytes| {
        drop(black_box(rmp_serde::from_slice::<Value>(bytes).expect("bytes made here")));
    })
}

pub(crate) fn cbor() -> Coded {
    let encode = |value: &Value| cbor4ii::serde::to_vec(Vec::new(), value).expect("a value");
    coded(Codec::Cbor, encode, |bytes| {
        drop(black_box(cbor4ii::serde::from_slice::<Value>(bytes).expect("bytes made here")));
    })
}

fn coded(codec: Codec, encode: fn(&Value) -> Vec<u8>, parse: fn(&[u8])) -> Coded {
    let value = |text: &String| serde_json::from_str::<Value>(text).expect("a text made here");
    let bytes: Vec<Vec<u8>> = messages().iter().map(|text| encode(&value(text))).collect();
    let said = bytes.iter().map(|bytes| Said::Binary(bytes.clone().into())).collect();
    Coded { rig: live(&[codec]), said, bytes, parse }
}

fn live(decode: &[Codec]) -> Rig {
    let rig = Rig::new(Kind::WebSocket, "wss://push.example", |config| {
        config.envelope = envelope(Some("name"), Some("time"));
        config.envelope.decode = decode.to_vec();
        config.speak.subscribe = Some(r#"{"subscribe":"{channel}"}"#.into());
        config.speak.channel = Some("channel".parse().expect("a path"));
        config.speak.sequence = Some("sequence".parse().expect("a path"));
    });
    let mut rig = rig.opened(&[]);
    rig.pong();
    rig
}

fn messages() -> Vec<String> {
    let message = |number: u64| flights::whole(number, &format!(r#""channel":"{CHANNEL}","sequence":{},"#, number + 1));
    (0..flights::COUNT).map(message).collect()
}

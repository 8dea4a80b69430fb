//! Bytes of any kind, cut anywhere.

use watchfloor_model::limits::DATA_BYTES_MAX;

use super::{super::frames::PACKET_BYTES_MAX, hostile::PACKETS, *};
use crate::{
    protocols::{Moment, Signal, dialect},
    random::Random,
};

const MOMENT: Moment = Moment { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };

/// What a link makes of `bytes`: everything it says, and everything it answers.
fn made_of(bytes: &[u8], mut cut: impl FnMut() -> usize) -> (Vec<String>, Vec<u8>) {
    let config = config();
    let channels = config.channels.as_slice().into();
    let mut session = dialect(&config).session(&config, Transport::Tcp, &channels, 7);
    let (mut said, mut sent) = (Vec::new(), Vec::new());
    session.subscribe(&[], false);
    assert!(session.ping().is_none(), "not before it is connected");
    let mut rest = bytes;
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(cut().clamp(1, rest.len()));
        let mut signals = Vec::new();
        session.decode_chunk(chunk, MOMENT, &mut signals);
        for signal in signals {
            match signal {
                Signal::Reply { message } => sent.extend(message.into_bytes()),
                other => said.push(format!("{other:?}")),
            }
        }
        rest = later;
    }
    (said, sent)
}

fn below(random: &mut Random, most: u64) -> usize {
    usize::try_from(random.up_to(Duration::from_micros(most)).as_micros()).expect("small")
}

/// H5, H8: whatever comes, nothing panics, nothing is read that isn't there, and where the bytes were cut makes no difference.
#[test]
fn any_bytes_in_any_cuts() {
    let sound: Vec<Vec<u8>> =
        PACKETS.iter().chain(&["9003000187", "4002000100"]).map(|packet| from_hex(packet)).collect();
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let mut bytes = Vec::new();
        if below(&mut random, 3) > 0 {
            bytes.extend(from_hex(CONNACK));
            bytes.extend(from_hex(SUBACK));
        }
        for _ in 0..below(&mut random, 8) {
            bytes.extend(&sound[below(&mut random, sound.len() as u64 - 1)]);
        }
        for _ in 0..below(&mut random, 3) {
            let at = below(&mut random, bytes.len() as u64);
            let byte = below(&mut random, 255) as u8;
            match bytes.get_mut(at) {
                Some(there) => *there = byte,
                None => bytes.push(byte),
            }
        }
        let whole = made_of(&bytes, || usize::MAX);
        assert_eq!(whole, made_of(&bytes, || 1), "seed {seed}");
        assert_eq!(whole, made_of(&bytes, || 1 + below(&mut random, 9)), "seed {seed}");
        assert!(whole.0.len() <= 8 + bytes.len(), "seed {seed}");
    }
}

/// What isn't MQTT is given up at once.
#[test]
fn another_protocol() {
    for bytes in ["485454502f312e3120343030", "2d4552520d0a", "20ffffffff7f", "d000", "300c0007706c616e742f62006f6e"] {
        let mut rig = Rig::opened(|_| {});
        rig.says(&[bytes]);
        assert_eq!(rig.phase(), Phase::Waiting, "{bytes}");
        assert!(format!("{:?}", rig.feed.status().cause).contains("does not speak MQTT"), "{:?}", rig.feed.status());
    }
    for bytes in [CONNACK, "3407", "300200000000", "320400016100", "3004000161ff", "62020001", "9003000100", "f000"] {
        let mut rig = Rig::opened(|_| {});
        rig.says(&[CONNACK, bytes, &"00".repeat(9)]);
        assert_eq!(rig.phase(), Phase::Waiting, "{bytes}");
    }
}

/// H3, H5: a message over the limit is passed by, whatever its size, and told as a gap; what follows it is read.
#[test]
fn a_message_that_is_too_big() {
    for size in [DATA_BYTES_MAX, DATA_BYTES_MAX + 1, PACKET_BYTES_MAX + 1, 5 << 20] {
        let mut rig = Rig::live();
        let text = format!("\"{}\"", "x".repeat(size - 2));
        let big = publication(0x32, "plant/a", Some(9), text.as_bytes());
        let next = publication(0x32, "plant/a", Some(10), b"2");
        rig.says(&[&big, &next]);
        let rejected = rig.feed.status().counts.rejected;
        if size == DATA_BYTES_MAX {
            assert_eq!(rejected, 0, "{size}");
            continue;
        }
        assert_eq!(rig.out.pop().as_deref(), Some("plant/a 2 2"), "{size}");
        assert_eq!(rig.out.pop().as_deref(), Some("400200094002000a"), "{size}");
        let gap = rig.out.pop().expect("a gap");
        assert!(gap.starts_with("gap unknown: events lost: `plant/a`: ") && rig.out.is_empty(), "{gap}");
        assert_eq!((rejected, rig.phase()), (1, Phase::Live), "{size}");
    }
}

/// H5: messages that can't be read cost a gap now and one with the next proof, not one each. H3: the next one that can be read
/// stands after the gap of those before it.
#[test]
fn many_messages_that_cannot_be_read() {
    let mut rig = Rig::opened(|config| {
        config.envelope = Envelope { data: Some("d".parse().expect("a path")), ..Envelope::default() };
    });
    rig.says(&[CONNACK, SUBACK, PONG, PONG]);
    rig.out.clear();
    for _ in 0..5 {
        rig.says(&[ON]);
    }
    rig.says(&[&publication(0x30, "plant/b", None, br#"{"d":3}"#)]);
    rig.expect(&[
        "gap unknown: events lost: `plant/b`: `d` is missing; the server offers no snapshot",
        "gap unknown: events lost: 4 more messages can't be read; the server offers no snapshot",
        "plant/b 3 3",
    ]);
    for _ in 0..3 {
        rig.says(&[ON]);
    }
    assert_eq!(rig.feed.status().counts.rejected, 8);
    rig.pass(Duration::from_secs(2));
    rig.says(&[PONG]);
    rig.expect(&["c000", "gap unknown: events lost: 3 more messages can't be read; the server offers no snapshot"]);
    assert_eq!(rig.phase(), Phase::Live);
    rig.says(&[ON]);
    assert_eq!(rig.out.len(), 1, "the next one is told again");
}

/// H5: what comes before the answer to the subscription is kept in bounds.
#[test]
fn too_much_too_early() {
    let mut rig = Rig::opened(|_| {});
    rig.says(&[CONNACK]);
    rig.says(&vec![ON; 1000]);
    assert_eq!(rig.phase(), Phase::Subscribing);
    rig.says(&[ON]);
    assert_eq!(rig.phase(), Phase::Waiting);
}

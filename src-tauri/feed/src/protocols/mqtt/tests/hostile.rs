//! A broker that says whatever it likes, and nodes of Sparkplug that do.

use watchfloor_fuzz::{Draws, check, mutated};

use super::{
    super::sparkplug::tests::{DBIRTH, NBIRTH, NDATA, NDATA_LATER, NDEATH},
    *,
};
use crate::{
    Sparkplug,
    fuzz::talk::{Link, Said, Server, sound, talk},
    port::Request,
};

/// Packets as they came from brokers.
pub(super) const PACKETS: [&str; 14] = [
    CONNACK,
    CONNACK_KEPT,
    SUBACK,
    RETAINED,
    TICK,
    ON,
    PONG,
    "20020001",
    "2003008700",
    "e0018e",
    "e000",
    "2010009c0d1f000466756c6c1c0003623a31",
    "90050001000187",
    "f000",
];
/// What nodes said, and where.
const NODES: [(&str, &str); 7] = [
    ("NBIRTH/Line 3", NBIRTH),
    ("DBIRTH/Line 3/Pump", DBIRTH),
    ("NDATA/Line 3", NDATA),
    ("NDATA/Line 3", NDATA_LATER),
    ("NDEATH/Line 3", NDEATH),
    ("DDATA/Line 3/Pump", NDATA),
    ("DDEATH/Line 3/Pump", NDEATH),
];

/// Where in a short CONNECT its version stands, and which the old one is.
const VERSION: (usize, u8) = (8, 4);

/// A broker that keeps no session, and speaks whichever version it is asked for.
struct Broker {
    words: Vec<Vec<u8>>,
    is_old: bool,
    id: u16,
}

impl Broker {
    fn new() -> Self {
        Self { words: PACKETS.map(from_hex).to_vec(), is_old: false, id: 0 }
    }

    fn publication(&self, first: u8, topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
        let properties: &[u8] = if self.is_old { &[] } else { &[0] };
        published(first, topic, id, &[properties, payload].concat())
    }
}

/// A packet of a source, and what follows it. None of them is long.
fn first_packet(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = usize::from(*bytes.get(at)?);
        length |= (byte & 0x7F) << (7 * (at - 1));
        at += 1;
        if byte < 0x80 {
            return bytes.split_at_checked(at + length);
        }
    }
}

impl Server for Broker {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// Any packet; or one that is sound, of a node or of anybody, with any payload.
    fn breaks(&mut self, draws: &mut Draws<'_>) -> Said {
        let first = [0x30, 0x31, 0x3A][draws.below(3)];
        let id = (first == 0x3A).then_some(7);
        Said::Plain(match draws.below(4) {
            0 => mutated(&self.words, draws),
            1 => self.publication(first, "plant/a", id, &mutated(&["{\"kind\":\"tick\",\"n\":1}", "on"], draws)),
            _ => {
                let (topic, _) = *draws.pick(&NODES);
                let payload = mutated(&NODES.map(|(_, payload)| from_hex(payload)), draws);
                self.publication(first, &format!("spBv1.0/Plant/{topic}"), id, &payload)
            }
        })
    }

    fn opened(&mut self, _request: &Request) -> Vec<Said> {
        self.id = 0;
        Vec::new()
    }

    fn heard(&mut self, mut message: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        while let Some((packet, rest)) = first_packet(message) {
            message = rest;
            said.extend(match packet[0] {
                0x10 => {
                    self.is_old = packet.get(VERSION.0) == Some(&VERSION.1);
                    Some(from_hex(if self.is_old { "20020000" } else { CONNACK }))
                }
                // Both filters are granted.
                0x82 if self.is_old => Some([&[0x90, 4][..], &packet[2..4], &[1, 1]].concat()),
                0x82 => Some([&[0x90, 5][..], &packet[2..4], &[0, 1, 1]].concat()),
                0xC0 => Some(from_hex(PONG)),
                _ => None,
            });
        }
        said.into_iter().map(Said::Plain).collect()
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        self.id = self.id % 1000 + 1;
        let id = (!number.is_multiple_of(3)).then_some(self.id);
        let payload = format!("{{\"kind\":\"tick\",\"n\":{number}}}");
        let first = if id.is_some() { 0x32 } else { 0x30 };
        let plain = self.publication(first, "plant/a", id, payload.as_bytes());
        let (topic, payload) = NODES[usize::try_from(number % 5).expect("small")];
        let of_node = self.publication(0x30, &format!("spBv1.0/Plant/{topic}"), None, &from_hex(payload));
        vec![Said::Plain(of_node), Said::Plain(plain)]
    }

    fn proves(&self, link: &Link) -> bool {
        // CONNACK, SUBACK and PINGRESP.
        [0x20, 0x90, 0xD0].iter().all(|first| link.heard.contains(first))
    }
}

fn source() -> SourceConfig {
    let mut config = config();
    config.channels = vec!["spBv1.0/#".into(), "plant/#".into()];
    config.envelope = Envelope::default();
    config.promises.sparkplug = Some(Sparkplug::Rebirth);
    config.token = Some(Secret::new(""));
    config
}

/// H1, H3, H5, H8: whatever they say, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| talk(source(), Broker::new(), &mut Draws::new(bytes)));
}

/// They are followed as long as they say nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    sound(source(), Broker::new());
}

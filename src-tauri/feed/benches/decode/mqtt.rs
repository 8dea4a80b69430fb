//! MQTT 5: publications of many topics, each to be acknowledged; as many at once as may be under way.

use watchfloor_feed::Kind;

use crate::{
    flights,
    rig::{Rig, Said, Talk, envelope},
};

/// As many as the feed lets a broker have under way.
const WINDOW: u64 = 10;
const TOPICS: u64 = 2000;
const CONNACK: [u8; 11] = [0x20, 9, 0, 0, 6, 0x22, 0, 10, 0x21, 0, 20];
const SUBACK: [u8; 6] = [0x90, 4, 0, 1, 0, 1];
const PONG: [u8; 2] = [0xD0, 0];

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::Mqtt, "mqtt://broker.example", |config| {
        config.channels = vec!["flights/#".into()];
        config.envelope = envelope(Some("name"), Some("time"));
    });
    let rig = rig.opened(&[&CONNACK[..], &SUBACK, &PONG].map(Said::chunk));
    let json: Vec<String> = (0..flights::COUNT).map(|number| flights::whole(number, "")).collect();
    let publish = |(number, body): (u64, &String)| publish(number, body);
    let packets: Vec<Vec<u8>> = (0..).zip(&json).map(publish).collect();
    let said = packets.chunks(WINDOW as usize).map(|packets| Said::chunk(packets.concat())).collect();
    Talk { rig, said, json }
}

fn publish(number: u64, body: &str) -> Vec<u8> {
    let topic = format!("flights/EWR/{}", number % TOPICS);
    let id = (number % WINDOW + 1) as u16;
    let mut rest = (topic.len() as u16).to_be_bytes().to_vec();
    rest.extend(topic.as_bytes());
    rest.extend(id.to_be_bytes());
    rest.push(0);
    rest.extend(body.as_bytes());
    let mut packet = vec![0x32, 0x80 | (rest.len() & 0x7F) as u8, (rest.len() >> 7) as u8];
    packet.extend(rest);
    packet
}

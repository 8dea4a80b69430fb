//! Packets, and what a feed makes of them. What a broker says is what Mosquitto 2.0 said, byte for byte, unless a test says
//! otherwise.

mod bytes;
mod codes;
mod flow;
mod hostile;
mod retained;
mod sparkplug;
mod token;

use std::time::Duration;

use watchfloor_model::{Delivery, Mono, Phase, Timestamp, Transport};

use crate::{
    Envelope, Feed, Input, Kind, LinkId, Output, Secret, SourceConfig,
    port::{Body, Credential, Expiry},
};

/// CONNACK of version 5, without and with a session: topic aliases up to 10, receive maximum 20.
const CONNACK: &str = "200900000622000a210014";
const CONNACK_KEPT: &str = "200901000622000a210014";
/// SUBACK of the first subscription.
const SUBACK: &str = "900400010001";
/// `plant/old`, retained, number 1: `{"n":0}`.
const RETAINED: &str = "33150009706c616e742f6f6c640001007b226e223a307d";
/// `plant/a`, number 2: `{"kind":"tick","n":1}`.
const TICK: &str = "32210007706c616e742f610002007b226b696e64223a227469636b222c226e223a317d";
/// `plant/b`, quality of service 0: `on`.
const ON: &str = "300c0007706c616e742f62006f6e";
const PONG: &str = "d000";

const SUBSCRIBE: &str = "820d0001000007706c616e742f2301";

/// A feed of `plant/#` and what comes out of it, as lines.
struct Rig {
    feed: Feed,
    now: Mono,
    link: u64,
    token: Option<crate::FetchId>,
    /// What the site was asked.
    asked: Option<crate::FetchId>,
    out: Vec<String>,
}

fn config() -> SourceConfig {
    SourceConfig {
        ladder: vec![Transport::Tcp],
        envelope: Envelope { name: Some("kind".parse().expect("a path")), ..Envelope::default() },
        ..SourceConfig::plain(
            "ops",
            Kind::Mqtt,
            "mqtt://broker.example".parse().expect("an address"),
            vec!["plant/#".into()],
            Duration::from_secs(5),
        )
    }
}

impl Rig {
    fn new(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        Self { feed, now: Mono::from_millis(1000), link: 0, token: None, asked: None, out: Vec::new() }
    }

    /// A link that stands. Nothing was answered.
    fn opened(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut rig = Self::new(change);
        rig.feed.start(rig.now);
        rig.drain();
        rig.open();
        rig
    }

    fn live() -> Self {
        let mut rig = Self::opened(|_| {});
        rig.says(&[CONNACK, SUBACK, PONG, PONG]);
        assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
    }

    fn open(&mut self) {
        self.feed.handle_input(Input::Opened { link: LinkId(self.link) }, self.now);
        self.drain();
        // The first ping is due at once.
        self.pass(Duration::ZERO);
    }

    /// What these say in hexadecimal, as one chunk.
    fn says(&mut self, packets: &[&str]) {
        let bytes = packets.iter().flat_map(|packet| from_hex(packet)).collect::<Vec<u8>>().into();
        self.feed.handle_input(Input::Chunk { link: LinkId(self.link), bytes }, self.now);
        self.drain();
    }

    fn closes(&mut self) {
        let link = LinkId(self.link);
        self.feed.handle_input(Input::Closed { link, code: None, reason: String::new() }, self.now);
        self.drain();
    }

    /// The link is lost and another one stands.
    fn reconnect(&mut self) {
        self.closes();
        self.pass(Duration::from_secs(3));
        self.out.retain(|line| !line.starts_with("open"));
        self.open();
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some((due, _)) = self.feed.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn phase(&self) -> Phase {
        self.feed.status().phase
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            self.out.push(match output {
                Output::Open { link, request, transport } => {
                    assert_eq!(transport, Transport::Tcp);
                    self.link = link.0;
                    format!("open {}", request.url)
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    let Body::Binary(bytes) = &message.body else { unreachable!("MQTT is binary") };
                    format!("{secret}{}", to_hex(bytes))
                }
                Output::Credential { fetch, .. } => {
                    self.token = Some(fetch);
                    "token?".to_owned()
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map(|place| place.offset);
                        format!("{} {} {}", event.name, place.unwrap_or_default(), event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Status => continue,
                Output::Fetch { fetch, .. } => {
                    self.asked = Some(fetch);
                    "site?".to_owned()
                }
                Output::Deliver(Delivery::Restated(_)) => "restated".to_owned(),
                other => unreachable!("{other:?}"),
            });
        }
    }

    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// PUBLISH in version 5: `topic`, `payload`, and with a number if it is to be acknowledged.
fn publication(first: u8, topic: &str, id: Option<u16>, payload: &[u8]) -> String {
    to_hex(&published(first, topic, id, &[&[0][..], payload].concat()))
}

/// PUBLISH in either version: what follows the number is its properties, if it has any, and the payload.
fn published(first: u8, topic: &str, id: Option<u16>, rest: &[u8]) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    body.extend(id.into_iter().flat_map(u16::to_be_bytes));
    body.extend(rest);
    let mut packet = vec![first];
    let mut left = body.len();
    while left > 0x7F {
        packet.push(0x80 | (left & 0x7F) as u8);
        left >>= 7;
    }
    packet.push(left as u8);
    packet.extend(body);
    packet
}

//! A feed of `news` and what comes out of it, as lines.

use std::time::Duration;

use watchfloor_model::{Delivery, Mono, Timestamp, Transport};

use crate::{Codec, Feed, Input, Kind, LinkId, Output, SourceConfig, decode};

pub(super) struct Rig {
    pub(super) feed: Feed,
    pub(super) now: Mono,
    link: u64,
    pub(super) out: Vec<String>,
}

impl Rig {
    pub(super) fn config(change: impl FnOnce(&mut SourceConfig)) -> SourceConfig {
        let mut config = SourceConfig {
            ladder: vec![Transport::WebSocket],
            ..SourceConfig::plain(
                "ops",
                Kind::WebSocket,
                "wss://push.example".parse().expect("an address"),
                vec!["news".into()],
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        config
    }

    pub(super) fn new(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut feed = Feed::new(Self::config(change), 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        Self { feed, now: Mono::from_millis(1000), link: 0, out: Vec::new() }
    }

    /// Connected, and probed.
    pub(super) fn begin(&mut self) {
        self.feed.start(self.now);
        self.drain();
        self.opened();
        self.pass(Duration::ZERO);
    }

    /// The link ends, and the next one is opened.
    pub(super) fn again(&mut self) {
        self.feed.handle_input(Input::Closed { link: LinkId(self.link), code: None, reason: String::new() }, self.now);
        self.drain();
        let old = self.link;
        while self.link == old {
            let (due, _) = self.feed.poll_timeout().expect("a next try");
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.opened();
    }

    pub(super) fn opened(&mut self) {
        self.input(Input::Opened { link: LinkId(self.link) });
    }

    pub(super) fn says(&mut self, text: &str) {
        self.says_bytes(text.as_bytes());
    }

    pub(super) fn says_bytes(&mut self, text: &[u8]) {
        self.input(Input::Text { link: LinkId(self.link), text: text.to_vec().into() });
    }

    pub(super) fn says_binary(&mut self, bytes: &[u8]) {
        self.input(Input::Binary { link: LinkId(self.link), bytes: bytes.to_vec().into() });
    }

    pub(super) fn pong(&mut self) {
        self.input(Input::Pong { link: LinkId(self.link) });
    }

    fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
    }

    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some((due, _)) = self.feed.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            self.out.push(match output {
                Output::Open { link, request, .. } => {
                    self.link = link.0;
                    let bearer = if request.headers.is_empty() { "" } else { " bearer" };
                    format!("open {}{bearer}", request.url)
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    match message.as_text() {
                        Some(text) => format!("{secret}{text}"),
                        None => format!("{secret}bytes {}", shown(&message.into_bytes())),
                    }
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    // Epochs are this link's own: the rest of the place is enough.
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
                        let place = place.split_once(':').map_or(&*place, |(_, place)| place).to_owned();
                        format!("{} {place} {} {}", event.name, event.id.as_deref().unwrap_or("-"), event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Ping { .. } | Output::Status => continue,
                other => unreachable!("{other:?}"),
            });
        }
    }

    /// How many of what came out begin so.
    pub(super) fn count(&self, start: &str) -> usize {
        self.out.iter().filter(|line| line.starts_with(start)).count()
    }

    #[track_caller]
    pub(super) fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }
}

/// What was sent in a binary format.
fn shown(bytes: &[u8]) -> String {
    let read = |codec| decode::payload(&[codec], bytes).map(|payload| payload.text().to_string());
    read(Codec::MessagePack).or_else(|_| read(Codec::Cbor)).expect("MessagePack or CBOR")
}

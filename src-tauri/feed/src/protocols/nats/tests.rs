//! NATS's messages, as a nats-server 2.15.1 says them, and what a feed makes of them.

mod core;
mod fuzz;
mod hostile;
mod refusals;
mod streams;

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Delivery, Mono, Phase, Position, Timestamp, Transport};

use crate::{Feed, Input, Kind, LinkId, Output, SourceConfig};

/// The server's introduction, without what does not matter.
const INFO: &str = concat!(
    r#"INFO {"server_id":"NBCKHNRH62FS","server_name":"NBCKHNRH62FS","version":"2.15.1","proto":1,"git_commit":"b2fd3ef","#,
    r#""go":"go1.27.2","host":"127.0.0.1","port":6471,"headers":true,"max_payload":1048576,"jetstream":true,"client_id":5,"#,
    r#""client_ip":"127.0.0.1","api_lvl":5} "#,
    "\r\n"
);
/// When the stream of these tests was made, as the server says it and as places say it.
const CREATED: &str = "2026-11-26T13:02:16.041700321Z";
const STREAM: &str = "20261126T130216041700321Z";
/// When its message number 1000 was stored; later ones a millisecond apart.
const STORED: u64 = 1_795_698_139_453_268_959;

/// A feed and what comes out of it, as lines. What is this connection's own in its subjects is `@`.
struct Rig {
    feed: Feed,
    now: Mono,
    link: u64,
    own: String,
    /// The subscription to answers.
    answers: u64,
    out: Vec<String>,
    channel: String,
}

fn config(channel: &str) -> SourceConfig {
    SourceConfig {
        ladder: vec![Transport::Tcp],
        ..SourceConfig::plain(
            "ops",
            Kind::Nats,
            "nats://bus.example".parse().expect("an address"),
            vec![channel.into()],
            Duration::from_secs(6),
        )
    }
}

impl Rig {
    fn new(channel: &str, change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = config(channel);
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        let (own, out) = (String::new(), Vec::new());
        Self { feed, now: Mono::from_millis(1000), link: 0, own, answers: 0, out, channel: channel.to_owned() }
    }

    /// Greeted, and told to go on after `place`.
    fn greeted(channel: &str, place: Option<&str>) -> Self {
        let mut rig = Self::new(channel, |_| {});
        if let Some(place) = place {
            rig.feed.restore(BTreeMap::from([(channel.into(), place.parse::<Position>().expect("a place"))]));
        }
        rig.start();
        rig
    }

    fn start(&mut self) {
        self.feed.start(self.now);
        self.drain();
        self.opened();
        self.says(INFO);
    }

    /// Accepted as well: the subscriptions are asked for.
    fn accepted(channel: &str, place: Option<&str>) -> Self {
        let mut rig = Self::greeted(channel, place);
        rig.out.clear();
        rig.says("PONG\r\n");
        rig
    }

    fn opened(&mut self) {
        self.feed.handle_input(Input::Opened { link: LinkId(self.link) }, self.now);
        self.drain();
    }

    fn says(&mut self, text: &str) {
        let bytes = text.replace('@', &self.own).into_bytes().into();
        self.feed.handle_input(Input::Chunk { link: LinkId(self.link), bytes }, self.now);
        self.drain();
    }

    /// A message to a subscription.
    fn brings(&mut self, head: &str, body: &str) {
        self.says(&format!("MSG {head} {}\r\n{body}\r\n", body.len()));
    }

    /// An answer of JetStream to the question of this number.
    fn answers(&mut self, number: u64, body: &str) {
        let body = body.replace('@', &self.own);
        self.brings(&format!("_INBOX.@.r.{number} {}", self.answers), &body);
    }

    fn ends(&mut self) {
        let input = Input::Closed { link: LinkId(self.link), code: None, reason: String::new() };
        self.feed.handle_input(input, self.now);
        self.drain();
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

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            let line = match output {
                Output::Open { link, request, .. } => {
                    self.link = link.0;
                    format!("open {}", request.url)
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    let text = message.as_text().expect("a text");
                    if let Some(at) = text.find("_INBOX.watchfloor-") {
                        self.own = text[at + 7..at + 7 + 27].to_owned();
                    }
                    if let Some((_, rest)) = text.split_once(".r.* ") {
                        let number = rest.split("\r\n").next();
                        self.answers = number.and_then(|number| number.parse().ok()).expect("a subscription");
                    }
                    format!("{secret}{}", text.trim_end().replace("\r\n", " | "))
                }
                Output::StartTls { .. } => "TLS".to_owned(),
                Output::Close { .. } => "close".to_owned(),
                Output::Credential { .. } => "token?".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map_or_else(|| "nowhere".to_owned(), short);
                        format!("{} {place} {}", event.name, event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Status => continue,
                other => unreachable!("{other:?}"),
            };
            self.out.push(if self.own.is_empty() { line } else { line.replace(&self.own, "@") });
        }
    }

    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }

    fn phase(&self) -> Phase {
        self.feed.status().phase
    }

    fn cause(&self) -> String {
        self.feed.status().cause.as_ref().map(|cause| cause.text.clone()).unwrap_or_default()
    }

    fn place(&self) -> String {
        self.feed.status().positions[self.channel.as_str()].to_string()
    }
}

/// A place without its mark, and with a short name for what is counted here.
fn short(place: &Position) -> String {
    let epoch = if place.epoch.starts_with("link-") { "link" } else { &*place.epoch };
    format!("{}:{}", epoch.replace(STREAM, "T"), place.offset)
}

//! A feed of Ably's channels and what comes out of it, as lines; and what a server says, by the protocol's specification.

use std::time::Duration;

use serde_json::{Value, json};
use watchfloor_model::{Delivery, Event, Mono, Phase, Timestamp, Transport};

use crate::{
    Feed, FetchId, Input, Kind, LinkId, Output, Response, Secret, SourceConfig,
    port::{Credential, Expiry},
};

pub(super) const ADDRESS: &str = "open wss://main.realtime.ably.net/?v=6&format=json&heartbeats=true";
/// What is asked for of a channel without a place.
pub(super) const ATTACH: &str = r#"{"action":10,"channel":"ops","flags":786432}"#;

/// What a server's connection begins with.
pub(super) fn connected(key: &str) -> String {
    json!({ "action": 4, "connectionId": "cid-1", "connectionKey": key, "connectionDetails": {
        "connectionKey": key, "maxIdleInterval": 15000, "connectionStateTtl": 120_000, "maxMessageSize": 65536,
        "serverId": "s.1" } })
    .to_string()
}

pub(super) fn attached(serial: &str, flags: u64) -> String {
    json!({ "action": 11, "channel": "ops", "channelSerial": serial, "flags": flags }).to_string()
}

/// Several messages in one protocol message.
pub(super) fn message(serial: &str, number: u64, data: &[Value]) -> String {
    let messages: Vec<Value> =
        data.iter().map(|data| json!({ "name": "tick", "data": data.to_string(), "encoding": "json" })).collect();
    json!({ "action": 15, "id": format!("pub:{number}"), "channel": "ops", "channelSerial": serial,
        "connectionId": "pub", "timestamp": 1_795_697_600_000_i64, "messages": messages })
    .to_string()
}

pub(super) struct Rig {
    pub(super) feed: Feed,
    pub(super) now: Mono,
    pub(super) link: u64,
    token: Option<FetchId>,
    pub(super) out: Vec<String>,
    /// The id of the last HEARTBEAT that was asked for.
    beat: Option<String>,
    /// The server keeps no history, and says so at once.
    pub(super) keeps_nothing: bool,
    /// The number of what was asked of its history.
    question: Option<u32>,
}

impl Rig {
    pub(super) fn config(change: impl FnOnce(&mut SourceConfig)) -> SourceConfig {
        let mut config = SourceConfig {
            ladder: vec![Transport::WebSocket],
            ..SourceConfig::plain(
                "ops",
                Kind::Ably,
                "https://main.realtime.ably.net".parse().expect("an address"),
                vec!["ops".into()],
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        config
    }

    pub(super) fn new(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut feed = Feed::new(Self::config(change), 1);
        feed.set_wall(Timestamp::from_millis(1_795_697_600_000), Mono::ZERO);
        Self {
            feed,
            now: Mono::from_millis(1000),
            link: 0,
            token: None,
            out: Vec::new(),
            beat: None,
            keeps_nothing: true,
            question: None,
        }
    }

    /// Connected, and the channels are asked for.
    pub(super) fn begin(&mut self) {
        self.feed.start(self.now);
        self.drain();
        self.opened();
        self.says(&connected("key-1"));
    }

    pub(super) fn live() -> Self {
        let mut rig = Self::new(|_| {});
        rig.begin();
        rig.says(&attached("s0", 0));
        rig.beats();
        assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
    }

    /// The link ends.
    pub(super) fn cut(&mut self) {
        self.input(Input::Closed { link: LinkId(self.link), code: None, reason: String::new() });
    }

    /// The next link is opened.
    pub(super) fn wait(&mut self, old: u64) {
        while self.link == old {
            let (due, _) = self.feed.poll_timeout().expect("a next try");
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.opened();
        self.says(&connected("key-2"));
    }

    pub(super) fn again(&mut self) {
        let old = self.link;
        self.cut();
        self.wait(old);
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

    pub(super) fn shows(&mut self, bytes: &[u8]) {
        self.input(Input::Binary { link: LinkId(self.link), bytes: bytes.to_vec().into() });
    }

    /// Answers the last HEARTBEAT.
    pub(super) fn beats(&mut self) {
        let id = self.beat.take().expect("asked for");
        self.says(&json!({ "action": 0, "id": id }).to_string());
    }

    pub(super) fn pong(&mut self) {
        self.input(Input::Pong { link: LinkId(self.link) });
    }

    /// Gaps that nobody can prove, besides the one that is the wall's beginning.
    pub(super) fn unknown(&self) -> u64 {
        self.feed.status().counts.gaps_unknown.saturating_sub(1)
    }

    pub(super) fn is_asked(&self) -> bool {
        self.beat.is_some()
    }

    pub(super) fn gets_token(&mut self, token: &str) {
        let fetch = self.token.take().expect("asked for");
        let outcome = Ok(Credential { token: Secret::new(token), expiry: Expiry::Unknown });
        self.input(Input::Credential { fetch, outcome });
    }

    pub(super) fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
        if self.keeps_nothing && self.question.is_some() {
            self.tells(Response::new(404, ""));
        }
    }

    /// Answers what was asked of the history.
    pub(super) fn tells(&mut self, answer: Response) {
        let number = self.question.take().expect("asked for");
        self.input(Input::Exchanged { link: LinkId(self.link), number, outcome: Ok(answer) });
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
            let line = match output {
                Output::Open { link, request, .. } => {
                    self.link = link.0;
                    let mut line = format!("open {}", request.url);
                    for (name, secret) in &request.query {
                        line += &format!(" {name}={}", secret.expose());
                    }
                    line
                }
                Output::Send { message, .. } => {
                    let text = message.as_text().expect("a text");
                    let said: Value = serde_json::from_str(text).expect("JSON");
                    if said["action"] == 0 {
                        self.beat = said["id"].as_str().map(str::to_owned);
                        continue;
                    }
                    if message.is_secret { format!("secret {text}") } else { text.to_owned() }
                }
                Output::Credential { fetch, .. } => {
                    self.token = Some(fetch);
                    "token?".to_owned()
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => events.iter().map(line_of).collect::<Vec<_>>().join("; "),
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Post { number, request, .. } => {
                    self.question = Some(number);
                    if self.keeps_nothing {
                        continue;
                    }
                    format!("history {}", request.url)
                }
                Output::Ping { .. } | Output::Status => continue,
                other => unreachable!("{other:?}"),
            };
            self.out.push(line);
        }
    }

    #[track_caller]
    pub(super) fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }
}

/// Epochs are a link's own: the rest of the place is enough.
fn line_of(event: &Event) -> String {
    let place = event.position.as_ref().map_or_else(|| ":nowhere".to_owned(), ToString::to_string);
    let place = place.split_once(':').map_or("", |(_, place)| place);
    // At a serial's end the id is there for the history alone.
    let place = place.split_once(" 0 ").map_or(place, |(place, _)| place);
    format!("{} {place} {}", event.name, event.data.text())
}

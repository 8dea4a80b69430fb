//! A feed and what comes out of it, as lines.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Delivery, Mono, Phase, Position, Timestamp, Transport};

use crate::{
    Feed, Input, Kind, LinkId, Output, Secret, SourceConfig,
    fault::LinkFault,
    port::{Credential, Expiry, Response},
};

/// As Soketi says it.
pub(super) const GREETING: &str = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"5389359628.2136654230\",\"activity_timeout\":30}"}"#;
pub(super) const PING: &str = r#"{"event":"pusher:ping","data":{}}"#;
pub(super) const PONG: &str = r#"{"event":"pusher:pong","data":{}}"#;

pub(super) struct Rig {
    pub(super) feed: Feed,
    pub(super) now: Mono,
    pub(super) link: u64,
    token: Option<crate::FetchId>,
    /// What the site was asked.
    asked: Option<crate::FetchId>,
    pub(super) out: Vec<String>,
}

impl Rig {
    pub(super) fn new(channels: &[&str], change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = SourceConfig {
            ladder: vec![Transport::WebSocket],
            app: Some("app-key".into()),
            auth: Some("https://app.example/broadcasting/auth".parse().expect("an address")),
            ..SourceConfig::plain(
                "ops",
                Kind::Soketi,
                "wss://push.example/".parse().expect("an address"),
                channels.iter().map(|name| (*name).into()).collect(),
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        Self { feed, now: Mono::from_millis(1000), link: 0, token: None, asked: None, out: Vec::new() }
    }

    /// Connected and greeted.
    pub(super) fn greeted(channels: &[&str]) -> Self {
        let mut rig = Self::new(channels, |_| {});
        rig.start();
        rig.says(GREETING);
        rig
    }

    /// One public channel, subscribed to.
    pub(super) fn live() -> Self {
        let mut rig = Self::greeted(&["news"]);
        rig.takes("news");
        assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
    }

    pub(super) fn restore(&mut self, channel: &str, place: &str) {
        let place: Position = place.parse().expect("a place");
        self.feed.restore(BTreeMap::from([(channel.into(), place)]));
    }

    pub(super) fn start(&mut self) {
        self.feed.start(self.now);
        self.drain();
        self.opened();
    }

    pub(super) fn opened(&mut self) {
        self.feed.handle_input(Input::Opened { link: LinkId(self.link) }, self.now);
        self.drain();
    }

    pub(super) fn says(&mut self, text: &str) {
        let text = text.to_owned().into();
        self.feed.handle_input(Input::Text { link: LinkId(self.link), text }, self.now);
        self.drain();
    }

    /// The server takes a subscription, as Soketi says it.
    pub(super) fn takes(&mut self, channel: &str) {
        self.says(&format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{channel}"}}"#));
    }

    /// An event as a library publishes it.
    pub(super) fn event(&mut self, channel: &str, name: &str, data: &str) {
        let data = serde_json::to_string(data).expect("a text");
        self.says(&format!(r#"{{"event":"{name}","channel":"{channel}","data":{data}}}"#));
    }

    pub(super) fn pong(&mut self) {
        self.feed.handle_input(Input::Pong { link: LinkId(self.link) }, self.now);
        self.drain();
    }

    pub(super) fn closes(&mut self, code: Option<u16>) {
        let link = LinkId(self.link);
        self.feed.handle_input(Input::Closed { link, code, reason: String::new() }, self.now);
        self.drain();
    }

    /// Whoever signs answers.
    pub(super) fn signs(&mut self, number: u32, status: u16, body: &str) {
        let body = body.to_owned();
        self.answers(number, Ok(Response::new(status, body)));
    }

    pub(super) fn answers(&mut self, number: u32, outcome: Result<Response, LinkFault>) {
        self.feed.handle_input(Input::Exchanged { link: LinkId(self.link), number, outcome }, self.now);
        self.drain();
    }

    /// The site says that there is nothing.
    pub(super) fn site_answers(&mut self) {
        let fetch = self.asked.take().expect("asked for");
        self.feed.handle_input(Input::Fetched { fetch, outcome: Ok(Response::new(200, "[]")) }, self.now);
        self.drain();
    }

    pub(super) fn token(&mut self, token: &str, expiry: Expiry) {
        let fetch = self.token.take().expect("asked for");
        let outcome = Ok(Credential { token: Secret::new(token), expiry });
        self.feed.handle_input(Input::Credential { fetch, outcome }, self.now);
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
                    format!("open {} {:?}", request.url, request.headers)
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    format!("{secret}{}", message.as_text().expect("a text"))
                }
                Output::Exchange { number, url, form, token, .. } => {
                    let form: Vec<String> = form.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    let token = token.map_or_else(String::new, |token| format!(" by {}", token.expose()));
                    format!("{number}: {url} {}{token}", form.join("&"))
                }
                Output::Credential { fetch, .. } => {
                    self.token = Some(fetch);
                    "token?".to_owned()
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map_or(0, |place| place.offset);
                        format!("{} {} {place} {}", event.channel, event.name, event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => {
                    format!("gap {} {}: {}", gap.channel, gap.proof.word(), gap.reason)
                }
                Output::Fetch { fetch, .. } => {
                    self.asked = Some(fetch);
                    "site?".to_owned()
                }
                Output::Deliver(Delivery::Restated(_)) => "restated".to_owned(),
                Output::Ping { .. } | Output::Status => continue,
                other => unreachable!("{other:?}"),
            });
        }
    }

    #[track_caller]
    pub(super) fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }

    #[track_caller]
    pub(super) fn is(&self, phase: Phase) {
        assert_eq!(self.feed.status().phase, phase, "{:?}", self.feed.status());
    }
}

//! A feed of the root namespace and what comes out of it, as lines.

use std::time::Duration;

use watchfloor_model::{Delivery, Mono, Phase, Timestamp, Transport};

use crate::{
    Feed, Input, Kind, LinkId, Output, Secret, SourceConfig,
    port::{Credential, Expiry},
};

pub(super) const OPEN: &str =
    r#"0{"sid":"bjF9XP8yugVTjkOcAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
/// When the offsets of the transcripts were made.
const WALL: Timestamp = Timestamp::from_millis(1_795_697_600_000);

pub(super) struct Rig {
    pub(super) feed: Feed,
    pub(super) now: Mono,
    pub(super) link: u64,
    /// The WebSocket by which polls are to go on.
    socket: u64,
    health: Option<crate::FetchId>,
    token: Option<crate::FetchId>,
    pub(super) out: Vec<String>,
}

impl Rig {
    pub(super) fn config(change: impl FnOnce(&mut SourceConfig)) -> SourceConfig {
        let mut config = SourceConfig {
            ladder: vec![Transport::WebSocket],
            ..SourceConfig::plain(
                "ops",
                Kind::SocketIo,
                "https://push.example".parse().expect("an address"),
                vec!["/".into()],
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        config
    }

    pub(super) fn new(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut feed = Feed::new(Self::config(change), 1);
        feed.set_wall(WALL, Mono::ZERO);
        Self { feed, now: Mono::from_millis(1000), link: 0, socket: 0, health: None, token: None, out: Vec::new() }
    }

    /// Connected, and the server has opened.
    pub(super) fn begin(&mut self) {
        self.feed.start(self.now);
        self.drain();
        self.opened();
        self.says(OPEN);
    }

    pub(super) fn live() -> Self {
        let mut rig = Self::new(|_| {});
        rig.begin();
        rig.says(super::JOINED);
        assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
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
        self.says(OPEN);
    }

    /// By polls alone, up to the server's answer to the first.
    pub(super) fn polled(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut rig = Self::new(|config| {
            config.ladder = vec![Transport::LongPoll];
            change(config);
        });
        rig.feed.start(rig.now);
        rig.drain();
        rig.answers(OPEN);
        rig.pass(Duration::ZERO);
        rig
    }

    /// The same, joined and live.
    pub(super) fn polled_live(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut rig = Self::polled(change);
        rig.posted("ok");
        rig.answers(super::JOINED);
        rig.pass(Duration::from_millis(200));
        assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
    }

    /// The poll is answered; packets are given one behind another.
    pub(super) fn answers(&mut self, body: &str) {
        self.answers_bytes(body.replace(" | ", "\u{1E}").as_bytes());
    }

    pub(super) fn answers_bytes(&mut self, body: &[u8]) {
        let head = crate::Head::default();
        self.input(Input::Answered { link: LinkId(self.link), head, body: body.to_vec().into() });
    }

    pub(super) fn posted(&mut self, body: &str) {
        self.posted_status(200, body);
    }

    pub(super) fn posted_status(&mut self, status: u16, body: &str) {
        let outcome = Ok(crate::Response::new(status, body.to_owned()));
        self.input(Input::Exchanged { link: LinkId(self.link), number: 0, outcome });
    }

    pub(super) fn fails(&mut self, kind: crate::LinkFaultKind, text: &str) {
        let fault = crate::LinkFault::new(kind, text);
        self.input(Input::Failed { link: LinkId(self.link), fault });
    }

    pub(super) fn is_there(&mut self, status: u16, body: &str) {
        let fetch = self.health.take().expect("asked for");
        let outcome = Ok(crate::Response::new(status, body.to_owned()));
        self.input(Input::Fetched { fetch, outcome });
    }

    /// What follows happens to the WebSocket by which polls are to go on, or have gone on.
    pub(super) fn socket(&mut self) -> &mut Self {
        std::mem::swap(&mut self.link, &mut self.socket);
        self
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

    pub(super) fn pong(&mut self) {
        self.input(Input::Pong { link: LinkId(self.link) });
    }

    pub(super) fn gets_token(&mut self, token: &str, expiry: Expiry) {
        let fetch = self.token.take().expect("asked for");
        let outcome = Ok(Credential { token: Secret::new(token), expiry });
        self.input(Input::Credential { fetch, outcome });
    }

    pub(super) fn input(&mut self, input: Input) {
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
                Output::Open { link, request, .. } if request.query.is_empty() => {
                    self.link = link.0;
                    format!("open {}", request.url)
                }
                Output::Open { link, request, .. } => {
                    self.socket = link.0;
                    format!("upgrade {}", request.url)
                }
                Output::Ask { link, request, .. } => {
                    self.link = link.0;
                    let id = if request.query.is_empty() { "" } else { " of the session" };
                    assert!(!format!("{request:?}").contains("bjF9XP8y"), "H8: {request:?}");
                    format!("get {}{id}", request.url)
                }
                Output::Post { request, .. } => {
                    assert!(request.address().query().is_some_and(|query| query.contains("&sid=")), "{request:?}");
                    let message = request.body.expect("a body");
                    let secret = if message.is_secret { "secret " } else { "" };
                    format!("post {secret}{}", message.as_text().expect("a text").replace('\u{1E}', " | "))
                }
                Output::Send { link, message } if link.0 == self.socket && self.link != self.socket => {
                    format!("on the WebSocket {}", message.as_text().expect("a text"))
                }
                Output::Fetch { fetch, request, .. } => {
                    self.health = Some(fetch);
                    format!("fetch {}", request.url)
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    format!("{secret}{}", message.as_text().expect("a text"))
                }
                Output::Credential { fetch, .. } => {
                    self.token = Some(fetch);
                    "token?".to_owned()
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    // Epochs are this link's own: the rest of the place is enough.
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
                        let place = place.split_once(':').map_or(&*place, |(_, place)| place).to_owned();
                        format!("{} {place} {}", event.name, event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Deliver(Delivery::Restated(whole)) => format!("the site's {} rows", whole.events.len()),
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
}

//! Centrifugo's messages, and what a feed makes of them.

mod access;
mod codes;
mod delta;
mod hostile;
mod members;
mod publishers;
mod rungs;
mod trials;

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Continuity, Delivery, Mono, Phase, Position, Timestamp, Transport};

use crate::{
    Envelope, Feed, Input, Kind, LinkId, Output, Secret, SourceConfig,
    port::{Credential, Expiry, Request, Response},
};

/// A feed of `news` and what comes out of it, as lines.
struct Rig {
    feed: Feed,
    now: Mono,
    link: u64,
    token: Option<crate::FetchId>,
    /// The question beside the link that was asked last.
    posted: u32,
    out: Vec<String>,
}

impl Rig {
    fn new(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = SourceConfig {
            ladder: vec![Transport::WebSocket],
            envelope: Envelope { name: Some("kind".parse().expect("a path")), ..Envelope::default() },
            ..SourceConfig::plain(
                "ops",
                Kind::Centrifugo,
                "https://push.example".parse().expect("an address"),
                vec!["news".into()],
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        Self { feed, now: Mono::from_millis(1000), link: 0, token: None, posted: 0, out: Vec::new() }
    }

    /// Connected, and told to go on after `place`; not answered.
    fn subscribing(place: Option<&str>) -> Self {
        let mut rig = Self::new(|_| {});
        if let Some(place) = place {
            rig.feed.restore(BTreeMap::from([("news".into(), place.parse::<Position>().expect("a place"))]));
        }
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig.says(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true,"time":1700000000500}}"#);
        rig
    }

    fn live() -> Self {
        let mut rig = Self::subscribing(None);
        rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":7}}"#);
        assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
    }

    fn opened(&mut self) {
        self.feed.handle_input(Input::Opened { link: LinkId(self.link) }, self.now);
        self.drain();
    }

    fn says(&mut self, text: &str) {
        let text = text.to_owned().into();
        self.feed.handle_input(Input::Text { link: LinkId(self.link), text }, self.now);
        self.drain();
    }

    fn closes(&mut self, code: u16, reason: &str) {
        let (link, reason) = (LinkId(self.link), reason.to_owned());
        self.feed.handle_input(Input::Closed { link, code: Some(code), reason }, self.now);
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
            self.out.push(match output {
                Output::Open { link, request, .. } => {
                    self.link = link.0;
                    if request.body.is_some() { posted(&request) } else { format!("open {}", request.url) }
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    format!("{secret}{}", message.as_text().expect("a text"))
                }
                Output::Post { number, request, .. } => {
                    self.posted = number;
                    posted(&request)
                }
                Output::Fetch { fetch, request, .. } => {
                    self.token = Some(fetch);
                    format!("fetch {}", posted(&request))
                }
                Output::Credential { fetch, .. } => {
                    self.token = Some(fetch);
                    "token?".to_owned()
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
                        format!("{} {place} {} {}", event.name, event.time.as_millis(), event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Ping { .. } | Output::Status => continue,
                other => unreachable!("{other:?}"),
            });
        }
    }

    /// The question beside the link that was asked last is answered so.
    fn answers(&mut self, status: u16, body: &str) {
        let (link, number) = (LinkId(self.link), self.posted);
        let outcome = Ok(Response::new(status, body.to_owned()));
        self.feed.handle_input(Input::Exchanged { link, number, outcome }, self.now);
        self.drain();
    }

    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }
}

/// A request with a body, as a line.
fn posted(request: &Request) -> String {
    let bearer = if request.headers.iter().any(crate::Header::is_secret) { " bearer" } else { "" };
    let body = request.body.as_ref().expect("a body");
    let secret = if body.is_secret { " secret" } else { "" };
    format!("post{bearer}{secret} {} {}", request.url, body.as_text().expect("a text"))
}

const SUBSCRIBE: &str =
    r#"{"id":2,"subscribe":{"channel":"news","delta":"fossil","positioned":true,"recoverable":true}}"#;

/// H3: what was published before the first subscription isn't known; from then on every publication is proven.
#[test]
fn a_first_subscription() {
    let mut rig = Rig::subscribing(None);
    rig.expect(&[
        "open wss://push.example/connection/websocket",
        r#"{"connect":{"name":"watchfloor"},"id":1}"#,
        SUBSCRIBE,
    ]);
    rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":7}}"#);
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    rig.says("{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"kind\":\"a\",\"n\":1},\"offset\":8,\"time\":1700000001000}}}\n{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"n\":2},\"offset\":9}}}\n");
    rig.expect(&[r#"a e:8 1700000001000 {"kind":"a","n":1}; publication e:9 1700000001000 {"n":2}"#]);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.continuity, status.counts.events), (Phase::Live, Continuity::Unknown, 2));
    assert_eq!(status.clock.expect("told on connecting").at.as_millis(), 1_700_000_000_500);
}

/// H3: what was missed comes with the answer, and nothing twice. A reply's offset is the one that was asked for.
#[test]
fn recovery() {
    let mut rig = Rig::subscribing(Some("e:7"));
    assert!(rig.out.last().expect("subscribed").contains(r#""recover":true"#));
    rig.out.clear();
    rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"recovered":true,"was_recovering":true,"epoch":"e","offset":7,"publications":[{"data":1,"offset":8},{"data":2,"offset":9}]}}"#);
    rig.expect(&[
        "gap proven: not connected meanwhile",
        "publication e:8 1700000001000 1; publication e:9 1700000001000 2",
    ]);
    assert_eq!((rig.feed.status().phase, rig.feed.status().continuity), (Phase::Live, Continuity::Proven));
}

/// H3: where the history doesn't reach back, or another one began, the gap stays unknown.
#[test]
fn no_recovery() {
    for epoch in ["e", "f"] {
        let mut rig = Rig::subscribing(Some("e:7"));
        rig.out.clear();
        rig.says(&format!(r#"{{"id":2,"subscribe":{{"recoverable":true,"positioned":true,"was_recovering":true,"epoch":"{epoch}","offset":40}}}}"#));
        rig.expect(&["gap unknown: the server's history doesn't reach back so far; the server offers no snapshot"]);
        rig.says(r#"{"push":{"channel":"news","pub":{"data":1,"offset":41}}}"#);
        assert_eq!((rig.feed.status().phase, rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
        assert_eq!(rig.feed.status().positions["news"].to_string(), format!("{epoch}:41"));
    }
}

/// H3: an empty epoch would match any, and a place that was counted here matches none: neither is asked for.
#[test]
fn places_that_prove_nothing_are_not_asked_for() {
    let mut rig = Rig::subscribing(Some("link-00000000000000aa:3"));
    assert_eq!(rig.out.pop().as_deref(), Some(SUBSCRIBE));
    rig.out.clear();
    rig.says(r#"{"id":2,"subscribe":{}}"#);
    rig.expect(&["gap unknown: the server keeps no history of this channel; the server offers no snapshot"]);
    rig.says(r#"{"push":{"channel":"news","pub":{"data":1}}}"#);
    let place = rig.feed.status().positions["news"].to_string();
    assert!(place.starts_with("link-") && place.ends_with(":1"), "{place}");
}

/// H1: pings are answered; where they come too seldom the streams' tops prove that nothing is held back.
#[test]
fn the_stream_is_proven_between_pings() {
    let mut rig = Rig::live();
    rig.says("{}");
    rig.expect(&["{}"]);
    rig.pass(Duration::from_secs(2));
    rig.expect(&[r#"{"history":{"channel":"news"},"id":3}"#]);
    rig.says(r#"{"id":3,"history":{"epoch":"e","offset":8}}"#);
    rig.says(r#"{"push":{"channel":"news","pub":{"data":1,"offset":8}}}"#);
    rig.expect(&["publication e:8 1700000003000 1"]);
    rig.pass(Duration::from_millis(1));
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.pass(Duration::from_secs(6));
    assert_ne!(rig.feed.status().phase, Phase::Live, "nobody has proven anything");
}

/// H3: what the server has and does not send is asked for again.
#[test]
fn a_publication_that_never_comes() {
    let mut rig = Rig::live();
    for id in [3, 4] {
        rig.feed.handle_input(Input::Pong { link: LinkId(rig.link) }, rig.now);
        rig.pass(Duration::from_secs(2));
        rig.out.clear();
        rig.says(&format!(r#"{{"id":{id},"history":{{"epoch":"e","offset":8}}}}"#));
    }
    let again = rig.out.join("\n");
    assert!(again.contains("unsubscribe") && again.contains(r#""offset":7,"#), "{again}");
}

/// H1: a top that came as something unreadable proves nothing, and is asked for again.
#[test]
fn a_top_that_can_not_be_read() {
    let mut rig = Rig::live();
    rig.pass(Duration::from_secs(2));
    rig.out.clear();
    rig.says(r#"{"id":3,"history":{"epoch""#);
    rig.feed.handle_input(Input::Pong { link: LinkId(rig.link) }, rig.now);
    rig.pass(Duration::from_secs(2));
    assert!(rig.out.join("\n").contains(r#"{"history":{"channel":"news"},"id":4}"#), "{:?}", rig.out);
    // One that comes after all is none.
    rig.says(r#"{"id":3,"history":{"epoch":"e","offset":7}}"#);
    rig.pass(Duration::from_secs(4));
    assert_ne!(rig.feed.status().phase, Phase::Live, "nobody has proven anything");
}

/// H8: the token goes with the first command only, and a new one ahead of its end.
#[test]
fn tokens() {
    let mut rig = Rig::new(|config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.expect(&["token?"]);
    let fetch = rig.token.expect("asked for");
    let outcome = Ok(Credential { token: Secret::new("t1"), expiry: Expiry::Unknown });
    rig.feed.handle_input(Input::Credential { fetch, outcome }, rig.now);
    rig.drain();
    rig.opened();
    let connect = rig.out.last().expect("sent");
    assert!(connect.starts_with("secret ") && connect.contains(r#""token":"t1""#), "{connect}");
}

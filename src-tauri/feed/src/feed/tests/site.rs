//! A site's own state beside a push service that keeps none: Soketi, as it speaks.

use std::time::Duration;

use watchfloor_model::{Continuity, Delivery, Event, Mono, Phase, Position, Restated, Timestamp, Transport};

use super::super::Feed;
use crate::{
    Kind, Site,
    config::{Secret, SourceConfig},
    fault::{LinkFault, LinkFaultKind},
    port::{FetchId, Input, LinkId, Output, Request, Response},
};

const WALL: i64 = 1_700_000_000_000;
const GREETING: &str =
    r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":30}"}"#;
const TAKEN: &str = r#"{"event":"pusher_internal:subscription_succeeded","channel":"orders"}"#;

/// A feed of the channel `orders`, and what came out.
struct Rig {
    feed: Feed,
    now: Mono,
    link: u64,
    asked: Vec<(FetchId, Request)>,
    delivered: Vec<Delivery>,
}

impl Rig {
    fn new() -> Self {
        Self::of(|_| {})
    }

    /// By server-sent events, where what can't be read is lost.
    fn of_events() -> Self {
        let mut rig = Self::of(|config| {
            config.kind = Kind::Sse;
            config.url = "https://push.example/".parse().expect("an address");
            config.ladder = vec![Transport::Sse];
            config.envelope.time = Some("t".parse().expect("a path"));
        });
        rig.input(Input::Opened { link: LinkId(rig.link) });
        rig.input(Input::Head { link: LinkId(rig.link), head: crate::Head::default() });
        rig
    }

    fn of(change: impl FnOnce(&mut SourceConfig)) -> Self {
        let site = Site {
            url: "https://app.example/api/orders?open=1".parse().expect("an address"),
            shows_token: true,
            shows_headers: false,
            channel: "orders".into(),
            name: "order".into(),
            rows: None,
            time: None,
        };
        let mut config = SourceConfig {
            ladder: vec![Transport::WebSocket],
            reconcile: Some(Duration::from_secs(300)),
            token: Some(Secret::new("hidden")),
            app: Some("key".into()),
            site: Some(site),
            ..SourceConfig::plain(
                "shop",
                Kind::Soketi,
                "wss://push.example/".parse().expect("an address"),
                vec!["orders".into()],
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(WALL), Mono::ZERO);
        let mut rig = Self { feed, now: Mono::from_millis(1000), link: 0, asked: Vec::new(), delivered: Vec::new() };
        rig.feed.start(rig.now);
        rig.drain();
        rig
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Open { link, .. } => self.link = link.0,
                Output::Fetch { fetch, request, .. } => self.asked.push((fetch, request)),
                Output::Deliver(delivery) => self.delivered.push(delivery),
                _ => {}
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
    }

    fn says(&mut self, text: &str) {
        self.input(Input::Text { link: LinkId(self.link), text: text.to_owned().into() });
    }

    fn event(&mut self, data: &str) {
        let data = serde_json::to_string(data).expect("a text");
        self.says(&format!(r#"{{"event":"order","channel":"orders","data":{data}}}"#));
    }

    /// Connected and subscribed: the site has been asked.
    fn subscribed(&mut self) {
        self.input(Input::Opened { link: LinkId(self.link) });
        self.says(GREETING);
        self.says(TAKEN);
    }

    fn answers(&mut self, status: u16, body: &str) {
        let (fetch, _) = *self.asked.last().as_ref().expect("asked");
        let body = body.to_owned();
        self.input(Input::Fetched { fetch: *fetch, outcome: Ok(Response::new(status, body)) });
    }

    fn unreadable(&mut self) {
        let bytes = "data: {\"t\":true}\n\n".to_owned().into();
        self.input(Input::Chunk { link: LinkId(self.link), bytes });
    }

    fn breaks(&mut self) {
        let fault = LinkFault::new(LinkFaultKind::Reset, "reset");
        self.input(Input::Failed { link: LinkId(self.link), fault });
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

    /// The same on a link that answers.
    fn live_for(&mut self, span: Duration) {
        for _ in 0..span.as_secs() {
            self.pass(Duration::from_secs(1));
            self.input(Input::Pong { link: LinkId(self.link) });
            self.says(r#"{"event":"pusher:pong","data":{}}"#);
        }
    }

    fn phase(&self) -> Phase {
        self.feed.status().phase
    }

    fn cause(&self) -> String {
        self.feed.status().cause.map(|cause| cause.text).unwrap_or_default()
    }

    /// What was delivered since the last look, a word each.
    fn told(&mut self) -> Vec<String> {
        let texts = |events: &[Event]| events.iter().map(|event| event.data.text().to_owned()).collect::<Vec<_>>();
        let one = |delivery: Delivery| match delivery {
            Delivery::Events(events) => format!("events {}", texts(&events).join(" ")),
            Delivery::Restated(Restated { channel, name, events, .. }) => {
                format!("{channel} {}: {}", name.unwrap_or_default(), texts(&events).join(" "))
            }
            Delivery::Gap(gap) => format!("gap {}: {}", gap.proof.word(), gap.reason),
            Delivery::Recheck(check) => {
                let (rows, later) = (texts(&check.restated.events), texts(&check.later));
                format!("compare {} and {}", rows.join(" "), later.join(" "))
            }
            Delivery::Snapshot(_) | Delivery::Check(_) => "a hub's".to_owned(),
        };
        self.delivered.drain(..).map(one).collect()
    }
}

/// H3: subscribe, hold, ask, then what was held: nothing that happens meanwhile is lost. The source isn't live before.
#[test]
fn a_site_is_asked_while_the_stream_is_held() {
    let mut rig = Rig::new();
    assert!(rig.asked.is_empty(), "not before the subscription stands");
    rig.subscribed();
    let (_, request) = &rig.asked[0];
    assert_eq!(request.url.as_str(), "https://app.example/api/orders?open=1");
    assert!(request.headers.iter().any(crate::Header::is_secret) && !format!("{request:?}").contains("hidden"), "H8");
    rig.event("{\"id\":1,\"v\":\"during\"}");
    assert_eq!((rig.phase(), rig.told()), (Phase::CatchingUp, vec![]));
    rig.pass(Duration::from_secs(1));
    rig.answers(200, "[{\"id\":1},{\"id\":2}]");
    assert_eq!(
        rig.told(),
        [
            "gap snapshot: the site says what there is now",
            "orders order: {\"id\":1} {\"id\":2}",
            "events {\"id\":1,\"v\":\"during\"}",
        ]
    );
    assert_eq!(rig.phase(), Phase::Live, "{}", rig.cause());
    assert_eq!(rig.feed.status().continuity, Continuity::Snapshot);
}

/// H1, H3: a row that tells no time isn't newer than what came while the site was asked.
#[test]
fn what_came_meanwhile_is_newer() {
    let mut rig = Rig::new();
    rig.subscribed();
    rig.pass(Duration::from_secs(2));
    rig.event("1");
    rig.pass(Duration::from_secs(2));
    rig.answers(200, "[7]");
    let time = |delivery: &Delivery| match delivery {
        Delivery::Events(events) => Some(events[0].time),
        Delivery::Restated(restated) => Some(restated.events[0].time),
        _ => None,
    };
    let times: Vec<Timestamp> = rig.delivered.iter().filter_map(time).collect();
    assert_eq!(times, [Timestamp::from_millis(WALL + 1000), Timestamp::from_millis(WALL + 3000)]);
}

/// H3: after a loss that the protocol can't make good the site is asked again; the place that is written down with it is the one
/// from which the stream follows.
#[test]
fn a_site_is_asked_again_after_each_loss() {
    let mut rig = Rig::new();
    rig.subscribed();
    rig.answers(200, "[]");
    rig.event("1");
    rig.told();
    rig.breaks();
    assert_eq!(rig.phase(), Phase::Waiting);
    rig.pass(Duration::from_secs(1));
    rig.subscribed();
    rig.event("2");
    let places = rig.feed.status().positions;
    rig.answers(200, "{\"id\":1}");
    let restated = rig.delivered.iter().find_map(|delivery| match delivery {
        Delivery::Restated(restated) => Some(restated.clone()),
        _ => None,
    });
    let restated = restated.expect("restated");
    let place: &Position = &restated.positions["orders"];
    assert_ne!(Some(&place.epoch), places.get("orders").map(|place| &place.epoch), "a link's places are its own");
    assert_eq!(place.offset, 0, "what was held follows");
    let told = rig.told();
    assert!(told[0].starts_with("gap snapshot: link lost: "), "{told:?}");
    assert_eq!(told[1..], ["orders order: {\"id\":1}", "events 2"]);
    assert_eq!((rig.asked.len(), rig.phase()), (2, Phase::Live));
}

/// H1, H5: a site that doesn't say what it has keeps the source from being live, with the cause and the next try; the push service
/// isn't left for it.
#[test]
fn a_site_that_fails_is_told_and_asked_again() {
    for (status, body, expected) in [
        (500, "", "no state of the site: "),
        (404, "", "no state of the site: "),
        (403, "", "no state of the site: "),
        (200, "<html>", "the site's state can't be used: it is no JSON"),
    ] {
        let mut rig = Rig::new();
        rig.subscribed();
        rig.answers(status, body);
        assert_eq!(rig.phase(), Phase::CatchingUp);
        assert!(rig.cause().starts_with(expected), "{status}: {}", rig.cause());
        assert!(rig.feed.status().retry_at.is_some());
        rig.event("1");
        for _ in 0..90 {
            rig.pass(Duration::from_secs(1));
            rig.input(Input::Pong { link: LinkId(rig.link) });
            rig.says(r#"{"event":"pusher:pong","data":{}}"#);
        }
        assert_eq!((rig.link, rig.phase()), (1, Phase::CatchingUp), "{status}");
        assert!((2..30).contains(&rig.asked.len()), "{status}: {} times", rig.asked.len());
        assert_eq!(rig.told(), [""; 0]);
        let before = rig.asked.len();
        while rig.asked.len() == before {
            rig.pass(Duration::from_secs(1));
            rig.input(Input::Pong { link: LinkId(rig.link) });
            rig.says(r#"{"event":"pusher:pong","data":{}}"#);
        }
        rig.answers(200, "[]");
        assert_eq!(rig.phase(), Phase::Live, "{status}: {}", rig.cause());
        assert_eq!(rig.told()[1..], ["orders order: ", "events 1"]);
    }
}

/// H3: while all is well the site is asked every few minutes, twice, and what came since the question goes along; the source stays
/// live meanwhile (H2), also if the site fails.
#[test]
fn a_site_is_compared_twice() {
    let mut rig = Rig::new();
    rig.subscribed();
    rig.answers(200, "[1]");
    rig.told();
    let mut asked = rig.asked.len();
    for round in 0..2 {
        let mut times = Vec::new();
        while times.len() < 2 {
            let begun = rig.now;
            while rig.asked.len() == asked {
                rig.live_for(Duration::from_secs(1));
                assert_eq!(rig.phase(), Phase::Live);
                assert!(rig.now.since(begun) < Duration::from_secs(400), "round {round}: never asked");
            }
            asked = rig.asked.len();
            times.push(rig.now.since(begun));
            rig.event("2");
            rig.answers(200, "[1]");
            rig.event("3");
            rig.live_for(Duration::from_secs(6));
            assert_eq!(rig.told(), ["events 2", "events 3", "compare 1 and 2 3"]);
        }
        assert!(times[0] > Duration::from_secs(200) && times[1] < Duration::from_secs(11), "{times:?}");
    }
    assert_eq!(rig.feed.status().counts.checks, 4);
    while rig.asked.len() == asked {
        rig.live_for(Duration::from_secs(1));
    }
    rig.answers(404, "");
    assert_eq!(rig.phase(), Phase::Live);
    let status = rig.feed.status();
    assert_eq!(status.counts.checks_failed, 1);
    assert!(status.unchecked.is_some_and(|why| why.contains("404")));
    asked = rig.asked.len();
    rig.live_for(Duration::from_secs(800));
    assert!(rig.asked.len() > asked, "it is asked again");
}

/// H5: a site that asks for time has it, however much comes meanwhile that can't be read; and what its answer was stays said.
#[test]
fn a_site_that_asks_for_time_has_it() {
    let mut rig = Rig::of_events();
    let (fetch, _) = *rig.asked.last().as_ref().expect("asked");
    let answer = Response { retry_after: Some(Duration::from_secs(60)), ..Response::new(503, String::new()) };
    rig.input(Input::Fetched { fetch: *fetch, outcome: Ok(answer) });
    let retry_at = rig.feed.status().retry_at.expect("a next try");
    for _ in 0..10 {
        rig.unreadable();
        rig.pass(Duration::from_millis(100));
    }
    assert_eq!((rig.asked.len(), rig.feed.status().retry_at), (1, Some(retry_at)));
    assert!(rig.cause().starts_with("no state of the site: "), "{}", rig.cause());
    assert!(retry_at.since(rig.now) >= Duration::from_secs(58));
}

/// H5: one unreadable message after the other has the site asked a few times, and then seldom. H2: the source is live again afterwards.
#[test]
fn unreadable_messages_ask_a_site_seldom() {
    let mut rig = Rig::of_events();
    let answer = |rig: &mut Rig| {
        if rig.feed.fetch.is_some() {
            rig.answers(200, "[]");
        }
    };
    answer(&mut rig);
    for _ in 0..300 {
        rig.unreadable();
        answer(&mut rig);
        rig.pass(Duration::from_millis(100));
        answer(&mut rig);
    }
    assert!((5..12).contains(&rig.asked.len()), "{}", rig.asked.len());
    for _ in 0..15 {
        rig.pass(Duration::from_secs(1));
        answer(&mut rig);
        rig.input(Input::Chunk { link: LinkId(rig.link), bytes: ":\n\n".to_owned().into() });
    }
    assert_eq!(rig.phase(), Phase::Live, "{}", rig.cause());
}

//! The feed against a scripted server: outputs as lines of text.

mod access;
mod check;
mod contract;
mod faults;
mod flow;
mod ladder;
mod poll;
mod site;
mod wall;

use std::{sync::Arc, time::Duration};

use watchfloor_model::{Delivery, Mono, Phase, SourceStatus, Transport};

use super::Feed;
use crate::{
    config::{Secret, SourceConfig},
    fault::{LinkFault, LinkFaultKind},
    port::{FetchId, Input, LinkId, Output, Response},
};

const CLOCK: &str = r#"{"now":1360335600000,"speed":1,"label":null}"#;

/// A feed, an instant, and what came out since the last look.
struct Rig {
    feed: Feed,
    now: Mono,
    out: Vec<String>,
    link: u64,
    fetch: u64,
    transport: Transport,
}

impl Rig {
    fn with(transport: Transport, channels: &[&str]) -> Self {
        Self::with_ladder(&[transport], channels)
    }

    fn with_ladder(ladder: &[Transport], channels: &[&str]) -> Self {
        Self::with_limit(ladder, channels, Duration::from_secs(5))
    }

    fn with_limit(ladder: &[Transport], channels: &[&str], limit: Duration) -> Self {
        Self::configured(ladder, channels, |config| config.limit = limit)
    }

    fn configured(ladder: &[Transport], channels: &[&str], change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = SourceConfig {
            ladder: ladder.to_vec(),
            token: Some(Secret::new("hidden")),
            ..SourceConfig::plain(
                "ops",
                crate::Kind::Hub,
                "https://hub.example/base/".parse().expect("an address"),
                channels.iter().map(|name| Arc::from(*name)).collect(),
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        let now = Mono::from_millis(1000);
        Self { feed: Feed::new(config, 1), now, out: Vec::new(), link: 0, fetch: 0, transport: ladder[0] }
    }

    /// A feed that was started.
    fn started(transport: Transport, channels: &[&str]) -> Self {
        let mut rig = Self::with(transport, channels);
        rig.start();
        rig
    }

    /// A feed of `flights` whose link stands. Nothing was said on it yet.
    fn opened(transport: Transport) -> Self {
        let mut rig = Self::started(transport, &["flights"]);
        rig.open();
        rig
    }

    /// A feed of `flights` by WebSocket that is live at `e:2`.
    fn live() -> Self {
        Self::with(Transport::WebSocket, &["flights"]).brought_live()
    }

    fn brought_live(mut self) -> Self {
        self.start();
        self.open();
        self.lines(&[&subscribed("flights", "e:2", None), &beat("e:2")]);
        self.snapshot("e:2");
        assert_eq!(self.phase(), Phase::Live);
        self.out.clear();
        self
    }

    fn start(&mut self) {
        self.feed.start(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            assert!(!format!("{output:?}").contains("hidden"), "H8");
            match &output {
                Output::Open { link, .. } | Output::Ask { link, .. } => self.link = link.0,
                Output::Fetch { fetch, .. } => self.fetch = fetch.0,
                _ => {}
            }
            self.out.extend(line(&output));
        }
    }

    fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
    }

    fn open(&mut self) {
        self.input(Input::Opened { link: LinkId(self.link) });
    }

    fn lines(&mut self, lines: &[&str]) {
        let link = LinkId(self.link);
        if self.transport == Transport::WebSocket {
            return self.input(Input::Text { link, text: lines.join("\n").into() });
        }
        let block: String = lines.iter().map(|line| format!("data: {line}\n")).collect();
        self.input(Input::Chunk { link, bytes: format!("{block}\n").into() });
    }

    /// The server's clock goes with ours.
    fn clock(&self) -> String {
        CLOCK.replace("1360335600000", &(1_360_335_600_000 + self.now.as_micros() / 1000).to_string())
    }

    /// A heartbeat of a server whose clock goes with ours.
    fn beat_now(&self, head: &str) -> String {
        beat(head).replace(CLOCK, &self.clock())
    }

    fn fetched(&mut self, status: u16, body: &str) {
        let response = Response::new(status, body.to_owned());
        self.input(Input::Fetched { fetch: FetchId(self.fetch), outcome: Ok(response) });
    }

    fn snapshot(&mut self, at: &str) {
        let body =
            format!(r#"{{"positions":{{"flights":"{at}"}},"clock":{CLOCK},"aggregates":{{"counter-1":{{"n":1}}}}}}"#);
        self.fetched(200, &body);
    }

    fn fail(&mut self, kind: LinkFaultKind) {
        self.input(Input::Failed { link: LinkId(self.link), fault: LinkFault::new(kind, "") });
    }

    fn http(&mut self, status: u16, retry_after_s: Option<u64>) {
        let retry_after = retry_after_s.map(Duration::from_secs);
        self.fail(LinkFaultKind::Http { status, retry_after, content_type: None });
    }

    fn close(&mut self, code: Option<u16>) {
        self.input(Input::Closed { link: LinkId(self.link), code, reason: String::new() });
    }

    /// Time passes; every timer fires at its instant.
    fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some((at, _)) = self.feed.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Time passes on a link that answers pings and beats at `head`.
    fn pass_well(&mut self, seconds: u64, head: &str) {
        for _ in 0..seconds {
            self.pass(Duration::from_secs(1));
            self.input(Input::Pong { link: LinkId(self.link) });
            self.lines(&[&beat(head)]);
        }
    }

    /// The machine sleeps: time passes and nobody looks.
    fn sleep(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    fn status(&self) -> SourceStatus {
        self.feed.status()
    }

    fn phase(&self) -> Phase {
        self.feed.status().phase
    }

    fn cause(&self) -> String {
        self.status().cause.map(|cause| cause.text).unwrap_or_default()
    }

    /// What came out since the last look, pings left out.
    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }
}

/// An output as a line; none for what a test need not see.
fn line(output: &Output) -> Option<String> {
    Some(match output {
        Output::Open { link, request, .. } => format!("open {link} {}", request.url),
        Output::Ask { link, request, .. } => {
            let query = |key: &str| request.url.query_pairs().find(|(name, _)| name == key).expect("a parameter").1;
            format!("ask {link} {} {} {}", request.url.path(), query("cursor"), query("wait_ms"))
        }
        Output::Credential { .. } => "token?".to_owned(),
        Output::Send { message, .. } => {
            let text = message.as_text().expect("a hub's messages are texts");
            match (message.is_secret, text.contains("\"ping\"")) {
                (_, true) => return None,
                (true, _) => format!("authorise {text}"),
                (false, _) => format!("send {text}"),
            }
        }
        Output::StartTls { link } => format!("tls {link}"),
        Output::Exchange { number, .. } | Output::Post { number, .. } => format!("exchange {number}"),
        Output::Ping { .. } | Output::Status => return None,
        Output::Close { link } => format!("close {link}"),
        Output::Fetch { request, .. } => format!("fetch {}", request.url),
        Output::Deliver(Delivery::Events(events)) => {
            let place = |event: &watchfloor_model::Event| event.position.as_ref().map(ToString::to_string);
            format!("events {}", events.iter().filter_map(place).collect::<Vec<_>>().join(" "))
        }
        Output::Deliver(Delivery::Snapshot(snapshot)) => format!("snapshot {}", snapshot.positions["flights"]),
        Output::Deliver(Delivery::Restated(_) | Delivery::Recheck(_)) => "a site's".to_owned(),
        Output::Deliver(Delivery::Check(check)) => {
            let later = check.later.iter().filter_map(|event| event.position.as_ref()).map(|place| format!(" {place}"));
            format!("check {}{}", check.snapshot.positions["flights"], later.collect::<String>())
        }
        Output::Deliver(Delivery::Gap(gap)) => {
            let place = |place: &Option<watchfloor_model::Position>| {
                place.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
            };
            format!("gap {} to {} {}: {}", place(&gap.from), place(&gap.to), gap.proof.word(), gap.reason)
        }
    })
}

fn event(offset: u64) -> String {
    event_with(offset, r#"{"dest":"IAH"}"#)
}

fn event_with(offset: u64, data: &str) -> String {
    format!(r#"{{"type":"event","channel":"flights","position":"e:{offset}","name":"n","time":5,"data":{data}}}"#)
}

fn beat(head: &str) -> String {
    beat_behind(head, 0)
}

fn beat_behind(head: &str, behind: u64) -> String {
    format!(
        r#"{{"type":"heartbeat","clock":{CLOCK},"channels":{{"flights":{{"head":"{head}","behind":{behind},"idle_ms":100}}}}}}"#
    )
}

/// The answer to a subscription: recovered at `from`, or fresh at `head`.
fn subscribed(channel: &str, head: &str, from: Option<&str>) -> String {
    let (from, recovered) = from.map_or((head, false), |from| (from, true));
    format!(
        r#"{{"type":"subscribed","channel":"{channel}","head":"{head}","from":"{from}","recovered":{recovered},"reason":null}}"#
    )
}

const HELLO: &str =
    r#"{"type":"hello","protocol":1,"hub":"x","heartbeat_ms":1000,"clock":{"now":1,"speed":1,"label":null}}"#;

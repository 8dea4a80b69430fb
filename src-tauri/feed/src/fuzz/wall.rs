//! A source of which bytes decide everything that happens to it, and what holds whatever happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use watchfloor_fuzz::{Draws, mutated};
use watchfloor_model::{Delivery, Mono, Phase, Position, Transport};

use super::{LINES, SNAPSHOTS, config, told::Told};
use crate::{
    Credential, CredentialFault, Expiry, FetchId, Input, LinkFault, LinkFaultKind, LinkId, Output, Paths, Response,
    Secret,
};

/// Steps of one run at most.
const STEPS_MAX: usize = 200;
/// Timers that fire in one stretch of time at most, before the machine sleeps through the rest.
const FIRINGS_MAX: usize = 64;
/// Timers that may be due one after another at one instant: there are fewer than twenty kinds, for a link and its trial.
const DUE_AT_ONCE_MAX: usize = 100;

const LADDERS: [&[Transport]; 6] = [
    &[Transport::WebSocket],
    &[Transport::Sse],
    &[Transport::LongPoll],
    &[Transport::Poll],
    &Transport::LADDER,
    &[Transport::Sse, Transport::Poll],
];

struct Link {
    id: LinkId,
    transport: Transport,
    /// Everything that was handed over of it.
    heard: Vec<u8>,
}

pub(super) struct Wall {
    paths: Paths,
    now: Mono,
    links: Vec<Link>,
    fetches: Vec<FetchId>,
    questions: Vec<FetchId>,
    /// The newest offset that the server gave.
    head: u64,
    told: Told,
    /// Bytes that were handed over in the present step.
    step_bytes: usize,
}

impl Wall {
    pub(super) fn new(urls: usize, draws: &mut Draws<'_>) -> Self {
        let mut config = config(urls, draws.pick::<&[Transport]>(&LADDERS));
        let flags = draws.byte();
        config.reconcile = (flags & 1 != 0).then(|| Duration::from_secs(20));
        config.asks_token = flags & 2 != 0;
        config.token = (flags & 4 != 0).then(|| Secret::new("hidden"));
        let mut wall = Self {
            paths: Paths::new(&config, u64::from(flags)),
            now: Mono::from_millis(1000),
            links: Vec::new(),
            fetches: Vec::new(),
            questions: Vec::new(),
            head: 2,
            told: Told::default(),
            step_bytes: 0,
        };
        if flags & 8 != 0 {
            wall.paths.restore(&BTreeMap::from([("flights".into(), Position::new("e", 1))]));
        }
        wall.paths.start(wall.now);
        wall.drain();
        wall
    }

    pub(super) fn run(&mut self, draws: &mut Draws<'_>) {
        for _ in 0..STEPS_MAX {
            if draws.is_done() {
                return;
            }
            self.step_bytes = 0;
            self.step(draws);
            self.check();
        }
    }

    fn step(&mut self, draws: &mut Draws<'_>) {
        match draws.byte() % 24 {
            0..2 => self.with_link(draws, |link, _| Input::Opened { link }),
            2..4 => self.say(draws, &[&self.hello(), &self.subscribed("flights"), &self.subscribed("weather")]),
            4..6 => {
                self.head = self.head.saturating_add(1);
                let event = format!(
                    r#"{{"type":"event","channel":"flights","position":"e:{}","name":"n","time":5,"data":{{"n":1}}}}"#,
                    self.head
                );
                self.say(draws, &[&event]);
            }
            6..9 => self.say(draws, &[&self.beat()]),
            9..13 => {
                let line = mutated(&LINES, &mut Draws::new(draws.take(16)));
                let sound = self.beat();
                self.hand(draws, &[&line, sound.as_bytes()]);
            }
            13 => {
                let (count, beat) = (draws.below(64), self.beat());
                let raw = draws.take(count).to_vec();
                self.hand(draws, &[&raw, beat.as_bytes()]);
            }
            14 => self.with_link(draws, |link, _| Input::Pong { link }),
            15 => self.with_link(draws, |link, draws| {
                let code =
                    *draws.pick(&[None, Some(1000), Some(1001), Some(1008), Some(1013), Some(4001), Some(65535)]);
                Input::Closed { link, code, reason: "going away é".to_owned() }
            }),
            16 => self.with_link(draws, |link, draws| Input::Failed { link, fault: fault(draws) }),
            17 => {
                let body = format!(
                    r#"{{"positions":{{"flights":"e:{0}","weather":"e:0"}},"clock":{{"now":5,"speed":1}},"aggregates":{{}}}}"#,
                    self.head
                );
                self.fetched(draws, 200, body.into_bytes());
            }
            18 => {
                let body = mutated(&SNAPSHOTS, &mut Draws::new(draws.take(16)));
                self.fetched(draws, 200, body);
            }
            19 => {
                let status = *draws.pick(&[200, 204, 401, 404, 429, 503, 999]);
                self.fetched(draws, status, br#"{"status":"ok"}"#.to_vec());
            }
            20 => self.answer_question(draws),
            21 => match draws.byte() % 8 {
                0 => self.paths.try_now(self.now),
                1 => drop(self.paths.reconcile(self.now)),
                2 => self.paths.renew(self.now),
                3 => {
                    self.paths.stop(self.now);
                    self.drain();
                    self.paths.start(self.now);
                }
                4 => self.now = self.now.plus(Duration::from_millis(draws.millis() % 100_000_000)),
                _ => self.paths.handle_timeout(self.now),
            },
            _ => {
                let span = Duration::from_millis(draws.millis() % 100_000_000);
                self.pass(span);
            }
        }
        self.drain();
    }

    /// Time passes; timers fire at their instants, as many as there is patience for.
    fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        let mut firings = 0;
        while let Some((due, _)) = self.paths.poll_timeout().filter(|(due, _)| *due <= end) {
            firings += 1;
            if firings > FIRINGS_MAX {
                break;
            }
            self.now = self.now.max(due);
            self.settle();
        }
        self.now = end;
    }

    /// Fires what is due now. H5: it comes to an end.
    fn settle(&mut self) {
        for _ in 0..DUE_AT_ONCE_MAX {
            let Some((due, _)) = self.paths.poll_timeout() else { return };
            if due > self.now {
                return;
            }
            self.paths.handle_timeout(self.now);
            self.drain();
        }
        panic!("a hot loop: {:?} at {:?}", self.paths.poll_timeout(), self.now);
    }

    fn drain(&mut self) {
        // Besides what it hands over, a turn says a few things on each of two links, and each line leads to one at most.
        let most = 200 + self.step_bytes / 8;
        for _ in 0..most {
            let Some(output) = self.paths.poll_output() else { return };
            assert!(!format!("{output:?}").contains("hidden"), "H8");
            self.take(output);
        }
        panic!("more than {most} outputs");
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Open { link, transport, .. } => self.links.push(Link { id: link, transport, heard: Vec::new() }),
            Output::Ask { link, transport, .. } => {
                if !self.links.iter().any(|known| known.id == link) {
                    self.links.push(Link { id: link, transport, heard: Vec::new() });
                }
            }
            Output::Close { link } => self.links.retain(|known| known.id != link),
            Output::Fetch { fetch, .. } => keep(&mut self.fetches, fetch),
            Output::Credential { fetch, .. } => keep(&mut self.questions, fetch),
            Output::Deliver(delivery) => self.delivered(&delivery),
            Output::Send { .. }
            | Output::StartTls { .. }
            | Output::Exchange { .. }
            | Output::Post { .. }
            | Output::Ping { .. }
            | Output::Status => {}
        }
        // One that is followed and one on trial, for each of two paths.
        let open: BTreeSet<LinkId> = self.links.iter().map(|link| link.id).collect();
        assert!(open.len() == self.links.len() && open.len() <= 4, "H5: {open:?}");
    }

    fn delivered(&mut self, delivery: &Delivery) {
        if let Delivery::Events(events) = delivery {
            assert!(events.iter().all(|event| event.position.is_some()), "a hub's events have places");
        }
        self.told.take(delivery);
    }

    fn check(&mut self) {
        self.settle();
        let status = self.paths.status();
        assert!(status.paths.len() <= 2);
        let cause = status.cause.map(|cause| cause.text).unwrap_or_default();
        assert!(cause.len() < 8000, "{cause}");
        if status.phase != Phase::Live {
            return;
        }
        // H1: what is live was proven to be, on a link that stands.
        let has_beaten = |link: &Link| {
            let text = String::from_utf8_lossy(&link.heard);
            text.contains("heartbeat") || text.contains("\\u")
        };
        assert!(self.links.iter().any(has_beaten), "live without a heartbeat");
        assert!(status.link_proof.is_some_and(|proof| proof <= self.now));
        assert_eq!(cause, "", "live, and a reason why not");
    }

    fn hello(&self) -> String {
        format!(r#"{{"type":"hello","protocol":1,"hub":"x","heartbeat_ms":1000,"clock":{}}}"#, self.clock())
    }

    fn clock(&self) -> String {
        format!(r#"{{"now":{},"speed":1,"label":null}}"#, self.now.as_micros() / 1000)
    }

    fn subscribed(&self, channel: &str) -> String {
        let head = if channel == "flights" { self.head } else { 0 };
        format!(
            r#"{{"type":"subscribed","channel":"{channel}","head":"e:{head}","from":"e:{head}","recovered":false,"reason":null}}"#
        )
    }

    fn beat(&self) -> String {
        format!(
            r#"{{"type":"heartbeat","clock":{},"channels":{{"flights":{{"head":"e:{}","idle_ms":10}},"weather":{{"head":"e:0","idle_ms":null}}}}}}"#,
            self.clock(),
            self.head
        )
    }

    /// The link that something happens to: mostly the newest one, rarely one that nobody knows.
    fn link(&self, draws: &mut Draws<'_>) -> (LinkId, Transport) {
        let which = usize::from(draws.byte() % 16);
        match self.links.iter().rev().nth(which / 8) {
            Some(link) if which != 7 => (link.id, link.transport),
            _ => (LinkId(which as u64), Transport::WebSocket),
        }
    }

    fn with_link(&mut self, draws: &mut Draws<'_>, input: impl Fn(LinkId, &mut Draws<'_>) -> Input) {
        let (link, _) = self.link(draws);
        let input = input(link, draws);
        if matches!(input, Input::Closed { .. } | Input::Failed { .. }) {
            self.links.retain(|known| known.id != link);
        }
        self.input(input);
    }

    fn say(&mut self, draws: &mut Draws<'_>, lines: &[&str]) {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        self.hand(draws, &lines);
    }

    /// Hands lines over by a link as it would bring them; the last one is the heartbeat of an answer to a poll.
    fn hand(&mut self, draws: &mut Draws<'_>, lines: &[&[u8]]) {
        let (link, transport) = self.link(draws);
        let input = match transport {
            Transport::WebSocket => Input::Text { link, text: lines.join(&b'\n').into() },
            Transport::Sse => {
                let mut bytes = Vec::new();
                for line in lines {
                    bytes.extend(b"data: ");
                    bytes.extend(*line);
                    bytes.extend(b"\n\n");
                }
                let cut = bytes.len().saturating_sub(usize::from(draws.byte() / 8));
                let later = bytes.split_off(cut);
                self.heard(link, &bytes);
                self.input(Input::Chunk { link, bytes: bytes.into() });
                Input::Chunk { link, bytes: later.into() }
            }
            _ => {
                let beat = self.beat();
                let is_beat = |line: &[u8]| line.windows(9).any(|part| part == b"heartbeat");
                let (messages, heartbeat) = match lines.split_last() {
                    Some((last, before)) if is_beat(last) => (before, *last),
                    _ => (lines, beat.as_bytes()),
                };
                let cursor = format!("flights~e:{}|weather~e:0", self.head);
                let mut body = format!(r#"{{"cursor":"{cursor}","messages":["#).into_bytes();
                body.extend(messages.join(&b','));
                body.extend(br#"],"heartbeat":"#);
                body.extend(heartbeat);
                body.push(b'}');
                Input::Answered { link, head: crate::port::Head::default(), body: body.into() }
            }
        };
        if let Input::Text { text: bytes, .. } | Input::Chunk { bytes, .. } | Input::Answered { body: bytes, .. } =
            &input
        {
            self.heard(link, &bytes.clone());
        }
        self.input(input);
    }

    fn heard(&mut self, link: LinkId, bytes: &[u8]) {
        self.step_bytes += bytes.len();
        self.links.iter_mut().filter(|known| known.id == link).for_each(|known| known.heard.extend(bytes));
    }

    fn fetched(&mut self, draws: &mut Draws<'_>, status: u16, body: Vec<u8>) {
        let flags = draws.byte();
        let fetch = match self.fetches.pop() {
            Some(fetch) if flags % 8 != 7 => fetch,
            _ => FetchId(u64::from(flags)),
        };
        self.step_bytes += body.len();
        let retry_after = (flags & 16 != 0).then(|| Duration::from_secs(draws.number()));
        let outcome = if flags & 32 != 0 {
            Err(fault(draws))
        } else {
            Ok(Response { retry_after, ..Response::new(status, body) })
        };
        self.input(Input::Fetched { fetch, outcome });
    }

    fn answer_question(&mut self, draws: &mut Draws<'_>) {
        let Some(fetch) = self.questions.pop() else { return };
        let at = self.now.plus(Duration::from_millis(draws.millis()));
        let expiry = *draws.pick(&[Expiry::Unknown, Expiry::About(at), Expiry::At(at), Expiry::At(Mono::ZERO)]);
        let outcome = match draws.byte() % 8 {
            0 => Err(CredentialFault::new("no")),
            1 => Err(CredentialFault { denied: true, ..CredentialFault::new("no") }),
            2 => Err(CredentialFault {
                retry_after: Some(Duration::from_millis(draws.number())),
                ..CredentialFault::new("")
            }),
            _ => Ok(Credential { token: Secret::new("hidden"), expiry }),
        };
        self.input(Input::Credential { fetch, outcome });
    }

    fn input(&mut self, input: Input) {
        self.paths.handle_input(input, self.now);
        self.drain();
    }
}

/// The newest few: an older one may be answered late, or never.
fn keep<T>(names: &mut Vec<T>, name: T) {
    names.push(name);
    if names.len() > 8 {
        names.remove(0);
    }
}

fn fault(draws: &mut Draws<'_>) -> LinkFault {
    let retry_after = draws.once_in(2).then(|| Duration::from_secs(draws.number()));
    let content_type = draws.once_in(2).then(|| "text/html; charset=é".to_owned());
    let status = *draws.pick(&[200, 204, 301, 401, 403, 404, 410, 429, 503, 0]);
    let kinds = [
        LinkFaultKind::Refused,
        LinkFaultKind::Unreachable,
        LinkFaultKind::Reset,
        LinkFaultKind::Dns,
        LinkFaultKind::Tls,
        LinkFaultKind::Proxy { refuses: retry_after.is_some() },
        LinkFaultKind::Http { status, retry_after, content_type },
        LinkFaultKind::Timeout,
        LinkFaultKind::TooBig,
        LinkFaultKind::Protocol,
        LinkFaultKind::Other,
    ];
    LinkFault::new(draws.pick(&kinds).clone(), "words")
}

//! A source and a server of any protocol, of which bytes decide what either does, and what holds whatever was said. Each protocol's
//! `hostile` target brings its own server; what they have in common is here.
//!
//! The server says what is sound, what was sound before it was broken, and anything. In the end it is sound again, and must be followed.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use watchfloor_fuzz::{Draws, mutated};
use watchfloor_model::{Delivery, Mono, Phase, Timestamp, Transport};

use super::{
    server::{Asked, fault, head},
    told::Told,
};
use crate::{Credential, Expiry, Feed, Head, Input, LinkId, Output, Request, Secret, SourceConfig};

pub(crate) use super::server::{Link, Said, Server};

/// Steps of one run at most.
const STEPS_MAX: usize = 80;
/// Timers that may be due one after another at one instant: there are fewer than twenty kinds, for a link and its trial.
const DUE_AT_ONCE_MAX: usize = 100;
/// Timers that fire in one stretch of time at most, before the machine sleeps through the rest.
const FIRINGS_MAX: usize = 64;
/// What a turn does besides what the bytes in it lead to.
const OUTPUTS_MAX: usize = 300;
/// How often the source may ask within one instant, before it is left without an answer.
const ANSWERS_MAX: usize = 60;
/// How often a sound server is tried, or time passes until it is, before it must be followed.
const TRIES_MAX: usize = 400;
/// How long a sound server takes to say something next.
const ROUND: Duration = Duration::from_millis(200);
/// Of so many sound answers one is broken, one isn't given, and one is given twice.
const BROKEN_ONE_IN: usize = 12;
/// Of so many chunks one comes in two.
const CUT_ONE_IN: usize = 4;
/// Published numbers, each said in so many digits, of which the first two are these.
const DIGITS: usize = 7;
const FIRST: &[u8] = b"77";
const NUMBERS_FROM: u64 = 7_700_000;

/// The conversation.
pub(crate) struct Talk<S> {
    feed: Feed,
    server: S,
    limit: Duration,
    now: Mono,
    links: Vec<Link>,
    told: Told,
    /// How often each number was said, and told.
    said: BTreeMap<u64, u32>,
    events: BTreeMap<u64, u32>,
    number: u64,
    step_bytes: usize,
}

/// Talks as the draws say.
pub(crate) fn talk<S: Server>(config: SourceConfig, server: S, draws: &mut Draws<'_>) {
    let mut talk = Talk::new(config, server);
    for _ in 0..STEPS_MAX {
        if draws.is_done() {
            break;
        }
        talk.step(draws);
        talk.check();
    }
    talk.is_followed();
}

/// Talks as a sound server does; or a target would look at nothing but the first refusal.
pub(crate) fn sound<S: Server>(config: SourceConfig, server: S) {
    Talk::new(config, server).is_followed();
}

impl<S: Server> Talk<S> {
    fn new(mut config: SourceConfig, server: S) -> Self {
        let limit = config.limit;
        // H8: nobody may see it.
        config.token = config.token.map(|_| Secret::new("hidden"));
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        let mut talk = Self {
            feed,
            server,
            limit,
            now: Mono::from_millis(1000),
            links: Vec::new(),
            told: Told::default(),
            said: BTreeMap::new(),
            events: BTreeMap::new(),
            number: NUMBERS_FROM,
            step_bytes: 0,
        };
        talk.feed.start(talk.now);
        talk.drain();
        talk
    }

    fn step(&mut self, draws: &mut Draws<'_>) {
        match draws.byte() % 24 {
            0..7 => self.serve(draws),
            7..10 => self.publish(draws),
            10..15 => {
                let said = self.server.breaks(&mut Draws::new(draws.take(24)));
                self.say(said, draws);
            }
            15 => {
                let count = draws.below(64);
                let raw = draws.take(count).to_vec();
                self.say(Said::Plain(raw), draws);
            }
            16 => {
                let head = head(draws);
                let body = self.server.breaks(&mut Draws::new(draws.take(24))).bytes().to_vec();
                self.say(Said::Answer(head, body), draws);
            }
            17 => self.pong(),
            18 => {
                let code = *draws.pick(&[None, Some(1000), Some(1001), Some(1013), Some(3005), Some(4001)]);
                self.end(|link| Input::Closed { link, code, reason: "going away é".to_owned() });
            }
            19 => {
                let fault = fault(draws);
                self.end(|link| Input::Failed { link, fault });
            }
            // What was asked is never answered.
            20 => self.links.iter_mut().for_each(|link| link.asked.clear()),
            _ => self.pass(Duration::from_millis(draws.millis() % 100_000)),
        }
    }

    /// Answers what was asked until nothing more is, soundly but for what the draws say.
    fn serve(&mut self, draws: &mut Draws<'_>) {
        if self.links.last().is_some_and(|link| link.is_open) {
            self.server.idles().into_iter().for_each(|said| self.say(said, draws));
        }
        if let Some(request) = self.links.last().and_then(|link| link.waits.clone()) {
            self.server.polled(&request).into_iter().for_each(|said| self.say(said, draws));
        }
        for _ in 0..ANSWERS_MAX {
            let next = self.links.last_mut().and_then(|link| Some((link.id, link.asked.pop_front()?)));
            let Some((link, asked)) = next else { return };
            let answers = match asked {
                Asked::Open(request) => self.open(link, &request),
                Asked::Send(message) => self.server.heard(&message),
                Asked::Poll(request) => {
                    let answer = self.server.polled(&request);
                    self.links
                        .iter_mut()
                        .filter(|known| known.id == link)
                        .for_each(|known| known.waits = Some(request.clone()));
                    answer.into_iter().collect()
                }
                Asked::Post(number, request) => {
                    let outcome = Ok(self.server.posted(&request));
                    self.input(Input::Exchanged { link, number, outcome });
                    Vec::new()
                }
                Asked::Ping => {
                    self.pong();
                    Vec::new()
                }
            };
            for said in answers {
                if draws.once_in(BROKEN_ONE_IN) {
                    let bytes = mutated(&[said.bytes()], &mut Draws::new(draws.take(12)));
                    self.say(said.with(bytes), draws);
                } else if draws.once_in(BROKEN_ONE_IN) {
                    self.say(said.clone(), draws);
                    self.say(said, draws);
                } else if !draws.once_in(BROKEN_ONE_IN) {
                    self.say(said, draws);
                }
            }
        }
    }

    fn open(&mut self, link: LinkId, request: &Request) -> Vec<Said> {
        let Some(known) = self.links.iter_mut().find(|known| known.id == link) else { return Vec::new() };
        known.is_open = true;
        known.heard_at = self.now;
        let is_stream = known.transport == Transport::Sse;
        let said = self.server.opened(request);
        self.input(Input::Opened { link });
        if is_stream {
            self.input(Input::Head { link, head: Head::default() });
        }
        said
    }

    fn publish(&mut self, draws: &mut Draws<'_>) {
        self.number += 1;
        self.server.publishes(self.number).into_iter().for_each(|said| self.say(said, draws));
    }

    /// Says something on the newest link, as that brings it.
    fn say(&mut self, said: Said, draws: &mut Draws<'_>) {
        let Some(link) = self.links.last_mut() else { return };
        let (id, transport) = (link.id, link.transport);
        let is_polled = matches!(transport, Transport::LongPoll | Transport::Poll);
        if is_polled && link.waits.take().is_none() || !is_polled && !link.is_open {
            return;
        }
        link.is_open = true;
        link.heard_at = self.now;
        let known = link.heard.len().saturating_sub(DIGITS - 1);
        link.heard.extend(said.bytes());
        count(&link.heard[known..], &mut self.said);
        self.step_bytes = said.bytes().len();
        match (transport, said) {
            (Transport::WebSocket, Said::Binary(bytes)) => self.input(Input::Binary { link: id, bytes: bytes.into() }),
            (Transport::WebSocket, said) => {
                // A WebSocket's texts are UTF-8, or they don't come this far.
                let text = String::from_utf8_lossy(said.bytes()).into_owned();
                self.input(Input::Text { link: id, text: text.into() });
            }
            (_, Said::Answer(head, body)) if is_polled => {
                self.input(Input::Answered { link: id, head, body: body.into() });
            }
            (_, said) if is_polled => {
                self.input(Input::Answered { link: id, head: Head::default(), body: said.bytes().to_vec().into() });
            }
            (_, said) => {
                let bytes = said.bytes();
                let at = if draws.once_in(CUT_ONE_IN) { draws.below(bytes.len() + 1) } else { bytes.len() };
                let (first, rest) = bytes.split_at(at);
                self.input(Input::Chunk { link: id, bytes: first.to_vec().into() });
                if !rest.is_empty() {
                    self.input(Input::Chunk { link: id, bytes: rest.to_vec().into() });
                }
            }
        }
        // What comes next is another message.
        if transport == Transport::WebSocket || is_polled {
            self.links.iter_mut().filter(|link| link.id == id).for_each(|link| link.heard.push(b'\n'));
        }
    }

    fn pong(&mut self) {
        let Some(link) = self.links.last_mut().filter(|link| link.is_open) else { return };
        link.pongs += 1;
        link.heard_at = self.now;
        let link = link.id;
        self.input(Input::Pong { link });
    }

    fn end(&mut self, how: impl FnOnce(LinkId) -> Input) {
        let Some(link) = self.links.pop() else { return };
        self.input(how(link.id));
    }

    fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
        self.settle();
        self.step_bytes = 0;
    }

    /// Time passes; timers fire at their instants, as many as there is patience for.
    fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        for _ in 0..FIRINGS_MAX {
            let Some((due, _)) = self.feed.poll_timeout().filter(|(due, _)| *due <= end) else { break };
            self.now = self.now.max(due);
            self.settle();
            self.check();
        }
        self.now = end;
    }

    /// Fires what is due now. H5: it comes to an end.
    fn settle(&mut self) {
        for _ in 0..DUE_AT_ONCE_MAX {
            if self.feed.poll_timeout().is_none_or(|(due, _)| due > self.now) {
                return;
            }
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        panic!("H5: a hot loop: {:?} at {:?}", self.feed.poll_timeout(), self.now);
    }

    fn drain(&mut self) {
        let most = OUTPUTS_MAX + self.step_bytes;
        for _ in 0..most {
            let Some(output) = self.feed.poll_output() else { return };
            assert!(!format!("{output:?}").contains("hidden"), "H8: {output:?}");
            self.take(output);
            assert!(self.links.len() <= 2, "H5: {:?}", self.links);
        }
        panic!("H5: more than {most} outputs");
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Open { link, transport, request } => {
                self.link(link, transport).asked.push_back(Asked::Open(request));
            }
            Output::Ask { link, transport, request, .. } => {
                let link = self.link(link, transport);
                link.waits = None;
                link.asked.push_back(Asked::Poll(request));
            }
            Output::Send { link, message } => self.ask(link, Asked::Send(message.into_bytes())),
            Output::Post { link, number, request, .. } => self.ask(link, Asked::Post(number, request)),
            Output::Ping { link } => self.ask(link, Asked::Ping),
            Output::Close { link } => self.links.retain(|known| known.id != link),
            Output::Deliver(delivery) => self.delivered(&delivery),
            Output::Credential { fetch, .. } => {
                let outcome = Ok(Credential { token: Secret::new("hidden"), expiry: Expiry::Unknown });
                self.feed.handle_input(Input::Credential { fetch, outcome }, self.now);
            }
            Output::Fetch { fetch, request, .. } => {
                let outcome = Ok(self.server.posted(&request));
                self.feed.handle_input(Input::Fetched { fetch, outcome }, self.now);
            }
            Output::Exchange { .. } | Output::StartTls { .. } | Output::Status => {}
        }
    }

    fn link(&mut self, id: LinkId, transport: Transport) -> &mut Link {
        let at = self.links.iter().position(|link| link.id == id).unwrap_or_else(|| {
            let (asked, heard) = (VecDeque::new(), Vec::new());
            let (is_open, waits, pongs, heard_at) = (false, None, 0, self.now);
            self.links.push(Link { id, transport, is_open, asked, waits, heard, pongs, heard_at });
            self.links.len() - 1
        });
        &mut self.links[at]
    }

    fn ask(&mut self, link: LinkId, asked: Asked) {
        let known = self.links.iter_mut().find(|known| known.id == link).expect("a link that is wanted");
        known.asked.push_back(asked);
    }

    /// H3: no event that wasn't said, and none more often than it was.
    fn delivered(&mut self, delivery: &Delivery) {
        self.told.take(delivery);
        let Delivery::Events(events) = delivery else { return };
        for event in events.iter().filter(|event| !self.server.says_again(event)) {
            count(event.data.text().as_bytes(), &mut self.events);
        }
        for (number, told) in &self.events {
            let said = self.said.get(number).copied().unwrap_or_default();
            assert!(*told <= said, "H3: {number} was said {said} times and told {told} times");
        }
    }

    fn check(&mut self) {
        self.settle();
        let status = self.feed.status();
        let cause = status.cause.as_ref().map(|cause| cause.text.as_str()).unwrap_or_default();
        assert!(cause.len() < 8000, "H5: {cause}");
        if status.phase != Phase::Live {
            return;
        }
        // H1: what is live was proven to be, by what came on a link that stands, and no longer ago than it may.
        assert_eq!(cause, "", "H1: live, and a reason why not");
        let proof = status.link_proof.expect("H1: a proof");
        assert!(proof <= self.now && self.now.since(proof) <= self.limit, "H1: of {proof:?}, at {:?}", self.now);
        let mut open = self.links.iter().filter(|link| link.is_open);
        assert!(open.any(|link| link.heard_at >= proof && self.server.proves(link)), "H1: {proof:?}: {:?}", self.links);
    }

    /// H2, H3: whatever was said before, a server that is sound now is followed in the end, and each of what happens from then on is told,
    /// unless a gap says why not.
    fn is_followed(&mut self) {
        let calm = &mut Draws::new(&[]);
        // What was said on a link that stands may still stand in the way there.
        while !self.links.is_empty() {
            self.end(|link| Input::Closed { link, code: None, reason: String::new() });
        }
        for _ in 0..TRIES_MAX {
            self.serve(calm);
            self.check();
            if self.feed.status().phase == Phase::Live {
                break;
            }
            let next = self.feed.poll_timeout().map_or(Duration::ZERO, |(due, _)| due.since(self.now));
            self.pass(if self.links.is_empty() { next } else { next.min(ROUND) }.max(Duration::from_millis(1)));
        }
        let (first, gaps) = (self.number + 1, self.feed.status().counts.gaps_unknown);
        for _ in 0..20 {
            self.publish(calm);
            for _ in 0..5 {
                self.serve(calm);
                self.pass(ROUND);
            }
            self.check();
        }
        for _ in 0..20 {
            self.serve(calm);
            self.pass(ROUND);
        }
        let status = self.feed.status();
        assert_eq!(status.phase, Phase::Live, "H2: {status:?}");
        let missing: Vec<u64> = (first..=self.number).filter(|number| !self.events.contains_key(number)).collect();
        assert!(missing.is_empty() || status.counts.gaps_unknown > gaps, "H3: {missing:?}");
        assert!(!format!("{:?}", self.feed).contains("hidden"), "H8");
    }
}

/// Counts the numbers that stand somewhere.
fn count(text: &[u8], counts: &mut BTreeMap<u64, u32>) {
    for start in memchr::memchr_iter(FIRST[0], text) {
        let digits = text.get(start..start + DIGITS).filter(|digits| digits.starts_with(FIRST));
        let Some(digits) = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit)) else { continue };
        let number = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        *counts.entry(number).or_default() += 1;
    }
}

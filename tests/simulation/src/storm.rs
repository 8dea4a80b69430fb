//! Many walls lose one server at once: when do they come back?

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use watchfloor_feed::{Feed, Input, LinkFault, LinkFaultKind, LinkId, Output, Response, SourceConfig};
use watchfloor_model::{Mono, Phase, Transport};

use crate::{board_file::URL, draw::Draw};

/// How the server goes, and comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It says goodbye with 1001 and is back at once.
    Goodbye,
    /// Every connection breaks, and it is back after so many seconds, in which nobody listens.
    Away(u64),
    /// The same, and for five seconds more it answers 503 with `Retry-After: 5`.
    Busy(u64),
}

/// When requests for a link reached the server that was back, in microseconds since then.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// In order.
    pub at: Vec<u64>,
    /// Walls that are live in the end.
    pub live: usize,
    /// Requests while it was away.
    pub in_vain: usize,
}

/// Requests a second at their densest and in the mean, and over how long they came.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// The most in a twentieth of the time, as a rate a second.
    pub peak: f64,
    /// All, over the time.
    pub mean: f64,
    /// Until all but one in a hundred had come, in seconds.
    pub window: f64,
}

impl Arrivals {
    /// How dense they came. None came: all zero.
    #[must_use]
    pub fn rate(&self) -> Rate {
        let Some(window) = self.at.get(self.at.len() * 99 / 100).copied() else {
            return Rate { peak: 0.0, mean: 0.0, window: 0.0 };
        };
        let bins = self.bins(window, 20);
        let second = window as f64 / 1e6;
        let most = bins.iter().max().copied().unwrap_or(0) as f64;
        Rate { peak: most * 20.0 / second, mean: bins.iter().sum::<usize>() as f64 / second, window: second }
    }

    /// How many came in each of so many equal parts of the time.
    #[must_use]
    pub fn bins(&self, window: u64, count: usize) -> Vec<usize> {
        let mut bins = vec![0; count];
        for at in self.at.iter().filter(|at| **at < window) {
            let bin = usize::try_from(u128::from(*at) * count as u128 / u128::from(window.max(1))).unwrap_or(0);
            bins[bin] += 1;
        }
        bins
    }
}

const LIMIT: Duration = Duration::from_secs(30);
/// Until all are live, whenever they began.
const WARM: Mono = Mono::from_millis(20_000);
const HEARTBEAT: Duration = Duration::from_secs(10);

enum Action {
    Start,
    Timer,
    Input(Input),
    Accept(LinkId),
    Subscribe(LinkId),
    Heartbeat(LinkId),
    Break,
}

struct Event(Mono, u64, usize, Action);

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

struct Storm {
    walls: Vec<Feed>,
    link: Vec<Option<LinkId>>,
    timer: Vec<Option<Mono>>,
    queue: BinaryHeap<Reverse<Event>>,
    sequence: u64,
    draw: Draw,
    now: Mono,
    loss: Loss,
    arrivals: Arrivals,
}

/// So many walls lose the server.
#[must_use]
pub fn storm(walls: usize, loss: Loss, seed: u64) -> Arrivals {
    let mut draw = Draw::new(seed);
    let config = SourceConfig {
        ladder: vec![Transport::WebSocket],
        ..SourceConfig::plain(
            "ops",
            watchfloor_feed::Kind::Hub,
            URL.parse().unwrap_or_else(|error| unreachable!("{error}")),
            vec!["c0".into()],
            LIMIT,
        )
    };
    let feeds = (0..walls).map(|_| Feed::new(config.clone(), draw.number())).collect();
    let mut storm = Storm {
        walls: feeds,
        link: vec![None; walls],
        timer: vec![None; walls],
        queue: BinaryHeap::new(),
        sequence: 0,
        draw,
        now: Mono::ZERO,
        loss,
        arrivals: Arrivals { at: Vec::new(), live: 0, in_vain: 0 },
    };
    storm.run();
    storm.arrivals.at.sort_unstable();
    storm.arrivals.live = storm.walls.iter().filter(|wall| wall.status().phase == Phase::Live).count();
    storm.arrivals
}

impl Storm {
    fn back(&self) -> Mono {
        match self.loss {
            Loss::Goodbye => WARM,
            Loss::Away(seconds) | Loss::Busy(seconds) => WARM.plus(Duration::from_secs(seconds)),
        }
    }

    fn run(&mut self) {
        for wall in 0..self.walls.len() {
            let at = Mono::ZERO.plus(self.draw.millis(0, 5_000));
            self.at(at, wall, Action::Start);
        }
        self.at(WARM, 0, Action::Break);
        let end = self.back().plus(Duration::from_secs(70));
        while let Some(Reverse(Event(at, _, wall, action))) = self.queue.pop() {
            if at > end {
                return;
            }
            self.now = at;
            self.act(wall, action);
            if !self.queue.is_empty() {
                self.drain(wall);
            }
        }
    }

    fn at(&mut self, at: Mono, wall: usize, action: Action) {
        self.sequence += 1;
        self.queue.push(Reverse(Event(at, self.sequence, wall, action)));
    }

    fn soon(&mut self, wall: usize, action: Action) {
        let at = self.now.plus(self.draw.millis(1, 20));
        self.at(at, wall, action);
    }

    fn act(&mut self, wall: usize, action: Action) {
        let now = self.now;
        match action {
            Action::Start => self.walls[wall].start(now),
            Action::Timer => {
                if self.walls[wall].poll_timeout().is_some_and(|(at, _)| at <= now) {
                    self.walls[wall].handle_timeout(now);
                }
            }
            Action::Input(input) => self.walls[wall].handle_input(input, now),
            Action::Accept(link) => self.accept(wall, link),
            Action::Subscribe(link) => {
                let lines = format!(
                    "{}\n{}",
                    r#"{"type":"subscribed","channel":"c0","head":"e1:5","from":"e1:5","recovered":true,"reason":null}"#,
                    self.beat()
                );
                self.soon(wall, Action::Input(Input::Text { link, text: lines.into() }));
                self.at(now.plus(HEARTBEAT), wall, Action::Heartbeat(link));
            }
            Action::Heartbeat(link) => {
                if self.link[wall] == Some(link) {
                    let text = self.beat().into();
                    self.walls[wall].handle_input(Input::Text { link, text }, now);
                    self.at(now.plus(HEARTBEAT), wall, Action::Heartbeat(link));
                }
            }
            Action::Break => {
                for wall in 0..self.walls.len() {
                    let Some(link) = self.link[wall].take() else { continue };
                    let input = match self.loss {
                        Loss::Goodbye => Input::Closed { link, code: Some(1001), reason: String::new() },
                        Loss::Away(_) | Loss::Busy(_) => {
                            Input::Failed { link, fault: LinkFault::new(LinkFaultKind::Reset, "") }
                        }
                    };
                    self.soon(wall, Action::Input(input));
                }
            }
        }
    }

    fn beat(&self) -> String {
        let clock = 1_360_335_600_000 + self.now.as_micros() / 1000;
        format!(
            r#"{{"type":"heartbeat","clock":{{"now":{clock},"speed":1,"label":null}},"channels":{{"c0":{{"head":"e1:5","behind":0,"idle_ms":5}}}}}}"#
        )
    }

    fn accept(&mut self, wall: usize, link: LinkId) {
        let (now, back) = (self.now, self.back());
        let fault = if now >= WARM && now < back {
            self.arrivals.in_vain += 1;
            Some(LinkFaultKind::Refused)
        } else if now >= back && matches!(self.loss, Loss::Busy(_)) && now < back.plus(Duration::from_secs(5)) {
            let retry_after = Some(Duration::from_secs(5));
            Some(LinkFaultKind::Http { status: 503, retry_after, content_type: None })
        } else {
            None
        };
        if now >= back && now >= WARM {
            let since = now.since(back);
            self.arrivals.at.push(u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
        }
        match fault {
            Some(kind) => self.soon(wall, Action::Input(Input::Failed { link, fault: LinkFault::new(kind, "") })),
            None => {
                self.link[wall] = Some(link);
                self.soon(wall, Action::Input(Input::Opened { link }));
            }
        }
    }

    fn drain(&mut self, wall: usize) {
        while let Some(output) = self.walls[wall].poll_output() {
            match output {
                Output::Open { link, .. } => self.soon(wall, Action::Accept(link)),
                Output::Send { link, message }
                    if message.as_text().is_some_and(|text| text.contains(r#""type":"subscribe""#)) =>
                {
                    self.soon(wall, Action::Subscribe(link));
                }
                Output::Ping { link } if self.link[wall] == Some(link) => {
                    self.soon(wall, Action::Input(Input::Pong { link }));
                }
                Output::Fetch { fetch, .. } => {
                    let body = r#"{"positions":{"c0":"e1:5"},"clock":{"now":1360335600000,"speed":1,"label":null},"since":null,"aggregates":{"a":{}}}"#;
                    let outcome = Ok(Response::new(200, body));
                    self.soon(wall, Action::Input(Input::Fetched { fetch, outcome }));
                }
                Output::Close { .. } => self.link[wall] = None,
                _ => {}
            }
        }
        let next = self.walls[wall].poll_timeout().map(|(at, _)| at.max(self.now));
        if next.is_some() && next != self.timer[wall] {
            self.timer[wall] = next;
            if let Some(at) = next {
                self.at(at, wall, Action::Timer);
            }
        }
    }
}

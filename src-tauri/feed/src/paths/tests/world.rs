//! A server with one channel, and a network a path that loses links, stands still, and lets no one in.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use watchfloor_model::{Continuity, Delivery, Gap, Mono, Phase, Position, Transport};

use crate::{Input, LinkFault, LinkFaultKind, LinkId, Output, Paths, Response, SourceConfig, random::Random};

const LIMIT: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(100);
/// Events in the server's history.
const HISTORY: u64 = 12;

/// Every so many events there is one that nobody can read.
const UNREADABLE: u64 = 17;

/// A place: history and offset.
pub(super) type Place = (u64, u64);

struct Link {
    path: usize,
    /// Up to where it was sent; none before it is subscribed.
    cursor: Option<Place>,
    /// What was sent and hasn't arrived, with what it proves.
    sent: VecDeque<String>,
    /// Nothing arrives any more, and nobody says so.
    still: bool,
    beat_at: Mono,
}

pub(super) struct World {
    pub(super) paths: Paths,
    pub(super) now: Mono,
    random: Random,
    count: usize,
    /// Each path's server: its history and its head. All but a foreign one are the same.
    epochs: Vec<u64>,
    heads: BTreeMap<u64, u64>,
    published: BTreeMap<Place, Mono>,
    links: BTreeMap<LinkId, Link>,
    blocked: Vec<bool>,
    /// Up to where the wall was told.
    pub(super) wall: Place,
    pub(super) gaps: u64,
    pub(super) last_gap: Option<Gap>,
    gap_open: bool,
    pub(super) changes_of_lead: u64,
    pub(super) losses_unseen: u64,
    live_paths: usize,
    /// By how many events each path's server is behind the first.
    pub(super) lags: Vec<u64>,
}

impl World {
    pub(super) fn new(seed: u64, count: usize) -> Self {
        let url = |number: usize| format!("https://{}.example/", ["a", "b", "c"][number]).parse().expect("an address");
        let config = SourceConfig {
            redundant: (1..count).map(url).collect(),
            ladder: vec![Transport::WebSocket],
            ..SourceConfig::plain("ops", crate::Kind::Hub, url(0), vec![Arc::from("flights")], LIMIT)
        };
        let mut world = Self {
            paths: Paths::new(&config, seed),
            now: Mono::from_millis(1000),
            random: Random::new(seed ^ 0xBEEF),
            count,
            epochs: vec![1; count],
            heads: BTreeMap::from([(1, 3)]),
            published: BTreeMap::new(),
            links: BTreeMap::new(),
            blocked: vec![false; count],
            wall: (0, 0),
            gaps: 0,
            last_gap: None,
            gap_open: false,
            changes_of_lead: 0,
            losses_unseen: 0,
            live_paths: 0,
            lags: vec![0; count],
        };
        world.paths.start(world.now);
        world.drain();
        world
    }

    fn below(&mut self, most: u64) -> u64 {
        u64::try_from(self.random.up_to(Duration::from_micros(most - 1)).as_micros()).expect("small")
    }

    pub(super) fn head(&self) -> Place {
        readable((self.epochs[0], self.heads[&self.epochs[0]]))
    }

    /// How many events of the history nobody can read.
    pub(super) fn unreadable(&self) -> u64 {
        self.heads[&self.epochs[0]] / UNREADABLE
    }

    pub(super) fn head_place(&self) -> String {
        place(self.epochs[0], self.heads[&self.epochs[0]])
    }

    /// One thing happens, and a while passes.
    pub(super) fn act(&mut self) {
        let path = usize::try_from(self.below(self.count as u64)).expect("small");
        match self.below(100) {
            0..35 => (0..=self.below(4)).for_each(|_| self.publish()),
            35..40 => (0..=self.below(60)).for_each(|_| self.publish()),
            40..55 => self.cut(path),
            55..60 => self.stand_still(path),
            60..68 => self.block(path),
            68..90 => self.unblock(path),
            90..93 => self.restart_server(),
            _ => {}
        }
        let span = Duration::from_millis(100 * (1 + self.below(25)));
        self.pass(span);
    }

    pub(super) fn publish(&mut self) {
        self.publish_at(0);
    }

    /// Something happens at the server that this path leads to.
    pub(super) fn publish_at(&mut self, path: usize) {
        let epoch = self.epochs[path];
        let head = self.heads.entry(epoch).or_default();
        *head += 1;
        self.published.insert((epoch, *head), self.now);
    }

    fn restart_server(&mut self) {
        let epoch = self.heads.keys().max().expect("a history") + 1;
        self.heads.insert(epoch, 0);
        self.epochs.fill(epoch);
        (0..self.count).for_each(|path| self.cut(path));
    }

    /// The path leads to a server of its own from now on.
    pub(super) fn make_foreign(&mut self, path: usize) {
        let epoch = self.heads.keys().max().expect("a history") + 1;
        self.heads.insert(epoch, 7);
        self.epochs[path] = epoch;
    }

    fn cut(&mut self, path: usize) {
        let gone: Vec<LinkId> = self.links.iter().filter(|(_, link)| link.path == path).map(|(id, _)| *id).collect();
        for link in gone {
            self.links.remove(&link);
            let fault = LinkFault::new(LinkFaultKind::Reset, "");
            self.input(Input::Failed { link, fault });
        }
    }

    pub(super) fn block(&mut self, path: usize) {
        self.blocked[path] = true;
        self.cut(path);
    }

    /// Nothing arrives by the path any more, and nobody says so; nor is it let in again.
    pub(super) fn stand_still(&mut self, path: usize) {
        self.blocked[path] = true;
        self.links.values_mut().filter(|link| link.path == path).for_each(|link| link.still = true);
    }

    pub(super) fn unblock(&mut self, path: usize) {
        self.blocked[path] = false;
    }

    pub(super) fn heal_path(&mut self, path: usize) {
        self.unblock(path);
        self.pass(Duration::from_secs(90));
    }

    /// Everything works again, for long enough.
    pub(super) fn heal(&mut self) {
        self.blocked.fill(false);
        self.pass(Duration::from_secs(120));
        assert_eq!(self.paths.status().phase, Phase::Live);
    }

    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while self.now < end {
            self.now = self.now.plus(STEP);
            while self.paths.poll_timeout().is_some_and(|(due, _)| due <= self.now) {
                self.paths.handle_timeout(self.now);
                self.drain();
            }
            self.serve();
            self.check();
        }
    }

    /// The server sends, and what was sent arrives.
    fn serve(&mut self) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            let Some(link) = self.links.get_mut(&id).filter(|link| !link.still) else { continue };
            let Some((epoch, at)) = link.cursor else { continue };
            let head = self.heads[&epoch].saturating_sub(self.lags[link.path]);
            // The second path is the slower one.
            let most = if link.path == 0 { 8 } else { 1 };
            let to = head.min(at + most).max(at);
            link.cursor = Some((epoch, to));
            let mut lines: Vec<String> = link.sent.drain(..).collect();
            lines.extend((at + 1..=to).map(|offset| event(epoch, offset)));
            if link.beat_at <= self.now {
                link.beat_at = self.now.plus(HEARTBEAT);
                lines.push(beat(epoch, to, head - to, self.now));
            }
            if !lines.is_empty() {
                self.input(Input::Text { link: id, text: lines.join("\n").into() });
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.paths.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.paths.poll_output() {
            match output {
                Output::Open { link, request, .. } => {
                    let path = ["a", "b", "c"]
                        .iter()
                        .position(|name| request.url.host_str() == Some(&format!("{name}.example")));
                    self.open(link, path.expect("one of the addresses"));
                }
                Output::Send { link, message } => self.take(link, message.as_text().unwrap_or_default()),
                Output::Ping { link } => {
                    if self.links.get(&link).is_some_and(|link| !link.still) {
                        self.paths.handle_input(Input::Pong { link }, self.now);
                    }
                }
                Output::Close { link } => {
                    self.links.remove(&link);
                }
                Output::Fetch { fetch, .. } => {
                    let path = fetch.path();
                    let outcome = if self.blocked[path] {
                        Err(LinkFault::new(LinkFaultKind::Reset, ""))
                    } else {
                        Ok(Response::new(200, self.snapshot(path)))
                    };
                    self.paths.handle_input(Input::Fetched { fetch, outcome }, self.now);
                }
                Output::Deliver(delivery) => self.deliver(delivery),
                Output::Ask { .. }
                | Output::StartTls { .. }
                | Output::Exchange { .. }
                | Output::Post { .. }
                | Output::Credential { .. }
                | Output::Status => {}
            }
        }
    }

    fn open(&mut self, link: LinkId, path: usize) {
        if self.blocked[path] {
            let fault = LinkFault::new(LinkFaultKind::Reset, "");
            return self.paths.handle_input(Input::Failed { link, fault }, self.now);
        }
        let opened = Link { path, cursor: None, sent: VecDeque::new(), still: false, beat_at: self.now };
        self.links.insert(link, opened);
        self.paths.handle_input(Input::Opened { link }, self.now);
    }

    fn take(&mut self, id: LinkId, text: &str) {
        let message: Value = serde_json::from_str(text).expect("JSON");
        let Some(link) = self.links.get_mut(&id) else { return };
        if message["type"] != "subscribe" {
            return;
        }
        let epoch = self.epochs[link.path];
        let head = self.heads[&epoch].saturating_sub(self.lags[link.path]);
        let asked = message["channels"]["flights"].as_str().and_then(|place| place.rsplit_once(':'));
        let from = asked.and_then(|(of, offset)| {
            let offset: u64 = offset.parse().expect("an offset");
            (of == format!("e{epoch}") && offset <= head && offset + HISTORY >= head).then_some(offset)
        });
        link.cursor = Some((epoch, from.unwrap_or(head)));
        link.beat_at = self.now;
        let (at, reason) = (from.unwrap_or(head), if from.is_some() { Value::Null } else { json!("trimmed") });
        link.sent.push_back(
            json!({"type": "subscribed", "channel": "flights", "head": place(epoch, head), "from": place(epoch, at),
                   "recovered": from.is_some(), "reason": reason})
            .to_string(),
        );
    }

    /// Now and then it is one that a cache has kept.
    fn snapshot(&mut self, path: usize) -> String {
        let epoch = self.epochs[path];
        let age = if self.below(4) == 0 { self.below(9) } else { 0 };
        let head = self.heads[&epoch].saturating_sub(age).saturating_sub(self.lags[path]);
        json!({"positions": {"flights": place(epoch, head)}, "clock": clock(self.now),
               "aggregates": {"counter-1": {"n": 1}}})
        .to_string()
    }

    /// H3: each event once and in order, and no jump without its gap.
    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Events(events) => {
                for event in events {
                    let at = parsed(&event.position.expect("a place"));
                    // An event that nobody can read is left out by every path.
                    let skipped = u64::from(is_unreadable(self.wall.1 + 1));
                    let follows = at.0 == self.wall.0 && at.1 == self.wall.1 + 1 + skipped;
                    assert!(follows, "{at:?} after {:?}", self.wall);
                    self.wall = at;
                }
            }
            Delivery::Snapshot(snapshot) => {
                let at = readable(parsed(&snapshot.positions["flights"]));
                let begins = self.wall == (0, 0);
                assert!(begins || self.gap_open || at == self.wall || self.joins(at), "{at:?} after {:?}", self.wall);
                assert!(at.0 != self.wall.0 || at.1 >= self.wall.1, "back to {at:?} from {:?}", self.wall);
                self.wall = at;
                self.gap_open = false;
            }
            Delivery::Restated(_) | Delivery::Recheck(_) => unreachable!("a hub has a snapshot"),
            Delivery::Check(check) => assert_eq!(readable(parsed(&check.positions["flights"])), self.wall),
            Delivery::Gap(gap) => {
                self.gaps += 1;
                if gap.proof == Continuity::Unknown {
                    // Passed over is only what nobody can read.
                    let to = parsed(gap.to.as_ref().expect("an end"));
                    assert!(is_unreadable(to.1) && readable(to) == self.wall, "{gap:?} after {:?}", self.wall);
                } else {
                    self.gap_open = gap.proof != Continuity::Proven;
                }
                self.last_gap = Some(gap);
            }
        }
    }

    /// A second snapshot before any path was live: nothing was missing that the first one had not.
    fn joins(&self, at: Place) -> bool {
        self.gaps == 0 && at.0 == self.wall.0
    }

    /// H1: live only if nothing older than the limit is missing.
    fn check(&mut self) {
        let status = self.paths.status();
        let live = status.paths.iter().filter(|path| path.phase == Phase::Live).count();
        if live < self.live_paths && status.phase == Phase::Live {
            self.losses_unseen += 1;
        }
        if live > 0 && live != self.live_paths {
            self.changes_of_lead += 1;
        }
        self.live_paths = live;
        if status.phase != Phase::Live {
            return;
        }
        assert_eq!(readable(parsed(&status.positions["flights"])), self.wall);
        let next = (self.wall.0, self.wall.1 + 1 + u64::from(is_unreadable(self.wall.1 + 1)));
        if let Some(published) = self.published.get(&next) {
            let age = self.now.since(*published);
            let proof = status.link_proof.map_or(Duration::MAX, |proof| self.now.since(proof));
            assert!(age <= LIMIT + Duration::from_secs(1) || proof > LIMIT, "live, and {next:?} is {age:?} old");
        }
    }
}

fn place(epoch: u64, offset: u64) -> String {
    format!("e{epoch}:{offset}")
}

fn parsed(place: &Position) -> Place {
    (place.epoch[1..].parse().expect("a history"), place.offset)
}

/// The last place up to there that a readable event has.
fn readable((epoch, offset): Place) -> Place {
    (epoch, offset - u64::from(is_unreadable(offset)))
}

/// Whether the event is a number that is out of range.
fn is_unreadable(offset: u64) -> bool {
    offset > 0 && offset.is_multiple_of(UNREADABLE)
}

fn clock(now: Mono) -> Value {
    json!({"now": 1_360_335_600_000 + now.as_micros() / 1000, "speed": 1, "label": null})
}

fn event(epoch: u64, offset: u64) -> String {
    let place = place(epoch, offset);
    let value = if is_unreadable(offset) { "1e999" } else { "1" };
    format!(r#"{{"type":"event","channel":"flights","position":"{place}","name":"n","time":5,"data":{{"v":{value}}}}}"#)
}

fn beat(epoch: u64, head: u64, behind: u64, now: Mono) -> String {
    let head = place(epoch, head);
    let clock = clock(now);
    format!(
        r#"{{"type":"heartbeat","clock":{clock},"channels":{{"flights":{{"head":"{head}","behind":{behind},"idle_ms":100}}}}}}"#
    )
}

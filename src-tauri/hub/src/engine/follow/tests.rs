//! What a node makes of what it hears, on its own and in seeded courses with an engine that forgets, and news that get lost.

use std::collections::{BTreeMap, VecDeque};

use super::*;

fn heard(epoch: &str, offset: u64, what: u64) -> Heard {
    Heard { offset, at: Timestamp::from_millis(0), line: format!("{epoch}:{offset}={what}").into(), aside: None }
}

fn news(epoch: &str, offsets: std::ops::RangeInclusive<u64>) -> News {
    News { epoch: epoch.into(), events: offsets.map(|offset| heard(epoch, offset, offset)).collect() }
}

fn span(epoch: &str, head: u64, offsets: std::ops::RangeInclusive<u64>) -> Span {
    let floor = *offsets.start();
    let events = news(epoch, offsets).events;
    Span { epoch: epoch.into(), head, begun: (0, Timestamp::from_millis(0)), floor, events }
}

fn offsets(events: &[Heard]) -> Vec<u64> {
    events.iter().map(|event| event.offset).collect()
}

/// H3: only the next events are applied; what came before is known, and what comes too early is read for.
#[test]
fn offsets_decide() {
    let mut follower = Follower::new("e".into(), 3);
    assert_eq!(follower.hear(news("e", 2..=3)), Step::Nothing);
    let Step::Apply(events) = follower.hear(news("e", 3..=5)) else { panic!("not applied") };
    assert_eq!(offsets(&events), [4, 5]);
    assert_eq!(follower.hear(news("e", 7..=7)), Step::Read);
    assert_eq!(follower.hear(news("f", 6..=6)), Step::Read);
    assert!(follower.asks() && !follower.asks(), "one read at a time");
    let (taken, again) = follower.take(span("e", 7, 6..=7));
    assert!(matches!(taken, Taken::Apply(events) if offsets(&events) == [6, 7]));
    assert!(again, "something asked for another read meanwhile");
    let (taken, again) = follower.take(span("e", 9, 8..=8));
    assert!(matches!(taken, Taken::Apply(events) if offsets(&events) == [8]));
    assert!(again, "there is more");
}

/// H3: a history that doesn't reach back to the head, or another one, replaces what is here.
#[test]
fn what_does_not_continue_replaces() {
    let mut follower = Follower::new("e".into(), 3);
    let (taken, again) = follower.take(span("e", 9, 6..=8));
    assert!(matches!(taken, Taken::Replace(_)) && again && follower.head() == 8);
    let (taken, again) = follower.take(span("f", 2, 1..=2));
    assert!(matches!(taken, Taken::Replace(_)) && !again);
    assert_eq!((follower.head(), &**follower.epoch()), (2, "f"));
    // Everything is trimmed, and there is nothing to read.
    let empty = Span { events: Vec::new(), floor: 10, ..span("f", 9, 1..=1) };
    assert!(matches!(follower.take(empty).0, Taken::Replace(_)) && follower.head() == 9);
}

/// H1: a head is proven by an engine that has it and nothing newer for readers.
#[test]
fn proofs() {
    let follower = Follower::new("e".into(), 3);
    let stand = |epoch: &str, taken, head| Stand { epoch: epoch.into(), taken, head };
    for (stand, proof) in [
        (stand("e", 3, 3), Proof::Proven),
        (stand("e", 5, 3), Proof::Proven),
        // After a failover it may not know that readers have it. It has it.
        (stand("e", 3, 2), Proof::Proven),
        (stand("e", 4, 4), Proof::Behind),
        (stand("e", 2, 2), Proof::Behind),
        (stand("f", 3, 3), Proof::Behind),
    ] {
        assert_eq!(follower.prove(&stand), proof, "{stand:?}");
    }
}

/// Numbers that look drawn, from a seed.
struct Draws(u64);

impl Draws {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// An engine as the scripts have it.
struct Engine {
    epoch: u64,
    begun: u64,
    /// What each offset from 1 on was given to.
    log: Vec<u64>,
    floor: u64,
    run: u64,
    wrote: u64,
    /// Whether a run keeps what the one before acknowledged.
    keeps: bool,
}

impl Engine {
    fn name(&self) -> Arc<str> {
        format!("e{}", self.epoch).into()
    }

    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    fn begin(&mut self, seen: &(Arc<str>, u64)) {
        let is_new_run = !self.keeps && self.wrote != self.run;
        if is_new_run || (seen.0 == self.name() && self.head() < seen.1) {
            self.epoch += 1;
            self.begun = self.head();
            self.wrote = self.run;
        }
    }

    fn span(&self, after: u64, most: usize) -> Span {
        let first = self.floor.max(after + 1);
        let name = self.name();
        let events: Vec<_> = (first..=self.head())
            .take(most)
            .map(|offset| heard(&name, offset, self.log[offset as usize - 1]))
            .collect();
        Span {
            epoch: name,
            head: self.head(),
            begun: (self.begun, Timestamp::from_millis(0)),
            floor: self.floor,
            events,
        }
    }
}

/// A node with what its readers have seen.
struct Node {
    follower: Follower,
    news: VecDeque<News>,
    read: Option<Span>,
    /// What was applied since the last replacement, and what all of it was.
    seen: Vec<Arc<str>>,
}

impl Node {
    fn apply(&mut self, events: &[Heard], ever: &mut BTreeMap<String, String>) {
        for event in events {
            let (position, what) = event.line.split_once('=').expect("an event");
            let before = ever.insert(position.to_owned(), what.to_owned());
            assert!(before.is_none_or(|before| before == what), "{position} was given twice");
            self.seen.push(event.line.clone());
        }
    }

    fn take(&mut self, span: Span, ever: &mut BTreeMap<String, String>) -> bool {
        let (taken, again) = self.follower.take(span);
        match taken {
            Taken::Apply(events) => self.apply(&events, ever),
            Taken::Replace(span) => {
                self.seen.clear();
                self.apply(&span.events, ever);
            }
        }
        again
    }
}

/// H3: whatever is lost, comes twice or late, and however often the engine is started anew: no position means two events, each node has an
/// unbroken stretch, and when it is quiet, all nodes have what the engine has.
#[test]
fn courses() {
    for seed in 0..2_000 {
        let mut draws = Draws(seed);
        let keeps = draws.next(2) == 0;
        let mut engine = Engine { epoch: 0, begun: 0, log: Vec::new(), floor: 1, run: 0, wrote: 0, keeps };
        let new = |engine: &Engine| Node {
            follower: Follower::new(engine.name(), 0),
            news: VecDeque::new(),
            read: None,
            seen: Vec::new(),
        };
        let mut nodes: Vec<Node> = (0..3).map(|_| new(&engine)).collect();
        let mut ever = BTreeMap::new();
        let mut count = 0;
        for _ in 0..200 {
            let at = draws.next(3) as usize;
            match draws.next(10) {
                // One publishes, and all are told, but news get lost.
                0..=3 => {
                    engine.begin(&(nodes[at].follower.epoch().clone(), nodes[at].follower.head()));
                    let first = engine.head() + 1;
                    for _ in 0..=draws.next(3) {
                        count += 1;
                        engine.log.push(count);
                    }
                    let told = News { epoch: engine.name(), events: engine.span(first - 1, usize::MAX).events };
                    for node in &mut nodes {
                        for _ in 0..draws.next(3) {
                            node.news.push_back(told.clone());
                        }
                    }
                }
                4 | 5 => {
                    let index = draws.next(4) as usize;
                    let node = &mut nodes[at];
                    if let Some(told) = node.news.remove(index.min(node.news.len().saturating_sub(1))) {
                        match node.follower.hear(told) {
                            Step::Nothing => {}
                            Step::Apply(events) => node.apply(&events, &mut ever),
                            Step::Read => {
                                node.follower.asks();
                            }
                        }
                    }
                }
                // A read is sent, and its answer comes later.
                6 if nodes[at].read.is_none() => {
                    let seen = (nodes[at].follower.epoch().clone(), nodes[at].follower.head());
                    engine.begin(&seen);
                    let after = if seen.0 == engine.name() { seen.1 } else { engine.head().saturating_sub(4) };
                    nodes[at].read = Some(engine.span(after, 1 + draws.next(4) as usize));
                }
                7 => {
                    if let Some(span) = nodes[at].read.take() {
                        nodes[at].take(span, &mut ever);
                    }
                }
                8 => engine.floor = engine.floor.max((engine.head() + 1).saturating_sub(draws.next(8))),
                // The engine is killed: links break, and what it doesn't keep is gone.
                9 if draws.next(4) == 0 => {
                    engine.run += 1;
                    if !engine.keeps {
                        let lost = draws.next(4).min(engine.head());
                        engine.log.truncate((engine.head() - lost) as usize);
                        engine.floor = engine.floor.min(engine.head() + 1);
                    }
                    for node in &mut nodes {
                        node.news.clear();
                        node.read = None;
                        node.follower.gave_up();
                    }
                }
                _ => {}
            }
            for node in &nodes {
                let places: Vec<u64> = node
                    .seen
                    .iter()
                    .filter_map(|line| line.split_once('=')?.0.split_once(':')?.1.parse().ok())
                    .collect();
                assert!(places.windows(2).all(|pair| pair[0] + 1 == pair[1]), "seed {seed}: {places:?}");
            }
        }
        for node in &mut nodes {
            node.news.clear();
            node.read = None;
            node.follower.gave_up();
            loop {
                let seen = (node.follower.epoch().clone(), node.follower.head());
                engine.begin(&seen);
                let stand = Stand { epoch: engine.name(), taken: engine.head(), head: engine.head() };
                if node.follower.prove(&stand) == Proof::Proven {
                    break;
                }
                let after = if seen.0 == engine.name() { seen.1 } else { 0 };
                node.take(engine.span(after, 3), &mut ever);
            }
            let name = engine.name();
            let all: Vec<_> =
                (1..=engine.head()).map(|offset| heard(&name, offset, engine.log[offset as usize - 1]).line).collect();
            assert!(all.ends_with(&node.seen), "seed {seed}: {:?} of {all:?}", node.seen);
        }
    }
}

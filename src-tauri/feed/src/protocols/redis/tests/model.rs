//! A stream that is added to, trimmed, deleted and made anew, on connections that break anywhere: what the feed claims of it is
//! compared with what really was.

use std::{collections::VecDeque, time::Duration};

use watchfloor_fuzz::{Draws, check, stretched};
use watchfloor_model::{Continuity, Delivery, Mono, Phase, Timestamp};

use super::{
    super::{
        resp::{Frame, Parser},
        stream::Id,
    },
    rig::{HELLO, MISSING, bulk, config, exec, info, list},
};
use crate::{Feed, Input, LinkId, Output};

/// A stream, as Redis keeps it.
#[derive(Default)]
struct Stream {
    entries: VecDeque<(Id, u64)>,
    last: Id,
    added: u64,
    deleted: Id,
    exists: bool,
}

/// What came out of the feed.
#[derive(Debug)]
enum Found {
    Event(u64),
    /// Of which nobody knows what was in it, told when the stream had come to this number: where in what is still to be read
    /// something is missing can't be known.
    Gap(u64),
}

struct World<'a> {
    feed: Feed,
    now: Mono,
    link: Option<u64>,
    stream: Stream,
    /// Entries are numbered through all of the stream's lives.
    number: u64,
    /// Those up to here were there before the first subscription.
    begun: u64,
    clock: u64,
    /// Commands that aren't answered yet.
    asked: VecDeque<Vec<String>>,
    parser: Parser,
    found: Vec<Found>,
    delivered: u64,
    /// Something was taken away that wasn't delivered, or may not have been.
    harmed: bool,
    draws: Draws<'a>,
    /// Nothing happens but what is asked for.
    calm: bool,
}

impl<'a> World<'a> {
    fn new(draws: Draws<'a>) -> Self {
        let mut feed = Feed::new(config(&["stream:s"]), 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        let mut world = Self {
            feed,
            now: Mono::from_millis(1000),
            link: None,
            stream: Stream { added: 1000, ..Stream::default() },
            number: 0,
            begun: 1,
            clock: 1_700_000_000_000,
            asked: VecDeque::new(),
            parser: Parser::default(),
            found: Vec::new(),
            delivered: 0,
            harmed: false,
            draws,
            calm: true,
        };
        world.add();
        world.feed.start(world.now);
        world.drain();
        world.settle();
        // What was before the first subscription isn't asked for, and it is said that nobody knows of it.
        assert!(matches!(world.found[..], [Found::Gap(1)]), "{:?}", world.found);
        world.found.clear();
        world.delivered = world.number;
        world.calm = false;
        world
    }

    fn add(&mut self) {
        self.clock += self.draws.below(2) as u64;
        let last = self.stream.last;
        let number = if self.clock == last.millis { last.number + 1 } else { 0 };
        let id = Id { millis: self.clock, number };
        self.number += 1;
        let stream = &mut self.stream;
        stream.exists = true;
        stream.entries.push_back((id, self.number));
        stream.last = id;
        stream.added += 1;
    }

    fn change(&mut self) {
        match self.draws.below(12) {
            0..=5 => (0..=self.draws.below(4)).for_each(|_| self.add()),
            6 | 7 => {
                for _ in 0..=self.draws.below(3) {
                    let taken = self.stream.entries.pop_front();
                    self.harmed |= taken.is_some_and(|(_, number)| number > self.delivered);
                }
            }
            8 if !self.stream.entries.is_empty() => {
                let at = self.draws.below(self.stream.entries.len());
                if let Some((id, number)) = self.stream.entries.remove(at) {
                    self.stream.deleted = self.stream.deleted.max(id);
                    self.harmed |= number > self.delivered;
                }
            }
            // Once, and long before it can have had as many as were read of the one before: the counts can't tell that.
            9 if self.stream.added > 1000 && self.draws.once_in(3) => {
                self.stream = Stream::default();
                self.harmed = true;
                self.clock += 1;
            }
            _ => {}
        }
    }

    fn info(&self) -> String {
        let stream = &self.stream;
        if !stream.exists {
            return MISSING.to_owned();
        }
        let first = stream.entries.front().map_or_else(Id::default, |(id, _)| *id);
        let length = stream.entries.len() as u64;
        info(length, &first.to_string(), &stream.last.to_string(), stream.added, &stream.deleted.to_string())
    }

    fn read(&self, words: &[String]) -> String {
        let after = |name: &str| words.iter().position(|word| word == name).map(|at| words[at + 1].clone());
        let count: usize = after("COUNT").and_then(|count| count.parse().ok()).expect("a count");
        let id: Id = words.last().and_then(|id| id.parse().ok()).expect("an id");
        let later = self.stream.entries.iter().filter(|(found, _)| *found > id).take(count);
        let one =
            |(id, number): &(Id, u64)| list(&[bulk(&id.to_string()), list(&[bulk("n"), bulk(&number.to_string())])]);
        let found: Vec<String> = later.map(one).collect();
        if found.is_empty() { "_\r\n".to_owned() } else { format!("%1\r\n{}{}", bulk("s"), list(&found)) }
    }

    /// Answers all that is asked, and the bell as well, if it is to.
    fn serve(&mut self, bell: bool) {
        let mut bell = bell;
        while let Some(words) = self.asked.front() {
            let words = words.clone();
            let answer = match words[0].as_str() {
                "HELLO" => HELLO.to_owned(),
                "PING" => "+PONG\r\n".to_owned(),
                "XREAD" if bell => {
                    bell = false;
                    self.read(&words)
                }
                "XREAD" => return,
                "MULTI" => {
                    let Some(end) = self.asked.iter().position(|words| words[0] == "EXEC") else { return };
                    let inner: Vec<Vec<String>> = self.asked.drain(..end).skip(1).collect();
                    let one = |words: &Vec<String>| if words[0] == "XINFO" { self.info() } else { self.read(words) };
                    let answers: Vec<String> = inner.iter().map(one).collect();
                    exec(&answers)
                }
                other => unreachable!("{other}"),
            };
            self.asked.pop_front();
            if !self.calm && self.draws.once_in(40) {
                let part = self.draws.below(answer.len());
                self.hear(&answer.as_bytes()[..part]);
                return self.cut();
            }
            self.hear(answer.as_bytes());
            if !self.calm && self.draws.once_in(5) {
                self.change();
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Some(link) = self.link.map(LinkId) else { return };
        self.feed.handle_input(Input::Chunk { link, bytes: bytes.to_vec().into() }, self.now);
        self.drain();
    }

    fn cut(&mut self) {
        let Some(link) = self.link.take().map(LinkId) else { return };
        self.asked.clear();
        self.feed.handle_input(Input::Closed { link, code: None, reason: String::new() }, self.now);
        self.drain();
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some((due, _)) = self.feed.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
            self.serve(false);
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Open { link, .. } => {
                    self.link = Some(link.0);
                    self.asked.clear();
                    self.parser = Parser::default();
                    self.feed.handle_input(Input::Opened { link }, self.now);
                }
                Output::Close { .. } => {
                    self.link = None;
                    self.asked.clear();
                }
                Output::Send { message, .. } => self.ask(&message.into_bytes()),
                Output::Deliver(Delivery::Events(events)) => {
                    for event in events {
                        let text = event.data.text();
                        let number =
                            text.trim_start_matches("{\"n\":").trim_end_matches('}').parse().expect("a number");
                        self.delivered = self.delivered.max(number);
                        self.found.push(Found::Event(number));
                    }
                }
                Output::Deliver(Delivery::Gap(gap)) if gap.proof == Continuity::Unknown => {
                    self.found.push(Found::Gap(self.number));
                }
                _ => {}
            }
        }
    }

    fn ask(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (used, frame) = self.parser.take(rest).expect("a command");
            rest = &rest[used..];
            if let Some(frame) = frame {
                let words = frame.list().expect("words").iter().filter_map(Frame::text).map(str::to_owned).collect();
                self.asked.push_back(words);
            }
        }
    }

    /// Until it is live, has read all that there is, and the limit (6 s) and a second have passed, within which it finds what else there was.
    fn settle(&mut self) {
        for round in 0..200 {
            self.serve(true);
            self.serve(true);
            self.pass(Duration::from_millis(500));
            let newest = self.stream.entries.back().map_or(0, |(_, number)| *number);
            if round >= 14 && self.feed.status().phase == Phase::Live && self.delivered.max(self.begun) >= newest {
                return;
            }
        }
    }
}

/// H3: events come once and in order; where one is missing, an unknown gap was said before; and where
/// nothing was taken away, nothing is said to be missing but what was before the first subscription.
#[test]
fn redis_streams() {
    check!(iterations = 600, |bytes: &[u8]| {
        let bytes = stretched(bytes).unwrap_or_else(|| bytes.to_vec());
        let mut world = World::new(Draws::new(&bytes));
        for _ in 0..60 {
            world.change();
            if world.draws.once_in(12) {
                world.cut();
            }
            let ring = !world.draws.once_in(3);
            world.serve(ring);
            let span = Duration::from_millis(world.draws.below(1500) as u64);
            world.pass(span);
        }
        world.calm = true;
        world.settle();
        assert_eq!(world.feed.status().phase, Phase::Live, "{:?}", world.feed.status());
        let (mut last, mut told) = (world.begun, 0);
        for found in &world.found {
            match found {
                Found::Gap(number) => told = *number,
                Found::Event(number) => {
                    assert!(*number > last, "{number} after {last}: {:?}", world.found);
                    assert!(*number - 1 <= told.max(last), "{number} after {last}: {:?}", world.found);
                    last = *number;
                }
            }
        }
        assert!(world.number <= told.max(last), "{last} of {}: {:?}", world.number, world.found);
        assert!(world.harmed || world.feed.status().counts.gaps_unknown == 1, "{:?}", world.found);
    });
}

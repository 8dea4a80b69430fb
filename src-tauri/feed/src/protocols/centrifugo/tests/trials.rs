//! Who is on a channel, by a link on trial and the one that it takes the place of.

use std::collections::BTreeSet;

use super::*;
use crate::{LinkFault, LinkFaultKind};

/// A server, its links and who is there by its word.
struct World {
    feed: Feed,
    now: Mono,
    ways: BTreeMap<LinkId, Transport>,
    /// Links by which nothing comes any more.
    dead: BTreeSet<LinkId>,
    members: BTreeSet<&'static str>,
    /// Upgrades to a WebSocket are refused.
    is_blocked: bool,
    /// It doesn't say who is there when it is asked.
    is_faceless: bool,
    told: Vec<String>,
}

impl World {
    /// Live by a stream over HTTP, told of `a` and `b`.
    fn fallen(is_faceless: bool) -> Self {
        let mut rig = Rig::new(|config| {
            config.ladder = vec![Transport::WebSocket, Transport::HttpStream];
            config.promises.presence = true;
        });
        rig.feed.start(rig.now);
        let mut world = Self {
            feed: rig.feed,
            now: rig.now,
            ways: BTreeMap::new(),
            dead: BTreeSet::new(),
            members: BTreeSet::from(["a", "b"]),
            is_blocked: true,
            is_faceless,
            told: Vec::new(),
        };
        world.drain();
        world.pass(4);
        let status = world.feed.status();
        assert_eq!((status.phase, status.transport), (Phase::Live, Some(Transport::HttpStream)));
        if !is_faceless {
            assert_eq!(world.takes(), ["here a", "here b"]);
        }
        world
    }

    /// The same with a WebSocket on trial beside it: the link, and the one on trial.
    fn on_trial(is_faceless: bool) -> (Self, LinkId, LinkId) {
        let mut world = Self::fallen(is_faceless);
        if is_faceless {
            world.push_all("join", &["a", "b"]);
            assert_eq!(world.takes(), ["joined a", "joined b"]);
        }
        world.is_blocked = false;
        while world.ways.len() < 2 {
            world.pass(1);
        }
        world.pass(1);
        let links: Vec<LinkId> = world.ways.keys().copied().collect();
        (world, links[0], links[1])
    }

    fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
    }

    /// Brings a line, if anything comes by that link.
    fn bring(&mut self, link: LinkId, line: &str) {
        if self.dead.contains(&link) {
            return;
        }
        match self.ways.get(&link) {
            Some(Transport::WebSocket) => self.input(Input::Text { link, text: line.to_owned().into() }),
            Some(_) => self.input(Input::Chunk { link, bytes: format!("{line}\n").into_bytes().into() }),
            None => {}
        }
    }

    /// Says by one link that someone has come or gone.
    fn push(&mut self, link: LinkId, kind: &str, client: &str) {
        let info = format!(r#"{{"info":{{"user":"u","client":"{client}","conn_info":1}}}}"#);
        self.bring(link, &format!(r#"{{"push":{{"channel":"news","{kind}":{info}}}}}"#));
        self.drain();
    }

    fn push_all(&mut self, kind: &str, clients: &[&str]) {
        for link in self.ways.keys().copied().collect::<Vec<_>>() {
            clients.iter().for_each(|client| self.push(link, kind, client));
        }
    }

    fn commands(&mut self, link: LinkId, text: &str) {
        for line in text.lines().filter(|line| *line != "{}") {
            let said: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let id = &said["id"];
            let answer = if said.get("connect").is_some() {
                let client = format!("wall{}", link.0);
                format!(
                    r#"{{"id":{id},"connect":{{"client":"{client}","ping":25,"pong":true,"session":"s","node":"n"}}}}"#
                )
            } else if let Some(sub) = said.get("subscribe") {
                let again = sub["recover"] == true;
                format!(
                    r#"{{"id":{id},"subscribe":{{"recoverable":true,"positioned":true,"recovered":{again},"was_recovering":{again},"epoch":"e","offset":0}}}}"#
                )
            } else if said.get("presence").is_none() {
                format!(r#"{{"id":{id},"history":{{"epoch":"e","offset":0}}}}"#)
            } else if self.is_faceless {
                format!(r#"{{"id":{id},"error":{{"code":108,"message":"not available"}}}}"#)
            } else {
                let one = |client: &&str| format!(r#""{client}":{{"user":"u","client":"{client}","conn_info":1}}"#);
                let there: Vec<String> = self.members.iter().map(one).collect();
                format!(r#"{{"id":{id},"presence":{{"presence":{{{}}}}}}}"#, there.join(","))
            };
            self.bring(link, &answer);
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Open { link, transport: Transport::WebSocket, .. } if self.is_blocked => {
                    let kind = LinkFaultKind::Http { status: 400, retry_after: None, content_type: None };
                    self.input(Input::Failed { link, fault: LinkFault::new(kind, "") });
                }
                Output::Open { link, transport, request } => {
                    self.ways.insert(link, transport);
                    self.input(Input::Opened { link });
                    if let Some(body) = &request.body {
                        self.commands(link, body.as_text().expect("a text"));
                    }
                }
                Output::Send { link, message } => self.commands(link, message.as_text().expect("a text")),
                Output::Post { link, number, request, .. } if !self.dead.contains(&link) => {
                    let body = request.body.as_ref().expect("a body").as_text().expect("a text");
                    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
                    self.input(Input::Exchanged { link, number, outcome: Ok(Response::new(204, "")) });
                    self.commands(link, body["data"].as_str().expect("commands"));
                }
                Output::Ping { link } if !self.dead.contains(&link) => self.input(Input::Pong { link }),
                Output::Fetch { fetch, .. } => {
                    self.input(Input::Fetched { fetch, outcome: Ok(Response::new(400, Vec::new())) });
                }
                Output::Close { link } => drop(self.ways.remove(&link)),
                Output::Deliver(Delivery::Events(events)) => {
                    let line = |event: &watchfloor_model::Event| {
                        let body: serde_json::Value = serde_json::from_str(event.data.text()).expect("JSON");
                        let name = event.name.trim_start_matches("presence.");
                        format!("{name} {}", body["client"].as_str().expect("a client"))
                    };
                    self.told.extend(events.iter().map(line));
                }
                _ => {}
            }
        }
    }

    fn pass(&mut self, seconds: u64) {
        for step in 1..=seconds * 20 {
            self.now = self.now.plus(Duration::from_millis(50));
            while self.feed.poll_timeout().is_some_and(|(due, _)| due <= self.now) {
                self.feed.handle_timeout(self.now);
                self.drain();
            }
            if step % 20 == 0 {
                self.ways.keys().copied().collect::<Vec<_>>().into_iter().for_each(|link| self.bring(link, "{}"));
                self.drain();
            }
        }
    }

    /// What was told since.
    fn takes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// The link on trial takes over in time; then this was told.
    fn expect_taken(mut self, expected: &[&str]) {
        self.pass(90);
        let status = self.feed.status();
        assert_eq!(
            (status.phase, status.transport, status.counts.gaps()),
            (Phase::Live, Some(Transport::WebSocket), 0)
        );
        assert_eq!(self.told, expected);
    }
}

/// H1, H3: who goes and comes while only the trial hears it is told when that takes over, once.
#[test]
fn what_only_the_trial_hears() {
    for is_faceless in [false, true] {
        let (mut world, link, trial) = World::on_trial(is_faceless);
        world.dead.insert(link);
        world.members = BTreeSet::from(["a", "c"]);
        world.push(trial, "leave", "b");
        world.push(trial, "join", "c");
        assert_eq!(world.takes(), Vec::<String>::new(), "nobody follows it");
        let came = if is_faceless { "joined c" } else { "here c" };
        world.expect_taken(&["left b", came]);
    }
}

/// H1: who was forgotten by the server without a word is found to have gone by the link that took over.
#[test]
fn a_member_that_the_trial_finds_gone() {
    let mut world = World::fallen(false);
    world.members.remove("b");
    world.is_blocked = false;
    world.expect_taken(&["left b"]);
}

/// H3: what both links hear is told once, whichever hears it first, and also what only the link hears that is left.
#[test]
fn what_both_links_hear() {
    for is_faceless in [false, true] {
        let (mut world, link, trial) = World::on_trial(is_faceless);
        world.members = BTreeSet::from(["a", "c", "d"]);
        world.push(trial, "leave", "b");
        world.push(link, "leave", "b");
        world.push(link, "join", "c");
        world.push(trial, "join", "c");
        world.push(link, "join", "d");
        assert_eq!(world.takes(), ["left b", "joined c", "joined d"]);
        world.expect_taken(&[]);
    }
}

/// H1, H3: what a trial heard that came to nothing is told by the link, or by the one after it.
#[test]
fn what_a_trial_heard_that_failed() {
    let (mut world, link, trial) = World::on_trial(false);
    world.members = BTreeSet::from(["a", "c"]);
    world.push(trial, "leave", "b");
    world.push(trial, "join", "c");
    world.is_blocked = true;
    world.input(Input::Closed { link: trial, code: Some(1006), reason: String::new() });
    world.ways.remove(&trial);
    world.drain();
    assert_eq!(world.takes(), Vec::<String>::new());
    world.push(link, "leave", "b");
    assert_eq!(world.takes(), ["left b"]);
    world.input(Input::Closed { link, code: None, reason: String::new() });
    world.ways.remove(&link);
    world.drain();
    world.pass(6);
    assert_eq!(world.takes(), ["here a", "here c"]);
}

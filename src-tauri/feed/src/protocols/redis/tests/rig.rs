//! A feed of Redis's channels, and what comes out of it as lines.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Delivery, Mono, Position, Timestamp, Transport};

use crate::{Feed, FetchId, Input, Kind, LinkId, Output, SourceConfig};

/// How Redis 7.0.15 answers `HELLO 3`.
pub(super) const HELLO: &str = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:4\r\n\
     $4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
/// How it answers `XINFO STREAM`, where there is no such stream.
pub(super) const MISSING: &str = "-ERR no such key\r\n";

pub(super) struct Rig {
    pub(super) feed: Feed,
    pub(super) now: Mono,
    pub(super) link: u64,
    pub(super) fetch: Option<FetchId>,
    pub(super) out: Vec<String>,
}

pub(super) fn config(channels: &[&str]) -> SourceConfig {
    SourceConfig {
        ladder: vec![Transport::Tcp],
        ..SourceConfig::plain(
            "ops",
            Kind::Redis,
            "redis://redis.example".parse().expect("an address"),
            channels.iter().map(|name| (*name).into()).collect(),
            Duration::from_secs(6),
        )
    }
}

impl Rig {
    pub(super) fn new(config: SourceConfig) -> Self {
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        let now = Mono::from_millis(1000);
        Self { feed, now, link: 0, fetch: None, out: Vec::new() }
    }

    /// Connected, and told to go on after `place`; not answered.
    pub(super) fn open(config: SourceConfig, place: Option<&str>) -> Self {
        let channel = config.channels[0].clone();
        let mut rig = Self::new(config);
        if let Some(place) = place {
            rig.feed.restore(BTreeMap::from([(channel, place.parse::<Position>().expect("a place"))]));
        }
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig
    }

    pub(super) fn opened(&mut self) {
        self.feed.handle_input(Input::Opened { link: LinkId(self.link) }, self.now);
        self.drain();
    }

    pub(super) fn says(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec().into();
        self.feed.handle_input(Input::Chunk { link: LinkId(self.link), bytes }, self.now);
        self.drain();
    }

    pub(super) fn closes(&mut self) {
        let link = LinkId(self.link);
        self.feed.handle_input(Input::Closed { link, code: None, reason: String::new() }, self.now);
        self.drain();
    }

    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some((due, _)) = self.feed.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            self.out.push(match output {
                Output::Open { link, request, .. } => {
                    self.link = link.0;
                    format!("open {}", request.url)
                }
                Output::Send { message, .. } => {
                    let secret = if message.is_secret { "secret " } else { "" };
                    let bytes = message.into_bytes();
                    format!("{secret}{}", words(&bytes))
                }
                Output::Credential { fetch, .. } => {
                    self.fetch = Some(fetch);
                    "token?".to_owned()
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &watchfloor_model::Event| {
                        let place = event.position.as_ref().map_or_else(String::new, shown);
                        format!("{} {place} {} {}", event.name, event.time.as_millis(), event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Status => continue,
                other => unreachable!("{other:?}"),
            });
        }
    }

    #[track_caller]
    pub(super) fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }

    /// What is said of the source.
    pub(super) fn cause(&self) -> String {
        self.feed.status().cause.as_ref().map_or_else(String::new, |cause| cause.text.clone())
    }
}

/// A place without its epoch, which is drawn.
pub(super) fn shown(place: &Position) -> String {
    let text = place.to_string();
    text.split_once(':').map_or(text.clone(), |(_, rest)| rest.to_owned())
}

/// A command's words.
fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.split("\r\n").skip(2).step_by(2).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// A value in bulk.
pub(super) fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

pub(super) fn list(items: &[String]) -> String {
    format!("*{}\r\n{}", items.len(), items.concat())
}

/// What `XINFO STREAM` of Redis 7.0.15 says.
pub(super) fn info(length: u64, first: &str, last: &str, added: u64, deleted: &str) -> String {
    let entry =
        |id: &str| if length == 0 { "_\r\n".to_owned() } else { list(&[bulk(id), list(&[bulk("n"), bulk("0")])]) };
    let pairs = [
        ("length", format!(":{length}\r\n")),
        ("radix-tree-keys", ":1\r\n".to_owned()),
        ("radix-tree-nodes", ":2\r\n".to_owned()),
        ("last-generated-id", bulk(last)),
        ("max-deleted-entry-id", bulk(deleted)),
        ("entries-added", format!(":{added}\r\n")),
        ("recorded-first-entry-id", bulk(first)),
        ("groups", ":0\r\n".to_owned()),
        ("first-entry", entry(first)),
        ("last-entry", entry(last)),
    ];
    format!("%10\r\n{}", pairs.iter().map(|(key, value)| bulk(key) + value).collect::<String>())
}

/// What `XREAD` of one stream says.
pub(super) fn entries(key: &str, entries: &[(&str, &str)]) -> String {
    if entries.is_empty() {
        return "_\r\n".to_owned();
    }
    let one = |(id, n): &(&str, &str)| list(&[bulk(id), list(&[bulk("n"), bulk(n)])]);
    format!("%1\r\n{}{}", bulk(key), list(&entries.iter().map(one).collect::<Vec<_>>()))
}

/// A transaction of so many commands that came to these answers.
pub(super) fn exec(answers: &[String]) -> String {
    format!("+OK\r\n{}{}", "+QUEUED\r\n".repeat(answers.len()), list(answers))
}

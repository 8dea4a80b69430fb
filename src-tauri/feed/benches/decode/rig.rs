//! A live feed, and a server's words to it.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use watchfloor_feed::{Bytes, Envelope, Feed, Head, Input, Kind, LinkId, Output, SourceConfig, TimerReason};
use watchfloor_model::{Delivery, Mono, Phase, Timestamp};

use crate::flights::CHANNEL;

/// What the wall clock shows at the beginning.
pub(crate) const WALL_MS: i64 = 1_795_697_600_000;
/// Bytes of a stream that come at once: a record of TLS.
const CHUNK_BYTES: usize = 16 << 10;
const LINK: LinkId = LinkId(1);
const NOW: Mono = Mono::from_millis(1000);

/// What a server says at once.
#[derive(Clone)]
pub(crate) enum Said {
    /// A message of a WebSocket.
    Text(Bytes),
    /// The same in bytes.
    Binary(Bytes),
    /// Bytes of a body or a connection.
    Chunk(Bytes),
    /// The answer to a poll.
    Answer(Head, Bytes),
}

impl Said {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into().into())
    }

    pub(crate) fn chunk(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Chunk(bytes.into().into())
    }

    fn input(self) -> Input {
        match self {
            Self::Text(text) => Input::Text { link: LINK, text },
            Self::Binary(bytes) => Input::Binary { link: LINK, bytes },
            Self::Chunk(bytes) => Input::Chunk { link: LINK, bytes },
            Self::Answer(head, body) => Input::Answered { link: LINK, head, body },
        }
    }
}

/// A stream of bytes, as it comes.
pub(crate) fn chunks(bytes: &[u8]) -> Vec<Said> {
    bytes.chunks(CHUNK_BYTES).map(Said::chunk).collect()
}

/// A conversation that is to be measured.
pub(crate) struct Talk {
    /// A feed that is live.
    pub(crate) rig: Rig,
    /// What comes then.
    pub(crate) said: Vec<Said>,
    /// What of it an application has to read as JSON.
    pub(crate) json: Vec<String>,
}

/// The same of messages that are no JSON.
pub(crate) struct Coded {
    /// A feed that is live.
    pub(crate) rig: Rig,
    /// What comes then.
    pub(crate) said: Vec<Said>,
    /// The same, for a library alone.
    pub(crate) bytes: Vec<Vec<u8>>,
    /// How that reads one, and drops it.
    pub(crate) parse: fn(&[u8]),
}

/// A feed whose link stands.
pub(crate) struct Rig {
    feed: Feed,
    now: Mono,
    /// What was sent to the server since it last spoke.
    pub(crate) sent: Vec<Vec<u8>>,
}

/// Where bodies say their name and time.
pub(crate) fn envelope(name: Option<&str>, time: Option<&str>) -> Envelope {
    let path = |text: &str| text.parse().expect("a path");
    Envelope { name: name.map(path), time: time.map(path), ..Envelope::default() }
}

impl Rig {
    pub(crate) fn new(kind: Kind, url: &str, change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = SourceConfig::plain(
            "ops",
            kind,
            url.parse().expect("an address"),
            vec![CHANNEL.into()],
            Duration::from_secs(5),
        );
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(WALL_MS), NOW);
        feed.start(NOW);
        let mut rig = Self { feed, now: NOW, sent: Vec::new() };
        rig.drain();
        rig
    }

    /// The link is opened, and the server says this.
    pub(crate) fn opened(mut self, said: &[Said]) -> Self {
        self.hear(Input::Opened { link: LINK });
        said.iter().for_each(|one| self.says(one));
        self
    }

    /// The same, of an event stream.
    pub(crate) fn begun(mut self, said: &str) -> Self {
        self.hear(Input::Opened { link: LINK });
        self.hear(Input::Head { link: LINK, head: Head::default() });
        self.says(&Said::chunk(said));
        self
    }

    pub(crate) fn says(&mut self, said: &Said) {
        self.sent.clear();
        self.hear(said.clone().input());
    }

    /// The same without forgetting what was sent.
    pub(crate) fn hear_more(&mut self, said: &Said) {
        self.hear(said.clone().input());
    }

    pub(crate) fn hear(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
    }

    /// The WebSocket's own answer.
    pub(crate) fn pong(&mut self) {
        self.hear(Input::Pong { link: LINK });
    }

    /// What was sent, as one text.
    pub(crate) fn sent_text(&self) -> String {
        String::from_utf8_lossy(&self.sent.concat()).into_owned()
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            if let Output::Send { message, .. } = output {
                self.sent.push(message.into_bytes());
            }
        }
    }

    /// Takes all that is said, as the program does: what comes out is taken out each time.
    pub(crate) fn take(mut self, said: Vec<Said>, events: u64) -> Duration {
        let status = self.feed.status();
        assert_eq!(status.phase, Phase::Live, "{status:?}");
        let mut taken = 0;
        let start = Instant::now();
        for one in said {
            let asks = matches!(one, Said::Answer(..));
            self.feed.handle_input(one.input(), self.now);
            taken += self.drop_outputs();
            if asks {
                self.ask();
            }
        }
        let took = start.elapsed();
        let status = self.feed.status();
        assert_eq!(taken, events, "every event is delivered: {status:?}");
        took
    }

    fn drop_outputs(&mut self) -> u64 {
        let mut taken = 0;
        while let Some(output) = self.feed.poll_output() {
            if let Output::Deliver(Delivery::Events(batch)) = black_box(output) {
                taken += batch.len() as u64;
            }
        }
        taken
    }

    /// The time passes until the next poll is asked.
    fn ask(&mut self) {
        while let Some((due, reason)) = self.feed.poll_timeout() {
            self.now = self.now.max(due);
            self.feed.handle_timeout(self.now);
            self.drop_outputs();
            if reason == TimerReason::Ask {
                return;
            }
        }
    }
}

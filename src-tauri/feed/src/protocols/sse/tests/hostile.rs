//! A server that says whatever it likes.

use super::*;
use crate::{
    fuzz::talk::{Link, Said, Server, sound, talk},
    port::Request,
};

const SAID: [&str; 8] = [
    NCHAN,
    "\u{FEFF}id: 7\r\ndata: {\"kind\":\"a\"}\r\n\r\nretry: 5\rdata\r\rid\ndata: [1\n\n",
    ":\nevent: heartbeat\ndata: 1\n\ndata: é\nid: x\u{1}y\n\nid: 5:0\ndata: \"a\"\n\n",
    "id: 5:99999999\ndata: 1\n\n",
    "id: e\n\n",
    "id\n\n",
    ": hi\n\n",
    "retry: 99999999999999999999999\n\n",
];

/// A server that replays what came after an event's id, and tells that in its stream alone.
struct Stream {
    words: Vec<Vec<u8>>,
    published: Vec<u64>,
}

impl Stream {
    fn new() -> Self {
        Self { words: SAID.map(|text| text.as_bytes().to_vec()).to_vec(), published: Vec::new() }
    }

    fn event(&self, at: usize) -> Said {
        Said::text(format!("id: 5:{at}\ndata: {{\"kind\":\"tick\",\"n\":{}}}\n\n", self.published[at]))
    }
}

impl Server for Stream {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    fn opened(&mut self, request: &Request) -> Vec<Said> {
        let asked = request.headers.iter().find(|header| header.name == "last-event-id");
        let last = asked.and_then(|header| header.text().strip_prefix("5:")?.parse::<usize>().ok());
        let from = last.map_or(self.published.len(), |last| last.saturating_add(1));
        (from..self.published.len()).map(|at| self.event(at)).collect()
    }

    fn idles(&mut self) -> Vec<Said> {
        vec![Said::text(": hi\n\n")]
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        self.published.push(number);
        vec![self.event(self.published.len() - 1)]
    }

    /// The stream begins with what comes, or something was said in it that can be what was replayed.
    fn proves(&self, _link: &Link) -> bool {
        true
    }
}

fn source(replays: bool) -> SourceConfig {
    let mut source = None;
    drop(sse(|config| {
        promised(config);
        config.promises.replays = replays;
        config.token = Some(Secret::new(""));
        source = Some(config.clone());
    }));
    source.expect("made")
}

/// H1, H3, H5, H8: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        talk(source(draws.below(2) == 1), Stream::new(), &mut draws);
    });
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    for replays in [false, true] {
        sound(source(replays), Stream::new());
    }
}

//! A server that answers whatever it likes: with a document, or with messages and a cursor.

use watchfloor_model::Event;

use super::{cursor::AFTER, *};
use crate::{
    Secret,
    fuzz::talk::{Link, Said, Server, sound, talk},
    port::Request,
};

const BODIES: [&str; 7] = [
    r#"{"items":[{"kind":"a","n":1},{"kind":"a","n":2}],"next":"c1"}"#,
    r#"{"items":[],"next":"c0"}"#,
    r#"{"items":[{"id":7,"n":1},{"id":"b","n":[1,{"x":null}]}]}"#,
    "{\"id\":1}\n{\"id\":2}\n",
    r#"{"items":[1],"next":"c99999999999999999999"}"#,
    "{}",
    "",
];
/// Most rows of the document, and most messages of a page.
const ROWS_MAX: usize = 3;

/// A server of a document whose rows are the last few numbers, or of messages after a cursor that counts them.
struct Site {
    words: Vec<Vec<u8>>,
    published: Vec<u64>,
    by_cursor: bool,
}

impl Site {
    fn new(by_cursor: bool) -> Self {
        Self { words: BODIES.map(|text| text.as_bytes().to_vec()).to_vec(), published: Vec::new(), by_cursor }
    }

    fn rows(&self, from: usize) -> (Vec<String>, usize) {
        let to = (from + ROWS_MAX).min(self.published.len());
        let row = |at: usize| format!(r#"{{"id":{at},"n":{}}}"#, self.published[at]);
        ((from..to).map(row).collect(), to)
    }
}

impl Server for Site {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    fn polled(&mut self, request: &Request) -> Option<Said> {
        let asked = request.url.query_pairs().find(|(name, _)| name == "site");
        let cursor = asked.and_then(|(_, cursor)| cursor.strip_prefix('c')?.parse::<usize>().ok());
        // One that it never gave begins anew.
        let known = cursor.filter(|cursor| *cursor <= self.published.len()).unwrap_or(0);
        let from = if self.by_cursor { known } else { self.published.len().saturating_sub(ROWS_MAX) };
        let (rows, next) = self.rows(from);
        Some(Said::text(format!(r#"{{"items":[{}],"next":"c{next}"}}"#, rows.join(","))))
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        self.published.push(number);
        Vec::new()
    }

    /// A row that has gone is told as it was.
    fn says_again(&self, event: &Event) -> bool {
        &*event.name == "removed"
    }

    fn proves(&self, link: &Link) -> bool {
        !link.heard.is_empty()
    }
}

fn source(by_cursor: bool, kind: Kind, replays: bool) -> SourceConfig {
    let mut source = None;
    let path = |text: &str| text.parse().expect("a path");
    drop(Rig::new(kind, &["stock"], |config| {
        config.token = Some(Secret::new(""));
        if by_cursor {
            let (next, query, rows) = AFTER;
            config.promises.replays = replays;
            config.promises.cursor =
                Some(Cursor { path: path(next), query: query.map(Into::into), rows: rows.map(path) });
        } else {
            config.envelope = Envelope { id: Some(path("id")), data: Some(path("items")), ..Envelope::default() };
        }
        source = Some(config.clone());
    }));
    source.expect("made")
}

/// H1, H3, H5, H8: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let (by_cursor, replays) = (draws.below(2) == 1, draws.below(2) == 1);
        let kind = if by_cursor && draws.below(2) == 1 { Kind::LongPoll } else { Kind::Poll };
        talk(source(by_cursor, kind, replays), Site::new(by_cursor), &mut draws);
    });
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    for (by_cursor, kind, replays) in
        [(false, Kind::Poll, false), (true, Kind::Poll, false), (true, Kind::Poll, true), (true, Kind::LongPoll, true)]
    {
        sound(source(by_cursor, kind, replays), Site::new(by_cursor));
    }
}

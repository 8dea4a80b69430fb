//! A server that says whatever it likes.

use watchfloor_fuzz::{Draws, check, mutated};

use super::{
    super::{
        resp::{Frame, Parser},
        stream::Id,
    },
    bytes::seeds,
    rig::{HELLO, MISSING, bulk, config, exec, info, list},
};
use crate::{
    Secret, SourceConfig,
    fuzz::talk::{Link, Said, Server, sound, talk},
    port::Request,
};

/// Redis with the channel `news`, which is told of by name and by pattern in turns, and the stream `s`.
struct Redis {
    words: Vec<Vec<u8>>,
    parser: Parser,
    entries: Vec<(Id, u64)>,
    /// Of a transaction that has begun: its answers.
    answers: Option<Vec<String>>,
    /// After which entry the bell is to ring, if it is waited for.
    bell: Option<Id>,
}

impl Redis {
    fn new() -> Self {
        let mut words: Vec<Vec<u8>> = seeds().into_iter().map(String::into_bytes).collect();
        words.extend(
            [
                ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$7\r\n{\"a\":1}\r\n",
                ">3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n",
                "%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$15\r\n1700000000009-0\r\n*2\r\n$1\r\nn\r\n$1\r\n1\r\n",
                "-LOADING Redis is loading the dataset in memory\r\n",
                "_\r\n",
                "+PONG\r\n",
            ]
            .map(|text| text.as_bytes().to_vec()),
        );
        let first = Id { millis: 1_700_000_000_000, number: 0 };
        Self { words, parser: Parser::default(), entries: vec![(first, 0)], answers: None, bell: None }
    }

    /// What `XREAD` of what came after an entry says.
    fn read(&self, after: Id, count: usize) -> String {
        let one = |(id, n): &(Id, u64)| list(&[bulk(&id.to_string()), list(&[bulk("n"), bulk(&n.to_string())])]);
        let found: Vec<String> = self.entries.iter().filter(|(id, _)| *id > after).take(count).map(one).collect();
        if found.is_empty() { "_\r\n".to_owned() } else { format!("%1\r\n{}{}", bulk("s"), list(&found)) }
    }

    fn info(&self) -> String {
        let (Some((first, _)), Some((last, _))) = (self.entries.first(), self.entries.last()) else {
            return MISSING.to_owned();
        };
        let length = self.entries.len() as u64;
        info(length, &first.to_string(), &last.to_string(), length, "0-0")
    }

    fn command(&mut self, words: &[&str]) -> Option<String> {
        let after = words.last().and_then(|word| word.parse::<Id>().ok()).unwrap_or_default();
        let count = || words.get(2).and_then(|count| count.parse().ok()).unwrap_or(1);
        match (words.first().copied()?, self.answers.is_some()) {
            ("HELLO", _) => Some(HELLO.to_owned()),
            ("PING", _) => Some("+PONG\r\n".to_owned()),
            (name @ ("SUBSCRIBE" | "PSUBSCRIBE"), _) => {
                Some(format!(">3\r\n{}{}:1\r\n", bulk(&name.to_lowercase()), bulk(words[1])))
            }
            ("MULTI", _) => {
                self.answers = Some(Vec::new());
                None
            }
            ("EXEC", true) => self.answers.take().map(|answers| exec(&answers)),
            (name, true) => {
                let answer = if name == "XINFO" { self.info() } else { self.read(after, count()) };
                self.answers.get_or_insert_default().push(answer);
                None
            }
            ("XREAD", false) if self.entries.last().is_none_or(|(last, _)| *last <= after) => {
                self.bell = Some(after);
                None
            }
            ("XREAD", false) => Some(self.read(after, 1)),
            _ => Some("+OK\r\n".to_owned()),
        }
    }
}

impl Server for Redis {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// As it stands, or in a frame that is sound.
    fn breaks(&mut self, draws: &mut Draws<'_>) -> Said {
        if draws.once_in(3) {
            let payload = mutated(&["{\"a\":1}", "plain", "17.5"], draws);
            let head = format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n${}\r\n", payload.len());
            return Said::Plain([head.as_bytes(), &payload, b"\r\n"].concat());
        }
        Said::Plain(mutated(&self.words, draws))
    }

    fn opened(&mut self, _request: &Request) -> Vec<Said> {
        (self.parser, self.answers, self.bell) = (Parser::default(), None, None);
        Vec::new()
    }

    fn heard(&mut self, mut message: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        while !message.is_empty() {
            let (used, frame) = self.parser.take(message).expect("a command");
            message = &message[used..];
            let Some(frame) = frame else { continue };
            let words: Vec<&str> = frame.list().expect("words").iter().filter_map(Frame::text).collect();
            said.extend(self.command(&words).map(Said::text));
        }
        said
    }

    /// The bell rings when its time is over.
    fn idles(&mut self) -> Vec<Said> {
        self.bell.take().map(|_| Said::text("_\r\n")).into_iter().collect()
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        if number.is_multiple_of(2) {
            let id = Id { millis: 1_700_000_000_000 + number % 100_000, number: 0 };
            self.entries.push((id, number));
            let bell = self.bell.take();
            return bell.map(|after| Said::text(self.read(after, 1))).into_iter().collect();
        }
        let body = bulk(&format!("{{\"n\":{number}}}"));
        let head = if number % 4 == 1 {
            format!(">3\r\n{}{}", bulk("message"), bulk("news"))
        } else {
            format!(">4\r\n{}{}{}", bulk("pmessage"), bulk("n*"), bulk("new"))
        };
        vec![Said::text(head + &body)]
    }

    fn proves(&self, link: &Link) -> bool {
        ["subscribe", "news", "n*"].into_iter().all(|text| link.has_heard(&[text]))
            && link.has_heard(&["entries-added", "no such key"])
    }
}

fn source() -> SourceConfig {
    SourceConfig { token: Some(Secret::new("")), ..config(&["news", "pattern:n*", "stream:s"]) }
}

/// H1, H3, H5, H8: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| talk(source(), Redis::new(), &mut Draws::new(bytes)));
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    sound(source(), Redis::new());
}

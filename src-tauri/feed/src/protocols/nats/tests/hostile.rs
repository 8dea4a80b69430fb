//! A server that says whatever it likes.

use std::collections::BTreeMap;

use watchfloor_fuzz::{Draws, check, mutated};

use super::{CREATED, INFO, STORED, config, fuzz::LINES};
use crate::{
    SourceConfig,
    fuzz::talk::{Link, Said, Server, sound, talk},
    port::Request,
};

/// A server with subjects under `t.`, and the stream `T`, which begins with its message 1000.
struct Nats {
    words: Vec<Vec<u8>>,
    /// Its subscriptions by what they are to.
    subscriptions: BTreeMap<String, String>,
    /// The numbers in the stream.
    stored: Vec<u64>,
    consumer: String,
    /// Where it delivers, after which message of the stream, and how many it sent.
    deliver: String,
    base: u64,
    sent: u64,
}

impl Nats {
    fn new() -> Self {
        let words = LINES.iter().map(|line| line.as_bytes().to_vec()).collect();
        let (consumer, deliver) = (String::new(), String::new());
        Self { words, subscriptions: BTreeMap::new(), stored: vec![0], consumer, deliver, base: 0, sent: 0 }
    }

    fn last(&self) -> u64 {
        999 + self.stored.len() as u64
    }

    fn message(&self, to: &str, subject: &str, reply: &str, body: &str) -> Option<Said> {
        let sid = self.subscriptions.get(to)?;
        let reply = if reply.is_empty() { String::new() } else { format!(" {reply}") };
        Some(Said::text(format!("MSG {subject} {sid}{reply} {}\r\n{body}\r\n", body.len())))
    }

    /// What the consumer has still to send, if somebody listens.
    fn deliveries(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        while self.base + self.sent < self.last() && self.subscriptions.contains_key(&self.deliver) {
            self.sent += 1;
            let sequence = self.base + self.sent;
            let (time, left) = (STORED + sequence * 1_000_000, self.last() - sequence);
            let ack = format!("$JS.ACK.T.{}.1.{sequence}.{}.{time}.{left}", self.consumer, self.sent);
            let number = self.stored[usize::try_from(sequence - 1000).expect("small")];
            said.extend(self.message(&self.deliver, "t.a", &ack, &number.to_string()));
        }
        said
    }

    fn ask(&mut self, subject: &str, reply: &str, body: &str) -> Option<Said> {
        let answer = if subject.starts_with("$JS.API.CONSUMER.CREATE.T.") {
            let asked: serde_json::Value = serde_json::from_str(body).expect("JSON");
            let text = |name: &str| asked["config"][name].as_str().unwrap_or_default().to_owned();
            (self.consumer, self.deliver) = (text("name"), text("deliver_subject"));
            let start = asked["config"]["opt_start_seq"].as_u64();
            self.base = start.map_or(self.last(), |start| start.clamp(1000, self.last() + 1) - 1);
            self.sent = 0;
            self.consumer()
        } else if subject.starts_with("$JS.API.CONSUMER.INFO.") {
            self.consumer()
        } else if subject.starts_with("$JS.API.STREAM.INFO.") {
            format!(
                r#"{{"config":{{"storage":"file"}},"created":"{CREATED}","state":{{"first_seq":1000,"last_seq":{}}}}}"#,
                self.last()
            )
        } else {
            return None;
        };
        let inbox = self.subscriptions.keys().find(|to| to.ends_with(".r.*")).cloned()?;
        self.message(&inbox, reply, "", &answer)
    }

    fn consumer(&self) -> String {
        let (sequence, left) = (self.base + self.sent, self.last() - self.base - self.sent);
        format!(
            r#"{{"stream_name":"T","name":"{}","delivered":{{"consumer_seq":{},"stream_seq":{sequence}}},"num_pending":{left}}}"#,
            self.consumer, self.sent
        )
    }
}

impl Server for Nats {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// As it stands, or in a frame that is sound.
    fn breaks(&mut self, draws: &mut Draws<'_>) -> Said {
        let to: Vec<(&String, &String)> = self.subscriptions.iter().collect();
        if to.is_empty() || !draws.once_in(2) {
            return Said::Plain(mutated(&self.words, draws));
        }
        let (to, sid) = *draws.pick(&to);
        let subject = to.replace('*', &draws.below(16).to_string()).replace('>', "a");
        let body = mutated(&["{\"n\":1}".to_owned(), "on fire".to_owned(), self.consumer()], draws);
        let head = format!("MSG {subject} {sid} {}\r\n", body.len());
        Said::Plain([head.as_bytes(), &body, b"\r\n"].concat())
    }

    fn opened(&mut self, _request: &Request) -> Vec<Said> {
        self.subscriptions.clear();
        self.deliver.clear();
        vec![Said::text(INFO)]
    }

    fn heard(&mut self, message: &[u8]) -> Vec<Said> {
        let text = String::from_utf8(message.to_vec()).expect("a text");
        let mut said = Vec::new();
        let mut lines = text.split("\r\n");
        while let Some(line) = lines.next() {
            match *line.split(' ').collect::<Vec<_>>() {
                ["PING"] => said.push(Said::text("PONG\r\n")),
                ["SUB", to, sid] => _ = self.subscriptions.insert(to.to_owned(), sid.to_owned()),
                ["UNSUB", sid] => self.subscriptions.retain(|_, known| known != sid),
                ["PUB", subject, reply, _] => said.extend(self.ask(subject, reply, lines.next().expect("a body"))),
                _ => {}
            }
        }
        said.extend(self.deliveries());
        said
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        if number.is_multiple_of(2) {
            self.stored.push(number);
            return self.deliveries();
        }
        self.message("t.>", "t.b", "", &format!("{{\"n\":{number}}}")).into_iter().collect()
    }

    fn proves(&self, link: &Link) -> bool {
        link.has_heard(&["info"]) && link.has_heard(&["pong"])
    }
}

fn source() -> SourceConfig {
    let mut config = config("t.>");
    config.channels.push("stream:T".into());
    config
}

/// H1, H3, H5: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| talk(source(), Nats::new(), &mut Draws::new(bytes)));
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    sound(source(), Nats::new());
}

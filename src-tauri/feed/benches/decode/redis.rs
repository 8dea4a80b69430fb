//! Redis: entries of a stream in readings as long as they are asked for, and messages of Pub/Sub.

use std::hint::black_box;

use redis_protocol::resp3::decode::complete::decode;
use watchfloor_feed::{Envelope, Kind};

use crate::{
    flights::{self, CHANNEL, FIELDS},
    rig::{Coded, Rig, Said, Talk, WALL_MS, chunks, envelope},
};

const HELLO: &str = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:4\r\n\
     $4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
const URL: &str = "redis://redis.example";

pub(crate) fn pubsub() -> Talk {
    let rig = Rig::new(Kind::Redis, URL, |config| config.envelope = envelope(Some("name"), Some("time")));
    let confirmed = format!(">3\r\n{}{}:1\r\n", bulk("subscribe"), bulk(CHANNEL));
    let rig = rig.opened(&[HELLO, &confirmed].map(Said::chunk));
    let json: Vec<String> = (0..flights::COUNT).map(|number| flights::whole(number, "")).collect();
    let push = |body: &String| format!(">3\r\n{}{}{}", bulk("message"), bulk(CHANNEL), bulk(body));
    Talk { rig, said: chunks(json.iter().map(push).collect::<String>().as_bytes()), json }
}

/// Entries with one field, which holds the message.
pub(crate) fn stream() -> Talk {
    let json: Vec<String> = (0..flights::COUNT).map(|number| flights::whole(number, "")).collect();
    let mut envelope = envelope(Some("data.name"), Some("data.time"));
    envelope.data = Some("data".parse().expect("a path"));
    let (rig, answers) = read(envelope, |number| vec![bulk("data"), bulk(&flights::whole(number, ""))]);
    Talk { rig, said: answers.iter().flat_map(|answer| chunks(answer)).collect(), json }
}

/// Entries that have the fields which the body has in other dialects. There is no JSON in them: it is made of them, beside a library that reads the
/// same bytes.
pub(crate) fn fields() -> Coded {
    let (rig, bytes) = read(Envelope::default(), |number| {
        FIELDS.into_iter().zip(flights::values(number)).flat_map(|(name, value)| [bulk(name), bulk(&value)]).collect()
    });
    Coded { rig, said: bytes.iter().flat_map(|answer| chunks(answer)).collect(), bytes, parse: read_frames }
}

fn read_frames(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let (frame, length) = decode(bytes).expect("bytes made here").expect("whole frames");
        drop(black_box(frame));
        bytes = &bytes[length..];
    }
}

/// A live feed, and the answers to its readings.
fn read(envelope: Envelope, fields: impl Fn(u64) -> Vec<String>) -> (Rig, Vec<Vec<u8>>) {
    let entry = |number| list(&[bulk(&id(number)), list(&fields(number))]);
    // What is asked for depends on what was answered, but not on when: the second feed asks as the first one did.
    let (mut asking, mut next, mut said) = (live(envelope.clone()), 0, Vec::new());
    asking.says(&Said::chunk(entries(&[entry(0)])));
    while let Some(count) = asked(&asking) {
        let end = (next + count).min(flights::COUNT);
        let read: Vec<String> = (next..end).map(entry).collect();
        let answers = [info(flights::COUNT), entries(&read)];
        let answer = exec(&answers).into_bytes();
        asking.sent.clear();
        chunks(&answer).iter().for_each(|one| asking.hear_more(one));
        said.push(answer);
        next = end;
    }
    let mut rig = live(envelope);
    rig.says(&Said::chunk(entries(&[entry(0)])));
    (rig, said)
}

/// How many entries are to be read, if the last thing that was sent is a reading.
fn asked(rig: &Rig) -> Option<u64> {
    let text = rig.sent_text();
    let reading = text.rsplit("EXEC").nth(1)?;
    let words: Vec<&str> = reading.split("\r\n").collect();
    let count = words.iter().rposition(|word| *word == "COUNT")?;
    words.get(count + 2)?.parse().ok()
}

/// A feed that waits for the bell of a stream without entries.
fn live(envelope: Envelope) -> Rig {
    let rig = Rig::new(Kind::Redis, URL, |config| {
        config.channels = vec![format!("stream:{CHANNEL}").into()];
        config.envelope = envelope;
    });
    rig.opened(&[Said::chunk(HELLO), Said::chunk(exec(&[info(0)])), Said::chunk(exec(&[info(0), "_\r\n".to_owned()]))])
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn list(items: &[String]) -> String {
    format!("*{}\r\n{}", items.len(), items.concat())
}

fn exec(answers: &[String]) -> String {
    format!("+OK\r\n{}{}", "+QUEUED\r\n".repeat(answers.len()), list(answers))
}

/// What `XREAD` says.
fn entries(read: &[String]) -> String {
    format!("%1\r\n{}{}", bulk(CHANNEL), list(read))
}

fn id(number: u64) -> String {
    format!("{}-{}", WALL_MS.unsigned_abs() + number / 8, number % 8)
}

/// What `XINFO STREAM` says of a stream of so many entries.
fn info(count: u64) -> String {
    let none = || "0-0".to_owned();
    let last = count.checked_sub(1);
    let one = |number: Option<u64>| {
        number.map_or_else(|| "_\r\n".to_owned(), |number| list(&[bulk(&id(number)), list(&[bulk("n"), bulk("0")])]))
    };
    let pairs = [
        ("length", format!(":{count}\r\n")),
        ("radix-tree-keys", ":1\r\n".to_owned()),
        ("radix-tree-nodes", ":2\r\n".to_owned()),
        ("last-generated-id", bulk(&last.map_or_else(none, id))),
        ("max-deleted-entry-id", bulk(&none())),
        ("entries-added", format!(":{count}\r\n")),
        ("recorded-first-entry-id", bulk(&last.map_or_else(none, |_| id(0)))),
        ("groups", ":0\r\n".to_owned()),
        ("first-entry", one(last.map(|_| 0))),
        ("last-entry", one(last)),
    ];
    format!("%10\r\n{}", pairs.iter().map(|(key, value)| bulk(key) + value).collect::<String>())
}

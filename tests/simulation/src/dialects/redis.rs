//! Redis 7 by RESP3: streams, which are numbered and counted, and Pub/Sub, of which nothing is kept.
//!
//! Commands are answered in turn. `XREAD BLOCK` holds back what comes after it until something was added, or its time is over.

use std::collections::{BTreeMap, VecDeque};

use watchfloor_feed::LinkId;
use watchfloor_model::Mono;

use super::{At, Began, Call, Dialect, Said};

/// What a channel that is a stream is called by.
pub(super) const STREAM: &str = "stream:";
/// The answer for a command within a transaction.
const QUEUED: &str = "+QUEUED\r\n";
const NOTHING: &str = "_\r\n";

#[derive(Default)]
struct Client {
    /// Bytes that are no whole command yet.
    rest: Vec<u8>,
    commands: VecDeque<Vec<String>>,
    /// The commands of a transaction.
    transaction: Option<Vec<Vec<String>>>,
    /// Until when it waits for an entry.
    waits: Option<Mono>,
    /// By channel of Pub/Sub: the turn of the next message.
    subscribed: BTreeMap<usize, usize>,
    /// By stream: the turn of the next entry that it hasn't had, once it has asked how the stream stands.
    read: BTreeMap<usize, usize>,
}

/// The server.
#[derive(Default)]
pub(super) struct Redis {
    clients: BTreeMap<LinkId, Client>,
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn list(items: &[String]) -> String {
    format!("*{}\r\n{}", items.len(), items.concat())
}

/// An entry's id: its time, and its number within that.
fn id(at: &At<'_>, channel: usize, turn: usize) -> (i64, u64) {
    let time = |turn: usize| at.server.turn(channel, turn).map(|event| (event.time, event.epoch));
    let Some(own) = time(turn) else { return (0, 0) };
    let same = (0..turn).rev().take_while(|before| time(*before) == Some(own)).count();
    (own.0, same as u64)
}

fn shown((millis, number): (i64, u64)) -> String {
    format!("{millis}-{number}")
}

/// `XINFO STREAM`.
fn info(at: &At<'_>, channel: usize) -> String {
    let (base, oldest, next) = (at.server.base(channel), at.server.oldest(channel), at.server.next_turn(channel));
    if base == next {
        return "-ERR no such key\r\n".to_owned();
    }
    let length = next - oldest;
    let number = |number: usize| format!(":{number}\r\n");
    let entry = |turn: usize| {
        if length == 0 {
            NOTHING.to_owned()
        } else {
            list(&[bulk(&shown(id(at, channel, turn))), list(&[bulk("n"), bulk("0")])])
        }
    };
    let first = if length == 0 { "0-0".to_owned() } else { shown(id(at, channel, oldest)) };
    let pairs = [
        ("length", number(length)),
        ("last-generated-id", bulk(&shown(id(at, channel, next - 1)))),
        ("max-deleted-entry-id", bulk("0-0")),
        ("entries-added", number(next - base)),
        ("recorded-first-entry-id", bulk(&first)),
        ("first-entry", entry(oldest)),
        ("last-entry", entry(next.saturating_sub(1))),
    ];
    format!("%{}\r\n{}", pairs.len(), pairs.map(|(key, value)| bulk(key) + &value).concat())
}

fn stream(at: &At<'_>, key: &str) -> Result<usize, String> {
    at.server.channel(&format!("{STREAM}{key}")).ok_or_else(|| format!("an unknown stream {key}"))
}

/// The turn of the first entry after this id that the stream has.
fn after(at: &At<'_>, channel: usize, asked: &str) -> Result<usize, String> {
    let (millis, number) = asked.split_once('-').ok_or("no id")?;
    let asked: (i64, u64) = (millis.parse().map_err(|_| "no id")?, number.parse().map_err(|_| "no id")?);
    let turns = at.server.oldest(channel)..at.server.next_turn(channel);
    // What is asked for is mostly near the end.
    let later = turns.rev().take_while(|turn| id(at, channel, *turn) > asked).count();
    Ok(at.server.next_turn(channel) - later)
}

/// The words after one, if there is one.
fn word<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    words.iter().position(|word| word == name).and_then(|place| words.get(place + 1)).map(String::as_str)
}

impl Client {
    /// Takes whole commands out of what has come.
    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.rest.extend_from_slice(bytes);
        let text = String::from_utf8(std::mem::take(&mut self.rest)).map_err(|error| error.to_string())?;
        let mut rest = text.as_str();
        let number = |line: &str, kind: char| -> Result<usize, String> {
            line.strip_prefix(kind).and_then(|number| number.parse().ok()).ok_or_else(|| format!("no command: {line}"))
        };
        'commands: while !rest.is_empty() {
            let whole = rest;
            let Some((line, mut left)) = rest.split_once("\r\n") else { break };
            let mut words = Vec::new();
            for _ in 0..number(line, '*')? {
                let Some((line, more)) = left.split_once("\r\n") else { break 'commands };
                let length = number(line, '$')?;
                if more.len() < length + 2 {
                    break 'commands;
                }
                words.push(more[..length].to_owned());
                left = &more[length + 2..];
            }
            self.commands.push_back(words);
            rest = left;
            debug_assert!(rest.len() < whole.len(), "it goes on");
        }
        rest.as_bytes().clone_into(&mut self.rest);
        Ok(())
    }
}

impl Redis {
    /// Answers what can be answered.
    fn serve(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        while let Some(client) = self.clients.get_mut(&link) {
            let Some(words) = client.commands.front().cloned() else { return Ok(()) };
            if words[0] == "XREAD" && client.transaction.is_none() && !self.bell(at, link, &words)? {
                return Ok(());
            }
            if let Some(client) = self.clients.get_mut(&link) {
                client.commands.pop_front();
            }
            if words[0] != "XREAD" || self.clients.get(&link).is_some_and(|client| client.transaction.is_some()) {
                self.command(at, link, words)?;
            }
        }
        Ok(())
    }

    /// Whether `XREAD BLOCK` is answered now; if so, it was.
    fn bell(&mut self, at: &mut At<'_>, link: LinkId, words: &[String]) -> Result<bool, String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(true) };
        let block: u64 = word(words, "BLOCK").and_then(|text| text.parse().ok()).ok_or("an XREAD that doesn't wait")?;
        let streams = words.iter().position(|word| word == "STREAMS").ok_or("no streams")?;
        let (keys, ids) = words[streams + 1..].split_at((words.len() - streams - 1) / 2);
        let mut found = Vec::new();
        for (key, asked) in keys.iter().zip(ids) {
            let channel = stream(at, key)?;
            let turn = after(at, channel, asked)?;
            if turn < at.server.next_turn(channel) {
                let entry = list(&[bulk(&shown(id(at, channel, turn))), list(&[bulk("n"), bulk("0")])]);
                found.push(bulk(key) + &list(&[entry]));
            }
        }
        if found.is_empty() {
            match client.waits {
                None => {
                    let until = at.now.plus(std::time::Duration::from_millis(block));
                    client.waits = Some(until);
                    at.wake(until);
                    return Ok(false);
                }
                Some(until) if at.now < until => return Ok(false),
                Some(_) => at.say(Said::plain(NOTHING)),
            }
        } else {
            at.say(Said::plain(format!("%{}\r\n{}", found.len(), found.concat())));
        }
        client.waits = None;
        Ok(true)
    }

    fn command(&mut self, at: &mut At<'_>, link: LinkId, words: Vec<String>) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        match words[0].as_str() {
            "EXEC" => {
                let inner = client.transaction.take().ok_or("EXEC without MULTI")?;
                let mut answers = Vec::new();
                let mut began = Vec::new();
                for words in &inner {
                    answers.push(match words[0].as_str() {
                        "XINFO" => info(at, stream(at, &words[2])?),
                        "XREAD" => client.read(at, words, &mut began)?,
                        other => return Err(format!("{other} in a transaction")),
                    });
                }
                if inner.iter().all(|words| words[0] == "XINFO") {
                    for words in &inner {
                        let channel = stream(at, &words[2])?;
                        let one = begin(at, channel);
                        client.read.insert(channel, one.turn);
                        began.push(one);
                    }
                }
                at.say(Said::beginning(list(&answers), began));
            }
            _ if client.transaction.is_some() => {
                client.transaction.iter_mut().for_each(|inner| inner.push(words.clone()));
                at.say(Said::plain(QUEUED));
            }
            "MULTI" => {
                client.transaction = Some(Vec::new());
                at.say(Said::plain("+OK\r\n"));
            }
            "HELLO"
                if at.admit(word(&words, "AUTH").and(words.get(4)).map(String::as_str)).is_none()
                    && words.len() > 2 =>
            {
                at.say(Said::plain("-WRONGPASS invalid username-password pair or user is disabled.\r\n"));
            }
            "HELLO" => {
                if let Some(token) = at.admit(words.get(4).map(String::as_str)).filter(|_| words.len() > 2) {
                    at.say(Said::Token(token));
                }
                let pairs = [("server", "redis"), ("version", "7.0.15"), ("mode", "standalone"), ("role", "master")];
                let text = pairs.map(|(key, value)| bulk(key) + &bulk(value)).concat();
                at.say(Said::plain(format!("%4\r\n{text}")));
            }
            "AUTH" => match at.admit(words.get(2).map(String::as_str)) {
                Some(token) => {
                    at.say(Said::Token(token));
                    at.say(Said::plain("+OK\r\n"));
                }
                None => at.say(Said::plain("-WRONGPASS invalid username-password pair or user is disabled.\r\n")),
            },
            "PING" => at.say(Said::plain("+PONG\r\n")),
            "SUBSCRIBE" => {
                let channel = at.server.channel(&words[1]).ok_or("an unknown channel")?;
                let turn = at.server.next_turn(channel);
                client.subscribed.insert(channel, turn);
                let text = format!(">3\r\n{}{}:1\r\n", bulk("subscribe"), bulk(&words[1]));
                at.say(Said::beginning(text, vec![Began { channel, turn, recovered: false }]));
            }
            other => return Err(format!("an unknown command {other}")),
        }
        Ok(())
    }
}

/// Where a stream is read from by who asks how it stands: what it remembers, and what of that the server's counts bear out.
fn begin(at: &At<'_>, channel: usize) -> Began {
    let (base, oldest, next) = (at.server.base(channel), at.server.oldest(channel), at.server.next_turn(channel));
    let began = |turn: usize, recovered: bool| Began { channel, turn, recovered };
    match at.had[channel] {
        None => began(next, false),
        Some((turn, epoch)) if epoch == at.server.epoch => {
            // Of one that was empty nobody knows whether it is the same.
            let recovered = turn >= oldest && turn > base;
            began(turn.max(oldest), recovered)
        }
        // Another stream, which has had fewer than the old one, or more.
        Some((turn, epoch)) => {
            let last = turn.checked_sub(1).and_then(|last| at.server.turn(channel, last));
            let added = last.filter(|last| last.epoch == epoch).map_or(0, |last| last.offset);
            let now = (next - base) as u64;
            // It is found by its counts before anything is read of it, and followed from its newest entry: it has had fewer, or as many
            // and ends in another. If it has had more, it is found by what is there to read, and that is read.
            began(if now <= added || next == base { next } else { oldest }, false)
        }
    }
}

impl Client {
    /// A reading of one stream.
    fn read(&mut self, at: &mut At<'_>, words: &[String], began: &mut Vec<Began>) -> Result<String, String> {
        let [.., key, asked] = words else { return Err("no stream".into()) };
        let count: usize = word(words, "COUNT").and_then(|text| text.parse().ok()).ok_or("no count")?;
        let channel = stream(at, key)?;
        let from = after(at, channel, asked)?;
        let next = self.read.get(&channel).copied().unwrap_or(from);
        if from > next {
            // Trimmed before it was read: the counts tell.
            began.push(Began { channel, turn: from, recovered: false });
        }
        let mut entries = Vec::new();
        for turn in (from..at.server.next_turn(channel)).take(count) {
            let body = at.body(channel, turn);
            entries.push(list(&[bulk(&shown(id(at, channel, turn))), list(&[bulk("m"), bulk(&body)])]));
        }
        self.read.insert(channel, from + entries.len());
        Ok(if entries.is_empty() { NOTHING.to_owned() } else { format!("%1\r\n{}{}", bulk(key), list(&entries)) })
    }
}

impl Dialect for Redis {
    fn begin(&mut self, _at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.clients.insert(link, Client::default());
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        client.take(message)?;
        self.serve(at, link)
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        for (channel, next) in &mut client.subscribed {
            while *next < at.server.next_turn(*channel) {
                let (body, name) = (at.body(*channel, *next), at.server.name(*channel).to_owned());
                let text = format!(">3\r\n{}{}{}", bulk("message"), bulk(&name), bulk(&body));
                at.say(Said::event(text, *channel, *next));
                *next += 1;
            }
        }
        if client.waits.is_some() { self.serve(at, link) } else { Ok(()) }
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }
}

//! NATS JetStream: streams with sequences, and consumers of one's own.
//!
//! ```text
//! INFO; CONNECT, PING → PONG; CONSUMER.CREATE, STREAM.INFO, CONSUMER.INFO → answers; SUB → what the consumer has
//! ```

use std::collections::BTreeMap;

use serde_json::{Value, json};
use watchfloor_feed::LinkId;

use super::{At, Began, Call, Dialect, Said};

/// What a channel that is a stream is called by.
pub(super) const STREAM: &str = "stream:";
const API: &str = "$JS.API.";

/// A consumer of somebody's own.
struct Consumer {
    channel: usize,
    name: String,
    deliver: String,
    /// The base of the epoch in which its stream was made.
    base: usize,
    /// Whether it began with a message that was asked for.
    by_start: bool,
    /// The turn with which it began, and that of the next message.
    began: usize,
    next: usize,
    sent: u64,
    /// The subscription to what it sends, if somebody listens.
    listener: Option<u64>,
    /// Messages that it never sent, as its stream had let go of them.
    lost: bool,
}

#[derive(Default)]
struct Client {
    rest: String,
    /// Subscriptions: by number, the subject.
    subscribed: BTreeMap<u64, String>,
    consumers: Vec<Consumer>,
}

/// The server.
#[derive(Default)]
pub(super) struct JetStream {
    clients: BTreeMap<LinkId, Client>,
}

fn created(at: &At<'_>) -> String {
    format!("2013-02-08T22:30:00.{:09}Z", at.server.epoch)
}

fn stream(at: &At<'_>, name: &str) -> Result<usize, String> {
    at.server.channel(&format!("{STREAM}{name}")).ok_or_else(|| format!("an unknown stream {name}"))
}

/// The sequence of a turn in its stream.
const fn sequence(base: usize, turn: usize) -> u64 {
    (turn - base) as u64 + 1
}

impl Client {
    fn answer(&self, at: &mut At<'_>, reply: &str, answer: &Value, began: Vec<Began>) -> Result<(), String> {
        let is_to = |subject: &str| subject.strip_suffix('*').is_some_and(|head| reply.starts_with(head));
        let found = self.subscribed.iter().find(|(_, subject)| is_to(subject) || *subject == reply);
        let (number, _) = found.ok_or("nobody listens to the answer")?;
        let text = answer.to_string();
        at.say(Said::beginning(format!("MSG {reply} {number} {}\r\n{text}\r\n", text.len()), began));
        Ok(())
    }

    fn publication(&mut self, at: &mut At<'_>, subject: &str, reply: &str, body: &str) -> Result<(), String> {
        let asked = subject.strip_prefix(API).ok_or_else(|| format!("nothing is published here: {subject}"))?;
        let parts: Vec<&str> = asked.split('.').collect();
        match parts[..] {
            ["CONSUMER", "CREATE", name, consumer, ..] => {
                let channel = stream(at, name)?;
                let config: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
                let config = &config["config"];
                let (base, oldest, next) =
                    (at.server.base(channel), at.server.oldest(channel), at.server.next_turn(channel));
                let start = config["opt_start_seq"].as_u64();
                let by =
                    |start: u64| base.saturating_add(usize::try_from(start).unwrap_or(usize::MAX)).saturating_sub(1);
                let began = start.map_or(next, |start| by(start).max(oldest));
                let deliver = config["deliver_subject"].as_str().ok_or("no subject")?.to_owned();
                let listener =
                    self.subscribed.iter().find(|(_, subject)| **subject == deliver).map(|(number, _)| *number);
                self.consumers.retain(|own| own.channel != channel);
                let name = consumer.to_owned();
                let by_start = start.is_some();
                self.consumers.push(Consumer {
                    channel,
                    name,
                    deliver,
                    base,
                    by_start,
                    began,
                    next: began,
                    sent: 0,
                    listener,
                    lost: false,
                });
                let answer = json!({"name": consumer, "delivered": {"consumer_seq": 0, "stream_seq": began - base},
                    "num_pending": next.saturating_sub(began)});
                self.answer(at, reply, &answer, Vec::new())
            }
            ["STREAM", "INFO", name] => {
                let channel = stream(at, name)?;
                let (base, oldest, next) =
                    (at.server.base(channel), at.server.oldest(channel), at.server.next_turn(channel));
                let answer = json!({"config": {"storage": "file"}, "created": created(at),
                    "state": {"first_seq": sequence(base, oldest), "last_seq": next - base, "num_deleted": 0}});
                let consumer = self.consumers.iter().find(|own| own.channel == channel);
                let began = consumer.and_then(|consumer| begin(at, consumer));
                self.answer(at, reply, &answer, began.into_iter().collect())
            }
            ["CONSUMER", "INFO", name, consumer] => {
                let channel = stream(at, name)?;
                let base = at.server.base(channel);
                let found = self.consumers.iter().find(|own| own.name == consumer && own.base == base);
                // What it never sent shows in how far it has come, before another message does.
                let lost = found.filter(|own| own.lost);
                let began = lost.map(|own| Began { channel, turn: own.next, recovered: false });
                let answer = match found {
                    None => json!({"error": {"code": 404, "err_code": 10014, "description": "consumer not found"}}),
                    Some(own) => json!({"num_pending": at.server.next_turn(channel).saturating_sub(own.next),
                        "delivered": {"consumer_seq": own.sent, "stream_seq": own.next - base}}),
                };
                self.answer(at, reply, &answer, began.into_iter().collect())
            }
            _ => Err(format!("an unknown question {subject}")),
        }
    }
}

/// Where a stream is gone on from, when whoever made this consumer is told how it stands; none if another one will be made.
fn begin(at: &At<'_>, consumer: &Consumer) -> Option<Began> {
    let channel = consumer.channel;
    if !consumer.by_start {
        return Some(Began { channel, turn: consumer.began, recovered: false });
    }
    let (turn, _) = at.had[channel].filter(|(_, epoch)| *epoch == at.server.epoch)?;
    let oldest = at.server.oldest(channel);
    Some(Began { channel, turn: turn.max(oldest), recovered: turn >= oldest })
}

impl Dialect for JetStream {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.clients.insert(link, Client::default());
        let info =
            r#"{"server_id":"M","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576,"jetstream":true}"#;
        at.say(Said::plain(format!("INFO {info}\r\n")));
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        client.rest.push_str(std::str::from_utf8(message).map_err(|error| error.to_string())?);
        while let Some((line, rest)) = client.rest.split_once("\r\n") {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            let words: Vec<&str> = line.split(' ').collect();
            let mut left = rest.clone();
            match words[..] {
                [""] => {}
                ["PING"] => at.say(Said::plain("PONG\r\n")),
                ["CONNECT", ..] if at.revoked => {
                    at.say(Said::plain("-ERR 'Authorization Violation'\r\n"));
                    at.say(Said::Close(None, ""));
                    return Ok(());
                }
                ["CONNECT", ..] => {}
                ["SUB", subject, number] => {
                    let number: u64 = number.parse().map_err(|_| "no number")?;
                    client.subscribed.insert(number, subject.to_owned());
                    let own = client.consumers.iter_mut().filter(|own| own.deliver == subject);
                    own.for_each(|own| own.listener = Some(number));
                }
                ["UNSUB", number] => {
                    let number: u64 = number.parse().map_err(|_| "no number")?;
                    client.subscribed.remove(&number);
                    client.consumers.retain(|own| own.listener != Some(number));
                }
                ["PUB", subject, reply, length] => {
                    let length: usize = length.parse().map_err(|_| "no length")?;
                    if rest.len() < length + 2 {
                        return Ok(());
                    }
                    left = rest[length + 2..].to_owned();
                    client.publication(at, subject, reply, &rest[..length])?;
                }
                _ => return Err(format!("an unknown line {line}")),
            }
            client.rest = left;
        }
        self.pump(at, link)
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        for own in &mut client.consumers {
            let channel = own.channel;
            let Some(listener) = own.listener.filter(|_| own.base == at.server.base(channel)) else { continue };
            let oldest = at.server.oldest(channel);
            if own.next < oldest {
                (own.next, own.lost) = (oldest, true);
            }
            while own.next < at.server.next_turn(channel) {
                let body = at.body(channel, own.next);
                own.sent += 1;
                let (turn, seq) = (own.next, sequence(own.base, own.next));
                let pending = at.server.next_turn(channel) - turn - 1;
                let time = at.server.turn(channel, turn).map_or(0, |event| event.time) * 1_000_000;
                let name = at.server.name(channel).trim_start_matches(STREAM).to_owned();
                let ack = format!("$JS.ACK.{name}.{}.1.{seq}.{}.{time}.{pending}", own.name, own.sent);
                if std::mem::take(&mut own.lost) {
                    at.begun(vec![Began { channel, turn, recovered: false }]);
                }
                at.say(Said::event(
                    format!("MSG s.{name} {listener} {ack} {}\r\n{body}\r\n", body.len()),
                    channel,
                    turn,
                ));
                own.next += 1;
            }
        }
        Ok(())
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }
}

//! What a session says to JetStream and hears from it: asking for consumers, taking what they send; and what servers refuse.

use watchfloor_model::Position;

use super::{
    api::{API, Ack, Answer, Create, Delivered},
    follow::{Next, Start, Taken},
    session::{Ask, NatsSession, Route, say},
    wire::{Message as Delivery, header, status},
};
use crate::{
    fault::cut,
    protocols::{Moment, Signal},
};

/// Most answers that are waited for; with more, the oldest is given up.
const ASKED_MAX: usize = 1024;

impl NatsSession {
    pub(super) fn ask(&mut self, ask: Ask, subject: &str, body: &str) -> (u64, String) {
        let number = self.next_number();
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_first();
        }
        self.asked.insert(number, ask);
        (number, format!("PUB {subject} {}.r.{number} {}\r\n{body}\r\n", self.inbox, body.len()))
    }

    /// Asks for a consumer.
    pub(super) fn create(&mut self, index: usize) -> String {
        let number = self.next_number();
        // Consumers have one name space a stream, whoever makes them.
        let consumer = format!("{}-{number}", self.inbox.trim_start_matches("_INBOX."));
        let deliver = self.deliver(&consumer);
        let Some(stream) = self.streams.get_mut(&index) else { return String::new() };
        let start = stream.create(consumer);
        let (subject, body) = Create {
            stream: &stream.name,
            filter: stream.filter.as_deref(),
            consumer: &stream.consumer,
            deliver: &deliver,
            start,
            heartbeat: self.beat,
        }
        .request();
        self.ask(Ask::Create(index), &subject, &body).1
    }

    /// Where a consumer sends to.
    pub(super) fn deliver(&self, consumer: &str) -> String {
        format!("{}.d.{consumer}", self.inbox)
    }

    pub(super) fn answer(&mut self, message: &Delivery<'_>, out: &mut Vec<Signal>) {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse::<u64>().ok());
        let Some((number, ask)) = number.and_then(|number| Some((number, self.asked.remove(&number)?))) else { return };
        let is_proof = self.round.as_mut().is_some_and(|round| round.asked.remove(&number));
        let (Ask::Create(index) | Ask::Judge(index) | Ask::Consumer(index) | Ask::Front(index)) = ask;
        if status(message.headers) == Some(503) {
            return self.no_jetstream(ask, "JetStream is not there, or not for this account", out);
        }
        let answer: Answer = match serde_json::from_slice(message.body) {
            Ok(answer) => answer,
            Err(error) => return self.no_jetstream(ask, &format!("its answer can't be read: {error}"), out),
        };
        if let Some(error) = &answer.error {
            let reason = format!("{} ({})", cut(&error.description), error.err_code);
            return self.no_jetstream(ask, &reason, out);
        }
        let Some(stream) = self.streams.get_mut(&index) else { return };
        match ask {
            Ask::Create(_) => {
                let next = stream.created(&answer);
                self.go_on(index, next, out);
            }
            Ask::Judge(_) => {
                let next = stream.judge(&answer);
                self.go_on(index, next, out);
            }
            Ask::Consumer(_) => {
                stream.was_behind |= answer.num_pending > 0;
                self.came_to(index, answer.delivered, answer.num_pending, out);
            }
            Ask::Front(_) => self.front(index, &answer, out),
        }
        if is_proof {
            self.end_round(out);
        }
    }

    /// How far a consumer has come, by its own word, and how much it has still to send.
    fn came_to(&mut self, index: usize, delivered: Delivered, pending: u64, out: &mut Vec<Signal>) {
        let Some(stream) = self.streams.get_mut(&index) else { return };
        let lost = stream.pass(delivered.consumer_seq, delivered.stream_seq);
        let unsent = delivered.consumer_seq.saturating_add(pending).saturating_sub(stream.consumer_seq);
        self.behind[index] = unsent.saturating_add(stream.passed());
        if let Some(before) = lost {
            self.lost(index, before, "the stream let go of messages before they were sent".to_owned(), out);
        }
    }

    /// Something was asked of JetStream in vain.
    pub(super) fn no_jetstream(&mut self, ask: Ask, reason: &str, out: &mut Vec<Signal>) {
        let (Ask::Create(index) | Ask::Judge(index) | Ask::Consumer(index) | Ask::Front(index)) = ask;
        let message = format!("`{}`: {reason}", self.names[index]);
        out.push(match ask {
            Ask::Create(_) | Ask::Judge(_) => Signal::Error { code: "jetstream".to_owned(), message, denied: false },
            // The consumer is gone, or the stream.
            Ask::Consumer(_) | Ask::Front(_) => Signal::Resubscribe { reason: message },
        });
    }

    pub(super) fn go_on(&mut self, index: usize, next: Next, out: &mut Vec<Signal>) {
        let Some(stream) = self.streams.get(&index) else { return };
        match next {
            Next::Nothing => {}
            Next::Ask | Next::AskDeleted => {
                let subject = format!("{API}STREAM.INFO.{}", stream.name);
                let body = if next == Next::Ask { "" } else { r#"{"deleted_details":true}"# };
                let (_, text) = self.ask(Ask::Judge(index), &subject, body);
                out.push(say(text));
            }
            Next::Listen => self.hear(index, out),
            Next::Anew => {
                let text = stream.sid.map(|sid| format!("UNSUB {sid}\r\n")).unwrap_or_default();
                if let Some(sid) = stream.sid {
                    self.routes.remove(&sid);
                }
                let text = text + &self.create(index);
                out.push(say(text));
            }
            Next::Subscribed(start) => {
                self.subscribed(index, start, out);
                self.hear(index, out);
            }
        }
    }

    /// Listens to a consumer, which sends as soon as somebody does.
    pub(super) fn hear(&mut self, index: usize, out: &mut Vec<Signal>) {
        let Some(stream) = self.streams.get(&index) else { return };
        let subject = self.deliver(&stream.consumer);
        let text = self.listen(&subject, Route::Stream(index));
        out.push(say(text));
    }

    pub(super) fn subscribed(&mut self, index: usize, start: Start, out: &mut Vec<Signal>) {
        let Some(stream) = self.streams.get(&index) else { return };
        let Start { resumed, after, pending, reason } = start;
        let recovered = resumed.is_some();
        let from = match resumed {
            Some(place) => place,
            None if stream.is_whole() => Position::new(stream.identity.clone(), after).marked(stream.mark(after, None)),
            None => {
                // Counted from here on.
                _ = self.counted.subscribed(index, "");
                let Some(place) = self.counted.at(index) else { return };
                place.clone().marked(stream.mark(after, None))
            }
        };
        _ = self.counted.resumed(index, from.clone());
        self.behind[index] = pending;
        let head = Position::new(from.epoch.clone(), from.offset.saturating_add(pending));
        let reason = (!recovered).then_some(reason);
        out.push(Signal::Subscribed { channel: index, head, from, recovered, reason });
        self.beat(out);
    }

    /// What a consumer sends.
    pub(super) fn delivery(&mut self, index: usize, message: &Delivery<'_>, now: Moment, out: &mut Vec<Signal>) {
        if let Some(status) = status(message.headers) {
            return self.status(index, status, message, out);
        }
        let Some(ack) = message.reply.and_then(Ack::parse) else {
            let reason = "a message on a consumer's subject that is none of the stream's".to_owned();
            return out.push(Signal::Rejected { place: None, reason });
        };
        if self.take(index, &ack, out) {
            self.publication(index, message, Some(&ack), now, out);
            self.spoke(index, out);
        }
    }

    /// A consumer spoke by itself.
    pub(super) fn spoke(&mut self, index: usize, out: &mut Vec<Signal>) {
        if self.round.as_mut().is_some_and(|round| round.silent.remove(&index)) {
            self.end_round(out);
        }
    }

    /// Whether what a consumer sends is an event, by what it says of itself.
    pub(super) fn take(&mut self, index: usize, ack: &Ack<'_>, out: &mut Vec<Signal>) -> bool {
        let Some(stream) = self.streams.get_mut(&index) else { return false };
        let taken = stream.take(ack);
        self.behind[index] = ack.pending;
        match taken {
            Taken::Foreign => false,
            Taken::Known(start) => {
                self.subscribed(index, start, out);
                false
            }
            Taken::Unproven(start) => {
                self.subscribed(index, start, out);
                self.behind[index] = ack.pending;
                true
            }
            Taken::Anew => {
                self.go_on(index, Next::Anew, out);
                false
            }
            Taken::Missing(reason) => {
                out.push(Signal::Resubscribe { reason });
                false
            }
            Taken::Next { missing } => {
                if missing {
                    let before = ack.stream_seq - 1;
                    let reason = format!("messages before {} are gone from the stream", ack.stream_seq);
                    self.lost(index, before, reason, out);
                }
                true
            }
        }
    }

    /// Something of a stream won't come: what follows is after `before`.
    pub(super) fn lost(&mut self, index: usize, before: u64, reason: String, out: &mut Vec<Signal>) {
        let (Some(stream), Some(at)) = (self.streams.get(&index), self.counted.at(index)) else { return };
        let offset = if stream.is_whole() { before } else { at.offset };
        let head = Position::new(at.epoch.clone(), offset).marked(stream.mark(before, None));
        _ = self.counted.resumed(index, head.clone());
        out.push(Signal::Lost { channel: index, head, reason });
    }

    /// What a consumer says besides messages.
    pub(super) fn status(&mut self, index: usize, status: u16, message: &Delivery<'_>, out: &mut Vec<Signal>) {
        let Some(stream) = self.streams.get_mut(&index) else { return };
        if status != 100 {
            let reason = format!("`{}`: the consumer ended ({status})", self.names[index]);
            return out.push(Signal::Resubscribe { reason });
        }
        // It waits for us: flow control. What came before this was taken.
        let waits = message.reply.or_else(|| header(message.headers, "Nats-Consumer-Stalled"));
        if let Some(subject) = waits.filter(|subject| super::check_subject(subject).is_ok()) {
            out.push(say(format!("PUB {subject} 0\r\n\r\n")));
        }
        let number = |name: &str| header(message.headers, name)?.parse::<u64>().ok();
        let Some(sent) = number("Nats-Last-Consumer") else { return };
        if sent > stream.consumer_seq {
            let reason = format!("messages missing: the consumer sent {sent}, {} came", stream.consumer_seq);
            return out.push(Signal::Resubscribe { reason });
        }
        if waits.is_none() && sent == stream.consumer_seq && stream.is_following() {
            let stream_seq = number("Nats-Last-Stream").unwrap_or(0);
            stream.front = stream.front.max(stream.last).max(stream_seq);
            if stream.tells {
                self.behind[index] = stream.passed();
            } else {
                self.came_to(index, Delivered { consumer_seq: sent, stream_seq }, 0, out);
            }
            self.spoke(index, out);
        }
    }

    /// Where a stream begins now. What was taken from it before a consumer of a subject came there leaves no trace otherwise.
    pub(super) fn front(&mut self, index: usize, answer: &Answer, out: &mut Vec<Signal>) {
        let Some(stream) = self.streams.get_mut(&index).filter(|stream| stream.is_following()) else { return };
        let was_behind = std::mem::take(&mut stream.was_behind);
        let is_passed = answer.state.first_seq > stream.front.saturating_add(1);
        stream.front = stream.front.max(stream.last);
        if was_behind && is_passed {
            let last = stream.last;
            self.lost(index, last, "the stream let go of messages before they were sent".to_owned(), out);
        }
    }

    /// `Permissions Violation for Publish to "…"`, or for a subscription.
    pub(super) fn forbidden(&mut self, text: &str, out: &mut Vec<Signal>) {
        let subject = text.split('"').nth(1).unwrap_or_default();
        let about = subject.strip_prefix(API).and_then(|rest| rest.strip_prefix("CONSUMER.INFO."));
        let Some(consumer) = about.and_then(|rest| rest.split('.').nth(1)) else {
            return out.push(Signal::Error { code: "permissions".to_owned(), message: cut(text), denied: true });
        };
        // It does without: the consumer's own beats say as much, less often.
        let found = self.streams.iter_mut().find(|(_, stream)| stream.consumer == consumer);
        let Some((index, stream)) = found.map(|(index, stream)| (*index, stream)) else { return };
        stream.tells = false;
        let number = self.asked.iter().find(|(_, ask)| **ask == Ask::Consumer(index)).map(|(number, _)| *number);
        if let Some(number) = number {
            self.asked.remove(&number);
            if let Some(round) = &mut self.round {
                round.asked.remove(&number);
                round.silent.insert(index);
            }
        }
    }

    pub(super) fn too_big(&mut self, sid: u64, reply: Option<&str>, bytes: usize, out: &mut Vec<Signal>) {
        let reason = format!("a message of {bytes} bytes");
        let place = match self.routes.get(&sid).copied() {
            Some(Route::Subject(index)) => self.counted.next(index, None).map(|place| (index, place)),
            Some(Route::Stream(index)) => {
                let Some(ack) = reply.and_then(Ack::parse) else { return };
                if !self.take(index, &ack, out) {
                    return;
                }
                let mark = self.streams.get(&index).map(|stream| stream.mark(ack.stream_seq, Some(ack.time)));
                self.counted.next(index, mark.as_deref()).map(|place| (index, place))
            }
            Some(Route::Answers) | None => None,
        };
        out.push(Signal::Rejected { place, reason });
    }

    /// The server refuses something, or says why it is about to end the connection.
    pub(super) fn refused(&mut self, text: &str, out: &mut Vec<Signal>) {
        let lower = text.to_ascii_lowercase();
        let is = |words: &str| lower.starts_with(words);
        if is("permissions violation") {
            return self.forbidden(text, out);
        }
        if is("user authentication expired") {
            return out.push(Signal::Expired);
        }
        // These come before the end of a connection that is tried again slowly: a person must change something.
        let is_final = ["maximum payload", "parser error", "unknown protocol", "invalid client", "secure connection"];
        let is_crowded = ["maximum connections", "maximum account", "connection throttling", "maximum subscriptions"];
        if is_final.into_iter().chain(is_crowded).any(is) {
            out.push(Signal::RetryAfter { millis: 30_000 });
        }
        let denied = ["authorization violation", "user authentication revoked", "account authentication"];
        let denied = denied.into_iter().any(is);
        out.push(Signal::Error { code: "-ERR".to_owned(), message: cut(text), denied });
    }
}

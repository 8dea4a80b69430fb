//! Following one stream: where a consumer begins, and what is proven by it.
//!
//! ```text
//! create the consumer ─→ how does the stream stand? ─→ listen ─→ the message that we had last ─→ what follows
//!      │ of another stream, or one that ends before our place: again, with new messages only
//!      └ after each message its consumer's number must be one more; of a whole stream, the stream's as well
//! ```
//!
//! The consumer is made to begin with the message that we had last, which the stream must still have as it was. That it is the same
//! message, stored at the same instant, proves more than a sequence: a stream in memory counts anew after a restart.

use std::sync::Arc;

use watchfloor_model::Position;

use super::api::{Ack, Answer, DELETED_MAX, Mark, identity};
use crate::protocols::counted::is_counted;

/// Where following stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is asked for.
    Idle,
    /// The consumer is asked for.
    Creating,
    /// It is asked how the stream stands.
    Judging,
    /// The message that we had last must come first.
    Awaiting,
    /// What comes follows.
    Following,
}

/// A stream, as it is followed on one link.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: Arc<str>,
    pub(super) filter: Option<Arc<str>>,
    /// The consumer, and the subscription to what it sends.
    pub(super) consumer: String,
    pub(super) sid: Option<u64>,
    /// The place that was asked for.
    asked: Option<Position>,
    /// The message of that place, if a resume is still possible.
    mark: Option<Mark>,
    /// Why there is none.
    reason: String,
    stage: Stage,
    /// The stream that is followed.
    pub(super) identity: Arc<str>,
    /// The consumer's beginning.
    base: u64,
    pending: u64,
    /// Whether the list of what was deleted was asked for.
    listed: bool,
    /// The newest message's sequences.
    pub(super) last: u64,
    pub(super) consumer_seq: u64,
    /// Whether the server tells of the consumer.
    pub(super) tells: bool,
    /// Up to here the stream was gone through for us when it was proven last, and whether the consumer was behind since.
    pub(super) front: u64,
    pub(super) was_behind: bool,
    /// Up to here the consumer had gone when it was asked last, if that is further than what it sent; else zero.
    gone: u64,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait.
    Nothing,
    /// Ask how the stream stands.
    Ask,
    /// Ask for the list of what was deleted as well.
    AskDeleted,
    /// Listen to the consumer.
    Listen,
    /// Begin again, with new messages only.
    Anew,
    /// Listen, if not yet: the subscription stands.
    Subscribed(Start),
}

/// How a subscription stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The place that is proven to be gone on after; none if nothing is.
    pub(super) resumed: Option<Position>,
    /// What comes follows this message of the stream.
    pub(super) after: u64,
    /// How many are to come.
    pub(super) pending: u64,
    /// Why it isn't proven.
    pub(super) reason: String,
}

/// What a delivery is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nobody's.
    Foreign,
    /// The next one; of a whole stream perhaps after some that are gone.
    Next { missing: bool },
    /// The one that we had last: proven.
    Known(Start),
    /// Not that one: it follows, but nothing is proven.
    Unproven(Start),
    /// Another one in its place.
    Anew,
    /// Some didn't come.
    Missing(String),
}

impl Stream {
    pub(super) fn new(name: Arc<str>, filter: Option<Arc<str>>) -> Self {
        Self {
            name,
            filter,
            consumer: String::new(),
            sid: None,
            asked: None,
            mark: None,
            reason: String::new(),
            stage: Stage::Idle,
            identity: Arc::from(""),
            base: 0,
            pending: 0,
            listed: false,
            last: 0,
            consumer_seq: 0,
            tells: true,
            front: 0,
            was_behind: false,
            gone: 0,
        }
    }

    /// Whether it is a whole stream, of which the places are the stream's own.
    pub(super) const fn is_whole(&self) -> bool {
        self.filter.is_none()
    }

    /// To go on after this place.
    pub(super) fn ask(&mut self, place: Option<&Position>) {
        self.stage = Stage::Idle;
        self.sid = None;
        self.asked = place.cloned();
        self.mark = place.and_then(|place| place.mark.as_deref()?.parse::<Mark>().ok()).filter(|mark| {
            // Places of a whole stream are the stream's; those counted here are of something in a stream.
            place.is_some_and(|place| {
                let is_ours = *place.epoch == *mark.stream && place.offset == mark.sequence;
                if self.filter.is_none() { is_ours } else { is_counted(place) }
            })
        });
        self.reason =
            if place.is_some() { "the place tells no message of the stream" } else { "no place asked for" }.to_owned();
    }

    /// A consumer of this name is asked for. The first message that it is to send; new ones if none.
    pub(super) fn create(&mut self, consumer: String) -> Option<u64> {
        self.consumer = consumer;
        self.stage = Stage::Creating;
        self.consumer_seq = 0;
        self.was_behind = false;
        self.gone = 0;
        self.listed = false;
        let mark = self.mark.as_ref()?;
        // The message that we had last, to see that it is still the same; the one after it, if it wasn't seen.
        Some(if mark.time.is_some() { mark.sequence } else { mark.sequence.saturating_add(1) }.max(1))
    }

    /// The consumer stands.
    pub(super) fn created(&mut self, answer: &Answer) -> Next {
        if self.stage != Stage::Creating {
            return Next::Nothing;
        }
        self.stage = Stage::Judging;
        self.base = answer.delivered.stream_seq;
        self.pending = answer.num_pending;
        Next::Ask
    }

    /// How the stream stands, after the consumer was made: what is there now was there then.
    pub(super) fn judge(&mut self, answer: &Answer) -> Next {
        if self.stage != Stage::Judging {
            return Next::Nothing;
        }
        self.identity = identity(&answer.created);
        let Some(mark) = self.mark.clone() else {
            let reason = self.reason.clone();
            return self.start(None, self.base, self.pending, &reason);
        };
        let (state, kept) = (&answer.state, answer.config.is_kept());
        if mark.stream != self.identity || self.identity.is_empty() {
            return self.anew("the stream was made anew");
        }
        if state.last_seq < mark.sequence {
            return self.anew("the stream ends before what was received");
        }
        let unproven = |this: &mut Self, reason: &str| this.start(None, this.base, this.pending, reason);
        if state.first_seq > mark.sequence.saturating_add(1) {
            return unproven(self, "the stream doesn't reach back so far");
        }
        // Of a whole stream each message tells whether one before it is gone.
        if !self.is_whole() && state.num_deleted > 0 {
            match &state.deleted {
                None if state.num_deleted <= DELETED_MAX && !std::mem::replace(&mut self.listed, true) => {
                    return Next::AskDeleted;
                }
                Some(deleted) if deleted.iter().all(|gone| *gone <= mark.sequence) => {}
                _ => return unproven(self, "messages were deleted from the stream"),
            }
        }
        if mark.time.is_some() && state.first_seq <= mark.sequence && self.pending > 0 {
            self.stage = Stage::Awaiting;
            return Next::Listen;
        }
        let is_bare = mark.time.is_none() || state.first_seq > mark.sequence || state.last_seq == mark.sequence;
        if kept && is_bare {
            let asked = self.asked.clone();
            return self.start(asked, mark.sequence, self.pending, "");
        }
        unproven(self, "the message that was received last is gone from the stream")
    }

    fn anew(&mut self, reason: &str) -> Next {
        self.mark = None;
        reason.clone_into(&mut self.reason);
        self.stage = Stage::Idle;
        Next::Anew
    }

    fn start(&mut self, resumed: Option<Position>, after: u64, pending: u64, reason: &str) -> Next {
        Next::Subscribed(self.begin(resumed, after, pending, reason))
    }

    fn begin(&mut self, resumed: Option<Position>, after: u64, pending: u64, reason: &str) -> Start {
        self.stage = Stage::Following;
        self.last = after;
        self.front = after;
        Start { resumed, after, pending, reason: reason.to_owned() }
    }

    /// Takes a delivery by what it says of itself.
    pub(super) fn take(&mut self, ack: &Ack<'_>) -> Taken {
        if ack.consumer != self.consumer || ack.stream != &*self.name {
            return Taken::Foreign;
        }
        if !matches!(self.stage, Stage::Awaiting | Stage::Following) {
            return Taken::Foreign;
        }
        if ack.consumer_seq != self.consumer_seq.saturating_add(1) {
            return Taken::Missing(format!(
                "messages missing: the consumer's number {} came after {}",
                ack.consumer_seq, self.consumer_seq
            ));
        }
        self.consumer_seq = ack.consumer_seq;
        self.was_behind |= ack.pending > 0;
        if self.stage == Stage::Awaiting {
            return self.take_first(ack);
        }
        if ack.stream_seq <= self.last {
            return Taken::Missing(format!("the stream went back from {} to {}", self.last, ack.stream_seq));
        }
        let missing = self.is_whole() && ack.stream_seq != self.last + 1;
        self.last = ack.stream_seq;
        Taken::Next { missing }
    }

    fn take_first(&mut self, ack: &Ack<'_>) -> Taken {
        let Some(mark) = self.mark.clone() else { return Taken::Foreign };
        if ack.stream_seq == mark.sequence && mark.time == Some(ack.time) {
            let asked = self.asked.clone();
            return Taken::Known(self.begin(asked, mark.sequence, ack.pending, ""));
        }
        if ack.stream_seq <= mark.sequence {
            // Stored anew under the same numbers.
            self.anew("the stream's messages are not those that were received");
            return Taken::Anew;
        }
        let (after, pending) = (ack.stream_seq - 1, ack.pending.saturating_add(1));
        let start = self.begin(None, after, pending, "the message that was received last is gone from the stream");
        self.last = ack.stream_seq;
        Taken::Unproven(start)
    }

    /// A whole stream's consumer has sent this many messages, and has gone up to this one. If all that it sent came, it went over the
    /// rest because the stream had let go of it: no message tells so unless another follows. Says up to where that is so, once the
    /// consumer had said it before: a server may count a message as passed at the instant at which it sends it.
    pub(super) fn pass(&mut self, sent: u64, stream_seq: u64) -> Option<u64> {
        let is_ahead = sent == self.consumer_seq && stream_seq > self.last;
        if !self.is_whole() || !self.is_following() || !is_ahead {
            self.gone = 0;
            return None;
        }
        let before = std::mem::replace(&mut self.gone, stream_seq);
        if before <= self.last {
            return None;
        }
        self.last = before;
        Some(before)
    }

    /// How many of its messages the consumer went over, as far as that isn't told yet.
    pub(super) const fn passed(&self) -> u64 {
        self.gone.saturating_sub(self.last)
    }

    /// The mark of the newest message.
    pub(super) fn mark(&self, sequence: u64, time: Option<u64>) -> String {
        let mut text = String::new();
        let time = time.as_ref().map(u64::to_string).unwrap_or_default();
        Mark::write(&mut text, &self.identity, &sequence.to_string(), &time);
        text
    }

    /// The mark of a message, appended to a text.
    pub(super) fn write_mark(&self, text: &mut String, ack: &Ack<'_>) {
        let [sequence, time] = ack.written;
        Mark::write(text, &self.identity, sequence, time);
    }

    pub(super) fn is_following(&self) -> bool {
        self.stage == Stage::Following
    }
}

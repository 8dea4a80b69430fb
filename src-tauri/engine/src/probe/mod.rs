//! From an address to a starter board: what speaks there, what it says, and a wall for that.
//!
//! What may be spoken is tried one at a time, each by the very feed that a wall would run for it: the first that is live, or
//! brings an event, is it. Then it is listened to, and what events look like is learnt. Unsure is said: where nothing
//! speaks, what was tried and found is all that comes of it.

mod candidates;
mod find;
mod judge;
mod knock;
mod learn;
mod listen;
mod student;
mod subject;
#[cfg(test)]
mod tests;
mod text;
mod veil;
mod write;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use url::Url;
use watchfloor_board::config::{self, spec::TlsSpec};
use watchfloor_model::Event;

pub use self::subject::Access;
use self::{
    candidates::{Candidate, candidates},
    knock::{knock, place},
    learn::Learner,
    listen::{Heard, Listener},
    student::Student,
    subject::Subject,
    text::{counted, shown, shown_to},
    veil::Veil,
    write::Told,
};
use crate::{clock::Clock, transport::Doors};

/// Events that are shown.
const SHOWN_MAX: u64 = 40;
/// The longest body shown, in characters.
const BODY_CHARACTERS_MAX: usize = 160;
/// A beat of a server that is longer isn't one.
const HEARTBEAT_MAX: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The address.
    pub url: String,
    /// The channels that are wanted; what can be had without a name if none.
    pub channels: Vec<String>,
    /// How the server is come by.
    pub access: Access,
    /// For how long events are listened to.
    pub listen: Duration,
}

/// Why there is no board.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The address can't be one of a source.
    #[error("{url}: {reason}")]
    Address {
        /// The address as far as it may be repeated.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The token can't be had.
    #[error("the token: {0}")]
    Token(String),
    /// Nobody is there, or nothing that was tried is spoken there.
    #[error("{0}")]
    Silent(String),
    /// What was written is no board.
    #[error("a defect in this program: the board that it wrote is none: {0}")]
    Defect(String),
}

/// Finds out what is spoken at an address, listens to it, and writes a board. `tell` takes what a person may see of it, a line
/// each; `enough` ends the listening earlier.
///
/// # Errors
/// If the address is none, or nothing that is known speaks there.
pub async fn probe(
    question: &Question,
    tell: &mut dyn FnMut(&str),
    enough: impl Future<Output = ()>,
) -> Result<String, ProbeError> {
    let wrong = |url: String, reason: String| ProbeError::Address { url, reason };
    let url = Url::parse(&question.url).map_err(|error| wrong(shown(&question.url), format!("no address: {error}")))?;
    let place = place(&url);
    let mut candidates = candidates(&url, &question.channels).map_err(|reason| wrong(place.clone(), reason))?;
    if question.access.tls != TlsSpec::default() && ["http", "ws", "redis", "mqtt"].contains(&url.scheme()) {
        let reason =
            "certificates have no use with an address in clear: write it with `https`, `wss`, `rediss` or `mqtts`";
        return Err(wrong(place, reason.to_owned()));
    }
    for candidate in &mut candidates {
        candidate.subject.access.clone_from(&question.access);
    }
    // The last takes the address as it is: what it may not have, no other may.
    if let Some(Err(reason)) = candidates.last().map(|candidate| candidate.subject.setup()) {
        return Err(wrong(place, reason));
    }
    let veil = Veil::over(question.access.token.as_ref()).await.map_err(ProbeError::Token)?;
    knock(&url, question.access.proxy.as_ref())
        .await
        .map_err(|reason| ProbeError::Silent(format!("{place}: {reason}")))?;
    let mut prober = Prober { clock: Clock::start(), doors: None, tell, question, veil };
    let mut enough = std::pin::pin!(enough);
    let (listener, candidate) = tokio::select! {
        biased;
        () = &mut enough => return Err(ProbeError::Silent(format!("{place}: ended before anything was found"))),
        found = prober.find(&place, candidates) => found?,
    };
    let (subject, learner, listened) = prober.learn(listener, candidate, &mut enough).await;
    if learner.events() == 0 && subject.kind == "websocket" {
        return Err(ProbeError::Silent(format!(
            "{place}: a WebSocket opens there and says nothing by itself. If it wants to be subscribed to, write how in a board's `speak` \
             (docs/board-files.md), or name the path of the protocol that it speaks"
        )));
    }
    let title = url.host_str().unwrap_or("wall").to_owned();
    let board = write::board(&subject, &learner, &Told { listened, title });
    config::parse(&board, "board").map_err(|errors| ProbeError::Defect(errors.to_string()))?;
    if prober.veil.hides(&board) {
        return Err(ProbeError::Silent(format!(
            "{place}: the token is among the names that it sends: no board is written"
        )));
    }
    Ok(board)
}

struct Prober<'a> {
    clock: Clock,
    doors: Option<Arc<Doors>>,
    tell: &'a mut dyn FnMut(&str),
    question: &'a Question,
    veil: Veil,
}

impl Prober<'_> {
    fn tell(&mut self, line: &str) {
        (self.tell)(&self.veil.veiled(line));
    }

    fn doors(&mut self) -> Arc<Doors> {
        let clock = self.clock;
        Arc::clone(self.doors.get_or_insert_with(|| Doors::new(clock)))
    }

    /// Listens, decides where names stand, and learns.
    async fn learn(
        &mut self,
        mut listener: Listener,
        candidate: Candidate,
        enough: &mut (impl Future<Output = ()> + Unpin),
    ) -> (Subject, Learner, Duration) {
        let mut subject = candidate.subject;
        if subject.kind == "poll" {
            self.split_rows(&mut subject, &mut listener);
        }
        self.tell(&format!("listening for {} s; Ctrl-C ends that earlier", self.question.listen.as_secs()));
        let began = self.clock.now();
        let end = Instant::now() + self.question.listen;
        let mut student = Student::default();
        loop {
            for event in std::mem::take(&mut listener.events) {
                self.show(&event, student.events, began);
                student.take(event, &mut subject);
            }
            tokio::select! {
                biased;
                () = &mut *enough => break,
                heard = tokio::time::timeout_at(end, listener.next()) => match heard {
                    Ok(Heard::Something) => {}
                    Ok(Heard::Gone) | Err(_) => break,
                },
            }
        }
        let listened = self.clock.now().since(began).max(Duration::from_millis(1));
        let learner = student.settle(&mut subject);
        self.judge_times(&mut subject, &learner, &listener, listened);
        let rejected = listener.status.counts.rejected;
        if rejected > 0 {
            let reason = listener.status.last_rejection.clone().unwrap_or_default();
            self.tell(&format!("{rejected} messages can't be taken: {}", shown_to(&self.veil.veiled(&reason), 200)));
        }
        let names = learner.names().len();
        self.tell(&format!("heard {}, {}", counted(learner.events(), "event"), counted(names as u64, "name")));
        (subject, learner, listened)
    }

    /// A document with rows in it is followed by them, which takes another connection.
    fn split_rows(&mut self, subject: &mut Subject, listener: &mut Listener) {
        let Some(rows) = listener.events.first().and_then(|event| judge::rows(event.data.value())) else {
            subject.note("channels", "The document is one event each time that it changes: no list of rows with a key of their own was found in it.");
            return;
        };
        let (before, at) = (
            subject.clone(),
            rows.at.as_ref().map_or_else(|| "the document".to_owned(), |at| format!("`{}`", shown(&at.to_string()))),
        );
        subject.data = rows.at;
        subject.id = Some(rows.key.clone());
        let found = format!(
            "{at} is a list of {} rows, told apart by `{}`: each becomes events.",
            rows.count,
            shown(&rows.key.to_string())
        );
        match subject.setup() {
            Ok(setup) => {
                self.tell(&format!("poll: {found}"));
                subject.note("event", found);
                *listener = Listener::start(setup, self.doors(), self.clock);
            }
            Err(_) => *subject = before,
        }
    }

    fn show(&mut self, event: &Event, number: u64, began: watchfloor_model::Mono) {
        if number < SHOWN_MAX {
            let after = event.received.since(began).as_secs_f64();
            let body = shown_to(&self.veil.veiled(event.data.text()), BODY_CHARACTERS_MAX);
            self.tell(&format!("  +{after:.1} s  {}  {}  {body}", shown(&event.channel), shown(&event.name)));
        } else if number == SHOWN_MAX {
            self.tell("  … what comes from here on is learnt, and no longer shown");
        }
    }

    /// Where the time stands, and how often the server speaks.
    fn judge_times(&mut self, subject: &mut Subject, learner: &Learner, listener: &Listener, listened: Duration) {
        let carries_time = matches!(subject.kind, "hub" | "poll");
        if !carries_time && let Some(path) = judge::time_field(learner) {
            subject.note(
                "event",
                format!(
                    "`{}` of every event was a time near to when it came: taken for when it happened.",
                    shown(&path.to_string())
                ),
            );
            subject.time = Some(path);
        }
        if !matches!(subject.kind, "sse" | "mercure") {
            return;
        }
        match listener.beat(self.clock.now()).filter(|beat| *beat <= HEARTBEAT_MAX) {
            Some(beat) => {
                let note = format!(
                    "In {} s the server spoke by itself at least so often. If it isn't bound to that, make this longer.",
                    listened.as_secs()
                );
                subject.note("heartbeat", note);
                subject.heartbeat = Some(beat);
                subject.limit = subject.limit.max(beat * 3);
            }
            None => {
                subject.note(
                    "channels",
                    "Unsure: the server didn't say that it lives but by events. So `stale-after` is long: in silence a",
                );
                subject.note(
                    "channels",
                    "short one can't be kept. If it does, by comments or pings, say in `heartbeat` how often.",
                );
                subject.limit = Duration::from_secs(120);
            }
        }
    }
}

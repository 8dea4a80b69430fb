//! From an address to a starter board: what speaks there, what it says, and a wall for that.
//!
//! What may be spoken is tried one at a time, each by the very feed that a wall would run for it: the first that is live, or
//! brings an event, is it. Then it is listened to, and what events look like is learnt. Unsure is said: where nothing
//! speaks, what was tried and found is all that comes of it.

mod candidates;
mod judge;
mod learn;
mod listen;
mod student;
mod subject;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use url::Url;
use watchfloor_board::config;
use watchfloor_feed::{FetchId, Input, Request};
use watchfloor_model::{Event, Phase};

pub use self::subject::TokenPlace;
use self::{
    candidates::{Candidate, candidates},
    learn::Learner,
    listen::{Heard, Listener},
    student::Student,
    subject::Subject,
    text::{counted, shown, shown_to},
    write::Told,
};
use crate::{
    clock::Clock,
    transport::{Doors, inputs},
};

/// How long one thing is tried.
const TRY_MAX: Duration = Duration::from_secs(6);
/// A connection to the address must stand within this.
const KNOCK_MAX: Duration = Duration::from_secs(5);
/// The longest answer about a hub's health.
const HEALTH_BYTES_MAX: usize = 64 << 10;
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
    /// Where the token is kept, if one is needed.
    pub token: Option<TokenPlace>,
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
    let candidates = candidates(&url, &question.channels).map_err(|reason| wrong(place.clone(), reason))?;
    let mut candidates = candidates;
    for candidate in &mut candidates {
        candidate.subject.token.clone_from(&question.token);
    }
    // The last takes the address as it is: what it may not have, no other may.
    if let Some(Err(reason)) = candidates.last().map(|candidate| candidate.subject.setup()) {
        return Err(wrong(place, reason));
    }
    knock(&url).await.map_err(|reason| ProbeError::Silent(format!("{place}: {reason}")))?;
    let mut prober = Prober { clock: Clock::start(), doors: None, tell, question };
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
    Ok(board)
}

/// Where an address leads, without what may be a secret.
fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = if url.path() == "/" { "" } else { url.path() };
    shown_to(&format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()), 200)
}

/// Whether anybody takes connections there: if not, nothing needs to be tried.
async fn knock(url: &Url) -> Result<(), String> {
    let default = match url.scheme() {
        "redis" | "rediss" => Some(6379),
        "nats" | "tls" => Some(4222),
        "mqtt" => Some(1883),
        "mqtts" => Some(8883),
        _ => url.port_or_known_default(),
    };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = url.port().or(default).unwrap_or(80);
    match timeout(KNOCK_MAX, tokio::net::TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!(
            "nobody takes connections at port {port}: {error}: check the address, and that the server runs"
        )),
        Err(_) => Err(format!(
            "nobody answered at port {port} within {} s: check the address and the network",
            KNOCK_MAX.as_secs()
        )),
    }
}

/// How a try ended.
enum Tried {
    /// It speaks.
    Speaks(Box<Listener>),
    /// It doesn't, or not so; in words for people. Access was denied if so said.
    Not { reason: String, is_refused: bool },
}

struct Prober<'a> {
    clock: Clock,
    doors: Option<Arc<Doors>>,
    tell: &'a mut dyn FnMut(&str),
    question: &'a Question,
}

impl Prober<'_> {
    fn tell(&mut self, line: &str) {
        (self.tell)(line);
    }

    fn doors(&mut self) -> Arc<Doors> {
        let clock = self.clock;
        Arc::clone(self.doors.get_or_insert_with(|| Doors::new(clock)))
    }

    /// The first that speaks.
    async fn find(&mut self, place: &str, candidates: Vec<Candidate>) -> Result<(Listener, Candidate), ProbeError> {
        let mut found = Vec::new();
        let mut refused = false;
        for candidate in candidates {
            let kind = candidate.subject.kind;
            match self.attempt(&candidate).await {
                Tried::Speaks(listener) if candidate.lacks_channel => {
                    drop(listener);
                    return Err(ProbeError::Silent(format!(
                        "{place}: {kind} is spoken there, and it doesn't tell which channels it has: name them by `--channel NAME`"
                    )));
                }
                Tried::Speaks(listener) => return Ok((*listener, candidate)),
                Tried::Not { reason, is_refused } => {
                    let reason = shown_to(&reason, 300);
                    self.tell(&format!("{kind}: no: {reason}"));
                    refused |= is_refused;
                    found.push(format!("{kind} ({reason})"));
                    if candidate.is_named && is_refused {
                        break;
                    }
                }
            }
        }
        let help = if refused {
            let channels = if self.question.channels.is_empty() { ", and channels by `--channel NAME`" } else { "" };
            format!("; access is refused: name a token by `--token-file FILE` or `--token-env NAME`{channels}")
        } else {
            String::new()
        };
        Err(ProbeError::Silent(format!(
            "{place}: nothing that is known speaks there; tried: {}{help}",
            found.join(", ")
        )))
    }

    /// Runs the feed that a wall would run, until it is known whether it speaks.
    async fn attempt(&mut self, candidate: &Candidate) -> Tried {
        let no = |reason: String| Tried::Not { reason, is_refused: false };
        let subject = &candidate.subject;
        if subject.kind == "hub"
            && let Err(reason) = self.health(&subject.url).await
        {
            return no(reason);
        }
        let setup = match subject.setup() {
            Ok(setup) => setup,
            Err(reason) => return no(reason),
        };
        let mut listener = Listener::start(setup, self.doors(), self.clock);
        let end = Instant::now() + TRY_MAX;
        loop {
            let phase = listener.status.phase;
            if phase == Phase::Live || !listener.events.is_empty() {
                self.tell(&format!("{}: yes, {}", subject.kind, how(&listener)));
                return Tried::Speaks(Box::new(listener));
            }
            let cause = listener.status.cause.as_ref().map(|cause| cause.text.clone());
            match phase {
                Phase::Refused => {
                    let reason = cause.unwrap_or_else(|| "refused".to_owned());
                    // A web server refuses whatever is asked of it; only the answer itself can be told.
                    return Tried::Not { reason, is_refused: true };
                }
                // A hub that answered about its health may have one way closed and another open.
                Phase::Waiting if subject.kind != "hub" => {
                    return no(cause.unwrap_or_else(|| "no connection".to_owned()));
                }
                _ => {}
            }
            let heard = tokio::time::timeout_at(end, listener.next()).await;
            match heard {
                Ok(Heard::Something) => {}
                Ok(Heard::Gone) => return no("a defect in this program stopped the try".to_owned()),
                Err(_) => break,
            }
        }
        // Its answer is one of its kind, and it only has nothing to say yet.
        if listener.status.phase == Phase::CatchingUp && matches!(subject.kind, "sse" | "mercure") {
            self.tell(&format!("{}: yes, an event stream that has said nothing yet", subject.kind));
            return Tried::Speaks(Box::new(listener));
        }
        let cause = listener.status.cause.as_ref().map(|cause| format!(" ({})", cause.text)).unwrap_or_default();
        no(format!("{} after {} s{cause}", listener.status.phase.word(), TRY_MAX.as_secs()))
    }

    /// Whether a hub answers about its health.
    async fn health(&mut self, url: &str) -> Result<(), String> {
        let mut url = Url::parse(url).map_err(|error| error.to_string())?;
        let path = format!("{}/v1/health", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let (inputs, mut heard) = inputs();
        let _task = self.doors().fetch(FetchId(0), Request::get(url), HEALTH_BYTES_MAX, TRY_MAX, inputs);
        match heard.recv().await {
            Some(Input::Fetched { outcome: Ok(answer), .. }) => {
                let health = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
                let is_hub = health.is_some_and(|health| health["status"] == "ok" && health["epoch"].is_string());
                if is_hub {
                    Ok(())
                } else {
                    Err(format!("/v1/health is answered with HTTP {}, not as a hub does", answer.status))
                }
            }
            Some(Input::Fetched { outcome: Err(fault), .. }) => Err(fault.to_string()),
            _ => Err("no answer".to_owned()),
        }
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
            self.tell(&format!("{rejected} messages can't be taken: {}", shown_to(&reason, 200)));
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
            let body = shown_to(event.data.text(), BODY_CHARACTERS_MAX);
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

/// How it speaks.
fn how(listener: &Listener) -> String {
    let transport = listener.status.transport.map(|transport| format!(" by {}", transport.word())).unwrap_or_default();
    // An event may come ahead of the news that it is live.
    let word = if listener.status.phase == Phase::Live { "live" } else { "an event came" };
    format!("{word}{transport}")
}

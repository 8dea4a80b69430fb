//! How far a widget can be believed (design invariants H1, H2).
//!
//! A pure function of what is known of the source and the instant: [`judge`]. Whoever holds a [`SourceStatus`] may ask
//! again later, without news, and gets the truth of that later instant: *live* ends by itself.

mod summary;
mod words;

use std::time::Duration;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::{Mono, Phase, SourceStatus, Transport};

pub use summary::{SourceSummary, Summary};
pub use words::{source_said, source_words, span_words};

/// What may be said of a value, worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// Caught up, and heard within its limit.
    Live,
    /// On the poll rung; age within the interval.
    Polling,
    /// Connected; replay or snapshot outstanding.
    CatchingUp,
    /// Nothing proves it current any more.
    Stale,
    /// Link lost, retrying.
    Down,
    /// Access denied or revoked: the value is hidden.
    Refused,
    /// Never had a value.
    #[default]
    Unknown,
}

impl Freshness {
    /// Every freshness, best first.
    pub const ALL: [Self; 7] =
        [Self::Live, Self::Polling, Self::CatchingUp, Self::Stale, Self::Down, Self::Refused, Self::Unknown];

    /// The word used in the contract, metrics and the page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Polling => "polling",
            Self::CatchingUp => "catching-up",
            Self::Stale => "stale",
            Self::Down => "down",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the value is as good as its source promises.
    #[must_use]
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Live | Self::Polling)
    }
}

/// What is promised of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The age from which it may not be called live.
    pub limit: Duration,
    /// The longest silence of a healthy publisher; nothing promised, nothing demanded.
    pub quiet: Option<Duration>,
}

/// What is held of a source from before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Whether there is anything to show.
    pub value: bool,
    /// How long ago what is held was last known to be current, if it ever was.
    pub age: Option<Duration>,
}

/// What may be said of a value at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// In one word.
    pub freshness: Freshness,
    /// Age of the newest proof that it is current: of the older one where two are needed. None if there was never one.
    pub age: Option<Duration>,
    /// How long it may be called live without further news; zero if it isn't live.
    pub live_for: Duration,
    /// Why it isn't live.
    why: Why,
}

/// Why a value isn't live.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// It is.
    Live,
    /// The link has proved nothing for longer than the limit, or ever.
    Silent(Option<Duration>),
    /// Heard, but what was heard since is not shown yet: it may be as old as this.
    Behind(Duration),
    /// The publisher has proved nothing for longer than it promised, or ever.
    Quiet(Option<Duration>, Duration),
    /// Replay or snapshot outstanding, and what stands in the way.
    CatchingUp(Option<String>, Option<Duration>),
    /// Not asked to connect yet.
    Idle,
    /// A connection is being made.
    Connecting(Option<String>),
    /// The next try is at an instant.
    Waiting(Option<String>, Option<Duration>),
    /// The server said no.
    Refused(Option<String>, Option<Duration>),
    /// Live, but no event has come yet.
    NoEvent,
    /// A publisher whose values are in it isn't there, or can't be believed.
    Away(String),
}

impl Verdict {
    /// The same, for so long at most.
    #[must_use]
    pub fn within(self, span: Duration) -> Self {
        Self { live_for: self.live_for.min(span), ..self }
    }

    /// The same of a value of which a part isn't good, for this reason and for so long.
    #[must_use]
    pub fn away(self, why: String, age: Option<Duration>) -> Self {
        Self { freshness: Freshness::Stale, age: self.age.max(age), live_for: Duration::ZERO, why: Why::Away(why) }
    }
}

/// What may be said of a value with this promise, if its source is so, at this instant.
///
/// *Live* needs the phase, a proof of the link within the limit and, if the publisher promises anything, a proof of the
/// publisher within what it promises.
#[must_use]
pub fn judge(status: &SourceStatus, promise: Promise, held: Held, now: Mono) -> Verdict {
    let cause = || status.cause.as_ref().map(|cause| cause.text.clone());
    let retry = status.retry_at.map(|at| at.since(now));
    let verdict = match status.phase {
        Phase::Live => judge_proofs(status, promise, held, now),
        Phase::CatchingUp | Phase::Subscribing => {
            let age = status.link_proof.map(|proof| now.since(proof));
            match age.filter(|age| *age > promise.limit) {
                Some(age) if status.cause.is_none() => not_live(Freshness::Stale, held, Why::Silent(Some(age))),
                Some(_) => not_live(Freshness::Stale, held, Why::CatchingUp(cause(), retry)),
                None => not_live(Freshness::CatchingUp, held, Why::CatchingUp(cause(), retry)),
            }
        }
        Phase::Idle => not_live(Freshness::Down, held, Why::Idle),
        Phase::Connecting | Phase::Authorising => not_live(Freshness::Down, held, Why::Connecting(cause())),
        Phase::Waiting => not_live(Freshness::Down, held, Why::Waiting(cause(), retry)),
        Phase::Refused => return not_live(Freshness::Refused, held, Why::Refused(cause(), retry)),
    };
    match (held.value, verdict.why) {
        (true, why) => Verdict { why, ..verdict },
        (false, Why::Live) => {
            Verdict { freshness: Freshness::Unknown, live_for: Duration::ZERO, why: Why::NoEvent, ..verdict }
        }
        (false, why) => Verdict { freshness: Freshness::Unknown, why, ..verdict },
    }
}

fn judge_proofs(status: &SourceStatus, promise: Promise, held: Held, now: Mono) -> Verdict {
    let age_of = |proof: Option<Mono>| proof.map(|proof| now.since(proof));
    let Some(link) = age_of(status.link_proof) else { return not_live(Freshness::Stale, held, Why::Silent(None)) };
    let mut age = link;
    let mut live_for = promise.limit.checked_sub(link);
    let mut why = Why::Silent(Some(link));
    if let Some(quiet) = promise.quiet {
        let Some(publisher) = age_of(status.publisher_proof) else {
            return not_live(Freshness::Stale, held, Why::Quiet(None, quiet));
        };
        age = age.max(publisher);
        let left = quiet.checked_sub(publisher);
        if live_for.is_some() && left.is_none() {
            why = Why::Quiet(Some(publisher), quiet);
        }
        live_for = live_for.zip(left).map(|(a, b)| a.min(b));
    }
    let Some(mut live_for) = live_for else {
        return Verdict { freshness: Freshness::Stale, age: Some(age), live_for: Duration::ZERO, why };
    };
    if let Some(until) = status.live_until {
        // Later news is on its way here, behind a disk or a program that is slow: nothing is known of it yet.
        if now > until {
            let age = age.max(now.since(until).saturating_add(promise.limit));
            let (freshness, live_for) = (Freshness::CatchingUp, Duration::ZERO);
            return Verdict { freshness, age: Some(age), live_for, why: Why::Behind(age) };
        }
        live_for = live_for.min(until.since(now));
    }
    let freshness = match status.transport {
        Some(Transport::Poll) => Freshness::Polling,
        Some(Transport::WebSocket | Transport::Sse | Transport::HttpStream | Transport::LongPoll | Transport::Tcp)
        | None => Freshness::Live,
    };
    Verdict { freshness, age: Some(age), live_for, why: Why::Live }
}

fn not_live(freshness: Freshness, held: Held, why: Why) -> Verdict {
    Verdict { freshness, age: held.age, live_for: Duration::ZERO, why }
}

#[cfg(test)]
mod tests;

//! Freshness in words for people.

use std::time::Duration;

use watchfloor_model::{Mono, PathStatus, Phase, SourceStatus};

use super::{Held, Promise, Verdict, Why, judge};
use crate::frame::{Said, said_ms};

impl Verdict {
    /// Why it isn't live, for people; none if it is.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.said().map(|said| said.to_string())
    }

    /// The same as a code with its parameters.
    #[must_use]
    pub fn said(&self) -> Option<Said> {
        let after_cause = |cause: &Option<String>, rest: Said| match cause {
            Some(cause) => Said::List { parts: vec![Said::words(cause), rest] },
            None => rest,
        };
        Some(match &self.why {
            Why::Live => return None,
            Why::Silent(age) => Said::ServerSilent { ms: age.map(said_ms) },
            Why::Behind(age) => Said::MachineSlow { ms: said_ms(*age) },
            Why::Quiet(age, quiet) => Said::PublisherSilent { ms: age.map(said_ms), quiet_ms: said_ms(*quiet) },
            Why::CatchingUp(cause @ Some(_), Some(retry)) => after_cause(cause, retry_said(Some(*retry))),
            Why::CatchingUp(Some(cause), None) => Said::words(cause),
            Why::CatchingUp(None, _) => Said::CatchingUp,
            Why::Idle => Said::NotConnected,
            Why::Connecting(cause) => after_cause(cause, Said::Connecting),
            Why::Waiting(cause, retry) => after_cause(cause, retry_said(*retry)),
            Why::Refused(cause, retry) => {
                let cause = cause.as_ref().map_or(Said::AccessRefused, Said::words);
                match retry {
                    Some(_) => Said::List { parts: vec![cause, retry_said(*retry)] },
                    None => cause,
                }
            }
            Why::NoEvent => Said::NoEvent,
            Why::Away(why) => Said::words(why),
        })
    }
}

/// A source's state in a few words: `live by WebSocket`, `polling every 2 s`, `lost 12 s ago: connection refused, next try in 3 s`.
///
/// `age` is how long ago it was last known to be current, if it ever was.
#[must_use]
pub fn source_words(status: &SourceStatus, promise: Promise, age: Option<Duration>, now: Mono) -> String {
    source_said(status, promise, age, now).to_string()
}

/// The same as a code with its parameters.
#[must_use]
pub fn source_said(status: &SourceStatus, promise: Promise, age: Option<Duration>, now: Mono) -> Said {
    let verdict = judge(status, promise, Held { value: true, age }, now);
    let transport = status.transport;
    match (status.phase, verdict.said()) {
        (Phase::Live, None) => {
            let live = match status.every {
                Some(every) => Said::Polling { every_ms: said_ms(every) },
                None => Said::Live { transport },
            };
            let beside = [
                status.detour.as_ref().map(|cause| Said::words(&cause.text)),
                lost_paths(&status.paths),
                status.renewal.as_ref().map(|why| Said::NoNewerToken { why: why.clone() }),
            ];
            let parts: Vec<Said> = std::iter::once(live).chain(beside.into_iter().flatten()).collect();
            Said::Beside { parts }
        }
        (Phase::Live, Some(reason)) => reason,
        (Phase::Subscribing | Phase::CatchingUp, reason) => {
            let reason = reason.filter(|_| status.cause.is_some()).map(Box::new);
            Said::SourceCatchingUp { transport, reason }
        }
        (Phase::Idle, _) => Said::NotConnected,
        (Phase::Refused, reason) => Said::SourceRefused { reason: Box::new(reason.unwrap_or_else(|| Said::words(""))) },
        (Phase::Connecting | Phase::Authorising | Phase::Waiting, reason) => {
            let reason = reason.unwrap_or_else(|| Said::words(""));
            // Of the link, whose word that is: its publisher may have been silent for longer.
            match age.map(|age| status.link_proof.map_or(age, |proof| now.since(proof))) {
                Some(age) => Said::SourceLost { ms: said_ms(age), reason: Box::new(reason) },
                None => reason,
            }
        }
    }
}

/// Which of several paths aren't live: `1 of 2 paths lost, hub-b:8080: connection refused`.
fn lost_paths(paths: &[PathStatus]) -> Option<Said> {
    let lost: Vec<&PathStatus> = paths.iter().filter(|path| path.phase != Phase::Live).collect();
    let first = lost.first()?;
    let cause = first.cause.as_ref().map_or_else(|| first.phase.word().to_owned(), |cause| cause.text.clone());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Some(Said::PathsLost { lost: count(lost.len()), of: count(paths.len()), place: first.place.clone(), cause })
}

/// A length of time as people say it, in at most two units: `6 s`, `2 min 5 s`, `3 h`, `2 d 4 h`. Rounded down.
#[must_use]
pub fn span_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match (days, hours, minutes, seconds) {
        (0, 0, 0, 0) if !span.is_zero() => format!("{} ms", span.as_millis()),
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => two(minutes, "min", seconds % 60, "s"),
        (0, hours, minutes, _) => two(hours, "h", minutes, "min"),
        (days, hours, ..) => two(days, "d", hours, "h"),
    }
}

/// When the next try is; rounded up, so that it never says zero.
fn retry_said(retry: Option<Duration>) -> Said {
    match retry.map(|retry| retry.as_millis().div_ceil(1000)) {
        None | Some(0) => Said::TryingAgain,
        Some(seconds) => Said::NextTry { ms: u64::try_from(seconds).unwrap_or(u64::MAX).saturating_mul(1_000) },
    }
}

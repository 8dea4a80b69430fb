//! Freshness in words for people.

use std::time::Duration;

use watchfloor_model::{Mono, PathStatus, Phase, SourceStatus, Transport};

use super::{Held, Promise, Verdict, Why, judge};

impl Verdict {
    /// Why it isn't live, for people; none if it is.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let after_cause = |cause: &Option<String>, rest: &str| match cause {
            Some(cause) => format!("{cause}, {rest}"),
            None => rest.to_owned(),
        };
        Some(match &self.why {
            Why::Live => return None,
            Why::Silent(Some(age)) => format!("nothing heard from the server for {}", span_words(*age)),
            Why::Silent(None) => "nothing heard from the server yet".to_owned(),
            Why::Behind(age) => format!("this machine is slow: what is shown may be {} old", span_words(*age)),
            Why::Quiet(Some(age), quiet) => {
                let (age, quiet) = (span_words(*age), span_words(*quiet));
                format!("publisher silent for {age}, it promises to speak every {quiet}")
            }
            Why::Quiet(None, quiet) => {
                format!("no publisher heard yet, it promises to speak every {}", span_words(*quiet))
            }
            Why::CatchingUp(cause, retry) => match (cause, retry) {
                (Some(cause), Some(_)) => format!("{cause}, {}", retry_words(*retry)),
                (Some(cause), None) => cause.clone(),
                (None, _) => "catching up with what was missed".to_owned(),
            },
            Why::Idle => "not connected yet".to_owned(),
            Why::Connecting(cause) => after_cause(cause, "connecting"),
            Why::Waiting(cause, retry) => after_cause(cause, &retry_words(*retry)),
            Why::Refused(cause, retry) => {
                let cause = cause.as_deref().unwrap_or("the server refuses access");
                match retry {
                    Some(_) => format!("{cause}, {}", retry_words(*retry)),
                    None => cause.to_owned(),
                }
            }
            Why::NoEvent => "no event yet".to_owned(),
            Why::Away(why) => why.clone(),
        })
    }
}

/// A source's state in a few words: `live by WebSocket`, `polling every 2 s`, `lost 12 s ago: connection refused, next try in 3 s`.
///
/// `age` is how long ago it was last known to be current, if it ever was.
#[must_use]
pub fn source_words(status: &SourceStatus, promise: Promise, age: Option<Duration>, now: Mono) -> String {
    let verdict = judge(status, promise, Held { value: true, age }, now);
    let by = status.transport.map(|transport| format!(" by {}", transport_words(transport))).unwrap_or_default();
    match (status.phase, verdict.reason()) {
        (Phase::Live, None) => {
            let detour = status.detour.as_ref().map(|cause| format!("; {}", cause.text)).unwrap_or_default();
            let renewal = status.renewal.as_ref().map(|why| format!("; no newer token: {why}")).unwrap_or_default();
            let detour = detour + &lost_paths_words(&status.paths) + &renewal;
            match status.every {
                Some(every) => format!("polling every {}{detour}", span_words(every)),
                None => format!("live{by}{detour}"),
            }
        }
        (Phase::Live, Some(reason)) => reason,
        (Phase::Subscribing | Phase::CatchingUp, reason) => match reason.filter(|_| status.cause.is_some()) {
            Some(reason) => format!("catching up{by}: {reason}"),
            None => format!("catching up{by}"),
        },
        (Phase::Idle, _) => "not connected yet".to_owned(),
        (Phase::Refused, reason) => format!("refused: {}", reason.unwrap_or_default()),
        (Phase::Connecting | Phase::Authorising | Phase::Waiting, reason) => {
            let reason = reason.unwrap_or_default();
            // Of the link, whose word that is: its publisher may have been silent for longer.
            match age.map(|age| status.link_proof.map_or(age, |proof| now.since(proof))) {
                Some(age) => format!("lost {} ago: {reason}", span_words(age)),
                None => reason,
            }
        }
    }
}

/// Which of several paths aren't live: `; 1 of 2 paths lost, hub-b:8080: connection refused`.
fn lost_paths_words(paths: &[PathStatus]) -> String {
    let lost: Vec<&PathStatus> = paths.iter().filter(|path| path.phase != Phase::Live).collect();
    let Some(first) = lost.first() else { return String::new() };
    let cause = first.cause.as_ref().map_or_else(|| first.phase.word().to_owned(), |cause| cause.text.clone());
    format!("; {} of {} paths lost, {}: {cause}", lost.len(), paths.len(), first.place)
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
fn retry_words(retry: Option<Duration>) -> String {
    match retry.map(|retry| retry.as_millis().div_ceil(1000)) {
        None | Some(0) => "trying again".to_owned(),
        Some(seconds) => {
            format!("next try in {}", span_words(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX))))
        }
    }
}

const fn transport_words(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "WebSocket",
        Transport::Sse => "server-sent events",
        Transport::HttpStream => "HTTP streaming",
        Transport::LongPoll => "long poll",
        Transport::Tcp => "TCP",
        Transport::Poll => "poll",
    }
}

//! What people who don't look at the wall are told of sources: one is lost, refused, or back.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Mono, Phase, SourceStatus};

use crate::announce::{Message, unmarked};

/// A source that was lost for less than this is nobody's business.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// The most characters of a cause.
const CAUSE_MAX: usize = 500;

/// What was told of each source, and what is to be.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    sources: BTreeMap<String, Told>,
}

#[derive(Debug)]
struct Told {
    phase: Phase,
    cause: String,
    /// Since when it isn't live.
    lost: Option<Mono>,
    /// What the screen says.
    said: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Lost,
    Refused,
}

impl Watch {
    /// Takes what is known of a source.
    pub(crate) fn handle_status(&mut self, source: &str, status: &SourceStatus, now: Mono) {
        let told = self.sources.entry(source.to_owned()).or_insert_with(|| Told {
            phase: Phase::Idle,
            cause: String::new(),
            lost: Some(now),
            said: None,
        });
        told.phase = status.phase;
        if let Some(cause) = &status.cause {
            told.cause.clone_from(&cause.text);
        }
        told.lost = if status.phase == Phase::Live { None } else { told.lost.or(Some(now)) };
    }

    /// The board doesn't have this source any more.
    pub(crate) fn forget(&mut self, source: &str) {
        self.sources.remove(source);
    }

    /// When [`Self::poll_message`] may have something new to say although nothing happens.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.sources
            .values()
            .filter(|told| told.said.is_none())
            .filter_map(|told| told.lost)
            .min()
            .map(|lost| lost.plus(LOST_AFTER))
    }

    /// The next thing to tell.
    pub(crate) fn poll_message(&mut self, now: Mono) -> Option<Message> {
        self.sources.iter_mut().find_map(|(source, told)| told.message(source, now))
    }
}

impl Told {
    fn message(&mut self, source: &str, now: Mono) -> Option<Message> {
        let trouble = match (self.phase, self.lost) {
            (Phase::Live, _) | (_, None) => None,
            (Phase::Refused, _) => Some(Trouble::Refused),
            // Asking again isn't news: until it is live, refused stays refused.
            (_, Some(_)) if self.said == Some(Trouble::Refused) => self.said,
            (_, Some(lost)) if now.since(lost) >= LOST_AFTER => Some(Trouble::Lost),
            // Not long enough for a first word; what was said before still holds.
            (_, Some(_)) => self.said,
        };
        if trouble == self.said {
            return None;
        }
        self.said = trouble;
        let (summary, body) = match trouble {
            None => (format!("{source} is back"), String::from("What the wall shows of it is current again.")),
            Some(Trouble::Lost) => (format!("{source} is lost"), unmarked(&self.cause, CAUSE_MAX)),
            Some(Trouble::Refused) => (format!("{source} is refused"), unmarked(&self.cause, CAUSE_MAX)),
        };
        Some(Message { source: source.to_owned(), summary, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H6: a source's trouble is told once, after ten seconds or at once if it is refused, and its end is told once.
    #[test]
    fn trouble_is_told_once() {
        // at which second, the phase then, and what is told then
        let check = |story: &[(u64, Phase, Option<&str>)]| {
            let mut watch = Watch::default();
            for (second, phase, expected) in story {
                let now = Mono::from_millis(second * 1000);
                let status =
                    SourceStatus { phase: *phase, cause: Some("connection refused".into()), ..SourceStatus::default() };
                watch.handle_status("ops", &status, now);
                let told = watch.poll_message(now).map(|message| message.summary);
                assert_eq!(told.as_deref(), *expected, "second {second} of {story:?}");
                assert_eq!(watch.poll_message(now), None);
            }
        };
        use Phase::{CatchingUp, Connecting, Live, Refused, Waiting};
        check(&[
            (0, Connecting, None),
            (1, Live, None),
            (2, Waiting, None),
            (5, Live, None),
            (6, Waiting, None),
            (15, Waiting, None),
        ]);
        check(&[
            (1, Live, None),
            (2, Waiting, None),
            (11, Connecting, None),
            (12, Waiting, Some("ops is lost")),
            (30, CatchingUp, None),
            (31, Live, Some("ops is back")),
            (32, Waiting, None),
            (33, Refused, Some("ops is refused")),
            (34, Connecting, None),
            (60, Refused, None),
            (90, Live, Some("ops is back")),
        ]);
        check(&[(0, Connecting, None), (10, Waiting, Some("ops is lost"))]);
    }
}

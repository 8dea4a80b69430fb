//! What people do about alarms: each act has a name on record, and none that puts an alarm aside is without an end and a reason.

use std::time::Duration;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::Timestamp;

use super::{
    alarms::{Alarms, Instant, Priority, Standing},
    key::AlarmKey,
    machine::{Input, Refusal},
};

/// The longest time on the shelf: a shift.
pub const SHELF_MAX: Duration = Duration::from_secs(12 * 3600);
/// The same of what is critical.
pub const SHELF_CRITICAL_MAX: Duration = Duration::from_secs(3600);
/// The fewest characters of a reason.
pub const REASON_MIN: usize = 3;
/// The most characters of a reason or comment.
pub const WORDS_MAX: usize = 500;
/// The most comments kept of one occurrence; of more, the oldest go. On record are all.
pub const COMMENTS_MAX: usize = 20;
/// The most characters of a name.
const NAME_MAX: usize = 100;

/// Who did something, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The operator's name, if he said it.
    pub name: Option<String>,
    /// What he did it by: `wall`, `notification`, the name of a glass.
    pub station: String,
}

/// What somebody said, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who.
    pub by: By,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// What; may be empty.
    pub words: String,
    /// Until when, by this machine's clock, where there is an end.
    pub until: Option<Timestamp>,
}

/// What somebody does about an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Act {
    /// He knows of this occurrence.
    Acknowledge {
        /// The one that was before his eyes.
        #[cfg_attr(test, ts(type = "number"))]
        occurrence: u64,
    },
    /// Lets a latched one go.
    Reset,
    /// Turns its sound off at his station.
    Silence,
    /// Puts it on the shelf, for so long.
    Shelve {
        /// For how many minutes, at most those of [`SHELF_MAX`].
        minutes: u32,
        /// Why.
        reason: String,
    },
    /// Takes it from the shelf before its time.
    Unshelve,
    /// Takes it out of service.
    TakeOut {
        /// Why.
        reason: String,
    },
    /// Puts it back into service.
    Return,
    /// Writes something to it.
    Comment {
        /// What.
        words: String,
    },
}

/// Why an act wasn't done. What is on record of the alarm is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is none of this name that is anything but normal.
    #[error("no alarm `{0}` stands")]
    NoSuchAlarm(AlarmKey),
    /// Its state doesn't allow it.
    #[error(transparent)]
    State(#[from] Refusal),
    /// There is no reason.
    #[error("a reason of {found} characters: expected {REASON_MIN} to {WORDS_MAX}")]
    Reason {
        /// How many characters it has.
        found: usize,
    },
    /// The words are none, or too many.
    #[error("a comment of {found} characters: expected 1 to {WORDS_MAX}")]
    Comment {
        /// How many characters it has.
        found: usize,
    },
    /// The time on the shelf is too long, or none.
    #[error("{} min on the shelf: expected 1 to {} min; for longer, take it out of service", found.as_secs() / 60, most.as_secs() / 60)]
    Span {
        /// What was asked for.
        found: Duration,
        /// The most of such an alarm.
        most: Duration,
    },
    /// It isn't where it should be taken from.
    #[error("it is not {0}")]
    NotThere(&'static str),
}

impl Alarms {
    /// Somebody does something about an alarm.
    ///
    /// # Errors
    /// See [`Refused`]. What the state refuses goes on record all the same.
    pub fn handle_act(&mut self, key: &AlarmKey, act: &Act, by: By, now: Instant) -> Result<(), Refused> {
        // What is normal may be put aside as well, before it is worked on.
        if matches!(act, Act::Shelve { .. } | Act::TakeOut { .. }) {
            self.stand(key);
        }
        let standing = self.standing().get(key).ok_or_else(|| Refused::NoSuchAlarm(key.clone()))?;
        let judged = judged(standing, act, now);
        if judged.is_err() {
            self.settle(key, now);
        }
        let (input, words, until) = judged?;
        let by = By { name: by.name.map(|name| cut(name, NAME_MAX)), station: cut(by.station, NAME_MAX) };
        let said = Said { by, at: now.wall, words, until };
        let refusal = match input {
            Some(input) => self.apply(key, input, None, now, Some(said)),
            None => {
                self.note_comment(key, said, now);
                None
            }
        };
        self.settle(key, now);
        refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Acknowledges all of these, each as it was seen; what has changed since is left. Critical ones have to be acknowledged one by one.
    /// Answers how many were.
    pub fn acknowledge_seen(&mut self, seen: &[(AlarmKey, u64)], by: &By, now: Instant) -> usize {
        let is_critical = |own: &Standing| own.priority == Priority::Critical;
        let mut count = 0;
        for (key, occurrence) in seen {
            let wants =
                self.standing().get(key).filter(|own| own.alarm.base.wants_acknowledgement() && !is_critical(own));
            if wants.is_some() {
                let act = Act::Acknowledge { occurrence: *occurrence };
                count += usize::from(self.handle_act(key, &act, by.clone(), now).is_ok());
            }
        }
        count
    }
}

/// The machine's input, none for a comment; the words for the record, and until when.
fn judged(standing: &Standing, act: &Act, now: Instant) -> Result<(Option<Input>, String, Option<Timestamp>), Refused> {
    let suppression = standing.alarm.suppression;
    let plain = |input: Input| Ok((Some(input), String::new(), None));
    match act {
        Act::Acknowledge { occurrence } => plain(Input::Acknowledge { occurrence: *occurrence }),
        Act::Reset => plain(Input::Reset),
        Act::Silence => plain(Input::Silence),
        Act::Shelve { minutes, reason } => {
            let span = Duration::from_secs(u64::from(*minutes) * 60);
            let most = if standing.priority == Priority::Critical { SHELF_CRITICAL_MAX } else { SHELF_MAX };
            if span.is_zero() || span > most {
                return Err(Refused::Span { found: span, most });
            }
            Ok((Some(Input::Shelve(true)), reasoned(reason)?, Some(now.wall.plus(span))))
        }
        Act::Unshelve if suppression.is_shelved => plain(Input::Shelve(false)),
        Act::Unshelve => Err(Refused::NotThere("on the shelf")),
        Act::TakeOut { reason } => Ok((Some(Input::TakeOutOfService(true)), reasoned(reason)?, None)),
        Act::Return if suppression.is_out_of_service => plain(Input::TakeOutOfService(false)),
        Act::Return => Err(Refused::NotThere("out of service")),
        Act::Comment { words } => {
            let found = words.trim().chars().count();
            if !(1..=WORDS_MAX).contains(&found) {
                return Err(Refused::Comment { found });
            }
            Ok((None, words.trim().to_owned(), None))
        }
    }
}

fn reasoned(reason: &str) -> Result<String, Refused> {
    let found = reason.trim().chars().count();
    if (REASON_MIN..=WORDS_MAX).contains(&found) {
        Ok(reason.trim().to_owned())
    } else {
        Err(Refused::Reason { found })
    }
}

fn cut(text: String, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned(),
        None => text,
    }
}

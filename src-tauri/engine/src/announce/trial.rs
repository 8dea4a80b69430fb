//! What is told of announcing while somebody tries it out (`watchfloor alarm test`).

use tokio::sync::mpsc::UnboundedSender;
use watchfloor_board::{alarm::Priority, config::spec::AlarmingSpec};

use super::{Asked, Slot, Told};
use crate::onward::Handed;

/// An engine that tries out how alarms are told.
#[derive(Clone, Debug)]
pub struct Trial {
    /// How they are, in place of what its board says.
    pub alarming: AlarmingSpec,
    /// Who hears what becomes of them.
    pub observer: UnboundedSender<Observed>,
}

/// What became of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It is on record; or it is decided, and nothing is written.
    Recorded {
        /// Its rule.
        rule: String,
        /// Whether the journal has it.
        is_written: bool,
    },
    /// Who shows notifications said that it shows this one.
    Shown {
        /// Of which rule; none of the one for many.
        rule: Option<String>,
    },
    /// It isn't shown.
    NotShown {
        /// Of which rule.
        rule: Option<String>,
    },
    /// It was taken, and put away at once by nobody.
    Swallowed {
        /// Of which rule.
        rule: Option<String>,
    },
    /// Somebody closed it, or its time was over.
    Closed {
        /// Of which rule.
        rule: Option<String>,
    },
    /// It was taken away.
    Withdrawn {
        /// Of which rule.
        rule: Option<String>,
    },
    /// Somebody pressed *Acknowledge*.
    Acknowledged {
        /// Of which rule.
        rule: String,
    },
    /// Somebody pressed *Show*.
    Called {
        /// Of which rule.
        rule: Option<String>,
    },
    /// The sound device takes the tone.
    Heard,
    /// It doesn't.
    NotHeard,
    /// The webhook was told of so many alarms.
    HandedOn {
        /// How many.
        count: usize,
        /// The HTTP status, or why there is none.
        answer: Result<u16, String>,
    },
    /// Something that the wall would say.
    Notice {
        /// Of what.
        id: String,
        /// Its words.
        text: String,
    },
}

impl Observed {
    pub(crate) fn told(told: &Told) -> Option<Self> {
        let rule = |slot: &Slot| match slot {
            Slot::Alarm(key) => Some(key.rule.to_string()),
            Slot::Summary | Slot::Source(_) => None,
        };
        Some(match told {
            Told::Shown { slot, .. } => Self::Shown { rule: rule(slot) },
            Told::NotShown { slot, .. } => Self::NotShown { rule: rule(slot) },
            Told::Swallowed { slot, .. } => Self::Swallowed { rule: rule(slot) },
            Told::Closed { slot, .. } => Self::Closed { rule: rule(slot) },
            Told::Withdrawn { slot } => Self::Withdrawn { rule: rule(slot) },
            Told::Acted { key: Some(key), asked: Asked::Acknowledge, .. } => {
                Self::Acknowledged { rule: key.rule.to_string() }
            }
            Told::Acted { key, asked: Asked::Show, .. } => {
                Self::Called { rule: key.as_ref().map(|key| key.rule.to_string()) }
            }
            Told::Heard { .. } => Self::Heard,
            Told::NotHeard { .. } => Self::NotHeard,
            Told::Acted { key: None, asked: Asked::Acknowledge, .. } | Told::Desktop | Told::Device => return None,
        })
    }

    pub(crate) fn handed(handed: Handed) -> Self {
        Self::HandedOn { count: handed.count, answer: handed.answer }
    }
}

/// The tone that an alarm has, for people; none if it has none.
#[must_use]
pub const fn tone_words(priority: Priority) -> Option<&'static str> {
    match priority {
        Priority::Low => None,
        Priority::Medium => Some("a bell"),
        Priority::High => Some("three pulses"),
        Priority::Critical => Some("five pulses"),
    }
}

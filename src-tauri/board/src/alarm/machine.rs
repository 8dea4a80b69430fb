//! One alarm's states and what each input makes of them: ISA-18.2 and IEC 62682, their names.
//!
//! The base machine runs whether or not the alarm is suppressed, so that lifting a suppression needs no guess. Data that isn't good neither raises nor
//! clears: what comes while the evidence isn't live changes nothing (H6). `alarm/standard.rs` states the same another way, and a test
//! holds the two against each other for every state and input.

use serde::{Deserialize, Serialize};

/// Where an alarm stands by what happened and what somebody did about it, suppressed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Base {
    /// Nothing is wrong, and nobody has anything to do.
    Normal,
    /// Its condition holds, and nobody has said that he knows.
    Unacknowledged,
    /// Its condition holds, and somebody knows.
    Acknowledged,
    /// Its condition held, holds no more, and nobody had said that he knows.
    Returned,
    /// As [`Base::Returned`], but it stays as if it held until it is reset.
    LatchedUnacknowledged,
    /// As [`Base::LatchedUnacknowledged`]; somebody knows.
    LatchedAcknowledged,
}

impl Base {
    /// Whether its condition holds.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Acknowledged)
    }

    /// Whether somebody still has to say that he knows.
    #[must_use]
    pub const fn wants_acknowledgement(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Returned | Self::LatchedUnacknowledged)
    }

    /// Whether it is held as if its condition still did.
    #[must_use]
    pub const fn is_latched(self) -> bool {
        matches!(self, Self::LatchedUnacknowledged | Self::LatchedAcknowledged)
    }

    /// Whether it calls for somebody: it is heard unless it is suppressed.
    #[must_use]
    pub const fn calls(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::LatchedUnacknowledged)
    }
}

/// How far what an alarm is judged by can be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Evidence {
    /// What it is judged by was never known.
    #[default]
    Unknown,
    /// It was good, and isn't proven to be of now.
    Stale,
    /// Its source says itself that it is no good, or it can't be used.
    Bad,
    /// Proven to be of now.
    Live,
}

/// What keeps an alarm from calling. Each is told, and none is without an end or a name on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suppression {
    /// Put aside by somebody for a stated time.
    pub is_shelved: bool,
    /// By a rule of the board, such as a parent's alarm.
    pub is_by_design: bool,
    /// What it watches is being repaired, say.
    pub is_out_of_service: bool,
}

impl Suppression {
    /// Whether there is any.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.is_shelved || self.is_by_design || self.is_out_of_service
    }
}

/// What an alarm's rule says of its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Manner {
    /// It stays until it is reset, though its condition holds no more.
    pub latches: bool,
    /// Gone when its condition holds no more, whether or not somebody knew.
    pub ends_unacknowledged: bool,
}

/// The name by which an alarm's state is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Shown {
    /// Its rule is gone from the board.
    Removed,
    /// Out of service.
    OutOfService,
    /// Suppressed by design.
    SuppressedByDesign,
    /// Shelved.
    Shelved,
    /// It would be normal, but by nothing that is of now: nobody watches over it.
    Unsupervised,
    /// None of these.
    Base(Base),
}

/// What can happen to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Input {
    /// Its condition holds, for as long as its on-delay asks.
    Raise {
        /// When it began to, milliseconds of the source's clock since the Unix epoch: what several walls would call this occurrence alike.
        stamp: u64,
    },
    /// Its condition doesn't hold, for as long as its off-delay asks.
    Clear,
    /// Somebody knows of this occurrence.
    Acknowledge {
        /// The occurrence that was before his eyes.
        occurrence: u64,
    },
    /// Somebody lets a latched one go.
    Reset,
    /// Somebody turns its sound off here.
    Silence,
    /// It is of a higher priority now.
    Worsen,
    /// It is of a lower priority now.
    Ease,
    /// It has been acknowledged, and holds, for longer than is right.
    Realarm,
    /// A returned one has been shown for as long as its rule says.
    Expire,
    /// Shelved, or taken from the shelf by hand or by time.
    Shelve(bool),
    /// Suppressed by design, or no longer.
    Suppress(bool),
    /// Taken out of service, or back.
    TakeOutOfService(bool),
    /// What it is judged by is so good now.
    Judge(Evidence),
    /// Its rule is gone from the board.
    Remove,
    /// What happened for a while will never be known: it may have come and gone. Changes nothing, and is on record.
    Unseen,
}

/// What is to be done about the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sound {
    /// As it was.
    Keep,
    /// It is heard from now on; a new announcement.
    Start,
    /// It goes on, by the tone of its priority now.
    Retune,
    /// Nothing of it is heard any more.
    Stop,
    /// Nothing of it is heard any more at this station.
    StopHere,
}

/// How an input goes on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// It changed nothing and says nothing.
    None,
    /// Counted: a condition that holds was said to hold once more.
    Counted,
    /// An entry of the alarm journal.
    Entry,
}

/// Why what somebody wanted wasn't done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// What he acknowledged isn't what stands there now.
    #[error("the alarm has changed: it was raised anew")]
    Changed,
    /// It can't be reset while its condition holds.
    #[error("its condition still holds")]
    StillActive,
    /// It can't be reset before somebody knows of it.
    #[error("it must be acknowledged first")]
    NotAcknowledged,
}

/// Where one alarm stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alarm {
    /// By what happened and was done.
    pub base: Base,
    /// What keeps it from calling.
    pub suppression: Suppression,
    /// How far what it is judged by can be believed.
    pub evidence: Evidence,
    /// Its rule is gone.
    pub is_removed: bool,
    /// Which occurrence this is: when it was raised, or one more than the one before. Whatever is said of an alarm is said of one
    /// occurrence.
    pub occurrence: u64,
    /// How often this occurrence has called anew. With the occurrence, what an announcement is told by.
    pub realarms: u32,
}

/// What an input made of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Where it stands now.
    pub alarm: Alarm,
    /// What becomes of the sound.
    pub sound: Sound,
    /// What goes on record.
    pub record: Record,
    /// Why it wasn't done.
    pub refusal: Option<Refusal>,
}

impl Alarm {
    /// One that was never raised, and of which nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        let suppression = Suppression { is_shelved: false, is_by_design: false, is_out_of_service: false };
        Self {
            base: Base::Normal,
            suppression,
            evidence: Evidence::Unknown,
            is_removed: false,
            occurrence: 0,
            realarms: 0,
        }
    }

    /// The name of its state: the strongest of what is to be said.
    #[must_use]
    pub const fn shown(self) -> Shown {
        match self {
            Self { is_removed: true, .. } => Shown::Removed,
            Self { suppression: Suppression { is_out_of_service: true, .. }, .. } => Shown::OutOfService,
            Self { suppression: Suppression { is_by_design: true, .. }, .. } => Shown::SuppressedByDesign,
            Self { suppression: Suppression { is_shelved: true, .. }, .. } => Shown::Shelved,
            Self { base: Base::Normal, evidence: Evidence::Unknown | Evidence::Stale | Evidence::Bad, .. } => {
                Shown::Unsupervised
            }
            Self { base, .. } => Shown::Base(base),
        }
    }

    /// Whether it is to be heard.
    #[must_use]
    pub const fn calls(self) -> bool {
        self.base.calls() && !self.suppression.is_any() && !self.is_removed
    }

    /// Takes an input. What isn't in the table changes nothing, and is no error.
    #[must_use]
    pub fn step(self, input: Input, manner: Manner) -> Step {
        if self.is_removed {
            return self.unchanged();
        }
        match input {
            Input::Shelve(is_on) => self.suppress(Suppression { is_shelved: is_on, ..self.suppression }),
            Input::Suppress(is_on) => self.suppress(Suppression { is_by_design: is_on, ..self.suppression }),
            Input::TakeOutOfService(is_on) => {
                self.suppress(Suppression { is_out_of_service: is_on, ..self.suppression })
            }
            Input::Judge(evidence) if evidence == self.evidence => self.unchanged(),
            Input::Judge(evidence) => Self { evidence, ..self }.noted(Sound::Keep),
            Input::Remove => Self { is_removed: true, ..self }.noted(Sound::Stop),
            Input::Unseen => self.noted(Sound::Keep),
            // Neither raised nor cleared by what isn't known to be so.
            Input::Raise { .. } | Input::Clear if self.evidence != Evidence::Live => self.unchanged(),
            _ => self.step_base(input, manner).muted(),
        }
    }

    /// The table.
    fn step_base(self, input: Input, manner: Manner) -> Step {
        match (self.base, input) {
            (
                Base::Normal | Base::Returned | Base::LatchedUnacknowledged | Base::LatchedAcknowledged,
                Input::Raise { stamp },
            ) => {
                // A clock that was set back, or two within a millisecond: still another one than before.
                let occurrence = stamp.max(self.occurrence.saturating_add(1));
                Self { base: Base::Unacknowledged, occurrence, realarms: 0, ..self }.noted(Sound::Start)
            }
            (Base::Unacknowledged | Base::Acknowledged, Input::Raise { .. }) => {
                Step { record: Record::Counted, ..self.unchanged() }
            }

            (Base::Unacknowledged, Input::Clear) if manner.latches => self.to(Base::LatchedUnacknowledged, Sound::Keep),
            (Base::Unacknowledged, Input::Clear) if manner.ends_unacknowledged => self.to(Base::Normal, Sound::Stop),
            (Base::Unacknowledged, Input::Clear) => self.to(Base::Returned, Sound::Stop),
            (Base::Acknowledged, Input::Clear) if manner.latches => self.to(Base::LatchedAcknowledged, Sound::Keep),
            (Base::Acknowledged, Input::Clear) => self.to(Base::Normal, Sound::Keep),

            (
                Base::Unacknowledged | Base::Returned | Base::LatchedUnacknowledged,
                Input::Acknowledge { occurrence },
            ) if occurrence != self.occurrence => Step { record: Record::Entry, ..self.refused(Refusal::Changed) },
            (Base::Unacknowledged, Input::Acknowledge { .. }) => self.to(Base::Acknowledged, Sound::Stop),
            (Base::Returned, Input::Acknowledge { .. } | Input::Expire) => self.to(Base::Normal, Sound::Keep),
            (Base::LatchedUnacknowledged, Input::Acknowledge { .. }) => self.to(Base::LatchedAcknowledged, Sound::Stop),

            (Base::LatchedAcknowledged, Input::Reset) => self.to(Base::Normal, Sound::Keep),
            (Base::LatchedUnacknowledged, Input::Reset) => self.refused(Refusal::NotAcknowledged),
            (Base::Unacknowledged | Base::Acknowledged, Input::Reset) => self.refused(Refusal::StillActive),

            (Base::Unacknowledged | Base::LatchedUnacknowledged, Input::Silence) => self.noted(Sound::StopHere),
            (Base::Unacknowledged | Base::LatchedUnacknowledged, Input::Worsen) => self.again(),
            (Base::Unacknowledged | Base::LatchedUnacknowledged, Input::Ease) => self.noted(Sound::Retune),
            (Base::Acknowledged, Input::Worsen | Input::Realarm) => Self { base: Base::Unacknowledged, ..self }.again(),
            _ => self.unchanged(),
        }
    }

    /// What keeps it from calling is this now. When nothing does any more, what stands calls as if it were new: who put it aside isn't
    /// who finds it.
    fn suppress(self, suppression: Suppression) -> Step {
        if suppression == self.suppression {
            return self.unchanged();
        }
        let next = Self { suppression, ..self };
        if suppression.is_any() {
            return next.noted(if self.suppression.is_any() { Sound::Keep } else { Sound::Stop });
        }
        match self.base {
            Base::Unacknowledged | Base::Acknowledged => Self { base: Base::Unacknowledged, ..next }.again(),
            Base::LatchedUnacknowledged | Base::LatchedAcknowledged => {
                Self { base: Base::LatchedUnacknowledged, ..next }.again()
            }
            Base::Normal | Base::Returned => next.to(Base::Normal, Sound::Keep),
        }
    }

    const fn unchanged(self) -> Step {
        Step { alarm: self, sound: Sound::Keep, record: Record::None, refusal: None }
    }

    const fn refused(self, refusal: Refusal) -> Step {
        Step { alarm: self, sound: Sound::Keep, record: Record::Entry, refusal: Some(refusal) }
    }

    const fn noted(self, sound: Sound) -> Step {
        Step { alarm: self, sound, record: Record::Entry, refusal: None }
    }

    const fn to(self, base: Base, sound: Sound) -> Step {
        Self { base, ..self }.noted(sound)
    }

    /// The same occurrence calls once more, as an announcement of its own.
    const fn again(self) -> Step {
        Self { realarms: self.realarms.saturating_add(1), ..self }.noted(Sound::Start)
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Self::new()
    }
}

impl Step {
    /// Of an alarm that is suppressed nothing is heard.
    const fn muted(self) -> Self {
        if self.alarm.suppression.is_any() { Self { sound: Sound::Keep, ..self } } else { self }
    }
}

//! How an alarm is heard by people: what is told, when and how loudly (`policy`, pure), on the desktop (`native`) and by sound (`sound`).
//!
//! ```text
//! orders ─▶ policy ─▶ outputs ─▶ native: a thread, the desktop     ─┐
//!              ▲                 sound:  a thread, the sound device ├▶ Event::Told
//!              └──────────────────────────────────────────────────── ┘
//! ```
//!
//! Neither thread is ever waited for: its queue is bounded, and what it doesn't answer has failed. An announcement that was made in one way at least
//! comes back as [`Announced`], to be marked in the journal (H6).

mod budget;
mod native;
mod policy;
pub mod sound;
pub mod trial;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::tz::TimeZone;
use tokio::sync::mpsc::WeakSender;
use watchfloor_board::{
    alarm::{AlarmKey, Priority},
    config::spec::AlarmingSpec,
    hours::Hours,
};
use watchfloor_model::{Mono, Timestamp};

pub(crate) use self::{
    native::{Desktop, Message},
    words::unmarked,
};
use self::{policy::Policy, sound::Sound};
use crate::event::Event;

/// An alarm that calls for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Which.
    pub(crate) key: AlarmKey,
    /// Which occurrence of it.
    pub(crate) occurrence: u64,
    /// How often this occurrence has called anew.
    pub(crate) realarms: u32,
    /// How soon somebody must act.
    pub(crate) priority: Priority,
    /// What people call it; its key if that is empty.
    pub(crate) title: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
    /// What its condition was made of, in one line; may be empty.
    pub(crate) cause: String,
    /// When it was raised, by the source's clock.
    pub(crate) raised: Option<Timestamp>,
    /// When that was decided, by this machine's clock.
    pub(crate) decided: Timestamp,
    /// It may have been announced before a crash: then it says so.
    pub(crate) is_repeat: bool,
}

/// What becomes of an alarm's announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// It calls.
    Start(Call),
    /// It calls, and was announced before this program was started: a tone that repeats goes on, and what was shown of it by then is changed in
    /// place. Nothing is told anew.
    Resume {
        /// What.
        call: Call,
        /// By what it was announced, as [`How::name`] has it.
        by: Option<String>,
    },
    /// It goes on, and is less urgent now.
    Retune {
        /// Which.
        key: AlarmKey,
        /// How urgent.
        priority: Priority,
    },
    /// Nothing of it is shown or heard any more.
    Stop {
        /// Which.
        key: AlarmKey,
    },
    /// Nothing of it is heard any more at this station, for ten minutes at most.
    StopHere {
        /// Which.
        key: AlarmKey,
    },
    /// There are more than a person can take, or no longer.
    Flood(bool),
}

/// How alarms are told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// When only what is critical is told, by a clock of `zone`.
    pub(crate) quiet: Option<Hours>,
    /// The board's.
    pub(crate) zone: TimeZone,
    /// From which priority on there are notifications; none for never.
    pub(crate) notify: Option<Priority>,
    /// From which priority on there is sound; none for never.
    pub(crate) sound: Option<Priority>,
    /// How loud, percent.
    pub(crate) volume_percent: u32,
    /// The sound device's name; none for the system's own.
    pub(crate) device: Option<String>,
    /// Sound files in place of the tones that are made here.
    pub(crate) tones: BTreeMap<Priority, PathBuf>,
    /// After how long without acknowledgement it is told more urgently.
    pub(crate) escalate_after: Option<Duration>,
    /// Whether a notification can be acknowledged and leads to the wall. A kiosk's can't.
    pub(crate) actions: bool,
}

impl Settings {
    /// As a board file says.
    pub(crate) fn new(spec: &AlarmingSpec, zone: TimeZone, actions: bool, beside: &Path) -> Self {
        Self {
            quiet: spec.quiet,
            zone,
            notify: spec.notify,
            sound: spec.sound,
            volume_percent: spec.volume_percent,
            device: spec.device.clone(),
            tones: spec.tones.iter().map(|(priority, name)| (*priority, beside.join(name))).collect(),
            escalate_after: spec.escalate_after,
            actions,
        }
    }

    fn is_quiet(&self, wall: Timestamp) -> bool {
        let Some(quiet) = &self.quiet else { return false };
        jiff::Timestamp::from_millisecond(wall.as_millis()).is_ok_and(|at| quiet.contains(self.zone.to_datetime(at)))
    }
}

/// An announcement that was made, for the journal's mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    /// Of which alarm.
    pub(crate) key: AlarmKey,
    /// Of which occurrence.
    pub(crate) occurrence: u64,
    /// Which of its calls.
    pub(crate) realarms: u32,
    /// When, by this machine's clock.
    pub(crate) at: Timestamp,
    /// How.
    pub(crate) how: How,
}

/// How an announcement was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By a notification of its own.
    Notification,
    /// By the notification for many.
    Summary,
    /// By a tone.
    Sound,
    /// By the wall alone: the board wants it told by nothing else.
    Glass,
}

impl How {
    /// As it is written down.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Summary => "summary",
            Self::Sound => "sound",
            Self::Glass => "glass",
        }
    }
}

/// Which ways there are at all on this machine, whether or not they work now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ways {
    notices: bool,
    sound: bool,
}

/// Which notification: a newer one takes the place of the older one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Slot {
    /// That of an alarm.
    Alarm(AlarmKey),
    /// The one for many alarms.
    Summary,
    /// That of a source that is lost.
    Source(String),
}

/// How urgent a notification is, as desktops have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Urgency {
    Low,
    Normal,
    Critical,
}

impl Urgency {
    const fn of(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Medium | Priority::High => Self::Normal,
            Priority::Critical => Self::Critical,
        }
    }
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Show {
    slot: Slot,
    /// What it is answered by.
    number: u64,
    /// It changes what is on the screen, and is nothing where it isn't there any more.
    is_update: bool,
    heading: String,
    rest: String,
    urgency: Urgency,
    /// It doesn't go by itself.
    stays: bool,
    /// Of which occurrence it tells.
    occurrence: Option<u64>,
    /// It can be acknowledged.
    acknowledges: bool,
    /// It leads to the wall.
    shows: bool,
}

/// A tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// Once.
    Chime,
    /// Three pulses, every ten seconds.
    Pulses,
    /// Without an end.
    Continuous,
    /// The same, louder and quicker.
    Urgent,
}

impl Tone {
    const fn level(self) -> Priority {
        match self {
            Self::Chime => Priority::Medium,
            Self::Pulses => Priority::High,
            Self::Continuous | Self::Urgent => Priority::Critical,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Output {
    Show(Show),
    Withdraw(Slot),
    Play { tone: Tone, number: u64 },
    Silence,
}

/// What the desktop or the sound device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A notification is on the screen.
    Shown {
        /// Which.
        slot: Slot,
        /// By which output.
        number: u64,
    },
    /// It isn't.
    NotShown {
        /// Which.
        slot: Slot,
        /// By which output.
        number: u64,
    },
    /// It was taken, and put away at once.
    Swallowed {
        /// Which.
        slot: Slot,
        /// By which output.
        number: u64,
    },
    /// It is on the screen no more: somebody closed it, or its time was over.
    Closed {
        /// Which.
        slot: Slot,
        /// By which output.
        number: u64,
    },
    /// It was taken away, and who shows them said so.
    Withdrawn {
        /// Which.
        slot: Slot,
    },
    /// Notifications are shown again, and none of those before is there.
    Desktop,
    /// Somebody did something about one.
    Acted {
        /// Which alarm's; none for the one for many.
        key: Option<AlarmKey>,
        /// What he saw; 0 for the one for many.
        occurrence: u64,
        /// What he did.
        asked: Asked,
    },
    /// A tone has begun.
    Heard {
        /// By which output.
        number: u64,
    },
    /// It couldn't, or broke off.
    NotHeard {
        /// By which output.
        number: u64,
    },
    /// The sound device works again.
    Device,
}

/// What somebody wants who was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// He knows.
    Acknowledge,
    /// To see it.
    Show,
}

/// Somebody who was told of an alarm wants to see it on the wall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// How many have wanted that.
    pub number: u64,
    /// Which alarm; none for all of them.
    pub key: Option<String>,
    /// When; none if nobody has yet.
    pub at: Option<std::time::Instant>,
}

/// What announces.
#[derive(Debug)]
pub(crate) struct Announcer {
    policy: Policy,
    desktop: Option<Desktop>,
    sound: Option<Sound>,
    has_sound: bool,
    events: WeakSender<Event>,
    /// Taken away as soon as the desktop's queue has room: what is over must not be shown on.
    withdrawn: BTreeSet<Slot>,
    /// The desktop is still to hear that all is said of what a run before this one has shown.
    is_settling: bool,
}

impl Announcer {
    /// Begins. `settings` are none on a board without alarms: then there is no sound, and the desktop hears of sources alone. `has_sound`: whether
    /// anything may be heard here at all.
    pub(crate) fn new(
        settings: Option<Settings>,
        desktop: Option<Desktop>,
        has_sound: bool,
        events: WeakSender<Event>,
    ) -> Self {
        let settings_then = settings.clone().unwrap_or_else(silent);
        let sound = settings.as_ref().filter(|_| has_sound).and_then(|settings| start_sound(settings, &events));
        let ways = Ways { notices: desktop.is_some(), sound: sound.is_some() };
        let policy = Policy::new(settings_then, ways);
        Self { policy, desktop, sound, has_sound, events, withdrawn: BTreeSet::new(), is_settling: false }
    }

    /// The board says otherwise now.
    pub(crate) fn set_settings(&mut self, settings: Option<Settings>) {
        let heard = settings.as_ref().filter(|_| self.has_sound);
        self.sound = heard.and_then(|settings| match self.sound.take() {
            Some(sound) if settings.sound.is_some() => {
                sound.set(settings);
                Some(sound)
            }
            _ => start_sound(settings, &self.events),
        });
        let ways = Ways { notices: self.desktop.is_some(), sound: self.sound.is_some() };
        self.policy.set_settings(settings.unwrap_or_else(silent), ways);
    }

    /// Tells of a source, unless the desktop is stuck.
    pub(crate) fn tell(&self, message: Message) {
        if let Some(desktop) = &self.desktop {
            desktop.tell(message);
        }
    }

    /// Everything is ordered that calls since before this run: what else one before it has shown is taken away.
    pub(crate) const fn settle(&mut self) {
        self.is_settling = true;
    }

    /// A run before this one has told people something then: that counts.
    pub(crate) fn resume(&mut self, told: Vec<Mono>, now: Mono) {
        self.policy.resume(told, now);
    }

    /// When people were told something, as far as it counts still, if that has changed since this was last asked: to be noted in the journal.
    pub(crate) fn take_told(&mut self) -> Option<Vec<Mono>> {
        self.policy.take_told()
    }

    /// Takes an order, which is on record by now.
    pub(crate) fn handle_order(&mut self, order: Order, now: Mono, wall: Timestamp) {
        self.policy.handle_order(order, now, wall);
    }

    /// Takes what the desktop and the sound device say.
    pub(crate) fn handle_told(&mut self, told: &Told, now: Mono, wall: Timestamp) {
        self.policy.handle_told(told, now, wall);
    }

    /// When [`Self::handle_time`] has something to do.
    pub(crate) const fn poll_timeout(&self) -> Option<Mono> {
        self.policy.poll_timeout()
    }

    /// Announces what is due. Called after orders and answers, and when time has come. Answers what was announced: to be marked.
    pub(crate) fn handle_time(&mut self, now: Mono, wall: Timestamp) -> Vec<Announced> {
        if self.policy.poll_timeout().is_some_and(|due| due <= now) {
            self.policy.handle_time(now, wall);
        }
        let desktop = self.desktop.as_ref();
        self.withdrawn.retain(|slot| !desktop.is_some_and(|desktop| desktop.withdraw(slot)));
        while let Some(output) = self.policy.poll_output() {
            if let Some(refused) = self.put_out(output) {
                self.policy.handle_told(&refused, now, wall);
            }
        }
        if self.is_settling {
            self.is_settling = self.desktop.as_ref().is_some_and(|desktop| !desktop.settle());
        }
        std::iter::from_fn(|| self.policy.poll_announced()).collect()
    }

    /// A queue that is full is as good as a refusal.
    fn put_out(&mut self, output: Output) -> Option<Told> {
        match output {
            Output::Show(show) => {
                let (slot, number) = (show.slot.clone(), show.number);
                self.withdrawn.remove(&slot);
                let taken = self.desktop.as_ref().is_some_and(|desktop| desktop.show(show));
                (!taken).then_some(Told::NotShown { slot, number })
            }
            Output::Withdraw(slot) => {
                if !self.desktop.as_ref().is_none_or(|desktop| desktop.withdraw(&slot)) {
                    self.withdrawn.insert(slot);
                }
                None
            }
            Output::Play { tone, number } => {
                let taken = self.sound.as_ref().is_some_and(|sound| sound.play(tone, number));
                (!taken).then_some(Told::NotHeard { number })
            }
            Output::Silence => {
                if let Some(sound) = &self.sound {
                    sound.silence();
                }
                None
            }
        }
    }
}

fn start_sound(settings: &Settings, events: &WeakSender<Event>) -> Option<Sound> {
    settings.sound?;
    Sound::start(settings, events.clone())
}

/// Nothing is told.
fn silent() -> Settings {
    Settings {
        quiet: None,
        zone: TimeZone::UTC,
        notify: None,
        sound: None,
        volume_percent: 0,
        device: None,
        tones: BTreeMap::new(),
        escalate_after: None,
        actions: false,
    }
}

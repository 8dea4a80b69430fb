//! What is heard: one tone at a time, on a thread of its own that nobody waits for.
//!
//! What is wanted is in one place, where a newer wish takes that of an older one: nothing waits in a queue for a device that is stuck.

mod check;
mod play;
mod tone;
mod wav;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::WeakSender;
use watchfloor_board::{
    alarm::Priority,
    frame::{Notice, State},
};

use self::play::Stream;
use super::{Settings, Told, Tone};
use crate::event::Event;

/// How often the way to the ear is looked over.
const CHECK_PERIOD: Duration = Duration::from_secs(60);
/// The same while something is wrong with it.
const LACK_PERIOD: Duration = Duration::from_secs(5);
/// A device that hasn't answered by then is stuck.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Words of the device that wait to be read.
const SIGNALS_MAX: usize = 16;
/// Id of the notice about sound.
const NOTICE: &str = "sound";

/// Why nothing is heard here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundLack {
    /// There is no device.
    Device,
    /// There is none of this name.
    Missing(String),
    /// Another program has it for itself.
    Busy,
    /// It is muted.
    Muted,
    /// Its volume is zero.
    Volume,
    /// It doesn't answer.
    Stuck,
    /// Something else, in the system's words.
    Other(String),
}

impl fmt::Display for SoundLack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("alarms are not heard here: ")?;
        match self {
            Self::Device => f.write_str("there is no sound device"),
            Self::Missing(name) => write!(f, "there is no sound device \"{name}\""),
            Self::Busy => f.write_str("another program has the sound device for itself"),
            Self::Muted => f.write_str("the sound is muted"),
            Self::Volume => f.write_str("the volume is zero"),
            Self::Stuck => f.write_str("the sound device does not answer"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

/// What was found out about the way to the ear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// Whatever is played is heard, by this.
    Open(String),
    /// It plays; whether it is muted can't be found out.
    Unknown(String),
}

/// How alarms would be heard on this machine, in a few words.
#[must_use]
pub fn words(device: Option<&str>) -> String {
    let own = device.map(str::to_owned);
    match in_time(move || check::check(own.as_deref(), true), &Arc::default()) {
        None => SoundLack::Stuck.to_string(),
        Some(Err(lack)) => lack.to_string(),
        Some(Ok(Checked::Open(name))) => format!("heard by {name}"),
        Some(Ok(Checked::Unknown(name))) => format!("heard by {name}; whether it is muted can't be checked"),
    }
}

/// What is wanted.
#[derive(Clone, Debug)]
struct Wanted {
    tone: Option<(Tone, u64)>,
    voice: Voice,
    is_over: bool,
}

/// How it is played.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Voice {
    device: Option<String>,
    volume_percent: u32,
    files: BTreeMap<Priority, PathBuf>,
}

impl Voice {
    fn new(settings: &Settings) -> Self {
        Self {
            device: settings.device.clone(),
            volume_percent: settings.volume_percent.min(100),
            files: settings.tones.clone(),
        }
    }
}

/// What the sound's thread is woken by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Signal {
    /// Something else is wanted.
    Wake,
    /// The device has taken the first of it.
    Began(u64),
    /// It was played to its end.
    Ended(u64),
    /// It broke off.
    Broke(u64, SoundLack),
}

/// The way to the ear.
#[derive(Debug)]
pub(super) struct Sound {
    wanted: Arc<Mutex<Wanted>>,
    signals: SyncSender<Signal>,
}

impl Sound {
    /// Starts the sound's thread.
    pub(super) fn start(settings: &Settings, events: WeakSender<Event>) -> Option<Self> {
        let wanted = Wanted { tone: None, voice: Voice::new(settings), is_over: false };
        let wanted = Arc::new(Mutex::new(wanted));
        let (signals, heard) = sync_channel(SIGNALS_MAX);
        let (own, back) = (Arc::clone(&wanted), signals.clone());
        let started = thread::Builder::new().name("sound".into()).spawn(move || {
            Player { wanted: own, back, events, playing: None, told: None, stuck: Arc::default() }.run(&heard);
        });
        match started {
            Ok(_runs_until_it_is_over) => Some(Self { wanted, signals }),
            Err(error) => {
                tracing::warn!(reason = %error, "no sound");
                None
            }
        }
    }

    /// Plays; what becomes of it comes as an event. False if there is no thread any more.
    pub(super) fn play(&self, tone: Tone, number: u64) -> bool {
        self.want(|wanted| wanted.tone = Some((tone, number)))
    }

    /// Plays nothing.
    pub(super) fn silence(&self) {
        self.want(|wanted| wanted.tone = None);
    }

    /// Plays in another way from now on.
    pub(super) fn set(&self, settings: &Settings) {
        self.want(|wanted| wanted.voice = Voice::new(settings));
    }

    fn want(&self, change: impl FnOnce(&mut Wanted)) -> bool {
        change(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        // If there is no room, the thread is about to look anyway.
        !matches!(self.signals.try_send(Signal::Wake), Err(std::sync::mpsc::TrySendError::Disconnected(_)))
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.want(|wanted| wanted.is_over = true);
    }
}

struct Playing {
    tone: Tone,
    number: u64,
    voice: Voice,
    /// Silent from now on when it is dropped.
    _stream: Stream,
}

struct Player {
    wanted: Arc<Mutex<Wanted>>,
    back: SyncSender<Signal>,
    events: WeakSender<Event>,
    playing: Option<Playing>,
    told: Option<SoundLack>,
    /// A device that didn't answer in time is not asked again before it does.
    stuck: Arc<AtomicBool>,
}

impl Player {
    fn run(mut self, signals: &Receiver<Signal>) {
        let mut next = Instant::now();
        loop {
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if wanted.is_over || !self.follow(&wanted) {
                return;
            }
            if next <= Instant::now() {
                // Asked at the start already: an alarm is no time to learn that nobody hears it.
                let (device, opens) = (wanted.voice.device.clone(), self.playing.is_none());
                let found = in_time(move || check::check(device.as_deref(), opens), &self.stuck);
                let lack = found.unwrap_or(Err(SoundLack::Stuck)).err();
                let period = if lack.is_some() { LACK_PERIOD } else { CHECK_PERIOD };
                next = Instant::now() + period;
                if !self.tell(lack) {
                    return;
                }
            }
            let signal = match signals.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(signal) => signal,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let current = self.playing.as_ref().map(|playing| playing.number);
            let go_on = match signal {
                Signal::Began(number) if current == Some(number) => self.send(Event::Told(Told::Heard { number })),
                Signal::Ended(number) if current == Some(number) => {
                    self.playing = None;
                    self.give_up(number);
                    true
                }
                Signal::Broke(number, lack) if current == Some(number) => {
                    self.playing = None;
                    self.give_up(number);
                    next = Instant::now() + LACK_PERIOD;
                    self.tell(Some(lack)) && self.send(Event::Told(Told::NotHeard { number }))
                }
                _ => true,
            };
            if !go_on {
                return;
            }
        }
    }

    /// Plays what is wanted, and nothing else.
    fn follow(&mut self, wanted: &Wanted) -> bool {
        let is_it =
            |playing: &Playing| wanted.tone == Some((playing.tone, playing.number)) && wanted.voice == playing.voice;
        if self.playing.as_ref().is_some_and(is_it) {
            return true;
        }
        self.playing = None;
        let Some((tone, number)) = wanted.tone else { return true };
        let (voice, back) = (wanted.voice.clone(), self.back.clone());
        let begun = in_time(move || play::begin(tone, number, &voice, back), &self.stuck);
        match begun.unwrap_or(Err(SoundLack::Stuck)) {
            Ok(stream) => {
                self.playing = Some(Playing { tone, number, voice: wanted.voice.clone(), _stream: stream });
                true
            }
            Err(lack) => {
                self.give_up(number);
                self.tell(Some(lack)) && self.send(Event::Told(Told::NotHeard { number }))
            }
        }
    }

    /// It isn't begun again by itself.
    fn give_up(&self, number: u64) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.tone.take_if(|(_, own)| *own == number);
    }

    /// What the wall and the log are told: only what is new. It stands for as long as it is so.
    fn tell(&mut self, lack: Option<SoundLack>) -> bool {
        if self.told == lack {
            return true;
        }
        self.told = lack;
        match &self.told {
            Some(lack) => {
                tracing::warn!("{lack}");
                self.send(Event::Notice(Notice::worded(NOTICE, State::Warning, lack.to_string(), Vec::new())))
            }
            None => {
                tracing::info!("alarms are heard here");
                self.send(Event::NoticeOver { id: NOTICE }) && self.send(Event::Told(Told::Device))
            }
        }
    }

    /// False if nobody hears of it any more. The sender is held weakly, so that this thread doesn't keep a stopped engine's lane open.
    fn send(&self, event: Event) -> bool {
        self.events.upgrade().is_some_and(|events| events.blocking_send(event).is_ok())
    }
}

/// A device that is stuck holds up a thread, not the sound's, and only one.
fn in_time<T: Send + 'static>(deed: impl FnOnce() -> T + Send + 'static, stuck: &Arc<AtomicBool>) -> Option<T> {
    if stuck.swap(true, Ordering::AcqRel) {
        return None;
    }
    let (answer, answered) = channel();
    let own = Arc::clone(stuck);
    let doing = thread::Builder::new().name("sound-device".into()).spawn(move || {
        let done = deed();
        own.store(false, Ordering::Release);
        answer.send(done)
    });
    if doing.is_err() {
        stuck.store(false, Ordering::Release);
        return None;
    }
    answered.recv_timeout(ANSWER_MAX).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stuck device is asked once, until it answers.
    #[test]
    fn a_stuck_device_holds_up_one_thread() {
        let stuck = Arc::default();
        assert_eq!(in_time(|| 7, &stuck), Some(7));
        assert_eq!(in_time(|| 8, &stuck), Some(8), "it may be asked again");
        stuck.store(true, Ordering::Release);
        let (asked, was_asked) = channel();
        assert_eq!(in_time(move || asked.send(()), &stuck), None);
        assert!(was_asked.recv().is_err(), "nobody may ask it");
    }

    #[test]
    fn what_lacks_is_told_in_plain_words() {
        for lack in [
            SoundLack::Device,
            SoundLack::Missing("HDA".into()),
            SoundLack::Busy,
            SoundLack::Muted,
            SoundLack::Volume,
            SoundLack::Stuck,
            SoundLack::Other("a reason".into()),
        ] {
            let words = lack.to_string();
            assert!(words.starts_with("alarms are not heard here: ") && words.len() < 90, "{words}");
        }
    }
}

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
    path::{Path, PathBuf},
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
/// A tone that breaks off is begun anew so often at most: a device that never takes it is told of.
const ANEW_PERIOD: Duration = Duration::from_secs(5);
/// A device that hasn't answered by then is stuck.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Words of the device that wait to be read.
const SIGNALS_MAX: usize = 16;
/// Id of the notice about sound.
const NOTICE: &str = "sound";
/// Id of the notice about sound files.
const FILES_NOTICE: &str = "tones";

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
        let why = match self {
            Self::Device => "there is no sound device",
            Self::Missing(name) => &format!("there is no sound device \"{name}\""),
            Self::Busy => "another program has the sound device for itself",
            Self::Muted => "the sound is muted",
            Self::Volume => "the volume is zero",
            Self::Stuck => "the sound device does not answer",
            Self::Other(reason) => reason,
        };
        write!(f, "alarms are not heard here: {why}")
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

/// By what alarms are heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What it is called.
    pub name: String,
    /// Whether it is known that it isn't muted.
    pub is_proven: bool,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "heard by {}", self.name)?;
        if self.is_proven { Ok(()) } else { f.write_str("; whether it is muted can't be checked") }
    }
}

/// How alarms would be heard on this machine.
///
/// # Errors
/// [`SoundLack`].
pub fn look(device: Option<&str>) -> Result<Way, SoundLack> {
    let own = device.map(str::to_owned);
    let found = in_time(move || check::check(own.as_deref(), true), &Arc::default());
    Ok(match found.unwrap_or(Err(SoundLack::Stuck))? {
        Checked::Open(name) => Way { name, is_proven: true },
        Checked::Unknown(name) => Way { name, is_proven: false },
    })
}

/// The same in a few words.
#[must_use]
pub fn words(device: Option<&str>) -> String {
    look(device).map_or_else(|lack| lack.to_string(), |way| way.to_string())
}

/// How long a sound file is, seconds.
///
/// # Errors
/// Why it can't be used, in a few words.
pub fn file(path: &Path) -> Result<f32, String> {
    const RATE: u32 = 8000;
    wav::read(path, RATE).map(|samples| samples.len() as f32 / RATE as f32)
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
            let player = Player {
                wanted: own,
                back,
                events,
                playing: None,
                told: None,
                files: None,
                unusable: Vec::new(),
                stuck: Arc::default(),
                anew: None,
            };
            player.run(&heard);
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
    /// The files that were looked at last, and what was said of them.
    files: Option<BTreeMap<Priority, PathBuf>>,
    unusable: Vec<String>,
    /// A device that didn't answer in time is not asked again before it does.
    stuck: Arc<AtomicBool>,
    /// When a tone that broke off was begun anew last.
    anew: Option<Instant>,
}

impl Player {
    fn run(mut self, signals: &Receiver<Signal>) {
        let mut next = Instant::now();
        loop {
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if wanted.is_over || !self.follow(&wanted) {
                return;
            }
            // Other files are looked at when they are wanted, and not when the first alarm needs one.
            if next <= Instant::now() || self.files.as_ref() != Some(&wanted.voice.files) {
                // Asked at the start already: an alarm is no time to learn that nobody hears it.
                let (device, opens) = (wanted.voice.device.clone(), self.playing.is_none());
                let files = wanted.voice.files.clone();
                self.files = Some(files.clone());
                let found = in_time(move || (check::check(device.as_deref(), opens), unusable(&files)), &self.stuck);
                let (found, unusable) = found.unwrap_or_else(|| (Err(SoundLack::Stuck), self.unusable.clone()));
                if !self.tell_files(unusable) {
                    return;
                }
                let lack = found.err();
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
                    self.let_go();
                    self.give_up(number);
                    true
                }
                // A sound server that had a hiccup takes it when it is asked again.
                Signal::Broke(number, _) if current == Some(number) && self.may_begin_anew() => {
                    self.let_go();
                    true
                }
                Signal::Broke(number, lack) if current == Some(number) => {
                    self.let_go();
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
        self.let_go();
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

    /// Plays nothing. A device that is stuck holds up a thread, not this one, and isn't asked for anything before it has let go.
    fn let_go(&mut self) {
        let Some(playing) = self.playing.take() else { return };
        let (own, was_stuck) = (Arc::clone(&self.stuck), self.stuck.swap(true, Ordering::AcqRel));
        let (told, is_gone) = channel();
        let started = thread::Builder::new().name("sound-device".into()).spawn(move || {
            drop(playing);
            // One that was stuck before is freed by whoever waits for it.
            if !was_stuck {
                own.store(false, Ordering::Release);
            }
            // Nobody waits any more if it took too long.
            let _ = told.send(());
        });
        match started {
            Ok(_ends_by_itself) => drop(is_gone.recv_timeout(ANSWER_MAX)),
            Err(error) => {
                if !was_stuck {
                    self.stuck.store(false, Ordering::Release);
                }
                tracing::warn!(reason = %error, "a thread could not be started");
            }
        }
    }

    /// Whether a tone that broke off is begun anew: not if one has just been.
    fn may_begin_anew(&mut self) -> bool {
        let may = self.anew.is_none_or(|at| at.elapsed() > ANEW_PERIOD);
        if may {
            self.anew = Some(Instant::now());
        }
        may
    }

    /// It isn't begun again by itself.
    fn give_up(&self, number: u64) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.tone.take_if(|(_, own)| *own == number);
    }

    /// Files that can't be used are told of for as long as it is so.
    fn tell_files(&mut self, unusable: Vec<String>) -> bool {
        if self.unusable == unusable {
            return true;
        }
        self.unusable = unusable;
        if self.unusable.is_empty() {
            return self.send(Event::NoticeOver { id: FILES_NOTICE });
        }
        for file in &self.unusable {
            tracing::warn!(file, "a sound file can't be used: the wall's own tone is heard instead");
        }
        let text = "sound files of alarms can't be used: the wall's own tones are heard instead".to_owned();
        self.send(Event::Notice(Notice::worded(FILES_NOTICE, State::Warning, text, self.unusable.clone())))
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

/// What is wrong with these files, each in a line.
fn unusable(files: &BTreeMap<Priority, PathBuf>) -> Vec<String> {
    let reason = |path: &PathBuf| Some(format!("{}: {}", path.display(), file(path).err()?));
    files.values().filter_map(reason).collect()
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
    /// A file that isn't there, or is none, is told by its name; one that can be used isn't.
    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path("siren.wav"), spec).unwrap();
        (0..4000_i16).for_each(|sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        std::fs::write(path("text.wav"), "no sound").unwrap();
        std::fs::create_dir(path("folder.wav")).unwrap();
        assert_eq!(file(&path("siren.wav")), Ok(0.5));
        assert!(file(&path("text.wav")).unwrap_err().starts_with("it is no WAV file: "));
        assert_eq!(file(&path("folder.wav")).unwrap_err(), "it is no file");
        let files = [(Priority::Medium, "siren.wav"), (Priority::High, "text.wav"), (Priority::Critical, "gone.wav")];
        let files = files.into_iter().map(|(priority, name)| (priority, path(name))).collect();
        let said = unusable(&files);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[1].ends_with("gone.wav: there is no such file"), "{said:?}");
    }
}

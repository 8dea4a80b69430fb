//! A tone on its way to a device.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc::SyncSender,
    },
    thread,
    time::{Duration, Instant},
};

use cpal::{
    Device, Error, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};

use super::{
    Signal, SoundLack, Tone, Voice,
    tone::{self, Pattern},
    wav,
};

/// A device that complains and takes nothing for so long has broken off. A sound server that is busy complains for moments, at the beginning above all, and
/// goes on by itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two complaints: the library asks again at once, however often the device refuses.
const COMPLAINT_PAUSE: Duration = Duration::from_millis(20);

/// Silent when it is dropped.
pub(super) struct Stream {
    _stream: cpal::Stream,
}

/// The device of this name, or the system's own.
pub(super) fn device(name: Option<&str>) -> Result<Device, SoundLack> {
    let host = cpal::default_host();
    let Some(name) = name else { return host.default_output_device().ok_or(SoundLack::Device) };
    let is_it = |device: &Device| {
        device.id().is_ok_and(|id| id.id() == name)
            || device.description().is_ok_and(|description| description.name() == name)
    };
    let mut devices = host.output_devices().map_err(|error| lack(&error))?;
    devices.find(is_it).ok_or_else(|| SoundLack::Missing(name.to_owned()))
}

pub(super) fn lack(error: &Error) -> SoundLack {
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => SoundLack::Device,
        ErrorKind::DeviceBusy => SoundLack::Busy,
        _ => SoundLack::Other(error.to_string()),
    }
}

/// Begins.
pub(super) fn begin(tone: Tone, number: u64, voice: &Voice, back: SyncSender<Signal>) -> Result<Stream, SoundLack> {
    super::check::hush();
    let device = device(voice.device.as_deref())?;
    let offered = device.default_output_config().map_err(|error| lack(&error))?;
    let (format, config) = (offered.sample_format(), offered.config());
    let mut pattern = pattern(tone, voice, config.sample_rate);
    let volume = voice.volume_percent as f32 / 100.0;
    pattern.samples.iter_mut().for_each(|sample| *sample *= volume);
    let feed = Feed { pattern, at: 0, calls: Arc::default(), number, back };
    let stream = match format {
        SampleFormat::F32 => build::<f32>(&device, config, feed),
        SampleFormat::F64 => build::<f64>(&device, config, feed),
        SampleFormat::I8 => build::<i8>(&device, config, feed),
        SampleFormat::I16 => build::<i16>(&device, config, feed),
        SampleFormat::I24 => build::<cpal::I24>(&device, config, feed),
        SampleFormat::I32 => build::<i32>(&device, config, feed),
        SampleFormat::U8 => build::<u8>(&device, config, feed),
        SampleFormat::U16 => build::<u16>(&device, config, feed),
        SampleFormat::U32 => build::<u32>(&device, config, feed),
        other => {
            return Err(SoundLack::Other(format!("the sound device wants samples of a kind unknown here: {other}")));
        }
    }
    .map_err(|error| lack(&error))?;
    stream.play().map_err(|error| lack(&error))?;
    Ok(Stream { _stream: stream })
}

/// The samples: of one's own file, if there is one that can be read.
fn pattern(tone: Tone, voice: &Voice, rate: u32) -> Pattern {
    if let Some(path) = voice.files.get(&tone.level()) {
        match wav::read(path, rate) {
            Ok(samples) => return tone::of_file(samples, tone, rate),
            // The sound's thread looks at them from time to time, and says so.
            Err(reason) => tracing::debug!(file = %path.display(), reason, "the wall's own tone is heard"),
        }
    }
    tone::render(tone, rate)
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: StreamConfig,
    mut feed: Feed,
) -> Result<cpal::Stream, Error> {
    let channels = usize::from(config.channels).max(1);
    let (number, back) = (feed.number, feed.back.clone());
    let mut patience = Patience::new(feed.calls.clone());
    let failed = move |error: Error| match error.kind() {
        // It goes on.
        ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied => {}
        ErrorKind::DeviceNotAvailable => drop(back.try_send(Signal::Broke(number, lack(&error)))),
        _ => {
            if patience.is_over(Instant::now()) {
                drop(back.try_send(Signal::Broke(number, lack(&error))));
            }
            thread::sleep(COMPLAINT_PAUSE);
        }
    };
    device.build_output_stream(config, move |data: &mut [T], _| feed.fill(data, channels), failed, None)
}

/// For how long a device's complaints are borne.
struct Patience {
    /// How often it has taken something.
    calls: Arc<AtomicU32>,
    /// How often it had at its first complaint, and when that was.
    since: Option<(u32, Instant)>,
}

impl Patience {
    const fn new(calls: Arc<AtomicU32>) -> Self {
        Self { calls, since: None }
    }

    /// It has complained. Whether it has for too long, and has taken nothing since.
    fn is_over(&mut self, now: Instant) -> bool {
        let calls = self.calls.load(Ordering::Relaxed);
        match self.since {
            Some((then, at)) if then == calls => now.saturating_duration_since(at) >= PATIENCE,
            _ => {
                self.since = Some((calls, now));
                false
            }
        }
    }
}

/// What the device is fed with.
struct Feed {
    pattern: Pattern,
    at: usize,
    calls: Arc<AtomicU32>,
    number: u64,
    back: SyncSender<Signal>,
}

impl Feed {
    /// Called by the device's thread: nothing here waits.
    fn fill<T: Sample + FromSample<f32>>(&mut self, data: &mut [T], channels: usize) {
        // Asked for more, it has taken the first.
        if self.calls.fetch_add(1, Ordering::Relaxed) == 1 {
            let _thread_is_gone = self.back.try_send(Signal::Began(self.number));
        }
        for frame in data.chunks_mut(channels) {
            frame.fill(T::from_sample(self.next()));
        }
    }

    fn next(&mut self) -> f32 {
        let length = self.pattern.samples.len();
        if self.at >= length && self.pattern.repeats {
            self.at = 0;
        }
        let sample = self.pattern.samples.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        // What the device holds is still to be heard: as long again there is silence.
        if self.at == length * 2 {
            let _thread_is_gone = self.back.try_send(Signal::Ended(self.number));
        }
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H6: a device that complains and goes on is heard; one that only complains isn't said to be.
    #[test]
    fn complaints_are_borne_for_a_while() {
        let calls = Arc::new(AtomicU32::new(0));
        let mut patience = Patience::new(calls.clone());
        let begin = Instant::now();
        let mut complain = |after: Duration| patience.is_over(begin + after);
        assert!(!complain(Duration::ZERO) && !complain(PATIENCE / 2));
        calls.fetch_add(1, Ordering::Relaxed);
        assert!(!complain(PATIENCE), "it has taken something");
        assert!(!complain(PATIENCE * 3 / 2));
        assert!(complain(PATIENCE * 2));
    }
}

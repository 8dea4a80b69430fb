//! Sound files of one's own: WAV, bounded.

use std::path::Path;

use hound::{SampleFormat, WavReader};

/// The largest, bytes: the longest of two channels at 96,000 samples a second has room.
const BYTES_MAX: u64 = 32 << 20;
/// The longest, seconds.
const SECONDS_MAX: u32 = 30;

/// One channel of samples from -1 to 1, for a device of so many a second.
///
/// # Errors
/// What is wrong with the file, in a few words.
pub(super) fn read(path: &Path, rate: u32) -> Result<Vec<f32>, String> {
    let found = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    // What isn't a file may never end, or never begin.
    if !found.is_file() {
        return Err("it is no file".to_owned());
    }
    if found.len() > BYTES_MAX {
        return Err(format!("it is larger than {} MiB", BYTES_MAX >> 20));
    }
    let reader = WavReader::open(path).map_err(|error| match error {
        hound::Error::FormatError(what) => format!("it is no WAV file: {what}"),
        error => error.to_string(),
    })?;
    samples(reader, rate)
}

fn samples<R: std::io::Read>(reader: WavReader<R>, rate: u32) -> Result<Vec<f32>, String> {
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    if channels == 0 || spec.sample_rate == 0 {
        return Err("it has no channel, or no rate".to_owned());
    }
    let most = u64::from(SECONDS_MAX) * u64::from(spec.sample_rate) * u64::from(spec.channels);
    if u64::from(reader.len()) > most {
        return Err(format!("it is longer than {SECONDS_MAX} s"));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let read: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.into_samples::<f32>().take(most).collect(),
        SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.into_samples::<i32>().take(most).map(|sample| Ok(sample? as f32 / full)).collect()
        }
    };
    let read = read.map_err(|error| error.to_string())?;
    let mixed: Vec<f32> = read
        .chunks_exact(channels)
        .map(|frame| frame.iter().map(|sample| if sample.is_finite() { *sample } else { 0.0 }).sum::<f32>())
        .map(|sum| (sum / channels as f32).clamp(-1.0, 1.0))
        .collect();
    if mixed.is_empty() {
        return Err("there is nothing in it".to_owned());
    }
    Ok(resampled(&mixed, spec.sample_rate, rate))
}

/// By straight lines between samples: enough for what calls.
fn resampled(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to {
        return samples.to_vec();
    }
    let step = f64::from(from) / f64::from(to.max(1));
    let count = (samples.len() as f64 / step) as usize;
    let at = |index: usize| samples.get(index).or(samples.last()).copied().unwrap_or_default();
    (0..count)
        .map(|index| {
            let place = index as f64 * step;
            let (whole, part) = (place as usize, place.fract() as f32);
            at(whole) * (1.0 - part) + at(whole + 1) * part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use hound::{WavSpec, WavWriter};
    use proptest::prelude::*;

    use super::{super::tone::measure::strength, *};

    fn file(spec: WavSpec, seconds: f32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for index in 0..(seconds * spec.sample_rate as f32) as usize {
            let wave = (std::f32::consts::TAU * 500.0 * index as f32 / spec.sample_rate as f32).sin();
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(wave).unwrap(),
                    SampleFormat::Int => {
                        let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1) - 1.0;
                        writer.write_sample((wave * full) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn files_of_all_kinds_sound_as_they_should() {
        for (channels, bits_per_sample, sample_format) in [
            (1, 8, SampleFormat::Int),
            (2, 16, SampleFormat::Int),
            (1, 24, SampleFormat::Int),
            (6, 32, SampleFormat::Int),
            (2, 32, SampleFormat::Float),
        ] {
            let spec = WavSpec { channels, sample_rate: 44_100, bits_per_sample, sample_format };
            let bytes = file(spec, 0.5);
            let own = samples(WavReader::new(Cursor::new(bytes)).unwrap(), 48_000).unwrap();
            assert!((own.len() as f32 - 24_000.0).abs() < 4.0, "{spec:?}: {}", own.len());
            assert!(strength(&own, 48_000.0, 500.0) > 0.9, "{spec:?}");
        }
    }

    #[test]
    fn what_is_too_long_or_empty_is_refused() {
        let spec = WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let of = |seconds| samples(WavReader::new(Cursor::new(file(spec, seconds))).unwrap(), 48_000);
        assert!(of(31.0).unwrap_err().contains("longer than 30 s"));
        assert!(of(0.0).unwrap_err().contains("nothing in it"));
    }

    proptest! {
        /// H8: whatever the bytes, it ends, and is bounded.
        #[test]
        fn whatever_the_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..44) {
            let spec = WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: SampleFormat::Int };
            let mut whole = file(spec, 0.01);
            let end = whole.len().min(at + bytes.len());
            bytes.truncate(end - at);
            whole[at..end].copy_from_slice(&bytes);
            if let Ok(reader) = WavReader::new(Cursor::new(whole)) {
                let rate = reader.spec().sample_rate;
                if rate > 100 {
                    let _bounded = samples(reader, 8000);
                }
            }
        }
    }
}

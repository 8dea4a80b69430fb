//! The tones, made here: pulses with harmonics after IEC 60601-1-8 (a fundamental of 150 to 1000 Hz and at least four harmonics up to 4 kHz), which
//! are found in a noisy room and told apart by their rhythm. Pure.

use std::f32::consts::TAU;

use super::Tone;

/// Of each harmonic, from the fundamental on, its share.
const HARMONICS: [f32; 5] = [1.0, 0.6, 0.45, 0.35, 0.25];
/// A pulse's rise and fall, seconds: without them it clicks.
const EDGE: f32 = 0.02;

/// What is played.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// From -1 to 1, one channel.
    pub(super) samples: Vec<f32>,
    /// Whether it begins again at its end.
    pub(super) repeats: bool,
}

/// A tone's shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Hz.
    pub(super) fundamental: f32,
    /// When each pulse begins, seconds.
    pub(super) pulses: &'static [f32],
    /// How long each is, seconds.
    pub(super) pulse: f32,
    /// After how long it begins again, seconds; it ends then if it doesn't.
    pub(super) period: f32,
    repeats: bool,
    /// From 0 to 1.
    pub(super) loudness: f32,
    /// It dies away as a bell does.
    dies: bool,
}

pub(super) const fn shape(tone: Tone) -> Shape {
    match tone {
        Tone::Chime => Shape {
            fundamental: 440.0,
            pulses: &[0.0],
            pulse: 1.2,
            period: 1.5,
            repeats: false,
            loudness: 0.6,
            dies: true,
        },
        Tone::Pulses => Shape {
            fundamental: 523.25,
            pulses: &[0.0, 0.35, 0.7],
            pulse: 0.2,
            period: 10.0,
            repeats: true,
            loudness: 0.7,
            dies: false,
        },
        Tone::Continuous => Shape {
            fundamental: 659.25,
            pulses: &[0.0, 0.25, 0.5, 0.9, 1.15],
            pulse: 0.15,
            period: 2.5,
            repeats: true,
            loudness: 0.7,
            dies: false,
        },
        Tone::Urgent => Shape {
            fundamental: 783.99,
            pulses: &[0.0, 0.2, 0.4, 0.7, 0.9],
            pulse: 0.15,
            period: 1.25,
            repeats: true,
            loudness: 1.0,
            dies: false,
        },
    }
}

/// A tone for a device of so many samples a second.
pub(super) fn render(tone: Tone, rate: u32) -> Pattern {
    let shape = shape(tone);
    let rate = rate as f32;
    let at = |seconds: f32| (seconds * rate) as usize;
    let mut samples = vec![0.0; at(shape.period)];
    // What all harmonics come to at most; the device takes no more than 1.
    let most: f32 = HARMONICS.iter().sum();
    for begin in shape.pulses {
        let length = at(shape.pulse);
        for (index, sample) in samples.iter_mut().skip(at(*begin)).take(length).enumerate() {
            let time = index as f32 / rate;
            let edge = (time / EDGE).min((shape.pulse - time) / EDGE).clamp(0.0, 1.0);
            let rest = if shape.dies { (-3.0 * time).exp() } else { 1.0 };
            let wave: f32 = (1_u8..)
                .zip(HARMONICS)
                .map(|(harmonic, share)| share * (TAU * shape.fundamental * f32::from(harmonic) * time).sin())
                .sum();
            *sample = wave / most * edge * rest * shape.loudness;
        }
    }
    Pattern { samples, repeats: shape.repeats }
}

/// A recorded tone, in the rhythm of the one that it stands for.
pub(super) fn of_file(mut samples: Vec<f32>, tone: Tone, rate: u32) -> Pattern {
    let shape = shape(tone);
    let period = (shape.period * rate as f32) as usize;
    if shape.repeats && samples.len() < period {
        samples.resize(period, 0.0);
    }
    Pattern { samples, repeats: shape.repeats }
}

#[cfg(test)]
pub(in crate::announce) mod measure {
    use std::f32::consts::TAU;

    /// How strong a frequency is in a stretch (Goertzel), of 0 to 1.
    pub(in crate::announce) fn strength(samples: &[f32], rate: f32, frequency: f32) -> f32 {
        let turn = 2.0 * (TAU * frequency / rate).cos();
        let (mut one, mut two) = (0.0_f32, 0.0_f32);
        for sample in samples {
            (one, two) = (sample + turn * one - two, one);
        }
        let power = one * one + two * two - turn * one * two;
        power.max(0.0).sqrt() * 2.0 / samples.len() as f32
    }

    /// When it is louder than the floor, seconds: from and to. Stretches less than `gap` apart are one.
    pub(in crate::announce) fn sounds(samples: &[f32], rate: f32, floor: f32, gap: f32) -> Vec<(f32, f32)> {
        let mut found: Vec<(f32, f32)> = Vec::new();
        for (at, _) in samples.iter().enumerate().filter(|(_, sample)| sample.abs() > floor) {
            let at = at as f32 / rate;
            match found.last_mut() {
                Some((_, to)) if at - *to < gap => *to = at,
                _ => found.push((at, at)),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{
        measure::{sounds, strength},
        *,
    };

    const ALL: [Tone; 4] = [Tone::Chime, Tone::Pulses, Tone::Continuous, Tone::Urgent];

    /// Frequency and rhythm are found in the samples, at whatever rate the device has.
    #[test]
    fn tones_are_what_the_standard_asks_for() {
        for (tone, rate) in ALL.into_iter().flat_map(|tone| [48_000_u32, 44_100, 16_000].map(|rate| (tone, rate))) {
            let (shape, pattern) = (shape(tone), render(tone, rate));
            let rate = rate as f32;
            assert!((150.0..=1000.0).contains(&shape.fundamental));
            assert!(shape.fundamental * 5.0 <= 4000.0, "{tone:?}");
            assert!(pattern.samples.iter().all(|sample| sample.abs() <= 1.0));
            assert_eq!(pattern.samples.len(), (shape.period * rate) as usize);
            let found = sounds(&pattern.samples, rate, 0.02 * shape.loudness, 0.04);
            assert_eq!(found.len(), shape.pulses.len(), "{tone:?} at {rate}: {found:?}");
            for ((from, to), begin) in found.iter().zip(shape.pulses) {
                assert!((from - begin).abs() < 0.01, "{tone:?}: {from} for {begin}");
                assert!(shape.dies || (to - from - shape.pulse).abs() < 0.02, "{tone:?}: {from} to {to}");
            }
            let first = &pattern.samples[..(shape.pulse * rate) as usize];
            let loudest = strength(first, rate, shape.fundamental);
            for harmonic in 2_u8..=5 {
                let own = strength(first, rate, shape.fundamental * f32::from(harmonic));
                assert!(own > 0.15 * loudest && own < loudest, "{tone:?}, harmonic {harmonic}: {own} of {loudest}");
            }
            assert!(strength(first, rate, shape.fundamental * 1.5) < 0.2 * loudest, "{tone:?}");
        }
    }

    /// Each is told from the others by rhythm and pitch, and the more urgent is not the quieter one.
    #[test]
    fn tones_differ() {
        for pair in ALL.windows(2) {
            let (one, other) = (shape(pair[0]), shape(pair[1]));
            assert!(one.fundamental < other.fundamental && one.loudness <= other.loudness);
            assert!(one.pulses != other.pulses);
        }
    }

    #[test]
    fn a_file_keeps_the_rhythm() {
        let pattern = of_file(vec![0.5; 100], Tone::Pulses, 1000);
        assert_eq!((pattern.samples.len(), pattern.repeats), (10_000, true));
        assert_eq!(of_file(vec![0.5; 20_000], Tone::Pulses, 1000).samples.len(), 20_000);
        assert_eq!(of_file(vec![0.5; 100], Tone::Chime, 1000).samples.len(), 100);
    }
}

//! What the made-up stories are made of: a day of events, and dice that fall alike at every run.

use std::ops::Range;

use serde_json::Value;
use watchfloor_model::Timestamp;

use super::{MADE_UP_DAY, ReplayEvent, Story, made_up_instant};

/// Minutes of the day.
pub(super) const DAY_MIN: i64 = 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// A minute of the day by its clock.
pub(super) const fn clock(hour: i64, minute: i64) -> i64 {
    hour * 60 + minute
}

/// A story that is worked out whole when it is opened: one day, some ten thousand events.
#[derive(Debug)]
pub(super) struct Script {
    channels: &'static [&'static str],
    start: Timestamp,
    end: Timestamp,
    events: Vec<ReplayEvent>,
}

impl Script {
    /// An empty day.
    pub(super) fn new(channels: &'static [&'static str]) -> Result<Self, jiff::Error> {
        let start = made_up_instant(MADE_UP_DAY.at(0, 0, 0, 0))?;
        let end = made_up_instant(MADE_UP_DAY.tomorrow()?.at(0, 0, 0, 0))?;
        Ok(Self { channels, start, end, events: Vec::new() })
    }

    /// The instant of a minute of the day, milliseconds since 1970.
    pub(super) const fn ms(&self, minute: i64) -> i64 {
        self.start.as_millis() + minute * MINUTE_MS
    }

    /// Something happens to what `id` names. What lies behind the end of the day is left out. Within a minute the order of the calls is
    /// kept.
    pub(super) fn tell(&mut self, minute: i64, channel: &'static str, name: &'static str, id: &str, data: Value) {
        if (0..=DAY_MIN).contains(&minute) {
            let time = Timestamp::from_millis(self.ms(minute));
            // Something may happen twice in a minute.
            let id = format!("{id}/{name}/{}", self.events.len());
            self.events.push(ReplayEvent { channel, name, id, time, data });
        }
    }

    /// The day, told.
    pub(super) fn done(mut self) -> Self {
        self.events.sort_by_key(|event| event.time);
        self
    }
}

impl Story for Script {
    fn channels(&self) -> &'static [&'static str] {
        self.channels
    }

    fn span(&self) -> Range<Timestamp> {
        self.start..self.end
    }

    fn between(&self, after: Timestamp, through: Timestamp) -> Vec<ReplayEvent> {
        let index = |limit: Timestamp| self.events.partition_point(|event| event.time <= limit);
        self.events.get(index(after)..index(through)).unwrap_or_default().to_vec()
    }

    /// A day is short: everything.
    fn state_at(&self, through: Timestamp) -> Vec<ReplayEvent> {
        self.between(Timestamp::from_millis(i64::MIN), through)
    }

    fn label(&self, _: Timestamp) -> String {
        MADE_UP_DAY.strftime("Made up, %-d %B %Y").to_string()
    }
}

/// Chance that is the same at every run: each throw is a hash of a seed, what it is about, and the minute. So nothing depends on
/// what was thrown before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to 1, without 1.
    pub(super) fn unit(self, about: &str, minute: i64) -> f64 {
        // FNV-1a, then the end of splitmix64: neighbouring minutes have nothing in common.
        let mut hash = self.0 ^ 0xcbf2_9ce4_8422_2325;
        for byte in about.bytes().chain(minute.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((hash ^ (hash >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn between(self, about: &str, minute: i64, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit(about, minute)
    }

    /// −1 to 1, mostly near 0.
    pub(super) fn noise(self, about: &str, minute: i64) -> f64 {
        let throws = [0, 1, 2].map(|throw| self.unit(about, minute * 3 + throw));
        throws.iter().sum::<f64>() / 1.5 - 1.0
    }

    /// −1 to 1, without a jump: another value every `period` minutes, and between them a smooth way.
    pub(super) fn drift(self, about: &str, minute: i64, period: i64) -> f64 {
        let at = minute.div_euclid(period);
        let way = minute.rem_euclid(period) as f64 / period as f64;
        let smooth = way * way * (3.0 - 2.0 * way);
        let [from, to] = [at, at + 1].map(|step| self.unit(about, step) * 2.0 - 1.0);
        from + (to - from) * smooth
    }

    /// One of them, each as often as its weight says.
    pub(super) fn pick<'a, T>(
        self,
        about: &str,
        minute: i64,
        of: &'a [T],
        weight: impl Fn(&T) -> f64,
    ) -> Option<&'a T> {
        let mut left = self.unit(about, minute) * of.iter().map(&weight).sum::<f64>();
        of.iter().find(|one| {
            left -= weight(one);
            left < 0.0
        })
    }
}

/// Rounded to so many decimals; never a negative zero.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}

/// What a curve of 24 values a day, one an hour, says in the middle of things.
pub(super) fn hourly(curve: &[f64; 24], minute: i64) -> f64 {
    let hour = minute.div_euclid(60).rem_euclid(24);
    let at = |hour: i64| curve.get(hour.rem_euclid(24) as usize).copied().unwrap_or_default();
    let way = minute.rem_euclid(60) as f64 / 60.0;
    at(hour) + (at(hour + 1) - at(hour)) * way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_evenly_and_alike() {
        let (dice, again) = (Dice::new(7), Dice::new(7));
        let throws: Vec<_> = (0..10_000).map(|minute| dice.unit("x", minute)).collect();
        let mean = throws.iter().sum::<f64>() / throws.len() as f64;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert!(throws.iter().all(|throw| (0.0..1.0).contains(throw)));
        assert!(throws.iter().zip(0..).all(|(throw, minute)| *throw == again.unit("x", minute)));
        assert!(Dice::new(8).unit("x", 1) != dice.unit("x", 1) && dice.unit("y", 1) != dice.unit("x", 1));
        let picked = (0..10_000).filter(|minute| dice.pick("p", *minute, &[0.25, 0.75], |w| *w) == Some(&0.25)).count();
        assert!((2300..2700).contains(&picked), "{picked}");
    }

    #[test]
    fn what_drifts_does_not_jump() {
        let dice = Dice::new(3);
        let way: Vec<_> = (0..1000).map(|minute| dice.drift("level", minute, 30)).collect();
        assert!(way.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.11));
        assert!((0..1000).all(|minute| dice.noise("n", minute).abs() <= 1.0));
        let curve = [5.0; 24];
        assert!((0..DAY_MIN).all(|minute| hourly(&curve, minute) == 5.0));
    }
}

//! The clock that the hub's windows run on, and the two readings that everything else is computed from.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize, Serializer};
use watchfloor_model::{Mono, SourceClock, SteadyClock, Timestamp};

use crate::limits;

/// One reading of the machine's two clocks, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Measures.
    pub(crate) mono: Mono,
    /// What the system's clock says.
    pub(crate) wall: Timestamp,
}

impl Now {
    /// So much later, or earlier.
    pub(crate) fn plus(self, time: Duration) -> Self {
        Self { mono: self.mono.plus(time), wall: self.wall.plus(time) }
    }

    /// Whether neither clock has come so far.
    pub(crate) fn is_before(self, until: Self) -> bool {
        self.mono < until.mono && self.wall < until.wall
    }
}

/// The machine's two clocks. That on the wall doesn't go back: what is published later is the newer.
#[derive(Debug)]
pub(crate) struct Clocks {
    zero: Instant,
    wall: Mutex<Wall>,
}

/// The clock on the wall, as it was last looked at.
#[derive(Debug, Default)]
struct Wall {
    steady: SteadyClock,
    /// Whether it was set back so far that it was followed nevertheless, and nobody has seen to that.
    turned_back: bool,
}

impl Clocks {
    /// Clocks that are read from now on.
    pub(crate) fn new() -> Self {
        let clocks = Self { zero: Instant::now(), wall: Mutex::default() };
        let read = clocks.read();
        clocks.wall().steady.set(read.wall, read.mono);
        clocks
    }

    /// The two, now.
    pub(crate) fn now(&self) -> Now {
        let read = self.read();
        let mut wall = self.wall();
        wall.turned_back |= wall.steady.set(read.wall, read.mono);
        Now { wall: wall.steady.at(read.mono), ..read }
    }

    /// What was dated by an earlier life of the hub is not of a time to come, unless that is more than a day: then its clock was wrong.
    pub(crate) fn be_after(&self, newest: Timestamp) {
        let read = self.read();
        let mut wall = self.wall();
        if newest > wall.steady.at(read.mono) && newest.since(read.wall) <= SteadyClock::BACK_MAX {
            wall.steady.set(newest, read.mono);
        }
    }

    /// Whether the one on the wall was set back by more than a day since somebody asked.
    pub(crate) fn was_turned_back(&self) -> bool {
        std::mem::take(&mut self.wall().turned_back)
    }

    fn wall(&self) -> MutexGuard<'_, Wall> {
        self.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Now {
        let micros = u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX);
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        Now { mono: MONO_ZERO.plus(Duration::from_micros(micros)), wall: Timestamp::from_millis(millis) }
    }

    /// As if the clock on the wall had been ahead by so much until now.
    #[cfg(test)]
    pub(crate) fn be_ahead(&self, ahead: Duration) -> Timestamp {
        let read = self.read();
        let mut wall = self.wall();
        wall.steady.set(read.wall.plus(ahead), read.mono);
        wall.steady.at(read.mono)
    }
}

/// What the monotonic clock says when the hub begins: what an earlier life of it has taken lies before.
const MONO_ZERO: Mono = Mono::from_millis(20 * 365 * 86_400_000);

/// The hub's clock: the system's, unless a replay set another.
#[derive(Clone, Debug, Default)]
pub(crate) struct HubClock {
    set: Option<SourceClock>,
    /// Counts the settings, so that readers can tell that there was a new one.
    generation: u64,
}

/// What a store keeps of a clock that was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptClock {
    /// What it said …
    pub(crate) at: Timestamp,
    /// … when the system's clock said this.
    pub(crate) wall: Timestamp,
    /// Hub seconds a real second.
    pub(crate) speed: f64,
    /// What kind of time it is.
    pub(crate) label: Option<String>,
}

/// What the clock says, as in every message that has a `clock`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ClockReading {
    /// The hub's time.
    pub(crate) now: Timestamp,
    /// Hub seconds a real second.
    #[serde(serialize_with = "plain_number")]
    pub(crate) speed: f64,
    /// What kind of time it is if it isn't the present.
    pub(crate) label: Option<Arc<str>>,
}

impl HubClock {
    /// The hub's time.
    pub(crate) fn now(&self, now: Now) -> Timestamp {
        self.set.as_ref().map_or(now.wall, |clock| clock.at(now.mono))
    }

    /// The hub's time and how it runs.
    pub(crate) fn reading(&self, now: Now) -> ClockReading {
        match &self.set {
            None => ClockReading { now: now.wall, speed: 1.0, label: None },
            Some(clock) => ClockReading {
                now: clock.at(now.mono),
                speed: clock.speed,
                label: clock.label.as_deref().map(Arc::from),
            },
        }
    }

    /// Goes by another clock from now on.
    pub(crate) fn set(&mut self, order: &ClockOrder, now: Now) {
        self.generation += 1;
        self.set = match &order.setting {
            Setting::System => None,
            Setting::At { at, speed, label } => {
                Some(SourceClock { at: *at, read: now.mono, speed: *speed, label: label.clone() })
            }
        };
    }

    /// What a store keeps of it; none if it is the system's.
    pub(crate) fn kept(&self, now: Now) -> Option<KeptClock> {
        let set = self.set.as_ref()?;
        Some(KeptClock { at: set.at(now.mono), wall: now.wall, speed: set.speed, label: set.label.clone() })
    }

    /// The clock that a store has kept: it has run on since, by the system's clock.
    pub(crate) fn restored(kept: Option<&KeptClock>, now: Now) -> Self {
        let restored = |kept: &KeptClock| {
            let before = SourceClock { at: kept.at, read: Mono::ZERO, speed: kept.speed, label: kept.label.clone() };
            let at = before.at(Mono::ZERO.plus(now.wall.since(kept.wall)));
            SourceClock { at, read: now.mono, ..before }
        };
        Self { set: kept.map(restored), generation: 0 }
    }

    /// Whether it is the system's.
    pub(crate) const fn is_system(&self) -> bool {
        self.set.is_none()
    }

    /// Changes whenever the clock is set.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }
}

fn plain_number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.fract() == 0.0 && (0.0..=limits::CLOCK_SPEED_MAX).contains(number) {
        serializer.serialize_u64(*number as u64)
    } else {
        serializer.serialize_f64(*number)
    }
}

/// A checked order to set the clock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClockOrder {
    /// To what.
    pub(crate) setting: Setting,
    /// Whether the publisher vouches that nothing happened before: what it publishes is the whole story.
    pub(crate) begins: bool,
}

/// A time to go by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    /// Go by the system's clock.
    System,
    /// Go by this one.
    At {
        /// What it says now.
        at: Timestamp,
        /// Hub seconds a real second.
        speed: f64,
        /// What kind of time it is.
        label: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    system: Option<bool>,
    now: Option<i64>,
    speed: Option<f64>,
    label: Option<String>,
    #[serde(default)]
    begins: bool,
}

impl ClockOrder {
    /// Back to the system's time.
    pub(crate) const SYSTEM: Self = Self { setting: Setting::System, begins: false };

    /// Reads the body of `POST /v1/clock`.
    ///
    /// # Errors
    /// A sentence that says what was found and what was expected.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let request: Request = serde_json::from_slice(body).map_err(|error| format!("the clock: {error}"))?;
        let setting = match (request.system, request.now) {
            (Some(true), None) if request.speed.is_none() && request.label.is_none() => Setting::System,
            (None | Some(false), Some(now)) => Setting::checked(now, request.speed.unwrap_or(1.0), request.label)?,
            _ => {
                let expected = "expected either `now` with `speed` and `label`, or `system`: true without them";
                return Err(format!("the clock: {expected}"));
            }
        };
        Ok(Self { setting, begins: request.begins })
    }
}

impl Setting {
    fn checked(now: i64, speed: f64, label: Option<String>) -> Result<Self, String> {
        if !(limits::TIME_MS_MIN..=limits::TIME_MS_MAX).contains(&now) {
            return Err(format!("`now` is {now}: expected milliseconds between the years 1 and 9999"));
        }
        if !(0.0..=limits::CLOCK_SPEED_MAX).contains(&speed) {
            return Err(format!("`speed` is {speed}: expected a number from 0 to {}", limits::CLOCK_SPEED_MAX));
        }
        match label {
            Some(label) if label.len() > limits::LABEL_BYTES_MAX || label.chars().any(char::is_control) => {
                Err(format!(
                    "`label` has {} bytes: expected at most {} and no control characters",
                    label.len(),
                    limits::LABEL_BYTES_MAX
                ))
            }
            label => Ok(Self::At { at: Timestamp::from_millis(now), speed, label }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64, wall_ms: i64) -> Now {
        Now { mono: Mono::from_millis(mono_ms), wall: Timestamp::from_millis(wall_ms) }
    }

    /// A replay's clock runs on the monotonic clock, whatever the system's clock does.
    #[test]
    fn set_and_set_back() {
        let mut clock = HubClock::default();
        assert_eq!(clock.now(at(0, 77)).as_millis(), 77);
        let order = ClockOrder::parse(br#"{"now": 1000, "speed": 60, "label": "Replay"}"#).expect("order");
        clock.set(&order, at(0, 77));
        assert_eq!(clock.now(at(10, 5)).as_millis(), 1_600);
        let text = serde_json::to_string(&clock.reading(at(10, 5))).expect("json");
        assert_eq!(text, r#"{"now":1600,"speed":60,"label":"Replay"}"#);
        clock.set(&ClockOrder::parse(br#"{"system": true, "begins": true}"#).expect("order"), at(20, 99));
        assert_eq!((clock.now(at(20, 99)).as_millis(), clock.generation()), (99, 2));
    }

    /// Bad input is answered with what was found and what was expected.
    #[test]
    fn refuses() {
        for (body, part) in [
            ("{}", "expected either"),
            (r#"{"system": true, "now": 1}"#, "expected either"),
            (r#"{"now": 1e300}"#, "expected i64"),
            (r#"{"now": 253402214400001}"#, "years 1 and 9999"),
            (r#"{"now": 1, "speed": -1}"#, "`speed` is -1"),
            (r#"{"now": 1, "sped": 1}"#, "unknown field `sped`"),
            (r#"{"now": 1, "label": "a\nb"}"#, "control"),
        ] {
            let error = ClockOrder::parse(body.as_bytes()).expect_err(body);
            assert!(error.contains(part), "{error}");
        }
    }
}

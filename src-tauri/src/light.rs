//! A sensor of the room's light, where the machine has one: a file that holds a number, as Linux shows those of its IIO drivers.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::Deserialize;
use watchfloor_engine::Engine;

/// How often is read.
const READ_EVERY: Duration = Duration::from_secs(5);
/// The room must have been so for as long before the wall follows: somebody passes with a torch, a door opens.
const SETTLE: Duration = Duration::from_secs(60);
/// A number has no more.
const BYTES_MAX: u64 = 64;

/// The sensor, as the settings name it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Light {
    /// Such as `/sys/bus/iio/devices/iio:device0/in_illuminance_raw`.
    sensor: PathBuf,
    /// The room is dark at less than this, in whatever the file counts.
    dark_below: f64,
    /// And light again at more than this.
    light_above: f64,
}

impl Light {
    /// Whether this can be followed.
    ///
    /// # Errors
    /// One line for people if not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_apart = self.dark_below >= 0.0 && self.light_above > self.dark_below && self.light_above.is_finite();
        if is_apart { Ok(()) } else { Err("\"light\": light-above has to be more than dark-below".to_owned()) }
    }
}

/// What is known of the room's light. Pure.
#[derive(Debug)]
struct Judge {
    dark_below: f64,
    light_above: f64,
    dark: Option<bool>,
    /// Since when it has been otherwise.
    other_since: Option<Duration>,
}

impl Judge {
    const fn new(light: &Light) -> Self {
        Self { dark_below: light.dark_below, light_above: light.light_above, dark: None, other_since: None }
    }

    /// Takes a reading at `now`. Whether the room is dark; none if nothing tells.
    fn read(&mut self, value: Option<f64>, now: Duration) -> Option<bool> {
        let Some(value) = value else {
            (self.dark, self.other_since) = (None, None);
            return None;
        };
        // In between it is what it was.
        let is = if value < self.dark_below {
            true
        } else if value > self.light_above {
            false
        } else {
            self.dark.unwrap_or_default()
        };
        if self.dark.is_none() {
            self.dark = Some(is);
        } else if self.dark == Some(is) {
            self.other_since = None;
        } else if now.saturating_sub(*self.other_since.get_or_insert(now)) >= SETTLE {
            (self.dark, self.other_since) = (Some(is), None);
        }
        self.dark
    }
}

/// The number in the file.
fn reading(path: &Path) -> Result<f64, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    file.take(BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    let value = text.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| format!("{} holds no number: {:?}", path.display(), text.trim()))
}

/// Tells the board whether the room is dark, for as long as it is polled.
pub(crate) async fn keep(light: Light, engine: Engine) {
    let (mut judge, begun) = (Judge::new(&light), Instant::now());
    let mut told: Option<Option<bool>> = None;
    loop {
        let path = light.sensor.clone();
        // A driver may take its time.
        let read = tokio::task::spawn_blocking(move || reading(&path)).await;
        let read = read.map_err(|error| error.to_string()).and_then(|read| read);
        let dark = judge.read(read.as_ref().ok().copied(), begun.elapsed());
        if told != Some(dark) {
            match &read {
                Ok(value) => tracing::info!(value, ?dark, "the room's light"),
                Err(error) => tracing::warn!(error, "the room's light isn't known: the board's hours count"),
            }
            engine.set_dark(dark).await;
            told = Some(dark);
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}

/// What the sensor says, in one line.
pub(crate) fn words(light: Option<&Light>) -> String {
    match light.map(|light| (light, reading(&light.sensor))) {
        None => "no sensor is set: a board's night goes by its hours".to_owned(),
        Some((light, Ok(value))) => {
            format!("{value} now: dark below {}, light above {}", light.dark_below, light.light_above)
        }
        Some((_, Err(error))) => format!("{error}: a board's night goes by its hours"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_room_is_dark_when_it_stays_so() {
        let light = Light { sensor: PathBuf::new(), dark_below: 10.0, light_above: 20.0 };
        let mut judge = Judge::new(&light);
        assert_eq!(judge.read(Some(15.0), at(0)), Some(false), "between, and nothing is known");
        assert_eq!(judge.read(Some(5.0), at(5)), Some(false));
        assert_eq!(judge.read(Some(15.0), at(60)), Some(false), "it was a shadow");
        assert_eq!(judge.read(Some(5.0), at(65)), Some(false));
        assert_eq!(judge.read(Some(9.9), at(125)), Some(true));
        assert_eq!(judge.read(Some(19.0), at(500)), Some(true), "no flicker at the limit");
        assert_eq!(judge.read(Some(300.0), at(505)), Some(true));
        assert_eq!(judge.read(Some(300.0), at(565)), Some(false));
        assert_eq!(judge.read(None, at(570)), None, "nothing tells");
        assert_eq!(judge.read(Some(1.0), at(575)), Some(true), "at once, as at a start");
    }

    #[test]
    fn a_file_holds_a_number_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in_illuminance_raw");
        assert!(reading(&path).is_err_and(|error| error.contains("can't be read")));
        for (text, value) in [("17\n", Some(17.0)), ("0.25", Some(0.25)), ("", None), ("-1", None), ("nan", None)] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(reading(&path).ok(), value, "{text}");
        }
        std::fs::write(&path, "1".repeat(100)).expect("written");
        assert!(reading(&path).is_ok(), "no more than it takes is read");
        let light = Light { sensor: path, dark_below: 20.0, light_above: 20.0 };
        assert!(light.check().is_err());
    }
}

//! The screens are dark at the hours that this machine's settings name, and never when somebody has to look up.

use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use jiff::{civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use watchfloor_board::{Room, frame::State, hours::Hours};

/// Seconds that the screens stay on, if the settings don't say: what comes and goes doesn't have them flash.
const STAY_S: u32 = 300;
/// And the least of it.
const STAY_S_MIN: u32 = 5;

/// When the screens are off, as the settings say it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Display {
    /// When they go off, `HH:MM` in the board's zone.
    off: String,
    /// When they come on again.
    on: String,
    /// Days on which they go off, as `mon`; every day if there are none.
    #[serde(default)]
    days: Vec<String>,
    /// What turns them on meanwhile.
    #[serde(default)]
    wakes: Wakes,
    /// For how many seconds they stay on after that, and after a start: whoever sets a wall up sees it.
    #[serde(default = "stay_s", rename = "stay-s")]
    stay_s: u32,
}

const fn stay_s() -> u32 {
    STAY_S
}

/// What turns dark screens on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wakes {
    /// An alarm, on whichever page.
    #[default]
    Alarm,
    /// A warning as well, and anything that can't be believed: of what nobody hears, nobody hears an alarm.
    Trouble,
    /// Nothing but a key.
    Never,
}

impl Display {
    /// The hours at which they are off.
    ///
    /// # Errors
    /// One line for people if these are none.
    pub(crate) fn hours(&self) -> Result<Hours, String> {
        Hours::read(&self.off, &self.on, &self.days).map_err(|error| format!("\"display\": {error}"))
    }
}

impl Wakes {
    /// Whether somebody has to look up. A board that doesn't answer is none to be silent about.
    fn calls(self, room: Option<&Room>) -> bool {
        match (self, room) {
            (Self::Never, _) => false,
            (_, None) => true,
            (Self::Alarm, Some(room)) => room.worst == State::Alarm,
            (Self::Trouble, Some(room)) => room.worst >= State::Warning || room.unwell > 0,
        }
    }
}

/// Decides what the screens are, from the clock on the wall and from what the board says. Pure.
#[derive(Debug)]
struct Policy {
    hours: Hours,
    wakes: Wakes,
    /// On until then, at whichever hour.
    until: Duration,
    stay: Duration,
}

impl Policy {
    fn new(hours: Hours, wakes: Wakes, stay_s: u32) -> Self {
        let stay = Duration::from_secs(stay_s.max(STAY_S_MIN).into());
        Self { hours, wakes, until: stay, stay }
    }

    /// Whether they are on at `now`, which counts from the start, when the clock shows `shown`. `touched`: somebody has turned them on.
    fn is_on(&mut self, shown: DateTime, room: Option<&Room>, touched: bool, now: Duration) -> bool {
        if touched || self.wakes.calls(room) {
            self.until = now + self.stay;
        }
        !self.hours.contains(shown) || now < self.until
    }
}

/// What the clock on the wall shows.
fn shown(room: Option<&Room>) -> DateTime {
    let zone = room.and_then(|room| TimeZone::get(&room.timezone).ok()).unwrap_or(TimeZone::UTC);
    zone.to_datetime(jiff::Timestamp::now())
}

#[cfg(target_os = "linux")]
pub(super) use x11::{keep, words};

#[cfg(target_os = "linux")]
mod x11 {
    use std::{error::Error, sync::Arc};

    use watchfloor_board::frame::Notice;
    use watchfloor_engine::Engine;
    use x11rb::{
        connection::{Connection as _, RequestConnection as _},
        protocol::{
            dpms::{self, ConnectionExt as _, DPMSMode},
            screensaver::{self, ConnectionExt as _},
            xproto::{Blanking, ConnectionExt as _, Exposures, ScreenSaver, Window},
        },
        rust_connection::RustConnection,
    };

    use super::{Display, Duration, Instant, Policy, State, shown};

    const LOOK_EVERY: Duration = Duration::from_secs(1);
    /// An engine that doesn't answer by then is as good as none.
    const ANSWER_MAX: Duration = Duration::from_secs(2);
    /// Id of the notice about screens that don't obey.
    const NOTICE: &str = "display-hours";

    type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

    /// The X server's power over its screens. They are on when this is dropped.
    struct Power {
        connection: RustConnection,
        root: Window,
        /// Whether it can turn them off, and not only have them show black.
        cuts: bool,
    }

    impl Power {
        fn open() -> Done<Self> {
            if std::env::var_os("WAYLAND_DISPLAY").is_some_and(|value| !value.is_empty()) {
                return Err("the windows are Wayland's, which lets no program turn a screen off".into());
            }
            let (connection, screen) = RustConnection::connect(None)?;
            let root = connection.setup().roots.get(screen).ok_or("the X server has no screen")?.root;
            let cuts = connection.extension_information(dpms::X11_EXTENSION_NAME)?.is_some() && {
                connection.dpms_get_version(1, 1)?.reply()?;
                connection.dpms_capable()?.reply()?.capable
            };
            if !cuts {
                if connection.extension_information(screensaver::X11_EXTENSION_NAME)?.is_none() {
                    return Err("the X server has no power management of screens (DPMS), and no saver of them".into());
                }
                connection.screensaver_query_version(1, 1)?.reply()?;
            }
            Ok(Self { connection, root, cuts })
        }

        fn is_on(&self) -> Done<bool> {
            if self.cuts {
                let info = self.connection.dpms_info()?.reply()?;
                return Ok(!info.state || info.power_level == DPMSMode::ON);
            }
            let info = self.connection.screensaver_query_info(self.root)?.reply()?;
            Ok(info.state != u8::from(screensaver::State::ON))
        }

        fn turn(&self, on: bool) -> Done<()> {
            let connection = &self.connection;
            if self.cuts {
                if !on {
                    connection.dpms_enable()?.check()?;
                    // At no other time than the wall's.
                    connection.dpms_set_timeouts(0, 0, 0)?.check()?;
                }
                connection.dpms_force_level(if on { DPMSMode::ON } else { DPMSMode::OFF })?.check()?;
            } else {
                if !on {
                    connection.set_screen_saver(0, 0, Blanking::PREFERRED, Exposures::NOT_ALLOWED)?.check()?;
                }
                connection.force_screen_saver(if on { ScreenSaver::RESET } else { ScreenSaver::ACTIVE })?.check()?;
            }
            if self.is_on()? == on { Ok(()) } else { Err("the X server takes the word and does nothing".into()) }
        }
    }

    impl Drop for Power {
        fn drop(&mut self) {
            // A server that is gone has no screens to turn on.
            let _ = self.turn(true);
        }
    }

    /// Sees to it for as long as it is polled.
    pub(in crate::kiosk) async fn keep(display: Display, engine: Engine) {
        let Ok(hours) = display.hours() else { return };
        let (mut policy, begun) = (Policy::new(hours, display.wakes, display.stay_s), Instant::now());
        let mut power: Option<Arc<Power>> = None;
        let (mut is_off, mut said) = (false, String::new());
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let room = tokio::time::timeout(ANSWER_MAX, engine.room()).await.ok().flatten();
            let (room, clock) = (room.as_ref(), shown(room.as_ref()));
            let opened = power.take();
            let asked = tokio::task::spawn_blocking(move || -> Done<(Arc<Power>, bool)> {
                let power = opened.map_or_else(|| Power::open().map(Arc::new), Ok)?;
                let is_on = power.is_on()?;
                Ok((power, is_on))
            });
            let outcome = match asked.await.map_err(Into::into).and_then(|found| found) {
                Err(error) => Err(error),
                Ok((own, lit)) => {
                    power = Some(Arc::clone(&own));
                    let on = policy.is_on(clock, room, is_off && lit, begun.elapsed());
                    if lit != on {
                        tracing::info!(on, %clock, worst = ?room.map(|room| room.worst), "the screens are turned");
                    }
                    let done = tokio::task::spawn_blocking(move || if lit == on { Ok(()) } else { own.turn(on) });
                    let done = done.await.map_err(Into::into).and_then(|done| done);
                    // One that doesn't obey is no screen that somebody has turned on.
                    is_off = !on && done.is_ok();
                    done
                }
            };
            let word = outcome.err().map(|error| error.to_string()).unwrap_or_default();
            if word == said {
                continue;
            }
            if word.is_empty() {
                engine.clear_notice(NOTICE).await;
            } else {
                tracing::warn!(word, "the screens can't be turned off at their hours");
                engine.set_notice(disobeyed(&word)).await;
            }
            said = word;
        }
    }

    fn disobeyed(why: &str) -> Notice {
        let text = format!("the screens can't be turned off at their hours: {why}");
        Notice::worded(NOTICE, State::Muted, text, Vec::new())
    }

    /// When and by what the screens are turned off, in one line.
    pub(in crate::kiosk) fn words(display: Option<&Display>) -> String {
        let able = match Power::open() {
            Ok(power) if power.cuts => "by the X server's power management (DPMS)".to_owned(),
            Ok(_) => {
                "by its saver: the X server has no power management here, so they show black and stay lit".to_owned()
            }
            Err(error) => format!("not on this display: {error}"),
        };
        match display.map(Display::hours) {
            None => format!("always on, no hours are set; they could be turned off {able}"),
            Some(Ok(hours)) => format!("off from {hours}, {able}"),
            Some(Err(error)) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn display(text: &str) -> Result<Display, String> {
        let display: Display = serde_json::from_str(text).map_err(|error| error.to_string())?;
        display.hours().map(|_| display)
    }

    fn policy(wakes: Wakes) -> Policy {
        Policy::new(Hours::read("22:00", "06:00", &[]).expect("hours"), wakes, STAY_S)
    }

    fn room(worst: State, unwell: usize) -> Room {
        Room { worst, unwell, ..Room::default() }
    }

    const fn at(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn hours_are_read_or_refused() {
        assert!(display(r#"{"off":"22:00","on":"06:00","days":["fri"],"wakes":"trouble"}"#).is_ok());
        for (text, word) in [
            (r#"{"off":"22:00","on":"22:00"}"#, "ends when it begins"),
            (r#"{"off":"10 pm","on":"06:00"}"#, "no time of day"),
            (r#"{"off":"22:00","on":"06:00","days":["friday"]}"#, "no day"),
            (r#"{"off":"22:00","on":"06:00","wakes":"always"}"#, "trouble"),
            (r#"{"off":"22:00"}"#, "`on`"),
            (r#"{"off":"22:00","on":"06:00","brightness":3}"#, "brightness"),
        ] {
            assert!(display(text).is_err_and(|error| error.contains(word)), "{text}");
        }
    }

    /// By the clock alone, whatever that does: a machine that slept, or whose clock jumps, is right at once.
    #[test]
    fn the_clock_decides() {
        let mut policy = policy(Wakes::Alarm);
        let calm = room(State::Normal, 3);
        let day = date(2026, 11, 30);
        let mut on = |hour: i8, now: u64| policy.is_on(day.at(hour, 0, 0, 0), Some(&calm), false, at(now));
        assert!(on(23, 0), "whoever has just started it sees it");
        assert!(!on(23, 6));
        assert!(on(6, 7), "slept through the night");
        assert!(!on(3, 8), "the clock was set back");
        assert!(on(12, 9));
        assert!(!on(22, 10));
    }

    /// H6: no alarm is behind a dark screen, nor a warning where that is asked for, nor a board that is silent.
    #[test]
    fn an_alarm_is_seen_at_any_hour() {
        let night = date(2026, 11, 30).at(2, 0, 0, 0);
        let calls = [Some(room(State::Alarm, 0)), Some(room(State::Warning, 0)), Some(room(State::Normal, 1)), None];
        for (wakes, expected) in
            [(Wakes::Alarm, [true, false, false, true]), (Wakes::Trouble, [true; 4]), (Wakes::Never, [false; 4])]
        {
            for (called, is) in calls.iter().zip(expected) {
                let mut policy = policy(wakes);
                let calm = Some(room(State::Normal, 0));
                assert!(!policy.is_on(night, calm.as_ref(), false, at(10)));
                assert_eq!(policy.is_on(night, called.as_ref(), false, at(11)), is, "{wakes:?} {called:?}");
                // What comes and goes has it flash no more often than that.
                assert_eq!(policy.is_on(night, calm.as_ref(), false, at(15)), is);
                assert!(!policy.is_on(night, calm.as_ref(), false, at(17)));
                assert!(policy.is_on(night, calm.as_ref(), true, at(18)), "a key");
            }
        }
    }
}

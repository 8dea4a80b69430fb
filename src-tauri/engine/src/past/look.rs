//! Looking back as a page does it: gestures in, frames out, and the way back to the present.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use watchfloor_board::{
    frame::{Frame, Said, State},
    freshness::Freshness,
};
use watchfloor_model::{Mono, Timestamp};

use super::{
    error::PastError,
    player::{Player, Present},
    reader::Reader,
};
use crate::{clock::Clock, engine::Engine, event::Standing};

pub use super::player::is_past_revision;

/// A page gets a frame after this at the latest.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The same in milliseconds.
pub(super) const HEARTBEAT_MS: u32 = 1000;
/// From one frame to the next while time goes on.
const PERIOD: Duration = Duration::from_millis(100);
/// The same backwards, where each frame has to be found anew from the key before it.
const PERIOD_BACKWARDS: Duration = Duration::from_millis(250);

/// How to look back.
#[derive(Clone, Debug)]
pub struct LookBackConfig {
    /// Where the journal lies.
    pub data_dir: PathBuf,
    /// Where to begin; as far back from the record's end as `before` if missing.
    pub at: Option<Timestamp>,
    /// See `at`.
    pub before: Duration,
    /// Without a hand for so long, the page goes back to the present.
    pub return_after: Duration,
}

/// What a hand does. Each says what shall be, so that it may come twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gesture {
    /// Show this instant.
    Seek(Timestamp),
    /// Let time go on, or stand.
    Play(bool),
    /// Seconds of the record a second, negative for backwards.
    Speed(f64),
    /// There is somebody.
    Stay,
}

/// A page that looks back. Clones are the same.
#[derive(Clone, Debug)]
pub struct LookBack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    player: Mutex<Player>,
    touched: Mutex<Mono>,
    clock: Clock,
    nudge: Notify,
    return_after: Duration,
}

impl LookBack {
    /// Opens the record.
    ///
    /// # Errors
    /// If there is none, it can't be read, or it has nothing of the time asked for.
    pub async fn open(config: LookBackConfig) -> Result<Self, PastError> {
        let clock = Clock::start();
        let LookBackConfig { data_dir, at, before, return_after } = config;
        let path = data_dir.clone();
        let opening =
            tokio::task::spawn_blocking(move || Player::new(Reader::open(&data_dir)?, at, before, clock.now()));
        let player =
            opening.await.unwrap_or_else(|error| Err(PastError::Unreadable { path, reason: error.to_string() }))?;
        let inner = Inner {
            player: Mutex::new(player),
            touched: Mutex::new(clock.now()),
            clock,
            nudge: Notify::new(),
            return_after,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes a gesture.
    pub async fn gesture(&self, gesture: Gesture) {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let now = inner.clock.now();
            *inner.touched.lock().unwrap_or_else(PoisonError::into_inner) = now;
            let mut player = inner.player.lock().unwrap_or_else(PoisonError::into_inner);
            match gesture {
                Gesture::Seek(at) => player.seek(at, now),
                Gesture::Play(playing) => player.play(playing, now),
                Gesture::Speed(speed) => player.set_speed(speed, now),
                Gesture::Stay => {}
            }
        });
        if done.await.is_ok() && gesture != Gesture::Stay {
            self.inner.nudge.notify_one();
        }
    }

    /// What changed since the version that the page has painted, with the state of `engine`, the present, besides. None if nobody
    /// has touched it for so long that the page goes back to the present.
    ///
    /// # Errors
    /// If the journal can't be read any more.
    pub async fn next_frame(&self, after: u64, revision: u32, engine: &Engine) -> Result<Option<Frame>, PastError> {
        let wait = {
            let player = self.inner.player.lock().unwrap_or_else(PoisonError::into_inner);
            match (player.is_behind(after, revision), player.playing()) {
                (true, _) => Duration::ZERO,
                (_, false) => HEARTBEAT,
                (_, true) if player.is_backwards() => PERIOD_BACKWARDS,
                (_, true) => PERIOD,
            }
        };
        let wait = wait.min(self.left());
        if !wait.is_zero() {
            tokio::select! {
                () = self.inner.nudge.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        let left = self.left();
        if left.is_zero() {
            return Ok(None);
        }
        let present = present(&engine.standing().await);
        let inner = Arc::clone(&self.inner);
        let frame = tokio::task::spawn_blocking(move || {
            let mut player = inner.player.lock().unwrap_or_else(PoisonError::into_inner);
            player.frame(after, revision, inner.clock.now(), inner.clock.wall(), &present, left)
        });
        let gone =
            |error: tokio::task::JoinError| PastError::Unreadable { path: PathBuf::new(), reason: error.to_string() };
        frame.await.map_err(gone)?.map(Some)
    }

    /// How long until it goes back to the present.
    fn left(&self) -> Duration {
        let touched = *self.inner.touched.lock().unwrap_or_else(PoisonError::into_inner);
        self.inner.return_after.saturating_sub(self.inner.clock.now().since(touched))
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The present in a few words: how many widgets are live, and what the others are, worst first.
pub(crate) fn present(standing: &Standing) -> Present {
    let Standing { levels, worst, .. } = standing;
    let count = |is: &dyn Fn(Freshness) -> bool| levels.iter().filter(|level| is(**level)).count();
    let current = count(&Freshness::is_current);
    if levels.is_empty() {
        return Present { said: Said::NotRunning, is_well: false };
    }
    let is_well = current == levels.len() && !matches!(worst, Some(State::Alarm | State::Warning));
    if current == levels.len() {
        return Present { said: Said::AllLive { count: number(current) }, is_well };
    }
    let others = Freshness::ALL.into_iter().rev().filter(|level| !level.is_current());
    let others = others.map(|level| (level, count(&|own| own == level))).filter(|(_, number)| *number > 0);
    let counts = others.map(|(level, count)| (level, number(count))).collect();
    Present { said: Said::NotLive { levels: counts, of: number(levels.len()) }, is_well }
}

//! Looking back from the page, which goes on in the engine: the present runs behind what is shown.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tauri::{State, Webview};
use tokio::sync::watch;
use watchfloor_board::frame::{Frame, Notice, State as Gravity};
use watchfloor_engine::{
    Engine, drill,
    past::{self, Gesture, LookBack, LookBackConfig, PastError},
};
use watchfloor_model::Timestamp;

use crate::{drill::LampTest, failure::Failure, page::Page, windows};

/// Who looks back without saying to when begins so long before the newest record.
const BEFORE: Duration = Duration::from_secs(60);
/// Id of the notice about a record that can't be shown.
const NOTICE: &str = "past";

/// Whether the wall shows the past, and which.
pub(crate) struct Past {
    data_dir: PathBuf,
    return_after: Duration,
    open: watch::Sender<Option<LookBack>>,
}

impl Past {
    /// A wall that shows the present.
    pub(crate) fn new(data_dir: PathBuf, return_after: Duration) -> Self {
        Self { data_dir, return_after, open: watch::Sender::new(None) }
    }

    /// Shows the past from now on, beginning at `at`.
    pub(crate) async fn open(&self, at: Option<Timestamp>, engine: &Engine) -> Result<(), PastError> {
        let (data_dir, return_after) = (self.data_dir.clone(), self.return_after);
        let look = LookBack::open(LookBackConfig { data_dir, at, before: BEFORE, return_after }).await?;
        engine.clear_notice(NOTICE).await;
        engine.look_back(true).await;
        self.open.send_replace(Some(look));
        Ok(())
    }

    /// The same for a wall that is started that way; if it can't, it says so.
    pub(crate) async fn begin(&self, at: Timestamp, engine: &Engine) {
        if let Err(error) = self.open(Some(at), engine).await {
            tracing::warn!(%error, "the past can't be shown");
            engine.set_notice(refused(&error)).await;
        }
    }

    /// Shows the present again.
    pub(crate) async fn close(&self, engine: &Engine) {
        if self.open.send_replace(None).is_some() {
            engine.look_back(false).await;
        }
    }

    /// Whether the past is shown.
    pub(crate) fn is_open(&self) -> bool {
        self.open.borrow().is_some()
    }

    fn looking(&self) -> Option<LookBack> {
        self.open.borrow().clone()
    }

    /// Returns when the page is to show something else than it does now.
    pub(crate) async fn turned(&self) {
        // The sender is this one's own, so it is never gone.
        let _gone = self.open.subscribe().changed().await;
    }

    /// What a page gets that looks back; none if it doesn't, or no longer.
    pub(crate) async fn next_frame(&self, after: u64, revision: u32, engine: &Engine) -> Option<Frame> {
        let look = self.looking()?;
        let frame = tokio::select! {
            frame = look.next_frame(after, revision, engine) => frame,
            () = self.turned() => return None,
        };
        match frame {
            Ok(Some(frame)) => return Some(frame),
            Ok(None) => tracing::info!("nobody looks back any more: the present is shown"),
            Err(error) => {
                tracing::warn!(%error, "the past can't be shown any more");
                engine.set_notice(refused(&error)).await;
            }
        }
        self.close(engine).await;
        None
    }
}

/// The version that a page has of the present: none if what it holds is of the past or of a lamp test.
pub(crate) const fn present_version(after: u64, revision: u32) -> u64 {
    if past::is_past_revision(revision) || drill::is_drill_revision(revision) { 0 } else { after }
}

fn refused(error: &PastError) -> Notice {
    Notice::worded(NOTICE, Gravity::Warning, format!("looking back: {error}"), Vec::new())
}

impl From<PastError> for Failure {
    fn from(error: PastError) -> Self {
        match error.is_input() {
            true => Self::Input(error.to_string()),
            false => Self::Environment(error.to_string()),
        }
    }
}

/// Shows the past: from this time on, milliseconds since the Unix epoch, or from a minute before now.
#[tauri::command]
pub(crate) async fn past_open(
    view: Webview,
    page: State<'_, Page>,
    past: State<'_, Past>,
    lamp: State<'_, Arc<LampTest>>,
    at_ms: Option<i64>,
) -> Result<(), String> {
    let engine = page.engine().await?;
    if lamp.runs() {
        return Err("a lamp test runs: end it first (Esc)".to_owned());
    }
    past.open(at_ms.map(Timestamp::from_millis), &engine).await.map_err(|error| error.to_string())?;
    windows::front(&view);
    Ok(())
}

/// Shows the present.
#[tauri::command]
pub(crate) async fn past_close(page: State<'_, Page>, past: State<'_, Past>) -> Result<(), String> {
    past.close(&page.engine().await?).await;
    Ok(())
}

/// Shows this instant of the past, milliseconds since the Unix epoch.
#[tauri::command]
pub(crate) async fn past_seek(past: State<'_, Past>, at_ms: i64) -> Result<(), String> {
    gesture(&past, Gesture::Seek(Timestamp::from_millis(at_ms))).await
}

/// Lets the past go on, or stand.
#[tauri::command]
pub(crate) async fn past_play(past: State<'_, Past>, playing: bool) -> Result<(), String> {
    gesture(&past, Gesture::Play(playing)).await
}

/// Seconds of the past a second, negative for backwards.
#[tauri::command]
pub(crate) async fn past_speed(past: State<'_, Past>, speed: f64) -> Result<(), String> {
    gesture(&past, Gesture::Speed(speed)).await
}

/// There is somebody: the page doesn't go back to the present by itself yet.
#[tauri::command]
pub(crate) async fn past_stay(past: State<'_, Past>) -> Result<(), String> {
    gesture(&past, Gesture::Stay).await
}

async fn gesture(past: &Past, gesture: Gesture) -> Result<(), String> {
    // It may have gone back to the present meanwhile: then there is nothing to do.
    if let Some(look) = past.looking() {
        look.gesture(gesture).await;
    }
    Ok(())
}

//! Whether the page still paints, and what becomes of it if not (H7).
//!
//! The page's pulls are its receipts: each says what was painted. Their absence is shown beside the page, by the window
//! itself, for a page that hangs can't say so; then the page is started again, and at last this program.

mod strip;
mod watch;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tauri::{AppHandle, Manager, WebviewWindow};

pub(crate) use strip::Strip;
use watch::{Act, Say, Watch};
use watchfloor_engine::Engine;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The exit code that asks [`crate::wall::run`] to start the program again. Never seen from outside.
pub(crate) const START_AGAIN: i32 = 75;

/// What is known of the page, from all who hear of it.
pub(crate) struct Glass {
    zero: Instant,
    watch: Mutex<Watch>,
}

impl Glass {
    /// A page that is just being opened.
    pub(crate) fn new() -> Self {
        Self { zero: Instant::now(), watch: Mutex::new(Watch::new(Duration::ZERO)) }
    }

    /// The page has painted something.
    pub(crate) fn receipt(&self) {
        self.with(Watch::receipt);
    }

    /// The page went out of sight, or came back.
    pub(crate) fn visible(&self, visible: bool) {
        self.with(|watch, now| watch.visible(visible, now));
    }

    /// The page's process has ended.
    pub(crate) fn ended(&self) {
        self.with(Watch::ended);
    }

    /// The engine behind the page has ended by itself after it ran for `ran`.
    pub(crate) fn engine_ended(&self, ran: Duration) {
        self.with(|watch, now| watch.engine_ended(ran, now));
    }

    fn with<T>(&self, tell: impl FnOnce(&mut Watch, Duration) -> T) -> T {
        let now = self.zero.elapsed();
        // A watch is plain data, whole after each call.
        tell(&mut self.watch.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

/// Watches the page of `window` for as long as the program runs.
pub(crate) async fn keep(app: AppHandle, window: WebviewWindow, strip: Strip) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut shown = String::new();
    loop {
        look.tick().await;
        let found = app.state::<Glass>().with(Watch::look);
        let text = found.say.map(words).unwrap_or_default();
        if text != shown {
            shown.clone_from(&text);
            strip.show(&app, text);
        }
        match found.act {
            None => {}
            Some(Act::Reload) => {
                tracing::warn!(why = ?found.say, "the page does not paint any more: it is started again");
                reload(&window);
            }
            Some(Act::Restart) => {
                tracing::error!(why = ?found.say, "this program is started again");
                app.exit(START_AGAIN);
            }
        }
    }
}

fn words(say: Say) -> String {
    match say {
        Say::Silent(span) => {
            format!("This page has painted nothing for {} s: what stands on it may be old", span.as_secs())
        }
        Say::Ended(left) => {
            format!(
                "Nothing here is current: a defect stopped this program's engine. It starts again in {} s",
                left.as_secs()
            )
        }
    }
}

/// Waits for the engine's end, which nobody asked for while the window is open.
pub(crate) async fn keep_engine(app: AppHandle, engine: Engine) {
    let begun = Instant::now();
    engine.ended().await;
    app.state::<Glass>().engine_ended(begun.elapsed());
}

/// Starts the page anew, in a new process: the old one may stand still for ever.
fn reload(window: &WebviewWindow) {
    #[cfg(target_os = "linux")]
    let asked = window.with_webview(|view| {
        use webkit2gtk::WebViewExt;
        let view = view.inner();
        view.terminate_web_process();
        view.reload();
    });
    #[cfg(not(target_os = "linux"))]
    let asked = window.reload();
    if let Err(error) = asked {
        tracing::error!(%error, "the page can't be reached");
    }
}

/// Hears at once when the page's process ends, where the system tells.
pub(crate) fn listen(app: &AppHandle, window: &WebviewWindow) {
    #[cfg(target_os = "linux")]
    {
        let app = app.clone();
        let asked = window.with_webview(move |view| {
            use webkit2gtk::{WebProcessTerminationReason, WebViewExt};
            view.inner().connect_web_process_terminated(move |_, reason| {
                // Ended by us, and another one is on its way.
                if reason != WebProcessTerminationReason::TerminatedByApi {
                    tracing::warn!(?reason, "the page's process has ended");
                    app.state::<Glass>().ended();
                }
            });
        });
        if let Err(error) = asked {
            tracing::warn!(%error, "the end of the page's process will be found by its silence only");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (app, window);
}

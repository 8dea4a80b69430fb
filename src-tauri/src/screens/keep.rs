//! Keeps every screen's window on its monitor, for as long as the wall runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tauri::{AppHandle, WebviewWindow};
use tokio::sync::watch;
use watchfloor_board::frame::{Notice, State};
use watchfloor_engine::Engine;

use super::{Monitor, Plan, Rect, Screen, monitors::Server, plan};
use crate::page::Backend;

/// How often is looked. A monitor that is unplugged takes longer to come back.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Id of the notice about screens without a monitor.
const NOTICE: &str = "screens-gone";

/// Where a window belongs, in the display's pixels; none if it has all of whatever screen it is on.
pub(crate) type Place = Arc<Mutex<Option<Rect>>>;

/// A screen with its window.
pub(crate) struct Kept {
    pub(crate) screen: Screen,
    pub(crate) window: WebviewWindow,
    pub(crate) place: Place,
}

/// The screens of this wall, in the settings' order.
pub(crate) struct Screens {
    pub(crate) app: AppHandle,
    pub(crate) kept: Vec<Kept>,
    pub(crate) running: watch::Receiver<Option<Backend>>,
}

impl Screens {
    /// Looks once a second, and moves what isn't where it belongs.
    pub(crate) async fn keep(self) {
        let screens: Vec<Screen> = self.kept.iter().map(|kept| kept.screen.clone()).collect();
        let mut running = self.running.clone();
        let Some(engine) =
            running.wait_for(Option::is_some).await.ok().and_then(|it| it.as_ref().map(|it| it.engine.clone()))
        else {
            return;
        };
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut server: Option<Arc<Server>> = None;
        let mut known: Option<(Vec<Monitor>, Plan)> = None;
        let mut gone: BTreeMap<usize, String> = BTreeMap::new();
        let mut said = false;
        loop {
            look.tick().await;
            let asked = server.clone();
            let found = tokio::task::spawn_blocking(move || {
                let server = asked.map_or_else(|| Server::open().map(Arc::new), Ok)?;
                server.monitors().map(|monitors| (server, monitors))
            });
            let monitors = match found.await.map_err(Into::into).and_then(|found| found) {
                Ok((opened, monitors)) => {
                    server = Some(opened);
                    monitors
                }
                Err(error) => {
                    server = None;
                    if !said {
                        said = true;
                        tracing::warn!(%error, "the monitors can't be asked for: windows stay where they are");
                        let glasses =
                            Plan { places: vec![Some(0); screens.len()], guests: Vec::new() }.glasses(&screens);
                        engine.set_glasses(glasses).await;
                        engine.set_notice(unplaced(&error.to_string())).await;
                        self.show_first();
                    }
                    continue;
                }
            };
            if known.as_ref().is_some_and(|(before, _)| *before == monitors) {
                continue;
            }
            said = false;
            let plan = plan(&screens, &monitors);
            tracing::info!(?monitors, places = ?plan.places, "the monitors are others than they were");
            self.put(&plan, &monitors);
            if known.as_ref().is_none_or(|(_, before)| *before != plan) {
                engine.set_glasses(plan.glasses(&screens)).await;
                let now = local_time(&engine).await;
                gone.retain(|at, _| plan.places.get(*at).is_some_and(Option::is_none));
                for (at, _) in plan.places.iter().enumerate().filter(|(_, place)| place.is_none()) {
                    gone.entry(at).or_insert_with(|| now.clone());
                }
                match notice(&screens, &plan, &gone) {
                    Some(notice) => engine.set_notice(notice).await,
                    None => engine.clear_notice(NOTICE).await,
                }
            }
            known = Some((monitors, plan));
        }
    }

    /// Shows each window where it belongs, and hides those that belong nowhere now.
    fn put(&self, plan: &Plan, monitors: &[Monitor]) {
        let is_dark = plan.places.iter().all(Option::is_none);
        for (kept, place) in self.kept.iter().zip(&plan.places) {
            let rect = place.and_then(|at| monitors.get(at)).map(|monitor| monitor.place);
            // Without any monitor the first one waits where it is.
            *kept.place.lock().unwrap_or_else(PoisonError::into_inner) = rect;
            let window = kept.window.clone();
            let done = match rect {
                Some(_) => self.app.run_on_main_thread(move || {
                    told(window.show());
                    told(window.gtk_window().map(|window| crate::kiosk::place_now(&window, rect)));
                }),
                None if !is_dark => self.app.run_on_main_thread(move || told(window.hide())),
                None => Ok(()),
            };
            told(done);
        }
    }

    fn show_first(&self) {
        if let Some(kept) = self.kept.first() {
            told(kept.window.show());
        }
    }
}

fn told(done: tauri::Result<()>) {
    if let Err(error) = done {
        tracing::error!(%error, "a window can't be put where it belongs");
    }
}

fn unplaced(why: &str) -> Notice {
    let text = "several screens need X11: this wall has one window".to_owned();
    Notice { id: NOTICE.to_owned(), state: State::Warning, text, detail: vec![why.to_owned()] }
}

/// What a clock of the board's zone shows now.
async fn local_time(engine: &Engine) -> String {
    let zone = engine.next_frame(0, 0).await.board.and_then(|board| TimeZone::get(&board.timezone).ok());
    let now = zone.unwrap_or(TimeZone::UTC).to_datetime(Timestamp::now());
    format!("{:02}:{:02}", now.hour(), now.minute())
}

/// What the other screens say of those that have no monitor.
fn notice(screens: &[Screen], plan: &Plan, gone: &BTreeMap<usize, String>) -> Option<Notice> {
    let id = |at: usize| screens.get(at).map(|screen| screen.id.as_str());
    let words = |(at, since): (&usize, &String)| {
        let host = plan.guests.iter().find(|(guest, _)| guest == at).and_then(|(_, host)| id(*host));
        let host = host.map_or_else(String::new, |host| format!(": its pages turn on screen {host}"));
        Some(format!("screen {} is gone since {since}{host}", id(*at)?))
    };
    let lines: Vec<String> = gone.iter().filter_map(words).collect();
    let first = lines.first()?;
    let text = match lines.len() {
        1 => first.clone(),
        count => format!("{first}, and {} more", count - 1),
    };
    // One line says it all.
    let detail = if lines.len() > 1 { lines } else { Vec::new() };
    Some(Notice { id: NOTICE.to_owned(), state: State::Warning, text, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_gone_is_told() {
        let screen = |id: &str| Screen { id: id.into(), monitor: super::super::Wanted::default(), pages: Vec::new() };
        let screens = [screen("left"), screen("mid"), screen("right")];
        let plan = Plan { places: vec![None, None, Some(0)], guests: vec![(0, 2), (1, 2)] };
        let gone = BTreeMap::from([(0, "14:02".to_owned()), (1, "14:05".to_owned())]);
        let told = notice(&screens, &plan, &gone).expect("a notice");
        assert_eq!(told.text, "screen left is gone since 14:02: its pages turn on screen right, and 1 more");
        assert_eq!(
            told.detail.last().map(String::as_str),
            Some("screen mid is gone since 14:05: its pages turn on screen right")
        );
        assert_eq!(notice(&screens, &plan, &BTreeMap::new()), None);
    }
}

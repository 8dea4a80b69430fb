//! Keeps every screen's window on its monitor, for as long as the wall runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tauri::{AppHandle, WebviewWindow};
use tokio::sync::watch;
use watchfloor_board::frame::{Notice, Said, State};
use watchfloor_engine::Engine;

use super::{
    Monitor, Plan, Rect, Screen, Spot,
    monitors::Server,
    plan,
    span::{Span, Unspanned, span},
    spots,
};
use crate::{glass::Glass, page::Backend, sight};

/// How often is looked. A monitor that is unplugged takes longer to come back.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Id of the notice about screens without a monitor.
const NOTICE: &str = "screens-gone";
/// Id of the notice about bezels whose width in pixels nobody can tell.
const BEZELS: &str = "screens-bezels";

/// Where a window belongs, in the display's pixels; none if it has all of whatever screen it is on.
pub(crate) type Place = Arc<Mutex<Option<Rect>>>;

/// A window that belongs on a monitor.
pub(crate) struct Kept {
    pub(crate) window: WebviewWindow,
    pub(crate) place: Place,
    pub(crate) glass: Arc<Glass>,
}

/// What each screen shows if it is to be one picture over several monitors.
type Pictures = Vec<Option<Result<Span, Unspanned>>>;

/// The screens of this wall, in the settings' order.
pub(crate) struct Screens {
    pub(crate) app: AppHandle,
    pub(crate) screens: Vec<Screen>,
    /// Their windows, as [`spots`] has them.
    pub(crate) kept: Vec<Kept>,
    /// How large the monitors are, if that was stated.
    pub(crate) stated: sight::Screen,
    pub(crate) running: watch::Receiver<Option<Backend>>,
}

impl Screens {
    /// Looks once a second, and moves what isn't where it belongs.
    pub(crate) async fn keep(self) {
        let screens = &self.screens;
        let spots = spots(screens);
        let mut running = self.running.clone();
        let Some(engine) =
            running.wait_for(Option::is_some).await.ok().and_then(|it| it.as_ref().map(|it| it.engine.clone()))
        else {
            return;
        };
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut server: Option<Arc<Server>> = None;
        let mut known: Option<(Vec<Monitor>, Plan, Pictures)> = None;
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
                        let glasses = Plan { places: vec![Some(0); spots.len()], ..Plan::default() }.glasses(screens);
                        engine.set_glasses(glasses).await;
                        engine.set_notice(unplaced(&error.to_string())).await;
                        self.show_first();
                    }
                    continue;
                }
            };
            if known.as_ref().is_some_and(|(before, ..)| *before == monitors) {
                continue;
            }
            said = false;
            let plan = plan(screens, &monitors);
            let picture = |(at, screen)| span(screen, &plan.of(screens, at, &monitors), self.stated);
            let pictures: Pictures = screens.iter().enumerate().map(picture).collect();
            tracing::info!(?monitors, places = ?plan.places, "the monitors are others than they were");
            self.put(&plan, &monitors);
            self.part(&spots, &pictures);
            if known.as_ref().is_none_or(|(_, before, shown)| *before != plan || *shown != pictures) {
                engine.set_glasses(plan.glasses(screens)).await;
                let now = local_time(&engine).await;
                gone.retain(|at, _| plan.places.get(*at).is_some_and(Option::is_none));
                for (at, _) in plan.places.iter().enumerate().filter(|(_, place)| place.is_none()) {
                    gone.entry(at).or_insert_with(|| now.clone());
                }
                match notice(screens, &plan, &pictures, &gone) {
                    Some(notice) => engine.set_notice(notice).await,
                    None => engine.clear_notice(NOTICE).await,
                }
                match unmeasured(screens, &pictures) {
                    Some(notice) => engine.set_notice(notice).await,
                    None => engine.clear_notice(BEZELS).await,
                }
            }
            known = Some((monitors, plan, pictures));
        }
    }

    /// Tells each window which part of a picture is its own. Where there can be no picture each shows all of the page.
    fn part(&self, spots: &[Spot], pictures: &Pictures) {
        for (spot, kept) in spots.iter().zip(&self.kept) {
            let picture = pictures.get(spot.screen).and_then(Option::as_ref).and_then(|picture| picture.as_ref().ok());
            let part = spot.part.zip(picture).and_then(|(at, picture)| picture.parts.get(at)).copied();
            kept.glass.set_part(part);
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
    Notice::said(NOTICE, State::Warning, Said::ScreensNeedX11, vec![why.to_owned()])
}

/// What a clock of the board's zone shows now.
async fn local_time(engine: &Engine) -> String {
    let zone = engine.next_frame(0, 0).await.board.and_then(|board| TimeZone::get(&board.timezone).ok());
    let now = zone.unwrap_or(TimeZone::UTC).to_datetime(Timestamp::now());
    format!("{:02}:{:02}", now.hour(), now.minute())
}

/// What is said of screens that have no monitor, and of those that are to be one picture over several and aren't. `gone` says since when
/// each window has none.
fn notice(screens: &[Screen], plan: &Plan, pictures: &Pictures, gone: &BTreeMap<usize, String>) -> Option<Notice> {
    let all = spots(screens);
    let words = |(at, screen): (usize, &Screen)| {
        let own = all.iter().enumerate().filter(|(_, spot)| spot.screen == at);
        let since: Vec<&String> = own.clone().filter_map(|(window, _)| gone.get(&window)).collect();
        let is_covered = own.clone().any(|(window, _)| plan.covered.contains(&window));
        let (id, count) = (&screen.id, own.count());
        if since.len() == count {
            let host = plan.guests.iter().find(|(guest, _)| *guest == at).and_then(|(_, host)| screens.get(*host));
            let host = host.map_or_else(String::new, |host| format!(": its pages turn on screen {}", host.id));
            if is_covered {
                return Some(format!("screen {id}: its monitor shows what another one shows{host}"));
            }
            return Some(format!("screen {id} is gone since {}{host}", since.iter().max()?));
        }
        let why = pictures.get(at)?.as_ref()?.as_ref().err()?;
        if is_covered {
            return Some(format!("screen {id}: its monitors show the same part of the desktop: not spanned"));
        }
        Some(match why {
            Unspanned::Gone(missing) => {
                let are = if missing.len() > 1 { "are" } else { "is" };
                format!("screen {id}: {why} of {count} {are} gone since {}: not spanned", since.iter().max()?)
            }
            _ => format!("screen {id}: {why}: not spanned"),
        })
    };
    let lines: Vec<String> = screens.iter().enumerate().filter_map(words).collect();
    told_in_one(NOTICE, State::Warning, lines)
}

/// What is said of bezels that can't be left out.
fn unmeasured(screens: &[Screen], pictures: &Pictures) -> Option<Notice> {
    let is_it = |picture: &Option<Result<Span, Unspanned>>| matches!(picture, Some(Ok(span)) if span.is_unmeasured);
    let words = |screen: &Screen| {
        format!(
            "screen {}: no monitor says its size: nothing is left out behind the bezels (say diagonal-mm, or bezel-px)",
            screen.id
        )
    };
    let lines = screens.iter().zip(pictures).filter(|(_, picture)| is_it(picture)).map(|(screen, _)| words(screen));
    told_in_one(BEZELS, State::Muted, lines.collect())
}

fn told_in_one(id: &str, state: State, lines: Vec<String>) -> Option<Notice> {
    let first = lines.first()?;
    let text = match lines.len() {
        1 => first.clone(),
        count => format!("{first}, and {} more", count - 1),
    };
    // One line says it all.
    let detail = if lines.len() > 1 { lines } else { Vec::new() };
    Some(Notice::worded(id, state, text, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::Wanted;

    #[test]
    fn who_is_gone_is_told() {
        let screen = |id: &str| Screen { id: id.into(), ..Screen::default() };
        let screens = [screen("left"), screen("mid"), screen("right")];
        let plan = Plan { places: vec![None, None, Some(0)], guests: vec![(0, 2), (1, 2)], ..Plan::default() };
        let gone = BTreeMap::from([(0, "14:02".to_owned()), (1, "14:05".to_owned())]);
        let told = notice(&screens, &plan, &vec![None; 3], &gone).expect("a notice");
        assert_eq!(told.text, "screen left is gone since 14:02: its pages turn on screen right, and 1 more");
        assert_eq!(
            told.detail.last().map(String::as_str),
            Some("screen mid is gone since 14:05: its pages turn on screen right")
        );
        assert_eq!(notice(&screens, &plan, &vec![None; 3], &BTreeMap::new()), None);
    }

    /// A monitor that is there and mirrors another one isn't said to be gone.
    #[test]
    fn who_is_covered_is_told() {
        let two = vec![vec![Wanted::default(); 2]];
        let screens = [
            Screen { id: "wall".into(), monitors: two, ..Screen::default() },
            Screen { id: "right".into(), ..Screen::default() },
        ];
        let told = |places: [Option<usize>; 3], covered: usize, guests: &[(usize, usize)], gone: Vec<usize>| {
            let plan = Plan { places: places.to_vec(), covered: vec![covered], guests: guests.to_vec() };
            let pictures = vec![gone.is_empty().then(|| Err(Unspanned::Gone(vec![1]))), None];
            let gone = if gone.is_empty() { vec![covered] } else { gone };
            let gone = gone.into_iter().map(|at| (at, "14:02".to_owned())).collect();
            notice(&screens, &plan, &pictures, &gone).map(|notice| notice.text)
        };
        let span = told([Some(0), None, Some(2)], 1, &[], Vec::new());
        let words = "screen wall: its monitors show the same part of the desktop: not spanned";
        assert_eq!(span.as_deref(), Some(words));
        let lone = told([Some(0), Some(1), None], 2, &[(1, 0)], vec![2]);
        let words = "screen right: its monitor shows what another one shows: its pages turn on screen wall";
        assert_eq!(lone.as_deref(), Some(words));
    }

    /// Whoever sees whole pages where one picture was is told why, since when, and on how many monitors it was.
    #[test]
    fn why_there_is_no_picture_is_told() {
        let two = vec![vec![Wanted::default(); 3]];
        let screens = [
            Screen { id: "wall".into(), monitors: two, ..Screen::default() },
            Screen { id: "right".into(), ..Screen::default() },
        ];
        let told = |places: [Option<usize>; 4], picture: Option<Unspanned>, gone: &[(usize, &str)]| {
            let guests = if places[..3].iter().all(Option::is_none) { vec![(0, 1)] } else { Vec::new() };
            let plan = Plan { places: places.to_vec(), guests, ..Plan::default() };
            let gone = gone.iter().map(|(at, since)| (*at, (*since).to_owned())).collect();
            notice(&screens, &plan, &vec![picture.map(Err), None], &gone).map(|notice| notice.text)
        };
        let here = [Some(0), Some(1), Some(2), Some(3)];
        assert_eq!(told(here, None, &[]), None);
        let one = told([Some(0), None, Some(2), Some(3)], Some(Unspanned::Gone(vec![1])), &[(1, "14:02")]);
        assert_eq!(one.as_deref(), Some("screen wall: monitor 2 of 3 is gone since 14:02: not spanned"));
        let gone = [(1, "14:02"), (2, "14:05")];
        let two = told([Some(0), None, None, Some(3)], Some(Unspanned::Gone(vec![1, 2])), &gone);
        assert_eq!(two.as_deref(), Some("screen wall: monitors 2 and 3 of 3 are gone since 14:05: not spanned"));
        let gone = [(0, "14:06"), (1, "14:02"), (2, "14:05")];
        let all = told([None, None, None, Some(3)], Some(Unspanned::Gone(vec![0, 1, 2])), &gone);
        assert_eq!(all.as_deref(), Some("screen wall is gone since 14:06: its pages turn on screen right"));
        let sizes = told(here, Some(Unspanned::Sizes(vec![(1280, 720), (1920, 1080)])), &[]);
        let words = "screen wall: its monitors have not one size in pixels (1280×720, 1920×1080): not spanned";
        assert_eq!(sizes.as_deref(), Some(words));
    }
}

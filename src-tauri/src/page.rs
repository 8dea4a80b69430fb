//! The commands that the page may call, and nothing else that it can reach.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tauri::{Manager, State, Webview};
use tokio::sync::watch;
use watchfloor_board::{
    Gesture,
    frame::{AlarmAct, AlarmRowsFound, AlarmRowsQuery, AlarmsSeen, Detail, Frame, RowsFound, RowsQuery},
};
use watchfloor_demo::{Demo, Fault};
use watchfloor_engine::Engine;

use crate::{
    drill::LampTest,
    glass::Glasses,
    past::{Past, present_version},
    sight::{self, Screen, Sight},
    tiles::Tiles,
};

/// What the commands act on: the running backend, once it runs.
pub(crate) struct Page {
    backend: watch::Receiver<Option<Backend>>,
    /// How many of those who wanted to see an alarm have been led there: a page that is loaded anew begins behind them.
    led: AtomicU64,
}

/// A running wall without its glass.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) engine: Engine,
    pub(crate) demo: Option<Arc<Demo>>,
    /// Whether another program holds the data folder: this one only looks back in it.
    pub(crate) beside: bool,
}

/// The longest that a page may rest between two frames.
const REST_MAX: Duration = Duration::from_millis(500);

/// A page that is gone doesn't wait for longer, nor does anybody for his alarm.
const SOUGHT_MAX: Duration = Duration::from_secs(60);

/// What a refused command says. The page shows it and never takes it apart.
type Answer<T> = Result<T, String>;

impl Page {
    pub(crate) fn new(backend: watch::Receiver<Option<Backend>>) -> Self {
        Self { backend, led: AtomicU64::new(0) }
    }

    async fn backend(&self) -> Answer<Backend> {
        let mut backend = self.backend.clone();
        let running = backend.wait_for(Option::is_some).await.map_err(|_| "the backend has ended".to_owned())?;
        running.clone().ok_or_else(|| "the backend has ended".to_owned())
    }

    /// The engine, once it runs.
    pub(crate) async fn engine(&self) -> Answer<Engine> {
        Ok(self.backend().await?.engine)
    }

    /// Whether another program holds the data folder.
    pub(crate) async fn is_beside(&self) -> Answer<bool> {
        Ok(self.backend().await?.beside)
    }

    async fn demo(&self) -> Answer<Arc<Demo>> {
        self.backend().await?.demo.ok_or_else(|| "this wall is not a demo".to_owned())
    }
}

/// What changed after version `after` of board `revision`, which is the version that the page has painted; in `rest_ms` at the
/// earliest, for a page that keeps its own pace and gives its receipt all the same.
#[tauri::command]
pub(crate) async fn next_frame(
    view: Webview,
    page: State<'_, Page>,
    past: State<'_, Past>,
    glasses: State<'_, Arc<Glasses>>,
    after: u64,
    revision: u32,
    rest_ms: u32,
) -> Answer<Frame> {
    let glass = glasses.of(view.label()).ok_or("this window is closed")?;
    if after > 0 {
        glass.receipt(view.label(), after);
    }
    let engine = page.engine().await?;
    let rest = Duration::from_millis(rest_ms.into()).min(REST_MAX);
    let lamp = view.state::<Arc<LampTest>>();
    let name = glass.name();
    let frame = loop {
        // What is shown of the past and of a lamp test is shown to one page, for it must say what it painted.
        if !glass.is_first() {
            break present(&engine, name, after, revision, rest).await;
        }
        if let Some(frame) = lamp.next_frame(after, revision, rest).await {
            break frame;
        }
        if let Some(frame) = past.next_frame(after, revision, &engine).await {
            break frame;
        }
        tokio::select! {
            biased;
            () = past.turned() => {}
            () = lamp.turned() => {}
            frame = present(&engine, Arc::clone(&name), present_version(after, revision), revision, rest) => break frame,
        }
    };
    if after == 0 {
        glass.given(view.label());
    }
    view.state::<Tiles>().given(glass.window(), &frame, &engine).await;
    if frame.past.is_none() && frame.drill.is_none() {
        return Ok(Frame { span: glass.part(), ..frame });
    }
    // What one looks back at, and a lamp test, is whole on the one window that shows it.
    // The room is that of now, whatever the picture is of.
    let night = engine.room().await.is_some_and(|room| room.night);
    Ok(Frame { night, ..frame })
}

async fn present(engine: &Engine, glass: Arc<str>, after: u64, revision: u32, rest: Duration) -> Frame {
    if !rest.is_zero() {
        engine.painted(after).await;
        tokio::time::sleep(rest).await;
    }
    engine.next_frame_on(glass, after, revision).await
}

/// What is known of the glass besides its pixels.
pub(crate) struct Seen {
    pub(crate) screen: Screen,
    pub(crate) is_kiosk: bool,
}

/// The page went out of sight, or came back, or is now so many of its own pixels wide. Says how large these are on the glass, and from
/// how far they are read.
#[tauri::command]
pub(crate) fn glass(
    view: Webview,
    glasses: State<'_, Arc<Glasses>>,
    seen: State<'_, Seen>,
    kind: &str,
    width: f64,
) -> Sight {
    if let Some(glass) = glasses.of(view.label()) {
        glass.laid_out(view.label(), width);
        if kind != "resized" {
            tracing::info!(kind, page = view.label(), "the page says whether it can be seen");
            glass.visible(view.label(), kind != "hidden");
        }
    }
    sight::of(&view.window(), width, seen.screen, seen.is_kiosk)
}

/// Compares what is shown with what the servers hold now.
#[tauri::command]
pub(crate) async fn reconcile(page: State<'_, Page>) -> Answer<()> {
    page.backend().await?.engine.reconcile().await;
    Ok(())
}

/// Turns a page of the board, or pins the one that is shown: `next`, `previous`, `show` with its number from 0, or `pin`.
#[tauri::command]
pub(crate) async fn turn(
    view: Webview,
    page: State<'_, Page>,
    glasses: State<'_, Arc<Glasses>>,
    how: &str,
    number: Option<usize>,
) -> Answer<()> {
    let gesture = match (how, number) {
        ("next", _) => Gesture::Next,
        ("previous", _) => Gesture::Previous,
        ("pin", _) => Gesture::Pin,
        ("show", Some(number)) => Gesture::Show(number),
        _ => return Err("there is no such way to turn a page".into()),
    };
    let glass = glasses.of(view.label()).ok_or("this window is closed")?;
    page.backend().await?.engine.turn(glass.name(), gesture).await;
    Ok(())
}

/// Somebody does something about an alarm.
#[tauri::command]
pub(crate) async fn alarm_act(
    view: Webview,
    page: State<'_, Page>,
    glasses: State<'_, Arc<Glasses>>,
    act: AlarmAct,
) -> Answer<()> {
    let station = station(&view, &glasses)?;
    page.engine().await?.act(act, station).await
}

/// Somebody acknowledges all that he has seen, but what is critical. Answers how many were.
#[tauri::command]
pub(crate) async fn alarms_acknowledge(
    view: Webview,
    page: State<'_, Page>,
    glasses: State<'_, Arc<Glasses>>,
    seen: AlarmsSeen,
) -> Answer<usize> {
    let station = station(&view, &glasses)?;
    Ok(page.engine().await?.acknowledge(seen, station).await)
}

/// Alarms of all that stand, for a hand in their list: a frame has the most urgent ones alone. Of the present.
#[tauri::command]
pub(crate) async fn alarm_rows(page: State<'_, Page>, query: AlarmRowsQuery) -> Answer<AlarmRowsFound> {
    page.engine().await?.alarm_rows(query).await.ok_or_else(|| "this board has no alarms".to_owned())
}

/// An alarm that somebody wants to see who was told of it by the desktop.
#[derive(serde::Serialize)]
pub(crate) struct Sought {
    /// How many have wanted to see one; the page asks for what is behind it, and says by that that it has led there.
    number: u64,
    /// Its key; none for all of them.
    key: Option<String>,
    /// Whether somebody does, or the page only learns the number.
    is_new: bool,
}

/// Waits for somebody who wants to see an alarm, for a minute at most; `after` is null at first. Who wanted it while no page was there is still
/// led there, unless it was longer ago than that. Null for every window but the first, which is the one that is brought to the front.
#[tauri::command]
pub(crate) async fn alarm_sought(
    view: Webview,
    page: State<'_, Page>,
    glasses: State<'_, Arc<Glasses>>,
    after: Option<u64>,
) -> Answer<Option<Sought>> {
    // A page may ask before its window is known: then it asks again.
    if !glasses.of(view.label()).ok_or("this window is not known yet")?.is_first() {
        return Ok(None);
    }
    let engine = page.engine().await?;
    let after = match after {
        Some(after) => page.led.fetch_max(after, Ordering::Relaxed).max(after),
        None => page.led.load(Ordering::Relaxed),
    };
    match tokio::time::timeout(SOUGHT_MAX, engine.sought(after)).await {
        Ok(Some(sought)) => {
            let is_new = sought.at.is_some_and(|at| at.elapsed() < SOUGHT_MAX);
            Ok(Some(Sought { number: sought.number, key: sought.key, is_new }))
        }
        Ok(None) => Err("the backend has ended".to_owned()),
        Err(_) => Ok(Some(Sought { number: after, key: None, is_new: false })),
    }
}

/// What a glass is called in the record of alarms.
fn station(view: &Webview, glasses: &Arc<Glasses>) -> Answer<String> {
    let glass = glasses.of(view.label()).ok_or("this window is closed")?;
    let name = glass.name();
    Ok(if name.is_empty() { "wall".to_owned() } else { name.to_string() })
}

/// Rows of a table for a hand at a desk: any of them, found by words, in an order of its own. Of the present alone: a page that shows a record
/// or a lamp test asks for none, and shows none of another revision than its own.
#[tauri::command]
pub(crate) async fn rows(page: State<'_, Page>, query: RowsQuery) -> Answer<RowsFound> {
    let widget = query.widget.clone();
    page.engine().await?.rows(query).await.ok_or_else(|| format!("there is no table {widget:?}"))
}

/// What a widget shows under a key, with the newest event of it that is kept.
#[tauri::command]
pub(crate) async fn detail(page: State<'_, Page>, widget: String, key: String) -> Answer<Option<Detail>> {
    Ok(page.engine().await?.detail(widget, key).await)
}

/// How the replay stands and which faults are pulled; null if this wall is no demo.
#[tauri::command]
pub(crate) async fn demo_state(page: State<'_, Page>) -> Answer<Option<serde_json::Value>> {
    let Some(demo) = page.backend().await?.demo else { return Ok(None) };
    let status = demo.status();
    let faults: Vec<_> =
        demo.faults().into_iter().map(|(fault, on)| serde_json::json!({ "name": fault.word(), "on": on })).collect();
    Ok(Some(serde_json::json!({
        "active": true,
        "faults": faults,
        "speed": status.speed,
        "paused": status.paused,
        "replay_ms": status.replay_ms,
    })))
}

/// Pulls a fault of the demo, or mends it.
#[tauri::command]
pub(crate) async fn demo_fault(page: State<'_, Page>, name: String, on: bool) -> Answer<()> {
    let fault = Fault::ALL
        .into_iter()
        .find(|fault| fault.word() == name)
        .ok_or_else(|| format!("there is no fault {name:?}"))?;
    page.demo().await?.set_fault(fault, on);
    Ok(())
}

/// Sets the replay's speed, replay seconds a second.
#[tauri::command]
pub(crate) async fn demo_speed(page: State<'_, Page>, speed: f64) -> Answer<()> {
    if !(0.1..=3600.0).contains(&speed) {
        return Err(format!("{speed} is not a speed: expected 0.1 to 3600"));
    }
    page.demo().await?.set_speed(speed);
    Ok(())
}

/// Pauses the replay, or lets it go on.
#[tauri::command]
pub(crate) async fn demo_pause(page: State<'_, Page>, paused: bool) -> Answer<()> {
    page.demo().await?.set_paused(paused);
    Ok(())
}

/// Lets the replay run up to exactly this time, milliseconds since the Unix epoch, and pause there.
#[tauri::command]
pub(crate) async fn demo_pause_at(page: State<'_, Page>, at_ms: i64) -> Answer<()> {
    page.demo().await?.pause_at(at_ms);
    Ok(())
}

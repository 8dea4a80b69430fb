//! The wall's mark in a desktop's tray, and the menu behind it.
//!
//! Spoken over the session bus (StatusNotifierItem, and `com.canonical.dbusmenu` for the menu), so no library of the desktop's is needed; where
//! nobody has a tray, nothing is shown and nothing fails. The mark has an end (H1): what the engine said last is shown for some seconds and not
//! longer, by a thread of its own that waits for nobody.

mod item;
mod mark;
mod menu;
mod picture;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tauri::{AppHandle, Manager};
use tokio::{sync::watch, time::timeout};
use zbus::Connection;

use self::{
    item::{Choose, Item, Shown},
    mark::Told,
    menu::Menu,
};
use crate::{
    drill,
    page::Backend,
    wall::LABEL,
    windows::{self, Windows},
};

/// How often is looked how the wall is, and whether there is a tray.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The engine has this long to answer: then nothing is known.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Whoever has the tray has this long.
const TRAY_MAX: Duration = Duration::from_secs(5);
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU_PATH: &str = "/MenuBar";
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";

/// What is asked for in the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// The wall comes to the front.
    Show,
    /// The second window.
    Second,
    /// A lamp test of the wall.
    LampTest,
    /// The end.
    Quit,
}

/// What others want to know of it.
#[derive(Debug, Default)]
pub(crate) struct Tray {
    /// Whether people see the mark now, as far as the desktop says.
    seen: AtomicBool,
}

impl Tray {
    /// Whether people see the mark now, and can bring back by it what was hidden.
    pub(crate) fn is_seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }
}

/// Whose tray it is, and whether anybody shows it.
struct Host {
    owner: String,
    shows: bool,
}

/// The mark on the session bus, and whose tray has it.
struct Offered {
    bus: Connection,
    shown: Arc<Shown>,
    /// None as long as nobody has it.
    owner: Option<String>,
}

/// Keeps the mark in the tray for as long as the program runs.
pub(crate) fn keep(app: AppHandle, running: watch::Receiver<Option<Backend>>) {
    let keeping = move || match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(keep_all(&app, &running)),
        Err(error) => tracing::warn!(%error, "no mark in the tray"),
    };
    if let Err(error) = thread::Builder::new().name("tray".into()).spawn(keeping) {
        tracing::warn!(%error, "no mark in the tray");
    }
}

/// Tries again while there is no bus or no tray, in silence.
async fn keep_all(app: &AppHandle, running: &watch::Receiver<Option<Backend>>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut offered: Option<Offered> = None;
    loop {
        look.tick().await;
        let engine = running.borrow().as_ref().map(|backend| backend.engine.clone());
        let told = match engine {
            None => Told::starting(),
            Some(engine) => match timeout(ANSWER_MAX, engine.summary()).await {
                Ok(Some(summary)) => Told::of(&summary),
                Ok(None) => Told::ended(),
                Err(_) => Told::silent(),
            },
        };
        let kept = match timeout(TRAY_MAX, keep_one(app, offered.take(), told)).await {
            Ok(kept) => kept,
            Err(_) => Err(zbus::Error::InputOutput(Arc::new(std::io::ErrorKind::TimedOut.into()))),
        };
        match kept {
            Ok(kept) => offered = Some(kept),
            Err(error) => {
                tracing::debug!(%error, "the wall's mark isn't in a tray");
                see(app, false);
            }
        }
    }
}

/// Sees to it that the tray shows what is known now, if there is one.
async fn keep_one(app: &AppHandle, offered: Option<Offered>, told: Told) -> zbus::Result<Offered> {
    let mut offered = match offered {
        Some(offered) => {
            change(&offered, told).await?;
            offered
        }
        None => offer(app, told).await?,
    };
    let host = host_of(&offered.bus).await;
    see(app, host.as_ref().is_some_and(|host| host.shows));
    let owner = host.map(|host| host.owner);
    // A tray that is started anew knows nothing of what its former one showed.
    if owner.is_some() && owner != offered.owner {
        register(&offered.bus).await?;
        tracing::info!("the tray has the wall's mark");
    }
    offered.owner = owner;
    Ok(offered)
}

/// Puts the mark on the bus.
async fn offer(app: &AppHandle, told: Told) -> zbus::Result<Offered> {
    let bus = Connection::session().await?;
    let handle = app.clone();
    let choose: Choose = Arc::new(move |choice| choose(&handle, choice));
    let shown = Arc::new(Shown::new(told));
    bus.object_server().at(ITEM_PATH, Item::new(Arc::clone(&shown), Arc::clone(&choose))).await?;
    bus.object_server().at(MENU_PATH, Menu::new(Arc::clone(&shown), choose)).await?;
    Ok(Offered { bus, shown, owner: None })
}

/// Puts what is on the bus into the tray.
async fn register(bus: &Connection) -> zbus::Result<()> {
    let own = format!("org.kde.StatusNotifierItem-{}-1", std::process::id());
    // Where names aren't given to everybody, the connection's own does.
    let name = match bus.request_name(own.as_str()).await {
        Ok(_) => own,
        Err(_) => bus.unique_name().map(ToString::to_string).unwrap_or_default(),
    };
    bus.call_method(Some(WATCHER), WATCHER_PATH, Some(WATCHER), "RegisterStatusNotifierItem", &name).await?;
    Ok(())
}

/// Takes what is known now: it is taken anew if nothing changed, for it lasts as long as it is told. What changed is shown.
async fn change(offered: &Offered, told: Told) -> zbus::Result<()> {
    let status = told.status();
    if !offered.shown.tell(told) {
        return Ok(());
    }
    let item = offered.bus.object_server().interface::<_, Item>(ITEM_PATH).await?;
    let emitter = item.signal_emitter();
    Item::new_icon(emitter).await?;
    Item::new_attention_icon(emitter).await?;
    Item::new_title(emitter).await?;
    Item::new_tool_tip(emitter).await?;
    Item::new_status(emitter, status).await?;
    let menu = offered.bus.object_server().interface::<_, Menu>(MENU_PATH).await?;
    let revision = menu.get().await.turned();
    Menu::layout_updated(menu.signal_emitter(), revision, 0).await
}

/// Who has the tray now, if anybody has.
async fn host_of(bus: &Connection) -> Option<Host> {
    let own = "org.freedesktop.DBus";
    let answer = bus.call_method(Some(own), "/org/freedesktop/DBus", Some(own), "GetNameOwner", &WATCHER).await;
    let owner: String = answer.ok()?.body().deserialize().ok()?;
    let asked = (WATCHER, "IsStatusNotifierHostRegistered");
    let properties = "org.freedesktop.DBus.Properties";
    let answer = bus.call_method(Some(WATCHER), WATCHER_PATH, Some(properties), "Get", &asked).await;
    let shows = answer.ok().and_then(|answer| {
        let value: zbus::OwnedVariant = answer.body().deserialize().ok()?;
        bool::try_from(value).ok()
    });
    Some(Host { owner, shows: shows.unwrap_or(false) })
}

/// People see the mark now, or no longer. A window that was hidden behind it comes back then: nobody could find it.
fn see(app: &AppHandle, seen: bool) {
    let was = app.state::<Tray>().seen.swap(seen, Ordering::Relaxed);
    if was && !seen {
        tracing::info!("the tray is gone");
        let handle = app.clone();
        let done = app.run_on_main_thread(move || {
            let is_hidden = |window: &tauri::WebviewWindow| window.is_visible().is_ok_and(|visible| !visible);
            if handle.get_webview_window(LABEL).as_ref().is_some_and(is_hidden) {
                windows::raise(&handle);
            }
        });
        if let Err(error) = done {
            tracing::warn!(%error, "a window that was hidden can't be brought back");
        }
    }
}

fn choose(app: &AppHandle, choice: Choice) {
    tracing::info!(?choice, "chosen in the tray");
    let handle = app.clone();
    let done = app.run_on_main_thread(move || match choice {
        Choice::Show => {
            windows::raise(&handle);
        }
        Choice::Second => handle.state::<Windows>().open_second(&handle),
        Choice::LampTest => {
            windows::raise(&handle);
            tauri::async_runtime::spawn(async move {
                if let Err(reason) = drill::begin(&handle).await {
                    tracing::warn!(reason, "no lamp test");
                }
            });
        }
        Choice::Quit => {
            handle.state::<Windows>().remember_all(&handle);
            handle.exit(0);
        }
    });
    if let Err(error) = done {
        tracing::warn!(%error, "what was chosen in the tray can't be done");
    }
}

/// Whether this desktop has a tray, in one line.
pub(crate) async fn tell() -> String {
    const LACK: &str = "a wall in a window shows no mark of its state, and nothing else is amiss";
    let found = match Connection::session().await {
        Ok(bus) => host_of(&bus).await,
        Err(_) => return format!("no session bus: {LACK}"),
    };
    match found {
        Some(Host { shows: true, .. }) => "this desktop has one: a wall in a window shows its state there".to_owned(),
        Some(Host { shows: false, .. }) => format!("a service for trays runs, but nothing shows one: {LACK}"),
        None => format!("this desktop has none (StatusNotifierItem): {LACK}"),
    }
}

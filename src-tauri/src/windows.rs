//! The windows of a wall: how each is opened, watched and, on a desk, found again where it stood.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tauri::{
    AppHandle, Manager, PhysicalPosition, PhysicalSize, Webview, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    webview::NewWindowResponse,
};
use tauri_plugin_store::StoreExt;
use tokio::sync::watch;
use watchfloor_board::GlassSpec;
use watchfloor_engine::Engine;

#[cfg(target_os = "linux")]
use crate::glass::Glass;
use crate::{
    glass::{Glasses, Keeper, Strip, Views},
    kiosk,
    page::Backend,
    settings,
    wall::{GROUND, LABEL},
};

const DEFAULT_SIZE: (f64, f64) = (1600.0, 900.0);
/// The second window of a desk, and what the engine calls its glass.
pub(crate) const SECOND: &str = "wall:second";
const SECOND_NAME: &str = "second";

/// What all windows of this wall have in common.
pub(crate) struct Windows {
    pub(crate) glasses: Arc<Glasses>,
    /// The page's address.
    pub(crate) page: &'static str,
    pub(crate) is_kiosk: bool,
    /// MiB for the pages of a window; zero is no bound.
    pub(crate) budget_mib: u64,
    pub(crate) running: watch::Receiver<Option<Backend>>,
    /// The settings' file; none for a wall that remembers nothing.
    pub(crate) store: Option<PathBuf>,
    /// Where the second one stood.
    pub(crate) second: Mutex<Option<settings::Window>>,
}

/// Where a window is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    /// Where the window manager puts it.
    Anywhere,
    /// So large, in pixels.
    Sized(u32, u32),
    /// Where it stood.
    At(settings::Window),
}

/// A window that is open.
pub(crate) struct Opened {
    pub(crate) window: WebviewWindow,
    /// Where a kiosk's belongs.
    #[cfg(target_os = "linux")]
    pub(crate) place: crate::screens::keep::Place,
    #[cfg(target_os = "linux")]
    pub(crate) glass: Arc<Glass>,
}

impl Windows {
    /// Opens one, unseen, and watches its page from now on. To be called on the main thread.
    pub(crate) fn open(&self, app: &AppHandle, label: &str, name: &str, begin: Begin) -> tauri::Result<Opened> {
        let glass = self.glasses.open(label, name);
        let opened = self.build(app, label, begin).and_then(|window| {
            let views = Views::new(&window, &glass, self.page, self.is_kiosk)?;
            let strip = Strip::new(&window)?;
            let place = kiosk::Place::default();
            if self.is_kiosk {
                kiosk::enclose(app, &window, &place)?;
            } else {
                hear_keys(app, &window)?;
            }
            views.listen();
            let keeper = Keeper {
                app: app.clone(),
                glass: Arc::clone(&glass),
                glasses: Arc::clone(&self.glasses),
                views,
                strip,
                budget_mib: self.budget_mib,
                running: self.running.clone(),
            };
            tauri::async_runtime::spawn(keeper.keep());
            Ok(Opened {
                window,
                #[cfg(target_os = "linux")]
                place,
                #[cfg(target_os = "linux")]
                glass: Arc::clone(&glass),
            })
        });
        if opened.is_err() {
            self.glasses.close(label);
        }
        opened
    }

    fn build(&self, app: &AppHandle, label: &str, begin: Begin) -> tauri::Result<WebviewWindow> {
        let mut window = WebviewWindowBuilder::new(app, label, WebviewUrl::App(self.page.into()))
            .on_navigation(kiosk::is_own)
            .on_new_window(|_, _| NewWindowResponse::Deny)
            .title("Watchfloor")
            .background_color(GROUND)
            .fullscreen(self.is_kiosk)
            .decorations(!self.is_kiosk)
            .zoom_hotkeys_enabled(false)
            .visible(false);
        if matches!(begin, Begin::Anywhere) {
            window = window.inner_size(DEFAULT_SIZE.0, DEFAULT_SIZE.1);
        }
        let window = window.build()?;
        match begin {
            Begin::Anywhere => {}
            Begin::Sized(width, height) => window.set_size(PhysicalSize::new(width, height))?,
            Begin::At(last) if is_within(&window, last) => {
                window.set_size(PhysicalSize::new(last.width, last.height))?;
                window.set_position(PhysicalPosition::new(last.x, last.y))?;
            }
            // It stood on a monitor that is gone.
            Begin::At(last) => {
                tracing::info!(?last, label, "a window stood where no monitor is now: it comes to one that is there");
                window.set_size(PhysicalSize::new(last.width, last.height))?;
            }
        }
        Ok(window)
    }

    /// Opens the second window of a desk, or brings it to the front. To be called on the main thread.
    pub(crate) fn open_second(&self, app: &AppHandle) {
        if self.is_kiosk {
            return;
        }
        let window = match app.get_webview_window(SECOND) {
            Some(window) => Ok(window),
            None => {
                let last = *self.second.lock().unwrap_or_else(PoisonError::into_inner);
                self.open(app, SECOND, SECOND_NAME, last.map_or(Begin::Anywhere, Begin::At)).map(|opened| {
                    self.tell_engine(vec![GlassSpec { id: SECOND_NAME.to_owned(), pages: Vec::new() }]);
                    opened.window
                })
            }
        };
        let shown = window.and_then(|window| {
            window.unminimize()?;
            window.show()?;
            window.set_focus()
        });
        if let Err(error) = shown {
            tracing::error!(%error, "the second window can't be opened");
        }
    }

    /// A window is closed for good.
    pub(crate) fn closed(&self, label: &str) {
        self.glasses.close(label);
        if label == SECOND {
            self.tell_engine(Vec::new());
        }
    }

    fn tell_engine(&self, glasses: Vec<GlassSpec>) {
        let mut running = self.running.clone();
        tauri::async_runtime::spawn(async move {
            let engine =
                running.wait_for(Option::is_some).await.ok().and_then(|it| it.as_ref().map(|it| it.engine.clone()));
            if let Some(engine) = engine {
                engine.set_glasses(glasses).await;
            }
        });
    }

    /// Writes down where a window stands, and whether it is to be opened again.
    pub(crate) fn remember(&self, app: &AppHandle, label: &str, open: bool) {
        let Some(path) = &self.store else { return };
        let place = || -> Result<(), Box<dyn std::error::Error>> {
            let Some(window) = app.get_webview_window(label) else { return Ok(()) };
            if window.is_fullscreen()? {
                return Ok(());
            }
            let (size, position) = (window.inner_size()?, window.outer_position()?);
            let place = settings::Window { width: size.width, height: size.height, x: position.x, y: position.y, open };
            let key = if label == SECOND { settings::SECOND } else { settings::WINDOW };
            if label == SECOND {
                *self.second.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
            }
            let store = app.store(path)?;
            store.set(key, serde_json::to_value(place)?);
            store.save()?;
            Ok(())
        };
        if let Err(error) = place() {
            tracing::warn!(%error, label, "the window's place is not remembered");
        }
    }

    /// Hides a window behind the mark in the tray, where there is one to bring it back by. Whether it is hidden.
    pub(crate) fn hide(&self, app: &AppHandle, label: &str) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(window) = app.get_webview_window(label)
            && app.state::<crate::tray::Tray>().is_seen()
        {
            self.remember(app, label, true);
            let hidden = window.hide();
            if let Err(error) = &hidden {
                tracing::warn!(%error, label, "the window can't be hidden");
            }
            return hidden.is_ok();
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (app, label);
        false
    }

    /// The wall ends by its tray: all stand where they are to be found again.
    pub(crate) fn remember_all(&self, app: &AppHandle) {
        for label in [LABEL, SECOND] {
            self.remember(app, label, true);
        }
    }

    /// The first one is closed: the wall ends, and the others with it.
    pub(crate) fn is_first(label: &str) -> bool {
        label == LABEL
    }
}

/// What was begun at another window is shown in the first one, which is led by hand from now on. A kiosk's windows stay as they are.
pub(crate) fn front(view: &Webview) {
    let app = view.app_handle();
    let is_first = app.state::<Arc<Glasses>>().of(view.label()).is_none_or(|glass| glass.is_first());
    if !is_first && !app.state::<Windows>().is_kiosk {
        raise(app);
    }
}

/// Who pressed *Show* on a notification sees the wall: its first window comes to the front, and its page goes to the alarm. A kiosk's
/// notifications have no buttons.
pub(crate) async fn come_when_sought(app: AppHandle, engine: Engine) {
    let mut seen = 0;
    while let Some(sought) = engine.sought(seen).await {
        seen = sought.number;
        raise(&app);
    }
}

/// The first window comes to the front. Whether it does.
pub(crate) fn raise(app: &AppHandle) -> bool {
    let Some(window) = app.get_webview_window(LABEL) else { return false };
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = &raised {
        tracing::warn!(%error, "the window can't be brought to the front");
    }
    raised.is_ok()
}

/// Whether a hand could reach a window there: enough of its upper edge is on a monitor.
fn is_within(window: &WebviewWindow, place: settings::Window) -> bool {
    /// Pixels of the title to pull at.
    const REACH: i64 = 64;
    let monitors = window.available_monitors().unwrap_or_default();
    monitors.iter().any(|monitor| {
        let (at, size) = (monitor.position(), monitor.size());
        let (left, top) = (i64::from(at.x), i64::from(at.y));
        let (right, bottom) = (left + i64::from(size.width), top + i64::from(size.height));
        let (x, y) = (i64::from(place.x), i64::from(place.y));
        (top..bottom).contains(&y) && (x + i64::from(place.width)).min(right) - x.max(left) >= REACH
    })
}

/// Ctrl+N on a desk.
#[cfg(target_os = "linux")]
fn hear_keys(app: &AppHandle, window: &WebviewWindow) -> tauri::Result<()> {
    use gtk::{gdk::ModifierType, prelude::WidgetExt};

    let app = app.clone();
    window.gtk_window()?.connect_key_press_event(move |_, event| {
        let held = event.state() & (ModifierType::CONTROL_MASK | ModifierType::MOD1_MASK | ModifierType::SHIFT_MASK);
        let is_it = held == ModifierType::CONTROL_MASK && event.keyval().to_unicode() == Some('n');
        if !is_it {
            return glib::Propagation::Proceed;
        }
        app.state::<Windows>().open_second(&app);
        glib::Propagation::Stop
    });
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn hear_keys(_: &AppHandle, _: &WebviewWindow) -> tauri::Result<()> {
    Ok(())
}

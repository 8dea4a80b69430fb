//! The window of a kiosk: it has the whole screen and the whole keyboard, no pointer, and one way to leave.

use std::{
    cell::Cell,
    rc::Rc,
    sync::PoisonError,
    time::{Duration, Instant},
};

use gtk::{
    gdk,
    prelude::{
        DisplayExtManual as _, GtkWindowExt as _, MonitorExt as _, ObjectExt as _, SeatExt as _, WidgetExt as _,
    },
};
use tauri::{AppHandle, WebviewWindow};

use super::{
    Place,
    keys::{Held, Verdict, verdict},
};
use crate::{glass::line, screens::Rect};

/// For so long the keys are held before the program ends: no hand that lies on a keyboard by accident does that.
const LEAVE_AFTER: Duration = Duration::from_secs(3);
/// How often it is looked whether they still are.
const COUNT_EVERY: Duration = Duration::from_millis(100);
/// How often it is looked whether screen and keyboard are still had: screens change their size, and other programs take a keyboard
/// for a while.
const HOLD_EVERY: Duration = Duration::from_secs(1);
/// As loud as what the window says of its page, and no colour that means something.
const STYLE: &str = "background: #fff; color: #000; font-weight: bold;";

/// Makes the window one of a kiosk, which belongs to `place`. To be called on the main thread.
pub(super) fn enclose(app: &AppHandle, window: &WebviewWindow, place: &Place) -> tauri::Result<()> {
    let gtk_window = window.gtk_window()?;
    gtk_window.set_keep_above(true);
    let leaving = Rc::new(Leaving::new(app.clone(), &window.default_vbox()?));
    let pressed = Rc::clone(&leaving);
    gtk_window.connect_key_press_event(move |_, event| {
        let key = event.keyval();
        match verdict(held(event.state()), key.name().as_deref().unwrap_or_default(), key.to_unicode()) {
            Verdict::Pass => glib::Propagation::Proceed,
            Verdict::Stop => glib::Propagation::Stop,
            Verdict::Leave => {
                Leaving::begin(&pressed);
                glib::Propagation::Stop
            }
        }
    });
    let released = Rc::clone(&leaving);
    gtk_window.connect_key_release_event(move |_, _| {
        released.end();
        glib::Propagation::Proceed
    });
    gtk_window.connect_focus_out_event(move |_, _| {
        leaving.end();
        glib::Propagation::Proceed
    });
    gtk_window.connect_realize(|window| {
        if let Some(surface) = window.window() {
            surface.set_cursor(gdk::Cursor::for_display(&surface.display(), gdk::CursorType::BlankCursor).as_ref());
        }
    });
    let (held, place) = (gtk_window.downgrade(), place.clone());
    glib::timeout_add_local(HOLD_EVERY, move || match held.upgrade() {
        Some(window) => {
            let place = *place.lock().unwrap_or_else(PoisonError::into_inner);
            hold(&window, place);
            glib::ControlFlow::Continue
        }
        None => glib::ControlFlow::Break,
    });
    Ok(())
}

fn held(state: gdk::ModifierType) -> Held {
    use gdk::ModifierType;
    let system =
        ModifierType::SUPER_MASK | ModifierType::HYPER_MASK | ModifierType::META_MASK | ModifierType::MOD4_MASK;
    Held {
        shift: state.contains(ModifierType::SHIFT_MASK),
        control: state.contains(ModifierType::CONTROL_MASK),
        alt: state.contains(ModifierType::MOD1_MASK),
        system: state.intersects(system),
    }
}

/// Takes the screen where no window manager gives it, and the keyboard, on which a window manager would hear keys of its own.
fn hold(window: &gtk::ApplicationWindow, place: Option<Rect>) {
    let Some(surface) = window.window().filter(gdk::Window::is_viewable) else { return };
    let display = surface.display();
    if !display.backend().is_x11() {
        return;
    }
    place_now(window, place);
    // With the keyboard: a window that is minimised may keep that.
    if surface.state().contains(gdk::WindowState::ICONIFIED) {
        window.present();
    }
    let Some(seat) = display.default_seat() else { return };
    if seat.keyboard().is_some_and(|keyboard| display.device_is_grabbed(&keyboard)) {
        return;
    }
    window.present();
    let status = seat.grab(&surface, gdk::SeatCapabilities::KEYBOARD, true, None, None, None);
    if status != gdk::GrabStatus::Success {
        tracing::debug!(?status, "another program has the keyboard");
    }
}

/// Puts the window where it belongs, if it isn't: to `place`, in the display's pixels, or without one to a whole monitor.
pub(crate) fn place_now(window: &gtk::ApplicationWindow, place: Option<Rect>) {
    let Some(surface) = window.window().filter(gdk::Window::is_viewable) else { return };
    let display = surface.display();
    let is_full = surface.state().contains(gdk::WindowState::FULLSCREEN);
    let scale = surface.scale_factor().max(1);
    let own = |rect: Rect| gdk::Rectangle::new(rect.x / scale, rect.y / scale, rect.width / scale, rect.height / scale);
    let wanted = match place {
        Some(place) => own(place),
        // A window manager may have put it to another than the first. Without one it says that it has all of a monitor, and is as small as ever.
        None => {
            let first = display.primary_monitor().filter(|_| !is_full);
            let Some(monitor) = first.or_else(|| display.monitor_at_window(&surface)) else { return };
            monitor.geometry()
        }
    };
    let (_, x, y) = surface.origin();
    if (x, y, window.size()) == (wanted.x(), wanted.y(), (wanted.width(), wanted.height())) {
        return;
    }
    tracing::info!(x, y, size = ?window.size(), ?place, is_full, "a window is put where it belongs");
    let corner = |monitor: &gdk::Monitor| (monitor.geometry().x(), monitor.geometry().y());
    let there = (0..display.n_monitors())
        .find(|at| display.monitor(*at).is_some_and(|monitor| corner(&monitor) == (wanted.x(), wanted.y())));
    if let Some(monitor) = there.filter(|_| is_full) {
        window.fullscreen_on_monitor(&display.default_screen(), monitor);
    }
    // Where there is a window manager it has heard that already; where there is none nobody else makes it as large as that.
    surface.move_resize(wanted.x(), wanted.y(), wanted.width(), wanted.height());
}

/// The way out: keys that are held, and a line that says so.
struct Leaving {
    app: AppHandle,
    label: gtk::Label,
    since: Cell<Option<Instant>>,
}

impl Leaving {
    fn new(app: AppHandle, column: &gtk::Box) -> Self {
        let label = line::above(column, "watchfloor-leaving", STYLE);
        Self { app, label, since: Cell::new(None) }
    }

    /// The keys are down. They repeat while they are held.
    fn begin(leaving: &Rc<Self>) {
        if leaving.since.get().is_some() {
            return;
        }
        tracing::info!("the keys to leave are held");
        leaving.since.set(Some(Instant::now()));
        let counted = Rc::clone(leaving);
        counted.count();
        glib::timeout_add_local(COUNT_EVERY, move || {
            if counted.count() { glib::ControlFlow::Continue } else { glib::ControlFlow::Break }
        });
    }

    /// One of them is up.
    fn end(&self) {
        self.since.set(None);
        line::say(&self.label, "");
    }

    /// Says how long they are still to be held, and ends the program after that. Whether it is to be called again.
    fn count(&self) -> bool {
        let Some(since) = self.since.get() else { return false };
        let left = LEAVE_AFTER.saturating_sub(since.elapsed());
        if left.is_zero() {
            tracing::info!("the kiosk is left by its keys");
            self.app.exit(0);
            return false;
        }
        line::say(
            &self.label,
            &format!("Leaving Watchfloor: keep the keys held for {:.0} s", left.as_secs_f64().ceil()),
        );
        true
    }
}

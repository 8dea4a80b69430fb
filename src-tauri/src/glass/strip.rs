//! A line above the page, drawn by the window and not by the page.

use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::atomic::Ordering;

use tauri::{AppHandle, WebviewWindow};

use super::Glass;

/// The strip of one window; hidden until it has something to say.
pub(crate) struct Strip {
    #[cfg(target_os = "linux")]
    label: glib::SendWeakRef<gtk::Label>,
}

/// Black on the colour of doubt.
#[cfg(target_os = "linux")]
const STYLE: &str = "background: #e8b400; color: #000; font-weight: bold;";

#[cfg(target_os = "linux")]
impl Strip {
    /// Puts one into `window`. To be called on the main thread.
    pub(crate) fn new(window: &WebviewWindow) -> tauri::Result<Self> {
        use glib::object::ObjectExt;

        let label = super::line::above(&window.default_vbox()?, "watchfloor-strip", STYLE);
        Ok(Self { label: label.downgrade().into() })
    }

    /// Shows a text, or nothing if it is empty.
    pub(crate) fn show(&self, app: &AppHandle, glass: &Arc<Glass>, text: String) {
        let label = self.label.clone();
        let glass = Arc::clone(glass);
        let asked = app.run_on_main_thread(move || {
            use gtk::prelude::WidgetExt;

            let Some(label) = label.upgrade() else { return };
            super::line::say(&label, &text);
            glass.strip.store(label.is_mapped(), Ordering::Relaxed);
        });
        if let Err(error) = asked {
            tracing::error!(%error, "what the page doesn't say can't be said beside it");
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Strip {
    pub(crate) fn new(_: &WebviewWindow) -> tauri::Result<Self> {
        Ok(Self {})
    }

    pub(crate) fn show(&self, _: &AppHandle, _: &Arc<Glass>, _: String) {}
}

//! A line above the page, drawn by the window and not by the page.

#[cfg(target_os = "linux")]
use std::sync::atomic::Ordering;

#[cfg(target_os = "linux")]
use tauri::Manager;
use tauri::{AppHandle, WebviewWindow};

/// The strip of one window; hidden until it has something to say.
pub(crate) struct Strip {
    #[cfg(target_os = "linux")]
    label: glib::SendWeakRef<gtk::Label>,
}

/// Black on the colour of doubt, a twenty-fifth of the window's height: read from as far as the page is.
#[cfg(target_os = "linux")]
const STYLE: &str = "#watchfloor-strip { background: #e8b400; color: #000; font-weight: bold; }";

#[cfg(target_os = "linux")]
impl Strip {
    /// Puts one into `window`. To be called on the main thread.
    pub(crate) fn new(window: &WebviewWindow) -> tauri::Result<Self> {
        use glib::object::ObjectExt;
        use gtk::prelude::{BoxExt, CssProviderExt, LabelExt, StyleContextExt, WidgetExt};

        let label = gtk::Label::new(None);
        label.set_widget_name("watchfloor-strip");
        label.set_ellipsize(gtk::pango::EllipsizeMode::End);
        label.set_no_show_all(true);
        let provider = gtk::CssProvider::new();
        if let Err(error) = provider.load_from_data(STYLE.as_bytes()) {
            tracing::warn!(%error, "the strip above the page has no colours");
        }
        label.style_context().add_provider(&provider, gtk::STYLE_PROVIDER_PRIORITY_APPLICATION);
        let column = window.default_vbox()?;
        column.pack_start(&label, false, true, 0);
        column.reorder_child(&label, 0);
        Ok(Self { label: label.downgrade().into() })
    }

    /// Shows a text, or nothing if it is empty.
    pub(crate) fn show(&self, app: &AppHandle, text: String) {
        let label = self.label.clone();
        let glass = app.clone();
        let asked = app.run_on_main_thread(move || {
            use gtk::prelude::{LabelExt, WidgetExt};

            let Some(label) = label.upgrade() else { return };
            let height = label.toplevel().map_or(0, |window| window.allocated_height());
            let size = (height / 32).max(14);
            label.set_attributes(Some(&sized(size)));
            label.set_height_request(height / 25);
            label.set_text(&text);
            label.set_visible(!text.is_empty());
            glass.state::<super::Glass>().strip.store(label.is_mapped(), Ordering::Relaxed);
        });
        if let Err(error) = asked {
            tracing::error!(%error, "what the page doesn't say can't be said beside it");
        }
    }
}

#[cfg(target_os = "linux")]
fn sized(pixels: i32) -> gtk::pango::AttrList {
    let list = gtk::pango::AttrList::new();
    list.insert(gtk::pango::AttrSize::new_size_absolute(pixels * gtk::pango::SCALE));
    list
}

#[cfg(not(target_os = "linux"))]
impl Strip {
    pub(crate) fn new(_: &WebviewWindow) -> tauri::Result<Self> {
        Ok(Self {})
    }

    pub(crate) fn show(&self, _: &AppHandle, _: String) {}
}

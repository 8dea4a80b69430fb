//! The web views of the window: one that is seen, and for moments another one beneath it.
//!
//! All lie on one another in an overlay. The lower one is mapped like the upper, so its page paints as if it were seen; when it has,
//! it is raised, and the window is never without a picture.

use std::sync::Arc;

use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow};

use super::Glass;
use crate::kiosk;

/// The window's web views.
#[derive(Clone)]
pub(crate) struct Views {
    window: WebviewWindow,
    glass: Arc<Glass>,
    url: String,
    kiosk: bool,
    #[cfg(target_os = "linux")]
    overlay: glib::SendWeakRef<gtk::Overlay>,
}

#[cfg(target_os = "linux")]
impl Views {
    /// Takes over the window's first view, whose page is at `url`, of a `kiosk` or not. To be called on the main thread, before the window is shown.
    pub(crate) fn new(window: &WebviewWindow, glass: &Arc<Glass>, url: &str, kiosk: bool) -> tauri::Result<Self> {
        use glib::object::ObjectExt;
        use gtk::prelude::{BoxExt, WidgetExt};

        let overlay = gtk::Overlay::new();
        let column = window.default_vbox()?;
        column.pack_start(&overlay, true, true, 0);
        overlay.show();
        let views = Self {
            window: window.clone(),
            glass: Arc::clone(glass),
            url: url.to_owned(),
            kiosk,
            overlay: overlay.downgrade().into(),
        };
        let beneath = views.overlay.clone();
        window.with_webview(move |view| put(&beneath, &view.inner(), kiosk))?;
        Ok(views)
    }

    /// Opens another page beneath the one that is seen.
    pub(crate) fn open_beneath(&self, app: &AppHandle, label: String) -> tauri::Result<()> {
        let views = self.clone();
        app.run_on_main_thread(move || {
            if let Err(error) = views.open_now(&label) {
                tracing::error!(%error, "no other page can be opened");
                views.glass.ended(&label);
            }
        })
    }

    /// One go on the main thread: nothing is drawn before it is done.
    fn open_now(&self, label: &str) -> tauri::Result<()> {
        use tauri::webview::WebviewBuilder;

        let builder = WebviewBuilder::new(label, WebviewUrl::App(self.url.clone().into()))
            .on_navigation(kiosk::is_own)
            .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
            .background_color(crate::wall::GROUND)
            .zoom_hotkeys_enabled(false)
            .focused(false);
        let window = self.window.as_ref().window();
        let size = window.inner_size()?;
        let page = window.add_child(builder, tauri::LogicalPosition::new(0, 0), size)?;
        let (overlay, kiosk) = (self.overlay.clone(), self.kiosk);
        page.with_webview(move |view| put(&overlay, &view.inner(), kiosk))?;
        listen(&self.glass, &page);
        Ok(())
    }

    /// Raises the page `new`, and ends the page `old`.
    pub(crate) fn swap(&self, app: &AppHandle, old: String, new: String) -> tauri::Result<()> {
        let (views, handle) = (self.clone(), app.clone());
        app.run_on_main_thread(move || {
            use gtk::prelude::{OverlayExt, WidgetExt};

            let Some(page) = handle.get_webview(&new) else { return };
            let overlay = views.overlay;
            let raised = page.with_webview(move |view| {
                let view = view.inner();
                if let Some(overlay) = overlay.upgrade() {
                    overlay.reorder_overlay(&view, -1);
                }
                view.grab_focus();
            });
            if let Err(error) = raised {
                tracing::error!(%error, "the other page can't be raised");
            }
            close_now(&handle, &old);
        })
    }

    /// Ends the page `label`.
    pub(crate) fn close(&self, app: &AppHandle, label: String) -> tauri::Result<()> {
        let handle = app.clone();
        app.run_on_main_thread(move || close_now(&handle, &label))
    }

    /// Starts the page anew, in a new process: the old one may stand still for ever.
    pub(crate) fn reload(&self, app: &AppHandle, label: &str) -> tauri::Result<()> {
        use webkit2gtk::WebViewExt;

        let Some(page) = app.get_webview(label) else { return Ok(()) };
        page.with_webview(|view| {
            let view = view.inner();
            view.terminate_web_process();
            view.reload();
        })
    }

    /// Reads the code off the page `label` as it stands on the screen, and tells it.
    pub(crate) fn read(&self, app: &AppHandle, label: String, page_width: f64) -> tauri::Result<()> {
        let Some(page) = app.get_webview(&label) else { return Ok(()) };
        let glass = Arc::clone(&self.glass);
        page.with_webview(move |view| {
            let code = super::picture::read(&view.inner(), page_width);
            glass.read(&label, code);
        })
    }

    /// Hears at once when the first page's process ends, and when the window goes out of sight or comes back: a page that stands still
    /// can't say that it is seen again. To be called on the main thread.
    pub(crate) fn listen(&self) {
        use gtk::{gdk::WindowState, prelude::WidgetExt};

        const OUT_OF_SIGHT: WindowState = WindowState::ICONIFIED.union(WindowState::WITHDRAWN);
        listen(&self.glass, self.window.as_ref());
        let glass = Arc::clone(&self.glass);
        match self.window.gtk_window() {
            Ok(window) => {
                window.connect_window_state_event(move |_, event| {
                    if event.changed_mask().intersects(OUT_OF_SIGHT) {
                        let visible = !event.new_window_state().intersects(OUT_OF_SIGHT);
                        tracing::info!(visible, "the window goes out of sight, or comes back");
                        glass.window_visible(visible);
                    }
                    glib::Propagation::Proceed
                });
            }
            Err(error) => tracing::warn!(%error, "whether the window is seen is known from its page alone"),
        }
    }
}

/// Moves a view from where tauri has put it to the bottom of the overlay, and shuts the ways out of its page.
#[cfg(target_os = "linux")]
fn put(overlay: &glib::SendWeakRef<gtk::Overlay>, view: &webkit2gtk::WebView, kiosk: bool) {
    use gtk::prelude::{Cast, ContainerExt, OverlayExt, WidgetExt};

    kiosk::close_ways_out(view, kiosk);
    let Some(overlay) = overlay.upgrade() else { return };
    if let Some(container) = view.parent().and_then(|parent| parent.downcast::<gtk::Container>().ok()) {
        container.remove(view);
    }
    overlay.add_overlay(view);
    overlay.reorder_overlay(view, 0);
}

/// Ends a page with its process, which may stand still: asking it would be in vain.
#[cfg(target_os = "linux")]
fn close_now(app: &AppHandle, label: &str) {
    use webkit2gtk::WebViewExt;

    let Some(page) = app.get_webview(label) else { return };
    let closed = page.with_webview(|view| view.inner().terminate_web_process()).and_then(|()| page.close());
    if let Err(error) = closed {
        tracing::error!(%error, "a page that was replaced can't be closed");
    }
}

#[cfg(target_os = "linux")]
fn listen(glass: &Arc<Glass>, page: &tauri::Webview) {
    let (glass, label) = (Arc::clone(glass), page.label().to_owned());
    let asked = page.with_webview(move |view| {
        use webkit2gtk::{WebProcessTerminationReason, WebViewExt};
        view.inner().connect_web_process_terminated(move |_, reason| {
            // Ended by us, and another one is on its way.
            if reason != WebProcessTerminationReason::TerminatedByApi {
                tracing::warn!(?reason, "the page's process has ended");
                glass.ended(&label);
            }
        });
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "the end of the page's process will be found by its silence only");
    }
}

#[cfg(not(target_os = "linux"))]
impl Views {
    pub(crate) fn new(window: &WebviewWindow, glass: &Arc<Glass>, url: &str, kiosk: bool) -> tauri::Result<Self> {
        Ok(Self { window: window.clone(), glass: Arc::clone(glass), url: url.to_owned(), kiosk })
    }

    /// One window has one page here: the program is started again in its place.
    pub(crate) fn open_beneath(&self, app: &AppHandle, label: String) -> tauri::Result<()> {
        tracing::warn!(url = self.url, "this system has no second page in one window");
        let _ = app;
        self.glass.ended(&label);
        Ok(())
    }

    pub(crate) fn swap(&self, _: &AppHandle, _: String, _: String) -> tauri::Result<()> {
        Ok(())
    }

    pub(crate) fn close(&self, _: &AppHandle, _: String) -> tauri::Result<()> {
        Ok(())
    }

    pub(crate) fn reload(&self, _: &AppHandle, _: &str) -> tauri::Result<()> {
        self.window.reload()
    }

    pub(crate) fn read(&self, _: &AppHandle, _: String, _: f64) -> tauri::Result<()> {
        Ok(())
    }

    pub(crate) fn listen(&self) {}
}

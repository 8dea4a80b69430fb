//! Ways by which a web view would show something that isn't the wall: all of them shut, with a kiosk or without one.

use gtk::{gdk, prelude::WidgetExt as _};
use webkit2gtk::{
    FileChooserRequestExt as _, PermissionRequestExt as _, UserContentInjectedFrames, UserContentManagerExt as _,
    UserStyleLevel, UserStyleSheet, WebViewExt as _,
};

/// What a kiosk's page looks like besides: nothing on it asks for a hand.
const STYLE: &str = "* { cursor: none !important; user-select: none !important; }";

/// Whether the page may go there: to itself alone.
pub(crate) fn is_own(url: &tauri::Url) -> bool {
    url.scheme() == "tauri" && url.host_str() == Some("localhost")
}

/// Shuts them. To be called on the main thread.
pub(crate) fn close_ways_out(view: &webkit2gtk::WebView, kiosk: bool) {
    // Its entries lead back, away, and to a reload.
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_script_dialog(|_, _| true);
    view.connect_print(|_, _| true);
    view.connect_permission_request(|_, request| {
        request.deny();
        true
    });
    view.connect_run_file_chooser(|_, request| {
        request.cancel();
        true
    });
    view.connect_show_notification(|_, _| true);
    // In place of the web engine's own page about it; whoever watches the page starts it anew.
    view.connect_load_failed(|_, _, url, error| {
        tracing::error!(url, %error, "the page can't be loaded");
        true
    });
    // A file or a link that is dropped is a page to go to.
    view.drag_dest_unset();
    view.connect_event(|_, event| {
        let zooms = matches!(event.event_type(), gdk::EventType::TouchpadPinch);
        if zooms { glib::Propagation::Stop } else { glib::Propagation::Proceed }
    });
    view.connect_scroll_event(|_, event| {
        let zooms = event.state().contains(gdk::ModifierType::CONTROL_MASK);
        if zooms { glib::Propagation::Stop } else { glib::Propagation::Proceed }
    });
    if kiosk && let Some(content) = view.user_content_manager() {
        let style = UserStyleSheet::new(STYLE, UserContentInjectedFrames::AllFrames, UserStyleLevel::User, &[], &[]);
        content.add_style_sheet(&style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall is one page: whatever it is led to is somewhere else.
    #[test]
    fn only_the_page_itself_is_its_own() {
        let own = |url: &str| is_own(&url.parse().expect("an address"));
        assert!(own("tauri://localhost/index.html?glass-code"));
        for other in
            ["https://localhost/", "tauri://elsewhere/", "file:///etc/passwd", "about:blank", "data:text/html,x"]
        {
            assert!(!own(other), "{other}");
        }
    }
}

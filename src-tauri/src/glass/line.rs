//! A line above the page, drawn by the window. To be used on the main thread.

use gtk::prelude::{BoxExt as _, CssProviderExt as _, LabelExt as _, StyleContextExt as _, WidgetExt as _};

/// Puts one into the window's column, above all that is there. It is hidden until it says something.
pub(crate) fn above(column: &gtk::Box, name: &str, style: &str) -> gtk::Label {
    let label = gtk::Label::new(None);
    label.set_widget_name(name);
    label.set_ellipsize(gtk::pango::EllipsizeMode::End);
    label.set_no_show_all(true);
    let provider = gtk::CssProvider::new();
    if let Err(error) = provider.load_from_data(format!("#{name} {{ {style} }}").as_bytes()) {
        tracing::warn!(%error, name, "a line above the page has no colours");
    }
    label.style_context().add_provider(&provider, gtk::STYLE_PROVIDER_PRIORITY_APPLICATION);
    column.pack_start(&label, false, true, 0);
    column.reorder_child(&label, 0);
    label
}

/// Lets it say this, as large as what the page says; nothing if it is empty. A twenty-fifth of the window's height is read from as far
/// as the page is.
pub(crate) fn say(label: &gtk::Label, text: &str) {
    let height = label.toplevel().map_or(0, |window| window.allocated_height());
    let size = (height / 32).max(14);
    label.set_attributes(Some(&sized(size)));
    label.set_height_request(height / 25);
    label.set_text(text);
    label.set_visible(!text.is_empty());
}

fn sized(pixels: i32) -> gtk::pango::AttrList {
    let list = gtk::pango::AttrList::new();
    list.insert(gtk::pango::AttrSize::new_size_absolute(pixels * gtk::pango::SCALE));
    list
}

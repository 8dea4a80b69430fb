//! The board as the page lays it out, from the board file.

use crate::{
    config::spec::{BoardFile, PageSpec, Theme, WidgetSpec},
    frame::{BoardView, PageView, Place, WidgetView},
};

pub(super) fn board_view(file: &BoardFile) -> BoardView {
    BoardView {
        title: file.board.title.clone(),
        timezone: file.board.timezone.clone(),
        language: file.board.language.map(str::to_owned),
        locale: file.board.locale.clone(),
        shifts: file.alarming.as_ref().map(|how| how.shifts.clone()),
        theme: match file.board.theme {
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
        .to_owned(),
        viewing_distance_mm: file.board.viewing_distance_mm,
        columns: file.board.columns,
        rows: file.board.rows,
        pages: file.pages.iter().map(page_view).collect(),
        widgets: file.widgets.iter().map(|widget| widget_view(widget, !file.pages.is_empty())).collect(),
        furniture: file.furniture.clone(),
    }
}

fn page_view(page: &PageSpec) -> PageView {
    let dwell_ms = u32::try_from(page.dwell.as_millis()).unwrap_or(u32::MAX);
    PageView { id: page.id.clone(), title: page.title.clone(), dwell_ms }
}

fn widget_view(widget: &WidgetSpec, has_pages: bool) -> WidgetView {
    WidgetView {
        id: widget.id.clone(),
        title: widget.title.clone(),
        note: widget.note.clone(),
        source: widget.source.clone(),
        page: u32::try_from(widget.page).ok().filter(|_| has_pages),
        // The file's reader gives every widget a place.
        place: widget.place.unwrap_or(Place { column: 1, row: 1, width: 1, height: 1 }),
        look: widget.look.clone(),
    }
}

//! The board as the page lays it out, from the board file.

use std::time::Duration;

use crate::{
    config::spec::{BoardFile, Draw, LookSpec, ReducerSpec, Theme, WidgetSpec},
    frame::{BoardView, Look, NumberLook, Place, WidgetView},
};

pub(super) fn board_view(file: &BoardFile) -> BoardView {
    BoardView {
        title: file.board.title.clone(),
        timezone: file.board.timezone.clone(),
        theme: match file.board.theme {
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
        .to_owned(),
        columns: file.board.columns,
        rows: file.board.rows,
        widgets: file.widgets.iter().map(widget_view).collect(),
    }
}

fn widget_view(widget: &WidgetSpec) -> WidgetView {
    WidgetView {
        id: widget.id.clone(),
        title: widget.title.clone(),
        note: widget.note.clone(),
        source: widget.source.clone(),
        // The file's reader gives every widget a place.
        place: widget.place.unwrap_or(Place { column: 1, row: 1, width: 1, height: 1 }),
        look: look(&widget.fold.reducer, &widget.look),
    }
}

fn look(reducer: &ReducerSpec, look: &LookSpec) -> Look {
    let number = |trend: &Option<Duration>| NumberLook {
        unit: look.unit.clone(),
        decimals: look.decimals,
        min: look.min,
        max: look.max,
        bands: look.bands.clone(),
        trend_ms: trend.map(millis),
    };
    match reducer {
        ReducerSpec::Counter { trend, .. } => Look::Counter(number(trend)),
        ReducerSpec::Gauge { trend, .. } => Look::Gauge(number(trend)),
        ReducerSpec::Rate { trend, .. } => Look::Rate(number(trend)),
        ReducerSpec::Window { trend, .. } => Look::Window(number(trend)),
        ReducerSpec::Table { limit, .. } => Look::Table { columns: look.columns.clone(), limit: *limit },
        ReducerSpec::Log { limit, .. } => Look::Log { limit: *limit },
        ReducerSpec::Series { bucket, keep, .. } => Look::Series {
            draw: match look.draw {
                Draw::Line => "line",
                Draw::Area => "area",
                Draw::Bars => "bars",
            }
            .to_owned(),
            unit: look.unit.clone(),
            decimals: look.decimals,
            keep_ms: millis(*keep),
            bucket_ms: millis(*bucket),
        },
        ReducerSpec::Status { .. } => Look::Status {},
        ReducerSpec::Markers { .. } => Look::Markers {
            bounds: look.bounds,
            places: look.places.clone(),
            glide_ms: u32::try_from(look.glide.as_millis()).unwrap_or(u32::MAX),
        },
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

//! The demo's board file.

use std::collections::BTreeSet;

use watchfloor_board::config::{self, spec::ReducerSpec};
use watchfloor_demo::{BOARD, timeline::CHANNELS};

const NAME: &str = "new-york-departures.toml";

#[test]
fn parses_and_knows_its_channels() {
    let board = config::parse(BOARD, NAME).unwrap_or_else(|errors| unreachable!("{errors}"));
    let channels: BTreeSet<_> = board.sources.iter().flat_map(|source| &source.channels).map(String::as_str).collect();
    assert_eq!(channels, BTreeSet::from(CHANNELS));
}

/// A wall without holes: every cell belongs to exactly one widget.
#[test]
fn fills_the_grid() {
    let board = config::parse(BOARD, NAME).unwrap_or_else(|errors| unreachable!("{errors}"));
    let mut cells = BTreeSet::new();
    for widget in &board.widgets {
        let place = widget.place.as_ref().unwrap_or_else(|| unreachable!("{} has no place", widget.id));
        for column in place.column..place.column + place.width {
            for row in place.row..place.row + place.height {
                assert!(cells.insert((column, row)), "{} covers column {column}, row {row} again", widget.id);
            }
        }
    }
    assert_eq!(cells.len(), (board.board.columns * board.board.rows) as usize);
}

/// The example shows what there is.
#[test]
fn uses_every_kind() {
    let board = config::parse(BOARD, NAME).unwrap_or_else(|errors| unreachable!("{errors}"));
    let kinds: BTreeSet<_> = board
        .widgets
        .iter()
        .map(|widget| match widget.fold.reducer {
            ReducerSpec::Counter { .. } => "counter",
            ReducerSpec::Gauge { .. } => "gauge",
            ReducerSpec::Rate { .. } => "rate",
            ReducerSpec::Window { .. } => "window",
            ReducerSpec::Table { .. } => "table",
            ReducerSpec::Log { .. } => "log",
            ReducerSpec::Series { .. } => "series",
            ReducerSpec::Status { .. } => "status",
            ReducerSpec::Markers { .. } => "markers",
        })
        .collect();
    assert_eq!(kinds.len(), 9, "{kinds:?}");
}

//! The stories' board files.

use std::collections::BTreeSet;

use watchfloor_board::config::{self, BoardFile, spec::ReducerSpec};
use watchfloor_demo::StoryName;

fn board(story: StoryName) -> BoardFile {
    config::parse(story.board(), story.board_name()).unwrap_or_else(|errors| unreachable!("{errors}"))
}

#[test]
fn parse_and_know_their_channels() {
    for name in StoryName::ALL {
        let (board, story) = (board(name), name.open().expect("a story"));
        let channels = board.sources.iter().flat_map(|source| &source.channels).map(String::as_str);
        assert_eq!(channels.collect::<BTreeSet<_>>(), story.channels().iter().copied().collect(), "{name}");
    }
}

/// A wall without holes: every cell belongs to exactly one widget.
#[test]
fn fill_the_grid() {
    for board in StoryName::ALL.map(board) {
        let mut cells = BTreeSet::new();
        for widget in &board.widgets {
            let place = widget.place.as_ref().unwrap_or_else(|| unreachable!("{} has no place", widget.id));
            for column in place.column..place.column + place.width {
                for row in place.row..place.row + place.height {
                    assert!(cells.insert((column, row)), "{} covers column {column}, row {row} again", widget.id);
                }
            }
        }
        assert_eq!(cells.len(), (board.board.columns * board.board.rows) as usize, "{}", board.board.title);
    }
}

/// The flights' board shows what can be made of events.
#[test]
fn the_flights_use_every_kind() {
    let board = board(StoryName::Flights);
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
            ReducerSpec::Histogram { .. } => "histogram",
            ReducerSpec::Status { .. } => "status",
            ReducerSpec::Tally { .. } => "tally",
            ReducerSpec::Matrix { .. } => "matrix",
            ReducerSpec::Timeline { .. } => "timeline",
            ReducerSpec::Markers { .. } => "markers",
        })
        .collect();
    assert_eq!(kinds.len(), 9, "{kinds:?}");
}

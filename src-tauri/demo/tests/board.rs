//! The stories' board files.

use std::{collections::BTreeSet, ops::Range};

use watchfloor_board::{
    config::{self, BoardFile, spec::ReducerSpec},
    frame::{FurnitureLook, FurnitureView},
};
use watchfloor_demo::StoryName;

fn board(story: StoryName) -> BoardFile {
    config::parse_beside(story.board(), story.board_name(), &|file| story.beside(file))
        .unwrap_or_else(|errors| unreachable!("{errors}"))
}

#[test]
fn parse_and_know_their_channels() {
    for name in StoryName::ALL {
        let (board, story) = (board(name), name.open().expect("a story"));
        let channels = board.sources.iter().flat_map(|source| &source.channels).map(String::as_str);
        assert_eq!(channels.collect::<BTreeSet<_>>(), story.channels().iter().copied().collect(), "{name}");
    }
}

/// A wall without holes: every cell of every page belongs to exactly one widget.
#[test]
fn fill_the_grid() {
    for board in StoryName::ALL.map(board) {
        let mut cells = BTreeSet::new();
        let mut stand = |id: &str, page: usize, columns: Range<u32>, rows: Range<u32>| {
            for column in columns {
                for row in rows.clone() {
                    assert!(cells.insert((page, column, row)), "{id} covers column {column}, row {row} again");
                }
            }
        };
        for widget in &board.widgets {
            let place = widget.place.as_ref().unwrap_or_else(|| unreachable!("{} has no place", widget.id));
            let (columns, rows) = (place.column..place.column + place.width, place.row..place.row + place.height);
            stand(&widget.id, widget.page, columns, rows);
        }
        for FurnitureView { id, page, place, .. } in &board.furniture {
            let (columns, rows) = (place.column..place.column + place.width, place.row..place.row + place.height);
            stand(id, *page as usize, columns, rows);
        }
        let pages = board.pages.len().max(1);
        assert_eq!(cells.len(), pages * (board.board.columns * board.board.rows) as usize, "{}", board.board.title);
    }
}

/// Read from three metres: no page has so much on it that its text would have to be smaller than that needs.
#[test]
fn no_page_is_crowded() {
    for board in StoryName::ALL.map(board) {
        for page in 0..board.pages.len() {
            let widgets = board.widgets.iter().filter(|widget| widget.page == page).count();
            assert!((3..=13).contains(&widgets), "{}: {widgets} on page {page}", board.board.title);
        }
    }
}

/// The boards of the stories show all that can be made of events, and what stands beside it.
#[test]
fn use_every_kind() {
    let boards = StoryName::ALL.map(board);
    let kinds: BTreeSet<_> = boards
        .iter()
        .flat_map(|board| &board.widgets)
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
    assert_eq!(kinds.len(), 13, "{kinds:?}");
    let furniture: BTreeSet<_> = boards
        .iter()
        .flat_map(|board| &board.furniture)
        .map(|one| match one.look {
            FurnitureLook::Text { .. } => "text",
            FurnitureLook::Clock { .. } => "clock",
            FurnitureLook::Countdown { .. } => "countdown",
        })
        .collect();
    assert_eq!(furniture.len(), 3, "{furniture:?}");
}

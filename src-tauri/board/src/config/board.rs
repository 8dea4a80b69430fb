//! `[board]`: what holds for the whole of it.

use toml::de::DeTable;

use super::{
    diagnostic::{Problem, Sink},
    grid::Cells,
    keys,
    spec::BoardSpec,
    table::{Node, TableReader, wrong_type},
};

pub(super) fn read_board(file: &DeTable<'_>, sink: &mut Sink<'_>) -> Option<BoardSpec> {
    let Some(value) = file.get("board") else {
        sink.report_absence(Problem {
            span: 0..0,
            message: "`[board]` is missing".to_owned(),
            found: "nothing".to_owned(),
            expected: "a table `[board]` with at least `title`".to_owned(),
            help: None,
        });
        return None;
    };
    if sink.is_damaged(&value.span()) {
        return None;
    }
    let node = Node { name: "board", value };
    if value.get_ref().is_array() {
        let help = Some("write `[board]`, with one bracket: a file has one board".to_owned());
        wrong_type(node, "one table `[board]`", help, sink);
        return None;
    }
    let reader = TableReader::open(node, &keys::BOARD, sink)?;
    reader.finish(sink);
    let title = reader.get(&keys::TITLE, sink);
    let timezone = reader.get(&keys::TIMEZONE, sink);
    let language = reader.optional(&keys::LANGUAGE, sink);
    let locale = reader.optional(&keys::LOCALE, sink);
    let theme = reader.get(&keys::THEME, sink);
    let night = reader.optional(&keys::NIGHT, sink);
    let grid = reader.get(&keys::GRID, sink);
    let stale_after = reader.get(&keys::STALE_AFTER, sink);
    let rotate = reader.get(&keys::ROTATE, sink);
    let viewing_distance_mm = reader.optional(&keys::VIEWING_DISTANCE, sink);
    let Cells { columns, rows } = grid?;
    Some(BoardSpec {
        title: title?,
        timezone: timezone?,
        language: language?,
        locale: locale?,
        theme: theme?,
        night: night?,
        viewing_distance_mm: viewing_distance_mm?,
        columns,
        rows,
        stale_after: stale_after?,
        rotate: rotate?,
    })
}

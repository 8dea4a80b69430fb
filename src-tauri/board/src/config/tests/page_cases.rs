//! `[[page]]`, and the widgets that stand on one.

use std::time::Duration;

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::frame::Place;

/// The small board with these pages before its source, and this after its widget.
fn with(pages: &str, widgets: &str) -> String {
    format!("{}{widgets}", SMALL.replacen("[[source]]", &format!("{pages}\n[[source]]"), 1))
}

const TWO: &str = "[[page]]\nid = \"a\"\n[[page]]\nid = \"b\"\ntitle = \"Beta\"\ndwell = \"1m\"\npriority = \"alarm\"";
const ON_B: &str = "[[widget]]\nid = \"x\"\nkind = \"counter\"\npage = \"b\"\n";

#[test]
fn pages_are_read() {
    let board = parse(&with(TWO, ON_B), "f").expect("a board");
    let (a, b) = (&board.pages[0], &board.pages[1]);
    assert_eq!((&*a.title, a.dwell, a.comes_on_alarm), ("a", Duration::from_secs(30), false));
    assert_eq!((&*b.title, b.dwell, b.comes_on_alarm), ("Beta", Duration::from_secs(60), true));
    assert_eq!(board.widgets.iter().map(|widget| widget.page).collect::<Vec<_>>(), [0, 1]);
    assert!(board.board.rotate);
    let board = parse(&SMALL.replacen("title = \"T\"", "title = \"T\"\nrotate = false", 1), "f").expect("a board");
    assert!(!board.board.rotate && board.pages.is_empty());
}

/// Each page has the whole grid.
#[test]
fn places_are_by_page() {
    let place = "place = { column = 1, row = 1, width = 2, height = 2 }\n";
    let board = parse(&with(TWO, &format!("{place}{ON_B}{place}")), "f").expect("a board");
    let same = Some(Place { column: 1, row: 1, width: 2, height: 2 });
    assert_eq!(board.widgets.iter().map(|widget| widget.place).collect::<Vec<_>>(), [same, same]);
    let own = place.replace("column = 1", "column = 2");
    check(
        &with(TWO, &format!("{place}{ON_B}{place}{}{own}", ON_B.replace("\"x\"", "\"y\""))),
        &[("28:9", "`place` of `[[widget]]` `y` overlaps that of `[[widget]]` `x`", "columns 1 to 2")],
    );
}

#[test]
fn bad_pages() {
    check_both(&with("[[page]]\ntitle = \"A\"", ""), &[("3:1", "`id` is missing in `[[page]]`", "")]);
    check(&with("[[page]]\nid = \"a\"\n[[page]]\nid = \"a\"", ""), &[("6:6", "two pages with the id `a`", "line 4")]);
    check(&with("[[page]]\nid = \"a\"\ndwell = \"5s\"", ""), &[("5:9", "", "15s to 1h")]);
    check_both(&with("[[page]]\nid = \"a\"\npriority = \"high\"", ""), &[("5:12", "", "`alarm`")]);
    check_both(&with("[page]\nid = \"a\"", ""), &[("3:1", "", "two brackets")]);
    check(&with(TWO, ""), &[("6:6", "nothing stands on the page `b`", "`page = \"b\"`")]);
    check(&with(TWO, &ON_B.replace("\"b\"", "\"bb\"")), &[("21:8", "unknown page `bb`", "did you mean `b`?")]);
    check(&format!("{SMALL}page = \"a\"\n"), &[("11:8", "unknown page `a`", "there is none")]);
}

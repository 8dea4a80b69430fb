//! Charts: lines of their own, axes, limits and marks.

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::{
    config::spec::{ReducerSpec, SeriesStat},
    frame::{Look, State},
};

/// A board with one chart that has these settings, from line 13 on.
fn chart(lines: &str) -> String {
    SMALL.replace("kind = \"counter\"", &format!("kind = \"series\"\nbucket = \"1m\"\nkeep = \"1h\"\n{lines}"))
}

#[test]
fn what_is_read() {
    let board = parse(
        &chart(
            "lines = [{ title = \"Heat\", stat = \"mean\", value = \"t\", where = { k = 1 } }, { title = \"Calls\", on = [\"b\", \"a\"], axis = \"right\" }]\n\
             unit = \"°C\"\ndecimals = 1\ntarget = 21\nbands = [{ from = 30, state = \"alarm\" }]\n\
             right = { unit = \"/min\", bands = [{ to = 1, state = \"warning\" }], target = 5 }\n\
             marks = { on = \"deploy.done\", label = \"{service}\", limit = 7 }",
        ),
        "f",
    )
    .unwrap_or_else(|errors| panic!("{errors}"));
    let ReducerSpec::Series { lines, marks: Some(marks), by: None, .. } = &board.widgets[0].fold.reducer else {
        panic!("no chart with marks")
    };
    assert_eq!((lines[0].title.as_str(), lines[0].stat, lines[0].only.len()), ("Heat", SeriesStat::Mean, 1));
    assert_eq!((lines[1].stat, &lines[1].on[..]), (SeriesStat::Count, &["a".to_owned(), "b".to_owned()][..]));
    assert_eq!((&marks.on[..], marks.limit), (&["deploy.done".to_owned()][..], 7));
    let Look::Series { unit, bands, target, lines, right: Some(right), .. } = &board.widgets[0].look else {
        panic!("no chart with two axes")
    };
    assert_eq!((unit.as_deref(), bands[0].state, *target), (Some("°C"), State::Alarm, Some(21.0)));
    assert_eq!((lines[0].right, lines[1].right), (false, true));
    assert_eq!((right.unit.as_deref(), right.bands[0].state, right.target), (Some("/min"), State::Warning, Some(5.0)));
}

/// Each axis has a scale of its own, whose ends are in order.
#[test]
fn a_scale_reaches_from_min_to_max() {
    let own = "min = 0\nmax = 1\nlines = [{ title = \"a\", axis = \"right\" }]\nright = { min = -5, max = 5 }";
    let board = parse(&chart(own), "f").unwrap_or_else(|errors| panic!("{errors}"));
    let Look::Series { min, max, right: Some(right), .. } = &board.widgets[0].look else { panic!("no chart") };
    assert_eq!((*min, *max, right.min, right.max), (Some(0.0), Some(1.0), Some(-5.0), Some(5.0)));
    check(&chart("min = 3\nmax = 3"), &[("14:7", "`max` is not above `min`", "found `min` 3 and `max` 3")]);
}

/// A line may be read at the right without more being said of that.
#[test]
fn the_right_axis_may_go_without_saying() {
    let board = parse(&chart("lines = [{ title = \"a\", axis = \"right\" }]"), "f").expect("a board");
    let Look::Series { right, .. } = &board.widgets[0].look else { panic!("no chart") };
    assert!(right.is_some());
    let Look::Series { right, bands, lines, .. } = &parse(&chart(""), "f").expect("a board").widgets[0].look.clone()
    else {
        panic!("no chart")
    };
    assert!(right.is_none() && bands.is_empty() && lines.is_empty());
}

#[test]
fn what_does_not_go_together() {
    check_both(
        &chart("stat = \"sum\"\nvalue = \"v\"\nlines = [{ title = \"a\" }]"),
        &[
            ("13:1", "`stat` has no use with `lines`", ""),
            ("14:1", "`value` has no use with `lines`", "in its own table"),
        ],
    );
    check_both(&chart("by = \"k\"\nlines = [{ title = \"a\" }]"), &[("13:1", "`by` has no use with `lines`", "")]);
    check(
        &chart("right = { unit = \"m\" }\nlines = [{ title = \"a\" }]"),
        &[("13:1", "`right` is the axis of no line", "`axis = \"right\"` in one of `lines`")],
    );
    check_both(&chart("right = { unit = \"m\" }"), &[("13:1", "`right` is the axis of no line", "")]);
    check(
        &chart("lines = [{ title = \"a\" }, { title = \"a\" }]"),
        &[("13:9", "two lines called `a`", "titles that tell the lines apart")],
    );
    check_both(
        &chart("lines = [{ title = \"a\", stat = \"mean\" }]"),
        &[("13:10", "`value` is missing", "the path of a value, for `stat = \"mean\"`")],
    );
    check_both(
        &chart("lines = [{ title = \"a\", value = \"v\" }]"),
        &[("13:25", "`value` has no use with `stat = \"count\"`", "a `stat` of `sum`, `mean`")],
    );
}

#[test]
fn what_is_no_value() {
    check_both(&chart("lines = []"), &[("13:9", "0 entries for `lines`", "1 to 12 tables")]);
    check_both(&chart("lines = [{ on = \"a\" }]"), &[("13:10", "`title` is missing", "")]);
    check_both(
        &chart("lines = [{ title = \"a\", axis = \"rigt\" }]"),
        &[("13:32", "unknown word `rigt` for `axis`", "did you mean `right`?")],
    );
    check_both(&chart("marks = { label = \"{a}\" }"), &[("13:9", "`on` is missing", "")]);
    check_both(&chart("marks = { on = \"a\", limit = 0 }"), &[("13:29", "out of range", "from 1 to 100")]);
    check(&chart("marks = { on = \"deploy.*\" }"), &[("13:24", "'*' is not allowed here", "")]);
    check_both(
        &chart("marks = \"deploy\""),
        &[("13:9", "wrong type", "a table with `on`, `where`, `label` or `limit`")],
    );
    check_both(
        &chart("right = { unit = \"m\", draw = \"bars\" }\nlines = [{ title = \"a\", axis = \"right\" }]"),
        &[("13:23", "unknown key `draw` in `right`", "")],
    );
    check(&chart("bands = [{ from = 3, to = 2, state = \"alarm\" }]"), &[("13:10", "a band without extent", "")]);
}

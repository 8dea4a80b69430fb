//! Settings of a tally that go together, and those that don't.

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::frame::{BarOrder, Look, TallyLook};

/// A board with one tally that has these settings, from line 12 on.
fn tally(lines: &str) -> String {
    SMALL.replace("kind = \"counter\"", &format!("kind = \"tally\"\nby = \"k\"\n{lines}"))
}

fn look(lines: &str) -> TallyLook {
    let board = parse(&tally(lines), "f").expect("a board");
    let Look::Tally(look) = &board.widgets[0].look else { panic!("no tally") };
    look.clone()
}

#[test]
fn what_is_read() {
    let plain = look("");
    assert_eq!((plain.order, plain.target, plain.adds), (BarOrder::Largest, None, true));
    let own = look(
        "order = \"key\"\ntarget = 4\ntargets = { a = -2.5, \"b c\" = 3 }\nstat = \"mean\"\nvalue = \"v\"\nmin = -3",
    );
    assert_eq!((own.order, own.target, own.min, own.adds), (BarOrder::Key, Some(4.0), Some(-3.0), false));
    assert_eq!(own.targets, [("a".to_owned(), -2.5), ("b c".to_owned(), 3.0)].into());
}

#[test]
fn what_does_not_go_together() {
    check(
        &tally("last = \"1h\"\nreset = \"daily 00:00\""),
        &[("13:1", "`reset` and `last` say in two ways what counts", "one of them")],
    );
    check(&tally("min = 5"), &[("12:7", "a bar begins at zero, which `min` leaves out", "zero or less")]);
    check(&tally("max = -1"), &[("12:7", "a bar begins at zero, which `max` leaves out", "zero or more")]);
    check(&tally("min = 0\nmax = 0"), &[("13:7", "`max` is not above `min`", "")]);
    check(&tally("stat = \"mean\""), &[("8:1", "`value` is missing", "")]);
    check(&tally("stat = \"p99\"\nvalue = \"v\""), &[("12:8", "unknown word `p99`", "`share`")]);
}

#[test]
fn what_is_no_value() {
    check_both(&tally("targets = 3"), &[("12:11", "", "a table of categories and numbers")]);
    check_both(&tally("targets = { a = \"3\" }"), &[("12:17", "", "a number")]);
    check(&tally("targets = {}"), &[("12:11", "0 categories", "1 to 100 categories")]);
    check_both(&tally("categories = []"), &[("12:14", "0 categories", "1 to 100 categories")]);
    check_both(&tally("order = \"size\""), &[("12:9", "unknown word `size`", "`largest`, `smallest` or `key`")]);
}

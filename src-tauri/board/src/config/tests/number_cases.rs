//! Settings of a number that go together, and those that don't.

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::frame::{Better, NumberDraw, NumberLook};

/// A board with one counter that has these settings, from line 11 on.
fn counter(lines: &str) -> String {
    SMALL.replace("kind = \"counter\"", &format!("kind = \"counter\"\n{lines}"))
}

fn look(text: &str) -> NumberLook {
    let board = parse(text, "f").expect("a board");
    board.widgets[0].look.number().expect("a number").clone()
}

#[test]
fn what_is_read() {
    let number =
        look(&counter("trend = \"1h\"\ndigits = 3\nmin = 0\nmax = 1\ntarget = 0.8\nbetter = \"up\"\ndraw = \"bar\""));
    assert_eq!((number.digits, number.decimals), (Some(3), 0));
    assert_eq!((number.target, number.better, number.draw), (Some(0.8), Some(Better::Up), Some(NumberDraw::Bar)));
    let plain = look(SMALL);
    assert_eq!((plain.target, plain.better, plain.draw), (None, None, Some(NumberDraw::Figure)));
    let gauge = "kind = \"gauge\"\nvalue = \"a\"";
    assert_eq!(look(&SMALL.replace("kind = \"counter\"", gauge)).draw, Some(NumberDraw::Scale));
    for kind in ["rate\"\nlast = \"1h\"\nper = \"1h\"", "window\"\nlast = \"1h\"", "gauge\"\nvalue = \"a\""] {
        let lines =
            format!("kind = \"{kind}\ntrend = \"1h\"\ntarget = 3\nbetter = \"down\"\ndigits = 2\ndraw = \"figure\"");
        let number = look(&SMALL.replace("kind = \"counter\"", &lines));
        assert_eq!((number.target, number.better, number.digits), (Some(3.0), Some(Better::Down), Some(2)));
    }
}

#[test]
fn what_does_not_go_together() {
    check_both(
        &counter("decimals = 1\ndigits = 3"),
        &[("12:1", "`digits` and `decimals` say the same in two ways", "one of them")],
    );
    check_both(
        &counter("better = \"up\""),
        &[("11:1", "`better` has no use without `trend`", "it judges the change within `trend`")],
    );
    check_both(
        &counter("draw = \"bar\"\nmax = 3"),
        &[("8:1", "`min` is missing", "an end of the scale, for `draw = \"bar\"`")],
    );
    check_both(&counter("draw = \"bar\""), &[("8:1", "`min` is missing", ""), ("8:1", "`max` is missing", "")]);
    check(
        &counter("min = 0\nmax = 80\ntarget = 90"),
        &[("13:10", "`target` is not on the scale", "found 90, with `min` 0 and `max` 80")],
    );
    check(&counter("min = 5\ntarget = 4"), &[("12:10", "`target` is not on the scale", "found 4, with `min` 5")]);
    // Of a scale that is none only that is said.
    check(&counter("min = 5\nmax = 4\ntarget = 9"), &[("12:7", "`max` is not above `min`", "")]);
}

#[test]
fn what_is_no_value() {
    check_both(&counter("digits = 0"), &[("11:10", "out of range", "from 1 to 6")]);
    check_both(&counter("digits = 7"), &[("11:10", "out of range", "from 1 to 6")]);
    check_both(&counter("target = \"80\""), &[("11:10", "wrong type for `target`", "write 80 without quotes")]);
    check_both(
        &counter("trend = \"1h\"\nbetter = \"upp\""),
        &[("12:10", "unknown word `upp` for `better`", "did you mean `up`?")],
    );
    check_both(&counter("draw = \"barr\""), &[("11:8", "unknown word `barr` for `draw`", "did you mean `bar`?")]);
    check_both(
        &SMALL.replace("kind = \"counter\"", "kind = \"log\"\ntext = \"a\"\ntarget = 3"),
        &[("12:1", "unknown key `target`", "")],
    );
}

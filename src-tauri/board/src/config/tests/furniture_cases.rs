//! Furniture: what is read, and what is said of what can't be.

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
    page::json,
    validator,
};
use watchfloor_model::{Mono, Timestamp};

use crate::{
    Board,
    frame::{After, Align, ClockZone, Frame, FurnitureLook, FurnitureView, TextBlock, TextSpan, Until},
};

/// A board with a piece of furniture besides its widget; its lines begin in line 12.
fn with(kind: &str, lines: &str) -> String {
    in_zone("UTC", kind, lines)
}

fn in_zone(zone: &str, kind: &str, lines: &str) -> String {
    let board = SMALL.replace("title = \"T\"", &format!("title = \"T\"\ntimezone = \"{zone}\""));
    format!("{board}[[widget]]\nid = \"f\"\nkind = \"{kind}\"\n{lines}\n")
}

fn read(text: &str) -> FurnitureView {
    let board = parse(text, "f").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(validator::faults(&schema(), &json(text)), Vec::<String>::new(), "{text}");
    assert_eq!((board.widgets.len(), board.furniture.len()), (1, 1), "furniture is no widget");
    board.furniture.into_iter().next().expect("furniture")
}

fn until(zone: &str, lines: &str) -> Until {
    match read(&in_zone(zone, "countdown", lines)).look {
        FurnitureLook::Countdown { until, .. } => until,
        other => panic!("{other:?}"),
    }
}

fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("an instant").as_millisecond()
}

#[test]
fn texts() {
    let view = read(&with("text", "text = \"\"\"\n# Shift\n- *one*\n\"\"\"\nalign = \"center\""));
    assert_eq!((view.id.as_str(), view.title, view.note), ("f", None, None));
    let span = |text: &str, italic| TextSpan { text: text.to_owned(), italic, ..TextSpan::default() };
    let blocks = vec![
        TextBlock::Heading { level: 1, spans: vec![span("Shift", false)] },
        TextBlock::Item { depth: 0, number: None, spans: vec![span("one", true)] },
    ];
    assert_eq!(view.look, FurnitureLook::Text { blocks, align: Align::Center });
    let titled = read(&with("text", "title = \"Notes\"\nnote = \"of today\"\ntext = \"x\""));
    assert_eq!((titled.title.as_deref(), titled.note.as_deref()), (Some("Notes"), Some("of today")));

    check_both(&with("text", ""), &[("12:1", "`text` is missing", "Markdown of 1 to 4000 characters")]);
    check_both(&with("text", "text = 5"), &[("15:8", "wrong type for `text`", "write it in quotes")]);
    check(&with("text", "text = \" \""), &[("15:8", "nothing to be read", "Markdown")]);
    check_both(&with("text", &format!("text = \"{}\"", "é".repeat(4_001))), &[("15:8", "too long a text", "4000")]);
    read(&with("text", &format!("text = \"{}\"", "é".repeat(4_000))));
    check(&with("text", "text = \"a\\u0007b\""), &[("15:10", "control character in `text`", "")]);
    check(
        &with("text", "text = \"a <b>c</b>\""),
        &[("15:8", "HTML in `text`: found `<b>`", "where a sign is meant, write `\\<`")],
    );
    check(&with("text", "text = \"![x](y.png)\""), &[("15:8", "an image in `text`", "without HTML and images")]);
    check_both(&with("text", "text = \"x\"\nalign = \"centre\""), &[("16:9", "unknown word `centre`", "`center`")]);
}

#[test]
fn clocks() {
    let zone = |zone: &str, name: &str| ClockZone { zone: zone.to_owned(), name: name.to_owned() };
    let lines =
        "zones = [{ zone = \"asia/tokyo\" }, { zone = \"America/New_York\" }, { zone = \"UTC\", name = \"Zulu\" }]";
    let view = read(&with("clock", &format!("{lines}\nseconds = true")));
    assert_eq!(view.title.as_deref(), Some("f"));
    let zones = vec![zone("Asia/Tokyo", "Tokyo"), zone("America/New_York", "New York"), zone("UTC", "Zulu")];
    assert_eq!(view.look, FurnitureLook::Clock { zones, seconds: true, date: false });
    let own = read(&in_zone("Europe/Zurich", "clock", "date = true")).look;
    assert_eq!(own, FurnitureLook::Clock { zones: vec![zone("Europe/Zurich", "Zurich")], seconds: false, date: true });

    check(
        &with("clock", "zones = [{ zone = \"Asia/Tokio\" }]"),
        &[("15:19", "unknown time zone for `zone`: found \"Asia/Tokio\"", "did you mean `Asia/Tokyo`?")],
    );
    check_both(&with("clock", "zones = []"), &[("15:9", "0 entries for `zones`", "1 to 8 tables")]);
    let nine = ["{ zone = \"UTC\" }"; 9].join(", ");
    check_both(&with("clock", &format!("zones = [{nine}]")), &[("15:9", "9 entries for `zones`", "1 to 8 tables")]);
    check_both(&with("clock", "zones = [{ name = \"x\" }]"), &[("15:10", "`zone` is missing in `zones`", "")]);
    check_both(&with("clock", "zones = [\"UTC\"]"), &[("15:10", "wrong type for `zones`", "a table with `zone`")]);
    check_both(&with("clock", "zones = { zone = \"UTC\" }"), &[("15:9", "wrong type for `zones`", "square brackets")]);
    check_both(&with("clock", "seconds = \"yes\""), &[("15:11", "wrong type for `seconds`", "`true` or `false`")]);
    check_both(
        &with("clock", "zone = \"UTC\""),
        &[("15:1", "unknown key `zone` in `[[widget]]` `f`", "belongs to `zones`")],
    );
}

#[test]
fn countdowns() {
    let once = |to: &str, from: Option<&str>, after| Until::Once { to_ms: ms(to), from_ms: from.map(ms), after };
    // By the board's zone, in winter and in summer.
    assert_eq!(
        until("Europe/Zurich", "to = \"2026-12-24T18:00\"\nfrom = \"2026-07-01T00:00:30\""),
        once("2026-12-24T17:00:00Z", Some("2026-06-30T22:00:30Z"), After::Stay)
    );
    assert_eq!(
        until("UTC", "to = \"2026-12-24T18:00\"\nafter = \"up\""),
        once("2026-12-24T18:00:00Z", None, After::Up)
    );
    // An hour that comes twice: its first one.
    assert_eq!(
        until("Europe/Zurich", "to = \"2026-10-25T02:30\"\nafter = \"hide\""),
        once("2026-10-25T00:30:00Z", None, After::Hide)
    );
    assert_eq!(
        until("Europe/Zurich", "daily = \"06:00\"\nfrom = \"22:00\""),
        Until::Daily { minutes: 360, from_minutes: Some(1_320) }
    );
    let look = read(&with("countdown", "daily = \"00:00\"\nwarning-at = \"1h\"\nalarm-at = \"5m\"")).look;
    let daily = Until::Daily { minutes: 0, from_minutes: None };
    assert_eq!(look, FurnitureLook::Countdown { until: daily, warning_ms: Some(3_600_000), alarm_ms: Some(300_000) });

    let bad = |lines: &str| with("countdown", lines);
    check_both(&bad(""), &[("12:1", "`to` is missing", "`to` or `daily`")]);
    check_both(&bad("to = \"2026-12-24T18:00\"\ndaily = \"06:00\""), &[("16:1", "`to` and `daily`", "one of them")]);
    for to in ["2026-12-24", "18:00", "2026-12-24T18:00Z", "2026-02-30T18:00", "1999-01-01T00:00", "tomorrow"] {
        check(&bad(&format!("to = \"{to}\"")), &[("15:6", "no date with a time for `to`", "`2026-12-24T18:00`")]);
    }
    check(&bad("to = 2026-12-24T18:00:00"), &[("15:6", "wrong type for `to`", "write it in quotes")]);
    for daily in ["24:00", "6:00", "06:60", "daily 06:00", "06:00:00", ""] {
        check(&bad(&format!("daily = \"{daily}\"")), &[("15:9", "no time of day for `daily`", "`00:00` to `23:59`")]);
    }
    check(
        &in_zone("Europe/Zurich", "countdown", "to = \"2026-03-29T02:30\""),
        &[("15:6", "a time that the clocks skip in Europe/Zurich", "found 2026-03-29T02:30:00")],
    );
    check(
        &bad("to = \"2026-12-24T18:00\"\nfrom = \"2026-12-24T18:00\""),
        &[("16:8", "`from` is not before `to`", "an instant before `to`")],
    );
    check(
        &bad("to = \"2026-12-24T18:00\"\nfrom = \"06:00\""),
        &[("16:8", "a time of day for `from`", "a date and a time, as in `to`")],
    );
    check(
        &bad("daily = \"06:00\"\nfrom = \"2026-12-24T18:00\""),
        &[("16:8", "a date for `from`", "a time of day, as in `daily`")],
    );
    check(&bad("daily = \"06:00\"\nfrom = \"06:00\""), &[("16:8", "`from` is the time of `daily`", "another time")]);
    check(&bad("daily = \"06:00\"\nfrom = \"six\""), &[("16:8", "no beginning for `from`", "or a time of day")]);
    check_both(
        &bad("daily = \"06:00\"\nafter = \"up\""),
        &[("16:1", "`after` has no use with `daily`", "it left out")],
    );
    check(
        &bad("daily = \"06:00\"\nwarning-at = \"5m\"\nalarm-at = \"5m\""),
        &[("17:12", "`alarm-at` is not below `warning-at`", "less time left")],
    );
    check(&bad("daily = \"06:00\"\nwarning-at = \"0s\""), &[("16:14", "out of range", "1s to 31d")]);
}

/// What belongs to a widget of data is refused, with where it belongs, for every kind of furniture.
#[test]
fn furniture_shows_nothing_of_a_source() {
    for (kind, lines) in [("text", "text = \"x\""), ("clock", ""), ("countdown", "daily = \"06:00\"")] {
        for (key, value) in [
            ("source", "\"s\""),
            ("channels", "\"c\""),
            ("on", "\"a\""),
            ("where", "{ a = 1 }"),
            ("stale-after", "\"9s\""),
        ] {
            check_both(
                &with(kind, &format!("{key} = {value}\n{lines}")),
                &[("15:1", &format!("`{key}` has no use with kind `{kind}`"), "nothing of a source is shown")],
            );
        }
        check_both(
            &with(kind, &format!("bands = []\n{lines}")),
            &[("15:1", "unknown key `bands`", "`bands` belongs to kind `counter`")],
        );
        let alone = with(kind, lines).replace("[[widget]]\nid = \"w\"\nkind = \"counter\"\n", "");
        check(&alone, &[("9:1", "no widget shows anything of a source", "found furniture alone")]);
    }
    check_both(
        &SMALL.replace("kind = \"counter\"", "kind = \"counter\"\nalarm-at = \"5m\""),
        &[("11:1", "unknown key `alarm-at`", "belongs to kind `countdown`")],
    );
    check_both(
        &SMALL.replace("kind = \"counter\"", "kind = \"clok\"\nseconds = true"),
        &[("10:8", "unknown word `clok`", "did you mean `clock`?")],
    );
}

/// Ids are unique over widgets and furniture, and so are cells.
#[test]
fn furniture_stands_among_widgets() {
    let text = with("clock", "");
    check(&text.replace("\"f\"", "\"w\""), &[("13:6", "two widgets with the id `w`", "the first is in line 10")]);
    let place = "place = { column = 1, row = 1, width = 3, height = 2 }";
    let placed = text.replace("id = \"w\"", &format!("id = \"w\"\n{place}"));
    check(
        &format!("{placed}{place}\n"),
        &[("17:9", "`place` of `[[widget]]` `f` overlaps that of `[[widget]]` `w`", "cells outside columns 1 to 3")],
    );
    let board = parse(&placed, "f").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((board.furniture[0].place.column, board.furniture[0].place.row), (4, 1));
    assert_eq!(board.widgets[0].place.map(|place| place.width), Some(3));
    // In the file's order, whichever comes first.
    let first = SMALL.replace("[[widget]]", "[[widget]]\nid = \"f\"\nkind = \"clock\"\n[[widget]]");
    let board = parse(&first, "f").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((board.furniture[0].place.column, board.widgets[0].place.map(|place| place.column)), (1, Some(4)));
}

/// The page gets it with the board, and nothing of it with the frames, neither a value nor a quality; a record has it, and one from
/// before there was any is read.
#[test]
fn furniture_comes_with_the_board() {
    let file = parse(&with("countdown", "daily = \"06:00\""), "f").unwrap_or_else(|errors| panic!("{errors}"));
    let now = Mono::from_millis(1_000);
    let mut board = Board::new(file, now);
    let whole = board.frame(0, 0, now, Timestamp::default());
    assert_eq!((whole.widgets.len(), board.levels().len()), (1, 1));
    assert_eq!(whole.board.as_ref().map(|view| view.furniture.len()), Some(1));
    let next = board.frame(whole.version, whole.revision, now, Timestamp::default());
    assert_eq!((next.board, next.widgets.len()), (None, 1));

    let record = serde_json::to_value(&whole).expect("JSON");
    assert_eq!(serde_json::from_value::<Frame>(record.clone()).expect("a frame"), whole);
    let mut older = record;
    older["board"].as_object_mut().expect("a board").remove("furniture");
    let older: Frame = serde_json::from_value(older).expect("a frame");
    assert_eq!(older.board.map(|view| view.furniture), Some(Vec::new()));
}

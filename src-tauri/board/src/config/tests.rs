//! Whole files: what is read, and what is said of what can't be.

mod alarm_cases;
mod cases;
mod chart_cases;
mod furniture_cases;
mod header_cases;
mod number_cases;
mod page;
mod page_cases;
mod syntax_cases;
mod tally_cases;
mod validator;
mod way_cases;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::{
    spec::{ReducerSpec, SourceTransport, Theme, WidgetSpec},
    *,
};
use crate::frame::{Look, Place, State};

/// As small as a file can be.
const SMALL: &str = r#"[board]
title = "T"
[[source]]
id = "s"
kind = "hub"
url = "http://h"
channels = ["c"]
[[widget]]
id = "w"
kind = "counter"
"#;

/// A file with much in it.
const SOUND: &str = r#"
[board]
title = "New York departures"
timezone = "america/new_york"
grid = { columns = 12, rows = 8 }
theme = "light"
stale-after = "10s"

[[source]]
id = "ops"
title = "Operations"
kind = "hub"
url = "http://127.0.0.1:8787"
channels = ["weather", "flights"]
transport = "sse"
quiet = "45s"
reconcile = "90s"

[[widget]]
id = "cancelled-today"
title = "Cancelled today"
kind = "counter"
source = "ops"
on = ["flight.cancelled", "flight.*"]
where = { origin = "EWR", "stops[0].name" = ["B", "A"], flight.number = 15.0 }
reset = "daily 05:30"
trend = "4h"
stale-after = "30s"
place = { column = 4, row = 1, width = 3, height = 2 }
bands = [{ from = 10, state = "alarm" }, { to = 10, state = "warning" }]

[[widget]]
id = "board"
kind = "table"
channels = "flights"
key = "flight"
columns = [{ path = "sched", title = "Time", format = "time" }, { path = "dest_name", width = 2 }]
sort = "-sched"
state = "status"
states = { cancelled = "alarm", departed = "muted" }
expire-at = "off_board"

[[widget]]
id = "map"
kind = "markers"
key = '["odd key"]'
lat = "lat"
lon = "lon"
remove-on = ["b", "a"]
"#;

fn sound(text: &str) -> BoardFile {
    parse(text, "board.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// A file becomes what it says, with defaults where it says nothing, in a canonical form where order says nothing.
#[test]
fn reads_a_sound_file() {
    let BoardFile { board, sources, widgets, .. } = sound(SOUND);
    assert_eq!((board.title.as_str(), board.timezone.as_str()), ("New York departures", "America/New_York"));
    assert_eq!((board.theme, board.columns, board.rows), (Theme::Light, 12, 8));
    assert_eq!(sources[0].transport, SourceTransport::Sse);
    assert_eq!(sources[0].quiet, Some(Duration::from_secs(45)));
    assert_eq!(sources[0].reconcile, Some(Duration::from_secs(90)));
    let [counter, table, map]: [WidgetSpec; 3] = widgets.try_into().expect("three widgets");

    assert_eq!(counter.stale_after, Duration::from_secs(30));
    assert_eq!(counter.look.number().expect("a number").bands[0].state, State::Warning);
    assert_eq!(
        serde_json::to_value(&counter.fold).expect("JSON"),
        json!({
            "channels": ["flights", "weather"], "on": ["flight.*", "flight.cancelled"],
            "where": {"flight.number": [15], "origin": ["EWR"], "stops[0].name": ["A", "B"]},
            "timezone": "America/New_York",
            "reducer": {"kind": "counter", "stat": "count", "value": null, "match": {}, "reset-daily-minutes": 330,
                "trend": 14_400_000},
        })
    );

    assert_eq!((table.title.as_str(), table.source.as_str()), ("board", "ops"));
    assert_eq!((table.stale_after, table.fold.timezone.as_str()), (Duration::from_secs(10), ""));
    assert_eq!(table.fold.channels, ["flights"]);
    let Look::Table { columns, .. } = table.look else { panic!("table") };
    assert_eq!(columns[1].title, "dest_name");
    let ReducerSpec::Table { sort, descending, limit, expire, state, .. } = table.fold.reducer else { panic!("table") };
    assert_eq!(
        (sort.map(|path| path.to_string()).as_deref(), descending, limit, expire),
        (Some("sched"), true, 100, None)
    );
    assert_eq!(state.map(|state| state.states["departed"]), Some(State::Muted));

    let ReducerSpec::Markers { key, remove_on, .. } = map.fold.reducer else { panic!("markers") };
    assert_eq!((key.to_string().as_str(), remove_on), ("[\"odd key\"]", vec!["a".to_owned(), "b".to_owned()]));
    let Look::Markers { bounds, glide_ms, .. } = map.look else { panic!("markers") };
    assert_eq!((bounds, glide_ms), ([-180.0, -60.0, 180.0, 80.0], 1000));
}

/// Widgets without a place get free cells, never another's, and what is left beside them.
#[test]
fn lays_out_what_has_no_place() {
    let places: Vec<Option<Place>> = sound(SOUND).widgets.iter().map(|widget| widget.place).collect();
    let place = |column, row, width, height| Some(Place { column, row, width, height });
    // The one in the corner takes the room that is left below it.
    assert_eq!(places, [place(4, 1, 3, 2), place(7, 1, 6, 6), place(1, 3, 6, 4)]);
}

/// `*` alone stands for every event, as no `on` at all: one fold, one fingerprint.
#[test]
fn every_event_is_said_in_one_way() {
    let star = format!("{SMALL}on = [\"a\", \"*\"]\n");
    assert_eq!(sound(&star).widgets[0].fold, sound(SMALL).widgets[0].fold);
}

/// Bad input: a byte order mark and CRLF are no errors and move no column.
#[test]
fn line_ends_and_marks_do_not_matter() {
    let windows = format!("\u{feff}{}", SOUND.replace('\n', "\r\n"));
    assert_eq!(sound(&windows), sound(SOUND));
    let bad = |text: &str| parse(text, "a").expect_err("bad").lines();
    let (faulty, windows) = (SOUND.replace("trend", "trnd"), windows.replace("trend", "trnd"));
    assert_eq!(bad(&faulty), bad(&windows));
}

/// H8: what may be a secret is not repeated, in no form of an error.
#[test]
fn secrets_are_not_repeated() {
    for line in
        ["url = \"http://me:hunter2@h\"", "url = \"ftp://me:hunter2@h\"", "url = \"http://h\"\ntoken = \"hunter2\""]
    {
        let errors = parse(&SMALL.replace("url = \"http://h\"", line), "a").expect_err(line);
        let all = format!("{errors} {:?}", errors.lines());
        assert!(!all.contains("hunter2"), "{all}");
    }
}

/// H5: however many errors a file has, a bounded number is kept, and the rest counted.
#[test]
fn errors_are_bounded() {
    let many: String = (0..5_000).map(|number| format!("key{number} = 1\n")).collect();
    let errors = parse(&format!("{SMALL}{many}"), "a").expect_err("many");
    assert_eq!((errors.as_slice().len(), errors.count()), (DIAGNOSTICS_MAX, 5_000));
    assert_eq!(errors.lines().last().map(String::as_str), Some("a: 4900 more errors"));
}

/// A file's parts, to be put together in ways that nobody would.
fn fragments() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = SOUND.lines().chain(SMALL.lines()).collect();
    let strange = prop::sample::select(vec![
        "[[",
        "]",
        "}",
        "{",
        "\"",
        "'",
        "\"\"\"",
        "=",
        ",",
        "[[widget]]",
        "[widget]",
        "a.b.c = 1",
        "where.a.b = 2",
        "\u{feff}",
        "\r",
        "\0",
        "é",
        "\u{1f600}",
        "on = \"\\u00e9..*\"",
        "1979-05-27",
        "0x10",
        "1e999",
        "nan",
        "-inf",
        "[board.grid]",
        "[[source.id]]",
    ]);
    let line = prop_oneof![4 => prop::sample::select(lines), 2 => strange];
    prop::collection::vec((line, prop::sample::select(vec!["\n", "", " ", "\r\n"])), 0..60)
        .prop_map(|parts| parts.into_iter().map(|(line, end)| format!("{line}{end}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Bad input: no text makes it panic, and each error stands somewhere in the text.
    #[test]
    fn never_panics(text in prop_oneof![fragments(), any::<String>()]) {
        if let Err(errors) = parse(&text, "a") {
            prop_assert!(!errors.as_slice().is_empty());
            let _ = errors.to_string();
            let lines = text.split('\n').count();
            prop_assert!(errors.as_slice().iter().all(|error| error.line <= lines && error.column >= 1));
        }
    }

    /// Bad input: a file with one place changed is read or refused, without a panic.
    #[test]
    fn survives_mutation(at in 0..SOUND.len(), length in 0_usize..30, new in "(\\PC|[\"'{}\\[\\]=\n.]){0,6}") {
        let mut text = SOUND.to_owned();
        let end = (at + length).min(text.len());
        text.replace_range(at..end, &new);
        if let Err(errors) = parse(&text, "a") {
            prop_assert!(!errors.to_string().is_empty());
        }
    }
}

/// H5: no more is taken than a board file may have, though what is named has no end.
#[test]
fn a_file_without_end_is_refused() {
    use std::io::{self, ErrorKind};

    let kind = |file: Box<dyn io::Read>| text_of(file).expect_err("no board file").kind();
    assert_eq!(kind(Box::new(io::repeat(b'#'))), ErrorKind::FileTooLarge);
    assert_eq!(kind(Box::new(&[b'#', 0xff][..])), ErrorKind::InvalidData);
    assert_eq!(text_of(&b"# a board"[..]).expect("text"), "# a board");
}

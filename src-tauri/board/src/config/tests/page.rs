//! The schema and the reference page say what the decoder does.

use std::{collections::BTreeSet, fs, path::Path};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::Value;
use toml::de::DeTable;
use watchfloor_settings::{diagnostic::Sink, syntax, text::SourceText};

use super::{super::*, SMALL, SOUND, validator};
use crate::config::{
    keys,
    table::{TableShape, to_json},
};

/// Set to write the generated parts again.
const REFRESH: &str = "WATCHFLOOR_REFRESH";

fn docs(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// The text of a file in `docs`, with LF as its line ends.
fn read(name: &str) -> String {
    fs::read_to_string(docs(name)).unwrap_or_default().replace("\r\n", "\n")
}

/// Fails unless the file says `fresh`, or writes it if that is asked for.
fn keep_fresh(name: &str, fresh: &str) {
    if read(name) == fresh {
        return;
    }
    assert!(std::env::var_os(REFRESH).is_some(), "docs/{name} is stale: run the tests with {REFRESH}=1");
    fs::write(docs(name), fresh).expect("write");
}

/// A file that an example names.
fn beside(file: &str) -> Result<String, String> {
    fs::read_to_string(docs("../examples").join(file)).map_err(|error| error.to_string())
}

/// Every ```toml block of the page.
fn examples(page: &str) -> Vec<String> {
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// An example with the tables that it leaves to others.
fn completed(example: &str) -> String {
    let mut whole = String::new();
    if !example.contains("[board]") {
        whole.push_str("[board]\ntitle = \"x\"\n");
    }
    if !example.contains("[[source]]") {
        whole.push_str("[[source]]\nid = \"x\"\nkind = \"hub\"\nurl = \"http://x\"\nchannels = [\"x\"]\n");
    }
    whole.push_str(example);
    // Furniture doesn't stand alone.
    let shows = |kind: &&widget_kind::KindShape| example.contains(&format!("kind = \"{}\"", kind.name));
    if !widget_kind::KINDS.iter().any(shows) {
        whole.push_str("[[widget]]\nid = \"x\"\nkind = \"counter\"\n");
    }
    whole
}

pub(super) fn json(text: &str) -> Value {
    let file = DeTable::parse(text).expect("TOML");
    to_json(&toml::de::DeValue::Table(file.get_ref().clone()))
}

/// The printed schema in `docs` is the one that the program prints.
#[test]
fn the_schema_is_fresh() {
    keep_fresh("board.schema.json", &format!("{:#}\n", schema()));
}

/// Every example of the page and every file in `examples` is a board, by decoder and schema.
#[test]
fn examples_are_boards() {
    let examples = examples(&read("board-files.md"));
    assert!(examples.len() > 10, "{} examples", examples.len());
    let files = fs::read_dir(docs("../examples")).expect("examples").flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let files = files.map(|path| fs::read_to_string(path).expect("example"));
    let completed = examples.iter().map(|example| completed(example));
    for example in completed.chain(files).chain([SOUND.to_owned(), SMALL.to_owned()]) {
        if let Err(errors) = parse_beside(&example, "example", &beside) {
            panic!("{errors}");
        }
        assert_eq!(validator::faults(&schema(), &json(&example)), Vec::<String>::new(), "{example}");
    }
}

/// The tables of the page have a row for every key, with its default.
#[test]
fn the_page_is_fresh() {
    let mut fresh = String::new();
    let mut rows: Option<&TableShape> = None;
    for line in read("board-files.md").lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            rows = keys::tables().find(|table| table.name.trim_start_matches("kind ") == heading);
        }
        let is_row = line.starts_with("| `");
        if !is_row || rows.is_none() {
            fresh.push_str(line);
            fresh.push('\n');
        }
        if line.starts_with("| --- | --- | --- |")
            && let Some(table) = rows
        {
            table.keys.iter().for_each(|key| fresh.push_str(&format!("{}\n", key.row())));
        }
    }
    keep_fresh("board-files.md", &fresh);
    for table in keys::tables() {
        let heading = format!("# {}\n", table.name.trim_start_matches("kind "));
        assert!(fresh.contains(&heading), "no section about {}", table.name);
    }
}

/// The decoder asks for every key of every table and for no other; the schema has the same keys.
#[test]
fn decoder_and_schema_know_the_same_keys() {
    let whole = read("board-files.md");
    let mut asked = BTreeSet::new();
    for example in examples(&whole) {
        let example = completed(&example);
        let source = SourceText::new(&example);
        let mut sink = Sink::beside(&source, &beside, keys::belongs);
        let file = syntax::read(&example, &mut sink);
        decode::decode(file.get_ref(), &mut sink);
        asked.extend(sink.asked);
    }
    let listed: BTreeSet<(&str, &str)> =
        keys::tables().flat_map(|table| table.keys.iter().map(|key| (table.name, key.name()))).collect();
    assert_eq!(asked, listed);

    let schema = schema();
    let of = |pointer: &str| -> BTreeSet<&str> {
        let properties = schema.pointer(pointer).and_then(Value::as_object).expect(pointer);
        properties.keys().map(String::as_str).collect()
    };
    let names = |table: &TableShape| table.keys.iter().map(|key| key.name()).collect::<BTreeSet<_>>();
    assert_eq!(of("/properties/board/properties"), names(&keys::BOARD));
    assert_eq!(of("/properties/page/items/properties"), names(&keys::page::TABLE));
    assert_eq!(of("/properties/alarm/items/properties"), names(&keys::alarm::TABLE));
    assert_eq!(of("/properties/alarms/properties"), names(&keys::alarm::ALL_TABLE));
    assert_eq!(of("/properties/board/properties/grid/properties"), names(&keys::GRID_TABLE));
    assert_eq!(of("/properties/board/properties/night/properties"), names(&keys::NIGHT_TABLE));
    assert_eq!(of("/properties/source/items/properties"), names(&keys::source::TABLE));
    assert_eq!(of("/properties/widget/items/properties"), names(&keys::widget::TABLE));
    assert_eq!(of("/properties/widget/items/properties/place/properties"), names(&keys::widget::PLACE_TABLE));
    for (at, kind) in widget_kind::kinds().enumerate() {
        assert_eq!(of(&format!("/properties/widget/items/allOf/{at}/then/properties")), names(kind.table()));
    }
}

/// A default is a value that the setting itself would take: leaving a key out and writing its default give one board.
#[test]
fn defaults_are_sound() {
    for table in keys::tables() {
        for key in table.keys {
            let table::Need::Default(text) = key.need() else { continue };
            let schema = key.schema();
            let value = schema.get("default").unwrap_or_else(|| panic!("{} of {}: {text}", key.name(), table.name));
            assert_eq!(validator::faults(&schema, value), Vec::<String>::new(), "{} of {}", key.name(), table.name);
        }
    }
    let spelled = SMALL.replace(
        "title = \"T\"",
        "title = \"T\"\ntimezone = \"UTC\"\ntheme = \"dark\"\ngrid = { columns = 12, rows = 8 }\nstale-after = \"5s\"",
    );
    let spelled = spelled.replace("kind = \"counter\"", "kind = \"counter\"\nstat = \"count\"\ndecimals = 0");
    assert_eq!(parse(&spelled, "a"), parse(SMALL, "a"));
}

/// The patterns of the schema allow only what the decoder takes.
#[test]
fn patterns_allow_what_is_read() {
    let schema = schema();
    let mut runner = TestRunner::deterministic();
    for (pointer, line) in [
        ("/properties/source/items/properties/id", "id = \"s\""),
        ("/properties/source/items/properties/channels/items", "channels = [\"c\"]"),
        ("/properties/widget/items/allOf/0/then/properties/reset", "reset = \"daily 00:00\""),
    ] {
        let pattern = schema.pointer(&format!("{pointer}/pattern")).and_then(Value::as_str).expect(pointer);
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        let texts = prop::string::string_regex(pattern).expect(pattern);
        for _ in 0..50 {
            let text = texts.new_tree(&mut runner).expect("text").current();
            let (key, old) = line.split_once(" = ").expect("line");
            let new = format!("{key} = {}", old.replace(old.trim_matches(['[', ']', '"']), &text));
            let file = if SMALL.contains(line) { SMALL.replace(line, &new) } else { format!("{SMALL}{new}\n") };
            // What a hub takes of it is said with the kind.
            let file = file.replace("kind = \"hub\"", "kind = \"centrifugo\"");
            assert!(parse(&file, "a").is_ok(), "{file}");
        }
    }
}

//! A source that is another one than before, by a reload or a restart: what was folded of its former story is none of the new one.

use serde_json::json;
use watchfloor_model::{Continuity, Delivery, Event, Gap, Mono, Position, Timestamp};

use super::stage;
use crate::{Board, Checkpoint, config, config::spec::BoardFile, freshness::Freshness, testing::event};

const NOW: Mono = Mono::from_millis(1_000_000);
const WALL: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const PUSHER: &str = "kind = \"pusher\"\nurl = \"wss://h\"\napp = \"staging\"\nchannels = [\"a\", \"b\"]";
const CENTRIFUGO: &str = "kind = \"centrifugo\"\nurl = \"wss://h\"\nchannels = [\"a\", \"b\"]";

fn file(keys: &str) -> BoardFile {
    let text = format!(
        "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\n{keys}\n\
         [[widget]]\nid = \"g\"\nkind = \"gauge\"\nvalue = \"v\"\nchannels = [\"b\"]\n"
    );
    config::parse(&text, "f").unwrap_or_else(|errors| panic!("{errors}"))
}

/// A board that has heard of both channels.
fn board(keys: &str) -> Board {
    let mut board = Board::new(file(keys), NOW);
    board.handle_status("s", stage::status(NOW), NOW);
    for (channel, v) in [("a", 1), ("b", 2)] {
        let event = event(channel, "e", WALL.as_millis(), json!({"v": v}));
        let event = Event { position: Some(Position::new("e", 1)), received: NOW, ..event };
        board.handle_delivery("s", &Delivery::Events(vec![event]), NOW);
    }
    board
}

/// The next run, with what the former one wrote down.
fn restarted(checkpoint: &Checkpoint, keys: &str) -> Board {
    let text = serde_json::to_string(checkpoint).expect("JSON");
    let mut next = Board::new(file(keys), NOW);
    let failed = next.restore(&serde_json::from_str(&text).expect("own checkpoint"), NOW, WALL);
    assert!(failed.iter().all(|failed| failed.source == "s" && failed.widget == "g"), "{failed:?}");
    assert_eq!(failed.is_empty(), value(&next).is_number(), "{failed:?}");
    next
}

fn value(board: &Board) -> serde_json::Value {
    board.report(NOW)["widgets"]["g"]["value"].clone()
}

/// The same board after its source became this one, by a reload and by a restart.
fn both(before: &str, keys: &str) -> [Board; 2] {
    let mut reloaded = board(before);
    let checkpoint = reloaded.checkpoint(NOW, WALL);
    reloaded.reload(file(keys), NOW);
    [reloaded, restarted(&checkpoint, keys)]
}

/// H1: another app at the same address has the same channels, and none of the values.
#[test]
fn another_app() {
    for mut board in both(PUSHER, &PUSHER.replace("staging", "production")) {
        assert_eq!(value(&board), json!(null));
        let gap = Gap {
            channel: "a".into(),
            from: None,
            to: Some(Position::new("f", 0)),
            proof: Continuity::Unknown,
            reason: "no place asked for".into(),
            began: NOW,
            ended: NOW,
            source_times: None,
        };
        board.handle_delivery("s", &Delivery::Gap(gap), NOW);
        board.handle_status("s", stage::status(NOW), NOW);
        assert_eq!((value(&board), board.levels()[0]), (json!(null), Freshness::Unknown));
    }
}

/// H1: of a channel that isn't followed any more nobody would hear again.
#[test]
fn a_channel_that_was_taken_out() {
    for board in both(CENTRIFUGO, &CENTRIFUGO.replace("\"a\", ", "")) {
        assert_eq!(value(&board), json!(null));
        assert!(board.lanes[0].channels.is_empty() && board.lanes[0].current.is_none());
    }
}

/// H4: other ways to the same stream, other limits and another order keep what there is.
#[test]
fn the_same_story_goes_on() {
    for (from, to) in [
        ("\napp", "\nredundant-urls = [\"wss://i\"]\napp"),
        ("\napp", "\nquiet = \"1m\"\nauth = \"https://h/auth\"\ntoken = { file = \"/t\" }\napp"),
        ("\"a\", \"b\"", "\"b\", \"a\""),
    ] {
        for board in both(PUSHER, &PUSHER.replace(from, to)) {
            assert_eq!(value(&board), json!(2), "{to}");
        }
    }
}

/// H1, H4: what was written down without its story is taken where the address and the channels alone decide it.
#[test]
fn what_was_written_down_without_its_story() {
    let of = |before: &str, keys: &str| {
        let mut checkpoint = board(before).checkpoint(NOW, WALL);
        for source in checkpoint.sources.values_mut() {
            source.story = None;
        }
        value(&restarted(&checkpoint, keys))
    };
    assert_eq!(of(CENTRIFUGO, CENTRIFUGO), json!(2));
    assert_eq!(of(CENTRIFUGO, &CENTRIFUGO.replace("[\"a\", ", "[")), json!(null), "`a` isn't followed");
    assert_eq!(of(CENTRIFUGO, &CENTRIFUGO.replace("//h", "//i")), json!(null));
    assert_eq!(of(PUSHER, PUSHER), json!(null), "of which app it was, nobody knows");
}

//! What was missed, by the channel's history, where the server doesn't go on after the place that was asked for.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use watchfloor_model::Phase;

use super::rig::{ADDRESS, Rig, attached, message};
use crate::Response;

/// The first page of what came before this serial.
fn asks(serial: &str) -> String {
    let page = "https://main.realtime.ably.net/channels/ops/messages?direction=backwards&limit=1000";
    format!("history {page}&fromSerial={serial}&from_serial={serial}")
}

/// What the history has of [`message`]s of one event each, newest first, and where there is more.
fn kept(numbers: &[u64], next: Option<&str>) -> Response {
    let message = |number: &u64| {
        json!({ "id": format!("pub:{number}:0"), "timestamp": 1_795_697_600_000_i64, "name": "tick",
            "data": number.to_string(), "encoding": "json" })
    };
    let page: Vec<Value> = numbers.iter().map(message).collect();
    Response { next: next.map(str::to_owned), ..Response::new(200, json!(page).to_string()) }
}

/// One that was live, had an event, and is attached anew on another link.
fn anew() -> Rig {
    let mut rig = Rig::live();
    rig.keeps_nothing = false;
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.again();
    rig.out.clear();
    rig.says(&attached("s8", 0));
    rig.expect(&[&asks("s8")]);
    rig
}

/// H3: a history that goes back to the last event proves that nothing is missing. H1: meanwhile it isn't live. What the channel brings
/// meanwhile comes behind it.
#[test]
fn it_reaches_back() {
    let mut rig = anew();
    rig.says(&message("s9", 9, &[json!(9)]));
    rig.expect(&[]);
    assert!(!rig.is_asked() && rig.feed.status().phase != Phase::Live);
    rig.tells(kept(&[8, 7], Some("./messages?page=2")));
    rig.expect(&["history https://main.realtime.ably.net/channels/ops/messages?page=2"]);
    rig.tells(kept(&[6, 1, 0], Some("./messages?page=3")));
    rig.beats();
    rig.expect(&["gap proven: link lost: the connection ended", "tick 2 6; tick 3 7; tick 4@s8 8; tick 5@s9 9"]);
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 0));
    // The next link goes on behind it.
    rig.again();
    assert!(rig.out.last().is_some_and(|asks| asks.contains(r#""channelSerial":"s9""#)), "{:?}", rig.out);
}

/// H3: of one that doesn't, what it has comes after a gap; and why isn't swallowed.
#[test]
fn it_does_not_reach_back() {
    let mut rig = anew();
    rig.says(&message("s9", 9, &[json!(9)]));
    rig.tells(kept(&[8, 7], None));
    rig.beats();
    let why = "the server doesn't go on after the place asked for; its history: it doesn't reach back so far";
    let gap = format!("gap unknown: link lost: the connection ended; {why}; the server offers no snapshot");
    rig.expect(&[&gap, "tick 1 7; tick 2@s8 8; tick 3@s9 9"]);
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 1));
}

/// H4, H3: the same after a restart, where nothing but the place's mark is known.
#[test]
fn a_restart() {
    let mut rig = Rig::new(|_| {});
    rig.keeps_nothing = false;
    let place = "link-1:7@s1 0 pub:1:0".parse().expect("a place");
    rig.feed.restore(BTreeMap::from([("ops".into(), place)]));
    rig.begin();
    rig.expect(&[ADDRESS, r#"{"action":10,"channel":"ops","channelSerial":"s1","flags":786432}"#]);
    rig.says(&attached("s8", 0));
    rig.out.clear();
    rig.tells(kept(&[3, 2, 1], None));
    rig.beats();
    rig.expect(&["tick 8 2; tick 9@s8 3"]);
    assert_eq!((rig.feed.status().phase, rig.feed.status().counts.gaps_unknown), (Phase::Live, 0));
}

/// H3: a channel that is attached anew in mid-session goes on without a gap as well.
#[test]
fn in_mid_session() {
    let mut rig = Rig::live();
    rig.keeps_nothing = false;
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.out.clear();
    rig.says(&attached("s5", 0));
    rig.expect(&[&asks("s5")]);
    // That it is still so changes nothing; that it is anew once more does.
    rig.says(&attached("s5", 4));
    rig.expect(&[]);
    rig.says(&attached("s6", 0));
    rig.expect(&[&asks("s6")]);
    rig.tells(kept(&[2, 1], None));
    rig.expect(&["tick 2@s6 2"]);
    assert_eq!(rig.unknown(), 0);
    rig.says(&attached("s9", 0));
    rig.out.clear();
    rig.tells(Response::new(500, "{}"));
    let out = rig.out.join(" ");
    assert!(out.contains("gap unknown") && out.contains("its history: status 500"), "{out}");
}

/// H3: a server that gives back the serial that was asked for, and doesn't go on from there, has named no place. Bounded by it, its
/// history would prove that nothing is missing, whatever is; and gone on from it, all would come twice.
#[test]
fn a_serial_that_is_given_back() {
    let mut rig = Rig::live();
    rig.keeps_nothing = false;
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.again();
    rig.out.clear();
    rig.says(&attached("s1", 0));
    rig.expect(&["history https://main.realtime.ably.net/channels/ops/messages?direction=backwards&limit=1000"]);
    rig.tells(kept(&[2, 1], None));
    rig.beats();
    rig.expect(&["gap proven: link lost: the connection ended", "tick 2@ 1 pub:2:0 2"]);
    assert_eq!(rig.unknown(), 0);
    rig.again();
    assert_eq!(rig.out.last().map(String::as_str), Some(super::rig::ATTACH), "after no serial");
    // The event is known by its id.
    rig.out.clear();
    rig.says(&attached("s7", 0));
    rig.expect(&[&asks("s7")]);
    rig.tells(kept(&[3, 2], None));
    rig.beats();
    rig.expect(&["gap proven: link lost: the connection ended", "tick 3@s7 3"]);
}

/// H3: what came by the channel and by its history comes once; and an answer to what is no longer asked is nobody's.
#[test]
fn once() {
    let mut rig = anew();
    rig.says(&message("s8", 8, &[json!(8)]));
    rig.tells(kept(&[8, 7, 1], None));
    rig.beats();
    let out = rig.out.join("; ");
    assert!(out.ends_with("tick 2 7; tick 3@s8 8"), "{out}");
    let mut rig = anew();
    rig.again();
    rig.out.clear();
    rig.says(&attached("s9", 0));
    rig.tells(kept(&[1], None));
    rig.beats();
    assert!(rig.out.iter().any(|line| line.starts_with("gap proven")), "{:?}", rig.out);
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 0));
}

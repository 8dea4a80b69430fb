//! Messages that say what is different in them from the one before, as a channel is asked for by `[?delta=vcdiff]`. Deltas were made
//! by xdelta; that Ably makes the same hasn't been seen.

use serde_json::{Value, json};
use watchfloor_model::Phase;

use super::{
    RESUMED,
    rig::{Rig, attached, connected},
};

const ONE: &str = r#"{"flight":"AA100","status":"boarding","gate":"B22","delay":0}"#;
const OTHER: &str = r#"{"flight":"AA100","status":"departed","gate":"B22","delay":12}"#;
/// From the one to the other.
const DELTA: &str = "1sPEAAAFOwAcPgALBgJR/RJ4ZGVwYXJ0ZWQxMn0THAkTFwQAJA==";

fn rig() -> Rig {
    let mut rig = Rig::new(|config| config.channels = vec!["[?delta=vcdiff]ops".into()]);
    rig.begin();
    rig.says(&attached("s0", 0));
    rig.beats();
    rig.out.clear();
    rig
}

fn whole(number: u64, data: &str) -> Value {
    json!({ "id": format!("p:{number}"), "name": "flight", "data": data, "encoding": "json" })
}

fn delta(number: u64, from: u64) -> Value {
    json!({ "id": format!("p:{number}"), "name": "flight", "data": DELTA, "encoding": "json/utf-8/vcdiff/base64",
        "extras": { "delta": { "from": format!("p:{from}"), "format": "vcdiff" } } })
}

fn says(serial: &str, messages: &[Value]) -> String {
    json!({ "action": 15, "channel": "ops", "channelSerial": serial, "messages": messages }).to_string()
}

/// A delta is told by the message before, be it in the same protocol message, and be that one whole or a delta itself.
#[test]
fn told_by_the_one_before() {
    let mut rig = rig();
    rig.says(&says("s1", &[whole(1, ONE)]));
    rig.says(&says("s2", &[delta(2, 1)]));
    rig.says(&says("s3", &[whole(3, ONE), delta(4, 3)]));
    rig.expect(&[
        &format!("flight 1@s1 {ONE}"),
        &format!("flight 2@s2 {OTHER}"),
        &format!("flight 3@s2 1 p:3 {ONE}; flight 4@s3 {OTHER}"),
    ]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H3: one that is told by another than the last is asked for again, after the last that was good, on another connection, where a whole
/// one comes first; and the same if what it is told by was never had.
#[test]
fn told_by_another() {
    let mut rig = rig();
    rig.says(&says("s1", &[whole(1, ONE)]));
    rig.out.clear();
    rig.says(&says("s2", &[delta(3, 2)]));
    assert_eq!(rig.out[0], "close", "{:?}", rig.out);
    assert!(rig.feed.status().last_rejection.expect("a reason").contains("40018"));
    rig.opened();
    rig.out.clear();
    rig.says(&connected("key-2"));
    rig.expect(&[r#"{"action":10,"channel":"[?delta=vcdiff]ops","channelSerial":"s1","flags":786432}"#]);
    rig.says(&attached("s1", RESUMED));
    rig.says(&says("s2", &[whole(2, ONE)]));
    rig.says(&says("s3", &[delta(3, 2)]));
    rig.beats();
    rig.expect(&[
        "gap proven: an event can't be read: a delta of a message that isn't the last one (40018)",
        &format!("flight 2@s2 {ONE}"),
        &format!("flight 3@s3 {OTHER}"),
    ]);
    assert_eq!(rig.unknown(), 0);
}

/// H3: what came before the place is passed over on a resumed channel, and what follows is told by it all the same.
#[test]
fn told_by_one_that_was_had() {
    let mut rig = rig();
    rig.says(&says("s1", &[whole(1, ONE)]));
    // The connection ends within what belongs to a serial.
    rig.says(r#"{"action":15,"channel":"ops","messages":[{"id":"p:2","name":"flight","data":"{\"flight\":\"AA100\",\"status\":\"boarding\",\"gate\":\"B22\",\"delay\":0}","encoding":"json"}]}"#);
    rig.again();
    rig.out.clear();
    rig.says(&attached("s1", RESUMED));
    rig.says(&says("s2", &[whole(2, ONE), delta(3, 2)]));
    rig.beats();
    rig.expect(&["gap proven: link lost: the connection ended", &format!("flight 3@s2 {OTHER}")]);
    assert_eq!(rig.unknown(), 0);
}

/// A whole attachment that begins anew begins with a whole message; a delta of another payload than was had shows by its checksum.
#[test]
fn not_what_it_was_told_by() {
    let mut rig = rig();
    rig.says(&says("s1", &[whole(1, ONE)]));
    rig.says(&attached("s5", 0));
    rig.says(&says("s6", &[delta(2, 1)]));
    assert!(rig.feed.status().last_rejection.expect("a reason").contains("isn't the last one"));
    let mut rig = self::rig();
    rig.says(&says("s1", &[whole(1, &ONE.replace("AA100", "AA200"))]));
    rig.says(&says("s2", &[delta(2, 1)]));
    assert!(rig.feed.status().last_rejection.expect("a reason").contains("checksum differs"));
    let mut rig = self::rig();
    rig.says(&says("s1", &[whole(1, ONE)]));
    rig.says(&says("s2", &[json!({ "id": "p:2", "data": "%%", "encoding": "vcdiff/base64" })]));
    assert!(rig.feed.status().last_rejection.expect("a reason").contains("not base64"));
}

/// Nobody asked for it: then none is read, and none is kept for.
#[test]
fn not_asked_for() {
    let mut rig = Rig::live();
    rig.says(&says("s1", &[whole(1, ONE)]));
    rig.says(&says("s2", &[delta(2, 1)]));
    assert!(rig.feed.status().last_rejection.expect("a reason").contains("none was asked for"));
    let mut rig = Rig::new(|config| config.channels = vec!["[?delta=bsdiff]ops".into()]);
    rig.feed.start(rig.now);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("`delta=vcdiff` alone"));
}

//! Whatever comes.

use serde_json::json;
use watchfloor_model::{Continuity, Phase};

use super::{
    RESUMED,
    rig::{Rig, attached, connected, message},
};

/// H3: an event that can't be read is asked for once more, on another connection, and then passed over.
#[test]
fn events_that_cannot_be_read() {
    for (data, encoding) in [("{", "json"), ("aGk=", "utf-8/cipher+aes-128-cbc/base64"), ("aGk=", "vcdiff/base64")] {
        let bad = json!({ "action": 15, "id": "p:2", "channel": "ops", "channelSerial": "s2",
            "messages": [{ "data": data, "encoding": encoding }] })
        .to_string();
        let mut rig = Rig::live();
        rig.says(&message("s1", 1, &[json!(1)]));
        rig.says(&bad);
        assert_eq!(rig.out[1], "close", "{:?}", rig.out);
        rig.opened();
        rig.says(&connected("key-2"));
        rig.says(&attached("s1", RESUMED));
        rig.says(&bad);
        rig.says(&message("s3", 3, &[json!(3)]));
        rig.beats();
        let status = rig.feed.status();
        assert_eq!((status.phase, status.continuity, status.counts.rejected), (Phase::Live, Continuity::Unknown, 2));
        assert!(rig.out.last().expect("delivered").ends_with("@s3 3"), "{:?}", rig.out);
    }
}

/// H3: the next connection goes on behind what was passed over, also where nothing came after it.
#[test]
fn after_what_was_passed_over() {
    let bad =
        r#"{"action":15,"id":"p:2","channel":"ops","channelSerial":"s2","messages":[{"data":"{","encoding":"json"}]}"#;
    let mut rig = Rig::live();
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.says(bad);
    rig.opened();
    rig.says(&connected("key-2"));
    rig.says(&attached("s1", RESUMED));
    rig.says(bad);
    rig.beats();
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 1), "{:?}", rig.out);
    rig.again();
    assert!(rig.out.join("\n").contains(r#""channelSerial":"s2""#), "{:?}", rig.out);
    rig.out.clear();
    rig.says(&attached("s2", RESUMED));
    rig.says(&message("s3", 3, &[json!(3)]));
    rig.beats();
    assert!(rig.out.last().expect("delivered").ends_with("@s3 3"), "{:?}", rig.out);
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 1), "{:?}", rig.out);
}

/// H3: one that can't be read among those that are held until the other channels are attached, too, is passed over by itself. What came
/// before it is not lost with it.
#[test]
fn one_of_those_that_are_held() {
    let mut rig = Rig::new(|config| config.channels = vec!["ops".into(), "other".into()]);
    rig.begin();
    rig.says(&attached("s0", 0));
    rig.says(&attached("t0", 0).replace("ops", "other"));
    rig.beats();
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.again();
    rig.out.clear();
    rig.says(&attached("s1", RESUMED));
    let bad =
        r#"{"action":15,"id":"p:3","channel":"ops","channelSerial":"s3","messages":[{"data":"{","encoding":"json"}]}"#;
    rig.says(&message("s2", 2, &[json!(2)]));
    rig.says(bad);
    rig.says(&bad.replace("p:3", "p:4").replace("s3", "s4"));
    rig.says(&message("s5", 5, &[json!(5)]));
    rig.says(&attached("t0", RESUMED).replace("ops", "other"));
    rig.beats();
    let told: Vec<_> = rig.out.iter().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(told, ["gap proven", "gap proven", "tick 2@s2 2", "gap unknown", "tick 5@s5 5"], "{:?}", rig.out);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.continuity), (Phase::Live, Continuity::Unknown));
    // Only the one that can't be read is missing, and the next connection goes on behind it.
    assert_eq!((rig.unknown(), status.counts.events), (2, 3));
    assert_eq!(status.positions["ops"].mark.as_deref(), Some("s5 0 pub:5:0"));
}

/// H5: serials and names that are too long are no serials of places and no names.
#[test]
fn long_words() {
    let mut rig = Rig::live();
    let serial = "s".repeat(513);
    rig.says(&message(&serial, 1, &[json!(1)]));
    rig.says(&message("with space", 2, &[json!(2)]));
    rig.expect(&["tick 1@ 1", "tick 2@ 2"]);
    rig.says(&message("s3", 3, &[json!(3)]).replace("tick", &"n".repeat(201)));
    assert_eq!(rig.feed.status().counts.rejected, 1);
}

/// H5, H3: a long row of events in one message is taken whole.
#[test]
fn a_long_row() {
    let mut rig = Rig::live();
    let many: Vec<_> = (0..5000).map(|number| json!(number)).collect();
    rig.says(&message("s1", 1, &many));
    assert_eq!(rig.feed.status().counts.events, 5000);
    assert_eq!(rig.feed.status().positions["ops"].mark.as_deref(), Some("s1 0 pub:1:4999"));
}

/// H8, H5: arbitrary messages, in arbitrary order, on any number of connections.
#[test]
fn anything() {
    use watchfloor_fuzz::{Draws, check, mutated};
    const SAID: [&str; 14] = [
        r#"{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"key"}}"#,
        r#"{"action":11,"channel":"ops","channelSerial":"s1","flags":0}"#,
        r#"{"action":11,"channel":"ops","channelSerial":"s1","flags":5}"#,
        r#"{"action":15,"id":"p:2","channel":"ops","channelSerial":"s2","messages":[{"data":"1"},{"data":"2","encoding":"json"}]}"#,
        r#"{"action":0,"id":"w1"}"#,
        r#"{"action":13,"channel":"ops"}"#,
        r#"{"action":14,"channel":"ops","presence":[{"action":2,"id":"c:0:0","clientId":"a","connectionId":"c"}]}"#,
        r#"{"action":16,"channel":"ops","channelSerial":"a:1","presence":[{"action":1,"clientId":"b"}]}"#,
        r#"{"action":17}"#,
        r#"{"action":9,"error":{"code":40142,"statusCode":401}}"#,
        r#"{"action":15,"channel":"ops","messages":[{"data":"aGk=","encoding":"utf-8/base64"}]}"#,
        r#"{"action":15,"id":"p:3","channel":"ops","channelSerial":"s3","messages":[{"id":"p:3","data":"{\"flight\":\"AA100\",\"status\":\"boarding\",\"gate\":\"B22\",\"delay\":0}","encoding":"json"}]}"#,
        r#"{"action":15,"id":"p:4","channel":"ops","channelSerial":"s4","messages":[{"data":"1sPEAAAFOwAcPgALBgJR/RJ4ZGVwYXJ0ZWQxMn0THAkTFwQAJA==","encoding":"utf-8/vcdiff/base64","extras":{"delta":{"from":"p:3","format":"vcdiff"}}}]}"#,
        r#"{"action":15,"id":"p:5","channel":"ops","messages":[{"data":"EBESExQVFhcYGRobHB0eH9Ot8YFDWOIfrpblcerHh8I=","encoding":"json/utf-8/cipher+aes-256-cbc/base64"}]}"#,
    ];
    check!(iterations = 300, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let (deltas, encrypted) = (draws.below(2) == 0, draws.below(2) == 0);
        let mut rig = Rig::new(|config| {
            if deltas {
                config.channels = vec!["[?delta=vcdiff]ops".into()];
            }
            if encrypted {
                let key = crate::Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
                config.envelope.cipher = Some(Ok(key));
            }
        });
        rig.begin();
        if draws.below(2) == 0 {
            rig.says(&attached("s0", 0));
            rig.beats();
        }
        for _ in 0..draws.below(20) {
            let message = mutated(&SAID, &mut draws);
            match draws.below(8) {
                0 => rig.shows(&message),
                1 => rig.pong(),
                _ => rig.says_bytes(&message),
            }
        }
        assert!(rig.feed.status().counts.events <= 40);
    });
}

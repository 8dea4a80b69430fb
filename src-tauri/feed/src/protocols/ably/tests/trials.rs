//! Who is on a channel, by a connection on trial and the one that it takes the place of.

use serde_json::{Value, json};
use watchfloor_model::Phase;

use super::{
    RESUMED,
    rig::{Rig, attached, connected, message},
};

const HAS_PRESENCE: u64 = 1;
/// The connection that is followed, and the one that comes by another key.
const LINK: u64 = 1;
const TRIAL: u64 = 2;

fn member(action: u64, client: &str, number: u64) -> Value {
    json!({ "action": action, "id": format!("c:{number}:0"), "clientId": client, "connectionId": "c", "timestamp": number })
}

/// PRESENCE is 14, SYNC 16.
fn says(rig: &mut Rig, link: u64, action: u64, members: &[Value]) {
    rig.link = link;
    rig.says(&json!({ "action": action, "channel": "ops", "presence": members }).to_string());
}

fn told(name: &str, client: &str) -> String {
    format!(r#"presence.{name} nowhere {{"clientId":"{client}","connectionId":"c","data":null}}"#)
}

/// Live, `ann` and `bob` were told; a connection on trial has been told the whole as well.
fn on_trial() -> Rig {
    let mut rig = Rig::new(|config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.gets_token("app.one:secret");
    rig.opened();
    rig.says(&connected("key-1"));
    rig.says(&attached("s0", HAS_PRESENCE));
    let both = [member(1, "ann", 1), member(1, "bob", 2)];
    says(&mut rig, LINK, 16, &both);
    rig.beats();
    rig.says(&message("s1", 1, &[json!(1)]));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.feed.renew(rig.now);
    rig.drain();
    rig.gets_token("app.two:secret");
    assert_eq!(rig.link, TRIAL, "a key can't be presented: {:?}", rig.out);
    rig.opened();
    rig.says(&connected("key-2"));
    rig.says(&attached("s1", HAS_PRESENCE | RESUMED));
    says(&mut rig, TRIAL, 16, &both);
    rig.out.clear();
    rig
}

/// H1, H3: what only the trial heard of members is told when it takes over, and what both heard once.
#[test]
fn what_only_the_trial_hears() {
    let mut rig = on_trial();
    says(&mut rig, TRIAL, 14, &[member(2, "dan", 3)]);
    says(&mut rig, LINK, 14, &[member(2, "dan", 3), member(2, "eve", 4)]);
    rig.expect(&[&format!("{}; {}", told("joined", "dan"), told("joined", "eve"))]);
    let only =
        [member(4, "ann", 5), member(3, "bob", 6), member(2, "cid", 7), member(2, "eve", 4), member(2, "fay", 8)];
    says(&mut rig, TRIAL, 14, &only);
    says(&mut rig, TRIAL, 14, &[member(3, "fay", 9), member(4, "cid", 10)]);
    rig.beats();
    rig.expect(&[]);
    rig.link = LINK;
    rig.cut();
    rig.expect(&[&[told("updated", "ann"), told("left", "bob"), told("here", "cid")].join("; ")]);
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 0));
    says(&mut rig, TRIAL, 14, &[member(3, "cid", 11)]);
    rig.expect(&[&told("left", "cid")]);
}

/// H1: a trial that takes over while the whole is still being told tells who is missing at its end.
#[test]
fn in_the_middle_of_the_whole() {
    let mut rig = on_trial();
    rig.link = TRIAL;
    let page = |cursor: &str, members: &[Value]| {
        json!({ "action": 16, "channel": "ops", "channelSerial": cursor, "presence": members }).to_string()
    };
    rig.says(&page("x:1", &[member(1, "ann", 1)]));
    rig.beats();
    says(&mut rig, LINK, 14, &[member(2, "dan", 3)]);
    rig.cut();
    rig.link = TRIAL;
    rig.says(&page("x:2", &[member(1, "dan", 3)]));
    rig.expect(&[&told("joined", "dan")]);
    rig.says(&page("x:", &[]));
    rig.expect(&[&told("left", "bob")]);
}

/// H1, H3: what a trial heard that came to nothing is told by the connection after it.
#[test]
fn what_a_trial_heard_that_failed() {
    for ends_first in [true, false] {
        let mut rig = on_trial();
        says(&mut rig, TRIAL, 14, &[member(3, "bob", 6)]);
        if ends_first {
            rig.cut();
        }
        rig.expect(&[]);
        rig.link = LINK;
        rig.again();
        rig.says(&attached("s1", HAS_PRESENCE | RESUMED));
        rig.out.clear();
        says(&mut rig, 3, 16, &[member(1, "ann", 1)]);
        rig.expect(&[&told("left", "bob")]);
    }
}

/// H5: more than can be held ends the trial.
#[test]
fn more_than_can_be_held() {
    let mut rig = on_trial();
    for number in 0..400 {
        let mut one = member(2, &format!("m{number}"), 3);
        one["data"] = json!("x".repeat(60_000));
        says(&mut rig, TRIAL, 14, &[one]);
        if !rig.out.is_empty() {
            break;
        }
    }
    rig.expect(&["close"]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

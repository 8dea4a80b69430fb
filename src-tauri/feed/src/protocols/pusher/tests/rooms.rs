//! Presence, cached and encrypted channels.

use std::time::Duration;

use watchfloor_model::Phase;

use super::rig::{GREETING, PING, PONG, Rig};

const ROOM: &str = r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{\"presence\":{\"ids\":[7,\"8\"],\"hash\":{\"7\":{\"name\":\"Ann\"}},\"count\":2}}"}"#;
const SIGNED: &str = r#"{"auth":"app-key:679b","channel_data":"{\"user_id\": 7}"}"#;
const KEY: &str = r#"{"auth":"app-key:1cb1","shared_secret":"EM7XYKq0lQRIZoPa6buecdqsK2ZzkyPYiEfhhICmhB0="}"#;
const OTHER_KEY: &str = r#"{"auth":"app-key:1cb1","shared_secret":"FmBLgVmVm5TzKUNEXxw/8/xB9TbDRsV9ykef52pVeZU="}"#;
const SEALED: &str = r#"{"event":"tick","channel":"private-encrypted-deal","data":"{\"nonce\":\"f295WuRrrki719pXgShjZlgB69oMHinA\",\"ciphertext\":\"W30eGN+/hn2qngaLAomJv7lj7M5HbtU=\"}"}"#;

fn room() -> Rig {
    let mut rig = Rig::greeted(&["presence-room"]);
    rig.signs(1, 200, SIGNED);
    assert!(rig.out.last().expect("subscribed").contains(r#""channel_data":"{\"user_id\": 7}""#), "as it was signed");
    rig.out.clear();
    rig
}

/// H1: who is there, who comes and who goes, by ids as texts; that says nothing of a publisher.
#[test]
fn members() {
    let mut rig = room();
    rig.says(ROOM);
    rig.says(r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":9}"}"#);
    rig.says(r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":\"9\"}"}"#);
    rig.says(r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":8}"}"#);
    rig.says(r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":\"x\"}"}"#);
    assert_eq!(
        rig.out,
        [
            "gap presence-room unknown: the server offers no snapshot",
            r#"presence-room presence.here 1 {"user_id":"7","user_info":{"name":"Ann"}}; presence-room presence.here 2 {"user_id":"8"}"#,
            r#"presence-room presence.joined 0 {"user_id":"9"}"#,
            r#"presence-room presence.left 0 {"user_id":"8"}"#,
        ]
    );
    rig.is(Phase::Live);
    assert_eq!(rig.feed.status().publisher_proof, None, "it is the server that says so");
}

/// H1, H3: who has left while there was no connection is said to have left, though the server doesn't say.
#[test]
fn members_who_left_meanwhile() {
    let mut rig = room();
    rig.says(ROOM);
    for _ in 0..2 {
        rig.closes(None);
        rig.pass(Duration::from_secs(3));
        rig.opened();
        rig.says(GREETING);
        rig.signs(1, 200, SIGNED);
        // The first time the connection ends before everything is subscribed to: nothing of it was handed over.
        rig.out.clear();
    }
    rig.says(&ROOM.replace(r#"7,\"8\""#, "7"));
    let there = r#"presence-room presence.here 2 {"user_id":"7","user_info":{"name":"Ann"}}"#;
    assert_eq!(rig.out[1], format!(r#"presence-room presence.left 1 {{"user_id":"8"}}; {there}"#));
}

/// PHP's maps: none is a list, and one with the keys 0, 1, 2 as well.
#[test]
fn members_by_reverb() {
    for (presence, expected) in [
        (r#"{\"count\":0,\"ids\":[],\"hash\":[]}"#, None),
        (
            r#"{\"count\":2,\"ids\":[0,1],\"hash\":[{\"n\":1},null]}"#,
            Some(
                r#"presence-room presence.here 1 {"user_id":"0","user_info":{"n":1}}; presence-room presence.here 2 {"user_id":"1"}"#,
            ),
        ),
    ] {
        let mut rig = room();
        rig.says(&format!(
            r#"{{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{{\"presence\":{presence}}}"}}"#
        ));
        rig.is(Phase::Live);
        let unknown = "gap presence-room unknown: the server offers no snapshot";
        let expected: Vec<&str> = std::iter::once(unknown).chain(expected).collect();
        rig.expect(&expected);
    }
}

/// The last event comes once, however often it is recalled; Soketi's order is: taken, then the event or that there is none.
#[test]
fn cached() {
    let mut rig = Rig::greeted(&["cache-state"]);
    rig.out.clear();
    rig.takes("cache-state");
    rig.expect(&[PING]);
    rig.says(r#"{"event":"pusher:cache_miss","channel":"cache-state"}"#);
    rig.is(Phase::Live);
    rig.event("cache-state", "tick", r#"{"n":3}"#);
    rig.event("cache-state", "tick", r#"{"n":3}"#);
    rig.says(PONG);
    assert_eq!(
        std::mem::take(&mut rig.out),
        [
            "gap cache-state unknown: the server offers no snapshot",
            r#"cache-state tick 1 {"n":3}"#,
            r#"cache-state tick 2 {"n":3}"#
        ],
        "the same twice is two events"
    );
    for (recalled, expected) in [("3", ""), ("3", ""), ("4", r#"cache-state tick 1 {"n":4}"#)] {
        rig.closes(None);
        rig.pass(Duration::from_secs(3));
        rig.opened();
        rig.says(GREETING);
        rig.takes("cache-state");
        rig.out.clear();
        rig.event("cache-state", "tick", &format!(r#"{{"n":{recalled}}}"#));
        assert!(rig.out[0].starts_with("gap cache-state unknown"), "{:?}", rig.out);
        assert_eq!(rig.out[1..].join("; "), expected);
        rig.is(Phase::Live);
    }
}

/// H1: an event that is recalled doesn't say that its publisher lives.
#[test]
fn recalled_is_no_news() {
    let mut rig = Rig::greeted(&["cache-state"]);
    rig.takes("cache-state");
    rig.event("cache-state", "tick", "1");
    assert_eq!(rig.out.last().map(String::as_str), Some("cache-state tick 1 1"));
    assert_eq!(rig.feed.status().publisher_proof, None);
    rig.event("cache-state", "tick", "2");
    assert_eq!(rig.feed.status().publisher_proof, Some(rig.now));
}

/// Where nothing is kept nothing says so: an answered ping does. Reverb may keep that someone left.
#[test]
fn nothing_to_recall() {
    let mut rig = Rig::greeted(&["cache-state"]);
    rig.takes("cache-state");
    rig.is(Phase::Subscribing);
    rig.says(PONG);
    rig.is(Phase::Live);

    let mut rig = Rig::greeted(&["presence-cache-room"]);
    rig.signs(1, 200, SIGNED);
    rig.says(&ROOM.replace("presence-room", "presence-cache-room"));
    rig.out.clear();
    rig.says(r#"{"event":"pusher_internal:member_removed","channel":"presence-cache-room","data":"{\"user_id\":8}"}"#);
    assert_eq!(rig.out[0], "gap presence-cache-room unknown: the server offers no snapshot");
    assert!(rig.out[1].contains(r#"presence.here 2 {"user_id":"8"}"#), "{:?}", rig.out);
    assert_eq!(rig.out.len(), 2);
}

fn sealed(key: &str) -> Rig {
    let mut rig = Rig::greeted(&["private-encrypted-deal"]);
    rig.signs(1, 200, key);
    assert!(!rig.out.last().expect("subscribed").contains("shared_secret"));
    rig.takes("private-encrypted-deal");
    rig.out.clear();
    rig
}

#[test]
fn encrypted() {
    let mut rig = sealed(KEY);
    rig.says(SEALED);
    rig.expect(&[r#"private-encrypted-deal tick 1 {"n":2}"#]);
}

/// H3: an event that the key doesn't open waits for another key, and those behind it wait in order.
#[test]
fn another_key() {
    let mut rig = sealed(OTHER_KEY);
    rig.says(SEALED);
    rig.says(&SEALED.replace("tick", "tock"));
    assert_eq!(rig.out.len(), 1, "one question: {:?}", rig.out);
    rig.out.clear();
    rig.signs(2, 200, KEY);
    rig.expect(&[r#"private-encrypted-deal tick 1 {"n":2}; private-encrypted-deal tock 2 {"n":2}"#]);
    rig.is(Phase::Live);
}

/// H1, H3: what no key opens is missing, and said to be; while it waits nothing is live for longer than the limit.
#[test]
fn no_key() {
    let mut rig = sealed(OTHER_KEY);
    rig.says(SEALED);
    for _ in 0..4 {
        rig.pass(Duration::from_secs(2));
        rig.pong();
        rig.says(PONG);
    }
    rig.is(Phase::CatchingUp);
    rig.signs(2, 500, "");
    assert_eq!(rig.feed.status().counts.rejected, 1);
    assert!(rig.out.iter().any(|line| line.contains("pusher:unsubscribe")), "asked for again: {:?}", rig.out);

    let mut rig = sealed(OTHER_KEY);
    rig.says(SEALED);
    rig.signs(2, 403, "");
    rig.is(Phase::Refused);
}

/// H5: no more events wait for a key than may; the subscription begins anew, with a new key.
#[test]
fn too_many_wait_for_a_key() {
    let mut rig = sealed(OTHER_KEY);
    for _ in 0..=1000 {
        rig.says(SEALED);
    }
    assert!(rig.out.iter().any(|line| line.contains("pusher:unsubscribe")), "{:?}", rig.out.last());
    rig.out.clear();
    rig.says(PONG);
    assert!(rig.out[0].contains("channel_name=private-encrypted-deal"), "{:?}", rig.out);
    rig.signs(2, 200, KEY);
    assert_eq!(rig.out.len(), 1, "nobody asks for that any more: {:?}", rig.out);
}

/// H5: no more members are followed than may be, and that some aren't is seen.
#[test]
fn a_crowd() {
    let crowd = |count: usize| {
        let ids: Vec<String> = (0..count).map(|id| id.to_string()).collect();
        ROOM.replace(r#"7,\"8\""#, &ids.join(",")).replace(r#"{\"7\":{\"name\":\"Ann\"}}"#, "{}")
    };
    let mut rig = room();
    rig.says(&crowd(4097));
    rig.is(Phase::Live);
    assert_eq!((rig.feed.status().counts.rejected, rig.feed.status().counts.events), (1, 4096));
    let mut rig = room();
    rig.says(&crowd(4096));
    rig.is(Phase::Live);
    assert_eq!(rig.feed.status().counts.rejected, 0);
    rig.says(r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":\"x\"}"}"#);
    assert_eq!(rig.feed.status().counts.rejected, 1);
}

/// Who comes and goes: all that is told of them, in order.
fn told(rig: &mut Rig) -> Vec<String> {
    let out = std::mem::take(&mut rig.out).join("; ");
    let one = |line: &str| {
        let (name, rest) = line.strip_prefix("presence-room presence.")?.split_once(' ')?;
        let id = rest.split('"').nth(3)?;
        Some(format!("{name} {id}"))
    };
    out.split("; ").filter_map(one).collect()
}

fn with_site() -> Rig {
    let mut rig = Rig::new(&["presence-room"], |config| {
        config.site = Some(crate::Site {
            url: "https://app.example/api/orders".parse().expect("an address"),
            shows_token: false,
            shows_headers: false,
            channel: "presence-room".into(),
            name: "order".into(),
            rows: None,
            time: None,
        });
    });
    rig.start();
    rig.says(GREETING);
    rig.signs(1, 200, SIGNED);
    rig
}

fn again(rig: &mut Rig) {
    rig.closes(None);
    rig.pass(Duration::from_secs(3));
    rig.opened();
    rig.says(GREETING);
    rig.signs(1, 200, SIGNED);
}

const LEFT: &str = r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":8}"}"#;

/// H1, H3: who leaves while the site is asked is told to have left behind the word that he is there, and not before it.
#[test]
fn a_member_who_leaves_while_the_site_is_asked() {
    let mut rig = with_site();
    rig.says(ROOM);
    rig.says(LEFT);
    assert_eq!(told(&mut rig), Vec::<String>::new(), "the site hasn't answered");
    rig.site_answers();
    assert_eq!(told(&mut rig), ["here 7", "here 8", "left 8"]);
    rig.is(Phase::Live);
}

/// H1, H3: who was found to have left, and was held and lost with the connection before the site answered, is told by the next one.
#[test]
fn members_who_were_held() {
    let mut rig = with_site();
    rig.says(ROOM);
    rig.site_answers();
    assert_eq!(told(&mut rig), ["here 7", "here 8"]);
    again(&mut rig);
    rig.says(&ROOM.replace(r#"7,\"8\""#, "7"));
    again(&mut rig);
    rig.says(&ROOM.replace(r#"7,\"8\""#, "7"));
    rig.site_answers();
    assert_eq!(told(&mut rig), ["left 8", "here 7"]);
    // H3: and once.
    again(&mut rig);
    rig.says(&ROOM.replace(r#"7,\"8\""#, "7"));
    rig.site_answers();
    assert_eq!(told(&mut rig), ["here 7"]);
}

/// H1, H3: what a connection on trial was told of who is there is news to the one after it.
#[test]
fn members_that_a_trial_was_told() {
    let mut rig = Rig::new(&["presence-room"], |config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.token("t1", crate::port::Expiry::Unknown);
    rig.opened();
    rig.says(GREETING);
    rig.signs(1, 200, SIGNED);
    rig.says(ROOM);
    assert_eq!(told(&mut rig), ["here 7", "here 8"]);
    rig.feed.renew(rig.now);
    rig.drain();
    rig.token("t2", crate::port::Expiry::Unknown);
    // What the server finds fault with may be the new token: another connection is tried by it.
    rig.says(r#"{"event":"pusher:error","data":{"code":4200,"message":"no"}}"#);
    assert_eq!(rig.link, 2, "{:?} {:?}", rig.out, rig.feed.status());
    rig.opened();
    rig.says(GREETING);
    rig.signs(1, 200, SIGNED);
    rig.says(&ROOM.replace(r#"7,\"8\""#, "7"));
    // It joins nothing, so that there is one in place of both.
    assert_eq!((rig.link, told(&mut rig)), (3, Vec::new()), "{:?}", rig.feed.status());
    rig.opened();
    rig.says(GREETING);
    rig.signs(1, 200, SIGNED);
    rig.says(&ROOM.replace(r#"7,\"8\""#, "7"));
    assert_eq!(told(&mut rig), ["left 8", "here 7"]);
}

//! Whatever the bytes.

use std::sync::Arc;

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::Phase;

use super::rig::{GREETING, PONG, Rig};
use crate::{
    fault::{LinkFault, LinkFaultKind},
    port::Response,
};

const CHANNELS: [&str; 6] =
    ["news", "cache-state", "private-orders", "presence-room", "private-encrypted-deal", "#server-to-user-1"];

const FRAMES: [&str; 18] = [
    GREETING,
    PONG,
    r#"{"event":"pusher:ping"}"#,
    r#"{"event":"pusher_internal:subscription_succeeded","channel":"news"}"#,
    r#"{"event":"pusher_internal:subscription_succeeded","channel":"cache-state","data":"{}"}"#,
    r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-orders"}"#,
    r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-encrypted-deal"}"#,
    r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{\"presence\":{\"ids\":[7,\"8\"],\"hash\":{\"7\":{\"name\":\"Ann\"}},\"count\":2}}"}"#,
    r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":\"8\"}"}"#,
    r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":{"user_id":8}}"#,
    r#"{"event":"pusher:cache_miss","channel":"cache-state"}"#,
    r#"{"event":"tick","channel":"news","data":"{\"n\":1}"}"#,
    r#"{"event":"tick","channel":"cache-state","data":"plain"}"#,
    r#"{"event":"tick","channel":"private-encrypted-deal","data":"{\"nonce\":\"f295WuRrrki719pXgShjZlgB69oMHinA\",\"ciphertext\":\"W30eGN+/hn2qngaLAomJv7lj7M5HbtU=\"}"}"#,
    r#"{"event":"pusher:error","data":{"code":4301,"message":"x"}}"#,
    r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"1\"}"}}"#,
    r#"{"event":"pusher:subscription_error","channel":"private-orders","data":{"type":"AuthError","status":401}}"#,
    r#"{"event":"\ud800","channel":null,"data":"\ud800"}"#,
];

const ANSWERS: [&str; 2] = [
    r#"{"auth":"k:1","shared_secret":"EM7XYKq0lQRIZoPa6buecdqsK2ZzkyPYiEfhhICmhB0=","channel_data":"{\"user_id\":1}","user_data":"{\"id\":1}"}"#,
    "<html>",
];

/// H5, H8: no bytes end the program, and a link that was given up says nothing more.
#[test]
fn any_frames() {
    check!(iterations = 2000, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut rig = Rig::new(&CHANNELS, |_| {});
        rig.start();
        if draws.below(4) > 0 {
            rig.says(GREETING);
        }
        for number in 1..40 {
            match draws.below(8) {
                0 => rig.pass(std::time::Duration::from_millis(draws.below(4000) as u64)),
                1 => {
                    let body = mutated(&ANSWERS, &mut draws);
                    rig.answers(draws.below(8) as u32, Ok(Response::new(200, body)));
                }
                2 => rig.answers(number, Err(LinkFault::new(LinkFaultKind::Timeout, ""))),
                3 => rig.pong(),
                4 => rig.says(FRAMES[draws.below(FRAMES.len())]),
                _ => {
                    let frame = mutated(&FRAMES, &mut draws);
                    let link = crate::LinkId(rig.link);
                    rig.feed.handle_input(crate::Input::Text { link, text: frame.into() }, rig.now);
                    rig.pass(std::time::Duration::ZERO);
                }
            }
            if rig.feed.status().phase == Phase::Connecting {
                rig.opened();
            }
            rig.out.clear();
        }
    });
}

/// A greeting that can't be understood is no reason to wait.
#[test]
fn a_server_of_something_else() {
    for text in [
        "hello",
        "{}",
        r#"{"event":"pusher:connection_established"}"#,
        r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"a&b\"}"}"#,
    ] {
        let mut rig = Rig::new(&["news"], |_| {});
        rig.start();
        rig.out.clear();
        rig.says(text);
        rig.expect(&["close"]);
        rig.is(Phase::Waiting);
    }
}

/// H3: an event that can't be taken has a place, and its loss is said.
#[test]
fn events_that_can_not_be_taken() {
    let deep: Arc<str> = format!("{}1{}", "[".repeat(200), "]".repeat(200)).into();
    let long = "x".repeat(201);
    let big = format!("\"{}\"", "x".repeat(2 << 20));
    for (name, data) in [("tick", &*deep), (&*long, "1"), ("tick", &*big)] {
        let mut rig = Rig::live();
        rig.says(&format!(r#"{{"event":"{name}","channel":"news","data":{data}}}"#));
        assert_eq!(rig.feed.status().counts.rejected, 1, "{:?}", rig.feed.status().last_rejection);
        assert!(rig.out[0].contains("pusher:unsubscribe"), "{:?}", rig.out);
    }
}

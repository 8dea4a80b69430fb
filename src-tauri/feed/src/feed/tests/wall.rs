//! The wall clock, by which what tells no time gets one.

use watchfloor_model::{Event, Payload, Timestamp};

use super::*;
use crate::config::Kind;

/// H1, H3: a clock that is set back, or read a millisecond too early, turns nothing around: what comes later is not earlier.
#[test]
fn time_does_not_go_back() {
    let mut rig = Rig::with(Transport::WebSocket, &["flights"]);
    let at = |millis: i64| Timestamp::from_millis(1_700_000_000_000 + millis);
    let now = |millis: u64| Mono::from_micros(millis * 1000);
    let mut last = Timestamp::from_millis(0);
    for (wall, mono) in [(0, 10), (5, 15), (4, 15), (6, 17), (-3_600_000, 20), (-3_599_000, 1020), (2000, 2010)] {
        rig.feed.set_wall(at(wall), now(mono));
        let told = rig.feed.moment(now(mono)).wall;
        assert!(told >= last, "{told:?} after {last:?}");
        last = told;
    }
    assert_eq!(last, at(2000), "set forward, it is right again");
}

/// H1: an event whose publisher's clock is ahead is no newer than now, or a gauge would keep it for as long as it is ahead.
#[test]
fn nothing_comes_from_the_future() {
    let mut rig = Rig::with(Transport::WebSocket, &["flights"]);
    let now = Mono::from_micros(1_000_000);
    let wall = Timestamp::from_millis(1_700_000_000_000);
    let event = |millis: i64| Event {
        channel: "flights".into(),
        name: "tick".into(),
        id: None,
        position: None,
        time: Timestamp::from_millis(wall.as_millis() + millis),
        received: now,
        data: Payload::from(serde_json::json!(1)),
    };
    rig.feed.set_wall(wall, now);
    let mut times = |kind| {
        rig.feed.config.kind = kind;
        rig.feed.push(event(-5));
        rig.feed.push(event(3_600_000));
        std::mem::take(&mut rig.feed.batch)
            .into_iter()
            .map(|event| event.time.as_millis() - wall.as_millis())
            .collect::<Vec<_>>()
    };
    assert_eq!(times(Kind::Centrifugo), [-5, 0]);
    // A hub's times are its own, and bounded by it.
    assert_eq!(times(Kind::Hub), [-5, 3_600_000]);
}

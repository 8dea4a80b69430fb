//! Whatever the bytes: see `docs/proof.md`, "Fuzzing". What readers send by WebSocket is in `door/websocket.rs`.

use serde_json::Value;
use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Position, Timestamp};

use crate::{
    clock::{ClockOrder, Setting},
    cursor, limits, message,
    publish::{self, Form, Incoming},
};

const EVENTS: [&str; 4] = [
    r#"{"channel":"flights","name":"flight.cancelled","id":"a/b","time":1360335600000,"data":{"n":1,"s":"é\n"}}"#,
    r#"[{"channel":"a","name":"\u0061\"","data":null},{"channel":"a","name":"b","time":1.0,"data":[1,2]}]"#,
    "{\"channel\":\"a\",\"name\":\"n\",\"data\":1}\n\n {\"channel\":\"b\",\"name\":\"n\",\"data\":{}}\r\n",
    "{\"channel\":\"a\",\n\"name\":\"n\",\n\"data\":{\n\"x\": 1\n}}",
];

/// What is taken is within its limits, and what is passed on of it is one line of JSON that says the same.
fn is_passed_on(event: &Incoming) {
    assert!((1..=limits::CHANNEL_BYTES_MAX).contains(&event.channel.len()));
    let place = Position::new("e", 7);
    let line = message::event(event, &place, event.time.unwrap_or_default());
    assert!(!line.contains(['\n', '\r']), "{line}");
    let read: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(read["channel"], *event.channel);
    assert_eq!(read["name"], *event.name);
    assert_eq!(read["id"].as_str(), event.id.as_deref());
    assert_eq!(read["data"], event.data.value().to_value());
}

#[test]
fn publishing() {
    check!(|bytes: &[u8]| {
        let body = mutated(&EVENTS, &mut Draws::new(bytes));
        for form in [Form::Json, Form::Lines] {
            match publish::parse(&body, form) {
                Ok(events) => {
                    assert!((1..=limits::BATCH_EVENTS_MAX).contains(&events.len()));
                    events.iter().for_each(is_passed_on);
                }
                Err(refused) => assert!(!refused.message.is_empty()),
            }
        }
    });
}

/// H3: a cursor that is taken means the same when it is written again.
#[test]
fn cursors() {
    check!(|bytes: &[u8]| {
        let text = mutated(&["flights~k3x9:41|weather~", "a~e:0|b~e:18446744073709551615|c~"], &mut Draws::new(bytes));
        let Ok(text) = std::str::from_utf8(&text) else { return };
        if let Ok(places) = cursor::parse(text) {
            assert!((1..=limits::SUBSCRIPTION_CHANNELS_MAX).contains(&places.len()));
            let written = cursor::text(places.iter().map(|(channel, place)| (channel, place.as_ref())));
            assert_eq!(cursor::parse(&written), Ok(places));
        }
    });
}

#[test]
fn clock_orders() {
    check!(|bytes: &[u8]| {
        let seeds = [
            r#"{"now":1360335600000,"speed":60,"label":"Replay"}"#,
            r#"{"system":true}"#,
            r#"{"now":-1,"begins":true}"#,
        ];
        let body = mutated(&seeds, &mut Draws::new(bytes));
        if let Ok(ClockOrder { setting: Setting::At { at, speed, .. }, .. }) = ClockOrder::parse(&body) {
            assert!((0.0..=limits::CLOCK_SPEED_MAX).contains(&speed));
            assert_ne!(at, Timestamp::from_millis(i64::MIN));
        }
    });
}

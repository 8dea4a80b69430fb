//! Pusher Channels: an event a message, whose body is a text of JSON within it. An application has to read both.

use serde_json::Value;
use watchfloor_feed::Kind;

use crate::{
    flights::{self, CHANNEL, NAME},
    rig::{Rig, Said, Talk, envelope},
};

const GREETING: &str = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"5389359628.2136654230\",\"activity_timeout\":30}"}"#;
const SUBSCRIBED: &str = r#"{"event":"pusher_internal:subscription_succeeded","channel":"flights","data":"{}"}"#;

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::Soketi, "wss://push.example/", |config| {
        config.app = Some("app-key".into());
        config.envelope = envelope(None, Some("time"));
    });
    let rig = rig.opened(&[GREETING, SUBSCRIBED].map(Said::text));
    let frames: Vec<String> = (0..flights::COUNT).map(frame).collect();
    let said = frames.iter().map(Said::text).collect();
    let json = frames.into_iter().zip((0..flights::COUNT).map(flights::timed)).flat_map(|(frame, body)| [frame, body]);
    Talk { rig, said, json: json.collect() }
}

fn frame(number: u64) -> String {
    let body = Value::from(flights::timed(number));
    format!(r#"{{"event":"{NAME}","data":{body},"channel":"{CHANNEL}"}}"#)
}

//! Centrifugo: a publication a message, in a channel with history.

use watchfloor_feed::Kind;

use crate::{
    flights::{self, CHANNEL},
    rig::{Rig, Said, Talk, envelope},
};

const CONNECTED: &str = r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true,"time":1795697600500}}"#;
const SUBSCRIBED: &str = r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"xyGz","offset":7}}"#;

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::Centrifugo, "wss://push.example/", |config| {
        config.envelope = envelope(Some("name"), Some("time"));
    });
    let rig = rig.opened(&[CONNECTED, SUBSCRIBED].map(Said::text));
    let json: Vec<String> = (0..flights::COUNT).map(push).collect();
    Talk { rig, said: json.iter().map(Said::text).collect(), json }
}

fn push(number: u64) -> String {
    let body = flights::whole(number, "");
    format!(r#"{{"push":{{"channel":"{CHANNEL}","pub":{{"data":{body},"offset":{}}}}}}}"#, number + 8)
}

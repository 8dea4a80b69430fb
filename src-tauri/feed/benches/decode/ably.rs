//! Ably: a message a protocol message, whose data is a text of JSON within it. An application has to read both.

use serde_json::Value;
use watchfloor_feed::Kind;

use crate::{
    flights::{self, CHANNEL, NAME},
    rig::{Rig, Said, Talk, WALL_MS},
};

const CONNECTED: &str = r#"{"action":4,"connectionId":"Ve8zDqXwPb","connectionDetails":{"connectionKey":"c4DRxaBcDe!Ve8zDqXwPb-1","maxIdleInterval":15000,"connectionStateTtl":120000,"maxMessageSize":65536,"maxFrameSize":524288,"serverId":"s.1"}}"#;
const ATTACHED: &str = r#"{"action":11,"channel":"flights","channelSerial":"e91mK2pZ:1700000000000-0","flags":786432}"#;
/// What the session asks for behind the attachment.
const BEAT: &str = r#"{"action":0,"id":"w1"}"#;

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::Ably, "wss://main.realtime.ably.net", |_| {});
    let rig = rig.opened(&[CONNECTED, ATTACHED, BEAT].map(Said::text));
    let frames: Vec<String> = (0..flights::COUNT).map(frame).collect();
    let said = frames.iter().map(Said::text).collect();
    let json = frames.into_iter().zip((0..flights::COUNT).map(flights::timed)).flat_map(|(frame, body)| [frame, body]);
    Talk { rig, said, json: json.collect() }
}

fn frame(number: u64) -> String {
    let body = Value::from(flights::timed(number));
    let at = WALL_MS.unsigned_abs() + number;
    format!(
        r#"{{"action":15,"id":"Ve8zDqXwPb:{number}","connectionId":"Ve8zDqXwPb","channel":"{CHANNEL}","channelSerial":"e91mK2pZ:{at}-0","timestamp":{at},"messages":[{{"name":"{NAME}","data":{body},"encoding":"json"}}]}}"#
    )
}

//! NATS: messages of a subject, and what a consumer of JetStream sends.

use serde_json::json;
use watchfloor_feed::Kind;

use crate::{
    flights::{self, NAME},
    rig::{Rig, Said, Talk, chunks, envelope},
};

const INFO: &str = concat!(
    r#"INFO {"server_id":"NBCKHNRH62FS","server_name":"NBCKHNRH62FS","version":"2.15.1","proto":1,"headers":true,"#,
    r#""max_payload":1048576,"jetstream":true,"client_id":5,"client_ip":"127.0.0.1"} "#,
    "\r\n"
);
const PONG: &str = "PONG\r\n";
/// When the first message was stored, in nanoseconds.
const STORED: u64 = 1_795_697_600_000_000_000;

pub(crate) fn core() -> Talk {
    let mut rig = accepted("flight.>");
    let sid = word_after(&rig, "SUB flight.> ");
    rig.says(&Said::chunk(PONG));
    talk(rig, |_| format!("{NAME} {sid}"))
}

pub(crate) fn jetstream() -> Talk {
    let mut rig = accepted("stream:FLIGHTS");
    let inbox = word_after(&rig, "SUB ").trim_end_matches(".r.*").to_owned();
    let answers = word_after(&rig, &format!("SUB {inbox}.r.* "));
    let consumer = word_after(&rig, "PUB $JS.API.CONSUMER.CREATE.FLIGHTS.");
    let mut answer = |body: &str| {
        let text = rig.sent_text();
        let reply = text.rsplit("PUB ").next().and_then(|text| text.split(' ').nth(1)).expect("a question");
        rig.says(&Said::chunk(format!("MSG {reply} {answers} {}\r\n{body}\r\n", body.len())));
    };
    answer(&json!({"name": consumer, "delivered": {"consumer_seq": 0, "stream_seq": 0}, "num_pending": 0}).to_string());
    let state = json!({"first_seq": 1, "last_seq": 0, "num_deleted": 0});
    let config = json!({"name": "FLIGHTS", "storage": "file"});
    answer(&json!({"config": config, "created": "2026-11-26T13:02:16.041700321Z", "state": state}).to_string());
    let sid = word_after(&rig, &format!("SUB {inbox}.d.{consumer} "));
    talk(rig, |number| {
        let (place, time, pending) = (number + 1, STORED + number * 1000, flights::COUNT - number - 1);
        format!("{NAME} {sid} $JS.ACK.FLIGHTS.{consumer}.1.{place}.{place}.{time}.{pending}")
    })
}

/// The server has taken the connection, and the subscriptions were sent.
fn accepted(channel: &str) -> Rig {
    let rig = Rig::new(Kind::Nats, "nats://bus.example", |config| {
        config.channels = vec![channel.into()];
        config.envelope = envelope(None, Some("time"));
    });
    rig.opened(&[INFO, PONG].map(Said::chunk))
}

fn talk(rig: Rig, head: impl Fn(u64) -> String) -> Talk {
    let json: Vec<String> = (0..flights::COUNT).map(flights::timed).collect();
    let message = |(number, body): (u64, &String)| format!("MSG {} {}\r\n{body}\r\n", head(number), body.len());
    Talk { rig, said: chunks((0..).zip(&json).map(message).collect::<String>().as_bytes()), json }
}

/// The word that follows `before` in what was sent.
fn word_after(rig: &Rig, before: &str) -> String {
    let text = rig.sent_text();
    let rest = text.split_once(before).expect("what was sent").1;
    rest.split_ascii_whitespace().next().expect("a word").to_owned()
}

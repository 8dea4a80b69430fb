//! Socket.IO: an event a message, of a server that can give sessions back and so numbers them.

use watchfloor_feed::Kind;

use crate::{
    flights::{self, NAME},
    rig::{Rig, Said, Talk, WALL_MS, envelope},
};

const OPEN: &str =
    r#"0{"sid":"bjF9XP8yugVTjkOcAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
const JOINED: &str = r#"40{"sid":"FJStJu6pAs93AbvRAAAA","pid":"ngx1j3f464x69fhPAAAB"}"#;
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::SocketIo, "https://push.example", |config| {
        config.channels = vec!["/".into()];
        config.envelope = envelope(None, Some("time"));
    });
    let rig = rig.opened(&[OPEN, JOINED].map(Said::text));
    let json: Vec<String> = (0..flights::COUNT).map(arguments).collect();
    Talk { rig, said: json.iter().map(|arguments| Said::text(format!("42{arguments}"))).collect(), json }
}

fn arguments(number: u64) -> String {
    format!(r#"["{NAME}",{},"{}"]"#, flights::timed(number), offset(number))
}

/// The server's time in its own base of 64.
fn offset(number: u64) -> String {
    let millis = WALL_MS.unsigned_abs() + number;
    let digit = |place: u32| char::from(DIGITS[(millis >> (6 * place) & 63) as usize]);
    (0..7).rev().map(digit).collect()
}

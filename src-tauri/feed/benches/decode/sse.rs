//! Server-sent events, each with an id and a type.

use watchfloor_feed::Kind;

use crate::{
    flights::{self, NAME},
    rig::{Rig, Talk, chunks, envelope},
};

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::Sse, "https://push.example/stream", |config| {
        config.envelope = envelope(None, Some("time"));
    });
    let event = |number| format!("id: {}\nevent: {NAME}\ndata: {}\n\n", number + 1, flights::timed(number));
    let body: String = (0..flights::COUNT).map(event).collect();
    let json = (0..flights::COUNT).map(flights::timed).collect();
    Talk { rig: rig.begun(":\n\n"), said: chunks(body.as_bytes()), json }
}

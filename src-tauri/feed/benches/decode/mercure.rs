//! A Mercure hub: updates, each with an id.

use watchfloor_feed::Kind;

use crate::{
    flights,
    rig::{Rig, Talk, chunks, envelope},
};

pub(crate) fn talk() -> Talk {
    let rig = Rig::new(Kind::Mercure, "https://hub.example", |config| {
        config.envelope = envelope(Some("name"), Some("time"));
    });
    let update = |number: u64| {
        format!("id: urn:uuid:de81e4b1-408c-42de-adc6-{number:012x}\ndata: {}\n\n", flights::whole(number, ""))
    };
    let body: String = (0..flights::COUNT).map(update).collect();
    let json = (0..flights::COUNT).map(|number| flights::whole(number, "")).collect();
    Talk { rig: rig.begun(":\n"), said: chunks(body.as_bytes()), json }
}

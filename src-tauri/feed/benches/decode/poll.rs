//! Polls of a document with many rows, every one of which has changed each time: each row is a message.

use watchfloor_feed::{Head, Kind};

use crate::{
    flights,
    rig::{Rig, Said, Talk, envelope},
};

const ROWS: u64 = 512;

pub(crate) fn talk() -> Talk {
    let mut rig = Rig::new(Kind::Poll, "https://push.example/departures", |config| {
        config.envelope = envelope(None, Some("time"));
        config.envelope.id = Some("id".parse().expect("a path"));
        config.envelope.data = Some("items".parse().expect("a path"));
    });
    let mut documents = (0..=flights::COUNT / ROWS).map(document);
    let first = documents.next().expect("one document more than there are polls");
    let answer = |body: String| Said::Answer(Head::default(), body.into());
    rig.says(&answer(first));
    let json: Vec<String> = documents.collect();
    Talk { rig, said: json.iter().cloned().map(answer).collect(), json }
}

fn document(number: u64) -> String {
    let row = |id| format!(r#"{{"id":{id},{}"#, flights::timed(number * ROWS + id).split_at(1).1);
    format!(r#"{{"items":[{}]}}"#, (0..ROWS).map(row).collect::<Vec<_>>().join(","))
}

//! Long polls: of Nchan, an answer an event, with the validators by which the next one is asked for; and by a cursor, an answer with some events.

use watchfloor_feed::{Cursor, Head, Kind};

use crate::{
    flights,
    rig::{Rig, Said, Talk, envelope},
};

pub(crate) fn talk() -> Talk {
    let mut rig = Rig::new(Kind::LongPoll, "https://push.example/poll", |config| {
        config.envelope = envelope(Some("name"), Some("time"));
    });
    rig.says(&Said::Answer(Head { is_unchanged: true, ..head(0) }, "".into()));
    let json: Vec<String> = (0..flights::COUNT).map(|number| flights::whole(number, "")).collect();
    let answer = |(number, body): (u64, &String)| Said::Answer(head(number + 1), body.clone().into());
    Talk { rig, said: (0..).zip(&json).map(answer).collect(), json }
}

/// Events of one answer.
const BATCH: u64 = 20;

pub(crate) fn cursor() -> Talk {
    let mut rig = Rig::new(Kind::LongPoll, "https://push.example/poll", |config| {
        let path = |text: &str| text.parse().expect("a path");
        config.envelope = envelope(Some("name"), Some("time"));
        config.promises.cursor =
            Some(Cursor { path: path("next"), query: Some("after".into()), rows: Some(path("items")) });
    });
    rig.says(&answer(&batch(0, 0)));
    let json: Vec<String> = (0..flights::COUNT).step_by(BATCH as usize).map(|first| batch(first, BATCH)).collect();
    Talk { rig, said: json.iter().map(|body| answer(body)).collect(), json }
}

fn batch(first: u64, count: u64) -> String {
    let events: Vec<String> = (first..first + count).map(|number| flights::whole(number, "")).collect();
    format!(r#"{{"items":[{}],"next":{}}}"#, events.join(","), first + count)
}

fn answer(body: &str) -> Said {
    Said::Answer(Head::default(), body.to_owned().into())
}

fn head(number: u64) -> Head {
    let (etag, modified) = (number % 10, "Thu, 26 Nov 2026 12:51:40 GMT");
    Head { etag: Some(etag.to_string()), last_modified: Some(modified.to_owned()), ..Head::default() }
}

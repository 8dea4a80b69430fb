//! Long polls of Nchan: an answer an event, with the validators by which the next one is asked for.

use watchfloor_feed::{Head, Kind};

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

fn head(number: u64) -> Head {
    let (etag, modified) = (number % 10, "Thu, 26 Nov 2026 12:51:40 GMT");
    Head { etag: Some(etag.to_string()), last_modified: Some(modified.to_owned()), ..Head::default() }
}

//! What is retained, and held while the site is asked.

use super::*;
use crate::{Response, Site};

impl Rig {
    fn site_answers(&mut self) {
        let fetch = self.asked.take().expect("asked");
        self.feed.handle_input(Input::Fetched { fetch, outcome: Ok(Response::new(200, "[]")) }, self.now);
        self.drain();
    }

    /// Live with a site, and told `{"n":0}` of `plant/old`.
    fn with_site() -> Self {
        let mut rig = Self::opened(|config| {
            config.site = Some(Site {
                url: "https://app.example/api/orders".parse().expect("an address"),
                shows_token: false,
                shows_headers: false,
                channel: "plant/#".into(),
                name: "order".into(),
                rows: None,
                time: None,
            });
        });
        rig.says(&[CONNACK, SUBACK, RETAINED]);
        rig.site_answers();
        rig.says(&[PONG, PONG]);
        assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
        assert_eq!(rig.tells(), [r#"plant/old 1 {"n":0}"#]);
        rig
    }

    /// What was told of a topic since.
    fn tells(&mut self) -> Vec<String> {
        let out = std::mem::take(&mut self.out);
        out.into_iter().filter(|line| line.starts_with("plant/")).collect()
    }
}

fn retained(n: u8) -> String {
    publication(0x33, "plant/old", Some(1), format!(r#"{{"n":{n}}}"#).as_bytes())
}

/// H1, H3: what was held, and lost with the link before the site answered, is told when it comes again.
#[test]
fn what_was_held() {
    let mut rig = Rig::with_site();
    rig.reconnect();
    rig.says(&[CONNACK, SUBACK, &retained(1)]);
    rig.reconnect();
    rig.says(&[CONNACK, SUBACK, &retained(1)]);
    rig.site_answers();
    rig.says(&[PONG, PONG, PONG]);
    assert_eq!((rig.phase(), rig.tells()), (Phase::Live, vec![r#"plant/old 1 {"n":1}"#.to_owned()]));
    // H3: and once.
    rig.reconnect();
    rig.says(&[CONNACK, SUBACK, &retained(1)]);
    rig.site_answers();
    rig.says(&[PONG, PONG, PONG]);
    assert_eq!((rig.phase(), rig.tells()), (Phase::Live, Vec::new()));
}

/// H1, H3: what a link on trial was told, and nobody else, is told by the one after it.
#[test]
fn what_a_trial_was_told() {
    let mut rig = Rig::new(|config| config.asks_token = true);
    let gets = |rig: &mut Rig, token: &str| {
        let fetch = rig.token.take().expect("asked");
        let outcome = Ok(Credential { token: Secret::new(token), expiry: Expiry::Unknown });
        rig.feed.handle_input(Input::Credential { fetch, outcome }, rig.now);
        rig.drain();
    };
    rig.feed.start(rig.now);
    rig.drain();
    gets(&mut rig, "t1");
    rig.open();
    rig.says(&[CONNACK, SUBACK, RETAINED, PONG, PONG]);
    assert_eq!((rig.phase(), rig.tells()), (Phase::Live, vec![r#"plant/old 1 {"n":0}"#.to_owned()]));
    rig.feed.renew(rig.now);
    rig.drain();
    gets(&mut rig, "t2");
    assert_eq!(rig.link, 2, "a token can't be presented: {:?}", rig.out);
    rig.open();
    rig.says(&[CONNACK, &retained(1)]);
    assert_eq!((rig.phase(), rig.tells()), (Phase::Live, Vec::new()));
    rig.says(&[SUBACK]);
    assert_eq!((rig.link, rig.tells()), (3, Vec::new()), "the link is begun anew: {:?}", rig.out);
    rig.open();
    rig.says(&[CONNACK, SUBACK, &retained(1), PONG, PONG]);
    assert_eq!((rig.phase(), rig.tells()), (Phase::Live, vec![r#"plant/old 1 {"n":1}"#.to_owned()]));
}

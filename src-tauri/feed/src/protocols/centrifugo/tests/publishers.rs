//! What is known of those who publish.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Phase, Position};

use super::Rig;
use crate::port::{Input, LinkId};

/// H1: what waited in the socket while this program stood still was said before: its publisher may have died since.
#[test]
fn an_old_event_proves_its_publisher_then() {
    let mut rig = Rig::live();
    for _ in 0..3 {
        rig.pass(Duration::from_secs(1));
        rig.feed.handle_input(Input::Pong { link: LinkId(rig.link) }, rig.now);
        rig.says("{}");
    }
    let published = rig.now;
    rig.now = rig.now.plus(Duration::from_secs(14));
    rig.says(r#"{"push":{"channel":"news","pub":{"data":{"n":1},"offset":8,"time":1700000003000}}}"#);
    let proof = rig.feed.status().publisher_proof.expect("spoke");
    assert!(proof.since(published) <= Duration::from_secs(6), "{:?} later", proof.since(published));
}

/// H1: of a publisher who hasn't spoken since the wall began nobody knows whether it lives, however many others do: what it said
/// before isn't live.
#[test]
fn a_publisher_who_was_dead_before_is_not_alive() {
    let mut rig = Rig::new(|config| {
        config.channels = vec!["news".into(), "dead".into()];
        config.quiet = Some(Duration::from_secs(45));
    });
    let place = || "e:7".parse::<Position>().expect("a place");
    rig.feed.restore(BTreeMap::from([("news".into(), place()), ("dead".into(), place())]));
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.says(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true,"time":1700000000500}}"#);
    for id in [2, 3] {
        rig.says(&format!(
            r#"{{"id":{id},"subscribe":{{"recoverable":true,"positioned":true,"recovered":true,"was_recovering":true,"epoch":"e","offset":7}}}}"#
        ));
    }
    for second in 0..300_u64 {
        rig.pass(Duration::from_secs(1));
        rig.feed.handle_input(Input::Pong { link: LinkId(rig.link) }, rig.now);
        rig.says("{}");
        let offset = 8 + second;
        rig.says(&format!(r#"{{"push":{{"channel":"news","pub":{{"data":{{"n":1}},"offset":{offset}}}}}}}"#));
    }
    assert_eq!((rig.feed.status().phase, rig.feed.status().publisher_proof), (Phase::Live, None));
    rig.says(r#"{"push":{"channel":"dead","pub":{"data":{"n":1},"offset":8}}}"#);
    assert_eq!(rig.feed.status().publisher_proof, Some(rig.now));
}

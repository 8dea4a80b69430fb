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

/// Published past the history of a channel that has one.
const LOOSE: &str = r#"{"push":{"channel":"news","pub":{"data":{"n":1}}}}"#;

/// H3: where something came that the history doesn't keep, what it gives back may lack others of its kind, until it begins anew.
#[test]
fn a_history_that_leaks() {
    let again = |rig: &mut Rig, epoch: &str, offset: u64| {
        rig.closes(3001, "");
        rig.pass(Duration::from_secs(3));
        rig.opened();
        rig.out.clear();
        rig.says(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true}}"#);
        let offset = format!(r#""epoch":"{epoch}","offset":{offset}"#);
        rig.says(&format!(r#"{{"id":2,"subscribe":{{"recoverable":true,"positioned":true,"recovered":true,"was_recovering":true,{offset},"publications":[{{"data":{{"n":2}},"offset":8}}]}}}}"#));
        rig.out.join("\n")
    };
    let mut rig = Rig::live();
    let out = again(&mut rig, "e", 7);
    assert!(out.contains("gap proven") && out.contains("publication e:8"), "{out}");

    let mut rig = Rig::live();
    rig.says(LOOSE);
    assert!(rig.out.join("\n").contains("publication nowhere"), "{:?}", rig.out);
    let out = again(&mut rig, "e", 7);
    assert!(
        out.contains("gap unknown") && out.contains("past its history") && out.contains("publication e:8"),
        "{out}"
    );
    assert_eq!((rig.feed.status().phase, rig.feed.status().counts.gaps_proven), (Phase::Live, 0));
    // For as long as it is that history.
    rig.closes(3001, "");
    rig.pass(Duration::from_secs(3));
    rig.opened();
    rig.says(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true}}"#);
    rig.says(
        r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"was_recovering":true,"epoch":"f","offset":7}}"#,
    );
    let out = again(&mut rig, "f", 7);
    assert!(out.contains("gap proven"), "{out}");
}

/// H2: whoever publishes past the history lives.
#[test]
fn what_has_no_place_proves_its_publisher() {
    let mut rig = Rig::new(|config| config.quiet = Some(Duration::from_secs(45)));
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.says(r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true}}"#);
    rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":7}}"#);
    assert_eq!((rig.feed.status().phase, rig.feed.status().publisher_proof), (Phase::Live, None));
    rig.pass(Duration::from_secs(1));
    rig.says(LOOSE);
    assert_eq!(rig.feed.status().publisher_proof, Some(rig.now));
}

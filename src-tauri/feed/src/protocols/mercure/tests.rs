//! A Mercure hub's answers, recorded from version 0.20.2, and what a feed makes of them.

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use crate::{Kind, Secret, SourceConfig, protocols::sse::tests::Rig};

const ID: &str = "urn:uuid:de81e4b1-408c-42de-adc6-d24869982dab";
const PLACE: &str = "link-00000000000000aa:7@urn:uuid:de81e4b1-408c-42de-adc6-d24869982dab";
/// What came after [`ID`].
const MISSED: &str = ":\nevent: flight\nretry: 1500\n\
id: urn:uuid:8dcf59ee-384e-4c3e-9e05-2ba472bebef0\ndata: {\"kind\":\"tick\",\"n\":2}\n\n";

/// What a hub says of somebody who comes and leaves.
const SUBSCRIPTIONS: &str = "id: urn:uuid:a4f3b605-95a0-4d14-96d8-8524278a107e\n\
data: {\ndata:   \"@context\": \"https://mercure.rocks/\",\n\
data:   \"id\": \"/.well-known/mercure/subscriptions/news/urn%3Auuid%3Af78c674d-d097-4fb7-8b92-7637ec856641\",\n\
data:   \"type\": \"Subscription\",\n\
data:   \"subscriber\": \"urn:uuid:f78c674d-d097-4fb7-8b92-7637ec856641\",\n\
data:   \"topic\": \"news\",\ndata:   \"active\": true,\n\
data:   \"payload\": {\ndata:     \"wall\": 1\ndata:   }\ndata: }\n\n:\n\
id: urn:uuid:5f4674b5-a82a-42aa-8f58-b807616b7544\n\
data: {\ndata:   \"@context\": \"https://mercure.rocks/\",\n\
data:   \"id\": \"/.well-known/mercure/subscriptions/news/urn%3Auuid%3Af78c674d-d097-4fb7-8b92-7637ec856641\",\n\
data:   \"type\": \"Subscription\",\n\
data:   \"subscriber\": \"urn:uuid:f78c674d-d097-4fb7-8b92-7637ec856641\",\n\
data:   \"topic\": \"news\",\ndata:   \"active\": false,\n\
data:   \"payload\": {\ndata:     \"wall\": 1\ndata:   }\ndata: }\n\n:\n";

fn mercure(change: impl FnOnce(&mut SourceConfig)) -> Rig {
    Rig::new(Kind::Mercure, &["news"], |config| {
        config.url = "https://hub.example".parse().expect("an address");
        config.promises.heartbeat = Some(Duration::from_secs(1));
        change(config);
    })
}

/// H3: topics are asked for one by one, and a stream begins with what is to come.
#[test]
fn a_first_stream() {
    let mut rig = mercure(|config| {
        config.channels = vec!["news".into(), "https://site.example/books/{id}".into()];
        config.token = Some(Secret::new("t1"));
    });
    rig.start();
    rig.expect(&[
        "open https://hub.example/.well-known/mercure?topic=news&topic=https%3A%2F%2Fsite.example%2Fbooks%2F%7Bid%7D [authorization: Bearer ***]",
    ]);
    rig.opened(None);
    rig.says(":\n");
    rig.says(&format!("id: {ID}\ndata: {{\"kind\":\"tick\",\"n\":1}}\n\n:\n:\n"));
    let unknown = "gap unknown: the server offers no snapshot";
    rig.expect(&[unknown, unknown, &format!("tick 1@{ID} {ID} {{\"kind\":\"tick\",\"n\":1}}")]);
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    rig.ends();
    rig.comes_back();
    assert!(rig.out.pop().expect("a link").ends_with(&format!("[authorization: Bearer ***] [last-event-id: {ID}]")));
}

/// H3: the head that names what was asked for proves the replay. Any other, and none, doesn't, whatever the board
/// promises.
#[test]
fn the_head_proves_the_replay() {
    for (told, proof) in [
        (Some(ID), Continuity::Proven),
        (Some("urn:uuid:009dda8d-c55a-419b-a3a4-05af60184708"), Continuity::Unknown),
        (Some("earliest"), Continuity::Unknown),
        (None, Continuity::Unknown),
    ] {
        let mut rig = mercure(|config| config.promises.replays = true).restored(&[("news", PLACE)]);
        rig.start();
        rig.expect(&[&format!("open https://hub.example/.well-known/mercure?topic=news [last-event-id: {ID}]")]);
        rig.opened(told);
        rig.says(MISSED);
        assert_ne!(rig.phase(), Phase::Live, "a replay");
        rig.pass(Duration::from_secs(1));
        rig.says(":\n");
        let status = rig.feed.status();
        assert_eq!((status.phase, status.continuity, status.counts.events), (Phase::Live, proof, 1), "{told:?}");
        let gaps = rig.out.iter().filter(|line| line.starts_with("gap unknown")).count();
        assert_eq!(gaps, usize::from(proof == Continuity::Unknown), "{:?}", rig.out);
    }
}

/// H1, H3: with `history` a wall that has nothing begins with all that the hub has kept, which may not be all that there
/// was and isn't live while it comes; afterwards it goes on from its place.
#[test]
fn all_that_the_hub_has_kept() {
    for told in [Some("earliest"), None] {
        let mut rig = mercure(|config| config.promises.history = true);
        rig.start();
        rig.expect(&["open https://hub.example/.well-known/mercure?topic=news [last-event-id: earliest]"]);
        rig.opened(told);
        rig.expect(&["gap unknown: the server offers no snapshot"]);
        rig.says(":\n");
        assert_ne!(rig.phase(), Phase::Live, "it may be coming");
        rig.says(&format!("id: {ID}\ndata: {{\"kind\":\"tick\",\"n\":1}}\n\n"));
        rig.pass(Duration::from_secs(1));
        rig.says(":\n");
        let status = rig.feed.status();
        assert_eq!((status.phase, status.continuity, status.counts.events), (Phase::Live, Continuity::Unknown, 1));
        rig.ends();
        rig.comes_back();
        assert!(rig.out.pop().expect("a link").ends_with(&format!("[last-event-id: {ID}]")));
    }
    let mut rig = mercure(|config| config.promises.history = true).restored(&[("news", PLACE)]);
    rig.start();
    rig.expect(&[&format!("open https://hub.example/.well-known/mercure?topic=news [last-event-id: {ID}]")]);
}

/// Who subscribes and leaves is told as updates of the subscriptions' topic, recorded from a hub.
#[test]
fn subscription_events() {
    let mut rig =
        mercure(|config| config.channels = vec!["/.well-known/mercure/subscriptions{/topic}{/subscriber}".into()]);
    rig.start();
    rig.opened(None);
    rig.out.clear();
    rig.says(SUBSCRIPTIONS);
    let out = rig.out.join("\n");
    assert!(out.contains("\"active\": true") && out.contains("\"active\": false"), "{out}");
    assert_eq!(rig.feed.status().counts.events, 2);
}

/// H2, H3: the hub ends every stream after a while. It is come back to at once, and nothing is missing.
#[test]
fn the_hub_ends_every_stream() {
    let mut rig = mercure(|_| {});
    rig.start();
    rig.opened(None);
    rig.says(&format!(":\nid: {ID}\ndata: 1\n\n"));
    for _ in 0..600 {
        rig.pass(Duration::from_secs(1));
        rig.says(":\n");
    }
    rig.ends();
    let wait = rig.feed.status().retry_at.expect("a next try").since(rig.now);
    assert!(wait <= Duration::from_millis(500), "{wait:?}");
    rig.comes_back();
    rig.opened(Some(ID));
    rig.says(":\n");
    rig.pass(Duration::from_secs(1));
    rig.says(":\n");
    let counts = rig.feed.status().counts;
    assert_eq!(
        (rig.phase(), counts.gaps_unknown, counts.gaps_proven),
        (Phase::Live, 1, 1),
        "only the first is unknown"
    );
}

/// A topic that is new joins nothing, and the others go on.
#[test]
fn a_new_topic() {
    let mut rig = mercure(|config| config.channels.push("more".into())).restored(&[("news", PLACE)]);
    rig.start();
    rig.opened(Some(ID));
    rig.says(":\n:\n");
    let places = rig.feed.status().positions;
    assert_eq!(rig.phase(), Phase::Live);
    assert!(places["news"].to_string().starts_with("link-00000000000000aa:7@") && places["more"].offset == 0);
}

/// A token that isn't taken is a refusal.
#[test]
fn a_refusal() {
    let mut rig = mercure(|_| {});
    rig.start();
    rig.fails(401, None);
    assert_eq!(rig.phase(), Phase::Refused);
}

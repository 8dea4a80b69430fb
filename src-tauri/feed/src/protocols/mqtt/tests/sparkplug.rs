//! Sparkplug's payloads on the way through a feed. What is in them is tested where they are read.

use super::{
    super::sparkplug::tests::{DBIRTH, NBIRTH, NDATA, NDATA_LATER, NDEATH, REBIRTH},
    *,
};
use crate::Sparkplug;

/// Two filters are granted.
const SUBACK_BOTH: &str = "90050001000101";

fn message(topic: &str, payload: &str) -> String {
    publication(0x30, &format!("spBv1.0/Plant/{topic}"), None, &from_hex(payload))
}

fn connected(manner: Sparkplug) -> Rig {
    let mut rig = Rig::opened(|config| {
        config.channels = vec!["spBv1.0/#".into(), "plant/#".into()];
        config.envelope = Envelope::default();
        config.promises.sparkplug = Some(manner);
    });
    rig.says(&[CONNACK, SUBACK_BOTH, PONG, PONG]);
    assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
    rig.out.clear();
    rig
}

/// H1, H3: an event a message, each with its place; what is missing is a gap; a death is told at once.
#[test]
fn a_nodes_story() {
    let mut rig = connected(Sparkplug::Listen);
    rig.says(&[&message("NBIRTH/Line 3", NBIRTH), &message("DBIRTH/Line 3/Pump", DBIRTH)]);
    let out = rig.out.join("\n");
    assert!(out.contains("Plant/Line 3 1 {") && out.contains("Plant/Line 3/Pump 2 {"), "{out}");
    assert_eq!(out.matches(r#""quality":"good""#).count(), 2, "{out}");
    rig.out.clear();
    rig.says(&[&message("NDATA/Line 3", NDATA_LATER)]);
    let out = std::mem::take(&mut rig.out);
    assert!(out[0].starts_with("gap unknown: events lost: messages of Plant/Line 3 are missing"), "{out:?}");
    assert_eq!(out.join("").matches(r#""quality":"stale""#).count(), 2, "{out:?}");
    assert_eq!(rig.feed.status().counts.rejected, 1, "a short name that means nothing any more");
    assert_eq!(rig.phase(), Phase::Live, "the link is as good as ever");
    rig.says(&[&message("NBIRTH/Line 3", NBIRTH), &message("NDEATH/Line 3", NDEATH)]);
    let out = rig.out.join("\n");
    assert!(out.contains("the node is gone"), "{out}");
    rig.out.clear();
    // What isn't Sparkplug's is what it is elsewhere.
    rig.says(&[
        &publication(0x30, "plant/a", None, b"7"),
        &publication(0x30, "spBv1.0/STATE/host", None, br#"{"online":true}"#),
    ]);
    let out = rig.out.join("\n");
    assert!(
        out.contains("plant/a ") && out.contains(r#"spBv1.0/STATE/host "#) && out.contains(r#"{"online":true}"#),
        "{out}"
    );
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    rig.says(&[PONG]);
    assert_eq!(rig.out, ["c000"], "a wall publishes nothing unless the board says so");
}

/// A node whose birth was missed is asked for it, if the board says so: with the answer to a later ping at the latest.
#[test]
fn a_birth_that_was_missed() {
    let mut rig = connected(Sparkplug::Rebirth);
    rig.says(&[&message("NDATA/Line 3", NDATA)]);
    assert_eq!(rig.feed.status().counts.rejected, 1);
    rig.out.clear();
    let asked = |rig: &Rig| rig.out.iter().filter(|line| line.contains(&to_hex(b"spBv1.0/Plant/NCMD/Line 3"))).count();
    for _ in 0..4 {
        rig.pass(Duration::from_millis(1700));
        rig.says(&[PONG]);
    }
    assert_eq!(asked(&rig), 1, "{:?}", rig.out);
    let sent = rig.out.join("");
    // The time in it is that of the wall.
    let name = to_hex(b"Node Control/Rebirth");
    assert!(sent.contains(&name) && sent.contains("200b7001") && REBIRTH.contains(&name), "{sent}");
    rig.says(&[&message("NBIRTH/Line 3", NBIRTH)]);
    rig.out.clear();
    for _ in 0..60 {
        rig.pass(Duration::from_millis(1700));
        rig.says(&[PONG]);
    }
    assert_eq!(asked(&rig), 0, "it came");
}

/// H1: nothing that was kept is good: neither for the session nor on a topic.
#[test]
fn what_was_kept() {
    let mut rig = Rig::opened(|config| {
        config.channels = vec!["spBv1.0/#".into()];
        config.envelope = Envelope::default();
        config.promises.sparkplug = Some(Sparkplug::Listen);
    });
    let birth = message("NBIRTH/Line 3", NBIRTH);
    rig.says(&[CONNACK_KEPT, SUBACK, &birth, PONG]);
    assert!(rig.out.join("").contains(r#""quality":"stale""#), "{:?}", rig.out);
    rig.out.clear();
    rig.says(&[PONG, &birth]);
    assert!(rig.out.join("").contains(r#""quality":"good""#), "{:?}", rig.out);
    let mut rig = Rig::opened(|config| {
        config.channels = vec!["spBv1.0/#".into()];
        config.envelope = Envelope::default();
        config.promises.sparkplug = Some(Sparkplug::Listen);
    });
    let kept = publication(0x31, "spBv1.0/Plant/NBIRTH/Line 3", None, &from_hex(NBIRTH));
    rig.says(&[CONNACK, SUBACK, &kept, PONG, PONG]);
    assert!(rig.out.join("").contains(r#""quality":"stale""#), "{:?}", rig.out);
    // Each link learns the names anew.
    rig.reconnect();
    rig.out.clear();
    rig.says(&[CONNACK, SUBACK, &kept, PONG, PONG]);
    assert!(rig.out.join("").contains(r#""Load":0.5"#), "{:?}", rig.out);
}

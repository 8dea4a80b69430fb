//! Coming back: what the server sends again of what was had, and what is proven after a connection's state has come to its end.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use watchfloor_model::Phase;

use super::{
    RESUMED,
    rig::{ADDRESS, Rig, attached, connected, message},
};
use crate::{
    Input, LinkId, Response,
    fault::{LinkFault, LinkFaultKind},
    protocols::ably::memory::RECENT_MAX,
};

const HAS_BACKLOG: u64 = 2;
/// What CONNECTED says of how long a connection's state outlives it, and of how long it is silent at most.
const TTL: Duration = Duration::from_secs(120 + 15);

/// One that rewinds, and has had so many messages.
fn rewinding(count: u64) -> Rig {
    let mut rig = Rig::new(|config| config.channels = vec!["[?rewind=100]ops".into()]);
    rig.begin();
    rig.says(&attached("s0", 0));
    rig.beats();
    for number in 1..=count {
        rig.says(&message(&format!("s{number}"), number, &[json!(number)]));
    }
    assert_eq!((rig.feed.status().phase, rig.feed.status().counts.events), (Phase::Live, count));
    rig.out.clear();
    rig
}

/// H3: what is rewound where Ably doesn't go on overlaps with what was had: that is counted once, and what is new after the gap.
#[test]
fn rewound_over_what_was_had() {
    let mut rig = rewinding(5);
    rig.again();
    rig.out.clear();
    rig.says(&attached("s8", HAS_BACKLOG));
    for number in 3..=8 {
        rig.says(&message(&format!("s{number}"), number, &[json!(number)]));
    }
    rig.beats();
    rig.says(&message("s9", 9, &[json!(9)]));
    let told = rig.out.join("; ");
    assert!(told.starts_with("gap unknown") && told.ends_with("tick 1@s6 6; tick 2@s7 7; tick 3@s8 8; tick 4@s9 9"));
    assert!(["s3", "s4", "s5"].iter().all(|old| !told.contains(&format!("@{old} "))), "{told}");
    assert_eq!((rig.unknown(), rig.feed.status().counts.events), (1, 9));
    // Again, and none of it is new.
    rig.again();
    rig.out.clear();
    rig.says(&attached("s9", HAS_BACKLOG));
    for number in 1..=9 {
        rig.says(&message(&format!("s{number}"), number, &[json!(number)]));
    }
    rig.beats();
    assert_eq!((rig.unknown(), rig.feed.status().counts.events), (2, 9));
}

/// H3, H5: so many are remembered, which is more than Ably rewinds (100). One from before those would be taken for a new one.
#[test]
fn as_many_as_are_remembered() {
    let most = RECENT_MAX as u64;
    let mut rig = rewinding(most + 10);
    rig.again();
    rig.says(&attached("s9999", HAS_BACKLOG));
    for number in 11..=most + 10 {
        rig.says(&message(&format!("s{number}"), number, &[json!(number)]));
    }
    rig.beats();
    assert_eq!(rig.feed.status().counts.events, most + 10, "all that are remembered");
    rig.says(&message("s10", 10, &[json!(10)]));
    assert_eq!(rig.feed.status().counts.events, most + 11, "and no more");
}

/// H3, H4: started again, the wall remembers no message but the last; of what is older, and is rewound once more, the history tells.
#[test]
fn rewound_after_a_restart() {
    let mut rig = Rig::new(|config| config.channels = vec!["[?rewind=100]ops".into()]);
    rig.keeps_nothing = false;
    let place = "link-1:7@s5 0 pub:5:0".parse().expect("a place");
    rig.feed.restore(BTreeMap::from([("[?rewind=100]ops".into(), place)]));
    rig.begin();
    // It doesn't ask for that, as it couldn't tell by itself what of it is new; a server may do so all the same.
    rig.expect(&[ADDRESS, r#"{"action":10,"channel":"ops","channelSerial":"s5","flags":786432}"#]);
    rig.says(&attached("s7", HAS_BACKLOG));
    for number in 3..=7 {
        rig.says(&message(&format!("s{number}"), number, &[json!(number)]));
    }
    rig.out.clear();
    let told = |number: u64| json!({ "id": format!("pub:{number}:0"), "data": number.to_string(), "encoding": "json" });
    let page = json!([told(7), told(6), told(5), told(4), { "data": "of which nobody knows" }, told(3)]);
    rig.tells(Response::new(200, page.to_string()));
    rig.says(&message("s8", 8, &[json!(8)]));
    rig.beats();
    let (out, counts) = (rig.out.join("; "), rig.feed.status().counts);
    assert_eq!((counts.events, counts.gaps_unknown), (3, 0), "{out}");
}

/// Away for longer than the server keeps a connection's state: every try fails until then.
fn away(rig: &mut Rig) {
    let (begun, mut tried) = (rig.now, rig.link);
    rig.cut();
    while rig.now.since(begun) <= TTL || rig.link == tried {
        if rig.link != tried {
            tried = rig.link;
            rig.input(Input::Failed { link: LinkId(tried), fault: LinkFault::new(LinkFaultKind::Refused, "") });
            continue;
        }
        let (due, _) = rig.feed.poll_timeout().expect("a next try");
        rig.now = due.max(rig.now);
        rig.feed.handle_timeout(rig.now);
        rig.drain();
    }
    let asked = rig.out.pop().expect("an attempt");
    // Another host may have its turn.
    assert!(asked.ends_with(" resume=key-1"), "{asked}: since 6.1.0 the server decides, {ADDRESS}");
    rig.out.clear();
    rig.opened();
}

/// H3: after longer than `connectionStateTtl` nothing is proven by being connected; the server is asked to go on all the same, as Ably
/// has it since version 6.1.0 of its specification, and its answer to the channel alone decides.
#[test]
fn away_for_longer_than_a_connections_state() {
    for (flags, unknown) in [(0, 1), (RESUMED, 0)] {
        let mut rig = Rig::live();
        rig.says(&message("s1", 1, &[json!(1)]));
        away(&mut rig);
        rig.says(&connected("key-2").replace(
            r#""action":4"#,
            r#""action":4,"error":{"code":80006,"statusCode":400,"message":"its state has expired"}"#,
        ));
        rig.expect(&[r#"{"action":10,"channel":"ops","channelSerial":"s1","flags":786432}"#]);
        rig.says(&attached("s8", flags));
        rig.says(&message("s9", 9, &[json!(9)]));
        rig.beats();
        let told = rig.out.join("; ");
        assert_eq!(rig.unknown(), unknown, "{told}");
        let word = if unknown == 0 { "gap proven" } else { "gap unknown" };
        assert!(told.starts_with(word) && !told.contains(r#"resume"#), "{told}");
        assert_eq!(told.contains("its state has expired (80006)"), unknown == 1, "{told}");
        assert_eq!(rig.feed.status().phase, Phase::Live);
    }
}

//! Payloads as patches: what Centrifugo 6.9.1 sent to a subscription with `delta`.

use super::*;

const SUBSCRIBED: &str =
    r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"UVRSVwRk","positioned":true,"delta":true}}"#;
const FULL: &str = r#"{"push":{"channel":"news","pub":{"data":"{\"kind\":\"tick\",\"n\":1,\"text\":\"a long enough text so that a patch is worth it, and some more of it to be sure\"}","offset":1}}}"#;
const SECOND: &str = r#"{"push":{"channel":"news","pub":{"data":"1i\nJ@0,1:21P@K,3hNgz6;","offset":2,"delta":true}}}"#;
const THIRD: &str = r#"{"push":{"channel":"news","pub":{"data":"1i\nJ@0,1:31P@K,3hNgz7;","offset":3,"delta":true}}}"#;

fn followed() -> Rig {
    let mut rig = Rig::subscribing(None);
    rig.says(SUBSCRIBED);
    rig.out.clear();
    rig
}

fn tick(n: u32) -> String {
    format!(
        r#"tick UVRSVwRk:{n} 1700000001000 {{"kind":"tick","n":{n},"text":"a long enough text so that a patch is worth it, and some more of it to be sure"}}"#
    )
}

/// H3: patches give what was published.
#[test]
fn patches_are_applied() {
    let mut rig = followed();
    rig.says(&[FULL, SECOND, THIRD].join("\n"));
    rig.expect(&[&[tick(1), tick(2), tick(3)].join("; ")]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H3: over a cut the next patch is for what came last before it, if the server proves that it goes on there.
#[test]
fn a_patch_after_a_cut() {
    let mut rig = followed();
    rig.says(&[FULL, SECOND].join("\n"));
    rig.closes(1006, "");
    rig.pass(Duration::from_secs(3));
    rig.opened();
    rig.out.clear();
    rig.says(r#"{"id":1,"connect":{"client":"d"}}"#);
    assert!(rig.out[0].contains(r#""delta":"fossil""#) && rig.out[0].contains(r#""offset":2,"#), "{:?}", rig.out);
    rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"recovered":true,"was_recovering":true,"epoch":"UVRSVwRk","offset":2,"delta":true}}"#);
    rig.out.clear();
    rig.says(THIRD);
    assert!(rig.out[0].contains(r#""n":3,"#), "{:?}", rig.out);
    assert_eq!((rig.feed.status().phase, rig.feed.status().positions["news"].offset), (Phase::Live, 3));
}

/// H3: where what came last isn't known any more, none are asked for: the first of them could not be applied.
#[test]
fn no_patches_from_an_earlier_life() {
    let rig = Rig::subscribing(Some("e:7"));
    let asked = rig.out.last().expect("subscribed");
    assert!(asked.contains(r#""recover":true"#) && !asked.contains("delta"), "{asked}");
}

/// H3: a patch that can't be applied, whatever is wrong with it, takes nothing with it: what it stands for is had again, whole.
#[test]
fn a_patch_that_fails() {
    for wrong in [
        r#""1i\nJ@0,1:21P@K,3hNgz7;""#,
        r#""1i\nJ@0,1:21P@""#,
        r#""~~~~~\n0;""#,
        r#""""#,
        r#"{"kind":"tick"}"#,
        "7",
        "null",
        r#""4\n4:\u0000\u0001zz0;""#,
    ] {
        let mut rig = followed();
        rig.says(FULL);
        rig.out.clear();
        let push = format!(r#"{{"push":{{"channel":"news","pub":{{"data":{wrong},"offset":2,"delta":true}}}}}}"#);
        rig.says(&[&push, THIRD].join("\n"));
        let said = rig.out.join("\n");
        assert!(said.contains("unsubscribe") && said.contains(r#""offset":1,"#), "{wrong}: {said}");
        assert!(!said.contains("delta") && !said.contains("tick"), "{wrong}: {said}");
        rig.says(r#"{"id":3,"unsubscribe":{}}"#);
        rig.out.clear();
        rig.says(r#"{"id":4,"subscribe":{"recoverable":true,"positioned":true,"recovered":true,"was_recovering":true,"epoch":"UVRSVwRk","offset":1,"publications":[{"data":{"kind":"tick","n":2},"offset":2},{"data":{"kind":"tick","n":3},"offset":3}]}}"#);
        assert!(rig.out.join("\n").contains(r#"{"kind":"tick","n":3}"#), "{:?}", rig.out);
        let status = rig.feed.status();
        assert_eq!((status.phase, status.positions["news"].offset), (Phase::Live, 3), "{wrong}");
    }
}

/// H3: a server that keeps the newest publication alone recovers that, says so, and proves nothing by it.
#[test]
fn cache_recovery() {
    let newest = |asked: u64| {
        format!(
            r#"{{"id":2,"subscribe":{{"recoverable":true,"epoch":"e","offset":{asked},"publications":[{{"data":{{"v":2}},"offset":12}}],"recovered":true,"positioned":true,"was_recovering":true}}}}"#
        )
    };
    // Unasked (`auto_cache_recover`), as recorded; after a place; and right after it, where nothing lies between.
    for (place, asked, proven) in [(None, 0, false), (Some("e:7"), 7, false), (Some("e:11"), 11, true)] {
        let mut rig = Rig::subscribing(place);
        rig.out.clear();
        rig.says(&newest(asked));
        let said = rig.out.join("\n");
        assert!(said.contains(r#"publication e:12 1700000001000 {"v":2}"#), "{place:?}: {said}");
        assert_eq!(said.contains("gap proven"), proven, "{place:?}: {said}");
        assert_eq!(said.contains("gap unknown"), !proven, "{place:?}: {said}");
        let status = rig.feed.status();
        let continuity = if proven { Continuity::Proven } else { Continuity::Unknown };
        assert_eq!((status.phase, status.continuity), (Phase::Live, continuity), "{place:?}");
        rig.out.clear();
        rig.says(r#"{"push":{"channel":"news","pub":{"data":{"v":3},"offset":13}}}"#);
        rig.expect(&[r#"publication e:13 1700000001000 {"v":3}"#]);
    }
}

/// H3: what another stream recovered is none of this one's.
#[test]
fn another_epoch_proves_nothing() {
    let mut rig = Rig::subscribing(Some("e:7"));
    rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"f","offset":7,"recovered":true,"positioned":true,"was_recovering":true}}"#);
    assert_eq!(rig.feed.status().continuity, Continuity::Unknown);
    assert_eq!(rig.feed.status().positions["news"].to_string(), "f:7");
}

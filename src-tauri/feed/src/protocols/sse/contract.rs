//! What the published contract tests of server-sent events (`launchdarkly/sse-contract-tests`) say of links that follow one
//! another, through a feed; and what they don't say: `retry`, ids without events, the byte order mark on each link.
//!
//! Covered here: no `Last-Event-ID` at first, one to begin with, that of the last event, that of an event before it, none
//! once it is reset, a part of an event at a cut, a next link that works, the limit of silence. A restart that is asked for
//! is the loss of a link here. The first half of them is in `sse/contract.rs`; those of HTTP are the engine's.

use std::time::Duration;

use watchfloor_model::Phase;

use super::tests::Rig;
use crate::Kind;

/// A feed whose link stands.
fn linked() -> Rig {
    let mut rig = Rig::new(Kind::Sse, &["ops"], |config| config.promises.heartbeat = Some(Duration::from_secs(2)));
    rig.start();
    rig.expect(&["open https://push.example/stream?site=1"]);
    rig.opened(None);
    rig.out.clear();
    rig
}

/// Ends the link, and says which id the next one is asked for with.
fn asked_with(rig: &mut Rig) -> Option<String> {
    rig.ends();
    rig.comes_back();
    let line = rig.out.pop().expect("a link");
    rig.out.clear();
    rig.opened(None);
    rig.out.clear();
    let (_, id) = line.split_once("[last-event-id: ")?;
    Some(id.trim_end_matches(']').to_owned())
}

#[test]
fn the_id_that_goes_back() {
    for (case, stream, id) in [
        ("no event", "", None),
        ("an event without an id", "data: Hello\n\n", None),
        ("the last event's", "id: abc\ndata: Hello\n\n", Some("abc")),
        ("that of one before", "id: abc\ndata: Hello\n\ndata: World\n\n", Some("abc")),
        ("reset", "id: abc\ndata: Hello\n\nid: \ndata: World\n\n", None),
        ("a part of an event", "id: abc\ndata: Hello\n\nid: def\ndata: Goodbye", Some("abc")),
        ("an id alone", "id: abc\ndata: Hello\n\nid: def\n\n", Some("def")),
        ("an id alone, before any event", "id: def\n\n", Some("def")),
        ("reset alone", "id: abc\ndata: Hello\n\nid\n\n", None),
        ("an id alone, and then an event's", "id: abc\n\nid: def\ndata: Hello\n\n", Some("def")),
        ("NUL in it", "id: abc\n\nid: d\0f\n\n", Some("abc")),
        ("letters of several bytes", "id: 豆腐\ndata: Hello\n\n", Some("豆腐")),
        ("what no header takes", "id: a\u{1}b\ndata: Hello\n\n", None),
    ] {
        let mut rig = linked();
        rig.says(stream);
        assert_eq!(asked_with(&mut rig).as_deref(), id, "{case}");
        let again = asked_with(&mut rig);
        assert_eq!(again.as_deref(), id, "{case}: over a link on which nothing came");
    }
}

/// What was cut off is no event of the next link either, and its id none; the byte order mark is looked for anew.
#[test]
fn a_next_link_begins_anew() {
    let mut rig = linked();
    rig.says("id: abc\ndata: \"Hello\"\n\nevent: greeting\nid: def\ndata: Goodbye");
    assert_eq!(asked_with(&mut rig).as_deref(), Some("abc"));
    rig.says("\u{FEFF}data: \"again\"\n\nid: ghi\ndata: \"World\"\n\n");
    rig.expect(&["message 1@abc - \"again\"; message 2@ghi ghi \"World\""]);
    assert_eq!(asked_with(&mut rig).as_deref(), Some("ghi"));
}

/// A server that falls silent is left within the limit.
#[test]
fn silence_has_a_limit() {
    let mut rig = linked();
    rig.says("data: \"Hello\"\n\n");
    rig.pass(Duration::from_secs(5));
    assert_eq!(rig.phase(), Phase::Waiting);
    rig.comes_back();
    rig.opened(None);
    rig.says("data: \"World\"\n\n");
    assert_eq!(rig.phase(), Phase::Live);
}

/// `retry` is a floor for all that follow, also where it stands alone or in an event that is cut off.
#[test]
fn retry_is_obeyed() {
    for stream in ["retry: 20000\n", "retry: 20000\n\n", "retry: 20000\ndata: cut", "retry: 1\nretry:20000\n:\n"] {
        let mut rig = linked();
        rig.says(stream);
        for _ in 0..3 {
            rig.ends();
            let wait = rig.feed.status().retry_at.expect("a next try").since(rig.now);
            assert!(wait >= Duration::from_secs(20), "{stream:?}: {wait:?}");
            rig.comes_back();
            rig.opened(None);
        }
    }
}

/// H1: behind a proxy that holds everything back nothing is live, and the cause says what to look at: no answer at all, or
/// one that begins and then says nothing, though a word was promised.
#[test]
fn a_stream_that_is_held_back() {
    let mut rig = Rig::new(Kind::Sse, &["ops"], |_| {});
    rig.start();
    rig.pass(Duration::from_secs(11));
    assert_ne!(rig.phase(), Phase::Live);
    let cause = rig.cause();
    assert!(cause.starts_with("no answer within 10 s: ") && cause.contains("proxy_buffering off"), "{cause}");

    let mut rig = linked();
    rig.says(":\n");
    assert_eq!(rig.phase(), Phase::Live);
    rig.pass(Duration::from_secs(5));
    assert_ne!(rig.phase(), Phase::Live);
    let cause = rig.cause();
    assert!(cause.contains("every 2 s: does a proxy") && cause.contains("proxy_buffering off"), "{cause}");
}

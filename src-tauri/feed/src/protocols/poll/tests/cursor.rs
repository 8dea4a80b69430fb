//! Polls whose answers are messages with a cursor in them.

use watchfloor_model::Transport;

use super::*;
use crate::{Cursor, LinkFault, LinkFaultKind};

pub(super) fn by_cursor(kind: Kind, (path, query, rows): (&str, Option<&str>, Option<&str>), replays: bool) -> Rig {
    Rig::new(kind, &["news"], |config| {
        let path_of = |text: &str| text.parse().expect("a path");
        config.promises.replays = replays;
        config.promises.cursor =
            Some(Cursor { path: path_of(path), query: query.map(Into::into), rows: rows.map(path_of) });
    })
}

pub(super) const AFTER: (&str, Option<&str>, Option<&str>) = ("next", Some("site"), Some("items"));
const ACCEPT: &str = "[accept: application/json, application/x-ndjson]";

fn ask(address: &str) -> String {
    format!("ask https://push.example/{address} {ACCEPT}")
}

/// The next request, at whatever time it comes.
#[track_caller]
pub(super) fn next(rig: &mut Rig) -> String {
    rig.pass(Duration::from_secs(2));
    let asked = rig.out.iter().rev().find(|line| line.starts_with("ask")).cloned().expect("a request");
    rig.out.clear();
    asked
}

/// H1, H3: messages come in order and once, page by page; nothing is live until a page is seen to be the last.
#[test]
fn pages() {
    let mut rig = by_cursor(Kind::Poll, AFTER, true);
    rig.start();
    rig.expect(&[&ask("stream?site=1")]);
    rig.answers(Head::default(), r#"{"items":[{"kind":"a","n":1},{"kind":"a","n":2}],"next":"c2"}"#);
    assert_ne!(rig.phase(), Phase::Live, "there may be more");
    assert_eq!(rig.out.remove(0), "gap unknown: the server offers no snapshot");
    rig.pass(Duration::ZERO);
    assert_eq!(rig.out.pop(), Some(ask("stream?site=c2")));
    rig.answers(Head::default(), r#"{"items":[{"kind":"a","n":3}],"next":"c3"}"#);
    assert_ne!(rig.phase(), Phase::Live, "a shorter page isn't the last one");
    rig.pass(Duration::ZERO);
    assert_eq!(rig.out.pop(), Some(ask("stream?site=c3")));
    rig.answers(Head::default(), r#"{"items":[],"next":null}"#);
    assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 3));
    assert_eq!(next(&mut rig), ask("stream?site=c3"));
    rig.answers(Head::default(), r#"{"items":[],"next":null}"#);
    assert_eq!(rig.phase(), Phase::Live);
    assert_eq!(next(&mut rig), ask("stream?site=c3"), "kept over an answer without one");
    rig.answers(Head { is_unchanged: true, ..Head::default() }, "");
    assert_eq!((rig.phase(), rig.feed.status().counts.gaps_unknown), (Phase::Live, 1));
}

/// H3: after a lost link it goes on from the cursor, and from the middle of a page by leaving out what was had.
#[test]
fn a_lost_link_by_cursor() {
    for replays in [false, true] {
        let mut rig = by_cursor(Kind::LongPoll, AFTER, replays);
        rig.start();
        rig.answers(Head::default(), r#"{"items":[{"kind":"a","n":1}],"next":"c1"}"#);
        rig.pass(Duration::ZERO);
        rig.answers(Head::default(), r#"{"items":[],"next":"c1"}"#);
        assert_eq!(rig.phase(), Phase::Live);
        rig.fails(503, None);
        rig.comes_back();
        assert_eq!(rig.out.pop(), Some(ask("stream?site=c1")));
        rig.answers(Head::default(), r#"{"items":[{"kind":"a","n":2}],"next":"c2"}"#);
        rig.pass(Duration::ZERO);
        rig.answers(Head::default(), r#"{"items":[],"next":"c2"}"#);
        let counts = rig.feed.status().counts;
        let (unknown, proven) = if replays { (1, 1) } else { (2, 0) };
        assert_eq!((counts.gaps_unknown, counts.gaps_proven, counts.events), (unknown, proven, 2), "{replays}");
    }
    let mut rig = by_cursor(Kind::Poll, AFTER, true).restored(&[("news", "link-00000000000000aa:7@c1\t2")]);
    rig.start();
    rig.expect(&[&ask("stream?site=c1")]);
    rig.answers(Head::default(), r#"{"items":[{"n":1},{"n":2},{"n":3},{"n":4}],"next":"c2"}"#);
    rig.pass(Duration::ZERO);
    rig.answers(Head::default(), r#"{"items":[],"next":"c2"}"#);
    let out = rig.out.join("; ");
    assert!(out.contains("message 8@c1\t3 - {\"n\":3}; message 9@c2 - {\"n\":4}"), "{out}");
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Proven));
}

/// H3: what was had of a page is left out also where the server makes its pages shorter now, or has nothing to say first.
#[test]
fn pages_of_another_length() {
    for first in [r#"{"items":[{"n":1},{"n":2}],"next":"c2"}"#, r#"{"items":[],"next":"c1"}"#] {
        let mut rig = by_cursor(Kind::Poll, AFTER, true).restored(&[("news", "link-00000000000000aa:7@c1\t3")]);
        rig.start();
        rig.answers(Head::default(), first);
        let rest = if first.contains("c2") { "" } else { r#"{"n":1},{"n":2},"# };
        next(&mut rig);
        rig.answers(Head::default(), format!(r#"{{"items":[{rest}{{"n":3}},{{"n":4}}],"next":"c4"}}"#));
        next(&mut rig);
        rig.answers(Head::default(), r#"{"items":[{"n":5}],"next":"c5"}"#);
        let status = rig.feed.status();
        assert_eq!((status.counts.events, status.continuity), (2, Continuity::Proven), "{first}");
    }
}

/// The newest message's own id, NDJSON, and the next address.
#[test]
fn other_cursors() {
    let mut rig = by_cursor(Kind::Poll, ("n", Some("since"), None), false);
    rig.start();
    rig.answers(Head::default(), "{\"n\":1}\n{\"n\":2}\n");
    rig.pass(Duration::ZERO);
    assert_eq!(rig.out.pop(), Some(ask("stream?site=1&since=2")));
    rig.answers(Head::default(), r#"[{"n":3}]"#);
    assert_eq!(next(&mut rig), ask("stream?site=1&since=3"));
    rig.answers(Head::default(), "[]");
    assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 3));

    let mut rig = by_cursor(Kind::Poll, ("next", None, Some("data")), false);
    rig.start();
    rig.answers(Head::default(), r#"{"data":[1],"next":"/stream?page=2"}"#);
    rig.pass(Duration::ZERO);
    assert_eq!(rig.out.pop(), Some(ask("stream?page=2")));
    rig.answers(Head::default(), r#"{"data":[1],"next":"https://other.example/stream?page=3"}"#);
    assert_eq!(rig.feed.status().counts.events, 1, "H8: nothing leads elsewhere");
    assert_eq!(next(&mut rig), ask("stream?page=2"));
}

/// H1: what can't be read, and messages that would come again and again, prove nothing.
#[test]
fn answers_that_prove_nothing() {
    for body in ["<html>", "{}", r#"{"items":[1]}"#, r#"{"items":[1],"next":{}}"#, r#"{"items":[1],"next":"c1"}"#] {
        let mut rig = by_cursor(Kind::Poll, AFTER, false).restored(&[("news", "link-00000000000000aa:7@c1")]);
        rig.start();
        rig.answers(Head::default(), body);
        assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Waiting, 0), "{body}");
        let mut rig = by_cursor(Kind::Poll, AFTER, false).restored(&[("news", "link-00000000000000aa:7@c1")]);
        rig.start();
        rig.answers(Head::default(), r#"{"items":[],"next":"c1"}"#);
        assert_eq!(rig.phase(), Phase::Live);
        for _ in 0..4 {
            next(&mut rig);
            rig.answers(Head::default(), body);
        }
        assert_ne!(rig.phase(), Phase::Live, "{body}");
    }
}

/// H2, H3: a cursor that the server doesn't know any more is given up with a gap, soon, and only once.
#[test]
fn a_cursor_that_is_gone() {
    for status in [400, 410] {
        let mut rig = by_cursor(Kind::Poll, AFTER, true).restored(&[("news", "link-00000000000000aa:7@c1")]);
        rig.start();
        rig.expect(&[&ask("stream?site=c1")]);
        if status == 400 {
            rig.fails(status, None);
            rig.comes_back();
            assert_eq!(rig.out.pop(), Some(ask("stream?site=c1")), "the request may have been damaged");
        }
        rig.fails(status, None);
        assert!(rig.feed.status().retry_at.expect("a next try").since(rig.now) < Duration::from_secs(1));
        rig.comes_back();
        assert_eq!(rig.out.pop(), Some(ask("stream?site=1")));
        rig.answers(Head::default(), r#"{"items":[{"kind":"a","n":9}],"next":"c9"}"#);
        rig.pass(Duration::ZERO);
        rig.answers(Head::default(), r#"{"items":[]}"#);
        assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
        rig.ends();
        rig.comes_back();
        assert!(rig.out.contains(&ask("stream?site=c9")), "{:?}", rig.out);
    }
    let mut rig = by_cursor(Kind::Poll, AFTER, true);
    rig.start();
    let kind = LinkFaultKind::Http { status: 410, retry_after: None, content_type: None };
    rig.input(crate::Input::Failed { link: crate::LinkId(1), fault: LinkFault::new(kind, "") });
    let wait = rig.feed.status().retry_at.expect("a next try").since(rig.now);
    assert!(wait >= Duration::from_secs(40), "without a cursor it is the address that is gone: {wait:?}");
    assert_eq!(Kind::Poll.ladder(), [Transport::Poll]);
}

//! Polls of documents and of Nchan's long polls (recorded from nginx 1.22 with Nchan 1.3.6), and what a feed makes of
//! them.

mod cursor;
mod hostile;
mod pages;

use std::time::Duration;

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Continuity, Phase, Timestamp};

use crate::{Cursor, Envelope, Head, Kind, SourceConfig, protocols::sse::tests::Rig};

const DATE: &str = "Thu, 26 Nov 2026 12:51:40 GMT";

fn rows(change: impl FnOnce(&mut SourceConfig)) -> Rig {
    Rig::new(Kind::Poll, &["stock"], |config| {
        config.envelope = Envelope {
            id: Some("id".parse().expect("a path")),
            data: Some("items".parse().expect("a path")),
            ..Envelope::default()
        };
        change(config);
    })
}

fn tagged(etag: &str) -> Head {
    Head { etag: Some(etag.to_owned()), ..Head::default() }
}

fn unchanged() -> Head {
    Head { is_unchanged: true, ..Head::default() }
}

/// The next poll's line.
#[track_caller]
fn asked(rig: &mut Rig) -> String {
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    rig.out.pop().expect("a poll")
}

const ASK: &str = "ask https://push.example/stream?site=1 [accept: application/json, application/x-ndjson]";

/// H3: each document is told as how it differs from the one before; the validator goes back exactly as it came.
#[test]
fn rows_become_events() {
    let mut rig = rows(|_| {});
    rig.start();
    rig.expect(&[ASK]);
    rig.answers(tagged("W/\"1\""), r#"{"items":[{"id":7,"n":1},{"id":"b","n":1}]}"#);
    rig.expect(&[
        "gap unknown: the server offers no snapshot",
        r#"present 1 - {"id":7,"n":1}; present 2 - {"id":"b","n":1}"#,
    ]);
    assert_eq!(rig.phase(), Phase::Live);
    assert_eq!(asked(&mut rig), format!("{ASK} [if-none-match: W/\"1\"]"));
    rig.answers(unchanged(), "");
    assert_eq!(asked(&mut rig), format!("{ASK} [if-none-match: W/\"1\"]"), "kept over an answer without one");
    rig.answers(tagged("\"2\""), r#"{"items":[{"id":"c","n":1},{"id":"b","n":2}]}"#);
    rig.expect(&[r#"removed 3 - {"id":7,"n":1}; new 4 - {"id":"c","n":1}; changed 5 - {"id":"b","n":2}"#]);
    assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 5));
}

/// H3: over a lost link the rows are compared as ever, though what came and went meanwhile is unknown.
#[test]
fn a_lost_link() {
    let mut rig = rows(|_| {});
    rig.start();
    rig.answers(Head::default(), r#"{"items":[{"id":1},{"id":2}]}"#);
    asked(&mut rig);
    rig.fails(503, Some(Duration::from_secs(7)));
    let wait = rig.feed.status().retry_at.expect("a next try").since(rig.now);
    assert!(wait >= Duration::from_secs(7), "{wait:?}");
    rig.comes_back();
    assert_eq!(rig.out.pop().expect("a poll"), ASK, "without a condition");
    rig.answers(Head::default(), r#"{"items":[{"id":2},{"id":3}]}"#);
    assert_eq!(rig.out.pop().expect("events"), r#"removed 1 - {"id":1}; new 2 - {"id":3}"#);
    assert!(rig.out.join("\n").contains("gap unknown"), "{:?}", rig.out);
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    assert_eq!(rig.wholes, 1, "H3: what was known is compared, and nothing begins again");
}

/// H3: what went while nobody looked is in no difference: with the first document of a life all of the channel is said anew. A document
/// without rows is no state of them.
#[test]
fn a_first_document_says_all() {
    let mut rig = rows(|_| {}).restored(&[("stock", "link-00000001:7")]);
    rig.start();
    rig.answers(Head::default(), r#"{"items":[{"id":2}]}"#);
    assert_eq!(rig.out.pop().expect("events"), r#"present 1 - {"id":2}"#);
    assert_eq!(rig.wholes, 1);
    asked(&mut rig);
    rig.answers(Head::default(), r#"{"items":[{"id":3}]}"#);
    assert_eq!(rig.wholes, 1);
    let mut rig = Rig::new(Kind::Poll, &["stock"], |_| {});
    rig.start();
    rig.answers(Head::default(), r#"{"n":1}"#);
    assert_eq!(rig.wholes, 0);
}

/// NDJSON is rows, a bare list is rows, and without a key the document is one event when it has changed.
#[test]
fn documents_of_other_shapes() {
    let bare = |config: &mut SourceConfig| config.envelope.data = None;
    for body in ["{\"id\":1}\n{\"id\":2}\n", r#"[{"id":1},{"id":2}]"#] {
        let mut rig = rows(bare);
        rig.start();
        rig.answers(Head::default(), body);
        assert_eq!(rig.out.pop().expect("events"), r#"present 1 - {"id":1}; present 2 - {"id":2}"#);
    }
    let mut rig = Rig::new(Kind::Poll, &["stock"], |_| {});
    rig.start();
    rig.answers(Head::default(), r#"{"kind":"load","n":1}"#);
    asked(&mut rig);
    rig.answers(Head::default(), r#"{"n":1, "kind":"load"}"#);
    asked(&mut rig);
    rig.answers(Head::default(), r#"{"n":2}"#);
    assert_eq!(rig.out.pop().expect("an event"), r#"document 2 - {"n":2}"#);
    let mut rig = rows(|config| config.envelope.default_name = Some("item".into()));
    rig.start();
    rig.answers(Head::default(), r#"{"items":[{"id":1}]}"#);
    assert_eq!(rig.out.pop().expect("events"), r#"item.present 1 - {"id":1}"#);
}

/// H5: a row that is too big for an event costs itself alone, and is told apart from the others as ever.
#[test]
fn a_row_that_is_too_big() {
    let big = "x".repeat(1 << 20);
    let body = |n: u32| format!(r#"{{"items":[{{"id":1,"n":"{big}"}},{{"id":2,"n":{n}}}]}}"#);
    let mut rig = rows(|_| {});
    rig.start();
    rig.answers(Head::default(), body(1));
    assert_eq!(rig.out.pop().expect("an event"), r#"present 2 - {"id":2,"n":1}"#);
    asked(&mut rig);
    rig.answers(Head::default(), body(2));
    assert_eq!(rig.out.pop().expect("an event"), r#"changed 3 - {"id":2,"n":2}"#);
    assert_eq!(rig.feed.status().counts.events, 2);
}

/// H1: what is no JSON as a whole proves nothing, also where only one row of it isn't.
#[test]
fn a_row_that_is_no_json() {
    for row in ["1e400".to_owned(), "[".repeat(200) + &"]".repeat(200), r#"{"a":}"#.to_owned()] {
        let mut rig = rows(|_| {});
        rig.start();
        rig.answers(Head::default(), format!(r#"{{"items":[{{"id":1}},{{"id":2,"n":{row}}}]}}"#));
        assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Waiting, 0), "{row}");
    }
}

/// H1: what a cache kept is as old as it says, and what can't be read proves nothing.
#[test]
fn what_proves_nothing() {
    let live = || {
        let mut rig = rows(|_| {});
        rig.start();
        rig.answers(Head::default(), r#"{"items":[]}"#);
        assert_eq!(rig.phase(), Phase::Live);
        rig
    };
    let kept = |seconds| Head { age: Some(Duration::from_secs(seconds)), ..unchanged() };
    let mut rig = live();
    for _ in 0..5 {
        asked(&mut rig);
        rig.answers(kept(2), "");
        assert_eq!(rig.phase(), Phase::Live, "two seconds and two are within five");
    }
    asked(&mut rig);
    rig.answers(kept(6), "");
    assert_eq!(rig.phase(), Phase::CatchingUp);
    for body in ["", "<html>", r#"{"items":{}}"#, r#"{"items":[{"n":1}]}"#, r#"{"items":[{"id":1},{"id":1}]}"#, "{}"] {
        let mut rig = live();
        let proof = rig.feed.status().link_proof;
        for _ in 0..4 {
            asked(&mut rig);
            rig.answers(Head::default(), body);
            if rig.phase() == Phase::Live {
                assert_eq!(rig.feed.status().link_proof, proof, "{body}: what is shown is as old as it was");
            } else if rig.phase() == Phase::CatchingUp {
                assert!(rig.cause().contains("can't be read"), "{body}: {}", rig.cause());
            }
        }
        assert_ne!(rig.phase(), Phase::Live, "{body}");
        let mut rig = rows(|_| {});
        rig.start();
        rig.answers(Head::default(), body);
        assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Waiting, 0), "{body}");
    }
}

/// H1: a cache that doesn't say how old its answer is proves nothing, and one whose `Date` stands still is as old as that.
/// The cause names the cache.
#[test]
fn caches_that_say_no_age() {
    let mut rig = rows(|_| {});
    rig.start();
    rig.answers(Head::default(), r#"{"items":[]}"#);
    assert_eq!(rig.phase(), Phase::Live);
    asked(&mut rig);
    rig.answers(Head { is_kept: true, ..Head::default() }, r#"{"items":[]}"#);
    assert_ne!(rig.phase(), Phase::Live);
    assert!(rig.cause().contains("a cache answers"), "{}", rig.cause());
    asked(&mut rig);
    rig.answers(Head::default(), r#"{"items":[]}"#);
    assert_eq!(rig.phase(), Phase::Live, "asked for anew");

    let mut rig = rows(|_| {});
    rig.start();
    let made =
        |second: i64| Head { date: Some(Timestamp::from_millis(1_700_000_000_000 + second * 1000)), ..Head::default() };
    let mut phases = Vec::new();
    // The rig's clocks begin a second apart, and each poll comes two seconds after the one before.
    for date in [1, 3, 3, 3, 3, 11] {
        rig.answers(made(date), r#"{"items":[]}"#);
        phases.push(rig.phase() == Phase::Live);
        asked(&mut rig);
    }
    assert_eq!(phases, [true, true, true, true, false, true]);
}

/// A server that asks not to be asked so often is obeyed, and isn't given up for it.
#[test]
fn retry_after() {
    let mut rig = rows(|_| {});
    rig.start();
    let head = Head { retry_after: Some(Duration::from_secs(20)), ..Head::default() };
    rig.answers(head, r#"{"items":[]}"#);
    rig.out.clear();
    rig.pass(Duration::from_millis(19_900));
    rig.expect(&[]);
    assert_eq!(rig.phase(), Phase::CatchingUp, "H1: nothing proves it meanwhile");
    rig.pass(Duration::from_millis(200));
    rig.expect(&[ASK]);
}

fn nchan(etag: &str) -> Head {
    Head { last_modified: Some(DATE.to_owned()), ..tagged(etag) }
}

/// H3: both validators are the cursor, over answers and over links. Whether all comes is the board's word.
#[test]
fn long_polls_of_nchan() {
    for replays in [false, true] {
        let mut rig = Rig::new(Kind::LongPoll, &["news"], |config| config.promises.replays = replays);
        rig.start();
        rig.expect(&[ASK]);
        rig.answers(nchan("0"), r#"{"kind":"tick","n":1}"#);
        assert_ne!(rig.phase(), Phase::Live, "there may be more");
        rig.pass(Duration::ZERO);
        let cursor = |etag: &str| format!("{ASK} [if-none-match: {etag}] [if-modified-since: {DATE}]");
        assert_eq!(rig.out.pop(), Some(cursor("0")));
        rig.answers(nchan("1"), r#"{"kind":"tick","n":2}"#);
        rig.pass(Duration::ZERO);
        assert_eq!(rig.out.pop(), Some(cursor("1")));
        rig.pass(Duration::from_secs(1));
        rig.answers(tagged("1"), "");
        assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 2), "nothing more");
        rig.pass(Duration::from_secs(1));
        assert_eq!(rig.out.pop(), Some(cursor("1")));
        rig.ends();
        rig.comes_back();
        assert_eq!(rig.out.pop(), Some(cursor("1")), "on the next link");
        rig.answers(nchan("2"), r#"{"kind":"tick","n":3}"#);
        rig.answers(Head::default(), "");
        let counts = rig.feed.status().counts;
        let (unknown, proven) = if replays { (1, 1) } else { (2, 0) };
        assert_eq!((rig.phase(), counts.gaps_unknown, counts.gaps_proven), (Phase::Live, unknown, proven), "{replays}");
        assert_eq!(counts.events, 3);
    }
}

/// H1, H3: a cursor from a damaged date would leave out what comes until then, or bring what came since then twice. Clocks that
/// differ say the same twice.
#[test]
fn long_polls_dated_out_of_their_turn() {
    let date = Some(Timestamp::from_millis(1_795_697_500_000));
    let (earlier, later) = ("Thu, 26 Nov 2026 12:11:40 GMT", "Fri, 26 Nov 2066 12:51:40 GMT");
    let wrong_day = "Thu, 26 Nov 2066 12:51:40 GMT";
    let dated = |etag: &str, modified: &str| Head { date, last_modified: Some(modified.to_owned()), ..tagged(etag) };
    let mut rig = Rig::new(Kind::LongPoll, &["news"], |_| {});
    rig.start();
    rig.answers(dated("0", DATE), r#"{"kind":"tick","n":1}"#);
    rig.pass(Duration::ZERO);
    let asks = rig.out.pop().expect("a poll");
    for (rejected, damaged) in [(1, later), (2, earlier), (3, wrong_day)] {
        rig.answers(dated("1", damaged), r#"{"kind":"tick","n":2}"#);
        rig.pass(Duration::ZERO);
        assert_eq!(rig.out.pop().as_ref(), Some(&asks), "the same again");
        assert_eq!((rig.feed.status().counts.events, rig.feed.status().counts.rejected), (1, rejected));
    }
    rig.answers(dated("1", DATE), r#"{"kind":"tick","n":2}"#);
    rig.pass(Duration::ZERO);
    let asks = rig.out.pop().expect("a poll");
    assert!(asks.contains(DATE) && asks.contains("if-none-match: 1"), "{asks}");
    for _ in 0..2 {
        rig.answers(dated("2", later), r#"{"kind":"tick","n":3}"#);
        rig.pass(Duration::ZERO);
    }
    assert!(rig.out.pop().expect("a poll").contains(later), "two clocks differ");
    assert_eq!(rig.feed.status().counts.events, 3);
}

/// H1: a message proves no more than that what waits behind it is younger, however long its answer took. H2: a feed that never
/// pauses is live by its messages' dates.
#[test]
fn long_polls_that_are_behind() {
    let date = |rig: &Rig| 1_795_697_500 + i64::try_from(rig.now.as_micros() / 1_000_000).expect("a second");
    let published = |second: i64| {
        let at = jiff::Timestamp::from_second(second).expect("an instant");
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).expect("a date")
    };
    // The next message, so many seconds old, if the server says so.
    let step = |rig: &mut Rig, number: u32, age: Option<i64>| {
        rig.pass(Duration::from_millis(600));
        let now = date(rig);
        let last_modified = age.map(|age| published(now - age));
        let date = age.map(|_| Timestamp::from_millis(now * 1000));
        rig.answers(Head { date, last_modified, ..tagged(&number.to_string()) }, r#"{"kind":"tick","n":1}"#);
        rig.phase() == Phase::Live
    };
    // No dates: as old as the last "nothing", though each answer takes as long as one that was held.
    let mut rig = Rig::new(Kind::LongPoll, &["news"], |_| {});
    rig.start();
    rig.answers(Head::default(), "");
    rig.pass(Duration::from_millis(600));
    rig.answers(Head::default(), "");
    let lives: Vec<bool> = (0..12).map(|number| step(&mut rig, number, None)).collect();
    assert!(lives[0] && lives[5] && !lives[9] && !lives[11], "{lives:?}");
    assert!(rig.cause().contains("there is more to come"), "{}", rig.cause());
    rig.pass(Duration::from_millis(600));
    rig.answers(Head::default(), "");
    assert_eq!(rig.phase(), Phase::Live);
    // A backlog after a burst.
    let mut rig = Rig::new(Kind::LongPoll, &["news"], |_| {});
    rig.start();
    rig.answers(Head::default(), "");
    let lives: Vec<bool> = (0..12).map(|number| step(&mut rig, number, Some(40))).collect();
    assert!(lives[0] && !lives[11], "{lives:?}");
    assert!(step(&mut rig, 12, Some(1)), "caught up");
    // Without a pause.
    let mut rig = Rig::new(Kind::LongPoll, &["news"], |_| {});
    rig.start();
    let lives: Vec<bool> = (0..30).map(|number| step(&mut rig, number, Some(0))).collect();
    assert!(lives[2..].iter().all(|live| *live), "{lives:?}");
}

/// H3: a link on which nothing came is gone on from where it began, or all that is kept would come once more.
#[test]
fn links_on_which_nothing_comes() {
    for by_cursor in [false, true] {
        let mut rig = Rig::new(Kind::LongPoll, &["news"], |config| {
            let (path, rows) = ("next".parse().expect("a path"), Some("items".parse().expect("a path")));
            config.promises.cursor = by_cursor.then(|| Cursor { path, query: Some("after".into()), rows });
        });
        rig.start();
        rig.answers(tagged("\"1\""), r#"{"items":[{"n":1}],"next":"1"}"#);
        rig.pass(Duration::ZERO);
        let asks = rig.out.pop().expect("a poll");
        assert!(asks.contains(if by_cursor { "after=1" } else { "if-none-match" }), "{asks}");
        for _ in 0..2 {
            rig.ends();
            rig.comes_back();
            assert_eq!(rig.out.pop().as_ref(), Some(&asks));
            rig.answers(unchanged(), "");
        }
    }
}

/// H2, H3: validators that the server doesn't take, for they were damaged, are given up with a gap.
#[test]
fn validators_that_are_not_taken() {
    let mut rig = Rig::new(Kind::LongPoll, &["news"], |_| {});
    rig.start();
    rig.answers(tagged("x1"), r#"{"n":1}"#);
    rig.pass(Duration::ZERO);
    assert!(rig.out.pop().expect("a poll").contains("x1"));
    for _ in 0..2 {
        rig.fails(400, None);
        rig.comes_back();
    }
    assert!(!rig.out.pop().expect("a poll").contains("x1"));
    rig.answers(tagged("2"), r#"{"n":2}"#);
    rig.pass(Duration::ZERO);
    rig.answers(unchanged(), "");
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    rig.ends();
    rig.comes_back();
    assert!(rig.out.pop().expect("a poll").contains("if-none-match: 2"), "the next is taken");
}

/// H5, H8: whatever is answered: nothing breaks.
#[test]
fn any_answers() {
    const BODIES: [&str; 6] = [
        r#"{"items":[{"n":1},{"n":2}],"next":"/stream?after=2"}"#,
        r#"{"items":[{"id":7,"n":1},{"id":"b","n":[1,{"x":null}]}]}"#,
        "{\"id\":1}\n{\"id\":2}\n",
        r#"[{"id":1},{"id":2}]"#,
        "{}",
        "",
    ];
    check!(iterations = 400, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let kind = [Kind::Poll, Kind::LongPoll][draws.below(2)];
        let mut rig = Rig::new(kind, &["stock"], |config| {
            config.envelope.id = Some("id".parse().expect("a path"));
            if draws.below(2) == 0 {
                config.envelope.data = Some("items".parse().expect("a path"));
            }
            if draws.below(2) == 0 {
                let rows = (draws.below(2) == 0).then(|| "items".parse().expect("a path"));
                let query = (draws.below(2) == 0).then(|| "after".into());
                let path = ["id", "next"][draws.below(2)].parse().expect("a path");
                config.promises.cursor = Some(Cursor { path, query, rows });
            }
        });
        rig.start();
        for _ in 0..6 {
            let body = mutated(&BODIES, &mut draws);
            let head = Head {
                is_unchanged: draws.below(4) == 0,
                etag: [None, Some("W/\"1\"".to_owned()), Some("\t".to_owned())][draws.below(3)].clone(),
                age: [None, Some(Duration::ZERO), Some(Duration::MAX)][draws.below(3)],
                date: [None, Some(Timestamp::from_millis(i64::MIN)), Some(Timestamp::from_millis(1_700_000_000_000))]
                    [draws.below(3)],
                is_kept: draws.below(4) == 0,
                retry_after: [None, Some(Duration::ZERO), Some(Duration::MAX)][draws.below(3)],
                ..Head::default()
            };
            rig.answers(head, body);
            rig.pass(Duration::from_secs(3));
        }
        let status = rig.feed.status();
        assert!(status.counts.events <= 4000, "{status:?}");
    });
}

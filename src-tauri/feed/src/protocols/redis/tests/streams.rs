//! Streams: what is proven about them, and what isn't.

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use super::{
    super::stream::{ANEW, Begin, Finding, Id, Info, Mark, begin, check},
    rig::{HELLO, MISSING, Rig, bulk, config, entries, exec, info, list},
};

const A: &str = "1700000000000-0";
const B: &str = "1700000000000-1";
const C: &str = "1700000000500-0";
const D: &str = "1700000000500-1";
const NONE: &str = "0-0";

/// Live at entry A, the third that there was.
fn live() -> Rig {
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[info(2, NONE, A, 3, NONE)]));
    rig.says(exec(&[info(2, NONE, A, 3, NONE), entries("s", &[])]));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.out.clear();
    rig
}

/// The link is lost, another one stands, and says what the stream is.
fn again(rig: &mut Rig, said: String) {
    rig.closes();
    rig.pass(Duration::from_secs(5));
    rig.opened();
    rig.says(HELLO);
    rig.out.clear();
    rig.says(exec(&[said]));
}

/// H3: the first subscription begins at the newest entry. Each reading is one transaction, and the bell is no data.
#[test]
fn a_first_subscription() {
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.expect(&["open redis://redis.example:6379", "HELLO 3 SETNAME watchfloor", "MULTI", "XINFO STREAM s", "EXEC"]);
    rig.says(exec(&[info(2, NONE, A, 3, NONE)]));
    rig.expect(&[
        "MULTI",
        "XINFO STREAM s",
        &format!("XREAD COUNT 1 STREAMS s {A}"),
        "EXEC",
        "gap unknown: the server offers no snapshot",
    ]);
    rig.says(exec(&[info(2, NONE, A, 3, NONE), entries("s", &[])]));
    rig.expect(&[&format!("XREAD COUNT 1 BLOCK 1000 STREAMS s {A}")]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.says(entries("s", &[(B, "7")]));
    rig.expect(&["MULTI", "XINFO STREAM s", &format!("XREAD COUNT 1 STREAMS s {A}"), "EXEC"]);
    rig.says(exec(&[info(3, NONE, B, 4, NONE), entries("s", &[(B, "7")])]));
    rig.expect(&[&format!("XREAD COUNT 1 BLOCK 1000 STREAMS s {B}"), &format!(r#"s 1@{B}/4 1700000000000 {{"n":7}}"#)]);
}

/// H3: after a reconnect exactly what is missing is read, and it is proven to be all.
#[test]
fn what_was_added_meanwhile_is_read() {
    for (length, first, added) in [(4, NONE, 5), (2, B, 5)] {
        let mut rig = live();
        again(&mut rig, info(length, first, C, added, NONE));
        rig.expect(&[
            "MULTI",
            "XINFO STREAM s",
            &format!("XREAD COUNT 1 STREAMS s {A}"),
            "EXEC",
            "gap proven: link lost: the connection ended",
        ]);
        assert_ne!(rig.feed.status().phase, Phase::Live, "it isn't read yet");
        rig.says(exec(&[info(length, first, C, added, NONE), entries("s", &[(B, "1")])]));
        assert_ne!(rig.feed.status().phase, Phase::Live, "one is missing");
        rig.says(exec(&[info(length, first, C, added, NONE), entries("s", &[(C, "2")])]));
        let (phase, counts) = (rig.feed.status().phase, rig.feed.status().counts);
        assert_eq!((phase, counts.gaps_unknown, counts.gaps_proven, counts.events), (Phase::Live, 1, 1, 2));
    }
}

/// H3: what was trimmed, deleted or replaced while nobody read isn't proven, whatever the server gives.
#[test]
fn what_is_missing_is_said() {
    for (said, reason) in [
        (info(1, C, C, 5, NONE), "the server's history doesn't reach back so far"),
        (info(0, NONE, C, 5, NONE), "the server's history doesn't reach back so far"),
        (info(3, NONE, C, 5, B), "an entry was deleted before it was read"),
        (info(2, B, C, 2, NONE), ANEW),
        (info(4, B, C, 4, NONE), ANEW),
        (info(2, NONE, "1600000000000-0", 9, NONE), ANEW),
        (info(2, NONE, A, 4, NONE), ANEW),
        (MISSING.to_owned(), ANEW),
    ] {
        let mut rig = live();
        again(&mut rig, said.clone());
        let gap = format!("gap unknown: link lost: the connection ended; {reason}; the server offers no snapshot");
        assert_eq!(rig.out.last(), Some(&gap), "{said}");
        assert_eq!(rig.feed.status().continuity, Continuity::Unknown);
    }
}

/// H3: what is left of a trimmed stream is read all the same, after the gap.
#[test]
fn what_is_left_is_read() {
    let mut rig = live();
    again(&mut rig, info(1, C, C, 5, NONE));
    rig.out.clear();
    rig.says(exec(&[info(1, C, C, 5, NONE), entries("s", &[(C, "2")])]));
    rig.says(exec(&[info(1, C, C, 5, NONE), entries("s", &[])]));
    assert!(rig.out.contains(&format!(r#"s 1@{C}/5 1700000000500 {{"n":2}}"#)), "{:?}", rig.out);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H3: what is trimmed or deleted between two readings is found by the counts, though the server says nothing.
#[test]
fn what_is_trimmed_while_connected_is_found() {
    let mut rig = live();
    rig.says(entries("s", &[(B, "1")]));
    rig.out.clear();
    // Three were added, and one is left.
    rig.says(exec(&[info(1, D, D, 6, NONE), entries("s", &[(D, "3")])]));
    rig.expect(&[
        &format!("XREAD COUNT 1 BLOCK 1000 STREAMS s {D}"),
        "gap unknown: events lost: trimmed or deleted before they were read: 2; the server offers no snapshot",
        &format!(r#"s 3@{D}/6 1700000000500 {{"n":3}}"#),
    ]);
    assert_eq!(rig.feed.status().phase, Phase::Live, "one reading is known to have been all");
}

/// H1: an entry that can't be read has a place like any other: those behind it are still to come, and are old.
#[test]
fn what_can_not_be_read_ends_no_catching_up() {
    let mut config = config(&["stream:s"]);
    config.envelope.name = Some("data.type".parse().expect("a path"));
    config.envelope.data = Some("data".parse().expect("a path"));
    let mut rig = Rig::open(config, None);
    rig.says(HELLO);
    rig.says(exec(&[info(1, A, A, 3, NONE)]));
    rig.says(exec(&[info(1, A, A, 3, NONE), entries("s", &[])]));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    let read = |entries: &[(&str, &str)]| {
        let entry = |(id, body): &(&str, &str)| list(&[bulk(id), list(&[bulk("data"), bulk(body)])]);
        let entries: Vec<String> = entries.iter().map(entry).collect();
        exec(&[info(4, A, D, 6, NONE), format!("%1\r\n{}{}", bulk("s"), list(&entries))])
    };
    again(&mut rig, info(4, A, D, 6, NONE));
    rig.says(read(&[(B, r#"{"n":1e400}"#)]));
    assert_eq!((rig.feed.status().phase, rig.feed.status().counts.rejected), (Phase::CatchingUp, 1), "{:?}", rig.out);
    rig.says(read(&[(C, "1"), (D, "2")]));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.out);
}

/// Where nobody knows how many entries are missing, all is there once the stream was read to its end.
#[test]
fn what_was_deleted_is_not_waited_for() {
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[info(1, A, A, 3, NONE)]));
    rig.says(exec(&[info(1, A, A, 3, NONE), entries("s", &[])]));
    again(&mut rig, info(11, A, D, 13, NONE));
    rig.says(exec(&[info(3, A, D, 13, C), entries("s", &[(B, "1")])]));
    assert_eq!(rig.feed.status().phase, Phase::CatchingUp, "{:?}", rig.out);
    rig.says(exec(&[info(3, A, D, 13, C), entries("s", &[(D, "2")])]));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.out);
}

/// H3: a stream that is deleted and made anew while connected is another one. Channels beside it go on: nothing of them is lost.
#[test]
fn a_stream_made_anew() {
    let mut rig = Rig::open(config(&["news", "stream:s"]), None);
    rig.says(HELLO);
    rig.says(">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    rig.says(exec(&[info(2, NONE, A, 3, NONE)]));
    rig.says(exec(&[info(2, NONE, A, 3, NONE), entries("s", &[])]));
    rig.says(entries("s", &[(B, "1")]));
    rig.out.clear();
    rig.says(exec(&[info(1, B, B, 1, NONE), entries("s", &[(B, "1")])]));
    rig.expect(&["HELLO 3"]);
    let published = format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n{}", bulk("1"));
    rig.says(published);
    rig.says(HELLO);
    rig.expect(&["MULTI", "XINFO STREAM s", "EXEC"]);
    rig.says(exec(&[info(1, B, B, 1, NONE)]));
    let out = rig.out.join("\n");
    assert!(out.contains("gap unknown: `stream:s`: the server's history began anew"), "{out}");
    assert!(out.contains("gap proven: ") && out.contains("news 1 1700000001000 1"), "nothing of `news` is lost: {out}");
}

/// H1: the stream is proven by a reading that was asked for after the probe, not by an answer to a ping.
#[test]
fn probes() {
    let mut rig = live();
    rig.pass(Duration::from_secs(2));
    rig.expect(&["PING", "HELLO 3"]);
    rig.says(format!("_\r\n+PONG\r\n{HELLO}"));
    rig.expect(&["MULTI", "XINFO STREAM s", &format!("XREAD COUNT 1 STREAMS s {A}"), "EXEC"]);
    let unread = info(3, NONE, B, 4, NONE);
    rig.says(exec(&[unread, entries("s", &[(B, "1")])]));
    rig.says("_\r\n");
    assert_eq!(rig.feed.status().phase, Phase::Live);
    for _ in 0..4 {
        // The ping is answered, and the reading isn't.
        rig.pass(Duration::from_secs(2));
        rig.says("+PONG\r\n");
    }
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// A stream that doesn't exist yet is waited for, and had from its first entry.
#[test]
fn a_stream_to_come() {
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[MISSING.to_owned()]));
    rig.says(exec(&[MISSING.to_owned(), entries("s", &[])]));
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.says(entries("s", &[(A, "1")]));
    rig.out.clear();
    rig.says(exec(&[info(1, A, A, 1, NONE), entries("s", &[(A, "1")])]));
    assert!(rig.out.contains(&format!(r#"s 1@{A}/1 1700000000000 {{"n":1}}"#)), "{:?}", rig.out);
}

/// An entry is an object of its fields: numbers, lists and objects as such, all else as texts. A time is the entry's, if its id is one.
#[test]
fn entries_become_objects() {
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[MISSING.to_owned()]));
    let fields = ["kind", "tick", "data", "{\"a\":[1]}", "n", "-1.5", "id", "007", "kind", "tock", "q\"", "{bad"];
    let entry = list(&[bulk("5-1"), list(&fields.map(bulk))]);
    let read = format!("%1\r\n{}{}", bulk("s"), list(&[entry]));
    rig.out.clear();
    rig.says(exec(&[info(1, "5-1", "5-1", 1, NONE), read]));
    assert_eq!(
        rig.out.last().map(String::as_str),
        Some(r#"s 1@5-1/1 1700000001000 {"data":{"a":[1]},"id":"007","kind":"tock","n":-1.5,"q\"":"{bad"}"#)
    );
}

/// A message that one field holds, the last of its name: whatever stands beside it, and also where it is a text after all.
#[test]
fn messages_in_a_field() {
    for (name, body, read) in [
        ("data.type", r#"{"type":"paid","n":[1]}"#, Some(r#"paid {"type":"paid","n":[1]}"#)),
        ("data.type", "12.5", Some("s 12.5")),
        ("data.type", "{bad", Some(r#"s "{bad""#)),
        ("data.type", r#"{"type":[]}"#, None),
        ("data.type", r#"{"n":1e400}"#, None),
        // Not within the field alone: read as a whole.
        ("type", r#"{"n":1}"#, Some(r#"tick {"n":1}"#)),
    ] {
        let mut config = config(&["stream:s"]);
        config.envelope.name = Some(name.parse().expect("a path"));
        config.envelope.data = Some("data".parse().expect("a path"));
        let mut rig = Rig::open(config, None);
        rig.says(HELLO);
        rig.says(exec(&[MISSING.to_owned()]));
        let entry = list(&[bulk("5-1"), list(&["data", "{}", "type", "tick", "data", body].map(bulk))]);
        let answer = format!("%1\r\n{}{}", bulk("s"), list(&[entry]));
        rig.out.clear();
        rig.says(exec(&[info(1, "5-1", "5-1", 1, NONE), answer]));
        let found = rig.out.iter().find_map(|line| line.split_once(" 1@5-1/1 1700000001000 "));
        let found = found.map(|(name, body)| format!("{name} {body}"));
        assert_eq!(found.as_deref(), read, "{body} {:?}", rig.out);
    }
}

/// H5: readings grow while their entries are small.
#[test]
fn readings_grow() {
    let mut rig = live();
    rig.says(entries("s", &[(B, "1")]));
    let mut added = 3;
    for count in [1_u64, 2, 4, 8] {
        let asked = format!("XREAD COUNT {count} STREAMS");
        assert!(rig.out.iter().any(|line| line.starts_with(&asked)), "{asked}: {:?}", rig.out);
        let ids: Vec<String> = (0..count).map(|number| format!("18{added:011}-{number}")).collect();
        let some: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "1")).collect();
        added += count;
        rig.out.clear();
        rig.says(exec(&[info(90, NONE, "1999999999999-0", 99, NONE), entries("s", &some)]));
    }
    assert_eq!(rig.feed.status().counts.events, 15);
}

/// A server that doesn't count entries can't prove anything about a stream.
#[test]
fn a_server_that_is_too_old() {
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[format!("%2\r\n{}:1\r\n{}{}", bulk("length"), bulk("last-generated-id"), bulk(A))]));
    assert!(rig.cause().contains("streams need Redis 7 or later"), "{}", rig.cause());
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
}

/// H3: a beginning claims to go on only where every entry after the place is accounted for.
#[test]
fn only_what_is_accounted_for_is_proven() {
    let at = |millis: u64| Id { millis, number: 0 };
    let mark = Some(Mark { id: at(50), added: 10 });
    // A model: entries at 10, 20, … up to `last`, of which those before `first` were trimmed.
    for last in 5..12 {
        for first in 1..=last {
            let added = 5 + last;
            let info = Info {
                length: last - first + 1,
                last: at(last * 10),
                added,
                deleted: at(0),
                first: Some(at(first * 10)),
            };
            let proven = begin(mark, Some(&info)).reason.is_none();
            assert_eq!(proven, first <= 6, "trimmed up to {first} of {last}");
        }
    }
    let info = Info { length: 2, last: at(70), added: 12, deleted: at(0), first: Some(at(60)) };
    assert_eq!(begin(mark, Some(&info)), Begin { id: at(50), added: Some(10), unread: 2, reason: None });
    assert_eq!(check(at(50), Some(10), Some(&info), 2, true), Finding::Follows);
    assert_eq!(check(at(50), Some(9), Some(&info), 2, true), Finding::Missing(1));
    assert_eq!(check(at(50), Some(11), Some(&info), 2, true), Finding::Anew);
    assert_eq!(check(at(50), Some(10), Some(&info), 1, false), Finding::Follows);
    assert_eq!(check(at(80), Some(12), Some(&info), 0, true), Finding::Anew);
    assert_eq!(check(at(50), Some(10), None, 0, true), Finding::Anew);
    assert_eq!("50-0/10".parse(), Ok(Mark { id: at(50), added: 10 }));
    assert!(["", "5", "5-1", "5-1/x", "-1-1/2"].iter().all(|text| text.parse::<Mark>().is_err()));
}

//! Socket.IO's messages, and what a feed makes of them. What the server says is what socket.io 4.8.3 said, with other ids.

mod hostile;
mod polling;
mod rig;

use std::{sync::Arc, time::Duration};

use watchfloor_model::{Continuity, Mono, Phase, Position, Timestamp, Transport};

use self::rig::{OPEN, Rig};
use super::wire::{Frame, Named, Packet, Type, is_offset};
use crate::{
    Secret, Site,
    limits::HELD_EVENTS_MAX,
    port::Expiry,
    protocols::{Dialect as _, Moment, Place, Signal},
};

/// The server that can give sessions back takes the namespace.
const JOINED: &str = r#"40{"sid":"FJStJu6pAs93AbvRAAAA","pid":"ngx1j3f464x69fhPAAAB"}"#;
const ASKED: &str = r#"secret 40{"offset":"Q8Nx2DY","pid":"ngx1j3f464x69fhPAAAB"}"#;
const BLOB: &str = r#"452-["blob",{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}]},"Q8Nx2E0"]"#;

/// H3: places are counted here; the body is what follows the name, without the offset; binary parts are texts.
#[test]
fn events() {
    let mut rig = Rig::new(|_| {});
    rig.begin();
    rig.expect(&["open wss://push.example/socket.io/?EIO=4&transport=websocket", "40"]);
    rig.says(JOINED);
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    for text in [
        r#"42["tick",{"n":1},"Q8Nx2DY"]"#,
        r#"42["pair",1,"two","Q8Nx2Dv"]"#,
        r#"42["bare","Q8Nx2D-"]"#,
        r#"42["vol","delayed"]"#,
        r#"420["ask",{"q":1}]"#,
        r#"42/elsewhere,["tick",{"n":2},"Q8Nx2E6"]"#,
        BLOB,
    ] {
        rig.says(text);
    }
    rig.shows(b"\x01\x02\x03\x04");
    rig.shows(b"hi");
    rig.says("2");
    rig.expect(&[
        r#"tick 1@Q8Nx2DY {"n":1}"#,
        r#"pair 2@Q8Nx2Dv [1,"two"]"#,
        "bare 3@Q8Nx2D- null",
        r#"vol 4@Q8Nx2D- "delayed""#,
        "430[]",
        r#"ask 5@Q8Nx2D- {"q":1}"#,
        r#"blob 6@Q8Nx2E0 {"a":"AQIDBA==","b":["aGk="]}"#,
        "3",
    ]);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.continuity, status.counts.events), (Phase::Live, Continuity::Unknown, 6));
}

/// H3: a session that is given back brings what was missed before it says so, and that is proven.
#[test]
fn a_session_is_given_back() {
    let mut rig = Rig::live();
    rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
    rig.again();
    rig.expect(&[r#"tick 1@Q8Nx2DY {"n":1}"#, "open wss://push.example/socket.io/?EIO=4&transport=websocket", ASKED]);
    rig.says(r#"42["tick",{"n":2},"Q8Nx2Qr"]"#);
    rig.says(r#"451-["blob",{"_placeholder":true,"num":0},"Q8Nx2Qw"]"#);
    rig.shows(b"hi");
    rig.expect(&[]);
    rig.says(JOINED);
    rig.says(r#"42["tick",{"n":2},"Q8Nx2Qr"]"#);
    rig.says(r#"42["tick",{"n":3},"Q8Nx2XE"]"#);
    rig.expect(&[
        "gap proven: link lost: the connection ended",
        r#"tick 2@Q8Nx2Qr {"n":2}; blob 3@Q8Nx2Qw "aGk=""#,
        r#"tick 4@Q8Nx2XE {"n":3}"#,
    ]);
    assert_eq!((rig.feed.status().phase, rig.feed.status().counts.events), (Phase::Live, 4));
}

/// H3: another session, or none that can be given back, proves nothing.
#[test]
fn a_session_is_not_given_back() {
    for (answer, why) in [
        (r#"40{"sid":"a","pid":"another"}"#, "the server doesn't have the session any more"),
        (r#"40{"sid":"a"}"#, "the server can't give a session back"),
    ] {
        let mut rig = Rig::live();
        rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
        rig.again();
        rig.out.clear();
        rig.says(answer);
        let gap = format!("gap unknown: link lost: the connection ended; {why}; the server offers no snapshot");
        rig.expect(&[&gap]);
        rig.says(r#"42["tick",{"n":2}]"#);
        rig.expect(&[r#"tick 1 {"n":2}"#]);
    }
}

/// H1, H3: where the server doesn't give the session back, the site says what it has now, and until then nothing is live.
#[test]
fn a_session_that_is_lost_is_made_good_by_the_site() {
    let mut rig = Rig::new(|config| {
        config.site = Some(Site {
            url: "https://app.example/api/orders".parse().expect("an address"),
            shows_token: false,
            shows_headers: false,
            channel: "/".into(),
            name: "order".into(),
            rows: None,
            time: None,
        });
    });
    rig.begin();
    rig.says(JOINED);
    rig.is_there(200, "[]");
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
    // Given back, it needs nobody else.
    rig.again();
    rig.out.clear();
    rig.says(JOINED);
    assert!(!rig.out.iter().any(|line| line.starts_with("fetch")), "{:?}", rig.out);
    rig.again();
    rig.out.clear();
    rig.says(r#"40{"sid":"a","pid":"another"}"#);
    rig.expect(&["fetch https://app.example/api/orders"]);
    rig.says(r#"42["tick",{"n":2}]"#);
    assert_ne!(rig.feed.status().phase, Phase::Live);
    rig.is_there(200, r#"[{"id":1}]"#);
    let told = std::mem::take(&mut rig.out);
    assert!(told.iter().any(|line| line.starts_with("gap snapshot: ")), "{told:?}");
    assert!(told.iter().any(|line| line == "the site's 1 rows"), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("tick ")), "what was held: {told:?}");
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
}

/// H1: a session that was asked for once may be one of which the server finds another connection dead, and then sends nothing
/// to either. Recorded: the second to get one back heard pings and no more events.
#[test]
fn a_session_is_asked_for_once() {
    let mut rig = Rig::live();
    rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
    rig.again();
    rig.says(JOINED);
    rig.says(r#"42["tick",{"n":2},"Q8Nx2XE"]"#);
    rig.again();
    assert_eq!(rig.out.pop().as_deref(), Some("40"));
    // The same where the first question was never answered.
    let mut rig = Rig::live();
    rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
    rig.again();
    assert_eq!(rig.out.pop().as_deref(), Some(ASKED));
    rig.again();
    assert_eq!(rig.out.pop().as_deref(), Some("40"));
}

/// H3: a connection that is tried beside the one that is followed, for a new token, doesn't use its session up.
#[test]
fn a_session_in_use_is_left_alone() {
    let (dialect, config) = (super::SocketIo::default(), Rig::config(|_| {}));
    let channels: Arc<[Arc<str>]> = config.channels.as_slice().into();
    let now = Moment { mono: Mono::ZERO, wall: Timestamp::from_millis(1_795_697_600_000) };
    let link = |seed, place: Option<Position>| {
        let (mut session, mut out) = (dialect.session(&config, Transport::WebSocket, &channels, seed), Vec::new());
        session.subscribe(&[Place { channel: channels[0].clone(), position: place }], false);
        session.decode_text(OPEN.as_bytes(), now, &mut out);
        (session, format!("{out:?}"))
    };
    let (mut first, _) = link(1, None);
    let mut out = Vec::new();
    first.decode_text(JOINED.as_bytes(), now, &mut out);
    first.decode_text(br#"42["tick",1,"Q8Nx2DY"]"#, now, &mut out);
    let Some(Signal::Event { position, .. }) = out.pop() else { panic!("{out:?}") };
    let (_beside, said) = link(2, Some(position.clone()));
    assert!(said.contains("\"40\""), "{said}");
    drop(first);
    let (_next, said) = link(3, Some(position));
    assert!(said.contains("***") && !said.contains("ngx1"), "{said}");
}

/// H3: where events came that the server doesn't keep, what it sends again may lack others of their kind.
#[test]
fn a_session_that_leaks() {
    for text in [r#"42["vol","delayed"]"#, r#"420["ask",1,"Q8Nx2DY"]"#] {
        let mut rig = Rig::live();
        rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
        rig.says(text);
        rig.again();
        assert_eq!(rig.out.pop().as_deref(), Some(ASKED), "neither became the offset");
        rig.out.clear();
        rig.says(r#"42["tick",{"n":2},"Q8Nx2Qr"]"#);
        rig.says(JOINED);
        let out = rig.out.join("\n");
        assert!(out.contains("gap unknown") && out.contains("of all the kinds") && out.contains("tick 1@"), "{out}");
    }
}

/// H1, H3: an adapter that reads its history from elsewhere calls sessions recovered in which events are missing: they come, but
/// prove nothing. Recorded with the Redis streams adapter 0.3.1.
#[test]
fn a_session_from_elsewhere_proves_nothing() {
    for offset in ["1795697600123-0", "6b080000ffffffffffffffff"] {
        let mut rig = Rig::live();
        rig.says(&format!(r#"42["tick",{{"n":1}},"{offset}"]"#));
        rig.again();
        assert!(rig.out.pop().is_some_and(|said| said.contains(offset)), "it is asked for all the same");
        rig.out.clear();
        rig.says(r#"42["tick",{"n":2},"1795697600124-0"]"#);
        rig.says(JOINED);
        let out = rig.out.join("\n");
        assert!(out.contains("gap unknown") && out.contains("may leave out") && out.contains(r#"{"n":2}"#), "{out}");
    }
}

/// H5: what is missed is bounded; more of it is a gap.
#[test]
fn too_much_was_missed() {
    let mut rig = Rig::live();
    rig.says(r#"42["tick",{"n":1},"Q8Nx2DY"]"#);
    rig.again();
    rig.out.clear();
    for _ in 0..=HELD_EVENTS_MAX {
        rig.says(r#"42["tick",{"n":2}]"#);
    }
    rig.says(JOINED);
    let out = rig.out.join("\n");
    assert!(out.contains("gap unknown") && out.contains("more was missed") && !out.contains("tick"), "{out}");
}

/// H8: neither the token nor the session's secret is seen, in a message or in a place.
#[test]
fn secrets() {
    let mut rig = Rig::new(|config| {
        config.token = Some(Secret::new("t1"));
        config.channels = vec!["/".into(), "/ops".into()];
    });
    rig.begin();
    rig.expect(&[
        "open wss://push.example/socket.io/?EIO=4&transport=websocket",
        r#"secret 40{"token":"t1"}"#,
        r#"secret 40/ops,{"token":"t1"}"#,
    ]);
    rig.says(JOINED);
    rig.says(r#"40/ops,{"sid":"a","pid":"secret-pid"}"#);
    rig.says(r#"42/ops,["tick",1,"Q8Nx2DY"]"#);
    let place = rig.feed.status().positions["/ops"].to_string();
    assert!(place.ends_with("@Q8Nx2DY") && !format!("{:?}", rig.feed).contains("secret-pid"), "{place}");
}

/// A refusal is shown as one and asked again slowly, whatever it is that says so.
#[test]
fn refusals() {
    for text in [
        r#"44{"message":"not authorised","data":{"code":"auth"}}"#,
        r#"44{"message":"Invalid namespace"}"#,
        r#"44"old servers say a text""#,
        "44",
        "41",
    ] {
        let mut rig = Rig::new(|_| {});
        rig.begin();
        rig.says(text);
        let status = rig.feed.status();
        assert_eq!(status.phase, Phase::Refused, "{text}");
        let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
        assert!((30..=120).contains(&wait), "{text}: {wait} s");
    }
    let mut rig = Rig::live();
    rig.says("41");
    assert_eq!(rig.feed.status().phase, Phase::Refused, "thrown out");
    // What is said of other namespaces says nothing.
    let mut rig = Rig::live();
    rig.says(r#"44/nope,{"message":"Invalid namespace"}"#);
    rig.says("41/nope,");
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// A token that has ended is told by the application, in words: a new one is got at once.
#[test]
fn an_expired_token() {
    let mut rig = Rig::new(|config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.gets_token("t1", Expiry::Unknown);
    rig.opened();
    rig.says(OPEN);
    rig.out.clear();
    rig.says(r#"44{"message":"jwt expired"}"#);
    rig.expect(&["close", "token?"]);
}

/// H1, H2: between the server's pings, which come too seldom, the WebSocket's answers prove the stream; and not for longer
/// than the server may leave its own out.
#[test]
fn the_stream_is_proven_between_pings() {
    let mut rig = Rig::live();
    for _ in 0..20 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        assert_eq!(rig.feed.status().phase, Phase::Live);
    }
    rig.pass(Duration::from_secs(7));
    assert_ne!(rig.feed.status().phase, Phase::Live, "nobody has proven anything");

    let mut rig = Rig::live();
    for _ in 0..60 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
    }
    assert_ne!(rig.feed.status().phase, Phase::Live, "45 s without a ping of the server's");
    // It doesn't become live by pings before the namespace is joined.
    let mut rig = Rig::new(|_| {});
    rig.begin();
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Subscribing);
}

/// What is no server of this protocol is told.
#[test]
fn other_servers() {
    for text in ["40", "<html>", "", "0{}", "96:0{\"sid\":\"a\"}"] {
        let mut rig = Rig::new(|_| {});
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig.says(text);
        let cause = rig.feed.status().cause.expect("why").text;
        assert!(cause.contains("not a Socket.IO server"), "{cause}");
    }
    let mut rig = Rig::new(|_| {});
    rig.begin();
    rig.says("40");
    let cause = rig.feed.status().cause.expect("why").text;
    assert!(cause.contains("version 4"), "{cause}");
    let mut rig = Rig::new(|_| {});
    rig.begin();
    rig.shows(b"\x83\xa4type");
    assert!(rig.feed.status().cause.expect("why").text.contains("parser"));
}

/// H3: an event that can't be read is asked for once more, on another connection, and then passed over.
#[test]
fn events_that_cannot_be_read() {
    let bad = [r#"42["tick",{"n":1e999},"Q8Nx2Dv"]"#, r#"42[{"not":"a name"},1,"Q8Nx2Dv"]"#, r#"42{}"#, r#"42["#];
    for text in bad {
        let mut rig = Rig::live();
        rig.says(r#"42["tick",1,"Q8Nx2DY"]"#);
        rig.out.clear();
        rig.says(text);
        assert_eq!(rig.out, ["close", "open wss://push.example/socket.io/?EIO=4&transport=websocket"], "{text}");
        rig.opened();
        rig.says(OPEN);
        assert_eq!(rig.out.pop().as_deref(), Some(ASKED));
        rig.says(text);
        rig.says(JOINED);
        rig.says(r#"42["tick",3,"Q8Nx2Qr"]"#);
        let status = rig.feed.status();
        assert_eq!((status.phase, status.counts.gaps_unknown, status.counts.rejected), (Phase::Live, 2, 2), "{text}");
        assert!(rig.out.last().expect("delivered").starts_with("tick 3@"), "{:?}", rig.out);
    }
}

/// H5: attachments are bounded in number and size, and a text among them is against the protocol.
#[test]
fn attachments() {
    let mut rig = Rig::live();
    rig.says(BLOB);
    rig.shows(&vec![0; 1 << 20]);
    rig.shows(b"x");
    assert_eq!(rig.feed.status().counts.rejected, 1);
    let mut rig = Rig::live();
    rig.says(r#"45101-["many"]"#);
    for _ in 0..101 {
        rig.shows(b"");
    }
    assert_eq!(rig.feed.status().counts.rejected, 1);
    let mut rig = Rig::live();
    rig.says(BLOB);
    rig.says(r#"42["tick",1]"#);
    assert_ne!(rig.feed.status().phase, Phase::Live);
    let mut named = Named::read(r#"["a",{"_placeholder":true,"num":7}]"#, None).expect("an event");
    assert!(named.attach(&[vec![1]]).is_err());
}

/// The order of a packet's parts is the protocol's.
#[test]
fn packets() {
    let read = |text| Packet::read(text).expect(text);
    let whole = read(r#"51-/admin,456["f",{"_placeholder":true,"num":0}]"#);
    assert_eq!(
        (whole.kind, whole.attachments, whole.namespace, whole.id),
        (Type::Event, Some(1), "/admin", Some("456"))
    );
    let old = read(r#"2/admin?token=1,["a,b"]"#);
    assert_eq!((old.namespace, old.id, old.body), ("/admin", None, r#"["a,b"]"#));
    assert_eq!(read("1/admin").namespace, "/admin");
    assert_eq!(read("0").kind, Type::Connect);
    for text in ["", "7", "é", "5[]", "5x-[]", "599999999999999999999999-[]"] {
        assert!(Packet::read(text).is_err(), "{text}");
    }
    assert_eq!(Frame::read("é"), Frame::Other);
}

/// H3: only what can be a place in a history is taken for one, and not an application's last argument.
#[test]
fn offsets() {
    let wall = Timestamp::from_millis(1_795_697_600_000);
    for text in ["Q8Nx2DY", "Q8Nx2DY.1", "1795697600123-0", "6b080000ffffffffffffffff"] {
        assert!(is_offset(text, wall), "{text}");
        assert!(is_offset(text, Timestamp::default()), "{text}, before the clock is set");
    }
    for text in ["", "delayed", "boarding", "JFK", "A380-800", "2026-11-26", "Q8Nx2DY.", "1000000000000-0", "é"] {
        assert!(!is_offset(text, wall), "{text}");
    }
    let named = |text| Named::read(text, Some(wall)).expect("an event");
    assert_eq!(named(r#"["a","Q8Nx2DY"]"#).body, "null");
    assert_eq!(named(r#"["Q8Nx2DY"]"#).offset, None, "the name is none");
}

/// H8, H5: whatever comes, in whatever order.
#[test]
fn anything() {
    use watchfloor_fuzz::{Draws, check, mutated};
    const SAID: [&str; 9] = [
        OPEN,
        JOINED,
        "2",
        "41",
        r#"42["tick",{"n":1},"Q8Nx2DY"]"#,
        r#"421["ask",1]"#,
        BLOB,
        r#"44{"message":"no"}"#,
        r#"463-1[{"_placeholder":true,"num":1}]"#,
    ];
    check!(iterations = 300, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut rig = Rig::new(|_| {});
        rig.begin();
        for _ in 0..draws.below(20) {
            let message = mutated(&SAID, &mut draws);
            match draws.below(4) {
                0 => rig.shows(&message),
                1 => rig.pong(),
                _ => rig.says_bytes(&message),
            }
        }
        assert!(rig.feed.status().counts.events <= 20);
    });
}

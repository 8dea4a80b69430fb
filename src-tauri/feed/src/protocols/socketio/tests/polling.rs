//! The same by polls, and on to a WebSocket. What the server says is what socket.io 4.8.4 said, with other ids.

use std::time::Duration;

use watchfloor_model::{Continuity, Phase, Transport};

use super::{
    BLOB, JOINED,
    rig::{OPEN, Rig},
};
use crate::{Input, LinkFaultKind, LinkId};

const GET: &str = "get https://push.example/socket.io/?EIO=4&transport=polling";
const NEXT: &str = "get https://push.example/socket.io/?EIO=4&transport=polling of the session";
const UNKNOWN: &str = r#"44/watchfloor-probe,{"message":"Invalid namespace"}"#;
const GONE: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

fn refused(status: u16) -> LinkFaultKind {
    LinkFaultKind::Http { status, retry_after: None, content_type: Some("application/json".into()) }
}

/// H3, H8: packets come as many as there are, binary ones as texts; what is posted waits for the answer to what was posted before.
#[test]
fn a_conversation() {
    let mut rig = Rig::polled(|config| config.token = Some(crate::Secret::new("t1")));
    rig.expect(&[GET, r#"post secret 40{"token":"t1"}"#, NEXT]);
    rig.answers(&format!(r#"{JOINED} | 42["hi",{{"n":1}},"Q8Nx2DY"] | 451-["blob",{{"_placeholder":true,"num":0}},"Q8Nx2DY.0"] | bAQIDBA=="#));
    rig.expect(&["gap unknown: the server offers no snapshot", r#"hi 1@Q8Nx2DY {"n":1}; blob 2@Q8Nx2DY.0 "AQIDBA==""#]);
    rig.pass(Duration::ZERO);
    rig.expect(&[NEXT]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.answers(r#"2 | 427["ask",1] | 428["ask",2]"#);
    rig.expect(&["ask 3@Q8Nx2DY.0 1; ask 4@Q8Nx2DY.0 2"]);
    rig.posted("ok");
    rig.expect(&["post 3 | 437[] | 438[]"]);
    rig.pass(Duration::ZERO);
    rig.expect(&[NEXT]);
    rig.answers("6");
    rig.expect(&[]);
    rig.pass(Duration::from_millis(200));
    rig.expect(&[NEXT]);
    rig.answers("");
    rig.pass(Duration::from_millis(200));
    rig.expect(&[NEXT]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    assert!(!format!("{:?}", rig.feed).contains("bjF9XP8y"), "H8");
}

/// H1, H2: the server is made to answer within a third of the limit, and what isn't answered isn't live.
#[test]
fn each_answer_is_a_proof() {
    let mut rig = Rig::polled_live(|_| {});
    for _ in 0..40 {
        let asked = rig.now;
        while rig.out.is_empty() {
            rig.pass(Duration::from_millis(10));
        }
        rig.expect(&["post 40/watchfloor-probe,"]);
        assert!(rig.now.since(asked) <= Duration::from_secs(5) / 3, "within a third of the limit");
        rig.posted("ok");
        rig.pass(Duration::from_millis(40));
        assert_eq!(rig.feed.status().phase, Phase::Live);
        rig.answers(UNKNOWN);
        rig.pass(Duration::from_millis(10));
        rig.expect(&[NEXT]);
    }
    rig.pass(Duration::from_millis(3000));
    assert_eq!(rig.feed.status().phase, Phase::Live, "the last answer is two thirds of the limit old");
    rig.pass(Duration::from_millis(2600));
    assert_ne!(rig.feed.status().phase, Phase::Live);
    // What is posted is taken, but no poll is answered: that proves nothing.
    let mut rig = Rig::polled_live(|_| {});
    rig.pass(Duration::from_millis(1700));
    rig.posted("ok");
    rig.pass(Duration::from_millis(4300));
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// H1, H2: what a publisher sent came after the answer before the last, and no later.
#[test]
fn a_publisher_is_heard_by_polls() {
    let mut rig = Rig::polled_live(|config| config.quiet = Some(Duration::from_secs(45)));
    let begun = rig.now;
    for n in 0..3 {
        rig.pass(Duration::from_secs(1));
        rig.answers(&format!(r#"42["tick",{n},"Q8Nx2DY"]"#));
        rig.pass(Duration::ZERO);
    }
    let proof = rig.feed.status().publisher_proof.expect("heard");
    assert_eq!((proof.since(begun), rig.now.since(begun)), (Duration::from_secs(1), Duration::from_secs(3)));
    rig.answers(UNKNOWN);
    assert_eq!(rig.feed.status().publisher_proof, Some(proof), "that is nobody's word but the server's");
}

/// H1: a server that has whatever namespace it is asked for isn't asked again, and its pings come too seldom.
#[test]
fn a_server_that_has_every_namespace() {
    let mut rig = Rig::polled_live(|_| {});
    rig.pass(Duration::from_millis(1700));
    rig.posted("ok");
    rig.answers(r#"40/watchfloor-probe,{"sid":"a"}"#);
    rig.pass(Duration::from_millis(200));
    rig.expect(&["post 40/watchfloor-probe,", "post 41/watchfloor-probe,", NEXT]);
    rig.posted("ok");
    rig.pass(Duration::from_secs(20));
    rig.expect(&[]);
    let status = rig.feed.status();
    assert_eq!(status.phase, Phase::CatchingUp);
    assert!(status.cause.expect("why").text.contains("every 25 s"));
    rig.answers("2");
    assert_eq!(rig.feed.status().phase, Phase::CatchingUp, "asked for 20 s ago");
    rig.pass(Duration::from_millis(200));
    rig.answers(r#"42["tick",1]"#);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// Engine.IO's refusals by their code, whether of a GET or of a POST, and what is no server of it.
#[test]
fn refusals() {
    let cause = |rig: &Rig| rig.feed.status().cause.expect("why").text;
    let mut rig = Rig::polled_live(|_| {});
    rig.fails(refused(400), GONE);
    assert!(cause(&rig).contains("sticky sessions"), "{}", cause(&rig));
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    let mut rig = Rig::polled(|_| {});
    rig.posted_status(400, GONE);
    assert!(cause(&rig).contains("sticky sessions"), "{}", cause(&rig));
    for (status, text, phase, words) in [
        (400, r#"{"code":5,"message":"Unsupported protocol version"}"#, Phase::Waiting, "version 4"),
        (400, "Unsupported protocol version", Phase::Waiting, "version 4"),
        (400, "Forbidden", Phase::Refused, "Forbidden"),
        (400, r#"{"code":0,"message":"Transport unknown"}"#, Phase::Waiting, "doesn't offer this way"),
        (400, r#"{"code":3,"message":"Bad request"}"#, Phase::Waiting, "HTTP 400"),
        (400, "<html>", Phase::Waiting, "HTTP 400"),
        (403, r#"{"code":4,"message":"not from here"}"#, Phase::Refused, "not from here"),
        (413, "", Phase::Waiting, "HTTP 413"),
    ] {
        let mut rig = Rig::polled(|_| {});
        rig.fails(refused(status), text);
        assert_eq!((rig.feed.status().phase, cause(&rig).contains(words)), (phase, true), "{text}: {}", cause(&rig));
    }
    let mut rig = Rig::polled(|_| {});
    rig.posted("<html>please log in</html>");
    assert!(cause(&rig).contains("login page"), "{}", cause(&rig));
    for (body, words) in [
        (r#"97:0{"sid":"a","upgrades":[]}"#, "version 4"),
        (r#"0{"pingInterval":1,"pingTimeout":1}"#, "names no session"),
        (r#"{"an":"API"}"#, "not a Socket.IO server"),
        ("", "names no session"),
    ] {
        let mut rig = Rig::new(|config| config.ladder = vec![Transport::LongPoll]);
        rig.feed.start(rig.now);
        rig.drain();
        rig.answers(body);
        assert!(cause(&rig).contains(words), "{body}: {}", cause(&rig));
    }
}

/// What ends a session by polls: the server says so in a packet, with what came before it; and what can't be read.
#[test]
fn ends() {
    let mut rig = Rig::polled_live(|_| {});
    rig.answers(r#"42["tick",1,"Q8Nx2DY"] | 6 | 1"#);
    rig.expect(&["tick 1@Q8Nx2DY 1", "close"]);
    assert!(rig.feed.status().cause.expect("why").text.contains("ended"));
    rig.pass(Duration::from_secs(1));
    rig.expect(&[GET]);
    rig.answers(OPEN);
    rig.expect(&[r#"post secret 40{"offset":"Q8Nx2DY","pid":"ngx1j3f464x69fhPAAAB"}"#]);
    rig.pass(Duration::ZERO);
    rig.posted("ok");
    rig.out.clear();
    rig.answers(&format!(r#"42["tick",2,"Q8Nx2Dv"] | {JOINED}"#));
    rig.expect(&["gap proven: link lost: the server ended the connection", "tick 2@Q8Nx2Dv 2"]);
    for body in ["b!", "4", "9", "42[\"a\"] | | 2", "\u{1E}", "b"] {
        let mut rig = Rig::polled_live(|_| {});
        rig.answers(body);
        assert_ne!(rig.feed.status().phase, Phase::Live, "{body}");
    }
    let mut rig = Rig::polled_live(|_| {});
    rig.answers_bytes(b"42[\"a\",\"\xFF\"]");
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// H5: a server that wants more answers than it takes is left.
#[test]
fn answers_are_bounded() {
    let mut rig = Rig::polled(|_| {});
    let asks = vec![r#"42123["ask"]"#; 10_000].join(" | ");
    for _ in 0..20 {
        if rig.feed.status().phase == Phase::Subscribing {
            rig.answers(&asks);
            rig.pass(Duration::ZERO);
        }
    }
    let cause = rig.feed.status().cause.expect("why").text;
    assert!(cause.contains("more answers than it takes"), "{cause}");
}

fn on_two(rig: &mut Rig) {
    rig.pass(Duration::from_millis(1700));
    rig.posted("ok");
    rig.answers(UNKNOWN);
    rig.pass(Duration::from_millis(150));
}

/// Where a WebSocket is kept shut, polls are the way, and the session goes on by one as soon as it can be had. H3: what comes by
/// it follows what came by polls.
#[test]
fn on_to_a_websocket() {
    let ladder = || Rig::new(|config| config.ladder = vec![Transport::WebSocket, Transport::LongPoll]);
    let mut rig = ladder();
    rig.feed.start(rig.now);
    rig.drain();
    for _ in 0..2 {
        rig.out.clear();
        rig.fails(refused(400), r#"{"code":3,"message":"Bad request"}"#);
        rig.expect(&["fetch https://push.example/socket.io/?EIO=4&transport=polling&sid=watchfloor"]);
        rig.is_there(400, GONE);
        while rig.out.is_empty() {
            rig.pass(Duration::from_millis(100));
        }
    }
    rig.expect(&[GET]);
    assert_eq!(rig.feed.status().detour.expect("why").text, "WebSocket: answered with HTTP 400");
    rig.answers(OPEN);
    rig.pass(Duration::ZERO);
    rig.posted("ok");
    rig.answers(JOINED);
    rig.pass(Duration::from_millis(200));
    while !rig.out.iter().any(|line| line.starts_with("upgrade")) {
        on_two(&mut rig);
    }
    assert!(rig.out.contains(&"upgrade wss://push.example/socket.io/?EIO=4&transport=websocket".to_owned()));
    rig.out.clear();
    rig.socket().opened();
    rig.socket().expect(&["2probe"]);
    rig.pass(Duration::from_millis(1700));
    rig.expect(&["post 40/watchfloor-probe,"]);
    rig.socket().says("3probe");
    rig.socket();
    rig.answers(r#"42["tick",1,"Q8Nx2DY"] | 6"#);
    rig.expect(&[r#"tick 1@Q8Nx2DY 1"#]);
    rig.pass(Duration::from_secs(1));
    rig.expect(&[]);
    rig.posted("ok");
    rig.expect(&["on the WebSocket 5", "close"]);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.transport, status.detour), (Phase::Live, Some(Transport::WebSocket), None));
    rig.socket();
    rig.says(UNKNOWN);
    rig.says(r#"42["tick",2,"Q8Nx2Dv"]"#);
    rig.says("2");
    rig.expect(&["tick 2@Q8Nx2Dv 2", "3"]);
    for _ in 0..20 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        assert_eq!(rig.feed.status().phase, Phase::Live);
    }
    assert_eq!((rig.feed.status().counts.gaps_unknown, rig.feed.status().counts.events), (1, 2));
    rig.pass(Duration::from_secs(7));
    assert_ne!(rig.feed.status().phase, Phase::Live, "H1: nothing is proven by what was before");
}

/// Without polls there is nothing to fall back to, and a server that is down blames no way.
#[test]
fn no_polls_to_fall_back_to() {
    for (status, body) in [(400, r#"{"code":0,"message":"Transport unknown"}"#), (200, GONE), (502, "")] {
        let mut rig = Rig::new(|config| config.ladder = vec![Transport::WebSocket, Transport::LongPoll]);
        rig.feed.start(rig.now);
        rig.drain();
        for _ in 0..4 {
            rig.fails(refused(400), "");
            rig.is_there(status, body);
            rig.out.clear();
            while rig.out.is_empty() {
                rig.pass(Duration::from_millis(100));
            }
            assert!(rig.out[0].starts_with("open wss:"), "{:?}", rig.out);
        }
    }
}

/// Where polls are the best way, by the board.
fn polls_first() -> Rig {
    let mut rig = Rig::new(|config| config.ladder = vec![Transport::LongPoll, Transport::WebSocket]);
    rig.feed.start(rig.now);
    rig.drain();
    rig
}

/// An upgrade that fails, at whatever step, costs nothing: the polls go on.
#[test]
fn an_upgrade_that_fails() {
    let fall = |rig: &mut Rig| {
        for _ in 0..2 {
            rig.fails(refused(400), "");
            rig.is_there(400, GONE);
            rig.out.clear();
            while rig.out.is_empty() {
                rig.pass(Duration::from_millis(100));
            }
        }
        rig.answers(OPEN);
        rig.pass(Duration::ZERO);
        rig.posted("ok");
        rig.answers(JOINED);
        rig.pass(Duration::from_millis(200));
        while !rig.out.iter().any(|line| line.starts_with("upgrade")) {
            on_two(rig);
        }
        rig.out.clear();
    };
    type Step = fn(&mut Rig);
    let steps: [(Step, bool); 5] = [
        (|rig| rig.socket().fails(refused(400), r#"{"code":3,"message":"Bad request"}"#), true),
        (|rig| rig.socket().says(r#"42["not","yet"]"#), false),
        (
            |rig| {
                rig.socket().opened();
                rig.says("3probe");
                let link = LinkId(rig.link);
                rig.input(Input::Closed { link, code: Some(1006), reason: String::new() });
            },
            true,
        ),
        (
            |rig| {
                rig.socket().opened();
                rig.pass(Duration::from_millis(100));
            },
            false,
        ),
        (
            |rig| {
                rig.socket();
            },
            false,
        ),
    ];
    for (at, (step, ends_itself)) in steps.into_iter().enumerate() {
        let mut rig = Rig::new(|config| config.ladder = vec![Transport::WebSocket, Transport::LongPoll]);
        rig.feed.start(rig.now);
        rig.drain();
        fall(&mut rig);
        step(&mut rig);
        rig.socket();
        for _ in 0..7 {
            on_two(&mut rig);
            assert_eq!(rig.feed.status().phase, Phase::Live, "{at}: {:?}", rig.feed.status());
        }
        assert_eq!(rig.out.contains(&"close".to_owned()), !ends_itself, "{at}: {:?}", rig.out);
        assert_eq!(rig.feed.status().transport, Some(Transport::LongPoll));
        assert!(rig.feed.status().detour.expect("why").text.starts_with("WebSocket: "));
        rig.out.clear();
        // The link is lost while the next one is tried: that goes with it.
        while !rig.out.iter().any(|line| line.starts_with("upgrade")) {
            on_two(&mut rig);
        }
        rig.out.clear();
        rig.fails(LinkFaultKind::Reset, "");
        assert!(rig.out.contains(&"close".to_owned()), "{at}: {:?}", rig.out);
    }
    // A ladder without a better rung has none.
    let mut rig = polls_first();
    rig.answers(OPEN);
    rig.pass(Duration::ZERO);
    rig.posted("ok");
    rig.answers(JOINED);
    rig.pass(Duration::from_millis(200));
    for _ in 0..20 {
        on_two(&mut rig);
    }
    assert!(!rig.out.iter().any(|line| line.starts_with("upgrade")), "{:?}", rig.out);
}

/// H3: however packets are put together into answers, what is delivered is what is delivered of the same packets one by one.
#[test]
fn batches_change_nothing() {
    use watchfloor_fuzz::{Draws, check};
    check!(iterations = 300, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut packets = vec![JOINED.to_owned()];
        for n in 0..draws.below(30) {
            match draws.below(6) {
                0 => packets.push("2".to_owned()),
                1 => packets.extend([BLOB.to_owned(), "bAQIDBA==".to_owned(), "baGk=".to_owned()]),
                2 => packets.push(format!(r#"42{n}["ask",{n}]"#)),
                3 => packets.push(format!(r#"42["vol","v{n}"]"#)),
                4 => packets.push(r#"42/elsewhere,["tick",1]"#.to_owned()),
                _ => packets.push(format!(r#"42["tick",{{"n":{n}}},"Q8Nx2DY.{n}"]"#)),
            }
        }
        let mut one = Rig::new(|_| {});
        one.begin();
        for packet in &packets {
            match packet.strip_prefix('b') {
                Some("AQIDBA==") => one.shows(&[1, 2, 3, 4]),
                Some(_) => one.shows(b"hi"),
                None => one.says(packet),
            }
        }
        let mut many = Rig::polled(|_| {});
        let mut rest = &packets[..];
        while !rest.is_empty() {
            let count = 1 + usize::from(draws.byte()) % rest.len();
            let (now, later) = rest.split_at(count);
            rest = later;
            many.answers(&now.join(" | "));
            if draws.below(2) == 0 {
                many.posted("ok");
            }
            many.pass(Duration::from_millis(100));
        }
        for _ in 0..2 {
            many.posted("ok");
        }
        let told = |rig: &mut Rig, head: &str| {
            let mut events = Vec::new();
            let mut said = Vec::new();
            for line in rig.out.drain(..) {
                match line.strip_prefix(head) {
                    Some(text) => said.extend(text.split(" | ").map(str::to_owned)),
                    None if line.starts_with('3') || line.starts_with("43") => said.push(line),
                    None if line.starts_with("open ") || line.starts_with("get ") || line == "40" => {}
                    None => events.extend(line.split("; ").map(str::to_owned)),
                }
            }
            said.retain(|text| text != "40");
            (events, said)
        };
        assert_eq!(told(&mut one, "post "), told(&mut many, "post "));
        let (a, b) = (one.feed.status(), many.feed.status());
        assert_eq!((a.counts.events, a.phase, a.continuity), (b.counts.events, b.phase, b.continuity));
        assert_eq!((b.phase, b.continuity), (Phase::Live, Continuity::Unknown));
    });
}

/// H8, H5: whatever comes, in whatever order.
#[test]
fn anything() {
    use watchfloor_fuzz::{Draws, check, mutated};
    const SAID: [&str; 10] = [
        OPEN,
        JOINED,
        "2",
        "41",
        "6\u{1E}1",
        "42[\"tick\",{\"n\":1},\"Q8Nx2DY\"]\u{1E}421[\"ask\",1]",
        "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\u{1E}bAQIDBA==",
        "44/watchfloor-probe,{\"message\":\"Invalid namespace\"}",
        "40/watchfloor-probe,{\"sid\":\"a\"}",
        "97:0{\"sid\":\"a\"}",
    ];
    check!(iterations = 300, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut rig = Rig::polled(|_| {});
        for _ in 0..draws.below(20) {
            let message = mutated(&SAID, &mut draws);
            match draws.below(6) {
                0 => rig.posted("ok"),
                1 => rig.posted_status(400, GONE),
                2 => rig.pass(Duration::from_secs(1)),
                3 => rig.fails(refused(400), &String::from_utf8_lossy(&message)),
                _ => rig.answers_bytes(&message),
            }
        }
        assert!(rig.feed.status().counts.events <= 60);
    });
}

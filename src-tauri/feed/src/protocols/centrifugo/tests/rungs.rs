//! Over HTTP, where a WebSocket can't be had.

use super::*;
use crate::{LinkFault, LinkFaultKind};

const CONNECTED: &str = r#"{"id":1,"connect":{"client":"1a9a399a","version":"0.0.0 OSS","ping":25,"pong":true,"session":"dcf380a6","node":"485a4f96"}}"#;
const SUBSCRIBED: &str = r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"UVRSVwRk","positioned":true}}"#;

/// What goes beside the link.
fn beside(commands: &str) -> String {
    let data = serde_json::to_string(commands).expect("a text");
    format!(r#"post https://push.example/emulation {{"data":{data},"node":"485a4f96","session":"dcf380a6"}}"#)
}

/// Some bytes of the answer, cut into pieces of this size.
fn brings(rig: &mut Rig, transport: Transport, line: &str, size: usize) {
    let bytes = match transport {
        Transport::Sse => format!("\r\ndata: {line}\n\n"),
        _ => format!("{line}\n"),
    };
    for chunk in bytes.as_bytes().chunks(size) {
        let bytes = chunk.to_vec().into();
        rig.feed.handle_input(Input::Chunk { link: LinkId(rig.link), bytes }, rig.now);
    }
    rig.drain();
}

fn live(transport: Transport, size: usize) -> Rig {
    let mut rig = Rig::new(|config| config.ladder = vec![transport]);
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    brings(&mut rig, transport, CONNECTED, size);
    brings(&mut rig, transport, SUBSCRIBED, size);
    rig
}

/// H1, H3: both ways bring the same, however their bytes are cut; what is said goes beside them.
#[test]
fn both_ways() {
    for (transport, path) in [(Transport::HttpStream, "http_stream"), (Transport::Sse, "sse")] {
        for size in [1, 7, 4096] {
            let mut rig = live(transport, size);
            rig.expect(&[
                &format!(r#"post https://push.example/connection/{path} {{"connect":{{"name":"watchfloor"}},"id":1}}"#),
                &beside(SUBSCRIBE),
            ]);
            brings(&mut rig, transport, r#"{"push":{"channel":"news","pub":{"data":{"n":1},"offset":1}}}"#, size);
            rig.expect(&[r#"publication UVRSVwRk:1 1700000001000 {"n":1}"#]);
            brings(&mut rig, transport, "{}", size);
            rig.expect(&[&beside("{}")]);
            assert_eq!(rig.feed.status().phase, Phase::Live, "{transport:?}");
        }
    }
}

/// H1: such a link is probed as well, by questions beside it, and what isn't answered within the limit isn't live.
#[test]
fn it_is_probed() {
    let mut rig = live(Transport::HttpStream, 4096);
    rig.out.clear();
    for id in [3, 5, 7] {
        rig.pass(Duration::from_secs(2));
        let ping = beside(&format!(r#"{{"history":{{"channel":"news"}},"id":{id}}}"#));
        let proof = beside(&format!(r#"{{"history":{{"channel":"news"}},"id":{}}}"#, id + 1));
        rig.expect(&[&ping, &proof]);
        for id in [id, id + 1] {
            let answer = format!(r#"{{"id":{id},"history":{{"epoch":"UVRSVwRk"}}}}"#);
            brings(&mut rig, Transport::HttpStream, &answer, 4096);
        }
        assert_eq!(rig.feed.status().phase, Phase::Live);
    }
    rig.pass(Duration::from_secs(6));
    assert_ne!(rig.feed.status().phase, Phase::Live, "nobody answers");
}

/// H2: a request that was taken may be lost behind the door, and its answer with it. What was said later proves no less, and if that is lost
/// as well it is said again: the link isn't slow for ever.
#[test]
fn answers_that_are_lost() {
    let mut rig = live(Transport::HttpStream, 4096);
    rig.pass(Duration::from_secs(2));
    brings(&mut rig, Transport::HttpStream, r#"{"id":4,"history":{"epoch":"UVRSVwRk"}}"#, 4096);
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    assert!(rig.out[0].contains(r#"\"id\":5"#) && rig.out[1].contains(r#"\"id\":6"#), "{:?}", rig.out);
    let mut said = Vec::new();
    for offset in 1..=6 {
        rig.out.clear();
        rig.pass(Duration::from_secs(1));
        let push = format!(r#"{{"push":{{"channel":"news","pub":{{"data":1,"offset":{offset}}}}}}}"#);
        brings(&mut rig, Transport::HttpStream, &push, 4096);
        said.extend(rig.out.iter().filter(|out| out.contains("/emulation")).cloned());
    }
    assert_ne!(rig.feed.status().phase, Phase::Live, "nothing is answered");
    assert_eq!(said, [beside(r#"{"history":{"channel":"news"},"id":7}"#)]);
    brings(&mut rig, Transport::HttpStream, r#"{"id":7,"history":{"epoch":"UVRSVwRk","offset":6}}"#, 4096);
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    // The tops are asked for anew.
    assert!(rig.out[0].contains(r#"\"id\":8"#) && rig.out[1].contains(r#"\"id\":9"#), "{:?}", rig.out);
    brings(&mut rig, Transport::HttpStream, r#"{"id":9,"history":{"epoch":"UVRSVwRk","offset":6}}"#, 4096);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H1: a connection that the server doesn't know any more, and a question that doesn't come there, end the link.
#[test]
fn what_is_said_does_not_come_there() {
    for (status, part) in [(404, "doesn't know this connection"), (502, "HTTP 502"), (413, "HTTP 413")] {
        let mut rig = live(Transport::HttpStream, 4096);
        rig.answers(status, "");
        let found = rig.feed.status();
        assert_eq!(found.phase, Phase::Waiting, "{status}");
        assert!(found.cause.expect("a cause").text.contains(part), "{status}: {:?}", rig.feed.status().cause);
    }
    let mut rig = live(Transport::HttpStream, 4096);
    rig.answers(200, "<html>");
    assert!(rig.feed.status().cause.expect("a cause").text.contains("login page"));
    let mut rig = live(Transport::HttpStream, 4096);
    rig.answers(204, "");
    assert_eq!(rig.feed.status().phase, Phase::Live);
    let outcome = Err(LinkFault::new(LinkFaultKind::Timeout, ""));
    rig.pass(Duration::from_secs(2));
    let number = rig.posted;
    rig.feed.handle_input(Input::Exchanged { link: LinkId(rig.link), number, outcome }, rig.now);
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
}

/// H3: where the WebSocket is blocked and the server is there, the next way goes on from where the one before was.
#[test]
fn down_the_ladder() {
    let mut rig = Rig::new(|config| config.ladder = Kind::Centrifugo.ladder().to_vec());
    rig.feed.restore(BTreeMap::from([("news".into(), "UVRSVwRk:2".parse::<Position>().expect("a place"))]));
    rig.feed.start(rig.now);
    rig.drain();
    for _ in 0..2 {
        rig.out.clear();
        let fault = LinkFault::new(LinkFaultKind::Http { status: 400, retry_after: None, content_type: None }, "");
        rig.feed.handle_input(Input::Failed { link: LinkId(rig.link), fault }, rig.now);
        rig.drain();
        rig.expect(&["fetch post https://push.example/emulation ?"]);
        let outcome = Ok(Response::new(400, Vec::new()));
        let fetch = rig.token.expect("asked");
        rig.feed.handle_input(Input::Fetched { fetch, outcome }, rig.now);
        rig.pass(Duration::from_secs(4));
    }
    assert_eq!(rig.feed.status().transport, Some(Transport::HttpStream));
    let opened = rig.out.iter().find(|out| out.contains("/connection/http_stream")).expect("the next way");
    assert!(!opened.contains("subs"), "{opened}");
    rig.opened();
    rig.out.clear();
    brings(&mut rig, Transport::HttpStream, CONNECTED, 4096);
    assert!(rig.out[0].contains(r#"\"offset\":2"#) && rig.out[0].contains(r#"\"recover\":true"#), "{:?}", rig.out);
    brings(
        &mut rig,
        Transport::HttpStream,
        r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"recovered":true,"was_recovering":true,"epoch":"UVRSVwRk","offset":2,"publications":[{"data":1,"offset":3}]}}"#,
        4096,
    );
    let status = rig.feed.status();
    assert_eq!((status.phase, status.continuity), (Phase::Live, Continuity::Proven));
    assert_eq!(status.positions["news"].to_string(), "UVRSVwRk:3");
    assert!(status.detour.is_some(), "the way that is blocked is named");
}

/// A close that comes as a message is one, and a page in the server's place is none of its messages.
#[test]
fn ends() {
    for transport in [Transport::HttpStream, Transport::Sse] {
        let mut rig = live(transport, 4096);
        brings(&mut rig, transport, r#"{"push":{"disconnect":{"code":3503,"reason":"force disconnect"}}}"#, 4096);
        assert_eq!(rig.feed.status().phase, Phase::Refused);
        let mut rig = live(transport, 4096);
        brings(&mut rig, transport, &"<p>x</p>\n".repeat(1100), 4096);
        if transport == Transport::HttpStream {
            assert_eq!(rig.feed.status().phase, Phase::Waiting);
        }
    }
}

/// H5: a line without an end costs no more than its bound, and what follows is read.
#[test]
fn an_endless_line() {
    let mut rig = live(Transport::HttpStream, 4096);
    rig.out.clear();
    let chunk: bytes::Bytes = vec![b'x'; 1 << 20].into();
    for _ in 0..40 {
        rig.feed.handle_input(Input::Chunk { link: LinkId(rig.link), bytes: chunk.clone() }, rig.now);
    }
    rig.drain();
    brings(&mut rig, Transport::HttpStream, "", 4096);
    let rejection = rig.feed.status().last_rejection.expect("said");
    assert!(rejection.contains("41943040 bytes is too long"), "{rejection}");
    brings(&mut rig, Transport::HttpStream, r#"{"push":{"channel":"news","pub":{"data":1,"offset":1}}}"#, 4096);
    assert!(rig.out.join("\n").contains("publication UVRSVwRk:1"), "{:?}", rig.out);
}

/// The other doors stand beside the WebSocket, behind whatever stands before it.
#[test]
fn addresses() {
    for (url, expected) in [
        ("wss://push.example/connection/websocket", "https://push.example/connection/http_stream"),
        ("ws://push.example:8000", "http://push.example:8000/connection/http_stream"),
        ("https://site.example/push/connection/websocket", "https://site.example/push/connection/http_stream"),
        ("wss://push.example/ws", "https://push.example/connection/http_stream"),
    ] {
        let mut rig = Rig::new(|config| {
            config.url = url.parse().expect("an address");
            config.ladder = vec![Transport::HttpStream];
        });
        rig.feed.start(rig.now);
        rig.drain();
        assert!(rig.out[0].starts_with(&format!("post {expected} ")), "{:?}", rig.out);
    }
}

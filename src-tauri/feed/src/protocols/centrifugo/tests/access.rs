//! Subscription tokens.

use super::*;

/// Connected, with a site that gives tokens, to channels of which one is private.
fn connected(channels: &[&str]) -> Rig {
    let mut rig = Rig::new(|config| {
        config.channels = channels.iter().map(|name| (*name).into()).collect();
        config.auth = Some("https://app.example/realtime/subscription".parse().expect("an address"));
        config.token = Some(Secret::new("t1"));
    });
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.out.clear();
    rig.says(r#"{"id":1,"connect":{"client":"c","ping":25,"pong":true}}"#);
    rig
}

const ASKED: &str = r#"post bearer https://app.example/realtime/subscription {"channel":"$news"}"#;

/// Live, by a token that is good for so many seconds.
fn live(life: u32) -> Rig {
    let mut rig = connected(&["$news"]);
    rig.expect(&[ASKED]);
    rig.answers(200, r#"{"token":"s1"}"#);
    rig.expect(&[
        r#"secret {"id":2,"subscribe":{"channel":"$news","delta":"fossil","positioned":true,"recoverable":true,"token":"s1"}}"#,
    ]);
    rig.says(&format!(
        r#"{{"id":2,"subscribe":{{"recoverable":true,"positioned":true,"epoch":"e","offset":7,"expires":true,"ttl":{life}}}}}"#
    ));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.out.clear();
    rig
}

/// So many seconds go by on a link that answers.
fn go_by(rig: &mut Rig, seconds: u64) {
    for _ in 0..seconds {
        rig.feed.handle_input(Input::Pong { link: LinkId(rig.link) }, rig.now);
        rig.says("{}");
        rig.pass(Duration::from_secs(1));
    }
}

/// H8: a private channel is had by the site's word, which is asked with the connection's token and shown in no log; a public one
/// beside it isn't asked for.
#[test]
fn a_private_channel() {
    let mut rig = connected(&["$news", "open"]);
    rig.expect(&[
        r#"{"id":2,"subscribe":{"channel":"open","delta":"fossil","positioned":true,"recoverable":true}}"#,
        ASKED,
    ]);
    rig.answers(200, r#"{"token":"s1"}"#);
    let said = rig.out.pop().expect("subscribed");
    assert!(said.starts_with("secret ") && said.contains(r#""token":"s1""#), "{said}");
}

/// A channel that is refused without a token is asked for with one, where the site gives them.
#[test]
fn a_channel_that_turns_out_to_be_private() {
    let mut rig = connected(&["news"]);
    rig.out.clear();
    rig.says(r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#);
    rig.expect(&[r#"post bearer https://app.example/realtime/subscription {"channel":"news"}"#]);
    rig.answers(200, r#"{"token":"s1"}"#);
    assert!(rig.out[0].contains(r#""token":"s1""#));
    rig.says(r#"{"id":3,"error":{"code":103,"message":"permission denied"}}"#);
    assert_eq!(rig.feed.status().phase, Phase::Refused, "by the token as well");
}

/// What the site may answer.
#[test]
fn the_site_answers() {
    for (status, body, phase, part) in [
        (403, "", Phase::Refused, "`$news`: the site gives no token for it: access denied (HTTP 403)"),
        (200, r#"{"token":""}"#, Phase::Refused, "gives no token"),
        (401, "", Phase::Refused, "no valid token (HTTP 401)"),
        (500, "", Phase::Waiting, "server error (HTTP 500)"),
        (200, "<html>", Phase::Waiting, "`$news`: the site's answer is no token"),
        (200, r#"{"token":7}"#, Phase::Waiting, "is no token"),
    ] {
        let mut rig = connected(&["$news"]);
        rig.answers(status, body);
        let found = rig.feed.status();
        assert_eq!(found.phase, phase, "{status} {body}");
        let cause = found.cause.expect("a cause").text;
        assert!(cause.contains(part), "{status} {body}: {cause}");
    }
    let mut rig = connected(&["$news"]);
    let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(20_000));
    rig.answers(200, &long);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("too long"));
}

/// A token is renewed ahead of its end, and the stream goes on through it. A site that is down meanwhile is asked again.
#[test]
fn renewal() {
    let mut rig = live(60);
    go_by(&mut rig, 39);
    assert!(!rig.out.join("\n").contains("post"), "{:?}", rig.out);
    go_by(&mut rig, 10);
    let asked = rig.out.iter().filter(|out| *out == ASKED).count();
    assert_eq!(asked, 1, "{:?}", rig.out);
    rig.out.clear();
    rig.answers(503, "");
    go_by(&mut rig, 9);
    assert!(!rig.out.join("\n").contains("post"));
    go_by(&mut rig, 3);
    assert!(rig.out.contains(&ASKED.to_owned()), "{:?}", rig.out);
    rig.out.clear();
    rig.answers(200, r#"{"token":"s2"}"#);
    let said = rig.out.join("\n");
    assert!(
        said.starts_with("secret ") && said.contains(r#""sub_refresh":{"channel":"$news","token":"s2"}"#),
        "{said}"
    );
    let id: u32 = said.split(&[':', ','][..]).nth(1).and_then(|id| id.parse().ok()).expect("an id");
    rig.says(&format!(r#"{{"id":{id},"sub_refresh":{{"expires":true,"ttl":60}}}}"#));
    rig.out.clear();
    go_by(&mut rig, 39);
    assert!(!rig.out.join("\n").contains("post"), "{:?}", rig.out);
    assert_eq!((rig.feed.status().phase, rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    go_by(&mut rig, 10);
    assert!(rig.out.contains(&ASKED.to_owned()));
}

/// H1: whoever loses the right to a channel is refused it when the token is to be renewed.
#[test]
fn the_right_is_taken_away() {
    let mut rig = live(60);
    go_by(&mut rig, 50);
    rig.answers(403, "");
    assert_eq!(rig.feed.status().phase, Phase::Refused);
}

/// A subscription that the server ended because its token did is begun again by another one, from its place; one that it calls
/// expired is replaced, and that not for ever.
#[test]
fn expiry() {
    let mut rig = live(3600);
    rig.says(r#"{"push":{"channel":"$news","unsubscribe":{"code":2501,"reason":"expired"}}}"#);
    rig.says(r#"{"id":3,"unsubscribe":{}}"#);
    assert!(rig.out.contains(&ASKED.to_owned()), "{:?}", rig.out);
    rig.out.clear();
    rig.answers(200, r#"{"token":"s2"}"#);
    assert!(rig.out[0].contains(r#""offset":7,"#) && rig.out[0].contains(r#""token":"s2""#), "{:?}", rig.out);
    rig.says(r#"{"id":4,"error":{"code":109,"message":"token expired"}}"#);
    rig.answers(200, r#"{"token":"s3"}"#);
    rig.says(r#"{"id":5,"error":{"code":109,"message":"token expired"}}"#);
    rig.answers(200, r#"{"token":"s4"}"#);
    assert_ne!(rig.feed.status().phase, Phase::Waiting);
    rig.says(r#"{"id":6,"error":{"code":109,"message":"token expired"}}"#);
    assert_eq!(rig.feed.status().phase, Phase::Waiting, "three in a row");
}

/// Without a site that gives them a private channel is refused by the server's word.
#[test]
fn nobody_gives_tokens() {
    let mut rig = Rig::subscribing(None);
    rig.says(r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#);
    assert_eq!(rig.feed.status().phase, Phase::Refused);
}

/// H3: what the server subscribes to by itself is followed as well, and gone on with over a cut. It is named on connecting only then:
/// a server would subscribe to others on the strength of that too.
#[test]
fn what_the_server_subscribes_to() {
    let mut rig = Rig::new(|_| {});
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.expect(&["open wss://push.example/connection/websocket", r#"{"connect":{"name":"watchfloor"},"id":1}"#]);
    let connected = |rest: &str| {
        format!(
            r#"{{"id":1,"connect":{{"client":"c","ping":25,"subs":{{"news":{{"recoverable":true,"positioned":true,"epoch":"e","offset":7{rest}}},"other":{{}}}}}}}}"#
        )
    };
    rig.says(&connected(""));
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.closes(3010, "insufficient state");
    rig.pass(Duration::from_secs(3));
    rig.out.clear();
    rig.opened();
    rig.expect(&[
        r#"{"connect":{"name":"watchfloor","subs":{"news":{"epoch":"e","offset":7,"recover":true}}},"id":1}"#,
    ]);
    rig.says(&connected(r#","recovered":true,"was_recovering":true,"publications":[{"data":1,"offset":8}]"#));
    let said = rig.out.join("\n");
    assert!(said.contains("gap proven") && said.contains("publication e:8"), "{said}");
    assert_eq!((rig.feed.status().phase, rig.feed.status().positions["news"].offset), (Phase::Live, 8));
}

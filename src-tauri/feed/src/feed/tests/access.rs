//! Tokens: asked for, renewed, presented, refused.

use super::*;
use crate::{CredentialFault, Expiry, port::Credential};

fn hello(access: &str) -> String {
    format!(r#"{{"type":"hello","protocol":1,"hub":"h","heartbeat_ms":1000,"clock":{CLOCK},"access":{access}}}"#)
}

fn authorise(token: &str) -> String {
    format!(r#"authorise {{"type":"authorise","token":"{token}"}}"#)
}

impl Rig {
    /// A started feed that asks for its token.
    fn asking(transport: Transport) -> Self {
        let mut rig = Self::with(transport, &["flights"]);
        rig.feed.config.token = None;
        rig.feed.config.asks_token = true;
        rig.start();
        assert_eq!((rig.phase(), &*rig.out), (Phase::Authorising, &["token?".to_owned()][..]));
        rig.out.clear();
        rig
    }

    fn give(&mut self, outcome: Result<Credential, CredentialFault>) {
        let fetch = self.feed.access.ask.expect("a question is out");
        self.input(Input::Credential { fetch, outcome });
    }

    /// A token that its issuer gives for so long.
    fn token(&mut self, token: &str, life_s: Option<u64>) {
        let expiry = life_s.map_or(Expiry::Unknown, |life| Expiry::At(self.now.plus(Duration::from_secs(life))));
        self.give(Ok(Credential { token: Secret::new(token), expiry }));
    }

    fn no_token(&mut self, text: &str) {
        self.give(Err(CredentialFault::new(text)));
    }

    /// Live by a token of a minute, as the server says too, if it says so.
    fn live_by_token(transport: Transport, access: Option<&str>) -> Self {
        let mut rig = Self::asking(transport);
        rig.token("hidden-1", Some(60));
        rig.become_live(access);
        rig
    }

    fn become_live(&mut self, access: Option<&str>) {
        self.open();
        let hello = access.map(hello);
        let lines = hello.into_iter().chain([subscribed("flights", "e:2", None), self.beat_now("e:2")]);
        let lines: Vec<String> = lines.collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.lines(&lines);
        if self.phase() != Phase::Live {
            self.snapshot("e:2");
        }
        assert_eq!(self.phase(), Phase::Live);
        self.out.clear();
    }

    /// A healthy server for so long; stops early once a line begins so.
    fn goes_on(&mut self, seconds: u64, until: &str) -> bool {
        for _ in 0..seconds * 2 {
            self.pass(Duration::from_millis(500));
            if self.out.iter().any(|line| line.starts_with(until)) {
                return true;
            }
            let link = self.feed.link.as_ref().filter(|link| link.liveness.is_some()).map(|link| link.id);
            let Some(link) = link else { return false };
            self.link = link.0;
            self.input(Input::Pong { link });
            let beat = self.beat_now("e:2");
            self.lines(&[&beat]);
        }
        false
    }
}

/// No link is opened without a token; why there is none is said, and asked again by backoff.
#[test]
fn a_token_comes_first() {
    let mut rig = Rig::asking(Transport::WebSocket);
    assert_eq!(rig.cause(), "waiting for a token");
    rig.no_token("HTTP 503");
    assert_eq!((rig.phase(), &*rig.cause()), (Phase::Waiting, "no token: HTTP 503"));
    assert!(rig.feed.status().retry_at.is_some_and(|at| at.since(rig.now) <= Duration::from_millis(250)));
    let mut asked = 0;
    for _ in 0..600 {
        rig.pass(Duration::from_secs(1));
        if rig.feed.access.ask.is_some() {
            asked += 1;
            rig.no_token("HTTP 503");
        }
    }
    assert!((20..60).contains(&asked), "no storm: {asked}");
    while rig.feed.access.ask.is_none() {
        rig.pass(Duration::from_millis(100));
    }
    rig.out.clear();
    rig.token("hidden-1", None);
    assert_eq!((rig.phase(), &*rig.out), (Phase::Connecting, &["open 1 wss://hub.example/base/v1/ws".to_owned()][..]));

    let mut rig = Rig::asking(Transport::WebSocket);
    rig.pass(Duration::from_secs(13));
    assert!(rig.cause().starts_with("no token: no answer within 10 s"), "{}", rig.cause());
    let mut rig = Rig::asking(Transport::WebSocket);
    rig.give(Err(CredentialFault { denied: true, ..CredentialFault::new("refused (HTTP 401)") }));
    assert_eq!((rig.phase(), &*rig.cause()), (Phase::Refused, "no token: refused (HTTP 401)"));
    assert!(rig.feed.status().retry_at.is_some_and(|at| at.since(rig.now) >= Duration::from_secs(40)));
    let mut rig = Rig::asking(Transport::WebSocket);
    rig.token("hidden-1", Some(0));
    assert_eq!((rig.phase(), &*rig.cause()), (Phase::Waiting, "no token: it has expired already"));
}

/// H2: the token is renewed well ahead of its end and presented on the running link, which stays live without a gap.
#[test]
fn renewed_on_the_running_link() {
    let mut rig = Rig::live_by_token(Transport::WebSocket, Some(r#"{"expires_ms":60000}"#));
    let begun = rig.now;
    assert!(rig.goes_on(60, "token?"), "asked in time");
    let waited = rig.now.since(begun);
    assert!((Duration::from_secs(40)..=Duration::from_secs(50)).contains(&waited), "{waited:?}");
    rig.out.clear();
    rig.token("hidden-2", Some(60));
    assert_eq!(rig.out, [authorise("hidden-2")]);
    rig.lines(&[r#"{"type":"authorised","expires_ms":60000}"#]);
    // Far past the end of the first.
    let link = rig.link;
    assert!(rig.goes_on(49, "token?") && rig.phase() == Phase::Live && rig.link == link);
    assert!(!rig.out.iter().any(|line| line.starts_with("close") || line.starts_with("gap")), "{:?}", rig.out);
    assert_eq!(rig.feed.status().counts.reconnects, 0);
}

/// The server's word on the end of a token is stronger than what was read from it.
#[test]
fn the_servers_word_is_stronger() {
    let mut rig = Rig::asking(Transport::WebSocket);
    let expiry = Expiry::About(rig.now.plus(Duration::from_secs(1)));
    rig.give(Ok(Credential { token: Secret::new("hidden-1"), expiry }));
    rig.become_live(Some(r#"{"expires_ms":600000}"#));
    assert!(!rig.goes_on(300, "token?"), "{:?}", rig.out);
    assert_eq!(rig.phase(), Phase::Live, "a guess ends nothing");
    assert!(rig.goes_on(200, "token?"));
}

/// H1, H2: while renewing fails, the source is live for as long as its token is good, and no longer; then it says why.
#[test]
fn live_until_the_token_ends() {
    let mut rig = Rig::live_by_token(Transport::WebSocket, Some(r#"{"expires_ms":60000}"#));
    let end = rig.now.plus(Duration::from_secs(60));
    let mut asked = 0;
    while rig.phase() == Phase::Live && rig.now < end.plus(Duration::from_secs(1)) {
        if rig.goes_on(1, "token?") {
            rig.out.clear();
            asked += 1;
            rig.no_token("HTTP 503");
        }
    }
    assert!(rig.now >= end && rig.now.since(end) < Duration::from_secs(1), "{:?}", rig.now.since(end));
    assert!((2..15).contains(&asked), "{asked}");
    assert!(rig.cause().starts_with("token expired"), "{}", rig.cause());
    if rig.feed.access.ask.is_some() {
        rig.no_token("HTTP 503");
    }
    assert_eq!((rig.phase(), &*rig.cause()), (Phase::Waiting, "token expired; new one: HTTP 503"));
    assert!(rig.feed.status().retry_at.is_some());
    while rig.feed.access.ask.is_none() {
        rig.pass(Duration::from_millis(100));
    }
    rig.token("hidden-2", Some(60));
    assert_eq!(rig.phase(), Phase::Connecting);
    rig.become_live(Some(r#"{"expires_ms":60000}"#));
}

/// A server that takes no new token on a link that stands: another link takes over before the end, without a gap.
#[test]
fn replaced_where_it_cannot_be_presented() {
    for (transport, access) in [(Transport::WebSocket, None), (Transport::Sse, Some(r#"{"expires_ms":60000}"#))] {
        let mut rig = Rig::live_by_token(transport, access);
        let old = rig.link;
        assert!(rig.goes_on(60, "token?"));
        rig.out.clear();
        rig.token("hidden-2", Some(600));
        assert!(rig.out[0].starts_with("open 2 "), "{:?}", rig.out);
        let new = LinkId(rig.link);
        rig.input(Input::Opened { link: new });
        // Both run; the old one stays good.
        for _ in 0..20 {
            for link in [old, new.0] {
                rig.link = link;
                let begun = if link == new.0 { subscribed("flights", "e:2", Some("e:2")) } else { String::new() };
                let beat = rig.beat_now("e:2");
                if rig.feed.trial.is_some()
                    && link == new.0
                    && rig.feed.trial.as_ref().is_some_and(|trial| !trial.is_told())
                {
                    rig.lines(&[&begun]);
                }
                rig.lines(&[&beat]);
                rig.input(Input::Pong { link: LinkId(link) });
            }
            assert_eq!(rig.phase(), Phase::Live);
            rig.pass(Duration::from_millis(500));
        }
        assert!(rig.out.iter().any(|line| *line == format!("close {old}")), "{:?}", rig.out);
        assert_eq!(rig.feed.link.as_ref().map(|link| link.id), Some(new));
        assert!(!rig.out.iter().any(|line| line.starts_with("gap")), "{:?}", rig.out);
        assert!(rig.goes_on(60, "token?") || rig.phase() == Phase::Live, "live far past the end of the first");
    }
}

/// A server that says that the token has expired is come back to at once with a new one, the first time.
#[test]
fn expired_by_the_servers_word() {
    let mut rig = Rig::live_by_token(Transport::WebSocket, Some(r#"{"expires_ms":60000}"#));
    rig.close(Some(4001));
    assert_eq!((rig.phase(), &*rig.out), (Phase::Authorising, &["token?".to_owned()][..]));
    rig.token("hidden-2", Some(60));
    rig.become_live(Some(r#"{"expires_ms":60000}"#));
    // Again, soon after: no faster than any other link that is lost.
    rig.close(Some(4001));
    assert_eq!((rig.phase(), rig.feed.access.ask), (Phase::Waiting, None));
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.phase(), Phase::Authorising, "the one that it refused isn't tried again");
}

/// A wrong token is a refusal, not a storm: another one is tried at once, once; the same one is no cure.
#[test]
fn wrong_tokens_are_refusals() {
    let mut rig = Rig::asking(Transport::WebSocket);
    rig.token("hidden-1", None);
    rig.http(401, None);
    assert_eq!(rig.phase(), Phase::Authorising, "it may have been changed");
    rig.token("hidden-1", None);
    assert_eq!((rig.phase(), &*rig.cause()), (Phase::Refused, "access denied: no valid token (HTTP 401)"));
    rig.out.clear();
    for _ in 0..600 {
        rig.pass(Duration::from_secs(1));
        if rig.feed.access.ask.is_some() {
            rig.token("hidden-1", None);
        }
        if rig.feed.link.is_some() {
            rig.http(401, None);
        }
    }
    let opened = rig.out.iter().filter(|line| line.starts_with("open")).count();
    assert!((3..=20).contains(&opened), "{opened} in ten minutes");
    assert_eq!(rig.phase(), Phase::Refused);
    // A new one, as soon as it is there.
    rig.feed.renew(rig.now);
    rig.drain();
    rig.token("hidden-2", None);
    assert_eq!(rig.feed.stage, Phase::Connecting);
    rig.become_live(None);
}

/// Whatever a server's words for a refusal: a new token may be what it wants, and is tried at once; the same one is no news.
#[test]
fn a_new_token_is_tried_at_once_after_a_refusal() {
    for code in [1008, 4403] {
        let mut rig = Rig::asking(Transport::WebSocket);
        rig.token("hidden-1", None);
        rig.open();
        let said = r#"{"type":"error","code":"forbidden","message":"no"}"#;
        rig.lines(&[said]);
        let link = LinkId(rig.link);
        rig.input(Input::Closed { link, code: Some(code), reason: String::new() });
        assert_eq!(rig.phase(), Phase::Authorising, "{code}: it may have been changed");
        rig.token("hidden-1", None);
        assert_eq!(rig.phase(), Phase::Refused, "{code}");
        rig.out.clear();
        rig.feed.renew(rig.now);
        rig.drain();
        assert_eq!(rig.out, ["token?"]);
        rig.out.clear();
        rig.token("hidden-1", None);
        assert_eq!((rig.phase(), rig.out.len()), (Phase::Refused, 0), "{code}");
        rig.feed.renew(rig.now);
        rig.drain();
        rig.out.clear();
        rig.token("hidden-2", None);
        assert!(rig.out.iter().any(|line| line.starts_with("open ")), "{code}: {:?}", rig.out);
    }
}

/// A new token that the server doesn't take costs the link nothing while the old one is good.
#[test]
fn a_declined_token_costs_nothing_yet() {
    let mut rig = Rig::live_by_token(Transport::WebSocket, Some(r#"{"expires_ms":60000}"#));
    assert!(rig.goes_on(60, "token?"));
    rig.token("hidden-2", Some(60));
    rig.lines(&[r#"{"type":"error","code":"bad-token","message":"not signed with this hub's key"}"#]);
    assert_eq!(rig.phase(), Phase::Live);
    let told = rig.status().renewal.expect("why there is no newer one");
    assert_eq!(told, "the server doesn't take it: not signed with this hub's key");
    rig.out.clear();
    assert!(rig.goes_on(2, "token?"), "another one is asked for");
    rig.out.clear();
    rig.token("hidden-2", Some(60));
    assert!(rig.out.is_empty(), "the same one isn't presented again: {:?}", rig.out);
    assert!(rig.goes_on(5, "token?"));
    rig.out.clear();
    rig.token("hidden-3", Some(60));
    assert_eq!(rig.out, [authorise("hidden-3")]);
    assert_eq!(rig.status().renewal, None);
}

/// A server that doesn't know the message is left for a link by the new token.
#[test]
fn servers_that_do_not_know_the_message() {
    let mut rig = Rig::live_by_token(Transport::WebSocket, Some(r#"{"expires_ms":60000}"#));
    assert!(rig.goes_on(60, "token?"));
    rig.token("hidden-2", Some(60));
    rig.lines(&[r#"{"type":"error","code":"bad-message","message":"unknown variant `authorise`"}"#]);
    assert!(rig.out.iter().any(|line| line.starts_with("open 2 ")), "{:?}", rig.out);
    rig.link = 1;
    rig.close(Some(1008));
    assert_eq!(
        (rig.phase(), rig.feed.status().retry_at.map(|at| at.since(rig.now) <= Duration::from_secs(2))),
        (Phase::Waiting, Some(true))
    );
}

/// A poll carries the newest token, without any further word.
#[test]
fn polls_carry_the_newest_token() {
    let mut rig = Rig::asking(Transport::LongPoll);
    rig.token("hidden-1", Some(60));
    rig.feed.renew(rig.now);
    rig.drain();
    rig.token("hidden-2", Some(60));
    assert!(rig.feed.link.is_some());
    assert!(!rig.out.iter().any(|line| line.starts_with("authorise") || line.starts_with("open")), "{:?}", rig.out);
    assert_eq!(rig.feed.config.token, Some(Secret::new("hidden-2")));
}

/// A source without asking for tokens does nothing new.
#[test]
fn sources_without_tokens_ask_for_none() {
    let mut rig = Rig::live();
    rig.feed.renew(rig.now);
    rig.drain();
    rig.close(Some(4001));
    assert_eq!((rig.phase(), &*rig.out), (Phase::Waiting, &[][..] as &[String]));
}

//! Who may come in, and what errors mean.

use std::time::Duration;

use watchfloor_model::{Mono, Phase};

use super::{
    super::{Redis, channel},
    rig::{HELLO, Rig, config, exec, info, list},
};
use crate::{
    Input, SourceConfig,
    config::Secret,
    port::{Credential, Expiry},
    protocols::Dialect as _,
};

const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const CONFIRMED: &str = ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";

/// H8: the password goes with the first command only, where it is secret, and a new one over the running connection.
#[test]
fn passwords() {
    let mut rig = Rig::new(SourceConfig {
        user: Some("wall".into()),
        promises: crate::config::Promises::default(),
        speak: crate::config::Speak::default(),
        site: None,
        asks_token: true,
        ..config(&["news"])
    });
    rig.feed.start(rig.now);
    rig.drain();
    rig.expect(&["token?"]);
    give(&mut rig, "one", Expiry::At(Mono::from_millis(61_000)));
    rig.opened();
    rig.expect(&["open redis://redis.example:6379", "secret HELLO 3 AUTH wall one SETNAME watchfloor"]);
    rig.says(HELLO);
    rig.says(CONFIRMED);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    let mut asked = false;
    for _ in 0..60 {
        rig.pass(Duration::from_secs(1));
        if !asked && rig.out.contains(&"token?".to_owned()) {
            asked = true;
            give(&mut rig, "two", Expiry::Unknown);
            assert_eq!(rig.out.last().map(String::as_str), Some("secret AUTH wall two"), "{:?}", rig.out);
            rig.says("+OK\r\n");
        }
        while let Some(at) = rig.out.iter().position(|line| line == "PING" || line == "HELLO 3") {
            let answer = if rig.out.remove(at) == "PING" { "+PONG\r\n" } else { HELLO };
            rig.says(answer);
        }
    }
    assert!(asked, "before its end");
    assert_eq!(rig.feed.status().phase, Phase::Live, "{}", rig.cause());
}

fn give(rig: &mut Rig, token: &str, expiry: Expiry) {
    let fetch = rig.fetch.take().expect("asked for");
    let outcome = Ok(Credential { token: Secret::new(token), expiry });
    rig.feed.handle_input(Input::Credential { fetch, outcome }, rig.now);
    rig.drain();
}

/// H1: a refusal is shown as one, and asked again slowly; what will pass is come back to soon. Each by its meaning.
#[test]
fn errors_on_connecting() {
    for (answer, phase, least, most, text) in [
        (WRONG, Phase::Refused, 20, 120, "access denied: user or password isn't taken"),
        ("-NOAUTH HELLO must be called with …\r\n", Phase::Refused, 20, 120, "the server asks for a password"),
        ("-DENIED Redis is running in protected mode because …\r\n", Phase::Refused, 20, 120, "protected mode"),
        ("-NOPROTO unsupported protocol version\r\n", Phase::Waiting, 20, 120, "speaks version 2 of the protocol"),
        ("-ERR unknown command `HELLO`, with args …\r\n", Phase::Waiting, 20, 120, "speaks version 2"),
        ("-LOADING Redis is loading the dataset in memory\r\n", Phase::Waiting, 0, 3, "still loading its data"),
        ("-ERR max number of clients reached\r\n", Phase::Waiting, 0, 3, "max number of clients reached"),
        ("HTTP/1.1 400 Bad Request\r\n", Phase::Waiting, 0, 3, "does not speak Redis's protocol"),
        ("\u{15}\u{3}\u{1}", Phase::Waiting, 0, 3, "does not speak Redis's protocol"),
    ] {
        let mut rig = Rig::open(config(&["news"]), None);
        rig.says(answer);
        let status = rig.feed.status();
        assert_eq!(status.phase, phase, "{answer}");
        let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
        assert!((least..=most).contains(&wait), "{answer}: {wait} s");
        assert!(rig.cause().contains(text), "{}", rig.cause());
    }
}

/// The same for one channel, one stream, and in the middle.
#[test]
fn errors_of_channels() {
    let mut rig = Rig::open(config(&["other"]), None);
    rig.says(HELLO);
    rig.says("-NOPERM this user has no permissions to access one of the channels used as arguments\r\n");
    assert_eq!(rig.feed.status().phase, Phase::Refused);
    assert!(rig.cause().starts_with("`other`: access denied: this user has no permissions"), "{}", rig.cause());

    let refused = "+OK\r\n-NOPERM this user has no permissions to access one of the keys used as arguments\r\n\
                   -EXECABORT Transaction discarded because of previous errors.\r\n";
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(refused);
    assert_eq!(rig.feed.status().phase, Phase::Refused, "{}", rig.cause());

    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n".to_owned();
    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[wrong]));
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    assert_eq!(rig.cause(), "`stream:s`: the key of a stream holds something else");

    let mut rig = Rig::open(config(&["stream:s"]), None);
    rig.says(HELLO);
    rig.says(exec(&[info(1, "5-1", "5-1", 1, "0-0")]));
    rig.says(exec(&[info(1, "5-1", "5-1", 1, "0-0"), "_\r\n".to_owned()]));
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.out.clear();
    rig.says("-UNBLOCKED force unblock from blocking operation, instance state changed\r\n");
    rig.expect(&["HELLO 3"]);
    rig.says(HELLO);
    rig.says(refused);
    assert_eq!(rig.feed.status().phase, Phase::Refused, "a right that was taken away: {}", rig.cause());
}

/// H1: a replica answers though it has lost its master, and then brings nothing: that isn't live.
#[test]
fn replicas() {
    let hello = HELLO.replace("$6\r\nmaster", "$7\r\nreplica");
    let role = |state: &str| {
        list(&[
            "$5\r\nslave\r\n".into(),
            "$1\r\nm\r\n".into(),
            ":1\r\n".into(),
            format!("+{state}\r\n"),
            ":7\r\n".into(),
        ])
    };
    let mut rig = Rig::open(config(&["news"]), None);
    rig.says(&hello);
    rig.expect(&["open redis://redis.example:6379", "HELLO 3 SETNAME watchfloor", "ROLE", "SUBSCRIBE news"]);
    rig.says(role("connected"));
    rig.says(CONFIRMED);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    rig.expect(&["PING", "HELLO 3", "ROLE"]);
    rig.says(format!("+PONG\r\n{hello}{}", role("connect")));
    rig.expect(&["HELLO 3"]);
    rig.says(&hello);
    rig.says(role("connect"));
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    assert_eq!(rig.cause(), "the server is a replica that is not connected to its master");

    let mut rig = Rig::open(config(&["news"]), None);
    rig.says(&hello);
    rig.says("-NOPERM this user has no permissions to run the 'role' command\r\n");
    assert_eq!(rig.feed.status().phase, Phase::Refused, "it can't be told");

    let mut rig = Rig::open(config(&["news"]), None);
    rig.says(HELLO);
    rig.says(CONFIRMED);
    rig.pass(Duration::from_secs(2));
    rig.out.clear();
    rig.says(format!("+PONG\r\n{hello}"));
    rig.says(&hello);
    rig.says(role("connected"));
    rig.says(CONFIRMED);
    assert!(rig.out.join("\n").contains("gap unknown: the server became a replica"), "{:?}", rig.out);

    let mut rig = Rig::open(config(&["news"]), None);
    rig.says(HELLO.replace("$10\r\nstandalone", "$8\r\nsentinel"));
    assert!(rig.cause().contains("a Sentinel answers there"), "{}", rig.cause());
}

/// What can't work is said before anything is tried.
#[test]
fn configurations() {
    let with = |url: &str| SourceConfig { url: url.parse().expect("an address"), ..config(&["news"]) };
    for (url, sound) in [
        ("redis://redis.example", true),
        ("rediss://redis.example:6380/2", true),
        ("redis://redis.example/x", false),
        ("redis://u:p@redis.example", false),
        ("http://redis.example", false),
    ] {
        assert_eq!(Redis::default().check(&with(url)).is_ok(), sound, "{url}");
    }
    for (name, sound) in [("stream:", false), ("pattern:", false), ("", false), ("stream:a", true), ("a b", true)] {
        assert_eq!(Redis::default().check(&config(&[name])).is_ok(), sound, "{name}");
    }
    assert_eq!(channel("pattern:stream:*").1, "stream:*");
    let mut rig = Rig::open(with("redis://redis.example/2"), None);
    rig.out.clear();
    rig.says(HELLO);
    rig.expect(&["SELECT 2", "SUBSCRIBE news"]);
    rig.says("-ERR DB index is out of range\r\n");
    assert_eq!((rig.feed.status().phase, rig.cause()), (Phase::Waiting, "ERR DB index is out of range".to_owned()));
}

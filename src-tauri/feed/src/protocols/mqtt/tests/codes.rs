//! What a broker refuses, and what a configuration can't have.

use super::*;

/// Codes: what forbids to come back blindly is shown as a refusal and tried again slowly; what passes is come back from.
#[test]
fn codes() {
    // As a CONNACK, and as a DISCONNECT that the end of the connection follows.
    for (code, phase, least, most) in [
        (0x81, Phase::Waiting, 60, 100),
        (0x82, Phase::Waiting, 60, 100),
        (0x83, Phase::Waiting, 30, 60),
        (0x85, Phase::Refused, 40, 80),
        (0x86, Phase::Refused, 40, 80),
        (0x87, Phase::Refused, 40, 80),
        (0x88, Phase::Waiting, 0, 1),
        (0x89, Phase::Waiting, 0, 1),
        (0x8A, Phase::Refused, 40, 80),
        (0x8B, Phase::Waiting, 0, 1),
        (0x8C, Phase::Refused, 40, 80),
        (0x8D, Phase::Waiting, 0, 1),
        (0x8E, Phase::Refused, 40, 80),
        (0x93, Phase::Waiting, 30, 60),
        (0x94, Phase::Waiting, 60, 100),
        (0x95, Phase::Waiting, 60, 100),
        (0x96, Phase::Waiting, 30, 60),
        (0x97, Phase::Waiting, 30, 60),
        (0x98, Phase::Refused, 40, 80),
        (0x99, Phase::Waiting, 60, 100),
        (0x9A, Phase::Refused, 40, 80),
        (0x9B, Phase::Refused, 40, 80),
        (0x9C, Phase::Refused, 40, 80),
        (0x9D, Phase::Refused, 40, 80),
        (0x9E, Phase::Refused, 40, 80),
        (0x9F, Phase::Waiting, 30, 60),
        (0xA0, Phase::Waiting, 0, 1),
        (0xA1, Phase::Refused, 40, 80),
        (0xA2, Phase::Refused, 40, 80),
    ] {
        let mut connecting = Rig::opened(|_| {});
        connecting.says(&[&format!("200300{code:02x}00")]);
        let mut live = Rig::live();
        live.says(&[&format!("e001{code:02x}")]);
        live.closes();
        for rig in [connecting, live] {
            let status = rig.feed.status();
            assert_eq!(status.phase, phase, "{code:#x}");
            let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
            assert!((least..=most).contains(&wait), "{code:#x}: {wait} s");
            assert!(format!("{:?}", status.cause).contains(&format!("code {code}")), "{status:?}");
        }
    }
}

/// Mosquitto's words for a bad password, and the old version's.
#[test]
fn a_bad_password() {
    let mut rig = Rig::opened(|config| {
        config.user = Some("bob".into());
        config.token = Some(Secret::new("wrong"));
    });
    rig.says(&["2003008700"]);
    assert_eq!(rig.phase(), Phase::Refused);
    let status = format!("{:?}", rig.feed.status());
    assert!(status.contains("not authorised") && !status.contains("wrong"), "{status}");
    let mut rig = Rig::opened(|_| {});
    rig.says(&["20020001"]);
    rig.pass(Duration::from_secs(3));
    rig.open();
    rig.says(&["20020005"]);
    assert_eq!(rig.phase(), Phase::Refused);
}

/// A refusal asks for the password anew: the same one is no cure, and another one is tried at once.
#[test]
fn a_password_that_is_mended() {
    let mut rig = Rig::new(|config| config.asks_token = true);
    let present = |rig: &mut Rig, token: &str| {
        let fetch = rig.token.take().expect("asked for");
        let outcome = Ok(Credential { token: Secret::new(token), expiry: Expiry::Unknown });
        rig.feed.handle_input(Input::Credential { fetch, outcome }, rig.now);
        rig.drain();
    };
    rig.feed.start(rig.now);
    rig.drain();
    present(&mut rig, "old");
    rig.open();
    rig.says(&["2003008700"]);
    present(&mut rig, "old");
    assert_eq!(rig.phase(), Phase::Refused);
    rig.pass(Duration::from_secs(5));
    rig.out.clear();
    rig.feed.renew(rig.now);
    rig.drain();
    present(&mut rig, "new");
    rig.open();
    rig.says(&[CONNACK, SUBACK, PONG, PONG]);
    assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.out);
}

/// A server that knows neither version isn't asked again and again.
#[test]
fn no_version_at_all() {
    let mut rig = Rig::opened(|_| {});
    rig.says(&["200300840 0"]);
    assert_eq!(rig.phase(), Phase::Waiting);
    rig.pass(Duration::from_secs(3));
    rig.open();
    rig.says(&["20020001"]);
    assert_eq!(rig.phase(), Phase::Refused);
}

/// A filter that isn't granted would be silent for ever.
#[test]
fn a_filter_that_is_refused() {
    for (code, phase) in
        [("80", Phase::Refused), ("87", Phase::Refused), ("97", Phase::Waiting), ("a2", Phase::Refused)]
    {
        let mut rig = Rig::opened(|config| config.channels.push("other".into()));
        rig.says(&[CONNACK]);
        rig.says(&[&format!("90050001 0001{code}")]);
        assert_eq!(rig.phase(), phase, "{code}");
        assert!(format!("{:?}", rig.feed.status().cause).contains("`other`"), "{:?}", rig.feed.status());
    }
}

/// A server's own words are shown, and where it sends us; and a limit that is too long for its keep-alive is said.
#[test]
fn what_a_server_adds() {
    let mut rig = Rig::opened(|_| {});
    // Reason string "full", server reference "b:1".
    rig.says(&["2010009c0d1f000466756c6c1c0003623a31"]);
    assert!(format!("{:?}", rig.feed.status().cause).contains("full: b:1"), "{:?}", rig.feed.status());
    let mut rig = Rig::opened(|config| config.limit = Duration::from_secs(30));
    rig.says(&["20060000031300 05"]);
    assert_eq!(rig.phase(), Phase::Refused);
    assert!(format!("{:?}", rig.feed.status().cause).contains("every 5 s"), "{:?}", rig.feed.status());
    let mut rig = Rig::opened(|_| {});
    rig.says(&["2006000003130005", SUBACK, PONG, PONG]);
    assert_eq!(rig.phase(), Phase::Live, "it is pinged more often");
}

/// What can't work is said at once, and never tried.
#[test]
fn configurations() {
    let cases: [(&[&str], Option<&str>); 12] = [
        (&["a", "b/+", "c/#"], None),
        (&["#", "$SYS/#"], None),
        (&["a/b", "a/b/c"], None),
        (&["a/#", "a/b"], Some("overlap")),
        (&["a/#", "a"], Some("overlap")),
        (&["+/b", "a/+"], Some("overlap")),
        (&["#", "a"], Some("overlap")),
        (&["$share/g/a"], Some("only a part")),
        (&["a/#/b"], Some("`#` for all levels at the end")),
        (&["a+"], Some("whole level")),
        (&[""], Some("no name")),
        (&[], Some("0 channels")),
    ];
    for (channels, expected) in cases {
        let mut rig = Rig::new(|config| config.channels = channels.iter().map(|name| (*name).into()).collect());
        rig.feed.start(rig.now);
        let cause = format!("{:?}", rig.feed.status().cause);
        match expected {
            None => assert_eq!(rig.phase(), Phase::Connecting, "{channels:?}: {cause}"),
            Some(words) => {
                assert!(cause.contains(words), "{channels:?}: {cause}");
                assert_eq!(rig.feed.status().retry_at, None, "{channels:?}");
            }
        }
    }
    let mut rig = Rig::new(|config| config.url = "https://broker.example".parse().expect("an address"));
    rig.feed.start(rig.now);
    assert_ne!(rig.phase(), Phase::Connecting);
    let mut rig = Rig::new(|config| config.url = "mqtts://broker.example".parse().expect("an address"));
    rig.feed.start(rig.now);
    rig.drain();
    rig.expect(&["open mqtts://broker.example:8883"]);
}

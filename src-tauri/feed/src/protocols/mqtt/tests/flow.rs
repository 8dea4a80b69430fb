//! Connecting, following, and coming back.

use watchfloor_model::Continuity;

use super::*;

/// H1, H3: what was before isn't known but for what is retained; and nothing is live before a ping proves that all came.
#[test]
fn a_first_connection() {
    let mut rig = Rig::opened(|_| {});
    let connect = rig.out.pop().expect("sent");
    rig.expect(&["open mqtt://broker.example:1883"]);
    let client = to_hex(b"wall");
    assert!(connect.starts_with("102900044d5154540500001e08110000012c21000a0014"), "{connect}");
    assert!(connect.contains(&client), "{connect}");
    rig.says(&[CONNACK]);
    rig.expect(&[&format!("{SUBSCRIBE}{}", "c000")]);
    rig.says(&[SUBACK, RETAINED]);
    rig.expect(&["gap unknown: the server offers no snapshot", "c00040020001", r#"plant/old 1 {"n":0}"#]);
    assert_eq!(rig.phase(), Phase::CatchingUp);
    rig.says(&[PONG]);
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    rig.says(&[TICK, ON]);
    rig.expect(&["40020002", r#"tick 2 {"kind":"tick","n":1}; plant/b 3 "on""#]);
    let status = rig.feed.status();
    assert!(status.positions["plant/#"].to_string().starts_with("link-"), "{status:?}");
    assert!(status.publisher_proof.is_some());
}

/// H1: what is retained, or was kept for us, proves no publisher.
#[test]
fn what_is_old_is_no_sign_of_life() {
    let mut rig = Rig::opened(|_| {});
    rig.says(&[CONNACK, SUBACK, RETAINED, PONG]);
    assert_eq!((rig.phase(), rig.feed.status().publisher_proof), (Phase::Live, None));
}

/// H3: the session is asked for again by the same name; what comes twice counts once; and the gap stays unknown, as a broker
/// doesn't say what it dropped.
#[test]
fn a_session_that_was_kept() {
    let mut rig = Rig::opened(|_| {});
    let first = rig.out.pop();
    rig.says(&[CONNACK, SUBACK, RETAINED, PONG, PONG]);
    rig.says(&[TICK, ON]);
    rig.out.clear();
    rig.reconnect();
    assert_eq!(rig.out.pop(), first, "the same client");
    // As Mosquitto sent it after acknowledgements that never arrived: two again, and one that is new.
    let again = "3b150009706c616e742f6f6c640001007b226e223a307d\
                 3a210007706c616e742f610002007b226b696e64223a227469636b222c226e223a317d";
    let new = "320d0007706c616e742f6100030032";
    rig.says(&[CONNACK_KEPT, again, new]);
    rig.expect(&[&format!("{SUBSCRIBE}c000")]);
    rig.says(&[SUBACK]);
    rig.expect(&[
        "gap unknown: link lost: the connection ended; MQTT doesn't say whether all that was published meanwhile was kept; \
         the server offers no snapshot",
        "400200014002000240020003c000",
        "plant/a 1 2",
    ]);
    assert_eq!(rig.phase(), Phase::CatchingUp, "more may come");
    rig.says(&[PONG]);
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
}

/// H3: the same numbers in a session that is new are other publications.
#[test]
fn a_session_that_was_lost() {
    let mut rig = Rig::live();
    rig.says(&[TICK]);
    rig.reconnect();
    rig.out.clear();
    rig.says(&[CONNACK, SUBACK, &publication(0x3A, "plant/a", Some(2), b"7")]);
    let out = rig.out.join("\n");
    assert!(out.contains("MQTT keeps no history") && out.contains("plant/a 1 7"), "{out}");
    assert_eq!(rig.feed.status().counts.gaps_unknown, 2, "before the first, and between the two");
}

/// H1, H3: what is retained counts once, however often it is told, and is never put over what is newer.
#[test]
fn what_is_retained() {
    let mut rig = Rig::opened(|_| {});
    let retained = |payload: &[u8]| publication(0x31, "plant/a", None, payload);
    let live = |payload: &[u8]| publication(0x30, "plant/a", None, payload);
    rig.says(&[CONNACK, SUBACK, &retained(b"1"), PONG]);
    assert_eq!(rig.out.pop().as_deref(), Some("plant/a 1 1"));
    rig.reconnect();
    rig.out.clear();
    rig.says(&[CONNACK, SUBACK, &retained(b"1"), PONG]);
    assert!(!rig.out.iter().any(|line| line.starts_with("plant")), "it was had: {:?}", rig.out);
    rig.reconnect();
    rig.out.clear();
    rig.says(&[CONNACK, SUBACK, &retained(b"2"), PONG]);
    assert!(rig.out.contains(&"plant/a 1 2".to_owned()), "it was missed: {:?}", rig.out);
    rig.reconnect();
    rig.out.clear();
    rig.says(&[CONNACK, SUBACK, &live(b"4"), &retained(b"3"), PONG]);
    assert!(rig.out.contains(&"plant/a 1 4".to_owned()), "older than what came: {:?}", rig.out);
    rig.reconnect();
    rig.out.clear();
    rig.says(&[CONNACK_KEPT, &live(b"5"), SUBACK, &live(b"6"), &retained(b"7"), PONG]);
    assert!(
        rig.out.contains(&"plant/a 1 5; plant/a 2 6; plant/a 3 7".to_owned()),
        "what was kept is older: {:?}",
        rig.out
    );
}

/// H1: while the window is full the broker holds back what may be old by now: that is no proof, and asked again.
#[test]
fn a_full_window_proves_nothing() {
    let mut rig = Rig::live();
    rig.pass(Duration::from_secs(2));
    rig.expect(&["c000"]);
    let flood: Vec<String> = (1..=10).map(|id| publication(0x32, "plant/a", Some(id), b"1")).collect();
    let flood: Vec<&str> = flood.iter().map(String::as_str).chain([PONG]).collect();
    rig.says(&flood);
    let sent = rig.out.remove(0);
    assert!(sent.starts_with("40020001") && sent.ends_with("4002000ac000"), "{sent}");
    for _ in 0..4 {
        rig.pass(Duration::from_secs(1));
        rig.out.clear();
        rig.says(&flood);
    }
    assert_eq!(rig.phase(), Phase::CatchingUp, "{:?}", rig.feed.status());
    assert!(format!("{:?}", rig.feed.status().cause).contains("too slow"), "{:?}", rig.feed.status());
    rig.says(&flood[..9]);
    rig.says(&[PONG]);
    assert_eq!(rig.phase(), Phase::Live, "one less than the window");
}

/// H1: a broker that answers no ping isn't live for longer than the limit.
#[test]
fn a_broker_that_stands_still() {
    let mut rig = Rig::live();
    rig.pass(Duration::from_millis(4999));
    assert_eq!(rig.phase(), Phase::Live);
    rig.pass(Duration::from_millis(1001));
    assert_ne!(rig.phase(), Phase::Live);
}

/// H1: what a broker sends without being asked proves nothing of its stream.
#[test]
fn answers_that_nobody_asked_for() {
    let mut rig = Rig::live();
    for _ in 0..6 {
        rig.pass(Duration::from_millis(1000));
        if rig.phase() != Phase::Live {
            return;
        }
        // The first answers the ping; the others answer none.
        rig.says(&[PONG, PONG, PONG]);
    }
    assert_eq!(rig.phase(), Phase::Live, "each ping was answered");
    assert!(rig.feed.status().counts.events == 0);
}

/// A broker that doesn't know version 5 says so in the old way, and is spoken to in the old way from then on.
#[test]
fn an_old_broker() {
    let mut rig = Rig::opened(|config| {
        config.token = Some(Secret::new("t"));
    });
    rig.says(&["20020001"]);
    assert_eq!(rig.phase(), Phase::Waiting);
    assert!(format!("{:?}", rig.feed.status().cause).contains("3.1.1"), "{:?}", rig.feed.status());
    for _ in 0..2 {
        rig.pass(Duration::from_secs(3));
        rig.open();
        let connect = rig.out.pop().expect("sent");
        assert!(
            connect.starts_with("secret 102500044d51545404c2001e0014") && connect.ends_with("0000000174"),
            "{connect}"
        );
        rig.says(&["20020000"]);
        assert_eq!(rig.out.pop().as_deref(), Some("820c000100 07706c616e742f2301c000".replace(' ', "").as_str()));
        rig.out.clear();
        let retained = "33140009706c616e742f6f6c6400017b226e223a307d";
        rig.says(&["9003000101", retained, PONG, PONG]);
        rig.says(&[
            "32200007706c616e742f6100027b226b696e64223a227469636b222c226e223a317d",
            "300b0007706c616e742f626f6e",
        ]);
        let out = rig.out.join("\n");
        assert!(out.contains(r#"tick"#) && out.contains(r#"plant/b"#), "{out}");
        assert_eq!(rig.phase(), Phase::Live);
        rig.closes();
    }
    assert_eq!(rig.feed.status().counts.gaps_unknown, 2, "before the first, and between the two");
}

/// H3: an old broker that waits too long for an answer sends the same once more, also on the link on which it came: it is one event. What is
/// sent by a number that was used before is another.
#[test]
fn an_old_broker_sends_again() {
    let mut rig = Rig::opened(|_| {});
    rig.says(&["20020001"]);
    rig.pass(Duration::from_secs(3));
    rig.open();
    rig.says(&["20020000", "9003000101", PONG, PONG]);
    let sent = |first: u8, id: u16, payload: &[u8]| to_hex(&published(first, "plant/a", Some(id), payload));
    let (one, two) = (sent(0x32, 1, b"1"), sent(0x32, 2, b"2"));
    let (one_again, two_again) = (sent(0x3A, 1, b"1"), sent(0x3A, 2, b"2"));
    rig.out.clear();
    rig.says(&[&one, &two, &one_again, &two_again, &one_again]);
    let events = |rig: &Rig| rig.out.iter().filter(|line| line.starts_with("plant/a")).cloned().collect::<Vec<_>>();
    assert_eq!(rig.feed.status().counts.events, 2, "{:?}", events(&rig));
    // Each is answered, or it would come for ever.
    assert_eq!(rig.out.join(" ").matches("40020001").count(), 3, "{:?}", rig.out);
    rig.says(&[&sent(0x32, 1, b"1"), &sent(0x3A, 2, b"3")]);
    assert_eq!(rig.feed.status().counts.events, 4, "{:?}", events(&rig));
}

/// H8: the token is the password, and not to be seen. A newer one comes by a link beside, which is another client: one of the same name
/// would be put out for it.
#[test]
fn tokens() {
    let mut rig = Rig::new(|config| {
        config.asks_token = true;
        config.user = Some("wall".into());
    });
    rig.feed.start(rig.now);
    rig.drain();
    rig.expect(&["token?"]);
    let present = |rig: &mut Rig, token: &str| {
        let fetch = rig.token.expect("asked for");
        let outcome = Ok(Credential { token: Secret::new(token), expiry: Expiry::Unknown });
        rig.feed.handle_input(Input::Credential { fetch, outcome }, rig.now);
        rig.drain();
    };
    present(&mut rig, "t1");
    rig.open();
    let first = rig.out.pop().expect("sent");
    assert!(first.starts_with("secret 10") && first.ends_with("000477616c6c00027431"), "{first}");
    rig.says(&[CONNACK, SUBACK, PONG, PONG]);
    assert_eq!(rig.phase(), Phase::Live);
    rig.feed.renew(rig.now);
    rig.drain();
    present(&mut rig, "t2");
    rig.pass(Duration::from_secs(1));
    rig.open();
    let second = rig.out.pop().expect("sent");
    assert!(second.ends_with("000477616c6c00027432"), "{second}");
    let client = |connect: &str| connect.split_once(&to_hex(b"wall")).map(|(_, rest)| rest[..32].to_owned());
    assert_ne!(client(&first), client(&second));
}

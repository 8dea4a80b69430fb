//! Close and error codes, each by its meaning.

use watchfloor_model::Phase::{self, Live, Refused, Waiting};

use super::rig::Rig;

/// A phase, and within how many seconds from when on the next try comes.
type Fate = (Phase, u64, u64);

const REFUSED: Fate = (Refused, 20, 120);
const SLOW: Fate = (Waiting, 20, 120);
const HINTED: Fate = (Waiting, 30, 60);
const FULL: Fate = (Waiting, 1, 3);
const BACKOFF: Fate = (Waiting, 0, 2);
const SOON: Fate = (Waiting, 0, 3);
const STAYS: Fate = (Live, 0, 0);

/// One code: what follows from it as an error at the door, as a close of a connection that was live, and as an error on a live
/// connection that then ends without a close frame, as Reverb does it. On one that goes on it changes nothing.
const CODES: [(i64, &str, Fate, Fate, Fate); 24] = [
    (4000, "the app wants TLS", HINTED, SLOW, SLOW),
    (4001, "no such app", REFUSED, REFUSED, REFUSED),
    (4003, "the app is disabled", REFUSED, REFUSED, REFUSED),
    (4004, "over the connection quota, by Pusher and Reverb", REFUSED, REFUSED, REFUSED),
    (4005, "no such path", REFUSED, REFUSED, REFUSED),
    (4006, "no version of the protocol", REFUSED, REFUSED, REFUSED),
    (4007, "a version that isn't known", REFUSED, REFUSED, REFUSED),
    (4008, "no version was given", REFUSED, REFUSED, REFUSED),
    (4009, "not authorised; the user was put out", REFUSED, REFUSED, REFUSED),
    (4099, "of the kind that isn't to be tried again as it is", REFUSED, REFUSED, REFUSED),
    (4100, "over capacity, and Soketi's quota", FULL, BACKOFF, BACKOFF),
    (4199, "of the kind to back off from", FULL, BACKOFF, BACKOFF),
    (4200, "something went wrong; a restart", BACKOFF, SOON, SOON),
    (4201, "a pong was missed", BACKOFF, SOON, SOON),
    (4202, "inactive for a day", BACKOFF, SOON, SOON),
    (4299, "of the kind to come back from at once", BACKOFF, SOON, SOON),
    (4300, "of no kind: a bad name, by Sockudo", HINTED, SLOW, BACKOFF),
    (4301, "a message wasn't taken", HINTED, SLOW, BACKOFF),
    (4302, "a server error, by Soketi", HINTED, SLOW, BACKOFF),
    (1006, "no close frame", BACKOFF, BACKOFF, BACKOFF),
    (1009, "our message was too big", BACKOFF, SLOW, BACKOFF),
    (1001, "going away", BACKOFF, SOON, BACKOFF),
    (1000, "closed", BACKOFF, BACKOFF, BACKOFF),
    (0, "an error that says nothing", BACKOFF, BACKOFF, BACKOFF),
];

fn error(code: i64, about: &str) -> String {
    let code = if code == 0 { "null".to_owned() } else { code.to_string() };
    format!(r#"{{"event":"pusher:error","data":{{"code":{code},"message":"{about}"}}}}"#)
}

#[track_caller]
fn meets(rig: &Rig, (phase, least, most): Fate, what: &str) {
    let status = rig.feed.status();
    assert_eq!(status.phase, phase, "{what}: {status:?}");
    if phase != Live {
        let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
        assert!((least..=most).contains(&wait), "{what}: {wait} s");
    }
}

/// H1, H2: what a code means, and nothing else, decides whether it is refused, and when it is tried again.
#[test]
fn every_code() {
    for (code, about, at_the_door, closed, ended) in CODES {
        let mut rig = Rig::new(&["news"], |_| {});
        rig.start();
        rig.says(&error(code, about));
        meets(&rig, at_the_door, &format!("{code} at the door"));
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains(about), "{code}: {cause}");
        // The server may leave it open, and goes on to be of no use.
        assert_eq!(rig.out.last().map(String::as_str), Some("close"), "{code}");

        let mut rig = Rig::live();
        rig.closes(u16::try_from(code).ok().filter(|code| *code != 0));
        meets(&rig, closed, &format!("closed by {code}"));

        let mut rig = Rig::live();
        rig.says(&error(code, about));
        meets(&rig, STAYS, &format!("{code} on a connection that stands"));
        rig.expect(&[]);
        rig.closes(None);
        meets(&rig, ended, &format!("ended after {code}"));
        let is_told = (4000..=4299).contains(&code);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert_eq!(cause.contains(about), is_told, "{code}: {cause}");
    }
}

/// Codes come as numbers and as texts, in objects and in texts that hold one.
#[test]
fn every_shape() {
    for data in [
        r#"{"code":4004,"message":"full"}"#,
        r#"{"code":"4004","message":"full"}"#,
        r#""{\"code\":4004,\"message\":\"full\"}""#,
        r#""{\"code\":\"4004\",\"message\":\"full\"}""#,
    ] {
        let mut rig = Rig::new(&["news"], |_| {});
        rig.start();
        rig.says(&format!(r#"{{"event":"pusher:error","data":{data}}}"#));
        rig.is(Refused);
        assert!(rig.feed.status().cause.expect("a cause").text.contains("full"), "{data}");
    }
    // One that is no object says what it says, and no code.
    let mut rig = Rig::new(&["news"], |_| {});
    rig.start();
    rig.says(r#"{"event":"pusher:error","data":"no room today"}"#);
    rig.is(Waiting);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("no room today"));
}

/// H2: an error that the connection outlived says nothing of its end, hours later.
#[test]
fn an_error_of_long_ago() {
    let mut rig = Rig::live();
    rig.says(&error(4009, "x"));
    for _ in 0..20 {
        rig.pass(std::time::Duration::from_millis(500));
        rig.pong();
        rig.says(super::PONG);
    }
    rig.is(Live);
    rig.closes(None);
    meets(&rig, BACKOFF, "cut");
}

/// H2: what a full server asked for is over once it has let the wall in.
#[test]
fn a_wait_is_over_once_it_was_kept() {
    let mut rig = Rig::new(&["news"], |_| {});
    rig.start();
    rig.says(&error(4301, "x"));
    meets(&rig, HINTED, "asked to wait");
    rig.pass(std::time::Duration::from_secs(90));
    rig.opened();
    rig.says(super::GREETING);
    rig.takes("news");
    rig.is(Live);
    rig.closes(None);
    meets(&rig, BACKOFF, "a first failure");
}

//! Links that are a row of requests.

use std::fmt::Write as _;

use super::*;

impl Rig {
    /// An answer with these messages, of a server that has sent everything up to `head`.
    pub(super) fn answer(&mut self, messages: &[&str], head: &str) {
        self.answer_behind(messages, head, 0);
    }

    fn answer_behind(&mut self, messages: &[&str], head: &str, behind: u64) {
        let mut body = format!(r#"{{"cursor":"flights~{head}","messages":[{}]"#, messages.join(","));
        write!(body, r#","heartbeat":{}}}"#, beat_behind(head, behind).replace(CLOCK, &self.clock())).expect("room");
        self.input(Input::Answered { link: LinkId(self.link), head: crate::port::Head::default(), body: body.into() });
    }

    /// A feed of `flights` that is live at `e:2` and has the next request out.
    pub(super) fn polled(transport: Transport) -> Self {
        let mut rig = Self::started(transport, &["flights"]);
        rig.expect(&["ask 1 /base/v1/poll flights~ 0"]);
        rig.answer(&[&subscribed("flights", "e:2", None)], "e:2");
        rig.snapshot("e:2");
        assert_eq!(rig.phase(), Phase::Live);
        rig.out.clear();
        rig
    }
}

/// H3: events by long poll, each once and in order, the next request from the cursor of the last answer; nobody waits while
/// nothing happens.
#[test]
fn long_poll_brings_every_event() {
    let mut rig = Rig::polled(Transport::LongPoll);
    rig.pass(Duration::from_millis(100));
    rig.expect(&["ask 1 /base/v1/poll flights~e:2 1666"]);
    rig.pass(Duration::from_millis(500));
    rig.answer(&[&event(3), &event(4)], "e:4");
    rig.expect(&["events e:3 e:4"]);
    rig.pass(Duration::ZERO);
    rig.expect(&["ask 1 /base/v1/poll flights~e:4 1666"]);
    assert_eq!((rig.phase(), rig.status().every), (Phase::Live, None));
}

/// A server that has more is asked at once; one that answers at once and has nothing is not asked in a hot loop.
#[test]
fn the_pace_of_asking() {
    let mut rig = Rig::polled(Transport::LongPoll);
    rig.pass(Duration::from_millis(100));
    rig.answer_behind(&[&event(3)], "e:3", 7);
    rig.pass(Duration::ZERO);
    assert_eq!(rig.out.len(), 3, "{:?}", rig.out);
    rig.out.clear();
    for _ in 0..3 {
        rig.answer_behind(&[], "e:3", 7);
        rig.pass(Duration::from_millis(99));
        rig.expect(&[]);
        rig.pass(Duration::from_millis(1));
        rig.expect(&["ask 1 /base/v1/poll flights~e:3 1666"]);
    }
    // H5: nor one that says something each time and doesn't go on.
    rig.answer_behind(&[r#"{"type":"later"}"#], "e:3", 7);
    rig.pass(Duration::from_millis(99));
    rig.expect(&[]);
}

/// H1: an answer proves what its request could see; without one the link is dead at the limit.
#[test]
fn an_unanswered_poll() {
    let mut rig = Rig::polled(Transport::LongPoll);
    rig.pass(Duration::from_millis(1100));
    rig.answer(&[], "e:2");
    assert_eq!(rig.status().link_proof, Some(Mono::from_millis(1100)), "as of when it was asked");
    rig.pass(Duration::from_millis(3999));
    assert_eq!(rig.phase(), Phase::Live);
    rig.pass(Duration::from_millis(1));
    assert_eq!(rig.phase(), Phase::CatchingUp);
    rig.pass(Duration::from_millis(1000));
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Waiting, "nothing heard for 5 s"));
    rig.out.clear();
    rig.pass(Duration::from_secs(1));
    rig.expect(&["ask 2 /base/v1/poll flights~e:2 0"]);
    // Only the messages that can't be left out: the place is taken up where it was.
    rig.answer(&[&event(3)], "e:3");
    rig.expect(&["gap e:2 to e:3 proven: link lost: nothing heard for 5 s", "events e:3"]);
    assert_eq!(rig.phase(), Phase::Live);
}

/// H1: an answer that a cache kept is none.
#[test]
fn an_answer_that_somebody_kept() {
    let mut rig = Rig::polled(Transport::LongPoll);
    let kept = format!(r#"{{"cursor":"flights~e:2","messages":[],"heartbeat":{}}}"#, beat("e:2"));
    let mut live_ms = 0;
    for _ in 0..100 {
        rig.pass(Duration::from_millis(100));
        rig.input(Input::Answered {
            link: LinkId(rig.link),
            head: crate::port::Head::default(),
            body: kept.clone().into(),
        });
        live_ms += if rig.phase() == Phase::Live { 100 } else { 0 };
    }
    assert!(live_ms <= 5100 && rig.phase() != Phase::Live, "{live_ms} {:?}", rig.status());
}

/// H3: a place that a later answer begins anew was lost.
#[test]
fn a_place_lost_between_two_polls() {
    for words in [
        subscribed("flights", "f:7", None).replace("null", "\"epoch-changed\""),
        r#"{"type":"lost","channel":"flights","from":"e:2","head":"f:7","reason":"epoch-changed"}"#.to_owned(),
    ] {
        let mut rig = Rig::polled(Transport::Poll);
        rig.pass(Duration::from_secs(2));
        rig.out.clear();
        rig.answer(&[&words], "f:7");
        assert_eq!(rig.phase(), Phase::CatchingUp);
        rig.snapshot("f:7");
        rig.expect(&[
            "fetch https://hub.example/base/v1/snapshot?channels=flights",
            "gap e:2 to f:7 snapshot: events lost: the server's history began anew",
            "snapshot f:7",
        ]);
        assert_eq!(rig.phase(), Phase::Live);
    }
}

/// The poll rung asks at its interval and says which, in time for the limit.
#[test]
fn polls_come_at_an_interval() {
    let mut rig = Rig::polled(Transport::Poll);
    for _ in 0..10 {
        rig.pass(Duration::from_secs(2));
        rig.expect(&["ask 1 /base/v1/poll flights~e:2 0"]);
        assert_eq!((rig.phase(), rig.status().every), (Phase::Live, Some(Duration::from_secs(2))));
        rig.answer(&[], "e:2");
    }
}

/// What is no answer of a hub is named, and the server's word on when to come back is kept.
#[test]
fn answers_that_are_none() {
    for (body, cause) in [
        ("<html>", "answered with a web page: a login page or proxy?"),
        (r#"{"cursor":"x","messages":[]}"#, "the answer can't be read: missing field `heartbeat`"),
        (r#"{"cursor":"x","messages":[],"heartbeat":{"type":"later"}}"#, "the answer has no heartbeat"),
    ] {
        let mut rig = Rig::polled(Transport::Poll);
        rig.pass(Duration::from_secs(2));
        rig.input(Input::Answered { link: LinkId(1), head: crate::port::Head::default(), body: body.into() });
        assert_eq!(rig.phase(), Phase::Waiting);
        assert!(rig.cause().starts_with(cause), "{}", rig.cause());
    }
    let mut rig = Rig::polled(Transport::Poll);
    rig.pass(Duration::from_secs(2));
    rig.http(429, Some(9));
    assert_eq!(rig.cause(), "asked too often (HTTP 429)");
    assert!(rig.status().retry_at.expect("a time").since(rig.now) >= Duration::from_secs(9));
}

//! Ways to travel that are blocked, and trials of better ones.

use super::*;
use crate::limits::HELD_EVENTS_MAX;

const SOCKET: LinkId = LinkId(4);
const STREAM: LinkId = LinkId(3);

impl Rig {
    /// Lines of a server on one of two links.
    fn say(&mut self, link: LinkId, lines: &[&str]) {
        self.link = link.0;
        self.transport = if link == STREAM { Transport::Sse } else { Transport::WebSocket };
        self.lines(lines);
    }

    /// A feed of `flights` that fell from WebSocket to server-sent events, and is live there at `e:2` by link 3.
    fn fallen() -> Self {
        let mut rig = Self::with_ladder(&[Transport::WebSocket, Transport::Sse], &["flights"]);
        rig.start();
        for _ in 0..2 {
            while rig.phase() == Phase::Connecting {
                rig.pass(Duration::from_millis(100));
            }
            rig.fetched(200, r#"{"status":"ok","epoch":"e"}"#);
            rig.pass(if rig.link == 1 { Duration::from_millis(500) } else { Duration::ZERO });
        }
        assert_eq!(rig.cause(), "WebSocket: no answer to the upgrade; next by server-sent events");
        rig.pass(Duration::from_secs(2));
        rig.expect(&[
            "open 1 wss://hub.example/base/v1/ws",
            "close 1",
            "fetch https://hub.example/base/v1/health",
            "open 2 wss://hub.example/base/v1/ws",
            "close 2",
            "fetch https://hub.example/base/v1/health",
            "open 3 https://hub.example/base/v1/sse?cursor=flights%7E",
        ]);
        rig.open();
        let beat = rig.beat_now("e:2");
        rig.say(STREAM, &[&subscribed("flights", "e:2", None), &beat]);
        rig.snapshot("e:2");
        let status = rig.status();
        assert_eq!((status.phase, status.transport), (Phase::Live, Some(Transport::Sse)));
        assert_eq!(status.detour.expect("why").text, "WebSocket: no answer to the upgrade");
        rig.out.clear();
        rig
    }

    /// Time passes on both links, in seconds; both have everything up to `head`.
    fn pass_by_both(&mut self, seconds: u64, head: &str) {
        for _ in 0..seconds {
            self.pass(Duration::from_secs(1));
            assert_eq!(self.phase(), Phase::Live, "{}", self.cause());
            let beat = self.beat_now(head);
            self.say(STREAM, &[&beat]);
            self.input(Input::Pong { link: SOCKET });
            self.say(SOCKET, &[&beat]);
        }
    }

    /// The same, with a WebSocket on trial whose subscription was taken up at `e:2`.
    fn on_trial() -> Self {
        let mut rig = Self::fallen();
        while rig.out.is_empty() {
            rig.pass_by_both(1, "e:2");
        }
        rig.expect(&["open 4 wss://hub.example/base/v1/ws"]);
        rig.input(Input::Opened { link: SOCKET });
        rig.expect(&[r#"send {"type":"subscribe","channels":{"flights":"e:2"}}"#]);
        let beat = rig.beat_now("e:2");
        rig.say(SOCKET, &[HELLO, &subscribed("flights", "e:2", Some("e:2")), &beat]);
        rig
    }
}

/// H2, H3: both links run until the trial has been good for as long as the limit; then it takes over what it alone has,
/// without a gap, nothing twice, live all the while.
#[test]
fn a_better_way_takes_over() {
    let mut rig = Rig::on_trial();
    rig.say(SOCKET, &[&event(3)]);
    rig.say(STREAM, &[&event(3)]);
    rig.expect(&["events e:3"]);
    rig.pass_by_both(4, "e:3");
    rig.say(SOCKET, &[&event(4)]);
    rig.expect(&[]);
    assert_eq!(rig.status().transport, Some(Transport::Sse));
    rig.pass(Duration::from_secs(1));
    rig.expect(&["close 3", "events e:4"]);
    let status = rig.status();
    assert_eq!((status.phase, status.transport, status.detour), (Phase::Live, Some(Transport::WebSocket), None));
    assert_eq!((status.counts.duplicates, status.counts.gaps(), status.counts.events), (0, 0, 2));
    rig.say(STREAM, &[&event(4), &event(5)]);
    rig.expect(&[]);
    rig.say(SOCKET, &[&event(5)]);
    rig.expect(&["events e:5"]);
    // A way that fails at once is left at once.
    rig.pass(Duration::from_secs(6));
    rig.fetched(200, r#"{"status":"ok"}"#);
    assert_eq!(rig.status().transport, Some(Transport::Sse));
    assert!(rig.cause().starts_with("WebSocket: nothing heard for 5 s"), "{}", rig.cause());
}

/// H2: a link that is lost while a trial is as good costs nothing.
#[test]
fn a_trial_takes_the_place_of_a_lost_link() {
    let mut rig = Rig::on_trial();
    rig.say(SOCKET, &[&event(3)]);
    rig.input(Input::Failed { link: STREAM, fault: LinkFault::new(LinkFaultKind::Reset, "") });
    rig.expect(&["events e:3"]);
    assert_eq!((rig.phase(), rig.status().transport), (Phase::Live, Some(Transport::WebSocket)));
    // One that isn't as good yet ends with it.
    let mut rig = Rig::on_trial();
    rig.say(STREAM, &[&event(3)]);
    rig.out.clear();
    rig.input(Input::Failed { link: STREAM, fault: LinkFault::new(LinkFaultKind::Reset, "") });
    rig.expect(&["close 4"]);
    assert_eq!(rig.phase(), Phase::Waiting);
}

/// H2: trials that fail, however they do, cost nothing and come ever less often; what they found is told.
#[test]
fn trials_that_fail() {
    let page = LinkFaultKind::Http { status: 200, retry_after: None, content_type: Some("text/html".into()) };
    let lost = r#"{"type":"lost","channel":"flights","from":"e:2","head":"e:9","reason":"slow"}"#;
    for (input, found) in [
        (
            Input::Failed { link: SOCKET, fault: LinkFault::new(page, "") },
            "answered with a web page: a login page or proxy?",
        ),
        (Input::Closed { link: SOCKET, code: Some(1001), reason: String::new() }, "the server goes down"),
        (Input::Text { link: SOCKET, text: lost.into() }, "too slow for the server's history"),
        (Input::Text { link: SOCKET, text: event(9).into() }, "events are missing"),
        (Input::Pong { link: SOCKET }, "nothing heard for 5 s"),
    ] {
        let mut rig = Rig::on_trial();
        let is_hole = found == "events are missing";
        rig.input(input);
        if is_hole {
            let beat = rig.beat_now("e:9");
            rig.say(SOCKET, &[&beat]);
        }
        for _ in 0..6 {
            rig.pass(Duration::from_secs(1));
            let beat = rig.beat_now("e:2");
            rig.say(STREAM, &[&beat]);
        }
        let status = rig.status();
        assert_eq!((status.phase, status.transport), (Phase::Live, Some(Transport::Sse)), "{found}");
        assert_eq!(status.detour.expect("why").text, format!("WebSocket: {found}"));
        for _ in 0..3 {
            rig.pass(Duration::from_secs(1));
            let beat = rig.beat_now("e:2");
            rig.say(STREAM, &[&beat]);
        }
        assert!(rig.out.iter().all(|line| line == "close 4"), "{:?}", rig.out);
    }
}

/// H5: what a trial holds is what the link hasn't brought yet, and bounded: before it is full, the trial takes over.
#[test]
fn a_trial_of_a_busy_source() {
    let events = |from: u64, to: u64| (from..=to).map(event).collect::<Vec<_>>().join("\n");
    let mut rig = Rig::on_trial();
    let mut head = 2;
    for _ in 0..8 {
        let lines = events(head + 1, head + 2000);
        rig.say(SOCKET, &[&lines]);
        rig.say(STREAM, &lines.split('\n').collect::<Vec<_>>());
        head += 2000;
    }
    rig.pass_by_both(4, &format!("e:{head}"));
    assert_eq!((rig.status().transport, rig.status().counts.events), (Some(Transport::Sse), 16_000));
    let most = HELD_EVENTS_MAX as u64 / 2;
    rig.say(SOCKET, &[&events(head + 1, head + most)]);
    assert_eq!(rig.status().transport, Some(Transport::Sse));
    rig.say(SOCKET, &[&events(head + most + 1, head + most + 1)]);
    let status = rig.status();
    assert_eq!((status.phase, status.transport), (Phase::Live, Some(Transport::WebSocket)));
    assert_eq!((status.counts.events, status.counts.duplicates), (16_001 + most, 0));
}

/// H1: a stream that a proxy delays from its first byte on, by more than the limit, is told by the clock of the link that
/// stands, and doesn't take over.
#[test]
fn a_stream_on_trial_that_is_late_from_the_beginning() {
    let mut rig = Rig::with_limit(&[Transport::Sse, Transport::LongPoll], &["flights"], Duration::from_secs(2));
    rig.start();
    for _ in 0..2 {
        let page = LinkFaultKind::Http { status: 200, retry_after: None, content_type: Some("text/html".into()) };
        rig.fail(page);
        rig.fetched(200, r#"{"status":"ok"}"#);
        rig.pass(Duration::from_secs(2));
    }
    let body = |rig: &Rig, messages: &str| {
        let beat = rig.beat_now("e:2");
        format!(r#"{{"cursor":"flights~e:2","messages":[{messages}],"heartbeat":{beat}}}"#)
    };
    let answer = body(&rig, &subscribed("flights", "e:2", None));
    rig.input(Input::Answered { link: LinkId(3), head: crate::port::Head::default(), body: answer.into() });
    rig.snapshot("e:2");
    assert_eq!(rig.status().transport, Some(Transport::LongPoll));
    let (mut opened, mut lines) = (None, std::collections::VecDeque::new());
    for step in 0..60 {
        rig.pass(Duration::from_millis(500));
        let answer = body(&rig, "");
        rig.input(Input::Answered { link: LinkId(3), head: crate::port::Head::default(), body: answer.into() });
        assert_eq!((rig.phase(), rig.status().transport), (Phase::Live, Some(Transport::LongPoll)), "{step}");
        if rig.link == 4 && opened.is_none() {
            opened = Some(step);
            rig.input(Input::Opened { link: LinkId(4) });
            lines.extend([(step, HELLO.to_owned()), (step, subscribed("flights", "e:2", Some("e:2")))]);
        }
        if opened.is_some() {
            lines.push_back((step, rig.beat_now("e:2")));
        }
        while lines.front().is_some_and(|(sent, _)| *sent + 8 <= step) {
            let Some((_, line)) = lines.pop_front() else { break };
            rig.input(Input::Chunk { link: LinkId(4), bytes: format!("data: {line}\n\n").into() });
        }
    }
    assert!(opened.is_some() && rig.out.iter().any(|line| line == "close 4"), "{:?}", rig.out);
}

/// A server that doesn't answer the plain question either is down: no way is blamed for it.
#[test]
fn no_way_is_blamed_for_a_server_that_is_down() {
    let mut rig = Rig::with_ladder(&Transport::LADDER, &["flights"]);
    rig.start();
    for _ in 0..300 {
        rig.pass(Duration::from_secs(1));
        if rig.out.last().is_some_and(|line| line.ends_with("health")) {
            rig.fetched(502, "");
            rig.out.push("answered".into());
        }
    }
    assert!(
        rig.out.iter().filter(|line| line.starts_with("open")).all(|line| line.ends_with("/v1/ws")),
        "{:?}",
        rig.out
    );
    assert_eq!((rig.cause().as_str(), rig.status().detour), ("no connection within 5 s", None));
}

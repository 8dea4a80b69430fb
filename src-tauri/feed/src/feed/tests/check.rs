//! Comparisons with the server's state.

use super::*;
use crate::limits::{HELD_EVENTS_MAX, SNAPSHOTS_UNUSABLE_MAX};

const PERIOD: Duration = Duration::from_secs(60);

impl Rig {
    /// Live at `e:2` by WebSocket, compared about once a minute.
    fn checked() -> Self {
        let mut rig = Self::opened(Transport::WebSocket);
        rig.feed.config.reconcile = Some(PERIOD);
        rig.lines(&[&subscribed("flights", "e:2", None), &beat("e:2")]);
        rig.snapshot("e:2");
        assert_eq!(rig.phase(), Phase::Live);
        rig.out.clear();
        rig
    }

    /// A healthy link, until a comparison is asked for. Says how many seconds that took.
    fn until_asked(&mut self, head: &str) -> u64 {
        let mut seconds = 0;
        while !self.out.iter().any(|line| line.starts_with("fetch")) {
            self.pass_well(1, head);
            seconds += 1;
            assert!(seconds < 3600, "never asked");
        }
        self.out.retain(|line| !line.starts_with("fetch"));
        seconds
    }
}

/// Compared at the period, give or take a fifth of it; walls that began together don't ask together.
#[test]
fn the_period_has_jitter() {
    let first = |seed| {
        let mut rig = Rig::checked();
        rig.feed.random = crate::random::Random::new(seed);
        let now = rig.now;
        rig.feed.plan_check(now);
        rig.feed.checks.due().expect("planned").since(now)
    };
    let waits: Vec<Duration> = (0..1000).map(first).collect();
    assert!(waits.iter().all(|wait| *wait >= PERIOD * 4 / 5 && *wait <= PERIOD * 6 / 5), "{waits:?}");
    let early = waits.iter().filter(|wait| **wait < PERIOD * 9 / 10).count();
    assert!((200..300).contains(&early), "{early} of 1000 in the first quarter");
}

/// H1, H2, H3: while the snapshot is outstanding everything goes on as ever, and the comparison is of exactly what was
/// delivered: the snapshot's place, and the events beyond it.
#[test]
fn a_comparison_holds_nothing_back() {
    let mut rig = Rig::checked();
    let seconds = rig.until_asked("e:2");
    assert!((48..=73).contains(&seconds), "{seconds}");
    rig.lines(&[&event(3), &event(4)]);
    rig.expect(&["events e:3 e:4"]);
    rig.lines(&[&event(5)]);
    rig.expect(&["events e:5"]);
    assert_eq!((rig.phase(), rig.status().link_proof), (Phase::Live, Some(rig.now)));
    rig.snapshot("e:4");
    rig.expect(&["check e:4 e:5"]);
    let counts = rig.status().counts;
    assert_eq!((counts.checks, counts.checks_failed, counts.gaps(), counts.events), (1, 0, 0, 3));
    let again = rig.until_asked("e:5");
    assert!((48..=73).contains(&again), "{again}");
}

/// H3: a snapshot that is ahead of the stream waits until the stream has come to it, but not for ever.
#[test]
fn the_stream_comes_to_the_snapshot() {
    let mut rig = Rig::checked();
    rig.until_asked("e:2");
    rig.snapshot("e:4");
    rig.expect(&[]);
    rig.lines(&[&event(3)]);
    rig.expect(&["events e:3"]);
    rig.lines(&[&event(4), &event(5)]);
    rig.expect(&["events e:4 e:5", "check e:4 e:5"]);
    rig.until_asked("e:5");
    rig.snapshot("e:9");
    rig.pass_well(6, "e:5");
    rig.expect(&[]);
    assert_eq!(rig.status().unchecked.as_deref(), Some("the stream did not come to the snapshot's place"));
    assert_eq!(rig.phase(), Phase::Live);
}

/// H1: a snapshot that never comes costs nothing but the comparison; the next one comes later each time.
#[test]
fn a_fetch_that_hangs_costs_nothing() {
    let mut rig = Rig::checked();
    let mut waits = Vec::new();
    for round in 0..6 {
        waits.push(rig.until_asked("e:2"));
        for _ in 0..12 {
            rig.pass_well(1, "e:2");
            assert_eq!((rig.phase(), rig.out.len()), (Phase::Live, 0));
        }
        assert_eq!(rig.status().unchecked.as_deref(), Some("no snapshot within 10 s"));
        assert_eq!(rig.status().counts.checks_failed, round + 1);
    }
    for (round, wait) in waits.iter().enumerate() {
        let period = 60 << round.min(3);
        assert!((period * 4 / 5 - 1..=period * 6 / 5 + 1).contains(wait), "{waits:?}");
    }
    rig.until_asked("e:2");
    rig.snapshot("e:2");
    rig.expect(&["check e:2"]);
    assert_eq!(rig.status().unchecked, None);
    assert!(rig.until_asked("e:2") <= 73, "one that succeeds begins the period again");
}

/// A snapshot older than what was delivered says nothing.
#[test]
fn an_old_snapshot_is_no_basis() {
    let mut rig = Rig::checked();
    rig.until_asked("e:2");
    rig.lines(&[&event(3)]);
    rig.snapshot("e:1");
    rig.expect(&["events e:3"]);
    assert_eq!(rig.status().unchecked.as_deref(), Some("the snapshot is at e:1, older than e:2, which was seen"));
    assert_eq!(rig.phase(), Phase::Live);
}

/// Another history, again and again, while the stream goes on in the old one: two servers stand behind one address, and the
/// link is begun again, as if a snapshot of the catching up could not be used.
#[test]
fn another_history_is_asked_for_again_and_then_believed() {
    let mut rig = Rig::checked();
    for round in 1..=SNAPSHOTS_UNUSABLE_MAX {
        let seconds = rig.until_asked("e:2");
        assert!(round == 1 || seconds <= 11, "soon again: {seconds}");
        assert_eq!(rig.phase(), Phase::Live);
        rig.snapshot("f:2");
    }
    assert_eq!(
        (rig.phase(), rig.cause().as_str()),
        (Phase::Waiting, "the snapshot is of history `f`, the stream of `e`")
    );
    rig.expect(&["close 1"]);
}

/// A lost link ends the comparison; what was delivered stays delivered, and what comes of the fetch is nobody's.
#[test]
fn a_lost_link_ends_it() {
    let mut rig = Rig::checked();
    rig.until_asked("e:2");
    rig.lines(&[&event(3)]);
    rig.close(None);
    rig.snapshot("e:3");
    rig.expect(&["events e:3"]);
    assert_eq!((rig.status().counts.checks, rig.status().counts.checks_failed), (0, 0));
    rig.pass(Duration::from_secs(1));
    rig.open();
    rig.lines(&[&subscribed("flights", "e:3", Some("e:3")), &beat("e:3")]);
    assert_eq!(rig.phase(), Phase::Live);
    assert!(rig.until_asked("e:3") <= 61, "what was due is spread over a period");
    rig.feed.stop(rig.now);
    rig.drain();
    assert_eq!(rig.feed.poll_timeout(), None);
}

/// H3: what the stream leaves out for good ends a comparison that had begun before; it begins again after the gap.
#[test]
fn a_hole_takes_its_own_turn() {
    let mut rig = Rig::checked();
    rig.until_asked("e:2");
    rig.lines(&[&event(5)]);
    assert_eq!(rig.phase(), Phase::Subscribing);
    rig.snapshot("e:2");
    assert!(!rig.out.iter().any(|line| line.starts_with("check")), "{:?}", rig.out);
}

/// A server without snapshots isn't asked again and again, until the next link.
#[test]
fn without_snapshots_nothing_is_compared() {
    for (status, body) in
        [(404, ""), (410, ""), (200, r#"{"positions":{"flights":"e:2"},"clock":CLOCK,"aggregates":{}}"#)]
    {
        let mut rig = Rig::checked();
        rig.until_asked("e:2");
        rig.fetched(status, &body.replace("CLOCK", CLOCK));
        rig.pass_well(1000, "e:2");
        rig.expect(&[]);
        let now = rig.now;
        assert!(!rig.feed.reconcile(now) && rig.phase() == Phase::Live);
    }
}

/// The server's `Retry-After` is obeyed; a snapshot that is refused costs the comparison, not the stream.
#[test]
fn the_servers_word_is_obeyed() {
    let mut rig = Rig::checked();
    rig.until_asked("e:2");
    let response = Response { retry_after: Some(Duration::from_secs(600)), ..Response::new(503, "") };
    rig.input(Input::Fetched { fetch: FetchId(rig.fetch), outcome: Ok(response) });
    assert!(rig.until_asked("e:2") >= 600);
    rig.fetched(403, "");
    assert_eq!(rig.phase(), Phase::Live);
    assert!(rig.status().unchecked.expect("a reason").starts_with("no snapshot: "));
}

/// H5: a flood while a snapshot is outstanding is delivered, and what is kept of it for the comparison has a bound.
#[test]
fn a_flood_is_not_kept() {
    let mut rig = Rig::checked();
    rig.until_asked("e:2");
    for offset in 3..HELD_EVENTS_MAX as u64 + 5 {
        rig.lines(&[&event(offset)]);
    }
    assert_eq!(rig.status().counts.events, HELD_EVENTS_MAX as u64 + 2);
    rig.out.clear();
    rig.snapshot("e:3");
    rig.expect(&[]);
    let why = rig.status().unchecked.expect("a reason");
    assert!(why.contains("more was delivered meanwhile"), "{why}");
}

/// On demand it begins at once, also where no period is set, and only one at a time.
#[test]
fn on_demand() {
    let mut rig = Rig::live();
    rig.pass_well(600, "e:2");
    rig.expect(&[]);
    let now = rig.now;
    assert!(rig.feed.reconcile(now));
    assert!(!rig.feed.reconcile(now), "one is under way");
    rig.drain();
    rig.snapshot("e:2");
    rig.expect(&["fetch https://hub.example/base/v1/snapshot?channels=flights", "check e:2"]);
    rig.close(None);
    let now = rig.now;
    assert!(!rig.feed.reconcile(now), "not live");
}

/// By every way to travel.
#[test]
fn on_every_rung() {
    for transport in Transport::LADDER {
        let mut rig = match transport {
            Transport::WebSocket | Transport::Sse => {
                let mut rig = Rig::opened(transport);
                rig.lines(&[&subscribed("flights", "e:2", None), &beat("e:2")]);
                rig.snapshot("e:2");
                rig
            }
            _ => Rig::polled(transport),
        };
        rig.out.clear();
        let now = rig.now;
        assert!(rig.feed.reconcile(now));
        rig.drain();
        rig.out.clear();
        // The snapshot is ahead of what was polled.
        rig.snapshot("e:3");
        rig.expect(&[]);
        match transport {
            Transport::WebSocket | Transport::Sse => rig.lines(&[&event(3), &event(4)]),
            _ => rig.answer(&[&event(3), &event(4)], "e:4"),
        }
        rig.expect(&["events e:3 e:4", "check e:3 e:4"]);
        assert_eq!(rig.phase(), Phase::Live, "{transport:?}");
    }
}

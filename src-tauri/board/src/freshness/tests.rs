//! H1 and H2 for every status there can be, and the words.

use proptest::prelude::*;
use watchfloor_model::{Cause, PathStatus};

use super::*;

const LIMIT: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_secs(45);

fn instant() -> impl Strategy<Value = Mono> {
    prop_oneof![0..200_000_u64, Just(u64::MAX / 1000)].prop_map(Mono::from_millis)
}

fn status() -> impl Strategy<Value = SourceStatus> {
    let proofs = (prop::option::of(instant()), prop::option::of(instant()), prop::option::of(instant()));
    let transport = prop::option::of(prop::sample::select(vec![Transport::WebSocket, Transport::Sse, Transport::Poll]));
    (prop::sample::select(Phase::ALL.to_vec()), proofs, transport, any::<bool>()).prop_map(
        |(phase, (link_proof, publisher_proof, retry_at), transport, has_cause)| SourceStatus {
            phase,
            link_proof,
            publisher_proof,
            retry_at,
            transport,
            cause: has_cause.then(|| Cause::from("connection refused")),
            ..SourceStatus::default()
        },
    )
}

proptest! {
        #![proptest_config(crate::testing::cases(256))]

    /// H1: nothing is current beyond its limit, whatever the status says, and it says for how long it still is.
    #[test]
    fn never_live_beyond_the_limit(
        status in status(),
        now in instant(),
        later_ms in 0..100_000_u64,
        limit_ms in 0..20_000_u64,
        quiet_ms in prop::option::of(0..60_000_u64),
        value in any::<bool>(),
    ) {
        let promise = Promise { limit: Duration::from_millis(limit_ms), quiet: quiet_ms.map(Duration::from_millis) };
        let held = Held { value, age: None };
        let verdict = judge(&status, promise, held, now);
        if verdict.freshness.is_current() {
            let link = now.since(status.link_proof.expect("a link that proved itself"));
            prop_assert!(value && status.phase == Phase::Live && link <= promise.limit);
            prop_assert!(verdict.live_for <= promise.limit - link);
            if let Some(quiet) = promise.quiet {
                let publisher = now.since(status.publisher_proof.expect("a publisher that proved itself"));
                prop_assert!(publisher <= quiet && verdict.live_for <= quiet - publisher);
            }
        } else {
            prop_assert_eq!(verdict.live_for, Duration::ZERO);
        }
        // It expires when it said it would, and not before (H1, H2).
        let later = Duration::from_millis(later_ms);
        let then = judge(&status, promise, held, now.plus(later));
        if verdict.freshness.is_current() && now.plus(later).since(now) == later {
            let proofs_passed = status.link_proof <= Some(now) && (promise.quiet.is_none() || status.publisher_proof <= Some(now));
            if proofs_passed {
                prop_assert_eq!(then.freshness.is_current(), later <= verdict.live_for);
            } else if later > verdict.live_for.max(promise.limit).max(promise.quiet.unwrap_or_default()) + Duration::from_secs(200) {
                prop_assert!(!then.freshness.is_current());
            }
        }
    }

    /// Whatever isn't current has a reason, and what is has none.
    #[test]
    fn every_other_state_has_a_reason(status in status(), now in instant(), value in any::<bool>()) {
        let verdict = judge(&status, Promise { limit: LIMIT, quiet: Some(QUIET) }, Held { value, age: None }, now);
        prop_assert_eq!(verdict.reason().is_none(), verdict.freshness.is_current());
        prop_assert!(!verdict.reason().is_some_and(|reason| reason.is_empty() || reason.ends_with('.')));
    }

    /// H2: a feed that answers its probes and hears its publisher in time is live at every instant.
    #[test]
    fn a_healthy_feed_is_never_stale(
        probes in prop::collection::vec(1..=5_000_u64, 1..50),
        publisher_ms in prop::collection::vec(1..=45_000_u64, 1..50),
    ) {
        let at = |steps: &[u64], now: u64| {
            let mut sum = 0;
            let past = steps.iter().cycle().map(|step| { sum += step; sum }).take_while(|at| *at <= now).last();
            Mono::from_millis(past.unwrap_or(0))
        };
        for now in (0..200_000).step_by(777) {
            let status = SourceStatus {
                phase: Phase::Live,
                link_proof: Some(at(&probes, now)),
                publisher_proof: Some(at(&publisher_ms, now)),
                ..SourceStatus::default()
            };
            let promise = Promise { limit: LIMIT, quiet: Some(QUIET) };
            let verdict = judge(&status, promise, Held { value: true, age: None }, Mono::from_millis(now));
            prop_assert_eq!(verdict.freshness, Freshness::Live);
        }
    }
}

fn at(seconds: u64) -> Mono {
    Mono::from_millis(seconds * 1000)
}

fn live() -> SourceStatus {
    SourceStatus {
        phase: Phase::Live,
        transport: Some(Transport::WebSocket),
        link_proof: Some(at(100)),
        publisher_proof: Some(at(60)),
        ..SourceStatus::default()
    }
}

#[test]
fn reasons_are_for_people() {
    let check = |status: &SourceStatus, value: bool, now: u64, freshness: Freshness, reason: Option<&str>| {
        let held = Held { value, age: Some(Duration::from_secs(70)) };
        let verdict = judge(status, Promise { limit: LIMIT, quiet: Some(QUIET) }, held, at(now));
        assert_eq!((verdict.freshness, verdict.reason().as_deref()), (freshness, reason));
    };
    use Freshness as F;
    check(&live(), true, 101, F::Live, None);
    check(&live(), false, 101, F::Unknown, Some("no event yet"));
    check(&live(), true, 106, F::Stale, Some("nothing heard from the server for 6 s"));
    let quiet = SourceStatus { link_proof: Some(at(110)), ..live() };
    let silent = "publisher silent for 50 s, it promises to speak every 45 s";
    check(&quiet, true, 110, F::Stale, Some(silent));
    let waiting = SourceStatus {
        phase: Phase::Waiting,
        cause: Some("connection refused".into()),
        retry_at: Some(at(103)),
        ..live()
    };
    check(&waiting, true, 100, F::Down, Some("connection refused, next try in 3 s"));
    check(&waiting, true, 104, F::Down, Some("connection refused, trying again"));
    check(&waiting, false, 100, F::Unknown, Some("connection refused, next try in 3 s"));
    let catching_up = SourceStatus { phase: Phase::CatchingUp, ..live() };
    check(&catching_up, true, 101, F::CatchingUp, Some("catching up with what was missed"));
    check(&catching_up, true, 110, F::Stale, Some("nothing heard from the server for 10 s"));
    let stuck = SourceStatus { cause: Some("no snapshot: HTTP 500".into()), ..catching_up };
    check(&stuck, true, 101, F::CatchingUp, Some("no snapshot: HTTP 500"));
    check(&stuck, true, 110, F::Stale, Some("no snapshot: HTTP 500"));
    let stuck = SourceStatus { retry_at: Some(at(103)), ..stuck };
    check(&stuck, true, 101, F::CatchingUp, Some("no snapshot: HTTP 500, next try in 2 s"));
    check(&stuck, false, 101, F::Unknown, Some("no snapshot: HTTP 500, next try in 2 s"));
    let refused = SourceStatus { phase: Phase::Refused, cause: Some("token expired".into()), ..live() };
    check(&refused, true, 101, F::Refused, Some("token expired"));
    check(&refused, false, 101, F::Refused, Some("token expired"));
    check(&SourceStatus::default(), true, 1, F::Down, Some("not connected yet"));
}

#[test]
fn the_older_proof_is_the_age() {
    let held = Held { value: true, age: Some(Duration::from_secs(999)) };
    let verdict = judge(&live(), Promise { limit: LIMIT, quiet: Some(QUIET) }, held, at(101));
    assert_eq!((verdict.age, verdict.live_for), (Some(Duration::from_secs(41)), Duration::from_secs(4)));
    // What nobody promised isn't demanded.
    let verdict = judge(&live(), Promise { limit: LIMIT, quiet: None }, held, at(101));
    assert_eq!(verdict.age, Some(Duration::from_secs(1)));
    // A value from before is as old as it is, however fresh the new link.
    let catching_up = SourceStatus { phase: Phase::CatchingUp, ..live() };
    let verdict = judge(&catching_up, Promise { limit: LIMIT, quiet: None }, held, at(100));
    assert_eq!(verdict.age, Some(Duration::from_secs(999)));
}

#[test]
fn sources_are_put_in_words() {
    let check = |status: &SourceStatus, age: Option<u64>, expected: &str| {
        let promise = Promise { limit: LIMIT, quiet: None };
        assert_eq!(source_words(status, promise, age.map(Duration::from_secs), at(102)), expected);
    };
    check(&live(), Some(2), "live by WebSocket");
    let waiting = SourceStatus {
        phase: Phase::Waiting,
        cause: Some("connection refused".into()),
        retry_at: Some(at(105)),
        link_proof: Some(at(90)),
        ..live()
    };
    check(&waiting, Some(12), "lost 12 s ago: connection refused, next try in 3 s");
    // The publisher was silent for longer than the link.
    check(&waiting, Some(25), "lost 12 s ago: connection refused, next try in 3 s");
    check(&waiting, None, "connection refused, next try in 3 s");
    let old_token = SourceStatus { renewal: Some("the server doesn't take it".into()), ..live() };
    check(&old_token, Some(2), "live by WebSocket; no newer token: the server doesn't take it");
    check(&SourceStatus { phase: Phase::CatchingUp, ..live() }, Some(12), "catching up by WebSocket");
    let stuck = SourceStatus { phase: Phase::CatchingUp, cause: Some("the stream is slow".into()), ..live() };
    let stuck = SourceStatus { link_proof: Some(at(101)), ..stuck };
    check(&stuck, Some(12), "catching up by WebSocket: the stream is slow");
    let polled = SourceStatus { transport: Some(Transport::Poll), every: Some(Duration::from_secs(2)), ..live() };
    check(&polled, None, "polling every 2 s");
    let detour = Some("WebSocket: no answer to the upgrade".into());
    let stream = SourceStatus { transport: Some(Transport::Sse), detour, ..live() };
    check(&stream, None, "live by server-sent events; WebSocket: no answer to the upgrade");
    let path = |place: &str, phase, cause: Option<&str>| PathStatus {
        place: place.into(),
        phase,
        transport: Some(Transport::WebSocket),
        cause: cause.map(Into::into),
        retry_at: None,
    };
    let paths = vec![path("hub-a", Phase::Live, None), path("hub-b:80", Phase::Waiting, Some("connection refused"))];
    let one_lost = SourceStatus { paths, ..live() };
    check(&one_lost, None, "live by WebSocket; 1 of 2 paths lost, hub-b:80: connection refused");
    check(&SourceStatus { phase: Phase::Connecting, ..live() }, None, "connecting");
    check(&SourceStatus { phase: Phase::Refused, ..live() }, None, "refused: the server refuses access");
    check(&SourceStatus::default(), None, "not connected yet");
    check(&SourceStatus { link_proof: Some(at(90)), ..live() }, None, "nothing heard from the server for 12 s");
}

#[test]
fn spans_have_two_units_at_most() {
    let check = |millis: u64, expected: &str| assert_eq!(span_words(Duration::from_millis(millis)), expected);
    check(0, "0 s");
    check(500, "500 ms");
    check(59_999, "59 s");
    check(125_000, "2 min 5 s");
    check(3 * 3_600_000, "3 h");
    check(52 * 3_600_000, "2 d 4 h");
}

//! The fixed seeds once more, by what other servers speak: the same plans, faults and invariants, a model server a dialect.
//!
//! `WATCHFLOOR_SEEDS` is the number of seeds a test; `scripts/simulate.sh --dialect NAME --hours N` runs others.

use watchfloor_simulation::{dialects::Name, met::Met, plan::Plan, prove, prove_healthy};

/// Hours with faults a dialect, and as many dense schedules.
const HOURS: u64 = 24;
/// Hours in which nothing goes wrong.
const HEALTHY: u64 = 4;

fn count(usual: u64) -> u64 {
    std::env::var("WATCHFLOOR_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Runs a dialect's share. What must have been met is what its line in `docs/sources.md` promises.
fn hold(name: Name, must: &[&str]) {
    let told = |story: String| -> Met { unreachable!("{}: {story}", name.word()) };
    let mut met = Met::default();
    for seed in 0..count(HOURS) {
        met.add(&prove(&name.plan(Plan::hour(seed))).unwrap_or_else(told));
        met.add(&prove(&name.plan(Plan::dense(seed))).unwrap_or_else(told));
    }
    for seed in 0..count(HEALTHY) {
        met.add(&prove_healthy(&name.plan(Plan::healthy(seed, 3_600_000))).unwrap_or_else(told));
    }
    for what in ["live", "compared", "ended well", "gaps unknown"].iter().chain(must) {
        let count = met.counts.get(*what).copied().unwrap_or(0);
        assert!(count > 0, "{}: {what}: {count}", name.word());
    }
}

macro_rules! dialects {
    ($($test:ident: $name:ident, $must:expr;)*) => {$(
        #[test]
        fn $test() {
            hold(Name::$name, &$must);
        }
    )*};
}

dialects! {
    ably: Ably, ["followed on"];
    centrifugo: Centrifugo, [
        "live by websocket", "followed on by websocket", "gaps proven by websocket",
        "live by http-stream", "followed on by http-stream", "gaps proven by http-stream",
        "live by sse", "followed on by sse", "gaps proven by sse",
        "a better way took over"
    ];
    jetstream: JetStream, ["followed on"];
    long_poll: LongPoll, ["followed on"];
    mercure: Mercure, ["followed on"];
    mqtt: Mqtt, [];
    nats: Nats, [];
    poll: Poll, ["followed on"];
    pub_sub: PubSub, [];
    pusher: Pusher, [];
    redis: Redis, ["followed on"];
    socketio: SocketIo, [
        "live by websocket", "followed on by websocket",
        "live by long-poll", "followed on by long-poll",
        "a better way took over"
    ];
    sse: Sse, ["followed on"];
    websocket: WebSocket, ["followed on"];
}

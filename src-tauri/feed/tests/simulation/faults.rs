//! What can happen, drawn from a seed.

use watchfloor_model::{Mono, Transport};

use crate::draw::Draw;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Every link breaks, and new ones are refused.
    Cut,
    /// The link passes nothing any more and nobody is told; new ones get no answer.
    HalfOpen,
    /// Pings are answered, the stream stands still.
    Stall,
    /// The server sends one event a channel a second, and says how many it has beyond.
    Throttle,
    /// Everything takes this many milliseconds more.
    Slow(u64),
    /// New links are answered with this status.
    Status(u16),
    /// Snapshots fail in this way.
    Snapshot(NoSnapshot),
    /// Snapshots come from the past.
    StaleSnapshot,
    /// History forgets all but this many events.
    Trim(u64),
    /// A new epoch on running links, perhaps without aggregates.
    Epoch { empty: bool },
    /// A goodbye with 1001, and back at once, perhaps with a new epoch.
    Restart { epoch: bool },
    /// Lines of the stream come broken.
    Corrupt,
    /// Lines of the stream are left out.
    Skip,
    /// Lines of the stream come twice.
    Twice,
    /// Events that can't be read are published.
    BadEvents,
    /// Many events at once.
    Burst(u64),
    /// The machine sleeps for an hour.
    Suspend,
    /// The program stands still for this many milliseconds.
    Pause(u64),
    /// The program is killed and started again.
    Crash,
    /// What lies between swallows what asks for a link of this kind: for a WebSocket, its upgrade.
    Swallowed(Transport),
    /// A proxy holds streams of events back until this ends.
    HeldStream,
    /// Something answers in the server's place with a page: upgrades only, or whatever is asked.
    Login { upgrades: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSnapshot {
    Status(u16),
    Timeout,
    Silence,
    Broken,
    Page,
}

#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) fault: Fault,
    pub(crate) from: Mono,
    pub(crate) to: Mono,
}

/// Up to eight faults within `span_ms`.
pub(crate) fn draw(draw: &mut Draw, span_ms: u64) -> Vec<Window> {
    let count = 1 + draw.below(8);
    (0..count)
        .map(|_| {
            let from = draw.below(span_ms);
            let long = if draw.chance(30) { 15_000 } else { 3_000 };
            let to = from + 1 + draw.below(long);
            Window { fault: one(draw), from: Mono::from_millis(from), to: Mono::from_millis(to) }
        })
        .collect()
}

/// Up to four faults of what lies between, beside the others.
pub(crate) fn between(draw: &mut Draw, span_ms: u64) -> Vec<Window> {
    if draw.chance(20) {
        let to = Mono::from_millis(100_000 + draw.below(100_000));
        let faults = [Fault::Swallowed(Transport::WebSocket), Fault::HeldStream, Fault::Swallowed(Transport::LongPoll)];
        return faults.map(|fault| Window { fault, from: Mono::ZERO, to }).to_vec();
    }
    let count = 1 + draw.below(4);
    (0..count)
        .map(|_| {
            let from = if draw.chance(50) { 0 } else { draw.below(span_ms) };
            let long = if draw.chance(50) { 90_000 } else { 15_000 };
            let to = from + 1 + draw.below(long);
            let fault = match draw.below(6) {
                0 | 1 => Fault::Swallowed(Transport::WebSocket),
                2 => Fault::Swallowed(*draw.pick(&[Transport::Sse, Transport::LongPoll, Transport::Poll])),
                3 => Fault::HeldStream,
                _ => Fault::Login { upgrades: draw.chance(60) },
            };
            Window { fault, from: Mono::from_millis(from), to: Mono::from_millis(to) }
        })
        .collect()
}

fn one(draw: &mut Draw) -> Fault {
    match draw.below(21) {
        0 | 1 => Fault::Cut,
        2 => Fault::HalfOpen,
        3 => Fault::Stall,
        4 => Fault::Slow(*draw.pick(&[200, 2_000, 8_000])),
        5 => Fault::Status(*draw.pick(&[200, 302, 403, 404, 500, 503])),
        6 | 7 => Fault::Snapshot(*draw.pick(&[
            NoSnapshot::Status(500),
            NoSnapshot::Status(503),
            NoSnapshot::Timeout,
            NoSnapshot::Silence,
            NoSnapshot::Broken,
        ])),
        8 => Fault::StaleSnapshot,
        9 => Fault::Trim(draw.below(3)),
        10 => Fault::Epoch { empty: draw.chance(50) },
        11 => Fault::Restart { epoch: draw.chance(50) },
        12 => Fault::Corrupt,
        13 => Fault::Skip,
        14 => Fault::Twice,
        15 => Fault::BadEvents,
        16 => Fault::Burst(draw.below(200)),
        17 => Fault::Suspend,
        18 => Fault::Pause(*draw.pick(&[2_000, 7_000, 12_000])),
        19 => Fault::Throttle,
        _ => Fault::Crash,
    }
}

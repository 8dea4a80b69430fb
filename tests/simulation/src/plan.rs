//! What a run is made of, drawn from a seed and small enough to be read.

use serde::{Deserialize, Serialize};
use watchfloor_model::Transport;

use crate::{
    dialects::Name,
    draw::Draw,
    fault::{self, Fault, Window},
    keys::{Tokens, Told},
};

/// A simulated hour, in milliseconds.
pub const HOUR_MS: u64 = 3_600_000;
/// After the last fault everything must be well within this: the longest backoff, a refusal asked again, a trial.
pub const RECOVERY_MS: u64 = 240_000;

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Decides every latency, every jitter and what is published.
    pub seed: u64,
    /// What its server speaks, if it isn't a hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Name>,
    /// How long it lasts.
    pub span: u64,
    /// The ways to travel, best first.
    pub ladder: Vec<Transport>,
    /// How many channels there are.
    pub channels: usize,
    /// The strictest freshness limit.
    pub limit: u64,
    /// The server's heartbeat.
    pub heartbeat: u64,
    /// The longest silence of a healthy publisher, if one is promised.
    pub quiet: Option<u64>,
    /// The mean time between two events of a channel.
    pub gap: u64,
    /// Events that a channel's history holds.
    pub history: u64,
    /// Whether the server offers snapshots.
    pub snapshots: bool,
    /// How often what was delivered is compared with the server.
    pub reconcile: Option<u64>,
    /// The usual and the rare latency, one way.
    pub latency: (u64, u64),
    /// How the source comes by its tokens, if it asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// By how many addresses the stream is followed.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub lines: usize,
    /// What goes wrong.
    pub windows: Vec<Window>,
}

const fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
const fn is_one(lines: &usize) -> bool {
    *lines == 1
}

impl Plan {
    /// An hour with up to ten faults.
    #[must_use]
    pub fn hour(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut plan = Self::bare(&mut draw, seed);
        let count = 2 + draw.below(8);
        for _ in 0..count {
            let from = draw.below(HOUR_MS - RECOVERY_MS - 300_000);
            plan.windows.push(window(&mut draw, from, plan.limit));
        }
        // Faults that meet are where defects hide.
        if draw.chance(60) {
            let near = plan.windows[0].clone();
            for _ in 0..1 + draw.below(3) {
                let from = draw.between(near.from.saturating_sub(2000), near.to + 2000);
                plan.windows.push(window(&mut draw, from, plan.limit));
            }
        }
        plan.ask_tokens(HOUR_MS - RECOVERY_MS - 300_000);
        plan.draw_lines();
        plan.windows.sort_by_key(|window| (window.from, window.to));
        plan
    }

    /// A few minutes in which faults lie close together, under the default limit.
    #[must_use]
    pub fn dense(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0xDE45_E000);
        let mut plan = Self::bare(&mut draw, seed);
        (plan.limit, plan.heartbeat, plan.gap) = (5_000, 1_000, *draw.pick(&[200, 500, 2_000]));
        plan.quiet = plan.quiet.map(|_| 15_000);
        plan.history = plan.history.max(200);
        for _ in 0..1 + draw.below(8) {
            let from = draw.below(25_000);
            let long = if draw.chance(30) { 15_000 } else { 3_000 };
            let window = Window { fault: fault::draw(&mut draw), from, to: from + 1 + draw.below(long), line: None };
            plan.windows.push(window);
        }
        plan.ask_tokens(25_000);
        plan.draw_lines();
        plan.windows.sort_by_key(|window| (window.from, window.to));
        plan.span = 40_000 + RECOVERY_MS;
        plan
    }

    /// Nothing goes wrong, for as long as this.
    #[must_use]
    pub fn healthy(seed: u64, span: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x0EA1_7000);
        let mut plan = Self::bare(&mut draw, seed);
        plan.span = span;
        // A slow network, but one that a wall with this limit can live with.
        let most = plan.limit.min(30_000) / 8;
        plan.latency = *draw.pick(&[(20, 200), (most / 4, most), (most / 2, most)]);
        plan.ask_tokens(0);
        plan.draw_lines();
        plan
    }

    fn bare(draw: &mut Draw, seed: u64) -> Self {
        let limit = *draw.pick(&[5_000, 10_000, 10_000, 20_000, 30_000, 30_000, 60_000, 60_000, 120_000, 300_000]);
        let ladder = match draw.below(6) {
            0 => vec![Transport::WebSocket],
            1 => vec![Transport::Sse],
            2 => vec![Transport::LongPoll],
            3 => vec![Transport::Poll],
            _ => Transport::LADDER.to_vec(),
        };
        let gap = *draw.pick(&[5_000, 20_000, 60_000, 300_000]);
        // A history that is shorter than what comes between two polls is no healthy one.
        let history = if gap < 60_000 { *draw.pick(&[50, 200, 10_000]) } else { *draw.pick(&[5, 50, 10_000]) };
        Self {
            seed,
            dialect: None,
            span: HOUR_MS,
            ladder,
            channels: usize::try_from(draw.between(1, 3)).unwrap_or(1),
            limit,
            heartbeat: (limit / 5).clamp(1_000, 15_000),
            // News of a publisher is as old as the time between two heartbeats: it promises to speak less often.
            quiet: draw.chance(50).then(|| *draw.pick(&[30_000, 60_000, 120_000])).map(|quiet| match limit {
                ..=30_000 => quiet,
                _ => quiet.max(60_000),
            }),
            gap,
            history,
            snapshots: !draw.chance(10),
            reconcile: [None, None, Some(300_000), Some(900_000)][usize::try_from(seed % 4).unwrap_or(0)],
            latency: (20, 200),
            tokens: None,
            lines: 1,
            windows: Vec::new(),
        }
    }

    /// In one plan of four the source asks for its tokens, and what gives and takes them has faults up to `until`. Drawn apart
    /// from all else, so that a seed means the same with and without.
    fn ask_tokens(&mut self, until: u64) {
        let mut draw = Draw::new(self.seed ^ 0x7045_4E00);
        if !draw.chance(25) {
            return;
        }
        self.tokens = Some(Tokens {
            life: [Some(120_000), Some(300_000), Some(1_800_000), None][usize::try_from(draw.below(4)).unwrap_or(0)],
            delay: *draw.pick(&[50, 500, 2_000]),
            flaky: if until > 0 && draw.chance(30) { 10 } else { 0 },
            told: *draw.pick(&[Told::Span, Told::Span, Told::Claim, Told::Nowhere]),
            presents: draw.chance(70),
        });
        if until == 0 {
            // What is healthy knows when its tokens end.
            self.tokens
                .iter_mut()
                .filter(|tokens| tokens.told == Told::Nowhere)
                .for_each(|tokens| tokens.told = Told::Span);
        }
        let count = if until > 0 { 1 + draw.below(4) } else { 0 };
        for _ in 0..count {
            let near = (!self.windows.is_empty() && draw.chance(50)).then(|| draw.pick(&self.windows).clone());
            let from = match near {
                Some(near) => draw.between(near.from.saturating_sub(2000), near.to + 2000).min(until),
                None => draw.below(until),
            };
            let mut window = window(&mut draw, from, self.limit);
            window.fault = fault::draw_of_tokens(&mut draw);
            if until < 60_000 {
                window.to = window.from + 1 + draw.below(15_000);
            }
            self.windows.push(window);
        }
    }

    /// In one plan of eight the stream is had by two addresses, each with faults of its own. In most of those one of them has
    /// none, and in half of those nothing else is wrong either.
    fn draw_lines(&mut self) {
        let mut draw = Draw::new(self.seed ^ 0x11E5_0000);
        if !draw.chance(12) {
            return;
        }
        self.lines = 2;
        let victim = draw.chance(60).then(|| usize::from(draw.chance(50)));
        for window in self.windows.iter_mut().filter(|window| window.fault.is_of_line()) {
            window.line = victim.or_else(|| [Some(0), Some(1), None][usize::try_from(draw.below(3)).unwrap_or(0)]);
        }
        if victim.is_some() && draw.chance(50) {
            self.windows.retain(|window| window.line.is_some());
        }
    }

    /// When the last fault ends.
    #[must_use]
    pub fn faults_end(&self) -> u64 {
        self.windows.iter().map(|window| window.to).max().unwrap_or(0)
    }
}

/// A window that is long enough to be noticed, mostly.
fn window(draw: &mut Draw, from: u64, limit: u64) -> Window {
    let fault = fault::draw(draw);
    let long = match draw.below(4) {
        0 => 3_000,
        1 => limit,
        2 => 60_000,
        _ => 250_000,
    };
    let long = if matches!(fault, Fault::Crash | Fault::Pause) { long.min(30_000) } else { long };
    Window { fault, from, to: from + 1 + draw.below(long), line: None }
}

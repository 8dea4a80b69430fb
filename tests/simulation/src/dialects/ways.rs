//! By which of its ways a dialect is followed.
//!
//! A dialect with a single way has that. Of others a seed takes one alone, or the whole ladder: then what lies between mostly blocks the
//! better ways for a while, so that the wall goes down the ladder and comes back up.

use watchfloor_model::Transport;

use super::Name;
use crate::{
    draw::Draw,
    fault::{Fault, Window},
    plan::{Plan, RECOVERY_MS},
};

impl Name {
    /// Every way by which it travels, best first.
    #[must_use]
    pub const fn ways(self) -> &'static [Transport] {
        self.kind().ladder()
    }

    /// Those of a plan that it has; the best one, if it has none of them.
    #[must_use]
    pub fn ways_of(self, plan: &Plan) -> Vec<Transport> {
        let ways: Vec<_> = plan.ladder.iter().copied().filter(|way| self.ways().contains(way)).collect();
        if ways.is_empty() { vec![self.ways()[0]] } else { ways }
    }

    /// Draws them, apart from all else, and what blocks the better ones.
    pub(super) fn draw_ways(self, plan: &mut Plan) {
        let ways = self.ways();
        let mut draw = Draw::new(plan.seed ^ 0x3A75_0000);
        let drawn = usize::try_from(draw.below(2 * ways.len() as u64)).unwrap_or(0);
        plan.ladder =
            if ways.len() == 1 { ways.to_vec() } else { ways.get(drawn).map_or(ways.to_vec(), |way| vec![*way]) };
        // Without any fault it is a healthy plan.
        if plan.ladder.len() == 1 || plan.windows.is_empty() || draw.chance(25) {
            return;
        }
        let blocked = usize::try_from(draw.between(1, ways.len() as u64 - 1)).unwrap_or(1);
        let until = plan.span.saturating_sub(RECOVERY_MS + 10_000);
        // A dense schedule is over soon, and a way is left after two tries.
        let from = if until < 60_000 || draw.chance(40) { 0 } else { draw.below(until / 2) };
        let to = until.min(from + draw.between(15_000, 120_000));
        plan.windows.extend(ways[..blocked].iter().map(|way| {
            let page = *way == Transport::WebSocket && draw.chance(30);
            let fault = if page { Fault::Login { upgrades: true } } else { Fault::Swallowed(*way) };
            Window { fault, from, to, line: None }
        }));
        // What stands already isn't blocked.
        plan.windows.push(Window { fault: Fault::Cut, from: from + 500, to: from + 502, line: None });
        plan.windows.sort_by_key(|window| (window.from, window.to));
    }

    /// Whether what stands between two polls is the server's own, which ends by its own clock: it hears of no other end.
    #[must_use]
    pub const fn outlives_its_polls(self) -> bool {
        matches!(self, Self::SocketIo)
    }
}

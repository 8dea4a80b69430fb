//! What must hold at every instant, and at the end.

use std::time::Duration;

use watchfloor_model::{Mono, Phase};

use super::{CLIMBING, GRACE, LIMIT, RECOVERY, World};
use crate::hub::Entry;

impl World {
    /// Whether the faults are over and everything has been well for a while.
    pub(super) fn is_done(&mut self, publish_end: Mono) -> Result<bool, String> {
        if self.now < publish_end || !self.active.is_empty() {
            self.healthy_since = None;
            return Ok(false);
        }
        let since = *self.healthy_since.get_or_insert(self.now);
        let waited = self.now.since(since);
        if self.is_climbing() && waited <= CLIMBING {
            return Ok(false);
        }
        if self.status.phase == Phase::Live && waited > Duration::from_secs(5) && self.missing_since().is_none() {
            self.check_end()?;
            return Ok(true);
        }
        if waited > if self.plan.climbs { CLIMBING + RECOVERY } else { RECOVERY } {
            return Err(format!("not well {waited:?} after the last fault: {:?}", self.status));
        }
        Ok(false)
    }

    /// Whether the best way to travel is still to be found again.
    pub(super) fn is_climbing(&self) -> bool {
        self.plan.climbs && (self.status.transport != self.plan.ladder.first().copied() || self.status.detour.is_some())
    }

    /// H3: the wall shows what the hub holds.
    pub(super) fn check_end(&self) -> Result<(), String> {
        for (name, shown) in &self.wall.channels {
            let channel = &self.hub.channels[name];
            if shown.exact && shown.chain != channel.chain {
                return Err(format!("{name}: the wall shows {:?}, the hub holds {:?}", shown.chain, channel.chain));
            }
            if !shown.exact && self.wall.unknown == 0 && self.plan.snapshots {
                return Err(format!("{name}: never had a snapshot"));
            }
        }
        if self.status.counts.gaps() > self.wall.gaps {
            return Err("gaps counted that were not announced".into());
        }
        Ok(())
    }

    /// When the oldest thing happened that the wall doesn't show, if there is one.
    pub(super) fn missing_since(&self) -> Option<Mono> {
        let epoch = self.hub.epoch();
        let missing = self.wall.channels.iter().filter_map(|(name, shown)| {
            let channel = &self.hub.channels[name];
            let shown_to = match &shown.last {
                Some(last) if *last.epoch == epoch => last.offset,
                Some(_) => return Some(self.hub.epoch_since),
                None => 0,
            };
            let mut rest = channel.log.iter().skip(shown_to as usize);
            rest.find(|(entry, _)| matches!(entry, Entry::Good(_))).map(|(_, at)| *at)
        });
        missing.min()
    }

    /// H1, and no storm of connections.
    pub(super) fn check(&mut self) -> Result<(), String> {
        if self.feed.poll_timeout().is_some_and(|(at, _)| at < self.now) {
            // The program has stood still and not looked at its timers yet.
            return Ok(());
        }
        let proof = self.status.link_proof.unwrap_or_default();
        let claims_live = self.status.phase == Phase::Live && self.now.since(proof) <= LIMIT;
        if let Some(missing) = self.missing_since().filter(|_| claims_live) {
            let age = self.now.since(missing);
            if age > LIMIT + GRACE {
                return Err(format!("live at {:?} while something {age:?} old is missing", self.now));
            }
        }
        if self.healthy_since.is_some() && self.was_live && self.now.since(proof) > LIMIT {
            return Err(format!("healthy, but the link's proof is {:?} old", self.now.since(proof)));
        }
        let recent = self.opens.iter().rev().take_while(|at| self.now.since(**at) < Duration::from_secs(10)).count();
        if recent > 30 {
            return Err(format!("{recent} connections in 10 s"));
        }
        // Where the server has more it is asked again at once; that is bounded by what it has.
        let asks = self.asks.iter().rev().take_while(|at| self.now.since(**at) < Duration::from_secs(10)).count();
        if asks > 200 {
            return Err(format!("{asks} polls in 10 s"));
        }
        Ok(())
    }
}

//! By which way events travel: the best that what lies between lets through.
//!
//! A way is taken for blocked when it fails twice in a row and the server, asked by a plain request after each failure, is
//! there. A server that is down altogether is no blocked way. From a lower rung the better ones are tried in the
//! background, one after the other, ever less often.

use std::time::Duration;

use watchfloor_model::Transport;

use crate::{
    fault::{Fault, door},
    limits::{BLOCKED_AFTER, TRIAL_FIRST, TRIAL_PERIOD_MAX, TRUSTED_AFTER},
    random::Random,
};

/// The rungs, and what is known of them.
#[derive(Debug)]
pub(crate) struct Ladder {
    rungs: Vec<Transport>,
    at: usize,
    /// Why each rung can't be had, as far as that was found.
    found: Vec<Option<String>>,
    /// Failures in a row on this rung while the server was there.
    blocked: u32,
    /// The newest failure, until the server has answered whether it is there.
    suspect: Option<String>,
    /// Trials in a row that failed.
    failed_trials: u32,
    /// The rung from which a trial climbed to this one, until it has proved itself.
    climbed_from: Option<usize>,
}

impl Ladder {
    pub(crate) fn new(rungs: &[Transport]) -> Self {
        Self {
            rungs: rungs.to_vec(),
            at: 0,
            found: vec![None; rungs.len()],
            blocked: 0,
            suspect: None,
            failed_trials: 0,
            climbed_from: None,
        }
    }

    /// The present way to travel.
    pub(crate) fn transport(&self) -> Transport {
        // Without any rung nothing is ever opened.
        self.rungs.get(self.at).copied().unwrap_or(Transport::WebSocket)
    }

    /// The present rung.
    pub(crate) const fn rung(&self) -> usize {
        self.at
    }

    /// The link on this rung was lost. `live_for`: how long it had been live, if it was. Answers whether it should be asked
    /// whether the server is there.
    pub(crate) fn lose(&mut self, fault: &Fault, live_for: Option<Duration>, settled: bool) -> bool {
        if live_for.is_some_and(|span| span >= TRUSTED_AFTER) {
            self.failed_trials = 0;
            self.climbed_from = None;
        }
        if settled {
            self.blocked = 0;
        }
        self.suspect = None;
        if self.rungs.len() < 2 {
            return false;
        }
        if !fault.may_be_the_way(live_for.is_some()) {
            self.blocked = 0;
            return false;
        }
        self.suspect = Some(fault.found_on(self.transport()));
        true
    }

    /// The server is there, though the link was lost. Answers whether it was the last straw: the next rung is taken.
    pub(crate) fn server_is_there(&mut self) -> bool {
        let Some(found) = self.suspect.take() else { return false };
        self.blocked += 1;
        // What a trial climbed to and is lost at once is left again at once.
        if self.blocked < BLOCKED_AFTER && self.climbed_from.is_none() {
            return false;
        }
        self.found[self.at] = Some(found);
        self.at = self.climbed_from.take().unwrap_or((self.at + 1) % self.rungs.len());
        self.blocked = 0;
        true
    }

    /// How long to leave the better rungs alone, if there are any.
    pub(crate) fn trial_wait(&self, random: &mut Random) -> Option<Duration> {
        let wait = TRIAL_FIRST.saturating_mul(1_u32.checked_shl(self.failed_trials.min(16)).unwrap_or(u32::MAX));
        let wait = wait.min(TRIAL_PERIOD_MAX);
        (self.at > 0).then(|| wait / 2 + random.up_to(wait / 2))
    }

    /// The better rung that is to be tried next, if there is one: each in its turn.
    pub(crate) fn trial(&self) -> Option<(usize, Transport)> {
        let rung = (self.failed_trials as usize).checked_rem(self.at)?;
        Some((rung, *self.rungs.get(rung)?))
    }

    /// A trial failed.
    pub(crate) fn fail_trial(&mut self, rung: usize, fault: &Fault) {
        self.failed_trials = self.failed_trials.saturating_add(1);
        if let (Some(found), Some(transport)) = (self.found.get_mut(rung), self.rungs.get(rung)) {
            *found = Some(fault.found_on(*transport));
        }
    }

    /// A trial took over.
    pub(crate) fn climb(&mut self, rung: usize) {
        self.climbed_from = Some(self.at);
        self.failed_trials = self.failed_trials.saturating_add(1);
        self.at = rung;
        self.blocked = 0;
        self.suspect = None;
    }

    /// What was found on the better rungs, if this isn't the best.
    pub(crate) fn detour(&self) -> Option<String> {
        let better = self.rungs.iter().zip(&self.found).take(self.at);
        let found: Vec<String> =
            better.filter_map(|(rung, found)| Some(format!("{}: {}", door(*rung), found.as_ref()?))).collect();
        (!found.is_empty()).then(|| found.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{FaultKind, LinkFault, LinkFaultKind};

    const RUNGS: [Transport; 3] = [Transport::WebSocket, Transport::Sse, Transport::Poll];

    fn timeout() -> Fault {
        Fault::network(FaultKind::OpenTimeout { after: Duration::from_secs(10) })
    }

    /// Fails and finds the server there.
    fn fail(ladder: &mut Ladder, fault: &Fault) -> bool {
        ladder.lose(fault, None, false) && ladder.server_is_there()
    }

    /// Two failures with the server there are a blocked rung; the last rung is followed by the first.
    #[test]
    fn blocked_rungs_are_left() {
        let mut ladder = Ladder::new(&RUNGS);
        assert!(!fail(&mut ladder, &timeout()) && ladder.detour().is_none());
        assert!(fail(&mut ladder, &timeout()));
        assert_eq!(ladder.transport(), Transport::Sse);
        assert_eq!(ladder.detour().as_deref(), Some("WebSocket: no answer to the upgrade"));
        let held = Fault::network(FaultKind::SubscribeTimeout { after: Duration::from_secs(5) });
        assert!(!fail(&mut ladder, &held) && fail(&mut ladder, &held));
        let words = ladder.detour().expect("words");
        assert!(words.ends_with("server-sent events: the stream is held back: a proxy that buffers?"), "{words}");
        assert!(!fail(&mut ladder, &timeout()) && fail(&mut ladder, &timeout()));
        assert_eq!((ladder.transport(), ladder.detour()), (Transport::WebSocket, None));
    }

    /// A server that is down, that says when to come back or that denies access is no blocked rung; nor is what failed
    /// once, or after a good while.
    #[test]
    fn a_server_that_is_down_is_no_blocked_rung() {
        let mut ladder = Ladder::new(&RUNGS);
        let http = |status, retry_after| LinkFaultKind::Http { status, retry_after, content_type: None };
        for kind in [
            LinkFaultKind::Refused,
            LinkFaultKind::Unreachable,
            LinkFaultKind::Dns,
            http(403, None),
            http(503, Some(Duration::from_secs(3))),
        ] {
            for _ in 0..3 {
                assert!(!fail(&mut ladder, &Fault::link(LinkFault::new(kind.clone(), ""))), "{kind:?}");
            }
        }
        for _ in 0..3 {
            assert!(ladder.lose(&timeout(), None, false), "asked, and not answered");
        }
        for _ in 0..3 {
            assert!(ladder.lose(&timeout(), Some(Duration::from_secs(11)), true) && !ladder.server_is_there());
        }
        assert_eq!(ladder.transport(), Transport::WebSocket);
        let mut fixed = Ladder::new(&[Transport::Sse]);
        assert!(!fail(&mut fixed, &timeout()) && !fail(&mut fixed, &timeout()));
        assert!(fixed.trial().is_none() && fixed.trial_wait(&mut Random::new(1)).is_none());
    }

    /// Better rungs are tried in turn, ever less often; one that a trial climbed to in vain is left at once.
    #[test]
    fn better_rungs_are_tried() {
        let mut random = Random::new(1);
        let mut ladder = Ladder::new(&RUNGS);
        for _ in 0..4 {
            fail(&mut ladder, &timeout());
        }
        assert_eq!(ladder.transport(), Transport::Poll);
        let mut tried = Vec::new();
        for (times, least_s) in [5, 10, 20, 40, 80, 160, 300, 300].into_iter().enumerate() {
            let wait = ladder.trial_wait(&mut random).expect("a wait").as_secs();
            assert!((least_s..=least_s * 2).contains(&wait), "{times}: {wait}");
            let (rung, transport) = ladder.trial().expect("a rung");
            tried.push(transport);
            ladder.fail_trial(rung, &timeout());
        }
        assert_eq!(tried[..3], [Transport::WebSocket, Transport::Sse, Transport::WebSocket]);
        ladder.climb(0);
        assert_eq!((ladder.transport(), ladder.trial()), (Transport::WebSocket, None));
        assert!(fail(&mut ladder, &timeout()), "at once");
        assert_eq!(ladder.transport(), Transport::Poll);
        ladder.climb(1);
        ladder.lose(&timeout(), Some(TRUSTED_AFTER), true);
        assert!(!ladder.server_is_there(), "it had proved itself");
        assert!(ladder.trial_wait(&mut random).expect("a wait") <= TRIAL_FIRST);
    }
}

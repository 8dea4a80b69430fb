//! What the server has and has not sent yet.

use std::collections::VecDeque;

use watchfloor_model::Mono;

/// Claims kept. Two are made one beyond that, on the careful side.
const CLAIMS_MAX: usize = 16;

/// Since each instant, or later, the server has events up to an offset: until the stream comes to it, what is shown may
/// be that old.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    /// In the order of offsets.
    claims: VecDeque<(Mono, u64)>,
}

impl Backlog {
    /// The server has events up to `offset`, the newest of them since `at` or later.
    pub(super) fn claim(&mut self, at: Mono, offset: u64) {
        let full = self.claims.len() == CLAIMS_MAX;
        match self.claims.back_mut() {
            Some((_, last)) if *last >= offset => {}
            Some((_, last)) if full => *last = offset,
            _ => self.claims.push_back((at, offset)),
        }
    }

    /// The stream has come to `offset`.
    pub(super) fn reach(&mut self, offset: u64) {
        while self.claims.front().is_some_and(|(_, claimed)| *claimed <= offset) {
            self.claims.pop_front();
        }
    }

    /// Since when something is outstanding.
    pub(super) fn since(&self) -> Option<Mono> {
        self.claims.iter().map(|(at, _)| *at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1, H5: the oldest unanswered claim counts, and many are bounded without making anything younger.
    #[test]
    fn the_oldest_outstanding_claim_counts() {
        let at = Mono::from_millis;
        let mut backlog = Backlog::default();
        for second in 1..=100 {
            backlog.claim(at(second * 1000), second * 10);
        }
        assert_eq!((backlog.since(), backlog.claims.len()), (Some(at(1000)), CLAIMS_MAX));
        backlog.reach(9);
        assert_eq!(backlog.since(), Some(at(1000)));
        backlog.reach(25);
        assert_eq!(backlog.since(), Some(at(3000)));
        backlog.reach(999);
        assert_eq!(
            backlog.since(),
            Some(at(CLAIMS_MAX as u64 * 1000)),
            "not younger than the first that it stands for"
        );
        backlog.reach(1000);
        assert_eq!(backlog.since(), None);
    }
}

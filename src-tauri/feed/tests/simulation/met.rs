//! Whether the schedules reach what they are for.

use std::collections::BTreeMap;

use watchfloor_model::{Phase, SourceStatus, Transport};

/// What was met, over all lives of the program.
#[derive(Debug, Default)]
pub(crate) struct Met {
    phases: BTreeMap<Phase, u64>,
    counts: BTreeMap<&'static str, u64>,
}

impl Met {
    pub(crate) fn add(&mut self, other: &Self) {
        for (phase, count) in &other.phases {
            *self.phases.entry(*phase).or_default() += count;
        }
        for (name, count) in &other.counts {
            *self.counts.entry(name).or_default() += count;
        }
    }

    pub(crate) fn status(&mut self, old: &SourceStatus, new: &SourceStatus) {
        *self.phases.entry(new.phase).or_default() += u64::from(old.phase != new.phase);
        let (old, new) = (&old.counts, &new.counts);
        for (name, old, new) in [
            ("duplicates", old.duplicates, new.duplicates),
            ("rejected", old.rejected, new.rejected),
            ("reconnects", old.reconnects, new.reconnects),
            ("gaps proven", old.gaps_proven, new.gaps_proven),
            ("gaps by snapshot", old.gaps_snapshot, new.gaps_snapshot),
            ("gaps unknown", old.gaps_unknown, new.gaps_unknown),
            ("checks", old.checks, new.checks),
            ("checks failed", old.checks_failed, new.checks_failed),
        ] {
            *self.counts.entry(name).or_default() += new.saturating_sub(old);
        }
    }

    pub(crate) fn check(&self, transport: Transport) {
        assert!(self.counts.values().all(|count| *count > 0) && self.counts.len() == 8, "{self:?}");
        let phases =
            [Phase::Connecting, Phase::Subscribing, Phase::CatchingUp, Phase::Live, Phase::Waiting, Phase::Refused];
        // The first answer to a poll opens and subscribes at once.
        let polled = matches!(transport, Transport::LongPoll | Transport::Poll);
        for phase in phases.into_iter().filter(|phase| !polled || *phase != Phase::Subscribing) {
            assert!(self.phases.contains_key(&phase), "{phase}: {self:?}");
        }
    }
}

//! What the runs came to: a check that nothing can fail is found by what was never met.

use std::collections::BTreeMap;

use watchfloor_model::{Phase, SourceStatus, Transport};

/// Counts, over all lives of the program.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// How often each was met, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// How often the source became live.
    pub lives: u64,
    /// The longest time, in milliseconds, from when something was wrong until no widget was live, as a share of what was
    /// allowed, by what was wrong.
    pub found: BTreeMap<&'static str, (u64, u64)>,
}

impl Met {
    /// Another run's, too.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.lives += other.lives;
        for (name, (took, allowed)) in &other.found {
            self.find(name, *took, *allowed);
        }
    }

    /// One more.
    pub fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    pub(crate) fn find(&mut self, name: &'static str, took: u64, allowed: u64) {
        let worst = self.found.entry(name).or_insert((0, 1));
        if took * worst.1 > worst.0 * allowed {
            *worst = (took, allowed);
        }
    }

    pub(crate) fn opened(&mut self, transport: Transport) {
        self.count(match transport {
            Transport::WebSocket => "opened websocket",
            Transport::Sse => "opened sse",
            Transport::HttpStream => "opened http-stream",
            Transport::LongPoll => "opened long-poll",
            Transport::Tcp => "opened tcp",
            Transport::Poll => "opened poll",
        });
    }

    /// A subscription went on where the one before it had come to, on a link of this kind.
    pub(crate) fn followed_on(&mut self, transport: Transport) {
        self.count(match transport {
            Transport::WebSocket => "followed on by websocket",
            Transport::Sse => "followed on by sse",
            Transport::HttpStream => "followed on by http-stream",
            Transport::LongPoll => "followed on by long-poll",
            Transport::Tcp => "followed on by tcp",
            Transport::Poll => "followed on by poll",
        });
    }

    fn live_by(&mut self, transport: Transport) {
        self.count(match transport {
            Transport::WebSocket => "live by websocket",
            Transport::Sse => "live by sse",
            Transport::HttpStream => "live by http-stream",
            Transport::LongPoll => "live by long-poll",
            Transport::Tcp => "live by tcp",
            Transport::Poll => "live by poll",
        });
    }

    fn proved_by(&mut self, transport: Transport, gaps: u64) {
        let name = match transport {
            Transport::WebSocket => "gaps proven by websocket",
            Transport::Sse => "gaps proven by sse",
            Transport::HttpStream => "gaps proven by http-stream",
            Transport::LongPoll => "gaps proven by long-poll",
            Transport::Tcp => "gaps proven by tcp",
            Transport::Poll => "gaps proven by poll",
        };
        *self.counts.entry(name).or_default() += gaps;
    }

    pub(crate) fn status(&mut self, old: &SourceStatus, new: &SourceStatus) {
        if old.phase != new.phase {
            self.count(match new.phase {
                Phase::Idle => "idle",
                Phase::Connecting => "connecting",
                Phase::Authorising => "authorising",
                Phase::Subscribing => "subscribing",
                Phase::CatchingUp => "catching up",
                Phase::Live => "live",
                Phase::Waiting => "waiting",
                Phase::Refused => "refused",
            });
        }
        if let Some(way) = new.transport.filter(|_| new.phase == Phase::Live) {
            if old.phase != Phase::Live || old.transport != Some(way) {
                self.live_by(way);
            }
            self.proved_by(way, new.counts.gaps_proven.saturating_sub(old.counts.gaps_proven));
        }
        if old.phase == Phase::Live && new.phase == Phase::Live && new.transport < old.transport {
            self.count("a better way took over");
        }
        let (old, new) = (&old.counts, &new.counts);
        for (name, old, new) in [
            ("duplicates", old.duplicates, new.duplicates),
            ("rejected", old.rejected, new.rejected),
            ("reconnects", old.reconnects, new.reconnects),
            ("gaps proven", old.gaps_proven, new.gaps_proven),
            ("gaps by snapshot", old.gaps_snapshot, new.gaps_snapshot),
            ("gaps unknown", old.gaps_unknown, new.gaps_unknown),
            ("checks", old.checks, new.checks),
        ] {
            *self.counts.entry(name).or_default() += new.saturating_sub(old);
        }
    }
}

//! What happens next.

use std::{cmp::Reverse, time::Duration};

use watchfloor_feed::{FetchId, Input, LinkId};
use watchfloor_model::{Mono, Transport};

use super::World;

/// What is to happen.
pub(super) enum Action {
    /// Something reaches the program.
    Input(Input),
    /// A request for a link reaches the server.
    Accept(LinkId, Transport, String),
    /// A poll reaches the server.
    Asked(LinkId, Transport, String),
    /// The server has waited long enough for something to come, with this poll of a link.
    Answer(LinkId, u64),
    Text(LinkId, String),
    Ping(LinkId),
    /// A document is asked for: the answer whether the server is there, or the snapshot.
    Fetch(FetchId, Duration, bool),
    Heartbeat(LinkId),
    /// A channel's publisher publishes.
    Publish(usize),
    /// A channel's publisher says that it lives.
    Alive(usize),
    Begin(usize),
    End(usize),
    /// The journal may have something.
    Commit,
    Pull,
    Check,
    /// The whole is compared with the reference.
    Compare,
}

impl Action {
    /// Whether it is of one life of the program, and not of the world.
    pub(super) const fn is_of_life(&self) -> bool {
        !matches!(
            self,
            Self::Publish(_)
                | Self::Alive(_)
                | Self::Begin(_)
                | Self::End(_)
                | Self::Pull
                | Self::Check
                | Self::Compare
        )
    }

    /// Whether the program must run for it.
    pub(super) const fn needs_program(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Commit | Self::Pull)
    }
}

pub(super) struct Due {
    pub(super) at: Mono,
    sequence: u64,
    pub(super) life: u64,
    pub(super) action: Action,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl World {
    pub(super) fn at(&mut self, at: Mono, action: Action) {
        self.sequence += 1;
        let due = Due { at, sequence: self.sequence, life: self.wall.life, action };
        self.queue.push(Reverse(due));
    }

    pub(super) fn after(&mut self, wait: Duration, action: Action) {
        self.at(self.now.plus(wait), action);
    }
}

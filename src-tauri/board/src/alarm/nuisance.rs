//! Alarms that are a nuisance: those that chatter, those that are gone before anybody can look, and those that stand for days.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::Timestamp;

/// An alarm chatters if it is raised and cleared so often...
pub const CHATTER_CYCLES: usize = 3;
/// ...within this.
pub const CHATTER_SPAN: Duration = Duration::from_secs(60);
/// One that is cleared sooner than this is fleeting.
pub const FLEETING: Duration = Duration::from_secs(10);
/// One that holds for longer than this is standing: called so, since *stale* is said of data.
pub const STANDING: Duration = Duration::from_secs(24 * 3600);

/// What is to be said of how an alarm behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Nuisance {
    /// It is raised and cleared over and over.
    Chattering,
    /// It was gone by itself at once.
    Fleeting,
    /// It has held for more than a day.
    Standing,
}

/// What is kept of an alarm to tell, by the source's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// When it was cleared, the last times.
    clears: VecDeque<Timestamp>,
    raised: Option<Timestamp>,
    /// Whether the last one was fleeting.
    was_fleeting: bool,
}

impl Behaviour {
    /// It was raised.
    pub const fn note_raise(&mut self, at: Timestamp) {
        self.raised = Some(at);
    }

    /// It was cleared.
    pub fn note_clear(&mut self, at: Timestamp) {
        self.was_fleeting = self.raised.take().is_some_and(|raised| at.since(raised) < FLEETING);
        // A clock that was set back begins another story.
        self.clears.retain(|own| *own <= at);
        self.clears.push_back(at);
        if self.clears.len() > CHATTER_CYCLES {
            self.clears.pop_front();
        }
    }

    /// What it is at this instant; the worst for who has to listen first.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<Nuisance> {
        let first = self.clears.front().filter(|_| self.clears.len() == CHATTER_CYCLES);
        if first.is_some_and(|first| now.since(*first) < CHATTER_SPAN) {
            return Some(Nuisance::Chattering);
        }
        match self.raised {
            Some(raised) => (now.since(raised) > STANDING).then_some(Nuisance::Standing),
            None => self.was_fleeting.then_some(Nuisance::Fleeting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn each_has_its_name() {
        let mut behaviour = Behaviour::default();
        behaviour.note_raise(at(0));
        assert_eq!(behaviour.at(at(86_400)), None);
        assert_eq!(behaviour.at(at(86_401)), Some(Nuisance::Standing));
        behaviour.note_clear(at(100_000));
        assert_eq!(behaviour.at(at(100_000)), None);

        behaviour.note_raise(at(200_000));
        behaviour.note_clear(at(200_009));
        assert_eq!(behaviour.at(at(200_010)), Some(Nuisance::Fleeting));
        behaviour.note_raise(at(200_020));
        assert_eq!(behaviour.at(at(200_021)), None);
        behaviour.note_clear(at(200_030));
        behaviour.note_raise(at(200_040));
        behaviour.note_clear(at(200_050));
        assert_eq!(behaviour.at(at(200_050)), Some(Nuisance::Chattering));
        behaviour.note_raise(at(200_060));
        assert_eq!(behaviour.at(at(200_060)), Some(Nuisance::Chattering));
        assert_eq!(behaviour.at(at(200_069)), None);
    }
}

//! How long what was said of a key holds.

use watchfloor_model::Event;

use super::{Ms, span_ms};
use crate::config::spec::LifeSpec;

/// When what an event said is over: by another event, or by silence.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    remove_on: Vec<String>,
    expire: Option<Ms>,
    lost_after: Option<Ms>,
}

impl Life {
    pub(crate) fn new(spec: &LifeSpec) -> Self {
        Self {
            remove_on: spec.remove_on.clone(),
            expire: spec.expire.map(span_ms),
            lost_after: spec.lost_after.map(span_ms),
        }
    }

    /// Whether an event of this name ends it.
    pub(crate) fn ends_by(&self, event: &Event) -> bool {
        self.remove_on.iter().any(|name| **name == *event.name)
    }

    /// Whether it may go by silence.
    pub(crate) const fn expires(&self) -> bool {
        self.expire.is_some()
    }

    /// Whether time alone says nothing of it.
    pub(crate) const fn is_timeless(&self) -> bool {
        self.expire.is_none() && self.lost_after.is_none()
    }

    /// Whether what was last heard of then has gone by now.
    pub(crate) fn is_over(&self, heard: Ms, now: Option<Ms>) -> bool {
        is_past(self.expire, heard, now)
    }

    /// Whether what was last heard of then says no more how it is now.
    pub(crate) fn is_lost(&self, heard: Ms, now: Option<Ms>) -> bool {
        is_past(self.lost_after, heard, now)
    }

    /// When one of these will be so of what was last heard of then, if one is to come.
    pub(crate) fn next(&self, heard: Ms, now: Option<Ms>) -> Option<Ms> {
        let turns = [self.lost_after, self.expire].into_iter().flatten().map(|span| heard.saturating_add(span));
        turns.filter(|turn| now.is_none_or(|now| *turn > now)).min()
    }
}

fn is_past(span: Option<Ms>, heard: Ms, now: Option<Ms>) -> bool {
    span.zip(now).is_some_and(|(span, now)| heard.saturating_add(span) <= now)
}

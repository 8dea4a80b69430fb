//! Publishers that say of themselves whether their values are good, as Sparkplug's do: each is called by the name of its events,
//! of which the data says `quality`.

use std::{collections::BTreeMap, sync::Arc};

use watchfloor_model::{Event, Gap, Mono, Shape};

use super::{heard::HEARD_MAX, tracked::Tracked};
use crate::config::spec::ReducerSpec;

/// Most publishers whose state is known.
const VOICES_MAX: usize = 8192;

/// What is known of a source's publishers on the connection that stands.
#[derive(Debug, Default)]
pub(super) struct Voices {
    /// None if its values are good.
    states: BTreeMap<Arc<str>, Option<Silence>>,
}

/// A publisher's values aren't good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) why: String,
    /// Since when, if it was told.
    pub(super) since: Option<Mono>,
}

impl Voices {
    /// Takes what an event says of its publisher; whether it says anything.
    pub(super) fn hear(&mut self, event: &Event) -> bool {
        let data = event.data.value();
        let text = |key| match data.get(key).map(watchfloor_model::Json::shape) {
            Some(Shape::Text(text)) => Some(text),
            _ => None,
        };
        // What another topic's body says of its own quality is no such word.
        let Some(quality) = text("quality").filter(|_| text("group").is_some() && text("node").is_some()) else {
            return false;
        };
        let state = (quality != "good")
            .then(|| Silence { why: text("reason").unwrap_or(quality).to_owned(), since: Some(event.received) });
        let has_room = self.states.len() < VOICES_MAX;
        match self.states.get_mut(&event.name) {
            // Since when it isn't good doesn't begin anew with each word of it.
            Some(Some(_)) if state.is_some() => {}
            Some(known) => *known = state,
            None if has_room => drop(self.states.insert(Arc::clone(&event.name), state)),
            None => {}
        }
        true
    }

    /// On another connection than before nothing is known of anybody.
    pub(super) fn note_gap(&mut self, gap: &Gap) {
        if gap.from.as_ref().zip(gap.to.as_ref()).is_none_or(|(from, to)| from.epoch != to.epoch) {
            self.states.clear();
        }
    }

    /// Why what an aggregate shows isn't good, if it isn't of one of those who told it.
    pub(super) fn silence(&self, tracked: &Tracked) -> Option<Silence> {
        let silence = |name: &Arc<str>| match self.states.get(name) {
            _ if name.is_empty() => {
                Some(Silence { why: format!("more than {HEARD_MAX} publishers are in it"), since: None })
            }
            Some(None) => None,
            // Each row says so itself where it was told.
            Some(Some(_)) if tracked.marks_quality => None,
            Some(Some(silence)) => Some(Silence { why: format!("{name}: {}", silence.why), since: silence.since }),
            None => Some(Silence {
                why: format!("{name}: no birth of it was heard since the connection began"),
                since: None,
            }),
        };
        tracked.tellers().find_map(silence)
    }
}

/// Whether each row of it says whether it is good: its `state` is `quality`.
pub(super) fn marks_quality(reducer: &ReducerSpec) -> bool {
    let state = match reducer {
        ReducerSpec::Table { state, .. } | ReducerSpec::Log { state, .. } | ReducerSpec::Markers { state, .. } => {
            state.as_ref()
        }
        ReducerSpec::Status { state, .. } | ReducerSpec::Matrix { state, .. } | ReducerSpec::Timeline { state, .. } => {
            Some(state)
        }
        _ => None,
    };
    state.is_some_and(|state| state.path.to_string() == "quality")
}

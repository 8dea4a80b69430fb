//! What a word of an event means.

use crate::config::{
    diagnostic::Sink,
    keys::path,
    shape::Choice,
    shape_event::PathText,
    shape_words::{self, Words},
    spec::StateSpec,
    table::{Key, Need, TableReader},
};
use crate::frame::State;

const PATH_ABOUT: &str = "Where the word stands that `states` gives a meaning to.";
const STATES_ABOUT: &str = "What each word means. Other words are drawn as unknown; a missing or null one is normal.";

pub(super) static PATH: Key<PathText> = path("state", Need::Optional, PATH_ABOUT);

pub(super) static STATES: Key<Words<Choice<State>>> =
    Key { name: "states", need: Need::Optional, about: STATES_ABOUT, shape: shape_words::STATES };

/// `state` of the kinds that show nothing else.
pub(super) static OWN_PATH: Key<PathText> = path("state", Need::Required, PATH_ABOUT);

/// `states` of the kinds that show nothing else.
pub(super) static OWN_STATES: Key<Words<Choice<State>>> =
    Key { name: "states", need: Need::Required, about: STATES_ABOUT, shape: shape_words::STATES };

/// `state` and `states` of the kinds that show nothing else.
pub(super) fn read_own(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<StateSpec> {
    let path = reader.get(&OWN_PATH, sink);
    let states = reader.get(&OWN_STATES, sink);
    Some(StateSpec { path: path?, states: states? })
}

/// `state` and `states`, which need each other.
#[allow(clippy::option_option)] // faulty and not there are two things
pub(super) fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Option<StateSpec>> {
    let path = reader.optional(&PATH, sink);
    let states = reader.optional(&STATES, sink);
    for (name, other, expected) in [
        ("state", "states", "the path of the word that `states` gives a meaning to"),
        ("states", "state", "what each word at `state` means, such as `{ cancelled = \"alarm\" }`"),
    ] {
        if reader.has(other) && !reader.has(name) {
            reader.missing(name, expected, None, sink);
            return None;
        }
    }
    Some(path?.zip(states?).map(|(path, states)| StateSpec { path, states }))
}

//! What a word of an event means.

use crate::config::{
    diagnostic::Sink,
    keys::path,
    shape_event::{PathText, States},
    spec::StateSpec,
    table::{Key, Need, TableReader},
};

pub(super) static PATH: Key<PathText> =
    path("state", Need::Optional, "Where the word stands that `states` gives a meaning to.");

pub(super) static STATES: Key<States> = Key {
    name: "states",
    need: Need::Optional,
    about: "What each word means. Other words are drawn as unknown; a missing or null one is normal.",
    shape: States,
};

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

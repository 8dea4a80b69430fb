//! What kinds have that keep something a key.

use crate::config::{
    keys::{MONTH, SECOND, events, span},
    shape::List,
    shape_event::{EventName, Span},
    table::{Key, Need},
};

pub(super) static REMOVE_ON: Key<List<EventName>> = events(
    "remove-on",
    false,
    "Names of events that remove what has their key. They need not be named in `on`, nor meet `where`.",
);

pub(super) static EXPIRE: Key<Span> = span(
    "expire",
    Need::Optional,
    SECOND,
    MONTH,
    "What had no event for this long goes. Nothing goes by age if left out.",
);

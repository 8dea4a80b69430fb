//! What kinds have that keep something a key.

use crate::config::{
    diagnostic::{Problem, Sink},
    duration,
    keys::{MONTH, SECOND, events, span},
    shape::List,
    shape_event::{EventName, Span},
    spec::LifeSpec,
    table::{Key, Need, TableReader},
    wanted::sorted_once,
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

pub(super) static LOST_AFTER: Key<Span> = span(
    "lost-after",
    Need::Optional,
    SECOND,
    MONTH,
    "How long an event says how it is, by the source's time. From then on that is silent, and its state unknown at best. For good if left out.",
);

/// `remove-on`, its names sorted; `None` if it was faulty, which has then been reported.
pub(super) fn remove_on(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Vec<String>> {
    let names = reader.get(&REMOVE_ON, sink);
    sorted_once(reader, "remove-on", names, sink)
}

/// `remove-on`, `expire` and `lost-after` of the kinds that have no more to say of when something goes.
pub(super) fn life(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<LifeSpec> {
    let remove_on = remove_on(reader, sink);
    let expire = reader.optional(&EXPIRE, sink);
    let lost_after = reader.optional(&LOST_AFTER, sink);
    let life = LifeSpec { remove_on: remove_on?, expire: expire?, lost_after: lost_after? };
    if let (Some(expire), Some(lost_after)) = (life.expire, life.lost_after)
        && expire <= lost_after
    {
        sink.report(Problem {
            span: reader.span_of("lost-after"),
            message: "it is gone before it is silent".to_owned(),
            found: format!("\"{}\", with `expire` \"{}\"", duration::format(lost_after), duration::format(expire)),
            expected: "a duration shorter than `expire`".to_owned(),
            help: None,
        });
        return None;
    }
    Some(life)
}

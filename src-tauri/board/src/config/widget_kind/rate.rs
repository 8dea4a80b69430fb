//! Events, or a sum, per unit of time.

use super::{Folded, KindShape, number};
use crate::{
    config::{
        diagnostic::Sink,
        keys::{DAY, MONTH, SECOND, path, span},
        shape_event::{PathText, Span},
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "rate",
    about: "Events, or the sum of a value, per unit of time, over a sliding window.",
    table: TableShape {
        name: "kind `rate`",
        keys: &[
            &LAST,
            &PER,
            &VALUE,
            &number::TREND,
            &number::UNIT,
            &number::DECIMALS,
            &number::DIGITS,
            &number::MIN,
            &number::MAX,
            &number::BANDS,
            &number::TARGET,
            &number::BETTER,
            &number::DRAW,
            &number::AGAINST,
        ],
    },
    stats: &[],
    read,
};

pub(super) static LAST: Key<Span> = span(
    "last",
    Need::Required,
    SECOND,
    MONTH,
    "The length of the sliding window: the time up to now, by the source's clock.",
);

static PER: Key<Span> = span("per", Need::Required, SECOND, DAY, "The unit of time: `\"1h\"` for events an hour.");

static VALUE: Key<PathText> = path("value", Need::Optional, "The number to sum; events are counted if left out.");

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let number = number::read(reader, &number::DRAW, sink);
    let last = reader.get(&LAST, sink);
    let per = reader.get(&PER, sink);
    let value = reader.optional(&VALUE, sink);
    let number = number?;
    Some(Folded {
        reducer: ReducerSpec::Rate { last: last?, per: per?, value: value?, trend: number.trend },
        look: Look::Rate(number.look),
        knows_days: false,
        against: number.against,
    })
}

//! The newest value of a number.

use super::{Folded, KindShape, number};
use crate::{
    config::{
        diagnostic::Sink,
        keys::path,
        shape_event::PathText,
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "gauge",
    about: "The newest value of a number.",
    table: TableShape {
        name: "kind `gauge`",
        keys: &[
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
            &number::DRAW_SCALE,
            &number::AGAINST,
        ],
    },
    stats: &[],
    read,
};

static VALUE: Key<PathText> = path("value", Need::Required, "The number to show.");

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let number = number::read(reader, &number::DRAW_SCALE, sink);
    let value = reader.get(&VALUE, sink);
    let number = number?;
    Some(Folded {
        reducer: ReducerSpec::Gauge { value: value?, trend: number.trend },
        look: Look::Gauge(number.look),
        knows_days: false,
        against: number.against,
    })
}

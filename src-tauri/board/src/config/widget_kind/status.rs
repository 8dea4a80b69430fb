//! A tile a key.

use super::{Folded, KindShape, keyed, states};
use crate::{
    config::{
        diagnostic::Sink,
        keys::{path, template},
        shape_event::{PathText, TemplateText},
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "status",
    about: "A tile a key.",
    table: TableShape {
        name: "kind `status`",
        keys: &[
            &KEY,
            &LABEL,
            &states::OWN_PATH,
            &states::OWN_STATES,
            &DETAIL,
            &keyed::REMOVE_ON,
            &keyed::EXPIRE,
            &keyed::LOST_AFTER,
        ],
    },
    stats: &[],
    read,
};

static KEY: Key<PathText> = path("key", Need::Required, "The text or number that tells a tile from the others.");

static LABEL: Key<TemplateText> = template("label", Need::Optional, "What is written on it; the key if left out.");

static DETAIL: Key<TemplateText> = template("detail", Need::Optional, "A smaller line below the label.");

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&KEY, sink);
    let label = reader.optional(&LABEL, sink);
    let state = states::read_own(reader, sink);
    let detail = reader.optional(&DETAIL, sink);
    let life = keyed::life(reader, sink);
    let reducer = ReducerSpec::Status { key: key?, label: label?, state: state?, detail: detail?, life: life? };
    Some(Folded { reducer, look: Look::Status {}, knows_days: false, against: None })
}

//! Markers on a map.

use std::time::Duration;

use super::{Folded, KindShape, keyed, states};
use crate::{
    config::{
        decode::sorted_once,
        diagnostic::Sink,
        keys::{path, span, template},
        record::Marks,
        shape_event::{PathText, Span, TemplateText},
        shape_site::Bounds,
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "markers",
    about: "Markers on a map.",
    table: TableShape {
        name: "kind `markers`",
        keys: &[
            &KEY,
            &LAT,
            &LON,
            &HEADING,
            &LABEL,
            &states::PATH,
            &states::STATES,
            &keyed::REMOVE_ON,
            &keyed::EXPIRE,
            &BOUNDS,
            &PLACES,
            &GLIDE,
        ],
    },
    stats: &[],
    read,
};

static KEY: Key<PathText> = path("key", Need::Required, "The text or number that tells a marker from the others.");

static LAT: Key<PathText> = path("lat", Need::Required, "Where the latitude stands, degrees north.");

static LON: Key<PathText> = path("lon", Need::Required, "Where the longitude stands, degrees east.");

static HEADING: Key<PathText> =
    path("heading", Need::Optional, "Where the heading stands, degrees clockwise from north.");

static LABEL: Key<TemplateText> = template("label", Need::Optional, "What is written beside it; nothing if left out.");

static BOUNDS: Key<Bounds> =
    Key { name: "bounds", need: Need::Default("[-180, -60, 180, 80]"), about: "What the map shows.", shape: Bounds };

static PLACES: Key<Marks> =
    Key { name: "places", need: Need::Optional, about: "Fixed, named points on the map.", shape: Marks };

static GLIDE: Key<Span> = span(
    "glide",
    Need::Default("\"1s\""),
    Duration::ZERO,
    Duration::from_secs(60),
    "How long a marker takes to its new position, real time; `\"0s\"` to jump.",
);

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&KEY, sink);
    let lat = reader.get(&LAT, sink);
    let lon = reader.get(&LON, sink);
    let heading = reader.optional(&HEADING, sink);
    let label = reader.optional(&LABEL, sink);
    let state = states::read(reader, sink);
    let removed = reader.get(&keyed::REMOVE_ON, sink);
    let remove_on = sorted_once(reader, "remove-on", removed, sink);
    let expire = reader.optional(&keyed::EXPIRE, sink);
    let bounds = reader.get(&BOUNDS, sink);
    let places = reader.optional(&PLACES, sink);
    let glide = reader.get(&GLIDE, sink);
    let reducer = ReducerSpec::Markers {
        key: key?,
        lat: lat?,
        lon: lon?,
        heading: heading?,
        label: label?,
        state: state?,
        remove_on: remove_on?,
        expire: expire?,
    };
    let look = Look::Markers {
        bounds: bounds?,
        places: places?.unwrap_or_default(),
        glide_ms: u32::try_from(glide?.as_millis()).unwrap_or(u32::MAX),
    };
    Some(Folded { reducer, look, knows_days: false, against: None })
}

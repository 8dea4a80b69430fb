//! Markers on a map.

use std::time::Duration;

use super::{
    Folded, KindShape,
    fences::{self, Fences},
    keyed,
    layers::{FILE_CHARACTERS_MAX, Layer, Layers},
    states,
};
use crate::{
    config::{
        diagnostic::Sink,
        keys::{DAY, SECOND, path, span, template},
        record::Marks,
        shape::Text,
        shape_event::{PathText, Span, TemplateText},
        shape_map::Icons,
        shape_site::Bounds,
        spec::{FenceSpec, IconSpec, ReducerSpec},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{FenceLook, LayerLook, Look, TrailLook},
    geo::{self, Feature},
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
            &ICON,
            &ICONS,
            &TRAIL,
            &keyed::REMOVE_ON,
            &keyed::EXPIRE,
            &BOUNDS,
            &PLACES,
            &GLIDE,
            &LAYERS,
            &FENCES,
            &LOST_AFTER,
            &TILES,
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

/// In `icons`: any other word, or none.
const ANY: &str = "*";

static ICON: Key<PathText> = path("icon", Need::Optional, "Where the word stands that `icons` gives a shape to.");

static ICONS: Key<Icons> = Key {
    name: "icons",
    need: Need::Optional,
    about: "What each word is drawn as; `\"*\"` stands for any other, and for none. Without it other words are drawn as a question mark, and what has no word as a dot, or as an aircraft if it has a heading.",
    shape: Icons,
};

static TRAIL: Key<Span> = span(
    "trail",
    Need::Optional,
    Duration::from_secs(10),
    DAY,
    "How far back the way is drawn that each marker has come, in at most 40 steps.",
);

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

static LAYERS: Key<Layers> = Key {
    name: "layers",
    need: Need::Optional,
    about: "What lies under the markers: files of GeoJSON, the first one lowest.",
    shape: Layers,
};

static FENCES: Key<Fences> = Key {
    name: "fences",
    need: Need::Optional,
    about: "Areas that tell of the markers in them, or outside.",
    shape: Fences,
};

static LOST_AFTER: Key<Span> = span(
    "lost-after",
    Need::Optional,
    SECOND,
    DAY,
    "How long a position says where a marker is, by the source's time. From then on its state is unknown at best and no fence counts it. For good if left out.",
);

static TILES: Key<Text> = Key {
    name: "tiles",
    need: Need::Optional,
    about: "A file of vector tiles (PMTiles, version 3), its path as seen from the board file: the ground of the map where the machine can draw it.",
    shape: Text { characters_max: FILE_CHARACTERS_MAX },
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&KEY, sink);
    let lat = reader.get(&LAT, sink);
    let lon = reader.get(&LON, sink);
    let heading = reader.optional(&HEADING, sink);
    let label = reader.optional(&LABEL, sink);
    let state = states::read(reader, sink);
    let icon = read_icons(reader, sink);
    let trail = reader.optional(&TRAIL, sink);
    let remove_on = keyed::remove_on(reader, sink);
    let expire = reader.optional(&keyed::EXPIRE, sink);
    let bounds = reader.get(&BOUNDS, sink);
    let places = reader.optional(&PLACES, sink);
    let glide = reader.get(&GLIDE, sink);
    let layers = reader.optional(&LAYERS, sink);
    let fences = reader.optional(&FENCES, sink);
    let lost_after = reader.optional(&LOST_AFTER, sink);
    let tiles = reader.optional(&TILES, sink);
    let layers = layers?.unwrap_or_default();
    let fences = fences::resolved(fences?.unwrap_or_default(), &layers, reader.span_of("fences"), sink)?;
    let bounds = bounds?;
    let fence_looks = fences.iter().map(|fence| FenceLook {
        name: fence.name.clone(),
        state: fence.state,
        when: fence.when,
        areas: geo::outline(&fence.area, bounds),
    });
    let fence_looks = fence_looks.collect();
    let layers = layer_looks(&layers, &fences, bounds);
    let reducer = ReducerSpec::Markers {
        key: key?,
        lat: lat?,
        lon: lon?,
        heading: heading?,
        label: label?,
        state: state?,
        icon: icon?,
        remove_on: remove_on?,
        expire: expire?,
        trail: trail?,
        lost_after: lost_after?,
        fences,
    };
    let look = Look::Markers {
        bounds,
        places: places?.unwrap_or_default(),
        glide_ms: u32::try_from(glide?.as_millis()).unwrap_or(u32::MAX),
        trail: trail?.map(|trail| TrailLook::of(i64::try_from(trail.as_millis()).unwrap_or(i64::MAX))),
        layers,
        fences: fence_looks,
        tiles: tiles?,
    };
    Some(Folded { reducer, look, knows_days: false, against: None })
}

/// What is drawn of each layer. What a fence has the name of is named by that alone.
fn layer_looks(layers: &[Layer], fences: &[FenceSpec], bounds: [f64; 4]) -> Vec<LayerLook> {
    let is_fence = |name: &String| fences.iter().any(|fence| fence.name == *name);
    let pieces = |layer: &Layer| {
        let piece = |feature: &Feature| {
            (feature.name.clone().filter(|name| !is_fence(name)), layer.state(feature), feature.shapes.clone())
        };
        (layer.draw, layer.features.iter().map(piece).collect())
    };
    geo::looks(&layers.iter().map(pieces).collect::<Vec<_>>(), bounds)
}

/// `icon` and `icons`. Without a path there is nothing to tell apart, so `icons` says one for all.
#[allow(clippy::option_option)] // faulty and not there are two things
fn read_icons(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Option<IconSpec>> {
    let path = reader.optional(&ICON, sink);
    let icons = reader.optional(&ICONS, sink);
    if reader.has("icon") && !reader.has("icons") {
        reader.missing(
            "icons",
            "what each word at `icon` is drawn as, such as `{ ambulance = \"cross\" }`",
            None,
            sink,
        );
        return None;
    }
    let (path, icons) = (path?, icons?);
    let Some(mut icons) = icons else { return Some(None) };
    let otherwise = icons.remove(ANY);
    if path.is_none() && !icons.is_empty() {
        let help = Some("`icons = { \"*\" = \"ship\" }` draws all of them so".to_owned());
        reader.missing("icon", "the path of the word that `icons` gives a shape to", help, sink);
        return None;
    }
    Some(Some(IconSpec { path, icons, otherwise }))
}

//! Fences of a map: what it means that a marker is in an area, or isn't.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use serde_json::{Value, json};

use super::layers::Layer;
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        keys::{TITLE_CHARACTERS_MAX, span},
        nearest::did_you_mean,
        record::Tables,
        shape::{Choice, List, Number, Text, real, text_of},
        shape_event::{STATE, Span},
        shape_map::ICON,
        spec::FenceSpec,
        table::{Key, Need, Node, Shape, TableReader, TableShape, bad_value, cut, wrong_type},
    },
    frame::{FenceWhen, Icon, State},
    geo::{Area, Spot, ring},
};

/// The most fences of one map: a layer's areas are one each.
pub(super) const FENCES_MAX: usize = 100;
/// The most corners that all of them have, so that each position is held against them in little time.
const CORNERS_MAX: usize = 20_000;
/// The most corners of an outline in a board file.
const POLYGON_MAX: usize = 200;

pub(in crate::config) static FENCE_TABLE: TableShape = TableShape {
    name: "`fences`",
    keys: &[&NAME, &LAYER, &AREA, &CIRCLE, &POLYGON, &STATE_OF, &WHEN, &FOR, &OF_STATES, &OF_ICONS],
};

pub(in crate::config) static CIRCLE_TABLE: TableShape = TableShape { name: "`circle`", keys: &[&LAT, &LON, &RADIUS] };

static NAME: Key<Text> = Key {
    name: "name",
    need: Need::Optional,
    about: "What it is called. Needed with `circle` and `polygon`; an area of a layer has its label.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

static LAYER: Key<Text> = Key {
    name: "layer",
    need: Need::Optional,
    about: "The `file` of a layer with a `label`: each of its areas that has one is a fence.",
    shape: Text { characters_max: 500 },
};

static AREA: Key<Text> = Key {
    name: "area",
    need: Need::Optional,
    about: "The label of the one area of `layer` that is meant.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

static CIRCLE: Key<Circle> = Key {
    name: "circle",
    need: Need::Optional,
    about: "All that is no farther from a place, in place of `layer`.",
    shape: Circle,
};

static POLYGON: Key<Corners> = Key {
    name: "polygon",
    need: Need::Optional,
    about: "The corners of an area, in place of `layer`.",
    shape: Corners,
};

static STATE_OF: Key<Choice<State>> = Key {
    name: "state",
    need: Need::Required,
    about: "What it means for a marker to be where it tells of. The marker takes it if its own is no worse.",
    shape: Choice { options: &[("warning", State::Warning, "look at it"), ("alarm", State::Alarm, "act on it")] },
};

static WHEN: Key<Choice<FenceWhen>> = Key {
    name: "when",
    need: Need::Default("\"inside\""),
    about: "Where a marker must be for that.",
    shape: Choice {
        options: &[("inside", FenceWhen::Inside, "in it"), ("outside", FenceWhen::Outside, "anywhere else")],
    },
};

static FOR: Key<Span> = span(
    "for",
    Need::Default("\"0s\""),
    Duration::ZERO,
    Duration::from_secs(3600),
    "How long a marker must be on the other side of the border until that counts, by the source's time: then one that flickers across it tells nothing.",
);

static OF_STATES: Key<List<Choice<State>>> = Key {
    name: "of-states",
    need: Need::Optional,
    about: "Only markers whose own state is one of these.",
    shape: List { item: STATE, min: 1, max: 4, or_one: true, what: "states" },
};

static OF_ICONS: Key<List<Choice<Icon>>> = Key {
    name: "of-icons",
    need: Need::Optional,
    about: "Only markers that are drawn as one of these.",
    shape: List { item: ICON, min: 1, max: 13, or_one: true, what: "icons" },
};

static LAT: Key<Number> = Key {
    name: "lat",
    need: Need::Required,
    about: "Degrees north of its middle.",
    shape: Number { what: "a number of degrees", min: -90.0, max: 90.0 },
};

static LON: Key<Number> = Key {
    name: "lon",
    need: Need::Required,
    about: "Degrees east of its middle.",
    shape: Number { what: "a number of degrees", min: -180.0, max: 180.0 },
};

static RADIUS: Key<Radius> = Key { name: "radius", need: Need::Required, about: "How far it reaches.", shape: Radius };

/// `circle = { lat = 52.5, lon = 13.4, radius = "500m" }`
struct Circle;

impl Shape for Circle {
    type Value = Area;

    fn expected(&self) -> String {
        "a table such as `{ lat = 52.5, lon = 13.4, radius = \"500m\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        crate::config::schema::object(&CIRCLE_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Area> {
        let reader = TableReader::open(node, &CIRCLE_TABLE, sink)?;
        reader.finish(sink);
        let lat = reader.get(&LAT, sink);
        let lon = reader.get(&LON, sink);
        let radius = reader.get(&RADIUS, sink);
        Some(Area::Circle { lat: lat?, lon: lon?, radius_m: radius? })
    }
}

/// A distance on the ground, read to metres.
struct Radius;

/// Units, with the metres of one.
const UNITS: [(&str, f64); 5] = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.344), ("nmi", 1852.0)];
const METRES: std::ops::RangeInclusive<f64> = 1.0..=5_000_000.0;

impl Shape for Radius {
    type Value = f64;

    fn expected(&self) -> String {
        "a distance such as `500m`, `2.5km`, `300ft`, `1mi` or `3nmi`, from `1m` to `5000km`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "distance, `1m` to `5000km`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^[0-9.]{1,8}(m|km|ft|mi|nmi)$", "examples": ["500m", "2.5km", "1mi"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<f64> {
        let text = text_of(node, &self.expected(), sink)?;
        let metres = text.find(|c: char| c.is_ascii_alphabetic()).and_then(|at| {
            let (number, unit) = text.split_at(at);
            let is_plain = number.len() <= 8 && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let number: f64 = number.parse().ok().filter(|_| is_plain)?;
            UNITS.iter().find(|(name, _)| *name == unit).map(|(_, metres)| number * metres)
        });
        let metres = metres.filter(|metres| METRES.contains(metres));
        if metres.is_none() {
            bad_value(node, "no distance", &self.expected(), None, sink);
        }
        metres
    }
}

/// `polygon = [[lon, lat], …]`, closed by itself.
struct Corners;

impl Shape for Corners {
    type Value = Area;

    fn expected(&self) -> String {
        format!("an array of 3 to {POLYGON_MAX} corners, `[longitude, latitude]` each, in degrees")
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("array of 3 to {POLYGON_MAX} `[longitude, latitude]`, degrees")
    }

    fn schema(&self) -> Value {
        let lon = json!({"type": "number", "minimum": -180, "maximum": 180});
        let lat = json!({"type": "number", "minimum": -90, "maximum": 90});
        let corner = json!({"type": "array", "prefixItems": [lon, lat], "items": false, "minItems": 2});
        json!({"type": "array", "items": corner, "minItems": 3, "maxItems": POLYGON_MAX})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Area> {
        let Some(items) = node.value.get_ref().as_array() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        let mut corners = Vec::new();
        for value in items {
            let pair: Vec<f64> =
                value.get_ref().as_array().into_iter().flatten().filter_map(|one| real(one.get_ref())).collect();
            match pair[..] {
                [lon, lat] if lon.abs() <= 180.0 && lat.abs() <= 90.0 => corners.push(Spot::of(lat, lon)),
                _ => {
                    let node = Node { name: node.name, value };
                    bad_value(node, "no corner", "`[longitude, latitude]`, in degrees", None, sink);
                    return None;
                }
            }
        }
        // As GeoJSON has it, the first corner may stand at the end again.
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if !(3..=POLYGON_MAX).contains(&corners.len()) {
            bad_value(node, &format!("{} corners", corners.len()), &self.expected(), None, sink);
            return None;
        }
        corners.extend(corners.first().copied());
        Some(Area::of_polygons(&[vec![ring(&corners)]]))
    }
}

/// A fence as a file says it: its area may be that of a layer.
pub(super) struct Said {
    span: Range<usize>,
    name: Option<String>,
    of: Of,
    rest: FenceSpec,
}

enum Of {
    Layer(String, Option<String>),
    Area(Area),
}

/// `fences = [{ layer = "areas.geojson", state = "warning" }]`
pub(super) struct Fences;

impl Tables for Fences {
    type One = Said;
    const MOST: usize = FENCES_MAX;
    const EXAMPLE: &'static str = "{ layer = \"areas.geojson\", state = \"warning\" }";

    fn table(&self) -> &'static TableShape {
        &FENCE_TABLE
    }

    fn besides(&self, one: &mut Value) {
        one["oneOf"] = json!([
            {"required": ["layer"]},
            {"required": ["circle", "name"]},
            {"required": ["polygon", "name"]},
        ]);
        one["dependentRequired"] = json!({"area": ["layer"]});
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Said> {
        read(reader, sink)
    }
}

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Said> {
    let name = reader.optional(&NAME, sink);
    let layer = reader.optional(&LAYER, sink);
    let area = reader.optional(&AREA, sink);
    let circle = reader.optional(&CIRCLE, sink);
    let polygon = reader.optional(&POLYGON, sink);
    let state = reader.get(&STATE_OF, sink);
    let when = reader.get(&WHEN, sink);
    let hold = reader.get(&FOR, sink);
    let of_states = reader.optional(&OF_STATES, sink);
    let of_icons = reader.optional(&OF_ICONS, sink);
    let places: Vec<&str> = ["layer", "circle", "polygon"].into_iter().filter(|name| reader.has(name)).collect();
    match places[..] {
        [] => {
            reader.missing("layer", "one of `layer`, `circle` and `polygon`", None, sink);
            return None;
        }
        [_] => {}
        [_, other, ..] => {
            sink.report(Problem {
                span: reader.key_span(other),
                message: "a fence of two areas".to_owned(),
                found: format!("`{}`", places.join("` and `")),
                expected: "one of `layer`, `circle` and `polygon`".to_owned(),
                help: None,
            });
            return None;
        }
    }
    if reader.has("area") && !reader.has("layer") {
        reader.missing("layer", "the `file` of the layer that has the area", None, sink);
        return None;
    }
    if !reader.has("layer") && !reader.has("name") {
        reader.missing("name", "what the fence is called", None, sink);
        return None;
    }
    if reader.has("layer") && reader.has("name") && !reader.has("area") {
        let help = Some("each area of the layer is a fence with its label; `area` picks one".to_owned());
        reader.missing("area", "the label of the area that has this name", help, sink);
        return None;
    }
    let of = match (layer?, circle?.or(polygon?)) {
        (Some(layer), _) => Of::Layer(layer, area?),
        (None, Some(area)) => Of::Area(area),
        (None, None) => return None,
    };
    let rest = FenceSpec {
        name: String::new(),
        area: Area::of_polygons(&[]),
        state: state?,
        when: when?,
        hold: hold?,
        of_states: sorted(of_states?),
        of_icons: sorted(of_icons?),
    };
    Some(Said { span: reader.span.clone(), name: name?, of, rest })
}

fn sorted<T: Ord>(list: Option<Vec<T>>) -> Vec<T> {
    list.into_iter().flatten().collect::<BTreeSet<T>>().into_iter().collect()
}

/// Each fence with its area, once the layers are read. `None` if something was reported.
pub(super) fn resolved(
    said: Vec<Said>,
    layers: &[Layer],
    span: Range<usize>,
    sink: &mut Sink<'_>,
) -> Option<Vec<FenceSpec>> {
    let mut fences = Vec::new();
    let mut is_sound = true;
    for Said { span, name, of, rest } in said {
        match of {
            Of::Area(area) => fences.push(FenceSpec { name: name.unwrap_or_default(), area, ..rest }),
            Of::Layer(file, area) => match areas_of(&file, area.as_deref(), layers) {
                Ok(areas) => fences.extend(areas.into_iter().map(|(label, area)| FenceSpec {
                    name: name.clone().unwrap_or(label),
                    area,
                    ..rest.clone()
                })),
                Err((message, found, expected, help)) => {
                    is_sound = false;
                    sink.report(Problem { span, message, found, expected, help });
                }
            },
        }
    }
    if fences.len() > FENCES_MAX {
        is_sound = false;
        let (message, found) = ("too many fences".to_owned(), format!("{} fences", fences.len()));
        let expected = format!("at most {FENCES_MAX} on one map");
        sink.report(Problem { span: span.clone(), message, found, expected, help: None });
    }
    let corners: usize = fences.iter().map(|fence| fence.area.corners()).sum();
    if corners > CORNERS_MAX {
        is_sound = false;
        let (message, found) = ("fences of too many corners".to_owned(), format!("{corners} corners"));
        let expected = format!("at most {CORNERS_MAX} on one map");
        let help = Some("simplify the file, or name fewer of its areas".to_owned());
        sink.report(Problem { span, message, found, expected, help });
    }
    is_sound.then_some(fences)
}

type Fault = (String, String, String, Option<String>);

/// The areas of a layer that are meant, by their labels. Features of one label are one area.
fn areas_of(file: &str, area: Option<&str>, layers: &[Layer]) -> Result<Vec<(String, Area)>, Fault> {
    let Some(layer) = layers.iter().find(|layer| layer.file == file) else {
        let help = did_you_mean(file, layers.iter().map(|layer| layer.file.as_str()));
        let expected = "the `file` of one of `layers`".to_owned();
        return Err((format!("no layer `{}`", cut(file)), format!("`{}`", cut(file)), expected, help));
    };
    if !layer.is_labelled {
        let (message, found) = (format!("`{}` has no `label`", cut(file)), "a layer without labels".to_owned());
        let expected = "`label` in the layer: the property that names its areas".to_owned();
        return Err((message, found, expected, None));
    }
    let mut found: Vec<(String, Vec<Vec<Vec<Spot>>>)> = Vec::new();
    for feature in layer.features.iter().filter(|feature| !feature.shapes.areas.is_empty()) {
        let Some(name) = feature.name.clone().filter(|name| area.is_none_or(|area| area == name)) else { continue };
        match found.iter_mut().find(|(own, _)| *own == name) {
            Some((_, areas)) => areas.extend(feature.shapes.areas.iter().cloned()),
            None => found.push((name, feature.shapes.areas.clone())),
        }
    }
    if found.is_empty() {
        let names: Vec<&str> = layer.features.iter().filter_map(|feature| feature.name.as_deref()).collect();
        let help = area.and_then(|area| did_you_mean(area, names.iter().copied()));
        let what = area.map_or("area with a label".to_owned(), |area| format!("area `{}`", cut(area)));
        let expected = "the label of a Polygon or MultiPolygon of that layer".to_owned();
        return Err((
            format!("no {what} in `{}`", cut(file)),
            format!("{} features", layer.features.len()),
            expected,
            help,
        ));
    }
    Ok(found.into_iter().map(|(name, areas)| (name, Area::of_polygons(&areas))).collect())
}

//! Layers of a map: files of GeoJSON beside the board.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    config::{
        diagnostic::{Problem, Sink},
        keys::TITLE_CHARACTERS_MAX,
        record::Tables,
        shape::{Choice, Text},
        shape_words,
        table::{Key, Need, TableReader, TableShape, cut},
    },
    frame::{LayerDraw, State},
    geo::{Feature, read as read_geojson},
};

/// The most layers of one map.
const LAYERS_MAX: usize = 8;
/// The longest name of a file, in characters.
pub(super) const FILE_CHARACTERS_MAX: usize = 500;

pub(in crate::config) static LAYER_TABLE: TableShape =
    TableShape { name: "`layers`", keys: &[&FILE, &LABEL, &DRAW, &STATE, &STATES] };

static FILE: Key<Text> = Key {
    name: "file",
    need: Need::Required,
    about: "A file of GeoJSON, its path as seen from the board file.",
    shape: Text { characters_max: FILE_CHARACTERS_MAX },
};

static LABEL: Key<Text> = Key {
    name: "label",
    need: Need::Optional,
    about: "The property that is written in each shape, and that fences name it by; nothing if left out.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

static DRAW: Key<Choice<LayerDraw>> = Key {
    name: "draw",
    need: Need::Default("\"area\""),
    about: "How it is drawn: as it is, areas as their outlines alone, or each shape as a point in its middle.",
    shape: Choice {
        options: &[
            ("area", LayerDraw::Area, "as it is: areas filled, lines and points"),
            ("line", LayerDraw::Line, "areas as their outlines"),
            ("point", LayerDraw::Point, "each shape as a point in its middle"),
        ],
    },
};

static STATE: Key<Text> = Key {
    name: "state",
    need: Need::Optional,
    about: "The property that `states` gives a meaning to.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

static STATES: Key<shape_words::Words<Choice<State>>> = Key {
    name: "states",
    need: Need::Optional,
    about: "What each of its words means. A shape with another word, or none, is grey, as all are without it.",
    shape: shape_words::STATES,
};

/// A layer as it was read.
pub(super) struct Layer {
    pub(super) file: String,
    pub(super) draw: LayerDraw,
    pub(super) features: Vec<Feature>,
    /// Whether the board names the property that labels are read from.
    pub(super) is_labelled: bool,
    states: BTreeMap<String, State>,
}

impl Layer {
    /// What one of its features means.
    pub(super) fn state(&self, feature: &Feature) -> State {
        feature.word.as_ref().and_then(|word| self.states.get(word)).copied().unwrap_or_default()
    }
}

/// `layers = [{ file = "areas.geojson" }]`.
pub(super) struct Layers;

impl Tables for Layers {
    type One = Layer;
    const MOST: usize = LAYERS_MAX;
    const EXAMPLE: &'static str = "{ file = \"areas.geojson\" }";

    fn table(&self) -> &'static TableShape {
        &LAYER_TABLE
    }

    fn besides(&self, one: &mut Value) {
        one["dependentRequired"] = serde_json::json!({"state": ["states"], "states": ["state"]});
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Layer> {
        read(reader, sink)
    }
}

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Layer> {
    let file = reader.get(&FILE, sink);
    let label = reader.optional(&LABEL, sink);
    let draw = reader.get(&DRAW, sink);
    let state = reader.optional(&STATE, sink);
    let states = reader.optional(&STATES, sink);
    for (name, other) in [("state", "states"), ("states", "state")] {
        if reader.has(other) && !reader.has(name) {
            reader.missing(name, "`state`, a property, and `states`, what its words mean, together", None, sink);
            return None;
        }
    }
    let (file, label, state) = (file?, label?, state?);
    let refuse = |message: String, found: String, expected: String, sink: &mut Sink<'_>| {
        sink.report(Problem { span: reader.span_of("file"), message, found, expected, help: None });
    };
    let text = match (sink.beside)(&file) {
        Ok(text) => text,
        Err(reason) => {
            refuse(
                format!("`{}` can't be read", cut(&file)),
                reason,
                "a file of GeoJSON beside the board".to_owned(),
                sink,
            );
            return None;
        }
    };
    match read_geojson(&text, label.as_deref(), state.as_deref()) {
        Ok(features) => Some(Layer {
            file,
            draw: draw?,
            features,
            is_labelled: label.is_some(),
            states: states?.unwrap_or_default(),
        }),
        Err(wrong) => {
            refuse(format!("`{}` is wrong at {}", cut(&file), wrong.place), wrong.found, wrong.expected, sink);
            None
        }
    }
}

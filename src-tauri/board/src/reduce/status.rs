//! A tile a key.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use watchfloor_model::{Event, Json};

use super::{
    Ms, Reduce, Rejection, Text, check_instant,
    meaning::{Meaning, Said},
    pick::{self, KEY_BYTES_MAX},
    template::{is_filled_by, render},
};
use crate::{
    config::spec::{StateSpec, Template},
    frame::{State, StatusValue, TileValue, WidgetValue},
    path::Path,
};

/// Most tiles; events of further keys are rejected.
pub(crate) const TILES_MAX: usize = 500;

/// See [`crate::config::spec::ReducerSpec::Status`]. An older event never replaces a newer one.
pub(crate) struct Status {
    key: Key,
    label: Option<Template>,
    meaning: Meaning,
    detail: Option<Template>,
    /// Whether an event says all that there is of a tile.
    whole: bool,
    tiles: BTreeMap<String, Tile>,
}

/// What tells a tile from the others.
enum Key {
    One(Path),
    /// The row and the column of a matrix.
    Pair(Path, Path),
}

/// Between a cell's row and its column. Rows may not have it in them, so that each pair has a name of its own.
const BETWEEN: &str = " · ";

impl Key {
    fn of<'a>(&self, data: Json<'a>) -> Result<Cow<'a, str>, Rejection> {
        match self {
            Self::One(path) => pick::key(path, data),
            Self::Pair(row, column) => pair_at(row, column, data),
        }
    }

    const fn path(&self) -> &Path {
        match self {
            Self::One(path) | Self::Pair(path, _) => path,
        }
    }
}

/// The name of the cell of a row and a column.
pub(crate) fn pair_at<'a>(row: &Path, column: &Path, data: Json<'a>) -> Result<Cow<'a, str>, Rejection> {
    let name = pick::key(row, data)?;
    if name.contains(BETWEEN) {
        return Err(pick::reject(row, data, format!("a text without `{BETWEEN}`")));
    }
    let name = format!("{name}{BETWEEN}{}", pick::key(column, data)?);
    if name.len() > KEY_BYTES_MAX {
        return Err(pick::reject(row, data, format!("with its column, at most {KEY_BYTES_MAX} bytes")));
    }
    Ok(Cow::Owned(name))
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Tile {
    label: String,
    text: String,
    state: State,
    detail: Option<String>,
    /// Since when it says `text`.
    since: Ms,
    /// The time of its newest event.
    heard: Ms,
}

impl Status {
    pub(crate) fn new(
        key: &Path,
        label: Option<&Template>,
        state: &StateSpec,
        detail: Option<&Template>,
        whole: bool,
    ) -> Self {
        Self {
            key: Key::One(key.clone()),
            label: label.cloned(),
            meaning: Meaning::new(state),
            detail: detail.cloned(),
            whole,
            tiles: BTreeMap::new(),
        }
    }

    /// A cell a pair of a row and a column.
    pub(crate) fn of_pairs(
        row: &Path,
        column: &Path,
        state: &StateSpec,
        detail: Option<&Template>,
        whole: bool,
    ) -> Self {
        Self {
            key: Key::Pair(row.clone(), column.clone()),
            label: None,
            meaning: Meaning::new(state),
            detail: detail.cloned(),
            whole,
            tiles: BTreeMap::new(),
        }
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self.key {
            Key::One(_) => "status",
            Key::Pair(..) => "matrix",
        }
    }

    /// Takes the tiles of `right`, of the same fold. What a tile says there as here, it says since no later than was known.
    pub(crate) fn correct(&mut self, right: &Self) {
        let before = std::mem::replace(&mut self.tiles, right.tiles.clone());
        for (key, tile) in &mut self.tiles {
            let same = before.get(key).filter(|before| before.text == tile.text && before.state == tile.state);
            tile.since = same.map_or(tile.since, |before| before.since.min(tile.since));
        }
    }
}

impl Reduce for Status {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let (at, data) = (event.time.as_millis(), event.data.value());
        let key = self.key.of(data)?;
        // A state that nobody tells any more isn't known.
        let untold = || self.whole.then_some(Said { text: Cow::Borrowed(""), state: State::Unknown });
        let said = self.meaning.of(data)?.or_else(untold);
        let fill = |template: &Option<Template>| {
            template
                .as_ref()
                .filter(|template| self.whole || is_filled_by(template, data))
                .map(|template| render(template, data))
        };
        let Some(tile) = self.tiles.get_mut(key.as_ref()) else {
            if self.tiles.len() >= TILES_MAX {
                return Err(pick::reject(
                    self.key.path(),
                    data,
                    format!("one of the {TILES_MAX} keys that there are already"),
                ));
            }
            let (text, state) = said.map(|said| (said.text.into_owned(), said.state)).unwrap_or_default();
            let label = self.label.as_ref().map_or_else(|| key.to_string(), |label| render(label, data));
            let detail = self.detail.as_ref().map(|detail| render(detail, data));
            self.tiles.insert(key.into_owned(), Tile { label, text, state, detail, since: at, heard: at });
            return Ok(true);
        };
        if at < tile.heard {
            return Ok(false);
        }
        let before = tile.clone();
        tile.heard = at;
        if let Some(said) = said.filter(|said| said.text != tile.text || said.state != tile.state) {
            tile.text = said.text.into_owned();
            tile.state = said.state;
            tile.since = at;
        }
        if let Some(label) = fill(&self.label) {
            tile.label = label;
        }
        if let Some(detail) = fill(&self.detail) {
            tile.detail = Some(detail);
        }
        Ok(*tile != Tile { heard: at, ..before })
    }

    fn advance(&mut self, _: Ms, _: u64) -> bool {
        false
    }

    fn state(&self) -> Text {
        super::to_json(&self.tiles)
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        let tiles: BTreeMap<String, Tile> = super::from_json(state)?;
        if tiles.len() > TILES_MAX {
            return Err(format!("{} tiles, the limit is {TILES_MAX}", tiles.len()));
        }
        for (key, tile) in &tiles {
            check_instant(Some(tile.since))?;
            check_instant(Some(tile.heard))?;
            if key.is_empty() || key.len() > KEY_BYTES_MAX {
                return Err(format!("a key of {} bytes", key.len()));
            }
        }
        self.tiles = tiles;
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        let value = |(key, tile): (&String, &Tile)| TileValue {
            key: key.clone(),
            label: tile.label.clone(),
            text: tile.text.clone(),
            state: tile.state,
            detail: tile.detail.clone(),
            since_ms: tile.since,
        };
        WidgetValue::Status(StatusValue { tiles: self.tiles.iter().map(value).collect() })
    }

    fn report(&self) -> Value {
        let report = |(key, tile): (&String, &Tile)| {
            let tile = json!({"label": tile.label, "text": tile.text, "state": tile.state, "detail": tile.detail,
                "since": tile.since});
            (key.clone(), tile)
        };
        Value::Object(self.tiles.iter().map(report).collect())
    }

    fn next_change(&self) -> Option<Ms> {
        None
    }

    fn shown_of(&self, event: &Event) -> Option<(String, Ms)> {
        self.held_of(event)
    }

    fn shows(&self, key: &str) -> bool {
        self.tiles.contains_key(key)
    }

    fn held_of(&self, event: &Event) -> Option<(String, Ms)> {
        let key = self.key.of(event.data.value()).ok()?;
        self.tiles.get(key.as_ref()).map(|tile| (key.into_owned(), tile.heard))
    }

    fn keep_only(&mut self, keys: &BTreeSet<String>, _: u64) {
        self.tiles.retain(|key, _| keys.contains(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{aggregate, event, fold};

    #[test]
    fn tiles_say_since_when() {
        let mut own =
            aggregate(json!({"kind": "status", "key": "k", "state": "s", "label": "At {k}", "detail": "{why}"}));
        fold(&mut own, 10, json!({"k": "EWR", "s": "ok", "why": "clear"}));
        fold(&mut own, 20, json!({"k": "EWR", "s": "bad", "why": "snow"}));
        // The same state again, with other words; an older event; one that doesn't speak of the state.
        fold(&mut own, 30, json!({"k": "EWR", "s": "bad", "why": "more snow"}));
        fold(&mut own, 25, json!({"k": "EWR", "s": "ok", "why": "late"}));
        fold(&mut own, 40, json!({"k": "EWR"}));
        fold(&mut own, 40, json!({"k": 7}));
        let expected = json!({
            "EWR": {"label": "At EWR", "text": "bad", "state": "alarm", "detail": "more snow", "since": 20},
            "7": {"label": "At 7", "text": "", "state": "normal", "detail": "----", "since": 40},
        });
        assert_eq!(own.report(), expected);
    }

    #[test]
    fn a_matrix_has_a_cell_a_pair() {
        let spec = json!({"kind": "matrix", "row": "service", "column": "region", "state": "s", "detail": "{ms} ms"});
        let mut own = aggregate(spec);
        fold(&mut own, 10, json!({"service": "api", "region": "eu", "s": "ok", "ms": 12}));
        fold(&mut own, 20, json!({"service": "api", "region": "us · east", "s": "bad", "ms": 900}));
        fold(&mut own, 30, json!({"service": "api", "region": "eu", "s": "late", "ms": 80}));
        fold(&mut own, 25, json!({"service": "api", "region": "eu", "s": "ok", "ms": 1}));
        let cell = |text: &str, state: &str, detail: &str, name: &str, since: i64| json!({"label": name, "text": text, "state": state, "detail": detail, "since": since});
        let expected = json!({
            "api · eu": cell("late", "warning", "80 ms", "api · eu", 30),
            "api · us · east": cell("bad", "alarm", "900 ms", "api · us · east", 20),
        });
        assert_eq!((own.kind(), own.report()), ("matrix", expected));
        let odd = event("c", "e", 40, json!({"service": "a · b", "region": "eu", "s": "ok"}));
        let error = own.fold(&odd).expect_err("an ambiguous row").to_string();
        assert_eq!(error, "`service`: found \"a · b\", expected a text without ` · `");
        assert!(own.fold(&event("c", "e", 40, json!({"service": "a", "s": "ok"}))).is_err());
    }

    /// H5
    #[test]
    fn tiles_are_bounded() {
        let mut own = aggregate(json!({"kind": "status", "key": "k", "state": "s"}));
        for key in 0..TILES_MAX {
            fold(&mut own, 1, json!({"k": key}));
        }
        let error = own.fold(&event("c", "e", 2, json!({"k": "more"}))).expect_err("one tile too many").to_string();
        assert_eq!(error, "`k`: found \"more\", expected one of the 500 keys that there are already");
        fold(&mut own, 2, json!({"k": 1, "s": "ok"}));
    }
}

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
    life::Life,
    meaning::{Meaning, Said},
    pick::{self, KEY_BYTES_MAX},
    template::{is_filled_by, render},
};
use crate::{
    config::spec::{LifeSpec, StateSpec, Template},
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
    life: Life,
    /// Whether an event says all that there is of a tile.
    whole: bool,
    tiles: BTreeMap<String, Tile>,
    now: Option<Ms>,
    /// No tile goes or falls silent before this by time alone.
    due: Option<Ms>,
}

/// What tells a tile from the others.
pub(crate) enum Key {
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
        key: Key,
        label: Option<&Template>,
        state: &StateSpec,
        detail: Option<&Template>,
        life: &LifeSpec,
        whole: bool,
    ) -> Self {
        Self {
            key,
            label: label.cloned(),
            meaning: Meaning::new(state),
            detail: detail.cloned(),
            life: Life::new(life),
            whole,
            tiles: BTreeMap::new(),
            now: None,
            due: None,
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
        self.settle();
    }

    fn is_lost(&self, tile: &Tile) -> bool {
        self.life.is_lost(tile.heard, self.now)
    }

    /// Lets go what is over by now; says whether anything is. Looks no more until the next one is due.
    fn settle(&mut self) -> bool {
        let before = self.tiles.len();
        self.tiles.retain(|_, tile| !self.life.is_over(tile.heard, self.now));
        self.due = self.tiles.values().filter_map(|tile| self.life.next(tile.heard, self.now)).min();
        self.tiles.len() < before
    }

    /// Sees to it that a tile which was heard of then is looked at in time.
    fn look_after(&mut self, heard: Ms) {
        self.due = self.due.into_iter().chain(self.life.next(heard, self.now)).min();
    }
}

/// The state as JSON.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    tiles: Cow<'a, BTreeMap<String, Tile>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<Ms>,
}

impl Reduce for Status {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let (at, data) = (event.time.as_millis(), event.data.value());
        let key = self.key.of(data)?;
        if self.life.ends_by(event) {
            let is_news = self.tiles.get(key.as_ref()).is_some_and(|tile| tile.heard <= at);
            return Ok(is_news && self.tiles.remove(key.as_ref()).is_some());
        }
        // It had gone by the time of this event, whether time was told to pass or not.
        if self.tiles.get(key.as_ref()).is_some_and(|tile| self.life.is_over(tile.heard, Some(at))) {
            self.tiles.remove(key.as_ref());
        }
        // A state that nobody tells any more isn't known.
        let untold = || self.whole.then_some(Said { text: Cow::Borrowed(""), state: State::Unknown });
        let said = self.meaning.of(data)?.or_else(untold);
        let fill = |template: &Option<Template>| {
            template
                .as_ref()
                .filter(|template| self.whole || is_filled_by(template, data))
                .map(|template| render(template, data))
        };
        let was_lost = self.tiles.get(key.as_ref()).is_some_and(|tile| self.is_lost(tile));
        let Some(tile) = self.tiles.get_mut(key.as_ref()) else {
            if self.life.is_over(at, self.now) {
                return Ok(false);
            }
            if self.tiles.len() >= TILES_MAX {
                // Some may have gone by the time of this event as well: what is caught up with comes before time is told to pass.
                self.tiles.retain(|_, tile| !self.life.is_over(tile.heard, Some(at)));
            }
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
            self.look_after(at);
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
        let changed = *tile != Tile { heard: at, ..before };
        self.look_after(at);
        Ok(changed || was_lost)
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        if self.life.is_timeless() {
            return false;
        }
        let before = self.now.replace(now);
        let is_set_back = before.is_some_and(|before| now < before);
        if !is_set_back && self.due.is_none_or(|due| now < due) {
            return false;
        }
        let turned = |tile: &Tile| self.life.is_lost(tile.heard, before) != self.life.is_lost(tile.heard, Some(now));
        let has_turned = self.tiles.values().any(turned);
        self.settle() || has_turned
    }

    fn state(&self) -> Text {
        super::to_json(&Stored { tiles: Cow::Borrowed(&self.tiles), now: self.now })
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        let Stored { tiles, now } = super::from_json(state)?;
        if tiles.len() > TILES_MAX {
            return Err(format!("{} tiles, the limit is {TILES_MAX}", tiles.len()));
        }
        check_instant(now)?;
        for (key, tile) in &*tiles {
            check_instant(Some(tile.since))?;
            check_instant(Some(tile.heard))?;
            if key.is_empty() || key.len() > KEY_BYTES_MAX {
                return Err(format!("a key of {} bytes", key.len()));
            }
        }
        self.tiles = tiles.into_owned();
        self.now = now.filter(|_| !self.life.is_timeless());
        self.settle();
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        let value = |(key, tile): (&String, &Tile)| {
            let lost = self.is_lost(tile);
            TileValue {
                key: key.clone(),
                label: tile.label.clone(),
                text: tile.text.clone(),
                state: if lost { tile.state.or_worse(State::Unknown) } else { tile.state },
                detail: tile.detail.clone(),
                since_ms: if lost { tile.heard } else { tile.since },
                lost,
            }
        };
        WidgetValue::Status(StatusValue { tiles: self.tiles.iter().map(value).collect() })
    }

    fn report(&self) -> Value {
        let WidgetValue::Status(StatusValue { tiles }) = self.value(0) else { return Value::Null };
        let report = |tile: TileValue| {
            let mut report = json!({"label": tile.label, "text": tile.text, "state": tile.state, "detail": tile.detail,
                "since": tile.since_ms});
            if tile.lost {
                report["lost"] = json!(true);
            }
            (tile.key, report)
        };
        Value::Object(tiles.into_iter().map(report).collect())
    }

    fn lets_go(&self) -> bool {
        self.life.expires()
    }

    fn next_change(&self) -> Option<Ms> {
        self.due
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

    fn begins_with(&self, event: &Event) -> bool {
        let held = self.held_of(event);
        held.is_none_or(|(_, heard)| self.life.is_over(heard, Some(event.time.as_millis())))
    }

    fn keep_only(&mut self, keys: &BTreeSet<String>, _: u64) {
        self.tiles.retain(|key, _| keys.contains(key));
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use watchfloor_model::Timestamp;

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

    /// H1: what was not heard of for long says so, an alarm stays one, and what is over is gone.
    #[test]
    fn tiles_fall_silent_and_go() {
        let spec = json!({"kind": "status", "key": "k", "state": "s", "lost_after": 100, "expire": 1000, "remove_on": ["gone"]});
        let mut own = aggregate(spec);
        fold(&mut own, 10, json!({"k": "a", "s": "ok"}));
        fold(&mut own, 20, json!({"k": "b", "s": "bad"}));
        let tile = |name: &str, text: &str, state: &str, since: i64| json!({"label": name, "text": text, "state": state, "detail": null, "since": since});
        let silent = |mut tile: Value| {
            tile["lost"] = json!(true);
            tile
        };
        let mut at = |now: i64| {
            own.advance(Timestamp::from_millis(now));
            own.report()
        };
        let (a, b) = (tile("a", "ok", "normal", 10), tile("b", "bad", "alarm", 20));
        assert_eq!(at(109), json!({"a": a, "b": b}));
        assert_eq!(at(110), json!({"a": silent(tile("a", "ok", "unknown", 10)), "b": b}));
        assert_eq!(at(120)["b"], silent(b.clone()));
        // A clock that was ahead is set right.
        assert_eq!(at(115)["b"], b);
        assert_eq!(at(1010), json!({"b": silent(b)}));
        fold(&mut own, 1015, json!({"k": "b", "s": "bad"}));
        fold(&mut own, 1015, json!({"k": "c", "s": "ok"}));
        let (b, c) = (tile("b", "bad", "alarm", 20), tile("c", "ok", "normal", 1015));
        assert_eq!(own.report(), json!({"b": b, "c": c}), "silent no more, and bad all the while");
        let removed = |key: &str, time: i64| event("c", "gone", time, json!({"k": key}));
        own.fold(&removed("c", 1014)).expect("a removal that is too late");
        own.fold(&removed("b", 1016)).expect("a removal");
        assert_eq!(own.report(), json!({"c": c}));
    }

    proptest! {
        /// Whatever the order of looking at the clock and hearing: silent, there and gone as by the time of the newest event.
        #[test]
        fn silence_is_by_the_newest_event(story in vec((0..4_usize, 0..400_i64, any::<bool>()), 1..40), looks in vec(0..60_i64, 40), end in 0..700_i64) {
            let spec = json!({"kind": "status", "key": "k", "state": "s", "lost_after": 50, "expire": 120});
            let mut own = aggregate(spec);
            let mut now = 0;
            let mut heard: BTreeMap<usize, i64> = BTreeMap::new();
            for ((key, back, is_bad), on) in story.iter().zip(&looks) {
                now += on;
                own.advance(Timestamp::from_millis(now));
                heard.retain(|_, heard| *heard + 120 > now);
                let at = now - back.min(&now);
                fold(&mut own, at, json!({"k": format!("k{key}"), "s": if *is_bad { "bad" } else { "ok" }}));
                if at + 120 > now {
                    let newest = heard.entry(*key).or_insert(at);
                    *newest = at.max(*newest);
                }
            }
            let end = now + end;
            own.advance(Timestamp::from_millis(end));
            let expected: BTreeMap<String, bool> =
                heard.iter().filter(|(_, heard)| **heard + 120 > end).map(|(key, heard)| (format!("k{key}"), heard + 50 <= end)).collect();
            let report = own.report();
            let shown: BTreeMap<String, bool> =
                report.as_object().into_iter().flatten().map(|(key, tile)| (key.clone(), tile["lost"] == true)).collect();
            prop_assert_eq!(shown, expected);
        }
    }

    /// H3: what came together, before time was told to pass, comes to the same as what came in its time.
    #[test]
    fn a_key_takes_the_place_of_one_that_has_gone_by_then() {
        let spec = json!({"kind": "status", "key": "k", "state": "s", "expire": 1000, "lost_after": 100});
        let both = [true, false].map(|is_told| {
            let mut own = aggregate(spec.clone());
            own.advance(Timestamp::from_millis(0));
            for key in 0..2 * TILES_MAX {
                let at = if key < TILES_MAX { 1 } else { 1001 };
                if is_told {
                    own.advance(Timestamp::from_millis(at));
                }
                fold(&mut own, at, json!({"k": key, "s": "ok"}));
            }
            own.advance(Timestamp::from_millis(1001));
            own.report()
        });
        assert_eq!(both[0].as_object().map(serde_json::Map::len), Some(TILES_MAX));
        assert_eq!(both[0], both[1]);
        // One that has gone itself takes nobody's place, and is no fault.
        let mut own = aggregate(spec);
        own.advance(Timestamp::from_millis(2000));
        for key in 0..TILES_MAX {
            fold(&mut own, 1500, json!({"k": key, "s": "ok"}));
        }
        fold(&mut own, 900, json!({"k": "late", "s": "ok"}));
        assert!(own.fold(&event("c", "e", 2000, json!({"k": "more"}))).is_err());
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

//! What is read of a record: of each widget how bad it is, and nothing else.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use watchfloor_board::{
    frame::{SinceShown, State},
    freshness::Freshness,
};

/// Characters at most of what is said of the worst row, tile, bar or marker.
const WHAT_CHARACTERS_MAX: usize = 120;

/// A record, as far as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct Scanned<'a> {
    #[serde(borrow)]
    frame: Frame<'a>,
}

#[derive(Debug, Deserialize)]
struct Frame<'a> {
    revision: u32,
    #[serde(default)]
    board: Option<Board>,
    #[serde(borrow)]
    widgets: Vec<Patch<'a>>,
}

#[derive(Debug, Deserialize)]
struct Board {
    widgets: Vec<Widget>,
}

#[derive(Debug, Deserialize)]
struct Widget {
    id: String,
    title: String,
    look: Look,
}

#[derive(Debug, Deserialize)]
struct Look {
    kind: String,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    decimals: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct Patch<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default, borrow)]
    value: Option<Value<'a>>,
    quality: Quality,
}

#[derive(Debug, Deserialize)]
struct Quality {
    freshness: Freshness,
}

/// A value of any kind: which of these there are follows from the kind.
#[derive(Debug, Deserialize)]
struct Value<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    whole: bool,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    state: State,
    #[serde(default, borrow)]
    tiles: Vec<Item<'a>>,
    #[serde(default, borrow)]
    bars: Vec<Item<'a>>,
    #[serde(default, borrow)]
    rows: Vec<Item<'a>>,
    #[serde(default, borrow)]
    markers: Vec<Item<'a>>,
    #[serde(default, borrow)]
    removed: Vec<Cow<'a, str>>,
    #[serde(default, borrow)]
    order: Option<Vec<Cow<'a, str>>>,
}

/// A row, tile, bar or marker.
#[derive(Debug, Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default, borrow)]
    label: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default)]
    state: State,
    #[serde(default)]
    marks: Vec<Mark>,
    #[serde(default, borrow)]
    stretches: Vec<Stretch<'a>>,
}

#[derive(Debug, Deserialize)]
struct Mark {
    state: State,
}

#[derive(Debug, Deserialize)]
struct Stretch<'a> {
    to_ms: Option<i64>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    state: State,
}

impl<'a> Scanned<'a> {
    /// Reads a record's text.
    ///
    /// # Errors
    /// If it isn't one.
    pub(super) fn of(text: &[u8]) -> serde_json::Result<Scanned<'_>> {
        serde_json::from_slice(text)
    }
}

/// What is known of a widget that the newest board has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    pub(super) decimals: u8,
    /// Whether the board has it.
    pub(super) is_here: bool,
}

/// What all widgets hold by the records so far.
#[derive(Debug, Default)]
pub(super) struct Held {
    revision: Option<u32>,
    /// In the order of the newest board.
    widgets: Vec<Widg>,
    /// Of all boards so far.
    views: BTreeMap<String, View>,
}

#[derive(Debug, Default)]
struct Widg {
    id: String,
    freshness: Freshness,
    holds: Holds,
}

#[derive(Debug, Default)]
enum Holds {
    /// Nothing yet, or nothing that can be bad.
    #[default]
    Nothing,
    Number(Option<f64>, State),
    /// Those of its rows, tiles, bars or markers that aren't normal, with what is said of them.
    Items(BTreeMap<String, (State, String)>),
}

/// What a widget shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) freshness: Freshness,
    pub(super) state: State,
    pub(super) value: Option<f64>,
    holds: &'a Holds,
}

impl Held {
    /// Takes a record; false if it can't be understood as a change to what is held.
    pub(super) fn take(&mut self, scanned: Scanned<'_>) -> bool {
        let Frame { revision, board, widgets } = scanned.frame;
        let is_whole = board.is_some();
        if let Some(board) = board {
            self.begin(revision, board);
        } else if self.revision != Some(revision) {
            return false;
        }
        for (number, patch) in widgets.into_iter().enumerate() {
            // Each record has all widgets, in the board's order.
            let Some(own) = self.widgets.get_mut(number).filter(|own| own.id == patch.id) else { return false };
            own.freshness = patch.quality.freshness;
            if let Some(value) = patch.value
                && !own.holds.take(value, is_whole)
            {
                return false;
            }
        }
        true
    }

    fn begin(&mut self, revision: u32, board: Board) {
        self.revision = Some(revision);
        self.views.values_mut().for_each(|view| view.is_here = false);
        self.widgets.clear();
        for Widget { id, title, look } in board.widgets {
            let Look { kind, unit, decimals } = look;
            let view = View { title, kind, unit, decimals: decimals.unwrap_or(0), is_here: true };
            self.views.insert(id.clone(), view);
            self.widgets.push(Widg { id, ..Widg::default() });
        }
    }

    /// How many widgets the board has.
    pub(super) const fn len(&self) -> usize {
        self.widgets.len()
    }

    /// What a widget of the board shows, by its number.
    pub(super) fn seen(&self, number: usize) -> Option<(&str, Seen<'_>)> {
        let own = self.widgets.get(number)?;
        Some((&own.id, Seen::of(own)))
    }

    /// What is known of a widget that any board had.
    pub(super) fn view(&self, id: &str) -> Option<&View> {
        self.views.get(id)
    }
}

impl Holds {
    /// False if it is a change to something that isn't held.
    fn take(&mut self, value: Value<'_>, is_first: bool) -> bool {
        let items = |all: Vec<Item<'_>>| Self::Items(all.into_iter().filter_map(Item::off).collect());
        match &*value.kind {
            "number" => *self = Self::Number(value.value, value.state),
            "status" => *self = items(value.tiles),
            "tally" => *self = items(value.bars),
            "table" | "timeline" | "markers" => {
                let changed = if value.kind == "markers" { value.markers } else { value.rows };
                if value.whole {
                    *self = items(changed);
                    return true;
                }
                let Self::Items(held) = self else { return false };
                if is_first {
                    return false;
                }
                for item in changed {
                    held.remove(&*item.key);
                    held.extend(item.off());
                }
                for key in &value.removed {
                    held.remove(&**key);
                }
                // What has no place in it isn't shown.
                if let Some(order) = value.order.filter(|_| !held.is_empty()) {
                    let shown: std::collections::BTreeSet<&str> = order.iter().map(|key| &**key).collect();
                    held.retain(|key, _| shown.contains(key.as_str()));
                }
            }
            _ => *self = Self::Nothing,
        }
        true
    }
}

impl Item<'_> {
    /// It, if it isn't normal.
    fn off(self) -> Option<(String, (State, String))> {
        let newest = self.stretches.last().filter(|own| own.to_ms.is_none());
        let state = newest
            .map(|own| own.state)
            .into_iter()
            .chain(self.marks.iter().map(|mark| mark.state))
            .fold(self.state, worse);
        if !is_off(state) {
            return None;
        }
        let name = self.label.as_deref().unwrap_or(&self.key);
        let text = self.text.as_deref().or_else(|| newest.and_then(|own| own.text.as_deref()));
        let what = match text {
            Some(text) if !text.is_empty() => format!("{name}: {text}"),
            _ => name.to_owned(),
        };
        let what = what.chars().take(WHAT_CHARACTERS_MAX).collect();
        Some((self.key.into_owned(), (state, what)))
    }
}

/// Whether somebody has to look at it.
pub(super) const fn is_off(state: State) -> bool {
    matches!(state, State::Warning | State::Alarm)
}

/// The worse one of both: what is worth a look before what isn't.
pub(super) fn worse(a: State, b: State) -> State {
    if badness(b) > badness(a) { b } else { a }
}

/// How bad it is, beginning with what asks for nothing.
pub(super) const fn badness(state: State) -> u8 {
    match state {
        State::Alarm => 2,
        State::Warning => 1,
        State::Normal | State::Muted | State::Unknown => 0,
    }
}

impl<'a> Seen<'a> {
    fn of(own: &'a Widg) -> Self {
        let is_shown = !matches!(own.freshness, Freshness::Refused | Freshness::Unknown);
        let (state, value) = match &own.holds {
            _ if !is_shown => (State::Unknown, None),
            Holds::Nothing => (State::Normal, None),
            Holds::Number(value, state) => (*state, *value),
            Holds::Items(items) => (items.values().map(|(state, _)| *state).fold(State::Normal, worse), None),
        };
        Self { freshness: own.freshness, state, value, holds: &own.holds }
    }

    /// Whether the widget's value was on the glass.
    pub(super) const fn is_shown(&self) -> bool {
        !matches!(self.freshness, Freshness::Refused | Freshness::Unknown)
    }

    /// All that is said of it.
    pub(super) fn shown(&self, at_ms: i64) -> SinceShown {
        let mut shown = SinceShown {
            at_ms,
            state: self.state,
            freshness: self.freshness,
            value: self.value,
            alarms: 0,
            warnings: 0,
            what: None,
        };
        if let Holds::Items(items) = self.holds
            && self.is_shown()
        {
            for (state, what) in items.values() {
                match state {
                    State::Alarm => shown.alarms += 1,
                    _ => shown.warnings += 1,
                }
                if *state == self.state && shown.what.is_none() {
                    shown.what = Some(what.clone());
                }
            }
        }
        shown
    }
}

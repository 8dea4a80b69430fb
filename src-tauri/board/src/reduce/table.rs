//! Rows by key: an event updates the cells that it has a value for, in the order in which events come.

mod visible;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection, Text, check_instant,
    expiry::Expiry,
    meaning::Meaning,
    number_json,
    pick::{self, KEY_BYTES_MAX, Picked, Scalar},
    rank::{Rank, SortValue},
    tombstones::Tombstones,
};
use crate::{
    frame::{Cell, RowValue, State, TableValue, WidgetValue},
    path::Path,
};
use visible::{Moved, Visible};

/// Most rows kept; those last in order beyond it are forgotten.
pub(crate) const ROWS_MAX: usize = 10_000;

/// See [`crate::config::spec::ReducerSpec::Table`].
pub(crate) struct Table {
    settings: Settings,
    rows: HashMap<Arc<str>, Row>,
    order: Visible,
    expiry: Expiry,
    gone: Tombstones,
    /// When the order of the visible rows last changed.
    order_version: u64,
    /// Whether rows found no place. Nothing is kept of them, so that nobody knows how many they are, nor whether they have gone since.
    surplus: bool,
    now: Option<Ms>,
}

/// What decides a table's rows.
pub(crate) struct Settings {
    pub(crate) key: Path,
    pub(crate) columns: Vec<Path>,
    pub(crate) sort: Option<Path>,
    pub(crate) descending: bool,
    pub(crate) remove_on: Vec<String>,
    pub(crate) expire: Option<Ms>,
    pub(crate) expire_at: Option<Path>,
    pub(crate) state: Option<Meaning>,
    /// Whether an event says all that there is of a row.
    pub(crate) whole: bool,
}

struct Row {
    cells: Vec<Cell>,
    rank: Rank,
    state: State,
    /// The time of its newest event.
    heard: Ms,
    /// When it goes by an event's word.
    expires: Option<Ms>,
    /// When it is in the expiry's queue, if it is.
    queued: Option<Ms>,
    /// When what it shows last changed, or it came into sight.
    version: u64,
}

impl Row {
    /// When it goes.
    fn end(&self, settings: &Settings) -> Option<Ms> {
        let silent = settings.expire.map(|expire| self.heard.saturating_add(expire));
        silent.into_iter().chain(self.expires).min()
    }
}

/// What an event says of a row.
struct Update<'a> {
    at: Ms,
    /// By column.
    cells: Vec<Option<Scalar<'a>>>,
    sort: Option<Scalar<'a>>,
    expires: Picked<Ms>,
    state: Option<State>,
}

impl Table {
    /// Shows the first `limit` rows.
    pub(crate) fn new(settings: Settings, limit: u32) -> Self {
        Self {
            settings,
            rows: HashMap::new(),
            order: Visible::new(limit as usize),
            expiry: Expiry::default(),
            gone: Tombstones::default(),
            order_version: 0,
            surplus: false,
            now: None,
        }
    }

    /// Reads everything that the event says before anything is changed.
    fn read<'a>(&self, event: &'a Event) -> Result<Update<'a>, Rejection> {
        let data = event.data.value();
        let mut cells = Vec::with_capacity(self.settings.columns.len());
        for path in &self.settings.columns {
            cells.push(pick::scalar(path, data)?);
        }
        let sort = match &self.settings.sort {
            Some(path) => pick::scalar(path, data)?,
            None => None,
        };
        let expires = match &self.settings.expire_at {
            Some(path) => pick::instant(path, data)?,
            None => Picked::Missing,
        };
        let state = match &self.settings.state {
            Some(meaning) => meaning.of(data)?.map(|said| said.state),
            None => None,
        };
        Ok(Update { at: event.time.as_millis(), cells, sort, expires, state })
    }

    fn insert(&mut self, key: Arc<str>, update: Update<'_>, version: u64) -> bool {
        let row = Row {
            cells: update.cells.into_iter().map(|said| said.map_or(Cell::Missing, Cell::from)).collect(),
            rank: Rank::new(update.sort.as_ref().and_then(SortValue::of), self.settings.descending),
            state: update.state.unwrap_or_default(),
            heard: update.at,
            expires: update.expires.some(),
            queued: None,
            version,
        };
        let place = (row.rank.clone(), Arc::clone(&key));
        if self.rows.len() >= ROWS_MAX {
            let is_news = !std::mem::replace(&mut self.surplus, true);
            if self.order.last().is_none_or(|last| place >= *last) {
                return is_news;
            }
            self.remove_last(version);
        }
        let mut moved = self.order.insert(place);
        // It has this version already.
        moved.shown = None;
        self.note(moved, version);
        if self.is_endless() {
            self.rows.insert(key, row);
            return true;
        }
        self.rows.insert(Arc::clone(&key), row);
        self.settle(&key, version);
        true
    }

    /// Updates the row of `key`, which there is.
    fn update(&mut self, key: &str, update: Update<'_>, version: u64) -> bool {
        let Some(row) = self.rows.get_mut(key) else { return false };
        let mut changed = false;
        let whole = self.settings.whole;
        for (cell, said) in row.cells.iter_mut().zip(update.cells) {
            let next = match said {
                Some(said) => (said != *cell).then(|| said.into()),
                None => (whole && *cell != Cell::Missing).then_some(Cell::Missing),
            };
            if let Some(next) = next {
                *cell = next;
                changed = true;
            }
        }
        if let Some(state) = update.state.or_else(|| whole.then(State::default)).filter(|state| *state != row.state) {
            row.state = state;
            changed = true;
        }
        match update.expires {
            Picked::Missing if !whole => (),
            Picked::Missing | Picked::Null => row.expires = None,
            Picked::Some(at) => row.expires = Some(at),
        }
        row.heard = row.heard.max(update.at);
        if changed {
            row.version = version;
        }
        let end = row.end(&self.settings);
        let is_settled = match (end, row.queued) {
            (None, _) => true,
            (Some(end), Some(queued)) => queued <= end && self.now.is_none_or(|now| now < end),
            (Some(_), None) => false,
        };
        let sort = update.sort.or_else(|| (whole && self.settings.sort.is_some()).then_some(Scalar::Null));
        let moves = sort.filter(|sort| !row.rank.is_of(sort));
        if is_settled && moves.is_none() {
            return changed;
        }
        let Some(key) = self.rows.get_key_value(key).map(|(key, _)| Arc::clone(key)) else { return changed };
        if let Some(sort) = moves {
            changed |= self.reorder(&key, Rank::new(SortValue::of(&sort), self.settings.descending), version);
        }
        changed | self.settle(&key, version)
    }

    fn reorder(&mut self, key: &Arc<str>, rank: Rank, version: u64) -> bool {
        let Some(row) = self.rows.get_mut(key) else { return false };
        let old = std::mem::replace(&mut row.rank, rank.clone());
        let moved = self.order.change((old, Arc::clone(key)), (rank, Arc::clone(key)));
        self.note(moved, version)
    }

    fn remove(&mut self, key: &str, version: u64) -> bool {
        let Some((key, row)) = self.rows.remove_entry(key) else { return false };
        if let Some(queued) = row.queued {
            self.expiry.remove(queued, &key);
        }
        let moved = self.order.remove(&(row.rank, key));
        self.note(moved, version);
        if self.rows.is_empty() {
            self.surplus = false;
        }
        true
    }

    fn remove_last(&mut self, version: u64) {
        let Some(((_, key), moved)) = self.order.pop() else { return };
        if let Some(queued) = self.rows.remove(&key).and_then(|row| row.queued) {
            self.expiry.remove(queued, &key);
        }
        self.note(moved, version);
    }

    /// Whether no row goes by time passing.
    const fn is_endless(&self) -> bool {
        self.settings.expire.is_none() && self.settings.expire_at.is_none()
    }

    /// Lets a row go whose end has come, and sees to it that it is looked at when it comes; says whether it went.
    fn settle(&mut self, key: &Arc<str>, version: u64) -> bool {
        if self.is_endless() {
            return false;
        }
        let Some(row) = self.rows.get_mut(key) else { return false };
        let Some(end) = row.end(&self.settings) else { return false };
        if self.now.is_some_and(|now| end <= now) {
            return self.remove(key, version);
        }
        // An earlier look is early enough: it finds out that the end has moved.
        if row.queued.is_none_or(|queued| end < queued) {
            if let Some(queued) = row.queued.replace(end) {
                self.expiry.remove(queued, key);
            }
            self.expiry.add(end, Arc::clone(key));
        }
        false
    }

    /// Remembers what came into sight and what went out of it; says whether anything visible changed.
    fn note(&mut self, moved: Moved, version: u64) -> bool {
        if let Some(row) = moved.shown.as_ref().and_then(|key| self.rows.get_mut(key)) {
            row.version = version;
        }
        if let Some(key) = moved.hidden {
            self.gone.add(version, key);
        }
        if moved.reordered {
            self.order_version = version;
        }
        moved.reordered
    }

    fn row_value(&self, key: &Arc<str>) -> Option<RowValue> {
        let row = self.rows.get(key)?;
        Some(RowValue { key: key.to_string(), cells: row.cells.clone(), state: row.state })
    }
}

impl Reduce for Table {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        let key = pick::key(&self.settings.key, event.data.value())?;
        if self.settings.remove_on.iter().any(|name| **name == *event.name) {
            return Ok(self.remove(&key, version));
        }
        let update = self.read(event)?;
        let end = self.rows.get(key.as_ref()).map(|row| row.end(&self.settings));
        Ok(match end {
            None => self.insert(key.as_ref().into(), update, version),
            // The row had gone by the time of this event, whether time was told to pass or not.
            Some(Some(end)) if end <= update.at => {
                self.remove(&key, version);
                self.insert(key.as_ref().into(), update, version)
            }
            Some(_) => self.update(&key, update, version),
        })
    }

    fn advance(&mut self, now: Ms, version: u64) -> bool {
        self.now = Some(now);
        let mut changed = false;
        while let Some(key) = self.expiry.pop(now) {
            if let Some(row) = self.rows.get_mut(&key) {
                row.queued = None;
            }
            changed |= self.settle(&key, version);
        }
        changed
    }

    fn state(&self) -> Text {
        let rows: Vec<_> =
            self.order.all().filter_map(|(_, key)| Some(StoredRow::of(key, self.rows.get(key)?))).collect();
        super::to_json(&Stored { rows, surplus: self.surplus.into(), now: self.now })
    }

    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        let stored: Stored = super::from_json(state)?;
        stored.check(self.settings.columns.len())?;
        self.rows.clear();
        self.order.clear();
        self.expiry.clear();
        for row in stored.rows {
            let (key, row) = row.into_row(self.settings.descending, version);
            self.order.insert((row.rank.clone(), Arc::clone(&key)));
            self.rows.insert(key, row);
        }
        self.gone.clear(version);
        self.order_version = version;
        self.surplus = stored.surplus > 0;
        self.now = stored.now;
        let keys: Vec<_> = self.rows.keys().cloned().collect();
        for key in keys {
            self.settle(&key, version);
        }
        Ok(())
    }

    fn value(&self, since: u64) -> WidgetValue {
        let whole = !self.gone.reach(since);
        let is_new = |key: &Arc<str>| whole || self.rows.get(key).is_some_and(|row| row.version > since);
        let rows =
            self.order.shown().filter(|(_, key)| is_new(key)).filter_map(|(_, key)| self.row_value(key)).collect();
        let is_away = |key: &Arc<str>| {
            self.rows.get(key).is_none_or(|row| !self.order.shows(&(row.rank.clone(), Arc::clone(key))))
        };
        let removed = self.gone.since(since, is_away);
        let order =
            (whole || self.order_version > since).then(|| self.order.shown().map(|(_, key)| key.to_string()).collect());
        let total = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        WidgetValue::Table(TableValue { whole, rows, removed, order, total, at_least: self.surplus })
    }

    fn report(&self) -> Value {
        let row_report = |(key, row): (&Arc<str>, &Row)| {
            let cells: Vec<Value> = row.cells.iter().map(cell_report).collect();
            json!({"key": key, "cells": cells, "state": row.state})
        };
        self.order.shown().filter_map(|(_, key)| self.rows.get_key_value(key).map(row_report)).collect()
    }

    fn lets_go(&self) -> bool {
        self.settings.expire.is_some() || self.settings.expire_at.is_some()
    }

    fn next_change(&self) -> Option<Ms> {
        self.expiry.next()
    }

    fn held_of(&self, event: &Event) -> Option<(String, Ms)> {
        let key = pick::key(&self.settings.key, event.data.value()).ok()?;
        self.rows.get(key.as_ref()).map(|row| (key.into_owned(), row.heard))
    }

    fn begins_with(&self, event: &Event) -> bool {
        let key = pick::key(&self.settings.key, event.data.value());
        let row = key.ok().and_then(|key| self.rows.get(key.as_ref()));
        row.is_none_or(|row| row.end(&self.settings).is_some_and(|end| end <= event.time.as_millis()))
    }

    fn shows(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    fn keep_only(&mut self, keys: &BTreeSet<String>, version: u64) {
        let others: Vec<_> = self.rows.keys().filter(|key| !keys.contains(&***key)).cloned().collect();
        for key in others {
            self.remove(&key, version);
        }
        self.surplus = false;
    }
}

fn cell_report(cell: &Cell) -> Value {
    match cell {
        Cell::Number(value) => number_json(*value),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Time(at) => Value::from(*at),
        Cell::Null | Cell::Missing => Value::Null,
    }
}

/// The state as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    rows: Vec<StoredRow>,
    /// Whether rows found no place: more than 0. Once they were counted.
    surplus: u32,
    now: Option<Ms>,
}

#[derive(Serialize, Deserialize)]
struct StoredRow {
    key: Arc<str>,
    cells: Vec<StoredCell>,
    sort: Option<SortValue>,
    state: State,
    heard: Ms,
    expires: Option<Ms>,
}

/// A cell as JSON: itself, or an empty list where no event has said anything.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredCell {
    Number(f64),
    Text(String),
    Null(()),
    Missing([(); 0]),
}

impl Stored {
    fn check(&self, columns: usize) -> Result<(), String> {
        if self.rows.len() > ROWS_MAX {
            return Err(format!("{} rows, the limit is {ROWS_MAX}", self.rows.len()));
        }
        check_instant(self.now)?;
        for row in &self.rows {
            check_instant(Some(row.heard))?;
            check_instant(row.expires)?;
            if row.cells.len() != columns || row.key.is_empty() || row.key.len() > KEY_BYTES_MAX {
                return Err(format!("row {:?} has {} cells, not {columns}", row.key, row.cells.len()));
            }
        }
        let mut keys: Vec<_> = self.rows.iter().map(|row| &row.key).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two rows with the key {:?}", pair[0])),
            None => Ok(()),
        }
    }
}

impl StoredRow {
    fn of(key: &Arc<str>, row: &Row) -> Self {
        let cell = |cell: &Cell| match cell {
            Cell::Number(value) => StoredCell::Number(*value),
            Cell::Text(text) => StoredCell::Text(text.clone()),
            #[allow(clippy::cast_precision_loss)] // within 2^53
            Cell::Time(at) => StoredCell::Number(*at as f64),
            Cell::Null => StoredCell::Null(()),
            Cell::Missing => StoredCell::Missing([]),
        };
        Self {
            key: Arc::clone(key),
            cells: row.cells.iter().map(cell).collect(),
            sort: row.rank.value().cloned(),
            state: row.state,
            heard: row.heard,
            expires: row.expires,
        }
    }

    fn into_row(self, descending: bool, version: u64) -> (Arc<str>, Row) {
        let cell = |cell: StoredCell| match cell {
            StoredCell::Number(value) => Cell::Number(value),
            StoredCell::Text(text) => Cell::Text(text),
            StoredCell::Null(()) => Cell::Null,
            StoredCell::Missing([]) => Cell::Missing,
        };
        let row = Row {
            cells: self.cells.into_iter().map(cell).collect(),
            rank: Rank::new(self.sort, descending),
            state: self.state,
            heard: self.heard,
            expires: self.expires,
            queued: None,
            version,
        };
        (self.key, row)
    }
}

#[cfg(test)]
mod tests;

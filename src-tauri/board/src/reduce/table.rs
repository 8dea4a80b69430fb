//! Rows by key: an event updates the cells that it has a value for, in the order in which events come.

mod groups;
mod order;
mod stored;
mod visible;
mod window;

use std::{
    collections::{BTreeSet, HashMap},
    mem::size_of,
    sync::Arc,
};

use serde_json::{Value, json, value::RawValue};
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection, Text,
    expiry::Expiry,
    meaning::Meaning,
    number_json,
    pick::{self, Picked, Scalar},
    rank::{Rank, Ranks, SortValue},
    tombstones::Tombstones,
};
use crate::{
    frame::{Cell, RowValue, State, TableValue, WidgetValue},
    path::Path,
};
use groups::Groups;
use stored::{Stored, StoredRow};
use visible::{Moved, Place, Visible};

pub(crate) use order::{SortBy, order_of};
pub(crate) use window::{By, Reading, Search, Searched};

/// Most rows kept; those last in order beyond it are forgotten.
pub(crate) const ROWS_MAX: usize = 100_000;
/// Most bytes of all rows together, as [`Row::bytes`] counts them: texts may be long.
pub(crate) const BYTES_MAX: usize = 64 << 20;
/// What a row costs besides what it holds: its places in the maps, about.
const ROW_BYTES: usize = 2 * size_of::<Place>() + size_of::<Row>() + 64;

/// See [`crate::config::spec::ReducerSpec::Table`].
pub(crate) struct Table {
    settings: Settings,
    rows: HashMap<Arc<str>, Row>,
    order: Visible,
    /// Of a table without groups there are none.
    groups: Groups,
    /// Of all rows.
    bytes: usize,
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
    /// What decides the order of rows, the first before the others.
    pub(crate) sort: Vec<SortBy>,
    /// Whether rows of the same first value are a group.
    pub(crate) grouped: bool,
    pub(crate) remove_on: Vec<String>,
    pub(crate) expire: Option<Ms>,
    pub(crate) expire_at: Option<Path>,
    pub(crate) state: Option<Meaning>,
    /// Whether an event says all that there is of a row.
    pub(crate) whole: bool,
}

struct Row {
    cells: Box<[Cell]>,
    rank: Ranks,
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

    /// What it costs, about.
    fn bytes(&self, key: &str) -> usize {
        let cells: usize = self.cells.iter().map(cell_bytes).sum();
        let ranks: usize = self.rank.all().map(Rank::bytes).sum();
        ROW_BYTES + key.len() + cells + ranks + size_of_val(self.rank.others())
    }
}

fn cell_bytes(cell: &Cell) -> usize {
    size_of::<Cell>() + if let Cell::Text(text) = cell { text.len() } else { 0 }
}

/// What an event says of a row.
struct Update<'a> {
    at: Ms,
    /// By column.
    cells: Vec<Option<Scalar<'a>>>,
    /// By what rows are sorted by.
    sort: Vec<Option<Scalar<'a>>>,
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
            groups: Groups::default(),
            bytes: 0,
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
        let mut sort = Vec::with_capacity(self.settings.sort.len());
        for by in &self.settings.sort {
            sort.push(pick::scalar(&by.path, data)?);
        }
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
            rank: self.settings.ranks(update.sort.iter().map(|said| said.as_ref().and_then(SortValue::of))),
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
        self.bytes += row.bytes(&key);
        if self.settings.grouped {
            self.groups.add(row.rank.first(), row.state);
        }
        self.rows.insert(Arc::clone(&key), row);
        self.settle(&key, version);
        self.bound(version);
        true
    }

    /// Lets the last rows go that there is no room for.
    fn bound(&mut self, version: u64) {
        while self.bytes > BYTES_MAX && self.rows.len() > 1 {
            self.surplus = true;
            self.remove_last(version);
        }
    }

    /// Updates the row of `key`, which there is.
    fn update(&mut self, key: &str, update: Update<'_>, version: u64) -> bool {
        let Some(row) = self.rows.get_mut(key) else { return false };
        let mut changed = false;
        let whole = self.settings.whole;
        let (mut came, mut went) = (0, 0);
        for (cell, said) in row.cells.iter_mut().zip(update.cells) {
            let next = match said {
                Some(said) => (said != *cell).then(|| said.into()),
                None => (whole && *cell != Cell::Missing).then_some(Cell::Missing),
            };
            if let Some(next) = next {
                went += cell_bytes(cell);
                came += cell_bytes(&next);
                *cell = next;
                changed = true;
            }
        }
        self.bytes = (self.bytes + came).saturating_sub(went);
        let state = update.state.or_else(|| whole.then(State::default)).filter(|state| *state != row.state);
        if let Some(state) = state {
            let old = std::mem::replace(&mut row.state, state);
            changed = true;
            if self.settings.grouped {
                self.groups.remove(row.rank.first(), old);
                self.groups.add(row.rank.first(), state);
            }
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
        let moves = self.settings.moved(&row.rank, &update.sort);
        if is_settled && moves.is_none() {
            if came > went {
                self.bound(version);
            }
            return changed;
        }
        let Some(key) = self.rows.get_key_value(key).map(|(key, _)| Arc::clone(key)) else { return changed };
        if let Some(rank) = moves {
            changed |= self.reorder(&key, rank, version);
        }
        changed |= self.settle(&key, version);
        self.bound(version);
        changed
    }

    fn reorder(&mut self, key: &Arc<str>, rank: Ranks, version: u64) -> bool {
        let Some(row) = self.rows.get_mut(key) else { return false };
        let before = row.bytes(key);
        let old = std::mem::replace(&mut row.rank, rank.clone());
        self.bytes = (self.bytes + row.bytes(key)).saturating_sub(before);
        let state = row.state;
        let regrouped = self.settings.grouped && old.first() != rank.first();
        if regrouped {
            self.groups.remove(old.first(), state);
            self.groups.add(rank.first(), state);
        }
        let moved = self.order.change((old, Arc::clone(key)), (rank, Arc::clone(key)));
        self.note(moved, version) | regrouped
    }

    fn remove(&mut self, key: &str, version: u64) -> bool {
        let Some((key, row)) = self.rows.remove_entry(key) else { return false };
        self.forget(&key, &row);
        let moved = self.order.remove(&(row.rank, key));
        self.note(moved, version);
        if self.rows.is_empty() {
            self.surplus = false;
        }
        true
    }

    /// Takes a row that has gone out of everything but the order.
    fn forget(&mut self, key: &Arc<str>, row: &Row) {
        if let Some(queued) = row.queued {
            self.expiry.remove(queued, key);
        }
        self.bytes = self.bytes.saturating_sub(row.bytes(key));
        if self.settings.grouped {
            self.groups.remove(row.rank.first(), row.state);
        }
    }

    fn remove_last(&mut self, version: u64) {
        let Some(((_, key), moved)) = self.order.pop() else { return };
        if let Some(row) = self.rows.remove(&key) {
            self.forget(&key, &row);
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
        Some(RowValue { key: key.to_string(), cells: row.cells.to_vec(), state: row.state, marks: Vec::new() })
    }

    /// The time of the newest event of a row.
    pub(crate) fn heard(&self, key: &str) -> Option<Ms> {
        self.rows.get(key).map(|row| row.heard)
    }

    /// A row as it is now.
    pub(crate) fn row(&self, key: &str) -> Option<RowValue> {
        self.rows.get_key_value(key).and_then(|(key, _)| self.row_value(key))
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
        stored.check(self.settings.columns.len(), self.settings.sort.len())?;
        self.rows.clear();
        self.order.clear();
        self.groups.clear();
        self.expiry.clear();
        self.bytes = 0;
        for row in stored.rows {
            let (key, row) = row.into_row(&self.settings, version);
            self.order.insert((row.rank.clone(), Arc::clone(&key)));
            self.bytes += row.bytes(&key);
            if self.settings.grouped {
                self.groups.add(row.rank.first(), row.state);
            }
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
        let (groups, groups_total) = self.groups.shown(self.order.shown(), self.settings.grouped);
        WidgetValue::Table(TableValue {
            whole,
            rows,
            removed,
            order,
            total,
            at_least: self.surplus,
            groups,
            groups_total,
        })
    }

    fn one_number(&self) -> Option<(f64, bool)> {
        #[allow(clippy::cast_precision_loss)] // bounded far below that
        Some((self.rows.len() as f64, self.surplus))
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

#[cfg(test)]
mod tests;

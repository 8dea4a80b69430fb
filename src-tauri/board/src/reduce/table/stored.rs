//! A table's state as JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ROWS_MAX, Row, Settings};
use crate::{
    frame::{Cell, State},
    reduce::{Ms, check_instant, pick::KEY_BYTES_MAX, rank::SortValue},
};

/// The state as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) rows: Vec<StoredRow>,
    /// Whether rows found no place: more than 0. Once they were counted.
    pub(super) surplus: u32,
    pub(super) now: Option<Ms>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredRow {
    key: Arc<str>,
    cells: Vec<StoredCell>,
    sort: Option<SortValue>,
    /// What it is sorted by besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    then: Vec<Option<SortValue>>,
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
    pub(super) fn check(&self, columns: usize, sort: usize) -> Result<(), String> {
        if self.rows.len() > ROWS_MAX {
            return Err(format!("{} rows, the limit is {ROWS_MAX}", self.rows.len()));
        }
        check_instant(self.now)?;
        for row in &self.rows {
            check_instant(Some(row.heard))?;
            check_instant(row.expires)?;
            if row.then.len() != sort.saturating_sub(1) {
                return Err(format!("row {:?} has {} values to sort by, not {sort}", row.key, row.then.len() + 1));
            }
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
    pub(super) fn of(key: &Arc<str>, row: &Row) -> Self {
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
            sort: row.rank.first().value().cloned(),
            then: row.rank.others().iter().map(|rank| rank.value().cloned()).collect(),
            state: row.state,
            heard: row.heard,
            expires: row.expires,
        }
    }

    pub(super) fn into_row(self, settings: &Settings, version: u64) -> (Arc<str>, Row) {
        let cell = |cell: StoredCell| match cell {
            StoredCell::Number(value) => Cell::Number(value),
            StoredCell::Text(text) => Cell::Text(text),
            StoredCell::Null(()) => Cell::Null,
            StoredCell::Missing([]) => Cell::Missing,
        };
        let row = Row {
            cells: self.cells.into_iter().map(cell).collect(),
            rank: settings.ranks(std::iter::once(self.sort).chain(self.then)),
            state: self.state,
            heard: self.heard,
            expires: self.expires,
            queued: None,
            version,
        };
        (self.key, row)
    }
}

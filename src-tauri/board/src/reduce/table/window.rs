//! A part of a table for a hand: any rows of it, those that have some words, in an order of its own.

use std::{cmp::Ordering, sync::Arc};

use super::{Row, Table};
use crate::{
    frame::{Cell, GroupValue, RowValue, State},
    reduce::pick::instant_of_text,
};

/// What is asked for.
pub(crate) struct Search<'a> {
    /// The first row, from 0.
    pub(crate) offset: usize,
    /// How many at most.
    pub(crate) count: usize,
    /// Words in small letters, of which a row must have each; none for every row.
    pub(crate) words: Vec<String>,
    /// Adds to a text what is written of the cell in a column.
    pub(crate) write: &'a dyn Fn(usize, &Cell, &mut String),
    /// Another order than the table's own.
    pub(crate) by: Option<By>,
    /// Whose place is asked for.
    pub(crate) key: Option<&'a str>,
}

/// An order by a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) column: usize,
    pub(crate) descending: bool,
    pub(crate) reading: Reading,
}

/// What of a cell decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What it holds.
    Plain,
    /// The instant that it is.
    Time,
    /// The row's state, the worst first, then the word.
    State,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    pub(crate) offset: usize,
    pub(crate) rows: Vec<RowValue>,
    /// Rows that have the words.
    pub(crate) matched: usize,
    pub(crate) total: usize,
    /// Whether there may be more.
    pub(crate) at_least: bool,
    /// The place of the row that was asked for among them.
    pub(crate) at: Option<usize>,
    /// Rows without them that are in alarm, and in warning.
    pub(crate) alarms_hidden: usize,
    pub(crate) warnings_hidden: usize,
    /// Groups of the rows, in the table's own order.
    pub(crate) groups: Vec<GroupValue>,
}

/// What a row is sorted by: as [`crate::reduce::rank::SortValue`] has it, but borrowed.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Number(f64),
    Text(&'a str),
    /// Last either way.
    None,
}

impl<'a> Value<'a> {
    fn of(row: &'a Row, by: By) -> (u8, Self) {
        let cell = row.cells.get(by.column).unwrap_or(&Cell::Missing);
        let severity = match (by.reading, row.state) {
            (Reading::State, State::Alarm) => 0,
            (Reading::State, State::Warning) => 1,
            (Reading::State, State::Unknown) => 2,
            (Reading::State, State::Normal) => 3,
            (Reading::State, State::Muted) => 4,
            (Reading::Plain | Reading::Time, _) => 0,
        };
        let value = match (by.reading, cell) {
            #[allow(clippy::cast_precision_loss)] // within 2^53
            (_, Cell::Time(at)) => Self::Number(*at as f64),
            (_, Cell::Number(number)) => Self::Number(*number + 0.0),
            #[allow(clippy::cast_precision_loss)] // within 2^53
            (Reading::Time, Cell::Text(text)) => {
                instant_of_text(text).map_or(Self::Text(text), |at| Self::Number(at as f64))
            }
            (_, Cell::Text(text)) => Self::Text(text),
            (_, Cell::Null | Cell::Missing) => Self::None,
        };
        (severity, value)
    }

    fn compare(self, other: Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::None, Self::None) => return Ordering::Equal,
            (Self::None, _) => return Ordering::Greater,
            (_, Self::None) => return Ordering::Less,
            (Self::Number(a), Self::Number(b)) => a.total_cmp(&b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

impl Table {
    /// Looks through the rows. Costs as much as there are: to be asked at a hand's pace.
    pub(crate) fn search(&self, search: &Search<'_>) -> Searched {
        if search.words.is_empty() && search.by.is_none() {
            return self.part(search);
        }
        let mut found = Searched { total: self.rows.len(), at_least: self.surplus, ..Searched::default() };
        let mut text = String::new();
        let mut all: Vec<(&Arc<str>, &Row)> = Vec::new();
        for (_, key) in self.order.all() {
            let Some(row) = self.rows.get(key) else { continue };
            if has_words(key, row, search, &mut text) {
                all.push((key, row));
                continue;
            }
            match row.state {
                State::Alarm => found.alarms_hidden += 1,
                State::Warning => found.warnings_hidden += 1,
                State::Normal | State::Muted | State::Unknown => {}
            }
        }
        found.matched = all.len();
        if let Some(by) = search.by {
            // A stable sort: rows of one value keep the table's own order.
            all.sort_by(|(_, a), (_, b)| {
                let ((a_first, a), (b_first, b)) = (Value::of(a, by), Value::of(b, by));
                let first = if by.descending { b_first.cmp(&a_first) } else { a_first.cmp(&b_first) };
                first.then_with(|| a.compare(b, by.descending))
            });
        }
        found.at = search.key.and_then(|wanted| all.iter().position(|(key, _)| &***key == wanted));
        found.offset = search.offset.min(all.len());
        let rows = all.iter().skip(found.offset).take(search.count);
        found.rows = rows.filter_map(|(key, _)| self.row_value(key)).collect();
        found
    }

    /// Rows in the table's own order.
    fn part(&self, search: &Search<'_>) -> Searched {
        let total = self.rows.len();
        let offset = search.offset.min(total);
        let at = search.key.filter(|key| self.rows.contains_key(*key));
        let at = at.and_then(|wanted| self.order.all().position(|(_, key)| &**key == wanted));
        let places = || self.order.all().skip(offset).take(search.count);
        let (groups, _) = self.groups.shown(places(), self.settings.grouped);
        let rows = places().filter_map(|(_, key)| self.row_value(key)).collect();
        Searched { offset, rows, matched: total, total, at_least: self.surplus, at, groups, ..Searched::default() }
    }
}

fn has_words(key: &str, row: &Row, search: &Search<'_>, text: &mut String) -> bool {
    if search.words.is_empty() {
        return true;
    }
    text.clear();
    text.push_str(key);
    for (column, cell) in row.cells.iter().enumerate() {
        // No word goes from one cell to the next.
        text.push('\n');
        (search.write)(column, cell, text);
    }
    if text.is_ascii() {
        text.make_ascii_lowercase();
    } else {
        *text = text.to_lowercase();
    }
    search.words.iter().all(|word| text.contains(word.as_str()))
}

//! What a hand at the glass asks for, of the state as it is now.

use jiff::{Timestamp as Instant, tz::TimeZone};
use watchfloor_model::{Event, Mono};

use super::{Board, dress, tracked::Tracked};
use crate::{
    aggregate::Aggregate,
    config::spec::{FoldSpec, WidgetSpec},
    frame::{Cell, ColumnLook, Look, RowValue, RowsFound, RowsQuery},
    freshness::Freshness,
    reduce::{By, Ms, Reading, Search},
};

/// Rows that come at once at most.
const ROWS_AT_ONCE_MAX: usize = 500;
/// Characters of what is looked for; what is longer is in no row.
const FIND_CHARACTERS_MAX: usize = 200;

/// What a row, a line, a tile, a bar or a marker is of, for who looks for its newest event.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The source's id.
    pub source: String,
    /// Its name for people.
    pub source_title: String,
    /// The board's revision.
    pub revision: u32,
    /// The row as it is now, of a table that has it.
    pub row: Option<RowValue>,
    /// The time of its newest event, by the source's clock; none where that isn't kept.
    pub heard: Option<Ms>,
    fold: FoldSpec,
    item: Item,
}

/// What tells it from the others.
#[derive(Clone, Debug)]
enum Item {
    /// Its key.
    Key(String),
    /// A line of a log.
    Line { at: Ms, text: String },
}

/// Knows the events of a [`Subject`].
pub struct Recogniser {
    aggregate: Aggregate,
    item: Item,
}

impl Subject {
    /// Whether its events may be in a text of many: false only if none can be. Cheap, for who looks through very many.
    #[must_use]
    pub fn may_be_in(&self, events: &str) -> bool {
        let Item::Key(key) = &self.item else { return true };
        // A number may be written in other ways, and so may letters.
        let is_plain = key.parse::<f64>().is_err()
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_. ".contains(&byte));
        !is_plain || events.contains(key.as_str()) || events.contains("\\u00")
    }

    /// Who knows its events.
    #[must_use]
    pub fn recogniser(&self) -> Recogniser {
        Recogniser { aggregate: Aggregate::new(&self.fold), item: self.item.clone() }
    }
}

impl Recogniser {
    /// Whether the event is of it, and one that its widget takes.
    #[must_use]
    pub fn knows(&self, event: &Event) -> bool {
        if !self.aggregate.wants(event) {
            return false;
        }
        match &self.item {
            Item::Key(key) => self.aggregate.key_in(event).is_some_and(|own| own == *key),
            Item::Line { at, text } => {
                event.time.as_millis() == *at && self.aggregate.line_of(event).is_some_and(|own| own == *text)
            }
        }
    }
}

impl Board {
    /// Rows of a table as they are now; none if there is no such table. Of one that nobody may see, or that never had a value, there are
    /// no rows.
    #[must_use]
    pub fn rows(&self, query: &RowsQuery, now: Mono) -> Option<RowsFound> {
        let (widget, tracked) = self.widget_of(&query.widget)?;
        let Look::Table { columns, .. } = &widget.look else { return None };
        let mut answer = RowsFound { revision: self.revision, ..RowsFound::default() };
        if !self.may_see(&query.widget, tracked, now) {
            return Some(answer);
        }
        let zone = TimeZone::get(&self.file.board.timezone).unwrap_or(TimeZone::UTC);
        let words = if query.find.chars().nth(FIND_CHARACTERS_MAX).is_some() {
            // What is longer than all that a cell may hold is in none.
            vec![query.find.to_lowercase()]
        } else {
            query.find.to_lowercase().split_whitespace().map(str::to_owned).collect()
        };
        let by = query.sort.and_then(|sort| {
            let column = columns.get(sort.column as usize)?;
            let reading = match column.format.as_str() {
                "state" => Reading::State,
                _ if dress::is_of_time(column) => Reading::Time,
                _ => Reading::Plain,
            };
            Some(By { column: sort.column as usize, descending: sort.descending, reading })
        });
        let search = Search {
            offset: query.offset as usize,
            count: (query.count as usize).min(ROWS_AT_ONCE_MAX),
            words,
            write: &|column, cell, text| write_cell(columns.get(column), cell, &zone, text),
            by,
            key: query.key.as_deref(),
        };
        let found = tracked.aggregate.search(&search)?;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        answer.offset = number(found.offset);
        answer.rows = found.rows;
        dress::dress_rows(&mut answer.rows, &widget.look);
        (answer.matched, answer.total) = (number(found.matched), number(found.total));
        answer.at_least = found.at_least;
        answer.at = found.at.map(number);
        (answer.alarms_hidden, answer.warnings_hidden) = (number(found.alarms_hidden), number(found.warnings_hidden));
        answer.groups = found.groups;
        Some(answer)
    }

    /// What is shown under this key by a widget: a table's row, a tile, a marker, or a log's line by its number. None if nobody may see it,
    /// or there is no such line.
    #[must_use]
    pub fn subject(&self, widget: &str, key: &str, now: Mono) -> Option<Subject> {
        let (spec, tracked) = self.widget_of(widget)?;
        if !self.may_see(widget, tracked, now) {
            return None;
        }
        let item = match (&spec.look, key.parse::<u64>()) {
            (Look::Log { .. }, Ok(number)) => {
                let (at, text) = tracked.aggregate.line(number)?;
                Item::Line { at, text }
            }
            (Look::Log { .. }, Err(_)) => return None,
            _ => Item::Key(key.to_owned()),
        };
        let mut row: Vec<RowValue> = tracked.aggregate.row(key).into_iter().collect();
        dress::dress_rows(&mut row, &spec.look);
        let source_title = self.file.sources.iter().find(|source| source.id == spec.source)?.title.clone();
        Some(Subject {
            source: spec.source.clone(),
            source_title,
            revision: self.revision,
            row: row.pop(),
            heard: match &item {
                Item::Key(key) => tracked.aggregate.heard(key),
                Item::Line { at, .. } => Some(*at),
            },
            fold: spec.fold.clone(),
            item,
        })
    }

    fn widget_of(&self, id: &str) -> Option<(&WidgetSpec, &Tracked)> {
        let number = self.file.widgets.iter().position(|spec| spec.id == id)?;
        let (_, tracked) = self.at(*self.places.get(number)?)?;
        Some((self.file.widgets.get(number)?, tracked))
    }

    /// As frames have it: what nobody may see, and what never had a value, doesn't cross to the page.
    fn may_see(&self, widget: &str, tracked: &Tracked, now: Mono) -> bool {
        tracked.has_value()
            && self.freshness(widget, now).is_some_and(|quality| quality.freshness != Freshness::Refused)
    }
}

/// What is written in a cell, so that what is seen is found; what goes by the clock is no text of its own.
fn write_cell(column: Option<&ColumnLook>, cell: &Cell, zone: &TimeZone, text: &mut String) {
    let Some(column) = column else { return };
    let at = |ms: i64| Instant::from_millisecond(ms).ok().map(|at| zone.to_datetime(at).strftime("%H:%M").to_string());
    match cell {
        Cell::Null | Cell::Missing => {}
        Cell::Time(_) | Cell::Number(_) | Cell::Text(_) if dress::is_of_time(column) => {
            if column.format == "time" {
                let mut told = cell.clone();
                dress::tell_time(&mut told);
                match told {
                    Cell::Time(ms) => text.push_str(&at(ms).unwrap_or_default()),
                    Cell::Text(own) => text.push_str(&own),
                    Cell::Number(_) | Cell::Null | Cell::Missing => {}
                }
            }
        }
        Cell::Number(number) if matches!(column.format.as_str(), "number" | "bar") => {
            text.push_str(&format!("{number:.*}", usize::from(column.decimals)));
        }
        Cell::Number(number) => text.push_str(&number.to_string()),
        Cell::Text(own) => text.push_str(own),
        Cell::Time(ms) => text.push_str(&at(*ms).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;

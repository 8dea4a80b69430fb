//! States over time, a row a key.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use watchfloor_model::Event;

use super::{
    Gaps, Ms, Reduce, Rejection, Text, check_instant,
    cut::cut,
    meaning::{Meaning, Said},
    pick::{self, KEY_BYTES_MAX, TEXT_CHARACTERS_MAX},
    span_ms,
    template::{is_filled_by, render},
};
use crate::{
    config::spec::{StateSpec, Template},
    frame::{State, Stretch, TimelineRow, TimelineValue, WidgetValue},
    path::Path,
};

/// Most rows; events of further keys are rejected.
pub(crate) const ROWS_MAX: usize = 100;
/// Most changes that a row keeps; of more, the oldest go, and nobody knows any more what was before.
pub(crate) const RUNS_MAX: usize = 200;
/// The longest word of a state, in characters.
const WORD_CHARACTERS_MAX: usize = 60;

/// See [`crate::config::spec::ReducerSpec::Timeline`].
///
/// Of events that are late the state is put in its place, until the next one of its row that is known.
pub(crate) struct Timeline {
    key: Path,
    label: Option<Template>,
    meaning: Meaning,
    keep: Ms,
    rows: BTreeMap<String, Row>,
    gaps: Gaps,
    now: Option<Ms>,
    /// What was sent before this version is void.
    floor: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    label: String,
    /// In order of their beginnings; each ends where the next begins. Never empty.
    runs: VecDeque<Run>,
    #[serde(skip)]
    version: u64,
}

/// Events of one row that say the same, with nothing else and no gap between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    /// The first of them.
    from: Ms,
    /// The last of them.
    last: Ms,
    text: String,
    state: State,
}

#[derive(Serialize, Deserialize)]
struct Stored<R, G> {
    rows: R,
    gaps: G,
    now: Option<Ms>,
}

impl Run {
    fn says(&self, said: &Said<'_>) -> bool {
        self.text == said.text && self.state == said.state
    }
}

impl Row {
    /// Takes what is said of `at`; says whether anything visible changed.
    fn take(&mut self, at: Ms, said: Said<'_>, gaps: &Gaps) -> bool {
        let next = self.runs.partition_point(|run| run.from <= at);
        let run = Run { from: at, last: at, text: said.text.clone().into_owned(), state: said.state };
        let joins_next = self.runs.get(next).is_some_and(|after| after.says(&said) && !gaps.touch(at, after.from));
        let Some(before) = next.checked_sub(1).and_then(|index| self.runs.get_mut(index)) else {
            self.put(next, run, joins_next);
            return true;
        };
        if before.says(&said) {
            if at > before.last && gaps.touch(before.last, at) {
                // What was in between nobody knows, and now it is known again.
                self.put(next, run, joins_next);
                return true;
            }
            before.last = before.last.max(at);
            return false;
        }
        let (from, last) = (before.from, before.last);
        if at > last || (at == last && from < last) {
            self.put(next, run, joins_next);
            return true;
        }
        // Late: what was said before goes on from where it was said again.
        let again = (last > at).then(|| Run { from: last, last, ..before.clone() });
        if at == from {
            *before = run;
            self.join(next - 1, gaps);
        } else {
            before.last = from;
            self.runs.insert(next, run);
        }
        if let Some(again) = again {
            let place = self.runs.partition_point(|run| run.from <= again.from);
            self.runs.insert(place, again);
        }
        true
    }

    fn put(&mut self, index: usize, run: Run, joins_next: bool) {
        match self.runs.get_mut(index).filter(|_| joins_next) {
            Some(next) => next.from = run.from,
            None => self.runs.insert(index, run),
        }
    }

    /// Makes one of a run and the one before it, if they say the same.
    fn join(&mut self, index: usize, gaps: &Gaps) {
        let Some((before, run)) = index.checked_sub(1).and_then(|at| self.runs.get(at)).zip(self.runs.get(index))
        else {
            return;
        };
        if before.text == run.text && before.state == run.state && !gaps.touch(before.last, run.from) {
            let last = run.last;
            self.runs.remove(index);
            if let Some(before) = self.runs.get_mut(index - 1) {
                before.last = last;
            }
        }
    }

    /// Forgets what ended before `start`, and what is too much; says whether anything went.
    fn forget(&mut self, start: Option<Ms>) -> bool {
        let before = self.runs.len();
        while self.runs.len() > RUNS_MAX
            || self.runs.get(1).is_some_and(|next| start.is_some_and(|start| next.from <= start))
        {
            self.runs.pop_front();
        }
        self.runs.len() != before
    }

    /// What is known: each run, but for what lies in a gap or after one, until something is said again.
    fn stretches(&self, gaps: &Gaps) -> Vec<Stretch> {
        let mut known = Vec::with_capacity(self.runs.len());
        for (index, run) in self.runs.iter().enumerate() {
            let end = self.runs.get(index + 1).map(|next| next.from);
            let mut add = |from_ms: Ms, to_ms: Option<Ms>| {
                if to_ms.is_none_or(|to| from_ms < to) {
                    known.push(Stretch { from_ms, to_ms, text: run.text.clone(), state: run.state });
                }
            };
            let mut from = run.from;
            loop {
                let is_within = |gap: &&(Ms, Ms)| gap.1 > from && end.is_none_or(|end| gap.0 < end);
                let Some((begins, ends)) = gaps.list().iter().find(is_within) else {
                    add(from, end);
                    break;
                };
                add(from, Some((*begins).max(from)));
                if run.last < *ends || run.last <= from {
                    break;
                }
                from = run.last;
            }
        }
        known
    }

    fn first(&self) -> Option<Ms> {
        self.runs.front().map(|run| run.from)
    }
}

impl Timeline {
    pub(crate) fn new(key: &Path, label: Option<&Template>, state: &StateSpec, keep: Duration) -> Self {
        Self {
            key: key.clone(),
            label: label.cloned(),
            meaning: Meaning::new(state),
            keep: span_ms(keep),
            rows: BTreeMap::new(),
            gaps: Gaps::default(),
            now: None,
            floor: 0,
        }
    }

    fn start(&self) -> Option<Ms> {
        self.now.map(|now| now - self.keep)
    }
}

impl Reduce for Timeline {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        let (at, data) = (event.time.as_millis(), event.data.value());
        let key = pick::key(&self.key, data)?;
        let Some(said) = self.meaning.of(data)? else { return Ok(false) };
        let said = Said { text: cut(&said.text, WORD_CHARACTERS_MAX).into_owned().into(), state: said.state };
        let label = self.label.as_ref().filter(|label| is_filled_by(label, data)).map(|label| render(label, data));
        let start = self.start();
        let Some(row) = self.rows.get_mut(key.as_ref()) else {
            if self.rows.len() >= ROWS_MAX {
                let expected = format!("one of the {ROWS_MAX} keys that there are already");
                return Err(pick::reject(&self.key, data, expected));
            }
            let label = label
                .unwrap_or_else(|| self.label.as_ref().map_or_else(|| key.to_string(), |label| render(label, data)));
            let run = Run { from: at, last: at, text: said.text.into_owned(), state: said.state };
            self.rows.insert(key.into_owned(), Row { label, runs: [run].into(), version });
            return Ok(true);
        };
        let is_newest = row.runs.back().is_none_or(|run| run.last <= at);
        let mut changed = row.take(at, said, &self.gaps);
        changed |= row.forget(start);
        if let Some(label) = label.filter(|label| is_newest && *label != row.label) {
            row.label = label;
            changed = true;
        }
        if changed {
            row.version = version;
        }
        Ok(changed)
    }

    fn advance(&mut self, now: Ms, version: u64) -> bool {
        self.now = Some(now);
        let start = self.start();
        let mut changed = false;
        for row in self.rows.values_mut() {
            if row.forget(start) {
                row.version = version;
                changed = true;
            }
        }
        // A gap matters to a row until something is said of it again, and that has left the window as well.
        if let Some(horizon) = self.horizon() {
            self.gaps.forget(horizon);
        }
        changed
    }

    fn state(&self) -> Text {
        super::to_json(&Stored { rows: &self.rows, gaps: &self.gaps, now: self.now })
    }

    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        let Stored { mut rows, gaps, now }: Stored<BTreeMap<String, Row>, Gaps> = super::from_json(state)?;
        check_instant(now)?;
        if rows.len() > ROWS_MAX {
            return Err(format!("{} rows, the limit is {ROWS_MAX}", rows.len()));
        }
        if !gaps.is_sound() {
            return Err("gaps out of order".to_owned());
        }
        for (key, row) in &mut rows {
            if key.is_empty() || key.len() > KEY_BYTES_MAX {
                return Err(format!("a key of {} bytes", key.len()));
            }
            let is_long = |text: &str, most: usize| text.chars().nth(most).is_some();
            if is_long(&row.label, TEXT_CHARACTERS_MAX)
                || row.runs.iter().any(|run| is_long(&run.text, WORD_CHARACTERS_MAX))
            {
                return Err("too long a text".to_owned());
            }
            if !(1..=RUNS_MAX).contains(&row.runs.len()) {
                return Err(format!("{} states of a row, the limit is {RUNS_MAX}", row.runs.len()));
            }
            for run in &row.runs {
                check_instant(Some(run.from))?;
                check_instant(Some(run.last))?;
            }
            let in_order =
                row.runs.iter().zip(row.runs.iter().skip(1)).all(|(a, b)| a.from < b.from && a.last <= b.from);
            if !in_order || row.runs.iter().any(|run| run.last < run.from) {
                return Err("states out of order".to_owned());
            }
            row.version = version;
        }
        (self.rows, self.gaps, self.now, self.floor) = (rows, gaps, now, version);
        Ok(())
    }

    fn value(&self, since: u64) -> WidgetValue {
        let whole = since == 0 || since < self.floor;
        let rows = self.rows.iter().filter(|(_, row)| whole || row.version > since);
        let row = |(key, row): (&String, &Row)| TimelineRow {
            key: key.clone(),
            label: row.label.clone(),
            stretches: row.stretches(&self.gaps),
        };
        WidgetValue::Timeline(TimelineValue { whole, rows: rows.map(row).collect() })
    }

    fn report(&self) -> Value {
        let report = |(key, row): (&String, &Row)| {
            let stretches: Vec<Value> = row
                .stretches(&self.gaps)
                .into_iter()
                .map(|own| json!([own.from_ms, own.to_ms, own.text, own.state]))
                .collect();
            (key.clone(), json!({"label": row.label, "stretches": stretches}))
        };
        Value::Object(self.rows.iter().map(report).collect())
    }

    fn next_change(&self) -> Option<Ms> {
        self.rows.values().filter_map(|row| row.runs.get(1)).map(|run| run.from + self.keep).min()
    }

    fn horizon(&self) -> Option<Ms> {
        let start = self.start()?;
        // The state at the window's beginning was said before it.
        Some(self.rows.values().filter_map(Row::first).fold(start, Ms::min))
    }

    fn lets_go(&self) -> bool {
        true
    }

    fn note_gap(&mut self, from: Ms, to: Ms, version: u64) -> bool {
        let changed = self.gaps.add(from, to);
        if changed {
            for row in self.rows.values_mut() {
                row.version = version;
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests;

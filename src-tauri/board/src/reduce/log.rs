//! The newest lines, in the order in which events come.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use watchfloor_model::Event;

use super::{Ms, Reduce, Rejection, Text, check_instant, meaning::Meaning, template::render};
use crate::{
    config::spec::{StateSpec, Template},
    frame::{LineValue, LogValue, State, WidgetValue},
};

/// Most lines that are ever numbered: as far as every reader of JSON counts exactly.
const TOTAL_MAX: u64 = 1 << 53;

/// See [`crate::config::spec::ReducerSpec::Log`].
pub(crate) struct Log {
    text: Template,
    limit: usize,
    meaning: Option<Meaning>,
    /// Oldest first.
    lines: VecDeque<Line>,
    /// Lines ever written; the newest has this number.
    total: u64,
    /// What was sent before this version is void.
    floor: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    at: Ms,
    text: String,
    state: State,
    #[serde(skip)]
    version: u64,
}

/// The state as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    lines: VecDeque<Line>,
    total: u64,
}

impl Log {
    pub(crate) fn new(text: &Template, limit: u32, state: Option<&StateSpec>) -> Self {
        Self {
            text: text.clone(),
            limit: limit.max(1) as usize,
            meaning: state.map(Meaning::new),
            lines: VecDeque::new(),
            total: 0,
            floor: 0,
        }
    }

    /// The lines with their numbers, newest first.
    fn newest_first(&self) -> impl Iterator<Item = (u64, &Line)> {
        (0..=self.total).rev().zip(self.lines.iter().rev())
    }
}

impl Reduce for Log {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        let data = event.data.value();
        let said = match &self.meaning {
            Some(meaning) => meaning.of(data)?,
            None => None,
        };
        let state = said.map(|said| said.state).unwrap_or_default();
        self.total = self.total.saturating_add(1);
        self.lines.push_back(Line { at: event.time.as_millis(), text: render(&self.text, data), state, version });
        if self.lines.len() > self.limit {
            self.lines.pop_front();
        }
        Ok(true)
    }

    fn advance(&mut self, _: Ms, _: u64) -> bool {
        false
    }

    fn state(&self) -> Text {
        super::to_json(&Stored { lines: self.lines.clone(), total: self.total })
    }

    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        let stored: Stored = super::from_json(state)?;
        if stored.lines.len() > self.limit || stored.total < stored.lines.len() as u64 {
            return Err(format!("{} lines of {}, the limit is {}", stored.lines.len(), stored.total, self.limit));
        }
        if stored.total > TOTAL_MAX {
            return Err(format!("{} lines, the limit is {TOTAL_MAX}", stored.total));
        }
        for line in &stored.lines {
            check_instant(Some(line.at))?;
        }
        self.lines = stored.lines;
        self.total = stored.total;
        self.floor = version;
        Ok(())
    }

    fn value(&self, since: u64) -> WidgetValue {
        // Who has seen any of ours needs only what is newer: lines come at one end and go at the other.
        let whole = since == 0 || since < self.floor;
        let lines = self.newest_first().take_while(|(_, line)| whole || line.version > since);
        let value = |(number, line): (u64, &Line)| LineValue {
            number,
            source_ms: line.at,
            text: line.text.clone(),
            state: line.state,
        };
        WidgetValue::Log(LogValue { whole, lines: lines.map(value).collect(), total: self.total })
    }

    fn report(&self) -> Value {
        self.newest_first()
            .map(|(number, line)| json!({"number": number, "time": line.at, "text": line.text, "state": line.state}))
            .collect()
    }

    fn next_change(&self) -> Option<Ms> {
        None
    }

    /// A full log depends on nothing before its oldest line.
    fn horizon(&self) -> Option<Ms> {
        let oldest = self.lines.iter().map(|line| line.at).min();
        oldest.filter(|_| self.lines.len() == self.limit).map(|at| at - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{aggregate, fold};

    /// Lines whose numbers end can't be told apart: such a state is refused.
    #[test]
    fn more_lines_than_can_be_numbered_are_refused() {
        let mut own = aggregate(json!({"kind": "log", "text": "{n}", "limit": 3}));
        let state = own.state_text().get().to_owned();
        for (total, is_sound) in [(TOTAL_MAX, true), (TOTAL_MAX + 1, false), (u64::MAX, false)] {
            let changed = state.replace("\"total\":0", &format!("\"total\":{total}"));
            let changed: Box<RawValue> = serde_json::from_str(&changed).expect("JSON");
            assert_eq!(own.restore(&changed).is_ok(), is_sound, "{total}");
        }
    }

    #[test]
    fn lines_are_newest_first_and_numbered() {
        let mut own = aggregate(json!({"kind": "log", "text": "{k} is {s}", "limit": 2, "state": "s"}));
        for (at, state) in [(10, json!("late")), (5, json!("odd")), (7, json!(null))] {
            fold(&mut own, at, json!({"k": "UA1", "s": state}));
        }
        let expected = json!([
            {"number": 3, "time": 7, "text": "UA1 is ----", "state": "normal"},
            {"number": 2, "time": 5, "text": "UA1 is odd", "state": "unknown"},
        ]);
        assert_eq!(own.report(), expected);
        let WidgetValue::Log(log) = own.value(own.version() - 1) else { panic!("no log") };
        assert_eq!((log.whole, log.lines.len(), log.lines[0].number, log.total), (false, 1, 3, 3));
    }
}

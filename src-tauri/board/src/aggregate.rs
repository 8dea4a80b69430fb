//! One fold and its state: what the board's widgets show, and what a hub's snapshot holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, value::RawValue};
use watchfloor_model::{Event, Json, Timestamp};

use crate::{
    config::spec::{FoldSpec, ReducerSpec},
    frame::{RowValue, WidgetValue},
    reduce::{self, Filter, Interest, Ms, Reduce, Reducer, Rejection, RestoreError, Search, Searched, TIME_MS_MAX},
};

/// The form of [`Aggregate::state`]. Another one is another program's, and can't be restored.
const STATE_FORM: u64 = 1;

/// A reducer with its filter, its state, and a version that grows with every visible change.
///
/// The state is decided by the events folded and the instants given, in their order, and by nothing else.
/// `restore(state())` changes nothing but the version.
pub struct Aggregate {
    fold: FoldSpec,
    fingerprint: String,
    channels: Vec<String>,
    filter: Filter,
    reducer: Reducer,
    version: u64,
    /// The source's time as last given; before that, the newest event's.
    now: Option<Ms>,
    /// Whether the source's time was ever given.
    has_clock: bool,
    /// The time of the newest event folded.
    newest: Option<Ms>,
}

/// What becomes of an aggregate when somebody says anew what there is, and not what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnRestating {
    /// It is what is said now, and nothing else.
    BeginsAgain,
    /// It takes it as the newest.
    GoesOn,
    /// It says how often something happened, or when: that says nothing to it.
    Stays,
}

impl Aggregate {
    /// An empty aggregate.
    #[must_use]
    pub fn new(fold: &FoldSpec) -> Self {
        let reducer = Reducer::new(fold);
        Self {
            fold: fold.clone(),
            fingerprint: reduce::fingerprint(reducer.kind(), fold),
            channels: fold.channels.clone(),
            filter: Filter::new(fold),
            reducer,
            version: 1,
            now: None,
            has_clock: false,
            newest: None,
        }
    }

    /// An empty aggregate of the same fold.
    #[must_use]
    pub fn like(&self) -> Self {
        Self::new(&self.fold)
    }

    /// What a table's columns show.
    pub(crate) fn columns(&self) -> Vec<String> {
        match &self.fold.reducer {
            ReducerSpec::Table { columns, .. } => columns.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// What makes two aggregates the same: the kind, and a hash of all that decides the state.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The reducer's kind: `counter`, `table`, …
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.reducer.kind()
    }

    /// The channels that it folds; empty for every channel.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// Whether the event is one of those that are folded: by channel, name and `where`.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        self.filter.wants(event)
    }

    /// What it does with events of this channel and name: for who asks once and remembers.
    pub(crate) fn interest(&self, channel: &str, name: &str) -> Interest {
        self.filter.interest(channel, name)
    }

    /// Whether data fulfils `where`.
    pub(crate) fn accepts(&self, data: Json<'_>) -> bool {
        self.filter.accepts(data)
    }

    /// Folds an event that [`Aggregate::wants`]. Its time is [`Event::time`]. Before the first
    /// [`Aggregate::advance`], the newest event's time is now.
    ///
    /// # Errors
    /// If the event's data doesn't fit. The state is as it was before.
    pub fn fold(&mut self, event: &Event) -> Result<(), Rejection> {
        let at = event.time.as_millis();
        if !(-TIME_MS_MAX..=TIME_MS_MAX).contains(&at) {
            return Err(Rejection {
                place: "time".to_owned(),
                found: at.to_string(),
                expected: format!("milliseconds since 1970, from -{TIME_MS_MAX} to {TIME_MS_MAX}"),
            });
        }
        let version = self.version + 1;
        let changed = self.reducer.fold(event, version)?;
        self.newest = self.newest.max(Some(at));
        let moved = !self.has_clock && self.now.is_none_or(|now| now < at) && self.move_to(at, version);
        if changed || moved {
            self.version = version;
        }
        Ok(())
    }

    /// It is `now` by the source's clock: windows forget, rows expire, trends and resets move. A clock that was set back
    /// is followed; what was forgotten stays forgotten.
    pub fn advance(&mut self, now: Timestamp) {
        let now = now.as_millis().clamp(-TIME_MS_MAX, TIME_MS_MAX);
        self.has_clock = true;
        if self.now != Some(now) && self.move_to(now, self.version + 1) {
            self.version += 1;
        }
    }

    fn move_to(&mut self, now: Ms, version: u64) -> bool {
        self.now = Some(now);
        self.reducer.advance(now, version)
    }

    /// The whole state, in a form that [`Aggregate::restore`] takes.
    #[must_use]
    pub fn state_text(&self) -> Box<RawValue> {
        let fields = [
            ("form", reduce::to_json(&STATE_FORM)),
            ("now", reduce::to_json(&self.now)),
            ("clock", reduce::to_json(&self.has_clock)),
            ("newest", reduce::to_json(&self.newest)),
            (self.reducer.kind(), self.reducer.state()),
        ];
        reduce::to_json(&BTreeMap::from(fields))
    }

    /// Replaces the state by one of an aggregate with the same fingerprint. The version grows, and no change from before
    /// is told any more: who asks for changes gets the whole.
    ///
    /// # Errors
    /// If it is no such state. The own state is as it was before.
    pub fn restore(&mut self, state: &RawValue) -> Result<(), RestoreError> {
        let kind = self.reducer.kind();
        let error = |problem: String| RestoreError { kind, problem };
        let [form, now, clock, newest, own] =
            reduce::fields(state, ["form", "now", "clock", "newest", kind]).map_err(error)?;
        if reduce::from_json(form) != Ok(STATE_FORM) {
            return Err(error(format!("its form is {form}, not {STATE_FORM}")));
        }
        let instant = |name: &str, text: &RawValue| match reduce::from_json::<Option<i64>>(text) {
            Ok(at) if at.is_none_or(|at| (-TIME_MS_MAX..=TIME_MS_MAX).contains(&at)) => Ok(at),
            _ => Err(error(format!("`{name}` is no instant"))),
        };
        let (now, newest) = (instant("now", now)?, instant("newest", newest)?);
        let has_clock = reduce::from_json(clock) == Ok(true);
        if own.get() == RawValue::NULL.get() {
            return Err(error(format!("there is no `{kind}` in it")));
        }
        self.reducer.restore(own, self.version + 1).map_err(error)?;
        self.version += 1;
        self.now = now;
        self.has_clock = has_clock;
        self.newest = newest;
        Ok(())
    }

    /// What becomes of it when somebody says anew what there is.
    #[must_use]
    pub(crate) const fn on_restating(&self) -> OnRestating {
        match self.reducer {
            Reducer::Table(_) | Reducer::Status(_) | Reducer::Markers(_) => OnRestating::BeginsAgain,
            // Its trend is what was before.
            Reducer::Gauge(_) => OnRestating::GoesOn,
            Reducer::Counter(_)
            | Reducer::Rate(_)
            | Reducer::Window(_)
            | Reducer::Log(_)
            | Reducer::Series(_)
            | Reducer::Histogram(_)
            | Reducer::Tally(_)
            | Reducer::Timeline(_) => OnRestating::Stays,
        }
    }

    /// Takes what `right`, of the same fold, shows in place of its own, whatever the dates: it is as old as that. What a gauge was before
    /// that stays in its trend.
    ///
    /// # Errors
    /// If the state of `right` can't be read. The own state is as it was before.
    pub fn correct(&mut self, right: &Self) -> Result<(), RestoreError> {
        match (&mut self.reducer, &right.reducer) {
            (Reducer::Gauge(own), Reducer::Gauge(right)) => own.correct(right),
            (Reducer::Status(own), Reducer::Status(right)) => own.correct(right),
            _ => return self.restore(&right.state_text()),
        }
        self.newest = right.newest;
        self.version += 1;
        Ok(())
    }

    /// Where it shows what is newest by the events' own time: the key of what the event speaks of, and the time of what is shown there.
    pub(crate) fn shown_of(&self, event: &Event) -> Option<(String, Ms)> {
        self.reducer.shown_of(event)
    }

    /// The key by which it holds what the event speaks of, if it holds that.
    pub(crate) fn key_of(&self, event: &Event) -> Option<String> {
        self.reducer.held_of(event).map(|(key, _)| key)
    }

    /// Whether what it will hold by the key of what the event speaks of begins with the event, whatever was there before.
    pub(crate) fn begins_with(&self, event: &Event) -> bool {
        self.reducer.begins_with(event)
    }

    /// Whether it still shows something by such a key.
    pub(crate) fn shows(&self, key: &str) -> bool {
        self.reducer.shows(key)
    }

    /// Which of the rows are older than what it holds by their keys and say otherwise, each with its key. A row that is dated earlier and says
    /// the same is no older: events are often dated when they came, and rows when they were written.
    pub(crate) fn newer_than(&self, rows: &[&Event]) -> BTreeMap<usize, String> {
        let is_older = |(number, row): (usize, &&Event)| {
            let (key, held) = self.reducer.held_of(row)?;
            // As new as what is held, it would change it if it says otherwise.
            (row.time.as_millis() < held)
                .then(|| (number, key, Event { time: Timestamp::from_millis(held), ..(*row).clone() }))
        };
        let older: Vec<_> = rows.iter().enumerate().filter_map(is_older).collect();
        let mut copy = self.like();
        if older.is_empty() || copy.restore(&self.state_text()).is_err() {
            return BTreeMap::new();
        }
        let mut changes = |row: &Event| {
            let before = copy.version;
            copy.fold(row).is_ok() && copy.version != before
        };
        older.into_iter().filter_map(|(number, key, row)| changes(&row).then_some((number, key))).collect()
    }

    /// A part of a table, for a hand; none of another kind.
    pub(crate) fn search(&self, search: &Search<'_>) -> Option<Searched> {
        if let Reducer::Table(table) = &self.reducer { Some(table.search(search)) } else { None }
    }

    /// A table's row as it is now.
    pub(crate) fn row(&self, key: &str) -> Option<RowValue> {
        if let Reducer::Table(table) = &self.reducer { table.row(key) } else { None }
    }

    /// The time of the newest event of a table's row.
    pub(crate) fn heard(&self, key: &str) -> Option<Ms> {
        if let Reducer::Table(table) = &self.reducer { table.heard(key) } else { None }
    }

    /// The key of the row, tile, cell, bar or marker that an event speaks of, whether it holds that or not.
    #[must_use]
    pub fn key_in(&self, event: &Event) -> Option<String> {
        let data = event.data.value();
        let key = match &self.fold.reducer {
            ReducerSpec::Table { key, .. }
            | ReducerSpec::Status { key, .. }
            | ReducerSpec::Timeline { key, .. }
            | ReducerSpec::Tally { by: key, .. }
            | ReducerSpec::Markers { key, .. } => reduce::key_at(key, data),
            ReducerSpec::Matrix { row, column, .. } => reduce::pair_at(row, column, data),
            _ => return None,
        };
        key.ok().map(std::borrow::Cow::into_owned)
    }

    /// The line that a log makes of an event.
    pub(crate) fn line_of(&self, event: &Event) -> Option<String> {
        if let ReducerSpec::Log { text, .. } = &self.fold.reducer {
            Some(reduce::render(text, event.data.value()))
        } else {
            None
        }
    }

    /// A log's line by its number: its time and text.
    pub(crate) fn line(&self, number: u64) -> Option<(Ms, String)> {
        let WidgetValue::Log(log) = self.value(0) else { return None };
        log.lines.into_iter().find(|line| line.number == number).map(|line| (line.source_ms, line.text))
    }

    /// Forgets everything but the time and what it holds by these keys.
    pub fn clear_but(&mut self, keys: &BTreeSet<String>) {
        if keys.is_empty() {
            self.clear();
            return;
        }
        self.version += 1;
        self.reducer.keep_only(keys, self.version);
    }

    /// Forgets everything but the time. The version grows, as with [`Aggregate::restore`].
    pub(crate) fn clear(&mut self) {
        let mut empty = self.like();
        if let Some(now) = self.now.filter(|_| self.has_clock) {
            empty.advance(Timestamp::from_millis(now));
        }
        let restored = self.restore(&empty.state_text());
        debug_assert!(restored.is_ok(), "an aggregate takes the state of one like it: {restored:?}");
    }

    /// Grows with every visible change; 1 or more.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What changed after version `since`; the whole for 0, and when changes reach back no further. The board says what
    /// numbers mean and whether they are complete: their state is normal here.
    #[must_use]
    pub fn value(&self, since: u64) -> WidgetValue {
        self.reducer.value(since)
    }

    /// The value of the operators' contract: a number or null; rows in order; points; markers or tiles by key; lines.
    #[must_use]
    pub fn report(&self) -> Value {
        self.reducer.report()
    }

    /// Puts a number right that is found to be off by `delta`. False if it is of no kind that can be told so (counts and sums can), or would become
    /// what no events make.
    pub fn amend(&mut self, delta: f64) -> bool {
        let is_amended = self.reducer.amend(delta);
        self.version += u64::from(is_amended);
        is_amended
    }

    /// The one number that it comes to, a table's being how many rows it has; and whether it is more. None of other kinds, and where there is none.
    #[must_use]
    pub fn number(&self) -> Option<(f64, bool)> {
        self.reducer.one_number()
    }

    /// The source's time of the newest event folded.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest.map(Timestamp::from_millis)
    }

    /// The source's time as it was last told, or the newest event's.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.now.map(Timestamp::from_millis)
    }

    /// The next instant of the source's time at which time alone changes something visible.
    #[must_use]
    pub fn next_change(&self) -> Option<Timestamp> {
        self.reducer.next_change().map(Timestamp::from_millis)
    }

    /// The value depends on nothing that happened before this instant; none if it depends on everything.
    #[must_use]
    pub fn horizon(&self) -> Option<Timestamp> {
        self.reducer.horizon().map(Timestamp::from_millis)
    }

    /// Whether time alone lets something go of what it shows.
    pub(crate) fn lets_go(&self) -> bool {
        self.reducer.lets_go()
    }

    /// Notes that nobody can say what happened after `from` until `to`: charts and sparklines show it.
    pub fn note_gap(&mut self, from: Timestamp, to: Timestamp) {
        let range = |at: Timestamp| at.as_millis().clamp(-TIME_MS_MAX, TIME_MS_MAX);
        if self.reducer.note_gap(range(from), range(to), self.version + 1) {
            self.version += 1;
        }
    }

    /// Whether the number is a lower bound if events are missing from it.
    #[must_use]
    pub fn grows_only(&self) -> bool {
        self.reducer.grows_only()
    }

    /// Of a chart, the value at each line's end.
    pub(crate) fn ends(&self) -> Vec<(&str, f64)> {
        self.reducer.ends()
    }

    /// Whether there is nothing to show because no event has said anything yet.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.reducer.is_blank()
    }
}

#[cfg(test)]
impl Aggregate {
    /// The whole state as a tree, to look into.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(self.state_text().get()).expect("own state")
    }
}

#[cfg(test)]
pub(crate) mod tests;

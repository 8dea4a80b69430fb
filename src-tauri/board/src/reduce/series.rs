//! A statistic a bucket of time, as one line or one line a value of `by`.

mod point;
mod stored;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde_json::{Value, value::RawValue};
use watchfloor_model::{Event, Json};

use super::{Gaps, Ms, Reduce, Rejection, Text, number_report, pick, span_ms};
use crate::{
    config::spec::SeriesStat,
    frame::{SeriesLine, SeriesValue, WidgetValue},
    path::Path,
};
use point::Point;

/// Most lines; events of further keys are rejected until a line has no value left.
pub(crate) const LINES_MAX: usize = 12;
/// Most buckets a line.
pub(crate) const BUCKETS_MAX: Ms = 2000;
/// Most values whose bucket hasn't begun.
const AHEAD_MAX: usize = 256;

/// See [`crate::config::spec::ReducerSpec::Series`].
///
/// Buckets are numbered from the Unix epoch. All lines reach from the first bucket of which anything is known, or that is
/// kept, to the one that now lies in: a bucket in which nothing happened is a point as well.
pub(crate) struct Series {
    bucket: Ms,
    /// Buckets kept.
    keep: Ms,
    stat: SeriesStat,
    value: Option<Path>,
    by: Option<Path>,
    lines: BTreeMap<String, VecDeque<Slot>>,
    /// The number of each line's first bucket.
    first: Ms,
    /// How many buckets each line has; none before time is known.
    len: usize,
    ahead: BTreeMap<(Ms, String), Point>,
    gaps: Gaps,
    now: Option<Ms>,
    gaps_version: u64,
    /// What was sent before this version is void.
    floor: u64,
}

/// One bucket of one line.
#[derive(Clone, Copy, Default)]
struct Slot {
    point: Point,
    version: u64,
}

impl Series {
    pub(crate) fn new(
        bucket: Duration,
        keep: Duration,
        stat: SeriesStat,
        value: Option<&Path>,
        by: Option<&Path>,
    ) -> Self {
        let bucket = span_ms(bucket);
        let keep = (span_ms(keep) / bucket).clamp(1, BUCKETS_MAX);
        Self {
            bucket,
            keep,
            stat,
            value: value.cloned(),
            by: by.cloned(),
            lines: BTreeMap::new(),
            first: 0,
            len: 0,
            ahead: BTreeMap::new(),
            gaps: Gaps::default(),
            now: None,
            gaps_version: 0,
            floor: 0,
        }
    }

    fn number_of(&self, at: Ms) -> Ms {
        at.div_euclid(self.bucket)
    }

    /// The number after that of the last bucket.
    fn end(&self) -> Ms {
        self.first + Ms::try_from(self.len).unwrap_or(Ms::MAX)
    }

    /// The number of the earliest bucket that is kept.
    fn earliest(&self) -> Ms {
        self.end() - self.keep
    }

    /// An event's number is only 1 if the statistic is the count; it has none if the event gives none.
    fn sample(&self, data: Json<'_>) -> Result<Option<f64>, Rejection> {
        match (&self.value, self.stat) {
            (_, SeriesStat::Count) | (None, _) => Ok(Some(1.0)),
            (Some(path), _) => Ok(pick::number(path, data)?.some()),
        }
    }

    fn has_line(&self, key: &str) -> bool {
        self.lines.contains_key(key) || self.ahead.keys().any(|(_, own)| own == key)
    }

    fn line_count(&self) -> usize {
        let mut keys: Vec<&String> = self.lines.keys().chain(self.ahead.keys().map(|(_, key)| key)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    /// Puts a point into its bucket, which has begun and is kept.
    fn put(&mut self, number: Ms, key: &str, point: &Point, version: u64) {
        // Before what was known: now it is, and nothing happened in between.
        if number < self.first {
            let more = usize::try_from(self.first - number).unwrap_or(0);
            for line in self.lines.values_mut() {
                for _ in 0..more {
                    line.push_front(Slot { point: Point::default(), version });
                }
            }
            self.first = number;
            self.len += more;
        }
        let index = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        // Nearly always known: the key is made for the first event of a line only.
        let line = match self.lines.get_mut(key) {
            Some(line) => line,
            None => {
                let empty = Slot { point: Point::default(), version };
                self.lines.entry(key.to_owned()).or_insert(vec![empty; self.len].into())
            }
        };
        if let Some(slot) = line.get_mut(index) {
            slot.point.merge(point);
            slot.version = version;
        }
    }

    /// Makes bucket `number` the last.
    fn reach(&mut self, number: Ms, version: u64) {
        if self.len == 0 || number - self.end() >= self.keep {
            // Nothing of what was kept is left.
            self.lines.clear();
            self.first = if self.len == 0 { number } else { number + 1 - self.keep };
            self.len = usize::try_from(number + 1 - self.first).unwrap_or(1);
            self.floor = version;
            return;
        }
        let more = usize::try_from(number + 1 - self.end()).unwrap_or(0);
        let less = usize::try_from(number + 1 - self.keep - self.first).unwrap_or(0).min(self.len);
        for line in self.lines.values_mut() {
            line.extend(std::iter::repeat_n(Slot { point: Point::default(), version }, more));
            line.drain(..less);
        }
        self.len += more;
        self.len -= less;
        self.first += Ms::try_from(less).unwrap_or(0);
        let before = self.lines.len();
        if less > 0 {
            self.lines.retain(|_, line| line.iter().any(|slot| !slot.point.is_empty()));
        }
        if self.lines.len() != before {
            self.floor = version;
        }
    }

    /// The clock was set back: buckets that have not begun wait, those for which there is no room are forgotten.
    fn go_back(&mut self, number: Ms, version: u64) {
        while self.len > 0 && self.end() > number + 1 {
            let last = self.end() - 1;
            for (key, line) in &mut self.lines {
                if let Some(slot) = line.pop_back().filter(|slot| !slot.point.is_empty())
                    && self.ahead.len() < AHEAD_MAX
                {
                    self.ahead.entry((last, key.clone())).or_default().merge(&slot.point);
                }
            }
            self.len -= 1;
        }
        self.lines.retain(|_, line| line.iter().any(|slot| !slot.point.is_empty()));
        if self.len == 0 {
            self.reach(number, version);
        }
        self.floor = version;
    }

    /// Lets the buckets begin whose time it is.
    fn admit(&mut self, version: u64) {
        while self.ahead.first_key_value().is_some_and(|((number, _), _)| *number < self.end()) {
            let Some(((number, key), point)) = self.ahead.pop_first() else { return };
            if number >= self.earliest() {
                self.put(number, &key, &point, version);
            }
        }
    }

    fn shown(&self, point: &Point) -> Option<f64> {
        point.read(self.stat)
    }

    fn start_of(&self, index: usize) -> Ms {
        (self.first + Ms::try_from(index).unwrap_or(0)) * self.bucket
    }

    /// The points of a line that are newer than `since`, or all. Of a bucket that lies within a gap and in which nothing is known
    /// to have happened, nothing is known.
    fn points(&self, line: &VecDeque<Slot>, since: Option<u64>) -> Vec<(Ms, Option<f64>)> {
        let with_start = line.iter().enumerate().map(|(index, slot)| (self.start_of(index), slot));
        let newer = with_start.filter(|(_, slot)| since.is_none_or(|since| slot.version > since));
        newer
            .map(|(start, slot)| {
                let is_unknown = slot.point.is_empty() && self.gaps.touch(start, start + self.bucket);
                (start, if is_unknown { None } else { self.shown(&slot.point) })
            })
            .collect()
    }

    /// A chart of one line has it from the start, so that an hour in which nothing happened is seen.
    fn make_only_line(&mut self, version: u64) {
        if self.by.is_none() && self.len > 0 && self.lines.is_empty() {
            let empty = Slot { point: Point::default(), version };
            self.lines.insert(String::new(), vec![empty; self.len].into());
        }
    }
}

impl Reduce for Series {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        let (at, data) = (event.time.as_millis(), event.data.value());
        let Some(value) = self.sample(data)? else { return Ok(false) };
        let key = match &self.by {
            Some(path) => pick::key(path, data)?,
            None => "".into(),
        };
        if self.by.is_some() && !self.has_line(&key) && self.line_count() >= LINES_MAX {
            let path = self.by.as_ref().or(self.value.as_ref());
            let expected = format!("one of the {LINES_MAX} lines that there are already");
            return Err(path.map_or_else(
                || Rejection { place: "line".to_owned(), found: key.to_string(), expected: expected.clone() },
                |path| pick::reject(path, data, expected.clone()),
            ));
        }
        let number = self.number_of(at);
        let point = Point::of(value, at);
        if self.len == 0 || number >= self.end() {
            let ahead = (number, key.into_owned());
            if self.ahead.len() >= AHEAD_MAX && !self.ahead.contains_key(&ahead) {
                return Err(Rejection {
                    place: "time".to_owned(),
                    found: at.to_string(),
                    expected: format!("an instant before {}, the end of the bucket of now", self.end() * self.bucket),
                });
            }
            self.ahead.entry(ahead).or_default().merge(&point);
            return Ok(false);
        }
        if number < self.earliest() {
            return Ok(false);
        }
        self.put(number, &key, &point, version);
        Ok(true)
    }

    fn advance(&mut self, now: Ms, version: u64) -> bool {
        self.now = Some(now);
        let number = self.number_of(now);
        if self.len > 0 && number == self.end() - 1 {
            return false;
        }
        if self.len > 0 && number < self.end() {
            self.go_back(number, version);
        } else {
            self.reach(number, version);
        }
        self.admit(version);
        self.make_only_line(version);
        if self.gaps.forget(self.earliest() * self.bucket) {
            self.gaps_version = version;
        }
        true
    }

    fn state(&self) -> Text {
        self.stored()
    }

    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        self.take_stored(state, version)
    }

    fn value(&self, since: u64) -> WidgetValue {
        // A gap changes what is said of empty buckets anywhere.
        let whole = since == 0 || since < self.floor || since < self.gaps_version;
        let line = |(key, line): (&String, &VecDeque<Slot>)| {
            let points = if whole { self.points(line, None) } else { self.points(line, Some(since)) };
            SeriesLine { key: key.clone(), points }
        };
        let lines = self.lines.iter().map(line).filter(|line| whole || !line.points.is_empty()).collect();
        WidgetValue::Series(SeriesValue { whole, lines, gaps: self.gaps.list().to_vec() })
    }

    fn report(&self) -> Value {
        let points = |line: &VecDeque<Slot>| -> Value {
            let point = |(start, value)| Value::from(vec![Value::from(start), number_report(value)]);
            self.points(line, None).into_iter().map(point).collect()
        };
        match &self.by {
            None => self.lines.values().next().map_or_else(|| Value::Array(Vec::new()), points),
            Some(_) => Value::Object(self.lines.iter().map(|(key, line)| (key.clone(), points(line))).collect()),
        }
    }

    fn next_change(&self) -> Option<Ms> {
        (self.len > 0).then(|| self.end() * self.bucket)
    }

    fn horizon(&self) -> Option<Ms> {
        (self.len > 0).then(|| self.earliest() * self.bucket)
    }

    fn lets_go(&self) -> bool {
        true
    }

    fn note_gap(&mut self, from: Ms, to: Ms, version: u64) -> bool {
        let changed = self.gaps.add(from, to);
        if changed {
            self.gaps_version = version;
        }
        changed
    }
}

#[cfg(test)]
mod tests;

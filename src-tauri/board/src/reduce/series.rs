//! A statistic a bucket of time, as one line, one line a value of `by`, or lines that are told apart by name.

mod lines;
mod marks;
mod point;
mod stored;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, value::RawValue};
use watchfloor_model::Event;

use super::{Gaps, Ms, Reduce, Rejection, Text, number_report, pick, span_ms};
use crate::{
    config::spec::{LineSpec, MarksSpec, SeriesStat},
    frame::{SeriesLine, SeriesValue, WidgetValue},
    path::Path,
};
use lines::{Lines, Sample};
use marks::Marks;
use point::Point;

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
    of: Arc<Lines>,
    /// Most lines; events of further keys are rejected until a line has no value left.
    most: usize,
    lines: BTreeMap<String, VecDeque<Slot>>,
    /// The number of each line's first bucket.
    first: Ms,
    /// How many buckets each line has; none before time is known.
    len: usize,
    ahead: BTreeMap<(Ms, String), Point>,
    marks: Option<Marks>,
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

/// What decides a chart's points.
pub(crate) struct Settings<'a> {
    pub(crate) bucket: Duration,
    pub(crate) keep: Duration,
    pub(crate) stat: SeriesStat,
    pub(crate) value: Option<&'a Path>,
    pub(crate) by: Option<&'a Path>,
    /// In place of `stat`, `value` and `by`, if there are any.
    pub(crate) lines: &'a [LineSpec],
    pub(crate) marks: Option<&'a MarksSpec>,
    pub(crate) most: usize,
}

impl Series {
    pub(crate) fn new(settings: &Settings<'_>) -> Self {
        let bucket = span_ms(settings.bucket);
        let keep = (span_ms(settings.keep) / bucket).clamp(1, BUCKETS_MAX);
        Self {
            bucket,
            keep,
            of: Arc::new(Lines::new(settings)),
            most: settings.most,
            marks: settings.marks.map(Marks::new),
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

    fn start_of(&self, index: usize) -> Ms {
        (self.first + Ms::try_from(index).unwrap_or(0)) * self.bucket
    }

    /// The points of a line that are newer than `since`, or all. Of a bucket that lies within a gap and in which nothing is known
    /// to have happened, nothing is known.
    fn points(&self, (key, line): (&str, &VecDeque<Slot>), since: Option<u64>) -> Vec<(Ms, Option<f64>)> {
        let stat = self.of.stat_of(key);
        let with_start = line.iter().enumerate().map(|(index, slot)| (self.start_of(index), slot));
        let newer = with_start.filter(|(_, slot)| since.is_none_or(|since| slot.version > since));
        newer
            .map(|(start, slot)| {
                let is_unknown = slot.point.is_empty() && self.gaps.touch(start, start + self.bucket);
                (start, if is_unknown { None } else { slot.point.read(stat) })
            })
            .collect()
    }

    /// A chart has the lines that it knows of from the start, so that an hour in which nothing happened is seen.
    fn make_known_lines(&mut self, version: u64) {
        if self.len == 0 {
            return;
        }
        for key in Arc::clone(&self.of).known() {
            if !self.lines.contains_key(key) {
                let empty = Slot { point: Point::default(), version };
                self.lines.insert(key.to_owned(), vec![empty; self.len].into());
            }
        }
    }

    /// Whether there is room for the line of this key.
    fn check_line(&self, event: &Event, key: &str) -> Result<(), Rejection> {
        let Lines::ByKey { by, .. } = &*self.of else { return Ok(()) };
        if self.has_line(key) || self.line_count() < self.most {
            return Ok(());
        }
        Err(pick::reject(by, event.data.value(), format!("one of the {} lines that there are already", self.most)))
    }

    /// Takes what an event gives to one line; says whether it is seen.
    fn take(&mut self, at: Ms, Sample { key, value }: Sample<'_>, version: u64) -> bool {
        let number = self.number_of(at);
        let point = Point::of(value, at);
        if self.len == 0 || number >= self.end() {
            self.ahead.entry((number, key.into_owned())).or_default().merge(&point);
            return false;
        }
        if number < self.earliest() {
            return false;
        }
        self.put(number, &key, &point, version);
        true
    }

    /// Whether there is room for what waits until its time has come.
    fn check_ahead(&self, at: Ms, key: &str, others: usize) -> Result<(), Rejection> {
        let number = self.number_of(at);
        let waits = self.len == 0 || number >= self.end();
        if !waits || self.ahead.len() + others < AHEAD_MAX || self.ahead.contains_key(&(number, key.to_owned())) {
            return Ok(());
        }
        Err(self.too_early(at))
    }

    fn too_early(&self, at: Ms) -> Rejection {
        Rejection {
            place: "time".to_owned(),
            found: at.to_string(),
            expected: format!("an instant before {}, the end of the bucket of now", self.end() * self.bucket),
        }
    }

    /// Takes an event that is a mark.
    fn fold_mark(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        let shown = (self.len > 0).then(|| (self.earliest() * self.bucket, self.end() * self.bucket));
        let Some(marks) = &mut self.marks else { return Ok(false) };
        marks.take(event, shown, version).ok_or_else(|| self.too_early(event.time.as_millis()))
    }
}

impl Reduce for Series {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        if self.marks.as_ref().is_some_and(|marks| marks.are_of(&event.name)) {
            return self.fold_mark(event, version);
        }
        let at = event.time.as_millis();
        // Nearly always one: a chart with several lines looks at what each of them is given before it takes any.
        let of = Arc::clone(&self.of);
        let samples = of.samples(event)?;
        for (others, sample) in samples.iter().enumerate() {
            self.check_line(event, &sample.key)?;
            self.check_ahead(at, &sample.key, others)?;
        }
        let mut is_seen = false;
        for sample in samples {
            is_seen |= self.take(at, sample, version);
        }
        Ok(is_seen)
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
        self.make_known_lines(version);
        let begin = self.earliest() * self.bucket;
        if self.gaps.forget(begin) {
            self.gaps_version = version;
        }
        let end = self.end() * self.bucket;
        if let Some(marks) = &mut self.marks {
            marks.advance(begin, end, version);
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
        let line = |(key, line): (&String, &VecDeque<Slot>)| SeriesLine {
            key: key.clone(),
            points: self.points((key, line), (!whole).then_some(since)),
        };
        let lines = self.lines.iter().map(line).filter(|line| whole || !line.points.is_empty()).collect();
        let marks = self.marks.as_ref().and_then(|marks| marks.value(if whole { 0 } else { since }));
        WidgetValue::Series(SeriesValue { whole, lines, gaps: self.gaps.list().to_vec(), marks })
    }

    fn report(&self) -> Value {
        let points = |(key, line): (&String, &VecDeque<Slot>)| -> Value {
            let point = |(start, value)| Value::from(vec![Value::from(start), number_report(value)]);
            self.points((key, line), None).into_iter().map(point).collect()
        };
        match &*self.of {
            Lines::One { .. } => self.lines.iter().next().map_or_else(|| Value::Array(Vec::new()), points),
            Lines::ByKey { .. } | Lines::Named(_) => {
                Value::Object(self.lines.iter().map(|line| (line.0.clone(), points(line))).collect())
            }
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

    fn ends(&self) -> Vec<(&str, f64)> {
        // The last one is still filling.
        let Some(index) = self.len.checked_sub(2) else { return Vec::new() };
        let start = self.start_of(index);
        if self.gaps.touch(start, start + self.bucket) {
            return Vec::new();
        }
        let end = |(key, line): &(&String, &VecDeque<Slot>)| line.get(index)?.point.read(self.of.stat_of(key));
        self.lines.iter().filter_map(|line| Some((line.0.as_str(), end(&line)?))).collect()
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

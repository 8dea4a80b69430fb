//! A statistic a category: bars.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use watchfloor_model::{Event, Json};

use super::{
    Ms, Reduce, Rejection, TIME_MS_MAX, Text,
    buckets::{Buckets, Tally as _},
    ceil_to, check_instant,
    days::{ALWAYS, Days, Period, is_in},
    filter::Conditions,
    number_report,
    pick::{self, KEY_BYTES_MAX},
    span_ms,
    sums::{Sample, Sums},
};
use crate::{
    config::spec::WindowStat,
    frame::{BarValue, State, TallyValue, WidgetValue},
    path::Path,
};

/// Most bars; events of further categories are rejected.
pub(crate) const BARS_MAX: usize = 100;
/// A window moves in steps of this part of its length: what is counted depends on the events and on now, and not on when it was told
/// that time passes, so that a server and a wall come to the same.
const STEPS: Ms = 240;
/// Most stretches of time that are told apart in one bar: those of the window, and as many that haven't begun.
const STRETCHES_MAX: usize = 512;
/// Most days of one bar: that of now, and those ahead for which events are held until they begin.
const DAYS_MAX: usize = 9;

/// See [`crate::config::spec::ReducerSpec::Tally`].
pub(crate) struct Tally {
    by: Path,
    value: Option<Path>,
    matching: Conditions,
    stat: WindowStat,
    counts: Counts,
    /// Categories that have a bar though nothing came of them.
    categories: BTreeSet<String>,
    /// By category, its events by the stretch of time in which they count.
    bars: BTreeMap<String, Buckets<Sums>>,
    now: Option<Ms>,
}

/// What decides the bars.
pub(crate) struct Settings {
    pub(crate) by: Path,
    pub(crate) stat: WindowStat,
    pub(crate) value: Option<Path>,
    pub(crate) matching: Conditions,
    pub(crate) last: Option<Duration>,
    /// When it is reset, if ever.
    pub(crate) days: Option<Days>,
    pub(crate) categories: BTreeSet<String>,
}

/// Which events count.
enum Counts {
    /// All there ever were.
    All,
    /// Those since the last reset, with the day of now; none before time is known.
    Day(Days, Option<Period>),
    /// Those of a sliding window, of so many steps of this length.
    Last { last: Ms, step: Ms },
}

impl Counts {
    /// The name of the stretch in which an event counts: one for all, the day's beginning, the step's end.
    fn stretch_of(&mut self, at: Ms) -> Ms {
        match self {
            Self::All => 0,
            Self::Day(days, _) => days.period(at).0.max(-TIME_MS_MAX),
            Self::Last { step, .. } => ceil_to(at, *step),
        }
    }

    /// The stretches that count at `now`: after the first up to the second.
    fn range(&self, now: Option<Ms>) -> (Ms, Ms) {
        match (self, now) {
            (Self::All, _) => (Ms::MIN, Ms::MAX),
            (Self::Day(_, Some((start, _))), _) => {
                let start = (*start).max(-TIME_MS_MAX);
                (start - 1, start)
            }
            (Self::Last { last, step }, Some(now)) => (now - last, ceil_to(now, *step)),
            (Self::Day(_, None) | Self::Last { .. }, _) => (Ms::MIN, Ms::MIN),
        }
    }

    const fn stretches_max(&self) -> usize {
        match self {
            Self::All => 1,
            Self::Day(..) => DAYS_MAX,
            Self::Last { .. } => STRETCHES_MAX,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<B> {
    bars: B,
    now: Option<Ms>,
}

impl Tally {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { by, stat, value, matching, last, days, categories } = settings;
        let counts = match (last.map(span_ms), days) {
            (Some(last), _) => Counts::Last { last, step: (last / STEPS).max(1) },
            (None, Some(days)) => Counts::Day(days, None),
            (None, None) => Counts::All,
        };
        Self { by, value, matching, stat, counts, categories, bars: BTreeMap::new(), now: None }
    }

    /// What the event adds; none if it gives no number and so has no part in the statistic.
    fn sample(&self, data: Json<'_>) -> Result<Option<Sample>, Rejection> {
        let value = match (&self.value, self.stat) {
            (_, WindowStat::Count | WindowStat::Share) | (None, _) => Some(1.0),
            (Some(path), _) => pick::number(path, data)?.some(),
        };
        let hit = self.stat == WindowStat::Share && self.matching.hold(data);
        Ok(value.map(|value| Sample { value, hit }))
    }

    fn is_counted(&self, stretch: Ms) -> bool {
        let (after, until) = self.counts.range(self.now);
        after < stretch && stretch <= until
    }

    /// The number of a bar's events that count now.
    #[allow(clippy::cast_precision_loss)] // far below 2^53 events
    fn read(&self, bar: Option<&Buckets<Sums>>) -> Option<f64> {
        let counted = bar.into_iter().flat_map(Buckets::iter).filter(|(stretch, _)| self.is_counted(*stretch));
        let mut sums = Sums::default();
        for (_, own) in counted {
            sums.merge(own);
        }
        let some = |value: f64| (sums.n > 0).then_some(value);
        match self.stat {
            WindowStat::Sum => Some(sums.sum),
            WindowStat::Mean => sums.mean(),
            WindowStat::Share => sums.share(),
            WindowStat::Min => some(sums.min),
            WindowStat::Max => some(sums.max),
            // The board file allows no other.
            _ => Some(sums.n as f64),
        }
    }

    /// Every bar that there is now: those of which something counts, and those that always have one.
    fn shown(&self) -> BTreeMap<&str, Option<f64>> {
        let counted = self.bars.iter().filter(|(_, bar)| bar.iter().any(|(stretch, _)| self.is_counted(*stretch)));
        let named = self.categories.iter().map(|key| (key.as_str(), self.read(self.bars.get(key))));
        named.chain(counted.map(|(key, bar)| (key.as_str(), self.read(Some(bar))))).collect()
    }
}

impl Reduce for Tally {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let (at, data) = (event.time.as_millis(), event.data.value());
        let Some(sample) = self.sample(data)? else { return Ok(false) };
        let key = pick::key(&self.by, data)?;
        let stretch = self.counts.stretch_of(at);
        // Before time is known nothing is over.
        let (after, until) = self.counts.range(self.now);
        if stretch <= after && until != Ms::MIN {
            return Ok(false);
        }
        match self.bars.get(key.as_ref()) {
            None if self.bars.len() >= BARS_MAX => {
                let expected = format!("one of the {BARS_MAX} categories that there are already");
                return Err(pick::reject(&self.by, data, expected));
            }
            Some(bar) if bar.len() >= self.counts.stretches_max() && bar.iter().all(|(known, _)| *known != stretch) => {
                return Err(Rejection {
                    place: "time".to_owned(),
                    found: at.to_string(),
                    expected: format!("an instant before or soon after {until}"),
                });
            }
            _ => {}
        }
        // Nearly always known: the key is made for the first event of a bar only.
        let bar = match self.bars.get_mut(key.as_ref()) {
            Some(bar) => bar,
            None => self.bars.entry(key.into_owned()).or_default(),
        };
        bar.add(stretch, &sample);
        Ok(after < stretch && stretch <= until)
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        let before = self.counts.range(self.now);
        self.now = Some(now);
        if let Counts::Day(days, day) = &mut self.counts
            && day.is_none_or(|day| !is_in(day, now))
        {
            *day = Some(days.period(now));
        }
        let (after, until) = self.counts.range(self.now);
        let was_counted = |stretch: Ms| before.0 < stretch && stretch <= before.1;
        let counts = |stretch: Ms| after < stretch && stretch <= until;
        let differs = |bar: &Buckets<Sums>| bar.iter().any(|(stretch, _)| was_counted(*stretch) != counts(*stretch));
        let changed = before != (after, until) && self.bars.values().any(differs);
        for bar in self.bars.values_mut() {
            while bar.pop_until(after).is_some() {}
        }
        self.bars.retain(|_, bar| !bar.is_empty());
        changed
    }

    fn state(&self) -> Text {
        super::to_json(&Stored { bars: &self.bars, now: self.now })
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        let Stored { bars, now }: Stored<BTreeMap<String, Buckets<Sums>>> = super::from_json(state)?;
        check_instant(now)?;
        if bars.len() > BARS_MAX {
            return Err(format!("{} bars, the limit is {BARS_MAX}", bars.len()));
        }
        for (key, bar) in &bars {
            if key.is_empty() || key.len() > KEY_BYTES_MAX {
                return Err(format!("a key of {} bytes", key.len()));
            }
            bar.check(self.counts.stretches_max())?;
            if bar.is_empty() {
                return Err("a bar of nothing".to_owned());
            }
            let is_one = |stretch: Ms| match &self.counts {
                Counts::All => stretch == 0,
                Counts::Day(..) => stretch >= -TIME_MS_MAX,
                Counts::Last { step, .. } => stretch.rem_euclid(*step) == 0,
            };
            if !bar.iter().all(|(stretch, _)| is_one(*stretch)) {
                return Err("a stretch of time that is none".to_owned());
            }
        }
        if let Counts::Day(days, day) = &mut self.counts {
            *day = now.map(|now| days.period(now));
        }
        (self.bars, self.now) = (bars, now);
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        let bar = |(key, value): (&str, Option<f64>)| BarValue { key: key.to_owned(), value, state: State::Normal };
        WidgetValue::Tally(TallyValue { bars: self.shown().into_iter().map(bar).collect(), at_least: false })
    }

    fn report(&self) -> Value {
        Value::Object(self.shown().into_iter().map(|(key, value)| (key.to_owned(), number_report(value))).collect())
    }

    fn next_change(&self) -> Option<Ms> {
        match &self.counts {
            Counts::All => None,
            Counts::Day(_, day) => day.map(|(_, end)| end).filter(|end| *end != Ms::MAX),
            Counts::Last { last, step } => {
                let (after, until) = self.counts.range(self.now);
                let of = |bar: &Buckets<Sums>| {
                    let goes = bar.front().filter(|(stretch, _)| after < *stretch && *stretch <= until);
                    let comes = bar.iter().find(|(stretch, _)| *stretch > until);
                    let goes = goes.map(|(stretch, _)| stretch + last);
                    goes.into_iter().chain(comes.map(|(stretch, _)| stretch - (step - 1))).min()
                };
                self.bars.values().filter_map(of).min()
            }
        }
    }

    fn horizon(&self) -> Option<Ms> {
        match &self.counts {
            Counts::All => None,
            Counts::Day(_, day) => day.map(|(start, _)| start).filter(|start| *start != ALWAYS.0),
            Counts::Last { last, step } => self.now.map(|now| now - last - step),
        }
    }

    fn lets_go(&self) -> bool {
        !matches!(self.counts, Counts::All)
    }

    fn grows_only(&self) -> bool {
        matches!(self.stat, WindowStat::Count | WindowStat::Max)
    }
}

#[cfg(test)]
mod tests;

//! How often values are how large: over a sliding window, or since a reset.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection, Text,
    binned::{BinTotal, Binned, Bins, Counted},
    buckets::Tally,
    days::{ALWAYS, Days, NEVER, Period, is_in},
    number_report, pick,
    sliding::{Measure, Sliding},
};
use crate::{
    config::spec::HistogramStat,
    frame::{HistogramValue, WidgetValue},
    path::Path,
};

/// Most days ahead of now for which values are held until their day begins.
const DAYS_AHEAD_MAX: usize = 8;
/// Longer than any day of any zone, where a calendar's day was left out as well.
const DAY_MS_MAX: Ms = 3 * 86_400_000;

/// See [`crate::config::spec::ReducerSpec::Histogram`].
pub(crate) struct Distribution {
    value: Path,
    bins: Bins,
    stats: Vec<HistogramStat>,
    of: Of,
}

/// What decides a distribution.
pub(crate) struct Settings {
    pub(crate) value: Path,
    pub(crate) bins: Bins,
    pub(crate) stats: Vec<HistogramStat>,
    /// The window; since the last reset if none.
    pub(crate) last: Option<Ms>,
    /// When it is reset.
    pub(crate) days: Option<Days>,
}

enum Of {
    Window { last: Ms, window: Sliding<Binned> },
    Day { days: Option<Days>, state: State },
}

#[derive(Clone, Serialize, Deserialize)]
struct State {
    /// Since the reset at the beginning of `period`; none if nothing came.
    now: Option<Binned>,
    period: Period,
    /// What came too early, by the reset that it waits for.
    ahead: BTreeMap<Ms, Binned>,
}

impl Distribution {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { value, bins, stats, last, days } = settings;
        let of = match last {
            Some(last) => Of::Window { last, window: Sliding::new(last) },
            None => {
                // Until time is known, no day has begun, and every event waits for its own.
                let period = if days.is_some() { NEVER } else { ALWAYS };
                Of::Day { days, state: State { now: None, period, ahead: BTreeMap::new() } }
            }
        };
        Self { value, bins, stats, of }
    }

    fn sized(&self) -> bool {
        self.stats.iter().any(|stat| stat.part().is_some())
    }

    /// How many there are in each bin, the one below the scale first and the one above it last; and the statistics asked for.
    fn read(&self) -> (Vec<u64>, Vec<Option<f64>>) {
        let counts = |total: &BinTotal| {
            (0..=self.bins.count + 1).map(|bin| total.bins.get(&bin).copied().unwrap_or_default()).collect()
        };
        match &self.of {
            Of::Window { window, .. } => {
                (counts(window.total()), self.stats.iter().map(|stat| window.read(*stat)).collect())
            }
            Of::Day { state, .. } => {
                let mut total = BinTotal::default();
                if let Some(now) = &state.now {
                    now.enter(&mut total);
                }
                let stat = |stat: &HistogramStat| Binned::read(*stat, &total, state.now.iter());
                (counts(&total), self.stats.iter().map(stat).collect())
            }
        }
    }
}

fn period_of(days: &mut Option<Days>, at: Ms) -> Period {
    days.as_mut().map_or(ALWAYS, |days| days.period(at))
}

fn add(into: &mut Option<Binned>, item: &Counted) {
    match into {
        Some(own) => own.add(item),
        None => *into = Some(Binned::of(item)),
    }
}

impl State {
    /// Says whether it is seen now.
    fn fold(&mut self, days: &mut Option<Days>, at: Ms, item: &Counted) -> Result<bool, Rejection> {
        if is_in(self.period, at) {
            add(&mut self.now, item);
            return Ok(true);
        }
        if at < self.period.1 {
            return Ok(false);
        }
        let start = period_of(days, at).0;
        if self.ahead.len() >= DAYS_AHEAD_MAX && !self.ahead.contains_key(&start) {
            return Err(Rejection {
                place: "time".to_owned(),
                found: at.to_string(),
                expected: format!("an instant before or soon after the reset at {}", self.period.1),
            });
        }
        match self.ahead.get_mut(&start) {
            Some(own) => own.add(item),
            None => drop(self.ahead.insert(start, Binned::of(item))),
        }
        Ok(false)
    }

    fn advance(&mut self, days: &mut Option<Days>, now: Ms) -> bool {
        if is_in(self.period, now) {
            return false;
        }
        let period = period_of(days, now);
        let old = self.now.take();
        let was = std::mem::replace(&mut self.period, period);
        // The clock was set back: what was counted for the later day waits for it.
        if let Some(old) = old.filter(|_| was.0 > period.0 && self.ahead.len() < DAYS_AHEAD_MAX) {
            self.ahead.insert(was.0, old);
        }
        self.ahead = self.ahead.split_off(&period.0);
        self.now = self.ahead.remove(&period.0);
        // What was restored may name days that aren't this zone's.
        self.ahead = self.ahead.split_off(&period.1);
        true
    }

    fn check(&self, days: &mut Option<Days>, bins: &Bins, sized: bool) -> Result<(), String> {
        let mut all = self.now.iter().chain(self.ahead.values());
        if self.period.0 > self.period.1 || !all.all(|own| own.is_sound() && own.fits(bins, sized)) {
            return Err("impossible counts or period".to_owned());
        }
        // Of another edition of the zone's rules, a day may begin at another hour, but not last for ever.
        let is_day = |days: &mut Days| {
            self.period.1.saturating_sub(self.period.0) <= DAY_MS_MAX || days.period(self.period.0) == self.period
        };
        if !days.as_mut().map_or(self.period == ALWAYS, is_day) {
            return Err("a day that is none".to_owned());
        }
        if self.ahead.len() > DAYS_AHEAD_MAX || self.ahead.keys().any(|start| *start < self.period.1) {
            return Err("days ahead that are none".to_owned());
        }
        Ok(())
    }
}

impl Reduce for Distribution {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let Some(value) = pick::number(&self.value, event.data.value())?.some() else { return Ok(false) };
        let item = Counted { bin: self.bins.of(value), value, sized: self.sized() };
        let at = event.time.as_millis();
        match &mut self.of {
            Of::Window { window, .. } => Ok(window.fold(at, &item)),
            Of::Day { days, state } => state.fold(days, at, &item),
        }
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        match &mut self.of {
            Of::Window { window, .. } => window.advance(now),
            Of::Day { days, state } => state.advance(days, now),
        }
    }

    fn state(&self) -> Text {
        match &self.of {
            Of::Window { window, .. } => super::to_json(window.state()),
            Of::Day { state, .. } => super::to_json(state),
        }
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        let sized = self.sized();
        match &mut self.of {
            Of::Window { last, window } => {
                let own: Sliding<Binned> = Sliding::restored(*last, state)?;
                if !own.all().all(|tally| tally.fits(&self.bins, sized)) {
                    return Err("counts of another scale".to_owned());
                }
                *window = own;
            }
            Of::Day { days, state: own } => {
                let stored: State = super::from_json(state)?;
                stored.check(days, &self.bins, sized)?;
                *own = stored;
            }
        }
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        let (counts, stats) = self.read();
        WidgetValue::Histogram(HistogramValue { counts, stats, at_least: false })
    }

    fn report(&self) -> Value {
        let (counts, stats) = self.read();
        let bins: Vec<Value> = (1..=self.bins.count)
            .zip(counts.iter().skip(1))
            .map(|(bin, count)| json!([super::number_json(self.bins.limit(bin)), count]))
            .collect();
        let stats: Map<String, Value> =
            self.stats.iter().zip(stats).map(|(stat, value)| (stat.word().to_owned(), number_report(value))).collect();
        json!({"below": counts.first(), "bins": bins, "above": counts.last(), "stats": stats})
    }

    fn next_change(&self) -> Option<Ms> {
        match &self.of {
            Of::Window { window, .. } => window.next_change(),
            Of::Day { state, .. } => Some(state.period.1).filter(|end| *end != Ms::MAX && state.period != NEVER),
        }
    }

    fn horizon(&self) -> Option<Ms> {
        match &self.of {
            Of::Window { window, .. } => window.begin(),
            Of::Day { state, .. } => Some(state.period.0).filter(|start| *start != Ms::MIN),
        }
    }

    fn lets_go(&self) -> bool {
        match &self.of {
            Of::Window { .. } => true,
            Of::Day { .. } => self.horizon().is_some(),
        }
    }

    fn grows_only(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Aggregate,
        testing::{advance, aggregate_with, event, fold},
    };

    fn own(settings: Value) -> Aggregate {
        let own =
            json!({"kind": "histogram", "value": "v", "min": 0, "width": 10, "bins": 3, "stats": ["mean", "p50"]});
        aggregate_with(own, settings)
    }

    /// Bins are their lower limit included to the upper one excluded; what lies beyond is counted at its end.
    #[test]
    fn a_window_counts_by_size() {
        let mut own = own(json!({"last": 100}));
        advance(&mut own, 1000);
        assert_eq!(
            own.report(),
            json!({"below": 0, "bins": [[0, 0], [10, 0], [20, 0]], "above": 0,
            "stats": {"mean": null, "p50": null}})
        );
        for (at, v) in [
            (990, json!(0)),
            (991, json!(10)),
            (992, json!(19.9)),
            (993, json!(30)),
            (994, json!(-1)),
            (995, json!(null)),
        ] {
            fold(&mut own, at, json!({"v": v}));
        }
        let report = own.report();
        assert_eq!(
            (&report["below"], &report["bins"], &report["above"]),
            (&json!(1), &json!([[0, 1], [10, 2], [20, 0]]), &json!(1))
        );
        assert!((report["stats"]["mean"].as_f64().expect("a mean") - 11.78).abs() < 1e-9);
        assert_eq!(own.next_change().map(watchfloor_model::Timestamp::as_millis), Some(1090));
        advance(&mut own, 1092);
        assert_eq!(own.report()["bins"], json!([[0, 0], [10, 0], [20, 0]]));
        assert!(own.grows_only());
        let odd = own.fold(&event("c", "e", 1090, json!({"v": "x"}))).expect_err("no number");
        assert_eq!(odd.to_string(), "`v`: found \"x\", expected a number");
    }

    /// Since a reset: what belongs to another day isn't in it, and what came too early is in its own.
    #[test]
    fn a_day_counts_by_size() {
        let mut own = own(json!({"reset": 0, "timezone": "America/New_York", "stats": []}));
        let midnight = pick::instant_of_text("2013-02-09T05:00:00Z").expect("an instant");
        advance(&mut own, midnight - 1000);
        for (at, v) in [(midnight - 1, 5), (midnight, 15), (midnight - 90_000_000, 25)] {
            fold(&mut own, at, json!({"v": v}));
        }
        assert_eq!(own.report()["bins"], json!([[0, 1], [10, 0], [20, 0]]));
        advance(&mut own, midnight);
        assert_eq!(own.report()["bins"], json!([[0, 0], [10, 1], [20, 0]]));
    }

    /// Counts of another scale, and sizes that nobody asked for, are refused.
    #[test]
    fn a_state_of_another_scale_is_refused() {
        let mut wide = own(json!({"last": 100, "bins": 30}));
        fold(&mut wide, 5, json!({"v": 250}));
        assert!(own(json!({"last": 100})).restore(&wide.state_text()).is_err());
        assert!(own(json!({"last": 100, "bins": 30, "stats": []})).restore(&wide.state_text()).is_err());
        assert!(own(json!({"last": 100, "bins": 30})).restore(&wide.state_text()).is_ok());
    }

    proptest! {
        #![proptest_config(crate::testing::cases(128))]

        /// H3: whatever came when, the window's counts are those of the values in it, and its median is within 1 %.
        #[test]
        fn a_window_equals_a_model(events in prop::collection::vec((0..2000_i64, -10..60_i64), 1..120)) {
            let mut events = events;
            events.sort_unstable();
            let mut own = own(json!({"last": 500}));
            let end = events.last().map_or(0, |(at, _)| *at);
            for (at, v) in &events {
                advance(&mut own, *at);
                fold(&mut own, *at, json!({"v": v}));
            }
            let mut inside: Vec<i64> = events.iter().filter(|(at, _)| *at > end - 500).map(|(_, v)| *v).collect();
            inside.sort_unstable();
            let count = |from: i64, to: i64| inside.iter().filter(|v| from <= **v && **v < to).count();
            let report = own.report();
            prop_assert_eq!(&report["below"], &json!(count(i64::MIN, 0)));
            prop_assert_eq!(&report["bins"], &json!([[0, count(0, 10)], [10, count(10, 20)], [20, count(20, 30)]]));
            prop_assert_eq!(&report["above"], &json!(count(30, i64::MAX)));
            let median = inside[inside.len().div_ceil(2) - 1] as f64;
            let found = report["stats"]["p50"].as_f64().expect("a median");
            prop_assert!((found - median).abs() <= median.abs() * 0.01 + 1e-9, "{} {}", found, median);
        }
    }
}

//! Accumulates since its last reset.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use watchfloor_model::{Event, Json};

use super::{
    Ms, Reduce, Rejection, Text,
    buckets::{EVENTS_MAX, Tally},
    days::{ALWAYS, Days, NEVER, Period, is_in},
    filter::Conditions,
    number_report, pick,
    sums::{Sample, Sums},
    trend::{Running, RunningConfig, Trend},
};
use crate::{config::spec::CounterStat, frame::WidgetValue, path::Path};

/// Most days ahead of now for which events are held until their day begins.
const DAYS_AHEAD_MAX: usize = 8;
/// Longer than any day of any zone, where a calendar's day was left out as well.
const DAY_MS_MAX: Ms = 3 * 86_400_000;

/// See [`crate::config::spec::ReducerSpec::Counter`].
pub(crate) struct Counter {
    value: Option<Path>,
    matching: Conditions,
    stat: CounterStat,
    days: Option<Days>,
    state: State,
    trend: Trend<Running>,
}

/// What decides a counter's number.
pub(crate) struct Settings {
    pub(crate) stat: CounterStat,
    pub(crate) value: Option<Path>,
    pub(crate) matching: Conditions,
    /// When it is reset, if ever.
    pub(crate) days: Option<Days>,
    pub(crate) trend: Option<Duration>,
}

#[derive(Clone, Serialize, Deserialize)]
struct State {
    /// Since the reset at the beginning of `period`.
    sums: Sums,
    period: Period,
    /// What came too early, by the reset that it waits for.
    ahead: BTreeMap<Ms, Sums>,
}

impl Counter {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { stat, value, matching, days, trend } = settings;
        let trend = Trend::new(trend, |slot| RunningConfig { slot, days: days.clone(), read: read_of(stat) });
        // Until time is known, no day has begun, and every event waits for its own.
        let period = if days.is_some() { NEVER } else { ALWAYS };
        let state = State { sums: Sums::default(), period, ahead: BTreeMap::new() };
        Self { value, matching, stat, days, state, trend }
    }

    fn sample(&self, data: Json<'_>) -> Result<Option<Sample>, Rejection> {
        let value = match (&self.value, self.stat) {
            (Some(path), CounterStat::Sum | CounterStat::Mean) => pick::number(path, data)?.some(),
            _ => Some(1.0),
        };
        let hit = self.stat == CounterStat::Share && self.matching.hold(data);
        Ok(value.map(|value| Sample { value, hit }))
    }

    fn period(&mut self, at: Ms) -> Period {
        self.days.as_mut().map_or(ALWAYS, |days| days.period(at))
    }

    fn number(&self) -> Option<f64> {
        read_of(self.stat)(&self.state.sums)
    }
}

/// A number of events that is off by `delta`; none if that can't be.
fn amended(n: u64, delta: f64) -> Option<u64> {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // within bounds by the test before
    let amended = {
        let right = n as f64 + delta;
        ((0.0..=EVENTS_MAX as f64).contains(&right) && right.fract() == 0.0).then_some(right as u64)
    };
    amended
}

fn read_of(stat: CounterStat) -> fn(&Sums) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // far below 2^53 events
    match stat {
        CounterStat::Count => |sums| Some(sums.n as f64),
        CounterStat::Sum => |sums| Some(sums.sum),
        CounterStat::Mean => Sums::mean,
        CounterStat::Share => Sums::share,
    }
}

impl Reduce for Counter {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let Some(sample) = self.sample(event.data.value())? else { return Ok(false) };
        let at = event.time.as_millis();
        let counts = is_in(self.state.period, at);
        if counts {
            self.state.sums.add_any(&sample);
        } else if at >= self.state.period.1 {
            let start = self.period(at).0;
            if self.state.ahead.len() >= DAYS_AHEAD_MAX && !self.state.ahead.contains_key(&start) {
                return Err(Rejection {
                    place: "time".to_owned(),
                    found: at.to_string(),
                    expected: format!("an instant before or soon after the reset at {}", self.state.period.1),
                });
            }
            self.state.ahead.entry(start).or_default().add_any(&sample);
        }
        Ok(self.trend.fold(at, &sample) || counts)
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        let reset = !is_in(self.state.period, now);
        if reset {
            let period = self.period(now);
            let old = std::mem::take(&mut self.state.sums);
            let was = std::mem::replace(&mut self.state.period, period);
            // The clock was set back: what was counted for the later day waits for it.
            if was.0 > period.0 && old.n > 0 && self.state.ahead.len() < DAYS_AHEAD_MAX {
                self.state.ahead.insert(was.0, old);
            }
            self.state.ahead = self.state.ahead.split_off(&period.0);
            self.state.sums = self.state.ahead.remove(&period.0).unwrap_or_default();
            // What was restored may name days that aren't this zone's.
            self.state.ahead = self.state.ahead.split_off(&period.1);
        }
        self.trend.advance(now) || reset
    }

    fn state(&self) -> Text {
        self.trend.state_with("count", &self.state)
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        let [own, trend] = super::fields(state, ["count", "trend"])?;
        let own: State = super::from_json(own)?;
        let sums = std::iter::once(&own.sums).chain(own.ahead.values());
        if own.period.0 > own.period.1 || sums.into_iter().any(|sums| sums.n > 0 && !sums.is_sound()) {
            return Err("impossible sums or period".to_owned());
        }
        // Of another edition of the zone's rules, a day may begin at another hour, but not last for ever.
        let is_day = |days: &mut Days| {
            own.period.1.saturating_sub(own.period.0) <= DAY_MS_MAX || days.period(own.period.0) == own.period
        };
        if !self.days.as_mut().map_or(own.period == ALWAYS, is_day) {
            return Err("a day that is none".to_owned());
        }
        if own.ahead.len() > DAYS_AHEAD_MAX || own.ahead.keys().any(|start| *start < own.period.1) {
            return Err("days ahead that are none".to_owned());
        }
        self.trend.restore(trend)?;
        self.state = own;
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        self.trend.value(self.number())
    }

    fn one_number(&self) -> Option<(f64, bool)> {
        self.number().map(|value| (value, false))
    }

    fn amend(&mut self, delta: f64) -> bool {
        let sums = &mut self.state.sums;
        match self.stat {
            CounterStat::Sum if (sums.sum + delta).is_finite() => {
                sums.add_any(&Sample { value: delta, hit: false });
                true
            }
            CounterStat::Count => {
                let Some(n) = amended(sums.n, delta) else { return false };
                // Each event counts as one.
                #[allow(clippy::cast_precision_loss)] // far below 2^53 events
                let sum = n as f64;
                *sums = if n == 0 { Sums::default() } else { Sums { n, hits: 0, sum, min: 1.0, max: 1.0 } };
                true
            }
            _ => false,
        }
    }

    fn report(&self) -> Value {
        number_report(self.number())
    }

    fn next_change(&self) -> Option<Ms> {
        let reset = Some(self.state.period.1).filter(|end| *end != Ms::MAX && self.state.period != NEVER);
        reset.into_iter().chain(self.trend.next_change()).min()
    }

    fn horizon(&self) -> Option<Ms> {
        Some(self.state.period.0).filter(|start| *start != Ms::MIN)
    }

    fn lets_go(&self) -> bool {
        self.horizon().is_some()
    }

    fn note_gap(&mut self, from: Ms, to: Ms, _: u64) -> bool {
        self.trend.note_gap(from, to)
    }

    fn grows_only(&self) -> bool {
        self.stat == CounterStat::Count
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use watchfloor_model::Timestamp;

    use super::*;
    use crate::{
        Aggregate,
        testing::{advance, aggregate, event, fold, number},
    };

    fn at(text: &str) -> Ms {
        pick::instant_of_text(text).expect("an instant")
    }

    fn daily(stat: &str) -> Aggregate {
        aggregate(json!({"kind": "counter", "stat": stat, "value": "v", "match": {"hit": true},
            "reset": 0, "timezone": "America/New_York", "trend": 7_200_000}))
    }

    /// A day's count begins at its midnight, also on the day that has 25 hours; what belongs to another day isn't in it.
    #[test]
    fn days_are_counted_apart() {
        let mut own = daily("count");
        let fold = |own: &mut Aggregate, time: &str| fold(own, at(time), json!({}));
        let check = |own: &mut Aggregate, now: &str, expected: i64| {
            advance(own, at(now));
            assert_eq!(own.report(), json!(expected), "{now}");
        };
        check(&mut own, "2013-11-03T16:00:00Z", 0);
        fold(&mut own, "2013-11-03T04:00:00Z");
        fold(&mut own, "2013-11-03T03:59:59.999Z");
        fold(&mut own, "2013-11-04T04:59:59.999Z");
        fold(&mut own, "2013-11-04T05:00:00Z");
        check(&mut own, "2013-11-04T04:59:59.999Z", 2);
        // The event that came too early is counted on its own day.
        check(&mut own, "2013-11-04T05:00:00Z", 1);
        assert_eq!(own.next_change(), Some(Timestamp::from_millis(at("2013-11-04T05:02:00Z"))));
        check(&mut own, "2013-11-09T05:00:00Z", 0);
        // The clock was set back: the days that were forgotten stay so.
        check(&mut own, "2013-11-04T05:00:00Z", 0);
    }

    /// H1: an event from the end of all time doesn't keep the day from ending.
    #[test]
    fn a_far_event_stops_no_reset() {
        let mut own = daily("count");
        advance(&mut own, at("2013-02-08T15:00:00Z"));
        fold(&mut own, at("2013-02-08T15:00:00Z"), json!({}));
        fold(&mut own, crate::reduce::TIME_MS_MAX, json!({}));
        assert_eq!(own.report(), json!(1));
        advance(&mut own, at("2013-02-09T15:00:00Z"));
        assert_eq!(own.report(), json!(0));
        let mut again = daily("count");
        again.restore(&own.state_text()).expect("own state");
        assert_eq!(again.state_text().get(), own.state_text().get());
    }

    /// H2: a number that is found to be off is put right at once, goes on from there, and can't become what no events make.
    #[test]
    fn what_is_off_is_amended() {
        let mut own = daily("count");
        advance(&mut own, at("2013-02-08T15:00:00Z"));
        fold(&mut own, at("2013-02-08T14:00:00Z"), json!({}));
        assert!(own.amend(3.0) && own.report() == json!(4), "{}", own.report());
        fold(&mut own, at("2013-02-08T14:00:00Z"), json!({}));
        assert!(!own.amend(-6.0) && !own.amend(0.5) && !own.amend(f64::NAN) && own.report() == json!(5));
        let mut again = daily("count");
        again.restore(&own.state_text()).expect("own state");
        assert!(again.amend(-5.0) && again.report() == json!(0));
        again.restore(&again.state_text()).expect("own state");
        let mut sum = daily("sum");
        advance(&mut sum, at("2013-02-08T15:00:00Z"));
        assert!(sum.amend(-2.5) && sum.report() == json!(-2.5) && !daily("share").amend(1.0));
    }

    #[test]
    fn statistics() {
        let check = |stat: &str, empty: Value, expected: f64| {
            let mut own = daily(stat);
            advance(&mut own, at("2013-02-08T15:00:00Z"));
            assert_eq!(own.report(), empty, "{stat}");
            for (v, hit) in [(json!(1.5), true), (json!(-4), false), (json!(null), false), (json!(4), false)] {
                fold(&mut own, at("2013-02-08T14:00:00Z"), json!({"v": v, "hit": hit}));
            }
            assert_eq!(own.report().as_f64(), Some(expected), "{stat}");
        };
        check("count", json!(0), 4.0);
        check("sum", json!(0), 1.5);
        check("mean", json!(null), 0.5);
        check("share", json!(null), 0.25);
    }

    /// H5: days ahead are bounded, and what is too far ahead is rejected with its reason.
    #[test]
    fn days_ahead_are_bounded() {
        let mut own = daily("count");
        advance(&mut own, at("2013-02-08T15:00:00Z"));
        for day in 1..=8 {
            fold(&mut own, at("2013-02-08T15:00:00Z") + day * 86_400_000, json!({}));
        }
        let error = own.fold(&event("c", "e", at("2014-02-08T15:00:00Z"), json!({}))).expect_err("too far ahead");
        assert!(error.to_string().starts_with("time: found 1391871600000, expected an instant before"), "{error}");
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        /// The trend is what the counter was at each point, over a midnight as well, whatever came late.
        #[test]
        fn trends_equal_a_model(events in prop::collection::vec((0..9000_i64, 0..3000_i64), 0..80)) {
            let midnight = at("2013-02-08T05:00:00Z");
            let start = midnight - 4_500_000;
            let mut own = daily("count");
            advance(&mut own, start);
            let mut seen: Vec<Ms> = Vec::new();
            let mut now = start;
            let mut events = events;
            events.sort_unstable();
            for (after, late) in events {
                now = start + after * 1000;
                advance(&mut own, now);
                seen.push(now - late * 1000);
                fold(&mut own, now - late * 1000, json!({}));
            }
            let found = number(&own);
            let count = |until: Ms| {
                let from = if until >= midnight { midnight } else { Ms::MIN };
                seen.iter().filter(|at| from <= **at && **at <= until).count() as f64
            };
            let began = seen.iter().copied().min().unwrap_or(start).min(start);
            let newest = now - now.rem_euclid(120_000);
            for (number, point) in (0..).zip(&found.trend) {
                let at = newest - 7_200_000 + 120_000 * number;
                prop_assert_eq!(*point, (at >= began).then(|| count(at)), "{}", at);
            }
            prop_assert_eq!(found.value, Some(if now >= midnight { count(now) } else {
                seen.iter().filter(|at| **at < midnight && **at >= midnight - 86_400_000).count() as f64
            }));
        }
    }
}

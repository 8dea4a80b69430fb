//! What must hold at every instant (H1, H2, H5), where the whole is compared with the reference (H3, H6), and at the end.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use watchfloor_model::Mono;

use super::{GRACE, World};
use crate::{
    alarms::Alarms,
    board_file::SOURCE,
    dialects::Name,
    fault::{Fault, Window},
    reference::{self, Expected},
};

/// An instant of a plan.
pub(super) fn at(millis: u64) -> Mono {
    super::START.plus(Duration::from_millis(millis))
}

impl World {
    /// Looks at everything that may have changed.
    pub(super) fn check(&mut self) -> Result<(), String> {
        // While the program stands still, the page sees to itself. Running again, it looks at its timers first.
        let overdue = self.wall.feed.poll_timeout().is_some_and(|(at, _)| at < self.now);
        if !self.frozen && !overdue {
            self.check_honest()?;
            self.check_tokens()?;
            self.check_lines()?;
        }
        self.check_calm()?;
        self.check_bounds()
    }

    /// Since when nothing that the server has can reach the wall: by no address, or without a token.
    fn silent_since(&self) -> Option<(Mono, &'static str)> {
        let silences = self.active.iter().map(|index| &self.plan.windows[*index]);
        let silences = silences.filter(|window| window.fault.silences());
        let of_line = |line: usize| {
            let windows = silences.clone().filter(|window| window.is_on(line));
            windows.map(|window| (at(window.from), window.fault.name())).min()
        };
        let lines: Option<Vec<_>> = (0..self.plan.lines).map(of_line).collect();
        let cut_off = lines.and_then(|lines| lines.into_iter().max());
        let keyless = self.plan.tokens.as_ref().and_then(|_| self.keys.none_since(self.now));
        cut_off.into_iter().chain(keyless.map(|since| (since, "no token is good"))).min()
    }

    /// H1: no widget is live while something older than its limit is missing, nothing can be heard, or a publisher that
    /// promises to speak is silent.
    fn check_honest(&mut self) -> Result<(), String> {
        let missing = self.wall.ledger.missing_since(&self.server).map(|since| (since, "something missing"));
        let silent = self.silent_since();
        let strict = Duration::from_millis(self.plan.limit);
        self.note_found(strict);
        for (since, name) in [missing, silent].into_iter().flatten() {
            let age = self.now.since(since).saturating_sub(self.unknowably_late(since));
            if age <= strict + GRACE {
                continue;
            }
            for (id, limit) in self.wall.limits() {
                if age > limit + GRACE && self.is_current(id) {
                    return Err(format!("H1: `{id}` is live: {name} for {age:?}, the limit is {limit:?}"));
                }
            }
        }
        self.check_publishers()
    }

    /// How much later than it was sent what was heard last may have come, at about `since`, without anything that tells of it.
    fn unknowably_late(&self, since: Mono) -> Duration {
        let tells = self.plan.dialect.is_none_or(|name| !name.tells_no_time());
        let late =
            self.plan.windows.iter().filter(|window| at(window.from) <= since && since <= at(window.to + 60_000));
        let late = late.map(|window| match window.fault {
            Fault::Slow(millis) | Fault::SlowStream(millis) if !tells => millis,
            _ => 0,
        });
        Duration::from_millis(late.max().unwrap_or(0))
    }

    /// Measures how long each silence was not seen.
    fn note_found(&mut self, strict: Duration) {
        let silences = |window: &Window| window.fault.silences() && (window.line.is_none() || self.plan.lines == 1);
        let silences = self.active.iter().copied().filter(|index| silences(&self.plan.windows[*index]));
        let unseen: Vec<usize> = silences.filter(|index| !self.found.contains(index)).collect();
        if unseen.is_empty() || self.is_current("count") {
            return;
        }
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        for index in unseen {
            self.found.insert(index);
            let window = &self.plan.windows[index];
            let since = at(window.from);
            if !self.stood_still_since(since) {
                self.met.find(window.fault.name(), millis(self.now.since(since)), millis(strict + GRACE));
            }
        }
    }

    /// Whether the program or its disk stood still meanwhile.
    pub(super) fn stood_still_since(&self, since: Mono) -> bool {
        let until = |window: &Window| at(window.to + 10_000);
        let still = |fault| matches!(fault, Fault::Pause | Fault::Suspend | Fault::Crash | Fault::SlowDisk(_));
        self.plan.windows.iter().any(|window| still(window.fault) && until(window) >= since)
    }

    /// H1: a publisher that promises to speak is found dead behind a healthy server.
    fn check_publishers(&self) -> Result<(), String> {
        let (Some(quiet), true) = (self.plan.quiet, self.gone.contains(&true)) else { return Ok(()) };
        // How late a sign of life may come is not known where the server's messages are late.
        let late = self.plan.windows.iter().map(|window| match window.fault {
            Fault::Slow(millis) | Fault::SlowStream(millis) | Fault::SlowDisk(millis) => millis,
            _ => 0,
        });
        let quiet = Duration::from_millis(quiet + late.max().unwrap_or(0)) + GRACE;
        for channel in (0..self.plan.channels).filter(|channel| self.gone[*channel]) {
            let Some(silent) = self.server.heard(channel).map(|heard| self.now.since(heard)) else { continue };
            if silent <= quiet {
                continue;
            }
            if let Some((id, _)) = self.wall.limits().find(|(id, _)| self.is_current(id)) {
                return Err(format!(
                    "H1: `{id}` is live, and the publisher of channel {channel} silent for {silent:?}"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn is_current(&self, widget: &str) -> bool {
        self.wall.board.freshness(widget, self.now).is_some_and(|quality| quality.freshness.is_current())
    }

    /// H2: where nothing has been wrong for a while, everything is live.
    fn check_calm(&mut self) -> Result<(), String> {
        let version = self.wall.board.version();
        if !self.is_calm() || self.looked == version || self.is_unheralded() {
            return Ok(());
        }
        self.looked = version;
        self.met.count("looked at in calm");
        self.check_live()?;
        self.check_time()
    }

    /// H1: where all is live, time goes on, events or none: a window slides, a row expires.
    fn check_time(&self) -> Result<(), String> {
        let Some(time) = self.wall.source_time().filter(|_| self.wall.is_live() && !self.frozen) else { return Ok(()) };
        let there = self.server.time(self.now).min(self.wall.wall(&self.server, self.now).as_millis());
        let behind = there.saturating_sub(time);
        if behind > i64::try_from(self.plan.limit).unwrap_or(i64::MAX).saturating_add(1000) {
            return Err(format!(
                "H1: the source's time is {behind} ms behind although it is live: {:?}",
                self.wall.status
            ));
        }
        Ok(())
    }

    fn check_live(&self) -> Result<(), String> {
        for (id, _) in self.wall.limits() {
            let Some(quality) = self.wall.board.freshness(id, self.now) else { continue };
            // Nothing has ever been said of it.
            let blank =
                quality.source_ms.is_none() && quality.freshness == watchfloor_board::freshness::Freshness::Unknown;
            if !quality.freshness.is_current() && !blank {
                return Err(format!(
                    "H2: `{id}` is {} although nothing has been wrong for {:?}: {:?}, {:?}",
                    quality.freshness.word(),
                    self.calm_for(),
                    quality.reason,
                    self.wall.status
                ));
            }
        }
        Ok(())
    }

    /// H5.
    fn check_bounds(&mut self) -> Result<(), String> {
        let (opens, asks) = self.recent();
        if opens > 30 * self.plan.lines {
            return Err(format!("H5: {opens} connections in 10 s"));
        }
        // Where the server has more it is asked again at once; that is bounded by what it has.
        if self.questions.len() > 30 * self.plan.lines {
            return Err(format!("H5: {} questions for a token in 10 s", self.questions.len()));
        }
        // A long poll of others brings one message an answer.
        let most = if self.plan.dialect.is_some_and(Name::is_asked) { 2_000 } else { 200 };
        if asks > most * self.plan.lines {
            return Err(format!("H5: {asks} polls in 10 s"));
        }
        if self.wall.backlog() > 5_000 {
            return Err(format!("H5: {} steps wait for the disk", self.wall.backlog()));
        }
        Ok(())
    }

    /// Connections in ten seconds, and polls.
    fn recent(&mut self) -> (usize, usize) {
        let since = Mono::from_micros(self.now.as_micros().saturating_sub(10_000_000));
        self.opens.retain(|at| *at >= since);
        self.asks.retain(|at| *at >= since);
        self.questions.retain(|at| *at >= since);
        (self.opens.len(), self.asks.len())
    }

    /// H3: every widget shows exactly what was delivered comes to, and says what it lacks.
    pub(super) fn compare(&mut self) -> Result<(), String> {
        if self.frozen {
            return Ok(());
        }
        let Some((time, latest)) = self.wall.time(&self.server, self.now) else { return Ok(()) };
        if latest > time && !self.reads_late() {
            return Err(format!("H3: the source's time went back from {latest} to {time}"));
        }
        // A clock that was read late goes back; it was never later than this.
        let latest = if self.reads_late() { latest.max(self.server.time(self.now)) } else { latest };
        let report = self.wall.report(self.now);
        let ledger = &self.wall.ledger;
        for (id, expected) in reference::values(&ledger.folded, time, latest) {
            let widget = &report["widgets"][id];
            let blank =
                widget["value"].is_null() && (widget["freshness"] == "refused" || widget["freshness"] == "unknown");
            let nothing = ledger.folded.is_empty() || id == "level" || !ledger.based && is_nothing(&expected);
            if blank && (widget["freshness"] == "refused" || nothing) {
                continue;
            }
            if let Err(text) = compare_value(&widget["value"], &expected) {
                return Err(format!("H3: `{id}` shows {text} (source time {time})"));
            }
        }
        self.met.count("compared");
        self.check_alarms(&report)?;
        self.check_complete(&report)?;
        self.wall.check_page(&self.server, self.now)
    }

    /// H6: what was heard is what should have been; that the source is lost is said when it is, and at no other time (H2).
    fn check_alarms(&mut self, report: &Value) -> Result<(), String> {
        let wall = &mut self.wall;
        wall.alarms.check(&mut wall.board, self.now)?;
        let level = &report["widgets"]["level"];
        let is_known = level["freshness"] == "live" && level["incomplete_until"].is_null();
        wall.alarms.check_value(&wall.board, level["value"].as_f64().filter(|_| is_known))?;
        if Alarms::says_lost(&wall.board) && wall.is_live() {
            return Err("H2: the source is live, and is said to be lost".to_owned());
        }
        let (heard, repeated) = wall.alarms.counts();
        for (name, count) in [("alarms heard", heard), ("alarms repeated", repeated)] {
            if count > 0 {
                self.met.count(name);
            }
        }
        Ok(())
    }

    /// Whether the server's clock may be read so late that it seems to have been set back.
    fn reads_late(&self) -> bool {
        let late = |fault| match fault {
            Fault::Slow(millis) | Fault::SlowStream(millis) => millis >= 1_000,
            Fault::Suspend | Fault::Pause | Fault::Crash | Fault::HeldStream => true,
            _ => false,
        };
        self.plan.latency.1 >= 1_000 || self.plan.windows.iter().any(|window| late(window.fault))
    }

    /// H3: what is missing is said to be, and nothing is that isn't.
    fn check_complete(&mut self, report: &Value) -> Result<(), String> {
        let count = &report["widgets"]["count"];
        if !self.wall.is_live() || self.wall.ledger.missing_since(&self.server).is_some() || count["value"].is_null() {
            return Ok(());
        }
        let ledger = &self.wall.ledger;
        let lacks = ledger.lacks(&self.server);
        let says = count["at_least"] == true;
        if lacks && !says {
            return Err(format!("H3: `count` lacks events and doesn't say so: {count}"));
        }
        if lacks {
            self.met.count("said to be incomplete");
        }
        if ledger.based && ledger.since.is_some() && !says {
            return Err(format!("H3: the server's state began at {:?}, and `count` doesn't say so", ledger.since));
        }
        if ledger.based && ledger.since.is_none() && !ledger.unknown && !ledger.passed && says {
            return Err(format!("H3: `count` has everything, and says that it hasn't: {count}"));
        }
        Ok(())
    }

    /// After the faults the wall is live and shows what the server holds.
    pub(super) fn check_end(&mut self) -> Result<(), String> {
        if !self.is_calm() {
            return Ok(());
        }
        if !self.is_unheralded() {
            self.check_live()?;
        }
        self.compare()?;
        if let Some(missing) = self.wall.ledger.missing_since(&self.server) {
            let age = self.now.since(missing);
            if age > Duration::from_millis(self.plan.limit) {
                return Err(format!("H3: at the end, something is missing for {age:?}"));
            }
        }
        if self.wall.ledger.passed && self.plan.snapshots {
            return Err("H3: at the end, what was passed over has not been made good".into());
        }
        let counts = self.wall.report(self.now)["sources"][SOURCE].clone();
        if counts["gaps"].as_u64() > Some(self.wall.ledger.gap_count()) {
            return Err("H3: gaps are counted that were not announced".into());
        }
        self.met.count("ended well");
        Ok(())
    }

    /// How often the source left *live*.
    #[must_use]
    pub const fn left_live(&self) -> u64 {
        self.left_live
    }
}

/// Whether no event has said anything yet.
fn is_nothing(expected: &Expected) -> bool {
    match expected {
        Expected::Number(value) => value.is_none_or(|value| value == 0.0),
        Expected::OneOf(values) => values.iter().all(|value| value.is_none_or(|value| value == 0.0)),
        Expected::Value(value) => {
            let is_zero = |bin: &Value| bin[1] == 0;
            let is_empty = value["above"] == 0 && value["bins"].as_array().is_some_and(|bins| bins.iter().all(is_zero));
            *value == Value::Array(Vec::new()) || *value == Value::Object(serde_json::Map::new()) || is_empty
        }
        Expected::AnyOf(values) => values.iter().all(|value| is_nothing(&Expected::Value(value.clone()))),
        Expected::Newest(rows) => rows.is_empty(),
        Expected::Counts(counts, _) => counts.is_empty(),
        Expected::Lines(lines, _) => lines.values().all(BTreeMap::is_empty),
    }
}

/// Whether a line has these counts; the others are zero, or unknown.
fn has_counts(found: &Value, counts: &BTreeMap<i64, f64>, since: i64) -> bool {
    let points = found.as_array().map_or(&[][..], Vec::as_slice);
    let shown = points.iter().filter_map(|point| Some((point[0].as_i64()?, point[1].as_f64()?)));
    let shown = shown.filter(|(start, count)| *start >= since && *count != 0.0);
    let expected = counts.iter().filter(|(start, count)| **start >= since && **count != 0.0);
    shown.eq(expected.map(|(start, count)| (*start, *count)))
}

fn compare_value(found: &Value, expected: &Expected) -> Result<(), String> {
    let is = |expected: &Option<f64>| match (found.as_f64(), expected) {
        (None, None) => found.is_null(),
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        _ => false,
    };
    let fits = match expected {
        Expected::Value(expected) => found == expected,
        Expected::AnyOf(expected) => expected.contains(found),
        Expected::Number(expected) => is(expected),
        Expected::OneOf(expected) => expected.iter().any(is),
        Expected::Newest(rows) => {
            let is_so = |(key, row): (&String, &Value)| {
                let last = row["stretches"].as_array().and_then(|all| all.last()).filter(|last| last[1].is_null());
                rows.get(key).is_some_and(|state| last.is_none_or(|last| last[2] == *state))
            };
            found.as_object().map_or(rows.is_empty(), |found| found.len() == rows.len() && found.iter().all(is_so))
        }
        Expected::Counts(counts, since) => has_counts(found, counts, *since),
        Expected::Lines(lines, since) => {
            let shown = |key: &str| found.get(key).unwrap_or(&Value::Null);
            let is_extra = |(key, points): (&String, &Value)| {
                !lines.contains_key(key) && !has_counts(points, &BTreeMap::new(), *since)
            };
            lines.iter().all(|(key, counts)| has_counts(shown(key), counts, *since))
                && !found.as_object().into_iter().flatten().any(is_extra)
        }
    };
    if fits { Ok(()) } else { Err(format!("{found}, expected {expected:?}")) }
}

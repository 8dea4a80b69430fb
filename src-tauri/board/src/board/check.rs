//! Comparing what is shown with the server's own state, and taking that where they differ.

use std::{collections::BTreeMap, fmt::Display};

use watchfloor_model::{Check, Continuity, Timestamp};

use super::tracked::{Heard, Tracked};
use crate::{
    frame::{
        Cell, FenceValue, HistogramValue, LineValue, MarkerValue, NumberValue, RowValue, SeriesValue, TileValue,
        TimelineRow, WidgetValue,
    },
    reduce::RestoreError,
};

/// Differences of one comparison that are named; further ones are counted.
pub const DRIFTS_NAMED_MAX: usize = 20;
/// Numbers that differ by no more than this part of them are equal: sums of the same numbers in another order do.
const FLOAT_TOLERANCE: f64 = 1e-9;
/// The longest text of a value or key that a difference repeats, in characters.
const TEXT_CHARACTERS_MAX: usize = 80;

/// A difference between what was shown and what the server holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The source's id.
    pub source: String,
    /// The widget's id; of several that show the same fold, the first.
    pub widget: String,
    /// What of it differs: `value`, `BA117 · gate`.
    pub field: String,
    /// What was shown until now.
    pub shown: String,
    /// What the server says, which is shown from now on.
    pub server: String,
}

/// A difference within one aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: String,
    pub(super) shown: String,
    pub(super) server: String,
}

/// What a comparison of one aggregate comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    pub(super) named: Vec<Difference>,
    pub(super) count: u64,
    /// Whether the server knows what is shown as unknown.
    pub(super) knows_more: bool,
    /// Whether the other side may leave cells out, of which it says nothing.
    leaves_out: bool,
}

/// What became of an aggregate.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It shows what the server holds, or more than the server knows.
    Agrees,
    /// Something was said to be incomplete, and the server has it: it was taken. Nothing that was shown was wrong.
    Completed,
    /// What was shown was wrong, and was replaced.
    Drifted(Differences),
}

impl Tracked {
    /// Compares it with the server's `state` of `check`, both at `time`, and takes the server's where they differ.
    ///
    /// # Errors
    /// If the state can't be read.
    pub(super) fn compare(
        &mut self,
        state: &serde_json::value::RawValue,
        check: &Check,
        time: Timestamp,
    ) -> Result<Outcome, RestoreError> {
        let server = self.server(state, check, time)?;
        // None is complete: whoever misses less knows more.
        if self.is_known && server.incomplete_until > self.incomplete_until {
            return Ok(Outcome::Agrees);
        }
        let is_more =
            !self.is_known || self.basis == Continuity::Unknown || server.incomplete_until < self.incomplete_until;
        if is_more {
            self.take(&server, check)?;
            return Ok(Outcome::Completed);
        }
        let found = self.differences(&server);
        if found.count == 0 && !found.knows_more {
            return Ok(Outcome::Agrees);
        }
        self.take(&server, check)?;
        Ok(if found.count == 0 { Outcome::Completed } else { Outcome::Drifted(found) })
    }

    /// What the server's state comes to with everything that was delivered beyond it.
    fn server(
        &self,
        state: &serde_json::value::RawValue,
        check: &Check,
        time: Timestamp,
    ) -> Result<Self, RestoreError> {
        let snapshot = &check.snapshot;
        let mut server = Self::new(self.aggregate.like());
        server.aggregate.restore(state)?;
        server.be_restored(snapshot.clock.at(snapshot.received), snapshot.since);
        for event in check.later.iter().filter(|event| self.aggregate.wants(event)) {
            // What can't be used was counted when it came.
            let _rejected = server.aggregate.fold(event);
        }
        server.aggregate.advance(time);
        server.forgive();
        Ok(server)
    }

    fn take(&mut self, server: &Self, check: &Check) -> Result<(), RestoreError> {
        self.aggregate.restore(&server.aggregate.state_text())?;
        self.basis = server.basis;
        self.incomplete_until = server.incomplete_until;
        self.is_known = true;
        let heard = self.aggregate.newest().map(|_| Heard::at(check.snapshot.received));
        self.received = self.received.or(heard);
        Ok(())
    }

    /// Where what a site says of the cells that it speaks of differs.
    pub(super) fn differences_but_unsaid(&self, site: &Self) -> Differences {
        self.find_differences(site, Differences { leaves_out: true, ..Differences::default() })
    }

    /// Whether a number differs, whatever became of it before.
    pub(super) fn number_differs(&self, site: &Self) -> Differences {
        let mut found = Differences::default();
        if let (WidgetValue::Number(shown), WidgetValue::Number(site)) =
            (self.aggregate.value(0), site.aggregate.value(0))
        {
            found.number("value", shown.value, site.value);
        }
        found
    }

    fn differences(&self, server: &Self) -> Differences {
        self.find_differences(server, Differences::default())
    }

    fn find_differences(&self, server: &Self, mut found: Differences) -> Differences {
        match (self.aggregate.value(0), server.aggregate.value(0)) {
            (WidgetValue::Number(shown), WidgetValue::Number(server)) => found.numbers(&shown, &server),
            (WidgetValue::Table(shown), WidgetValue::Table(server)) => {
                let columns = self.aggregate.columns();
                found.by_key(
                    &shown.rows,
                    &server.rows,
                    |row| &row.key,
                    |found, key, shown, server| {
                        found.row(key, shown, server, &columns);
                    },
                );
                found.texts("rows", &shown.total, &server.total);
                // A site lists its rows in an order of its own; a sorted table's follows from its cells.
                if !found.leaves_out {
                    found.texts("order", &order(shown.order), &order(server.order));
                }
            }
            (WidgetValue::Log(shown), WidgetValue::Log(server)) => {
                found.texts("lines", &shown.total, &server.total);
                let keyed = |line: &LineValue| line.number;
                found.by_key(&shown.lines, &server.lines, keyed, |found, number, shown, server| {
                    found.texts(&format!("line {number}"), &line_text(shown), &line_text(server));
                });
            }
            (WidgetValue::Series(shown), WidgetValue::Series(server)) => found.charts(&shown, &server),
            (WidgetValue::Histogram(shown), WidgetValue::Histogram(server)) => found.bins(&shown, &server),
            (WidgetValue::Status(shown), WidgetValue::Status(server)) => {
                found.by_key(&shown.tiles, &server.tiles, |tile| &tile.key, Differences::tile);
            }
            (WidgetValue::Timeline(shown), WidgetValue::Timeline(server)) => {
                found.by_key(&shown.rows, &server.rows, |row| &row.key, Differences::states);
            }
            (WidgetValue::Tally(shown), WidgetValue::Tally(server)) => {
                found.by_key(
                    &shown.bars,
                    &server.bars,
                    |bar| &bar.key,
                    |found, key, shown, server| found.number(key, shown.value, server.value),
                );
            }
            (WidgetValue::Markers(shown), WidgetValue::Markers(server)) => {
                found.by_key(&shown.markers, &server.markers, |marker| &marker.key, Differences::marker);
                found.texts("markers", &shown.total, &server.total);
                found.texts("without a position", &shown.unplaced, &server.unplaced);
                for (number, (shown, server)) in shown.fences.iter().zip(&server.fences).enumerate() {
                    found.texts(&format!("fence · {number}"), &fence_text(*shown), &fence_text(*server));
                }
            }
            // Of one fold, so of one kind.
            (shown, server) => found.texts("kind", &format!("{shown:?}"), &format!("{server:?}")),
        }
        found
    }
}

impl Differences {
    fn add(&mut self, field: &str, shown: &str, server: &str) {
        self.count += 1;
        if self.named.len() < DRIFTS_NAMED_MAX {
            self.named.push(Difference { field: cut(field), shown: cut(shown), server: cut(server) });
        }
    }

    fn texts<T: PartialEq + Display>(&mut self, field: &str, shown: &T, server: &T) {
        if shown != server {
            self.add(field, &shown.to_string(), &server.to_string());
        }
    }

    fn number(&mut self, field: &str, shown: Option<f64>, server: Option<f64>) {
        if !are_close(shown, server) {
            self.add(field, &number_text(shown), &number_text(server));
        }
    }

    /// A number of which none means that nobody knows it: nothing wrong was shown, and nothing is taken from who doesn't know.
    fn perhaps(&mut self, field: &str, shown: Option<f64>, server: Option<f64>) {
        match (shown, server) {
            (None, Some(_)) => self.knows_more = true,
            (_, None) => {}
            (Some(_), Some(_)) => self.number(field, shown, server),
        }
    }

    fn numbers(&mut self, shown: &NumberValue, server: &NumberValue) {
        self.number("value", shown.value, server.value);
        self.texts("at least", &shown.at_least, &server.at_least);
        self.perhaps("change", shown.change, server.change);
        for (number, (shown, server)) in shown.trend.iter().zip(&server.trend).enumerate() {
            self.perhaps(&format!("trend · {number}"), *shown, *server);
        }
    }

    /// Compares what both have, by `each`; what only one has is a difference.
    fn by_key<'a, T, K: Ord + Display>(
        &mut self,
        shown: &'a [T],
        server: &'a [T],
        key: impl Fn(&'a T) -> K,
        each: impl Fn(&mut Self, &str, &T, &T),
    ) {
        let mut rest: BTreeMap<K, &T> = server.iter().map(|one| (key(one), one)).collect();
        for one in shown {
            let name = key(one).to_string();
            match rest.remove(&key(one)) {
                Some(other) => each(self, &name, one, other),
                None => self.add(&name, "there", "none"),
            }
        }
        for name in rest.into_keys() {
            self.add(&name.to_string(), "none", "there");
        }
    }

    fn row(&mut self, key: &str, shown: &RowValue, server: &RowValue, columns: &[String]) {
        for (at, (shown, server)) in shown.cells.iter().zip(&server.cells).enumerate() {
            let is_equal = match (shown, server) {
                (Cell::Number(shown), Cell::Number(server)) => are_close(Some(*shown), Some(*server)),
                (_, Cell::Missing) if self.leaves_out => true,
                (shown, server) => shown == server,
            };
            if !is_equal {
                let column = columns.get(at).map_or("", String::as_str);
                self.add(&format!("{key} · {column}"), &cell_text(shown), &cell_text(server));
            }
        }
        self.texts(&format!("{key} · state"), &word(shown.state), &word(server.state));
    }

    fn tile(&mut self, key: &str, shown: &TileValue, server: &TileValue) {
        let field = |name: &str| format!("{key} · {name}");
        self.texts(&field("label"), &shown.label, &server.label);
        self.texts(&field("text"), &shown.text, &server.text);
        self.texts(&field("detail"), &text_of(&shown.detail), &text_of(&server.detail));
        // Of one that is silent nothing is claimed that could be wrong.
        if shown.lost != server.lost {
            return;
        }
        self.texts(&field("state"), &word(shown.state), &word(server.state));
        // A site's rows are dated when they were written or asked for, which says nothing of since when.
        if !self.leaves_out {
            self.texts(&field("since"), &shown.since_ms, &server.since_ms);
        }
    }

    fn marker(&mut self, key: &str, shown: &MarkerValue, server: &MarkerValue) {
        let field = |name: &str| format!("{key} · {name}");
        self.number(&field("lat"), Some(shown.lat), Some(server.lat));
        self.number(&field("lon"), Some(shown.lon), Some(server.lon));
        self.number(&field("heading"), shown.heading, server.heading);
        self.texts(&field("label"), &text_of(&shown.label), &text_of(&server.label));
        self.texts(&field("state"), &word(shown.state), &word(server.state));
    }

    /// Where both know a state, and another one. What only the server knows is no difference.
    fn states(&mut self, key: &str, shown: &TimelineRow, server: &TimelineRow) {
        self.texts(&format!("{key} · label"), &shown.label, &server.label);
        let said = |row: &TimelineRow, at: i64| {
            let own = row.stretches.iter().find(|own| own.from_ms <= at && own.to_ms.is_none_or(|to| at < to))?;
            Some(format!("{} ({})", own.text, word(own.state)))
        };
        let mut edges: Vec<i64> = shown.stretches.iter().chain(&server.stretches).map(|own| own.from_ms).collect();
        edges.extend(shown.stretches.iter().chain(&server.stretches).filter_map(|own| own.to_ms));
        edges.sort_unstable();
        edges.dedup();
        for at in edges {
            match (said(shown, at), said(server, at)) {
                (Some(shown), Some(server)) => self.texts(&format!("{key} · {}", instant(at)), &shown, &server),
                (None, Some(_)) => self.knows_more = true,
                (_, None) => {}
            }
        }
    }

    fn charts(&mut self, shown: &SeriesValue, server: &SeriesValue) {
        type Points = BTreeMap<(String, i64), Option<f64>>;
        let points = |chart: &SeriesValue| -> Points {
            let line = |line: &crate::frame::SeriesLine| {
                let key = line.key.clone();
                line.points.clone().into_iter().map(move |(at, value)| ((key.clone(), at), value))
            };
            chart.lines.iter().flat_map(line).collect()
        };
        // A gap may begin in the midst of a bucket.
        let length =
            shown.lines.iter().chain(&server.lines).find_map(|line| Some(line.points.get(1)?.0 - line.points[0].0));
        let length = length.unwrap_or(0);
        let is_unknown =
            |chart: &SeriesValue, at: i64| chart.gaps.iter().any(|(from, to)| *from <= at + length && at <= *to);
        let mut theirs = points(server);
        let mut compare = |(key, at): (String, i64), mine: Option<Option<f64>>, other: Option<Option<f64>>| {
            let is_equal = match (mine, other) {
                (Some(mine), Some(other)) => are_close(mine, other),
                // One chart begins earlier than the other: that nothing happened there is no difference.
                (Some(only), None) | (None, Some(only)) => only.is_none_or(|only| only == 0.0),
                (None, None) => true,
            };
            if is_equal || is_unknown(server, at) {
                return;
            }
            if is_unknown(shown, at) {
                self.knows_more = true;
                return;
            }
            let field = format!("{key}{}{}", if key.is_empty() { "" } else { " · " }, instant(at));
            self.add(&field, &number_text(mine.flatten()), &number_text(other.flatten()));
        };
        for (place, value) in points(shown) {
            let other = theirs.remove(&place);
            compare(place, Some(value), other);
        }
        for (place, value) in theirs {
            compare(place, None, Some(value));
        }
        self.marks(shown, server);
    }

    fn bins(&mut self, shown: &HistogramValue, server: &HistogramValue) {
        for (bin, (shown, server)) in shown.counts.iter().zip(&server.counts).enumerate() {
            self.texts(&format!("bin · {bin}"), shown, server);
        }
        for (number, (shown, server)) in shown.stats.iter().zip(&server.stats).enumerate() {
            self.number(&format!("statistic · {number}"), *shown, *server);
        }
    }

    /// What happened besides, however often at one instant.
    fn marks(&mut self, shown: &SeriesValue, server: &SeriesValue) {
        let marks = |chart: &SeriesValue| chart.marks.iter().flat_map(|marks| marks.list.clone()).collect::<Vec<_>>();
        let mut counts: BTreeMap<(i64, String), [usize; 2]> = BTreeMap::new();
        for (side, chart) in [shown, server].into_iter().enumerate() {
            for mark in marks(chart) {
                counts.entry((mark.at_ms, mark.label)).or_default()[side] += 1;
            }
        }
        let is_unknown = |chart: &SeriesValue, at: i64| chart.gaps.iter().any(|(from, to)| *from <= at && at <= *to);
        for ((at, label), [mine, theirs]) in counts {
            if mine == theirs || is_unknown(server, at) {
                continue;
            }
            if is_unknown(shown, at) && mine < theirs {
                self.knows_more = true;
                continue;
            }
            self.add(&format!("mark · {} · {label}", instant(at)), &mine.to_string(), &theirs.to_string());
        }
        let more = |chart: &SeriesValue| chart.marks.as_ref().map_or(0, |marks| marks.more);
        if shown.gaps.is_empty() && server.gaps.is_empty() {
            self.texts("marks before these", &more(shown), &more(server));
        }
    }
}

fn are_close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || (a - b).abs() <= FLOAT_TOLERANCE * a.abs().max(b.abs()).max(1.0),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn fence_text(fence: FenceValue) -> String {
    format!("{} inside, {} unknown, {}", fence.inside, fence.unknown, word(fence.state))
}

fn order(keys: Option<Vec<String>>) -> String {
    keys.unwrap_or_default().join(", ")
}

fn number_text(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn text_of(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "none".to_owned())
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Time(at) => instant(*at),
        Cell::Null => "null".to_owned(),
        Cell::Missing => "missing".to_owned(),
    }
}

fn line_text(line: &LineValue) -> String {
    format!("{} {} {}", instant(line.source_ms), word(line.state), line.text)
}

fn instant(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |at| at.to_string())
}

fn word(state: crate::frame::State) -> String {
    format!("{state:?}").to_lowercase()
}

fn cut(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(TEXT_CHARACTERS_MAX).collect();
    if characters.next().is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests;

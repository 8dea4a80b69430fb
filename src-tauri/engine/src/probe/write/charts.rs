//! Charts: a line over time for each number that varies.

use std::collections::BTreeSet;

use watchfloor_model::path::Path;

use super::{
    super::{
        judge,
        learn::{Field, Learnt},
        text::{quoted, quoted_list, shown},
    },
    ROW_REMOVED, ROW_WORDS, Writer, can_ask,
};

/// A wall is read at a glance.
const SERIES_MAX: usize = 4;
/// Lines of a chart by key: what a board takes.
const LINES_MAX: usize = 12;

/// A chart that could be drawn.
struct Chart<'l> {
    name: &'l str,
    learnt: &'l Learnt,
    field: &'l Field,
    /// What tells things apart, and how many were seen.
    key: Option<(Path, usize)>,
    /// Whether that is a guess.
    is_unsure: bool,
    /// The number's place among those of its events.
    rank: usize,
}

impl Chart<'_> {
    /// Whether the things that are told apart have lines of their own.
    fn has_lines(&self) -> bool {
        self.key.as_ref().is_some_and(|(_, count)| (2..=LINES_MAX).contains(count))
    }
}

impl Writer<'_> {
    /// A chart for each number that varies: those first that surely have a line for each thing, then one of each name in turn.
    pub(super) fn series(&mut self) {
        let rows = self.row_key();
        let mut drawn: BTreeSet<Path> = BTreeSet::new();
        let mut charts = Vec::new();
        for (name, learnt) in self.learner.names() {
            if !can_ask(name) || (self.subject.kind == "poll" && **name == *ROW_REMOVED) {
                continue;
            }
            let own = judge::keys(name, learnt).into_iter().next();
            let is_unsure = rows.is_none() && own.as_ref().is_some_and(|key| key.is_unsure);
            let key = rows.clone().or_else(|| own.map(|key| key.path));
            let key = key.and_then(|path| learnt.field(&path)).map(|field| (field.path.clone(), field.distinct()));
            let measures = learnt.fields.iter().filter(|field| judge::is_measure(field));
            let measures = measures.filter(|field| rows.is_none() || drawn.insert(field.path.clone()));
            for (rank, field) in measures.enumerate() {
                charts.push(Chart { name, learnt, field, key: key.clone(), is_unsure, rank });
            }
        }
        charts.sort_by_key(|chart| (!chart.has_lines() || chart.is_unsure, chart.rank));
        let left_out = charts.len().saturating_sub(SERIES_MAX);
        for chart in charts.iter().take(SERIES_MAX) {
            let on = if rows.is_some() { quoted_list(ROW_WORDS) } else { quoted(chart.name) };
            self.chart(chart, &on);
        }
        if left_out > 0 {
            self.comment(&format!("{left_out} more numbers vary and have no chart here."));
        }
    }

    fn chart(&mut self, chart: &Chart<'_>, on: &str) {
        let Chart { name, learnt, field, key, .. } = chart;
        let path = field.path.to_string();
        let (low, high) = field.range.unwrap_or_default();
        let digits = field.decimals as usize;
        let mut because = vec![format!(
            "`{}` of `{}` varies: {low:.digits$} to {high:.digits$} in {} events.",
            shown(&path),
            shown(name),
            field.numbers
        )];
        match key {
            Some((by, _)) if chart.has_lines() => {
                let guess = if chart.is_unsure { ": that they differ by it is a guess" } else { "" };
                because.push(format!("A line for each `{}`{guess}.", shown(&by.to_string())));
            }
            Some((by, count)) if *count > LINES_MAX => {
                because.push(format!(
                    "One line, the mean of all: more than {LINES_MAX} values of `{}` came, and a chart has no room for a line of each.",
                    shown(&by.to_string())
                ));
            }
            _ => {}
        }
        // A row's number is the same whatever became of the row.
        let (id, heading) = match self.row_key() {
            Some(_) => (path.clone(), shown(&path)),
            None => (format!("{name}-{path}"), format!("{}: {}", shown(name), shown(&path))),
        };
        self.widget(&because, &id, &heading, "series");
        // About a point or more a bucket, and some hundred buckets.
        let (bucket, keep) = match learnt.rate(self.told.listened.as_secs_f64()).unwrap_or(0.0) {
            rate if rate >= 1.0 => ("5s", "15m"),
            rate if rate >= 0.1 => ("10s", "30m"),
            rate if rate >= 1.0 / 60.0 => ("1m", "2h"),
            _ => ("10m", "1d"),
        };
        self.key("on", on);
        self.key("bucket", &quoted(bucket));
        self.key("keep", &quoted(keep));
        self.key("stat", &quoted("mean"));
        self.key("value", &quoted(&path));
        if let Some((by, _)) = key.as_ref().filter(|_| chart.has_lines()) {
            self.key("by", &quoted(&by.to_string()));
        }
        self.key("decimals", &field.decimals.to_string());
    }
}

//! What is counted for operators, under the names of the contract (`docs/operations.md`).

use std::sync::Arc;

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::sync::watch;
use watchfloor_board::freshness::Freshness;
use watchfloor_model::{Continuity, Counts, Mono, Phase};

use crate::drill::Verdict;

const EVENTS: &str = "watchfloor_events_total";
const SOURCE_STATE: &str = "watchfloor_source_state";
const WIDGET_FRESHNESS: &str = "watchfloor_widget_freshness";
const GLASS_LATENCY: &str = "watchfloor_glass_latency_seconds";
const RECONNECTS: &str = "watchfloor_reconnects_total";
const GAPS: &str = "watchfloor_gaps_total";
const DRIFT: &str = "watchfloor_drift_total";
const CHECKS: &str = "watchfloor_checks_total";
const CHECK_DONE: &str = "done";
const CHECK_FAILED: &str = "failed";
const DUPLICATES: &str = "watchfloor_duplicates_total";
const REJECTED: &str = "watchfloor_rejected_total";
const PAGE_RECYCLED: &str = "watchfloor_page_recycled_total";
const DRILL_STEPS: &str = "watchfloor_drill_steps_total";
const FRAMES: &str = "watchfloor_frames_total";
const JOURNAL_BYTES: &str = "watchfloor_journal_bytes";

/// Upper ends of the latency's buckets, in seconds: one and a half display frames are 25 ms.
const GLASS_BUCKETS_S: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.0167, 0.025, 0.0334, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The counters of one engine. Without anyone to read them they cost nothing.
pub(crate) struct Metrics {
    recorder: Option<PrometheusRecorder>,
    frames: Counter,
    page_recycled: Counter,
    glass: Histogram,
    journal_bytes: Gauge,
    drill_steps: Vec<Counter>,
    /// When all was last measured.
    surveyed: watch::Sender<Mono>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("read", &self.recorder.is_some()).finish_non_exhaustive()
    }
}

impl Metrics {
    /// Counters that nobody reads.
    pub(crate) fn unread() -> Self {
        Self {
            recorder: None,
            frames: Counter::noop(),
            page_recycled: Counter::noop(),
            glass: Histogram::noop(),
            journal_bytes: Gauge::noop(),
            drill_steps: Vec::new(),
            surveyed: watch::Sender::new(Mono::ZERO),
        }
    }

    /// Counters for Prometheus.
    ///
    /// # Errors
    /// If the exporter refuses the bucket limits, which are constant: our own fault.
    pub(crate) fn read() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(GLASS_LATENCY.into()), GLASS_BUCKETS_S)?
            .build_recorder();
        let (frames, page_recycled, glass, journal_bytes, drill_steps) = with_local_recorder(&recorder, || {
            describe();
            let steps = Verdict::ALL.map(|verdict| counter!(DRILL_STEPS, "verdict" => verdict.word())).to_vec();
            (counter!(FRAMES), counter!(PAGE_RECYCLED), histogram!(GLASS_LATENCY), gauge!(JOURNAL_BYTES), steps)
        });
        let surveyed = watch::Sender::new(Mono::ZERO);
        Ok(Self { recorder: Some(recorder), frames, page_recycled, glass, journal_bytes, drill_steps, surveyed })
    }

    /// What renders the counters as text.
    pub(crate) fn handle(&self) -> Option<PrometheusHandle> {
        self.recorder.as_ref().map(PrometheusRecorder::handle)
    }

    /// When all was last measured; [`Mono::ZERO`] if it never was.
    pub(crate) fn surveys(&self) -> watch::Receiver<Mono> {
        self.surveyed.subscribe()
    }

    /// All is measured.
    pub(crate) fn surveyed(&self, now: Mono) {
        self.surveyed.send_replace(now);
    }

    /// A frame was handed to a page.
    pub(crate) fn frame(&self) {
        self.frames.increment(1);
    }

    /// A step of a lamp test has ended.
    pub(crate) fn drill_step(&self, verdict: Verdict) {
        let counter = self.drill_steps.iter().zip(Verdict::ALL).find(|(_, own)| *own == verdict);
        if let Some((counter, _)) = counter {
            counter.increment(1);
        }
    }

    /// A page that held too much memory was replaced.
    pub(crate) fn page_recycled(&self) {
        self.page_recycled.increment(1);
    }

    /// `count` events were painted `seconds` after they were received.
    pub(crate) fn painted(&self, seconds: f64, count: usize) {
        self.glass.record_many(seconds, count);
    }

    /// The journal's size.
    pub(crate) fn journal_bytes(&self, bytes: u64) {
        #[allow(clippy::cast_precision_loss)] // a gauge is a float; 9 PB are exact
        self.journal_bytes.set(bytes as f64);
    }

    /// The counters of a source.
    pub(crate) fn source(self: &Arc<Self>, id: &str) -> SourceMetrics {
        let Some(recorder) = &self.recorder else { return SourceMetrics::default() };
        let source = || id.to_owned();
        with_local_recorder(recorder, || SourceMetrics {
            states: Phase::ALL
                .map(|phase| gauge!(SOURCE_STATE, "source" => source(), "state" => phase.word()))
                .to_vec(),
            events: Some(counter!(EVENTS, "source" => source())),
            duplicates: Some(counter!(DUPLICATES, "source" => source())),
            reconnects: Some(counter!(RECONNECTS, "source" => source())),
            rejected: Some(counter!(REJECTED, "source" => source())),
            drift: Some(counter!(DRIFT, "source" => source())),
            checks: [CHECK_DONE, CHECK_FAILED]
                .map(|outcome| counter!(CHECKS, "source" => source(), "outcome" => outcome))
                .to_vec(),
            gaps: [Continuity::Proven, Continuity::Snapshot, Continuity::Unknown]
                .map(|proof| counter!(GAPS, "source" => source(), "proof" => proof.word()))
                .to_vec(),
        })
    }

    /// The gauges of a widget.
    pub(crate) fn widget(self: &Arc<Self>, id: &str) -> WidgetMetrics {
        let Some(recorder) = &self.recorder else { return WidgetMetrics::default() };
        with_local_recorder(recorder, || WidgetMetrics {
            freshness: Freshness::ALL
                .map(|freshness| gauge!(WIDGET_FRESHNESS, "widget" => id.to_owned(), "freshness" => freshness.word()))
                .to_vec(),
        })
    }
}

fn describe() {
    describe_counter!(DRILL_STEPS, "Steps of lamp tests, by how they ended.");
    describe_counter!(EVENTS, "Events delivered, each once.");
    describe_gauge!(SOURCE_STATE, "1 for the state that a source is in, 0 for the others.");
    describe_gauge!(WIDGET_FRESHNESS, "1 for the freshness that a widget has, 0 for the others.");
    describe_histogram!(GLASS_LATENCY, "From the receipt of an event to the page's receipt for its frame.");
    describe_counter!(RECONNECTS, "Connections that followed a lost one.");
    describe_counter!(GAPS, "Stretches not received live, by how they were closed.");
    describe_counter!(DRIFT, "Differences found between the board and the server.");
    describe_counter!(CHECKS, "Comparisons of the board with the server, by what became of them.");
    describe_counter!(DUPLICATES, "Events dropped because they had been delivered before.");
    describe_counter!(REJECTED, "Events refused because their form or size was unacceptable.");
    describe_counter!(PAGE_RECYCLED, "Pages replaced because they held too much memory.");
    describe_counter!(FRAMES, "Frames handed to pages.");
    describe_gauge!(JOURNAL_BYTES, "Size of the journal on disk.");
}

/// The counters of one source.
#[derive(Default)]
pub(crate) struct SourceMetrics {
    states: Vec<Gauge>,
    events: Option<Counter>,
    duplicates: Option<Counter>,
    reconnects: Option<Counter>,
    rejected: Option<Counter>,
    drift: Option<Counter>,
    checks: Vec<Counter>,
    gaps: Vec<Counter>,
}

impl SourceMetrics {
    /// Takes over what the source counted and where it stands; no phase for a source that is gone.
    pub(crate) fn set(&self, phase: Option<Phase>, counts: &Counts) {
        for (gauge, each) in self.states.iter().zip(Phase::ALL) {
            gauge.set(if phase == Some(each) { 1.0 } else { 0.0 });
        }
        let totals = [
            (&self.events, counts.events),
            (&self.duplicates, counts.duplicates),
            (&self.reconnects, counts.reconnects),
            (&self.rejected, counts.rejected),
        ];
        for (counter, total) in totals {
            if let Some(counter) = counter {
                counter.absolute(total);
            }
        }
        for (counter, total) in self.gaps.iter().zip([counts.gaps_proven, counts.gaps_snapshot, counts.gaps_unknown]) {
            counter.absolute(total);
        }
        for (counter, total) in self.checks.iter().zip([counts.checks, counts.checks_failed]) {
            counter.absolute(total);
        }
    }

    /// Takes over how many differences from the server's state were found.
    pub(crate) fn set_drift(&self, total: u64) {
        if let Some(counter) = &self.drift {
            counter.absolute(total);
        }
    }
}

/// The gauges of one widget.
#[derive(Default)]
pub(crate) struct WidgetMetrics {
    freshness: Vec<Gauge>,
}

impl WidgetMetrics {
    /// Takes over how fresh the widget is; none for a widget that is gone.
    pub(crate) fn set(&self, freshness: Option<Freshness>) {
        for (gauge, each) in self.freshness.iter().zip(Freshness::ALL) {
            gauge.set(if freshness == Some(each) { 1.0 } else { 0.0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and labels of design section 9 are a contract.
    #[test]
    fn names_are_the_contracts() {
        let metrics = Arc::new(Metrics::read().unwrap());
        let counts =
            Counts { events: 7, duplicates: 1, reconnects: 2, gaps_unknown: 3, checks: 4, ..Counts::default() };
        metrics.source("ops").set(Some(Phase::Live), &counts);
        metrics.source("ops").set(Some(Phase::Waiting), &counts);
        metrics.source("ops").set_drift(2);
        metrics.widget("cancelled").set(Some(Freshness::Stale));
        metrics.frame();
        metrics.painted(0.004, 3);
        metrics.journal_bytes(4096);
        let text = metrics.handle().unwrap().render();
        for line in [
            "watchfloor_events_total{source=\"ops\"} 7",
            "watchfloor_source_state{source=\"ops\",state=\"live\"} 0",
            "watchfloor_source_state{source=\"ops\",state=\"waiting\"} 1",
            "watchfloor_widget_freshness{widget=\"cancelled\",freshness=\"stale\"} 1",
            "watchfloor_widget_freshness{widget=\"cancelled\",freshness=\"live\"} 0",
            "watchfloor_glass_latency_seconds_bucket{le=\"0.005\"} 3",
            "watchfloor_glass_latency_seconds_count 3",
            "watchfloor_reconnects_total{source=\"ops\"} 2",
            "watchfloor_gaps_total{source=\"ops\",proof=\"unknown\"} 3",
            "watchfloor_drift_total{source=\"ops\"} 2",
            "watchfloor_checks_total{source=\"ops\",outcome=\"done\"} 4",
            "watchfloor_duplicates_total{source=\"ops\"} 1",
            "watchfloor_frames_total 1",
            "watchfloor_journal_bytes 4096",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}

//! What operators and tests can watch: the contract's object.

use serde_json::{Map, Value, json};
use watchfloor_model::Mono;

use super::{Board, lane::Lane};
use crate::{
    frame::AlarmView,
    freshness::{Freshness, judge},
};

impl Board {
    /// `{"sources": {…}, "widgets": {…}, "alarms": […]}`, the most urgent alarms first; the caller adds the time. A value that may not be seen, or that
    /// there isn't, is null.
    #[must_use]
    pub fn report(&self, now: Mono) -> Value {
        let sources: Map<String, Value> =
            self.lanes.iter().map(|lane| (lane.spec.id.clone(), self.source_report(lane, now))).collect();
        let widgets: Map<String, Value> = self
            .widgets()
            .zip(self.qualities(now))
            .map(|((widget, _, tracked), quality)| {
                let is_shown = tracked.has_value() && quality.freshness != Freshness::Refused;
                let report = json!({
                    "kind": widget.look.kind(),
                    "freshness": quality.freshness,
                    "reason": quality.reason,
                    "age_ms": quality.age_ms,
                    "basis": quality.basis,
                    "at_least": tracked.is_at_least(),
                    "incomplete_until": quality.incomplete_until_ms,
                    "against": quality.against,
                    "rejected": quality.rejected.map_or(0, |rejected| rejected.count),
                    "value": if is_shown { tracked.aggregate.report() } else { Value::Null },
                });
                (widget.id.clone(), report)
            })
            .collect();
        let alarms: Vec<Value> =
            self.alarms_view(now).into_iter().flat_map(|view| view.list).map(alarm_report).collect();
        json!({"sources": sources, "widgets": widgets, "alarms": alarms})
    }

    fn source_report(&self, lane: &Lane, now: Mono) -> Value {
        let status = &lane.status;
        let verdict = judge(status, self.source_promise(lane), lane.held(true, now), now);
        let counts = &status.counts;
        json!({
            "state": status.phase.word(),
            "transport": status.transport.map(watchfloor_model::Transport::word),
            "paths": status.paths.iter().map(path_report).collect::<Vec<_>>(),
            "continuity": status.continuity.word(),
            "freshness": verdict.freshness,
            "reason": verdict.reason(),
            "position": status.positions,
            "clock": lane.time(now),
            "events": counts.events,
            "duplicates": counts.duplicates,
            "gaps": counts.gaps(),
            "gaps_proven": counts.gaps_proven,
            "gaps_snapshot": counts.gaps_snapshot,
            "gaps_unknown": counts.gaps_unknown,
            "rejected": counts.rejected,
            "reconnects": counts.reconnects,
            "checks": counts.checks,
            "checks_failed": counts.checks_failed,
            "renewal": status.renewal,
            "unchecked": status.unchecked,
            "checked_ms": lane.checked_ago_ms(now),
            "drift": lane.drift,
        })
    }
}

fn alarm_report(alarm: AlarmView) -> Value {
    json!({
        "id": alarm.key,
        "occurrence": alarm.occurrence,
        "title": alarm.title,
        "state": alarm.state,
        "priority": alarm.priority,
        "evidence": alarm.evidence,
        "raised": alarm.raised_ms,
        "returned": alarm.returned_ms,
        "decided": alarm.decided_ms,
    })
}

fn path_report(path: &watchfloor_model::PathStatus) -> Value {
    json!({
        "path": path.place,
        "state": path.phase.word(),
        "transport": path.transport.map(watchfloor_model::Transport::word),
        "reason": path.cause.as_ref().map(|cause| &cause.text),
    })
}

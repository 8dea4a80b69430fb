//! All of the board in one line.

use watchfloor_model::Mono;

use super::{Board, State, Worst};
use crate::freshness::{Freshness, SourceSummary, Summary, judge};

impl Board {
    /// How all of it is now. What rows, lines and markers say for themselves isn't counted, as for pages.
    pub fn summary(&mut self, now: Mono) -> Summary {
        let qualities: Vec<_> = self.qualities(now).collect();
        let mut summary =
            Summary { title: self.file.board.title.clone(), widgets: qualities.len(), ..Summary::default() };
        let mut known = std::mem::take(&mut self.worst);
        known.resize(self.file.widgets.len(), Worst::default());
        for (((widget, _, tracked), quality), worst) in self.widgets().zip(&qualities).zip(&mut known) {
            summary.unwell += usize::from(!quality.freshness.is_current());
            // A link that is lost hides no alarm that stood; what may not be seen isn't told here either.
            if quality.freshness == Freshness::Refused {
                continue;
            }
            match worst.of(widget, tracked) {
                State::Alarm => summary.alarms += 1,
                State::Warning => summary.warnings += 1,
                _ => {}
            }
        }
        self.worst = known;
        let sources = self.lanes.iter().map(|lane| {
            let freshness = judge(&lane.status, self.source_promise(lane), lane.held(true, now), now).freshness;
            (lane, freshness)
        });
        let source = sources.max_by_key(|(_, freshness)| freshness.gravity());
        let levels = qualities.iter().map(|quality| quality.freshness).chain(source.map(|(_, freshness)| freshness));
        summary.worst = levels.max_by_key(|freshness| freshness.gravity()).unwrap_or_default();
        summary.source = source.filter(|(_, freshness)| !freshness.is_current()).map(|(lane, freshness)| {
            let outage =
                self.outages.0.iter().find(|outage| outage.source == lane.spec.id && outage.ended_ms.is_none());
            SourceSummary { title: lane.spec.title.clone(), freshness, began_ms: outage.map(|outage| outage.began_ms) }
        });
        summary
    }
}

//! Events that were of no use, in the log: with the reason, never with what they said, and at a bounded rate.

use std::collections::BTreeMap;

use watchfloor_board::frame::Rejected;
use watchfloor_model::SourceStatus;

/// What was logged, and what is to be. [`Rejections::log`] is called about once a second.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    widgets: BTreeMap<String, Tally>,
    sources: BTreeMap<String, Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    logged: u64,
    count: u64,
    reason: String,
}

impl Rejections {
    /// Takes what a widget could not use so far.
    pub(crate) fn handle_widget(&mut self, widget: &str, rejected: Rejected) {
        take(&mut self.widgets, widget, rejected.count, rejected.reason);
    }

    /// Takes what a source refused so far.
    pub(crate) fn handle_status(&mut self, source: &str, status: &SourceStatus) {
        if let Some(reason) = &status.last_rejection {
            take(&mut self.sources, source, status.counts.rejected, reason.clone());
        }
    }

    /// Logs what is new: one line a widget and one a source, with the number of events and the newest reason.
    pub(crate) fn log(&mut self) {
        for (widget_id, count, reason) in due(&mut self.widgets) {
            tracing::warn!(widget_id, count, reason, "events rejected by a widget");
        }
        for (source, count, reason) in due(&mut self.sources) {
            tracing::warn!(source, count, reason, "events rejected");
        }
    }
}

fn take(tallies: &mut BTreeMap<String, Tally>, id: &str, count: u64, reason: String) {
    if let Some(tally) = tallies.get_mut(id) {
        (tally.count, tally.reason) = (count, reason);
    } else {
        tallies.insert(id.to_owned(), Tally { logged: 0, count, reason });
    }
}

fn due(tallies: &mut BTreeMap<String, Tally>) -> impl Iterator<Item = (&str, u64, &str)> {
    tallies.iter_mut().filter(|(_, tally)| tally.count != tally.logged).map(|(id, tally)| {
        // A widget that was made anew counts from zero.
        let new = tally.count.checked_sub(tally.logged).unwrap_or(tally.count);
        tally.logged = tally.count;
        (id.as_str(), new, tally.reason.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each rejection is in the log once, as part of a sum.
    #[test]
    fn sums_are_logged_once() {
        let mut rejections = Rejections::default();
        let rejected = |count| Rejected { count, reason: format!("reason {count}") };
        let mut logged: Vec<Vec<String>> = Vec::new();
        for counts in [&[1, 5][..], &[], &[5], &[8], &[2]] {
            for count in counts {
                rejections.handle_widget("w", rejected(*count));
            }
            logged.push(due(&mut rejections.widgets).map(|(_, count, reason)| format!("{count} {reason}")).collect());
        }
        let expected: Vec<Vec<String>> =
            vec![vec!["5 reason 5".into()], vec![], vec![], vec!["3 reason 8".into()], vec!["2 reason 2".into()]];
        assert_eq!(logged, expected);
    }
}

//! Events that were of no use, in the log: with the reason, never with what they said, and at a bounded rate.

use std::collections::BTreeMap;

use watchfloor_board::Rejection;
use watchfloor_model::SourceStatus;

/// What was logged, and what is to be. [`Rejections::log`] is called about once a second.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    widgets: BTreeMap<String, Tally>,
    sources: BTreeMap<String, Tally>,
    rules: BTreeMap<String, Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    logged: u64,
    count: u64,
    reason: String,
}

impl Rejections {
    /// Takes why a widget could not use an event. What was found there is left out: it is what the event said.
    pub(crate) fn handle_rejection(&mut self, widget: &str, rejection: &Rejection) {
        let reason = format!("{}: expected {}", rejection.place, rejection.expected);
        self.widgets.entry(widget.to_owned()).or_default().reason = reason;
    }

    /// Takes why an alarm's rule could not use an event, or a part of it, in the same way. Nobody else counts those: they are counted as they come.
    pub(crate) fn handle_rule(&mut self, rule: &str, rejection: &Rejection) {
        let tally = self.rules.entry(rule.to_owned()).or_default();
        tally.reason = format!("{}: expected {}", rejection.place, rejection.expected);
        tally.count = tally.count.saturating_add(1);
    }

    /// Takes how many events a widget could not use so far.
    pub(crate) fn handle_count(&mut self, widget: &str, count: u64) {
        self.widgets.entry(widget.to_owned()).or_default().count = count;
    }

    /// Takes what a source refused so far.
    pub(crate) fn handle_status(&mut self, source: &str, status: &SourceStatus) {
        if let Some(reason) = &status.last_rejection {
            let tally = self.sources.entry(source.to_owned()).or_default();
            tally.count = status.counts.rejected;
            tally.reason.clone_from(reason);
        }
    }

    /// Logs what is new: one line a widget, one a rule and one a source, with the number of events and the newest reason.
    pub(crate) fn log(&mut self) {
        for (widget_id, count, reason) in due(&mut self.widgets) {
            tracing::warn!(widget_id, count, reason, "events rejected by a widget");
        }
        for (rule, count, reason) in due(&mut self.rules) {
            tracing::warn!(rule, count, reason, "what came can't be used by an alarm's rule: it may lack alarms");
        }
        for (source, count, reason) in due(&mut self.sources) {
            tracing::warn!(source, count, reason, "events rejected");
        }
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

    /// H8: what a rule can't use is in the log as well, though no widget counts it.
    #[test]
    fn what_a_rule_cannot_use_is_logged_once() {
        let mut rejections = Rejections::default();
        let rejection = Rejection { place: "`labels`".into(), found: "s3cret".into(), expected: "an object".into() };
        for (times, expected) in [
            (3, vec!["ops 3 `labels`: expected an object"]),
            (0, vec![]),
            (1, vec!["ops 1 `labels`: expected an object"]),
        ] {
            (0..times).for_each(|_| rejections.handle_rule("ops", &rejection));
            let logged: Vec<String> =
                due(&mut rejections.rules).map(|(rule, count, reason)| format!("{rule} {count} {reason}")).collect();
            assert_eq!(logged, expected);
        }
    }

    /// H8: each rejection is in the log once, as part of a sum, without what the event said.
    #[test]
    fn sums_are_logged_once() {
        let mut rejections = Rejections::default();
        let mut logged: Vec<Vec<String>> = Vec::new();
        for counts in [&[1, 5][..], &[], &[5], &[8], &[2]] {
            for count in counts {
                let found = "what the event said".to_owned();
                let rejection = Rejection { place: format!("`{count}`"), found, expected: "a number".into() };
                rejections.handle_rejection("w", &rejection);
                rejections.handle_count("w", *count);
            }
            logged.push(due(&mut rejections.widgets).map(|(_, count, reason)| format!("{count} {reason}")).collect());
        }
        let expected: Vec<Vec<String>> = vec![
            vec!["5 `5`: expected a number".into()],
            vec![],
            vec![],
            vec!["3 `8`: expected a number".into()],
            vec!["2 `2`: expected a number".into()],
        ];
        assert_eq!(logged, expected);
    }
}

//! Nchan's long poll: a message an answer, and its validators are the cursor.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_feed::{Head, LinkId};
use watchfloor_model::{Mono, Timestamp};

use super::{At, Began, Call, Dialect, Said};
use crate::plan::Plan;

/// Dates as HTTP has them.
static PRINTER: jiff::fmt::rfc2822::DateTimePrinter = jiff::fmt::rfc2822::DateTimePrinter::new();

/// A row of requests.
#[derive(Default)]
struct Row {
    begun: bool,
    /// The turn of the message that is waited for, and until when.
    waits: Option<(usize, Mono)>,
}

/// Nchan: a message waits in a buffer, the oldest comes first.
pub(super) struct LongPoll {
    promised: bool,
    patience: Duration,
    rows: BTreeMap<LinkId, Row>,
}

/// What every answer of nginx has: its clock, in whole seconds.
fn dated(at: &At<'_>) -> Head {
    let second = at.server.time(at.now).div_euclid(1000);
    Head { date: Some(Timestamp::from_millis(second * 1000)), ..Head::default() }
}

/// A message's validators: of Nchan's, one is when it was published.
fn validators(at: &At<'_>, turn: usize) -> Head {
    let published = at.server.turn(0, turn).map(|event| event.time.div_euclid(1000));
    let stamp = published.and_then(|second| jiff::Timestamp::from_second(second).ok());
    let last_modified = stamp.and_then(|at| PRINTER.timestamp_to_rfc9110_string(&at).ok());
    Head { etag: Some(format!("\"{turn}\"")), last_modified, ..dated(at) }
}

/// How long it lets a request wait.
pub(super) fn patience(plan: &Plan) -> Duration {
    Duration::from_millis(plan.limit.min(30_000) / 4)
}

impl LongPoll {
    pub(super) const fn new(promised: bool, patience: Duration) -> Self {
        Self { promised, patience, rows: BTreeMap::new() }
    }
}

impl Dialect for LongPoll {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<(), String> {
        let row = self.rows.entry(link).or_default();
        let asked: Option<usize> = call.header("if-none-match").and_then(|tag| tag.trim_matches('"').parse().ok());
        let turn = asked.map_or_else(|| at.server.oldest(0), |turn| turn + 1).max(at.server.oldest(0));
        if !std::mem::replace(&mut row.begun, true) {
            let recovered = asked.is_some_and(|asked| asked + 1 == turn) && self.promised;
            at.begun(vec![Began { channel: 0, turn, recovered }]);
        }
        let until = at.now.plus(self.patience);
        row.waits = Some((turn, until));
        at.wake(until);
        Ok(())
    }

    fn hear(&mut self, _at: &mut At<'_>, _link: LinkId, _message: &[u8]) -> Result<(), String> {
        Err("nothing is said on a row of requests".into())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(row) = self.rows.get_mut(&link) else { return Ok(()) };
        let Some((turn, until)) = row.waits else { return Ok(()) };
        if turn < at.server.next_turn(0) {
            row.waits = None;
            let body = at.body(0, turn);
            let head = validators(at, turn);
            at.say(Said::Answer(head));
            at.say(Said::event(body, 0, turn));
        } else if at.now >= until {
            row.waits = None;
            let head = Head { is_unchanged: true, ..dated(at) };
            at.say(Said::Answer(head));
            at.say(Said::plain(""));
        }
        Ok(())
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.rows.remove(&link);
    }
}

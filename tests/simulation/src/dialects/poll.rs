//! Messages by a cursor that stands in the answer and goes back in the query: a page of one, asked for at an interval.

use std::collections::BTreeMap;

use watchfloor_feed::{Head, LinkId};
use watchfloor_model::Timestamp;

use super::{At, Began, Call, Dialect, Said};

/// The name by which a cursor goes back.
pub(super) const QUERY: &str = "after";

/// A row of requests.
#[derive(Default)]
struct Row {
    begun: bool,
    /// The turn of the message that is asked for, until it is answered.
    asked: Option<usize>,
}

/// A server that keeps its messages, and answers at once.
pub(super) struct Poll {
    promised: bool,
    rows: BTreeMap<LinkId, Row>,
}

impl Poll {
    pub(super) const fn new(promised: bool) -> Self {
        Self { promised, rows: BTreeMap::new() }
    }
}

/// What every answer has: the server's clock, in whole seconds.
fn dated(at: &At<'_>) -> Head {
    let second = at.server.time(at.now).div_euclid(1000);
    Head { date: Some(Timestamp::from_millis(second * 1000)), ..Head::default() }
}

impl Dialect for Poll {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<(), String> {
        let row = self.rows.entry(link).or_default();
        let (_, query) = call.url.split_once('?').unwrap_or_default();
        let cursor = query.split('&').find_map(|pair| pair.strip_prefix(QUERY)?.strip_prefix('=')?.parse().ok());
        let oldest = at.server.oldest(0);
        let turn = cursor.unwrap_or(oldest).max(oldest);
        if !std::mem::replace(&mut row.begun, true) {
            at.begun(vec![Began { channel: 0, turn, recovered: cursor == Some(turn) && self.promised }]);
        }
        row.asked = Some(turn);
        Ok(())
    }

    fn hear(&mut self, _at: &mut At<'_>, _link: LinkId, _message: &[u8]) -> Result<(), String> {
        Err("nothing is said on a row of requests".into())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(turn) = self.rows.get_mut(&link).and_then(|row| row.asked.take()) else { return Ok(()) };
        let head = dated(at);
        at.say(Said::Answer(head));
        if turn < at.server.next_turn(0) {
            let body = at.body(0, turn);
            at.say(Said::event(format!(r#"{{"items":[{body}],"next":"{}"}}"#, turn + 1), 0, turn));
        } else {
            at.say(Said::plain(format!(r#"{{"items":[],"next":"{turn}"}}"#)));
        }
        Ok(())
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.rows.remove(&link);
    }
}

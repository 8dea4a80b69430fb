//! The links' history as a start finds it.

use watchfloor_model::Timestamp;

use crate::{
    journal::{Journal, Positions},
    outages::Outages,
};

/// What the journal knows of the links, and that nobody listened since the program was last there.
pub(super) fn history(journal: &Journal, positions: &Positions, now: Timestamp) -> Outages {
    let stored = journal.outages().and_then(|stored| Ok((stored, journal.written_until()?)));
    let (stored, written) = stored.unwrap_or_else(|error| {
        tracing::warn!(reason = %error, "the links' history can't be read");
        (Vec::new(), Vec::new())
    });
    let mut outages = Outages::new(stored);
    // All of it later than now: the clock was ahead, or is behind. How long nobody listened can't be told then.
    let ran_until = written.iter().copied().filter(|at| *at <= now).max();
    if let Some(until) = ran_until.or_else(|| written.first().map(|_| now)) {
        positions.keys().for_each(|source| outages.note_stop(source, until));
    }
    outages
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use watchfloor_model::Position;

    use super::*;
    use crate::journal::{
        Bounds, Entry, PositionChange,
        table::{
            batch::{Batch, Kind},
            glass,
        },
    };

    /// 2026-11-24T10:00:00Z.
    const BEGIN: Timestamp = Timestamp::from_millis(1_795_514_400_000);

    fn at(minute: u64) -> Timestamp {
        BEGIN.plus(Duration::from_secs(60 * minute))
    }

    fn open(folder: &Path) -> Journal {
        Journal::open(folder, Bounds::default(), BEGIN).unwrap().journal
    }

    fn put_batch(journal: &mut Journal, received: Timestamp) {
        let batch = Batch { source: "ops".into(), kind: Kind::Events, received, events: 0, body: String::new() };
        let positions = PositionChange::Advance(vec![("x".into(), Position::new("e", 1))]);
        journal.append(&[Entry { batch, positions }], received).unwrap();
    }

    fn put_glass(journal: &mut Journal, at: Timestamp) {
        journal.put_glass(&glass::Record { at, kind: glass::Kind::Key, body: vec![1] }, at).unwrap();
    }

    /// When the stop begins that a start at `now` notes.
    fn began(journal: &Journal, now: Timestamp) -> Timestamp {
        let outages = history(journal, &journal.positions().unwrap(), now);
        outages.all().last().unwrap().began
    }

    /// H1, H3: a killed wall was not running since it was killed, not since the last event of a quiet feed: what was live until
    /// then is no outage.
    #[test]
    fn a_stop_begins_where_the_wall_was_last_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        put_batch(&mut journal, at(0));
        assert_eq!(began(&journal, at(200)), at(0));
        put_glass(&mut journal, at(99));
        put_glass(&mut journal, at(100));
        assert_eq!(began(&journal, at(200)), at(100));
        journal.put_checkpoint(1, at(101), "{}").unwrap();
        assert_eq!(began(&journal, at(200)), at(101));
    }

    /// H3: what was written while the clock was ahead doesn't make a stop begin in the future, nor hide it.
    #[test]
    fn a_clock_that_was_ahead_tells_nothing_of_a_stop() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        put_batch(&mut journal, at(5000));
        put_glass(&mut journal, at(5001));
        assert_eq!(began(&journal, at(200)), at(200), "nothing else is known");
        put_glass(&mut journal, at(100));
        assert_eq!(began(&journal, at(200)), at(100));
    }
}

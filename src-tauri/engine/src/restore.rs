//! What a start finds in the data folder: the board as it was, and from where each source goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    io,
    path::Path,
    time::Duration,
};

use watchfloor_board::{
    Board, Checkpoint, NotRestored, alarm::watch::WatchCheckpoint, config::spec::BoardFile, frame::Notice,
};
use watchfloor_model::Timestamp;

use crate::{
    clock::Clock,
    error::EngineError,
    intake::{Replay, story_of},
    journal::{
        Bounds, FILE_NAME, Journal, JournalError, LOCK_NAME, Positions, migrate,
        table::{alarm::Mark, batch::Kind},
        writer,
    },
    source::Begin,
};

/// So far back it is looked whether there is a flood: one that goes on since before that is seen as of then.
const FLOODS_FROM: Duration = Duration::from_secs(3600);

/// Takes the data folder for this process, making it if need be. It is held until the file is dropped.
///
/// # Errors
/// If another process holds the folder, or it can't be written. A read-only disk is no error where there is a journal: what it
/// knows can be shown.
pub(crate) fn lock(folder: &Path) -> Result<File, EngineError> {
    let lacking = |error: io::Error| EngineError::DataFolder { path: folder.into(), reason: error.to_string() };
    fs::create_dir_all(folder).map_err(lacking)?;
    let path = folder.join(LOCK_NAME);
    let file = match File::options().create(true).truncate(false).write(true).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            // A copy of a journal may have come without it; the journal itself can be locked as well.
            File::open(path).or_else(|_| File::open(folder.join(FILE_NAME))).map_err(|_| lacking(error))?
        }
        opened => opened.map_err(lacking)?,
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::AlreadyRunning { path: folder.into() }),
        Err(TryLockError::Error(error)) => Err(lacking(error)),
    }
}

/// Whether a process holds the data folder at present.
#[must_use]
pub fn is_held(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK_NAME)) else { return false };
    // If nobody does, this process did for this moment.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The journal as a start finds it.
pub(crate) enum Found {
    /// To be written on.
    Writable(Journal),
    /// It can't be written, and this is what can be read of it.
    Refused(Option<Journal>),
}

/// The board and the journal as a start finds them.
pub(crate) struct Restored {
    /// The board, with the last known values.
    pub(crate) board: Board,
    /// The journal.
    pub(crate) journal: Found,
    /// Every position in the journal.
    pub(crate) positions: Positions,
    /// Sources whose positions don't belong to what the board holds.
    pub(crate) unproven: BTreeSet<String>,
    /// What is known of the announcements of alarms that stand.
    pub(crate) marks: Vec<Mark>,
    /// When people were told something right before this.
    pub(crate) told: Vec<Timestamp>,
    /// What people must know.
    pub(crate) notice: Option<Notice>,
}

impl Restored {
    /// From where `source` may go on; none if it must begin anew.
    pub(crate) fn resume(&self, source: &str) -> Option<Begin> {
        let positions = self.positions.get(source).filter(|positions| !positions.is_empty())?;
        let begin = || Begin { after: Some(positions.clone()), time: self.board.source_time(source) };
        (!self.unproven.contains(source)).then(begin)
    }
}

/// Opens the journal in `folder` and brings a board for `file` to where it leads.
///
/// # Errors
/// If there is no journal and none can be begun, or it is for newer programs only. A damaged journal is no error: it is set
/// aside, and the board begins empty. Nor is one that can't be written: the board has what can be read of it.
pub(crate) fn restore(folder: &Path, bounds: Bounds, file: &BoardFile, clock: Clock) -> Result<Restored, EngineError> {
    let told = |error: JournalError| match error {
        JournalError::Newer(found) => {
            EngineError::JournalNewer { path: folder.join(FILE_NAME), found, known: migrate::FORMAT }
        }
        other => EngineError::DataFolder { path: folder.into(), reason: other.to_string() },
    };
    match write_on(folder, bounds, file, clock) {
        Err(JournalError::Newer(found)) => Err(told(JournalError::Newer(found))),
        Err(error) if folder.join(FILE_NAME).is_file() => read_only(folder, bounds, file, clock, &error).map_err(told),
        restored => restored.map_err(told),
    }
}

/// The journal as it is to be written on.
fn write_on(folder: &Path, bounds: Bounds, file: &BoardFile, clock: Clock) -> Result<Restored, JournalError> {
    let opened = Journal::open(folder, bounds, clock.wall())?;
    let (loaded, mut opened) = match load(&opened.journal, file, clock) {
        Err(error) if error.is_damage() => {
            drop(opened);
            let opened = Journal::replace(folder, bounds, clock.wall(), &error.to_string())?;
            (nothing(file, clock), opened)
        }
        loaded => (loaded?, opened),
    };
    // Finding out now that nothing can be written is better than at the first event.
    opened.journal.try_write()?;
    let Loaded { board, positions, unproven, marks, told, damaged } = loaded;
    let damaged = (damaged > 0).then(|| writer::alarms_damaged(damaged));
    let (journal, notice) = (Found::Writable(opened.journal), notice(opened.set_aside).or(damaged));
    Ok(Restored { board, journal, positions, unproven, marks, told, notice })
}

/// What can be read of a journal that can't be written because of `refused`.
fn read_only(
    folder: &Path,
    bounds: Bounds,
    file: &BoardFile,
    clock: Clock,
    refused: &JournalError,
) -> Result<Restored, JournalError> {
    tracing::warn!(reason = %refused, "the journal can't be written: going on from memory");
    let mut notice = writer::not_remembering(clock.wall(), refused.to_string());
    let read = Journal::read(folder, bounds).and_then(|journal| Ok((load(&journal, file, clock)?, journal)));
    let (Loaded { board, positions, unproven, marks, told, damaged }, journal) = match read {
        Ok((loaded, journal)) => (loaded, Some(journal)),
        Err(JournalError::Newer(found)) => return Err(JournalError::Newer(found)),
        Err(error) => {
            tracing::warn!(reason = %error, "nor can it be read: the wall begins empty");
            notice.detail.push(format!("Nor can it be read, so the wall began empty: {error}"));
            (nothing(file, clock), None)
        }
    };
    if damaged > 0 {
        notice.detail.push(format!("Entries of the record of alarms can't be read: {damaged}"));
    }
    let journal = Found::Refused(journal);
    Ok(Restored { board, journal, positions, unproven, marks, told, notice: Some(notice) })
}

fn nothing(file: &BoardFile, clock: Clock) -> Loaded {
    Loaded {
        board: Board::new(file.clone(), clock.now()),
        positions: Positions::new(),
        unproven: BTreeSet::new(),
        marks: Vec::new(),
        told: Vec::new(),
        damaged: 0,
    }
}

fn notice(set_aside: Option<(std::path::PathBuf, String)>) -> Option<Notice> {
    let (path, reason) = set_aside?;
    tracing::warn!(reason, kept = %path.display(), "the journal was damaged: a new one was begun");
    Some(writer::replaced(&path.display().to_string(), &reason))
}

/// What the journal leads to.
struct Loaded {
    board: Board,
    positions: Positions,
    unproven: BTreeSet<String>,
    marks: Vec<Mark>,
    told: Vec<Timestamp>,
    /// Entries of the record of alarms that can't be read.
    damaged: u64,
}

/// Which story the journal tells of a source, and which one the source tells.
struct Story {
    own: String,
    told: Option<String>,
}

impl Story {
    fn is_told(&self) -> bool {
        self.told.as_ref() == Some(&self.own)
    }

    /// The source begins again. `story` is what it tells from there on: a program that doesn't say so went on with what it had.
    fn begin(&mut self, story: Option<String>) -> bool {
        let before = self.told.clone();
        self.told = story.or_else(|| before.clone()).or_else(|| Some(self.own.clone()));
        self.told != before
    }
}

/// The newest checkpoint that can be read, and everything after it.
fn load(journal: &Journal, file: &BoardFile, clock: Clock) -> Result<Loaded, JournalError> {
    let mut board = Board::new(file.clone(), clock.now());
    board.set_wall(clock.wall(), clock.now());
    let mut alarms = WatchCheckpoint::default();
    let mut unproven = BTreeSet::new();
    // What was told of another story is no state of this one.
    let mut stories: BTreeMap<&str, Story> =
        file.sources.iter().map(|spec| (spec.id.as_str(), Story { own: spec.story(), told: None })).collect();
    let mut seq = 0;
    for row in journal.checkpoints()? {
        match serde_json::from_str::<Checkpoint>(&row.body) {
            Ok(checkpoint) => {
                for NotRestored { source, widget, reason } in board.restore(&checkpoint, clock.now(), clock.wall()) {
                    tracing::info!(widget, source, reason, "not restored: its source begins anew");
                    unproven.insert(source);
                }
                for spec in &file.sources {
                    let stored = checkpoint.sources.get(&spec.id);
                    if let (Some(story), Some(stored)) = (stories.get_mut(&*spec.id), stored) {
                        story.told = Some(if stored.is_of(spec) { story.own.clone() } else { String::new() });
                    }
                }
                seq = row.seq;
                alarms = checkpoint.alarms;
                break;
            }
            // Of another version of this program, or damaged: an older one and more folding do as well.
            Err(error) => tracing::warn!(seq = row.seq, reason = %error, "a checkpoint can't be read"),
        }
    }
    let record = journal.alarms_after(alarms.alarms.number)?;
    // What isn't there any more had its numbers all the same.
    alarms.alarms.number = alarms.alarms.number.max(record.newest);
    if record.damaged > 0 {
        tracing::warn!(count = record.damaged, "entries of the record of alarms can't be read");
    }
    board.restore_alarms(alarms, record.changes, clock.now());
    let lately = journal.lately(clock.wall().minus(FLOODS_FROM))?;
    board.resume_flood(lately.raised.iter().map(|at| clock.place(*at)), clock.now());
    let mut replay = Replay::new(clock);
    let mut batches = 0u64;
    let is_whole = journal.replay(seq, |batch| {
        batches += 1;
        let Some(story) = stories.get_mut(&*batch.source) else { return Ok(()) };
        if batch.kind == Kind::Forget {
            if story.begin(story_of(&batch).map_err(JournalError::Damaged)?) {
                board.begin_anew(&batch.source, clock.now());
                // All that was told since is here.
                unproven.remove(&*batch.source);
            }
            return Ok(());
        }
        if !story.is_told() {
            return Ok(());
        }
        if let Some(delivery) = replay.delivery(&batch).map_err(JournalError::Damaged)? {
            board.handle_delivery(&batch.source, &delivery, clock.now());
        }
        Ok(())
    })?;
    board.be_folded();
    tracing::debug!(checkpoint = seq, batches, is_whole, "journal loaded");
    let positions = journal.positions()?;
    let others = stories.into_iter().filter(|(_, story)| !story.is_told());
    unproven.extend(others.map(|(id, _)| id.to_owned()));
    if !is_whole {
        tracing::warn!("the journal has a hole: every source begins anew");
        unproven.extend(positions.keys().map(ToString::to_string));
    }
    Ok(Loaded { board, positions, unproven, marks: journal.announced()?, told: lately.told, damaged: record.damaged })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use watchfloor_board::config;
    use watchfloor_model::{Delivery, Event, Mono, Payload, Position, Timestamp};

    use super::*;
    use crate::{
        intake,
        journal::{Bounds, Entry},
    };

    /// A board whose one source is at `url`.
    fn file(url: &str) -> BoardFile {
        let text = format!(
            "[board]\ntitle = \"T\"\n[[source]]\nid = \"ops\"\nkind = \"sse\"\nurl = \"http://{url}/\"\nchannels = [\"c\"]\n\
             [[widget]]\nid = \"count\"\nkind = \"counter\"\n"
        );
        config::parse(&text, "t.toml").unwrap()
    }

    fn story(file: &BoardFile) -> String {
        file.sources[0].story()
    }

    fn begins(story: &str, clock: Clock) -> Entry {
        intake::forget_entry(&Arc::from("ops"), story.to_owned(), &clock)
    }

    fn events(from: u64, to: u64, clock: Clock) -> Entry {
        let event = |number: u64| Event {
            channel: "c".into(),
            name: "e".into(),
            id: None,
            position: Some(Position::new("e", number)),
            time: Timestamp::from_millis(1_700_000_000_000),
            received: Mono::ZERO,
            data: Payload::from(json!({ "n": number })),
        };
        intake::entry(&Arc::from("ops"), &Delivery::Events((from..=to).map(event).collect()), &clock).unwrap()
    }

    /// What a start with this board counts, and whether the source may go on where the journal ends.
    fn start(folder: &Path, file: &BoardFile, clock: Clock) -> (Option<f64>, bool) {
        let mut restored = restore(folder, Bounds::default(), file, clock).unwrap();
        let frame = restored.board.frame(0, 0, clock.now(), clock.wall());
        let count = serde_json::to_value(&frame.widgets[0]).unwrap()["value"]["value"].as_f64();
        (count, restored.resume("ops").is_some())
    }

    /// H1, H4: a start folds what its own source told, whatever else stands before, between and behind.
    #[test]
    fn another_story_is_left_out() {
        let clock = Clock::start();
        let (old, new) = (file("old"), file("new"));
        let journal_of = |entries: &[Entry], checkpoint: Option<(i64, &Board)>| {
            let folder = tempfile::tempdir().unwrap();
            let mut journal = Journal::open(folder.path(), Bounds::default(), clock.wall()).unwrap().journal;
            journal.append(entries, clock.wall()).unwrap();
            if let Some((seq, board)) = checkpoint {
                let mut taken = board.checkpoint(clock.now(), clock.wall());
                taken.sources.clear();
                journal.put_checkpoint(seq, clock.wall(), &serde_json::to_string(&taken).unwrap()).unwrap();
            }
            folder
        };
        let of = |file: &BoardFile| begins(&story(file), clock);
        let whole = [of(&old), events(1, 3, clock), of(&new), events(1, 2, clock)];
        let folder = journal_of(&whole, None);
        assert_eq!(start(folder.path(), &new, clock), (Some(2.0), true));
        assert_eq!(start(folder.path(), &old, clock), (None, false), "it has gone on elsewhere since");
        let again = [of(&old), events(1, 3, clock), of(&new), events(1, 2, clock), of(&old), events(7, 7, clock)];
        assert_eq!(start(journal_of(&again, None).path(), &old, clock), (Some(1.0), true));
        let same = [of(&old), events(1, 3, clock), of(&old), events(1, 2, clock)];
        assert_eq!(
            start(journal_of(&same, None).path(), &old, clock),
            (Some(5.0), true),
            "it began again, and tells on"
        );
        // The board had the new source, of which nothing was heard, and the old one's last events came behind that.
        let empty = Board::new(new.clone(), clock.now());
        let torn = [of(&old), events(1, 3, clock), events(4, 5, clock)];
        assert_eq!(start(journal_of(&torn, Some((2, &empty))).path(), &new, clock), (None, false));
        let mended = [of(&old), events(1, 3, clock), events(4, 5, clock), of(&new), events(1, 1, clock)];
        assert_eq!(start(journal_of(&mended, Some((2, &empty))).path(), &new, clock), (Some(1.0), true));
        let left = [of(&new), events(1, 3, clock), begins("", clock)];
        assert_eq!(start(journal_of(&left, None).path(), &new, clock), (None, false), "it was off the board");
    }
}

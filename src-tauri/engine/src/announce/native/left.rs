//! What is on the screen, written down beside the journal: a run that is killed takes nothing away, and the next one finds it here.
//!
//! A number is one of a certain service's on a certain bus, and is nothing to any other: a bus has a name of its own each time it is started, and
//! gives none of its members the name of another one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};
use watchfloor_board::alarm::AlarmKey;

use super::Slot;

const FILE: &str = "notifications.json";
/// A disk that hasn't answered by then is not waited for: an alarm is to be shown.
const DISK_MAX: Duration = Duration::from_millis(200);
/// Notes at most; more can't be on a screen.
const NOTES_MAX: usize = 256;
const BYTES_MAX: u64 = 1 << 20;

/// Who shows notifications.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Of the bus.
    pub(super) bus: String,
    /// Of the service there.
    pub(super) service: String,
}

/// One that is on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// Whose; none for the one for many.
    alarm: Option<String>,
    id: u32,
    /// When it goes by itself, by this machine's clock, milliseconds since 1970.
    until_ms: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Notes {
    by: Identity,
    shown: Vec<Note>,
    /// Numbers of those that are being taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    going: Vec<u32>,
}

/// What a run before this one has left on the screen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// Of whom.
    pub(super) by: Identity,
    /// What is to be changed in place, or taken away.
    pub(super) left: Vec<(Slot, Left)>,
    /// What may be there still, and is not to be changed: it was being taken away.
    pub(super) going: Vec<u32>,
}

/// One that a run before this one has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Left {
    pub(super) id: u32,
    pub(super) until_ms: Option<i64>,
}

/// The file.
#[derive(Debug)]
pub(super) struct Ledger {
    path: Option<PathBuf>,
    writing: Option<JoinHandle<()>>,
    written: Notes,
}

impl Ledger {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { path: folder.map(|folder| folder.join(FILE)), writing: None, written: Notes::default() }
    }

    /// What the run before this one has left.
    pub(super) async fn read(&mut self) -> Before {
        let Some(path) = self.path.clone() else { return Default::default() };
        let reading = spawn_blocking(move || read(&path));
        let Ok(Ok(Some(notes))) = timeout(DISK_MAX * 5, reading).await else { return Default::default() };
        self.written = notes.clone();
        let slot = |alarm: Option<String>| alarm.map_or(Slot::Summary, |key| Slot::Alarm(AlarmKey::read(&key)));
        let left = |note: Note| (slot(note.alarm), Left { id: note.id, until_ms: note.until_ms });
        Before { by: notes.by, left: notes.shown.into_iter().map(left).collect(), going: notes.going }
    }

    /// Writes down what is there now, if that is news. A disk that is stuck is tried again with the next change.
    pub(super) async fn write<'a>(
        &mut self,
        by: &Identity,
        shown: impl Iterator<Item = (&'a Slot, Left)>,
        going: &[u32],
    ) {
        let Some(path) = self.path.clone() else { return };
        let note = |(slot, left): (&Slot, Left)| {
            let alarm = match slot {
                Slot::Alarm(key) => Some(key.to_string()),
                Slot::Summary => None,
                Slot::Source(_) => return None,
            };
            Some(Note { alarm, id: left.id, until_ms: left.until_ms })
        };
        let mut shown: Vec<Note> = shown.filter_map(note).take(NOTES_MAX).collect();
        shown.sort_by(|one, other| one.alarm.cmp(&other.alarm));
        let going = going.iter().copied().take(NOTES_MAX).collect();
        let notes = Notes { by: by.clone(), shown, going };
        if notes == self.written {
            return;
        }
        if let Some(writing) = &mut self.writing
            && timeout(DISK_MAX, writing).await.is_err()
        {
            return;
        }
        let text = notes.clone();
        let mut writing = spawn_blocking(move || {
            if let Err(error) = write(&path, &text) {
                tracing::debug!(%error, "what is on the screen is not written down");
            }
        });
        self.written = notes;
        self.writing = timeout(DISK_MAX, &mut writing).await.is_err().then_some(writing);
    }
}

fn read(path: &Path) -> Option<Notes> {
    let bytes = fs::metadata(path).ok().filter(|own| own.len() <= BYTES_MAX).and_then(|_| fs::read(path).ok())?;
    let mut notes: Notes = serde_json::from_slice(&bytes).ok()?;
    notes.shown.truncate(NOTES_MAX);
    notes.going.truncate(NOTES_MAX);
    Some(notes)
}

/// Whole or not at all. A crash of the machine takes the screen with it, so the disk isn't waited for.
fn write(path: &Path, notes: &Notes) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    fs::write(&beside, serde_json::to_vec(notes)?)?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written is read; a damaged file is as none.
    #[tokio::test]
    async fn what_is_on_the_screen_is_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let by = Identity { bus: "0a".into(), service: ":1.7".into() };
        let shown = [
            (Slot::Alarm(AlarmKey::read("pump/3")), Left { id: 4, until_ms: Some(7) }),
            (Slot::Summary, Left { id: 9, until_ms: None }),
        ];
        let mut ledger = Ledger::new(Some(folder.path().into()));
        ledger.write(&by, shown.iter().map(|(slot, left)| (slot, *left)), &[]).await;
        let source = Slot::Source("ops".into());
        ledger.write(&by, shown.iter().map(|(slot, left)| (slot, *left)).chain([(&source, shown[1].1)]), &[]).await;
        let mut before = Ledger::new(Some(folder.path().into())).read().await;
        before.left.sort();
        assert_eq!(before, Before { by: by.clone(), left: shown.to_vec(), going: Vec::new() });
        ledger.write(&by, std::iter::empty(), &[4, 9]).await;
        let before = Ledger::new(Some(folder.path().into())).read().await;
        assert_eq!(before, Before { by, left: Vec::new(), going: vec![4, 9] });
        fs::write(folder.path().join(FILE), "{\"by\":").expect("written");
        assert_eq!(Ledger::new(Some(folder.path().into())).read().await, Before::default());
        assert_eq!(Ledger::new(None).read().await, Before::default());
    }
}

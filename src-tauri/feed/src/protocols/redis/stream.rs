//! Streams: where one stands, and what is proven about what lies between.
//!
//! Redis skips in silence what was trimmed or deleted. But it counts: `entries-added` is how many entries a stream ever had
//! (Redis 7). A place is therefore an entry's id and that count at it. What was added since is either read or missing, and
//! what was read is seen; so every reading is one transaction of `XINFO STREAM` and `XREAD`, and is checked by itself.

use std::{fmt, str::FromStr};

use watchfloor_model::text::push_number;

use super::resp::Frame;

/// An entry's id: the server's clock in milliseconds, and a number within one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) millis: u64,
    pub(super) number: u64,
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (millis, number) = text.split_once('-').ok_or(())?;
        let id = Self { millis: millis.parse().map_err(|_| ())?, number: number.parse().map_err(|_| ())? };
        Ok(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

/// A place's mark: the last entry up to which a stream was read, and how many it had ever had then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) id: Id,
    pub(super) added: u64,
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, added) = text.split_once('/').ok_or(())?;
        Ok(Self { id: id.parse()?, added: added.parse().map_err(|_| ())? })
    }
}

impl Mark {
    /// Appends one to a text, with the id as the server wrote it.
    pub(super) fn write(text: &mut String, id: &str, added: u64) {
        text.push_str(id);
        text.push('/');
        push_number(text, added);
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id, self.added)
    }
}

/// What `XINFO STREAM` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) length: u64,
    /// The newest entry that there ever was.
    pub(super) last: Id,
    /// How many there ever were.
    pub(super) added: u64,
    /// The newest that was deleted one by one; trimming isn't counted.
    pub(super) deleted: Id,
    /// The oldest that there is.
    pub(super) first: Option<Id>,
}

impl Info {
    /// Reads an answer; none, if it lacks what Redis says since 7.0.
    pub(super) fn read(frame: &Frame) -> Option<Self> {
        let id = |key: &str| frame.get(key)?.text()?.parse().ok();
        let length = frame.get("length")?.count()?;
        let oldest = || frame.get("first-entry")?.list()?.first()?.text()?.parse().ok();
        Some(Self {
            length,
            last: id("last-generated-id")?,
            added: frame.get("entries-added")?.count()?,
            deleted: id("max-deleted-entry-id")?,
            first: if length == 0 { None } else { Some(oldest().or_else(|| id("recorded-first-entry-id"))?) },
        })
    }

    /// How many entries after `id` there are, if that is known without reading them.
    fn after(&self, id: Id) -> Option<u64> {
        match self.first {
            None => Some(0),
            Some(first) if first > id => Some(self.length),
            Some(_) if self.last == id => Some(0),
            Some(_) => None,
        }
    }
}

/// Where the reading of a stream begins on a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Begin {
    pub(super) id: Id,
    /// None, until a complete reading tells.
    pub(super) added: Option<u64>,
    /// How many entries there are to read, as far as it is known.
    pub(super) unread: u64,
    /// Why nothing proves that it goes on where it was left; none, if that is proven.
    pub(super) reason: Option<&'static str>,
}

/// The history is another one.
pub(super) const ANEW: &str = "the server's history began anew";
/// Entries were trimmed that weren't read.
const TRIMMED: &str = "the server's history doesn't reach back so far";

/// Where to begin, having read up to `mark`, in a stream of which the server says `info`; none, if it has none.
pub(super) fn begin(mark: Option<Mark>, info: Option<&Info>) -> Begin {
    let unproven = |id, added, unread, reason| Begin { id, added, unread, reason: Some(reason) };
    let Some(info) = info else {
        let reason = if mark.is_some_and(|mark| mark.added > 0) { ANEW } else { "there is no such stream yet" };
        return unproven(Id::default(), Some(0), 0, reason);
    };
    let newest = |reason| unproven(info.last, Some(info.added), 0, reason);
    let Some(Mark { id, added }) = mark else { return newest("no place asked for") };
    if info.last < id || info.added < added || (info.last == id) != (info.added == added) {
        return newest(ANEW);
    }
    let unread = info.added - added;
    if let Some(there) = info.after(id) {
        return match there {
            // A stream that had none may have been another one meanwhile.
            _ if added == 0 => {
                unproven(id, Some(info.added - there), there, "the stream was new when it was last read")
            }
            _ if there == unread => Begin { id, added: Some(added), unread, reason: None },
            _ if there < unread => unproven(id, Some(info.added - there), there, TRIMMED),
            // More than were added: it can't be the same.
            _ => unproven(id, Some(info.added.saturating_sub(there)), there, ANEW),
        };
    }
    // What is left reaches back to the place, so nothing was trimmed after it.
    if info.deleted > id {
        return unproven(id, None, 0, "an entry was deleted before it was read");
    }
    if unread >= info.length {
        return newest(ANEW);
    }
    Begin { id, added: Some(added), unread, reason: None }
}

/// What a reading proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// What was read follows what was read before.
    Follows,
    /// So many entries are missing.
    Missing(u64),
    /// Some entry may be missing.
    Unclear,
    /// It is another stream than before.
    Anew,
}

/// Checks a reading: having read up to `id`, the `added`th entry, the server said `info` and gave `read` entries, in one
/// transaction; `whole` if those are all that it has.
pub(super) fn check(id: Id, added: Option<u64>, info: Option<&Info>, read: u64, whole: bool) -> Finding {
    let Some(info) = info else {
        return if id == Id::default() { Finding::Follows } else { Finding::Anew };
    };
    if info.last < id {
        return Finding::Anew;
    }
    // Trimmed before what is read now, or deleted from it or from what comes later.
    let is_touched = info.first.is_none_or(|first| first > id) && info.last > id || info.deleted > id;
    let Some(added) = added else { return if is_touched { Finding::Unclear } else { Finding::Follows } };
    let Some(unread) = info.added.checked_sub(added) else { return Finding::Anew };
    let there = if whole { Some(read) } else { info.after(id) };
    match there {
        None if is_touched => Finding::Unclear,
        None => Finding::Follows,
        Some(there) if there == unread => Finding::Follows,
        Some(there) if there < unread => Finding::Missing(unread - there),
        Some(_) => Finding::Anew,
    }
}

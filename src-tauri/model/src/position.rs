//! Where an event stands in its channel.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Serialize, de};

/// The longest mark, in bytes.
pub const MARK_BYTES_MAX: usize = 512;

/// A place in one channel's history, written `epoch:offset`, or `epoch:offset@mark`.
///
/// A mark is the name that a server gave to the place, by which it is asked for, where the server doesn't count: a
/// `Last-Event-ID`, a stream's entry. Then the offset is counted here. Places are the same whatever their marks.
///
/// Offsets count up by one within an epoch, starting at 1; offset 0 is the place before the first event. Places
/// of different epochs can't be compared: after a new epoch nothing is known about what lies between.
#[derive(Clone)]
pub struct Position {
    /// Names one unbroken history; a server that lost its history takes a new one.
    pub epoch: Arc<str>,
    /// The event's number within the epoch.
    pub offset: u64,
    /// The server's own name of the place, of at most [`MARK_BYTES_MAX`] bytes.
    pub mark: Option<Arc<str>>,
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        (self.offset, &self.epoch) == (other.offset, &other.epoch)
    }
}

impl Eq for Position {}

impl Hash for Position {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.epoch.hash(state);
        self.offset.hash(state);
    }
}

/// Why a text is not a position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is not a position: expected `epoch:offset` with 1 to 64 letters, digits, `-` or `_` before the colon"
)]
pub struct PositionError {
    /// The text, cut to 100 characters.
    pub found: String,
}

impl Position {
    /// The place of event number `offset` in `epoch`.
    #[must_use]
    pub fn new(epoch: impl Into<Arc<str>>, offset: u64) -> Self {
        Self { epoch: epoch.into(), offset, mark: None }
    }

    /// The same place by the server's own name.
    #[must_use]
    pub fn marked(mut self, mark: impl Into<Arc<str>>) -> Self {
        self.mark = Some(mark.into());
        self
    }

    /// Goes on to a later place of the same epoch.
    pub fn go_to(&mut self, later: &Self) {
        self.offset = later.offset;
        self.mark.clone_from(&later.mark);
    }

    /// Whether `self` is the event right after `earlier`.
    #[must_use]
    pub fn follows(&self, earlier: &Self) -> bool {
        self.epoch == earlier.epoch && earlier.offset.checked_add(1) == Some(self.offset)
    }

    /// Whether `self` is at or after `other`; `None` if the epochs differ.
    #[must_use]
    pub fn covers(&self, other: &Self) -> Option<bool> {
        (self.epoch == other.epoch).then_some(self.offset >= other.offset)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = f.debug_struct("Position");
        place.field("epoch", &self.epoch).field("offset", &self.offset);
        if let Some(mark) = &self.mark {
            place.field("mark", mark);
        }
        place.finish()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.offset)?;
        self.mark.as_ref().map_or(Ok(()), |mark| write!(f, "@{mark}"))
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PositionError { found: text.chars().take(100).collect() };
        let (place, mark) = text.split_once('@').map_or((text, None), |(place, mark)| (place, Some(mark)));
        let (epoch, offset) = place.rsplit_once(':').ok_or_else(error)?;
        let sound = (1..=64).contains(&epoch.len())
            && epoch.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && offset.bytes().all(|b| b.is_ascii_digit())
            && mark.is_none_or(|mark| mark.len() <= MARK_BYTES_MAX);
        if !sound {
            return Err(error());
        }
        let offset = offset.parse().map_err(|_| error())?;
        Ok(Self { epoch: epoch.into(), offset, mark: mark.map(Into::into) })
    }
}

impl Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let position = Position::new("k3-x_9", 42);
        assert_eq!(position.to_string().parse(), Ok(position.clone()));
        let marked = position.clone().marked("urn:uuid:1@2");
        let read: Position = marked.to_string().parse().expect("its own words");
        assert_eq!((&read, read.mark.as_deref()), (&position, Some("urn:uuid:1@2")));
        assert!(marked.marked("m".repeat(513)).to_string().parse::<Position>().is_err());
    }

    #[test]
    fn refuses_what_is_not_one() {
        for text in ["", ":", "a", "a:", "a:-1", "a:+1", "a:1x", " a:1", "a b:1", "a:18446744073709551616", ":5"] {
            assert!(text.parse::<Position>().is_err(), "{text:?}");
        }
        assert!(format!("{}:1", "e".repeat(65)).parse::<Position>().is_err());
    }

    #[test]
    fn epochs_are_not_compared() {
        let (a, b) = (Position::new("a", 5), Position::new("b", 6));
        assert!(!b.follows(&a));
        assert_eq!(b.covers(&a), None);
        assert_eq!(Position::new("a", 6).covers(&a), Some(true));
    }
}

//! Where an event stands in its channel.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, de};

/// A place in one channel's history, written `epoch:offset`.
///
/// Offsets count up by one within an epoch, starting at 1; offset 0 is the place before the first event. Places
/// of different epochs can't be compared: after a new epoch nothing is known about what lies between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Names one unbroken history; a server that lost its history takes a new one.
    pub epoch: Arc<str>,
    /// The event's number within the epoch.
    pub offset: u64,
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
        Self { epoch: epoch.into(), offset }
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

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.offset)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PositionError { found: text.chars().take(100).collect() };
        let (epoch, offset) = text.rsplit_once(':').ok_or_else(error)?;
        let sound = (1..=64).contains(&epoch.len())
            && epoch.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && offset.bytes().all(|b| b.is_ascii_digit());
        if !sound {
            return Err(error());
        }
        Ok(Self { epoch: epoch.into(), offset: offset.parse().map_err(|_| error())? })
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
        assert_eq!(position.to_string().parse(), Ok(position));
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

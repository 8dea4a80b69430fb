//! Bytes that are mostly few: names, numbers, words. Those need no memory of their own.

use std::{fmt, ops::Deref};

/// As many fit in beside their count, in what a list takes anyway.
const SHORT_BYTES_MAX: usize = 22;

/// Bytes.
#[derive(Clone)]
pub(super) enum Text {
    Short { length: u8, bytes: [u8; SHORT_BYTES_MAX] },
    Long(Box<[u8]>),
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Text {
    fn from(text: &[u8]) -> Self {
        let mut bytes = [0; SHORT_BYTES_MAX];
        match (u8::try_from(text.len()), bytes.get_mut(..text.len())) {
            (Ok(length), Some(room)) => {
                room.copy_from_slice(text);
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: however long, the bytes are those that came.
    #[test]
    fn any_length() {
        let bytes: Vec<u8> = (0..=u8::MAX).chain(0..=u8::MAX).collect();
        for length in 0..bytes.len() {
            assert_eq!(*Text::from(&bytes[..length]), bytes[..length]);
        }
        assert!(size_of::<Text>() <= 24);
    }
}

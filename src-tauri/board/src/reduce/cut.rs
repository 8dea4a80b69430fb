//! Texts of bounded length.

use std::borrow::Cow;

/// `text` with at most `characters_max` characters; a cut one ends in an ellipsis, so that it is seen to be cut.
pub(crate) fn cut(text: &str, characters_max: usize) -> Cow<'_, str> {
    // A text of as many bytes can't have more characters.
    if text.len() <= characters_max || text.chars().nth(characters_max).is_none() {
        return Cow::Borrowed(text);
    }
    let end = text.char_indices().nth(characters_max - 1).map_or(0, |(at, _)| at);
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("", 3), "");
    }
}

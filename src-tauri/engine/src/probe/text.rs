//! How words that came from outside are written into a board file, so that nothing of them is read as anything else.

use std::fmt::Write as _;

/// The longest title, in characters.
const TITLE_CHARACTERS_MAX: usize = 80;
/// The longest name in a comment or on a terminal, in characters.
const WORD_CHARACTERS_MAX: usize = 80;
/// The longest part of an id, in characters.
const SLUG_CHARACTERS_MAX: usize = 40;

/// A TOML basic string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a string can't fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of TOML strings, or one.
pub(crate) fn quoted_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<String> = texts.into_iter().map(quoted).collect();
    match &all[..] {
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    }
}

/// A word as a person may see it, on one line: cut, and with escapes for what isn't seen.
pub(crate) fn shown(text: &str) -> String {
    shown_to(text, WORD_CHARACTERS_MAX)
}

/// The same, cut after so many characters.
pub(crate) fn shown_to(text: &str, most: usize) -> String {
    let mut out: String = text.chars().take(most).map(seen).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// A character, or its escape if it isn't seen, or turns what is around it.
fn seen(c: char) -> String {
    let is_hidden = c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    if is_hidden { c.escape_unicode().to_string() } else { c.to_string() }
}

/// A title: not empty, not long, nothing hidden.
pub(crate) fn title(text: &str) -> String {
    let shown = shown_to(text.trim(), TITLE_CHARACTERS_MAX / 2);
    let shown: String = shown.chars().take(TITLE_CHARACTERS_MAX).collect();
    if shown.trim().is_empty() { "without a name".to_owned() } else { shown }
}

/// An id out of a name: `order.placed` gives `order-placed`.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= SLUG_CHARACTERS_MAX {
            break;
        }
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "x".to_owned() } else { out.to_owned() }
}

/// A number of things.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

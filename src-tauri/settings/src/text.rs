//! The file's text: from byte offsets to lines and columns, and to the lines that a person is shown.

use std::ops::Range;

use crate::secrets;

/// The most characters of a source line that an error shows.
const EXCERPT_CHARACTERS_MAX: usize = 120;
/// Characters shown before the fault when a line is cut.
const EXCERPT_CHARACTERS_BEFORE: usize = 50;
/// Words in a key whose value may be a secret: such lines are shown without the value.
const SECRET_WORDS: [&str; 7] = ["token", "secret", "password", "passwd", "credential", "authorization", "api-key"];

/// A board file's text with the places where its lines begin.
pub struct SourceText<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    /// Lines (from 1) that begin with a bracket, as headers do.
    header_lines: Vec<usize>,
}

/// A line of the file as shown below an error, with the part to underline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, cut to a bounded length, free of control characters and secrets.
    pub line: String,
    /// Characters before the underlined part.
    pub before: usize,
    /// Characters underlined, at least 1.
    pub length: usize,
}

impl<'a> SourceText<'a> {
    /// A text.
    pub fn new(text: &'a str) -> Self {
        let line_starts: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let is_header = |start: usize| text[start..].trim_start_matches([' ', '\t']).starts_with('[');
        let numbered = line_starts.iter().zip(1..);
        let header_lines = numbered.filter(|(start, _)| is_header(**start)).map(|(_, line)| line).collect();
        Self { text, line_starts, header_lines }
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The text that a span covers; empty if the span is none of this text's.
    pub fn slice(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or("")
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn locate(&self, offset: usize) -> (usize, usize) {
        let offset = floor_char_boundary(self.text, offset);
        let line = self.line_of(offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line, self.slice(start..offset).chars().count() + 1)
    }

    /// The line of a byte, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The last line up to this one that begins with a bracket, as headers do.
    pub fn header_above(&self, line: usize) -> Option<usize> {
        let after = self.header_lines.partition_point(|header| *header <= line);
        after.checked_sub(1).map(|at| self.header_lines[at])
    }

    /// The line of a span's first byte, with as much of the span as lies in it.
    pub fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let (line, column) = self.locate(span.start);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let raw = self.slice(start..end).trim_end_matches(['\n', '\r']);
        let shown = self.slice(span.start..span.end.min(start + raw.len())).trim_end().chars().count();
        let first = if raw.chars().nth(EXCERPT_CHARACTERS_MAX).is_some() {
            (column - 1).saturating_sub(EXCERPT_CHARACTERS_BEFORE)
        } else {
            0
        };
        let masked = mask(raw);
        let mut cut: String =
            masked.chars().skip(first).take(EXCERPT_CHARACTERS_MAX).map(printable).collect::<String>();
        if first + EXCERPT_CHARACTERS_MAX < raw.chars().count() {
            cut.push('…');
        }
        let dots = usize::from(first > 0);
        if first > 0 {
            cut.insert(0, '…');
        }
        let before = (column - 1 - first + dots).min(cut.chars().count());
        let room = cut.chars().count().saturating_sub(before).max(1);
        Excerpt { line: cut, before, length: shown.clamp(1, room) }
    }
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// What a terminal or a page may be given: control characters and those that turn the writing direction are replaced.
pub fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other if other.is_control() => '\u{fffd}',
        other => other,
    }
}

/// A line as many characters long, with what may be a secret replaced by `*`: what [`mask_url`] hides, and all after the `=` of
/// a key or a header that speaks of one (invariant H8).
fn mask(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let word = SECRET_WORDS.iter().filter_map(|word| lower.find(word)).min();
    let equals = word.and_then(|word| lower[word..].find('=').map(|equals| word + equals + 1));
    let header = line.match_indices('=').find(|(at, _)| is_secret_header(&line[..*at])).map(|(at, _)| at + 1);
    let (open, secret) = line.split_at(equals.into_iter().chain(header).min().unwrap_or(line.len()));
    let stars = secret.chars().map(|c| if c.is_whitespace() { c } else { '*' });
    mask_url(&mask_user(open)).chars().chain(stars).collect()
}

/// A text as many characters long, with what may be a secret replaced by `*`: user, password and query of a URL, and what JSON
/// calls one (invariant H8).
pub fn mask_url(text: &str) -> String {
    let mut hidden = vec![false; text.len()];
    for (at, _) in text.match_indices("://") {
        let rest = &text[at + 3..];
        let end = rest.find(['"', '\'', ' ', '\t']).unwrap_or(rest.len());
        if let Some(sign) = rest[..end].rfind('@') {
            hidden[at + 3..at + 3 + sign].fill(true);
        }
        if let Some(mark) = rest[..end].find('?') {
            hidden[at + 4 + mark..at + 3 + end].fill(true);
        }
    }
    hide_named(text, &mut hidden);
    text.char_indices().map(|(at, c)| if hidden[at] { '*' } else { c }).collect()
}

/// Hides what stands as a secret in JSON, between quotes that may be escaped, and whatever has the form of one.
fn hide_named(text: &str, hidden: &mut [bool]) {
    let mut at = 0;
    let (mut name, mut between) = ("", "");
    for piece in text.split('"') {
        let is_named = between.trim_matches(['\\', ' ', '\t']) == ":" && secrets::is_name(name);
        if is_named || secrets::is_form(piece.trim_end_matches('\\')) {
            hidden[at..at + piece.len()].fill(true);
        }
        at += piece.len() + 1;
        (name, between) = (between, piece);
    }
}

/// Whether the word before a `=` is a header that is a secret, and no key such as a widget has.
fn is_secret_header(before: &str) -> bool {
    let before = before.trim_end();
    let bare = before.trim_end_matches(['"', '\'', ':', ' ']);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let word = bare.rsplit(|c| !is_of_name(c)).next().unwrap_or_default();
    let is_no_key = bare.len() < before.len() || word.contains('-') || word.eq_ignore_ascii_case("cookie");
    is_no_key && secrets::is_header(word)
}

/// A line with what follows a `:` in the name of a user replaced by `*`: it is the password.
fn mask_user(line: &str) -> String {
    let after = line.match_indices("user").find_map(|(at, _)| {
        let value = line[at + 4..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let text = &value[1..];
        let text = &text[..text.find(quote).unwrap_or(text.len())];
        let begins = line.len() - value.len() + 1;
        Some(begins + text.find(':')?..begins + text.len())
    });
    let hidden = after.unwrap_or(0..0);
    line.char_indices().map(|(at, c)| if hidden.contains(&at) { '*' } else { c }).collect()
}

/// Where in the TOML string literal `raw` the `nth` character (from 1) of the string that it stands for is written, in
/// bytes; the closing quote if the string is shorter. (TOML 1.1, section String.)
pub fn offset_in_literal(raw: &str, nth: usize) -> usize {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote)).unwrap_or("");
    let mut at = quote.len();
    if quote.len() == 3 {
        let newline = ["\r\n", "\n"].into_iter().find(|newline| raw[at..].starts_with(newline));
        at += newline.map_or(0, str::len);
    }
    let end = raw.len().saturating_sub(quote.len()).max(at);
    let mut seen = 0;
    while let Some(next) = raw.get(at..end).and_then(|rest| rest.chars().next()) {
        let escaped = (next == '\\' && quote.starts_with('"')).then(|| raw[at + 1..end].chars().next()).flatten();
        let length = match escaped {
            None => next.len_utf8(),
            Some(space) if space.is_whitespace() => {
                let rest = &raw[at + 1..end];
                at = end - rest.trim_start().len();
                continue;
            }
            Some('x') => 4,
            Some('u') => 6,
            Some('U') => 10,
            Some(other) => 1 + other.len_utf8(),
        };
        seen += 1;
        if seen >= nth {
            return at;
        }
        at += length;
    }
    at.min(raw.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Columns count characters from 1, whatever the line ends with.
    #[test]
    fn locates_characters() {
        let text = SourceText::new("a = 1\r\nprénom = \"é\"\n\nx");
        for (offset, place) in
            [(0, (1, 1)), (4, (1, 5)), (7, (2, 1)), (17, (2, 10)), (18, (2, 11)), (19, (2, 11)), (99, (4, 2))]
        {
            assert_eq!(text.locate(offset), place, "{offset}");
        }
    }

    /// A character of a string is found where it is written, past escapes and line continuations.
    #[test]
    fn finds_characters_in_literals() {
        for (raw, nth, offset) in [
            ("\"abc\"", 1, 1),
            ("\"abc\"", 3, 3),
            ("\"abc\"", 4, 4),
            ("'a\\b'", 3, 3),
            (r#""a\tb""#, 3, 4),
            (r#""\u00e9b""#, 2, 7),
            (r#""\U000000e9b""#, 2, 11),
            (r#""\x41b""#, 2, 5),
            (r#""\"x""#, 2, 3),
            ("\"\"\"\r\nab\"\"\"", 1, 5),
            ("\"\"\"a\\\n   b\"\"\"", 2, 9),
            ("'''\nab'''", 2, 5),
            ("\"é\"", 2, 3),
            ("\"\"", 1, 1),
            ("", 1, 0),
        ] {
            assert_eq!(offset_in_literal(raw, nth), offset, "{raw} {nth}");
        }
    }

    /// H8: what may be a secret is not shown, and the columns stay.
    #[test]
    fn masks_secrets() {
        for (line, masked) in [
            ("url = \"http://me:pw@host/x\"", "url = \"http://*****@host/x\""),
            ("url = 'http://me:p/w@host/x'", "url = 'http://******@host/x'"),
            ("url = \"http://host/x\"", "url = \"http://host/x\""),
            ("url = \"http://host/x?api_key=é1\", a = 1", "url = \"http://host/x?**********\", a = 1"),
            ("token = \"abc\" # é", "token = ***** * *"),
            ("title = \"a\"", "title = \"a\""),
        ] {
            assert_eq!(mask(line), masked);
        }
    }

    /// Long lines are cut around the fault; control characters don't reach a terminal.
    #[test]
    fn excerpts_are_bounded() {
        let line = format!("{}\u{1b}[31m{}", "x".repeat(500), "y".repeat(500));
        let excerpt = SourceText::new(&line).excerpt(500..1000);
        assert_eq!(excerpt.line.chars().count(), EXCERPT_CHARACTERS_MAX + 2);
        assert_eq!(excerpt.line.chars().nth(excerpt.before), Some('\u{fffd}'));
        assert!(excerpt.before + excerpt.length <= excerpt.line.chars().count());
        assert_eq!(SourceText::new("\r").excerpt(1..1).before, 0);
    }

    proptest! {
        /// No text and no span makes it panic.
        #[test]
        fn never_panics(text in "(\\PC|[\"'\\\\\n\r uUx=@:/]){0,60}", from in 0_usize..80, length in 0_usize..80) {
            let source = SourceText::new(&text);
            let excerpt = source.excerpt(from..from + length);
            prop_assert!(excerpt.before <= excerpt.line.chars().count());
            prop_assert!(offset_in_literal(&text, from) <= text.len());
            prop_assert_eq!(mask(&text).chars().count(), text.chars().count());
        }
    }
}

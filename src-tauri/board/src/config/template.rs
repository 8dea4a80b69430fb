//! Text with holes, read from its written form.

use std::str::FromStr;

use crate::{
    config::spec::{Template, TemplatePart},
    path::{Path, PathError},
};

/// The longest template, in characters.
pub const TEMPLATE_CHARACTERS_MAX: usize = 500;
/// The most holes of a template.
pub const TEMPLATE_HOLES_MAX: usize = 32;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "malformed template: {problem} at character {at}: expected something like `{{carrier}} {{flight}} to {{dest}}`"
)]
pub struct TemplateError {
    /// The character, from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let characters: Vec<char> = text.chars().take(TEMPLATE_CHARACTERS_MAX + 1).collect();
        let error = |at: usize, problem: String| TemplateError { at: at + 1, problem };
        if characters.is_empty() {
            return Err(error(0, "nothing is written".to_owned()));
        }
        if characters.len() > TEMPLATE_CHARACTERS_MAX {
            let problem = format!("more than {TEMPLATE_CHARACTERS_MAX} characters");
            return Err(error(TEMPLATE_CHARACTERS_MAX, problem));
        }
        let (mut parts, mut literal, mut at, mut holes) = (Vec::new(), String::new(), 0, 0);
        while let Some(next) = characters.get(at).copied() {
            if matches!(next, '{' | '}') && characters.get(at + 1) == Some(&next) {
                literal.push(next);
                at += 2;
            } else if next == '}' {
                return Err(error(at, "a `}` without its `{` (a brace itself is written twice)".to_owned()));
            } else if next == '{' {
                let (path, end) = hole(&characters, at)?;
                holes += 1;
                if holes > TEMPLATE_HOLES_MAX {
                    return Err(error(at, format!("more than {TEMPLATE_HOLES_MAX} holes")));
                }
                if !literal.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
                }
                parts.push(TemplatePart::Hole(path));
                at = end;
            } else {
                literal.push(next);
                at += 1;
            }
        }
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        Ok(Self { parts, source: text.to_owned() })
    }
}

/// The path of the hole whose brace stands at `open`, and what comes after it. Braces in a quoted key are the key's.
fn hole(characters: &[char], open: usize) -> Result<(Path, usize), TemplateError> {
    let (mut end, mut quoted) = (open + 1, false);
    while let Some(next) = characters.get(end) {
        match next {
            '}' if !quoted => break,
            '"' => quoted = !quoted,
            '\\' if quoted => end += 1,
            _ => {}
        }
        end += 1;
    }
    if end >= characters.len() {
        let problem = "the brace isn't closed (a brace itself is written twice)".to_owned();
        return Err(TemplateError { at: open + 1, problem });
    }
    let path: String = characters[open + 1..end].iter().collect();
    let path = path.parse().map_err(|PathError { at, problem }| TemplateError { at: open + 1 + at, problem })?;
    Ok((path, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Literal text and holes come in order; doubled braces are braces.
    #[test]
    fn reads_templates() {
        let template: Template = "{{{carrier}}} {stops[0].name}, {[\"a}b\"]}".parse().expect("template");
        let path = |text: &str| TemplatePart::Hole(text.parse().expect(text));
        let text = |text: &str| TemplatePart::Text(text.to_owned());
        assert_eq!(
            template.parts,
            [text("{"), path("carrier"), text("} "), path("stops[0].name"), text(", "), path("[\"a}b\"]")]
        );
        assert_eq!("plain".parse::<Template>().expect("plain").parts, [text("plain")]);
    }

    /// Bad input: a malformed template names the character and the problem.
    #[test]
    fn says_where_it_is_malformed() {
        let long = "x".repeat(TEMPLATE_CHARACTERS_MAX + 1);
        let many = "{a}".repeat(TEMPLATE_HOLES_MAX + 1);
        for (template, at, problem) in [
            ("", 1, "nothing is written"),
            ("a {b", 3, "isn't closed"),
            ("a } b", 3, "without its `{`"),
            ("a {}", 4, "nothing is written"),
            ("é {a b}", 5, "' ' where"),
            ("{a..b}", 4, "two dots"),
            ("{[\"a}", 1, "isn't closed"),
            ("{a\\", 1, "isn't closed"),
            (&long, TEMPLATE_CHARACTERS_MAX + 1, "more than 500"),
            (&many, 3 * TEMPLATE_HOLES_MAX + 1, "more than 32"),
        ] {
            let error = template.parse::<Template>().expect_err(template);
            assert!(error.at == at && error.problem.contains(problem), "{template}: {error}");
        }
    }

    proptest! {
        /// No text makes it panic.
        #[test]
        fn never_panics(text in "(\\PC|[{}\\[\\]\"\\\\a.]){0,40}") {
            let _ = text.parse::<Template>();
        }
    }
}

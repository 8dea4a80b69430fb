//! TOML syntax: every error of it, and what could be read in spite of them.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::diagnostic::{DIAGNOSTICS_MAX, Problem, Sink};

/// The file's tables. Syntax errors are reported; what they damage is remembered, so that nobody guesses at it.
pub fn read<'a>(text: &'a str, sink: &mut Sink<'_>) -> Spanned<DeTable<'a>> {
    let (file, errors) = DeTable::parse_recoverable(text);
    // After an open bracket the rest of the file reads as its content: one error, where it was opened, says it all.
    let open: Vec<Range<usize>> = errors
        .iter()
        .filter(|error| matches!(error.message().split(',').next(), Some("unclosed array" | "unclosed inline table")))
        .take(DIAGNOSTICS_MAX)
        .filter_map(toml::de::Error::span)
        .filter_map(|end| file.get_ref().iter().find_map(|(_, value)| outermost(value, end.start)))
        .collect();
    let mut last_line = 0;
    for span in &open {
        sink.report_syntax(Problem {
            span: span.start..span.start + 1,
            message: "bracket without its end".to_owned(),
            found: "an open bracket".to_owned(),
            expected: "its closing bracket, and commas between the items".to_owned(),
            help: None,
        });
    }
    let errors = errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message()));
    for (span, message) in errors {
        let line = sink.source.line_of(span.start);
        let inside = open.iter().any(|open| (open.start..=open.end).contains(&span.start));
        // One slip often gives two errors in its line: the first says where.
        let is_strayed = message == "duplicate key" && sink.is_astray(span.start);
        if inside || line == last_line || is_strayed || sink.counts_only() {
            continue;
        }
        last_line = line;
        sink.report_syntax(syntax_problem(span, message, sink));
    }
    file
}

/// The outermost array or inline table that holds this byte.
fn outermost(value: &Spanned<DeValue<'_>>, offset: usize) -> Option<Range<usize>> {
    let span = value.span();
    match value.get_ref() {
        DeValue::Array(items) => {
            let is_literal = items.iter().all(|item| item.span().start > span.start);
            if is_literal && (span.start..=span.end).contains(&offset) {
                return Some(span);
            }
            items.iter().find_map(|item| outermost(item, offset))
        }
        DeValue::Table(entries) => {
            let is_literal = entries.iter().all(|(key, _)| span.contains(&key.span().start));
            if is_literal && !entries.is_empty() && (span.start..=span.end).contains(&offset) {
                return Some(span);
            }
            entries.iter().find_map(|(_, value)| outermost(value, offset))
        }
        _ => None,
    }
}

fn syntax_problem(span: Range<usize>, message: &str, sink: &Sink<'_>) -> Problem {
    let found = sink.source.slice(span.clone());
    let found = match found.chars().next() {
        None if span.start >= sink.source.bytes() => "the end of the file".to_owned(),
        None | Some('\n' | '\r') => "the end of the line".to_owned(),
        Some(_) => format!("`{}`", crate::table::cut(found)),
    };
    let (message, expected) = message.split_once(", expected ").unwrap_or((message, "TOML"));
    let help = help_for(message);
    Problem {
        span,
        message: format!("TOML: {message}"),
        found,
        expected: expected.to_owned(),
        help: help.map(str::to_owned),
    }
}

/// What to do about the slips that people make most.
fn help_for(message: &str) -> Option<&'static str> {
    match message {
        "string values must be quoted" => Some("texts stand in double quotes"),
        "invalid boolean" => Some("texts stand in double quotes; without quotes there are `true` and `false`"),
        "duplicate key" => Some("each key may stand once in its table"),
        "recursion limit" => Some("brackets or dotted keys are nested too deeply"),
        _ => None,
    }
}

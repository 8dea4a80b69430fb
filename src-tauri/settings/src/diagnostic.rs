//! What is wrong with a board file, for people: where, what was found, what was expected, what may have been meant.

use std::{collections::BTreeSet, fmt, ops::Range};

use crate::{
    Beside,
    text::{Excerpt, SourceText},
};

/// The most errors of one file that are kept; the others are counted.
pub const DIAGNOSTICS_MAX: usize = 100;

/// One error of a board file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong, one line, no trailing stop.
    pub message: String,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What may have been meant, or what to do.
    pub help: Option<String>,
    excerpt: Excerpt,
}

/// All errors of a board file, in the file's order.
///
/// [`fmt::Display`] writes one block an error, with the source line and the fault underlined;
/// [`Diagnostics::lines`] writes one line an error. Neither ends with a line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    file_name: String,
    list: Vec<Diagnostic>,
    more: usize,
}

impl Diagnostics {
    /// The errors, at most [`DIAGNOSTICS_MAX`].
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }

    /// How many errors there are, those past [`DIAGNOSTICS_MAX`] included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len() + self.more
    }

    /// The name of the file, as given to [`super::parse`].
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// `file:line:column: message: found …, expected …; help`, one an error.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.list.iter().map(|error| self.line(error)).collect();
        lines.extend(self.rest());
        lines
    }

    fn line(&self, error: &Diagnostic) -> String {
        let Diagnostic { line, column, message, found, expected, help, .. } = error;
        let help = help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}:{line}:{column}: {message}: found {found}, expected {expected}{help}", self.file_name)
    }

    fn rest(&self) -> Option<String> {
        (self.more > 0).then(|| format!("{}: {} more errors", self.file_name, self.more))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = self.list.iter().map(|error| block(&self.file_name, error)).chain(self.rest());
        f.write_str(&blocks.collect::<Vec<_>>().join("\n\n"))
    }
}

impl std::error::Error for Diagnostics {}

fn block(file_name: &str, error: &Diagnostic) -> String {
    let Diagnostic { line, column, message, found, expected, help, excerpt } = error;
    let gutter = " ".repeat(line.to_string().len());
    let (before, carets) = (" ".repeat(excerpt.before), "^".repeat(excerpt.length));
    let mut block = format!(
        "{file_name}:{line}:{column}: {message}\n{gutter} |\n{line} | {}\n{gutter} | {before}{carets} found {found}\n\
         {gutter} = expected {expected}",
        excerpt.line
    );
    if let Some(help) = help {
        block.push_str(&format!("\n{gutter} = help: {help}"));
    }
    block
}

/// What is to be said of a place in the file.
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong, one line, no trailing stop.
    pub message: String,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What may have been meant, or what to do.
    pub help: Option<String>,
}

/// Takes the errors as they are met.
pub struct Sink<'a> {
    /// The text that is read.
    pub source: &'a SourceText<'a>,
    /// Gives the files that the file names.
    pub beside: &'a Beside<'a>,
    /// Says where a key belongs.
    pub elsewhere: fn(&str) -> Option<String>,
    list: Vec<(usize, Diagnostic)>,
    more: usize,
    /// Offsets of the syntax errors. What contains one is not looked into: its errors would be guesses.
    damage: BTreeSet<usize>,
    /// Lines of the syntax errors.
    damaged_lines: BTreeSet<usize>,
    /// Where something stands that may be a secret: no line is shown with it, whatever it is shown for (H8).
    secrets: Vec<Range<usize>>,
    /// Keys that the decoder asked for, with the name of their table.
    pub asked: BTreeSet<(&'static str, &'static str)>,
}

impl<'a> Sink<'a> {
    /// Of a text that stands alone: no file lies beside it.
    pub fn new(source: &'a SourceText<'a>) -> Self {
        Self::beside(source, &|_| Err("there is no folder beside this text".to_owned()), |_| None)
    }

    /// Of a file that may name others, which `beside` gives; `elsewhere` says where a key belongs that isn't known where it stands.
    pub fn beside(source: &'a SourceText<'a>, beside: &'a Beside<'a>, elsewhere: fn(&str) -> Option<String>) -> Self {
        Self {
            source,
            beside,
            elsewhere,
            list: Vec::new(),
            more: 0,
            damage: BTreeSet::new(),
            damaged_lines: BTreeSet::new(),
            secrets: Vec::new(),
            asked: BTreeSet::new(),
        }
    }

    /// Takes an error.
    pub fn report(&mut self, problem: Problem) {
        self.report_with(problem, false);
    }

    /// The same of a place that holds what may be a secret: it isn't repeated (H8).
    pub fn report_secret(&mut self, problem: Problem) {
        self.report_with(problem, true);
    }

    fn report_with(&mut self, problem: Problem, is_secret: bool) {
        if self.counts_only() {
            return;
        }
        let Problem { span, message, found, expected, help } = problem;
        let (line, column) = self.source.locate(span.start);
        let excerpt = self.source.excerpt(span.clone());
        if is_secret {
            self.secrets.push(span.clone());
        }
        self.list.push((span.start, Diagnostic { line, column, message, found, expected, help, excerpt }));
    }

    /// A syntax error: reported, and remembered as damage.
    pub fn report_syntax(&mut self, problem: Problem) {
        self.damage.insert(problem.span.start);
        self.damaged_lines.insert(self.source.line_of(problem.span.start));
        self.report(problem);
    }

    /// Reports that something is not there, unless a syntax error may have swallowed it.
    pub fn report_absence(&mut self, problem: Problem) {
        if self.damage.is_empty() {
            self.report(problem);
        }
    }

    /// Whether a syntax error lies in the span.
    pub fn is_damaged(&self, span: &Range<usize>) -> bool {
        self.damage.range(span.start..=span.end.max(span.start)).next().is_some()
    }

    /// Whether a key that begins here may have strayed from where it belongs: a syntax error lies in its line, or in the
    /// header above it.
    pub fn is_astray(&self, offset: usize) -> bool {
        let line = self.source.line_of(offset);
        let header = self.source.header_above(line);
        [Some(line), header].into_iter().flatten().any(|line| self.damaged_lines.contains(&line))
    }

    /// Whether anything was reported.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Counts an error if there is room for no more: what it would say need not be worked out.
    pub fn counts_only(&mut self) -> bool {
        let is_full = self.list.len() >= DIAGNOSTICS_MAX;
        self.more += usize::from(is_full);
        is_full
    }

    /// Replaces by stars what an error's line has of secrets.
    fn hide_secrets(source: &SourceText<'_>, secrets: &[Range<usize>], error: &mut Diagnostic) {
        for span in secrets {
            let ((first, from), (last, to)) = (source.locate(span.start), source.locate(span.end));
            if !(first..=last).contains(&error.line) {
                continue;
            }
            let from = if error.line == first { from } else { 1 };
            let shown = |column: usize| (error.excerpt.before + column).saturating_sub(error.column);
            let hidden = shown(from)..if error.line == last { shown(to) } else { usize::MAX };
            let star = |(at, c): (usize, char)| if hidden.contains(&at) { '*' } else { c };
            error.excerpt.line = error.excerpt.line.chars().enumerate().map(star).collect();
        }
    }

    /// All errors, in the order of the text.
    pub fn into_diagnostics(mut self, file_name: &str) -> Diagnostics {
        self.list.sort_by_key(|(at, _)| *at);
        let mut list: Vec<Diagnostic> = self.list.into_iter().map(|(_, error)| error).collect();
        list.iter_mut().for_each(|error| Self::hide_secrets(self.source, &self.secrets, error));
        list.dedup();
        Diagnostics { file_name: file_name.to_owned(), list, more: self.more }
    }
}

//! Markdown, read to a small flat tree. It is a text on a wall: HTML and images are refused, and links are the words that they are under.

use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use super::{
    diagnostic::{Problem, Sink},
    shape::text_of,
    table::{Node, Shape, bad_character, bad_value, cut},
};
use crate::frame::{Align, TextBlock, TextCell, TextSpan};

/// The longest text, in characters.
const TEXT_CHARACTERS_MAX: usize = 4_000;
/// The most columns of a table in a text.
const TEXT_COLUMNS_MAX: usize = 8;
/// No list is set in farther: a wall has no room for it.
const DEPTH_MAX: usize = 6;
const EXPECTED: &str = "Markdown of 1 to 4000 characters, without HTML and images";

/// Markdown, on as many lines as it has.
pub(super) struct Markdown;

impl Shape for Markdown {
    type Value = Vec<TextBlock>;

    fn expected(&self) -> String {
        EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("Markdown, at most {TEXT_CHARACTERS_MAX} characters")
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": TEXT_CHARACTERS_MAX})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Vec<TextBlock>> {
        let text = text_of(node, EXPECTED, sink)?;
        if text.chars().nth(TEXT_CHARACTERS_MAX).is_some() {
            bad_value(node, "too long a text", EXPECTED, None, sink);
            return None;
        }
        let is_foreign = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if let Some(at) = text.chars().position(is_foreign) {
            bad_character(node, at + 1, format!("control character in `{}`", cut(node.name)), EXPECTED, sink);
            return None;
        }
        match blocks(text) {
            Ok(blocks) if blocks.is_empty() => {
                bad_value(node, "nothing to be read", EXPECTED, None, sink);
                None
            }
            Ok(blocks) => Some(blocks),
            Err(Refused { what, found, help }) => {
                sink.report(Problem {
                    span: node.value.span(),
                    message: format!("{what} in `{}`", cut(node.name)),
                    found,
                    expected: EXPECTED.to_owned(),
                    help: help.map(str::to_owned),
                });
                None
            }
        }
    }
}

/// What a wall doesn't show.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    what: &'static str,
    found: String,
    help: Option<&'static str>,
}

impl Refused {
    fn new(what: &'static str, source: &str, help: Option<&'static str>) -> Self {
        Self { what, found: format!("`{}`", cut(source.trim())), help }
    }
}

fn blocks(text: &str) -> Result<Vec<TextBlock>, Refused> {
    let text = text.replace("\r\n", "\n");
    let mut page = Page::default();
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
        page.take(event, text.get(range).unwrap_or_default())?;
    }
    page.close();
    Ok(page.blocks)
}

#[derive(Default)]
struct Table {
    columns: Vec<Align>,
    head: Vec<TextCell>,
    rows: Vec<Vec<TextCell>>,
}

/// What has been read, and what is open.
#[derive(Default)]
struct Page {
    blocks: Vec<TextBlock>,
    /// Of the block that is open.
    spans: Vec<TextSpan>,
    /// The lists that are open, each with its next number.
    lists: Vec<Option<u64>>,
    quotes: usize,
    bold: usize,
    italic: usize,
    /// The number of an item whose first paragraph is still to come.
    item: Option<Option<u64>>,
    /// The lines of code that are open.
    code: Option<String>,
    /// The table that is open, and its row.
    table: Option<Table>,
    row: Vec<TextCell>,
}

impl Page {
    fn take(&mut self, event: Event<'_>, source: &str) -> Result<(), Refused> {
        match event {
            Event::Start(tag) => return self.start(tag, source),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.push(&text, false),
            Event::Code(text) => self.push(&text, true),
            Event::SoftBreak => self.push(" ", false),
            Event::HardBreak => self.push("\n", false),
            Event::Rule => {
                self.close();
                self.blocks.push(TextBlock::Rule {});
            }
            Event::Html(_) | Event::InlineHtml(_) => {
                return Err(Refused::new("HTML", source, Some("where a sign is meant, write `\\<`")));
            }
            // None of them is asked for.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.push(&text, false);
            }
            Event::TaskListMarker(_) => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: Tag<'_>, source: &str) -> Result<(), Refused> {
        match tag {
            Tag::Emphasis => self.italic += 1,
            Tag::Strong => self.bold += 1,
            Tag::Image { .. } => return Err(Refused::new("an image", source, None)),
            Tag::BlockQuote(_) => {
                self.close();
                self.quotes += 1;
            }
            Tag::List(first) => {
                self.close();
                self.lists.push(first);
            }
            Tag::Item => {
                self.close();
                let mut number = None;
                if let Some(Some(next)) = self.lists.last_mut() {
                    number = Some(*next);
                    *next = next.saturating_add(1);
                }
                self.item = Some(number);
            }
            // What stands behind a fence names a language, and there is nothing here that would colour it.
            Tag::CodeBlock(_) => {
                self.close();
                self.code = Some(String::new());
            }
            Tag::Table(columns) if columns.len() > TEXT_COLUMNS_MAX => {
                let what = "a table of more than 8 columns";
                return Err(Refused::new(what, source.lines().next().unwrap_or_default(), None));
            }
            Tag::Table(columns) => {
                self.close();
                self.table = Some(Table { columns: columns.into_iter().map(align).collect(), ..Table::default() });
            }
            // An item whose first words it isn't stands before it, empty.
            Tag::Heading { .. } => self.close(),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.italic = self.italic.saturating_sub(1),
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::Paragraph | TagEnd::Item => self.close(),
            TagEnd::Heading(level) => {
                let spans = std::mem::take(&mut self.spans);
                self.blocks.push(TextBlock::Heading { level: level as u8, spans });
            }
            TagEnd::BlockQuote(_) => {
                self.close();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::List(_) => {
                self.close();
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                let lines = code.trim_end_matches('\n').split('\n').map(str::to_owned).collect();
                self.blocks.push(TextBlock::Code { depth: self.depth(self.lists.len()), lines });
            }
            TagEnd::TableCell => {
                let spans = std::mem::take(&mut self.spans);
                self.row.push(TextCell { spans });
            }
            TagEnd::TableHead => {
                let row = std::mem::take(&mut self.row);
                if let Some(table) = &mut self.table {
                    table.head = row;
                }
            }
            TagEnd::TableRow => {
                let row = std::mem::take(&mut self.row);
                if let Some(table) = &mut self.table {
                    table.rows.push(row);
                }
            }
            TagEnd::Table => {
                if let Some(Table { columns, head, rows }) = self.table.take() {
                    self.blocks.push(TextBlock::Table { columns, head, rows });
                }
            }
            _ => {}
        }
    }

    /// Letters in the open block.
    fn push(&mut self, text: &str, code: bool) {
        // An entity can name what the file itself must not have.
        let text: String = text.replace('\t', "    ").chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        if let Some(lines) = &mut self.code {
            lines.push_str(&text);
            return;
        }
        let (bold, italic) = (self.bold > 0, self.italic > 0);
        match self.spans.last_mut() {
            Some(last) if (last.bold, last.italic, last.code) == (bold, italic, code) => last.text.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.spans.push(TextSpan { text, bold, italic, code }),
        }
    }

    /// Ends the paragraph or the item that is open.
    fn close(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        match self.item.take() {
            Some(number) => {
                let depth = self.depth(self.lists.len().saturating_sub(1));
                self.blocks.push(TextBlock::Item { depth, number, spans });
            }
            None if spans.is_empty() => {}
            None => self.blocks.push(TextBlock::Paragraph { depth: self.depth(self.lists.len()), spans }),
        }
    }

    fn depth(&self, lists: usize) -> u8 {
        u8::try_from((lists + self.quotes).min(DEPTH_MAX)).unwrap_or_default()
    }
}

const fn align(alignment: Alignment) -> Align {
    match alignment {
        Alignment::None | Alignment::Left => Align::Left,
        Alignment::Center => Align::Center,
        Alignment::Right => Align::Right,
    }
}

#[cfg(test)]
mod tests;

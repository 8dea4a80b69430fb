//! The kinds of widgets: what each folds, the settings that it adds, and how it is drawn. One file a kind.

mod chart;
mod counter;
mod fences;
mod gauge;
mod heat;
mod histogram;
mod keyed;
mod layers;
mod log;
mod markers;
mod matrix;
mod number;
mod rate;
mod series;
mod states;
mod statistic;
mod status;
mod table;
mod tally;
mod timeline;
mod window;

use std::time::Duration;

use serde_json::{Value, json};

pub use self::series::SERIES_BUCKETS_MAX;
pub(super) use self::{
    chart::{LINE_TABLE, MARKS_TABLE, RIGHT_TABLE},
    fences::{CIRCLE_TABLE, FENCE_TABLE},
    layers::LAYER_TABLE,
};
pub(super) use self::{number::DECIMALS_MAX, statistic::Operand};
use super::{
    against::AgainstText,
    diagnostic::Sink,
    furniture::{FURNITURE, FurnitureShape},
    nearest::did_you_mean,
    shape::text_of,
    spec::ReducerSpec,
    table::{Node, Shape, TableReader, TableShape, bad_value, cut, names},
};
use crate::frame::Look;

/// The most rows of a table or lines of a log.
pub const ROWS_MAX: u32 = 500;

/// A kind of widget.
pub(super) struct KindShape {
    pub(super) name: &'static str,
    /// What it shows; one sentence.
    pub(super) about: &'static str,
    pub(super) table: TableShape,
    /// Words of `stat`, for the kinds that have it.
    pub(super) stats: &'static [&'static str],
    /// Reads the settings; `None` if something was reported.
    pub(super) read: fn(&TableReader<'_>, &mut Sink<'_>) -> Option<Folded>,
}

/// A kind's part of a widget.
pub(super) struct Folded {
    pub(super) reducer: ReducerSpec,
    pub(super) look: Look,
    /// Whether the reducer's state depends on the zone.
    pub(super) knows_days: bool,
    /// What a number is held against.
    pub(super) against: Option<AgainstText>,
}

/// Every kind, in the order of the reference page.
pub(super) static KINDS: [&KindShape; 14] = [
    &counter::KIND,
    &gauge::KIND,
    &rate::KIND,
    &window::KIND,
    &table::KIND,
    &log::KIND,
    &series::KIND,
    &histogram::KIND,
    &heat::KIND,
    &status::KIND,
    &tally::KIND,
    &timeline::KIND,
    &matrix::KIND,
    &markers::KIND,
];

/// What `kind` names.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// What shows something of a source.
    Data(&'static KindShape),
    /// What doesn't.
    Furniture(&'static FurnitureShape),
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Data(kind) => kind.name,
            Self::Furniture(kind) => kind.name,
        }
    }

    pub(super) const fn of_data(self) -> Option<&'static KindShape> {
        match self {
            Self::Data(kind) => Some(kind),
            Self::Furniture(_) => None,
        }
    }

    /// The settings that it adds.
    pub(super) const fn table(self) -> &'static TableShape {
        match self {
            Self::Data(kind) => &kind.table,
            Self::Furniture(kind) => &kind.table,
        }
    }
}

/// Every kind, furniture last.
pub(super) fn kinds() -> impl Iterator<Item = Kind> {
    KINDS.iter().copied().map(Kind::Data).chain(FURNITURE.iter().copied().map(Kind::Furniture))
}

/// The kind of this name.
pub(super) fn find(name: &str) -> Option<Kind> {
    kinds().find(|kind| kind.name() == name)
}

/// The word of `kind`.
pub(super) struct KindWord;

impl Shape for KindWord {
    type Value = Kind;

    fn expected(&self) -> String {
        names(kinds().map(Kind::name))
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "enum": kinds().map(Kind::name).collect::<Vec<_>>()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Kind> {
        word(node, &self.expected(), find, kinds().map(Kind::name), sink)
    }
}

/// The same where there must be something to fold.
pub(super) struct FoldWord;

impl Shape for FoldWord {
    type Value = &'static KindShape;

    fn expected(&self) -> String {
        names(KINDS.iter().map(|kind| kind.name))
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "enum": KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<&'static KindShape> {
        let find = |text: &str| KINDS.iter().copied().find(|kind| kind.name == text);
        word(node, &self.expected(), find, KINDS.iter().map(|kind| kind.name), sink)
    }
}

fn word<T>(
    node: Node<'_>,
    expected: &str,
    find: impl Fn(&str) -> Option<T>,
    known: impl Iterator<Item = &'static str>,
    sink: &mut Sink<'_>,
) -> Option<T> {
    let text = text_of(node, expected, sink)?;
    let found = find(text);
    if found.is_none() {
        bad_value(node, &format!("unknown word `{}`", cut(text)), expected, did_you_mean(text, known), sink);
    }
    found
}

fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

//! A fold as a widget has it where there is no wall: `[[aggregate]]` of a hub's file.

use std::ops::Range;

use super::{
    decode::{has_twin, label_by_id},
    diagnostic::Sink,
    keys::{TIMEZONE, id, source::CHANNELS_MAX, widget},
    shape::{CHANNEL, List, Name},
    spec::FoldSpec,
    table::{Key, Need, Node, TableReader, TableShape},
    wanted::read_events,
    widget_kind::{FoldWord, Folded},
};

static TABLE: TableShape =
    TableShape { name: "`[[aggregate]]`", keys: &[&ID, &KIND, &CHANNELS, &widget::ON, &widget::WHERE, &TIMEZONE] };

static ID: Key<Name> = id("By what it is asked for; unique among aggregates.");

static KIND: Key<FoldWord> = Key {
    name: "kind",
    need: Need::Required,
    about: "What is folded, as the widget of this kind folds it, with the settings of that kind. What says only how a widget is drawn is taken, and has no use.",
    shape: FoldWord,
};

static CHANNELS: Key<List<Name>> = Key {
    name: "channels",
    need: Need::Required,
    about: "The channels whose events count.",
    shape: List { item: CHANNEL, min: 1, max: CHANNELS_MAX, or_one: true, what: "channel names" },
};

/// The settings that every such table has.
#[must_use]
pub fn table() -> &'static TableShape {
    &TABLE
}

/// `[[aggregate]]`
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateSpec {
    /// `id`
    pub id: String,
    /// What is folded.
    pub fold: FoldSpec,
}

/// One of them as far as it could be read.
pub struct AggregateEntry<'a> {
    /// For settings that whoever has the file adds.
    pub reader: TableReader<'a>,
    /// Where its id stands.
    pub span: Range<usize>,
    /// None if something was reported.
    pub spec: Option<AggregateSpec>,
}

impl<'a> AggregateEntry<'a> {
    /// Reads one with the settings that `more` adds; none if it is no table, which has been reported.
    pub fn read(node: Node<'a>, more: &'static TableShape, sink: &mut Sink<'_>) -> Option<Self> {
        let mut reader = TableReader::open(node, &TABLE, sink)?;
        reader.extend(more);
        label_by_id(&mut reader);
        let kind = reader.get(&KIND, sink);
        match kind {
            Some(kind) => {
                reader.extend(&kind.table);
                reader.finish(sink);
            }
            // What it would have had isn't known.
            None => reader.finish_but(|_| true, sink),
        }
        let id = reader.get(&ID, sink);
        let channels = reader.get(&CHANNELS, sink);
        let on = read_events(&reader, sink);
        let only = reader.optional(&widget::WHERE, sink);
        let timezone = reader.get(&TIMEZONE, sink);
        let folded = kind.and_then(|kind| (kind.read)(&reader, sink));
        let span = reader.span_of(ID.name);
        let spec = || {
            let mut channels = channels?;
            if has_twin(&reader, CHANNELS.name, &channels, sink) {
                return None;
            }
            channels.sort();
            let Folded { reducer, knows_days, .. } = folded?;
            let timezone = if knows_days { timezone? } else { String::new() };
            let fold = FoldSpec { channels, on: on?, only: only?.unwrap_or_default(), timezone, whole: false, reducer };
            Some(AggregateSpec { id: id?, fold })
        };
        let spec = spec();
        Some(Self { reader, span, spec })
    }
}

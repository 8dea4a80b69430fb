//! `against`: a second source of a number.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    decode::{SourceEntry, source_of},
    diagnostic::{Problem, Sink},
    keys::record as keys,
    schema::object,
    spec::{AgainstSpec, FoldSpec},
    table::{Node, Shape, TableReader},
    wanted::{read_channels_of, sorted_events},
};
use crate::path::Path;

/// `against = { source = "radar", tolerance = 2 }`, as it stands in the file.
pub(super) struct AgainstText {
    source: String,
    channels: Option<Vec<String>>,
    on: Option<Vec<String>>,
    only: Option<BTreeMap<Path, Vec<Value>>>,
    value: Option<Path>,
    tolerance: f64,
    settle: Duration,
}

/// `against` of a number.
pub(super) struct AgainstTable;

impl Shape for AgainstTable {
    type Value = AgainstText;

    fn expected(&self) -> String {
        "a table such as `{ source = \"radar\", tolerance = 2 }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::AGAINST_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<AgainstText> {
        let reader = TableReader::open(node, &keys::AGAINST_TABLE, sink)?;
        reader.finish(sink);
        let source = reader.get(&keys::AGAINST_SOURCE, sink);
        let channels = reader.optional(&keys::AGAINST_CHANNELS, sink);
        let on = reader.optional(&keys::AGAINST_ON, sink);
        let only = reader.optional(&keys::AGAINST_WHERE, sink);
        let value = reader.optional(&keys::AGAINST_VALUE, sink);
        let tolerance = reader.get(&keys::AGAINST_TOLERANCE, sink);
        let settle = reader.get(&keys::AGAINST_SETTLE, sink);
        Some(AgainstText {
            source: source?,
            channels: channels?,
            on: on?,
            only: only?,
            value: value?,
            tolerance: tolerance?,
            settle: settle?,
        })
    }
}

impl AgainstText {
    /// What it means for a widget that folds `own` of the source `own_source`. `None` if something was reported.
    pub(super) fn resolve(
        self,
        (own_source, own): (&str, &FoldSpec),
        reader: &TableReader<'_>,
        sources: &[SourceEntry],
        sink: &mut Sink<'_>,
    ) -> Option<AgainstSpec> {
        let report = |message: String, expected: &str, sink: &mut Sink<'_>| {
            sink.report(Problem {
                span: reader.span_of("against"),
                message,
                found: "`against`".to_owned(),
                expected: expected.to_owned(),
                help: None,
            });
        };
        let source = source_of(&self.source, reader.span_of("against"), sources, sink)?;
        let channels = read_channels_of(self.channels, (reader, "against"), source, sink)?;
        if self.value.is_some() && !own.reducer.has_value() {
            report("`value` in `against` of a widget that counts".to_owned(), "no `value`", sink);
            return None;
        }
        let reducer = match self.value {
            Some(path) => own.reducer.clone().of_value(path),
            None => own.reducer.clone(),
        };
        let fold = FoldSpec {
            channels,
            on: match self.on {
                Some(on) => sorted_events(on, (reader, "against"), sink)?,
                None => own.on.clone(),
            },
            only: self.only.unwrap_or_else(|| own.only.clone()),
            timezone: own.timezone.clone(),
            whole: false,
            reducer,
        };
        let fold = source.fold(fold);
        if self.source == own_source && fold == *own {
            report("a widget held against itself".to_owned(), "another `source`, or other events of the same", sink);
            return None;
        }
        Some(AgainstSpec { source: self.source, fold, tolerance: self.tolerance, settle: self.settle })
    }
}

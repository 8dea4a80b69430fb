//! `[[aggregate]]` of a hub's file: folds that no board needs to have, for whoever asks by their names.

use std::time::Duration;

use toml::de::DeTable;
use watchfloor_board::config::{AggregateEntry, AggregateSpec};
use watchfloor_settings::{
    diagnostic::{Problem, Sink},
    span::Span,
    table::{Key, Need, TableReader, TableShape, tables_of},
};

use super::shapes::{Address, Place, SecretPlace};
use crate::{
    limits,
    reconcile::{Comparable, comparable},
};

/// What a hub adds to an aggregate's settings.
pub(super) static MORE: TableShape =
    TableShape { name: "`[[aggregate]]` with a site that knows", keys: &[&RECONCILE, &EVERY, &LAG, &TOKEN] };

static RECONCILE: Key<Address> = Key {
    name: "reconcile",
    need: Need::Optional,
    about: "Where the site is asked what it should be, by its database. Possible for counts and sums, tables, markers and a status.",
    shape: Address,
};

static EVERY: Key<Span> = Key {
    name: "reconcile-every",
    need: Need::Default("\"5m\""),
    about: "How often.",
    shape: Span { min: Duration::from_secs(1), max: Duration::from_secs(86_400) },
};

static LAG: Key<Span> = Key {
    name: "reconcile-lag",
    need: Need::Default("\"10s\""),
    about: "By how long the database may have something before the hub is told of it, or after.",
    shape: Span { min: Duration::from_millis(100), max: Duration::from_secs(3600) },
};

static TOKEN: Key<SecretPlace> = Key {
    name: "reconcile-token",
    need: Need::Optional,
    about: "Where the token is that the hub presents there, as `Authorization: Bearer`.",
    shape: SecretPlace,
};

/// `[[aggregate]]`
#[derive(Clone, Debug, PartialEq)]
pub struct AggregatePart {
    /// Its id and what it folds.
    pub spec: AggregateSpec,
    /// Who knows what it should be.
    pub reconcile: Option<ReconcilePart>,
}

/// Who knows what an aggregate should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcilePart {
    /// Where he is asked.
    pub url: String,
    /// How often.
    pub every: Duration,
    /// By how long his database may be ahead, or behind.
    pub lag: Duration,
    /// Where the token is that is presented there.
    pub token: Option<Place>,
}

/// All of them; none if something was reported.
pub(super) fn read(file: &DeTable<'_>, sink: &mut Sink<'_>) -> Option<Vec<AggregatePart>> {
    let nodes = if file.contains_key("aggregate") {
        tables_of(file, "aggregate", limits::NAMED_AGGREGATES_MAX, sink)
    } else {
        Vec::new()
    };
    let entries: Vec<Option<AggregateEntry<'_>>> =
        nodes.into_iter().map(|node| AggregateEntry::read(node, &MORE, sink)).collect();
    let mut parts: Vec<Option<AggregatePart>> = Vec::new();
    for entry in entries {
        let part = entry.and_then(|AggregateEntry { reader, span, spec }| {
            let reconcile = read_reconcile(&reader, spec.as_ref(), sink);
            let spec = spec?;
            if parts.iter().flatten().any(|part| part.spec.id == spec.id) {
                sink.report(Problem {
                    span,
                    message: format!("two aggregates with the id `{}`", spec.id),
                    found: format!("\"{}\" again", spec.id),
                    expected: "an id that no other has".to_owned(),
                    help: None,
                });
                return None;
            }
            Some(AggregatePart { spec, reconcile: reconcile? })
        });
        parts.push(part);
    }
    parts.into_iter().collect()
}

#[allow(clippy::option_option)] // the two absences are two things
fn read_reconcile(
    reader: &TableReader<'_>,
    spec: Option<&AggregateSpec>,
    sink: &mut Sink<'_>,
) -> Option<Option<ReconcilePart>> {
    let url = reader.optional(&RECONCILE, sink);
    let every = reader.get(&EVERY, sink);
    let lag = reader.get(&LAG, sink);
    let token = reader.optional(&TOKEN, sink);
    for name in [EVERY.name, LAG.name, TOKEN.name] {
        if reader.has(name) && !reader.has(RECONCILE.name) {
            reader.missing(RECONCILE.name, "the address that it is for", None, sink);
            return None;
        }
    }
    let url = url?;
    if url.is_some() && spec.is_some_and(|spec| comparable(&spec.fold.reducer) == Comparable::Not) {
        sink.report(Problem {
            span: reader.span_of(RECONCILE.name),
            message: "an aggregate of this kind can't be reconciled".to_owned(),
            found: format!("`{}`", RECONCILE.name),
            expected: "it with a counter's count or sum, a table, markers or a status".to_owned(),
            help: None,
        });
        return None;
    }
    let (every, lag, token) = (every?, lag?, token?);
    Some(url.map(|url| ReconcilePart { url, every, lag, token }))
}

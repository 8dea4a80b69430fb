//! What a statistic is taken of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::KINDS;
use crate::{
    config::{
        condition::Conditions,
        diagnostic::{Problem, Sink},
        keys::path,
        shape_event::PathText,
        table::{Key, Need, TableReader, names},
    },
    path::Path,
};

/// What a statistic is taken of, besides the events themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Operand {
    /// Nothing.
    Events,
    /// The numbers or values of `value`.
    Value,
    /// The events that fulfil `match`.
    Match,
}

impl Operand {
    /// What the statistic of this name needs.
    pub(in crate::config) fn of(stat: &str) -> Self {
        match stat {
            "count" => Self::Events,
            "share" => Self::Match,
            _ => Self::Value,
        }
    }
}

pub(super) static VALUE: Key<PathText> = path(
    "value",
    Need::Optional,
    "The number that the statistic is taken of. Needed by every `stat` but `count` and `share`, which have no use for it.",
);

pub(super) static MATCH: Key<Conditions> = Key {
    name: "match",
    need: Need::Optional,
    about: "The conditions, as in `where`, that the counted part fulfils. Needed by `stat = \"share\"` and of no use to the others.",
    shape: Conditions,
};

/// The number that a statistic is taken of, and the conditions of a share.
type Operands = (Option<Path>, BTreeMap<Path, Vec<Value>>);

/// `value` and `match` as far as the statistic needs them; reports what is missing and what has no use.
pub(super) fn operands(
    reader: &TableReader<'_>,
    is_stat_sound: bool,
    has_match: bool,
    sink: &mut Sink<'_>,
) -> Option<Operands> {
    let value = reader.optional(&VALUE, sink);
    let matching = if has_match { reader.optional(&MATCH, sink) } else { Some(None) };
    if !is_stat_sound {
        return None;
    }
    let stat = reader.raw_text("stat").unwrap_or("count");
    let needed = Operand::of(stat);
    let mut is_sound = true;
    for (name, operand, expected) in [
        ("value", Operand::Value, "the path of a value"),
        ("match", Operand::Match, "conditions such as `{ status = \"late\" }`"),
    ] {
        if needed == operand && !reader.has(name) {
            let expected = format!("{expected}, for `stat = \"{stat}\"`");
            reader.missing(name, &expected, None, sink);
            is_sound = false;
        } else if needed != operand && reader.has(name) && (operand != Operand::Match || has_match) {
            report_useless(reader, name, stat, operand, sink);
            is_sound = false;
        }
    }
    if !is_sound {
        return None;
    }
    Some((value?, matching?.unwrap_or_default()))
}

fn report_useless(reader: &TableReader<'_>, name: &str, stat: &str, operand: Operand, sink: &mut Sink<'_>) {
    let kind = reader.raw_text("kind").and_then(|word| KINDS.iter().find(|kind| kind.name == word));
    let stats = kind.map_or(super::series::STATS, |kind| kind.stats);
    let useful = stats.iter().copied().filter(|stat| Operand::of(stat) == operand);
    sink.report(Problem {
        span: reader.key_span(name),
        message: format!("`{name}` has no use with `stat = \"{stat}\"`"),
        found: format!("`{name}`"),
        expected: format!("no `{name}`, or a `stat` of {}", names(useful)),
        help: None,
    });
}

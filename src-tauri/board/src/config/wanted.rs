//! Which of a source's events count: by channel, and by name.

use super::{
    decode::{SourceEntry, has_twin},
    diagnostic::{Problem, Sink},
    keys::widget,
    nearest::did_you_mean,
    shape::{List, Name},
    spec::SourceKind,
    table::{Key, TableReader, names},
};

/// The channels that count, sorted.
pub(super) fn read_channels(
    reader: &TableReader<'_>,
    key: &Key<List<Name>>,
    source: Option<&SourceEntry>,
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    let channels = reader.optional(key, sink)?;
    match source {
        Some(source) => read_channels_of(channels, (reader, "channels"), source, sink),
        None => {
            // Which source was meant has been reported.
            let mut channels = channels.unwrap_or_default();
            channels.sort();
            Some(channels)
        }
    }
}

/// The channels that count of a source, sorted: those that `key` names, else all.
pub(super) fn read_channels_of(
    named: Option<Vec<String>>,
    (reader, key): (&TableReader<'_>, &str),
    source: &SourceEntry,
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    let there = || source.channels.iter().map(String::as_str);
    // A hub's stream doesn't say which topic an update has.
    let is_mixed =
        source.channels.len() > 1 && source.spec.as_ref().is_some_and(|spec| spec.kind == SourceKind::Mercure);
    let mut channels = match named {
        Some(_) if is_mixed => {
            sink.report(Problem {
                span: reader.span_of(key),
                message: "updates of Mercure don't say which topic they have".to_owned(),
                found: format!("`{key}`"),
                expected: "it left out, or a source of its own for each topic".to_owned(),
                help: None,
            });
            return None;
        }
        Some(channels) => {
            if has_twin(reader, key, &channels, sink) {
                return None;
            }
            for (at, channel) in channels.iter().enumerate().filter(|(_, channel)| !source.channels.contains(channel)) {
                if source.channels.is_empty() {
                    continue;
                }
                sink.report(Problem {
                    span: reader.span_of_item(key, at),
                    message: format!("`{channel}` is no channel of the source"),
                    found: format!("\"{channel}\""),
                    expected: format!("a channel of the source: {}", names(there())),
                    help: did_you_mean(channel, there()),
                });
            }
            channels
        }
        None => source.channels.clone(),
    };
    channels.sort();
    Some(channels)
}

/// `on` in canonical order; empty if every event counts.
pub(super) fn read_events(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Vec<String>> {
    sorted_events(reader.optional(&widget::ON, sink)?.unwrap_or_default(), (reader, "on"), sink)
}

/// Event names in canonical order; none if every event counts.
pub(super) fn sorted_events(
    mut events: Vec<String>,
    (reader, key): (&TableReader<'_>, &str),
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    if has_twin(reader, key, &events, sink) {
        return None;
    }
    if events.iter().any(|event| event == "*") {
        events.clear();
    }
    events.sort();
    Some(events)
}

/// `remove-on` in canonical order.
pub(super) fn sorted_once(
    reader: &TableReader<'_>,
    key: &str,
    list: Option<Vec<String>>,
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    if list.is_none() && reader.has(key) {
        return None;
    }
    let mut list = list.unwrap_or_default();
    if has_twin(reader, key, &list, sink) {
        return None;
    }
    list.sort();
    Some(list)
}

//! `[[alarm]]` and `[alarms]`: rules, and how their alarms are told.

mod judged;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use toml::de::DeTable;

use super::{
    decode::{NameEntry, SourceEntry, label_by_id, report_twins},
    diagnostic::{Problem, Sink},
    keys::alarm,
    nearest::did_you_mean,
    shape::text_of,
    spec::{AlarmSpec, AlarmingSpec},
    table::{Node, Shape, TableReader, names, tables_of, wrong_type},
};
use crate::{
    alarm::{
        condition::{BYTES_MAX, Names},
        input::{Facet, name_of},
    },
    frame::Look,
};

/// The most rules of a board.
pub const ALARMS_MAX: usize = 5_000;

/// A condition as it is written; what its names lead to is known when all widgets are.
pub(super) struct ConditionText;

impl Shape for ConditionText {
    type Value = String;

    fn expected(&self) -> String {
        "a condition, such as `\"cancelled_last_hour > 50\"`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("condition in CEL, at most {BYTES_MAX} bytes")
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": BYTES_MAX})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        text_of(node, &self.expected(), sink).map(ToOwned::to_owned)
    }
}

/// The widgets that conditions can name: by their names there, the id, the number and the look.
pub(super) struct Widgets {
    by_name: BTreeMap<String, (usize, &'static [Facet])>,
    /// Names that more than one widget has, as `a-b` and `a_b`.
    of_two: BTreeSet<String>,
    /// Whether all widgets of the file could be read.
    is_whole: bool,
}

impl Widgets {
    /// Of all `[[widget]]` in their order: the id and, if it is one with data that could be read, its number and look.
    pub(super) fn new<'a>(all: impl Iterator<Item = (Option<&'a str>, Option<(usize, &'a Look)>)>) -> Self {
        let mut own = Self { by_name: BTreeMap::new(), of_two: BTreeSet::new(), is_whole: true };
        for (id, look) in all {
            let Some(id) = id else {
                own.is_whole = false;
                continue;
            };
            let entry = look.map_or((0, [].as_slice()), |(number, look)| (number, Facet::of(look)));
            if own.by_name.insert(name_of(id), entry).is_some() {
                own.of_two.insert(name_of(id));
            }
        }
        own
    }
}

impl Names for Widgets {
    fn find(&self, parts: &[&str]) -> Result<(usize, u32), (String, String)> {
        let name = parts.first().copied().unwrap_or_default();
        if self.of_two.contains(name) {
            let found = format!("`{name}`, which two widgets are called in conditions");
            return Err((found, "ids of widgets that differ in more than `-` and `_`".to_owned()));
        }
        let Some((widget, facets)) = self.by_name.get(name) else {
            let hint = did_you_mean(name, self.by_name.keys().map(String::as_str));
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let found = format!("`{name}`, which the board doesn't have");
            return Err((found, format!("the id of a widget, with `_` for `-`{hint}")));
        };
        let word = parts.get(1).copied().unwrap_or_default();
        match facets.iter().find(|facet| facet.word() == word && parts.len() <= 2) {
            Some(facet) => Ok((parts.len().min(2), facet.input(*widget))),
            None if facets.is_empty() => {
                Err((format!("`{name}`, which says nothing that can be judged"), "another widget".to_owned()))
            }
            None => {
                let all: Vec<String> = facets.iter().map(|facet| written(name, *facet)).collect();
                Err((format!("`{}`", parts.join(".")), names(all.iter().map(String::as_str))))
            }
        }
    }
}

fn written(name: &str, facet: Facet) -> String {
    let word = facet.word();
    if word.is_empty() { name.to_owned() } else { format!("{name}.{word}") }
}

/// Every `[[alarm]]`; none if one can't be read.
pub(super) fn read_alarms(
    file: &DeTable<'_>,
    widgets: &Widgets,
    sources: &[SourceEntry],
    sink: &mut Sink<'_>,
) -> Option<Vec<AlarmSpec>> {
    if file.get(alarm::TABLE_NAME).is_none() {
        return Some(Vec::new());
    }
    let nodes = tables_of(file, alarm::TABLE_NAME, ALARMS_MAX, sink);
    let mut entries = Vec::with_capacity(nodes.len());
    let mut specs = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(mut reader) = TableReader::open(node, &alarm::TABLE, sink) else {
            entries.push(None);
            continue;
        };
        label_by_id(&mut reader);
        reader.finish(sink);
        let (name, spec) = read_alarm(&reader, widgets, sources, sink);
        entries.push(Some((reader, name)));
        specs.push(spec);
    }
    let known = || entries.iter().flatten().filter_map(|(_, name)| name.as_ref());
    report_twins(known(), "alarms", sink);
    let ids: Vec<&str> = known().map(|name| name.id.as_str()).collect();
    if ids.len() == entries.len() {
        for (reader, name) in entries.iter().flatten() {
            report_parents(reader, name.as_ref(), &ids, sink);
        }
    }
    let specs: Vec<AlarmSpec> = specs.into_iter().collect::<Option<_>>()?;
    let ring = ring(&specs);
    if let [first, rest @ ..] = ring.as_slice()
        && !rest.is_empty()
        && let Some((reader, _)) =
            entries.iter().flatten().find(|(_, name)| name.as_ref().is_some_and(|own| own.id == *first))
    {
        let names = ring.iter().take(RING_NAMED_MAX).map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        let more = if ring.len() > RING_NAMED_MAX { ", ..." } else { "" };
        sink.report(Problem {
            span: reader.key_span(alarm::PARENTS.name),
            message: format!("{} is the reason of its own reason", reader.label),
            found: format!("{names}{more}, each with the next one as its parent"),
            expected: "parents that lead to no ring: each of its alarms would silence the others".to_owned(),
            help: None,
        });
        return None;
    }
    Some(specs)
}

/// Alarms of a ring that are named.
const RING_NAMED_MAX: usize = 5;

/// Rules of which each is a parent of the one before, and the first of the last, if there are any.
fn ring(specs: &[AlarmSpec]) -> Vec<&str> {
    let by_id: BTreeMap<&str, &AlarmSpec> = specs.iter().map(|spec| (spec.id.as_str(), spec)).collect();
    let mut done = BTreeSet::new();
    for spec in specs {
        // From each along its parents, the way remembered with how many of the parents were seen.
        let mut way: Vec<(&str, usize)> = vec![(spec.id.as_str(), 0)];
        let mut on_way = BTreeSet::from([spec.id.as_str()]);
        while let Some((id, seen)) = way.last_mut() {
            let id = *id;
            let parent = by_id.get(id).and_then(|own| own.parents.get(*seen)).map(String::as_str);
            *seen += 1;
            match parent {
                Some(parent) if on_way.contains(parent) => {
                    return way.iter().map(|(id, _)| *id).skip_while(|id| *id != parent).collect();
                }
                Some(parent) if !done.contains(parent) => {
                    way.push((parent, 0));
                    on_way.insert(parent);
                }
                Some(_) => {}
                None => {
                    done.insert(id);
                    on_way.remove(id);
                    way.pop();
                }
            }
        }
    }
    Vec::new()
}

fn read_alarm(
    reader: &TableReader<'_>,
    widgets: &Widgets,
    sources: &[SourceEntry],
    sink: &mut Sink<'_>,
) -> (Option<NameEntry>, Option<AlarmSpec>) {
    let id = reader.get(&alarm::ID, sink);
    let title = reader.get(&alarm::TITLE, sink);
    let advice = reader.optional(&alarm::ADVICE, sink);
    let priority = reader.get(&alarm::PRIORITY, sink);
    let on_delay = reader.get(&alarm::ON_DELAY, sink);
    let off_delay = reader.get(&alarm::OFF_DELAY, sink);
    let deadband = reader.get(&alarm::DEADBAND, sink);
    let latches = reader.get(&alarm::LATCH, sink);
    let ends_unacknowledged = reader.get(&alarm::ACKNOWLEDGE, sink);
    let parents = reader.optional(&alarm::PARENTS, sink);
    let group = reader.optional(&alarm::GROUP, sink);
    let realarm = reader.optional(&alarm::REALARM, sink);
    let judged = judged::read_judged(reader, widgets, sources, sink);
    let name = NameEntry::new(reader, id.as_ref());
    let spec = || {
        let id = id?;
        Some(AlarmSpec {
            title: title.unwrap_or_else(|| id.clone()),
            id,
            advice: advice?,
            judged: judged?,
            deadband: deadband?,
            on_delay: on_delay?,
            off_delay: off_delay?,
            priority: priority?,
            latches: latches?,
            ends_unacknowledged: ends_unacknowledged?,
            parents: parents?.unwrap_or_default(),
            group: group?,
            realarm: realarm?,
        })
    };
    (name, spec())
}

impl Widgets {
    /// What a condition calls an input.
    fn name(&self, input: u32) -> String {
        let Some((widget, facet)) = Facet::of_input(input) else { return String::new() };
        let own = self.by_name.iter().find(|(_, (number, facets))| *number == widget && !facets.is_empty());
        own.map(|(name, _)| written(name, facet)).unwrap_or_default()
    }
}

/// Reports parents that aren't there, and an alarm that is its own.
fn report_parents(reader: &TableReader<'_>, name: Option<&NameEntry>, ids: &[&str], sink: &mut Sink<'_>) {
    // What is wrong with the list itself was said when it was read.
    let Some(node) = reader.node(&alarm::PARENTS) else { return };
    let items: Vec<Option<&str>> = match node.value.get_ref().as_array() {
        Some(items) => items.iter().map(|item| item.get_ref().as_str()).collect(),
        None => vec![node.value.get_ref().as_str()],
    };
    for (at, parent) in items.into_iter().enumerate() {
        let Some(parent) = parent else { continue };
        let is_own = name.is_some_and(|name| name.id == parent);
        if ids.contains(&parent) && !is_own {
            continue;
        }
        let message =
            if is_own { format!("`{parent}` is its own parent") } else { format!("unknown alarm `{parent}`") };
        sink.report_absence(Problem {
            span: reader.span_of_item(alarm::PARENTS.name, at),
            message,
            found: format!("\"{parent}\""),
            expected: "the id of another `[[alarm]]`".to_owned(),
            help: did_you_mean(parent, ids.iter().copied().filter(|_| !is_own)),
        });
    }
}

/// `[alarms]`, or what holds without it. A board without rules that says nothing of alarms has none at all.
pub(super) fn read_alarming(file: &DeTable<'_>, has_rules: bool, sink: &mut Sink<'_>) -> Option<Option<AlarmingSpec>> {
    let empty;
    let reader = match file.get(alarm::ALL_NAME) {
        Some(value) if sink.is_damaged(&value.span()) => return None,
        Some(value) => {
            let node = Node { name: alarm::ALL_NAME, value };
            if value.get_ref().is_array() {
                let help = Some("write `[alarms]`, with one bracket; a rule is an `[[alarm]]`".to_owned());
                wrong_type(node, "one table `[alarms]`", help, sink);
                return None;
            }
            TableReader::open(node, &alarm::ALL_TABLE, sink)?
        }
        None if has_rules => {
            empty = toml::Spanned::new(0..0, toml::de::DeValue::Table(DeTable::new()));
            TableReader::open(Node { name: alarm::ALL_NAME, value: &empty }, &alarm::ALL_TABLE, sink)?
        }
        None => return Some(None),
    };
    reader.finish(sink);
    let notify = reader.get(&alarm::NOTIFY, sink);
    let sound = reader.get(&alarm::SOUND, sink);
    let volume = reader.get(&alarm::VOLUME, sink);
    let device = reader.optional(&alarm::DEVICE, sink);
    let escalate_after = reader.optional(&alarm::ESCALATE_AFTER, sink);
    let quiet = reader.optional(&alarm::QUIET, sink);
    let source_lost = reader.get(&alarm::SOURCE_LOST, sink);
    let keep = reader.get(&alarm::KEEP, sink);
    let webhook = reader.optional(&alarm::WEBHOOK, sink);
    let webhook_token = reader.optional(&alarm::WEBHOOK_TOKEN, sink);
    let tones = reader.optional(&alarm::TONES, sink);
    let operator = reader.optional(&alarm::OPERATOR, sink);
    let shifts = shifts(&reader, sink);
    if reader.has(alarm::WEBHOOK_TOKEN.name) && !reader.has(alarm::WEBHOOK.name) {
        reader.missing(alarm::WEBHOOK.name, &alarm::WEBHOOK.shape.expected(), None, sink);
        return None;
    }
    Some(Some(AlarmingSpec {
        notify: notify?,
        sound: sound?,
        volume_percent: volume?,
        device: device?,
        escalate_after: escalate_after?,
        quiet: quiet?,
        source_lost: source_lost?,
        keep: keep?,
        webhook: webhook?,
        webhook_token: webhook_token?,
        tones: tones?.unwrap_or_default(),
        operator: operator?,
        shifts: shifts?,
    }))
}

/// When shifts begin, in minutes after midnight, the earliest first.
fn shifts(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Vec<u32>> {
    let mut shifts = reader.get(&alarm::SHIFTS, sink)?;
    for (at, shift) in shifts.iter().enumerate() {
        if shifts.iter().take(at).any(|own| own == shift) {
            sink.report(Problem {
                span: reader.span_of_item(alarm::SHIFTS.name, at),
                message: format!("two shifts that begin at {:02}:{:02}", shift / 60, shift % 60),
                found: "a time of day that stands there already".to_owned(),
                expected: "times of day that differ".to_owned(),
                help: None,
            });
            return None;
        }
    }
    shifts.sort_unstable();
    Some(shifts)
}

//! What an alarm is judged by, as it is written.

use super::{
    super::{
        decode::{SourceEntry, resolve_source},
        diagnostic::{Problem, Sink},
        keys::alarm,
        nearest::did_you_mean,
        spec::{EventsSpec, Judged},
        table::{AnyKey, Shape, TableReader, names},
        text::offset_in_literal,
        wanted::{read_channels, sorted_events},
    },
    Widgets,
};
use crate::alarm::{
    Judge,
    condition::{Condition, Fault, Names, Typical, Why},
    input::{EVENT_INPUTS, Facet, typical_of_event},
};

/// What an alarm is judged by: `when`, `raise` or `from`, and what goes with it.
pub(super) fn read_judged(
    reader: &TableReader<'_>,
    widgets: &Widgets,
    sources: &[SourceEntry],
    sink: &mut Sink<'_>,
) -> Option<Judged> {
    let when = reader.optional(&alarm::WHEN, sink);
    let raise = reader.optional(&alarm::RAISE, sink);
    let from = reader.optional(&alarm::FROM_SYSTEM, sink);
    let (when, raise, from) = (when?, raise?, from?);
    let ways: Vec<&str> = [&alarm::WHEN as &dyn AnyKey, &alarm::RAISE, &alarm::FROM_SYSTEM]
        .into_iter()
        .map(AnyKey::name)
        .filter(|name| reader.has(name))
        .collect();
    if let [first, second, ..] = ways[..] {
        sink.report(Problem {
            span: reader.key_span(second),
            message: format!("{} has both `{first}` and `{second}`", reader.label),
            found: format!("`{second}`"),
            expected: "`when`, over widgets, `raise`, over events, or `from`, another system's".to_owned(),
            help: None,
        });
        return None;
    }
    match (when, raise, from) {
        (Some(text), ..) => {
            report_useless(reader, "when", &[&OF_RAISE, &OF_EVENTS, &OF_FROM], sink);
            let when =
                read_condition(reader, alarm::WHEN.name, &text, (widgets, &typical_of_widget), widgets.is_whole, sink)?;
            if when.inputs().is_empty() {
                report_nothing(reader, sink);
                return None;
            }
            let names = when.inputs().iter().map(|input| widgets.name(*input)).collect();
            Some(Judged::Widgets { when, names })
        }
        (_, Some(text), _) => {
            report_useless(reader, "raise", &[&OF_FROM], sink);
            let clear = reader.optional(&alarm::CLEAR, sink);
            let raise = read_condition(reader, alarm::RAISE.name, &text, (&EventNames, &typical_of_event), true, sink);
            let clear = match clear? {
                Some(text) => Some(read_condition(
                    reader,
                    alarm::CLEAR.name,
                    &text,
                    (&EventNames, &typical_of_event),
                    true,
                    sink,
                )?),
                None => None,
            };
            let judge = raise.map(|raise| Judge::Conditions { raise, clear });
            read_events(reader, judge, sources, sink)
        }
        (.., Some(system)) => {
            report_useless(reader, "from", &[&OF_RAISE], sink);
            let severities = reader.optional(&alarm::SEVERITIES, sink);
            let judge = severities.map(|own| Judge::Foreign { system, severities: own.unwrap_or_default() });
            read_events(reader, judge, sources, sink)
        }
        (None, None, None) => {
            let others = "or `raise`, over events; or `from`, another system's".to_owned();
            reader.missing("when", &alarm::WHEN.shape.expected(), Some(others), sink);
            None
        }
    }
}

fn report_nothing(reader: &TableReader<'_>, sink: &mut Sink<'_>) {
    sink.report(Problem {
        span: reader.span_of(alarm::WHEN.name),
        message: format!("the condition of {} is about nothing", reader.label),
        found: "no widget in it".to_owned(),
        expected: "a condition that names a widget, such as `late > 50`".to_owned(),
        help: None,
    });
}

/// What goes with `raise` alone.
static OF_RAISE: [&dyn AnyKey; 3] = [&alarm::CLEAR, &alarm::KEY, &alarm::TEXT];
/// What goes with `raise` and with `from`.
static OF_EVENTS: [&dyn AnyKey; 4] = [&alarm::SOURCE, &alarm::CHANNELS, &alarm::ON, &alarm::WHERE];
/// What goes with `from` alone.
static OF_FROM: [&dyn AnyKey; 1] = [&alarm::SEVERITIES];

/// Reports what has no use with the way in which this alarm is judged.
fn report_useless(reader: &TableReader<'_>, way: &str, others: &[&[&dyn AnyKey]], sink: &mut Sink<'_>) {
    let others = others.iter().flat_map(|keys| keys.iter().map(|key| key.name()));
    for name in others.filter(|name| reader.has(name)) {
        sink.report(Problem {
            span: reader.key_span(name),
            message: format!("`{name}` has no use with `{way}`"),
            found: format!("`{name}`"),
            expected: match way {
                "when" => "it left out, or `raise` in place of `when`".to_owned(),
                _ => "it left out".to_owned(),
            },
            help: None,
        });
    }
}

/// Which events they are.
fn read_events(
    reader: &TableReader<'_>,
    judge: Option<Judge>,
    sources: &[SourceEntry],
    sink: &mut Sink<'_>,
) -> Option<Judged> {
    let source = resolve_source(reader, &alarm::SOURCE, sources, sink);
    let channels = read_channels(reader, &alarm::CHANNELS, source, sink);
    let on = reader.optional(&alarm::ON, sink);
    let on = on.and_then(|on| sorted_events(on.unwrap_or_default(), (reader, alarm::ON.name), sink));
    let only = reader.optional(&alarm::WHERE, sink);
    let key = reader.optional(&alarm::KEY, sink);
    let text = reader.optional(&alarm::TEXT, sink);
    let (source, mut on) = (source?, on?);
    source.rename(&mut on);
    Some(Judged::Events(Box::new(EventsSpec {
        source: source.id()?.to_owned(),
        channels: channels?,
        on,
        only: only?.unwrap_or_default(),
        judge: judge?,
        key: key?,
        text: text?,
    })))
}

/// What conditions over events can name: the event's data, its name.
struct EventNames;

impl Names for EventNames {
    fn find(&self, parts: &[&str]) -> Result<(usize, u32), (String, String)> {
        let name = parts.first().copied().unwrap_or_default();
        let input = EVENT_INPUTS.iter().position(|own| *own == name).and_then(|at| u32::try_from(at).ok());
        let hint = did_you_mean(name, EVENT_INPUTS).map(|hint| format!("; {hint}")).unwrap_or_default();
        input.map(|input| (1, input)).ok_or_else(|| (format!("`{name}`"), format!("{}{hint}", names(EVENT_INPUTS))))
    }
}

/// What a condition over widgets is evaluated over.
fn typical_of_widget(input: u32) -> Typical {
    Facet::of_input(input).map_or(Typical::Number, |(_, facet)| facet.typical())
}

/// What to do about a condition that is never known.
const fn never(why: Why) -> &'static str {
    match why {
        Why::TooMuch => "loops over fewer items: an answer takes 20,000 steps at most",
        Why::Arithmetic => "a calculation that has a result, with no division by zero in it",
        _ => "numbers beside numbers and texts beside texts, such as `late > 50` or `late.state == 'alarm'`",
    }
}

/// The condition; what is wrong with it is shown where it stands. Where not all of what it names could be read, nothing is said.
fn read_condition(
    reader: &TableReader<'_>,
    key: &str,
    text: &str,
    (named, typical): (&dyn Names, &dyn Fn(u32) -> Typical),
    are_known: bool,
    sink: &mut Sink<'_>,
) -> Option<Condition> {
    match Condition::parse(text, named) {
        Ok(condition) => match condition.never_known(typical) {
            None => Some(condition),
            Some(why) => {
                sink.report(Problem {
                    span: reader.span_of(key),
                    message: format!("the condition of {} can never be evaluated", reader.label),
                    found: format!("a part of which is never known, whatever comes: {why}"),
                    expected: never(why).to_owned(),
                    help: None,
                });
                None
            }
        },
        Err(_) if !are_known => None,
        Err(Fault { at, found, expected }) => {
            let span = reader.span_of(key);
            let character = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
            let start = span.start + offset_in_literal(sink.source.slice(span.clone()), character);
            let message = format!("the condition of {} can't be taken", reader.label);
            sink.report(Problem { span: start.min(span.end)..span.end, message, found, expected, help: None });
            None
        }
    }
}

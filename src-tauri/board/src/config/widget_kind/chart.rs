//! What a chart may have besides one statistic: lines that are told apart by name, a second axis, marks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{number, series, statistic};
use crate::{
    config::{
        condition::Conditions,
        diagnostic::{Problem, Sink},
        keys::{TITLE_CHARACTERS_MAX, events, template},
        record::Tables,
        schema::object,
        shape::{ANY_NUMBER, Choice, List, Number, Text, Whole},
        shape_event::{EventName, TemplateText},
        spec::{CHART_LINES_MAX, LineSpec, MarksSpec, SeriesStat},
        table::{Key, Need, Node, Shape, TableReader, TableShape, bad_value, cut},
        wanted::{sorted_events, sorted_once},
    },
    frame::{AxisLook, LineLook},
};

/// The most marks of a chart.
const MARKS_MAX: u32 = 100;

pub(super) static LINES: Key<Lines> = Key {
    name: "lines",
    need: Need::Optional,
    about: "Lines of one chart that are of different values, in place of `stat`, `value` and `by`.",
    shape: Lines,
};

pub(super) static RIGHT: Key<RightAxis> = Key {
    name: "right",
    need: Need::Optional,
    about: "The axis at the right, for lines of another unit. Those are drawn as lines, whatever `draw` says.",
    shape: RightAxis,
};

pub(super) static MARKS: Key<Marks> = Key {
    name: "marks",
    need: Need::Optional,
    about: "Events that are marked in the chart at their time, such as deployments. They move no scale.",
    shape: Marks,
};

pub(in crate::config) static LINE_TABLE: TableShape = TableShape {
    name: "`lines`",
    keys: &[&LINE_TITLE, &LINE_ON, &LINE_WHERE, &series::STAT, &statistic::VALUE, &LINE_AXIS],
};

static LINE_TITLE: Key<Text> = Key {
    name: "title",
    need: Need::Required,
    about: "Its name at the line's end; unique in its chart.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

static LINE_ON: Key<List<EventName>> =
    events("on", true, "Which of the chart's events it is of; all of them if left out.");

static LINE_WHERE: Key<Conditions> =
    Key { name: "where", need: Need::Optional, about: "Which of these events count.", shape: Conditions };

/// Whether it is the one at the right.
static LINE_AXIS: Key<Choice<bool>> = Key {
    name: "axis",
    need: Need::Default("\"left\""),
    about: "By which axis it is read: with `right` the unit and digits are those of the table `right`.",
    shape: Choice { options: &[("left", false, "by the chart's own"), ("right", true, "by that of `right`")] },
};

pub(in crate::config) static RIGHT_TABLE: TableShape = TableShape {
    name: "`right`",
    keys: &[&number::UNIT, &number::DECIMALS, &MIN, &MAX, &number::BANDS, &series::TARGET],
};

pub(super) static MIN: Key<Number> = Key {
    name: "min",
    need: Need::Optional,
    about: "The scale begins at this or below: what is less widens it, and nothing is cut.",
    shape: ANY_NUMBER,
};

pub(super) static MAX: Key<Number> = Key {
    name: "max",
    need: Need::Optional,
    about: "The scale ends at this or above: what is more widens it, and nothing is cut.",
    shape: ANY_NUMBER,
};

pub(in crate::config) static MARKS_TABLE: TableShape =
    TableShape { name: "`marks`", keys: &[&MARKS_ON, &MARKS_WHERE, &MARKS_LABEL, &MARKS_LIMIT] };

static MARKS_ON: Key<List<EventName>> = Key {
    need: Need::Required,
    ..events(
        "on",
        false,
        "Names of the events that are marked. They need not be named in the chart's `on`, nor meet `where`, and are no part of any line.",
    )
};

static MARKS_WHERE: Key<Conditions> =
    Key { name: "where", need: Need::Optional, about: "Which of these events are marked.", shape: Conditions };

static MARKS_LABEL: Key<TemplateText> =
    template("label", Need::Optional, "What stands beside a mark; the event's name if left out.");

static MARKS_LIMIT: Key<Whole> = Key {
    name: "limit",
    need: Need::Default("20"),
    about: "Marks kept: the newest. Those before them are counted.",
    shape: Whole { min: 1, max: MARKS_MAX },
};

/// `lines = [{ title = "Temperature", stat = "mean", value = "temp" }]`
pub(super) struct Lines;

impl Tables for Lines {
    type One = (LineSpec, LineLook);
    const MOST: usize = CHART_LINES_MAX;
    const EXAMPLE: &'static str = "{ title = \"Temperature\", stat = \"mean\", value = \"temp\" }";

    fn table(&self) -> &'static TableShape {
        &LINE_TABLE
    }

    fn besides(&self, one: &mut Value) {
        let of_value: Vec<&str> = series::STATS.iter().copied().filter(|stat| *stat != "count").collect();
        one["allOf"] = json!([
            {"if": {"properties": {"stat": {"const": "count"}}}, "then": {"properties": {"value": false}}},
            {"if": {"properties": {"stat": {"enum": of_value}}, "required": ["stat"]}, "then": {"required": ["value"]}},
        ]);
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Self::One> {
        read_line(reader, sink)
    }

    fn agree(&self, lines: &mut Vec<Self::One>, node: Node<'_>, sink: &mut Sink<'_>) -> bool {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (line, _) in &*lines {
            *count.entry(line.title.as_str()).or_default() += 1;
        }
        let twice = count.iter().find(|(_, count)| **count > 1);
        if let Some((title, _)) = twice {
            let message = format!("two lines called `{}`", cut(title));
            bad_value(node, &message, "titles that tell the lines apart", None, sink);
        }
        twice.is_none()
    }
}

fn read_line(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<(LineSpec, LineLook)> {
    let title = reader.get(&LINE_TITLE, sink);
    let on = reader.get(&LINE_ON, sink);
    let on = if on.is_none() && reader.has("on") { None } else { Some(on.unwrap_or_default()) };
    let on = on.and_then(|on| sorted_events(on, (reader, "on"), sink));
    let only = reader.optional(&LINE_WHERE, sink);
    let stat: Option<SeriesStat> = reader.get(&series::STAT, sink);
    let operands = statistic::operands(reader, stat.is_some(), false, sink);
    let right = reader.get(&LINE_AXIS, sink);
    let (title, (value, _)) = (title?, operands?);
    let look = LineLook { key: title.clone(), right: right? };
    Some((LineSpec { title, on: on?, only: only?.unwrap_or_default(), stat: stat?, value }, look))
}

/// `right = { unit = "l/min" }`
pub(super) struct RightAxis;

impl Shape for RightAxis {
    type Value = AxisLook;

    fn expected(&self) -> String {
        "a table such as `{ unit = \"l/min\", decimals = 1 }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&RIGHT_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<AxisLook> {
        let reader = TableReader::open(node, &RIGHT_TABLE, sink)?;
        reader.finish(sink);
        read_axis(&reader, sink)
    }
}

/// An axis' unit, digits, scale, stretches and target.
pub(super) fn read_axis(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<AxisLook> {
    let unit = reader.optional(&number::UNIT, sink);
    let decimals = reader.get(&number::DECIMALS, sink);
    let (min, max) = (reader.optional(&MIN, sink), reader.optional(&MAX, sink));
    let bands = reader.optional(&number::BANDS, sink);
    let target = reader.optional(&series::TARGET, sink);
    let (min, max) = (min?, max?);
    if let Some(problem) = number::upside_down(reader, (min, max)) {
        sink.report(problem);
        return None;
    }
    Some(AxisLook {
        unit: unit?,
        decimals: u8::try_from(decimals?).ok()?,
        min,
        max,
        bands: bands?.unwrap_or_default(),
        target: target?,
    })
}

/// `marks = { on = "deploy.done", label = "{service}" }`
pub(super) struct Marks;

impl Shape for Marks {
    type Value = MarksSpec;

    fn expected(&self) -> String {
        "a table such as `{ on = \"deploy.done\", label = \"{service}\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&MARKS_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<MarksSpec> {
        let reader = TableReader::open(node, &MARKS_TABLE, sink)?;
        reader.finish(sink);
        let on = reader.get(&MARKS_ON, sink);
        let on = sorted_once(&reader, "on", on, sink);
        let only = reader.optional(&MARKS_WHERE, sink);
        let label = reader.optional(&MARKS_LABEL, sink);
        let limit = reader.get(&MARKS_LIMIT, sink);
        Some(MarksSpec {
            on: on.filter(|on| !on.is_empty())?,
            only: only?.unwrap_or_default(),
            label: label?,
            limit: limit?,
        })
    }
}

/// Whether lines, their axes and the rest of a chart go together; reports what doesn't.
pub(super) fn agree(reader: &TableReader<'_>, looks: &[LineLook], sink: &mut Sink<'_>) -> bool {
    let mut is_sound = true;
    let mut report = |key: &str, message: String, expected: &str| {
        is_sound = false;
        sink.report(Problem {
            span: reader.key_span(key),
            message,
            found: format!("`{key}`"),
            expected: expected.to_owned(),
            help: None,
        });
    };
    if reader.has("lines") {
        for key in ["stat", "value", "by"].into_iter().filter(|key| reader.has(key)) {
            report(key, format!("`{key}` has no use with `lines`"), "what each line is of, in its own table");
        }
    }
    let has_right = looks.iter().any(|line| line.right);
    if reader.has("right") && !has_right {
        report("right", "`right` is the axis of no line".to_owned(), "`axis = \"right\"` in one of `lines`");
    }
    is_sound
}

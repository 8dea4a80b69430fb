//! What every kind of one number has: unit, digits, scale and bands, its target, how far back its change reaches, what it is held against.

use std::time::Duration;

use super::whole_millis;
use crate::{
    config::{
        against::{AgainstTable, AgainstText},
        diagnostic::{Problem, Sink},
        keys::{MONTH, span},
        record::Bands,
        shape::{ANY_NUMBER, Choice, Number, Text, Whole},
        shape_event::Span,
        table::{Key, Need, TableReader},
    },
    frame::{Better, NumberDraw, NumberLook},
};

/// The most digits after the point.
pub(in crate::config) const DECIMALS_MAX: u32 = 6;
/// The most significant digits.
const DIGITS_MAX: u32 = 6;
/// The longest unit, in characters.
const UNIT_CHARACTERS_MAX: usize = 16;

pub(super) static TREND: Key<Span> = span(
    "trend",
    Need::Optional,
    Duration::from_secs(60),
    MONTH,
    "How far back the sparkline and the change reach. Neither is drawn if left out.",
);

pub(super) static UNIT: Key<Text> = Key {
    name: "unit",
    need: Need::Optional,
    about: "The unit, drawn smaller. With `\"%\"` a share of 0 to 1 is written as 0 to 100.",
    shape: Text { characters_max: UNIT_CHARACTERS_MAX },
};

pub(super) static DECIMALS: Key<Whole> = Key {
    name: "decimals",
    need: Need::Default("0"),
    about: "Digits after the point.",
    shape: Whole { min: 0, max: DECIMALS_MAX },
};

pub(super) static DIGITS: Key<Whole> = Key {
    name: "digits",
    need: Need::Optional,
    about: "Significant digits in place of `decimals`: how many of them stand after the point follows `min` and `max`, or the widest value seen, and never the value at hand.",
    shape: Whole { min: 1, max: DIGITS_MAX },
};

pub(super) static MIN: Key<Number> =
    Key { name: "min", need: Need::Optional, about: "Lower end of the scale.", shape: ANY_NUMBER };

pub(super) static MAX: Key<Number> =
    Key { name: "max", need: Need::Optional, about: "Upper end of the scale.", shape: ANY_NUMBER };

pub(super) static AGAINST: Key<AgainstTable> = Key {
    name: "against",
    need: Need::Optional,
    about: "A second source of the same quantity. When the two differ, the widget says that it is disputed and shows both.",
    shape: AgainstTable,
};

pub(super) static BANDS: Key<Bands> = Key {
    name: "bands",
    need: Need::Optional,
    about: "Stretches of the scale that mean something. They must not overlap.",
    shape: Bands,
};

pub(super) static TARGET: Key<Number> = Key {
    name: "target",
    need: Need::Optional,
    about: "What the number is meant to be. How far it is from there is written, and the target drawn in scale, bar and sparkline.",
    shape: ANY_NUMBER,
};

pub(super) static BETTER: Key<Choice<Better>> = Key {
    name: "better",
    need: Need::Optional,
    about: "Which way is the better one: the change within `trend` is then marked as better or worse. Nothing is judged if left out.",
    shape: Choice { options: &[("up", Better::Up, "more is better"), ("down", Better::Down, "less is better")] },
};

const DRAWN: Choice<NumberDraw> = Choice {
    options: &[
        ("figure", NumberDraw::Figure, "digits, their change and sparkline"),
        ("scale", NumberDraw::Scale, "digits and a scale that lies"),
        ("bar", NumberDraw::Bar, "digits and a scale that stands"),
    ],
};
const DRAWN_ABOUT: &str =
    "How it is drawn: digits alone, with a scale that lies, or with one that stands, which needs `min` and `max`.";

pub(super) static DRAW: Key<Choice<NumberDraw>> =
    Key { name: "draw", need: Need::Default("\"figure\""), about: DRAWN_ABOUT, shape: DRAWN };

/// As a gauge has it.
pub(super) static DRAW_SCALE: Key<Choice<NumberDraw>> =
    Key { name: "draw", need: Need::Default("\"scale\""), about: DRAWN_ABOUT, shape: DRAWN };

/// A number's settings besides what it folds.
pub(super) struct Numbered {
    pub(super) look: NumberLook,
    pub(super) trend: Option<Duration>,
    pub(super) against: Option<AgainstText>,
}

/// Reads them; `None` if something was reported. `draw` is the kind's key of that name.
pub(super) fn read(reader: &TableReader<'_>, draw: &Key<Choice<NumberDraw>>, sink: &mut Sink<'_>) -> Option<Numbered> {
    let unit = reader.optional(&UNIT, sink);
    let decimals = reader.get(&DECIMALS, sink);
    let digits = reader.optional(&DIGITS, sink);
    let min = reader.optional(&MIN, sink);
    let max = reader.optional(&MAX, sink);
    let bands = reader.optional(&BANDS, sink);
    let target = reader.optional(&TARGET, sink);
    let better = reader.optional(&BETTER, sink);
    let draw = reader.get(draw, sink);
    let trend = reader.optional(&TREND, sink);
    let against = reader.optional(&AGAINST, sink);
    let draw = draw?;
    if !agree(reader, (min?, max?), target?, draw, sink) {
        return None;
    }
    let look = NumberLook {
        unit: unit?,
        decimals: u8::try_from(decimals?).ok()?,
        digits: digits?.and_then(|digits| u8::try_from(digits).ok()),
        min: min?,
        max: max?,
        bands: bands?.unwrap_or_default(),
        trend_ms: trend?.map(whole_millis),
        target: target?,
        better: better?,
        draw: Some(draw),
    };
    Some(Numbered { look, trend: trend?, against: against? })
}

/// What is wrong with a scale whose upper end is not above its lower one.
pub(super) fn upside_down(reader: &TableReader<'_>, (min, max): (Option<f64>, Option<f64>)) -> Option<Problem> {
    let (min, max) = (min?, max?);
    (min >= max).then(|| Problem {
        span: reader.span_of("max"),
        message: "`max` is not above `min`".to_owned(),
        found: format!("`min` {min} and `max` {max}"),
        expected: "`min` below `max`".to_owned(),
        help: None,
    })
}

/// Whether the settings go together; reports those that don't.
fn agree(
    reader: &TableReader<'_>,
    (min, max): (Option<f64>, Option<f64>),
    target: Option<f64>,
    draw: NumberDraw,
    sink: &mut Sink<'_>,
) -> bool {
    let mut problems = Vec::from_iter(upside_down(reader, (min, max)));
    if let Some(target) = target
        && problems.is_empty()
        && (min.is_some_and(|min| target < min) || max.is_some_and(|max| target > max))
    {
        let end = |name: &str, end: Option<f64>| end.map(|end| format!("`{name}` {end}"));
        let ends: Vec<String> = [end("min", min), end("max", max)].into_iter().flatten().collect();
        problems.push(Problem {
            span: reader.span_of("target"),
            message: "`target` is not on the scale".to_owned(),
            found: format!("{target}, with {}", ends.join(" and ")),
            expected: "a number from `min` to `max`".to_owned(),
            help: None,
        });
    }
    if reader.has("decimals") && reader.has("digits") {
        problems.push(Problem {
            span: reader.key_span("digits"),
            message: "`digits` and `decimals` say the same in two ways".to_owned(),
            found: "both".to_owned(),
            expected: "one of them".to_owned(),
            help: None,
        });
    }
    if reader.has("better") && !reader.has("trend") {
        problems.push(Problem {
            span: reader.key_span("better"),
            message: "`better` has no use without `trend`".to_owned(),
            found: "`better`".to_owned(),
            expected: "`trend` beside it".to_owned(),
            help: Some("it judges the change within `trend`".to_owned()),
        });
    }
    let mut is_sound = problems.is_empty();
    for problem in problems {
        sink.report(problem);
    }
    if draw == NumberDraw::Bar {
        for name in ["min", "max"].into_iter().filter(|name| !reader.has(name)) {
            reader.missing(name, "an end of the scale, for `draw = \"bar\"`", None, sink);
            is_sound = false;
        }
    }
    is_sound
}

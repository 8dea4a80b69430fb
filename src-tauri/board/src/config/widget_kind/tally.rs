//! A bar a category.

use super::{Folded, KindShape, counter, number, statistic};
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        keys::{MONTH, SECOND, path, span},
        shape::{ANY_NUMBER, Choice, List, Number, Text},
        shape_event::{PathText, Span},
        shape_words::{self, Words},
        spec::{ReducerSpec, WindowStat},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{BarOrder, Look, TallyLook},
    reduce::{KEY_BYTES_MAX, TALLY_BARS_MAX},
};

pub(super) static KIND: KindShape = KindShape {
    name: "tally",
    about: "A bar a category: a statistic of each value of `by`, since a reset or over a sliding window.",
    table: TableShape {
        name: "kind `tally`",
        keys: &[
            &BY,
            &STAT,
            &statistic::VALUE,
            &statistic::MATCH,
            &LAST,
            &counter::RESET,
            &CATEGORIES,
            &ORDER,
            &number::UNIT,
            &number::DECIMALS,
            &number::MIN,
            &number::MAX,
            &number::BANDS,
            &TARGET,
            &TARGETS,
        ],
    },
    stats: &["count", "sum", "mean", "min", "max", "share"],
    read,
};

static BY: Key<PathText> = path(
    "by",
    Need::Required,
    "Where the text or number stands that tells the bars apart; at most 100 bars, events of further ones are rejected.",
);

static STAT: Key<Choice<WindowStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What each bar is: how many events, a statistic of `value`, or the share (0 to 1) of events that fulfil `match`.",
    shape: Choice {
        options: &[
            ("count", WindowStat::Count, "how many events"),
            ("sum", WindowStat::Sum, "the sum of `value`"),
            ("mean", WindowStat::Mean, "the mean of `value`"),
            ("min", WindowStat::Min, "the least `value`"),
            ("max", WindowStat::Max, "the greatest `value`"),
            ("share", WindowStat::Share, "the part of the events that fulfils `match`"),
        ],
    },
};

static LAST: Key<Span> = span(
    "last",
    Need::Optional,
    SECOND,
    MONTH,
    "The length of the sliding window, by the source's clock; it moves in steps of a 240th. A bar of which nothing is in it goes. All that came since the last `reset` counts if left out.",
);

static CATEGORIES: Key<List<Text>> = Key {
    name: "categories",
    need: Need::Optional,
    about: "Categories that have a bar though nothing came of them: nothing at all is zero events, and not nothing known.",
    shape: List {
        item: Text { characters_max: KEY_BYTES_MAX },
        min: 1,
        max: TALLY_BARS_MAX,
        or_one: true,
        what: "categories",
    },
};

static ORDER: Key<Choice<BarOrder>> = Key {
    name: "order",
    need: Need::Default("\"largest\""),
    about: "Which bar stands first. By value, they change places every ten seconds at most, and one that means something bad is never left out for one that doesn't.",
    shape: Choice {
        options: &[
            ("largest", BarOrder::Largest, "the greatest value"),
            ("smallest", BarOrder::Smallest, "the least value"),
            ("key", BarOrder::Key, "by name"),
        ],
    },
};

static TARGET: Key<Number> = Key {
    name: "target",
    need: Need::Optional,
    about: "What every bar is meant to be: a line across it.",
    shape: ANY_NUMBER,
};

static TARGETS: Key<Words<Number>> = Key {
    name: "targets",
    need: Need::Optional,
    about: "What the bars of these categories are meant to be, in place of `target`.",
    shape: shape_words::TARGETS,
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let by = reader.get(&BY, sink);
    let stat = reader.get(&STAT, sink);
    let operands = statistic::operands(reader, stat.is_some(), true, sink);
    let last = reader.optional(&LAST, sink);
    let reset = reader.optional(&counter::RESET, sink);
    let categories = reader.optional(&CATEGORIES, sink);
    let order = reader.get(&ORDER, sink);
    let unit = reader.optional(&number::UNIT, sink);
    let decimals = reader.get(&number::DECIMALS, sink);
    let min = reader.optional(&number::MIN, sink);
    let max = reader.optional(&number::MAX, sink);
    let bands = reader.optional(&number::BANDS, sink);
    let target = reader.optional(&TARGET, sink);
    let targets = reader.optional(&TARGETS, sink);
    let (min, max) = (min?, max?);
    if !agree(reader, min, max, sink) {
        return None;
    }
    let (value, matching) = operands?;
    let (stat, reset_daily_minutes) = (stat?, reset?);
    let reducer = ReducerSpec::Tally {
        by: by?,
        stat,
        value,
        matching,
        last: last?,
        reset_daily_minutes,
        categories: categories?.unwrap_or_default(),
    };
    let look = TallyLook {
        unit: unit?,
        decimals: u8::try_from(decimals?).ok()?,
        min,
        max,
        bands: bands?.unwrap_or_default(),
        target: target?,
        targets: targets?.unwrap_or_default(),
        order: order?,
        adds: matches!(stat, WindowStat::Count | WindowStat::Sum),
    };
    Some(Folded { reducer, look: Look::Tally(look), knows_days: reset_daily_minutes.is_some(), against: None })
}

/// Whether the settings go together; reports those that don't.
fn agree(reader: &TableReader<'_>, min: Option<f64>, max: Option<f64>, sink: &mut Sink<'_>) -> bool {
    let mut problems = Vec::new();
    if reader.has("last") && reader.has("reset") {
        problems.push(Problem {
            span: reader.key_span("reset"),
            message: "`reset` and `last` say in two ways what counts".to_owned(),
            found: "both".to_owned(),
            expected: "one of them".to_owned(),
            help: Some("`last` is a window that slides, `reset` a beginning that stands for a day".to_owned()),
        });
    }
    for (name, end, is_sound, expected) in [
        ("min", min, min.is_none_or(|min| min <= 0.0), "zero or less"),
        ("max", max, max.is_none_or(|max| max >= 0.0), "zero or more"),
    ] {
        if !is_sound {
            problems.push(Problem {
                span: reader.span_of(name),
                message: format!("a bar begins at zero, which `{name}` leaves out"),
                found: end.unwrap_or_default().to_string(),
                expected: expected.to_owned(),
                help: Some("its length would say nothing otherwise".to_owned()),
            });
        }
    }
    if (min, max) == (Some(0.0), Some(0.0)) {
        problems.extend(number::upside_down(reader, (min, max)));
    }
    let is_sound = problems.is_empty();
    for problem in problems {
        sink.report(problem);
    }
    is_sound
}

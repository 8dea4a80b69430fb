//! A statistic a bucket of time.

use std::time::Duration;

use super::{Folded, KindShape, chart, number, statistic, whole_millis};
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        duration,
        keys::{DAY, MONTH, SECOND, SHORTEST_BUCKET, path, span},
        shape::{ANY_NUMBER, Choice, Number},
        shape_event::{PathText, Span},
        spec::{CHART_LINES_MAX, ReducerSpec, SeriesStat},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{AxisLook, Draw, Look},
};

/// The most buckets that a series keeps.
pub const SERIES_BUCKETS_MAX: u64 = 2_000;
const DAY_MILLIS: u128 = 86_400_000;

pub(super) static KIND: KindShape = KindShape {
    name: "series",
    about: "A statistic a bucket of time, drawn over time.",
    table: TableShape {
        name: "kind `series`",
        keys: &[
            &BUCKET,
            &KEEP,
            &STAT,
            &statistic::VALUE,
            &BY,
            &chart::LINES,
            &DRAW,
            &number::UNIT,
            &number::DECIMALS,
            &chart::MIN,
            &chart::MAX,
            &number::BANDS,
            &TARGET,
            &chart::RIGHT,
            &chart::MARKS,
        ],
    },
    stats: STATS,
    read,
};

/// Words of `stat`.
pub(super) const STATS: &[&str] = &["count", "sum", "mean", "min", "max", "last"];

pub(super) static BUCKET: Key<Span> = span(
    "bucket",
    Need::Required,
    SHORTEST_BUCKET,
    DAY,
    "The length of time that one point stands for. It must divide a day.",
);

pub(super) static KEEP: Key<Span> = span(
    "keep",
    Need::Required,
    SECOND,
    MONTH,
    "How far back the chart reaches: at least one bucket and at most 2,000.",
);

pub(super) static STAT: Key<Choice<SeriesStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What each point is: how many events, or a statistic of `value` over its bucket.",
    shape: Choice {
        options: &[
            ("count", SeriesStat::Count, "how many events"),
            ("sum", SeriesStat::Sum, "the sum of `value`"),
            ("mean", SeriesStat::Mean, "the mean of `value`"),
            ("min", SeriesStat::Min, "the least `value`"),
            ("max", SeriesStat::Max, "the greatest `value`"),
            ("last", SeriesStat::Last, "the newest `value`"),
        ],
    },
};

static BY: Key<PathText> = path(
    "by",
    Need::Optional,
    "Where the word stands that tells the lines apart; at most 12 lines. One line if left out.",
);

static DRAW: Key<Choice<Draw>> = Key {
    name: "draw",
    need: Need::Default("\"line\""),
    about: "How it is drawn.",
    shape: Choice {
        options: &[
            ("line", Draw::Line, "a line through the points"),
            ("area", Draw::Area, "a line, filled to zero"),
            ("bars", Draw::Bars, "a bar a bucket"),
        ],
    },
};

pub(super) static TARGET: Key<Number> = Key {
    name: "target",
    need: Need::Optional,
    about: "What the values are meant to be: a line across the chart, with its number.",
    shape: ANY_NUMBER,
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let bucket = reader.get(&BUCKET, sink);
    let keep = reader.get(&KEEP, sink);
    let stat = reader.get(&STAT, sink);
    let operands = statistic::operands(reader, stat.is_some(), false, sink);
    let by = reader.optional(&BY, sink);
    let draw = reader.get(&DRAW, sink);
    let axis = chart::read_axis(reader, sink);
    let lines = reader.optional(&chart::LINES, sink);
    let right = reader.optional(&chart::RIGHT, sink);
    let marks = reader.optional(&chart::MARKS, sink);
    let (bucket, keep) = sound_buckets(reader, bucket, keep, sink)?;
    let (value, _) = operands?;
    let (lines, looks): (Vec<_>, Vec<_>) = lines?.unwrap_or_default().into_iter().unzip();
    if !chart::agree(reader, &looks, sink) {
        return None;
    }
    // A line of the right axis needs no more said of it.
    let right = right?.or_else(|| looks.iter().any(|line| line.right).then(AxisLook::default));
    let marks = marks?;
    let reducer =
        ReducerSpec::Series { bucket, keep, stat: stat?, value, by: by?, lines, marks, most: CHART_LINES_MAX };
    let AxisLook { unit, decimals, min, max, bands, target } = axis?;
    let look = Look::Series {
        draw: draw?,
        unit,
        decimals,
        min,
        max,
        keep_ms: whole_millis(keep),
        bucket_ms: whole_millis(bucket),
        bands,
        target,
        lines: looks,
        right,
    };
    Some(Folded { reducer, look, knows_days: false, against: None })
}

/// The longest length below this one that divides a day: whole seconds, or milliseconds for what is shorter.
fn next_shorter(bucket: Duration) -> Option<Duration> {
    let step = Duration::from_millis(if bucket.as_secs() > 0 { 1000 } else { 1 });
    let steps = u32::try_from(bucket.as_millis() / step.as_millis()).ok()?;
    (1..=steps).rev().map(|count| step * count).find(|length| DAY_MILLIS.is_multiple_of(length.as_millis()))
}

/// Whether the buckets divide a day, and how many there are.
pub(super) fn sound_buckets(
    reader: &TableReader<'_>,
    bucket: Option<Duration>,
    keep: Option<Duration>,
    sink: &mut Sink<'_>,
) -> Option<(Duration, Duration)> {
    let bucket = bucket?;
    if !DAY_MILLIS.is_multiple_of(bucket.as_millis()) {
        let below = next_shorter(bucket).map(duration::format);
        sink.report(Problem {
            span: reader.span_of("bucket"),
            message: "`bucket` does not divide a day".to_owned(),
            found: format!("\"{}\"", duration::format(bucket)),
            expected: "a length of which a day is a whole multiple, such as `1m`, `10m`, `1h`".to_owned(),
            help: below.map(|below| format!("the next shorter one is `{below}`")),
        });
        return None;
    }
    let keep = keep?;
    let count = keep.as_millis() / bucket.as_millis();
    if count == 0 || count > u128::from(SERIES_BUCKETS_MAX) {
        let most = bucket.saturating_mul(u32::try_from(SERIES_BUCKETS_MAX).unwrap_or(u32::MAX));
        sink.report(Problem {
            span: reader.span_of("keep"),
            message: format!("`keep` is {count} times `bucket`"),
            found: format!("\"{}\" with buckets of \"{}\"", duration::format(keep), duration::format(bucket)),
            expected: format!("{} to {}", duration::format(bucket), duration::format(most)),
            help: None,
        });
        return None;
    }
    Some((bucket, keep))
}

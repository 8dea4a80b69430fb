//! Cells of time by row, the lighter the more.

use std::time::Duration;

use super::{Folded, KindShape, number, series, statistic, whole_millis};
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        duration,
        keys::path,
        shape_event::PathText,
        spec::{CHART_LINES_MAX, HEAT_ROWS_MAX, ReducerSpec},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{HeatLook, Look},
};

/// The most cells of a row: narrower ones can't be told apart.
const CELLS_MAX: u128 = 200;
/// A row of a day has two cells at least.
const HALF_DAY: Duration = Duration::from_secs(43_200);

pub(super) static KIND: KindShape = KindShape {
    name: "heat",
    about: "Cells of time, the lighter the more: a row a value of `by`, or a row a day.",
    table: TableShape {
        name: "kind `heat`",
        keys: &[
            &series::BUCKET,
            &series::KEEP,
            &series::STAT,
            &statistic::VALUE,
            &BY,
            &number::UNIT,
            &number::DECIMALS,
            &number::MIN,
            &number::MAX,
        ],
    },
    stats: series::STATS,
    read,
};

static BY: Key<PathText> = path(
    "by",
    Need::Optional,
    "Where the word stands that tells the rows apart; at most 100 rows. Each row is a day in the board's zone if left out.",
);

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let bucket = reader.get(&series::BUCKET, sink);
    let keep = reader.get(&series::KEEP, sink);
    let stat = reader.get(&series::STAT, sink);
    let operands = statistic::operands(reader, stat.is_some(), false, sink);
    let by = reader.optional(&BY, sink);
    let unit = reader.optional(&number::UNIT, sink);
    let decimals = reader.get(&number::DECIMALS, sink);
    let min = reader.optional(&number::MIN, sink);
    let max = reader.optional(&number::MAX, sink);
    let (bucket, keep) = series::sound_buckets(reader, bucket, keep, sink)?;
    let ((value, _), by, min, max) = (operands?, by?, min?, max?);
    if !agree(reader, (bucket, keep), by.is_none(), (min, max), sink) {
        return None;
    }
    let days = by.is_none();
    let most = if days { CHART_LINES_MAX } else { HEAT_ROWS_MAX };
    let (lines, marks) = (Vec::new(), None);
    let reducer = ReducerSpec::Series { bucket, keep, stat: stat?, value, by, lines, marks, most };
    let look = HeatLook {
        unit: unit?,
        decimals: u8::try_from(decimals?).ok()?,
        keep_ms: whole_millis(keep),
        bucket_ms: whole_millis(bucket),
        days,
        min,
        max,
    };
    Some(Folded { reducer, look: Look::Heat(look), knows_days: false, against: None })
}

fn agree(
    reader: &TableReader<'_>,
    (bucket, keep): (Duration, Duration),
    days: bool,
    (min, max): (Option<f64>, Option<f64>),
    sink: &mut Sink<'_>,
) -> bool {
    let mut problems = Vec::new();
    let cells = keep.as_millis() / bucket.as_millis();
    if !days && cells > CELLS_MAX {
        problems.push(Problem {
            span: reader.span_of("keep"),
            message: format!("a row of {cells} cells"),
            found: format!("\"{}\" with cells of \"{}\"", duration::format(keep), duration::format(bucket)),
            expected: format!("at most {CELLS_MAX} cells a row"),
            help: Some("without `by` each row is a day".to_owned()),
        });
    }
    if days && bucket > HALF_DAY {
        problems.push(Problem {
            span: reader.span_of("bucket"),
            message: "a day of one cell".to_owned(),
            found: format!("\"{}\"", duration::format(bucket)),
            expected: "12h or less, where each row is a day".to_owned(),
            help: None,
        });
    }
    problems.extend(number::upside_down(reader, (min, max)));
    let is_sound = problems.is_empty();
    problems.into_iter().for_each(|problem| sink.report(problem));
    is_sound
}

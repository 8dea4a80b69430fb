//! A statistic over a sliding window.

use super::{Folded, KindShape, number, rate::LAST, statistic};
use crate::{
    config::{
        diagnostic::Sink,
        shape::Choice,
        spec::{ReducerSpec, WindowStat},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "window",
    about: "A statistic over a sliding window.",
    table: TableShape {
        name: "kind `window`",
        keys: &[
            &LAST,
            &STAT,
            &statistic::VALUE,
            &statistic::MATCH,
            &number::TREND,
            &number::UNIT,
            &number::DECIMALS,
            &number::DIGITS,
            &number::MIN,
            &number::MAX,
            &number::BANDS,
            &number::TARGET,
            &number::BETTER,
            &number::DRAW,
            &number::AGAINST,
        ],
    },
    stats: &["count", "sum", "mean", "min", "max", "share", "distinct", "p50", "p90", "p95", "p99"],
    read,
};

static STAT: Key<Choice<WindowStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What the number is: how many events, a statistic of `value` (percentiles within 1 %; `distinct` counts different values), or the share (0 to 1) of events that fulfil `match`.",
    shape: Choice {
        options: &[
            ("count", WindowStat::Count, "how many events"),
            ("sum", WindowStat::Sum, "the sum of `value`"),
            ("mean", WindowStat::Mean, "the mean of `value`"),
            ("min", WindowStat::Min, "the least `value`"),
            ("max", WindowStat::Max, "the greatest `value`"),
            ("share", WindowStat::Share, "the part of the events that fulfils `match`"),
            ("distinct", WindowStat::Distinct, "how many different values `value` has"),
            ("p50", WindowStat::P50, "the median of `value`"),
            ("p90", WindowStat::P90, "the 90th percentile of `value`"),
            ("p95", WindowStat::P95, "the 95th percentile of `value`"),
            ("p99", WindowStat::P99, "the 99th percentile of `value`"),
        ],
    },
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let number = number::read(reader, &number::DRAW, sink);
    let last = reader.get(&LAST, sink);
    let stat = reader.get(&STAT, sink);
    let operands = statistic::operands(reader, stat.is_some(), true, sink);
    let (value, matching) = operands?;
    let number = number?;
    Some(Folded {
        reducer: ReducerSpec::Window { last: last?, stat: stat?, value, matching, trend: number.trend },
        look: Look::Window(number.look),
        knows_days: false,
        against: number.against,
    })
}

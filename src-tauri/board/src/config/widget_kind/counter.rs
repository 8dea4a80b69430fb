//! One number that accumulates.

use super::{Folded, KindShape, number, statistic};
use crate::{
    config::{
        diagnostic::Sink,
        shape::Choice,
        shape_event::DailyText,
        spec::{CounterStat, ReducerSpec},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "counter",
    about: "One number that accumulates since its last reset.",
    table: TableShape {
        name: "kind `counter`",
        keys: &[
            &STAT,
            &statistic::VALUE,
            &statistic::MATCH,
            &RESET,
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
    stats: &["count", "sum", "mean", "share"],
    read,
};

static STAT: Key<Choice<CounterStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What the number is: how many events, the sum or mean of `value`, or the share (0 to 1) of events that fulfil `match`.",
    shape: Choice {
        options: &[
            ("count", CounterStat::Count, "how many events"),
            ("sum", CounterStat::Sum, "the sum of `value`"),
            ("mean", CounterStat::Mean, "the mean of `value`"),
            ("share", CounterStat::Share, "the part of the events that fulfils `match`"),
        ],
    },
};

pub(super) static RESET: Key<DailyText> = Key {
    name: "reset",
    need: Need::Optional,
    about: "When it begins again: `daily HH:MM` in the board's zone. Never if left out.",
    shape: DailyText,
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let number = number::read(reader, &number::DRAW, sink);
    let stat = reader.get(&STAT, sink);
    let operands = statistic::operands(reader, stat.is_some(), true, sink);
    let reset_daily_minutes = reader.optional(&RESET, sink);
    let (value, matching) = operands?;
    let (number, reset_daily_minutes) = (number?, reset_daily_minutes?);
    Some(Folded {
        reducer: ReducerSpec::Counter { stat: stat?, value, matching, reset_daily_minutes, trend: number.trend },
        look: Look::Counter(number.look),
        knows_days: reset_daily_minutes.is_some(),
        against: number.against,
    })
}
